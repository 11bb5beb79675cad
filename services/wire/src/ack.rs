//! The ingest's word to one agent: what is on its disk.

use domain::ids::{BootId, LogId};
use domain::limits;
use domain::log::{Lane, Position};
use domain::units::{MonotonicMicros, UnixMicros};
use prost::Message;
use prost::bytes::Bytes;

use crate::convert::{
    boot_id, lane_from, lane_to, log_id, maybe_boot_id, maybe_octets, maybe_position, octets, position_to,
};
use crate::{Unreadable, VERSION, check_version, proto};

/// What the ingest holds, and what else an agent should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The agent process that this is for.
    pub boot: BootId,
    /// The connection that this is for.
    pub connection: u32,
    /// Counts up for each ack to this connection, from 1; an older one is ignored.
    pub counter: u64,
    /// The lanes that this speaks of.
    pub lanes: Vec<LaneAck>,
    /// The newest monotonic time that this agent said, and how long the ingest held it, in microseconds.
    pub echo: Option<(MonotonicMicros, u64)>,
    /// The server's wall clock when this was made.
    pub server_time: UnixMicros,
    /// Why the last message was refused.
    pub refusal: Option<Refusal>,
    /// Settings that differ from what the agent has.
    pub settings: Option<Settings>,
}

/// What the ingest holds of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneAck {
    /// The lane.
    pub lane: Lane,
    /// Its log.
    pub log: LogId,
    /// All records up to here are in the journal or recorded as lost.
    pub committed: Option<Position>,
    /// The process that made the record there; `None`: not known.
    pub maker: Option<BootId>,
    /// How many envelopes may be unacknowledged; 0: send nothing for now.
    pub window: u32,
}

/// Why a message was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In one word, as in the server's counters.
    pub reason: String,
    /// Field, value and what is allowed, in one sentence.
    pub detail: String,
}

/// What the server tells the agent to do differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Version of these settings.
    pub version: u64,
    /// Length of a reading's interval while the belt moves, in milliseconds; 0: the agent's default.
    pub reading_interval_ms: u32,
    /// Whether the heart rate itself may be sent.
    pub heart_rate_allowed: bool,
}

impl Ack {
    /// Encodes the ack, ready to be sealed.
    pub fn encode(&self) -> Bytes {
        let lanes = self.lanes.iter().map(|lane| proto::LaneAck {
            lane: lane_to(lane.lane).into(),
            log_id: octets(&lane.log.0),
            committed: lane.committed.map(position_to),
            window: lane.window,
            committed_boot_id: maybe_octets(lane.maker),
        });
        let refusal = self
            .refusal
            .as_ref()
            .map(|refusal| proto::Refusal { reason: refusal.reason.clone(), detail: refusal.detail.clone() });
        let settings = self.settings.as_ref().map(|settings| proto::Settings {
            version: settings.version,
            reading_interval_ms: settings.reading_interval_ms,
            heart_rate_allowed: settings.heart_rate_allowed,
        });
        let ack = proto::Ack {
            version: VERSION,
            boot_id: octets(&self.boot.0),
            connection: self.connection,
            counter: self.counter,
            lanes: lanes.collect(),
            echo_monotonic_us: self.echo.map_or(0, |(sent, _)| sent.0),
            echo_held_us: self.echo.map_or(0, |(_, held)| held),
            server_unix_us: self.server_time.0,
            refusal,
            settings,
        };
        ack.encode_to_vec().into()
    }

    /// Reads an ack.
    pub fn decode(body: Bytes) -> Result<Ack, Unreadable> {
        let ack = proto::Ack::decode(body).map_err(|error| Unreadable::new(format!("Ack: {error}")))?;
        check_version("Ack", ack.version)?;
        let lane = |lane: proto::LaneAck| {
            Ok(LaneAck {
                lane: lane_from("LaneAck.lane", lane.lane)?,
                log: log_id("LaneAck.log_id", &lane.log_id)?,
                committed: maybe_position("LaneAck.committed", lane.committed)?,
                maker: maybe_boot_id("LaneAck.committed_boot_id", &lane.committed_boot_id)?,
                window: lane.window.min(limits::WINDOW_ENVELOPES),
            })
        };
        let echo = (ack.echo_monotonic_us != 0)
            .then_some((MonotonicMicros(ack.echo_monotonic_us), ack.echo_held_us));
        Ok(Ack {
            boot: boot_id("Ack.boot_id", &ack.boot_id)?,
            connection: ack.connection,
            counter: ack.counter,
            lanes: ack.lanes.into_iter().map(lane).collect::<Result<_, Unreadable>>()?,
            echo,
            server_time: UnixMicros(ack.server_unix_us),
            refusal: ack.refusal.map(|r| Refusal { reason: r.reason, detail: r.detail }),
            settings: ack.settings.map(|settings| Settings {
                version: settings.version,
                reading_interval_ms: settings.reading_interval_ms,
                heart_rate_allowed: settings.heart_rate_allowed,
            }),
        })
    }
}
