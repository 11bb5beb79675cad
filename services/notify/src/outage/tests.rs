use proptest::prelude::*;

use super::*;
use crate::given::{incident, second, stored};
use domain::incident::Severity;

/// Incidents with these times and times of finding, and leads by octet.
fn given(incidents: &[(u8, i64, i64, u8)]) -> Vec<StoredIncident> {
    let one = |(octet, time, detected, lead): &(u8, i64, i64, u8)| {
        let mut stored = stored(incident(*octet, Rule::AgentOffline, Severity::Low, *time));
        stored.detected = second(*detected);
        stored.handling.lead = (*lead > 0).then_some(IncidentId([*lead; 16]));
        stored
    };
    incidents.iter().map(one).collect()
}

#[track_caller]
fn check(incidents: &[(u8, i64, i64, u8)], expected: &[(u8, u8)]) {
    let joined: Vec<(u8, u8)> =
        joins(&given(incidents)).into_iter().map(|(id, lead)| (id.0[0], lead.0[0])).collect();
    assert_eq!(joined, expected);
}

#[test]
fn the_first_that_was_known_stands_for_those_within_a_minute() {
    check(&[], &[]);
    check(&[(1, 0, 100, 0)], &[]);
    check(&[(1, 0, 100, 0), (2, 60, 101, 0), (3, 61, 102, 0)], &[(2, 1)]);
    // The one that happened first was known later.
    check(&[(1, 0, 101, 0), (2, 30, 100, 0)], &[(1, 2)]);
    // Found at once: by id.
    check(&[(2, 0, 100, 0), (1, 30, 100, 0), (3, 40, 100, 0)], &[(2, 1), (3, 1)]);
    // A member is no lead: the third stands for itself.
    check(&[(1, 0, 100, 0), (2, 50, 101, 1), (3, 100, 102, 0)], &[]);
    // Who has members already stays their lead.
    check(&[(1, 0, 99, 0), (2, 30, 100, 0), (3, 40, 101, 2)], &[]);
}

#[test]
fn others_are_no_part_of_it() {
    let mut incidents = given(&[(1, 0, 100, 0), (2, 10, 101, 0), (3, 20, 102, 0), (4, 30, 103, 0)]);
    incidents[0].handling.state = HandlingState::Closed;
    incidents[1].incident.drill = Some(1);
    incidents[2].incident.rule = Rule::TelemetryLostWhileMoving;
    assert_eq!(joins(&incidents), []);
}

proptest! {
    /// Found one after the other, whatever the times: a lead is never a member, and lies within the minute.
    #[test]
    fn leads_are_no_members(times in proptest::collection::vec(0_i64..400, 1..20)) {
        let mut all: Vec<StoredIncident> = Vec::new();
        for (number, time) in (1_u8..).zip(times) {
            all.extend(given(&[(number, time, i64::from(number), 0)]));
            for (id, lead) in joins(&all) {
                let member = all.iter_mut().find(|stored| stored.incident.id == id).unwrap();
                prop_assert_eq!(member.handling.lead, None);
                member.handling.lead = Some(lead);
            }
        }
        for member in all.iter().filter(|stored| stored.handling.lead.is_some()) {
            let lead = all.iter().find(|stored| Some(stored.incident.id) == member.handling.lead).unwrap();
            prop_assert_eq!(lead.handling.lead, None);
            prop_assert!(lead.incident.time.since(member.incident.time).abs() <= SPAN_US);
        }
        prop_assert_eq!(joins(&all), []);
    }
}
