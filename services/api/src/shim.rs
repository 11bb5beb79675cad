use domain::belt::{Belt, Direction, Origin};
use domain::live::LiveState;
use domain::registry::BeltKind;
use domain::units::UnixMicros;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    NeverSeen,
    Online,
    Late,
    Offline,
}

pub(crate) fn presence(state: &LiveState, now: UnixMicros) -> Presence {
    let Some(heard) = state.heard else { return Presence::NeverSeen };
    let age = now.since(heard);
    if state.lost_by_broker || age > 90_000_000 {
        Presence::Offline
    } else if age > 35_000_000 {
        Presence::Late
    } else {
        Presence::Online
    }
}

pub(crate) fn belt_now(state: &LiveState, now: UnixMicros) -> Option<Belt> {
    state.latest.as_ref().filter(|latest| now <= latest.holds_until).map(|latest| latest.belt)
}

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
