//! States of machines, put where the ingest puts them after a commit.

use std::time::Duration;

use anyhow::Context;
use domain::belt::{Belt, Direction, Origin};
use domain::ids::MachineId;
use domain::live::{Latest, LiveState};
use domain::stop::{Stop, StopContact};
use domain::units::{Speed, UnixMicros};
use store::feed::Feed;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Parts of a second; in each the same part of the machines changes.
const STEPS: usize = 50;
const STEP: Duration = Duration::from_millis(20);
/// Number of the only machine with a stop; each of its changes is a new one.
const STOPPED: usize = 0;

/// Changes every machine once a second.
#[derive(Debug)]
pub(super) struct Feeder {
    ending: CancellationToken,
    feeding: JoinHandle<u64>,
}

impl Feeder {
    pub(super) fn start(feed: Feed, machines: Vec<MachineId>) -> Feeder {
        let ending = CancellationToken::new();
        let feeding = tokio::spawn(run(feed, machines, ending.clone()));
        Feeder { ending, feeding }
    }

    /// Ends it; how many changes it made.
    pub(super) async fn stop(self) -> anyhow::Result<u64> {
        self.ending.cancel();
        self.feeding.await.context("the feeding task failed")
    }
}

async fn run(feed: Feed, machines: Vec<MachineId>, ending: CancellationToken) -> u64 {
    let mut ticks = tokio::time::interval(STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut changes = 0;
    for step in 0_usize.. {
        tokio::select! {
            () = ending.cancelled() => break,
            _ = ticks.tick() => {}
        }
        let numbered = machines.iter().enumerate();
        for (number, machine) in numbered.skip(step % STEPS).step_by(STEPS) {
            feed.put(state(machine, number == STOPPED, changes, now()));
            changes += 1;
        }
    }
    changes
}

fn state(machine: &MachineId, is_stopped: bool, change: u64, now: UnixMicros) -> LiveState {
    let mm_s = 1_000 + u32::try_from(change % 1_500).unwrap_or(0);
    let direction = if is_stopped { Direction::Stopped } else { Direction::Forward };
    let speed = Some(Speed(if is_stopped { 0 } else { mm_s }));
    let belt = Belt { direction, origin: Origin::Measured, speed, ..Belt::default() };
    let holds_until = now.plus(3_000_000);
    let latest = Latest { time: now, belt, holds_until, since: Some(now), last_event: None };
    let last_stop = is_stopped.then_some(Stop {
        time: now,
        contact: StopContact::EmergencyStop,
        direction: Direction::Forward,
        speed: Some(Speed(mm_s)),
        released: None,
    });
    LiveState { latest: Some(latest), last_stop, heard: Some(now), ..LiveState::new(machine.clone()) }
}

/// The system's clock, as the stops carry it.
pub(super) fn now() -> UnixMicros {
    let monotonic = i64::try_from(agent::clock::monotonic().0).unwrap_or(i64::MAX);
    UnixMicros(monotonic.saturating_add(agent::clock::system().offset_us))
}
