//! `beltwatch doctor`: what is wrong with a server, and what to do.

mod server;
mod stored;

use clap::Args as ClapArgs;

use crate::client::Options;
use crate::command::finding::{self, Finding};
use crate::command::folder::FolderArgs;
use crate::command::now;
use crate::failure::Failure;

/// Looks at a server's configuration, folder and answers, and tells what is wrong and what to do
///
/// It changes nothing, and works while the server runs and while it does not. Ends with 65 if something is bad.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    folder: FolderArgs,
}

/// Runs the command.
pub(super) async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let config = match args.folder.config() {
        Ok(config) => config,
        Err(failure) => {
            let found = [Finding::bad("configuration", failure.message)];
            return finding::conclude(&found, Vec::new(), options);
        }
    };
    let mut findings = vec![Finding::ok("configuration", "it can be used")];
    match config.memory {
        true => findings.push(Finding::warn("folder", "memory is true: nothing is kept on disk")),
        false => findings.extend(stored::findings(&config, now().as_microsecond())),
    }
    findings.extend(server::findings(options).await);
    finding::conclude(&findings, Vec::new(), options)
}
