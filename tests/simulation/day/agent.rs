//! One agent of the day: the real minds, offline for hours and then back.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use agent::outbox::{Effect, Input, Outbox};
use agent::recorder::Recorder;
use agent::source::simulate::{Profile, Simulator};
use agent::spool::{BootIds, Bounds, KernelBoot, Spool, SpoolId};
use agent::uplink::message::{Picture, Speaker};
use bytes::Bytes;
use domain::belt::Belt;
use domain::ids::BootId;
use domain::log::{Lane, Position};
use domain::signal::{Script, SourceNumber};
use domain::units::MonotonicMicros;
use domain::watcher::WatcherSettings;
use wire::credential::Credential;
use wire::topics::Topic;

use crate::simulation::disk::SimulatedDisk;
use crate::simulation::network::{Message, To};

/// How many of the newest pictures are remembered.
const PICTURES_KEPT: usize = 300;

/// What one lane of one machine holds, in short: two are the same only if all their records are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) records: u64,
    digest: u64,
}

impl Sum {
    pub(super) fn add(&mut self, position: Position, octets: &Bytes) {
        let mut hasher = DefaultHasher::new();
        (position, octets).hash(&mut hasher);
        self.records += 1;
        self.digest = self.digest.wrapping_add(hasher.finish());
    }
}

pub(super) struct DayAgent {
    pub(super) credential: Credential,
    /// What was written down, by lane.
    pub(super) made: [Sum; 2],
    /// The greatest positions of what was written down before the connection was back.
    pub(super) backlog: [Option<Position>; 2],
    pub(super) connects_at: u64,
    pub(super) is_connected: bool,
    number: usize,
    script: Simulator,
    recorder: Recorder,
    outbox: Outbox<SimulatedDisk>,
    pictures: VecDeque<(u64, Belt)>,
}

impl DayAgent {
    pub(super) fn new(number: usize, credential: Credential, seed: u64) -> DayAgent {
        let profile = if seed.is_multiple_of(3) { Profile::ftms() } else { Profile::encoder() };
        let mut random = fastrand::Rng::with_seed(seed);
        let mut octets = || std::array::from_fn(|_| random.u8(..));
        let ids =
            BootIds { boot: BootId(octets()), kernel: KernelBoot(octets()), fresh_spool: SpoolId(octets()) };
        let start = MonotonicMicros(0);
        let script = Simulator::new(SourceNumber(0), seed, profile, start);
        let disk = SimulatedDisk::without_memory();
        let spool = Spool::open(disk, ids, Bounds::default(), start).expect("the disk works");
        let speaker = Speaker::new(&credential, ids.boot, script.spec().capabilities);
        DayAgent {
            credential,
            made: [Sum::default(); 2],
            backlog: [None; 2],
            connects_at: u64::MAX,
            is_connected: false,
            number,
            recorder: Recorder::new(vec![script.spec()], WatcherSettings::default(), start),
            script,
            outbox: Outbox::new(spool, speaker, seed, start),
            pictures: VecDeque::new(),
        }
    }

    /// Lives until then; what its belt did since the last step is observed at once.
    pub(super) fn step(&mut self, now: u64, is_observing: bool) -> Vec<Message> {
        let at = MonotonicMicros(now);
        let (mut signals, mut observed) = (Vec::new(), Vec::new());
        if is_observing {
            self.script.observe(at, &mut signals);
            self.recorder.observe(&signals, at, &mut observed);
        }
        let mut inputs: Vec<Input> =
            observed.into_iter().map(|seen| Input::Record { at: seen.at, payload: seen.payload }).collect();
        let (belt, seen, holds_for_ms) = self.recorder.belt(at);
        inputs.push(Input::Picture(Picture { belt, at: seen, holds_for_ms }));
        self.remember(now, belt);
        if !self.is_connected && now >= self.connects_at {
            self.is_connected = true;
            inputs.push(Input::Connected { connection: 1 });
        }
        inputs.push(Input::Tick);
        self.apply(inputs, at)
    }

    pub(super) fn receive(&mut self, now: u64, payload: Bytes) -> Vec<Message> {
        self.apply(vec![Input::Ack(payload)], MonotonicMicros(now))
    }

    /// Notes what of its spool is backlog.
    pub(super) fn note_backlog(&mut self) {
        self.backlog = Lane::ALL.map(|lane| self.outbox.spool().newest(lane));
    }

    /// Records dropped or left out for want of room.
    pub(super) fn dropped(&self) -> u64 {
        let dropped = self.outbox.status().lanes.iter().map(|lane| lane.dropped).sum::<u64>();
        dropped + self.outbox.counts().pieces_left_out + self.outbox.counted()
    }

    pub(super) fn spool_octets(&self) -> u64 {
        self.outbox.status().bytes
    }

    /// Whether it saw the belt like that a short while ago.
    pub(super) fn has_seen(&self, belt: &Belt) -> bool {
        self.seen_last(belt).is_some()
    }

    /// When it saw the belt like that last.
    pub(super) fn seen_last(&self, belt: &Belt) -> Option<u64> {
        let same = |seen: &Belt| (seen.speed, seen.contacts) == (belt.speed, belt.contacts);
        self.pictures.iter().rev().find(|(_, seen)| same(seen)).map(|(at, _)| *at)
    }

    fn remember(&mut self, now: u64, belt: Belt) {
        if self.pictures.len() >= PICTURES_KEPT {
            self.pictures.pop_front();
        }
        self.pictures.push_back((now, belt));
    }

    fn apply(&mut self, inputs: Vec<Input>, at: MonotonicMicros) -> Vec<Message> {
        let mut effects: Vec<Effect> =
            inputs.into_iter().flat_map(|input| self.outbox.apply(input, at)).collect();
        let (rows, more) = self.outbox.write(at);
        for (lane, row) in rows {
            self.made[lane.index()].add(row.position, &row.octets);
        }
        effects.extend(more);
        if !self.is_connected {
            return Vec::new();
        }
        let publish = |effect| match effect {
            Effect::Publish(message) => {
                let topic = Topic::new(self.credential.machine.clone(), message.kind).to_string();
                Some(Message { to: To::Ingest, topic, payload: message.payload })
            }
            Effect::Reconnect | Effect::Settings(_) | Effect::Notice(_) => None,
        };
        effects.into_iter().filter_map(publish).collect()
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }
}
