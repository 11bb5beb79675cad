//! Checkpoints: the folded state of one machine, as the ledger keeps it.

mod usage;

use domain::clock::Clock;
use domain::ids::{BootId, LogId, SessionId};
use domain::incident::mind::IncidentFold;
use domain::limits;
use domain::live::{Latest, Segment};
use domain::log::{Lane, Position};
use domain::machine::{MachineFold, OpenSession};
use domain::record::Record;
use domain::signal::Capabilities;
use domain::stop::{Stop, StopContact};
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use domain::usage::{Guidance, UsageFold};
use prost::Message;
use prost::bytes::Bytes;

use self::usage::{grade_from, grade_to, usage_from, usage_to};
use crate::convert::{
    belt_from, belt_to, boot_id, clock_from, clock_to, contact_from, contact_to, direction_from,
    direction_to, kind_from, kind_to, lane_from, lane_to, log_id, maybe_position, octets, origin_from,
    origin_to, position_from, position_to,
};
use crate::{Unreadable, VERSION, check_version, proto};

/// Everything that is needed to go on with one machine from the journal behind it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checkpoint {
    /// Its logs.
    pub logs: Vec<LogState>,
    /// What was folded.
    pub fold: MachineFold,
    /// The process that speaks for it.
    pub sender: Option<SenderState>,
    /// The greatest key generation with which an authentic message came; 0: none yet.
    pub key_generation_seen: u32,
    /// Records known to be lost.
    pub records_lost: u64,
    /// When its agent was last heard, by the server's clock.
    pub heard: Option<UnixMicros>,
    /// What its agent's sources can report.
    pub capabilities: Capabilities,
    /// Its agent's version; empty: not told.
    pub agent_version: String,
    /// The newest slice of the journal that was folded or waits to be.
    pub newest_slice: u64,
    /// Counts the machine's checkpoints.
    pub revision: u64,
    /// The number of the last ack to the agent.
    pub ack_counter: u64,
    /// Records that wait for the other lane, in the order in which they came.
    pub waiting: Vec<WaitingRecord>,
}

/// One log of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The log.
    pub log: LogId,
    /// Its lane.
    pub lane: Lane,
    /// All records up to here are in the journal or recorded as lost.
    pub committed: Option<Position>,
    /// All records up to here are folded.
    pub folded: Option<Position>,
    /// The boot of the clock that was settled last; 0: none yet.
    pub clock_boot_count: u32,
    /// That clock.
    pub clock: Clock,
    /// Greatest monotonic time of a committed record of that boot.
    pub clock_last_at: MonotonicMicros,
    /// The boot of the newest record that its own process sent, and that process.
    pub maker: Option<(u32, BootId)>,
}

/// The process that speaks for the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderState {
    /// The process.
    pub boot: BootId,
    /// Its durable count.
    pub boot_count: u32,
    /// Its newest connection; 0: no status has told it.
    pub connection: u32,
    /// The events log of its spool.
    pub spool: Option<LogId>,
    /// Its logs of events and of readings.
    pub logs: [Option<LogId>; 2],
}

/// A record whose place in the order of writing is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRecord {
    /// Its log.
    pub log: LogId,
    /// Its lane.
    pub lane: Lane,
    /// Its place.
    pub position: Position,
    /// The other lane's record that was written before it.
    pub after: Option<Position>,
    /// Its settled event time; `None`: undated.
    pub time: Option<UnixMicros>,
    /// The record; `None`: it could not be read.
    pub record: Option<Record>,
}

impl Checkpoint {
    /// Encodes the checkpoint.
    pub fn encode(&self) -> Bytes {
        let fold = &self.fold;
        let checkpoint = proto::Checkpoint {
            version: VERSION,
            logs: self.logs.iter().map(log_to).collect(),
            latest: fold.latest.as_ref().map(latest_to),
            session: fold.session.as_ref().map(session_to),
            folded: fold.folded,
            covered_until_unix_us: fold.covered_until.map(|time| time.0),
            sender: self.sender.as_ref().map(sender_to),
            key_generation_seen: self.key_generation_seen,
            records_lost: self.records_lost,
            heard_unix_us: self.heard.map_or(0, |time| time.0),
            capabilities: self.capabilities.0,
            agent_version: self.agent_version.clone(),
            newest_slice: self.newest_slice,
            revision: self.revision,
            ack_counter: self.ack_counter,
            waiting: self.waiting.iter().map(waiting_to).collect(),
            last_stop: fold.last_stop.as_ref().map(stop_to),
            incidents_json: incidents_to(&fold.incidents),
            usage: (fold.usage != UsageFold::default()).then(|| usage_to(&fold.usage)),
        };
        checkpoint.encode_to_vec().into()
    }

    /// Reads a checkpoint.
    pub fn decode(body: Bytes) -> Result<Checkpoint, Unreadable> {
        let read = proto::Checkpoint::decode(body)
            .map_err(|error| Unreadable::new(format!("Checkpoint: {error}")))?;
        check_version("Checkpoint", read.version)?;
        if read.agent_version.len() > limits::SOURCE_NAME_BYTES_MAX {
            return Err(Unreadable::new("Checkpoint.agent_version has over 64 octets"));
        }
        let fold = MachineFold {
            latest: read.latest.map(latest_from).transpose()?,
            last_stop: read.last_stop.map(|stop| stop_from(&stop)).transpose()?,
            session: read.session.map(session_from).transpose()?,
            covered_until: read.covered_until_unix_us.map(UnixMicros),
            folded: read.folded,
            incidents: incidents_from(&read.incidents_json)?,
            usage: read.usage.map(usage_from).transpose()?.unwrap_or_default(),
        };
        Ok(Checkpoint {
            logs: read.logs.into_iter().map(log_from).collect::<Result<_, _>>()?,
            fold,
            sender: read.sender.map(|sender| sender_from(&sender)).transpose()?,
            key_generation_seen: read.key_generation_seen,
            records_lost: read.records_lost,
            heard: (read.heard_unix_us != 0).then_some(UnixMicros(read.heard_unix_us)),
            capabilities: Capabilities(read.capabilities),
            agent_version: read.agent_version,
            newest_slice: read.newest_slice,
            revision: read.revision,
            ack_counter: read.ack_counter,
            waiting: read.waiting.into_iter().map(waiting_from).collect::<Result<_, _>>()?,
        })
    }
}

fn incidents_to(incidents: &IncidentFold) -> Bytes {
    if *incidents == IncidentFold::default() {
        return Bytes::new();
    }
    serde_json::to_vec(incidents).expect("incidents have text keys and no other maps").into()
}

fn incidents_from(json: &[u8]) -> Result<IncidentFold, Unreadable> {
    if json.is_empty() {
        return Ok(IncidentFold::default());
    }
    let wrong = |error| Unreadable::new(format!("Checkpoint.incidents_json: {error}"));
    serde_json::from_slice(json).map_err(wrong)
}

fn log_to(log: &LogState) -> proto::LogState {
    proto::LogState {
        log_id: octets(&log.log.0),
        lane: lane_to(log.lane).into(),
        committed: log.committed.map(position_to),
        folded: log.folded.map(position_to),
        clock_boot_count: log.clock_boot_count,
        clock: Some(clock_to(&log.clock)),
        clock_last_monotonic_us: log.clock_last_at.0,
        maker_boot_count: log.maker.map_or(0, |(boot_count, _)| boot_count),
        maker_boot_id: log.maker.map_or_else(Bytes::new, |(_, boot)| octets(&boot.0)),
    }
}

fn log_from(log: proto::LogState) -> Result<LogState, Unreadable> {
    let maker = match log.maker_boot_count {
        0 => None,
        boot_count => Some((boot_count, boot_id("LogState.maker_boot_id", &log.maker_boot_id)?)),
    };
    Ok(LogState {
        log: log_id("LogState.log_id", &log.log_id)?,
        lane: lane_from("LogState.lane", log.lane)?,
        committed: maybe_position("LogState.committed", log.committed)?,
        folded: maybe_position("LogState.folded", log.folded)?,
        clock_boot_count: log.clock_boot_count,
        clock: clock_from(log.clock),
        clock_last_at: MonotonicMicros(log.clock_last_monotonic_us),
        maker,
    })
}

fn sender_to(sender: &SenderState) -> proto::SenderState {
    let maybe = |log: Option<LogId>| log.map_or_else(Bytes::new, |log| octets(&log.0));
    let [events, readings] = sender.logs;
    proto::SenderState {
        boot_id: octets(&sender.boot.0),
        boot_count: sender.boot_count,
        connection: sender.connection,
        spool_id: maybe(sender.spool),
        events_log_id: maybe(events),
        readings_log_id: maybe(readings),
    }
}

fn sender_from(sender: &proto::SenderState) -> Result<SenderState, Unreadable> {
    let maybe = |field: &str, octets: &Bytes| match octets.len() {
        0 => Ok(None),
        _ => log_id(field, octets).map(Some),
    };
    Ok(SenderState {
        boot: boot_id("SenderState.boot_id", &sender.boot_id)?,
        boot_count: sender.boot_count,
        connection: sender.connection,
        spool: maybe("SenderState.spool_id", &sender.spool_id)?,
        logs: [
            maybe("SenderState.events_log_id", &sender.events_log_id)?,
            maybe("SenderState.readings_log_id", &sender.readings_log_id)?,
        ],
    })
}

fn waiting_to(waiting: &WaitingRecord) -> proto::WaitingRecord {
    proto::WaitingRecord {
        log_id: octets(&waiting.log.0),
        lane: lane_to(waiting.lane).into(),
        position: Some(position_to(waiting.position)),
        after: waiting.after.map(position_to),
        unix_us: waiting.time.map(|time| time.0),
        record: waiting.record.as_ref().map_or_else(Bytes::new, crate::record::encode),
    }
}

fn waiting_from(waiting: proto::WaitingRecord) -> Result<WaitingRecord, Unreadable> {
    let lane = lane_from("WaitingRecord.lane", waiting.lane)?;
    let record = match waiting.record.len() {
        0 => None,
        _ => Some(crate::record::decode(lane, &waiting.record)?),
    };
    Ok(WaitingRecord {
        log: log_id("WaitingRecord.log_id", &waiting.log_id)?,
        lane,
        position: position_from("WaitingRecord.position", waiting.position.unwrap_or_default())?,
        after: maybe_position("WaitingRecord.after", waiting.after)?,
        time: waiting.unix_us.map(UnixMicros),
        record,
    })
}

fn latest_to(latest: &Latest) -> proto::LatestState {
    let contact = latest.last_event.and_then(|(_, contact, _)| contact);
    proto::LatestState {
        unix_us: latest.time.0,
        belt: Some(belt_to(&latest.belt)),
        holds_until_unix_us: latest.holds_until.0,
        since_unix_us: latest.since.map(|time| time.0),
        last_event: latest.last_event.map_or(0, |(kind, _, _)| kind_to(kind)),
        last_event_contact: contact_to(contact).into(),
        last_event_unix_us: latest.last_event.map_or(0, |(_, _, time)| time.0),
    }
}

fn latest_from(latest: proto::LatestState) -> Result<Latest, Unreadable> {
    let last_event = match latest.last_event {
        0 => None,
        kind => Some((
            kind_from("LatestState.last_event", kind)?,
            contact_from("LatestState.last_event_contact", latest.last_event_contact)?,
            UnixMicros(latest.last_event_unix_us),
        )),
    };
    Ok(Latest {
        time: UnixMicros(latest.unix_us),
        belt: belt_from("LatestState.belt", latest.belt)?,
        holds_until: UnixMicros(latest.holds_until_unix_us),
        since: latest.since_unix_us.map(UnixMicros),
        last_event,
    })
}

fn stop_to(stop: &Stop) -> proto::StopState {
    proto::StopState {
        unix_us: stop.time.0,
        contact: contact_to(Some(stop.contact.contact())).into(),
        direction: direction_to(stop.direction).into(),
        speed_mm_s: stop.speed.map(|speed| speed.0),
        released_unix_us: stop.released.map(|time| time.0),
    }
}

fn stop_from(stop: &proto::StopState) -> Result<Stop, Unreadable> {
    let field = "StopState.contact";
    let contact = contact_from(field, stop.contact)?.and_then(StopContact::of);
    let wrong = || {
        let contact = stop.contact;
        Unreadable::new(format!("{field} is {contact}; emergency stop, safety key or power is required"))
    };
    Ok(Stop {
        time: UnixMicros(stop.unix_us),
        contact: contact.ok_or_else(wrong)?,
        direction: direction_from("StopState.direction", stop.direction)?,
        speed: stop.speed_mm_s.map(Speed),
        released: stop.released_unix_us.map(UnixMicros),
    })
}

fn session_to(session: &OpenSession) -> proto::SessionState {
    proto::SessionState {
        id: octets(&session.id.0),
        started_unix_us: session.started.0,
        last_motion_unix_us: session.last_motion.0,
        segments: session.segments.iter().map(segment_to).collect(),
    }
}

fn session_from(session: proto::SessionState) -> Result<OpenSession, Unreadable> {
    let length = session.id.len();
    let wrong = || Unreadable::new(format!("SessionState.id has {length} octets; 16 are required"));
    Ok(OpenSession {
        id: SessionId::from_slice(&session.id).ok_or_else(wrong)?,
        started: UnixMicros(session.started_unix_us),
        last_motion: UnixMicros(session.last_motion_unix_us),
        segments: session.segments.iter().map(segment_from).collect::<Result<_, _>>()?,
    })
}

fn segment_to(segment: &Segment) -> proto::SegmentState {
    proto::SegmentState {
        direction: direction_to(segment.direction).into(),
        origin: origin_to(segment.origin).into(),
        started_unix_us: segment.started.0,
        ended_unix_us: segment.ended.0,
        observed_us: segment.observed_us,
        distance_mm: segment.distance_mm,
        speed_max_mm_s: segment.speed_max.0,
        distance_remainder: segment.distance_remainder,
        grade: grade_to(segment.grade),
        incline_us: segment.incline_us,
        incline_sum: segment.incline_sum,
        slow_us: segment.guidance.slow_us,
        rail_held_us: segment.guidance.rail_held_us,
        rail_known_us: segment.guidance.rail_known_us,
        key_in_us: segment.guidance.key_in_us,
        key_known_us: segment.guidance.key_known_us,
    }
}

fn segment_from(segment: &proto::SegmentState) -> Result<Segment, Unreadable> {
    Ok(Segment {
        direction: direction_from("SegmentState.direction", segment.direction)?,
        origin: origin_from("SegmentState.origin", segment.origin)?,
        started: UnixMicros(segment.started_unix_us),
        ended: UnixMicros(segment.ended_unix_us),
        observed_us: segment.observed_us,
        distance_mm: segment.distance_mm,
        distance_remainder: segment.distance_remainder,
        speed_max: Speed(segment.speed_max_mm_s),
        grade: grade_from(segment.grade)?,
        incline_us: segment.incline_us,
        incline_sum: segment.incline_sum,
        guidance: Guidance {
            slow_us: segment.slow_us,
            rail_held_us: segment.rail_held_us,
            rail_known_us: segment.rail_known_us,
            key_in_us: segment.key_in_us,
            key_known_us: segment.key_known_us,
        },
    })
}
