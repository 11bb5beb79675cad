//! Kills a real InfluxDB under load, lets a proxy spoil what passes between it and the server, kills the server, too,
//! and then holds what InfluxDB itself has against what the agents have seen.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use http::Method;
use tokio::time::Instant;

use super::acks::{Acks, Time};
use super::points::{Count, Points};
use super::proxy::{Fault, Proxy};
use super::torn;
use crate::influxd::{Influxd, Web};
use crate::judge::judge;
use crate::processes::{AgentPlan, Fleet, PATIENCE, Victim};
use crate::report;
use crate::stored::operator_secret;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The program influxd
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
    /// How many kills of InfluxDB; each tenth is followed by a long stop
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// Seed of the moments
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many machines
    #[arg(long, default_value_t = 16)]
    machines: u32,
    /// Keep the folders with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

/// How long a kill waits for a write to strike behind.
const NEXT_WRITE: Duration = Duration::from_secs(3);
/// A kill that strikes behind the beginning of a write comes at most so much later, in microseconds.
const BEHIND_US: u64 = 8_000;
/// Another kill strikes at most so long after InfluxDB was started again: it needs about as long to come up.
const EARLY_MS: u64 = 600;
/// Longest of the short stops, in milliseconds; half of them are a tenth of it at most.
const SHORT_MS: u64 = 1_000;
/// Long stops.
const LONG: Duration = Duration::from_secs(3);
/// So many batches, one a second, wait for the telemetry's writer: in a stop of this length what it cannot take has to
/// be read from the journal.
const LONGEST: Duration = Duration::from_secs(18);
/// Each so many kills InfluxDB is down for long.
const LONG_EACH: u32 = 10;
/// Each so many kills it is down for longest.
const LONGEST_EACH: u32 = 50;
/// Each so many kills the server is killed, too; every other time together with InfluxDB.
const SERVER_EACH: u32 = 11;
/// What the proxy does, and how often it has to strike.
const FAULTS: [(Fault, u64); 6] = [
    (Fault::Late(300), 12),
    (Fault::CutRequest, 6),
    (Fault::CutBeforeAnswer, 6),
    (Fault::HalfAnswer, 6),
    (Fault::Busy, 4),
    (Fault::Silent, 1),
];
/// How often readiness is asked.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    torn::run(&arguments.influxd).await.context("torn ends of the log")?;
    let mut scene = Scene::start(arguments).await?;
    let outcome = Box::pin(scene.play(arguments)).await;
    report(&format!("influx: {} s", began.elapsed().as_secs()));
    if outcome.is_err() || arguments.keep {
        scene.fleet.keep();
        scene.influxd.keep();
    }
    outcome
}

/// Everything that takes part.
#[derive(Debug)]
struct Scene {
    influxd: Influxd,
    proxy: Proxy,
    fleet: Fleet,
    acks: Acks,
    random: fastrand::Rng,
    /// What readiness said of the telemetry while something was wrong.
    said: Vec<String>,
    behind_a_write: u32,
    servers: u32,
}

impl Scene {
    async fn start(arguments: &Arguments) -> anyhow::Result<Scene> {
        let influxd = Influxd::start(&arguments.influxd).await?;
        let proxy = Proxy::start(influxd.port(), arguments.seed).await?;
        let mut fleet = Fleet::start_with(&influxd.config_section(&proxy.url())).await?;
        let acks = Acks::watch(fleet.broker_port())?;
        for number in 0..arguments.machines {
            let machine = format!("tm-{:02}", number + 1);
            fleet.add_machine(&machine).await?;
            let seed = arguments.seed.wrapping_mul(1_000_000).wrapping_add(u64::from(number));
            fleet.start_agent(&machine, AgentPlan { seed, pace: 20 })?;
        }
        let random = fastrand::Rng::with_seed(arguments.seed);
        Ok(Scene { influxd, proxy, fleet, acks, random, said: Vec::new(), behind_a_write: 0, servers: 0 })
    }

    async fn play(&mut self, arguments: &Arguments) -> anyhow::Result<()> {
        let began = Instant::now();
        for kill in 1..=arguments.kills {
            self.kill(kill).await.with_context(|| format!("kill {kill} of InfluxDB"))?;
        }
        self.influxd.ready().await?;
        let (kills, long) = (arguments.kills, arguments.kills / LONG_EACH);
        report(&format!(
            "influx: seed {}, {kills} kills of InfluxDB in {} s, {} of them right behind the beginning of a write, \
             {long} with a long stop; {} kills of the server; {} torn ends of its log were cut off",
            arguments.seed,
            began.elapsed().as_secs(),
            self.behind_a_write,
            self.servers,
            self.influxd.torn_ends()?
        ));
        self.ready_again().await?;
        for (fault, strikes) in FAULTS {
            self.spoil(fault, strikes).await.with_context(|| format!("fault: {}", fault.name()))?;
        }
        self.tell_acks()?;
        self.tell_readiness(arguments);
        self.fleet.stop_agents().await?;
        self.judge_all().await
    }

    /// One kill of InfluxDB, and what belongs to it.
    async fn kill(&mut self, kill: u32) -> anyhow::Result<()> {
        if self.random.bool() {
            self.influxd.ready().await?;
            self.next_write().await;
        } else {
            tokio::time::sleep(Duration::from_millis(self.random.u64(0..=EARLY_MS))).await;
        }
        let takes_server = kill.is_multiple_of(SERVER_EACH);
        if takes_server && kill.is_multiple_of(2 * SERVER_EACH) {
            // Alone, while a write of it is under way; InfluxDB runs on.
            self.influxd.ready().await?;
            self.kill_server().await?;
            self.next_write().await;
        }
        self.influxd.kill().await?;
        self.acks.turn(Time::Down);
        if takes_server && !kill.is_multiple_of(2 * SERVER_EACH) {
            self.kill_server().await?;
            self.acks.turn(Time::Down);
        }
        if kill.is_multiple_of(LONG_EACH) {
            self.stay_down(if kill.is_multiple_of(LONGEST_EACH) { LONGEST } else { LONG }).await?;
            self.influxd.start_again().await?;
            self.acks.turn(Time::Up);
            return self.ready_again().await;
        }
        let longest_ms = if self.random.bool() { SHORT_MS / 10 } else { SHORT_MS };
        tokio::time::sleep(Duration::from_millis(self.random.u64(0..=longest_ms))).await;
        self.influxd.start_again_at_once()?;
        self.acks.turn(Time::Up);
        Ok(())
    }

    /// Waits for a write to begin, and a little longer.
    async fn next_write(&mut self) {
        let mut writes = self.proxy.writes();
        if tokio::time::timeout(NEXT_WRITE, writes.changed()).await.is_ok() {
            tokio::time::sleep(Duration::from_micros(self.random.u64(0..=BEHIND_US))).await;
            self.behind_a_write += 1;
        }
    }

    async fn kill_server(&mut self) -> anyhow::Result<()> {
        self.acks.turn(Time::NoServer);
        self.fleet.kill(Victim::Server, Duration::ZERO).await?;
        self.fleet.ready().await?;
        self.servers += 1;
        self.acks.turn(Time::Up);
        Ok(())
    }

    /// A long stop: agents are acknowledged meanwhile, and readiness says what is wrong.
    async fn stay_down(&mut self, longest: Duration) -> anyhow::Result<()> {
        let until = Instant::now() + longest;
        let agents = self.fleet.agents().len() as u64;
        ensure!(self.acks.more(2 * agents, PATIENCE).await, "agents are not acknowledged while it is down");
        self.trouble().await?;
        tokio::time::sleep_until(until).await;
        Ok(())
    }

    /// Lets the proxy spoil what passes until it has done so a few times.
    async fn spoil(&mut self, fault: Fault, strikes: u64) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut struck = self.proxy.struck();
        self.acks.turn(Time::Faulty);
        self.proxy.set(fault);
        let enough = struck.wait_for(|struck| struck.get(&fault).is_some_and(|times| *times >= strikes));
        let is_enough = tokio::time::timeout(PATIENCE, enough).await.is_ok_and(|enough| enough.is_ok());
        ensure!(is_enough, "it did not strike {strikes} times in {PATIENCE:?}");
        match fault {
            // What was written is then known to InfluxDB only.
            Fault::CutBeforeAnswer => {
                self.kill_server().await?;
                self.acks.turn(Time::Faulty);
            }
            Fault::Busy | Fault::Silent => self.trouble().await?,
            Fault::None | Fault::Late(_) | Fault::CutRequest | Fault::HalfAnswer => {}
        }
        self.proxy.set(Fault::None);
        let spoilt = began.elapsed();
        self.ready_again().await?;
        let times = self.proxy.struck().borrow().get(&fault).copied().unwrap_or_default();
        report(&format!(
            "influx: {}: struck {times} times in {:.1} s, all well {:.1} s later",
            fault.name(),
            spoilt.as_secs_f64(),
            (began.elapsed() - spoilt).as_secs_f64()
        ));
        self.acks.turn(Time::Up);
        Ok(())
    }

    /// What readiness says of the telemetry; `None`: it is ready.
    async fn telemetry(&self) -> anyhow::Result<Option<String>> {
        let url = self.fleet.api_url();
        let bearer = format!("Bearer {}", operator_secret(&url)?);
        let nothing = ("text/plain", String::new());
        let answer = Web::new(url).ask((Method::GET, "/readyz"), &bearer, nothing).await?;
        let line = answer.text.lines().find_map(|line| line.strip_prefix("telemetry: "));
        let line = line.with_context(|| format!("readiness does not know the telemetry: {}", answer.text))?;
        Ok(line.strip_prefix("not ready").map(|why| why.trim_start_matches([':', ' ']).to_owned()))
    }

    /// Waits until readiness names the telemetry.
    async fn trouble(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(why) = self.telemetry().await? {
                ensure!(!why.is_empty(), "readiness does not say why");
                self.said.push(why);
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        bail!("readiness does not name the telemetry")
    }

    /// Waits until the telemetry works again.
    async fn ready_again(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Some(why) = self.telemetry().await? else { return Ok(()) };
            ensure!(Instant::now() < deadline, "the telemetry is still not ready: {why}");
            tokio::time::sleep(LOOK).await;
        }
    }

    fn tell_acks(&self) -> anyhow::Result<()> {
        let times = [
            (Time::Up, "while InfluxDB ran or came up"),
            (Time::Down, "while it was down"),
            (Time::Faulty, "behind the proxy's faults"),
        ];
        for (time, name) in times {
            let (count, [p50, p99, longest]) = self.acks.summary(time);
            report(&format!(
                "influx: {count} acknowledgements {name}: p50 {p50:.1} ms, p99 {p99:.1} ms, longest {longest:.1} ms"
            ));
            ensure!(count > 0, "nothing was acknowledged {name}");
        }
        Ok(())
    }

    fn tell_readiness(&self, arguments: &Arguments) {
        let url = self.proxy.url();
        let port = url.rsplit_once(':').map_or("", |(_, port)| port);
        let mut said: Vec<String> = self.said.iter().map(|why| why.replace(port, "PORT")).collect();
        said.sort();
        said.dedup();
        let long = arguments.kills / LONG_EACH;
        report(&format!("influx: readiness named the telemetry in each of {long} long stops; it said:"));
        for why in said {
            report(&format!("  {why}"));
        }
    }

    /// Everything that was seen is stored once: by the API and by InfluxDB itself, before and after a restart.
    async fn judge_all(&mut self) -> anyhow::Result<()> {
        let verdict = judge(&self.fleet).await?;
        report(&verdict.to_string());
        let count = self.count().await?;
        report(&format!("influx: read back by Flux: {count}"));
        self.fleet.restart_server().await?;
        self.ready_again().await?;
        let again = judge(&self.fleet).await?;
        if again != verdict {
            report(&format!("after a restart of the server: {again}"));
        }
        let count_again = self.count().await?;
        if count_again != count {
            report(&format!("after a restart of the server: {count_again}"));
        }
        self.fleet.stop().await?;
        self.influxd.terminate().await?;
        self.influxd.check_log()?;
        ensure!(verdict.is_clean(), "what is stored is not what was seen");
        ensure!(count.is_clean(), "what InfluxDB holds is not what was seen");
        ensure!(again == verdict && count_again == count, "after a restart something else is stored");
        ensure!(verdict.events > 0 && verdict.readings > 0, "nothing was seen: the test proves nothing");
        ensure!(verdict.events + verdict.readings == count.points, "API and InfluxDB do not hold the same");
        Ok(())
    }

    async fn count(&self) -> anyhow::Result<Count> {
        let truths: Vec<_> =
            self.fleet.agents().iter().map(|agent| (agent.machine(), agent.truth_file())).collect();
        let points = Points::read(&self.influxd).await?;
        points.compare(truths.iter().map(|(machine, file)| (*machine, file.as_path())))
    }
}
