//! Watching: a snapshot, then changes; a slow watcher gets a new snapshot.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::belt::Direction;
use domain::limits::FEED_CHANGES_MAX;
use futures::{Stream, StreamExt};
use tokio::sync::Semaphore;
use tonic::Status;
use wire::api::v1;
use wire::api::v1::watch_fleet_response::Update;

use super::{Bench, moving, with_token};
use crate::access::Scope;
use crate::registry::Registry;
use crate::watch::{Asked, Ground, watch};

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

/// The stream itself, without a network, on a clock that jumps.
async fn stream(bench: &Bench) -> impl Stream<Item = Result<v1::WatchFleetResponse, Status>> + use<> {
    let registry = Arc::new(Registry::new(Arc::new(bench.ledger.clone())));
    let ground = Ground {
        registry: registry.clone(),
        feed: bench.feed.clone(),
        surroundings: bench.stage.clone(),
        stopping: bench.stopping.clone(),
    };
    let visible = registry.visible(&Scope::All).await.unwrap();
    let slot = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let asked = Asked { site: None, machines: BTreeSet::new() };
    watch(ground, Scope::All, asked, &visible, slot)
}

async fn next(stream: &mut (impl Stream<Item = Result<v1::WatchFleetResponse, Status>> + Unpin)) -> Update {
    stream.next().await.unwrap().unwrap().update.unwrap()
}

#[tokio::test]
async fn a_watcher_that_falls_behind_gets_a_new_snapshot() {
    let bench = Bench::furnished().await;
    let mut stream = Box::pin(stream(&bench).await);
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
    let mut stream = Box::pin(stream(&bench).await);
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

#[tokio::test]
async fn a_large_snapshot_comes_in_parts() {
    let bench = Bench::furnished().await;
    for number in 0..998 {
        bench.machine(&format!("x-{number:03}"), "south", domain::registry::BeltKind::Unknown).await;
    }
    let mut stream = Box::pin(stream(&bench).await);
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
