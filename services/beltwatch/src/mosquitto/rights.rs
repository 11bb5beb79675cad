//! What a Mosquitto is told of machines: who may say and hear what, and whose certificates are no longer good.
//!
//! Each machine has lines of its own, for its own topics word for word. A pattern would be shorter, but it cannot say a
//! machine's partition: with a wildcard in its place one machine could have any number of topics, each with a retained
//! message.

use std::collections::BTreeMap;

use domain::ids::MachineId;
use domain::limits;
use store::registry::Registry;
use wire::topics::{Kind, Topic, filter_all};

use crate::keys::good_generations;
use crate::tls::{Serial, serial};

/// How the client ids of this server's two connections begin. An upper-case letter: no machine can have it.
pub const CLIENT_ID: &str = "Beltwatch-ingest";
/// User name, and client id, of this server's connection for events, status and acks.
pub const EVENTS_USER: &str = "Beltwatch-ingest-events";
/// The same of its connection for readings.
pub const READINGS_USER: &str = "Beltwatch-ingest-readings";

const HEAD: &str =
    "# Written by Beltwatch, and written again when machines change. Who is not named may do nothing.\n";

/// The access list: this server, and every machine whose key is good.
pub(super) fn acl(registry: &Registry) -> String {
    let mut list = List(HEAD.to_owned());
    list.user(EVENTS_USER);
    list.may("read", filter_all(Kind::Events));
    list.may("read", filter_all(Kind::Status));
    list.may("write", filter_all(Kind::Ack));
    list.user(READINGS_USER);
    list.may("read", filter_all(Kind::Readings));
    for machine in registry.machines().values() {
        if good_generations(machine).is_none() {
            continue;
        }
        list.user(machine.id.as_str());
        for kind in Kind::ALL {
            let right = match kind {
                Kind::Events | Kind::Readings | Kind::Status => "write",
                Kind::Ack => "read",
            };
            list.may(right, Topic::new(machine.id.clone(), kind).to_string());
        }
    }
    list.0
}

/// The text of an access list.
struct List(String);

impl List {
    fn user(&mut self, name: &str) {
        self.0.push_str("\nuser ");
        self.0.push_str(name);
        self.0.push('\n');
    }

    fn may(&mut self, right: &str, topic: String) {
        self.0.push_str(&format!("topic {right} {topic}\n"));
    }
}

/// The serial numbers of machines' certificates that are no longer good: of generations that were revoked, that are
/// older than the last but one, or older than one with which the machine was heard.
pub(super) fn revoked(registry: &Registry, renewed: &BTreeMap<MachineId, u32>) -> Vec<Serial> {
    let mut revoked = Vec::new();
    for machine in registry.machines().values() {
        let heard = renewed.get(&machine.id).copied().unwrap_or_default();
        let good =
            good_generations(machine).map_or(machine.key_generation.saturating_add(1), |good| *good.start());
        let good = good.max(heard.min(machine.key_generation));
        let oldest = good.saturating_sub(limits::REVOKED_GENERATIONS_MAX).max(1);
        revoked.extend((oldest..good).map(|generation| serial(&machine.id, generation)));
    }
    revoked
}

#[cfg(test)]
mod tests;
