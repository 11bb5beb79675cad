//! What is seen of it: by whom, by when, in which lists.

use domain::handling::HandlingState;
use domain::incident::{Incident, MeasuredStop, Rule, Severity};
use futures::StreamExt;
use store::fact::{FactKind, PolicyChange};
use store::registry::{Deadline, Role};
use wire::api::v1;

use super::super::incidents::numbers;
use super::super::{Bench, seconds, with_token};
use super::{acknowledge, changed, close, id, ids, incident, note, with_staff};

#[tokio::test]
async fn what_was_written_and_who_was_hurt_is_shown_to_those_who_may_see_evidence() {
    let (bench, anna) = with_staff().await;
    let mut service = bench.handling().await;
    service.note_incidents(with_token(&anna, note(&[1], "broken arm"))).await.unwrap();
    let closing = v1::CloseIncidentsRequest { hurt: v1::Hurt::Yes.into(), ..close(&[1]) };
    service.close_incidents(with_token(&anna, closing)).await.unwrap();
    for (role, sees) in [
        (Role::Viewer, false),
        (Role::Staff, true),
        (Role::Manager, true),
        (Role::Technician, true),
        (Role::Auditor, true),
        (Role::Administrator, true),
    ] {
        let secret = bench.token_of(role, &["north"]).await;
        let hurt = if sees { v1::Hurt::Yes } else { v1::Hurt::Unspecified };
        let request = || v1::GetIncidentRequest { incident_id: id(1) };
        let mut incidents = bench.incidents().await;
        let one = incidents.get_incident(with_token(&secret, request())).await.unwrap().into_inner();
        let listed = incidents
            .list_incidents(with_token(&secret, v1::ListIncidentsRequest::default()))
            .await
            .unwrap()
            .into_inner()
            .incidents;
        let listed = listed.into_iter().find(|one| one.id == id(1));
        for shown in [one.incident, listed] {
            let shown = shown.unwrap().handling.unwrap();
            assert_eq!((shown.state(), shown.cause()), (v1::HandlingState::Closed, v1::Cause::MachineFault));
            assert_eq!((shown.hurt(), shown.note_count), (hurt, 1), "{role:?}");
        }
        let steps = bench.steps_of(&secret, 1).await;
        assert_eq!(steps[0].note, if sees { "broken arm" } else { "" }, "{role:?}");
        assert!(steps[0].has_note && !steps[0].is_note_erased);
        let Some(v1::incident_step::What::Closed(closed)) = &steps[1].what else { panic!("{steps:?}") };
        assert_eq!(closed.hurt(), hurt, "{role:?}");
    }
}

#[tokio::test]
async fn a_watcher_is_told_of_steps_and_of_hurt_only_with_evidence() {
    let (bench, anna) = with_staff().await;
    let viewer = bench.token(&["north"]).await;
    for (secret, hurt) in [(&viewer, v1::Hurt::Unspecified), (&anna, v1::Hurt::No)] {
        let request = with_token(secret, v1::WatchIncidentsRequest::default());
        let mut stream = bench.incidents().await.watch_incidents(request).await.unwrap().into_inner();
        assert_eq!(stream.next().await.unwrap().unwrap().incident, None, "where it stands");
        bench.handling().await.close_incidents(close(&[3])).await.unwrap();
        let told = loop {
            if let Some(incident) = stream.next().await.unwrap().unwrap().incident {
                break incident;
            }
        };
        let handling = told.handling.unwrap();
        assert_eq!((told.id, handling.state(), handling.hurt()), (id(3), v1::HandlingState::Closed, hurt));
    }
}

async fn set(bench: &Bench, deadlines: Vec<Deadline>) {
    let deadlines = Some(deadlines);
    bench.fact(FactKind::PolicySet(PolicyChange { deadlines, ..PolicyChange::default() })).await;
}

#[tokio::test]
async fn deadlines_are_due_from_when_it_happened_and_met_when_people_got_so_far() {
    let (bench, _) = with_staff().await;
    let deadline = |name: &str, least, hours, until| Deadline { name: name.to_owned(), least, hours, until };
    set(
        &bench,
        vec![
            deadline("report to the insurer", Severity::High, 72, HandlingState::Closed),
            deadline("look at it", Severity::Medium, 1, HandlingState::Acknowledged),
        ],
    )
    .await;
    let told = async |number| {
        let deadlines = bench.handling_of(number).await.deadlines;
        deadlines.into_iter().map(|one| (one.name, one.due_time, one.met_time)).collect::<Vec<_>>()
    };
    let look = |second: i64, met| ("look at it".to_owned(), Some(seconds(second + 3_600)), met);
    let report =
        |second: i64, met| ("report to the insurer".to_owned(), Some(seconds(second + 72 * 3_600)), met);
    assert_eq!(told(1).await, [look(-100, None), report(-100, None)], "the first first");
    assert_eq!(told(3).await, [look(-40, None)], "a medium one need not be reported");
    bench.at(5);
    let mut service = bench.handling().await;
    service.acknowledge_incidents(acknowledge(&[1])).await.unwrap();
    assert_eq!(told(1).await, [look(-100, Some(seconds(5))), report(-100, None)]);
    // Too late, but it is told when.
    bench.at(100 * 3_600);
    service.close_incidents(close(&[1, 3])).await.unwrap();
    let late = Some(seconds(100 * 3_600));
    assert_eq!(told(1).await, [look(-100, Some(seconds(5))), report(-100, late)]);
    assert_eq!(told(3).await, [look(-40, late)]);
}

#[tokio::test]
async fn a_normal_stop_is_one_that_came_to_rest_and_explained_nothing_else() {
    let bench = Bench::furnished().await;
    type Change<'a> = &'a dyn Fn(&mut Incident);
    let cases: [(Change<'_>, bool); 6] = [
        (&|_| {}, true),
        (&|one| one.severity = Severity::Medium, true),
        (&|one| one.rule = Rule::SafetyKeyPulled, true),
        (&|one| one.stop = None, false),
        (&|one| one.explained = "the belt stood".to_owned(), false),
        (
            &|one| {
                (one.rule, one.stop) =
                    (Rule::SlowEmergencyStop, Some(MeasuredStop { time_ms: 1, distance_mm: 1 }))
            },
            false,
        ),
    ];
    for (number, (change, expected)) in (1..).zip(cases) {
        bench.found(vec![changed(incident(number, "n-1", -100), change)]).await;
        assert_eq!(bench.handling_of(number).await.is_normal_stop, expected, "case {number}");
    }
}

#[tokio::test]
async fn lists_and_counts_know_how_far_people_are() {
    let (bench, anna) = with_staff().await;
    let mut service = bench.handling().await;
    let assign =
        v1::AssignIncidentsRequest { incident_ids: ids(&[1]), user: "anna".to_owned(), ..Default::default() };
    service.assign_incidents(assign).await.unwrap();
    service.close_incidents(close(&[4])).await.unwrap();
    let shelve = v1::ShelveIncidentsRequest {
        incident_ids: ids(&[3]),
        until_time: Some(seconds(60)),
        ..Default::default()
    };
    service.shelve_incidents(shelve).await.unwrap();
    let mut drill = incident(5, "n-1", -10);
    drill.incident.drill = Some(7);
    bench.found(vec![drill]).await;
    let all = v1::IncidentFilter::default;
    let states = |states: &[v1::HandlingState]| v1::IncidentFilter {
        handling_states: states.iter().map(|state| (*state).into()).collect(),
        ..all()
    };
    use v1::HandlingState::{Closed, InProgress, Open};
    let of = |user: &str| v1::IncidentFilter { assignee: user.to_owned(), ..all() };
    let shelved = |shelved| v1::IncidentFilter { shelved: Some(shelved), ..all() };
    let mut incidents = bench.incidents().await;
    for (filter, secret, expected) in [
        (all(), &bench.operator, &[4, 3, 2, 1][..]),
        (states(&[Open]), &bench.operator, &[3, 2]),
        (states(&[InProgress, Closed]), &bench.operator, &[4, 1]),
        (of("anna"), &bench.operator, &[1]),
        (of("me"), &anna, &[1]),
        (shelved(true), &bench.operator, &[3]),
        (shelved(false), &bench.operator, &[4, 2, 1]),
    ] {
        let request = v1::ListIncidentsRequest { filter: Some(filter.clone()), ..Default::default() };
        let page = incidents.list_incidents(with_token(secret, request)).await.unwrap().into_inner();
        assert_eq!(numbers(&page.incidents), expected, "{filter:?}");
        let request = v1::CountIncidentsRequest { filter: Some(filter) };
        let counts = incidents.count_incidents(with_token(secret, request)).await.unwrap().into_inner();
        assert_eq!(counts.counts.iter().map(|one| one.count).sum::<u64>(), expected.len() as u64);
    }
    let drill = bench.now(5).await;
    assert_eq!(
        (drill.drill, drill.handling.unwrap().is_normal_stop),
        (7, false),
        "it can still be asked for"
    );
    bench.at(60);
    let request = v1::ListIncidentsRequest { filter: Some(shelved(true)), ..Default::default() };
    assert!(incidents.list_incidents(request).await.unwrap().into_inner().incidents.is_empty());
}

#[tokio::test]
async fn sites_say_what_is_not_closed_and_what_waits_longest() {
    let (bench, _) = with_staff().await;
    let low = changed(incident(6, "n-2", -900), |one| one.severity = Severity::Low);
    let mut drill = incident(5, "n-1", -800);
    drill.incident.drill = Some(7);
    bench.found(vec![low, drill]).await;
    let mut incidents = bench.incidents().await;
    let mut told = async |secret: &str, site_id: &str| {
        let request = with_token(secret, v1::ListSiteIncidentsRequest { site_id: site_id.to_owned() });
        let sites = incidents.list_site_incidents(request).await.unwrap().into_inner().sites;
        let count = |one: &v1::SeverityCount| (one.severity(), one.count, one.open);
        let shown = |site: v1::SiteIncidents| {
            let oldest = site.oldest_open.map(|one| one.id);
            (site.site_id, site.counts.iter().map(count).collect::<Vec<_>>(), oldest)
        };
        sites.into_iter().map(shown).collect::<Vec<_>>()
    };
    use v1::Severity::{Critical, Low, Medium};
    let (north, south) = ("north".to_owned(), "south".to_owned());
    let of_south = (south, vec![(Critical, 1, 1)], Some(id(4)));
    let all = vec![(Critical, 2, 2), (Medium, 1, 1), (Low, 1, 1)];
    let operator = bench.operator.clone();
    assert_eq!(told(&operator, "").await, [(north.clone(), all, Some(id(1))), of_south.clone()]);
    let mut service = bench.handling().await;
    service.acknowledge_incidents(acknowledge(&[1])).await.unwrap();
    let until_time = Some(seconds(60));
    let shelve = v1::ShelveIncidentsRequest { incident_ids: ids(&[3]), until_time, ..Default::default() };
    service.shelve_incidents(shelve).await.unwrap();
    let fewer = vec![(Critical, 2, 1), (Low, 1, 1)];
    assert_eq!(told(&operator, "north").await, [(north.clone(), fewer, Some(id(2)))]);
    service.close_incidents(close(&[1, 2])).await.unwrap();
    assert_eq!(told(&operator, "north").await, [(north, vec![(Low, 1, 1)], None)]);
    let viewer = bench.token(&["south"]).await;
    assert_eq!(told(&viewer, "").await, [of_south]);
}
