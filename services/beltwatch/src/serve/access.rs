//! Who may connect to the embedded broker: registered machines with the proof of their key, and this server.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{PoisonError, RwLock};

use domain::ids::MachineId;
use store::registry::{Machine, Registry};
use subtle::ConstantTimeEq;
use wire::credential::broker_password;
use wire::keys::MasterKey;

use crate::broker::{self, Who};
use crate::keys::good_generations;

/// User name of this server at its own broker. No machine can have it: it is no id.
pub(super) const SERVICE_USER: &str = "Beltwatch";

type Generations = RangeInclusive<u32>;

/// The registered machines with the generations of their keys that are good; a machine that has none is not among
/// them.
pub(super) struct Access {
    master: MasterKey,
    machines: RwLock<HashMap<MachineId, Generations>>,
}

impl Access {
    /// Those of the registry.
    pub(super) fn new(master: MasterKey, registry: &Registry) -> Access {
        let access = Access { master, machines: RwLock::default() };
        registry.machines().values().for_each(|machine| access.put(machine));
        access
    }

    /// Lets a machine in with the good generations of its key.
    pub(super) fn put(&self, machine: &Machine) {
        let mut machines = self.machines.write().unwrap_or_else(PoisonError::into_inner);
        match good_generations(machine) {
            Some(good) => machines.insert(machine.id.clone(), good),
            None => machines.remove(&machine.id),
        };
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
        let mut generations =
            self.machines.read().unwrap_or_else(PoisonError::into_inner).get(&machine)?.clone();
        let fits = |generation| is(broker_password(&self.master.machine_key(&machine, generation), &machine));
        generations.any(fits).then_some(Who::Machine(machine))
    }
}
