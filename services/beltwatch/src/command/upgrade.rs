//! `beltwatch upgrade`: the agents of a site in stages; a stage that does not come back well is taken back.

mod stages;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args as ClapArgs;
use tokio::process::Command;
use tokio::time::Instant;

use self::stages::{Before, Stages, State};
use crate::client::{Client, Options};
use crate::command::pages;
use crate::failure::{Exit, Failure};

/// Pause between two looks at what the server knows of the machines.
const LOOK: Duration = Duration::from_millis(500);

/// Upgrades the agents of a site in stages; takes a stage back if a machine of it does not come back well
///
/// Each machine's package is installed by a program of yours, which is called with the machine's id and the package, and
/// ends with status 0 when it is installed; deploy/agents/install does so over ssh. A machine has come back well when the
/// server hears the agent with the new version, nothing was lost, and no more than a minute of records waits. Machines
/// that are not online are left alone and listed. Status 69: a stage was taken back.
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
    let mut client = Client::connect(options).await?;
    let (mut todo, mut before) = (Vec::new(), BTreeMap::new());
    for (machine, state) in look(&mut client, &args.site).await? {
        match Before::of(&state, &args.version) {
            Ok(was) => {
                todo.push(machine.clone());
                before.insert(machine, was);
            }
            Err(why) => say(&format!("{machine}: left alone: {why}"))?,
        }
    }
    if todo.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("site {} has no machine to upgrade", args.site)));
    }
    let ends = args.stages.ends(todo.len());
    for (number, end) in ends.iter().enumerate() {
        let begin = number.checked_sub(1).map_or(0, |before| ends[before]);
        let stage = &todo[begin..*end];
        say(&format!("stage {} of {}: {}", number + 1, ends.len(), stage.join(", ")))?;
        if let Err(why) = upgrade(&mut client, &args, stage, &before).await? {
            say(&format!("{why}; this stage is taken back"))?;
            take_back(&mut client, &args, stage, &before).await?;
            let message = format!("stage {} was taken back: {why}", number + 1);
            return Err(Failure::new(Exit::Unavailable, message));
        }
    }
    say(&format!("{} machines of site {} have version {}", todo.len(), args.site, args.version))?;
    Ok(())
}

/// Upgrades a stage; says why it has to be taken back.
async fn upgrade(
    client: &mut Client,
    args: &Args,
    stage: &[String],
    before: &BTreeMap<String, Before>,
) -> Result<Result<(), String>, Failure> {
    for machine in stage {
        if let Err(why) = install(&args.with, machine, &args.package).await {
            return Ok(Err(why));
        }
    }
    wait(client, args, stage, |machine, state| before[machine].has_come_back(state, &args.version)).await
}

/// Installs what was there before on all machines of a stage, also if one of them fails.
async fn take_back(
    client: &mut Client,
    args: &Args,
    stage: &[String],
    before: &BTreeMap<String, Before>,
) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for machine in stage {
        failed.extend(install(&args.with, machine, &args.back).await.err());
    }
    let back =
        |machine: &String, state: &State| before[machine].has_come_back(state, &before[machine].version);
    failed.extend(wait(client, args, stage, back).await?.err());
    if failed.is_empty() {
        say("all machines of the stage run what they ran before")?;
        return Ok(());
    }
    Err(Failure::new(Exit::Software, format!("the way back failed, too: {}", failed.join("; "))))
}

async fn install(program: &Path, machine: &str, package: &Path) -> Result<(), String> {
    let status = Command::new(program).arg(machine).arg(package).kill_on_drop(true).status().await;
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{machine}: {} ended with {status}", program.display())),
        Err(error) => Err(format!("{machine}: {} cannot be started: {error}", program.display())),
    }
}

/// Waits until all machines are well; says which is not when patience ends.
async fn wait(
    client: &mut Client,
    args: &Args,
    stage: &[String],
    judge: impl Fn(&String, &State) -> Result<(), String>,
) -> Result<Result<(), String>, Failure> {
    let until = Instant::now() + Duration::from_secs(args.patience);
    loop {
        let states = look(client, &args.site).await?;
        let ill = stage.iter().find_map(|machine| match states.get(machine) {
            Some(state) => judge(machine, state).err().map(|why| format!("{machine}: {why}")),
            None => Some(format!("{machine}: it is not in the site any more")),
        });
        let Some(why) = ill else { return Ok(Ok(())) };
        if Instant::now() >= until {
            return Ok(Err(why));
        }
        tokio::time::sleep(LOOK).await;
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

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{line}")
}
