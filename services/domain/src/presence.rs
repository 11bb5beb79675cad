//! Whether an agent can be heard, and what of its last picture still stands.

use crate::belt::{Belt, Direction, Origin};
use crate::limits::STATUS_PERIOD_US;
use crate::live::Latest;
use crate::units::UnixMicros;

/// Whether a machine's agent can be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// No word from it, ever.
    NeverSeen,
    /// Heard in time.
    Online,
    /// A word is overdue.
    Late,
    /// Three words are overdue, or the broker lost it.
    Offline,
}

/// Judges by the last word heard, what the broker said, and the time.
pub fn presence(heard: Option<UnixMicros>, lost_by_broker: bool, now: UnixMicros) -> Presence {
    let Some(heard) = heard else { return Presence::NeverSeen };
    let period = i64::try_from(STATUS_PERIOD_US).unwrap_or(i64::MAX);
    let silent = now.since(heard);
    if lost_by_broker || silent > 3 * period {
        Presence::Offline
    } else if silent > period + period / 2 {
        Presence::Late
    } else {
        Presence::Online
    }
}

/// What still stands of a picture, and the picture itself if it does not stand any more.
///
/// After its time direction is unknown and so are speed, incline and contacts: silence is not standstill.
pub fn belt_now(latest: &Latest, now: UnixMicros) -> (Belt, Option<Belt>) {
    if now <= latest.holds_until {
        return (latest.belt, None);
    }
    let unknown = Belt { direction: Direction::Unknown, origin: Origin::Unknown, ..Belt::default() };
    (unknown, Some(latest.belt))
}
