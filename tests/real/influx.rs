//! The long history in a real InfluxDB.

mod acks;
mod contract;
mod kills;
mod place;
mod points;
mod proxy;
mod restored;
mod speed;
mod torn;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Step {
    /// Run the suite of the telemetry on it
    Contract(contract::Arguments),
    /// Kill InfluxDB under load, spoil what passes, and read back what it holds
    Kills(kills::Arguments),
    /// Measure how fast it is written and read
    Speed(speed::Arguments),
}

pub(crate) async fn run(step: &Step) -> anyhow::Result<()> {
    match step {
        Step::Contract(arguments) => Box::pin(contract::run(arguments)).await,
        Step::Kills(arguments) => Box::pin(kills::run(arguments)).await,
        Step::Speed(arguments) => Box::pin(speed::run(arguments)).await,
    }
}
