//! The fold of stretches into quarters of an hour.

use super::{Covered, QUARTER_US, QUARTERS_A_DAY, Stretch, Usage, code};
use crate::ids::{LogId, MachineId, fnv};
use crate::log::Position;
use crate::record::Event;
use crate::signal::Capabilities;
use crate::units::UnixMicros;

/// Octets of quarters that were left behind. More: quarters that came more than once are added up.
const CLOSED_OCTETS_MAX: usize = 64 * 1024;

/// Which part of a machine's day a row is; worked out from the record that began it.
///
/// A day has one part, unless records of it came after records of another day. Whoever reads adds up all parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct PartId(pub u64);

impl PartId {
    /// The part that begins with this record: the first half of FNV-1a with 128 bits over log and position.
    pub fn of(log: LogId, first: Position) -> PartId {
        let octets = log.0.into_iter().chain(first.boot_count.to_be_bytes()).chain(first.n.to_be_bytes());
        let [a, b, c, d, e, f, g, h, ..] = fnv(octets);
        PartId(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// A part of a machine's day, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRow {
    /// The machine.
    pub machine: MachineId,
    /// Days since 1970-01-01, UTC.
    pub day: i32,
    /// Which part of it.
    pub part: PartId,
    /// Records folded when this was written; of two versions of one part the greater wins.
    pub revision: u64,
    /// The end of the newest time in it.
    pub through: UnixMicros,
    /// Its quarters, see [`code`].
    pub quarters: Vec<u8>,
}

/// A part of a day that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDay {
    /// Days since 1970-01-01, UTC.
    pub day: i32,
    /// Which part of it.
    pub part: PartId,
    /// The end of the newest time in it.
    pub through: UnixMicros,
    /// Quarters that were left behind, see [`code`].
    pub closed: Vec<u8>,
    /// The quarter that goes on: its number within the day, and what was in it.
    pub quarter: (u8, Usage),
}

impl OpenDay {
    /// All its quarters, see [`code`].
    pub fn quarters(&self) -> Vec<u8> {
        let mut quarters = self.closed.clone();
        code::put(&mut quarters, self.quarter.0, &self.quarter.1);
        quarters
    }
}

/// Usage of one machine as far as it was folded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UsageFold {
    /// Time that was counted.
    pub covered: Covered,
    /// The part of a day that goes on.
    pub open: Option<OpenDay>,
    /// Whether the belt moved when it was seen last.
    pub was_moving: bool,
    /// What the agent's sources can report.
    pub able: Capabilities,
}

impl UsageFold {
    /// Notes what the agent's sources can report.
    pub fn hear(&mut self, event: &Event) {
        self.able = event.capabilities.unwrap_or(self.able);
    }

    /// Adds what of a stretch was not counted before. `part` is the part that its record would begin. Gives the parts of
    /// days that it ended.
    pub fn add(&mut self, stretch: &Stretch, part: PartId) -> Vec<OpenDay> {
        let new = self.covered.take(stretch.from, stretch.until);
        let mut ended = Vec::new();
        for (mut from, until) in new {
            while from < until {
                let quarter = from.0.div_euclid(QUARTER_US);
                let end = UnixMicros((quarter + 1).saturating_mul(QUARTER_US)).min(until);
                let micros = u64::try_from(end.since(from)).unwrap_or(0);
                let is_moving = stretch.is_moving();
                let starts = is_moving == Some(true) && !self.was_moving;
                self.was_moving = is_moving.unwrap_or(self.was_moving);
                let open = self.open_quarter(quarter, part, end, &mut ended);
                open.through = open.through.max(end);
                stretch.add_to(&mut open.quarter.1, micros, starts);
                from = end;
            }
        }
        ended
    }

    /// The part of the day of a quarter, with that quarter going on.
    fn open_quarter(
        &mut self,
        quarter: i64,
        part: PartId,
        through: UnixMicros,
        ended: &mut Vec<OpenDay>,
    ) -> &mut OpenDay {
        let day = i32::try_from(quarter.div_euclid(QUARTERS_A_DAY)).unwrap_or(i32::MAX);
        let number = u8::try_from(quarter.rem_euclid(QUARTERS_A_DAY)).unwrap_or(0);
        ended.extend(self.open.take_if(|open| open.day != day));
        let open = self.open.get_or_insert_with(|| {
            let quarter = (number, Usage::default());
            OpenDay { day, part, through, closed: Vec::new(), quarter }
        });
        if open.quarter.0 != number {
            let (before, usage) = std::mem::replace(&mut open.quarter, (number, Usage::default()));
            code::put(&mut open.closed, before, &usage);
            // Records of two spools that come by turns make a quarter come again and again.
            if open.closed.len() > CLOSED_OCTETS_MAX {
                open.closed = code::joined(&open.closed);
            }
        }
        open
    }
}
