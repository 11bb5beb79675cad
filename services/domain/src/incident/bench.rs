//! The bench: rules side by side over one track. It makes incidents of what they say: one an episode.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::{Definition, Finding, Judged, Memory, Verdict};
use super::settings::MachineSettings;
use super::track::{Seen, Step, Track};
use super::{Incident, Rule};
use crate::ids::{IncidentId, LogId, MachineId, RecordingId};
use crate::log::{Lane, Position};
use crate::signal::Capabilities;
use crate::units::{MonotonicMicros, UnixMicros};

/// A rule holds again as a new episode only after it did not hold for so long, in microseconds.
pub const REARM_US: i64 = 3_000_000;

/// Everything of one bench that a checkpoint keeps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bench {
    /// What the rules look at.
    pub track: Track,
    /// What they remember; a rule that remembers nothing is not in here.
    memories: Memories,
    /// Episodes that have not ended.
    episodes: BTreeMap<Rule, Episode>,
    /// The spool and boot of the newest record.
    spool: Option<(LogId, u32)>,
    /// The newest event that a recording covers, and that recording.
    recording: Option<(UnixMicros, RecordingId)>,
}

/// What each rule remembers. Of rules that remember nothing a checkpoint says nothing.
#[derive(Debug, Clone, Eq, Default, Deserialize)]
#[serde(transparent)]
struct Memories(BTreeMap<Rule, Memory>);

impl Memories {
    fn of_something(&self) -> impl Iterator<Item = (&Rule, &Memory)> {
        self.0.iter().filter(|(_, memory)| !memory.is_empty())
    }
}

impl PartialEq for Memories {
    fn eq(&self, other: &Memories) -> bool {
        self.of_something().eq(other.of_something())
    }
}

impl Serialize for Memories {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.of_something())
    }
}

/// From when a rule holds until it has not held for [`REARM_US`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Episode {
    incident: IncidentId,
    clear_since: Option<UnixMicros>,
    /// Whether that was told.
    #[serde(default)]
    is_told: bool,
    /// The proof test in which it began.
    #[serde(default)]
    drill: Option<u64>,
}

/// A record with its place.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The machine.
    pub machine: &'a MachineId,
    /// In which log.
    pub log: LogId,
    /// Where in it.
    pub position: Position,
    /// Event time.
    pub time: UnixMicros,
    /// The record.
    pub seen: Seen<'a>,
}

impl Placed<'_> {
    /// The recording that was begun at this time of the record's boot.
    fn recording(&self, trigger: MonotonicMicros) -> RecordingId {
        let events = LogId::for_lane(self.log.0, Lane::Events);
        RecordingId::of(self.machine, events, self.position.boot_count, trigger)
    }
}

/// What a bench says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An incident has arisen.
    Raised(Box<Incident>),
    /// An open one goes on: it may have become worse, or stand for more edges.
    Goes(IncidentId, Box<Finding>),
    /// The machine has stopped doing it.
    Cleared(IncidentId, UnixMicros),
    /// It has an explanation and is over.
    Explained(IncidentId, UnixMicros, &'static str),
}

impl Bench {
    /// Takes a record and lets all rules of this kind judge it.
    pub fn take(&mut self, judged: Judged, placed: &Placed<'_>, settings: &MachineSettings) -> Vec<Change> {
        let told = placed.time;
        let mut placed = *placed;
        let mut changes = Vec::new();
        let spool = (LogId::for_lane(placed.log.0, Lane::Events), placed.position.boot_count);
        let is_same_life = self.spool.replace(spool).is_none_or(|before| before == spool);
        if let Some(newest) = self.track.time {
            // What was written in one life hangs together, though an edge may be told behind what came after it.
            let back_us = if is_same_life { BACK_IN_LIFE_US } else { BACK_US };
            if newest.since(placed.time) > back_us {
                self.track.restart();
                self.memories.0.clear();
                let open =
                    std::mem::take(&mut self.episodes).into_values().filter(|episode| !episode.is_told);
                changes.extend(open.map(|episode| Change::Cleared(episode.incident, newest)));
            } else {
                placed.time = placed.time.max(newest);
            }
        }
        self.track.take(placed.time, told, &placed.seen, settings);
        if let Seen::Event { event, .. } = placed.seen {
            let covered = event.recording.map(|trigger| (placed.time, placed.recording(trigger)));
            self.recording = covered.or(self.recording);
        }
        for rule in Rule::ALL {
            let definition = rule.definition();
            if definition.judged == judged {
                self.judge(definition, &placed, settings, &mut changes);
            }
        }
        changes
    }

    fn judge(
        &mut self,
        definition: &'static Definition,
        placed: &Placed<'_>,
        settings: &MachineSettings,
        changes: &mut Vec<Change>,
    ) {
        let rule = definition.rule;
        let capabilities = self.track.capabilities.unwrap_or_default();
        if rule.blind(capabilities, settings).is_some() {
            self.memories.0.remove(&rule);
            // An incident of which nothing can be told any more must not stay for ever, nor take in a new one.
            let open = self.episodes.remove(&rule).filter(|episode| !episode.is_told);
            let ended = |episode: Episode| Change::Explained(episode.incident, placed.time, NO_LONGER_TOLD);
            changes.extend(open.map(ended));
            return;
        }
        let step = Step { time: placed.time, seen: placed.seen, track: &self.track, settings };
        let verdict = (definition.judge)(self.memories.0.entry(rule).or_default(), &step);
        match verdict {
            // A reading that leaves it open is none of a stretch in which it did not hold.
            Verdict::Open => {
                let episode = self.episodes.get_mut(&rule).filter(|episode| !episode.is_told);
                if let (Some(episode), Seen::Reading { .. }) = (episode, placed.seen) {
                    episode.clear_since = None;
                }
            }
            Verdict::Clear => self.clear(definition, placed.time, changes),
            Verdict::Holds(finding) => {
                self.hold(definition, finding, placed, settings, capabilities, changes);
            }
            Verdict::Explained(why) => {
                if let Some(episode) = self.episodes.remove(&rule) {
                    changes.push(Change::Explained(episode.incident, placed.time, why));
                }
            }
        }
    }

    fn hold(
        &mut self,
        definition: &'static Definition,
        finding: Finding,
        placed: &Placed<'_>,
        settings: &MachineSettings,
        capabilities: Capabilities,
        changes: &mut Vec<Change>,
    ) {
        let rule = definition.rule;
        let ended = finding.is_momentary.then_some(finding.time);
        if let Some(episode) = self.episodes.get_mut(&rule) {
            let is_long_ago = |since| placed.time.since(since) >= REARM_US;
            let is_over = episode.is_told && episode.clear_since.is_some_and(is_long_ago);
            // What goes on when the proof test is over is part of it no more.
            let outlasts = episode.drill.is_some() && episode.drill != settings.drill;
            if !is_over && !finding.is_another && !outlasts {
                (episode.clear_since, episode.is_told) = (ended, ended.is_some());
                changes.push(Change::Goes(episode.incident, Box::new(finding)));
                return;
            }
            if !episode.is_told {
                let last = if outlasts { placed.time } else { finding.time };
                let since = episode.clear_since.unwrap_or(last);
                changes.push(Change::Cleared(episode.incident, since));
            }
        }
        let mut incident = raised(definition, finding, placed, settings, capabilities);
        let covers = |(time, _): &(UnixMicros, RecordingId)| incident.time.since(*time).abs() <= COVERED_US;
        incident.recording = self.recording.filter(covers).map(|(_, recording)| recording);
        let episode = Episode {
            incident: incident.id,
            clear_since: ended,
            is_told: ended.is_some(),
            drill: settings.drill,
        };
        self.episodes.insert(rule, episode);
        changes.push(Change::Raised(Box::new(incident)));
    }

    fn clear(&mut self, definition: &Definition, time: UnixMicros, changes: &mut Vec<Change>) {
        let Some(episode) = self.episodes.get_mut(&definition.rule) else { return };
        let since = *episode.clear_since.get_or_insert(time);
        let is_over = time.since(since) >= REARM_US;
        // Events may be far between: what they end is told as ended at once, and goes on if it holds again soon.
        if !episode.is_told && (is_over || definition.judged == Judged::AtOnce) {
            episode.is_told = true;
            changes.push(Change::Cleared(episode.incident, since));
        }
        if is_over {
            self.episodes.remove(&definition.rule);
        }
    }
}

/// What is said of an open incident when its rule cannot be told any more.
const NO_LONGER_TOLD: &str =
    "It cannot be told any more: the machine reports less, or its settings have changed.";

/// A recording of an event shows what lies so near to it, in microseconds: it holds 20 s before.
const COVERED_US: i64 = 20_000_000;

/// A record of another spool or boot that is older than the newest by more than this, in microseconds: what was known
/// does not hang together with it.
const BACK_US: i64 = 2_000_000;
/// The same of one boot, whose clock was settled anew; sums of a contact that chatters lie up to 10 s behind.
const BACK_IN_LIFE_US: i64 = 60_000_000;

fn raised(
    definition: &'static Definition,
    finding: Finding,
    placed: &Placed<'_>,
    settings: &MachineSettings,
    capabilities: Capabilities,
) -> Incident {
    let used =
        |threshold: &super::threshold::Threshold| (threshold.name.to_owned(), settings.limits.get(threshold));
    Incident {
        id: IncidentId::of(placed.machine, placed.log, definition.rule, placed.position),
        machine: placed.machine.clone(),
        rule: definition.rule,
        rule_version: definition.version,
        severity: finding.severity,
        time: finding.time,
        noticed: placed.time,
        drill: settings.drill,
        cleared: finding.is_momentary.then_some(finding.time),
        direction: finding.direction.0,
        origin: finding.direction.1,
        speed: finding.speed,
        incline: finding.incline,
        contact: finding.contact,
        count: finding.count,
        measured: finding.measured.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        thresholds: definition.thresholds.iter().map(used).collect(),
        detail: finding.detail,
        explained: String::new(),
        capabilities,
        stop: None,
        recording: None,
        trace: Vec::new(),
        trace_complete: false,
        revision: 0,
    }
}
