//! What belongs together: the members of an outage, and a stop on the floor with its incident.

use domain::handling::Step;
use domain::ids::IncidentId;
use domain::incident::{Rule, Severity};
use store::fact::{FactKind, IncidentStepped};
use store::ledger::Ledger;
use store::registry::Role;
use wire::api::v1;

use super::super::incidents::numbers;
use super::super::{Bench, NOON, machine_id, seconds, with_token};
use super::{acknowledge, changed, close, id, ids, incident, note, taken, with_staff};

/// Incidents 1 to 3, of which 1 stands for all, and 4 that has no part in it.
async fn with_outage() -> Bench {
    let bench = Bench::furnished().await;
    let offline = |number, machine, second| {
        changed(incident(number, machine, second), |one| {
            (one.rule, one.severity, one.stop) = (Rule::AgentOffline, Severity::High, None);
        })
    };
    let all = [("n-1", -100), ("n-1", -90), ("n-2", -80), ("s-1", -70)];
    let found = (1..).zip(all).map(|(number, (machine, second))| offline(number, machine, second));
    bench.found(found.collect()).await;
    for member in [2, 3] {
        let (incident, lead) = (IncidentId([member; 16]), IncidentId([1; 16]));
        let step = Step::Join { lead };
        bench
            .fact(FactKind::IncidentStepped(IncidentStepped { incident, step, note: None, previous: None }))
            .await;
    }
    bench
}

#[tokio::test]
async fn a_step_about_an_outage_is_taken_about_its_members() {
    let bench = with_outage().await;
    let mut service = bench.handling().await;
    // One was closed before, which holds up nothing.
    service.close_incidents(close(&[3])).await.unwrap();
    bench.at(10);
    let assign = v1::ShelveIncidentsRequest {
        incident_ids: ids(&[1]),
        until_time: Some(seconds(600)),
        note: "the provider is at work".to_owned(),
        ..Default::default()
    };
    taken(&service.shelve_incidents(assign).await.unwrap().into_inner().results[0]);
    for (number, until, notes) in [(1, Some(600), 1), (2, Some(600), 0), (3, None, 0), (4, None, 0)] {
        let handling = bench.handling_of(number).await;
        assert_eq!(handling.shelve_until_time, until.map(seconds), "{number}");
        assert_eq!(handling.note_count, notes, "what is written stays with the one that was named: {number}");
    }
    service.note_incidents(note(&[1], "cable cut")).await.unwrap();
    let closing = v1::CloseIncidentsRequest { request_id: "once".to_owned(), ..close(&[1]) };
    for _ in 0..2 {
        taken(&service.close_incidents(closing.clone()).await.unwrap().into_inner().results[0]);
    }
    let (lead, member) = (bench.handling_of(1).await, bench.handling_of(2).await);
    assert_eq!((lead.state(), member.state()), (v1::HandlingState::Closed, v1::HandlingState::Closed));
    assert_eq!((lead.step_count, member.step_count, member.note_count), (3, 3, 0));
    assert_eq!((member.lead_incident_id, bench.handling_of(4).await.step_count), (id(1), 0));
}

#[tokio::test]
async fn lists_name_an_outage_once_and_its_members_when_asked() {
    let bench = with_outage().await;
    let mut incidents = bench.incidents().await;
    for (with_members, expected) in [(false, &[4, 1][..]), (true, &[4, 3, 2, 1])] {
        let filter = Some(v1::IncidentFilter { with_members, ..Default::default() });
        let request = v1::ListIncidentsRequest { filter, ..Default::default() };
        let page = incidents.list_incidents(request).await.unwrap().into_inner();
        assert_eq!(numbers(&page.incidents), expected);
    }
    let request = v1::ListIncidentStepsRequest { incident_id: id(1) };
    let answer = bench.handling().await.list_incident_steps(request).await.unwrap().into_inner();
    assert_eq!((numbers(&answer.members), answer.steps.len()), (vec![2, 3], 0));
}

fn seen_until(bench: &Bench, machine: &str) -> Option<i64> {
    let registry = bench.ledger.registry();
    let seen = registry.machines()[&machine_id(machine)].acknowledged.clone();
    seen.map(|seen| seen.until.since(NOON) / 1_000_000)
}

#[tokio::test]
async fn a_stop_that_was_seen_to_on_the_floor_is_acknowledged_as_an_incident() {
    let (bench, _) = with_staff().await;
    let therapist = bench.token_of(Role::Therapist, &["north"]).await;
    let request = v1::AcknowledgeStopRequest { machine_id: "n-1".to_owned(), stop_time: Some(seconds(-100)) };
    let mut fleet = bench.fleet().await;
    fleet.acknowledge_stop(with_token(&therapist, request.clone())).await.unwrap();
    let first = bench.handling_of(1).await;
    assert_eq!(first.state(), v1::HandlingState::Acknowledged);
    assert!(first.acknowledged.unwrap().author.starts_with("token:"));
    assert_eq!(bench.handling_of(2).await.state(), v1::HandlingState::Open, "a later stop");
    assert_eq!(bench.handling_of(3).await.state(), v1::HandlingState::Open, "another machine");
    fleet.acknowledge_stop(request).await.unwrap();
    assert_eq!(bench.handling_of(1).await.step_count, 1, "what is acknowledged is left alone");
}

#[tokio::test]
async fn an_incident_that_is_acknowledged_is_a_stop_that_was_seen_to() {
    let (bench, anna) = with_staff().await;
    let overspeed = changed(incident(7, "n-2", -10), |one| one.rule = Rule::ReverseOverspeed);
    let ahead = incident(8, "n-2", 30);
    bench.found(vec![overspeed, ahead]).await;
    let mut service = bench.handling().await;
    service.note_incidents(note(&[2], "looking")).await.unwrap();
    assert_eq!(seen_until(&bench, "n-1"), None, "a note says nothing of the stop");
    service.acknowledge_incidents(with_token(&anna, acknowledge(&[2, 7]))).await.unwrap();
    assert_eq!(seen_until(&bench, "n-1"), Some(-50));
    assert_eq!(seen_until(&bench, "n-2"), None, "that is no stop");
    assert_eq!(bench.handling_of(1).await.state(), v1::HandlingState::Open, "an older incident is its own");
    let facts = bench.ledger.registry().last_fact;
    service.close_incidents(close(&[1])).await.unwrap();
    assert_eq!(bench.ledger.registry().last_fact, facts + 1, "the floor knew already");
    service.acknowledge_incidents(acknowledge(&[8])).await.unwrap();
    assert_eq!(seen_until(&bench, "n-2"), Some(0), "of a clock that runs ahead, until now");
}
