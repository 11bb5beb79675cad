//! Watchers of the fleet: a snapshot, then changes, with a heartbeat.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::ids::{MachineId, SiteId};
use domain::limits::SNAPSHOT_PART_MACHINES;
use domain::live::LiveState;
use domain::units::UnixMicros;
use futures::{FutureExt, Stream};
use store::feed::{Feed, Missed, Watcher};
use store::ledger::Ledger;
use store::registry::Machine;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use wire::api::v1;
use wire::api::v1::watch_fleet_response::Update;

use crate::access::{Caller, Scope};
use crate::convert;
use crate::gate::Gate;
use crate::live::{self, Aged};
use crate::metrics::{self, Present};
use crate::registry::Visible;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

/// How often a watch looks for what time alone has changed.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between heartbeats: 5 s.
const HEARTBEAT_TICKS: u32 = 5;

/// Which machines a watcher asked for, of those that it may see.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) site: Option<SiteId>,
    /// Empty: all.
    pub(crate) machines: BTreeSet<MachineId>,
}

impl Asked {
    fn has(&self, machine: &Machine) -> bool {
        self.site.as_ref().is_none_or(|site| *site == machine.site)
            && (self.machines.is_empty() || self.machines.contains(&machine.id))
    }

    fn of(&self, visible: &Visible) -> Vec<Arc<Machine>> {
        visible.machines(None).filter(|machine| self.has(machine)).cloned().collect()
    }
}

/// One watched machine.
#[derive(Debug)]
struct Watched {
    machine: Arc<Machine>,
    state: Arc<LiveState>,
    sent: Aged,
}

/// The mind of one watch: what its client was told, and what to tell it next.
#[derive(Debug)]
pub(crate) struct WatchMind {
    asked: Asked,
    watched: BTreeMap<MachineId, Watched>,
}

/// What a watch learns.
#[derive(Debug)]
pub(crate) enum Input<'a> {
    /// The watch begins, or its client fell behind: everything as it is.
    Begin(&'a Visible, &'a [Arc<LiveState>]),
    /// A machine's state was committed.
    Committed(Arc<LiveState>),
    /// Time went on.
    Tick,
    /// The registry was read again; the states are those of the feed.
    Registry(&'a Visible, &'a Feed),
    /// A sign of life is due.
    Heartbeat,
}

impl WatchMind {
    pub(crate) fn new(asked: Asked) -> WatchMind {
        WatchMind { asked, watched: BTreeMap::new() }
    }

    /// Whether a machine that it told of has moved to where it does not look, or may not.
    pub(crate) fn has_lost(&self, visible: &Visible) -> bool {
        self.watched.keys().any(|id| !visible.machine(id).is_ok_and(|machine| self.asked.has(machine)))
    }

    /// What to send.
    pub(crate) fn apply(&mut self, input: Input<'_>, now: UnixMicros) -> Vec<Update> {
        match input {
            Input::Begin(visible, states) => self.begin(visible, states, now),
            Input::Committed(state) => self.committed(state, now),
            Input::Tick => self.tick(now),
            Input::Registry(visible, feed) => self.registered(visible, feed, now),
            Input::Heartbeat => {
                vec![Update::Heartbeat(v1::Heartbeat { server_time: Some(convert::timestamp(now)) })]
            }
        }
    }

    fn begin(&mut self, visible: &Visible, states: &[Arc<LiveState>], now: UnixMicros) -> Vec<Update> {
        let states: BTreeMap<&MachineId, &Arc<LiveState>> =
            states.iter().map(|state| (&state.machine, state)).collect();
        self.watched.clear();
        for machine in self.asked.of(visible) {
            let state =
                states.get(&machine.id).map_or_else(|| live::unheard(&machine.id), |state| (*state).clone());
            self.watch(&machine, state, now);
        }
        let machines: Vec<v1::MachineState> =
            self.watched.values().map(|watched| watched.show(now)).collect();
        parts(machines)
    }

    fn watch(&mut self, machine: &Arc<Machine>, state: Arc<LiveState>, now: UnixMicros) {
        let sent = live::aged(machine, &state, now);
        self.watched.insert(machine.id.clone(), Watched { machine: machine.clone(), state, sent });
    }

    /// A machine that is not watched yet comes with the registry, soon.
    fn committed(&mut self, state: Arc<LiveState>, now: UnixMicros) -> Vec<Update> {
        let Some(watched) = self.watched.get_mut(&state.machine) else { return Vec::new() };
        watched.sent = live::aged(&watched.machine, &state, now);
        watched.state = state;
        vec![Update::Changed(watched.show(now))]
    }

    fn tick(&mut self, now: UnixMicros) -> Vec<Update> {
        let mut updates = Vec::new();
        for watched in self.watched.values_mut() {
            let aged = live::aged(&watched.machine, &watched.state, now);
            if aged != watched.sent {
                watched.sent = aged;
                updates.push(Update::Changed(watched.show(now)));
            }
        }
        updates
    }

    fn registered(&mut self, visible: &Visible, feed: &Feed, now: UnixMicros) -> Vec<Update> {
        let mut updates = Vec::new();
        for machine in self.asked.of(visible) {
            let same = self.watched.get(&machine.id).is_some_and(|watched| watched.machine == machine);
            if !same {
                let state = feed.latest(&machine.id).unwrap_or_else(|| live::unheard(&machine.id));
                self.watch(&machine, state, now);
                updates
                    .extend(self.watched.get(&machine.id).map(|watched| Update::Changed(watched.show(now))));
            }
        }
        updates
    }
}

impl Watched {
    fn show(&self, now: UnixMicros) -> v1::MachineState {
        live::show(&self.machine, &self.state, now)
    }
}

/// A snapshot in parts of a bounded size; at least one, even if it is empty.
fn parts(machines: Vec<v1::MachineState>) -> Vec<Update> {
    let count = machines.len().div_ceil(SNAPSHOT_PART_MACHINES).max(1);
    let mut machines = machines.into_iter();
    let part = |part: usize| {
        let machines = machines.by_ref().take(SNAPSHOT_PART_MACHINES).collect();
        let number = u32::try_from(part).expect("fewer parts than machines, which are few");
        Update::Snapshot(v1::FleetSnapshot { machines, part: number, last: part + 1 == count })
    };
    (0..count).map(part).collect()
}

/// What a watch stands on.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) feed: Feed,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    pub(crate) stopping: CancellationToken,
}

impl Ground {
    /// What a caller with this scope can reach now.
    pub(crate) fn visible(&self, scope: Scope) -> Visible {
        Visible::new(self.ledger.registry(), scope)
    }
}

/// Who watches. What they may see is asked again while they watch.
#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) caller: Caller,
    pub(crate) scope: Scope,
    pub(crate) gate: Arc<Gate>,
}

/// The body of one watch. It works only when its client takes messages: a slow client makes the feed's watcher fall
/// behind, which costs a new snapshot and no memory.
#[derive(Debug)]
struct Watch {
    ground: Ground,
    viewer: Viewer,
    /// Number of the last fact that the mind has seen the registry with.
    last_fact: u64,
    mind: WatchMind,
    watcher: Watcher,
    /// Updates that are ready; never more than one input's.
    ready: VecDeque<Update>,
    tick: Interval,
    ticks: u32,
    ended: bool,
    _slot: OwnedSemaphorePermit,
    _present: Present,
}

/// The stream of one watch. `visible` is what the request was checked against.
pub(crate) fn watch(
    ground: Ground,
    viewer: Viewer,
    asked: Asked,
    visible: &Visible,
    slot: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<v1::WatchFleetResponse, Status>> + Send + use<> {
    let (states, watcher) = ground.feed.subscribe();
    let mut mind = WatchMind::new(asked);
    let ready = mind.apply(Input::Begin(visible, &states), ground.surroundings.now()).into();
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let present = Present::watcher();
    let watch = Watch {
        ground,
        viewer,
        last_fact: visible.last_fact(),
        mind,
        watcher,
        ready,
        tick,
        ticks: 0,
        ended: false,
        _slot: slot,
        _present: present,
    };
    futures::stream::unfold(watch, |mut watch| async move { watch.next().await.map(|next| (next, watch)) })
}

impl Watch {
    async fn next(&mut self) -> Option<Result<v1::WatchFleetResponse, Status>> {
        while !self.ended {
            let learned = if self.ready.is_empty() { self.learn().await } else { self.ask_if_due() };
            if learned.is_ok()
                && let Some(update) = self.ready.pop_front()
            {
                return Some(Ok(v1::WatchFleetResponse { update: Some(update) }));
            }
            if let Err(error) = learned {
                self.ended = true;
                if error.is_ours() {
                    tracing::error!(error = %error, "watch ended");
                }
                return Some(Err(error.to_status()));
            }
        }
        None
    }

    /// Waits for the next input and applies it.
    async fn learn(&mut self) -> Result<(), ApiError> {
        tokio::select! {
            () = self.ground.stopping.cancelled() => Err(ApiError::Stopping),
            change = self.watcher.next() => match change {
                Ok(state) => {
                    self.apply(Input::Committed(state));
                    Ok(())
                }
                Err(Missed::Behind) => {
                    metrics::watcher_behind();
                    self.begin_again();
                    Ok(())
                }
                Err(Missed::Closed) => Err(ApiError::Stopping),
            },
            _ = self.tick.tick() => self.tick(),
        }
    }

    fn apply(&mut self, input: Input<'_>) {
        let now = self.ground.surroundings.now();
        self.ready.extend(self.mind.apply(input, now));
    }

    fn begin_again(&mut self) {
        self.ready.clear();
        let visible = self.ground.visible(self.viewer.scope.clone());
        let (states, watcher) = self.ground.feed.subscribe();
        self.watcher = watcher;
        self.last_fact = visible.last_fact();
        self.apply(Input::Begin(&visible, &states));
    }

    /// A client that takes a long snapshot slowly is asked for, too.
    fn ask_if_due(&mut self) -> Result<(), ApiError> {
        if self.tick.tick().now_or_never().is_some() {
            self.ask()?;
        }
        Ok(())
    }

    /// Whether they may still see all that they see; if it is something else now, it begins again.
    fn ask(&mut self) -> Result<bool, ApiError> {
        let scope = self.viewer.gate.scope(&self.viewer.caller, "FleetService/WatchFleet")?;
        let is_same = scope == self.viewer.scope;
        if !is_same {
            // What they may no longer see goes; a snapshot says so.
            self.viewer.scope = scope;
            self.begin_again();
        }
        Ok(is_same)
    }

    /// Once a second: may they still see it, what has the registry become, what has time done.
    fn tick(&mut self) -> Result<(), ApiError> {
        if !self.ask()? {
            return Ok(());
        }
        let visible = self.ground.visible(self.viewer.scope.clone());
        if visible.last_fact() != self.last_fact && self.mind.has_lost(&visible) {
            // A snapshot says that it is gone.
            self.begin_again();
        } else if visible.last_fact() != self.last_fact {
            self.last_fact = visible.last_fact();
            let feed = self.ground.feed.clone();
            self.apply(Input::Registry(&visible, &feed));
        }
        self.apply(Input::Tick);
        self.ticks = (self.ticks + 1) % HEARTBEAT_TICKS;
        if self.ticks == 0 {
            self.apply(Input::Heartbeat);
        }
        Ok(())
    }
}
