//! The one thing to say of a machine, the one that needs a person most first.

use crate::belt::{Belt, Contact, Direction};
use crate::live::{Latest, LiveState};
use crate::presence::{Presence, belt_now, presence};
use crate::record::EventKind;
use crate::registry::{BeltKind, direction_as_registered};
use crate::stop::{Stop, StopContact};
use crate::units::UnixMicros;

/// The one thing to say of a machine. Of all that hold, the first in this order is it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The emergency-stop circuit is open, or it stopped the belt and nobody has seen to it. First of all: a person may
    /// be hurt, and the machine cannot say whether one is.
    EmergencyStop,
    /// The key was pulled from a moving belt and nobody has seen to it. The person may have fallen.
    KeyPulled,
    /// The machine lost its power while the belt moved and nobody has seen to it. The belt coasted with a person on it.
    PowerLost,
    /// The belt runs from rear to front. Staff keep an eye on it, even if its agent is about to fall silent.
    Reverse,
    /// The belt moves; which way is not known. It may be reverse, so it goes before what is known to be forward.
    MovingUnknown,
    /// The agent cannot be heard. What the belt does is not known: nothing quieter may be said of it.
    Offline,
    /// The agent is late, or its sources are silent. As offline, but it may come back by itself.
    Silent,
    /// The belt runs from front to rear: ordinary use.
    Forward,
    /// The belt stands within a session: somebody is there and may go on.
    Resting,
    /// The belt stands, and the safety key is out or the machine is off: nobody can use it as it is.
    OutOfUse,
    /// The belt stands and no session is open. Nobody is needed.
    Free,
    /// No agent has ever been heard: there is nothing to say, and nothing has changed.
    NeverSeen,
}

impl Status {
    /// All, in their order.
    pub const ALL: [Status; 12] = [
        Status::EmergencyStop,
        Status::KeyPulled,
        Status::PowerLost,
        Status::Reverse,
        Status::MovingUnknown,
        Status::Offline,
        Status::Silent,
        Status::Forward,
        Status::Resting,
        Status::OutOfUse,
        Status::Free,
        Status::NeverSeen,
    ];
}

/// The status of a machine and since when it holds; `None`: not known. A belt's doing counts from when it began, silence
/// from the last that was known.
///
/// `acknowledged` is the time up to which a person has seen to stops.
pub fn status(
    live: &LiveState,
    kind: BeltKind,
    acknowledged: Option<UnixMicros>,
    now: UnixMicros,
) -> (Status, Option<UnixMicros>) {
    // What holds of a picture, even from an agent that has gone since.
    let picture = live.latest.as_ref();
    let belt = picture.map_or_else(Belt::default, |latest| belt_now(latest, now).0);
    if let Some(stopped) = stopped(live, &belt, acknowledged) {
        return stopped;
    }
    let since = picture.and_then(|latest| latest.since);
    let doing = doing(&belt, kind);
    match doing {
        Some(Direction::Reverse) => return (Status::Reverse, since),
        Some(Direction::Unknown) => return (Status::MovingUnknown, since),
        Some(Direction::Forward | Direction::Stopped) | None => {}
    }
    match presence(live.heard, live.lost_by_broker, now) {
        Presence::NeverSeen => return (Status::NeverSeen, None),
        Presence::Offline => return (Status::Offline, live.heard),
        Presence::Late => return (Status::Silent, live.heard),
        Presence::Online => {}
    }
    match doing {
        Some(Direction::Forward) => (Status::Forward, since),
        Some(Direction::Stopped) => standing(live, &belt, since),
        Some(Direction::Reverse | Direction::Unknown) | None => {
            (Status::Silent, picture.map(|latest| latest.holds_until).filter(|until| *until < now))
        }
    }
}

/// What stops say, whatever else holds: they stay until a person has seen to them.
fn stopped(
    live: &LiveState,
    belt: &Belt,
    acknowledged: Option<UnixMicros>,
) -> Option<(Status, Option<UnixMicros>)> {
    let unseen = live.last_stop.filter(|stop| acknowledged.is_none_or(|until| stop.time > until));
    if let Some(stop) = unseen.filter(|stop| stop.contact == StopContact::EmergencyStop) {
        return Some((Status::EmergencyStop, Some(stop.time)));
    }
    if circuit_is_open(belt) {
        return Some((Status::EmergencyStop, opened(live, Contact::EmergencyStop)));
    }
    let stop = unseen?;
    let status = match stop.contact {
        StopContact::EmergencyStop => Status::EmergencyStop,
        StopContact::SafetyKey => Status::KeyPulled,
        StopContact::MachinePower => Status::PowerLost,
    };
    Some((status, Some(stop.time)))
}

/// Whether the emergency-stop circuit is open and it means something: a circuit without power, on a belt that is known to
/// stand, is a machine that was switched off.
fn circuit_is_open(belt: &Belt) -> bool {
    let is_open = |contact| belt.contacts.is_open(contact) == Some(true);
    let switched_off = is_open(Contact::MachinePower) && is_running(belt) == Some(false);
    is_open(Contact::EmergencyStop) && !switched_off
}

/// Which way the belt runs, or that it stands; `None`: not known. Unknown is a belt that moves, one way or the other.
fn doing(belt: &Belt, kind: BeltKind) -> Option<Direction> {
    if !is_running(belt)? {
        return Some(Direction::Stopped);
    }
    match direction_as_registered(kind, belt.direction, belt.origin, belt.is_moving()).0 {
        // Its speed says that it moves.
        Direction::Stopped | Direction::Unknown => Some(Direction::Unknown),
        direction @ (Direction::Forward | Direction::Reverse) => Some(direction),
    }
}

/// Whether the belt runs: by its speed, or where none is known by its direction.
fn is_running(belt: &Belt) -> Option<bool> {
    belt.is_moving().or(match belt.direction {
        Direction::Forward | Direction::Reverse => Some(true),
        Direction::Stopped => Some(false),
        Direction::Unknown => None,
    })
}

/// A belt that stands, of a machine that is heard.
fn standing(live: &LiveState, belt: &Belt, since: Option<UnixMicros>) -> (Status, Option<UnixMicros>) {
    if live.session.is_some() {
        return (Status::Resting, since);
    }
    let out = [Contact::SafetyKey, Contact::MachinePower];
    match out.into_iter().find(|contact| belt.contacts.is_open(*contact) == Some(true)) {
        Some(contact) => {
            let both = since.zip(opened(live, contact)).map(|(since, opened)| since.max(opened));
            (Status::OutOfUse, both)
        }
        None => (Status::Free, since),
    }
}

/// When a contact that is open has opened; `None`: not known.
fn opened(live: &LiveState, contact: Contact) -> Option<UnixMicros> {
    let by_stop =
        |stop: Stop| (stop.contact.contact() == contact && stop.released.is_none()).then_some(stop.time);
    let by_event = |latest: &Latest| match latest.last_event {
        Some((EventKind::ContactOpened, Some(of), time)) if of == contact => Some(time),
        Some(_) | None => None,
    };
    live.last_stop.and_then(by_stop).or_else(|| live.latest.as_ref().and_then(by_event))
}
