use domain::handling::{Deed, Step};
use domain::ids::IncidentId;

use super::*;
use crate::given::{Gym, hook, incident, second, step, stored};

fn critical(octet: u8) -> StoredIncident {
    stored(incident(octet, Rule::EmergencyStop, Severity::Critical, 0))
}

async fn gym() -> Gym {
    let contacts = ["floor", "office", "night"].map(hook);
    let chain = [
        step("floor", Severity::Medium, 0),
        step("office", Severity::High, 300),
        step("floor", Severity::Critical, 600),
    ];
    Gym::new(&contacts, &chain).await
}

fn fresh(registry: &Registry, stored: &StoredIncident, known: &[Notice], now: i64) -> Vec<Notice> {
    plan(registry, stored, known, |_| false, second(now))
}

/// Contact, step and wait in seconds of what is planned one second after an incident was found.
#[track_caller]
fn check(registry: &Registry, stored: &StoredIncident, expected: &[(&str, u32, i64)]) {
    let planned = fresh(registry, stored, &[], 1);
    let waiting: Vec<(&str, u32, i64)> = planned
        .iter()
        .filter(|notice| notice.state == NoticeState::Waiting)
        .map(|notice| (notice.contact.as_str(), notice.step, notice.due.since(stored.detected) / 1_000_000))
        .collect();
    assert_eq!(waiting, expected);
    assert_eq!(fresh(registry, stored, &planned, 2), [], "planned again, nothing is given twice");
    assert_eq!(
        fresh(registry, stored, &[], 3).iter().map(|n| n.id).collect::<Vec<_>>(),
        planned.iter().map(|n| n.id).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_chain_is_planned_by_severity() {
    let gym = gym().await;
    let registry = gym.registry();
    let of = |severity| stored(incident(1, Rule::SlowEmergencyStop, severity, 0));
    check(&registry, &of(Severity::Critical), &[("floor", 1, 0), ("office", 2, 300), ("floor", 3, 600)]);
    check(&registry, &of(Severity::High), &[("floor", 1, 0), ("office", 2, 300)]);
    check(&registry, &of(Severity::Medium), &[("floor", 1, 0)]);
    check(&registry, &of(Severity::Low), &[]);
}

#[tokio::test]
async fn nobody_is_called_for_what_is_no_news() {
    let gym = gym().await;
    let registry = gym.registry();
    let mut drill = critical(1);
    drill.incident.drill = Some(7);
    check(&registry, &drill, &[]);
    let mut elsewhere = critical(1);
    elsewhere.incident.machine = crate::given::machine("unknown");
    check(&registry, &elsewhere, &[]);
    let deed = Deed { number: 1, time: second(0), by: "user:anna".to_owned() };
    for steps in [
        vec![Step::Acknowledge],
        vec![Step::Assign { to: None }],
        vec![Step::Join { lead: IncidentId([9; 16]) }],
        vec![Step::Close { cause: None, hurt: None }],
    ] {
        let mut handled = critical(1);
        for step in &steps {
            handled.handling.take(step, false, deed.clone());
        }
        check(&registry, &handled, &[]);
    }
    let mut old = critical(1);
    old.detected = second(0);
    assert_eq!(fresh(&registry, &old, &[], 86_401), []);
}

/// Step, second in which it is due, and what is written with it.
fn waiting(notices: &[Notice]) -> Vec<(u32, i64, &str)> {
    notices.iter().map(|one| (one.step, one.due.since(second(0)) / 1_000_000, one.reason.as_str())).collect()
}

#[tokio::test]
async fn what_was_laid_aside_is_told_when_its_time_has_come() {
    let gym = gym().await;
    let registry = gym.registry();
    let deed = Deed { number: 1, time: second(0), by: "user:anna".to_owned() };
    let shelve = |stored: &mut StoredIncident, until: Option<i64>| {
        stored.handling.take(&Step::Shelve { until: until.map(second) }, false, deed.clone());
    };
    let mut found = stored(incident(1, Rule::SlowEmergencyStop, Severity::High, 0));
    let mut known = fresh(&registry, &found, &[], 0);
    known[0].state = NoticeState::Sent;
    shelve(&mut found, Some(3_600));
    let put_off = fresh(&registry, &found, &known, 100);
    assert_eq!(waiting(&put_off), [(2, 3_900, SHELVED)]);
    assert!(put_off.iter().all(|one| one.state == NoticeState::Waiting && one.revision == 2));
    assert_eq!(fresh(&registry, &found, &put_off, 101), []);
    // For longer, and then taken up again before its time.
    shelve(&mut found, Some(7_200));
    let longer = fresh(&registry, &found, &put_off, 102);
    assert_eq!(waiting(&longer), [(2, 7_500, SHELVED)]);
    shelve(&mut found, None);
    let again = fresh(&registry, &found, &longer, 1_000);
    assert_eq!(waiting(&again), [(2, 1_300, "")]);
    assert_eq!(fresh(&registry, &found, &again, 1_001), []);

    // Laid aside before anybody could be told.
    let mut early = stored(incident(2, Rule::SlowEmergencyStop, Severity::High, 0));
    shelve(&mut early, Some(3_600));
    let planned = fresh(&registry, &early, &[], 1);
    assert_eq!(waiting(&planned), [(1, 3_600, SHELVED), (2, 3_900, SHELVED)]);
    assert!(planned.iter().all(|one| one.revision == 1));
    // What becomes critical is not laid aside.
    early.incident.severity = Severity::Critical;
    let risen = fresh(&registry, &early, &planned, 50);
    let told: Vec<_> = risen.iter().filter(|one| one.state == NoticeState::Waiting).cloned().collect();
    assert_eq!(waiting(&told), [(1, 50, ""), (2, 350, ""), (3, 650, "")]);
}

#[tokio::test]
async fn what_turns_out_to_be_a_proof_test_is_told_to_nobody() {
    let gym = gym().await;
    let registry = gym.registry();
    let mut found = critical(1);
    let known = fresh(&registry, &found, &[], 0);
    found.incident.drill = Some(7);
    let written = fresh(&registry, &found, &known, 1);
    assert_eq!(written.len(), 3);
    assert!(written.iter().all(|one| one.state == NoticeState::NotNeeded), "{written:?}");
}

#[tokio::test]
async fn what_was_found_late_is_noted_but_not_told() {
    let gym = gym().await;
    let registry = gym.registry();
    let mut late = critical(1);
    late.detected = second(15 * 60);
    check(&registry, &late, &[("floor", 1, 0), ("office", 2, 300), ("floor", 3, 600)]);
    late.detected = second(15 * 60 + 61);
    check(&registry, &late, &[]);
    let planned = fresh(&registry, &late, &[], 1_000);
    assert_eq!(planned.len(), 3);
    assert!(planned.iter().all(|notice| notice.state == NoticeState::NotNeeded
        && notice.reason == "it was found 16 min after it showed; nobody is called so late"));
}

#[tokio::test]
async fn staffing_counts_when_it_was_found() {
    let gym = gym().await;
    let staffed = ChainStep { staffing: Staffing::Staffed, ..step("floor", Severity::Low, 0) };
    let unstaffed = ChainStep { staffing: Staffing::Unstaffed, ..step("night", Severity::Low, 60) };
    gym.chain(&[staffed, unstaffed]).await;
    check(&gym.registry(), &critical(1), &[("floor", 1, 0)]);
    // From 13:30 in Vienna on, said a day before.
    gym.at(-86_400).staffed([(); 7].map(|()| vec![(13 * 60 + 30, 1_440)])).await;
    let mut found = critical(1);
    check(&gym.registry(), &found, &[("night", 2, 60)]);
    assert_eq!(first_step(&gym.registry(), &found), Some(2));
    found.detected = second(1_800);
    found.incident.noticed = second(1_800);
    check(&gym.registry(), &found, &[("floor", 1, 0)]);
    assert_eq!(first_step(&gym.registry(), &found), Some(1));
}

#[tokio::test]
async fn a_worse_incident_is_told_anew() {
    let gym = gym().await;
    let registry = gym.registry();
    let mut found = stored(incident(1, Rule::SlowEmergencyStop, Severity::High, 0));
    let mut known = fresh(&registry, &found, &[], 0);
    known[0].state = NoticeState::Sent;
    found.incident.severity = Severity::Critical;
    let written = fresh(&registry, &found, &known, 100);
    let told: Vec<_> =
        written.iter().map(|n| (n.contact.as_str(), n.step, n.state, n.due, n.reason.as_str())).collect();
    let rose = "it rose to critical and is told anew";
    assert_eq!(
        told,
        [
            ("office", 2, NoticeState::NotNeeded, second(300), rose),
            ("floor", 1, NoticeState::Waiting, second(100), ""),
            ("office", 2, NoticeState::Waiting, second(400), ""),
            ("floor", 3, NoticeState::Waiting, second(700), ""),
        ]
    );
    // What is under way is left alone.
    let office = known[1].id;
    let written = plan(&registry, &found, &known, |id| *id == office, second(100));
    assert!(written.iter().all(|notice| notice.id != office));
}

#[tokio::test]
async fn an_acknowledgement_ends_what_waits() {
    let gym = gym().await;
    let registry = gym.registry();
    let mut found = critical(1);
    let mut known = fresh(&registry, &found, &[], 0);
    known[0].state = NoticeState::Sent;
    known[1].attempts = 2;
    found.handling.acknowledged = Some(Deed { number: 1, time: second(5), by: "user:anna".to_owned() });
    found.handling.state = HandlingState::Acknowledged;
    let reasons: Vec<(u32, String)> =
        fresh(&registry, &found, &known, 6).into_iter().map(|notice| (notice.step, notice.reason)).collect();
    let before = |text: &str| format!("acknowledged by anna before it {text}");
    assert_eq!(reasons, [(2, before("could be sent")), (3, before("was due"))]);
}

#[tokio::test]
async fn an_agent_that_vanished_waits_for_others() {
    let gym = gym().await;
    let found = stored(incident(1, Rule::AgentOffline, Severity::Medium, 0));
    check(&gym.registry(), &found, &[("floor", 1, 60)]);
}
