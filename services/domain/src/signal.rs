//! What a source delivers: one observation at one moment. The signal watcher turns these into readings and events.

use serde::{Deserialize, Serialize};

use crate::belt::{Contact, Direction};
use crate::units::{Incline, MonotonicMicros, Speed};

/// Number of a source within its agent, in the order of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceNumber(pub u8);

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// When it was observed.
    pub at: MonotonicMicros,
    /// By which source.
    pub source: SourceNumber,
    /// What was observed.
    pub value: SignalValue,
}

/// What can be observed. A source tells only what it saw: absence is not zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalValue {
    /// Belt speed without sign.
    Speed(Speed),
    /// Which way the belt runs, by a source that has a sign. Never derived from an unsigned speed.
    MeasuredDirection(Direction),
    /// Which way the belt runs, as a person or console declared it.
    DeclaredDirection(Direction),
    /// Incline.
    Incline(Incline),
    /// A contact's level.
    ContactLevel {
        /// Which contact.
        contact: Contact,
        /// Whether it is open (actuated, absent).
        open: bool,
    },
    /// Speed the console commands.
    Commanded(Speed),
    /// The machine's own elapsed time, in seconds.
    Elapsed(u32),
    /// The machine's own distance, in metres.
    Distance(u32),
    /// The machine's own step count.
    Steps(u32),
    /// Force on the belt, in newtons.
    BeltForce(i32),
    /// Whether a heart-rate sensor has contact.
    HeartRateContact(bool),
    /// Heart rate, in beats a minute.
    HeartRate(u32),
    /// The machine says that its user started or resumed it.
    UserStarted,
    /// The machine says that its user stopped it.
    UserStopped,
    /// The machine says that its user paused it.
    UserPaused,
    /// The machine says that its safety key stopped it.
    SafetyKeyStop,
    /// The source answered and had nothing new.
    Alive,
    /// The source sent a value that cannot be true; it is not used. In words, with field and value.
    Implausible(String),
    /// A drive or a console reports a fault, in words.
    Fault(String),
    /// The source cannot go on, in words: what it said last is not known any more.
    Lost(String),
}

/// What a source can report, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Capabilities(pub u32);

impl Capabilities {
    /// Belt speed.
    pub const SPEED: Capabilities = Capabilities(1);
    /// Measured direction.
    pub const DIRECTION: Capabilities = Capabilities(1 << 1);
    /// Incline.
    pub const INCLINE: Capabilities = Capabilities(1 << 2);
    /// Emergency stop.
    pub const EMERGENCY_STOP: Capabilities = Capabilities(1 << 3);
    /// Safety key.
    pub const SAFETY_KEY: Capabilities = Capabilities(1 << 4);
    /// Machine power.
    pub const MACHINE_POWER: Capabilities = Capabilities(1 << 5);
    /// Hand rail.
    pub const HAND_RAIL: Capabilities = Capabilities(1 << 6);
    /// User presence.
    pub const USER_PRESENCE: Capabilities = Capabilities(1 << 7);
    /// Start and stop by the user.
    pub const USER_COMMANDS: Capabilities = Capabilities(1 << 8);
    /// Heart-rate contact.
    pub const HEART_RATE_CONTACT: Capabilities = Capabilities(1 << 9);
    /// The machine's elapsed time.
    pub const ELAPSED: Capabilities = Capabilities(1 << 10);
    /// The machine's distance.
    pub const DISTANCE: Capabilities = Capabilities(1 << 11);
    /// The machine's steps.
    pub const STEPS: Capabilities = Capabilities(1 << 12);
    /// Force on the belt.
    pub const BELT_FORCE: Capabilities = Capabilities(1 << 13);
    /// Commanded speed.
    pub const COMMANDED: Capabilities = Capabilities(1 << 14);
    /// A second speed source.
    pub const SECOND_SPEED: Capabilities = Capabilities(1 << 15);

    /// Names in the order of their bits.
    pub const NAMES: [&'static str; 16] = [
        "speed",
        "direction",
        "incline",
        "emergency_stop",
        "safety_key",
        "machine_power",
        "hand_rail",
        "user_presence",
        "user_commands",
        "heart_rate_contact",
        "elapsed",
        "distance",
        "steps",
        "belt_force",
        "commanded",
        "second_speed",
    ];

    /// Both sets.
    pub const fn and(self, other: Capabilities) -> Capabilities {
        Capabilities(self.0 | other.0)
    }

    /// Whether all of `other` is in this set.
    pub const fn has(self, other: Capabilities) -> bool {
        self.0 & other.0 == other.0
    }

    /// Names of the set's members.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
    }
}

/// What is known of a source before it speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSpec {
    /// Its configured name, at most 64 octets.
    pub name: String,
    /// What it can report.
    pub capabilities: Capabilities,
    /// Its usual period, in microseconds; it is stale after three of them, at least 2 s.
    pub period_us: u64,
}

/// A source that needs no waiting: a simulator or a capture. The body around it sleeps until it wants to be asked.
pub trait Script: Send {
    /// What is known of it.
    fn spec(&self) -> SourceSpec;

    /// Appends what is observed up to and at `now`, oldest first, and says when to ask again; `None`: it has ended.
    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros>;
}
