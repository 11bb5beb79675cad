//! What is known without asking InfluxDB about where records are: kept in `influxdb.db`.

use std::collections::BTreeMap;

use domain::ids::{LogId, MachineId};
use domain::log::Lane;

/// Times from `first` to `last`, both within, in microseconds on one of the axes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: i64,
    pub(crate) last: i64,
}

impl Span {
    /// Both, and what lies between them.
    pub(crate) fn and(self, other: Span) -> Span {
        Span { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

/// On which a record's place in time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Axis {
    /// Event time, in microseconds since 1970.
    Dated,
    /// Monotonic time of a boot that cannot be dated, in microseconds.
    Undated,
}

impl Axis {
    pub(crate) const ALL: [Axis; 2] = [Axis::Dated, Axis::Undated];
}

/// A span on each axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Spans {
    pub(crate) dated: Option<Span>,
    pub(crate) undated: Option<Span>,
}

impl Spans {
    pub(crate) fn on(&self, axis: Axis) -> Option<Span> {
        match axis {
            Axis::Dated => self.dated,
            Axis::Undated => self.undated,
        }
    }

    pub(crate) fn set(&mut self, axis: Axis, span: Span) {
        match axis {
            Axis::Dated => self.dated = Some(span),
            Axis::Undated => self.undated = Some(span),
        }
    }

    /// Makes the span of an axis long enough for this one, too.
    pub(crate) fn add(&mut self, axis: Axis, span: Span) {
        self.set(axis, self.on(axis).map_or(span, |known| known.and(span)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.dated.is_none() && self.undated.is_none()
    }
}

/// Records of one machine in one lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneKey {
    pub(crate) machine: MachineId,
    pub(crate) lane: Lane,
}

/// One boot of one log.
pub(crate) type BootKey = (LogId, u32);

/// Where records of one boot may be. Outside of it there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BootKnown {
    /// Least number.
    pub(crate) first_n: u64,
    /// Greatest number.
    pub(crate) last_n: u64,
    /// Their times.
    pub(crate) times: Spans,
    /// The era in which it was seen that [`LaneKnown::unseen`] has none of its records.
    pub(crate) era: u64,
}

/// What is known of one machine and lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LaneKnown {
    /// Least and greatest time of a record.
    pub(crate) times: Spans,
    /// The era in which InfluxDB was last asked for its latest records.
    pub(crate) era: u64,
    /// Where InfluxDB had records that this folder does not know of, because it was restored from an older backup.
    pub(crate) unseen: Spans,
    /// The boots that were asked for, as far as they are known.
    pub(crate) boots: BTreeMap<BootKey, BootKnown>,
}

/// What is known of the machines and lanes that were asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Known {
    /// How often InfluxDB was found to know more than this folder.
    pub(crate) era: u64,
    /// By machine and lane; those that were never written are missing.
    pub(crate) lanes: BTreeMap<LaneKey, LaneKnown>,
}

/// A line that cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Aside {
    /// Why.
    pub(crate) reason: String,
    /// The line.
    pub(crate) line: String,
}
