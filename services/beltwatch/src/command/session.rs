//! `beltwatch session`: from first motion until rest.

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::command::{now, print};
use crate::failure::Failure;
use crate::table::{Column, Listing, Note, Value};
use crate::words::{self, RangeArgs};

const PAGE_MAX: u32 = 1_000;

/// Lists and shows sessions
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists sessions of one machine or of one site, newest first
    #[command(group = clap::ArgGroup::new("whose").required(true).args(["machine", "site"]))]
    List {
        /// The machine
        machine: Option<String>,
        /// All machines of this site
        #[arg(long, value_name = "SITE")]
        site: Option<String>,
        #[command(flatten)]
        range: RangeArgs,
        /// At most this many
        #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
    },
    /// Shows the parts of one session
    Show {
        /// Its id
        id: String,
    },
}

struct Shown {
    session: v1::Session,
    zone: TimeZone,
}

impl Shown {
    /// Metres with the belt in this direction.
    fn distance_m(&self, direction: v1::Direction) -> Value {
        let parts = self.session.segments.iter().filter(|part| part.direction == i32::from(direction));
        // An empty sum of floats is minus zero.
        Value::Number(Some(parts.fold(0.0, |sum, part| sum + part.distance_m)), 0)
    }

    fn coverage(&self, part: fn(&v1::Coverage) -> Option<prost_types::Duration>) -> Value {
        Value::Number(self.session.coverage.as_ref().and_then(|all| words::seconds(part(all))), 0)
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "id", title: "session", value: |row| Value::Text(row.session.id.clone()) },
    Column { name: "machine_id", title: "machine", value: |row| Value::Text(row.session.machine_id.clone()) },
    Column {
        name: "start_time",
        title: "first motion",
        value: |row| Value::Time(words::time(row.session.start_time), row.zone.clone()),
    },
    Column {
        name: "last_motion_time",
        title: "last motion",
        value: |row| Value::Time(words::time(row.session.last_motion_time), row.zone.clone()),
    },
    Column { name: "ended", title: "ended", value: |row| Value::Flag(row.session.ended) },
    Column { name: "segments", title: "parts", value: |row| Value::Count(row.session.segments.len() as u64) },
    Column {
        name: "forward_distance_m",
        title: "forward m",
        value: |row| row.distance_m(v1::Direction::Forward),
    },
    Column {
        name: "reverse_distance_m",
        title: "reverse m",
        value: |row| row.distance_m(v1::Direction::Reverse),
    },
    Column {
        name: "unknown_distance_m",
        title: "unknown m",
        value: |row| row.distance_m(v1::Direction::Unknown),
    },
    Column { name: "covered_s", title: "covered s", value: |row| row.coverage(|coverage| coverage.covered) },
    Column { name: "asked_s", title: "of s", value: |row| row.coverage(|coverage| coverage.asked) },
    Column {
        name: "reverse_intervals",
        title: "reverse intervals",
        value: |row| {
            let reverse = |one: &&v1::Interval| one.direction() == v1::Direction::Reverse;
            Value::Count(row.session.intervals.iter().filter(reverse).count() as u64)
        },
    },
    Column {
        name: "course_code",
        title: "course",
        value: |row| Value::Text(row.session.course_code.clone()),
    },
    Column {
        name: "records_lost",
        title: "lost",
        value: |row| {
            Value::OptionalCount(row.session.coverage.as_ref().map(|coverage| coverage.records_lost))
        },
    },
];

struct Part {
    segment: v1::Segment,
    zone: TimeZone,
}

const PART_COLUMNS: &[Column<Part>] = &[
    Column {
        name: "start_time",
        title: "from",
        value: |row| Value::Time(words::time(row.segment.start_time), row.zone.clone()),
    },
    Column {
        name: "end_time",
        title: "until",
        value: |row| Value::Time(words::time(row.segment.end_time), row.zone.clone()),
    },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.segment.direction)),
    },
    Column {
        name: "origin",
        title: "origin",
        value: |row| Value::Text(words::origin(row.segment.origin).to_owned()),
    },
    Column {
        name: "observed_s",
        title: "observed s",
        value: |row| Value::Number(words::seconds(row.segment.observed), 0),
    },
    Column { name: "distance_m", title: "m", value: |row| Value::Number(Some(row.segment.distance_m), 0) },
    Column {
        name: "speed_max_mps",
        title: "most km/h",
        value: |row| Value::Speed(Some(row.segment.speed_max_mps)),
    },
    Column {
        name: "grade",
        title: "grade",
        value: |row| Value::Text(words::grade(row.segment.grade).to_owned()),
    },
    Column {
        name: "incline_percent",
        title: "incline %",
        value: |row| Value::Number(row.segment.incline_percent, 1),
    },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::List { machine, site, range, limit } => {
            let zone = match (&machine, &site) {
                (Some(machine), _) => Zones::of_machine(&mut client, machine).await?,
                (None, site) => Zones::fetch(&mut client).await?.of(site.as_deref().unwrap_or_default()),
            };
            let request = v1::ListSessionsRequest {
                machine_id: machine.unwrap_or_default(),
                site_id: site.unwrap_or_default(),
                range: Some(range.range(&zone, now())?),
                page_size: 0,
                page_token: String::new(),
            };
            list(client, request, limit, &zone, options).await
        }
        Action::Show { id } => show(client, id, options).await,
    }
}

async fn list(
    mut client: Client,
    mut request: v1::ListSessionsRequest,
    limit: u32,
    zone: &TimeZone,
    options: &Options,
) -> Result<(), Failure> {
    let mut rows: Vec<Shown> = Vec::new();
    loop {
        let left = limit - u32::try_from(rows.len()).unwrap_or(limit).min(limit);
        request.page_size = i32::try_from(left.min(PAGE_MAX)).expect("a page's limit is small");
        let page = client.telemetry.list_sessions(request.clone()).await?.into_inner();
        rows.extend(page.sessions.into_iter().map(|session| Shown { session, zone: zone.clone() }));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() || rows.len() >= limit as usize {
            let notes = vec![
                Note { name: "as_of", value: Value::Time(words::time(page.as_of), zone.clone()) },
                Note { name: "more", value: Value::Flag(!request.page_token.is_empty()) },
            ];
            return print(&Listing { name: "sessions", columns: COLUMNS, rows: &rows, notes }, options);
        }
    }
}

async fn show(mut client: Client, id: String, options: &Options) -> Result<(), Failure> {
    let answer = client.telemetry.get_session(v1::GetSessionRequest { session_id: id }).await?.into_inner();
    let session = answer.session.unwrap_or_default();
    let zone = Zones::of_machine(&mut client, &session.machine_id).await?;
    let parts: Vec<Part> =
        session.segments.iter().map(|segment| Part { segment: *segment, zone: zone.clone() }).collect();
    let row = Shown { session, zone: zone.clone() };
    let mut notes: Vec<Note> =
        COLUMNS.iter().map(|column| Note { name: column.name, value: (column.value)(&row) }).collect();
    // The parts are the rows themselves.
    notes.retain(|note| note.name != "segments");
    notes.push(Note { name: "as_of", value: Value::Time(words::time(answer.as_of), zone) });
    print(&Listing { name: "segments", columns: PART_COLUMNS, rows: &parts, notes }, options)
}
