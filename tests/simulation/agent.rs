//! One agent of the simulation: the real minds (simulator, recorder, spool, uplink) on a disk with a power switch.

use std::collections::BTreeMap;

use agent::outbox::{Effect, Input, Outbox};
use agent::recorder::Recorder;
use agent::source::simulate::{Profile, Simulator};
use agent::spool::{BootIds, Bounds, KernelBoot, Row, Spool, SpoolId};
use agent::uplink::message::{Picture, Speaker};
use bytes::Bytes;
use domain::ids::{BootId, LogId};
use domain::log::{Lane, Position};
use domain::signal::{Script, Signal, SourceNumber};
use domain::units::MonotonicMicros;
use domain::watcher::WatcherSettings;
use wire::credential::Credential;
use wire::envelope::Envelope;
use wire::seal::Unopened;
use wire::topics::{Kind, Topic};

use super::disk::SimulatedDisk;
use super::network::{Message, To};

/// What the world remembers of a record that was brought to a disk.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) lane: Lane,
    /// Whether it may be gone without a word: an unsynced reading when the power was cut, a wiped spool.
    pub(crate) excused: bool,
}

/// A machine with its agent, or without while it is dead.
pub(crate) struct SimulatedAgent {
    pub(crate) credential: Credential,
    pub(crate) disk: SimulatedDisk,
    pub(crate) made: BTreeMap<(LogId, Position), Made>,
    /// Every record that was ever given to the network: nothing else may be stored.
    pub(crate) sent: BTreeMap<(LogId, Position), Bytes>,
    random: fastrand::Rng,
    script: Simulator,
    life: Option<Life>,
    kernel: u8,
    /// When the kernel started, by the world's clock; monotonic time counts from there.
    kernel_started: u64,
    log: Option<LogId>,
}

/// One life of the process.
struct Life {
    recorder: Recorder,
    outbox: Outbox<SimulatedDisk>,
    connection: u32,
    is_connected: bool,
    retry_at: u64,
}

impl SimulatedAgent {
    pub(crate) fn new(credential: Credential, seed: u64, pace: f64) -> SimulatedAgent {
        let profile = if seed.is_multiple_of(3) { Profile::ftms() } else { Profile::encoder() };
        SimulatedAgent {
            credential,
            disk: SimulatedDisk::default(),
            made: BTreeMap::new(),
            sent: BTreeMap::new(),
            random: fastrand::Rng::with_seed(seed),
            script: Simulator::new(SourceNumber(0), seed, profile.with_pace(pace), MonotonicMicros(0)),
            life: None,
            kernel: 0,
            kernel_started: 0,
            log: None,
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    /// Starts the process. It may fail to, if its disk does.
    pub(crate) fn start(&mut self, now: u64) {
        let (boot, fresh) = (self.octets(), self.octets());
        let ids = BootIds {
            boot: BootId(boot),
            kernel: KernelBoot([self.kernel; 16]),
            fresh_spool: SpoolId(fresh),
        };
        let monotonic = self.monotonic(now);
        let Ok(spool) = Spool::open(self.disk.clone(), ids, Bounds::default(), monotonic) else { return };
        self.log = Some(spool.log(Lane::Readings));
        let spec = self.script.spec();
        let speaker = Speaker::new(&self.credential, ids.boot, spec.capabilities);
        self.life = Some(Life {
            recorder: Recorder::new(vec![spec], WatcherSettings::default(), monotonic),
            outbox: Outbox::new(spool, speaker, self.random.u64(..), monotonic),
            connection: 0,
            is_connected: false,
            retry_at: now,
        });
    }

    /// SIGKILL: the process is gone; what the kernel holds for it stays.
    pub(crate) fn kill(&mut self) {
        self.life = None;
    }

    /// The plug is pulled: unsynced readings may be gone, and the monotonic clock starts again.
    pub(crate) fn cut_power(&mut self, now: u64) {
        self.life = None;
        self.kernel = self.kernel.wrapping_add(1);
        self.kernel_started = now;
        let (kept, undo) = (self.random.usize(0..8), self.random.bool());
        let gone = self.disk.cut_power(kept, undo);
        for position in gone {
            let made = self.log.and_then(|log| self.made.get_mut(&(log, position)));
            made.into_iter().for_each(|made| made.excused = true);
        }
    }

    /// A new card in the machine: nothing of the old spool is left.
    pub(crate) fn wipe(&mut self, now: u64) {
        self.cut_power(now);
        self.disk.wipe();
        self.made.values_mut().for_each(|made| made.excused = true);
    }

    /// The connection is gone; the agent tries again after a while.
    pub(crate) fn disconnect(&mut self, now: u64, pause_us: u64) {
        let monotonic = self.monotonic(now);
        if let Some(life) = self.life.as_mut().filter(|life| life.is_connected) {
            life.outbox.apply(Input::Disconnected, monotonic);
            life.is_connected = false;
            life.retry_at = now + pause_us;
        }
    }

    /// A tenth of a second of life. The belt runs on whether its agent lives or not.
    pub(crate) fn step(&mut self, now: u64, observing: bool) -> Vec<Message> {
        let monotonic = self.monotonic(now);
        let mut signals = Vec::new();
        if observing {
            self.script.observe(MonotonicMicros(now), &mut signals);
        }
        let Some(life) = &mut self.life else { return Vec::new() };
        let mut inputs = Vec::new();
        if observing {
            signals.iter_mut().for_each(|signal| signal.at = monotonic);
            life.observe(&signals, monotonic, &mut inputs);
        }
        if !life.is_connected && now >= life.retry_at {
            life.is_connected = true;
            life.connection += 1;
            inputs.push(Input::Connected { connection: life.connection });
        }
        inputs.push(Input::Tick);
        self.apply(inputs, now)
    }

    /// Something came on the ack topic.
    pub(crate) fn receive(&mut self, now: u64, payload: Bytes) -> Vec<Message> {
        if !self.life.as_ref().is_some_and(|life| life.is_connected) {
            return Vec::new();
        }
        self.apply(vec![Input::Ack(payload)], now)
    }

    /// Whether all that it saw is acknowledged.
    pub(crate) fn is_drained(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.outbox.is_empty())
    }

    fn apply(&mut self, inputs: Vec<Input>, now: u64) -> Vec<Message> {
        let monotonic = self.monotonic(now);
        let Some(life) = &mut self.life else { return Vec::new() };
        let mut effects: Vec<Effect> =
            inputs.into_iter().flat_map(|input| life.outbox.apply(input, monotonic)).collect();
        let (rows, more) = life.outbox.write(monotonic);
        effects.extend(more);
        for (lane, row) in rows {
            let log = life.outbox.spool().log(lane);
            let Row { position, .. } = row;
            self.made.insert((log, position), Made { lane, excused: false });
        }
        if effects.iter().any(|effect| matches!(effect, Effect::Reconnect)) {
            self.disconnect(now, 100_000);
        }
        let connected = self.life.as_ref().is_some_and(|life| life.is_connected);
        let mut messages = Vec::new();
        for effect in effects {
            match effect {
                Effect::Publish(message) if connected => {
                    let topic = Topic::new(self.credential.machine.clone(), message.kind);
                    self.note_sent(&topic, &message.payload);
                    let (topic, payload) = (topic.to_string(), message.payload);
                    messages.push(Message { to: To::Ingest, topic, payload });
                }
                Effect::Publish(_) | Effect::Reconnect | Effect::Settings(_) | Effect::Notice(_) => {}
            }
        }
        messages
    }

    fn note_sent(&mut self, topic: &Topic, payload: &Bytes) {
        if topic.kind == Kind::Status {
            return;
        }
        let opened =
            Unopened::read(payload.clone()).ok().and_then(|m| m.open(&self.credential.key, topic).ok());
        let envelope = opened.and_then(|body| Envelope::decode(body).ok()).expect("agents send envelopes");
        for entry in &envelope.entries {
            let position = Position::new(envelope.boot.boot_count, entry.n);
            self.sent.insert((envelope.log, position), entry.record.clone());
        }
    }

    fn octets(&mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.random.u8(..))
    }

    fn monotonic(&self, now: u64) -> MonotonicMicros {
        MonotonicMicros(now - self.kernel_started + 1_000_000)
    }
}

impl Life {
    fn observe(&mut self, signals: &[Signal], now: MonotonicMicros, inputs: &mut Vec<Input>) {
        let mut observed = Vec::new();
        self.recorder.observe(signals, now, &mut observed);
        inputs.extend(observed.into_iter().map(|seen| Input::Record { at: seen.at, payload: seen.payload }));
        let (belt, at, holds_for_ms) = self.recorder.belt(now);
        inputs.push(Input::Picture(Picture { belt, at, holds_for_ms }));
    }
}
