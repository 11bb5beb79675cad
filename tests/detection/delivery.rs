//! What happens to records between an agent and the rules: positions, an unsure clock, lanes that arrive apart, things
//! delivered twice, and losses of readings. What the ingest does about it is done here in its few lines.

use std::collections::{BTreeMap, VecDeque};

use domain::ids::{IncidentId, LogId, MachineId};
use domain::incident::Incident;
use domain::incident::mind::IncidentFold;
use domain::incident::settings::Timeline;
use domain::log::{BootStart, Lane, Position};
use domain::merge::{LaneMerge, written_before};
use domain::record::Record;
use domain::units::UnixMicros;
use domain::watcher::Observed;
use fastrand::Rng;

use crate::score::Micros;

/// Greatest constant error of a boot's clock, in microseconds.
const OFFSET_US_MAX: i64 = 50_000;
/// Greatest drift, in parts of a million.
const DRIFT_PPM_MAX: i64 = 50;
/// For how long a clock drifts away before its offset is followed, in microseconds.
const FOLLOWED_US: i64 = 3_600_000_000;
/// Records that wait at the agent before some are sent.
const WAITING: usize = 200;
/// Part of the sendings of readings that are lost with their spool's disk, in lives that lose some at all.
const LOST: f64 = 0.02;
const SPOOL: [u8; 16] = [6; 16];

/// One machine's way from agent to rules.
#[derive(Debug)]
pub struct Delivery {
    machine: MachineId,
    timeline: Timeline,
    fold: IncidentFold,
    merge: LaneMerge<(UnixMicros, Record)>,
    begin: UnixMicros,
    offset_us: i64,
    drift_ppm: i64,
    /// When the first record of the boot was made.
    booted: Option<i64>,
    random: Rng,
    loses: bool,
    boot: BootStart,
    written: [u64; 2],
    waiting: [VecDeque<Waiting>; 2],
    committed: [Option<Position>; 2],
    /// Spans of life whose readings were lost.
    pub holes: Vec<(Micros, Micros)>,
    /// The newest version of each incident.
    pub incidents: BTreeMap<IncidentId, Incident>,
}

#[derive(Debug, Clone)]
struct Waiting {
    position: Position,
    after: Option<Position>,
    record: Record,
    time: UnixMicros,
}

impl Delivery {
    /// A machine whose life begins at this time.
    pub fn new(timeline: Timeline, begin: UnixMicros, loses: bool, random: Rng) -> Delivery {
        Delivery {
            machine: MachineId::new("simulated").expect("a good id"),
            timeline,
            fold: IncidentFold::default(),
            merge: LaneMerge::new(None, None),
            begin,
            offset_us: 0,
            drift_ppm: 0,
            booted: None,
            random,
            loses,
            boot: BootStart::default(),
            written: [0; 2],
            waiting: Default::default(),
            committed: [None; 2],
            holes: Vec::new(),
            incidents: BTreeMap::new(),
        }
    }

    /// An agent has started: its clock is wrong by something else.
    pub fn boot(&mut self) {
        let last = |lane: Lane| {
            let n = self.written[lane.index()];
            (n > 0).then(|| Position::new(self.boot.boot_count, n))
        };
        // Of a boot that wrote nothing in a lane, what was there before still is.
        let [events, readings] = Lane::ALL.map(last);
        let before = (events.or(self.boot.previous), readings.or(self.boot.other_previous));
        let boot_count = self.boot.boot_count + 1;
        self.boot = BootStart { boot_count, previous: before.0, other_previous: before.1, maker: None };
        self.written = [0; 2];
        self.booted = None;
        self.offset_us = self.random.i64(-OFFSET_US_MAX..=OFFSET_US_MAX);
        self.drift_ppm = self.random.i64(-DRIFT_PPM_MAX..=DRIFT_PPM_MAX);
    }

    /// The agent writes a record into its spool, and sends some.
    pub fn take(&mut self, observed: Observed) {
        let lane = observed.payload.lane();
        self.written[lane.index()] += 1;
        let position = Position::new(self.boot.boot_count, self.written[lane.index()]);
        let other_n = self.written[lane.other().index()];
        let record = Record { at: observed.at, other_n, payload: observed.payload };
        // As the lane's own start has it: `other_previous` is of the other lane.
        let start = match lane {
            Lane::Events => self.boot,
            Lane::Readings => BootStart {
                previous: self.boot.other_previous,
                other_previous: self.boot.previous,
                ..self.boot
            },
        };
        let after = written_before(&start, other_n);
        let at = record.at.0.cast_signed();
        let runs = (at - *self.booted.get_or_insert(at)).min(FOLLOWED_US);
        let time = self.begin.plus(at + runs * self.drift_ppm / 1_000_000 + self.offset_us);
        self.waiting[lane.index()].push_back(Waiting { position, after, record, time });
        if self.waiting.iter().map(VecDeque::len).sum::<usize>() > WAITING {
            self.send();
        }
    }

    /// Everything that waits is sent.
    pub fn finish(&mut self) {
        while self.waiting.iter().any(|lane| !lane.is_empty()) {
            self.send();
        }
        while let Some((lane, position, (time, record))) = self.merge.pop_regardless() {
            self.fold_merged(lane, position, time, &record);
        }
    }

    fn send(&mut self) {
        let lane = if self.random.bool() { Lane::Events } else { Lane::Readings };
        let queue = &mut self.waiting[lane.index()];
        let count = self.random.usize(1..=100).min(queue.len());
        let batch: Vec<Waiting> = queue.drain(..count).collect();
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return };
        if lane == Lane::Readings && self.loses && self.random.f64() < LOST {
            self.holes.push((first.record.at.0, last.record.at.0));
            return;
        }
        self.receive(lane, &batch);
        // An ack that is lost has the same sent again.
        if self.random.f64() < 0.1 {
            self.receive(lane, &batch);
        }
    }

    fn receive(&mut self, lane: Lane, batch: &[Waiting]) {
        for waiting in batch {
            if Some(waiting.position) <= self.committed[lane.index()] {
                continue;
            }
            self.committed[lane.index()] = Some(waiting.position);
            if lane == Lane::Events {
                let place = (LogId::for_lane(SPOOL, lane), waiting.position);
                let settings = self.timeline.at(waiting.time);
                let record = settings.record(&waiting.record);
                let changed = self.fold.at_once(&self.machine, place, waiting.time, &record, settings);
                self.keep(changed);
            }
            let item = (waiting.time, waiting.record.clone());
            let pushed = self.merge.push(lane, waiting.position, waiting.after, item);
            pushed.expect("no lane waits for more than is kept at the agent");
        }
        while let Some((lane, position, (time, record))) = self.merge.pop() {
            self.fold_merged(lane, position, time, &record);
        }
    }

    fn fold_merged(&mut self, lane: Lane, position: Position, time: UnixMicros, record: &Record) {
        let place = (LogId::for_lane(SPOOL, lane), position);
        let settings = self.timeline.at(time);
        let changed = self.fold.merged(&self.machine, place, time, &settings.record(record), settings);
        self.keep(changed);
    }

    fn keep(&mut self, changed: Vec<Incident>) {
        for incident in changed {
            self.incidents.insert(incident.id, incident);
        }
    }
}
