//! `beltwatch drill`: proof tests of stops. A proof test only watches: whoever does it starts the belt and presses the
//! button.

mod guide;
mod watch;

use clap::{Args as ClapArgs, Subcommand};
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::{Client, Options};
use crate::command::pages::{self, Zones};
use crate::command::repeat::{RepeatArgs, twice};
use crate::command::{print, stop};
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Note, Value, people_text};
use crate::words;

/// Proves that a machine can be stopped: starts, ends and shows proof tests
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Starts a proof test, says what to do, and prints each measured stop, until it ends or is interrupted
    Start(StartArgs),
    /// Ends a proof test, or writes down how one went
    End {
        /// The machine
        machine: String,
        /// Its number; the one that is under way if not given
        #[arg(long)]
        number: Option<u64>,
        /// What was seen, at most 200 characters
        #[arg(long, value_name = "TEXT", default_value = "")]
        note: String,
    },
    /// Shows one proof test with what was measured
    Show {
        /// The machine
        machine: String,
        /// Its number; the one that is under way, or else the last one, if not given
        #[arg(long, default_value_t = 0)]
        number: u64,
    },
    /// Lists the last proof tests, newest first
    List {
        /// Only of this site
        #[arg(long, value_name = "SITE", default_value = "")]
        site: String,
        /// Only of this machine
        #[arg(long, value_name = "MACHINE", default_value = "")]
        machine: String,
    },
}

#[derive(Debug, ClapArgs)]
struct StartArgs {
    /// The machine
    machine: String,
    /// After how many minutes it ends by itself
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(i32).range(1..=15))]
    minutes: i32,
    /// Only start it
    #[arg(long)]
    no_watch: bool,
    #[command(flatten)]
    repeat: RepeatArgs,
}

/// A proof test, with what is needed to show it.
#[derive(Debug, Clone)]
struct Shown {
    drill: v1::Drill,
    zone: TimeZone,
}

impl Shown {
    fn time(&self, time: Option<prost_types::Timestamp>) -> Value {
        Value::Time(words::time(time), self.zone.clone())
    }
}

const COLUMNS: &[Column<Shown>] = &[
    Column { name: "number", title: "test", value: |row| Value::Count(row.drill.number) },
    Column { name: "machine_id", title: "machine", value: |row| Value::Text(row.drill.machine_id.clone()) },
    Column { name: "author", title: "who", value: |row| Value::Text(row.drill.author.clone()) },
    Column { name: "effective_time", title: "from", value: |row| row.time(row.drill.effective_time) },
    Column { name: "end_time", title: "until", value: |row| row.time(row.drill.end_time) },
    Column { name: "is_open", title: "under way", value: |row| Value::Flag(row.drill.is_open) },
    Column { name: "note", title: "note", value: |row| Value::Text(row.drill.note.clone()) },
];

/// Runs the command.
///
/// # Errors
/// The server cannot be reached or refuses, or no proof test is under way.
pub async fn run(args: Args, options: &Options) -> Result<(), Failure> {
    let mut client = Client::connect(options).await?;
    match args.action {
        Action::Start(args) => start(client, args, options).await,
        Action::End { machine, number, note } => {
            let number = match number {
                Some(number) => number,
                None => under_way(&mut client, &machine).await?,
            };
            let request = v1::EndDrillRequest { machine_id: machine.clone(), number, note };
            client.drills.end_drill(request).await?;
            // What was measured comes with the whole only.
            show(&mut client, machine, number, options).await
        }
        Action::Show { machine, number } => show(&mut client, machine, number, options).await,
        Action::List { site, machine } => {
            let zones = pages::zones_by_machine(&mut client, &site).await?;
            let request = v1::ListDrillsRequest { site_id: site, machine_id: machine };
            let drills = client.drills.list_drills(request).await?.into_inner().drills;
            let shown = |drill: v1::Drill| Shown {
                zone: zones.get(&drill.machine_id).cloned().unwrap_or(TimeZone::UTC),
                drill,
            };
            let rows: Vec<Shown> = drills.into_iter().map(shown).collect();
            print(&Listing { name: "drills", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options)
        }
    }
}

async fn start(mut client: Client, args: StartArgs, options: &Options) -> Result<(), Failure> {
    let StartArgs { machine, minutes, no_watch, repeat } = args;
    let zone = Zones::of_machine(&mut client, &machine).await?;
    let request_id = repeat.id()?;
    let request =
        v1::StartDrillRequest { machine_id: machine.clone(), minutes, request_id: request_id.clone() };
    let answer = twice(&request_id, async || client.drills.start_drill(request.clone()).await).await?;
    let drill = answer.drill.unwrap_or_default();
    if no_watch {
        let rows = [Shown { drill, zone }];
        return print(&Listing { name: "drills", columns: COLUMNS, rows: &rows, notes: Vec::new() }, options);
    }
    watch::watch(client, drill, zone, options).await
}

/// The number of the one that is under way.
async fn under_way(client: &mut Client, machine: &str) -> Result<u64, Failure> {
    let drill = get(client, machine.to_owned(), 0).await?;
    if drill.is_open {
        return Ok(drill.number);
    }
    let help = format!("--number {} writes a note to the last one", drill.number);
    Err(Failure::new(Exit::NotFound, format!("no proof test of {machine} is under way; {help}")))
}

async fn get(client: &mut Client, machine_id: String, number: u64) -> Result<v1::Drill, Failure> {
    let request = v1::GetDrillRequest { machine_id, number };
    Ok(client.drills.get_drill(request).await?.into_inner().drill.unwrap_or_default())
}

async fn show(client: &mut Client, machine: String, number: u64, options: &Options) -> Result<(), Failure> {
    let zone = Zones::of_machine(client, &machine).await?;
    let drill = get(client, machine, number).await?;
    let (rows, notes) = sheet(Shown { drill, zone });
    print(&Listing { name: "stops", columns: stop::COLUMNS, rows: &rows, notes }, options)
}

/// The dated sheet: its stops, and what is to be said of all of them.
fn sheet(shown: Shown) -> (Vec<stop::Shown>, Vec<Note>) {
    let mut notes: Vec<Note> =
        COLUMNS.iter().map(|column| Note { name: column.name, value: (column.value)(&shown) }).collect();
    let suppressed: Vec<String> = shown.drill.suppressed.iter().map(|one| one.title.clone()).collect();
    notes.push(Note { name: "suppressed", value: Value::Text(suppressed.join(", ")) });
    let Shown { drill, zone } = shown;
    let rows = drill.stops.into_iter().map(|stop| stop::Shown { stop, zone: zone.clone() });
    (rows.collect(), notes)
}

/// When a proof test ends, or ended.
fn end(shown: &Shown) -> String {
    people_text(&shown.time(shown.drill.end_time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_says_who_when_and_what() {
        let at = |second: i64| Some(prost_types::Timestamp { seconds: 1_795_176_000 + second, nanos: 0 });
        let suppressed = v1::Incident { title: "Slow stop".to_owned(), ..v1::Incident::default() };
        let drill = v1::Drill {
            number: 7,
            machine_id: "tm-1".to_owned(),
            author: "user:anna".to_owned(),
            effective_time: at(10),
            end_time: at(600),
            is_open: false,
            note: "all well".to_owned(),
            stops: vec![v1::Stop { contact: "safety_key".to_owned(), ..v1::Stop::default() }],
            suppressed: vec![suppressed],
        };
        let (rows, notes) = sheet(Shown { drill, zone: TimeZone::get("Europe/Vienna").unwrap() });
        let (mut out, mut aside) = (Vec::new(), Vec::new());
        let listing = Listing { name: "stops", columns: stop::COLUMNS, rows: &rows, notes };
        listing.print(crate::table::Format::Table, &mut out, &mut aside).unwrap();
        assert_eq!(
            String::from_utf8(aside).unwrap(),
            "number: 7\nmachine_id: tm-1\nauthor: user:anna\neffective_time: 2026-11-20 13:00:10+01:00\n\
             end_time: 2026-11-20 13:10:00+01:00\nis_open: no\nnote: all well\nsuppressed: Slow stop\n"
        );
        assert!(String::from_utf8(out).unwrap().contains("safety_key"));
    }
}
