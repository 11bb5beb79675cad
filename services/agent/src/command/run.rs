//! `beltwatch-agent run`

use std::process::ExitCode;

use domain::signal::{Capabilities, Script, Signal, SourceSpec};
use domain::units::{MonotonicMicros, SECOND};

use super::life::{self, AgentArguments, Ending};

/// Run the agent of a machine: report its presence and deliver what its spool holds.
///
/// This version has no source that listens to a real machine yet; `simulate` and `replay` have theirs. Without one
/// the agent says that it can report nothing.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    agent: AgentArguments,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    life::run(&arguments.agent, None, Ending::WhenTold, |_| Ok(Box::new(NoSource)))
}

/// Observes nothing and says so.
#[derive(Debug)]
struct NoSource;

impl Script for NoSource {
    fn spec(&self) -> SourceSpec {
        SourceSpec { name: "none".to_owned(), capabilities: Capabilities::default(), period_us: 60 * SECOND }
    }

    fn observe(&mut self, _now: MonotonicMicros, _out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        None
    }
}
