//! `beltwatch-agent simulate`

use std::path::PathBuf;
use std::process::ExitCode;

use agent::source::simulate::{Profile, Simulator};
use clap::ValueEnum;
use domain::signal::SourceNumber;

use super::life::{self, AgentArguments, Ending};

/// Run an agent beside a simulated treadmill.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    agent: AgentArguments,
    /// The same seed gives the same belt.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// What is simulated.
    #[arg(long, value_enum, default_value = "encoder")]
    profile: ProfileName,
    /// How many times faster than in life sessions follow each other, 1 to 1000. Ramps stay as they are.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = pace)]
    pace: f64,
    /// Write every record down once it is on the disk, a JSON object a line, appended to this file.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileName {
    /// A reversible belt with a quadrature encoder and contacts: direction is measured.
    Encoder,
    /// A belt of which only its console is heard, as FTMS tells it: direction is not known.
    Ftms,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let profile = match arguments.profile {
        ProfileName::Encoder => Profile::encoder(),
        ProfileName::Ftms => Profile::ftms(),
    };
    let (seed, profile) = (arguments.seed, profile.with_pace(arguments.pace));
    life::run(&arguments.agent, arguments.truth.clone(), Ending::WhenTold, |_, now| {
        Ok(Box::new(Simulator::new(SourceNumber(0), seed, profile, now)).into())
    })
}

fn pace(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(pace) if (1.0..=1_000.0).contains(&pace) => Ok(pace),
        Ok(_) | Err(_) => Err("a number from 1 to 1000 is allowed".to_owned()),
    }
}
