//! `beltwatch fleet`: what each belt does now.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;
use wire::api::v1::watch_fleet_response::Update;

use crate::client::{Client, Options};
use crate::command::pages::{self, Zones};
use crate::command::{now, print};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Format, Listing, Row, Value};
use crate::words;

/// Without a sign of life for this long a watch counts as broken.
const SILENCE: Duration = Duration::from_secs(15);
/// Pause before a broken watch begins again.
const PAUSE: Duration = Duration::from_secs(2);

/// Shows what each belt does now
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists machines with their live state
    #[command(visible_alias = "show")]
    List {
        /// Only of this site
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
        /// Go on and show every change, until interrupted
        #[arg(long)]
        watch: bool,
    },
    /// Lists messages that the server refused, newest first
    Refused,
}

/// A machine's state, with what is needed to show it to people.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) state: v1::MachineState,
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

impl Live {
    fn belt(&self) -> v1::Belt {
        self.state.belt.unwrap_or_default()
    }

    fn machine(&self, part: fn(&v1::Machine) -> &String) -> Value {
        Value::Text(self.state.machine.as_ref().map(|machine| part(machine).clone()).unwrap_or_default())
    }

    fn contact(&self, part: fn(&v1::Contacts) -> i32) -> Value {
        let contacts = self.belt().contacts.unwrap_or_default();
        Value::Text(words::contact(part(&contacts)).to_owned())
    }

    fn time(&self, time: Option<prost_types::Timestamp>) -> Value {
        Value::Time(words::time(time), self.zone.clone())
    }

    /// Seconds since the picture that is shown, or the newest one that no longer holds.
    fn age_s(&self) -> Option<f64> {
        let time = words::time(self.state.belt_time)?;
        let age_ms = self.now.duration_since(time).as_millis().max(0);
        // Milliseconds of any age fit a double exactly.
        Some(age_ms as f64 / 1_000.0)
    }

    fn last_known(&self) -> Value {
        let Some(belt) = self.state.last_known else { return Value::Text(String::new()) };
        let speed = belt.speed_mps.map(|mps| format!(" {:.1} km/h", mps * 3.6)).unwrap_or_default();
        Value::Text(format!("{}{speed}", words::direction(belt.direction)))
    }

    fn last_event(&self) -> Value {
        let Some(event) = &self.state.last_event else { return Value::Text(String::new()) };
        let contact = if event.contact.is_empty() { String::new() } else { format!(" {}", event.contact) };
        Value::Text(format!("{}{contact}", event.kind))
    }

    fn last_stop(&self) -> v1::LastStop {
        self.state.last_stop.clone().unwrap_or_default()
    }

    /// The machine that needs a person most is the least; a status that is not known here is the greatest.
    fn rank(&self) -> (i32, &str) {
        let status = v1::Status::try_from(self.state.status).unwrap_or_default();
        let rank = if status == v1::Status::Unspecified { i32::MAX } else { status.into() };
        (rank, self.state.machine.as_ref().map(|machine| machine.id.as_str()).unwrap_or_default())
    }

    fn session(&self) -> String {
        self.state.open_session.as_ref().map(|session| session.session_id.clone()).unwrap_or_default()
    }
}

pub(super) const COLUMNS: &[Column<Live>] = &[
    Column { name: "machine_id", title: "machine", value: |live| live.machine(|machine| &machine.id) },
    Column {
        name: "status",
        title: "status",
        value: |live| Value::Text(words::status(live.state.status).to_owned()),
    },
    Column { name: "site_id", title: "site", value: |live| live.machine(|machine| &machine.site_id) },
    Column {
        name: "direction",
        title: "direction",
        value: |live| Value::Direction(words::direction(live.belt().direction)),
    },
    Column {
        name: "origin",
        title: "origin",
        value: |live| Value::Text(words::origin(live.belt().origin).to_owned()),
    },
    Column { name: "speed_mps", title: "km/h", value: |live| Value::Speed(live.belt().speed_mps) },
    Column {
        name: "incline_percent",
        title: "incline %",
        value: |live| Value::Number(live.belt().incline_percent, 1),
    },
    Column { name: "emergency_stop", title: "e-stop", value: |live| live.contact(|all| all.emergency_stop) },
    Column { name: "safety_key", title: "key", value: |live| live.contact(|all| all.safety_key) },
    Column { name: "belt_time", title: "", value: |live| live.time(live.state.belt_time) },
    Column { name: "age_s", title: "age s", value: |live| Value::Number(live.age_s(), 0) },
    Column {
        name: "presence",
        title: "presence",
        value: |live| Value::Text(words::presence(live.state.presence).to_owned()),
    },
    Column { name: "last_known", title: "was", value: Live::last_known },
    Column { name: "since_time", title: "", value: |live| live.time(live.state.since_time) },
    Column { name: "last_event", title: "last event", value: Live::last_event },
    Column {
        name: "last_event_time",
        title: "at",
        value: |live| live.time(live.state.last_event.as_ref().and_then(|event| event.time)),
    },
    Column { name: "session_id", title: "", value: |live| Value::Text(live.session()) },
    Column {
        name: "backlog_s",
        title: "backlog s",
        value: |live| Value::Number(words::seconds(live.state.backlog), 0),
    },
    Column { name: "records_lost", title: "lost", value: |live| Value::Count(live.state.records_lost) },
    Column { name: "last_stop_time", title: "", value: |live| live.time(live.last_stop().time) },
    Column { name: "last_stop_contact", title: "", value: |live| Value::Text(live.last_stop().contact) },
    Column { name: "last_stop_speed_mps", title: "", value: |live| Value::Speed(live.last_stop().speed_mps) },
    Column {
        name: "last_stop_acknowledged_by",
        title: "",
        value: |live| Value::Text(live.last_stop().acknowledged_by),
    },
    Column {
        name: "direction_unknown",
        title: "why no direction",
        value: |live| Value::Text(words::direction_unknown(live.state.direction_unknown).to_owned()),
    },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::List { site, watch: false } => {
            let zones = Zones::fetch(&mut client).await?;
            let machines = pages::machines(&mut client, &site).await?;
            let mut rows: Vec<Live> = machines.into_iter().map(|state| live(state, &zones)).collect();
            if options.format() == Format::Table {
                for_people(&mut rows);
            }
            print(&Listing { name: "machines", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
        }
        Action::List { site, watch: true } => watch(client, &site, options).await,
        Action::Refused => refused(client, options).await,
    }
}

pub(super) fn live(state: v1::MachineState, zones: &Zones) -> Live {
    let site = state.machine.as_ref().map(|machine| machine.site_id.as_str()).unwrap_or_default();
    let zone = zones.of(site);
    Live { state, zone, now: now() }
}

/// People see first what needs them; programs get machines by id.
pub(super) fn for_people(rows: &mut [Live]) {
    rows.sort_by(|a, b| a.rank().cmp(&b.rank()));
}

/// Shows changes until interrupted. A broken watch begins again; a refused one ends.
async fn watch(mut client: Client, site: &str, options: &Options) -> Result<(), Failure> {
    loop {
        let failure = match watch_once(&mut client, site, options).await {
            Ok(()) => return Ok(()),
            Err(failure) if failure.exit != Exit::Unavailable => return Err(failure),
            Err(failure) => failure,
        };
        writeln!(io::stderr(), "the watch broke ({failure}); it begins again")?;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn watch_once(client: &mut Client, site: &str, options: &Options) -> Result<(), Failure> {
    let zones = Zones::fetch(client).await?;
    let request = v1::WatchFleetRequest { site_id: site.to_owned(), machine_ids: Vec::new() };
    let mut stream = client.fleet.watch_fleet(request).await?.into_inner();
    let mut shown: BTreeMap<String, Live> = BTreeMap::new();
    loop {
        let silent = || Failure::new(Exit::Unavailable, "the server has said nothing for 15 s");
        let message = tokio::time::timeout(SILENCE, stream.message()).await.map_err(|_| silent())??;
        let Some(message) = message else { return Err(silent()) };
        let changed = match message.update {
            Some(Update::Snapshot(snapshot)) => {
                if snapshot.part == 0 {
                    shown.clear();
                }
                snapshot.machines
            }
            Some(Update::Changed(state)) => vec![state],
            Some(Update::Heartbeat(_)) | None => Vec::new(),
        };
        let changed: Vec<Live> = changed.into_iter().map(|state| live(state, &zones)).collect();
        match show_changes(&changed, &mut shown, options) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
}

/// On a terminal the table is drawn again; otherwise each change is a line.
fn show_changes(changed: &[Live], shown: &mut BTreeMap<String, Live>, options: &Options) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match options.format() {
        Format::Json => {
            for row in changed {
                serde_json::to_writer(&mut out, &Row { row, columns: COLUMNS })?;
                writeln!(out)?;
            }
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut out);
            if shown.is_empty() {
                csv.write_record(COLUMNS.iter().map(|column| column.name))?;
            }
            listing(changed).write_csv_rows(&mut csv)?;
        }
        Format::Table => {}
    }
    let id = |live: &Live| live.state.machine.as_ref().map(|machine| machine.id.clone()).unwrap_or_default();
    shown.extend(changed.iter().map(|live| (id(live), live.clone())));
    if options.format() == Format::Table {
        let terminal = out.is_terminal();
        let mut rows: Vec<Live> = if terminal {
            write!(out, "\x1b[H\x1b[2J")?;
            shown.values().map(|live| Live { now: now(), ..live.clone() }).collect()
        } else {
            changed.to_vec()
        };
        for_people(&mut rows);
        if terminal || !rows.is_empty() {
            listing(&rows).print(Format::Table, &mut out, &mut io::stderr())?;
        }
    }
    out.flush()
}

fn listing(rows: &[Live]) -> Listing<'_, Live> {
    Listing { name: "machines", columns: COLUMNS, rows, notes: Vec::new() }
}

const REFUSED_COLUMNS: &[Column<v1::Refusal>] = &[
    Column {
        name: "time",
        title: "time",
        value: |refusal| Value::Time(words::time(refusal.time), TimeZone::UTC),
    },
    Column { name: "reason", title: "reason", value: |refusal| Value::Text(refusal.reason.clone()) },
    Column { name: "topic", title: "topic", value: |refusal| Value::Text(refusal.topic.clone()) },
    Column { name: "detail", title: "detail", value: |refusal| Value::Text(refusal.detail.clone()) },
    Column { name: "count", title: "of this reason", value: |refusal| Value::Count(refusal.count) },
];

async fn refused(mut client: Client, options: &Options) -> Result<(), Failure> {
    let refusals = client.admin.list_refusals(v1::ListRefusalsRequest {}).await?.into_inner().refusals;
    print(
        &Listing { name: "refusals", columns: REFUSED_COLUMNS, rows: &refusals, notes: Vec::new() },
        options,
    )
}
