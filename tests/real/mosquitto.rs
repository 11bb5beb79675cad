//! A real Mosquitto with the configuration and the script of `deploy/mosquitto`, and the files that a real server keeps
//! for it: who is let in, who may say and hear what, what becomes of who was revoked, and what of a burst.

mod burst;
mod client;
mod generations;
mod matrix;
mod stage;
mod table;

use self::stage::Stage;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Keep the folder with logs and files even if all is well
    #[arg(long)]
    keep: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut stage = Stage::start().await?;
    let outcome = Box::pin(all(&mut stage)).await;
    if outcome.is_err() || arguments.keep {
        stage.keep();
    }
    if outcome.is_err() {
        stage.give_up().await;
    }
    outcome
}

async fn all(stage: &mut Stage) -> anyhow::Result<()> {
    for machine in ["tm-01", "tm-02", "tm-03", "tm-04"] {
        stage.add_machine(machine).await?;
    }
    // Only one at a time is the server to the broker: while it is away, this program takes its place.
    stage.stop_server().await?;
    matrix::run(stage).await?;
    burst::run(stage).await?;
    stage.start_server().await?;
    generations::run(stage).await?;
    stage.stop().await
}
