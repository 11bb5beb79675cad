//! How fast the history in a real InfluxDB is written and read.

use std::path::PathBuf;

use domain::ids::MachineId;
use domain::units::UnixMicros;
use store::telemetry::{Block, RangeQuery, Telemetry};
use tokio::time::Instant;

use super::place::{Place, Places};
use super::restored;
use crate::influxd::Influxd;
use crate::report;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The program influxd
    #[arg(long, value_name = "FILE")]
    influxd: PathBuf,
    /// How many puts of 10 000 readings
    #[arg(long, default_value_t = 20)]
    puts: u64,
}

/// Readings of one block, as long as a slice of an agent that was away for a while.
const BLOCK: u64 = 100;
/// Blocks of one put.
const BLOCKS: u64 = 100;

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut influxd = Influxd::start(&arguments.influxd).await?;
    let places = Places::of(&influxd).await?;
    let place = Place::new(1);
    let telemetry = place.open(&places).await?;
    let begin = Instant::now();
    for put in 0..arguments.puts {
        telemetry.put((0..BLOCKS).map(|machine| block(machine, put)).collect()).await?;
    }
    let readings = arguments.puts * BLOCKS * BLOCK;
    let seconds = begin.elapsed().as_secs_f64();
    report(&format!(
        "written: {readings} readings in {seconds:.2} s, {:.0} a second",
        readings as f64 / seconds
    ));
    let begin = Instant::now();
    telemetry.put((0..BLOCKS).map(|machine| block(machine, 0)).collect()).await?;
    report(&format!("the first put again: {:.0} ms", begin.elapsed().as_secs_f64() * 1e3));
    for max in [100, 1_000, 10_000] {
        let query = RangeQuery {
            machine: MachineId::new("tm-7")?,
            from: UnixMicros(i64::MIN),
            until: UnixMicros(i64::MAX),
            after: None,
            max,
        };
        let begin = Instant::now();
        let page = telemetry.readings(&query).await?;
        report(&format!("a page of {}: {:.0} ms", page.len(), begin.elapsed().as_secs_f64() * 1e3));
    }
    let begin = Instant::now();
    let counts = telemetry.counts(None).await?;
    report(&format!("counting {}: {:.0} ms", counts.readings, begin.elapsed().as_secs_f64() * 1e3));
    influxd.terminate().await?;
    influxd.check_log()
}

fn block(machine: u64, put: u64) -> Block {
    let first = put * BLOCK + 1;
    let machine = MachineId::new(&format!("tm-{machine}")).expect("a machine's id");
    Block { machine, ..restored::block(1, first..=first + BLOCK - 1) }
}
