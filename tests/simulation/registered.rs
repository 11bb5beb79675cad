//! What is registered before a world begins.

use domain::ids::{MachineId, SiteId};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, NewCommissioning};
use store::ledger::Ledger;
use store::memory::MemoryLedger;
use store::registry::{Machine, Site};
use wire::credential::Credential;
use wire::keys::MasterKey;

use super::server::at_once;

/// Registers a machine whose direction is proven, with its site.
pub(crate) fn a_fleet(ledger: &MemoryLedger, machines: &[MachineId]) -> anyhow::Result<()> {
    let site = SiteId::new("north")?;
    register(ledger, FactKind::SiteCreated(a_site(&site)))?;
    for machine in machines {
        register(ledger, FactKind::MachineCreated(a_machine(machine, &site)))?;
        register(ledger, FactKind::Commissioned(a_commissioning(machine)))?;
    }
    Ok(())
}

pub(crate) fn register(ledger: &MemoryLedger, kind: FactKind) -> anyhow::Result<()> {
    let fact = Fact { time: UnixMicros(0), author: "local:world".to_owned(), request_id: None, kind };
    at_once(ledger.add_fact(fact))?;
    Ok(())
}

pub(crate) fn credential(master: &MasterKey, machine: &MachineId, generation: u32) -> Credential {
    let key = master.machine_key(machine, generation);
    Credential { machine: machine.clone(), generation, key, broker: String::new(), tls: None }
}

fn a_site(id: &SiteId) -> Site {
    Site {
        id: id.clone(),
        display_name: "North".to_owned(),
        time_zone: "UTC".to_owned(),
        created: UnixMicros(0),
        history: Default::default(),
    }
}

fn a_commissioning(id: &MachineId) -> NewCommissioning {
    NewCommissioning {
        machine: id.clone(),
        direction_proven: true,
        stops: Vec::new(),
        silent_on_stop: false,
        incline_is_target: false,
        note: String::new(),
        seen: None,
    }
}

fn a_machine(id: &MachineId, site: &SiteId) -> Machine {
    Machine {
        id: id.clone(),
        site: site.clone(),
        display_name: id.to_string(),
        model: String::new(),
        belt: BeltKind::Reversible,
        drive: DriveKind::Motor,
        key_generation: 1,
        created: UnixMicros(0),
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    }
}
