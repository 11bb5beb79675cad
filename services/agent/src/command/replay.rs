//! `beltwatch-agent replay`

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent::capture::{Capture, CaptureError};
use agent::run::Feed;
use agent::source::replay::{Options, REST_MIN_US, Repeat, Replay};
use domain::signal::{Script, SourceNumber};
use domain::units::MonotonicMicros;

use super::life::{self, AgentArguments, Ending, Failure};

/// Run an agent beside a capture, played in its own rhythm.
///
/// It ends when the capture has ended and everything is acknowledged.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The capture: frames as a machine sent them, a JSON object a line.
    file: PathBuf,
    #[command(flatten)]
    agent: AgentArguments,
    /// Begin again at the end, until told to stop.
    #[arg(long = "loop")]
    again: bool,
    /// Write every record down once it is on the disk, a JSON object a line, appended to this file.
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let (repeat, ending) = if arguments.again {
        (Repeat::AfterRest(REST_MIN_US), Ending::WhenTold)
    } else {
        (Repeat::Never, Ending::WithItsSource)
    };
    life::run(&arguments.agent, arguments.truth.clone(), ending, |_, now| {
        script(&arguments.file, repeat, now).map(Feed::Script)
    })
}

fn script(file: &Path, repeat: Repeat, now: MonotonicMicros) -> Result<Box<dyn Script>, Failure> {
    let shown = file.display();
    let opened =
        File::open(file).map_err(|error| Failure::no_input(format!("cannot open {shown}: {error}")))?;
    let capture = Capture::read(BufReader::new(opened)).map_err(|error| match error {
        CaptureError::Unreadable(error) => Failure::io(format!("cannot read {shown}: {error}")),
        other @ (CaptureError::Line { .. } | CaptureError::TooManyFrames) => {
            Failure::wrong_content(format!("{shown}: {other}"))
        }
    })?;
    let options = Options { repeat, ..Options::default() };
    let replay = Replay::new(SourceNumber(0), "replay", &capture, options, now);
    Ok(Box::new(replay.map_err(|error| Failure::wrong_content(format!("{shown}: {error}")))?))
}
