//! Credentials that are revoked, and credentials that are renewed while the old one is good.

use store::fact::{FactKind, MachineName};
use store::ledger::Ledger;
use store::registry::Registry;

use super::World;
use crate::simulation::registered::{credential, register};

impl World {
    /// Somebody may have got hold of a credential: it is revoked, and the machine gets the next one a while later. Or the
    /// next one is made in time, and the machine goes on with the old one until it has it.
    pub(super) fn revoke_and_rotate(&mut self) -> anyhow::Result<()> {
        for number in 0..self.agents.len() {
            let is_revoked = self.chance(self.faults.credential_revoked);
            let is_rotated = self.chance(self.faults.credential_rotated);
            if !(is_revoked || is_rotated) || self.renewed_at[number].is_some() {
                continue;
            }
            let machine = self.agents[number].credential.machine.clone();
            let named = MachineName { machine };
            let change = match is_revoked {
                true => FactKind::CredentialRevoked(named),
                false => FactKind::CredentialRenewed(named),
            };
            self.change_credential(change)?;
            self.renewed_at[number] = Some(self.now + self.random.u64(0..10_000_000));
        }
        Ok(())
    }

    pub(super) fn renew(&mut self) -> anyhow::Result<()> {
        for number in 0..self.agents.len() {
            if self.renewed_at[number].take_if(|at| *at <= self.now).is_none() {
                continue;
            }
            let machine = self.agents[number].credential.machine.clone();
            let known = self.server.stores.ledger.registry().machines()[&machine].clone();
            if known.key_generation <= known.revoked_generation {
                self.change_credential(FactKind::CredentialRenewed(MachineName {
                    machine: machine.clone(),
                }))?;
            }
            let generation = self.server.stores.ledger.registry().machines()[&machine].key_generation;
            // The agent reads its credential when it starts.
            self.agents[number].kill();
            self.agents[number].credential = credential(&self.server.master, &machine, generation);
        }
        Ok(())
    }

    /// What a backup did not know of credentials, an operator says again.
    pub(super) fn repeat(&mut self, before: &Registry) -> anyhow::Result<()> {
        for known in before.machines().values() {
            loop {
                let registry = self.server.stores.ledger.registry();
                let now = &registry.machines()[&known.id];
                let named = MachineName { machine: known.id.clone() };
                let ledger = &self.server.stores.ledger;
                if now.revoked_generation < known.revoked_generation
                    && now.key_generation == known.revoked_generation
                {
                    register(ledger, FactKind::CredentialRevoked(named))?;
                } else if now.key_generation < known.key_generation {
                    register(ledger, FactKind::CredentialRenewed(named))?;
                } else {
                    break;
                }
            }
        }
        Ok(())
    }

    fn change_credential(&mut self, kind: FactKind) -> anyhow::Result<()> {
        register(&self.server.stores.ledger, kind)?;
        let messages = self.server.registry_changed(self.now)?;
        self.send(messages);
        Ok(())
    }
}
