//! An agent's word about itself, and its last will.

use domain::belt::Belt;
use domain::clock::Clock;
use domain::ids::{BootId, LogId};
use domain::limits;
use domain::log::{Lane, Position};
use domain::signal::Capabilities;
use domain::units::MonotonicMicros;
use prost::Message;
use prost::bytes::Bytes;

use crate::convert::{
    belt_from, belt_to, boot_id, clock_from, clock_to, lane_from, lane_to, log_id, maybe_position, octets,
    position_from, position_to,
};
use crate::{Unreadable, VERSION, check_version, proto};

/// What orders the statuses of one machine; an older one is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusOrder {
    /// The agent's boot count.
    pub boot_count: u32,
    /// Number of the connection in that boot, from 1.
    pub connection: u32,
    /// Number of the status in that connection, from 1; the will has the greatest there is.
    pub counter: u64,
}

/// An agent's word about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The agent process.
    pub boot: BootId,
    /// Its place among the machine's statuses.
    pub order: StatusOrder,
    /// Whether this is the last will: the broker lost the agent.
    pub offline: bool,
    /// The sender's monotonic time.
    pub sent: MonotonicMicros,
    /// Wall-clock mapping of this boot.
    pub clock: Clock,
    /// The agent's version.
    pub agent_version: String,
    /// What its sources can report.
    pub capabilities: Capabilities,
    /// The newest picture of the belt, its time, and how long it stands in milliseconds.
    pub belt: Option<(Belt, MonotonicMicros, u32)>,
    /// What the spool's lanes hold.
    pub lanes: Vec<LaneStatus>,
    /// Whether the spool's disk works.
    pub spool_healthy: bool,
    /// Octets the spool takes on the disk.
    pub spool_bytes: u64,
}

/// What one lane of a spool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneStatus {
    /// The lane.
    pub lane: Lane,
    /// Its log.
    pub log: LogId,
    /// The oldest record; `None`: it is empty.
    pub first: Option<Position>,
    /// The position that the next record will get.
    pub next: Position,
    /// Records dropped for want of room since the spool was made.
    pub dropped: u64,
}

impl Status {
    /// The will of a connection: sealed when the connection is made, sent by the broker when it loses the agent.
    pub fn will(boot: BootId, boot_count: u32, connection: u32) -> Status {
        Status {
            boot,
            order: StatusOrder { boot_count, connection, counter: u64::MAX },
            offline: true,
            sent: MonotonicMicros(0),
            clock: Clock::UNDATED,
            agent_version: String::new(),
            capabilities: Capabilities::default(),
            belt: None,
            lanes: Vec::new(),
            spool_healthy: false,
            spool_bytes: 0,
        }
    }

    /// Encodes the status, ready to be sealed.
    pub fn encode(&self) -> Bytes {
        let (belt_monotonic_us, belt_holds_for_ms) =
            self.belt.as_ref().map_or((0, 0), |(_, at, holds_for_ms)| (at.0, *holds_for_ms));
        let status = proto::Status {
            version: VERSION,
            boot_id: octets(&self.boot.0),
            boot_count: self.order.boot_count,
            connection: self.order.connection,
            counter: self.order.counter,
            offline: self.offline,
            sent_monotonic_us: self.sent.0,
            clock: Some(clock_to(&self.clock)),
            agent_version: self.agent_version.clone(),
            capabilities: self.capabilities.0,
            belt: self.belt.as_ref().map(|(belt, _, _)| belt_to(belt)),
            belt_monotonic_us,
            belt_holds_for_ms,
            lanes: self.lanes.iter().map(lane_status_to).collect(),
            spool_healthy: self.spool_healthy,
            spool_bytes: self.spool_bytes,
        };
        status.encode_to_vec().into()
    }

    /// Reads a status.
    pub fn decode(body: Bytes) -> Result<Status, Unreadable> {
        let status =
            proto::Status::decode(body).map_err(|error| Unreadable::new(format!("Status: {error}")))?;
        check_version("Status", status.version)?;
        if status.boot_count == 0 || status.connection == 0 || status.counter == 0 {
            return Err(Unreadable::new("Status: boot_count, connection and counter count from 1"));
        }
        if status.agent_version.len() > limits::SOURCE_NAME_BYTES_MAX || status.lanes.len() > 2 {
            return Err(Unreadable::new("Status: agent_version over 64 octets, or more than 2 lanes"));
        }
        let holds_for_ms = status.belt_holds_for_ms.min(limits::READING_HOLDS_MS_MAX);
        let belt = match status.belt {
            Some(belt) => {
                let belt = belt_from("Status.belt", Some(belt))?;
                Some((belt, MonotonicMicros(status.belt_monotonic_us), holds_for_ms))
            }
            None => None,
        };
        Ok(Status {
            boot: boot_id("Status.boot_id", &status.boot_id)?,
            order: StatusOrder {
                boot_count: status.boot_count,
                connection: status.connection,
                counter: status.counter,
            },
            offline: status.offline,
            sent: MonotonicMicros(status.sent_monotonic_us),
            clock: clock_from(status.clock),
            agent_version: status.agent_version,
            capabilities: Capabilities(status.capabilities),
            belt,
            lanes: status.lanes.into_iter().map(lane_status_from).collect::<Result<_, _>>()?,
            spool_healthy: status.spool_healthy,
            spool_bytes: status.spool_bytes,
        })
    }
}

fn lane_status_to(lane: &LaneStatus) -> proto::LaneStatus {
    proto::LaneStatus {
        lane: lane_to(lane.lane).into(),
        log_id: octets(&lane.log.0),
        first: lane.first.map(position_to),
        next: Some(position_to(lane.next)),
        dropped: lane.dropped,
    }
}

fn lane_status_from(lane: proto::LaneStatus) -> Result<LaneStatus, Unreadable> {
    Ok(LaneStatus {
        lane: lane_from("LaneStatus.lane", lane.lane)?,
        log: log_id("LaneStatus.log_id", &lane.log_id)?,
        first: maybe_position("LaneStatus.first", lane.first)?,
        next: position_from("LaneStatus.next", lane.next.unwrap_or_default())?,
        dropped: lane.dropped,
    })
}
