//! The pages that enrol agents.

use super::fake::admin::{ADMIN, ADMIN_GERMAN, Admin, TECHNICIAN};
use super::fake::enrolment::CODE;
use super::fake::{Answer, Browser, SESSION_VIEWER};

/// Sends a form with its session's token; what came back, and what the API was asked to change.
async fn send(session: &'static str, path: &str, fields: &[(&str, &str)]) -> (Answer, Vec<String>) {
    let admin = Admin::default();
    let token = crate::form::token(session).to_string();
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    let answer = Browser::new(Some(session)).administering(&admin).post(path, &all).await;
    (answer, admin.asked())
}

const APPROVE: &str = "/administration/enrolment/7/approve";

#[tokio::test]
async fn agents_that_wait_are_shown_with_the_digits_that_they_show() {
    let page = Browser::new(Some(TECHNICIAN)).get("/administration/enrolment").await;
    assert_eq!(page.status, 200);
    for shown in ["012 345", "192.0.2.7", "/enrolment/7/approve", "/enrolment/7/refuse", "3 of 50"] {
        assert!(page.text.contains(shown), "{shown}");
    }
    assert!(page.text.contains("codes/00000a/revoke") && !page.text.contains("codes/00000b/revoke"));
    assert!(page.text.contains("tried wrongly too often"));
    let form = Browser::new(Some(TECHNICIAN)).get(APPROVE).await;
    assert!(form.text.contains("012 345") && form.text.contains("Compare the six digits"));
    let german = Browser::new(Some(ADMIN_GERMAN)).get(APPROVE).await;
    assert!(german.text.contains("Vergleichen Sie die sechs Ziffern"));
    let viewer = Browser::new(Some(SESSION_VIEWER)).get("/administration/enrolment").await;
    assert_eq!(viewer.status, 403);
}

#[tokio::test]
async fn an_agent_is_approved_as_a_new_machine_or_as_a_known_one() {
    let new = [
        ("as", "new"),
        ("machine_id", "n-9"),
        ("model", "Mill 5"),
        ("belt", "reversible"),
        ("drive", "motor"),
    ];
    let (answer, asked) = send(TECHNICIAN, APPROVE, &new).await;
    assert_eq!((answer.status, asked.len()), (303, 1));
    assert_eq!(answer.header("location"), "/administration/enrolment?done=enrolment-approved&id=n-9");
    assert!(asked[0].contains("n-9") && asked[0].contains("is_replacement: false"), "{}", asked[0]);
    assert!(asked[0].contains("Mill 5") && asked[0].contains("enrolment_id: \"7\""), "{}", asked[0]);
    let known = [("as", "known"), ("machine_id", "n-2"), ("belt", "unknown"), ("drive", "motor")];
    let (_, asked) = send(TECHNICIAN, APPROVE, &known).await;
    assert!(asked[0].contains("is_replacement: true"), "{}", asked[0]);
    let done =
        Browser::new(Some(ADMIN)).get("/administration/enrolment?done=enrolment-approved&id=n-9").await;
    assert!(done.text.contains("Approved as the agent of n-9"));
}

#[tokio::test]
async fn what_cannot_be_is_told_beside_the_field() {
    let taken = [("as", "new"), ("machine_id", "n-1"), ("belt", "unknown"), ("drive", "motor")];
    let (answer, _) = send(TECHNICIAN, APPROVE, &taken).await;
    assert!(answer.text.contains("id=\"machine_id-error\">This is taken"));
    let other = [("as", "both"), ("machine_id", "n-2"), ("belt", "unknown"), ("drive", "motor")];
    let (answer, asked) = send(TECHNICIAN, APPROVE, &other).await;
    assert_eq!((answer.status, asked.len()), (422, 0));
    for (life, machines, field) in [
        ("0", "5", "life"),
        ("31", "5", "life"),
        ("x", "5", "life"),
        ("7", "0", "machines_max"),
        ("7", "201", "machines_max"),
    ] {
        let fields = [("site_id", "north"), ("life", life), ("machines_max", machines)];
        let (answer, asked) = send(TECHNICIAN, "/administration/add/enrolment", &fields).await;
        assert_eq!((answer.status, asked.len()), (422, 0), "{life} {machines}");
        assert!(answer.text.contains(&format!("id=\"{field}-error\">Use a number")), "{life} {machines}");
    }
    let (gone, asked) = send(TECHNICIAN, "/administration/enrolment/8/approve", &taken).await;
    assert_eq!((gone.status, asked.len()), (404, 0));
}

#[tokio::test]
async fn a_code_is_shown_once_with_its_command_and_a_drawing() {
    let fields = [("site_id", "north"), ("life", "2"), ("machines_max", "5")];
    for (path, fields, says) in [
        ("/administration/add/enrolment", &fields[..], "seconds: 172800"),
        ("/administration/machines/n-1/enrol", &[], "machine_id: \"n-1\""),
    ] {
        let (answer, asked) = send(TECHNICIAN, path, fields).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(asked[0].contains(says), "{}", asked[0]);
        let command =
            format!("sudo -u beltwatch-agent beltwatch-agent enrol https://gym.example:8080 {CODE}");
        assert!(answer.text.contains(&command) && answer.text.contains("<svg class=\"qr\""), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}

#[tokio::test]
async fn refusing_and_ending_are_asked_once_more() {
    for (path, to, says) in [
        ("/administration/enrolment/7/refuse", "enrolment-refused&id=7", "enrolment_id: \"7\""),
        ("/administration/enrolment/codes/00000a/revoke", "code-ended&id=00000a", "code_id: \"00000a\""),
    ] {
        let asks = Browser::new(Some(TECHNICIAN)).get(path).await;
        assert_eq!(asks.status, 200, "{path}");
        let (answer, asked) = send(TECHNICIAN, path, &[]).await;
        assert_eq!(answer.header("location"), format!("/administration/enrolment?done={to}"));
        assert!(asked[0].contains(says), "{}", asked[0]);
    }
}
