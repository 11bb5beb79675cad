//! One agent of the simulation: the real minds (simulator, watcher, spool, uplink) on a disk with a power switch.

use std::collections::BTreeMap;

use agent::source::simulate::{Profile, Simulator};
use agent::spool::{BootIds, Bounds, KernelBoot, Spool, SpoolId};
use agent::uplink::message::{Message, Picture, RECORDS_BYTES_MAX, Speaker};
use agent::uplink::{BEHIND_US, Effect, Input, Uplink};
use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::{BootId, LogId};
use domain::limits;
use domain::log::{Lane, Position};
use domain::record::Record;
use domain::signal::{Script, Signal, SourceNumber};
use domain::units::MonotonicMicros;
use domain::watcher::{Observed, SignalWatcher, WatcherSettings};
use wire::credential::Credential;

use super::disk::SimulatedDisk;

/// A record that an agent made, by log and position.
pub(crate) type Made = BTreeMap<(LogId, Position), MadeRecord>;

/// What the world remembers of a record.
#[derive(Debug, Clone)]
pub(crate) struct MadeRecord {
    pub(crate) lane: Lane,
    pub(crate) record: Record,
    /// Whether it was on the disk when power was cut, or power was never cut after it.
    pub(crate) durable: bool,
}

/// A machine with its agent, or without while it is dead.
pub(crate) struct SimulatedAgent {
    pub(crate) credential: Credential,
    pub(crate) disk: SimulatedDisk,
    pub(crate) made: Made,
    random: fastrand::Rng,
    script: Simulator,
    life: Option<Life>,
    kernel: u8,
    /// When the kernel started, by the world's clock; monotonic time counts from there.
    kernel_started: u64,
    connections: u32,
}

/// One life of the process.
struct Life {
    watcher: SignalWatcher,
    spool: Spool<SimulatedDisk>,
    uplink: Uplink,
    speaker: Speaker,
    connected: bool,
    retry_at: u64,
}

impl SimulatedAgent {
    pub(crate) fn new(credential: Credential, seed: u64) -> SimulatedAgent {
        let profile = if seed % 3 == 0 { Profile::ftms() } else { Profile::encoder() };
        SimulatedAgent {
            credential,
            disk: SimulatedDisk::default(),
            made: Made::new(),
            random: fastrand::Rng::with_seed(seed),
            script: Simulator::new(SourceNumber(0), seed, profile.with_pace(20.0), MonotonicMicros(0)),
            life: None,
            kernel: 0,
            kernel_started: 0,
            connections: 0,
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    /// Starts the process. It may fail to, if its disk does.
    pub(crate) fn start(&mut self, now: u64) {
        let mut octets = || std::array::from_fn(|_| self.random.u8(..));
        let (boot, fresh_spool) = (BootId(octets()), SpoolId(octets()));
        let ids = BootIds { boot, kernel: KernelBoot([self.kernel; 16]), fresh_spool };
        let monotonic = self.monotonic(now);
        let Ok(spool) = Spool::open(self.disk.clone(), ids, Bounds::default(), monotonic) else { return };
        let logs = Lane::ALL.map(|lane| spool.log(lane));
        let spec = self.script.spec();
        let capabilities = spec.capabilities;
        self.connections = 0;
        self.life = Some(Life {
            watcher: SignalWatcher::new(vec![spec], WatcherSettings::default(), monotonic),
            uplink: Uplink::new(boot, spool.boot().boot_count, logs, self.random.u64(..)),
            speaker: Speaker::new(&self.credential, boot, capabilities),
            spool,
            connected: false,
            retry_at: now,
        });
    }

    /// SIGKILL: the process is gone, the kernel and what it holds stay.
    pub(crate) fn kill(&mut self) {
        self.life = None;
    }

    /// The plug is pulled: unsynced readings may be gone, the monotonic clock starts again.
    pub(crate) fn cut_power(&mut self, now: u64) {
        let spool_log = self.life.as_ref().map(|life| life.spool.log(Lane::Readings));
        self.life = None;
        self.kernel = self.kernel.wrapping_add(1);
        self.kernel_started = now;
        let (kept, undo) = (self.random.usize(0..8), self.random.bool());
        for position in self.disk.cut_power(kept, undo) {
            let Some(log) = spool_log else { continue };
            if let Some(made) = self.made.get_mut(&(log, position)) {
                made.durable = false;
            }
        }
        // What was in memory only is gone too.
        let disk = &self.disk;
        for ((log, position), made) in &mut self.made {
            if Some(*log) == spool_log && made.lane == Lane::Readings && !disk.holds(made.lane, *position) {
                made.durable &= Some(*position) <= disk.trimmed(made.lane);
            }
        }
    }

    /// A new card in the reader: nothing of the old spool is left.
    pub(crate) fn wipe(&mut self, now: u64) {
        self.life = None;
        self.kernel = self.kernel.wrapping_add(1);
        self.kernel_started = now;
        self.disk.wipe();
    }

    pub(crate) fn disconnect(&mut self, now: u64, pause_us: u64) {
        let monotonic = self.monotonic(now);
        if let Some(life) = &mut self.life {
            life.uplink.apply(Input::Disconnected, monotonic);
            life.connected = false;
            life.retry_at = now + pause_us;
        }
    }

    /// A tenth of a second of life: observes if `observing`, writes, sends.
    pub(crate) fn step(&mut self, now: u64, observing: bool) -> Vec<Message> {
        let monotonic = self.monotonic(now);
        let mut out = Vec::new();
        if observing {
            self.observe(now, monotonic);
        }
        let connections = self.connections + 1;
        let Some(life) = &mut self.life else { return out };
        life.spool.write(monotonic);
        if !life.connected && now >= life.retry_at {
            life.connected = true;
            self.connections = connections;
            life.input(Input::Connected { connection: connections }, monotonic, &mut out);
        }
        let readings_behind = life.spool.readings_wait_longer_than(BEHIND_US, monotonic);
        life.input(Input::Tick { readings_behind }, monotonic, &mut out);
        out
    }

    /// An ack has come.
    pub(crate) fn receive(&mut self, now: u64, payload: Bytes) -> Vec<Message> {
        let monotonic = self.monotonic(now);
        let mut out = Vec::new();
        if let Some(life) = self.life.as_mut().filter(|life| life.connected) {
            if let Ok(ack) = life.speaker.open_ack(payload) {
                life.input(Input::Ack(ack), monotonic, &mut out);
            }
        }
        out
    }

    /// Whether all its records are acknowledged.
    pub(crate) fn is_drained(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.spool.status().records == [0, 0])
    }

    fn observe(&mut self, now: u64, monotonic: MonotonicMicros) {
        let mut signals = Vec::new();
        // The belt runs on whether its agent lives or not; the script's clock is the world's.
        self.script.observe(MonotonicMicros(now), &mut signals);
        let Some(life) = &mut self.life else { return };
        let mut observed = Vec::new();
        for signal in signals {
            let signal = Signal { at: monotonic, ..signal };
            life.watcher.apply(&signal, &mut observed);
        }
        life.watcher.tick(monotonic, &mut observed);
        for observed in observed {
            life.append(observed, monotonic, &mut self.made);
        }
    }

    fn monotonic(&self, now: u64) -> MonotonicMicros {
        MonotonicMicros(now - self.kernel_started + 1_000_000)
    }
}

impl Life {
    fn append(&mut self, observed: Observed, now: MonotonicMicros, made: &mut Made) {
        let lane = observed.payload.lane();
        let other = self.spool.status().lanes[usize::from(lane == Lane::Events)].next.n - 1;
        let record = Record { at: observed.at, other_n: other, payload: observed.payload.clone() };
        if let Some(position) = self.spool.append(observed.at, observed.payload) {
            let key = (self.spool.log(lane), position);
            made.insert(key, MadeRecord { lane, record, durable: true });
            self.uplink.apply(Input::Appended { lane, newest: position }, now);
        }
    }

    fn input(&mut self, input: Input, now: MonotonicMicros, out: &mut Vec<Message>) {
        let mut effects: std::collections::VecDeque<Effect> = self.uplink.apply(input, now).into();
        while let Some(effect) = effects.pop_front() {
            effects.extend(self.perform(effect, now, out));
        }
    }

    fn perform(&mut self, effect: Effect, now: MonotonicMicros, out: &mut Vec<Message>) -> Option<Effect> {
        match effect {
            Effect::SendStatus { order } => {
                let (belt, at, holds_for_ms) = self.watcher.belt(now);
                let picture = Some(Picture { belt, at, holds_for_ms });
                let status = self.spool.status();
                out.push(self.speaker.status(order, self.uplink.clock(), picture, &status, now));
                None
            }
            Effect::Send { lane, after } => self.send(lane, after, now, out),
            Effect::Trim { lane, through } => {
                self.spool.trim(lane, through);
                None
            }
            Effect::SetClock(clock) => {
                self.spool.set_clock(clock);
                None
            }
            Effect::Conflict { .. } | Effect::Refused(_) | Effect::Settings(_) => None,
        }
    }

    fn send(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        now: MonotonicMicros,
        out: &mut Vec<Message>,
    ) -> Option<Effect> {
        let batch = self.spool.read(lane, after, limits::ENVELOPE_RECORDS_MAX, RECORDS_BYTES_MAX);
        let Ok(Some(batch)) = batch else { return self.uplink.nothing(lane, now) };
        if batch.clock == Clock::UNDATED && batch.clock_is_present && !self.uplink.sends_undated(now) {
            return self.uplink.held(lane, now);
        }
        let log = self.spool.log(lane);
        let message = self.speaker.envelope(log, self.spool.boot().boot_count, &batch, now);
        let position = |row: Option<&agent::spool::Row>| row.map(|row| row.position);
        let (first, last) = (position(batch.rows.first())?, position(batch.rows.last())?);
        out.push(message);
        self.uplink.sent(lane, first, last, now)
    }
}
