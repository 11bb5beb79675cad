//! One reverse run that ends with an emergency stop, as a plain MQTT subscriber sees it pass, and as clients that
//! know nothing but the schema, or not even that, read it back.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use agent::source::simulate::{Happening, Moment, Profile, Simulator};
use anyhow::{Context, ensure};
use domain::belt::Direction;
use domain::ids::MachineId;
use domain::signal::{Script, SourceNumber};
use domain::units::{MonotonicMicros, SECOND};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use wire::topics::{Kind, Topic};

use crate::judge::judge;
use crate::processes::{AgentPlan, Fleet, PATIENCE, program};
use crate::report;
use crate::stored::operator_secret;
use crate::verdict::Verdict;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Python with grpcio, grpcio-tools and grpcio-reflection; without it nothing is read back
    #[arg(long, value_name = "FILE", requires = "read_back")]
    python: Option<PathBuf>,
    /// The script that it runs
    #[arg(long, value_name = "FILE")]
    read_back: Option<PathBuf>,
    /// Keep the folder with logs and databases even if all is well
    #[arg(long)]
    keep: bool,
}

const MACHINE: &str = "tm-01";
/// Faster than this, sessions would be all ramps.
const PACE: u32 = 20;
/// The stop comes at the latest so long after the agent's start, in seconds.
const STOP_S_MAX: u64 = 45;
/// Slower than this it would not be much of a stop, in mm/s.
const STOP_MM_S_MIN: u32 = 400;

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut fleet = Fleet::start().await?;
    let outcome = follow(&mut fleet, arguments).await;
    if outcome.is_err() || arguments.keep {
        fleet.keep();
    }
    outcome
}

async fn follow(fleet: &mut Fleet, arguments: &Arguments) -> anyhow::Result<()> {
    let (seed, stop) =
        reverse_run_with_stop().context("no seed gives a reverse run with an emergency stop")?;
    let (at_s, mm_s) = (stop.at.0 / SECOND, stop.speed.0);
    report(&format!("seed {seed}: the stop is pressed after {at_s} s, at {mm_s} mm/s in reverse"));
    let credential = fleet.add_machine(MACHINE).await?;
    let mut subscriber = Subscriber::start(fleet.broker_port(), &credential)?;
    fleet.start_agent(MACHINE, AgentPlan { seed, pace: PACE })?;
    let sight = tokio::time::timeout(PATIENCE, subscriber.follow()).await;
    let sight = sight.with_context(|| format!("not everything passed within {PATIENCE:?}"))??;
    for line in &sight.told {
        report(&format!("subscriber: {line}"));
    }
    let off = sight.stop_mm_s.abs_diff(u64::from(mm_s));
    ensure!(off * 10 <= u64::from(mm_s), "the stop was at {mm_s} mm/s, and told with {}", sight.stop_mm_s);
    fleet.stop_agents().await?;
    subscriber.stop().await?;
    let verdict = judge(fleet).await?;
    report(&verdict.to_string());
    ensure!(verdict.is_clean(), "what is stored is not what was seen");
    if let (Some(python), Some(script)) = (&arguments.python, &arguments.read_back) {
        read_back(python, script, fleet, &verdict).await?;
    }
    fleet.stop().await
}

/// The first seed whose belt is stopped by the emergency stop soon while it runs in reverse, and that moment.
pub(crate) fn reverse_run_with_stop() -> Option<(u64, Moment)> {
    let profile = Profile::encoder().with_pace(f64::from(PACE));
    (1..=10_000).find_map(|seed| {
        let mut simulator = Simulator::new(SourceNumber(0), seed, profile, MonotonicMicros(0));
        simulator.observe(MonotonicMicros(STOP_S_MAX * SECOND), &mut Vec::new());
        let is_sought = |moment: &&Moment| {
            moment.what == Happening::EmergencyStop
                && moment.direction == Direction::Reverse
                && moment.speed.0 >= STOP_MM_S_MIN
        };
        simulator.truth().find(is_sought).map(|moment| (seed, *moment))
    })
}

/// `mosquitto_sub` with its output in `beltwatch-agent decode-envelope`.
struct Subscriber {
    subscriber: Child,
    decoder: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// What must pass, as far as it has.
#[derive(Debug, Default)]
struct Sight {
    status: bool,
    ack: bool,
    started_in_reverse: bool,
    reverse_readings: u32,
    stop_pressed: bool,
    /// Speed at the stop.
    stop_mm_s: u64,
    stopped: bool,
    told: Vec<String>,
}

impl Subscriber {
    fn start(broker_port: u16, credential: &Path) -> anyhow::Result<Subscriber> {
        let machine = MachineId::new(MACHINE)?;
        let mut subscriber = Command::new("mosquitto_sub");
        subscriber.args(["-h", "127.0.0.1", "-p", &broker_port.to_string(), "-F", "%t %x"]);
        for kind in Kind::ALL {
            subscriber.args(["-t", &Topic::new(machine.clone(), kind).to_string()]);
        }
        subscriber.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut subscriber = subscriber.spawn().context("cannot start mosquitto_sub")?;
        let messages: Stdio = subscriber.stdout.take().context("its output is piped")?.try_into()?;
        let mut decoder = Command::new(program("beltwatch-agent")?);
        decoder.arg("decode-envelope").arg("--credential").arg(credential);
        let mut decoder = decoder.stdin(messages).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let lines = BufReader::new(decoder.stdout.take().context("its output is piped")?).lines();
        Ok(Subscriber { subscriber, decoder, lines })
    }

    /// Reads until everything has passed.
    async fn follow(&mut self) -> anyhow::Result<Sight> {
        let mut sight = Sight::default();
        while !sight.is_complete() {
            let line = self.lines.next_line().await?.context("the decoder's output has ended")?;
            let message: Value = serde_json::from_str(&line).with_context(|| format!("no JSON: {line}"))?;
            sight.take(&message).with_context(|| format!("in {line}"))?;
        }
        Ok(sight)
    }

    /// Ends the subscriber; the decoder ends with its input, and says whether all of it was messages.
    async fn stop(mut self) -> anyhow::Result<()> {
        self.subscriber.kill().await?;
        while let Some(line) = self.lines.next_line().await? {
            ensure!(!line.contains("\"error\""), "{line}");
        }
        let status = self.decoder.wait().await?;
        ensure!(status.success(), "decode-envelope ended with {status}");
        Ok(())
    }
}

impl Sight {
    fn is_complete(&self) -> bool {
        let heard = self.status && self.ack;
        heard && self.started_in_reverse && self.reverse_readings > 0 && self.stop_pressed && self.stopped
    }

    fn take(&mut self, message: &Value) -> anyhow::Result<()> {
        ensure!(message["authentic"] == true, "it is not authentic");
        ensure!(message["machine"] == MACHINE, "it is of another machine");
        self.status |= message["status"].is_object();
        self.ack |= message["ack"].is_object();
        for record in message["envelope"]["records"].as_array().into_iter().flatten() {
            self.take_reading(&record["reading"]);
            self.take_event(&record["event"]);
        }
        Ok(())
    }

    fn take_reading(&mut self, reading: &Value) {
        let mm_s = reading["speed_mean_mm_s"].as_u64().unwrap_or(0);
        if self.started_in_reverse && is_reverse(reading) && mm_s > 0 {
            self.reverse_readings += 1;
            self.told.push(format!("reading: reverse, measured, {mm_s} mm/s"));
        }
    }

    /// Events come before readings, so the run begins with one. Earlier runs than the last one are forgotten.
    fn take_event(&mut self, event: &Value) {
        let belt = &event["belt"];
        let mm_s = belt["speed_mm_s"].as_u64().unwrap_or(0);
        match event["kind"].as_str().unwrap_or_default() {
            "belt_started" if !self.stop_pressed => {
                self.started_in_reverse = is_reverse(belt);
                self.reverse_readings = 0;
                self.told.clear();
                self.told.push(format!("event: belt_started, {}", belt["direction"]));
            }
            "contact_opened" if event["contact"] == "emergency_stop" && is_reverse(belt) => {
                self.stop_pressed = true;
                self.stop_mm_s = mm_s;
                self.told.push(format!("event: contact_opened, emergency_stop, reverse, {mm_s} mm/s"));
            }
            "belt_stopped" if self.stop_pressed => {
                self.stopped = true;
                self.told.push("event: belt_stopped".to_owned());
            }
            _ => {}
        }
    }
}

fn is_reverse(belt: &Value) -> bool {
    belt["direction"] == "reverse" && belt["origin"] == "measured"
}

/// The same from `proto/` alone, and from reflection alone.
async fn read_back(python: &Path, script: &Path, fleet: &Fleet, verdict: &Verdict) -> anyhow::Result<()> {
    let address = fleet.api_url().replace("http://", "");
    let secret = operator_secret(&fleet.api_url())?;
    let mut command = Command::new(python);
    command.arg(script).args([&address, MACHINE]).env("BELTWATCH_TOKEN", secret).kill_on_drop(true);
    let output = command.output();
    let output = tokio::time::timeout(PATIENCE, output).await.context("reading back takes too long")??;
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    report(&format!("read back: {}", said.trim()));
    ensure!(output.status.success(), "read_back.py ended with {}: {complained}", output.status);
    let told: Value = serde_json::from_str(&said)?;
    for client in ["schema", "reflection"] {
        let (events, readings) = (told[client]["events"].as_u64(), told[client]["readings"].as_u64());
        let seen = (Some(verdict.events), Some(verdict.readings));
        ensure!((events, readings) == seen, "{client}: other counts than the agent's, {seen:?}");
    }
    Ok(())
}
