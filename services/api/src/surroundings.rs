//! What the API needs to know of the rest of the server. The composition tells it; the ingest is never named here.

use domain::units::UnixMicros;
use store::registry::Machine;
use wire::credential::Credential;
use wire::enrolment::Fingerprint;

/// The rest of the server, as the composition knows it. No method waits.
pub trait Surroundings: Send + Sync + std::fmt::Debug {
    /// The server's clock.
    fn now(&self) -> UnixMicros;

    /// The server's parts and whether each can do its work.
    fn readiness(&self) -> Vec<Part>;

    /// The metrics of the process, in Prometheus' text format.
    fn metrics(&self) -> String;

    /// Messages that were refused, in any order, at most some hundred.
    fn refusals(&self) -> Vec<Refusal>;

    /// Where people reach the server, such as `https://gym.example`.
    fn url(&self) -> String;

    /// The moment before which everything committed is in the ledger and in the telemetry store; `None`: not known.
    fn settled(&self) -> Option<UnixMicros>;

    /// What a machine's agent needs to speak for it, with the machine's newest key; why it cannot be made.
    fn credential(&self, machine: &Machine) -> Result<Credential, String>;

    /// The authority of the certificate that agents are shown when they enrol, by its fingerprint; `None`: the server
    /// speaks no TLS.
    fn authority(&self) -> Option<Fingerprint>;
}

/// A part of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, such as `journal`.
    pub name: &'static str,
    /// Whether it can do its work; if not, why, and what helps, in one sentence.
    pub state: Result<(), String>,
}

/// A message that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it came.
    pub time: UnixMicros,
    /// Its topic; longer than 200 characters is cut.
    pub topic: String,
    /// The reason in one word.
    pub reason: String,
    /// Field, value and what is allowed, in one sentence.
    pub detail: String,
    /// How many of this reason since the server started.
    pub count: u64,
}
