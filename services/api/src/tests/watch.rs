//! Watching: a snapshot, then changes; a slow watcher gets a new snapshot.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::ConnectInfo;
use domain::belt::Direction;
use domain::limits::FEED_CHANGES_MAX;
use futures::{Stream, StreamExt};
use store::fact::{FactKind, MachineChange, SignOut, TokenNumber, UserChange};
use store::ledger::Ledger;
use store::registry::{Grant, Role};
use tokio::sync::Semaphore;
use tonic::{Code, Status};
use wire::api::v1;
use wire::api::v1::watch_fleet_response::Update;

use super::{Bench, grant, machine_id, moving, site_id, user_name, with_token};
use crate::access::{Access, Credentials};
use crate::audit::Audit;
use crate::gate::Gate;
use crate::secret_hash;
use crate::watch::{Asked, Ground, Viewer, watch};

fn ids(machines: &[v1::MachineState]) -> Vec<&str> {
    machines.iter().map(|state| state.machine.as_ref().unwrap().id.as_str()).collect()
}

#[tokio::test]
async fn a_watcher_gets_its_snapshot_then_changes_of_its_machines_only() {
    let bench = Bench::furnished().await;
    let token = bench.token(&["north"]).await;
    bench.feed.put(moving("n-1", Direction::Forward, 1_000));
    let request = with_token(&token, v1::WatchFleetRequest::default());
    let mut stream = bench.fleet().await.watch_fleet(request).await.unwrap().into_inner();
    let first = stream.message().await.unwrap().unwrap().update.unwrap();
    let Update::Snapshot(snapshot) = first else { panic!("{first:?}") };
    assert_eq!((ids(&snapshot.machines), snapshot.part, snapshot.last), (vec!["n-1", "n-2"], 0, true));
    assert_eq!(snapshot.machines[0].belt.unwrap().speed_mps, Some(1.0));

    // The other site's change comes first, and is not told.
    bench.feed.put(moving("s-1", Direction::Forward, 2_000));
    bench.feed.put(moving("n-1", Direction::Reverse, 500));
    let second = stream.message().await.unwrap().unwrap().update.unwrap();
    let Update::Changed(changed) = second else { panic!("{second:?}") };
    assert_eq!(changed.machine.as_ref().unwrap().id, "n-1");
    assert_eq!((changed.revision, changed.belt.unwrap().direction()), (2, v1::Direction::Reverse));
}

/// The stream itself, without a network, on a clock that jumps, as the operator sees it.
fn stream(bench: &Bench) -> impl Stream<Item = Result<v1::WatchFleetResponse, Status>> + Unpin + use<> {
    stream_of(bench, &bench.operator)
}

/// The same for whoever shows this secret.
fn stream_of(
    bench: &Bench,
    secret: &str,
) -> impl Stream<Item = Result<v1::WatchFleetResponse, Status>> + Unpin + use<> {
    let stores: Arc<dyn Ledger> = Arc::new(bench.ledger.clone());
    let (audit, _) = Audit::new(stores.clone(), bench.stage.clone());
    let access = Access::new(stores.clone(), secret_hash(&bench.operator));
    let gate = Arc::new(Gate::new(access, audit, bench.stage.clone()));
    let ground = Ground {
        ledger: stores,
        feed: bench.feed.clone(),
        surroundings: bench.stage.clone(),
        stopping: bench.stopping.clone(),
    };
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", format!("Bearer {secret}").parse().unwrap());
    let mut extensions = http::Extensions::new();
    extensions.insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 5_000))));
    let credentials = Credentials::of(&headers, &extensions);
    let (caller, scope) = gate.admit(&credentials, "FleetService/WatchFleet").unwrap();
    let visible = ground.visible(scope.clone());
    let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let asked = Asked { site: None, machines: BTreeSet::new() };
    Box::pin(watch(ground, Viewer { caller, scope, gate }, asked, &visible, slot))
}

async fn next(stream: &mut (impl Stream<Item = Result<v1::WatchFleetResponse, Status>> + Unpin)) -> Update {
    stream.next().await.unwrap().unwrap().update.unwrap()
}

#[tokio::test]
async fn a_watcher_that_falls_behind_gets_a_new_snapshot() {
    let bench = Bench::furnished().await;
    let mut stream = stream(&bench);
    assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
    for speed in (0..).take(FEED_CHANGES_MAX + 1) {
        bench.feed.put(moving("n-1", Direction::Forward, speed));
    }
    let update = next(&mut stream).await;
    let Update::Snapshot(snapshot) = update else { panic!("{update:?}") };
    assert_eq!(snapshot.machines[0].revision, FEED_CHANGES_MAX as u64 + 1);
    // From there the changes go on.
    bench.feed.put(moving("n-2", Direction::Forward, 1));
    let update = next(&mut stream).await;
    let Update::Changed(changed) = update else { panic!("{update:?}") };
    assert_eq!(changed.machine.unwrap().id, "n-2");
}

#[tokio::test(start_paused = true)]
async fn time_alone_is_told_and_a_heartbeat_and_machines_that_come() {
    let bench = Bench::furnished().await;
    bench.feed.put(moving("n-1", Direction::Forward, 1_000));
    let mut stream = stream(&bench);
    assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
    // Nothing changes: the next word is the heartbeat.
    let update = next(&mut stream).await;
    assert!(matches!(update, Update::Heartbeat(_)), "{update:?}");
    // The picture no longer holds: told once, without a commit.
    bench.at(11);
    let update = next(&mut stream).await;
    let Update::Changed(changed) = update else { panic!("{update:?}") };
    assert_eq!((changed.belt.unwrap().direction(), changed.revision), (v1::Direction::Unknown, 1));
    assert!(changed.last_known.is_some());
    // A machine is registered: told with the next heartbeat.
    bench.machine("n-3", "north", domain::registry::BeltKind::Unknown).await;
    let update = next(&mut stream).await;
    let Update::Changed(changed) = update else { panic!("{update:?}") };
    assert_eq!(changed.machine.unwrap().id, "n-3");
    assert!(matches!(next(&mut stream).await, Update::Heartbeat(_)));
    assert!(bench.stage.now.load(Ordering::SeqCst) > super::NOON.0);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_moves_away_is_not_told_of_any_more() {
    let bench = Bench::furnished().await;
    let secret = bench.token(&["north"]).await;
    let mut stream = stream_of(&bench, &secret);
    assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
    let moved = |site: &str| {
        FactKind::MachineChanged(MachineChange {
            machine: machine_id("n-1"),
            display_name: None,
            model: None,
            belt: None,
            drive: None,
            site: Some(site_id(site)),
        })
    };
    bench.fact(moved("south")).await;
    let update = next(&mut stream).await;
    let Update::Snapshot(snapshot) = update else { panic!("{update:?}") };
    assert_eq!(ids(&snapshot.machines), ["n-2"]);
    // Its changes are the other site's.
    for machine in ["n-1", "n-2"] {
        bench.feed.put(moving(machine, Direction::Forward, 1_000));
    }
    let update = next(&mut stream).await;
    let Update::Changed(changed) = update else { panic!("{update:?}") };
    assert_eq!(changed.machine.unwrap().id, "n-2");
    bench.fact(moved("north")).await;
    let update = next(&mut stream).await;
    let Update::Changed(changed) = update else { panic!("{update:?}") };
    assert_eq!(changed.machine.unwrap().id, "n-1", "it is back");
}

#[tokio::test]
async fn a_large_snapshot_comes_in_parts() {
    let bench = Bench::furnished().await;
    for number in 0..998 {
        bench.machine(&format!("x-{number:03}"), "south", domain::registry::BeltKind::Unknown).await;
    }
    let mut stream = stream(&bench);
    let mut sizes = Vec::new();
    loop {
        let update = next(&mut stream).await;
        let Update::Snapshot(snapshot) = update else { panic!("{update:?}") };
        assert_eq!(snapshot.part as usize, sizes.len());
        sizes.push(snapshot.machines.len());
        if snapshot.last {
            break;
        }
    }
    assert_eq!(sizes, [500, 500, 1]);
}

/// A second of virtual time is a look at who may watch: what changed acts within two.
async fn check_end(author: &str, end: impl AsyncFnOnce(&Bench, &str) -> FactKind) {
    let bench = Bench::furnished().await;
    bench.user("anna", Role::Viewer, &["north"]).await;
    let secret = match author {
        "token" => bench.token(&["north"]).await,
        "user" => bench.session("anna").await,
        other => panic!("{other}"),
    };
    let mut stream = stream_of(&bench, &secret);
    assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
    let fact = end(&bench, &secret).await;
    let began = tokio::time::Instant::now();
    bench.fact(fact).await;
    let status = stream.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    assert!(began.elapsed() <= std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(stream.next().await.is_none());
}

fn change_of_anna(disabled: Option<bool>, grants: Option<Vec<Grant>>) -> FactKind {
    let user = user_name("anna");
    FactKind::UserChanged(UserChange { user, display_name: None, grants, end: None, disabled })
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_what_let_it_in() {
    check_end("token", async |bench, secret| {
        let number = bench.ledger.registry().tokens().get(&secret_hash(secret)).unwrap().number;
        FactKind::TokenRevoked(TokenNumber { number })
    })
    .await;
    check_end("user", async |_, secret| {
        FactKind::SignedOut(SignOut { user: user_name("anna"), session: Some(secret_hash(secret)) })
    })
    .await;
    check_end("user", async |_, _| FactKind::SignedOut(SignOut { user: user_name("anna"), session: None }))
        .await;
    check_end("user", async |_, _| change_of_anna(Some(true), None)).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_the_time_of_its_token_or_session() {
    for by_token in [true, false] {
        let bench = Bench::furnished().await;
        bench.user("anna", Role::Viewer, &[]).await;
        let secret = if by_token { bench.token(&[]).await } else { bench.session("anna").await };
        let mut stream = stream_of(&bench, &secret);
        assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
        bench.at(super::DAY_US / 1_000_000 - 1);
        assert!(stream.next().await.unwrap().is_ok(), "a second is left");
        bench.at(super::DAY_US / 1_000_000);
        let status = stream.next().await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated, "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_who_may_see_less_or_more_gets_a_new_snapshot() {
    let bench = Bench::furnished().await;
    bench.user("anna", Role::Viewer, &[]).await;
    let secret = bench.session("anna").await;
    let mut stream = stream_of(&bench, &secret);
    for (sites, expected) in
        [(&["north"][..], &["n-1", "n-2"][..]), (&["south"], &["s-1"]), (&[], &["n-1", "n-2", "s-1"])]
    {
        assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
        bench.fact(change_of_anna(None, Some(vec![grant(Role::Viewer, sites)]))).await;
        let update = next(&mut stream).await;
        let Update::Snapshot(snapshot) = update else { panic!("{update:?}") };
        assert_eq!(ids(&snapshot.machines), expected);
        // What is no longer seen is not told either.
        for machine in ["n-1", "s-1"] {
            bench.feed.put(moving(machine, Direction::Forward, 1_000));
        }
        for _ in expected.iter().filter(|id| **id != "n-2") {
            let update = next(&mut stream).await;
            let Update::Changed(changed) = update else { panic!("{update:?}") };
            assert!(expected.contains(&changed.machine.as_ref().unwrap().id.as_str()));
        }
        stream = stream_of(&bench, &secret);
    }
    // A role that may not see the floor at all: none is left, so the watch ends.
    assert!(matches!(next(&mut stream).await, Update::Snapshot(_)));
    let none = change_of_anna(None, Some(Vec::new()));
    bench.fact(none).await;
    assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn a_client_in_the_midst_of_a_long_snapshot_is_asked_for_too() {
    let bench = Bench::furnished().await;
    for number in 0..998 {
        bench.machine(&format!("x-{number:03}"), "south", domain::registry::BeltKind::Unknown).await;
    }
    bench.user("anna", Role::Viewer, &[]).await;
    let secret = bench.session("anna").await;
    let part = |update: Update| {
        let Update::Snapshot(snapshot) = update else { panic!("{update:?}") };
        (snapshot.part, snapshot.machines.len(), snapshot.last)
    };
    let mut stream = stream_of(&bench, &secret);
    assert_eq!(part(next(&mut stream).await), (0, 500, false));
    bench.fact(change_of_anna(None, Some(vec![grant(Role::Viewer, &["north"])]))).await;
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(part(next(&mut stream).await), (0, 2, true));

    bench.fact(change_of_anna(None, Some(vec![grant(Role::Viewer, &[])]))).await;
    assert_eq!(part(next(&mut stream).await), (0, 500, false));
    bench.fact(change_of_anna(Some(true), None)).await;
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(stream.next().await.unwrap().unwrap_err().code(), Code::Unauthenticated);
}
