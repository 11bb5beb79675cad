//! A day without a connection, and then everybody is back at once: when the live view is right, when the backlog is
//! there, what came first, and how much the server held meanwhile.

mod agent;
mod server;

use std::collections::VecDeque;
use std::fmt;

use anyhow::{Context, ensure};
use domain::belt::Belt;
use domain::ids::MachineId;
use domain::live::LiveState;
use domain::log::Lane;
use domain::units::UnixMicros;
use store::memory::MemoryLedger;
use wire::keys::MasterKey;

use self::agent::DayAgent;
use self::server::{DayServer, Greatest};
use super::network::{Message, To};
use super::registered::{a_fleet, credential};
use super::server::now_at;

/// Offline, belts are looked at once a second, with all that their sources told since.
const OFFLINE_STEP_US: u64 = 1_000_000;
/// Back, the world's step; agents observe with every second of them.
const STEP_US: u64 = 50_000;
/// How long messages are on their way, in each direction.
const DELAY_US: u64 = 20_000;
/// Agents try to connect again with pauses of at most that; when the broker is back they come within it.
const RECONNECT_US: u64 = 10_000_000;
/// How long the backlog may take, in steps.
const STEPS_MAX: u64 = 72_000;
/// A live picture that is older than that is not right.
const RIGHT_WITHIN_US: i64 = 2_000_000;

/// How the day is.
#[derive(Debug, Clone, Copy)]
pub struct OfflineDay {
    /// Machines.
    pub machines: usize,
    /// Hours without a connection.
    pub hours: u64,
    /// Messages that the ingest works on in a second, at most.
    pub messages_a_second: u64,
    /// Readings that the ingest works on in a second, at most.
    pub readings_a_second: u64,
}

/// What came of it. Times in microseconds of the world; those of one machine count from its connection.
#[derive(Debug, Clone, Default)]
pub struct DayReport {
    /// Records of events, pieces of recordings among them, and readings that waited at agents.
    pub backlog: [u64; 2],
    /// Octets of the fullest spool.
    pub spool_octets_max: u64,
    /// Records dropped or left out at agents for want of room.
    pub dropped: u64,
    /// From its connection until a machine's live picture is right: the longest.
    pub live_us: u64,
    /// The longest that a live picture was not what the belt had been meanwhile, while its machine's backlog came.
    pub oldest_us: u64,
    /// From when the broker is back until all backlog of each lane is committed.
    pub committed_us: [u64; 2],
    /// The longest that one machine's events took from its connection.
    pub events_us: u64,
    /// Machines whose last event of the backlog came after their last reading of it.
    pub readings_first: usize,
    /// Messages for which the server had no room.
    pub deferred: u64,
    /// Resident octets before and at most after the broker was back, agents and server together.
    pub resident: [u64; 2],
    greatest: Greatest,
}

impl fmt::Display for DayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let mib = |octets: u64| octets >> 20;
        let greatest = self.greatest;
        writeln!(
            f,
            "backlog: {} records of events, {} readings; fullest spool {} MiB; {} dropped",
            self.backlog[0],
            self.backlog[1],
            mib(self.spool_octets_max),
            self.dropped
        )?;
        writeln!(
            f,
            "live right {:.2} s after a machine's connection at the latest; then never older than {:.2} s",
            seconds(self.live_us),
            seconds(self.oldest_us)
        )?;
        writeln!(
            f,
            "all events committed {:.1} s after the broker was back, all readings {:.1} s; one machine's events \
            took {:.1} s at most; machines whose readings were there first: {}",
            seconds(self.committed_us[0]),
            seconds(self.committed_us[1]),
            seconds(self.events_us),
            self.readings_first
        )?;
        writeln!(
            f,
            "the server held at most: {} messages in its queues, {} records ({} KiB) in a commit, {} slices of the \
            journal not yet saved, {} rows for the ledger, {} KiB in a checkpoint; {} messages deferred",
            greatest.queue_messages,
            greatest.commit_records,
            greatest.commit_octets >> 10,
            greatest.journal_slices,
            greatest.derived_rows,
            greatest.checkpoint_octets >> 10,
            self.deferred
        )?;
        write!(
            f,
            "resident memory of agents and server: {} MiB before, {} MiB at most after",
            mib(self.resident[0]),
            mib(self.resident[1])
        )
    }
}

/// What is known of one machine's way back.
#[derive(Debug, Clone, Copy, Default)]
struct Return {
    live_at: Option<u64>,
    done_at: [Option<u64>; 2],
    /// The live picture.
    latest: Option<Belt>,
}

/// Runs the day.
///
/// # Errors
/// Something of the backlog is not there in the end, or not as it was written.
pub fn offline_day(day: OfflineDay) -> anyhow::Result<DayReport> {
    let mut random = fastrand::Rng::with_seed(1);
    let master = MasterKey::new(std::array::from_fn(|_| random.u8(..)));
    let machines: Vec<MachineId> =
        (0..day.machines).map(|number| MachineId::new(&format!("tm-{number}"))).collect::<Result<_, _>>()?;
    let ledger = MemoryLedger::new();
    a_fleet(&ledger, &machines)?;
    let agents = machines.iter().enumerate();
    let mut agents: Vec<DayAgent> = agents
        .map(|(number, machine)| DayAgent::new(number, credential(&master, machine, 1), random.u64(..)))
        .collect();
    let back_at = day.hours * 3_600_000_000;
    live_offline(&mut agents, back_at);
    let mut report = DayReport::default();
    for agent in &mut agents {
        agent.note_backlog();
        agent.connects_at = back_at + random.u64(0..RECONNECT_US);
        report.backlog = std::array::from_fn(|lane| report.backlog[lane] + agent.made[lane].records);
        report.spool_octets_max = report.spool_octets_max.max(agent.spool_octets());
    }
    report.resident = [resident(); 2];
    let server = DayServer::new(master, ledger, day.machines);
    let returns = vec![Return::default(); day.machines];
    let mut back =
        Back { day, back_at, now: back_at, agents, server, returns, on_the_way: VecDeque::new(), report };
    back.live()?;
    back.judge()
}

/// Agents know nothing of each other: each thread has its own.
fn live_offline(agents: &mut [DayAgent], until: u64) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for some in agents.chunks_mut(agents.len().div_ceil(threads).max(1)) {
            scope.spawn(move || {
                for agent in some {
                    let mut now = 0;
                    while now < until {
                        now += OFFLINE_STEP_US;
                        agent.step(now, true);
                    }
                }
            });
        }
    });
}

/// The time from when the broker is back.
struct Back {
    day: OfflineDay,
    back_at: u64,
    now: u64,
    agents: Vec<DayAgent>,
    server: DayServer,
    returns: Vec<Return>,
    on_the_way: VecDeque<(u64, Message)>,
    report: DayReport,
}

impl Back {
    fn live(&mut self) -> anyhow::Result<()> {
        for step in 0..STEPS_MAX {
            self.step(step, true)?;
            if self.returns.iter().all(|one| one.live_at.is_some() && one.done_at.iter().all(Option::is_some))
            {
                return Ok(());
            }
        }
        anyhow::bail!(
            "the backlog is not there {} s after the broker is back",
            STEPS_MAX * STEP_US / 1_000_000
        )
    }

    fn step(&mut self, step: u64, is_observing: bool) -> anyhow::Result<()> {
        self.now += STEP_US;
        let now = self.now;
        let mut sent = Vec::new();
        if step.is_multiple_of(2) {
            for agent in &mut self.agents {
                sent.extend(agent.step(now, is_observing));
            }
        }
        while self.on_the_way.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, message)) = self.on_the_way.pop_front() else { break };
            match message.to {
                To::Ingest => self.server.arrive(message),
                To::Agent(number) => sent.extend(self.agents[number].receive(now, message.payload)),
            }
        }
        let a_step = |a_second: u64| a_second * STEP_US / 1_000_000;
        let messages = usize::try_from(a_step(self.day.messages_a_second))?;
        let (replies, states) = self.server.step(now, messages, a_step(self.day.readings_a_second))?;
        sent.extend(replies);
        self.on_the_way.extend(sent.into_iter().map(|message| (now + DELAY_US, message)));
        states.iter().for_each(|state| self.see(state));
        self.note_done();
        self.note_age();
        if step.is_multiple_of(20) {
            self.report.resident[1] = self.report.resident[1].max(resident());
        }
        Ok(())
    }

    /// A watcher sees a state.
    fn see(&mut self, state: &LiveState) {
        let number = state.machine.as_str().trim_start_matches("tm-").parse().unwrap_or(usize::MAX);
        let (Some(agent), Some(latest)) = (self.agents.get(number), state.latest) else { return };
        let UnixMicros(unix) = now_at(self.now).unix;
        let old_us = unix - latest.time.0;
        let one = &mut self.returns[number];
        one.latest = Some(latest.belt);
        if one.live_at.is_none() && old_us <= RIGHT_WITHIN_US && agent.has_seen(&latest.belt) {
            one.live_at = Some(self.now);
            self.report.live_us = self.report.live_us.max(self.now - agent.connects_at);
        }
    }

    /// A picture ages from one state to the next, once the belt is another.
    fn note_age(&mut self) {
        for (one, agent) in self.returns.iter().zip(&self.agents) {
            let comes = one.live_at.is_some() && one.done_at.iter().any(Option::is_none);
            let seen = one.latest.filter(|_| comes).and_then(|belt| agent.seen_last(&belt));
            let old_us = seen.map_or(0, |seen| self.now - seen);
            self.report.oldest_us = self.report.oldest_us.max(old_us);
        }
    }

    fn note_done(&mut self) {
        for (number, one) in self.returns.iter_mut().enumerate() {
            let (agent, taken) = (&self.agents[number], &self.server.taken[number]);
            for lane in Lane::ALL.map(Lane::index) {
                if one.done_at[lane].is_none() && taken.last[lane] >= agent.backlog[lane] {
                    one.done_at[lane] = Some(self.now);
                    self.report.committed_us[lane] = self.now - self.back_at;
                    if lane == Lane::Events.index() {
                        let took_us = self.now.saturating_sub(agent.connects_at);
                        self.report.events_us = self.report.events_us.max(took_us);
                    }
                }
            }
        }
    }

    /// Everything that was written down is committed, once and as it was.
    fn judge(mut self) -> anyhow::Result<DayReport> {
        let is_same = |back: &Back, agent: &DayAgent| back.server.taken[agent.number()].sums == agent.made;
        for step in 0..2_000 {
            if self.agents.iter().all(|agent| is_same(&self, agent)) {
                break;
            }
            self.step(step, false)?;
        }
        for agent in &self.agents {
            let (taken, made) = (self.server.taken[agent.number()].sums, agent.made);
            ensure!(taken == made, "{}: {taken:?} are there of {made:?}", agent.credential.machine);
        }
        ensure!(self.server.lost == 0, "{} records are recorded as lost", self.server.lost);
        self.report.dropped = self.agents.iter().map(DayAgent::dropped).sum();
        self.report.deferred = self.server.deferred;
        self.report.greatest = self.server.greatest;
        let first = |one: &&Return| one.done_at[1] < one.done_at[0];
        self.report.readings_first = self.returns.iter().filter(first).count();
        Ok(self.report)
    }
}

/// Octets of this process in memory; 0 where the kernel does not tell.
fn resident() -> u64 {
    let told = std::fs::read_to_string("/proc/self/statm").context("statm").unwrap_or_default();
    let pages = told.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4_096
}
