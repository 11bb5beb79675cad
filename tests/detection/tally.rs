//! Holds what was found against what is true, by rule and source.

use std::collections::BTreeMap;

use domain::incident::{Incident, Rule};
use domain::units::UnixMicros;

use crate::episodes::Life;
use crate::player::Sight;
use crate::score::{LineReader, Meaning, Micros, Truth};

/// How far the time of an incident may lie from its episode: 3 s.
const TOLERANCE_US: i64 = 3_000_000;
/// What was lost on the way.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    /// Spans whose readings were lost with the agent's disk.
    pub readings: Vec<(Micros, Micros)>,
    /// Frames that radio lost.
    pub frames: Vec<Micros>,
}

/// A frame lost so near to the beginning of an episode, or so near around a short one, means the same.
const FRAME_BEFORE_US: i64 = 2_000_000;
const FRAME_AFTER_US: i64 = 14_000_000;
/// What is commanded is told only when it changes: a loss counts for so long.
const COMMAND_US: i64 = 180_000_000;
/// Readings lost so near to an episode mean that it was not delivered.
const NEAR_HOLE_US: i64 = 10_000_000;
/// Differences kept to be shown.
const SHOWN_MAX: usize = 2_000;

/// What came of one rule on one kind of source.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Time of machines that can report the rule, in microseconds.
    pub told_us: Micros,
    /// Delivered episodes on them.
    pub episodes: u64,
    /// Found ones.
    pub found: u64,
    /// Found ones with another severity than the definition's.
    pub other_severity: u64,
    /// Episodes of which readings were lost.
    pub undelivered: u64,
    /// Near misses.
    pub near_misses: u64,
    /// Near misses with an incident of the rule.
    pub near_raised: u64,
    /// All incidents of the rule.
    pub incidents: u64,
    /// Incidents that are no episode.
    pub extra: u64,
    /// Episodes on machines that cannot report the rule.
    pub blind_episodes: u64,
    /// Incidents on them; each is a fault.
    pub blind_incidents: u64,
    /// Why they cannot.
    pub blind_why: String,
}

/// All rows, and the differences in words.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// By rule and source.
    pub rows: BTreeMap<(Rule, Sight), Row>,
    /// Time of machines, in microseconds.
    pub total_us: Micros,
    /// Lives.
    pub lives: u64,
    /// What was missed, raised without cause, or called by another severity.
    pub differences: Vec<String>,
}

impl Tally {
    /// Takes what came of one life. `whose` names the life in differences.
    pub fn take(
        &mut self,
        life: &Life,
        (whose, lived): (&str, Micros),
        capabilities: domain::signal::Capabilities,
        incidents: &[Incident],
        losses: &Losses,
    ) {
        self.lives += 1;
        self.total_us += lived;
        for rule in Rule::ALL {
            let truths: Vec<&Truth> = life.score.truths.iter().filter(|truth| truth.rule == rule).collect();
            let found: Vec<&Incident> = incidents.iter().filter(|incident| incident.rule == rule).collect();
            let row = self.rows.entry((rule, life.sight)).or_default();
            if let Err(why) = rule.can_be_told(capabilities, &life.settings) {
                let episodes = truths.iter().filter(|truth| matches!(truth.meaning, Meaning::Episode(_)));
                row.blind_episodes += episodes.count() as u64;
                row.blind_incidents += found.len() as u64;
                if row.blind_why.is_empty() || life.topic == rule {
                    row.blind_why = why;
                }
                continue;
            }
            row.told_us += lived;
            let mut judgement = Judgement { row, life, whose, differences: &mut self.differences };
            judgement.judge(&truths, found, losses);
        }
    }

    /// Delivered episodes of the pair of rule and source that has the fewest, of pairs that have any; of these rules, or of
    /// all.
    pub fn fewest_episodes(&self, only: &[Rule]) -> u64 {
        let rows = self.rows.iter().filter(|((rule, _), _)| only.is_empty() || only.contains(rule));
        rows.map(|(_, row)| row.episodes).filter(|episodes| *episodes > 0).min().unwrap_or(u64::MAX)
    }

    /// Takes another tally into this one.
    pub fn merge(&mut self, other: Tally) {
        self.total_us += other.total_us;
        self.lives += other.lives;
        let room = SHOWN_MAX.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.into_iter().take(room));
        for (key, more) in other.rows {
            let row = self.rows.entry(key).or_default();
            row.told_us += more.told_us;
            row.episodes += more.episodes;
            row.found += more.found;
            row.other_severity += more.other_severity;
            row.undelivered += more.undelivered;
            row.near_misses += more.near_misses;
            row.near_raised += more.near_raised;
            row.incidents += more.incidents;
            row.extra += more.extra;
            row.blind_episodes += more.blind_episodes;
            row.blind_incidents += more.blind_incidents;
            if !more.blind_why.is_empty() {
                row.blind_why = more.blind_why;
            }
        }
    }
}

struct Judgement<'a> {
    row: &'a mut Row,
    life: &'a Life,
    whose: &'a str,
    differences: &'a mut Vec<String>,
}

impl Judgement<'_> {
    fn judge(&mut self, truths: &[&Truth], mut left: Vec<&Incident>, losses: &Losses) {
        left.sort_by_key(|incident| incident.time);
        self.row.incidents += left.len() as u64;
        for truth in truths {
            let Meaning::Episode(severity) = truth.meaning else { continue };
            let found = left.iter().position(|incident| self.is_within(incident, truth));
            if losses.have_hit(truth) {
                self.row.undelivered += 1;
                found.map(|index| left.remove(index));
                continue;
            }
            self.row.episodes += 1;
            match found.map(|index| left.remove(index)) {
                Some(incident) => {
                    self.row.found += 1;
                    if incident.severity != severity {
                        self.row.other_severity += 1;
                        let (is, should) = (incident.severity.name(), severity.name());
                        self.differ(
                            truth,
                            &format!("severity is {is}, should be {should}: {}", incident.detail),
                        );
                    }
                }
                None => self.differ(truth, "missed"),
            }
        }
        for truth in truths.iter().filter(|truth| truth.meaning == Meaning::NearMiss) {
            self.row.near_misses += 1;
            if left.iter().any(|incident| self.is_within(incident, truth)) {
                self.row.near_raised += 1;
                self.differ(truth, "near miss raised it");
            }
        }
        let allowed = |incident: &&Incident| {
            truths.iter().any(|truth| truth.meaning == Meaning::Allowed && self.is_within(incident, truth))
        };
        left.retain(|incident| {
            !allowed(incident) && !is_of_hole(incident, &losses.readings, self.at(incident.time))
        });
        self.row.extra += left.len() as u64;
        for incident in left {
            let at = self.at(incident.time) as f64 / 1e6;
            let (rule, severity) = (incident.rule.name(), incident.severity.name());
            let detail = &incident.detail;
            let measured = &incident.measured;
            self.say(format!("{rule} extra: {severity} at {at:.1} s, {detail} {measured:?}"));
        }
    }

    fn is_within(&self, incident: &Incident, truth: &Truth) -> bool {
        let at = self.at(incident.time);
        at >= truth.from.cast_signed() - TOLERANCE_US && at <= truth.until.cast_signed() + TOLERANCE_US
    }

    /// An event time as a time of the life, give or take the error of its clock.
    fn at(&self, time: UnixMicros) -> i64 {
        time.since(self.life.begin)
    }

    fn differ(&mut self, truth: &Truth, what: &str) {
        let (from, until) = (truth.from as f64 / 1e6, truth.until as f64 / 1e6);
        let (rule, name) = (truth.rule.name(), truth.name);
        let kmh = LineReader::new(&self.life.score.speed).at(truth.from) * 0.0036;
        self.say(format!(
            "{rule} {what}: planted \"{name}\" at {from:.1} to {until:.1} s, from {kmh:.1} km/h"
        ));
    }

    fn say(&mut self, what: String) {
        if self.differences.len() < SHOWN_MAX {
            self.differences.push(format!("{what} [{}, {}]", self.life.sight.name(), self.whose));
        }
    }
}

/// Lost readings are lost telemetry: where the belt moved that is an incident by the definition, and a long loss is an
/// agent of which nothing is known.
fn is_of_hole(incident: &Incident, holes: &[(Micros, Micros)], at: i64) -> bool {
    let is_about_loss = matches!(incident.rule, Rule::TelemetryLostWhileMoving | Rule::AgentOffline);
    let around = |(from, until): &(Micros, Micros)| {
        (from.cast_signed() - 32_000_000..=until.cast_signed() + TOLERANCE_US).contains(&at)
    };
    is_about_loss && holes.iter().any(around)
}

impl Losses {
    /// Whether an episode was not delivered whole.
    fn have_hit(&self, truth: &Truth) -> bool {
        let (from, until) = (truth.from.cast_signed(), truth.until.cast_signed());
        let is_about_commands = truth.rule == Rule::FasterThanCommanded;
        let before = if is_about_commands { COMMAND_US } else { NEAR_HOLE_US };
        let is_hole = |(begin, end): &(Micros, Micros)| {
            from - before <= end.cast_signed() && begin.cast_signed() <= until + NEAR_HOLE_US
        };
        let frames = from - FRAME_BEFORE_US..=(until + FRAME_BEFORE_US).min(from + FRAME_AFTER_US);
        self.readings.iter().any(is_hole)
            || self.frames.iter().any(|frame| frames.contains(&frame.cast_signed()))
    }
}
