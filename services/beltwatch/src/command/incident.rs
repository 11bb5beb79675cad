//! `beltwatch incident`: what events and readings mean for safety.

pub(super) mod filter;
pub(super) mod ids;

mod dossier;
mod one;
mod outcome;
mod row;
mod step;
mod timeline;
mod told;
mod watch;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use wire::api::v1;

use self::filter::{FilterArgs, HandlingArgs};
use self::row::{COLUMNS, Shown};
use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::print;
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words;

const PAGE_MAX: u32 = 1_000;

/// Lists, shows and watches incidents, and keeps what people do about them
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
        #[command(flatten)]
        handling: HandlingArgs,
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
    /// Shows one incident with its evidence, and what people did about it
    Show {
        /// Its id: 32 hexadecimal digits, or the first 6 or more if no other begins so
        id: String,
    },
    /// Prints incidents as they arise and change, until interrupted
    Watch {
        #[command(flatten)]
        filter: FilterArgs,
        #[command(flatten)]
        handling: HandlingArgs,
        /// Go on from this cursor of an earlier watch, so that nothing is missed; from now on if not given
        #[arg(long, value_name = "CURSOR", default_value = "")]
        cursor: String,
    },
    /// Says that you know of incidents
    Ack(step::StepArgs),
    /// Says who works on incidents
    Assign(step::AssignArgs),
    /// Writes something down about incidents
    Note(step::NoteArgs),
    /// Lays incidents aside for a time; critical ones cannot be
    Shelve(step::ShelveArgs),
    /// Takes up incidents that were laid aside
    Unshelve(step::StepArgs),
    /// Closes incidents, or corrects a closing
    Close(step::CloseArgs),
    /// Keeps the data of incidents against retention
    Hold(step::StepArgs),
    /// Keeps the data of incidents against retention no longer
    Release(step::StepArgs),
    /// Erases the text of a note; that there was one stays
    EraseNote {
        /// The incident's id
        id: String,
        /// The step that had brought the note, as `beltwatch incident timeline` numbers it
        number: u64,
    },
    /// Lists the steps about one incident
    Timeline {
        /// Its id
        id: String,
    },
    /// Writes the dossier of one incident: one signed file that proves itself
    Export(dossier::ExportArgs),
    /// Verifies a dossier without a server; ends with 65 if anything in it does not hold
    Verify(dossier::VerifyArgs),
    /// Shows the key with which the server signs, and the heads of all facts that somebody outside took
    Key,
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
/// The server cannot be reached or refuses, a step about any incident was refused, or a dossier does not hold.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    match args.action {
        Action::List { filter, handling, count: true, .. } => {
            let mut client = Client::connect(options).await?;
            let (filter, zone) = filter.filter(&mut client).await?;
            count(client, handling.apply(filter), zone, options).await
        }
        Action::List { filter, handling, order, limit, count: false } => {
            let mut client = Client::connect(options).await?;
            let (filter, zone) = filter.filter(&mut client).await?;
            let request = v1::ListIncidentsRequest {
                filter: Some(handling.apply(filter)),
                order: order.value().into(),
                page_size: 0,
                page_token: String::new(),
            };
            list(client, request, limit, zone, options).await
        }
        Action::Show { id } => one::show(Client::connect(options).await?, id, options).await,
        Action::Watch { filter, handling, cursor } => {
            let mut client = Client::connect(options).await?;
            let (filter, _) = filter.filter(&mut client).await?;
            let request = v1::WatchIncidentsRequest { filter: Some(handling.apply(filter)), cursor };
            watch::watch(client, request, options).await
        }
        Action::Ack(args) => step::acknowledge(args, options).await,
        Action::Assign(args) => step::assign(args, options).await,
        Action::Note(args) => step::note(args, options).await,
        Action::Shelve(args) => step::shelve(args, options).await,
        Action::Unshelve(args) => step::unshelve(args, options).await,
        Action::Close(args) => step::close(args, options).await,
        Action::Hold(args) => step::hold(args, true, options).await,
        Action::Release(args) => step::hold(args, false, options).await,
        Action::EraseNote { id, number } => {
            timeline::erase_note(Client::connect(options).await?, id, number, options).await
        }
        Action::Timeline { id } => timeline::show(Client::connect(options).await?, id, options).await,
        Action::Export(args) => dossier::export(args, options).await,
        Action::Verify(args) => dossier::verify(&args, options),
        Action::Key => dossier::key(options).await,
    }
}

async fn count(
    mut client: Client,
    filter: v1::IncidentFilter,
    zone: TimeZone,
    options: &Options,
) -> Result<(), Failure> {
    let request = v1::CountIncidentsRequest { filter: Some(filter) };
    let answer = client.incidents.count_incidents(request).await?.into_inner();
    let notes = vec![
        Note { name: "total", value: Value::Count(answer.counts.iter().map(|one| one.count).sum()) },
        Note { name: "as_of", value: Value::Time(words::time(answer.as_of), zone) },
    ];
    print(&Listing { name: "counts", columns: COUNT_COLUMNS, rows: &answer.counts, notes }, options)
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
