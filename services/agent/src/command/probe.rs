//! `beltwatch-agent probe`

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use agent::probe::{self, Found};
#[cfg(feature = "bluetooth")]
use agent::source::bluetooth;

use super::life::{self, ConfigArguments, Failure};

/// Show what each configured source delivers now: names, rates, newest values with their units.
///
/// A port can be open once only: stop the agent first. Status 0: every source delivered something; 69: one did not, or
/// Bluetooth cannot be used.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// How long to listen, in seconds.
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// Show the fitness machines around instead, with their Bluetooth addresses, the nearest first.
    #[cfg(feature = "bluetooth")]
    #[arg(long)]
    bluetooth: bool,
    /// Print a JSON object a source or machine.
    #[arg(long)]
    json: bool,
}

/// A source is silent.
const EX_UNAVAILABLE: u8 = 69;

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    #[cfg(feature = "bluetooth")]
    if arguments.bluetooth {
        return match around(arguments) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(),
        };
    }
    match listen(arguments) {
        Ok(found) if found.iter().all(|source| !source.told().is_empty()) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(EX_UNAVAILABLE),
        Err(failure) => failure.report(),
    }
}

fn listen(arguments: &Arguments) -> Result<Vec<Found>, Failure> {
    let config = arguments.config.read_with_sources()?;
    life::log(&config.log)?;
    let sources = config.sources.iter().map(|source| source.source()).collect();
    let time = Duration::from_secs(arguments.seconds);
    let found = life::runtime()?.block_on(probe::listen(sources, time, |_| {}));
    let mut out = std::io::stdout().lock();
    for source in &found {
        let printed = if arguments.json {
            let line = serde_json::to_string(source).expect("strings and numbers are always JSON");
            writeln!(out, "{line}")
        } else {
            write!(out, "{source}")
        };
        printed.map_err(|error| Failure::io(format!("cannot write the result: {error}")))?;
    }
    Ok(found)
}

#[cfg(feature = "bluetooth")]
fn around(arguments: &Arguments) -> Result<(), Failure> {
    let time = Duration::from_secs(arguments.seconds);
    let seen = life::runtime()?
        .block_on(bluetooth::around(None, None, time))
        .map_err(|lost| Failure::unavailable(format!("{lost}; `systemctl status bluetooth` may say more")))?;
    let mut out = std::io::stdout().lock();
    for machine in &seen {
        let printed = if arguments.json {
            let line = serde_json::to_string(machine).expect("strings and numbers are always JSON");
            writeln!(out, "{line}")
        } else {
            writeln!(out, "{}", described(machine))
        };
        printed.map_err(|error| Failure::io(format!("cannot write the result: {error}")))?;
    }
    if seen.is_empty() {
        let _ = writeln!(std::io::stderr(), "no fitness machine was heard in {} s", arguments.seconds);
    }
    Ok(())
}

/// A machine in a line: address, strength, name, what is known of it.
#[cfg(feature = "bluetooth")]
fn described(machine: &bluetooth::Seen) -> String {
    let strength = machine.rssi_dbm.map_or_else(|| "connected".to_owned(), |rssi| format!("{rssi} dBm"));
    let mut line =
        format!("{}  {strength:>9}  {}", machine.address, machine.name.as_deref().unwrap_or("no name"));
    let mut say = |is_so: bool, words: &str| {
        if is_so {
            line.push_str(", ");
            line.push_str(words);
        }
    };
    say(machine.is_treadmill == Some(true), "a treadmill");
    say(machine.is_treadmill == Some(false), "no treadmill");
    say(machine.is_available == Some(false), "in use by somebody else");
    say(!machine.advertises_service, "advertises_service = false");
    if let Some(model) = machine.model {
        say(true, &format!("model {model}"));
    }
    line
}
