//! `beltwatch upgrade`: the agents of a site in stages; a stage that does not come back well is taken back.

mod judge;
mod stages;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;
use tokio::process::Command;
use tokio::time::Instant;
use wire::api::v1;

use self::judge::{Before, Judge, State, Verdict, Wanted};
use self::stages::Stages;
use crate::client::{Client, Options};
use crate::command::pages;
use crate::failure::{Exit, Failure};

/// Pause between two looks at what the server knows of the machines.
const LOOK: Duration = Duration::from_secs(1);
/// How long before an agent was heard last its newest start is looked for, in seconds.
const STARTED_WITHIN_S: i64 = 900;
/// Events that are looked through for it: the most that one page gives.
const EVENTS_READ: i32 = 10_000;
/// The event with which each life of an agent begins.
const STARTED: &str = "agent_started";

/// Upgrades the agents of a site in stages; takes a stage back if a machine of it does not come back well
///
/// Each machine's package is installed by a program of yours, which is called with the machine's id and the package, and
/// ends with status 0 when it is installed; deploy/agents/install does so over ssh. A machine has come back well when for
/// 10 s the server hears the agent with the new version and in one life, nothing was lost, and no more than a minute of
/// records waits. What was lost does not come back: then the stage is taken back at once. Machines that are not online when
/// their stage begins are left alone and listed. Status 69: a stage was taken back, or could not be begun.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The site
    site: String,
    /// The package to install
    #[arg(long, value_name = "FILE")]
    package: PathBuf,
    /// The version that agents then report
    #[arg(long, value_name = "VERSION")]
    version: String,
    /// The package that they have now, for the way back
    #[arg(long, value_name = "FILE")]
    back: PathBuf,
    /// The program that installs a package on a machine: called as PROGRAM MACHINE FILE
    #[arg(long, value_name = "PROGRAM")]
    with: PathBuf,
    /// How many machines the stages have upgraded when each ends: numbers, or parts of the site
    #[arg(long, default_value = "1,10%,100%")]
    stages: Stages,
    /// How long a stage's machines may take to come back well, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    patience: u64,
    /// How long the program may take to install one machine's package, in seconds; then it is ended, and has failed
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=7_200))]
    install_patience: u64,
}

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses; no machine is online; a stage was taken back.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    for file in [&args.package, &args.back, &args.with] {
        if !file.is_file() {
            return Err(Failure::new(Exit::NotFound, format!("there is no file {}", file.display())));
        }
    }
    // A name without a folder is the file that was just seen, not a program elsewhere.
    let args = Args { with: std::path::absolute(&args.with)?, ..args };
    let mut client = Client::connect(options).await?;
    let mut todo = Vec::new();
    for (machine, state) in look(&mut client, &args.site).await? {
        match Before::of(&state, &args.version) {
            Ok(_) => todo.push(machine),
            Err(why) => say(&format!("{machine}: left alone: {why}"))?,
        }
    }
    if todo.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("site {} has no machine to upgrade", args.site)));
    }
    let ends = args.stages.ends(todo.len());
    let mut upgraded = 0;
    for (number, end) in (1..).zip(&ends) {
        let begin = if number == 1 { 0 } else { ends[number - 2] };
        upgraded += stage(&mut client, &args, &todo[begin..*end], (number, ends.len())).await?;
    }
    say(&format!("{upgraded} machines of site {} have version {}", args.site, args.version))?;
    Ok(())
}

/// Upgrades a stage, or takes it back and fails. How many machines it has upgraded.
async fn stage(
    client: &mut Client,
    args: &Args,
    machines: &[String],
    (number, count): (usize, usize),
) -> Result<usize, Failure> {
    // The stages before may have taken an hour: what counts is how the machines are now.
    let states = look_patiently(client, args).await.map_err(|why| {
        let message = format!("stage {number} was not begun: the server cannot be asked: {why}");
        Failure::new(Exit::Unavailable, message)
    })?;
    let mut before = BTreeMap::new();
    for machine in machines {
        let gone = || Err("it is not in the site any more".to_owned());
        match states.get(machine).map_or_else(gone, |state| Before::of(state, &args.version)) {
            Ok(was) => drop(before.insert(machine.clone(), was)),
            Err(why) => say(&format!("{machine}: left alone: {why}"))?,
        }
    }
    if before.is_empty() {
        return Ok(0);
    }
    let names: Vec<&str> = before.keys().map(String::as_str).collect();
    say(&format!("stage {number} of {count}: {}", names.join(", ")))?;
    let mut tried = BTreeMap::new();
    let mut trouble = None;
    for (machine, was) in &before {
        tried.insert(machine.clone(), was.clone());
        trouble = install(args, machine, &args.package).await.err();
        if trouble.is_some() {
            break;
        }
    }
    if trouble.is_none() {
        trouble = wait(client, args, &before, Wanted::New(&args.version)).await.err();
    }
    let Some(why) = trouble else { return Ok(before.len()) };
    say(&format!("{why}; this stage is taken back"))?;
    take_back(client, args, &tried).await?;
    Err(Failure::new(Exit::Unavailable, format!("stage {number} was taken back: {why}")))
}

/// Installs what was there before on all machines that were tried, also if one of them fails.
async fn take_back(
    client: &mut Client,
    args: &Args,
    tried: &BTreeMap<String, Before>,
) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for machine in tried.keys() {
        failed.extend(install(args, machine, &args.back).await.err());
    }
    failed.extend(wait(client, args, tried, Wanted::Back).await.err());
    if failed.is_empty() {
        say("all machines of the stage run what they ran before")?;
        return Ok(());
    }
    Err(Failure::new(Exit::Software, format!("the way back failed, too: {}", failed.join("; "))))
}

async fn install(args: &Args, machine: &str, package: &Path) -> Result<(), String> {
    let (program, seconds) = (&args.with, args.install_patience);
    let status = Command::new(program).arg(machine).arg(package).kill_on_drop(true).status();
    match tokio::time::timeout(Duration::from_secs(seconds), status).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{machine}: {} ended with {status}", program.display())),
        Ok(Err(error)) => Err(format!("{machine}: {} cannot be started: {error}", program.display())),
        Err(_) => Err(format!("{machine}: {} has not ended within {seconds} s", program.display())),
    }
}

/// Waits until all these machines are well; says why not if they will not be.
async fn wait(
    client: &mut Client,
    args: &Args,
    before: &BTreeMap<String, Before>,
    wanted: Wanted<'_>,
) -> Result<(), String> {
    let mut judge = Judge::new(before, wanted, Duration::from_secs(args.patience));
    let began = Instant::now();
    loop {
        let seen = look_closely(client, &args.site, before).await.map_err(|failure| failure.message);
        match judge.look(seen.as_ref().map_err(Clone::clone), began.elapsed()) {
            Verdict::Well => return Ok(()),
            Verdict::Ill(why) => return Err(why),
            Verdict::Wait => tokio::time::sleep(LOOK).await,
        }
    }
}

/// A look at a server that may be away for a while; why there was none when patience ends.
async fn look_patiently(client: &mut Client, args: &Args) -> Result<BTreeMap<String, State>, String> {
    let until = Instant::now() + Duration::from_secs(args.patience);
    loop {
        match look(client, &args.site).await {
            Ok(states) => return Ok(states),
            Err(failure) if Instant::now() >= until => return Err(failure.message),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// What the server knows of the site's machines now.
async fn look(client: &mut Client, site: &str) -> Result<BTreeMap<String, State>, Failure> {
    let machines = pages::machines(client, site).await?;
    let named = machines.into_iter().filter_map(|state| {
        let machine = state.machine.as_ref()?.id.clone();
        Some((machine, State::of(&state)))
    });
    Ok(named.collect())
}

/// The same, and of these machines in which life their agents are.
async fn look_closely(
    client: &mut Client,
    site: &str,
    machines: &BTreeMap<String, Before>,
) -> Result<BTreeMap<String, State>, Failure> {
    let mut states = look(client, site).await?;
    for (machine, state) in &mut states {
        if let Some(heard) = state.heard.filter(|_| state.is_online && machines.contains_key(machine)) {
            state.life = life(client, machine, heard).await?;
        }
    }
    Ok(states)
}

/// The place of the event with which the newest life of an agent began; `None`: none is known.
async fn life(
    client: &mut Client,
    machine: &str,
    heard: prost_types::Timestamp,
) -> Result<Option<String>, Failure> {
    let second = |seconds: i64| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let range = v1::TimeRange {
        start_time: second(heard.seconds - STARTED_WITHIN_S),
        end_time: second(heard.seconds + STARTED_WITHIN_S),
    };
    let request = v1::ListEventsRequest {
        machine_id: machine.to_owned(),
        range: Some(range),
        page_size: EVENTS_READ,
        page_token: String::new(),
    };
    let events = client.telemetry.list_events(request).await?.into_inner().events;
    Ok(events.into_iter().rev().find(|event| event.kind == STARTED).map(|event| event.position))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{line}")
}
