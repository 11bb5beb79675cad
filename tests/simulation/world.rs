//! The whole fleet in one process on a virtual clock, from one seed: real minds, and every fault we can name.

use anyhow::Context;
use domain::ids::{MachineId, SiteId};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, MachineName, NewCommissioning};
use store::ledger::Ledger;
use store::registry::{Machine, Registry, Site};
use wire::credential::Credential;
use wire::keys::MasterKey;

use super::agent::SimulatedAgent;
use super::network::{Badness, Message, Network, To};
use super::reference::{self, Verdict};
use super::server::{AppendEnds, Backup, SimulatedServer, at_once};

/// The world's step, in microseconds.
const STEP_US: u64 = 50_000;
/// How long the world is bad, and how long it may take to recover, in steps. Each fifth world is a long one, in
/// which people rest as long as in life, so that sessions end.
const BAD_STEPS: u64 = 2_400;
const BAD_STEPS_LONG: u64 = 16_000;
const GOOD_STEPS: u64 = 12_000;
const MACHINES: usize = 3;

/// How bad this world is; chances a step or a message.
#[derive(Debug, Clone, Copy)]
struct Faults {
    agent_killed: f64,
    power_cut: f64,
    spool_wiped: f64,
    disk_failing: f64,
    server_killed: f64,
    append_bad: f64,
    broker_wiped: f64,
    backup_restored: f64,
    credential_revoked: f64,
}

pub(crate) struct World {
    now: u64,
    random: fastrand::Rng,
    faults: Faults,
    network: Network,
    agents: Vec<SimulatedAgent>,
    server: SimulatedServer,
    backup: Option<Backup>,
    /// Whether a backup was put back: what was acknowledged after it is then recorded as lost.
    restored: bool,
    started_at: Vec<u64>,
    /// When a machine whose credential is revoked gets the next one.
    renewed_at: Vec<Option<u64>>,
    server_start_at: u64,
}

/// Runs one world and judges it.
pub(crate) fn run(seed: u64) -> anyhow::Result<Verdict> {
    let mut world = World::new(seed)?;
    for _ in 0..if is_long(seed) { BAD_STEPS_LONG } else { BAD_STEPS } {
        world.step(true).with_context(|| format!("at {} ms", world.now / 1_000))?;
    }
    world.mend();
    for _ in 0..GOOD_STEPS {
        world.step(false).with_context(|| format!("mending, at {} ms", world.now / 1_000))?;
        if world.agents.iter().all(SimulatedAgent::is_drained) {
            break;
        }
    }
    let drained = world.agents.iter().all(SimulatedAgent::is_drained);
    anyhow::ensure!(drained, "the fleet does not come to rest after the faults end");
    world.server.stop(world.now)?;
    reference::judge(&world.agents, &world.server, world.restored, world.now)
}

fn is_long(seed: u64) -> bool {
    seed % 5 == 4
}

impl World {
    fn new(seed: u64) -> anyhow::Result<World> {
        let mut random = fastrand::Rng::with_seed(seed);
        let master = MasterKey::new(std::array::from_fn(|_| random.u8(..)));
        let mut server = SimulatedServer::new(master.clone());
        let mut agents = Vec::new();
        let site = SiteId::new("north")?;
        register(&server, FactKind::SiteCreated(a_site(&site)))?;
        for number in 0..MACHINES {
            let machine = MachineId::new(&format!("tm-{number}"))?;
            register(&server, FactKind::MachineCreated(a_machine(&machine, &site)))?;
            register(&server, FactKind::Commissioned(a_commissioning(&machine)))?;
            let credential = credential(&master, &machine, 1);
            let pace = if is_long(seed) { 1.0 } else { 20.0 };
            agents.push(SimulatedAgent::new(credential, random.u64(..), pace));
        }
        server.start(0)?;
        let (badness, delay_us) = badness(&mut random);
        let network = Network::new(random.u64(..), badness, delay_us);
        let faults = faults(&mut random);
        let started_at = (0..MACHINES).map(|_| random.u64(0..2_000_000)).collect();
        Ok(World {
            now: 0,
            random,
            faults,
            network,
            agents,
            server,
            backup: None,
            restored: false,
            started_at,
            renewed_at: vec![None; MACHINES],
            server_start_at: 0,
        })
    }

    /// Everything works from now on, and nothing new happens on the belts.
    fn mend(&mut self) {
        self.network.mend();
        self.agents.iter().for_each(|agent| agent.disk.set_failing(false));
        self.started_at.iter_mut().for_each(|at| *at = 0);
        self.renewed_at.iter_mut().flatten().for_each(|at| *at = 0);
        self.server_start_at = 0;
    }

    fn step(&mut self, bad: bool) -> anyhow::Result<()> {
        self.now += STEP_US;
        if bad {
            self.hurt_agents();
            self.hurt_server()?;
            self.revoke()?;
        }
        self.renew()?;
        if !self.server.is_alive() && self.now >= self.server_start_at {
            self.server.start(self.now)?;
        }
        for number in 0..self.agents.len() {
            let agent = &mut self.agents[number];
            if !agent.is_alive() && self.now >= self.started_at[number] {
                agent.start(self.now);
            }
            // Agents observe ten times a second.
            if (self.now / STEP_US).is_multiple_of(2) {
                let messages = agent.step(self.now, bad);
                self.send(messages);
            }
        }
        while let Some(message) = self.network.receive(self.now) {
            let replies = match message.to {
                To::Ingest => self.server.receive(&message.topic, message.payload, self.now)?,
                To::Agent(number) => self.agents[number].receive(self.now, message.payload),
            };
            self.send(replies);
        }
        let ends = self.append_ends(bad);
        let messages = self.server.step(self.now, ends)?;
        self.send(messages);
        Ok(())
    }

    fn send(&mut self, messages: Vec<Message>) {
        messages.into_iter().for_each(|message| self.network.send(self.now, message));
    }

    fn hurt_agents(&mut self) {
        for number in 0..self.agents.len() {
            let (now, faults) = (self.now, self.faults);
            if self.chance(faults.agent_killed) {
                self.agents[number].kill();
                self.started_at[number] = now + self.random.u64(0..3_000_000);
            }
            if self.chance(faults.power_cut) {
                self.agents[number].cut_power(now);
                self.started_at[number] = now + self.random.u64(0..8_000_000);
            }
            if self.chance(faults.spool_wiped) {
                self.agents[number].wipe(now);
            }
            if self.chance(faults.disk_failing) {
                let failing = self.random.bool();
                self.agents[number].disk.set_failing(failing);
            }
        }
    }

    fn hurt_server(&mut self) -> anyhow::Result<()> {
        let (now, faults) = (self.now, self.faults);
        if self.chance(faults.server_killed) {
            self.server.kill();
            self.server_start_at = now + self.random.u64(0..3_000_000);
        }
        if self.chance(faults.broker_wiped) {
            self.network.forget();
            for agent in &mut self.agents {
                agent.disconnect(now, self.random.u64(0..2_000_000));
            }
        }
        if self.chance(faults.backup_restored) {
            match self.backup.take() {
                None => self.backup = Some(self.server.back_up()),
                Some(backup) => {
                    let before = self.server.stores.ledger.registry();
                    self.server.restore(&backup);
                    self.restored = true;
                    self.repeat(&before)?;
                }
            }
        }
        Ok(())
    }

    /// What the backup did not know of credentials, an operator says again.
    fn repeat(&mut self, before: &Registry) -> anyhow::Result<()> {
        for known in before.machines().values() {
            loop {
                let registry = self.server.stores.ledger.registry();
                let now = &registry.machines()[&known.id];
                let named = MachineName { machine: known.id.clone() };
                if now.revoked_generation < known.revoked_generation
                    && now.key_generation == known.revoked_generation
                {
                    register(&self.server, FactKind::CredentialRevoked(named))?;
                } else if now.key_generation < known.key_generation {
                    register(&self.server, FactKind::CredentialRenewed(named))?;
                } else {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Somebody may have got hold of a credential: it is revoked, and the machine gets the next one a while later.
    fn revoke(&mut self) -> anyhow::Result<()> {
        for number in 0..self.agents.len() {
            if self.chance(self.faults.credential_revoked) && self.renewed_at[number].is_none() {
                let machine = self.agents[number].credential.machine.clone();
                self.change_credential(FactKind::CredentialRevoked(MachineName { machine }))?;
                self.renewed_at[number] = Some(self.now + self.random.u64(0..10_000_000));
            }
        }
        Ok(())
    }

    fn renew(&mut self) -> anyhow::Result<()> {
        for number in 0..self.agents.len() {
            if self.renewed_at[number].take_if(|at| *at <= self.now).is_some() {
                let machine = self.agents[number].credential.machine.clone();
                self.change_credential(FactKind::CredentialRenewed(MachineName {
                    machine: machine.clone(),
                }))?;
                let generation = self.server.stores.ledger.registry().machines()[&machine].key_generation;
                // The agent reads its credential when it starts.
                self.agents[number].kill();
                self.agents[number].credential = credential(&self.server.master, &machine, generation);
            }
        }
        Ok(())
    }

    fn change_credential(&mut self, kind: FactKind) -> anyhow::Result<()> {
        register(&self.server, kind)?;
        let messages = self.server.registry_changed(self.now)?;
        self.send(messages);
        Ok(())
    }

    fn append_ends(&mut self, bad: bool) -> AppendEnds {
        if !bad || !self.chance(self.faults.append_bad) {
            return AppendEnds::Well;
        }
        let ends =
            self.random.choice([AppendEnds::Refused, AppendEnds::KilledBefore, AppendEnds::KilledAfter]);
        self.server_start_at = self.now + self.random.u64(0..1_000_000);
        ends.unwrap_or(AppendEnds::Well)
    }

    fn chance(&mut self, chance: f64) -> bool {
        self.random.f64() < chance
    }
}

/// Each world has its own weather: some faults are there, some are not.
fn faults(random: &mut fastrand::Rng) -> Faults {
    let mut weather = |worst: f64| if random.bool() { 0.0 } else { random.f64() * worst };
    Faults {
        agent_killed: weather(0.004),
        power_cut: weather(0.003),
        spool_wiped: weather(0.000_5),
        disk_failing: weather(0.002),
        server_killed: weather(0.004),
        append_bad: weather(0.05),
        broker_wiped: weather(0.004),
        backup_restored: weather(0.001),
        credential_revoked: weather(0.001),
    }
}

fn badness(random: &mut fastrand::Rng) -> (Badness, u64) {
    let mut weather = |worst: f64| if random.bool() { 0.0 } else { random.f64() * worst };
    let badness = Badness {
        lost: weather(0.3),
        repeated: weather(0.3),
        reordered: weather(0.3),
        truncated: weather(0.05),
    };
    (badness, random.u64(1_000..400_000))
}

fn credential(master: &MasterKey, machine: &MachineId, generation: u32) -> Credential {
    let key = master.machine_key(machine, generation);
    Credential { machine: machine.clone(), generation, key, broker: String::new(), tls: None }
}

fn register(server: &SimulatedServer, kind: FactKind) -> anyhow::Result<()> {
    let fact = Fact { time: UnixMicros(0), author: "local:world".to_owned(), request_id: None, kind };
    at_once(server.stores.ledger.add_fact(fact))?;
    Ok(())
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
