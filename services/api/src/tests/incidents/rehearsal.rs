//! Rehearsals: what other thresholds would have raised, from the stored history alone.

use std::sync::Arc;

use async_trait::async_trait;
use domain::belt::{Belt, Contact, Contacts, Direction};
use domain::ids::MachineId;
use domain::log::Lane;
use domain::record::{Event, EventKind, Payload, Reading, Record};
use domain::registry::BeltKind;
use domain::signal::Capabilities;
use domain::units::{MonotonicMicros, Speed};
use store::StoreError;
use store::fact::{Fact, FactKind, NewDrill};
use store::ledger::Ledger;
use store::memory::MemoryTelemetry;
use store::telemetry::{Block, Counts, RangeQuery, Stored, Telemetry};
use tokio::sync::Notify;
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{Bench, NOON, reading, seconds};
use super::{Code, sights::ENCODER};

/// The agent of `n-1` starts, the belt runs in reverse at 1.7 m/s for a minute, and then somebody presses the button.
async fn with_history() -> Bench {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    let event = |kind, contact| {
        let contacts = Contacts { closed: 0, open: Contact::EmergencyStop.bit() };
        let belt = Belt { speed: Some(Speed(1_700)), contacts, ..Belt::default() };
        let mut event = Event::new(kind, MonotonicMicros(0), belt, belt);
        event.contact = contact;
        event
    };
    let mut started = event(EventKind::AgentStarted, None);
    started.capabilities = Some(ENCODER);
    let pressed = event(EventKind::ContactOpened, Some(Contact::EmergencyStop));
    let events = vec![(1, -3_600, Payload::Event(started)), (2, -60, Payload::Event(pressed))];
    bench.records("n-1", 1, Lane::Events, events).await;
    let readings = (1..=60).map(|n| (n, -120 + n as i64 - 1, reading(Direction::Reverse, 1_700))).collect();
    bench.records("n-1", 2, Lane::Readings, readings).await;
    bench
}

/// All responses of a rehearsal: machines done each time, and the result.
async fn rehearse(bench: &Bench, request: v1::RehearseThresholdsRequest) -> (Vec<u32>, v1::Rehearsal) {
    let mut stream = bench.incidents().await.rehearse_thresholds(request).await.unwrap().into_inner();
    let (mut done, mut result) = (Vec::new(), None);
    while let Some(response) = stream.message().await.unwrap() {
        assert!(result.is_none(), "the result is last");
        done.push(response.machines_done);
        result = response.result;
    }
    (done, result.unwrap())
}

fn request(minutes: i64, name: &str, value: i64) -> v1::RehearseThresholdsRequest {
    let range = v1::TimeRange { start_time: Some(seconds(-60 * minutes)), end_time: Some(seconds(0)) };
    v1::RehearseThresholdsRequest {
        site_id: "north".to_owned(),
        thresholds: vec![v1::NamedValue { name: name.to_owned(), value }],
        range: Some(range),
        ..Default::default()
    }
}

fn count(result: &v1::Rehearsal, rule: &str) -> (u64, u64) {
    let counts = result.counts.iter().filter(|one| one.rule == rule);
    counts.fold((0, 0), |(now, then), one| (now + one.now, then + one.rehearsed))
}

#[tokio::test]
async fn a_lower_limit_finds_what_a_higher_one_does_not() {
    let bench = with_history().await;
    // The span begins with the agent's start, or long after it: what the agent can report is known in both.
    for minutes in [61, 10] {
        let (done, result) = rehearse(&bench, request(minutes, "reverse-overspeed.limit", 1_000)).await;
        assert_eq!(done, [0, 1, 2]);
        assert_eq!(count(&result, "reverse-overspeed"), (0, 1), "{:?}", result.counts);
        assert_eq!(count(&result, "emergency-stop"), (1, 1), "{:?}", result.counts);
        assert_eq!((result.readings, result.critical_lost.len()), (60, 0));
    }
    // With the limit set, it is the rehearsal of the old one that loses it; it was not critical.
    let set = v1::SetThresholdsRequest {
        machine_id: "n-1".to_owned(),
        thresholds: vec![v1::NamedValue { name: "reverse-overspeed.limit".to_owned(), value: 1_000 }],
        ..Default::default()
    };
    bench.admin().await.set_thresholds(set).await.unwrap();
    let (_, result) = rehearse(&bench, request(10, "reverse-overspeed.limit", 1_639)).await;
    assert_eq!(count(&result, "reverse-overspeed"), (1, 1), "the machine's own lies over the site's");
    let of_machine = v1::RehearseThresholdsRequest {
        site_id: String::new(),
        machine_id: "n-1".to_owned(),
        ..request(10, "reverse-overspeed.limit", 2_500)
    };
    let (_, result) = rehearse(&bench, of_machine).await;
    assert_eq!(count(&result, "reverse-overspeed"), (1, 0), "{:?}", result.counts);
    assert!(result.critical_lost.is_empty(), "{:?}", result.critical_lost);
    // Nothing of it is kept.
    let kept = bench.incidents().await.list_incidents(v1::ListIncidentsRequest::default()).await.unwrap();
    assert!(kept.into_inner().incidents.is_empty());
}

#[tokio::test]
async fn what_a_proof_test_found_is_no_incident_of_a_rehearsal_or_a_rebuild() {
    let bench = with_history().await;
    let (machine, until) = (MachineId::new("n-1").unwrap(), NOON);
    let kind = FactKind::DrillStarted(NewDrill { machine, until });
    let time = NOON.plus(-200_000_000);
    let fact = Fact { time, author: "test".to_owned(), request_id: None, kind };
    bench.ledger.add_fact(fact).await.unwrap();
    let (_, result) = rehearse(&bench, request(10, "reverse-overspeed.limit", 1_000)).await;
    assert_eq!((result.counts.len(), result.critical_lost.len()), (0, 0), "{:?}", result.counts);
    bench.at(600);
    let span = v1::TimeRange { start_time: Some(seconds(-600)), end_time: Some(seconds(0)) };
    let request =
        v1::RebuildIncidentsRequest { site_id: "north".to_owned(), range: Some(span), ..Default::default() };
    for _ in 0..2 {
        let stream = bench.incidents().await.rebuild_incidents(request.clone()).await.unwrap();
        let rebuilt = last(stream.into_inner()).await;
        let counts = (rebuilt.added, rebuilt.changed, rebuilt.same, rebuilt.unconfirmed);
        assert_eq!((counts, rebuilt.readings), ((0, 0, 0, 0), 60));
    }
    let list = bench.incidents().await.list_incidents(v1::ListIncidentsRequest::default()).await.unwrap();
    assert!(list.into_inner().incidents.is_empty());
}

async fn last(mut stream: tonic::Streaming<v1::RebuildIncidentsResponse>) -> v1::Rebuilt {
    let mut result = None;
    while let Some(response) = stream.message().await.unwrap() {
        result = response.result;
    }
    result.unwrap()
}

#[tokio::test]
async fn of_an_agent_that_never_said_it_holds_what_it_says_now() {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    let readings = (1..=60).map(|n| (n, -120 + n as i64 - 1, reading(Direction::Reverse, 1_700))).collect();
    bench.records("n-1", 2, Lane::Readings, readings).await;
    let (_, result) = rehearse(&bench, request(10, "reverse-overspeed.limit", 1_000)).await;
    assert_eq!(count(&result, "reverse-overspeed"), (0, 0), "nothing is known");
    bench.can("n-1", ENCODER.and(Capabilities::INCLINE));
    let (_, result) = rehearse(&bench, request(10, "reverse-overspeed.limit", 1_000)).await;
    assert_eq!(count(&result, "reverse-overspeed"), (0, 1));
    let month = v1::RehearseThresholdsRequest { range: None, ..request(0, "reverse-overspeed.limit", 1_000) };
    let (_, result) = rehearse(&bench, month).await;
    assert_eq!(count(&result, "agent-offline"), (0, 0), "the time before the first record was not watched");
    assert_eq!(result.range.unwrap().end_time, Some(crate::convert::timestamp(NOON)));
}

/// A history that nobody can read to its end.
#[derive(Debug)]
struct Endless {
    inner: MemoryTelemetry,
    left: Arc<Notify>,
}

/// Tells when somebody gives up reading.
struct Reader(Arc<Notify>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[async_trait]
impl Telemetry for Endless {
    async fn put(&self, blocks: Vec<Block>) -> Result<(), StoreError> {
        self.inner.put(blocks).await
    }

    async fn watermark(&self) -> Result<u64, StoreError> {
        self.inner.watermark().await
    }

    async fn set_watermark(&self, through: u64) -> Result<(), StoreError> {
        self.inner.set_watermark(through).await
    }

    async fn readings(&self, query: &RangeQuery) -> Result<Vec<Stored<Reading>>, StoreError> {
        self.inner.readings(query).await
    }

    async fn events(&self, query: &RangeQuery) -> Result<Vec<Stored<Event>>, StoreError> {
        self.inner.events(query).await
    }

    async fn history(&self, _lane: Lane, _query: &RangeQuery) -> Result<Vec<Stored<Record>>, StoreError> {
        let _reader = Reader(self.left.clone());
        std::future::pending().await
    }

    async fn counts(&self, machine: Option<&MachineId>) -> Result<Counts, StoreError> {
        self.inner.counts(machine).await
    }
}

#[tokio::test]
async fn one_rehearsal_at_a_time_and_none_for_a_client_that_has_gone() {
    let left = Arc::new(Notify::new());
    let endless = |inner| -> Arc<dyn Telemetry> { Arc::new(Endless { inner, left: left.clone() }) };
    let bench = Bench::start_on(axum::Router::new(), endless).await.furnish().await;
    let ask = async || {
        let request = request(10, "reverse-overspeed.limit", 1_000);
        bench.incidents().await.rehearse_thresholds(request).await
    };
    for _ in 0..2 {
        let mut first = ask().await.unwrap().into_inner();
        assert_eq!(first.message().await.unwrap().unwrap().machines, 2);
        let status = ask().await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
        assert!(status.message().contains("1 is allowed at once"), "{status:?}");
        // Its place is free as soon as its client has gone.
        drop(first);
        left.notified().await;
    }
    let mut last = ask().await.unwrap().into_inner();
    assert!(last.message().await.unwrap().is_some());
    bench.stopping.cancel();
    assert_eq!(last.message().await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test]
async fn too_many_machines_are_refused() {
    let bench = Bench::furnished().await;
    for number in 0..999 {
        bench.machine(&format!("x-{number}"), "north", BeltKind::Unknown).await;
    }
    let request = request(10, "reverse-overspeed.limit", 1_000);
    let status = bench.incidents().await.rehearse_thresholds(request).await.unwrap_err();
    check(status, "site_id", &["1001 machines", "at most 1000"]);
}
