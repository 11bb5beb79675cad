//! Stories through the real parts: agent, broker, ingest, stores on disk and API in one process, over loopback.

mod backup;
mod drill;
mod enrolment;
mod handling;
mod pages;
mod usage;

use anyhow::{Context, ensure};
use harness::belt::PlayedBelt;
use harness::service::Service;
use wire::api::v1::watch_fleet_response::Update;
use wire::api::v1::{
    ContactState, Direction, DirectionOrigin, Event, ListRefusalsRequest, ListSessionsRequest,
    WatchFleetRequest,
};

/// Waits for what was acknowledged to be in the history: the service writes it behind the journal, and all of it
/// before it stops.
async fn settle(service: &mut Service) -> anyhow::Result<()> {
    service.stop().await?;
    service.start_again().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverse_run_ended_by_the_emergency_stop_is_told_as_it_was() -> anyhow::Result<()> {
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    service.play(credential, Box::new(PlayedBelt::reverse_run())).await?;
    settle(&mut service).await?;

    let events = service.events("tm-01").await?;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    // The belt of this story starts and stops faster than any ramp.
    let expected =
        ["agent_started", "belt_started", "speed_jumped", "contact_opened", "belt_stopped", "speed_jumped"];
    assert_eq!(kinds, expected);
    let stop: &Event = &events[3];
    assert_eq!(stop.contact, "emergency_stop");
    let before = stop.before.as_ref().context("an event has its own picture")?;
    assert_eq!(before.direction(), Direction::Reverse);
    assert_eq!(before.origin(), DirectionOrigin::Measured);
    assert_eq!(before.speed_mps, Some(0.894));
    let at = stop.at.as_ref().and_then(|belt| belt.contacts.as_ref()).context("contacts")?;
    assert_eq!(at.emergency_stop(), ContactState::Open);
    assert_eq!(at.safety_key(), ContactState::Unknown, "no sensor is not a closed contact");

    let readings = service.readings("tm-01").await?;
    let reverse: Vec<_> = readings.iter().filter(|r| r.direction() == Direction::Reverse).collect();
    ensure!(!reverse.is_empty() && reverse.iter().all(|r| r.origin() == DirectionOrigin::Measured));
    let fastest = reverse.iter().filter_map(|r| r.speed_max_mps).fold(0.0, f64::max);
    assert!((fastest - 0.894).abs() < 1e-9, "{fastest}");

    let request = ListSessionsRequest { machine_id: "tm-01".to_owned(), ..Default::default() };
    let sessions = service.telemetry().await?.list_sessions(request).await?.into_inner().sessions;
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].segments[0].direction(), Direction::Reverse);
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_no_answer_and_a_second_delivery_neither() -> anyhow::Result<()> {
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    service.play(credential.clone(), Box::new(PlayedBelt::reverse_run())).await?;
    settle(&mut service).await?;
    let (events, readings) = (service.events("tm-01").await?, service.readings("tm-01").await?);
    settle(&mut service).await?;
    assert_eq!(service.events("tm-01").await?, events);
    assert_eq!(service.readings("tm-01").await?, readings);

    // The same agent again: its spool goes on, and what it told before is told once.
    service.play(credential, Box::new(PlayedBelt::reverse_run())).await?;
    settle(&mut service).await?;
    let more = service.events("tm-01").await?;
    assert_eq!(more[..events.len()], events[..]);
    assert_eq!(more.len(), 2 * events.len());
    let mut positions: Vec<_> = more.iter().map(|event| &event.position).collect();
    positions.sort();
    positions.dedup();
    assert_eq!(positions.len(), more.len());
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_see_a_stop_that_a_restart_cannot_take_back() -> anyhow::Result<()> {
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    let request = WatchFleetRequest { site_id: "north".to_owned(), machine_ids: Vec::new() };
    let mut watch = service.fleet().await?.watch_fleet(request).await?.into_inner();
    let first = watch.message().await?.and_then(|message| message.update);
    ensure!(matches!(first, Some(Update::Snapshot(_))), "the first message is a snapshot: {first:?}");

    let agent = service.start_agent(credential, Box::new(PlayedBelt::reverse_run())).await?;
    let seen = loop {
        let update = watch.message().await?.context("the watch goes on")?.update;
        let Some(Update::Changed(state)) = update else { continue };
        let contacts = state.belt.as_ref().and_then(|belt| belt.contacts.as_ref());
        if contacts.is_some_and(|contacts| contacts.emergency_stop() == ContactState::Open) {
            break state;
        }
    };
    assert_eq!(seen.machine.map(|machine| machine.id).as_deref(), Some("tm-01"));
    // At this moment the stop must survive anything: the server ends without being asked to finish anything else.
    drop(watch);
    agent.stop(std::time::Duration::from_secs(20)).await?;
    settle(&mut service).await?;
    let events = service.events("tm-01").await?;
    ensure!(events.iter().any(|event| event.contact == "emergency_stop"), "{events:?}");
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_the_key_of_another_machine_is_refused_and_shown() -> anyhow::Result<()> {
    let mut service = Service::start().await?;
    let one = service.add_machine("tm-01").await?;
    let mut forged = service.add_machine("tm-02").await?;
    forged.key = one.key.clone();
    let agent = service.start_agent(forged, Box::new(PlayedBelt::reverse_run())).await?;
    // A good agent beside it is not disturbed.
    service.play(one, Box::new(PlayedBelt::reverse_run())).await?;
    let end = agent.stop(std::time::Duration::from_millis(100)).await?;
    ensure!(!end.is_delivered(), "nothing of it may be acknowledged: {end:?}");
    settle(&mut service).await?;
    assert_eq!(service.events("tm-02").await?.len(), 0);
    assert_eq!(service.events("tm-01").await?.len(), 6);
    // The embedded broker does not let it in at all, so the ingest has nothing to refuse.
    let refusals = service.admin().await?.list_refusals(ListRefusalsRequest {}).await?.into_inner();
    assert_eq!(refusals.refusals, []);
    service.stop().await
}
