//! Store to gRPC, health, reflection, metrics; who may see what.
//!
//! A request's way: `server` (one port) → `router` → `gate` (who is it, may it, how long may it take) → `fleet`,
//! `telemetry`, `usage`, `course`, `incident`, `handling`, `drill`, `notification`, `account` or `admin` → ledger, telemetry store and feed.
//! Errors become statuses in `status`, nowhere else.

mod access;
mod account;
mod admin;
mod audit;
mod check;
mod convert;
mod course;
mod coverage;
mod drill;
mod enrolment;
mod fleet;
mod gate;
mod handling;
mod incident;
mod live;
pub mod metrics;
mod notification;
mod paging;
mod registry;
mod router;
mod server;
mod status;
mod surroundings;
mod telemetry;
mod usage;
mod watch;

pub use access::FromPages;
pub use access::secret::{SecretKind, new_secret, secret_hash};
pub use handling::{Sealer, Sealing};
pub use router::{Api, Stores};
pub use server::serve;
pub use surroundings::{Part, Refusal, Surroundings};

#[cfg(test)]
mod tests;
