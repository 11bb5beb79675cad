//! What is too much is refused with a reason, and the rest goes on.

use domain::handling::Step;
use domain::ids::IncidentId;
use domain::incident::{Rule, Severity};
use domain::limits::INCIDENT_STEPS_MAX;
use store::fact::{FactKind, IncidentStepped, Note};
use store::ledger::DerivedIncident;
use wire::api::v1;

use super::{Bench, acknowledge, changed, close, id, incident, note, taken, with_staff};

#[tokio::test]
async fn an_incident_takes_so_many_steps_and_its_notes_can_still_be_erased() {
    let (bench, _) = with_staff().await;
    for number in 0..INCIDENT_STEPS_MAX {
        let note = Some(Note::new([1; 16], number.to_string()));
        let incident = IncidentId([1; 16]);
        let stepped = IncidentStepped { incident, step: Step::Note, note, previous: None };
        bench.fact(FactKind::IncidentStepped(stepped)).await;
    }
    let mut service = bench.handling().await;
    let answer = service.note_incidents(note(&[1, 3], "one more")).await.unwrap().into_inner();
    assert_eq!(answer.results[0].reason, "TOO_MANY_STEPS");
    assert!(answer.results[0].error.contains("has 1000 steps; at most 1000"), "{:?}", answer.results[0]);
    assert_eq!(taken(&answer.results[1]).note_count, 1, "the other one goes on");
    let number = bench.steps_of(&bench.operator, 1).await[0].number;
    let erased = service.erase_note(v1::EraseNoteRequest { incident_id: id(1), number }).await.unwrap();
    assert_eq!(erased.into_inner().incident.unwrap().handling.unwrap().note_count, INCIDENT_STEPS_MAX - 1);
    // The floor can still say that the stop was seen to.
    let stop_time = Some(super::seconds(-50));
    let request = v1::AcknowledgeStopRequest { machine_id: "n-1".to_owned(), stop_time };
    bench.fleet().await.acknowledge_stop(request).await.unwrap();
    let states = (bench.handling_of(1).await.state(), bench.handling_of(2).await.state());
    assert_eq!(states, (v1::HandlingState::Acknowledged, v1::HandlingState::Acknowledged));
    // Notes that fill it do not keep it open.
    let answer = service.close_incidents(close(&[1])).await.unwrap().into_inner();
    assert_eq!(taken(&answer.results[0]).state(), v1::HandlingState::Closed);
    let answer = service.close_incidents(close(&[1])).await.unwrap().into_inner();
    assert_eq!(answer.results[0].reason, "TOO_MANY_STEPS");
}

/// An incident of an agent that was not there, with an id of its own.
fn offline(id: [u8; 16], second: i64) -> DerivedIncident {
    changed(incident(0, "n-1", second), |one| {
        (one.id, one.rule, one.severity) = (IncidentId(id), Rule::AgentOffline, Severity::High);
    })
}

#[tokio::test]
async fn outages_with_too_many_members_together_are_stepped_one_by_one() {
    const MEMBERS: u16 = 600;
    let bench = Bench::furnished().await;
    for lead in [1, 2] {
        let member = |number: u16| {
            let [high, low] = number.to_be_bytes();
            let mut id = [0; 16];
            (id[0], id[1], id[2]) = (lead, high, low);
            id
        };
        let members = (0..MEMBERS).map(|number| offline(member(number), -30));
        bench.found(members.chain([offline([lead; 16], -60)]).collect()).await;
        for number in 0..MEMBERS {
            let (incident, step) = (IncidentId(member(number)), Step::Join { lead: IncidentId([lead; 16]) });
            let stepped = IncidentStepped { incident, step, note: None, previous: None };
            bench.fact(FactKind::IncidentStepped(stepped)).await;
        }
    }
    let mut service = bench.handling().await;
    let answer = service.close_incidents(close(&[1, 2])).await.unwrap().into_inner();
    assert_eq!(taken(&answer.results[0]).state(), v1::HandlingState::Closed);
    assert_eq!(answer.results[1].reason, "TOO_MANY");
    assert!(answer.results[1].error.contains("more than 1000 members together"), "{:?}", answer.results[1]);
    let answer = service.acknowledge_incidents(acknowledge(&[2])).await.unwrap().into_inner();
    taken(&answer.results[0]);
    let open = v1::IncidentFilter {
        handling_states: vec![v1::HandlingState::Open.into()],
        with_members: true,
        ..Default::default()
    };
    let request = v1::CountIncidentsRequest { filter: Some(open) };
    let counts = bench.incidents().await.count_incidents(request).await.unwrap().into_inner().counts;
    assert!(counts.is_empty(), "{counts:?}");
}
