use domain::ids::RecordingId;
use domain::incident::{Rule, Severity};

use super::*;
use crate::given::{incident, second, stored};

#[track_caller]
fn check(change: impl Fn(&mut StoredIncident), is_complete: bool, now: i64, expected: Readiness) {
    check_grown(change, (is_complete, false), now, expected);
}

#[track_caller]
fn check_grown(
    change: impl Fn(&mut StoredIncident),
    (is_complete, has_grown): (bool, bool),
    now: i64,
    expected: Readiness,
) {
    let mut stored = stored(incident(1, Rule::EmergencyStop, Severity::Critical, 0));
    stored.incident.revision = 3;
    stored.incident.recording = Some(RecordingId([1; 16]));
    change(&mut stored);
    let evidence = Evidence { revision: 3, hash: String::new(), is_complete, has_grown };
    assert_eq!(readiness(&stored, &evidence, second(now)), expected);
}

#[test]
fn evidence_is_sealed_when_it_is_complete() {
    let sealed = |revision: u64| {
        move |stored: &mut StoredIncident| stored.handling.sealed = Some((revision, String::new()))
    };
    check(|_| {}, true, 20, Readiness::Ready);
    check(sealed(2), true, 20, Readiness::Ready);
    check(sealed(3), true, 20, Readiness::NotWanted);
    check(sealed(3), false, 200, Readiness::From(second(260)));
    check(sealed(3), false, 86_400, Readiness::NotWanted);
    check_grown(sealed(3), (false, true), 200, Readiness::Ready);
    check_grown(sealed(3), (true, true), 86_400, Readiness::Ready);
    check(|_| {}, false, 20, Readiness::From(second(25)));
    check(|_| {}, false, 178, Readiness::From(second(180)));
    check(|_| {}, false, 180, Readiness::Ready);
}
