//! Usage as rows.

use jiff::tz::TimeZone;
use wire::api::v1;

use crate::table::{Column, Note, Value};
use crate::words;

/// Usage of one group or period.
pub(super) struct Shown {
    pub(super) key: String,
    pub(super) date: String,
    /// Whether the span asked, or the present, cuts the period off.
    pub(super) is_cut: bool,
    pub(super) usage: Option<v1::Usage>,
}

type Part = fn(&v1::Usage) -> Option<&v1::Motion>;
type Length = Option<prost_types::Duration>;

impl Shown {
    fn min(&self, part: Part) -> Value {
        minutes(self.usage.as_ref().and_then(part).and_then(|motion| motion.observed))
    }

    fn metres(&self, part: Part) -> Value {
        Value::Number(self.usage.as_ref().and_then(part).map(|motion| motion.distance_m), 0)
    }

    /// Minutes forward that a registry entry says, not a sensor.
    fn declared_min(&self) -> Value {
        let forward = |one: &&v1::KeyedMotion| {
            one.direction() == v1::Direction::Forward && one.origin() == v1::DirectionOrigin::Declared
        };
        let seconds = |one: &v1::KeyedMotion| words::seconds(one.motion.as_ref().and_then(|m| m.observed));
        let keyed = self.usage.as_ref().map(|usage| usage.keyed.iter().filter(forward).filter_map(seconds));
        // An empty sum of floats is minus zero.
        Value::Number(keyed.map(|all| all.fold(0.0, |sum, one| sum + one) / 60.0), 1)
    }

    fn coverage(&self, part: fn(&v1::UsageCoverage) -> Length) -> Value {
        let coverage = self.usage.as_ref().and_then(|usage| usage.coverage.as_ref());
        coverage.map_or(Value::Number(None, 0), |coverage| percent(part(coverage), coverage.asked))
    }
}

/// A length of time in minutes.
pub(super) fn minutes(length: Length) -> Value {
    Value::Number(words::seconds(length).map(|seconds| seconds / 60.0), 1)
}

/// One length of time as a share of another, in per cent.
pub(super) fn percent(part: Length, whole: Length) -> Value {
    let share = words::seconds(part).zip(words::seconds(whole)).filter(|(_, whole)| *whole > 0.0);
    Value::Number(share.map(|(part, whole)| 100.0 * part / whole), 1)
}

const fn forward() -> Part {
    |usage| usage.forward.as_ref()
}

const fn reverse_motion() -> Part {
    |usage| usage.reverse.as_ref()
}

const fn unknown() -> Part {
    |usage| usage.unknown.as_ref()
}

macro_rules! columns {
    ($($first:expr),+) => {
        &[
            $($first),+,
            Column { name: "forward_min", title: "forward min", value: |row: &Shown| row.min(forward()) },
            Column {
                name: "forward_declared_min",
                title: "of it declared",
                value: |row: &Shown| row.declared_min(),
            },
            Column { name: "forward_m", title: "m", value: |row: &Shown| row.metres(forward()) },
            Column { name: "reverse_min", title: "reverse min", value: |row: &Shown| row.min(reverse_motion()) },
            Column { name: "reverse_m", title: "m", value: |row: &Shown| row.metres(reverse_motion()) },
            Column { name: "unknown_min", title: "unknown min", value: |row: &Shown| row.min(unknown()) },
            Column { name: "unknown_m", title: "m", value: |row: &Shown| row.metres(unknown()) },
            Column {
                name: "at_rest_min",
                title: "at rest min",
                value: |row: &Shown| minutes(row.usage.as_ref().and_then(|usage| usage.at_rest)),
            },
            Column {
                name: "covered_percent",
                title: "covered %",
                value: |row: &Shown| row.coverage(|coverage| coverage.speed),
            },
            Column {
                name: "direction_covered_percent",
                title: "direction %",
                value: |row: &Shown| row.coverage(|coverage| coverage.direction),
            },
        ]
    };
}

/// Usage by group.
pub(super) const BY_GROUP: &[Column<Shown>] =
    columns!(Column { name: "key", title: "of", value: |row| Value::Text(row.key.clone()) });

/// Usage by period.
pub(super) const BY_PERIOD: &[Column<Shown>] = columns!(
    Column { name: "period", title: "from", value: |row| Value::Text(row.date.clone()) },
    Column { name: "is_partial", title: "cut off", value: |row| Value::Flag(row.is_cut) },
    Column { name: "key", title: "of", value: |row| Value::Text(row.key.clone()) }
);

/// Up to when figures are complete, and of whom nothing came lately.
pub(super) fn as_of_notes(as_of: Option<&v1::AsOf>) -> Vec<Note> {
    let Some(as_of) = as_of else { return Vec::new() };
    let silent = as_of.silent_machine_ids.join(", ");
    vec![
        Note { name: "as_of", value: Value::Time(words::time(as_of.time), TimeZone::UTC) },
        Note { name: "machines_silent", value: Value::Count(u64::from(as_of.machines_silent)) },
        Note { name: "silent_machine_ids", value: Value::Text(silent) },
    ]
}

/// One figure with its name.
pub(super) struct Figure {
    name: String,
    value: Value,
    of: Value,
}

/// Figures under each other.
pub(super) const FIGURES: &[Column<Figure>] = &[
    Column { name: "figure", title: "figure", value: |row| Value::Text(row.name.clone()) },
    Column { name: "value", title: "value", value: |row| row.value.clone() },
    Column { name: "known", title: "of what was known", value: |row| row.of.clone() },
];

/// How belts ran in reverse.
pub(super) fn reverse(answer: &v1::GetReverseUseResponse) -> Vec<Figure> {
    let none = || Value::Text(String::new());
    let mut rows = Vec::new();
    let mut push =
        |name: &str, value: Value, of: Value| rows.push(Figure { name: name.to_owned(), value, of });
    let count = |count: u32| Value::Count(u64::from(count));
    let seconds = |length: Length| Value::Number(words::seconds(length), 0);
    push("sessions with reverse", count(answer.sessions), none());
    if let Some(intervals) = &answer.intervals {
        push("intervals in reverse", count(intervals.count), none());
        push("of these of 30 s", count(intervals.thirty), none());
        push("median interval, s", seconds(intervals.median), none());
        push("longest interval, s", seconds(intervals.longest), none());
        push("work to rest", Value::Number(intervals.work_to_rest, 2), none());
    }
    if let Some(guidance) = &answer.guidance {
        push("reverse, min", minutes(guidance.reverse), none());
        push("at 2 mph or slower, min", minutes(guidance.slow), minutes(guidance.reverse));
        push("on a level deck, min", minutes(guidance.level), minutes(guidance.level_known));
        push("hands on the rail, min", minutes(guidance.rail_held), minutes(guidance.rail_known));
        push("safety key in, min", minutes(guidance.key_in), minutes(guidance.key_known));
    }
    push("outside staffed hours, min", minutes(answer.unstaffed), minutes(answer.staffing_known));
    push("without a label, min", minutes(answer.unlabelled), none());
    push("incidents of reverse rules", count(answer.incidents), none());
    if let Some(energy) = &answer.energy {
        let band = format!("{:.0} to {:.0}", energy.low_kcal, energy.high_kcal);
        let of = if energy.is_extrapolated { "estimate, extrapolated" } else { "estimate" };
        let name = format!("energy on the level at {} kg, kcal", energy.mass_kg);
        push(&name, Value::Text(band), Value::Text(of.to_owned()));
    }
    let telling = count(answer.machines_telling_direction);
    push("machines that told a direction", telling, count(answer.machines_reversible));
    rows
}

/// Minutes by direction, so that what is unknown is seen.
pub(super) fn by_direction(usage: Option<&v1::Usage>) -> Vec<Note> {
    let Some(usage) = usage else { return Vec::new() };
    let of = |motion: &Option<v1::Motion>| minutes(motion.as_ref().and_then(|motion| motion.observed));
    let share = |part: fn(&v1::UsageCoverage) -> Length| {
        let coverage = usage.coverage.as_ref();
        coverage.map_or(Value::Number(None, 1), |coverage| percent(part(coverage), coverage.asked))
    };
    vec![
        Note { name: "covered_percent", value: share(|coverage| coverage.speed) },
        Note { name: "direction_covered_percent", value: share(|coverage| coverage.direction) },
        Note { name: "forward_min", value: of(&usage.forward) },
        Note { name: "reverse_min", value: of(&usage.reverse) },
        Note { name: "unknown_min", value: of(&usage.unknown) },
    ]
}
