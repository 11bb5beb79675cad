//! Cases of sessions by direction and of when they were in motion.

use domain::belt::Direction;
use domain::ids::MachineId;
use domain::live::Session;
use domain::units::UnixMicros;

use crate::StoreErrorKind;
use crate::contract::given::{machine, second, session};
use crate::contract::refused;
use crate::ledger::{Derived, Ledger, SessionQuery};

async fn put(ledger: &dyn Ledger, sessions: Vec<Session>) {
    ledger.put(Derived { sessions, ..Derived::default() }).await.expect("putting works");
}

/// A session with segments of these directions only.
fn with(octet: u8, name: &str, started: i64, directions: &[Direction]) -> Session {
    let mut session = session(octet, name, started, 3);
    let segment = session.segments[0];
    session.segments = directions
        .iter()
        .map(|direction| domain::live::Segment { direction: *direction, ..segment })
        .collect();
    session
}

pub(super) async fn they_are_found_by_direction(ledger: &dyn Ledger) {
    use Direction::{Forward, Reverse, Stopped, Unknown};
    let mut sessions = vec![
        with(1, "tm-1", 10, &[Forward, Stopped]),
        with(2, "tm-2", 20, &[Reverse]),
        with(3, "tm-1", 30, &[Unknown, Reverse, Forward]),
        with(4, "tm-2", 40, &[]),
        with(5, "tm-3", 50, &[Reverse]),
    ];
    // More than are looked at at once.
    sessions.extend((100..140).map(|octet| with(octet, "tm-1", i64::from(octet), &[Forward])));
    sessions.push(with(6, "tm-1", 9, &[Reverse]));
    put(ledger, sessions).await;
    let machines = vec![machine("tm-1"), machine("tm-2")];
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    let query = SessionQuery { machines, from, until, with: None, after: None, max: 1_000 };
    let listed = async |query: SessionQuery| -> Vec<u8> {
        let sessions = ledger.sessions(&query).await.expect("sessions can be listed");
        sessions.into_iter().map(|session| session.id.0[0]).collect()
    };
    let found = async |way| listed(SessionQuery { with: Some(way), ..query.clone() }).await;
    assert_eq!(found(Reverse).await, [3, 2, 6]);
    assert_eq!(found(Unknown).await, [3]);
    assert_eq!(found(Stopped).await, [1]);
    let forward = found(Forward).await;
    assert_eq!((forward.len(), &forward[39..]), (42, &[100, 3, 1][..]));
    let reverse = SessionQuery { with: Some(Reverse), ..query.clone() };
    let between = SessionQuery { from: second(10), until: second(30), ..reverse.clone() };
    assert_eq!(listed(between).await, [2]);
    let first = SessionQuery { max: 1, ..reverse.clone() };
    assert_eq!(listed(first.clone()).await, [3]);
    let place = (second(30), domain::ids::SessionId([3; 16]));
    assert_eq!(listed(SessionQuery { after: Some(place), ..first }).await, [2]);
    // A newer version may have more.
    put(ledger, vec![Session { revision: 4, ..with(1, "tm-1", 10, &[Forward, Reverse]) }]).await;
    put(ledger, vec![Session { revision: 2, ..with(2, "tm-2", 20, &[Forward]) }]).await;
    assert_eq!(listed(reverse).await, [3, 2, 1, 6]);
}

type Spans = Vec<(MachineId, UnixMicros, UnixMicros)>;

fn spans(all: &[(&str, i64, i64)]) -> Spans {
    all.iter().map(|(name, started, last)| (machine(name), second(*started), second(*last))).collect()
}

fn lasting(octet: u8, name: &str, started: i64, last: i64) -> Session {
    Session { last_motion: second(last), ..session(octet, name, started, 3) }
}

pub(super) async fn their_spans_come_by_start(ledger: &dyn Ledger) {
    put(
        ledger,
        vec![
            lasting(1, "tm-1", 10, 90),
            lasting(2, "tm-2", 15, 20),
            lasting(3, "tm-1", 100, 100),
            lasting(4, "tm-2", 60, 70),
            lasting(5, "tm-3", 0, 1_000),
            lasting(6, "tm-2", 15, 25),
        ],
    )
    .await;
    let machines = [machine("tm-2"), machine("tm-1"), machine("tm-2"), machine("tm-9")];
    let within = async |from, until, max| -> Spans {
        ledger.session_spans(&machines, from, until, max).await.expect("spans can be read")
    };
    let all = [("tm-1", 10, 90), ("tm-2", 15, 20), ("tm-2", 15, 25), ("tm-2", 60, 70), ("tm-1", 100, 100)];
    assert_eq!(within(second(0), second(1_000), 200_000).await, spans(&all));
    assert_eq!(within(UnixMicros(i64::MIN), UnixMicros(i64::MAX), 9).await, spans(&all));
    assert_eq!(within(second(0), second(1_000), 1).await, spans(&all[..1]));
    assert_eq!(within(second(0), second(1_000), 2).await, spans(&all[..2]));
    // One that began before and goes on is there, one that ended before is not.
    assert_eq!(within(second(21), second(60), 9).await, spans(&[all[0], all[2]]));
    assert_eq!(within(second(90), second(100), 9).await, spans(&all[..1]));
    assert_eq!(within(second(91), second(100), 9).await, spans(&[]));
    assert_eq!(within(second(100), second(101), 9).await, spans(&all[4..]));
    assert_eq!(within(second(101), second(200), 9).await, spans(&[]));
    // A newer version is longer.
    put(ledger, vec![Session { revision: 4, ..lasting(4, "tm-2", 60, 600) }]).await;
    assert_eq!(within(second(500), second(501), 9).await, spans(&[("tm-2", 60, 600)]));
    // As long as can be.
    let whole = Session {
        started: UnixMicros(i64::MIN),
        last_motion: UnixMicros(i64::MAX),
        ..session(7, "tm-1", 0, 1)
    };
    put(ledger, vec![whole]).await;
    let found = within(second(500), second(501), 9).await;
    assert_eq!(found[0], (machine("tm-1"), UnixMicros(i64::MIN), UnixMicros(i64::MAX)));
    assert_eq!(found[1..], spans(&[("tm-2", 60, 600)]));
    refused(ledger.session_spans(&machines, second(0), second(1), 0).await, StoreErrorKind::Invalid);
    refused(ledger.session_spans(&machines, second(0), second(1), 200_001).await, StoreErrorKind::Invalid);
    let many = vec![machine("tm-1"); 1_001];
    refused(ledger.session_spans(&many, second(0), second(1), 1).await, StoreErrorKind::Invalid);
}
