//! Who may connect to the embedded broker: registered machines with the proof of their key, and this server.

use std::sync::Arc;

use domain::ids::MachineId;
use store::ledger::Ledger;
use subtle::ConstantTimeEq;
use wire::credential::broker_password;
use wire::keys::MasterKey;

use crate::broker::{self, Who};
use crate::keys::good_generations;

/// User name of this server at its own broker. No machine can have it: it is no id.
pub(super) const SERVICE_USER: &str = "Beltwatch";

/// The registered machines with the generations of their keys that are good, as the registry has them at that moment.
pub(super) struct Access {
    master: MasterKey,
    ledger: Arc<dyn Ledger>,
}

impl Access {
    /// Those of a ledger.
    pub(super) fn new(master: MasterKey, ledger: Arc<dyn Ledger>) -> Access {
        Access { master, ledger }
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
        let mut generations = good_generations(self.ledger.registry().machines().get(&machine)?)?;
        let fits = |generation| is(broker_password(&self.master.machine_key(&machine, generation), &machine));
        generations.any(fits).then_some(Who::Machine(machine))
    }
}

#[cfg(test)]
mod tests {
    use broker::Access as _;
    use domain::ids::SiteId;
    use domain::registry::{BeltKind, DriveKind};
    use domain::units::UnixMicros;
    use store::fact::{Fact, FactKind, MachineName};
    use store::memory::MemoryLedger;
    use store::registry::{Machine, Site};

    use super::*;

    async fn add(ledger: &MemoryLedger, kind: FactKind) {
        let fact = Fact { time: UnixMicros(1), author: "test".to_owned(), request_id: None, kind };
        ledger.add_fact(fact).await.unwrap();
    }

    /// Which generations of the machine's key let its agent in.
    fn let_in(access: &Access, machine: &MachineId) -> Vec<u32> {
        let password = |generation| broker_password(&access.master.machine_key(machine, generation), machine);
        let is_in = |generation: &u32| {
            let password = password(*generation);
            access.authenticate("agent", Some(machine.as_str()), Some(password.as_bytes())).is_some()
        };
        (1..5).filter(is_in).collect()
    }

    #[tokio::test]
    async fn a_machine_is_let_in_from_the_fact_on_whoever_added_it() {
        let ledger = MemoryLedger::new();
        let access = Access::new(MasterKey::new([5; 32]), Arc::new(ledger.clone()));
        let (machine, site) = (MachineId::new("tm-01").unwrap(), SiteId::new("north").unwrap());
        assert_eq!(let_in(&access, &machine), Vec::<u32>::new());
        let created = Machine {
            id: machine.clone(),
            site: site.clone(),
            display_name: String::new(),
            model: String::new(),
            belt: BeltKind::Reversible,
            drive: DriveKind::Motor,
            created: UnixMicros(1),
            key_generation: 1,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            place: None,
            maintained: None,
            history: Default::default(),
            drills: Vec::new(),
        };
        let place = Site {
            id: site,
            display_name: String::new(),
            time_zone: "UTC".to_owned(),
            created: UnixMicros(1),
            history: Default::default(),
        };
        add(&ledger, FactKind::SiteCreated(place)).await;
        add(&ledger, FactKind::MachineCreated(created)).await;
        assert_eq!(let_in(&access, &machine), [1]);
        let named = || MachineName { machine: machine.clone() };
        add(&ledger, FactKind::CredentialRenewed(named())).await;
        assert_eq!(let_in(&access, &machine), [1, 2]);
        add(&ledger, FactKind::CredentialRevoked(named())).await;
        assert_eq!(let_in(&access, &machine), Vec::<u32>::new());
        add(&ledger, FactKind::CredentialRenewed(named())).await;
        assert_eq!(let_in(&access, &machine), [3]);
    }
}
