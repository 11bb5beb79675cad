//! Watching incidents: a line each. A broken watch goes on from its cursor, so nothing is missed.

use std::io::{self, Write};
use std::time::Duration;

use wire::api::v1;

use super::one;
use super::row::{COLUMNS, Shown};
use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Format, Listing, Row, Value};

/// Without a sign of life for this long a watch counts as broken.
const SILENCE: Duration = Duration::from_secs(15);
/// Pause before a broken watch goes on.
const PAUSE: Duration = Duration::from_secs(2);

/// Those of a listing, and the cursor.
static WATCH_COLUMNS: std::sync::LazyLock<Vec<Column<Shown>>> = std::sync::LazyLock::new(|| {
    let column = |one: &Column<Shown>| Column { name: one.name, title: one.title, value: one.value };
    let cursor = Column { name: "cursor", title: "", value: |row: &Shown| Value::Text(row.cursor.clone()) };
    COLUMNS.iter().map(column).chain([cursor]).collect()
});

/// Prints incidents until interrupted. A refused watch ends.
pub(super) async fn watch(
    mut client: Client,
    mut request: v1::WatchIncidentsRequest,
    options: &Options,
) -> Result<(), Failure> {
    let mut is_first = true;
    loop {
        let failure = match once(&mut client, &mut request, &mut is_first, options).await {
            Ok(()) => return Ok(()),
            Err(failure) if failure.exit != Exit::Unavailable => return Err(failure),
            Err(failure) => failure,
        };
        writeln!(io::stderr(), "the watch broke ({failure}); it goes on from its cursor")?;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn once(
    client: &mut Client,
    request: &mut v1::WatchIncidentsRequest,
    is_first: &mut bool,
    options: &Options,
) -> Result<(), Failure> {
    let zones = Zones::fetch(client).await?;
    let mut stream = client.incidents.watch_incidents(request.clone()).await?.into_inner();
    loop {
        let silent = || Failure::new(Exit::Unavailable, "the server has said nothing for 15 s");
        let message = tokio::time::timeout(SILENCE, stream.message()).await.map_err(|_| silent())??;
        let Some(message) = message else { return Err(silent()) };
        request.cursor.clone_from(&message.cursor);
        let Some(incident) = message.incident else { continue };
        let row = Shown { cursor: message.cursor, ..Shown::new(incident, &zones) };
        match print(&row, is_first, options.format()) {
            // Whoever read it has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
}

fn print(row: &Shown, is_first: &mut bool, format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let columns: &'static [Column<Shown>] = &WATCH_COLUMNS;
    match format {
        Format::Json => {
            serde_json::to_writer(&mut out, &Row { row, columns })?;
            writeln!(out)?;
        }
        Format::Csv => {
            let rows = std::slice::from_ref(row);
            let mut csv = csv::Writer::from_writer(&mut out);
            if *is_first {
                csv.write_record(columns.iter().map(|column| column.name))?;
            }
            Listing { name: "incidents", columns, rows, notes: Vec::new() }.write_csv_rows(&mut csv)?;
        }
        Format::Table => writeln!(out, "{}", one::line(row))?,
    }
    *is_first = false;
    out.flush()
}
