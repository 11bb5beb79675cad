//! What a machine's registry entry says of its belt and drive.

use serde::{Deserialize, Serialize};

use crate::belt::{Direction, Origin};

/// What a belt can do. A one-way belt is forward, declared; only the others can be blind to direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BeltKind {
    /// It can only run forward.
    OneWay,
    /// It can run both ways.
    Reversible,
    /// Nobody has said.
    #[default]
    Unknown,
}

/// What drives a belt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriveKind {
    /// A motor.
    #[default]
    Motor,
    /// The person on it.
    Manual,
}

/// A direction as the registry lets it be read: a one-way belt that moves and whose direction was not seen runs
/// forward, declared. Everything else stays as it was seen. `is_moving` is `None` if no speed is known.
pub fn direction_as_registered(
    kind: BeltKind,
    direction: Direction,
    origin: Origin,
    is_moving: Option<bool>,
) -> (Direction, Origin) {
    let unseen = direction == Direction::Unknown && is_moving == Some(true);
    match kind {
        BeltKind::OneWay if unseen => (Direction::Forward, Origin::Declared),
        BeltKind::OneWay | BeltKind::Reversible | BeltKind::Unknown => (direction, origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_one_way_belt_that_is_known_to_move_is_forward_unseen() {
        let unseen = (Direction::Unknown, Origin::Unknown);
        let read = |kind, moving| direction_as_registered(kind, unseen.0, unseen.1, moving);
        assert_eq!(read(BeltKind::OneWay, Some(true)), (Direction::Forward, Origin::Declared));
        for (kind, moving) in [
            (BeltKind::OneWay, Some(false)),
            (BeltKind::OneWay, None),
            (BeltKind::Reversible, Some(true)),
            (BeltKind::Unknown, Some(true)),
        ] {
            assert_eq!(read(kind, moving), unseen, "{kind:?}, {moving:?}");
        }
        let seen = (Direction::Reverse, Origin::Measured);
        assert_eq!(direction_as_registered(BeltKind::OneWay, seen.0, seen.1, Some(true)), seen);
    }
}
