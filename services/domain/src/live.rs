//! What is known of a machine now, and what a session is.

use crate::belt::{Belt, Contact, Direction, Origin};
use crate::ids::{MachineId, SessionId};
use crate::proven::Configurations;
use crate::record::EventKind;
use crate::signal::Capabilities;
use crate::stop::Stop;
use crate::units::{Incline, Speed, UnixMicros};
use crate::usage::{Grade, Guidance};

/// The newest committed picture of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest {
    /// Event time of the picture.
    pub time: UnixMicros,
    /// The belt.
    pub belt: Belt,
    /// Until when it stands if nothing follows.
    pub holds_until: UnixMicros,
    /// Since when the belt does what it does (moving one way, or standing); `None`: not known.
    pub since: Option<UnixMicros>,
    /// The newest event of note.
    pub last_event: Option<(EventKind, Option<Contact>, UnixMicros)>,
}

/// What is known of a machine now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveState {
    /// The machine.
    pub machine: MachineId,
    /// Its newest committed picture, or the newer one of its agent's status.
    pub latest: Option<Latest>,
    /// The newest stop that took a moving belt, or whose motion is not known.
    pub last_stop: Option<Stop>,
    /// The open session and its first motion.
    pub session: Option<(SessionId, UnixMicros)>,
    /// When its agent was last heard, by the server's clock.
    pub heard: Option<UnixMicros>,
    /// Whether the broker said that it lost the agent.
    pub lost_by_broker: bool,
    /// What its agent's sources can report.
    pub capabilities: Capabilities,
    /// How its sources were set over time, as far as what was folded tells.
    pub configurations: Configurations,
    /// The agent's version; empty if never heard.
    pub agent_version: String,
    /// How far the committed readings lie behind the agent, in microseconds; `None`: not known.
    pub backlog_us: Option<u64>,
    /// Records of both lanes known to be lost.
    pub records_lost: u64,
    /// Counts up with each change of this state.
    pub revision: u64,
}

impl LiveState {
    /// A machine of which nothing is known yet.
    pub fn new(machine: MachineId) -> LiveState {
        LiveState {
            machine,
            latest: None,
            last_stop: None,
            session: None,
            heard: None,
            lost_by_broker: false,
            capabilities: Capabilities::default(),
            configurations: Configurations::default(),
            agent_version: String::new(),
            backlog_us: None,
            records_lost: 0,
            revision: 0,
        }
    }
}

/// From first motion until 180 s at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Identity, from machine, log and position of its first record.
    pub id: SessionId,
    /// The machine.
    pub machine: MachineId,
    /// First motion.
    pub started: UnixMicros,
    /// Last motion so far.
    pub last_motion: UnixMicros,
    /// Whether it has ended.
    pub ended: bool,
    /// Its parts, oldest first.
    pub segments: Vec<Segment>,
    /// Records folded when this was written; of two versions of one session the greater wins.
    pub revision: u64,
}

/// A stretch of a session with one direction; a rest is one too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Which way the belt ran; stopped is a rest.
    pub direction: Direction,
    /// How that is known.
    pub origin: Origin,
    /// Beginning.
    pub started: UnixMicros,
    /// End so far.
    pub ended: UnixMicros,
    /// Time that readings cover, in microseconds.
    pub observed_us: u64,
    /// Belt distance within the observed time, in millimetres.
    pub distance_mm: u64,
    /// Distance not yet a whole millimetre, in mm/s times microseconds, below 1 000 000.
    pub distance_remainder: u64,
    /// Greatest speed.
    pub speed_max: Speed,
    /// How steep it was for the person; unknown for a rest.
    pub grade: Grade,
    /// Time in which the incline was known, in microseconds.
    pub incline_us: u64,
    /// Incline times time, in tenths of a per cent times microseconds; divided by `incline_us` it is the mean.
    pub incline_sum: i64,
    /// Of reverse only: how much of it was as starting advice says; otherwise all zero.
    pub guidance: Guidance,
}

impl Segment {
    /// Nothing yet, from that moment on.
    pub fn begun(direction: Direction, origin: Origin, grade: Grade, started: UnixMicros) -> Segment {
        Segment {
            direction,
            origin,
            started,
            ended: started,
            observed_us: 0,
            distance_mm: 0,
            distance_remainder: 0,
            speed_max: Speed(0),
            grade,
            incline_us: 0,
            incline_sum: 0,
            guidance: Guidance::default(),
        }
    }

    /// Mean incline; `None`: it was not known at any time.
    pub fn incline(&self) -> Option<Incline> {
        let mean = self.incline_sum.checked_div(i64::try_from(self.incline_us).ok()?)?;
        i32::try_from(mean).ok().map(Incline)
    }
}
