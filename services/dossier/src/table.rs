//! The same once more as tables (CSV, RFC 4180), for spreadsheets.

use domain::belt::{Contact, Direction, Origin};

use crate::evidence::{PointRow, ReadingRow};
use crate::file::{Body, EntryRow, NoteRow, Tables};
use crate::words::utc;

const READINGS: &str = "time_us,time,span_ms,direction,origin,speed_mean_mm_s,speed_min_mm_s,speed_max_mm_s,\
incline_tenths_percent,contacts_closed,contacts_open\r\n";
const RECORDING: &str =
    "time_us,time,direction,origin,speed_mm_s,incline_tenths_percent,contacts_closed,contacts_open\r\n";
const ENTRIES: &str = "number,time_us,time,author,step,note,note_erased\r\n";

/// All tables.
pub(crate) fn tables(
    readings: &[ReadingRow],
    points: &[PointRow],
    entries: &[EntryRow],
    notes: &[NoteRow],
) -> Tables {
    let readings = readings.iter().map(reading);
    let points = points.iter().map(point);
    let entries = entries.iter().map(|row| {
        // Both are in the order of numbers; a file that is not has other findings than a table that differs.
        let note =
            notes.binary_search_by_key(&row.number, |note| note.number).ok().map(|place| &notes[place]);
        entry(row, note)
    });
    Tables {
        readings_csv: table(READINGS, readings),
        recording_csv: table(RECORDING, points),
        entries_csv: table(ENTRIES, entries),
    }
}

fn table(head: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut table = head.to_owned();
    rows.for_each(|cells| table.push_str(&line(&cells)));
    table
}

fn reading(row: &ReadingRow) -> Vec<String> {
    vec![
        row.time_us.0.to_string(),
        utc(row.time_us),
        row.span_ms.to_string(),
        direction(row.direction).to_owned(),
        origin(row.origin).to_owned(),
        number(row.speed_mean_mm_s.map(|speed| speed.0)),
        number(row.speed_min_mm_s.map(|speed| speed.0)),
        number(row.speed_max_mm_s.map(|speed| speed.0)),
        number(row.incline_tenths_percent.map(|incline| incline.0)),
        contacts(&row.closed),
        contacts(&row.open),
    ]
}

fn point(row: &PointRow) -> Vec<String> {
    vec![
        row.time_us.0.to_string(),
        utc(row.time_us),
        direction(row.direction).to_owned(),
        origin(row.origin).to_owned(),
        number(row.speed_mm_s.map(|speed| speed.0)),
        number(row.incline_tenths_percent.map(|incline| incline.0)),
        contacts(&row.closed),
        contacts(&row.open),
    ]
}

fn entry(row: &EntryRow, note: Option<&NoteRow>) -> Vec<String> {
    let body: Option<Body> = serde_json::from_str(&row.body).ok();
    let step = body.and_then(|body| body.step).unwrap_or_default();
    let written = note.and_then(|note| note.text.as_deref()).unwrap_or_default();
    let erased = if note.is_some_and(|note| note.erased) { "yes" } else { "" };
    vec![
        row.number.to_string(),
        row.time_us.0.to_string(),
        utc(row.time_us),
        text(&row.author),
        text(&step),
        text(written),
        erased.to_owned(),
    ]
}

/// Not known is an empty cell, which is not zero.
fn number<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Stopped => "stopped",
        Direction::Unknown => "unknown",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Declared => "declared",
        Origin::Unknown => "unknown",
    }
}

fn contacts(contacts: &[Contact]) -> String {
    contacts.iter().map(|contact| contact.name()).collect::<Vec<_>>().join(" ")
}

/// A text that a spreadsheet takes for a text, never for a formula: an apostrophe before what could begin one.
fn text(text: &str) -> String {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || text.starts_with(['\t', '\r', '\n']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    format!("{}\r\n", quoted.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_no_formula() {
        let check = |from: &str, cell: &str| assert_eq!(text(from), cell);
        check("all well", "all well");
        check("a=b", "a=b");
        check("=1+1", "'=1+1");
        check("+49 30", "'+49 30");
        check("-1", "'-1");
        check("@SUM(A1)", "'@SUM(A1)");
        check("  =1", "'  =1");
        check("\t=1", "'\t=1");
        check("＝1", "'＝1");
    }

    #[test]
    fn a_cell_cannot_leave_its_line() {
        let cells = vec!["a,b".to_owned(), "say \"no\"\r\nnow".to_owned(), String::new()];
        assert_eq!(line(&cells), "\"a,b\",\"say \"\"no\"\"\r\nnow\",\r\n");
    }
}
