//! Numbers that stand for a few of the product's values in stored octets. They never change.

use domain::belt::{Direction, Origin};
use domain::clock::ClockQuality;

use super::ChunkError;

/// How the clock's quality is stored; 0: undated.
pub(crate) fn quality_code(quality: ClockQuality) -> i64 {
    match quality {
        ClockQuality::Undated => 0,
        ClockQuality::Synchronised => 1,
        ClockQuality::Estimated => 2,
    }
}

/// A clock's quality from its number.
pub(crate) fn quality_of(code: i64) -> Result<ClockQuality, ChunkError> {
    match code {
        0 => Ok(ClockQuality::Undated),
        1 => Ok(ClockQuality::Synchronised),
        2 => Ok(ClockQuality::Estimated),
        _ => Err(ChunkError::Damaged("it has a clock quality that is not known")),
    }
}

/// Direction in the low two bits, its origin above; 0: nothing is known.
pub(crate) fn direction_code(direction: Direction, origin: Origin) -> i64 {
    let direction = match direction {
        Direction::Unknown => 0,
        Direction::Forward => 1,
        Direction::Reverse => 2,
        Direction::Stopped => 3,
    };
    let origin = match origin {
        Origin::Unknown => 0,
        Origin::Measured => 1,
        Origin::Declared => 2,
    };
    origin << 2 | direction
}

/// Direction and origin from their code.
pub(crate) fn direction_of(code: i64) -> Result<(Direction, Origin), ChunkError> {
    let direction = match code & 3 {
        0 => Direction::Unknown,
        1 => Direction::Forward,
        2 => Direction::Reverse,
        _ => Direction::Stopped,
    };
    let origin = match code >> 2 {
        0 => Origin::Unknown,
        1 => Origin::Measured,
        2 => Origin::Declared,
        _ => return Err(ChunkError::Damaged("it has a direction that is not known")),
    };
    Ok((direction, origin))
}
