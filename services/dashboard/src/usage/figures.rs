//! What usage says in words: how long belts moved, kept apart by what is known of the way, and for how much of the time
//! that can speak.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use wire::api::v1;

use crate::incidents::date_and_time;
use crate::texts::{Language, Texts};
use crate::words::{self, Reader};

/// Machines that are named where only some can be.
pub(crate) const NAMED_MAX: usize = 20;

/// Motion by what is known of its way. Unknown is not forward, and declared is not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Forward, by a sensor that has a sign.
    Measured,
    /// Forward, as it is said of the machine.
    Declared,
    Reverse,
    Unknown,
}

impl Kind {
    pub(crate) const ALL: [Kind; 4] = [Kind::Measured, Kind::Declared, Kind::Reverse, Kind::Unknown];

    /// The class of what is drawn for it.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Kind::Measured => "k-measured",
            Kind::Declared => "k-declared",
            Kind::Reverse => "k-reverse",
            Kind::Unknown => "k-unknown",
        }
    }

    /// What drawings are filled with: a pattern says the same as the colour.
    pub(crate) fn fill(self) -> &'static str {
        match self {
            Kind::Measured => "url(#p-measured)",
            Kind::Declared => "url(#p-declared)",
            Kind::Reverse => "url(#p-reverse)",
            Kind::Unknown => "url(#p-unknown)",
        }
    }

    pub(crate) fn words(self, t: Texts) -> &'static str {
        match self {
            Kind::Measured => t.usage_measured(),
            Kind::Declared => t.usage_declared(),
            Kind::Reverse => t.usage_reverse(),
            Kind::Unknown => t.usage_unknown(),
        }
    }
}

/// What a key shows of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) class: &'static str,
    pub(crate) fill: &'static str,
    pub(crate) words: &'static str,
}

impl Key {
    pub(crate) fn of(kind: Kind, t: Texts) -> Key {
        Key { class: kind.class(), fill: kind.fill(), words: kind.words(t) }
    }

    /// Of all kinds, in order.
    pub(crate) fn all(t: Texts) -> [Key; 4] {
        Kind::ALL.map(|kind| Key::of(kind, t))
    }
}

/// Seconds of motion by kind.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Split {
    seconds: [f64; 4],
    /// The part of reverse motion that is declared.
    reverse_declared: f64,
    /// Metres, whichever way.
    pub(crate) distance_m: f64,
}

/// Seconds of a length of time; none: 0.
pub(crate) fn seconds(length: Option<&prost_types::Duration>) -> f64 {
    length.map_or(0.0, words::seconds)
}

fn observed(motion: Option<&v1::Motion>) -> f64 {
    motion.map_or(0.0, |motion| seconds(motion.observed.as_ref()))
}

impl Split {
    pub(crate) fn of(usage: &v1::Usage) -> Split {
        let declared = |direction: v1::Direction| {
            let of = usage
                .keyed
                .iter()
                .filter(|one| one.direction() == direction && one.origin() == v1::DirectionOrigin::Declared);
            of.map(|one| observed(one.motion.as_ref())).sum::<f64>()
        };
        let forward = observed(usage.forward.as_ref());
        let forward_declared = declared(v1::Direction::Forward).min(forward);
        let distance = |motion: &Option<v1::Motion>| motion.as_ref().map_or(0.0, |motion| motion.distance_m);
        Split {
            seconds: [
                forward - forward_declared,
                forward_declared,
                observed(usage.reverse.as_ref()),
                observed(usage.unknown.as_ref()),
            ],
            reverse_declared: declared(v1::Direction::Reverse),
            distance_m: distance(&usage.forward) + distance(&usage.reverse) + distance(&usage.unknown),
        }
    }

    pub(crate) fn get(&self, kind: Kind) -> f64 {
        match kind {
            Kind::Measured => self.seconds[0],
            Kind::Declared => self.seconds[1],
            Kind::Reverse => self.seconds[2],
            Kind::Unknown => self.seconds[3],
        }
    }

    /// Seconds of motion, whichever way.
    pub(crate) fn motion(&self) -> f64 {
        self.seconds.iter().sum()
    }

    /// What a table says of one kind.
    pub(crate) fn cell(&self, kind: Kind, reader: Reader) -> String {
        let words = length(self.get(kind), reader);
        if kind == Kind::Reverse && self.reverse_declared > 0.0 {
            return reader.t.usage_of_which_declared(words, length(self.reverse_declared, reader));
        }
        words
    }

    /// All kinds, in order.
    pub(crate) fn cells(&self, reader: Reader) -> [String; 4] {
        Kind::ALL.map(|kind| self.cell(kind, reader))
    }
}

/// A length of time in seconds, minutes or hours.
pub(crate) fn length(seconds: f64, reader: Reader) -> String {
    let t = reader.t;
    if seconds <= 0.0 {
        t.age_minutes(0)
    } else if seconds < 59.5 {
        t.age_seconds(format!("{:.0}", seconds.max(1.0)))
    } else if seconds < 594.0 {
        t.age_minutes(reader.number(seconds / 60.0))
    } else if seconds < 5_370.0 {
        t.age_minutes(format!("{:.0}", seconds / 60.0))
    } else {
        t.age_hours(reader.number(seconds / 3_600.0))
    }
}

/// A share in per cent, without its sign. Almost everything is not everything, and almost nothing not nothing.
pub(crate) fn percent(part: f64, whole: f64, reader: Reader) -> Option<String> {
    if whole <= 0.0 {
        return None;
    }
    let percent = (part / whole * 100.0).max(0.0);
    let text = match percent {
        percent if percent <= 0.0 => "0".to_owned(),
        percent if percent >= 100.0 => format!("{percent:.0}"),
        percent if percent > 99.0 => format!("{:.1}", percent.min(99.9)),
        percent if percent < 1.0 => format!("{:.1}", percent.max(0.1)),
        percent => format!("{percent:.0}"),
    };
    Some(match reader.t.language {
        Language::English => text,
        Language::German => text.replace('.', ","),
    })
}

/// A ratio with two decimals.
pub(crate) fn ratio(value: f64, reader: Reader) -> String {
    let text = format!("{value:.2}");
    match reader.t.language {
        Language::English => text,
        Language::German => text.replace('.', ","),
    }
}

/// For how much of the time figures can speak, in sentences.
pub(crate) fn coverage(coverage: &v1::UsageCoverage, reader: Reader) -> Vec<String> {
    let t = reader.t;
    let asked = seconds(coverage.asked.as_ref());
    let Some(counted) = percent(seconds(coverage.speed.as_ref()), asked, reader) else {
        return vec![t.usage_nothing_asked().to_owned()];
    };
    let silent = coverage.machines.saturating_sub(coverage.machines_heard);
    let heard = if silent == 0 {
        t.usage_counted_all(counted, coverage.machines)
    } else {
        t.usage_counted(counted, silent, coverage.machines)
    };
    let known = percent(seconds(coverage.direction.as_ref()), asked, reader).unwrap_or_default();
    vec![heard, t.usage_direction_known(known, coverage.machines_with_direction, coverage.machines)]
}

/// The same of one machine.
pub(crate) fn machine_coverage(coverage: &v1::UsageCoverage, reader: Reader) -> Vec<String> {
    let t = reader.t;
    let asked = seconds(coverage.asked.as_ref());
    let share = |known: &Option<prost_types::Duration>| percent(seconds(known.as_ref()), asked, reader);
    let (Some(counted), Some(known)) = (share(&coverage.speed), share(&coverage.direction)) else {
        return vec![t.usage_nothing_asked().to_owned()];
    };
    vec![t.machine_counted(counted, known)]
}

/// For how much of the time a line of a table can speak.
pub(crate) fn coverage_cell(coverage: Option<&v1::UsageCoverage>, reader: Reader) -> String {
    let share = coverage.and_then(|coverage| {
        percent(seconds(coverage.speed.as_ref()), seconds(coverage.asked.as_ref()), reader)
    });
    share.map_or_else(|| "–".to_owned(), |share| reader.t.usage_percent(share))
}

/// Up to when figures are complete, and of which machines more may come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct AsOf {
    pub(crate) line: String,
    /// Machines by id and name.
    pub(crate) silent: Vec<(String, String)>,
    /// Says how many more there are, if some are not named.
    pub(crate) more: String,
}

impl AsOf {
    pub(crate) fn new(
        as_of: Option<&v1::AsOf>,
        names: &BTreeMap<String, String>,
        zone: &TimeZone,
        t: Texts,
    ) -> AsOf {
        let Some(as_of) = as_of else { return AsOf::default() };
        let line = match words::moment(as_of.time) {
            Some(at) => t.usage_as_of(date_and_time(at, zone)),
            None => t.usage_as_of_none().to_owned(),
        };
        let named = as_of.silent_machine_ids.iter().take(NAMED_MAX);
        let silent: Vec<(String, String)> =
            named.map(|id| (id.clone(), names.get(id).unwrap_or(id).clone())).collect();
        let count = usize::try_from(as_of.machines_silent).unwrap_or(usize::MAX);
        let rest = count.saturating_sub(silent.len());
        let more = if rest > 0 { t.usage_and_more(rest) } else { String::new() };
        AsOf { line, silent, more }
    }
}

/// A piece of a bar that lies down: where it begins and how long it is, in per cent of the whole.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) class: &'static str,
    pub(crate) fill: &'static str,
    pub(crate) begin: String,
    pub(crate) length: String,
}

/// A part of a drawing in per cent, as drawings write it.
pub(crate) fn share(part: f64, whole: f64) -> String {
    let percent = if whole > 0.0 { (part / whole * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    format!("{percent:.2}%")
}

/// A bar that lies down; `whole` seconds fill it.
pub(crate) fn strip(split: &Split, whole: f64) -> Vec<Piece> {
    let mut begin = 0.0;
    let mut pieces = Vec::new();
    for kind in Kind::ALL {
        let seconds = split.get(kind);
        if seconds > 0.0 {
            let (class, fill) = (kind.class(), kind.fill());
            pieces.push(Piece { class, fill, begin: share(begin, whole), length: share(seconds, whole) });
            begin += seconds;
        }
    }
    pieces
}

#[cfg(test)]
mod tests;
