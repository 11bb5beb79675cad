//! Incidents to people: who is told what and when, by webhook and mail, until somebody acknowledges.
//!
//! The rules are minds without a clock: `plan` (which notices an incident needs), `pace` (how many messages one
//! contact gets), `retry`, `outage`, `service`, `seal`. Bodies drive them: the follower tells people, the keeper notes
//! evidence and sends the daily head of all facts; a third, the reporter, plans weekly reports. Everything planned lies in the ledger, so that a crash loses nothing: a
//! message that was under way is sent again, with the same id.

mod carrier;
mod facts;
mod follower;
#[cfg(test)]
mod given;
mod keeper;
#[cfg(test)]
mod loopback;
mod mail;
mod message;
mod metrics;
mod mind;
mod outage;
mod pace;
mod plan;
mod retry;
mod seal;
mod service;
mod start;
mod surroundings;
mod text;
mod webhook;
mod weekly;

pub use keeper::send_head;
pub use mail::{MailServer, MailTls};
pub use start::{start, test};
pub use surroundings::{Evidence, OpenPages, Proof, Report, Settings};
pub use webhook::Secrets;
