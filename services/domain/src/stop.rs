//! The newest stop that took a moving belt, folded from events: what staff must see until somebody has seen to it.

pub mod performance;

use serde::{Deserialize, Serialize};

use crate::belt::{Belt, Contact, Direction, STANDSTILL};
use crate::record::{Event, EventKind};
use crate::units::{Speed, UnixMicros};

/// How long after a stop a lesser one still belongs to it, in microseconds: whoever has pressed the button then pulls the
/// key.
const SAME_STOP_US: i64 = 10_000_000;

/// A stop by emergency stop, safety key or loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// When the contact opened, in event time.
    pub time: UnixMicros,
    /// What stopped the belt.
    pub contact: StopContact,
    /// Which way the belt ran before it.
    pub direction: Direction,
    /// The greatest speed of the 2 s before it; `None`: not known, which is not standstill.
    pub speed: Option<Speed>,
    /// When the contact closed again; `None`: it is open, or not known.
    pub released: Option<UnixMicros>,
}

/// A contact that stops a belt when it opens, the one that needs a person most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopContact {
    /// The emergency-stop circuit.
    EmergencyStop,
    /// The safety key.
    SafetyKey,
    /// Power of the machine.
    MachinePower,
}

impl StopContact {
    /// Of the contacts, those that stop a belt.
    pub fn of(contact: Contact) -> Option<StopContact> {
        match contact {
            Contact::EmergencyStop => Some(StopContact::EmergencyStop),
            Contact::SafetyKey => Some(StopContact::SafetyKey),
            Contact::MachinePower => Some(StopContact::MachinePower),
            Contact::HandRail | Contact::UserPresence => None,
        }
    }

    /// The contact itself.
    pub fn contact(self) -> Contact {
        match self {
            StopContact::EmergencyStop => Contact::EmergencyStop,
            StopContact::SafetyKey => Contact::SafetyKey,
            StopContact::MachinePower => Contact::MachinePower,
        }
    }
}

/// The newest stop after one more event. Folding an event twice changes nothing.
pub fn fold_stop(last: Option<Stop>, time: UnixMicros, event: &Event, session_is_open: bool) -> Option<Stop> {
    if let Some(stop) = stop_of(time, event, session_is_open) {
        return Some(last.map_or(stop, |last| newer(last, stop)));
    }
    let closed = event.contact.filter(|_| event.kind == EventKind::ContactClosed).and_then(StopContact::of);
    last.map(|mut last| {
        if closed == Some(last.contact) && time >= last.time {
            // The first closing counts, in whatever order they arrive.
            last.released = Some(last.released.map_or(time, |released| released.min(time)));
        }
        last
    })
}

/// The stop that an event tells, if it counts as one.
fn stop_of(time: UnixMicros, event: &Event, session_is_open: bool) -> Option<Stop> {
    let contact = match event.kind {
        EventKind::ContactOpened => StopContact::of(event.contact?)?,
        // A console that has no key contact says so in words.
        EventKind::SafetyKeyStop => StopContact::SafetyKey,
        EventKind::BeltStarted
        | EventKind::BeltStopped
        | EventKind::DirectionChanged
        | EventKind::ContactClosed
        | EventKind::ContactChattering
        | EventKind::SourceStale
        | EventKind::SourceFresh
        | EventKind::UserStarted
        | EventKind::UserStopped
        | EventKind::UserPaused
        | EventKind::AgentStarted
        | EventKind::SpoolFailing
        | EventKind::SpoolRecovered
        | EventKind::ValueImplausible
        | EventKind::DirectionDisagreed
        | EventKind::ContactDisagreed
        | EventKind::FaultReported
        | EventKind::SpeedJumped => return None,
    };
    let (speed, direction) = motion_before(event);
    let moved = speed.map(|speed| speed > STANDSTILL);
    let counts = match (contact, moved) {
        (_, Some(true)) => true,
        // A circuit that falls with the power of a standing machine is a machine switched off. Pressed at standstill
        // the button counts all the same: somebody had a reason.
        (StopContact::EmergencyStop, Some(false)) => {
            event.belt.contacts.is_open(Contact::MachinePower) != Some(true)
        }
        // Unknown is not standstill.
        (StopContact::EmergencyStop, None) => true,
        // Key and switch are how a standing machine is left.
        (StopContact::SafetyKey | StopContact::MachinePower, Some(false)) => false,
        // Somebody may be on the belt only within a session.
        (StopContact::SafetyKey | StopContact::MachinePower, None) => session_is_open,
    };
    counts.then_some(Stop { time, contact, direction, speed, released: None })
}

/// The greatest speed at the edge and in the 2 s before it, and the direction at that speed.
fn motion_before(event: &Event) -> (Option<Speed>, Direction) {
    let faster = |a: Belt, b: Belt| if b.speed > a.speed { b } else { a };
    let belt = faster(event.before, event.belt);
    (belt.speed, belt.direction)
}

/// Of two stops the one to show: the newer, unless it is a lesser part of the same stop. It depends on event time
/// only, so that a stop that arrives late does not replace a newer one.
fn newer(last: Stop, next: Stop) -> Stop {
    let gap = next.time.since(last.time);
    if gap == 0 && next.contact == last.contact {
        // The same one again; what is known of its release stays.
        return last;
    }
    let belong_together = gap.saturating_abs() <= SAME_STOP_US;
    // A console may tell a pull up to a second after the contact did; a contact that is open cannot open again. Each
    // opening of the emergency stop is a stop of its own.
    let same_pull = gap > 0
        && next.contact == last.contact
        && next.contact != StopContact::EmergencyStop
        && last.released.is_none();
    let (older, newer) = if gap >= 0 { (last, next) } else { (next, last) };
    if belong_together && (older.contact < newer.contact || same_pull) { older } else { newer }
}
