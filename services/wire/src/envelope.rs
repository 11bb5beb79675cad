//! Envelopes: consecutive records of one lane and one boot; and slices, what the journal holds of them.

use domain::clock::Clock;
use domain::ids::{BootId, LogId};
use domain::limits;
use domain::log::{BootStart, Lane, Position};
use domain::units::MonotonicMicros;
use prost::Message;
use prost::bytes::Bytes;

use crate::convert::{
    boot_id, clock_from, clock_to, lane_from, lane_to, log_id, maybe_boot_id, maybe_octets, maybe_position,
    octets, position_to,
};
use crate::{Unreadable, VERSION, check_version, proto};

/// A record with its number outside, so that an unreadable one still has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The record's number in its boot and lane, from 1.
    pub n: u64,
    /// The encoded record, as the spool holds it.
    pub record: Bytes,
}

/// What an agent sends: some records of its spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The log.
    pub log: LogId,
    /// The sending process.
    pub sender: BootId,
    /// The sending process's boot count.
    pub sender_boot_count: u32,
    /// The lane.
    pub lane: Lane,
    /// The boot in which the records were made, and where it began.
    pub boot: BootStart,
    /// Position of the record before the first one in the spool, when this was sent.
    pub after: Option<Position>,
    /// The process that made that record, if it is of another boot; `None`: not told.
    pub after_maker: Option<BootId>,
    /// Wall-clock mapping of the records' boot.
    pub clock: Clock,
    /// The sender's monotonic time when this was built.
    pub sent: MonotonicMicros,
    /// The records, ascending; never empty.
    pub entries: Vec<Entry>,
}

impl Envelope {
    /// Position of the first record.
    pub fn first(&self) -> Position {
        Position::new(self.boot.boot_count, self.entries.first().map_or(0, |entry| entry.n))
    }

    /// Position of the last record.
    pub fn last(&self) -> Position {
        Position::new(self.boot.boot_count, self.entries.last().map_or(0, |entry| entry.n))
    }

    /// The process that made the records; `None`: not known.
    pub fn maker(&self) -> Option<BootId> {
        let is_own = self.boot.boot_count == self.sender_boot_count;
        self.boot.maker.or_else(|| is_own.then_some(self.sender))
    }

    /// The process that made the record before them; `None`: there is none, or it is not known.
    pub fn maker_before(&self) -> Option<BootId> {
        let is_same = |after: Position| after.boot_count == self.boot.boot_count;
        if self.after.is_some_and(is_same) { self.maker() } else { self.after_maker }
    }

    /// Encodes the envelope, ready to be sealed.
    pub fn encode(&self) -> Bytes {
        let envelope = proto::Envelope {
            version: VERSION,
            log_id: octets(&self.log.0),
            boot_id: octets(&self.sender.0),
            sender_boot_count: self.sender_boot_count,
            lane: lane_to(self.lane).into(),
            boot_count: self.boot.boot_count,
            after: self.after.map(position_to),
            previous: self.boot.previous.map(position_to),
            other_previous: self.boot.other_previous.map(position_to),
            clock: Some(clock_to(&self.clock)),
            sent_monotonic_us: self.sent.0,
            entries: entries_to(&self.entries),
            maker_boot_id: maybe_octets(self.boot.maker),
            after_boot_id: maybe_octets(self.after_maker),
        };
        envelope.encode_to_vec().into()
    }

    /// Reads an envelope and checks what can be checked of it alone. The records stay unread.
    pub fn decode(body: Bytes) -> Result<Envelope, Unreadable> {
        let envelope =
            proto::Envelope::decode(body).map_err(|error| Unreadable::new(format!("Envelope: {error}")))?;
        check_version("Envelope", envelope.version)?;
        let boot = boot_start(&envelope)?;
        let read = Envelope {
            log: log_id("Envelope.log_id", &envelope.log_id)?,
            sender: boot_id("Envelope.boot_id", &envelope.boot_id)?,
            sender_boot_count: envelope.sender_boot_count,
            lane: lane_from("Envelope.lane", envelope.lane)?,
            boot,
            after: maybe_position("Envelope.after", envelope.after)?,
            after_maker: maybe_boot_id("Envelope.after_boot_id", &envelope.after_boot_id)?,
            clock: clock_from(envelope.clock),
            sent: MonotonicMicros(envelope.sent_monotonic_us),
            entries: entries_from("Envelope", envelope.entries)?,
        };
        if let Some(after) = read.after.filter(|after| *after >= read.first()) {
            let message =
                format!("Envelope.after is {after}; it must lie before the first, {}", read.first());
            return Err(Unreadable::new(message));
        }
        Ok(read)
    }
}

fn boot_start(envelope: &proto::Envelope) -> Result<BootStart, Unreadable> {
    let boot = BootStart {
        boot_count: envelope.boot_count,
        previous: maybe_position("Envelope.previous", envelope.previous)?,
        other_previous: maybe_position("Envelope.other_previous", envelope.other_previous)?,
        maker: maybe_boot_id("Envelope.maker_boot_id", &envelope.maker_boot_id)?,
    };
    if boot.boot_count == 0 || envelope.sender_boot_count < boot.boot_count {
        let (made, sender) = (boot.boot_count, envelope.sender_boot_count);
        let message = format!("Envelope.boot_count is {made}; 1 to sender_boot_count, {sender}, is allowed");
        return Err(Unreadable::new(message));
    }
    for previous in [boot.previous, boot.other_previous].into_iter().flatten() {
        if previous.boot_count >= boot.boot_count {
            let message = format!("Envelope.previous is {previous}; it must be of an earlier boot");
            return Err(Unreadable::new(message));
        }
    }
    Ok(boot)
}

/// Encodes the entries that the journal keeps of an envelope.
pub fn encode_slice(entries: &[Entry]) -> Bytes {
    proto::Slice { version: VERSION, entries: entries_to(entries) }.encode_to_vec().into()
}

/// Reads the entries that the journal kept.
pub fn decode_slice(body: Bytes) -> Result<Vec<Entry>, Unreadable> {
    let slice = proto::Slice::decode(body).map_err(|error| Unreadable::new(format!("Slice: {error}")))?;
    check_version("Slice", slice.version)?;
    entries_from("Slice", slice.entries)
}

fn entries_to(entries: &[Entry]) -> Vec<proto::Entry> {
    entries.iter().map(|entry| proto::Entry { n: entry.n, record: entry.record.clone() }).collect()
}

fn entries_from(what: &str, entries: Vec<proto::Entry>) -> Result<Vec<Entry>, Unreadable> {
    if entries.is_empty() || entries.len() > limits::ENVELOPE_RECORDS_MAX {
        let (count, max) = (entries.len(), limits::ENVELOPE_RECORDS_MAX);
        return Err(Unreadable::new(format!("{what}.entries has {count} records; 1 to {max} are allowed")));
    }
    let mut before = 0;
    for entry in &entries {
        if entry.n <= before {
            let message = format!("{what}.entries goes from {before} to {}; numbers must ascend", entry.n);
            return Err(Unreadable::new(message));
        }
        before = entry.n;
    }
    Ok(entries.into_iter().map(|entry| Entry { n: entry.n, record: entry.record }).collect())
}
