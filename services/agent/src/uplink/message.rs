//! What an agent says: built from its spool and sealed with its key at each transmission.

use bytes::Bytes;
use domain::belt::Belt;
use domain::clock::Clock;
use domain::ids::{BootId, ConfigurationHash, LogId, MachineId};
use domain::limits;
use domain::log::{Lane, Position};
use domain::signal::Capabilities;
use domain::units::MonotonicMicros;
use wire::ack::Ack;
use wire::credential::Credential;
use wire::envelope::{Entry, Envelope};
use wire::keys::MachineKey;
use wire::seal::{SealError, Unopened, seal};
use wire::status::{Status, StatusOrder};
use wire::topics::{Kind, Topic};

use crate::spool::{Batch, SpoolStatus};

/// Octets of records in an envelope: what is left of its bound beside its own fields.
pub const RECORDS_BYTES_MAX: usize = limits::ENVELOPE_BYTES_MAX - 256;

/// One sealed message, ready to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which of the machine's topics.
    pub kind: Kind,
    /// The sealed octets.
    pub payload: Bytes,
    /// For an envelope: its lane and its first record.
    pub envelope: Option<(Lane, Position)>,
}

impl Message {
    /// Whether the broker shall keep it for those who come later.
    pub fn is_retained(&self) -> bool {
        self.kind == Kind::Status
    }
}

/// The newest picture of the belt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    /// The belt.
    pub belt: Belt,
    /// When it was so.
    pub at: MonotonicMicros,
    /// How long that stands, in milliseconds.
    pub holds_for_ms: u32,
}

/// Who speaks, and with which key.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// The machine.
    pub machine: MachineId,
    /// Its key.
    pub key: MachineKey,
    /// The key's generation.
    pub generation: u32,
    /// The process.
    pub boot: BootId,
    /// The agent's version.
    pub version: String,
    /// What its sources can report.
    pub capabilities: Capabilities,
    /// How its sources are set; `None`: they are none that somebody sets.
    pub configuration: Option<ConfigurationHash>,
}

impl Speaker {
    /// The speaker for a credential.
    pub fn new(credential: &Credential, boot: BootId, capabilities: Capabilities) -> Speaker {
        Speaker {
            machine: credential.machine.clone(),
            key: credential.key.clone(),
            generation: credential.generation,
            boot,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            capabilities,
            configuration: None,
        }
    }

    /// The machine's topic of one kind.
    pub fn topic(&self, kind: Kind) -> Topic {
        Topic::new(self.machine.clone(), kind)
    }

    /// An envelope of some records.
    pub fn envelope(
        &self,
        log: LogId,
        sender_boot_count: u32,
        batch: &Batch,
        now: MonotonicMicros,
    ) -> Message {
        let entries = batch.rows.iter();
        let envelope = Envelope {
            log,
            sender: self.boot,
            sender_boot_count,
            lane: batch.lane,
            boot: batch.boot,
            after: batch.after,
            after_maker: batch.after_maker,
            clock: batch.clock,
            sent: now,
            entries: entries.map(|row| Entry { n: row.position.n, record: row.octets.clone() }).collect(),
        };
        let kind = match batch.lane {
            Lane::Events => Kind::Events,
            Lane::Readings => Kind::Readings,
        };
        self.message(kind, envelope.encode(), Some((batch.lane, envelope.first())))
    }

    /// A status.
    pub fn status(
        &self,
        order: StatusOrder,
        clock: Clock,
        picture: Option<Picture>,
        spool: &SpoolStatus,
        now: MonotonicMicros,
    ) -> Message {
        let status = Status {
            boot: self.boot,
            order,
            offline: false,
            sent: now,
            clock,
            agent_version: self.version.clone(),
            capabilities: self.capabilities,
            belt: picture.map(|picture| (picture.belt, picture.at, picture.holds_for_ms)),
            lanes: spool.lanes.to_vec(),
            spool_healthy: spool.healthy,
            spool_bytes: spool.bytes,
        };
        self.message(Kind::Status, status.encode(), None)
    }

    /// The will of a connection.
    pub fn will(&self, boot_count: u32, connection: u32) -> Message {
        self.message(Kind::Status, Status::will(self.boot, boot_count, connection).encode(), None)
    }

    /// Opens what came as an ack.
    ///
    /// # Errors
    ///
    /// If it is not sealed with this machine's key for its ack topic, or is no ack.
    pub fn open_ack(&self, payload: Bytes) -> Result<Ack, SealError> {
        let body = Unopened::read(payload)?.open(&self.key, &self.topic(Kind::Ack))?;
        Ok(Ack::decode(body)?)
    }

    fn message(&self, kind: Kind, body: Bytes, envelope: Option<(Lane, Position)>) -> Message {
        let payload = seal(&self.key, self.generation, &self.topic(kind), body);
        Message { kind, payload, envelope }
    }
}
