//! The suite of the telemetry on a real InfluxDB, each case in fresh buckets; and what only this engine has to do.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::{Context, ensure};
use store::influx::InfluxTelemetry;
use store::telemetry::Telemetry;

use super::place::{Place, Places};
use super::restored;
use crate::influxd::Influxd;
use crate::report;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The program influxd
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut influxd = Influxd::start(&arguments.influxd).await?;
    let places = Rc::new(Places::of(&influxd).await?);
    suite(&places).await;
    report("the suite of the telemetry holds");
    restored::run(&places).await?;
    report("a folder from an older backup, and one that lost its index, write nothing twice");
    stopped(&places, &mut influxd).await?;
    report("it opens while InfluxDB is down, and writes when it is back");
    influxd.terminate().await?;
    influxd.check_log()
}

async fn suite(places: &Rc<Places>) {
    let next = Rc::new(Cell::new(0));
    let make = move || {
        let number = next.get() + 1;
        next.set(number);
        let (places, place) = (places.clone(), Rc::new(Place::new(number)));
        async move || {
            let telemetry = place.open(&places).await.expect("a place can be opened");
            Box::new(telemetry) as Box<dyn Telemetry>
        }
    };
    store::contract::telemetry(make).await;
}

/// The server starts before InfluxDB does.
async fn stopped(places: &Places, influxd: &mut Influxd) -> anyhow::Result<()> {
    let place = Place::new(2_000);
    drop(place.open(places).await?);
    influxd.kill().await?;
    let telemetry: InfluxTelemetry = place.open_only(places)?;
    let failed = telemetry.put(vec![restored::block(1, 1..=5)]).await;
    ensure!(failed.is_err_and(|error| error.kind.is_retryable()), "a put must fail while InfluxDB is down");
    ensure!(telemetry.watermark().await? == 0, "the watermark is in the folder");
    influxd.start_again().await?;
    telemetry.put(vec![restored::block(1, 1..=5)]).await.context("after InfluxDB is back")?;
    ensure!(telemetry.counts(None).await?.readings == 5, "each reading is there once");
    Ok(())
}
