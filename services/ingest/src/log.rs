//! The mind of one log: which records are taken, which are doubles, which are missing.

use std::ops::Range;

use domain::ids::BootId;
use domain::log::{BootStart, Hole, Position};
use store::journal::Slice;
use wire::envelope::{Entry, Envelope};

use crate::clock::Settled;
use crate::commit::Content;

#[cfg(test)]
mod tests;

/// One lane of one spool, as the ingest knows it.
///
/// `committed` is what is in the journal; `applied` is that and what is on its way there. Envelopes are checked
/// against `applied`, so that collecting goes on while a commit runs; acks tell only `committed`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogMind {
    committed: Reach,
    applied: Reach,
    /// The wall-clock mapping that was settled last.
    pub(crate) settled: Settled,
}

/// How far a log has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reach {
    at: Option<Position>,
    /// The process that made the record there. Of copies of one spool each goes on with boots of its own under the same
    /// numbers; a position says what it means only with this. `None`: not known.
    maker: Option<BootId>,
}

impl Reach {
    /// Gone on to a record. Whoever does not tell who made it says nothing against what is known of its boot.
    fn gone_on(self, at: Position, maker: Option<BootId>) -> Reach {
        let is_same_boot = self.at.is_some_and(|before| before.boot_count == at.boot_count);
        Reach { at: Some(at), maker: maker.or(self.maker.filter(|_| is_same_boot)) }
    }

    /// Whether it is known to be in a boot of this number, and of another process.
    fn is_of_another(self, boot_count: u32, maker: Option<BootId>) -> bool {
        let is_boot = self.at.is_some_and(|at| at.boot_count == boot_count);
        is_boot && self.maker.zip(maker).is_some_and(|(known, maker)| known != maker)
    }
}

/// What is to be done with an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Some records are new: these parts of the envelope's entries, in order.
    Take(Vec<Part>),
    /// All of it is in the journal: the ack is told again.
    Duplicate,
    /// All of it is on its way to the journal: the ack comes with the commit.
    UnderWay,
    /// Something before it is missing: it is dropped, and the ack tells from where to send again.
    Missing,
    /// Another process has made records with the same positions: nothing is merged.
    OtherMaker,
}

/// Consecutive new records of an envelope, with at most one hole, before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which of the envelope's entries.
    pub entries: Range<usize>,
    /// Records lost just before them.
    pub hole: Option<Hole>,
}

impl LogMind {
    /// A log of which everything up to `committed` is in the journal, and which process made the records of a boot.
    pub fn restored(committed: Option<Position>, maker: Option<(u32, BootId)>, settled: Settled) -> LogMind {
        let is_there =
            |(boot_count, _): &(u32, BootId)| committed.is_some_and(|at| at.boot_count == *boot_count);
        let reach = Reach { at: committed, maker: maker.filter(is_there).map(|(_, maker)| maker) };
        LogMind { committed: reach, applied: reach, settled }
    }

    /// All records up to here are in the journal, or recorded as lost.
    pub fn committed(&self) -> Option<Position> {
        self.committed.at
    }

    /// What a process is told to be committed, and which process made the record there. If another one, with a copied
    /// spool, has made the records of the boot that both count as theirs, their positions mean other records to it: it is
    /// told of a later boot, so that even an agent which does not look at the maker takes nothing for acknowledged.
    pub fn committed_for(&self, boot: BootId, boot_count: u32) -> (Option<Position>, Option<BootId>) {
        if self.is_of_another(boot, boot_count) {
            return (Some(Position::new(boot_count.saturating_add(1), 1)), None);
        }
        (self.committed.at, self.committed.maker)
    }

    /// Whether another process has made the newest records of the boot that this one counts as its own.
    pub fn is_of_another(&self, boot: BootId, boot_count: u32) -> bool {
        self.committed.is_of_another(boot_count, Some(boot))
    }

    /// All records up to here are in the journal or on their way.
    pub fn applied(&self) -> Option<Position> {
        self.applied.at
    }

    /// The boot of the last record in the journal and the process that made it; `None`: not known.
    pub fn maker(&self) -> Option<(u32, BootId)> {
        self.committed.at.map(|at| at.boot_count).zip(self.committed.maker)
    }

    /// Judges an envelope and, if it is taken, counts its records as applied.
    pub fn offer(&mut self, envelope: &Envelope) -> Verdict {
        let last = envelope.last();
        if self.is_other_maker(envelope) {
            return Verdict::OtherMaker;
        }
        if Some(last) <= self.committed.at {
            return Verdict::Duplicate;
        }
        if envelope
            .after
            .is_some_and(|after| Some(after) > self.applied.at || self.is_beside(envelope, after))
        {
            return Verdict::Missing;
        }
        if Some(last) <= self.applied.at {
            return Verdict::UnderWay;
        }
        let parts = parts(self.applied.at, &envelope.boot, &envelope.entries);
        self.applied = self.applied.gone_on(last, envelope.maker());
        Verdict::Take(parts)
    }

    /// Records up to here are in the journal now, the last of them made by this process.
    pub fn commit(&mut self, through: Position, maker: Option<BootId>) {
        if Some(through) > self.committed.at {
            self.committed = self.committed.gone_on(through, maker);
        }
        if self.applied.at < self.committed.at {
            self.applied = self.committed;
        }
    }

    /// Goes on behind a slice that the journal holds. What was settled then is not settled again.
    pub(crate) fn replay(&mut self, slice: &Slice, records: &[(u64, Content)]) {
        self.commit(slice.last_position(), slice.boot.maker);
        let last_at = records.iter().filter_map(|(_, content)| match content {
            Content::Record(record) => Some(record.at),
            Content::Unreadable(..) => None,
        });
        self.settled.replay(slice.boot.boot_count, slice.clock, last_at.max());
    }

    /// What was on its way did not get into the journal: the agent has to send it again.
    pub fn roll_back(&mut self) {
        self.applied = self.committed;
    }

    /// Two processes that count a boot as theirs cannot share positions: a copied spool. Neither the records nor the one
    /// before them may be of a boot that is another's here.
    fn is_other_maker(&self, envelope: &Envelope) -> bool {
        let boot_count = envelope.boot.boot_count;
        let before = envelope.after.map_or(boot_count, |after| after.boot_count);
        [self.committed, self.applied].into_iter().any(|reach| {
            reach.is_of_another(boot_count, envelope.maker())
                || reach.is_of_another(before, envelope.maker_before())
        })
    }

    /// Whether the log has come into a boot between that of the records and that of the one before them, of which the
    /// sender's spool has nothing: it may be another's. The sender is told how far the log is, and sees.
    fn is_beside(&self, envelope: &Envelope, after: Position) -> bool {
        let is_known = self.applied.maker.is_some() && envelope.after_maker.is_some();
        let between = after.boot_count + 1..envelope.boot.boot_count;
        is_known && self.applied.at.is_some_and(|at| between.contains(&at.boot_count))
    }
}

/// Splits what is new after `applied` so that each part has at most one hole, before its first record.
fn parts(applied: Option<Position>, boot: &BootStart, entries: &[Entry]) -> Vec<Part> {
    let position = |entry: &Entry| Position::new(boot.boot_count, entry.n);
    let start = entries.partition_point(|entry| Some(position(entry)) <= applied);
    let Some(first) = entries.get(start) else { return Vec::new() };
    let mut parts = vec![Part { entries: start..start + 1, hole: hole_before(applied, boot, first.n) }];
    for (index, pair) in entries.windows(2).enumerate().skip(start) {
        let [before, entry] = pair else { continue };
        if entry.n == before.n + 1 {
            if let Some(part) = parts.last_mut() {
                part.entries.end = index + 2;
            }
        } else {
            let hole = Hole {
                from: Some(position(before)),
                to: position(entry),
                records_at_least: entry.n - before.n - 1,
            };
            parts.push(Part { entries: index + 1..index + 2, hole: Some(hole) });
        }
    }
    parts
}

/// What is lost between `applied` and record `n` of a boot; `None`: nothing.
///
/// Within a boot numbers tell. Across boots the boot names the position before it: if that is beyond `applied`, the
/// records between are lost; if it is not, those after it were never on the agent's disk but are here already.
fn hole_before(applied: Option<Position>, boot: &BootStart, n: u64) -> Option<Hole> {
    let missing = match applied {
        Some(applied) if applied.boot_count == boot.boot_count => n - applied.n - 1,
        Some(_) | None => {
            let earlier = match (applied, boot.previous) {
                (_, None) => 0,
                (None, Some(previous)) => previous.n,
                (Some(applied), Some(previous)) if previous <= applied => 0,
                (Some(applied), Some(previous)) if previous.boot_count == applied.boot_count => {
                    previous.n - applied.n
                }
                (Some(_), Some(previous)) => previous.n,
            };
            earlier.saturating_add(n - 1)
        }
    };
    let to = Position::new(boot.boot_count, n);
    (missing > 0).then_some(Hole { from: applied, to, records_at_least: missing })
}
