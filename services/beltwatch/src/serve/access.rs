//! Who may connect to the embedded broker: registered machines with the proof of their key, and this server.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use domain::ids::MachineId;
use store::StoreError;
use store::ledger::Ledger;
use subtle::ConstantTimeEq;
use wire::credential::broker_password;
use wire::keys::MasterKey;

use crate::broker::{self, Who};

/// User name of this server at its own broker. No machine can have it: it is no id.
pub(super) const SERVICE_USER: &str = "Beltwatch";
/// Machines read from the ledger at once.
const PAGE: usize = 1_000;

/// The registered machines with their key's generation.
pub(super) struct Access {
    master: MasterKey,
    machines: RwLock<HashMap<MachineId, u32>>,
}

impl Access {
    /// Reads the registry.
    pub(super) async fn load(master: MasterKey, ledger: &dyn Ledger) -> Result<Access, StoreError> {
        let mut machines = HashMap::new();
        let mut last: Option<MachineId> = None;
        loop {
            let page = ledger.machines(None, last.as_ref(), PAGE).await?;
            last = page.last().map(|machine| machine.id.clone());
            machines.extend(page.into_iter().map(|machine| (machine.id, machine.key_generation)));
            if last.is_none() {
                return Ok(Access { master, machines: RwLock::new(machines) });
            }
        }
    }

    /// Lets a machine in, or in with a newer key.
    pub(super) fn add(&self, machine: &MachineId, generation: u32) {
        self.machines.write().unwrap_or_else(PoisonError::into_inner).insert(machine.clone(), generation);
    }

    /// The password of this server at its own broker.
    pub(super) fn service_password(&self) -> String {
        self.master.purpose_key("broker-service").to_hex()
    }
}

impl broker::Access for Access {
    fn authenticate(&self, _client_id: &str, user: Option<&str>, password: Option<&[u8]>) -> Option<Who> {
        let (user, password) = user.zip(password)?;
        let is = |expected: String| bool::from(expected.as_bytes().ct_eq(password));
        if user == SERVICE_USER {
            return is(self.service_password()).then_some(Who::Service);
        }
        let machine = MachineId::new(user).ok()?;
        let generation = *self.machines.read().unwrap_or_else(PoisonError::into_inner).get(&machine)?;
        let key = self.master.machine_key(&machine, generation);
        is(broker_password(&key, &machine)).then_some(Who::Machine(machine))
    }
}
