//! Facts of who is told of incidents, and of what was sent out as an anchor.

use domain::ids::SiteId;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::registry::json;
use crate::registry::{ChainStep, Contact, ContactName, Deadline, PolicyPart, ServiceRule};

/// A contact is no longer told of anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactEnd {
    /// Which contact.
    pub name: ContactName,
}

/// A contact was made, or is told another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewContact {
    /// The contact.
    pub contact: Contact,
}

/// Who is told of incidents, and by when something has to be done about them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PolicyChange {
    /// For this site; `None`: for all that have none of their own.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Who is told, and when.
    pub chain: Option<Vec<ChainStep>>,
    /// By when something has to be done.
    pub deadlines: Option<Vec<Deadline>>,
    /// When a machine is tagged out of service by itself.
    pub service: Option<ServiceRule>,
    /// What is taken back: what is set for all holds for the site again; for all, nothing is set any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cleared: Vec<PolicyPart>,
}

/// A head of all facts was sent to somebody outside, who took it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchoring {
    /// How many facts it covers: those with numbers up to this.
    pub facts: u64,
    /// Root of the Merkle tree over their leaves (RFC 6962), in 64 hexadecimal digits.
    pub root: String,
    /// To whom.
    pub contact: ContactName,
    /// When they took it.
    #[serde(rename = "taken_us", with = "json::micros")]
    pub taken: UnixMicros,
}
