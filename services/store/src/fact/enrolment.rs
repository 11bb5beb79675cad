//! Facts of enrolment.

use domain::ids::MachineId;
use serde::{Deserialize, Serialize};

use crate::registry::json;
use crate::registry::{Enrolment, EnrolmentCode, Machine, SecretHash};

/// What was done about codes with which agents get credentials, and about agents that came with them. Codes go by their
/// identity, agents by the number of the fact that told of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum EnrolmentFact {
    /// A code was made.
    CodeMade(EnrolmentCode),
    /// A code is no longer good.
    CodeRevoked {
        /// Which.
        code: u32,
    },
    /// A code for one machine was tried with a wrong secret.
    CodeTried {
        /// Which.
        code: u32,
    },
    /// An agent got its machine's next credential with a code for that machine.
    Enrolled(NewEnrolled),
    /// An agent came with a site's code and waits.
    Asked(Enrolment),
    /// Staff approved an agent.
    Approved(EnrolmentApproval),
    /// Staff refused an agent.
    Refused {
        /// Which.
        number: u64,
    },
}

/// That an agent got its machine's next credential with a code for that machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEnrolled {
    /// Identity of the code.
    pub code: u32,
    /// SHA-256 of the agent's nonce.
    #[serde(with = "json::hash")]
    pub nonce: SecretHash,
    /// The machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// From where it came; empty: not known.
    pub peer: String,
}

/// That staff approved an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentApproval {
    /// Number of the fact that told of it.
    pub number: u64,
    /// For which machine it speaks.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// The machine, if it is a new one; otherwise its credential gets the next generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Machine>,
}
