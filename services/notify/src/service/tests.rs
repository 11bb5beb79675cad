use domain::handling::Step;
use domain::ids::IncidentId;
use store::fact::{FactKind, ServiceChange};

use super::*;
use crate::given::{Gym, incident, machine, second, stored};

const RULE: ServiceRule = ServiceRule { count: 2, days: 7 };
const DAY: i64 = 86_400;

fn failed(octet: u8, at: i64) -> StoredIncident {
    stored(incident(octet, Rule::SlowEmergencyStop, Severity::High, at))
}

fn gym_machine(gym: &Gym) -> Machine {
    (*gym.registry().machines()[&machine("m-1")]).clone()
}

#[track_caller]
fn check(
    rule: ServiceRule,
    machine: &Machine,
    others: &[StoredIncident],
    last: &StoredIncident,
    expected: Option<&str>,
) {
    assert_eq!(tag(rule, machine, last, others, last.detected).as_deref(), expected);
}

#[tokio::test]
async fn enough_failed_protections_tag_a_machine() {
    let machine = gym_machine(&Gym::new(&[], &[]).await);
    let last = failed(2, 6 * DAY);
    let two = "2 incidents within 7 days in which a protection failed: slow-emergency-stop";
    check(RULE, &machine, &[], &last, None);
    check(RULE, &machine, std::slice::from_ref(&last), &last, None);
    check(RULE, &machine, &[failed(1, 0), last.clone()], &last, Some(two));
    check(RULE, &machine, &[failed(1, -DAY - 1)], &last, None);
    check(RULE, &machine, &[failed(1, 6 * DAY + 1)], &last, None);
    check(ServiceRule { count: 0, days: 7 }, &machine, &[failed(1, 0)], &last, None);
    let one = "1 incident within 1 day in which a protection failed: slow-emergency-stop";
    check(ServiceRule { count: 1, days: 1 }, &machine, &[], &last, Some(one));
    let mut other = failed(1, 0);
    other.incident.rule = Rule::RestartByReset;
    let both =
        "2 incidents within 7 days in which a protection failed: restart-by-reset, slow-emergency-stop";
    check(RULE, &machine, &[other.clone()], &last, Some(both));
    for changed in [
        |stored: &mut StoredIncident| stored.incident.severity = Severity::Medium,
        |stored: &mut StoredIncident| stored.incident.rule = Rule::EmergencyStop,
        |stored: &mut StoredIncident| stored.incident.drill = Some(1),
    ] {
        let mut spared = failed(1, 0);
        changed(&mut spared);
        check(RULE, &machine, std::slice::from_ref(&spared), &last, None);
        assert!(!can_tag(&spared));
    }
    // What happened long ago tags nobody today.
    assert_eq!(tag(RULE, &machine, &last, &[other], second(14 * DAY)), None);
}

#[tokio::test]
async fn what_was_looked_at_does_not_count_again() {
    let gym = Gym::new(&[], &[]).await;
    let tagged = |reason: Option<&str>| {
        let out_of_service = reason.map(str::to_owned);
        FactKind::ServiceChanged(ServiceChange { machine: machine("m-1"), out_of_service })
    };
    gym.at(100).fact(tagged(Some("it rattles"))).await;
    check(RULE, &gym_machine(&gym), &[failed(1, 0)], &failed(2, 110), None);
    gym.at(200).fact(tagged(None)).await;
    let machine = gym_machine(&gym);
    check(RULE, &machine, &[failed(1, 0)], &failed(2, 150), None);
    check(RULE, &machine, &[failed(1, 150)], &failed(2, 250), None);
    let two = "2 incidents within 7 days in which a protection failed: slow-emergency-stop";
    check(RULE, &machine, &[failed(1, 0), failed(3, 250)], &failed(2, 260), Some(two));
}

#[tokio::test]
async fn steps_change_nothing_of_it() {
    let mut handled = failed(1, 0);
    let deed = domain::handling::Deed { number: 1, time: second(1), by: String::new() };
    handled.handling.take(&Step::Join { lead: IncidentId([1; 16]) }, false, deed);
    assert!(can_tag(&handled));
}
