//! `beltwatch incident`: what events and readings mean for safety.

pub(super) mod filter;
mod one;
mod watch;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use wire::api::v1;

use self::filter::FilterArgs;
use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

const PAGE_MAX: u32 = 1_000;

/// Lists, shows and watches incidents
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists incidents
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// In which order
        #[arg(long, value_enum, default_value_t = Order::Newest)]
        order: Order,
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Only how many there are, by rule, severity and state
        #[arg(long)]
        count: bool,
    },
    /// Shows one incident with its evidence
    Show {
        /// Its id: 32 hexadecimal digits
        id: String,
    },
    /// Prints incidents as they arise and change, until interrupted
    Watch {
        #[command(flatten)]
        filter: FilterArgs,
        /// Go on from this cursor of an earlier watch, so that nothing is missed; from now on if not given
        #[arg(long, value_name = "CURSOR", default_value = "")]
        cursor: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    /// By time, the newest first
    Newest,
    /// By time, the oldest first
    Oldest,
    /// By severity, the worst first
    Worst,
}

impl Order {
    fn value(self) -> v1::IncidentOrder {
        match self {
            Order::Newest => v1::IncidentOrder::NewestFirst,
            Order::Oldest => v1::IncidentOrder::OldestFirst,
            Order::Worst => v1::IncidentOrder::WorstFirst,
        }
    }
}

/// An incident, with what is needed to show it to people.
#[derive(Debug, Clone)]
struct Shown {
    incident: v1::Incident,
    zone: TimeZone,
    /// In a watch, where the next one goes on; empty: it is no watch.
    cursor: String,
}

impl Shown {
    fn new(incident: v1::Incident, zones: &Zones) -> Shown {
        let zone = zones.of(&incident.site_id);
        Shown { incident, zone, cursor: String::new() }
    }

    fn time(&self, time: Option<prost_types::Timestamp>) -> Value {
        Value::Time(words::time(time), self.zone.clone())
    }

    fn text(&self, part: fn(&v1::Incident) -> &String) -> Value {
        Value::Text(part(&self.incident).clone())
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "time", title: "time", value: |row| row.time(row.incident.time) },
    Column {
        name: "severity",
        title: "severity",
        value: |row| Value::Text(words::severity(row.incident.severity).to_owned()),
    },
    Column { name: "machine_id", title: "machine", value: |row| row.text(|one| &one.machine_id) },
    Column { name: "site_id", title: "site", value: |row| row.text(|one| &one.site_id) },
    Column { name: "rule", title: "", value: |row| row.text(|one| &one.rule) },
    Column { name: "title", title: "incident", value: |row| row.text(|one| &one.title) },
    Column {
        name: "state",
        title: "state",
        value: |row| Value::Text(words::incident_state(row.incident.state).to_owned()),
    },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.incident.direction)),
    },
    Column {
        name: "origin",
        title: "",
        value: |row| Value::Text(words::origin(row.incident.origin).to_owned()),
    },
    Column { name: "speed_mps", title: "km/h", value: |row| Value::Speed(row.incident.speed_mps) },
    Column {
        name: "incline_percent",
        title: "",
        value: |row| Value::Number(row.incident.incline_percent, 1),
    },
    Column { name: "contact", title: "", value: |row| row.text(|one| &one.contact) },
    Column { name: "count", title: "", value: |row| Value::Count(u64::from(row.incident.count)) },
    Column { name: "stop_time_s", title: "stop s", value: |row| Value::Number(stop_s(&row.incident), 1) },
    Column {
        name: "stop_distance_m",
        title: "",
        value: |row| Value::Number(row.incident.stop.map(|stop| stop.distance_m), 2),
    },
    Column { name: "detail", title: "detail", value: |row| row.text(|one| &one.detail) },
    Column { name: "explained", title: "", value: |row| row.text(|one| &one.explained) },
    Column { name: "clear_time", title: "", value: |row| row.time(row.incident.clear_time) },
    Column { name: "detect_time", title: "", value: |row| row.time(row.incident.detect_time) },
    Column { name: "late", title: "", value: |row| Value::Flag(row.incident.late) },
    Column { name: "has_recording", title: "", value: |row| Value::Flag(row.incident.has_recording) },
    Column {
        name: "rule_version",
        title: "",
        value: |row| Value::Count(u64::from(row.incident.rule_version)),
    },
    Column {
        name: "unconfirmed_by_rule_version",
        title: "",
        value: |row| Value::Count(u64::from(row.incident.unconfirmed_by_rule_version)),
    },
    Column { name: "id", title: "id", value: |row| row.text(|one| &one.id) },
];

fn stop_s(incident: &v1::Incident) -> Option<f64> {
    incident.stop.and_then(|stop| words::seconds(stop.time))
}

const COUNT_COLUMNS: &[Column<v1::IncidentCount>] = &[
    Column { name: "rule", title: "rule", value: |row| Value::Text(row.rule.clone()) },
    Column {
        name: "severity",
        title: "severity",
        value: |row| Value::Text(words::severity(row.severity).to_owned()),
    },
    Column {
        name: "state",
        title: "state",
        value: |row| Value::Text(words::incident_state(row.state).to_owned()),
    },
    Column { name: "count", title: "count", value: |row| Value::Count(row.count) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::List { filter, count: true, .. } => {
            let (filter, zone) = filter.filter(&mut client).await?;
            let request = v1::CountIncidentsRequest { filter: Some(filter) };
            let answer = client.incidents.count_incidents(request).await?.into_inner();
            let notes = vec![
                Note { name: "total", value: Value::Count(answer.counts.iter().map(|one| one.count).sum()) },
                Note { name: "as_of", value: Value::Time(words::time(answer.as_of), zone) },
            ];
            let listing = Listing { name: "counts", columns: COUNT_COLUMNS, rows: &answer.counts, notes };
            print(&listing, options)
        }
        Action::List { filter, order, limit, count: false } => {
            let (filter, zone) = filter.filter(&mut client).await?;
            let request = v1::ListIncidentsRequest {
                filter: Some(filter),
                order: order.value().into(),
                page_size: 0,
                page_token: String::new(),
            };
            list(client, request, limit, zone, options).await
        }
        Action::Show { id } => one::show(client, id, options).await,
        Action::Watch { filter, cursor } => {
            let (filter, _) = filter.filter(&mut client).await?;
            watch::watch(client, v1::WatchIncidentsRequest { filter: Some(filter), cursor }, options).await
        }
    }
}

async fn list(
    mut client: Client,
    mut request: v1::ListIncidentsRequest,
    limit: u32,
    zone: TimeZone,
    options: &Options,
) -> Result<(), Failure> {
    let zones = Zones::fetch(&mut client).await?;
    let mut rows: Vec<Shown> = Vec::new();
    loop {
        let left = limit - u32::try_from(rows.len()).unwrap_or(limit).min(limit);
        request.page_size = i32::try_from(left.min(PAGE_MAX)).expect("a page's limit is small");
        let page = client.incidents.list_incidents(request.clone()).await?.into_inner();
        rows.extend(page.incidents.into_iter().map(|incident| Shown::new(incident, &zones)));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || rows.len() >= limit as usize {
            let notes = vec![
                Note { name: "as_of", value: Value::Time(words::time(page.as_of), zone) },
                Note { name: "more", value: Value::Flag(!request.page_token.is_empty()) },
            ];
            return print(&Listing { name: "incidents", columns: COLUMNS, rows: &rows, notes }, options);
        }
    }
}

#[cfg(test)]
mod tests;
