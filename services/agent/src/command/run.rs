//! `beltwatch-agent run`

use std::process::ExitCode;

use agent::run::Feed;

use super::life::{self, AgentArguments, Ending};

/// Run the agent of a machine: listen to its sources and deliver what they see.
///
/// The sources stand in the configuration; `beltwatch-agent config` prints one with all of them. Without one the agent
/// reports its presence and says that it can report nothing else.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    agent: AgentArguments,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    life::run(&arguments.agent, None, Ending::WhenTold, |config, _| {
        if config.sources.is_empty() {
            tracing::warn!("the configuration names no source: nothing is known of the belt");
        }
        Ok(Feed::Sources(config.sources.iter().map(|source| source.source()).collect()))
    })
}
