//! One agent of the simulation: the real minds (simulator, recorder, spool, uplink) on a disk with a power switch.

mod life;

use std::collections::{BTreeMap, BTreeSet};

use agent::outbox::{Effect, Input, Notice, Outbox};
use agent::recorder::Recorder;
use agent::source::simulate::{Profile, Simulator};
use agent::spool::{BootIds, Bounds, KernelBoot, Spool, SpoolId};
use agent::uplink::message::Speaker;
use bytes::Bytes;
use domain::ids::{BootId, LogId};
use domain::log::{Lane, Position};
use domain::signal::{Script, SourceNumber};
use domain::units::MonotonicMicros;
use domain::watcher::WatcherSettings;
use wire::credential::Credential;
use wire::envelope::Envelope;
use wire::seal::Unopened;
use wire::topics::{Kind, Topic};

use self::life::Life;
use super::clocks::SystemClock;
use super::disk::{Extent, SimulatedDisk};
use super::made::Place;
use super::network::{Message, To};
use super::tally::{Met, Tally};

/// A machine with its agent, or without while it is dead.
pub(crate) struct SimulatedAgent {
    pub(crate) credential: Credential,
    pub(crate) disk: SimulatedDisk,
    pub(crate) clock: Option<SystemClock>,
    /// Every record that was ever given to the network: nothing else may be stored.
    pub(crate) sent: BTreeMap<Place, Bytes>,
    /// The boots that it began, each with its spool's log of events.
    pub(crate) boots: BTreeSet<(LogId, u32)>,
    /// Promises that its own minds broke.
    pub(crate) broken: Vec<String>,
    pub(crate) tally: Tally,
    /// When it starts, if it is dead.
    pub(crate) starts_at: u64,
    /// No connection before this.
    pub(crate) offline_until: u64,
    bounds: Bounds,
    random: fastrand::Rng,
    script: Simulator,
    life: Option<Life>,
    kernel: [u8; 16],
    /// When the kernel started, by the world's clock; monotonic time counts from there.
    kernel_started: u64,
    /// Whether the next death within a call of the disk is a power cut.
    dies_by_power: bool,
    /// What the broker publishes when it loses the connection.
    will: Option<Message>,
    /// Wills of connections that were lost.
    wills: Vec<Message>,
}

impl SimulatedAgent {
    pub(crate) fn new(credential: Credential, seed: u64, pace: f64, bounds: Bounds) -> SimulatedAgent {
        let profile = if seed.is_multiple_of(3) { Profile::ftms() } else { Profile::encoder() };
        let mut random = fastrand::Rng::with_seed(seed);
        SimulatedAgent {
            credential,
            disk: SimulatedDisk::default(),
            clock: None,
            sent: BTreeMap::new(),
            boots: BTreeSet::new(),
            broken: Vec::new(),
            tally: Tally::default(),
            starts_at: 0,
            offline_until: 0,
            bounds,
            kernel: std::array::from_fn(|_| random.u8(..)),
            random,
            script: Simulator::new(SourceNumber(0), seed, profile.with_pace(pace), MonotonicMicros(0)),
            life: None,
            kernel_started: 0,
            dies_by_power: false,
            will: None,
            wills: Vec::new(),
        }
    }

    /// A second computer with a copy of the card: the same credential, the same spool, other people on its belt.
    pub(crate) fn copied(&self, seed: u64, now: u64) -> SimulatedAgent {
        let mut copy = SimulatedAgent::new(self.credential.clone(), seed, 20.0, self.bounds);
        copy.disk = self.disk.copy();
        copy.script = Simulator::new(SourceNumber(0), seed, Profile::encoder(), MonotonicMicros(now));
        copy.kernel_started = now;
        copy
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.is_connected)
    }

    /// Starts the process. It may fail to, if its disk does.
    fn start(&mut self, now: u64) {
        let (boot, fresh) = (self.octets(), self.octets());
        let ids =
            BootIds { boot: BootId(boot), kernel: KernelBoot(self.kernel), fresh_spool: SpoolId(fresh) };
        let monotonic = self.monotonic(now);
        self.disk.set_generation(self.credential.generation);
        let Ok(spool) = Spool::open(self.disk.clone(), ids, self.bounds, monotonic) else {
            self.die_if_dead(now);
            return;
        };
        let spec = self.script.spec();
        self.boots.insert((spool.log(Lane::Events), spool.boot().boot_count));
        let speaker = Speaker::new(&self.credential, ids.boot, spec.capabilities);
        let counted = spool.counted();
        let recorder = Recorder::new(vec![spec], WatcherSettings::default(), monotonic);
        let outbox = Outbox::new(spool, speaker, self.random.u64(..), monotonic);
        self.life = Some(Life::new(recorder, outbox, counted, now));
        self.clock.iter_mut().for_each(SystemClock::forget_look);
    }

    /// SIGKILL: the process is gone; what the kernel holds for it stays.
    pub(crate) fn kill(&mut self) {
        self.lose_connection();
        if let Some(life) = self.life.take() {
            self.tally.add(&life.tally());
        }
    }

    /// The plug is pulled: unsynced readings may be gone, and the monotonic clock starts again.
    pub(crate) fn cut_power(&mut self, now: u64) {
        self.kill();
        self.kernel = self.octets();
        self.kernel_started = now;
        self.disk.cut_power(self.random.usize(0..8), self.random.bool());
    }

    /// The process, or the power, is gone within a call of the disk soon.
    pub(crate) fn die_in_call(&mut self) {
        let extent = self.random.choice([Extent::Whole, Extent::Half, Extent::Nothing]);
        self.disk.die_in(self.random.u64(1..30), extent.unwrap_or(Extent::Nothing));
        self.dies_by_power = self.random.bool();
    }

    /// A new card in the machine: nothing of the old spool is left.
    pub(crate) fn wipe(&mut self, now: u64) {
        self.cut_power(now);
        self.disk.wipe();
    }

    /// The connection is gone; the agent tries again after a while.
    pub(crate) fn disconnect(&mut self, now: u64, pause_us: u64) {
        let monotonic = self.monotonic(now);
        self.lose_connection();
        if let Some(life) = self.life.as_mut().filter(|life| life.is_connected) {
            life.outbox.apply(Input::Disconnected, monotonic);
            life.is_connected = false;
            life.retry_at = now + pause_us;
        }
    }

    /// Wills of connections that were lost since the last call.
    pub(crate) fn take_wills(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.wills)
    }

    /// A tenth of a second of life. The belt runs on whether its agent lives or not.
    pub(crate) fn step(&mut self, now: u64, is_observing: bool) -> Vec<Message> {
        if self.life.is_none() && now >= self.starts_at {
            self.start(now);
        }
        let monotonic = self.monotonic(now);
        let mut signals = Vec::new();
        if is_observing {
            self.script.observe(MonotonicMicros(now), &mut signals);
        }
        let Some(life) = &mut self.life else { return Vec::new() };
        let mut inputs = Vec::new();
        if is_observing {
            signals.iter_mut().for_each(|signal| signal.at = monotonic);
            life.observe(&signals, monotonic, &mut inputs);
        }
        let told = self.clock.as_mut().and_then(|clock| clock.look(now, monotonic));
        inputs.extend(told.map(Input::SystemClock));
        if !life.is_connected && now >= life.retry_at.max(self.offline_until) {
            let connection = life.connect();
            inputs.push(Input::Connected { connection });
            let will = life.outbox.will(connection);
            self.will = Some(self.address(will));
        }
        inputs.push(Input::Tick);
        self.apply(inputs, now)
    }

    /// Something came on the ack topic.
    pub(crate) fn receive(&mut self, now: u64, payload: Bytes) -> Vec<Message> {
        if !self.is_connected() {
            return Vec::new();
        }
        self.apply(vec![Input::Ack(payload)], now)
    }

    /// Something came on the ack topic that nobody genuine had sent: it must be ignored.
    pub(crate) fn receive_forged(&mut self, now: u64, payload: Bytes) -> Vec<Message> {
        let before = self.life.as_ref().filter(|life| life.is_connected).map(|life| life.acks_refused);
        let messages = self.receive(now, payload);
        if let (Some(before), Some(life)) = (before, &self.life) {
            self.tally.note(Met::ForgedAcksIgnored, 1);
            if life.acks_refused != before + 1 {
                self.broken.push(format!("a forged ack was taken at {} ms", now / 1_000));
            }
        }
        messages
    }

    /// Whether all that it saw is acknowledged.
    pub(crate) fn is_drained(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.outbox.is_empty())
    }

    /// What it holds and last heard, for people.
    pub(crate) fn state(&self) -> String {
        let Some(life) = &self.life else { return "it does not run".to_owned() };
        let (status, counts) = (life.outbox.status(), life.outbox.counts().uplink);
        let (records, counted) = (status.records, life.outbox.counted());
        let is_connected = life.is_connected;
        let last = life.newest_notice.as_deref().unwrap_or("nothing");
        format!(
            "{records:?} records wait, {counted} are counted; connected: {is_connected}; {counts:?}; it noticed {last}"
        )
    }

    /// Adds up what it met.
    pub(crate) fn finish(&mut self) {
        self.kill();
        self.tally.note(Met::DiskFull, self.disk.refused_as_full());
    }

    /// Inputs in, then one writing: a death in a call of the disk ends all that comes after it.
    fn apply(&mut self, inputs: Vec<Input>, now: u64) -> Vec<Message> {
        let monotonic = self.monotonic(now);
        let mut messages = Vec::new();
        for input in inputs {
            let Some(life) = &mut self.life else { break };
            life.note_offered(&input);
            let effects = life.outbox.apply(input, monotonic);
            if !self.disk.is_dead() {
                self.perform(effects, now, &mut messages);
            }
        }
        if let Some(life) = self.life.as_mut().filter(|_| !self.disk.is_dead()) {
            let (rows, effects) = life.outbox.write(monotonic);
            if !self.disk.is_dead() {
                self.broken.extend(life.note_written(&rows, &effects));
                self.perform(effects, now, &mut messages);
            }
        }
        self.die_if_dead(now);
        messages
    }

    fn perform(&mut self, effects: Vec<Effect>, now: u64, messages: &mut Vec<Message>) {
        let is_connected = self.is_connected();
        for effect in effects {
            if let (Effect::Notice(notice), Some(life)) = (&effect, &mut self.life) {
                life.newest_notice = Some(format!("{notice:?}"));
            }
            match effect {
                Effect::Publish(message) if is_connected => messages.push(self.address(message)),
                Effect::Notice(Notice::NoAck(_)) => {
                    self.life.iter_mut().for_each(|life| life.acks_refused += 1);
                }
                Effect::Notice(Notice::Renewed { log, .. }) => {
                    self.tally.note(Met::Renewed, 1);
                    let boot = self.life.as_mut().map(|life| life.outbox.spool().boot().boot_count);
                    self.boots.extend(boot.map(|boot_count| (log, boot_count)));
                }
                Effect::Reconnect => self.disconnect(now, 100_000),
                Effect::Publish(_) | Effect::Settings(_) | Effect::Notice(_) => {}
            }
        }
    }

    fn die_if_dead(&mut self, now: u64) {
        if !self.disk.is_dead() {
            return;
        }
        self.tally.note(Met::DiedInCall, 1);
        self.starts_at = now + self.random.u64(0..5_000_000);
        if std::mem::take(&mut self.dies_by_power) {
            self.cut_power(now);
        } else {
            self.kill();
        }
        self.disk.revive();
    }

    fn lose_connection(&mut self) {
        self.wills.extend(self.will.take());
    }

    fn address(&mut self, message: agent::uplink::message::Message) -> Message {
        let topic = Topic::new(self.credential.machine.clone(), message.kind);
        self.note_sent(&topic, &message.payload);
        Message { to: To::Ingest, topic: topic.to_string(), payload: message.payload }
    }

    fn note_sent(&mut self, topic: &Topic, payload: &Bytes) {
        if topic.kind == Kind::Status {
            return;
        }
        let opened =
            Unopened::read(payload.clone()).ok().and_then(|m| m.open(&self.credential.key, topic).ok());
        // While a disk fails in the middle of giving a boot another number, what is read from it may not fit together: the
        // ingest refuses it, and the agent tries again.
        let Some(envelope) = opened.and_then(|body| Envelope::decode(body).ok()) else { return };
        for entry in &envelope.entries {
            let place = (envelope.log, Position::new(envelope.boot.boot_count, entry.n));
            let is_of_before =
                self.disk.generation(&place).is_some_and(|made| made < self.credential.generation);
            self.tally.note(Met::BacklogRenewed, u64::from(is_of_before));
            if let Some(life) = &mut self.life {
                life.note_told(envelope.lane, place.1, &entry.record);
            }
            let before = self.sent.insert(place, entry.record.clone());
            if before.is_some_and(|before| before != entry.record) {
                self.broken.push(format!("{place:?} was sent with two contents"));
            }
        }
    }

    fn octets(&mut self) -> [u8; 16] {
        std::array::from_fn(|_| self.random.u8(..))
    }

    fn monotonic(&self, now: u64) -> MonotonicMicros {
        MonotonicMicros(now - self.kernel_started + 1_000_000)
    }
}
