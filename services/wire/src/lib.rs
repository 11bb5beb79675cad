//! Domain values to bytes and back: messages, topics, seals, checkpoints, credentials, page tokens.
//!
//! Every stored byte sequence, topic and token begins with a version.

pub mod ack;
pub mod checkpoint;
mod convert;
pub mod credential;
pub mod enrolment;
pub mod envelope;
pub mod keys;
pub mod page_token;
pub mod record;
mod recording;
pub mod seal;
pub mod status;
pub mod topics;

/// Generated messages of the agent <-> ingest schema.
pub mod proto {
    include!(concat!(env!("OUT_DIR"), "/beltwatch.wire.v1.rs"));
}

/// Generated messages and stubs of the public API.
#[cfg(feature = "grpc")]
pub mod api {
    /// Version 1.
    #[expect(
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::large_enum_variant,
        clippy::too_many_lines,
        reason = "generated: messages are as large as their schema, and stubs allow what they need"
    )]
    pub mod v1 {
        tonic::include_proto!("beltwatch.v1");
    }

    /// The encoded descriptor set, for reflection.
    pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/api_descriptor.bin"));
}

/// Version of every message of the agent <-> ingest schema.
pub const VERSION: u32 = 1;

/// Why octets are not the message they should be: field, value, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unreadable {
    /// One sentence for the side that sent it.
    pub message: String,
    /// Whether it is readable but of a version that this program does not know.
    pub version: bool,
}

impl Unreadable {
    pub(crate) fn new(message: impl Into<String>) -> Unreadable {
        Unreadable { message: message.into(), version: false }
    }
}

/// Refuses versions that this program does not know.
pub(crate) fn check_version(what: &str, version: u32) -> Result<(), Unreadable> {
    if version == VERSION {
        return Ok(());
    }
    let message = format!("{what}.version is {version}; this program reads {VERSION}");
    Err(Unreadable { message, version: true })
}
