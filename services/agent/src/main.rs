//! The agent's command line.

mod command;

fn main() -> std::process::ExitCode {
    command::CommandLine::run()
}
