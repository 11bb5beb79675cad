//! Cases of checkpoints, sessions, losses and unreadable records.

use bytes::Bytes;
use domain::ids::SessionId;
use domain::live::Session;
use domain::log::{Hole, Lane, Position};
use domain::units::UnixMicros;

use crate::StoreErrorKind;
use crate::contract::given::{log, machine, second, session};
use crate::contract::refused;
use crate::ledger::{Checkpoint, Derived, Ledger, Loss, SessionQuery, Unreadable};

fn checkpoint(name: &str, revision: u64) -> Checkpoint {
    let state = Bytes::from(format!("{name} at {revision}"));
    Checkpoint { machine: machine(name), sequence: revision * 3, revision, state }
}

fn loss(octet: u8, lane: Lane, to: (u32, u64), records_at_least: u64) -> Loss {
    let from = to.1.checked_sub(5).map(|n| Position::new(to.0, n));
    let to = Position::new(to.0, to.1);
    let before = from.map(|_| second(7));
    Loss { log: log(octet), lane, hole: Hole { from, to, records_at_least }, before }
}

fn unreadable(octet: u8, n: u64, reason: &str) -> Unreadable {
    Unreadable {
        log: log(octet),
        lane: Lane::Events,
        position: Position::new(1, n),
        reason: reason.to_owned(),
        octets: Bytes::from_static(&[0, 255, 3]),
    }
}

async fn put(ledger: &dyn Ledger, derived: Derived) {
    ledger.put(derived).await.expect("putting works");
}

async fn put_checkpoints(ledger: &dyn Ledger, checkpoints: Vec<Checkpoint>) {
    put(ledger, Derived { checkpoints, ..Derived::default() }).await;
}

async fn put_sessions(ledger: &dyn Ledger, sessions: Vec<Session>) {
    put(ledger, Derived { sessions, ..Derived::default() }).await;
}

const NONE: [u8; 0] = [];

/// All sessions of these machines.
fn all(machines: &[&str], max: usize) -> SessionQuery {
    let machines = machines.iter().map(|name| machine(name)).collect();
    let (from, until) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));
    SessionQuery { machines, from, until, with: None, after: None, max }
}

async fn listed(ledger: &dyn Ledger, query: &SessionQuery) -> Vec<u8> {
    let sessions = ledger.sessions(query).await.expect("sessions can be listed");
    sessions.into_iter().map(|session| session.id.0[0]).collect()
}

pub(super) async fn of_checkpoints_the_greater_revision_stays(ledger: &dyn Ledger) {
    put_checkpoints(ledger, vec![checkpoint("tm-2", 5), checkpoint("tm-1", 8), checkpoint("tm-3", 1)]).await;
    put_checkpoints(ledger, vec![checkpoint("tm-2", 6), checkpoint("tm-1", 7)]).await;
    // Written again, it is the same; so is an older one that comes later.
    put_checkpoints(ledger, vec![checkpoint("tm-2", 6), checkpoint("tm-2", 5)]).await;
    let expected = [checkpoint("tm-1", 8), checkpoint("tm-2", 6), checkpoint("tm-3", 1)];
    assert_eq!(ledger.checkpoints(None, 1_000).await.expect("checkpoints can be read"), expected);
    assert_eq!(ledger.checkpoints(None, 2).await.expect("checkpoints can be read"), expected[..2]);
    for (name, expected) in [("tm-2", Some(&expected[1])), ("tm-4", None)] {
        let one = ledger.checkpoint(&machine(name)).await.expect("a checkpoint can be read");
        assert_eq!(one.as_ref(), expected);
    }
    let after = machine("tm-2");
    assert_eq!(ledger.checkpoints(Some(&after), 2).await.expect("checkpoints can be read"), expected[2..]);
}

pub(super) async fn of_sessions_the_greater_revision_stays(ledger: &dyn Ledger) {
    let get = async |octet| {
        ledger.session(&SessionId([octet; 16])).await.expect("a session can be read").expect("it was put")
    };
    put_sessions(ledger, vec![session(1, "tm-1", 10, 4), session(2, "tm-1", 50, 9)]).await;
    put_sessions(ledger, vec![session(1, "tm-1", 12, 6), session(2, "tm-1", 50, 8)]).await;
    assert_eq!(get(1).await, session(1, "tm-1", 12, 6));
    assert_eq!(get(2).await, session(2, "tm-1", 50, 9));
    assert_eq!(listed(ledger, &all(&["tm-1"], 10)).await, [2, 1]);
    let nobody = ledger.session(&SessionId([9; 16])).await.expect("a session can be looked for");
    assert_eq!(nobody, None);
    let empty = Session { segments: Vec::new(), ..session(3, "tm-1", 90, 1) };
    put_sessions(ledger, vec![empty.clone()]).await;
    assert_eq!(get(3).await, empty);
}

pub(super) async fn sessions_come_newest_first(ledger: &dyn Ledger) {
    // Two begin at the same moment: the greater id is the newer one.
    let started = [(1, "tm-1", 10), (2, "tm-2", 30), (3, "tm-1", 20), (4, "tm-3", 40), (5, "tm-2", 20)];
    let sessions = started.into_iter().map(|(octet, name, started)| session(octet, name, started, 1));
    put_sessions(ledger, sessions.collect()).await;
    let both = ["tm-1", "tm-2"];
    assert_eq!(listed(ledger, &all(&both, 10)).await, [2, 5, 3, 1]);
    assert_eq!(listed(ledger, &all(&["tm-2", "tm-2"], 10)).await, [2, 5]);
    assert_eq!(listed(ledger, &all(&["tm-9"], 10)).await, NONE);
    assert_eq!(listed(ledger, &all(&[], 10)).await, NONE);
    let between = |from, until| SessionQuery { from: second(from), until: second(until), ..all(&both, 10) };
    assert_eq!(listed(ledger, &between(20, 30)).await, [5, 3]);
    assert_eq!(listed(ledger, &between(10, 11)).await, [1]);
    assert_eq!(listed(ledger, &between(11, 20)).await, NONE);
    assert_eq!(listed(ledger, &between(30, 10)).await, NONE);
    let after = |octet: u8, started| SessionQuery {
        after: Some((second(started), SessionId([octet; 16]))),
        ..all(&both, 2)
    };
    assert_eq!(listed(ledger, &all(&both, 2)).await, [2, 5]);
    assert_eq!(listed(ledger, &after(5, 20)).await, [3, 1]);
    assert_eq!(listed(ledger, &after(1, 10)).await, NONE);
}

pub(super) async fn sessions_of_many_machines_come_in_one_order(ledger: &dyn Ledger) {
    let names: Vec<String> = (0..20).map(|number| format!("tm-{number}")).collect();
    let sessions: Vec<Session> = (0..200_u8)
        .map(|octet| {
            // An order that mixes the machines, and one machine with more than all the others.
            let name = if octet < 60 { &names[0] } else { &names[usize::from(octet) % 20] };
            session(octet, name, i64::from(octet.wrapping_mul(37)), 1)
        })
        .collect();
    put_sessions(ledger, sessions.clone()).await;
    let mut expected: Vec<_> = sessions.iter().map(|session| (session.started, session.id)).collect();
    expected.sort_unstable();
    expected.reverse();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut query = all(&names, 7);
    let mut seen = Vec::new();
    loop {
        let page = ledger.sessions(&query).await.expect("sessions can be listed");
        let Some(last) = page.last() else { break };
        query.after = Some((last.started, last.id));
        seen.extend(page.into_iter().map(|session| (session.started, session.id)));
        assert!(seen.len() <= expected.len(), "pages repeat sessions");
    }
    assert_eq!(seen, expected);
}

pub(super) async fn losses_come_by_log_lane_and_end(ledger: &dyn Ledger) {
    let losses = [
        loss(1, Lane::Events, (1, 9), 2),
        loss(1, Lane::Events, (2, 3), 1),
        loss(1, Lane::Readings, (1, 1), 7),
        loss(2, Lane::Events, (1, 1), 3),
    ];
    let of = |order: &[usize]| order.iter().map(|number| (machine("tm-1"), losses[*number])).collect();
    put(ledger, Derived { losses: of(&[3, 1]), ..Derived::default() }).await;
    let older = Loss { hole: Hole { records_at_least: 99, ..losses[0].hole }, ..losses[0] };
    put(ledger, Derived { losses: vec![(machine("tm-1"), older)], ..Derived::default() }).await;
    put(ledger, Derived { losses: of(&[2, 0, 1]), ..Derived::default() }).await;
    put(ledger, Derived { losses: vec![(machine("tm-2"), losses[3])], ..Derived::default() }).await;
    let get = async |name: &str, max| ledger.losses(&machine(name), max).await.expect("losses can be read");
    assert_eq!(get("tm-1", 10_000).await, losses);
    assert_eq!(get("tm-1", 2).await, losses[..2]);
    assert_eq!(get("tm-2", 2).await, losses[3..]);
    assert_eq!(get("tm-3", 2).await, []);
}

pub(super) async fn unreadable_records_come_newest_first(ledger: &dyn Ledger) {
    let of = |unreadable: &[Unreadable]| Derived {
        unreadable: unreadable.iter().map(|unreadable| (machine("tm-1"), unreadable.clone())).collect(),
        ..Derived::default()
    };
    put(ledger, of(&[unreadable(5, 9, "a"), unreadable(1, 4, "b")])).await;
    put(ledger, of(&[unreadable(2, 2, "c")])).await;
    // Written again, it keeps its place.
    put(ledger, of(&[unreadable(5, 9, "d"), unreadable(1, 5, "e")])).await;
    let get = async |name: &str, max| {
        ledger.unreadable(&machine(name), max).await.expect("unreadable records can be read")
    };
    let expected =
        [unreadable(1, 5, "e"), unreadable(2, 2, "c"), unreadable(1, 4, "b"), unreadable(5, 9, "d")];
    assert_eq!(get("tm-1", 1_000).await, expected);
    assert_eq!(get("tm-1", 2).await, expected[..2]);
    assert_eq!(get("tm-2", 2).await, []);
}

/// And nothing of it stays.
pub(super) async fn what_cannot_be_is_refused(ledger: &dyn Ledger) {
    let bad = session(1, "tm-1", 10, u64::MAX);
    let derived =
        Derived { checkpoints: vec![checkpoint("tm-1", 1)], sessions: vec![bad], ..Derived::default() };
    refused(ledger.put(derived).await, StoreErrorKind::Invalid);
    assert_eq!(ledger.checkpoints(None, 10).await.expect("checkpoints can be read"), []);
    put(ledger, Derived::default()).await;
    let names: Vec<String> = (0..1_001).map(|number| format!("tm-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    refused(ledger.sessions(&all(&names, 1)).await, StoreErrorKind::Invalid);
    refused(ledger.sessions(&all(&names[..1], 1_001)).await, StoreErrorKind::Invalid);
    refused(ledger.checkpoints(None, 0).await, StoreErrorKind::Invalid);
    refused(ledger.losses(&machine("tm-1"), 10_001).await, StoreErrorKind::Invalid);
    refused(ledger.unreadable(&machine("tm-1"), 1_001).await, StoreErrorKind::Invalid);
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let derived = Derived {
        checkpoints: vec![checkpoint("tm-1", 3)],
        sessions: vec![session(1, "tm-1", 10, 4)],
        losses: vec![(machine("tm-1"), loss(1, Lane::Readings, (1, 9), 2))],
        unreadable: vec![(machine("tm-1"), unreadable(5, 9, "a"))],
        ..Derived::default()
    };
    put(&*open().await, derived.clone()).await;
    let ledger = open().await;
    put(&*ledger, derived.clone()).await;
    assert_eq!(ledger.checkpoints(None, 10).await.expect("checkpoints can be read"), derived.checkpoints);
    assert_eq!(ledger.sessions(&all(&["tm-1"], 10)).await.expect("sessions can be listed"), derived.sessions);
    let losses = ledger.losses(&machine("tm-1"), 10).await.expect("losses can be read");
    assert_eq!(losses, [derived.losses[0].1]);
    let unreadable = ledger.unreadable(&machine("tm-1"), 10).await.expect("unreadable records can be read");
    assert_eq!(unreadable, [derived.unreadable[0].1.clone()]);
}
