//! `beltwatch bench`: how fast this computer does it.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use crate::bench::{
    self, HistorySettings, IncidentSettings, IngestSettings, Report, UsageSettings, WatchSettings,
};
use crate::client::Options;
use crate::command::serve::unavailable;
use crate::config::{LogConfig, LogFormat};
use crate::failure::{Exit, Failure};
use crate::table::Format;

/// Measures how fast this computer does it
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Ingest(IngestArgs),
    Watch(WatchArgs),
    Incidents(IncidentsArgs),
    Usage(UsageArgs),
    History(HistoryArgs),
}

/// Measures the path from publish to ack beside a floor: the same broker and load with a subscriber that keeps nothing
#[derive(Debug, ClapArgs)]
struct IngestArgs {
    /// Loads of so many machines, one after another
    #[arg(long, value_name = "COUNT,…", value_delimiter = ',', default_value = "10,1000")]
    machines: Vec<usize>,
    /// Length of each measurement, in seconds
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// How long each load runs before it is measured, in seconds
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Readings in an envelope
    #[arg(long, default_value_t = 10)]
    readings_per_envelope: usize,
    /// Folder on the disk to be measured; what is made in it is removed. Without it: the one for temporary files
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Which log lines, as in "info" or "info,ingest=debug"
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Measures watchers of the API and of pages, alone and beside ones that stop reading
#[derive(Debug, ClapArgs)]
struct WatchArgs {
    /// Watchers, half of them of the API, half of a page
    #[arg(long, default_value_t = 200)]
    watchers: usize,
    /// Machines; each changes once a second
    #[arg(long, default_value_t = 500)]
    machines: usize,
    /// Length of each measurement, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How long all watch before it is measured, in seconds
    #[arg(long, default_value_t = 3)]
    warm_up: u64,
    /// Which log lines, as in "info" or "info,api=debug"
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Measures pages of incidents beside the same pages of a tenth of them
#[derive(Debug, ClapArgs)]
struct IncidentsArgs {
    /// Incidents in the greater ledger
    #[arg(long, default_value_t = 100_000)]
    incidents: usize,
    /// How often each page is read
    #[arg(long, default_value_t = 300)]
    pages: usize,
    /// Folder on the disk to be measured; what is made in it is removed. Without it: the one for temporary files
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Which log lines, as in "info" or "info,store=debug"
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Measures questions about usage on a generated year, beside a tenth of its machines and a twelfth of its days
#[derive(Debug, ClapArgs)]
struct UsageArgs {
    /// Machines of the greatest ledger
    #[arg(long, default_value_t = 1_000)]
    machines: usize,
    /// Days of the greatest ledger
    #[arg(long, default_value_t = 365)]
    days: usize,
    /// How often each question is asked
    #[arg(long, default_value_t = 300)]
    times: usize,
    /// Folder on the disk to be measured; what is made in it is removed. Without it: the one for temporary files
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Which log lines, as in "info" or "info,store=debug"
    #[arg(long, default_value = "warn")]
    log: String,
}

/// Measures octets of a stored reading before and after compaction, and listing a day of readings
#[derive(Debug, ClapArgs)]
struct HistoryArgs {
    /// Machines of all kinds together
    #[arg(long, default_value_t = 100)]
    machines: usize,
    /// Days of readings
    #[arg(long, default_value_t = 30)]
    days: usize,
    /// How often a day is listed
    #[arg(long, default_value_t = 300)]
    times: usize,
    /// How much later than a whole second readings end at most, by chance, in microseconds
    #[arg(long, default_value_t = 0)]
    late_us: u64,
    /// Folder on the disk to be measured; what is made in it is removed. Without it: the one for temporary files
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Which log lines, as in "info" or "info,store=debug"
    #[arg(long, default_value = "warn")]
    log: String,
}

pub(super) async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    match args.command {
        Command::Ingest(args) => ingest(args, options.format()).await,
        Command::Watch(args) => watch(args, options.format()).await,
        Command::Incidents(args) => incidents(args, options.format()).await,
        Command::Usage(args) => usage(args, options.format()).await,
        Command::History(args) => history(args, options.format()).await,
    }
}

async fn ingest(args: IngestArgs, format: Format) -> Result<(), Failure> {
    begin(args.log, format)?;
    let settings = IngestSettings {
        machines: args.machines,
        time: Duration::from_secs(args.seconds),
        warm_up: Duration::from_secs(args.warm_up),
        readings_per_envelope: args.readings_per_envelope,
        folder: args.folder,
    };
    settings.check().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let report = bench::ingest(&settings, &tell).await.map_err(unavailable)?;
    match format {
        Format::Json => {
            let json = serde_json::to_string(&report).map_err(anyhow::Error::from)?;
            writeln!(std::io::stdout(), "{json}")?;
        }
        Format::Table | Format::Csv => print(&report)?,
    }
    Ok(())
}

async fn watch(args: WatchArgs, format: Format) -> Result<(), Failure> {
    begin(args.log, format)?;
    let settings = WatchSettings {
        watchers: args.watchers,
        machines: args.machines,
        time: Duration::from_secs(args.seconds),
        warm_up: Duration::from_secs(args.warm_up),
    };
    settings.check().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let report = bench::watch(&settings, &tell).await.map_err(unavailable)?;
    write_report(&report, &report.markdown(), format)
}

async fn incidents(args: IncidentsArgs, format: Format) -> Result<(), Failure> {
    begin(args.log, format)?;
    let settings = IncidentSettings { incidents: args.incidents, pages: args.pages, folder: args.folder };
    settings.check().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let report = bench::incidents(&settings, &tell).await.map_err(unavailable)?;
    write_report(&report, &report.markdown(), format)
}

async fn usage(args: UsageArgs, format: Format) -> Result<(), Failure> {
    begin(args.log, format)?;
    let settings =
        UsageSettings { machines: args.machines, days: args.days, times: args.times, folder: args.folder };
    settings.check().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let report = bench::usage(&settings, &tell).await.map_err(unavailable)?;
    write_report(&report, &report.markdown(), format)
}

async fn history(args: HistoryArgs, format: Format) -> Result<(), Failure> {
    begin(args.log, format)?;
    let settings = HistorySettings {
        machines: args.machines,
        days: args.days,
        times: args.times,
        late_us: args.late_us,
        folder: args.folder,
    };
    settings.check().map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    let report = bench::history(&settings, &tell).await.map_err(unavailable)?;
    write_report(&report, &report.markdown(), format)
}

fn begin(filter: String, format: Format) -> Result<(), Failure> {
    if format == Format::Csv {
        return Err(Failure::new(Exit::Usage, "--csv: the figures are no list; use --json"));
    }
    crate::log::start(&LogConfig { format: LogFormat::Text, filter })?;
    tell_debug_build();
    Ok(())
}

fn write_report(report: &impl serde::Serialize, markdown: &str, format: Format) -> Result<(), Failure> {
    match format {
        Format::Json => {
            let json = serde_json::to_string(report).map_err(anyhow::Error::from)?;
            writeln!(std::io::stdout(), "{json}")?;
        }
        Format::Table | Format::Csv => write!(std::io::stdout(), "{markdown}")?,
    }
    Ok(())
}

fn tell(what: String) {
    // Nobody reads it any more: the figures may still be wanted.
    let _ = writeln!(std::io::stderr(), "bench: {what}");
}

fn tell_debug_build() {
    if cfg!(debug_assertions) {
        tell("this is a debug build: its figures say nothing; use `cargo run --release`".to_owned());
    }
}

fn print(report: &Report) -> Result<(), Failure> {
    let mut lines = report.lines().into_iter();
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(lines.next().unwrap_or_default());
    lines.for_each(|line| {
        table.add_row(line);
    });
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    writeln!(std::io::stdout(), "{table}")?;
    for note in report.notes() {
        writeln!(std::io::stderr(), "{note}")?;
    }
    Ok(())
}
