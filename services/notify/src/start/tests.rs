use domain::incident::Rule;
use store::ledger::NoticeQuery;
use store::registry::Way;

use super::*;
use crate::given::{Gym, contact, incident, step};
use crate::keeper::tests::Count;
use crate::loopback::{status, webhooks};

/// No contact of these tests wants a report.
#[derive(Debug)]
struct Silence;

#[async_trait::async_trait]
impl Report for Silence {
    async fn weekly(
        &self,
        _: &domain::ids::SiteId,
        _: jiff::civil::Date,
        _: jiff::civil::Date,
    ) -> Result<String, String> {
        panic!("nobody wants a report")
    }
}

fn start_in(gym: &Gym) -> (CancellationToken, Vec<JoinHandle<()>>) {
    let stopping = CancellationToken::new();
    let clock = gym.clone();
    let settings = Settings {
        url: "https://gym.example.org".to_owned(),
        mail: None,
        secrets: Arc::new(|_, _| [0; 32]),
        clock: Arc::new(move || clock.now()),
    };
    let tasks =
        start(gym.ledger.clone(), settings, gym.pages.clone(), Arc::new(Count), Arc::new(Silence), &stopping)
            .unwrap();
    (stopping, tasks)
}

/// Waits until this holds for all notices.
async fn all(gym: &Gym, holds: impl Fn(&Notice) -> bool) {
    let mut changes = gym.ledger.notice_change();
    loop {
        let query = NoticeQuery { max: 10, ..NoticeQuery::default() };
        let notices = gym.ledger.notices(&query).await.unwrap();
        if !notices.is_empty() && notices.iter().all(&holds) {
            return;
        }
        changes.changed().await.unwrap();
    }
}

/// The first time the receiver takes it and the server is killed before it hears so.
#[tokio::test]
async fn a_killed_server_tells_again_with_the_same_id_until_it_is_written() {
    let mut receiver = webhooks(vec![None, status("500 Internal Server Error")]).await;
    let url = format!("http://127.0.0.1:{}/hook", receiver.port);
    let gym = Gym::new(&[contact("floor", Way::Webhook { url })], &[step("floor", Severity::Low, 0)]).await;
    let (_, tasks) = start_in(&gym);
    // The first start ever has looked around once its cursor is there.
    let mut changes = gym.ledger.notice_change();
    while gym.ledger.notices_taken().await.unwrap().is_none() {
        tokio::select! { _ = changes.changed() => {}, () = tokio::task::yield_now() => {} }
    }
    gym.found(incident(1, Rule::EmergencyStop, Severity::Critical, 0)).await;
    let first = receiver.arrived.recv().await.unwrap();
    for task in tasks {
        task.abort();
        let _ = task.await;
    }
    let (stopping, tasks) = start_in(&gym);
    let second = receiver.arrived.recv().await.unwrap();
    all(&gym, |notice| notice.attempts == 1).await;
    gym.at(2);
    let third = receiver.arrived.recv().await.unwrap();
    all(&gym, |notice| notice.state == NoticeState::Sent).await;
    stopping.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    let id = |request: &crate::loopback::Request| request.headers["beltwatch-id"].clone();
    assert_eq!((id(&first), id(&second)), (id(&second), id(&third)));
    let fingerprint = |request: &crate::loopback::Request| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        body["alerts"][0]["fingerprint"].clone()
    };
    assert_eq!((fingerprint(&first), fingerprint(&second)), (fingerprint(&second), fingerprint(&third)));
    let (_, tasks) = start_in(&gym);
    gym.found(incident(2, Rule::EmergencyStop, Severity::Critical, 1)).await;
    let other = receiver.arrived.recv().await.unwrap();
    assert_ne!(id(&other), id(&third), "what is written is not told again");
    tasks.iter().for_each(JoinHandle::abort);
}
