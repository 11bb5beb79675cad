//! Readings, events and sessions, with what the answers can speak for.

use domain::belt::{Direction, Origin};
use domain::ids::SessionId;
use domain::live::{Segment, Session};
use domain::log::{Hole, Lane, Position};
use domain::record::EventKind;
use domain::units::Speed;
use domain::usage::Grade;
use store::ledger::{Derived, Ledger, Loss};
use tonic::Code;
use wire::api::v1;

use super::{Bench, LOG, NOON, event, machine_id, reading, seconds, with_token};

pub(super) fn range(from: i64, until: i64) -> Option<v1::TimeRange> {
    Some(v1::TimeRange { start_time: Some(seconds(from)), end_time: Some(seconds(until)) })
}

/// Readings of `n-1` at each second from 1 to 20 and from 41 to 60 after -100 s; records 21 to 40 are lost.
async fn with_readings() -> Bench {
    let bench = Bench::furnished().await;
    let steady = |numbers: std::ops::RangeInclusive<u64>| {
        numbers.map(|n| (n, n as i64 - 100, reading(Direction::Reverse, 1_000))).collect()
    };
    bench.records("n-1", 1, Lane::Readings, steady(1..=20)).await;
    bench.records("n-1", 2, Lane::Readings, steady(41..=60)).await;
    let loss = Loss {
        log: LOG,
        lane: Lane::Readings,
        hole: Hole { from: Some(Position::new(1, 20)), to: Position::new(1, 41), records_at_least: 20 },
        before: Some(NOON.plus(-59_000_000)),
    };
    let derived = Derived { losses: vec![(machine_id("n-1"), loss)], ..Derived::default() };
    bench.ledger.put(derived).await.unwrap();
    bench
}

#[tokio::test]
async fn pages_of_readings_hold_each_once_and_their_coverage_adds_up() {
    let bench = with_readings().await;
    let mut history = bench.history().await;
    for page_size in [1, 7, 40, 41] {
        let (mut times, mut covered, mut asked, mut lost) = (Vec::new(), 0, 0, 0);
        let mut page_token = String::new();
        loop {
            let machine_id = "n-1".to_owned();
            let request =
                v1::ListReadingsRequest { machine_id, range: range(-100, -20), page_size, page_token };
            let page = history.list_readings(request).await.unwrap().into_inner();
            times.extend(page.readings.iter().map(|reading| reading.time.unwrap().seconds));
            let coverage = page.coverage.unwrap();
            covered += coverage.covered.unwrap().seconds;
            asked += coverage.asked.unwrap().seconds;
            lost += coverage.records_lost;
            assert_eq!(page.as_of, Some(seconds(-1)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let expected: Vec<i64> = (1..=20).chain(41..=60).map(|n| seconds(n - 100).seconds).collect();
        assert_eq!(times, expected, "page_size {page_size}");
        // 20 s and 3 s that the last one stands; 20 s, from the beginning of the first one on, and 3 s.
        assert_eq!((covered, asked, lost), (46, 80, 20), "page_size {page_size}");
    }
}

#[tokio::test]
async fn a_reading_is_told_with_its_units_and_its_place() {
    let bench = with_readings().await;
    let request = v1::ListReadingsRequest {
        machine_id: "n-1".to_owned(),
        range: range(-100, -98),
        ..Default::default()
    };
    let page = bench.history().await.list_readings(request).await.unwrap().into_inner();
    let [reading] = &page.readings[..] else { panic!("{page:?}") };
    // Nobody has proven its sign.
    assert_eq!(
        (reading.direction(), reading.origin(), reading.measured_direction()),
        (v1::Direction::Unknown, v1::DirectionOrigin::Unknown, v1::Direction::Reverse)
    );
    assert_eq!((reading.speed_mean_mps, reading.speed_max_mps), (Some(1.0), Some(1.01)));
    assert_eq!(reading.incline_percent, None);
    assert_eq!(reading.position, format!("{LOG}/1/1"));
    assert_eq!(reading.time_uncertainty.unwrap().nanos, 2_000_000);
}

#[tokio::test]
async fn readings_around_a_span_cover_what_they_speak_for_within_it() {
    let bench = with_readings().await;
    // Before the first reading's interval; within it; after the last reading before the hole; up to the next one.
    for (from, until, expected) in
        [(-110, -100, 0), (-100, -99, 1), (-79, -70, 2), (-75, -59, 1), (-65, -61, 0)]
    {
        let machine_id = "n-1".to_owned();
        let request = v1::ListReadingsRequest { machine_id, range: range(from, until), ..Default::default() };
        let page = bench.history().await.list_readings(request).await.unwrap().into_inner();
        assert!(page.readings.is_empty(), "{page:?}");
        assert_eq!(page.coverage.unwrap().covered.unwrap().seconds, expected, "{from} to {until}");
        let machine_id = "n-1".to_owned();
        let request = v1::ListEventsRequest { machine_id, range: range(from, until), ..Default::default() };
        let page = bench.history().await.list_events(request).await.unwrap().into_inner();
        assert_eq!(page.coverage.unwrap().covered.unwrap().seconds, expected, "{from} to {until}");
    }
}

#[tokio::test]
async fn what_has_not_come_yet_is_not_covered() {
    let bench = Bench::furnished().await;
    bench.records("n-1", 1, Lane::Readings, vec![(1, 0, reading(Direction::Forward, 900))]).await;
    bench.at(1);
    let request =
        v1::ListReadingsRequest { machine_id: "n-1".to_owned(), range: range(-9, 11), ..Default::default() };
    let coverage = bench.history().await.list_readings(request).await.unwrap().into_inner().coverage.unwrap();
    assert_eq!((coverage.covered.unwrap().seconds, coverage.asked.unwrap().seconds), (2, 20));
}

#[tokio::test]
async fn events_come_in_order_with_the_coverage_of_the_readings() {
    let bench = with_readings().await;
    let kinds = [EventKind::BeltStarted, EventKind::ContactOpened, EventKind::BeltStopped];
    let records = kinds.iter().zip(1..).map(|(kind, n)| (n, n as i64 * 10 - 100, event(*kind))).collect();
    bench.records("n-1", 3, Lane::Events, records).await;
    let mut history = bench.history().await;
    let mut request = v1::ListEventsRequest {
        machine_id: "n-1".to_owned(),
        range: range(-100, -60),
        page_size: 2,
        ..Default::default()
    };
    let page = history.list_events(request.clone()).await.unwrap().into_inner();
    assert_eq!(
        page.events.iter().map(|event| event.kind.as_str()).collect::<Vec<_>>(),
        ["belt_started", "contact_opened"]
    );
    // Up to its last event, 20 s after the beginning.
    assert_eq!(page.coverage.unwrap().covered.unwrap().seconds, 20);
    request.page_token = page.next_page_token;
    let page = history.list_events(request).await.unwrap().into_inner();
    assert_eq!(page.events[0].kind, "belt_stopped");
    assert_eq!((page.next_page_token.as_str(), page.coverage.unwrap().covered.unwrap().seconds), ("", 3));
}

pub(super) fn session(id: u8, machine: &str, started: i64) -> Session {
    Session {
        id: SessionId([id; 16]),
        machine: machine_id(machine),
        started: NOON.plus(started * 1_000_000),
        last_motion: NOON.plus((started + 50) * 1_000_000),
        ended: true,
        segments: vec![Segment {
            ended: NOON.plus((started + 50) * 1_000_000),
            observed_us: 30_000_000,
            distance_mm: 30_500,
            speed_max: Speed(1_200),
            ..Segment::begun(
                Direction::Unknown,
                Origin::Unknown,
                Grade::Unknown,
                NOON.plus(started * 1_000_000),
            )
        }],
        revision: 1,
    }
}

#[tokio::test]
async fn sessions_of_a_site_come_newest_first_and_each_once() {
    let bench = Bench::furnished().await;
    let sessions: Vec<Session> = (1..=9)
        .map(|id: u8| session(id, ["n-1", "n-2", "s-1"][usize::from(id % 3)], -1_000 + 60 * i64::from(id)))
        .collect();
    bench.ledger.put(Derived { sessions, ..Derived::default() }).await.unwrap();
    let mut history = bench.history().await;
    for page_size in [1, 4, 6, 100] {
        let mut starts = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListSessionsRequest {
                site_id: "north".to_owned(),
                page_size,
                page_token,
                ..Default::default()
            };
            let page = history.list_sessions(request).await.unwrap().into_inner();
            starts.extend(page.sessions.iter().map(|session| session.start_time.unwrap().seconds));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        let ids = [9, 7, 6, 4, 3, 1];
        assert_eq!(starts, ids.map(|id| seconds(-1_000 + 60 * id).seconds), "page_size {page_size}");
    }
}

#[tokio::test]
async fn a_session_tells_how_much_of_it_was_seen_and_is_hidden_out_of_scope() {
    let bench = Bench::furnished().await;
    let sessions = vec![session(1, "n-2", -1_000)];
    bench.ledger.put(Derived { sessions, ..Derived::default() }).await.unwrap();
    let mut history = bench.history().await;
    let request = v1::GetSessionRequest { session_id: "01".repeat(16) };
    let session = history.get_session(request.clone()).await.unwrap().into_inner().session.unwrap();
    let coverage = session.coverage.unwrap();
    assert_eq!((coverage.covered.unwrap().seconds, coverage.asked.unwrap().seconds), (30, 50));
    // A one-way belt: forward, declared.
    assert_eq!(session.segments[0].direction(), v1::Direction::Forward);
    assert_eq!(session.segments[0].distance_m, 30.5);
    let token = bench.token(&["south"]).await;
    let hidden = history.get_session(with_token(&token, request)).await.unwrap_err();
    assert_eq!(hidden.code(), Code::NotFound);
}
