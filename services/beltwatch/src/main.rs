//! The server and the operator's commands in one program.

#[tokio::main]
async fn main() -> std::process::ExitCode {
    beltwatch::command::CommandLine::run().await
}
