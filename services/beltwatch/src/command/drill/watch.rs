//! A proof test step by step: what to do goes to standard error, each measured stop to standard output.

use std::io::{self, Write};
use std::time::Duration;

use domain::incident::settings::EFFECTIVE_AFTER_US;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::guide::Guide;
use super::{Shown, end, get};
use crate::client::{Client, Options};
use crate::command::stop;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Format, Listing, Row};

/// Between two questions to the server.
const PAUSE: Duration = Duration::from_secs(1);
/// Longer than the server waits, because its answer was on its way.
const BEFORE: Duration = Duration::from_micros(EFFECTIVE_AFTER_US.unsigned_abs() + 1_000_000);

/// Guides through a proof test until it has ended or somebody interrupts the command.
pub(super) async fn watch(
    mut client: Client,
    drill: v1::Drill,
    zone: TimeZone,
    options: &Options,
) -> Result<(), Failure> {
    let request = v1::ListProofsRequest { machine_id: drill.machine_id.clone(), site_id: String::new() };
    let proofs = client.drills.list_proofs(request).await?.into_inner().proofs;
    let shown = Shown { drill, zone };
    let (machine, number) = (&shown.drill.machine_id, shown.drill.number);
    tell(&format!("proof test {number} of {machine}, until {}", end(&shown)))?;
    let mut guide = Guide::new(&proofs);
    let guided = guided(&mut client, &mut guide, &shown, options);
    let ended = tokio::select! {
        ended = guided => Some(ended?),
        pressed = tokio::signal::ctrl_c() => {
            pressed?;
            None
        }
    };
    match ended {
        Some(drill) => {
            let shown = Shown { drill, ..shown };
            let (stops, suppressed) = (guide.stops(), shown.drill.suppressed.len());
            tell(&format!(
                "the proof test ended at {}: {stops} stops, {suppressed} other findings that are no incidents",
                end(&shown)
            ))
        }
        None => tell(&format!(
            "the proof test goes on until {}; `beltwatch drill end {machine}` ends it, `beltwatch drill show {machine}` \
             shows it",
            end(&shown)
        )),
    }
}

/// Until it has ended.
async fn guided(
    client: &mut Client,
    guide: &mut Guide,
    shown: &Shown,
    options: &Options,
) -> Result<v1::Drill, Failure> {
    tell(&guide.before())?;
    // By this computer's own clock nothing can be said about the server's: what counts is how long ago it answered.
    tokio::time::sleep(BEFORE).await;
    let (mut said, mut is_first, mut is_broken) = (String::new(), true, false);
    loop {
        match get(client, shown.drill.machine_id.clone(), shown.drill.number).await {
            Ok(drill) => {
                is_broken = false;
                for stop in guide.apply(&drill) {
                    let row = stop::Shown { stop, zone: shown.zone.clone() };
                    print(&row, &mut is_first, options.format())?;
                }
                if !drill.is_open {
                    return Ok(drill);
                }
                let next = guide.next();
                if said != next {
                    tell(&next)?;
                    said = next;
                }
            }
            // The test goes on without the command; so does the command with the test.
            Err(failure) if failure.exit == Exit::Unavailable => {
                if !is_broken {
                    tell(&format!("the server does not answer ({failure}); it is asked again"))?;
                }
                is_broken = true;
            }
            Err(failure) => return Err(failure),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn tell(sentence: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stderr(), "{sentence}")?)
}

fn print(row: &stop::Shown, is_first: &mut bool, format: Format) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let columns: &'static [Column<stop::Shown>] = stop::COLUMNS;
    match format {
        Format::Json => {
            serde_json::to_writer(&mut out, &Row { row, columns }).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        Format::Csv => {
            let rows = std::slice::from_ref(row);
            let mut csv = csv::Writer::from_writer(&mut out);
            if *is_first {
                let names = columns.iter().map(|column| column.name);
                csv.write_record(names).map_err(io::Error::from)?;
            }
            Listing { name: "stops", columns, rows, notes: Vec::new() }.write_csv_rows(&mut csv)?;
        }
        Format::Table => writeln!(out, "{}", row.sentence())?,
    }
    *is_first = false;
    Ok(out.flush()?)
}
