//! `beltwatch rates`: how often incidents happen.

use clap::Args as ClapArgs;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::incident::filter::FilterArgs;
use crate::command::{now, print};
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

/// Incidents per 1 000 minutes of belt motion, by direction, with exact 95 % Poisson intervals
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    filter: FilterArgs,
}

struct Shown {
    direction: &'static str,
    rate: v1::IncidentRate,
}

impl Shown {
    fn per(&self, part: fn(&v1::IncidentRate) -> Option<f64>) -> Value {
        Value::Number(part(&self.rate), 2)
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "direction", title: "direction", value: |row| Value::Direction(row.direction) },
    Column { name: "incidents", title: "incidents", value: |row| Value::Count(row.rate.incidents) },
    Column { name: "minutes", title: "minutes", value: |row| Value::Number(Some(row.rate.minutes), 1) },
    Column {
        name: "per_1000_minutes",
        title: "per 1000 min",
        value: |row| row.per(|rate| rate.per_1000_minutes),
    },
    Column { name: "lower_per_1000_minutes", title: "from", value: |row| row.per(|rate| rate.lower) },
    Column { name: "upper_per_1000_minutes", title: "to", value: |row| row.per(|rate| rate.upper) },
    Column {
        name: "too_few_to_tell",
        title: "too few to tell",
        value: |row| Value::Flag(row.rate.too_few_to_tell),
    },
    Column {
        name: "machines_able",
        title: "machines able",
        value: |row| Value::Count(u64::from(row.rate.machines_able)),
    },
    Column { name: "machines", title: "of", value: |row| Value::Count(u64::from(row.rate.machines)) },
];

/// Days that are asked for if no beginning is given.
const DAYS: i64 = 28;

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    let (mut filter, zone) = args.filter.filter(&mut client).await?;
    let range = filter.range.get_or_insert_default();
    if range.start_time.is_none() {
        let end = range.end_time.map_or(now().as_second(), |end| end.seconds);
        range.start_time = Some(prost_types::Timestamp { seconds: end - DAYS * 86_400, nanos: 0 });
    }
    let request = v1::GetIncidentRatesRequest { filter: Some(filter) };
    let answer = client.incidents.get_incident_rates(request).await?.into_inner();
    let all = [("reverse", answer.reverse), ("forward", answer.forward), ("unknown", answer.unknown)];
    let rows: Vec<Shown> =
        all.into_iter().filter_map(|(direction, rate)| Some(Shown { direction, rate: rate? })).collect();
    let notes = vec![Note { name: "as_of", value: Value::Time(words::time(answer.as_of), zone) }];
    print(&Listing { name: "rates", columns: COLUMNS, rows: &rows, notes }, options)
}
