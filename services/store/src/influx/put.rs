//! What to write for blocks, and what to ask InfluxDB before: a mind.
//!
//! A block is *fresh* if all its numbers are above the known ones of its boot and all its times behind the known ones of
//! its machine and lane: then nothing can be in its way, and its points follow from it alone. So after a crash, when what
//! was written but not noted comes again, the same points come again. All others are *suspect*: InfluxDB is asked what
//! is there, what is there is left out, and the others get free slots.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::ids::LogId;
use domain::log::{Lane, Position};
use domain::record::Record;
use domain::units::MonotonicMicros;

use super::fields;
use super::known::{Aside, Axis, BootKey, BootKnown, Known, LaneKey, LaneKnown, Span, Spans};
use super::line::{Line, Lines};
use crate::telemetry::Block;

/// Points of one microsecond of one machine and lane.
const SLOTS: u16 = 1_000;
/// Microseconds between two stretches from which on they are asked for one by one.
const APART_US: i64 = 6 * 3_600 * 1_000_000;
/// Least and greatest microsecond of which every slot is a time that InfluxDB can keep.
pub(super) const TIMES: Span = Span { first: i64::MIN / 1_000 + 1, last: i64::MAX / 1_000 - 1 };

/// What InfluxDB is to be asked: which records are there in some stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) key: LaneKey,
    pub(super) axis: Axis,
    pub(super) span: Span,
    /// Only stretches that have some of these numbers matter, from the first to the last.
    pub(super) numbers: Option<(u64, u64)>,
}

/// A record that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) us: i64,
    pub(super) slot: u16,
    pub(super) log: LogId,
    pub(super) position: Position,
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    /// To the bucket of the events.
    pub(super) events: Lines,
    /// To the bucket of the readings.
    pub(super) readings: Lines,
    /// To the bucket of everything else.
    pub(super) undated: Lines,
    /// What no point can be made of.
    pub(super) aside: Vec<Aside>,
    /// What is known when it is written.
    pub(super) known: Known,
}

/// Blocks on their way to points.
#[derive(Debug)]
pub(super) struct Plan {
    blocks: Vec<Judged>,
    keys: Vec<LaneKey>,
    known: Known,
    /// Records that are stored, of those that it matters of.
    there: HashSet<Name>,
    /// Records of suspect blocks.
    wanted: HashSet<Name>,
    /// Slots that are taken, of the microseconds that matter.
    slots: HashMap<Moment, BTreeSet<u16>>,
}

/// A record, by machine and lane as an index into [`Plan::keys`].
type Name = (usize, LogId, Position);
/// A microsecond of a machine and lane.
type Moment = (usize, Axis, i64);

#[derive(Debug)]
struct Judged {
    block: Block,
    key: usize,
    axis: Axis,
    is_suspect: bool,
    /// Where else its records may be, and with which numbers.
    elsewhere: Option<(Spans, (u64, u64))>,
}

impl Judged {
    fn name(&self, n: u64) -> Name {
        (self.key, self.block.log, Position::new(self.block.boot_count, n))
    }

    fn us(&self, record: &Record) -> i64 {
        match self.block.clock.unix(record.at) {
            Some(time) => time.0,
            None => i64::try_from(record.at.0).unwrap_or(i64::MAX),
        }
    }

    /// The times of those that InfluxDB can keep.
    fn times(&self) -> impl Iterator<Item = i64> {
        let times = self.block.records.iter().map(|(_, record)| self.us(record));
        times.filter(|us| (TIMES.first..=TIMES.last).contains(us))
    }

    fn span(&self) -> Option<Span> {
        self.times().map(|us| Span { first: us, last: us }).reduce(Span::and)
    }
}

impl Plan {
    /// Judges the blocks in their order, each by what is known and by those before it. `known` must have all their
    /// machines and boots that were ever written, and its lanes must be of its era.
    pub(super) fn new(blocks: Vec<Block>, known: Known) -> Plan {
        let mut plan = Plan {
            blocks: Vec::new(),
            keys: Vec::new(),
            known,
            there: HashSet::new(),
            wanted: HashSet::new(),
            slots: HashMap::new(),
        };
        let mut numbers = BTreeMap::new();
        for block in blocks {
            let key = LaneKey { machine: block.machine.clone(), lane: block.lane };
            let index = *numbers.entry(key.clone()).or_insert_with(|| {
                plan.keys.push(key);
                plan.keys.len() - 1
            });
            plan.judge(block, index);
        }
        plan
    }

    fn judge(&mut self, block: Block, key: usize) {
        let axis = match block.clock.unix(MonotonicMicros(0)) {
            Some(_) => Axis::Dated,
            None => Axis::Undated,
        };
        let mut judged = Judged { block, key, axis, is_suspect: false, elsewhere: None };
        let records = &judged.block.records;
        let Some(((first_n, _), (last_n, _))) = records.first().zip(records.last()) else { return };
        let (first_n, last_n, span) = (*first_n, *last_n, judged.span());
        let era = self.known.era;
        let lane = self
            .known
            .lanes
            .entry(self.keys[key].clone())
            .or_insert_with(|| LaneKnown { era, ..LaneKnown::default() });
        let boot = lane.boots.get(&(judged.block.log, judged.block.boot_count)).copied();
        let known = lane.times.on(axis);
        let is_later = span.zip(known).is_none_or(|(span, known)| span.first > known.last);
        let is_above = boot.is_none_or(|boot| first_n > boot.last_n);
        let is_seen = lane.unseen.is_empty() || boot.is_some_and(|boot| boot.era == era);
        judged.is_suspect = !(is_later && is_above && is_seen);
        if judged.is_suspect {
            judged.elsewhere = elsewhere(lane, boot, is_seen);
            for (n, record) in &judged.block.records {
                self.wanted.insert(judged.name(*n));
                self.slots.entry((key, axis, judged.us(record))).or_default();
            }
        }
        if let Some(span) = span {
            lane.times.add(axis, span);
            note(lane, (judged.block.log, judged.block.boot_count), (first_n, last_n), axis, span, era);
        }
        self.blocks.push(judged);
    }

    /// What to ask first: what is there where the suspects want to be.
    pub(super) fn looks(&self) -> Vec<Look> {
        let mut stretches: BTreeMap<(usize, Axis), Vec<Span>> = BTreeMap::new();
        for judged in self.blocks.iter().filter(|judged| judged.is_suspect) {
            let spans = stretches.entry((judged.key, judged.axis)).or_default();
            spans.extend(judged.times().map(|us| Span { first: us, last: us }));
        }
        let look = |key: usize, axis, span| Look { key: self.keys[key].clone(), axis, span, numbers: None };
        let of = |((key, axis), spans)| joined(spans).into_iter().map(move |span| look(key, axis, span));
        stretches.into_iter().flat_map(of).collect()
    }

    /// What to ask then: records that were not found where they want to be may be stored under another time.
    pub(super) fn further_looks(&self) -> Vec<Look> {
        let mut looks: BTreeMap<(usize, Axis), (Span, (u64, u64))> = BTreeMap::new();
        for judged in &self.blocks {
            let Some((spans, (least, greatest))) = &judged.elsewhere else { continue };
            let is_missing = |n: &u64| !self.there.contains(&judged.name(*n));
            let numbers = judged.block.records.iter().map(|(n, _)| *n);
            let mut missing = numbers.filter(|n| (*least..=*greatest).contains(n)).filter(is_missing);
            let Some(first) = missing.next() else { continue };
            let last = missing.next_back().unwrap_or(first);
            for (axis, span) in Axis::ALL.into_iter().filter_map(|axis| Some((axis, spans.on(axis)?))) {
                match looks.entry((judged.key, axis)) {
                    Entry::Vacant(vacant) => {
                        vacant.insert((span, (first, last)));
                    }
                    Entry::Occupied(mut occupied) => {
                        let (known, (least, greatest)) = *occupied.get();
                        occupied.insert((known.and(span), (least.min(first), greatest.max(last))));
                    }
                }
            }
        }
        let look = |((key, axis), (span, numbers)): ((usize, Axis), _)| Look {
            key: self.keys[key].clone(),
            axis,
            span,
            numbers: Some(numbers),
        };
        looks.into_iter().map(look).collect()
    }

    /// Takes an answer, or a part of it.
    pub(super) fn found(&mut self, look: &Look, found: &[Found]) {
        let Some(key) = self.keys.iter().position(|key| *key == look.key) else { return };
        for found in found {
            let name = (key, found.log, found.position);
            let slots = self.slots.get_mut(&(key, look.axis, found.us));
            // A fresh record may share a suspect's microsecond and be there, too: it must not get a second slot.
            if slots.is_some() || self.wanted.contains(&name) {
                self.there.insert(name);
            }
            if let Some(slots) = slots {
                slots.insert(found.slot);
            }
        }
    }

    /// The points of what is not there.
    pub(super) fn finish(mut self) -> Written {
        let mut written = Written::default();
        let blocks = std::mem::take(&mut self.blocks);
        for judged in &blocks {
            let mut left_out = 0;
            for (n, record) in &judged.block.records {
                if !self.there.insert(judged.name(*n)) {
                    left_out += 1;
                    continue;
                }
                self.write(judged, *n, record, &mut written);
            }
            if judged.is_suspect && left_out == 0 {
                self.nothing_of_it_was_there(judged);
            }
        }
        written.known = self.known;
        written
    }

    fn write(&mut self, judged: &Judged, n: u64, record: &Record, written: &mut Written) {
        let us = judged.us(record);
        let slots = self.slots.entry((judged.key, judged.axis, us)).or_default();
        let slot = (0..SLOTS).find(|slot| !slots.contains(slot));
        let line = told(judged, n, record);
        let (Some(slot), true) = (slot, (TIMES.first..=TIMES.last).contains(&us)) else {
            let reason = match slot {
                None => format!("there are {SLOTS} records of this microsecond already"),
                Some(_) => format!("InfluxDB has no time {us} µs after 1970"),
            };
            let lines = Lines::from_iter([line.at(us)]);
            written
                .aside
                .extend(lines.iter().map(|line| Aside { reason: reason.clone(), line: line.to_owned() }));
            return;
        };
        slots.insert(slot);
        let lines = match (judged.axis, judged.block.lane) {
            (Axis::Undated, _) => &mut written.undated,
            (Axis::Dated, Lane::Events) => &mut written.events,
            (Axis::Dated, Lane::Readings) => &mut written.readings,
        };
        lines.push(line.at(us * 1_000 + i64::from(slot)));
    }

    /// So nobody has written of this boot what this folder does not know.
    fn nothing_of_it_was_there(&mut self, judged: &Judged) {
        let era = self.known.era;
        let boot = (judged.block.log, judged.block.boot_count);
        let lane = self.known.lanes.get_mut(&self.keys[judged.key]);
        if let Some(known) = lane.and_then(|lane| lane.boots.get_mut(&boot)) {
            known.era = era;
        }
    }
}

fn told(judged: &Judged, n: u64, record: &Record) -> Line {
    let block = &judged.block;
    let line = match judged.axis {
        Axis::Dated => Line::new(measurement(block.lane)).tag("machine", block.machine.as_str()),
        Axis::Undated => {
            Line::new(UNDATED).tag("lane", block.lane.name()).tag("machine", block.machine.as_str())
        }
    };
    fields::tell(line, block.log, Position::new(block.boot_count, n), block.clock.uncertainty_us, record)
}

/// The measurement of undated records of both lanes.
pub(super) const UNDATED: &str = "undated";

/// The measurement of dated records of a lane.
pub(super) fn measurement(lane: Lane) -> &'static str {
    match lane {
        Lane::Events => "event",
        Lane::Readings => "reading",
    }
}

/// Where records of a boot may be that are not where they want to be.
fn elsewhere(lane: &LaneKnown, boot: Option<BootKnown>, is_seen: bool) -> Option<(Spans, (u64, u64))> {
    let mut spans = boot.map(|boot| boot.times).unwrap_or_default();
    if is_seen {
        let boot = boot?;
        return Some((spans, (boot.first_n, boot.last_n)));
    }
    for axis in Axis::ALL {
        if let Some(span) = lane.unseen.on(axis) {
            spans.add(axis, span);
        }
    }
    Some((spans, (0, u64::MAX)))
}

/// Notes where records of a boot may be from now on.
fn note(lane: &mut LaneKnown, key: BootKey, numbers: (u64, u64), axis: Axis, span: Span, era: u64) {
    let is_seen = lane.unseen.is_empty();
    let boot = lane.boots.entry(key).or_insert(BootKnown {
        first_n: numbers.0,
        last_n: numbers.1,
        times: Spans::default(),
        era: if is_seen { era } else { era.saturating_sub(1) },
    });
    boot.first_n = boot.first_n.min(numbers.0);
    boot.last_n = boot.last_n.max(numbers.1);
    boot.times.add(axis, span);
}

/// Stretches that are close to each other as one.
fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable_by_key(|span| (span.first, span.last));
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.first.saturating_sub(last.last) <= APART_US => *last = last.and(span),
            Some(_) | None => joined.push(span),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
