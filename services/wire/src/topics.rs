//! MQTT topics: `beltwatch/v1/{partition}/{machine}/{kind}`. They are written only here.

use std::fmt;

use domain::ids::MachineId;
use sha2::{Digest, Sha256};

/// Number of partitions; a partition is two digits, `00` to `63`.
pub const PARTITIONS: u8 = 64;

const PREFIX: &str = "beltwatch/v1";

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Records of the events lane; up, QoS 1.
    Events,
    /// Records of the readings lane; up, QoS 1.
    Readings,
    /// The agent's word about itself, and its last will; up, QoS 1, retained.
    Status,
    /// The ingest's word to the agent; down, QoS 0.
    Ack,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Events, Kind::Readings, Kind::Status, Kind::Ack];

    /// The topic's last part.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Events => "events",
            Kind::Readings => "readings",
            Kind::Status => "status",
            Kind::Ack => "ack",
        }
    }
}

/// One machine's topic of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The machine; its partition follows from it.
    pub machine: MachineId,
    /// What it carries.
    pub kind: Kind,
}

/// Why a text is no topic of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{topic}\" is no topic of Beltwatch: {reason}")]
pub struct ForeignTopic {
    /// The text, cut to 200 characters.
    pub topic: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Topic {
    /// A machine's topic.
    pub fn new(machine: MachineId, kind: Kind) -> Topic {
        Topic { machine, kind }
    }

    /// Reads a topic; the partition must be the machine's own.
    pub fn parse(topic: &str) -> Result<Topic, ForeignTopic> {
        let foreign = |reason| ForeignTopic { topic: topic.chars().take(200).collect(), reason };
        let rest =
            topic.strip_prefix(PREFIX).ok_or_else(|| foreign("it does not begin with beltwatch/v1"))?;
        let mut parts = rest.split('/');
        let (Some(""), Some(part), Some(machine), Some(kind), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(foreign("it has not the form beltwatch/v1/{partition}/{machine}/{kind}"));
        };
        let machine = MachineId::new(machine).map_err(|_| foreign("the machine is no id"))?;
        let kind = Kind::ALL.into_iter().find(|k| k.name() == kind).ok_or_else(|| foreign("unknown kind"))?;
        if part != format!("{:02}", partition(&machine)) {
            return Err(foreign("the partition is not the machine's"));
        }
        Ok(Topic { machine, kind })
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}/{:02}/{}/{}", partition(&self.machine), self.machine, self.kind.name())
    }
}

/// The machine's partition: the first octet of SHA-256 of its id, modulo 64. Fixed for ever.
pub fn partition(machine: &MachineId) -> u8 {
    Sha256::digest(machine.as_str().as_bytes())[0] % PARTITIONS
}

/// The subscription that receives one kind from all machines.
pub fn filter_all(kind: Kind) -> String {
    format!("{PREFIX}/+/+/{}", kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors for other implementations.
    #[test]
    fn partitions_are_fixed() {
        for (machine, expected) in VECTORS {
            assert_eq!(partition(&MachineId::new(machine).unwrap()), expected, "{machine}");
        }
    }

    const VECTORS: [(&str, u8); 4] = [("tm-01", 0), ("tm-02", 54), ("a", 10), ("north-17", 21)];

    #[test]
    fn a_topic_reads_back_and_foreign_ones_say_why() {
        for kind in Kind::ALL {
            let topic = Topic::new(MachineId::new("tm-01").unwrap(), kind);
            assert_eq!(Topic::parse(&topic.to_string()), Ok(topic));
        }
        let wrong = format!(
            "beltwatch/v1/{:02}/tm-01/events",
            (partition(&MachineId::new("tm-01").unwrap()) + 1) % 64
        );
        for (text, reason) in [
            ("x/v1/00/tm-01/events", "does not begin"),
            ("beltwatch/v1/00/tm-01", "form"),
            ("beltwatch/v1/00/tm-01/events/more", "form"),
            ("beltwatch/v1/00/TM/events", "no id"),
            ("beltwatch/v1/00/tm-01/set-speed", "unknown kind"),
            (wrong.as_str(), "partition"),
        ] {
            let error = Topic::parse(text).expect_err(text).to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
