//! Identities: machines and sites by name, logs and boots by random octets.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::log::{Lane, Position};

/// Why a name is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{value}\" is no id: 1 to 64 of a-z, 0-9 and hyphen are allowed")]
pub struct InvalidId {
    /// What was given, cut to 80 characters.
    pub value: String,
}

fn check(value: &str) -> Result<Arc<str>, InvalidId> {
    let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if (1..=64).contains(&value.len()) && value.bytes().all(allowed) {
        Ok(Arc::from(value))
    } else {
        Err(InvalidId { value: value.chars().take(80).collect() })
    }
}

macro_rules! named_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks that `value` is 1 to 64 of a-z, 0-9 and hyphen.
            pub fn new(value: &str) -> Result<Self, InvalidId> {
                check(value).map(Self)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidId;
            fn from_str(value: &str) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

named_id!(
    /// One treadmill.
    MachineId
);
named_id!(
    /// One gym.
    SiteId
);

/// Why a name is not a user's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{value}\" is no user name: 1 to 64 of a-z, 0-9, `.`, `_` and `-` are allowed")]
pub struct InvalidUserName {
    /// What was given, cut to 80 characters.
    pub value: String,
}

/// With what somebody signs in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

impl UserName {
    /// Checks that `value` is 1 to 64 of a-z, 0-9, `.`, `_` and `-`.
    pub fn new(value: &str) -> Result<UserName, InvalidUserName> {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'_' | b'-');
        if (1..=64).contains(&value.len()) && value.bytes().all(allowed) {
            Ok(UserName(Arc::from(value)))
        } else {
            Err(InvalidUserName { value: value.chars().take(80).collect() })
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for UserName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<UserName, D::Error> {
        let text = String::deserialize(deserializer)?;
        UserName::new(&text).map_err(serde::de::Error::custom)
    }
}

/// Why a text is no id of 16 octets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{value}\" is no id: 32 of 0-9 and a-f are required")]
pub struct InvalidHexId {
    /// What was given, cut to 80 characters.
    pub value: String,
}

fn hex(value: &str) -> Result<[u8; 16], InvalidHexId> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let octets = value.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    let octets: Option<Vec<u8>> = octets.collect();
    let octets = octets.and_then(|octets| octets.try_into().ok());
    octets.ok_or_else(|| InvalidHexId { value: value.chars().take(80).collect() })
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// From exactly 16 octets.
            pub fn from_slice(octets: &[u8]) -> Option<Self> {
                octets.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidHexId;
            fn from_str(value: &str) -> Result<Self, InvalidHexId> {
                hex(value).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

random_id!(
    /// One lane of one spool; made with the spool.
    LogId
);
random_id!(
    /// One life of an agent process.
    BootId
);
random_id!(
    /// One session; worked out from machine, log and position of its first record.
    SessionId
);

random_id!(
    /// One incident; worked out from machine, log, rule and position of the record that triggered it.
    IncidentId
);
random_id!(
    /// One recording; worked out from machine, log, boot and time of the event that it was made for.
    RecordingId
);

random_id!(
    /// One thing that somebody is told; worked out from what it is about, to whom and which step of a chain it is.
    NoticeId
);

random_id!(
    /// How an agent's sources are set. Another one may tell another sign of the direction.
    ConfigurationHash
);

impl ConfigurationHash {
    /// Of settings as they are written: FNV-1a with 128 bits.
    pub fn of(written: &[u8]) -> ConfigurationHash {
        ConfigurationHash(fnv(written.iter().copied()))
    }
}

impl NoticeId {
    /// What somebody is told about something, as the step of a chain: FNV-1a with 128 bits over the three.
    pub fn of(about: &str, contact: &str, step: u32) -> NoticeId {
        let octets = about.bytes().chain([0]).chain(contact.bytes()).chain([0]);
        NoticeId(fnv(octets.chain(step.to_be_bytes())))
    }
}

impl LogId {
    /// The log of one lane of a spool: the spool's own random octets with the lowest bit of the last octet clear
    /// for events and set for readings.
    pub const fn for_lane(spool: [u8; 16], lane: Lane) -> LogId {
        let mut octets = spool;
        octets[15] = match lane {
            Lane::Events => octets[15] & !1,
            Lane::Readings => octets[15] | 1,
        };
        LogId(octets)
    }
}

impl SessionId {
    /// The session that begins with this record: FNV-1a with 128 bits over machine, log and position.
    pub fn of(machine: &MachineId, log: LogId, first: Position) -> SessionId {
        let octets = machine.as_str().bytes().chain([0]).chain(log.0);
        SessionId(fnv(octets.chain(first.boot_count.to_be_bytes()).chain(first.n.to_be_bytes())))
    }
}

/// FNV-1a with 128 bits.
pub(crate) fn fnv(octets: impl Iterator<Item = u8>) -> [u8; 16] {
    let mix = |hash: u128, octet: u8| (hash ^ u128::from(octet)).wrapping_mul(FNV_PRIME);
    octets.fold(FNV_BASIS, mix).to_be_bytes()
}

/// Offset basis and prime of FNV-1a with 128 bits (draft-eastlake-fnv).
const FNV_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const FNV_PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_has_two_logs_that_differ_in_one_bit() {
        for last in [0x10, 0x11] {
            let mut spool = [7; 16];
            spool[15] = last;
            let (events, readings) =
                (LogId::for_lane(spool, Lane::Events), LogId::for_lane(spool, Lane::Readings));
            assert_eq!((events.0[15], readings.0[15]), (0x10, 0x11));
            assert_eq!(events.0[..15], readings.0[..15]);
        }
    }

    #[test]
    fn ids_are_lower_case_letters_digits_and_hyphens() {
        assert!(MachineId::new("tm-04").is_ok());
        for bad in ["", "TM", "a/b", "a+", "#", "ä", &"x".repeat(65)] {
            let error = MachineId::new(bad).expect_err(bad);
            assert!(error.to_string().contains("1 to 64"), "{error}");
        }
    }
}
