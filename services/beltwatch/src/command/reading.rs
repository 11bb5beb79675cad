//! `beltwatch reading`: what belts did, interval by interval.

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::coverage::Summary;
use crate::command::pages::Zones;
use crate::command::{now, print};
use crate::failure::Failure;
use crate::table::{Column, Listing, Value};
use crate::words::{self, RangeArgs};

const PAGE_MAX: u32 = 10_000;

/// Lists readings
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists readings of one machine, oldest first
    List {
        /// The machine
        machine: String,
        #[command(flatten)]
        range: RangeArgs,
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
}

struct Shown {
    reading: v1::Reading,
    zone: TimeZone,
}

impl Shown {
    fn contact(&self, part: fn(&v1::Contacts) -> i32) -> Value {
        Value::Text(words::contact(part(&self.reading.contacts.unwrap_or_default())).to_owned())
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column {
        name: "time",
        title: "time",
        value: |row| Value::Time(words::time(row.reading.time), row.zone.clone()),
    },
    Column {
        name: "time_uncertainty_s",
        title: "± s",
        value: |row| Value::Number(words::seconds(row.reading.time_uncertainty), 3),
    },
    Column {
        name: "span_s",
        title: "span s",
        value: |row| Value::Number(words::seconds(row.reading.span), 1),
    },
    Column {
        name: "holds_for_s",
        title: "",
        value: |row| Value::Number(words::seconds(row.reading.holds_for), 1),
    },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.reading.direction)),
    },
    Column {
        name: "origin",
        title: "origin",
        value: |row| Value::Text(words::origin(row.reading.origin).to_owned()),
    },
    Column { name: "speed_mean_mps", title: "km/h", value: |row| Value::Speed(row.reading.speed_mean_mps) },
    Column { name: "speed_min_mps", title: "least", value: |row| Value::Speed(row.reading.speed_min_mps) },
    Column { name: "speed_max_mps", title: "most", value: |row| Value::Speed(row.reading.speed_max_mps) },
    Column {
        name: "incline_percent",
        title: "incline %",
        value: |row| Value::Number(row.reading.incline_percent, 1),
    },
    Column { name: "emergency_stop", title: "e-stop", value: |row| row.contact(|all| all.emergency_stop) },
    Column { name: "safety_key", title: "key", value: |row| row.contact(|all| all.safety_key) },
    Column { name: "machine_power", title: "", value: |row| row.contact(|all| all.machine_power) },
    Column { name: "hand_rail", title: "", value: |row| row.contact(|all| all.hand_rail) },
    Column { name: "user_presence", title: "", value: |row| row.contact(|all| all.user_presence) },
    Column {
        name: "elapsed_s",
        title: "",
        value: |row| Value::OptionalCount(row.reading.elapsed_s.map(u64::from)),
    },
    Column {
        name: "distance_m",
        title: "",
        value: |row| Value::OptionalCount(row.reading.distance_m.map(u64::from)),
    },
    Column { name: "steps", title: "", value: |row| Value::OptionalCount(row.reading.steps.map(u64::from)) },
    Column { name: "position", title: "", value: |row| Value::Text(row.reading.position.clone()) },
    // Where it does not count.
    Column {
        name: "measured_direction",
        title: "measured",
        value: |row| match row.reading.measured_direction {
            0 => Value::Text(String::new()),
            measured => Value::Direction(words::direction(measured)),
        },
    },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let Action::List { machine, range, limit } = args.action;
    let mut client = Client::connect(options).await?;
    let zone = Zones::of_machine(&mut client, &machine).await?;
    let range = range.range(&zone, now())?;
    let mut rows: Vec<Shown> = Vec::new();
    let mut summary = Summary::default();
    let mut page_token = String::new();
    loop {
        let left = limit - u32::try_from(rows.len()).unwrap_or(limit).min(limit);
        let request = v1::ListReadingsRequest {
            machine_id: machine.clone(),
            range: Some(range),
            page_size: i32::try_from(left.min(PAGE_MAX)).expect("a page's limit is small"),
            page_token,
        };
        let page = client.telemetry.list_readings(request).await?.into_inner();
        rows.extend(page.readings.into_iter().map(|reading| Shown { reading, zone: zone.clone() }));
        summary.add(page.coverage, page.as_of);
        page_token = page.next_page_token;
        if page_token.is_empty() || rows.len() >= limit as usize {
            break;
        }
    }
    let notes = summary.notes(!page_token.is_empty(), &zone);
    print(&Listing { name: "readings", columns: COLUMNS, rows: &rows, notes }, options)
}
