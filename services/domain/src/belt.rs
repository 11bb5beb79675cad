//! Direction with its origin, contacts, and a picture of a belt at one moment.

use serde::{Deserialize, Serialize};

use crate::units::{Incline, Speed};

/// Which way the belt runs. It says nothing about the person's gait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The upper side runs from front to rear.
    Forward,
    /// The upper side runs from rear to front.
    Reverse,
    /// The belt stands.
    Stopped,
    /// Not known: not forward, and not stopped.
    #[default]
    Unknown,
}

/// How a direction is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// By a sensor or drive that has a sign.
    Measured,
    /// By a person, a console or the registry.
    Declared,
    /// Not known at all.
    #[default]
    Unknown,
}

/// A contact on the machine. Closed is healthy or present; open is actuated or absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contact {
    /// The emergency-stop circuit.
    EmergencyStop,
    /// The safety key in the console.
    SafetyKey,
    /// Power of the machine.
    MachinePower,
    /// Hands on the rail.
    HandRail,
    /// A person on the belt.
    UserPresence,
}

impl Contact {
    /// All contacts, in the order of their bits.
    pub const ALL: [Contact; 5] = [
        Contact::EmergencyStop,
        Contact::SafetyKey,
        Contact::MachinePower,
        Contact::HandRail,
        Contact::UserPresence,
    ];

    /// The contact's bit in a set.
    pub fn bit(self) -> u32 {
        match self {
            Contact::EmergencyStop => 1,
            Contact::SafetyKey => 2,
            Contact::MachinePower => 4,
            Contact::HandRail => 8,
            Contact::UserPresence => 16,
        }
    }

    /// The contact's name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            Contact::EmergencyStop => "emergency_stop",
            Contact::SafetyKey => "safety_key",
            Contact::MachinePower => "machine_power",
            Contact::HandRail => "hand_rail",
            Contact::UserPresence => "user_presence",
        }
    }
}

/// Which contacts were seen closed and which open. Neither: not known. Both: both were seen within an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Contacts {
    /// Bits of contacts seen closed.
    pub closed: u32,
    /// Bits of contacts seen open.
    pub open: u32,
}

impl Contacts {
    /// Notes that a contact was seen in a state; what was seen before stays.
    pub fn see(&mut self, contact: Contact, open: bool) {
        if open {
            self.open |= contact.bit();
        } else {
            self.closed |= contact.bit();
        }
    }

    /// Sets a contact's one state.
    pub fn set(&mut self, contact: Contact, open: bool) {
        self.forget(contact);
        self.see(contact, open);
    }

    /// Makes a contact not known.
    pub fn forget(&mut self, contact: Contact) {
        self.open &= !contact.bit();
        self.closed &= !contact.bit();
    }

    /// Whether a contact is known to be open: `None` if not known or if both were seen.
    pub fn is_open(&self, contact: Contact) -> Option<bool> {
        match (self.closed & contact.bit() != 0, self.open & contact.bit() != 0) {
            (true, false) => Some(false),
            (false, true) => Some(true),
            (false, false) | (true, true) => None,
        }
    }
}

/// A picture of a belt at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Belt {
    /// Which way it runs.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Speed without sign; `None` is not known, which is not zero.
    pub speed: Option<Speed>,
    /// Incline; `None` is not known.
    pub incline: Option<Incline>,
    /// Contacts.
    pub contacts: Contacts,
}

/// The greatest |speed| that counts as standing still: 0.1 km/h.
pub const STANDSTILL: Speed = Speed(28);

impl Belt {
    /// Whether the belt is known to move: `None` if no speed is known.
    pub fn is_moving(&self) -> Option<bool> {
        self.speed.map(|speed| speed > STANDSTILL)
    }
}
