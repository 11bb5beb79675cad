//! `beltwatch event`: what happened.

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

/// Lists events
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists events of one machine, oldest first
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
    event: v1::Event,
    zone: TimeZone,
}

impl Shown {
    fn at(&self) -> v1::Belt {
        self.event.at.unwrap_or_default()
    }

    fn before(&self) -> v1::Belt {
        self.event.before.unwrap_or_default()
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column {
        name: "time",
        title: "time",
        value: |row| Value::Time(words::time(row.event.time), row.zone.clone()),
    },
    Column {
        name: "time_uncertainty_s",
        title: "± s",
        value: |row| Value::Number(words::seconds(row.event.time_uncertainty), 3),
    },
    Column { name: "kind", title: "event", value: |row| Value::Text(row.event.kind.clone()) },
    Column { name: "contact", title: "contact", value: |row| Value::Text(row.event.contact.clone()) },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.at().direction)),
    },
    Column { name: "origin", title: "", value: |row| Value::Text(words::origin(row.at().origin).to_owned()) },
    Column { name: "speed_mps", title: "km/h", value: |row| Value::Speed(row.at().speed_mps) },
    Column {
        name: "direction_before",
        title: "",
        value: |row| Value::Direction(words::direction(row.before().direction)),
    },
    Column {
        name: "speed_before_mps",
        title: "km/h before",
        value: |row| Value::Speed(row.before().speed_mps),
    },
    Column { name: "incline_percent", title: "", value: |row| Value::Number(row.at().incline_percent, 1) },
    Column { name: "source", title: "source", value: |row| Value::Text(row.event.source.clone()) },
    Column { name: "count", title: "count", value: |row| Value::Count(u64::from(row.event.count)) },
    Column { name: "detail", title: "detail", value: |row| Value::Text(row.event.detail.clone()) },
    Column { name: "position", title: "", value: |row| Value::Text(row.event.position.clone()) },
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
        let request = v1::ListEventsRequest {
            machine_id: machine.clone(),
            range: Some(range),
            page_size: i32::try_from(left.min(PAGE_MAX)).expect("a page's limit is small"),
            page_token,
        };
        let page = client.telemetry.list_events(request).await?.into_inner();
        rows.extend(page.events.into_iter().map(|event| Shown { event, zone: zone.clone() }));
        summary.add(page.coverage, page.as_of);
        page_token = page.next_page_token;
        if page_token.is_empty() || rows.len() >= limit as usize {
            break;
        }
    }
    let notes = summary.notes(!page_token.is_empty(), &zone);
    print(&Listing { name: "events", columns: COLUMNS, rows: &rows, notes }, options)
}
