//! Putting the parts of a whole together: a mind that keeps one pending part for each connection.
//!
//! All parts but the last have flag bit 0 set and no speed; the last has it clear. A closing part is never held
//! back: not for a pending part that is old, cut or missing, nor for one that comes after it, as some machines do.

use domain::units::{MonotonicMicros, SECOND};

use super::treadmill::Treadmill;

/// How long parts wait for their closing part, in microseconds. Older: dropped and counted.
pub const PENDING_MAX_US: u64 = 2 * SECOND;

/// What happens to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A notification came.
    Part(Treadmill),
    /// The connection ended.
    Disconnected,
}

/// Why parts were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// No closing part came within the time.
    Expired,
    /// The connection ended.
    Disconnected,
}

/// What came of an input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// A whole: all parts in one.
    pub whole: Option<Treadmill>,
    /// Parts that will belong to no whole, and why.
    pub dropped: Option<(u32, DropReason)>,
}

/// Parts that wait for their closing part.
#[derive(Debug)]
struct Pending {
    since: MonotonicMicros,
    parts: u32,
    merged: Treadmill,
}

/// The parts of one connection.
#[derive(Debug, Default)]
pub struct Assembly {
    pending: Option<Pending>,
}

impl Assembly {
    /// Takes an input and says what came of it.
    pub fn apply(&mut self, input: Input, now: MonotonicMicros) -> Effects {
        match input {
            Input::Part(part) => {
                let dropped = self.expire(now);
                let whole = self.take(part, now);
                Effects { whole, dropped }
            }
            Input::Disconnected => {
                Effects { whole: None, dropped: self.drop_pending(DropReason::Disconnected) }
            }
        }
    }

    fn take(&mut self, part: Treadmill, now: MonotonicMicros) -> Option<Treadmill> {
        let closing = !part.more();
        let pending = match self.pending.take() {
            Some(Pending { since, parts, merged }) => {
                // Bit 0 of the last part counts, which `merged` takes care of.
                Pending { since, parts: parts.saturating_add(1), merged: merged.merged(part) }
            }
            None => Pending { since: now, parts: 1, merged: part },
        };
        if closing {
            return Some(pending.merged);
        }
        self.pending = Some(pending);
        None
    }

    fn expire(&mut self, now: MonotonicMicros) -> Option<(u32, DropReason)> {
        let expired = self.pending.as_ref().is_some_and(|pending| now.since(pending.since) > PENDING_MAX_US);
        if expired { self.drop_pending(DropReason::Expired) } else { None }
    }

    fn drop_pending(&mut self, reason: DropReason) -> Option<(u32, DropReason)> {
        self.pending.take().map(|pending| (pending.parts, reason))
    }
}

#[cfg(test)]
mod tests;
