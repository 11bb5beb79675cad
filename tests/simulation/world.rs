//! The whole fleet in one process on a virtual clock, from one seed: real minds, and every fault we can name.

mod credentials;
mod hurt;

use agent::spool::Bounds;
use anyhow::Context;
use domain::ids::MachineId;
use wire::keys::MasterKey;

use super::agent::SimulatedAgent;
use super::clocks::SystemClock;
use super::disk::Ability;
use super::forger::{Forger, Forgery};
use super::network::{Badness, Message, Network, To};
use super::reference::{self, Owners, Verdict};
use super::registered::{a_fleet, credential};
use super::server::{AppendEnds, Backup, SimulatedServer};
use super::tally::{Met, Tally};
use super::weather::{self, Faults};
use super::writers::Answer;

/// The world's step, in microseconds.
const STEP_US: u64 = 50_000;
/// How long the world is bad, and how long it may take to recover, in steps. Each fifth world is a long one, in
/// which people rest as long as in life, so that sessions end.
const BAD_STEPS: u64 = 2_400;
const BAD_STEPS_LONG: u64 = 16_000;
const GOOD_STEPS: u64 = 12_000;
const MACHINES: usize = 3;

pub(crate) struct World {
    now: u64,
    is_long: bool,
    random: fastrand::Rng,
    faults: Faults,
    network: Network,
    forger: Forger,
    agents: Vec<SimulatedAgent>,
    /// Copies of agents' cards in service, with the machine's number and until when.
    copies: Vec<(usize, SimulatedAgent, u64)>,
    /// Copies that were taken out of service.
    former: Vec<(usize, SimulatedAgent)>,
    server: SimulatedServer,
    backup: Option<Backup>,
    /// Whether a backup was put back: what was acknowledged after it is then recorded as lost.
    is_restored: bool,
    /// When a machine that is to have the next credential gets it.
    renewed_at: Vec<Option<u64>>,
    server_starts_at: u64,
    journal_full_until: u64,
    nearly_full_until: u64,
    answers_until: [u64; 2],
    tally: Tally,
}

/// Runs the world of a seed and judges it.
pub(crate) fn run(seed: u64) -> anyhow::Result<Verdict> {
    let mut random = fastrand::Rng::with_seed(seed);
    let (badness, faults) = (weather::badness(&mut random), Faults::drawn(&mut random));
    World::new(random, seed % 5 == 4, badness, faults)?.live()
}

/// Runs a world whose only fault is a copied card.
pub(crate) fn run_copied(seed: u64) -> anyhow::Result<Verdict> {
    let faults = Faults { cloned: 0.01, ..Faults::default() };
    World::new(fastrand::Rng::with_seed(seed), true, (Badness::default(), 20_000), faults)?.live()
}

impl World {
    fn new(
        mut random: fastrand::Rng,
        is_long: bool,
        (badness, delay_us): (Badness, u64),
        faults: Faults,
    ) -> anyhow::Result<World> {
        let master = MasterKey::new(std::array::from_fn(|_| random.u8(..)));
        let mut server = SimulatedServer::new(master.clone());
        let machines: Vec<MachineId> =
            (0..MACHINES).map(|number| MachineId::new(&format!("tm-{number}"))).collect::<Result<_, _>>()?;
        a_fleet(&server.stores.ledger, &machines)?;
        let agent = |machine: &MachineId| {
            let pace = if is_long { 1.0 } else { 20.0 };
            let (seed, drawn) = (random.u64(..), weather::bounds(&mut random));
            let bounds = if faults.has_small_spools { drawn } else { Bounds::default() };
            let mut agent = SimulatedAgent::new(credential(&master, machine, 1), seed, pace, bounds);
            agent.clock = SystemClock::drawn(&mut random);
            agent.starts_at = random.u64(0..2_000_000);
            agent
        };
        let agents = machines.iter().map(agent).collect();
        server.start(0)?;
        Ok(World {
            now: 0,
            is_long,
            faults,
            network: Network::new(random.u64(..), badness, delay_us),
            forger: Forger::new(random.u64(..)),
            random,
            agents,
            copies: Vec::new(),
            former: Vec::new(),
            server,
            backup: None,
            is_restored: false,
            renewed_at: vec![None; MACHINES],
            server_starts_at: 0,
            journal_full_until: 0,
            nearly_full_until: 0,
            answers_until: [0; 2],
            tally: Tally::default(),
        })
    }

    fn live(mut self) -> anyhow::Result<Verdict> {
        for _ in 0..if self.is_long { BAD_STEPS_LONG } else { BAD_STEPS } {
            self.step(true).with_context(|| format!("at {} ms", self.now / 1_000))?;
        }
        self.mend();
        for _ in 0..GOOD_STEPS {
            self.step(false).with_context(|| format!("mending, at {} ms", self.now / 1_000))?;
            if self.agents.iter().all(SimulatedAgent::is_drained) {
                break;
            }
        }
        for agent in &self.agents {
            anyhow::ensure!(
                agent.is_drained(),
                "{} does not come to rest after the faults end: {}",
                agent.credential.machine,
                agent.state()
            );
        }
        self.server.stop(self.now)?;
        self.judge()
    }

    fn judge(self) -> anyhow::Result<Verdict> {
        let World { agents, former, mut tally, server, is_restored, now, .. } = self;
        let mut owners: Vec<Owners> =
            agents.into_iter().map(|agent| Owners { agent, copies: Vec::new() }).collect();
        former.into_iter().for_each(|(number, copy)| owners[number].copies.push(copy));
        for agent in owners.iter_mut().flat_map(|owners| owners.copies.iter_mut().chain([&mut owners.agent]))
        {
            agent.finish();
            tally.add(&agent.tally);
        }
        tally.add(&server.tally);
        reference::judge(&owners, &server, is_restored, now, tally)
    }

    /// Everything works from now on, and nothing new happens on the belts.
    fn mend(&mut self) {
        self.network.mend();
        for agent in &mut self.agents {
            agent.disk.set_ability(Ability::Works);
            agent.disk.revive();
            (agent.starts_at, agent.offline_until) = (0, 0);
        }
        self.renewed_at.iter_mut().flatten().for_each(|at| *at = 0);
        self.copies.iter_mut().for_each(|(_, _, until)| *until = 0);
        (self.server_starts_at, self.journal_full_until, self.nearly_full_until) = (0, 0, 0);
        self.answers_until = [0; 2];
    }

    fn step(&mut self, is_bad: bool) -> anyhow::Result<()> {
        self.now += STEP_US;
        if is_bad {
            self.hurt_agents();
            self.hurt_server()?;
            self.hurt_broker();
            self.revoke_and_rotate()?;
            self.forge()?;
        }
        self.renew()?;
        self.end_troubles();
        if !self.server.is_alive() && self.now >= self.server_starts_at {
            self.server.start(self.now)?;
        }
        // Agents observe ten times a second.
        if (self.now / STEP_US).is_multiple_of(2) {
            self.step_agents(is_bad);
        }
        while let Some(message) = self.network.receive(self.now) {
            match message.to {
                To::Ingest => {
                    let replies = self.server.receive(&message.topic, message.payload, self.now)?;
                    self.send(replies);
                }
                To::Agent(number) => self.deliver(number, &message, false),
            }
        }
        let ends = self.append_ends(is_bad);
        let messages = self.server.step(self.now, ends)?;
        self.send(messages);
        Ok(())
    }

    fn step_agents(&mut self, is_bad: bool) {
        for number in 0..self.agents.len() {
            let was_connected = self.agents[number].is_connected();
            let messages = self.agents[number].step(self.now, is_bad);
            if !was_connected && self.agents[number].is_connected() {
                self.take_over(number, None);
            }
            self.send(messages);
        }
        for index in 0..self.copies.len() {
            let (number, copy, _) = &mut self.copies[index];
            let (number, was_connected) = (*number, copy.is_connected());
            let messages = copy.step(self.now, is_bad);
            if !was_connected && copy.is_connected() {
                self.take_over(number, Some(index));
            }
            self.send(messages);
        }
        for index in 0..self.agents.len() + self.copies.len() {
            let wills = self.anybody(index).take_wills();
            self.tally.note(Met::Wills, wills.len() as u64);
            wills.into_iter().for_each(|will| self.network.send_will(self.now, will));
        }
    }

    /// A broker has one connection a machine: the newest ends the others.
    fn take_over(&mut self, number: usize, by_copy: Option<usize>) {
        let pause_us = self.random.u64(500_000..5_000_000);
        if by_copy.is_some() {
            self.agents[number].disconnect(self.now, pause_us);
        }
        for (index, (of, copy, _)) in self.copies.iter_mut().enumerate() {
            if *of == number && Some(index) != by_copy {
                copy.disconnect(self.now, pause_us);
            }
        }
    }

    /// What comes on a machine's ack topic comes to whoever is connected with its credential.
    fn deliver(&mut self, number: usize, message: &Message, is_forged: bool) {
        let copies = self.copies.iter_mut().filter(|(of, _, _)| *of == number).map(|(_, copy, _)| copy);
        let mut replies = Vec::new();
        for agent in self.agents.get_mut(number).into_iter().chain(copies) {
            let payload = message.payload.clone();
            replies.extend(match is_forged {
                true => agent.receive_forged(self.now, payload),
                false => agent.receive(self.now, payload),
            });
        }
        self.send(replies);
    }

    fn send(&mut self, messages: Vec<Message>) {
        for message in messages {
            self.forger.hear(&message);
            self.network.send(self.now, message);
        }
    }

    /// An agent or a copy.
    fn anybody(&mut self, index: usize) -> &mut SimulatedAgent {
        match index.checked_sub(self.agents.len()) {
            None => &mut self.agents[index],
            Some(copy) => &mut self.copies[copy].1,
        }
    }

    fn chance(&mut self, chance: f64) -> bool {
        self.random.f64() < chance
    }
}
