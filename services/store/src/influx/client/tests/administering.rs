//! Setting up, against answers that go wrong. The real InfluxDB is met in `tests/real`.

use super::fake::{Answer, Fake};
use super::*;
use crate::influx::{SetUp, set_up};

fn wanted(url: &str) -> SetUp {
    SetUp {
        settings: settings(url),
        readings_days: 90,
        events_days: 3_650,
        user: "beltwatch".to_owned(),
        password: "hidden-password".to_owned(),
        server_token: None,
        grafana_token: Some(None),
    }
}

#[tokio::test]
async fn a_setup_that_fails_says_where_and_shows_no_secret() {
    let fresh = "{\"allowed\":true}";
    for (answers, says) in [
        (vec![Answer::new(404, "", "nothing")], "asking whether it is fresh"),
        (vec![Answer::new(200, "", "<html>")], "none of InfluxDB 2"),
        (
            vec![
                Answer::new(200, "", fresh),
                Answer::error(422, "conflict", "onboarding has already been completed"),
            ],
            "setting it up",
        ),
        (
            vec![
                Answer::new(200, "", fresh),
                Answer::new(201, "", "{}"),
                Answer::error(401, "unauthorized", "no"),
            ],
            "refuses the token",
        ),
        (
            vec![Answer::new(200, "", "{}"), Answer::new(404, "", "{}"), Answer::new(201, "", "[]")],
            "making the organisation",
        ),
        (
            vec![
                Answer::new(200, "", "{}"),
                Answer::new(200, "", "{\"orgs\":[{\"name\":\"gym\",\"id\":\"7\"}]}"),
                Answer::new(200, "", "{\"buckets\":[{}]}"),
            ],
            "looking for the bucket",
        ),
    ] {
        let answers = Mutex::new(answers.into_iter());
        let fake = Fake::start(move |_, _| answers.lock().unwrap().next().unwrap_or(Answer::Reset)).await;
        let wanted = wanted(&fake.url);
        assert!(!format!("{wanted:?}").contains("hidden"));
        let (_, text) = failure(set_up(&wanted).await);
        assert!(text.contains(says) && !text.contains("hidden"), "{says:?} is not in {text:?}");
    }
}
