//! The suite with real processes: a Mosquitto, a server, agents, each a program of its own.

mod browser;
mod compose;
mod grafana;
mod influx;
mod influxd;
mod judge;
mod kill;
mod mosquitto;
mod notify;
mod processes;
mod reverse_run;
mod stored;
mod telegraf;
mod tiers;
mod traffic;
mod truth;
mod verdict;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(
    about = "Starts real processes, has things happen to them, and compares what is stored with what was seen."
)]
struct Arguments {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Look at the pages in Chromium, use them, attack them, and time them
    Browser(browser::Arguments),
    /// Try the composition, the Debian package and the manifests for Kubernetes
    Compose(compose::Arguments),
    /// Ask what Grafana's dashboards and alerts ask, of an InfluxDB that a real server filled
    Grafana(grafana::Arguments),
    /// The long history in a real InfluxDB
    #[command(subcommand)]
    Influx(influx::Step),
    /// Kill agents, server and broker at random moments
    Kill(kill::Arguments),
    /// Try what a machine may at a Mosquitto as it is shipped: certificates, rights, revocation, a burst
    Mosquitto(mosquitto::Arguments),
    /// Kill a server while it tells people of incidents, by webhook and by mail
    Notify(notify::Arguments),
    /// Follow one reverse run with an emergency stop as a plain subscriber and as a plain client see it
    ReverseRun(reverse_run::Arguments),
    /// Measure this beside Telegraf, and kill both under load
    Telegraf(telegraf::Arguments),
    /// Tell both tiers the same, and compare their answers
    Tiers(tiers::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().step {
        Step::Browser(arguments) => Box::pin(browser::run(&arguments)).await,
        Step::Compose(arguments) => compose::run(&arguments).await,
        Step::Grafana(arguments) => Box::pin(grafana::run(&arguments)).await,
        Step::Influx(step) => Box::pin(influx::run(&step)).await,
        Step::Kill(arguments) => kill::run(&arguments).await,
        Step::Mosquitto(arguments) => Box::pin(mosquitto::run(&arguments)).await,
        Step::Notify(arguments) => Box::pin(notify::run(&arguments)).await,
        Step::ReverseRun(arguments) => reverse_run::run(&arguments).await,
        Step::Telegraf(arguments) => Box::pin(telegraf::run(&arguments)).await,
        Step::Tiers(arguments) => Box::pin(tiers::run(&arguments)).await,
    }
}

#[expect(clippy::print_stdout, reason = "this program's output is its result")]
fn report(line: &str) {
    println!("{line}");
}
