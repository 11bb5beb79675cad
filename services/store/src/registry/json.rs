//! How values of the product stand in the JSON of facts and entries.

use std::fmt::Display;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

type Hash = [u8; 32];

fn read<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}

macro_rules! as_text {
    ($($module:ident: $type:path;)*) => {
        $(pub(crate) mod $module {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(value: &$type, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(value.as_str())
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                read(deserializer, <$type>::new)
            }
        })*
    };
}

as_text! {
    site: domain::ids::SiteId;
    machine: domain::ids::MachineId;
    user: domain::ids::UserName;
}

/// Sites as a list of their ids.
pub(crate) mod sites {
    use domain::ids::SiteId;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(sites: &[SiteId], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(sites.iter().map(SiteId::as_str))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SiteId>, D::Error> {
        let ids = Vec::<String>::deserialize(deserializer)?;
        ids.iter().map(|id| SiteId::new(id).map_err(D::Error::custom)).collect()
    }
}

/// A moment as microseconds since 1970.
pub(crate) mod micros {
    use domain::units::UnixMicros;

    use super::*;

    pub(crate) fn serialize<S: Serializer>(time: &UnixMicros, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.0)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMicros, D::Error> {
        i64::deserialize(deserializer).map(UnixMicros)
    }
}

/// 32 octets in hexadecimal.
pub(crate) mod hash {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(hash: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hash.iter().map(|octet| format!("{octet:02x}")).collect::<String>())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
        read(deserializer, |text| parse(text).ok_or("a hash has 64 hexadecimal digits"))
    }

    fn parse(text: &str) -> Option<[u8; 32]> {
        let mut hash = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (place, octet) in hash.iter_mut().enumerate() {
            *octet = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(hash)
    }
}

macro_rules! by_name {
    ($($module:ident: $type:path, $what:literal { $($value:ident = $name:literal),* };)*) => {
        $(pub(crate) mod $module {
            use super::*;

            use $type as Named;

            pub(crate) fn serialize<S: Serializer>(value: &Named, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match value { $(Named::$value => $name),* })
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Named, D::Error> {
                read(deserializer, |name| match name {
                    $($name => Ok(Named::$value),)*
                    other => Err(format!("no {} is \"{other}\"", $what)),
                })
            }
        })*
    };
}

by_name! {
    belt: domain::registry::BeltKind, "belt" { OneWay = "one_way", Reversible = "reversible", Unknown = "unknown" };
    drive: domain::registry::DriveKind, "drive" { Motor = "motor", Manual = "manual" };
}

macro_rules! maybe {
    ($($module:ident: $type:path, $one:literal;)*) => {
        $(pub(crate) mod $module {
            use super::*;

            #[derive(serde::Serialize, Deserialize)]
            struct Wrapped(#[serde(with = $one)] $type);

            pub(crate) fn serialize<S: Serializer>(value: &Option<$type>, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&value.clone().map(Wrapped), serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<$type>, D::Error> {
                Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
            }
        })*
    };
}

maybe! {
    maybe_micros: domain::units::UnixMicros, "super::micros";
    maybe_hash: Hash, "super::hash";
    maybe_belt: domain::registry::BeltKind, "super::belt";
    maybe_drive: domain::registry::DriveKind, "super::drive";
}
