//! Incidents and recordings: what is put, what is asked, and that both ledgers answer the same.

use domain::belt::{Contacts, Direction, Origin};
use domain::handling::HandlingState;
use domain::ids::{IncidentId, RecordingId};
use domain::incident::{Incident, Rule, Severity};
use domain::signal::Capabilities;
use domain::units::{Incline, Speed};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use store::ledger::{
    DerivedIncident, DerivedPiece, IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger,
    Members, RecordedPoint,
};
use store::memory::MemoryLedger;
use store::sqlite::SqliteLedger;

use crate::facts::users;
use crate::{machines, times, told};

const DIRECTIONS: [Direction; 4] =
    [Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown];

#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Page(Box<IncidentQuery>),
    Changes(u64, usize),
    Mark(Vec<IncidentId>, u32),
}

pub(crate) fn ids() -> impl Strategy<Value = IncidentId> {
    (0..9_u8).prop_map(|octet| IncidentId([octet; 16]))
}

fn rules() -> impl Strategy<Value = Rule> {
    select(vec![Rule::EmergencyStop, Rule::ReverseOverspeed, Rule::UseOutsideStaffedHours])
}

fn severities() -> impl Strategy<Value = Severity> {
    select(Severity::ALL.to_vec())
}

pub(crate) fn incidents() -> impl Strategy<Value = DerivedIncident> {
    let what = (ids(), machines(), rules(), severities(), select(DIRECTIONS.to_vec()));
    let times = (times(), option::of(times()), times());
    (what, times, 0..5_u64, ".{0,5}").prop_map(
        |((id, machine, rule, severity, direction), (time, cleared, detected), revision, detail)| {
            let incident = Incident {
                id,
                machine,
                rule,
                rule_version: 1,
                severity,
                time,
                noticed: time,
                drill: (revision % 3 == 2).then_some(7),
                cleared,
                direction,
                origin: Origin::Declared,
                speed: None,
                incline: None,
                contact: None,
                count: 1,
                measured: Vec::new(),
                thresholds: Vec::new(),
                detail,
                explained: String::new(),
                capabilities: Capabilities::SPEED,
                stop: None,
                recording: None,
                trace: Vec::new(),
                trace_complete: true,
                revision,
            };
            DerivedIncident { incident, detected }
        },
    )
}

pub(crate) fn pieces() -> impl Strategy<Value = DerivedPiece> {
    let belt = (select(DIRECTIONS.to_vec()), option::of(any::<u32>()), option::of(any::<i32>()));
    let point =
        (any::<i64>(), belt, any::<[u32; 2]>()).prop_map(|(time, (direction, speed, incline), seen)| {
            let contacts = Contacts { closed: seen[0], open: seen[1] };
            let (speed, incline) = (speed.map(Speed), incline.map(Incline));
            let time = domain::units::UnixMicros(time);
            RecordedPoint { time, direction, origin: Origin::Measured, speed, incline, contacts }
        });
    (0..3_u8, machines(), 0..4_u32, any::<bool>(), vec(point, 0..4)).prop_map(
        |(octet, machine, number, is_last, points)| {
            let recording = RecordingId([octet; 16]);
            DerivedPiece { recording, machine, number, is_last, points }
        },
    )
}

/// What people did, in a filter.
fn handled() -> impl Strategy<Value = IncidentFilter> {
    let members = prop_oneof![Just(Members::Listed), Just(Members::LeftOut), ids().prop_map(Members::Of)];
    let states = prop_oneof![Just(Vec::new()), subsequence(HandlingState::ALL.to_vec(), 1..=4)];
    let shelved = option::of((any::<bool>(), times()));
    (states, shelved, option::of(users()), option::of(any::<bool>()), members).prop_map(
        |(handling, shelved, assignee, drill, members)| IncidentFilter {
            handling,
            shelved,
            assignee,
            drill,
            members,
            ..IncidentFilter::default()
        },
    )
}

pub(crate) fn asks() -> impl Strategy<Value = Ask> {
    let lists = (vec(rules(), 0..3), vec(severities(), 0..3), vec(select(DIRECTIONS.to_vec()), 0..3));
    let filter =
        (option::of(vec(machines(), 0..3)), lists, option::of(any::<bool>()), times(), times(), handled());
    let filter =
        filter.prop_map(|(machines, (rules, severities, directions), active, from, until, handled)| {
            IncidentFilter { machines, rules, severities, directions, active, from, until, ..handled }
        });
    let orders = vec![IncidentOrder::NewestFirst, IncidentOrder::OldestFirst, IncidentOrder::WorstFirst];
    let place =
        (severities(), times(), ids()).prop_map(|(severity, time, id)| IncidentPlace { severity, time, id });
    let query = (filter, select(orders), option::of(place), 0..6_usize)
        .prop_map(|(filter, order, after, max)| IncidentQuery { filter, order, after, max });
    prop_oneof![
        5 => query.prop_map(|query| Ask::Page(Box::new(query))),
        1 => (0..20_u64, 0..5_usize).prop_map(|(after, max)| Ask::Changes(after, max)),
        1 => (vec(ids(), 0..4), 1..3_u32).prop_map(|(ids, version)| Ask::Mark(ids, version)),
    ]
}

pub(crate) async fn answers_agree(
    sqlite: &SqliteLedger,
    memory: &MemoryLedger,
    ask: Ask,
) -> Result<(), TestCaseError> {
    match ask {
        Ask::Page(query) => {
            prop_assert_eq!(told(sqlite.incidents(&query).await), told(memory.incidents(&query).await));
            let (one, other) =
                (sqlite.incident_counts(&query.filter).await, memory.incident_counts(&query.filter).await);
            prop_assert_eq!(told(one), told(other));
        }
        Ask::Changes(after, max) => {
            let (one, other) =
                (sqlite.incident_changes(after, max).await, memory.incident_changes(after, max).await);
            prop_assert_eq!(told(one), told(other));
        }
        Ask::Mark(ids, version) => {
            let one = sqlite.mark_unconfirmed(ids.clone(), version).await;
            prop_assert_eq!(told(one), told(memory.mark_unconfirmed(ids, version).await));
        }
    }
    Ok(())
}

/// All that there is.
pub(crate) async fn all_agree(sqlite: &SqliteLedger, memory: &MemoryLedger) -> Result<(), TestCaseError> {
    answers_agree(sqlite, memory, Ask::Changes(0, 1_000)).await?;
    prop_assert_eq!(*sqlite.incident_change().borrow(), *memory.incident_change().borrow());
    for octet in 0..9 {
        let id = IncidentId([octet; 16]);
        prop_assert_eq!(told(sqlite.incident(&id).await), told(memory.incident(&id).await));
        prop_assert_eq!(told(sqlite.incident_facts(&id).await), told(memory.incident_facts(&id).await));
        let id = RecordingId([octet; 16]);
        prop_assert_eq!(told(sqlite.recording(&id).await), told(memory.recording(&id).await));
    }
    Ok(())
}
