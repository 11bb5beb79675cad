//! The suite with real processes: a Mosquitto, a server, agents, each a program of its own.

mod agent_cost;
mod browser;
mod commission;
mod compose;
mod gpio_sim;
mod grafana;
mod influx;
mod influxd;
mod judge;
mod kill;
mod mosquitto;
mod notify;
mod processes;
mod reverse_run;
mod secured;
mod site;
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
    /// Measure what an agent costs: memory, processor time, octets written
    AgentCost(agent_cost::Arguments),
    /// Look at the pages in Chromium, use them, attack them, and time them
    Browser(browser::Arguments),
    /// Commission a machine over TLS: unknown before, proven after, unknown again with other sources
    Commission(commission::Arguments),
    /// Try the composition, the Debian packages and the manifests for Kubernetes
    Compose(compose::Arguments),
    /// Listen to lines of the kernel's simulated GPIO chip
    GpioSim,
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
    /// Enrol a site over TLS with one code, upgrade it in stages, and take an upgrade back
    Site(site::Arguments),
    /// Measure this beside Telegraf, and kill both under load
    Telegraf(telegraf::Arguments),
    /// Tell both tiers the same, and compare their answers
    Tiers(tiers::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().step {
        Step::AgentCost(arguments) => agent_cost::run(&arguments).await,
        Step::Browser(arguments) => Box::pin(browser::run(&arguments)).await,
        Step::Commission(arguments) => Box::pin(commission::run(&arguments)).await,
        Step::Compose(arguments) => compose::run(&arguments).await,
        Step::GpioSim => listen_to_gpio_sim().await,
        Step::Grafana(arguments) => Box::pin(grafana::run(&arguments)).await,
        Step::Influx(step) => Box::pin(influx::run(&step)).await,
        Step::Kill(arguments) => kill::run(&arguments).await,
        Step::Mosquitto(arguments) => Box::pin(mosquitto::run(&arguments)).await,
        Step::Notify(arguments) => Box::pin(notify::run(&arguments)).await,
        Step::ReverseRun(arguments) => reverse_run::run(&arguments).await,
        Step::Site(arguments) => Box::pin(site::run(&arguments)).await,
        Step::Telegraf(arguments) => Box::pin(telegraf::run(&arguments)).await,
        Step::Tiers(arguments) => Box::pin(tiers::run(&arguments)).await,
    }
}

/// Ends with 77 if this kernel has no such chip.
async fn listen_to_gpio_sim() -> anyhow::Result<()> {
    let outcome = gpio_sim::run().await.map_err(anyhow::Error::msg)?;
    report(&outcome);
    if outcome.starts_with("skipped: ") {
        std::process::exit(77);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this program's output is its result")]
fn report(line: &str) {
    println!("{line}");
}
