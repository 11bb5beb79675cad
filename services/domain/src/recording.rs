//! Recordings: the belt around something that happened, at full signal rate, in pieces that fit a record.

use crate::belt::{Contacts, Direction, Origin};
use crate::ids::{LogId, MachineId, RecordingId};
use crate::units::{Incline, MonotonicMicros, Speed};

/// A piece of a recording. Its record's time is that of its last point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingPiece {
    /// Time of the event that it was made for, in the same boot.
    pub trigger: MonotonicMicros,
    /// Its number within the recording, from 0.
    pub number: u32,
    /// Whether it is the last one.
    pub is_last: bool,
    /// Points, oldest first, at most `limits::RECORDING_POINTS_MAX`.
    pub points: Vec<RecordingPoint>,
}

/// The belt at one moment of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingPoint {
    /// When.
    pub at: MonotonicMicros,
    /// Which way the belt ran.
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

impl RecordingId {
    /// The recording of the event at this time of this boot: machine, log of events, boot and time identify it, so that
    /// an incident and the pieces find each other whatever order they arrive in.
    pub fn of(machine: &MachineId, log: LogId, boot_count: u32, trigger: MonotonicMicros) -> RecordingId {
        let octets = machine.as_str().bytes().chain([0]).chain(log.0);
        let octets = octets.chain(boot_count.to_be_bytes()).chain(trigger.0.to_be_bytes());
        RecordingId(crate::ids::fnv(octets))
    }
}
