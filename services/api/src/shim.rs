use domain::belt::{Direction, Origin};
use domain::registry::BeltKind;

pub(crate) fn direction_as_registered(
    kind: BeltKind,
    direction: Direction,
    origin: Origin,
    moving: Option<bool>,
) -> (Direction, Origin) {
    if kind == BeltKind::OneWay && direction == Direction::Unknown && moving == Some(true) {
        (Direction::Forward, Origin::Declared)
    } else {
        (direction, origin)
    }
}
