//! One definition of a listing's columns, printed as a table, as JSON or as CSV.
//!
//! A table is for people: times in the site's zone, speeds in km/h. JSON and CSV are for programs: times in UTC,
//! speeds in m/s, units in the names.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serializer;
use serde::ser::{Serialize, SerializeMap};

use crate::quantity;

/// The form in which to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// One value of a row. `None` is not known or not there, which is never shown as zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Words.
    Text(String),
    /// A moment, and the zone in which people are shown it.
    Time(Option<Timestamp>, TimeZone),
    /// Speed in metres per second.
    Speed(Option<f64>),
    /// Any other quantity, in the unit that the column's name says; the number of decimals for people.
    Number(Option<f64>, usize),
    /// A threshold's value in this unit, which people are shown in the one that they use.
    Quantity(i64, String),
    /// A count.
    Count(u64),
    /// A count that may not be known.
    OptionalCount(Option<u64>),
    /// Yes or no.
    Flag(bool),
    /// A direction, by its word.
    Direction(&'static str),
    /// How far people are with an incident, by its word; people are told, too, that it is laid aside.
    Handling {
        /// The word.
        state: &'static str,
        /// Whether it is laid aside now.
        is_shelved: bool,
    },
}

/// A column of a listing.
#[derive(Debug)]
pub struct Column<T: 'static> {
    /// Name in JSON and CSV, with its unit.
    pub name: &'static str,
    /// Heading in tables, with its unit; empty: not in tables.
    pub title: &'static str,
    /// Its value in a row.
    pub value: fn(&T) -> Value,
}

/// Rows, and what is to be said of all of them.
#[derive(Debug)]
pub struct Listing<'a, T: 'static> {
    /// What the rows are, such as `readings`.
    pub name: &'static str,
    /// The columns.
    pub columns: &'static [Column<T>],
    /// The rows.
    pub rows: &'a [T],
    /// Said of all rows: keys of the JSON object; sentences on standard error otherwise.
    pub notes: Vec<Note>,
}

/// Something said of all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// Key in JSON, with its unit.
    pub name: &'static str,
    /// Its value.
    pub value: Value,
}

impl<T> Listing<'_, T> {
    /// Prints rows to `out` and notes to `aside`.
    ///
    /// # Errors
    /// Writing failed.
    pub fn print(&self, format: Format, out: &mut dyn Write, aside: &mut dyn Write) -> io::Result<()> {
        match format {
            Format::Json => {
                serde_json::to_writer(&mut *out, self)?;
                writeln!(out)
            }
            Format::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(self.columns.iter().map(|column| column.name))?;
                self.write_csv_rows(&mut csv)?;
                drop(csv);
                self.print_notes(aside)
            }
            Format::Table => {
                self.print_table(out)?;
                self.print_notes(aside)
            }
        }
    }

    /// Writes the rows without a heading.
    ///
    /// # Errors
    /// Writing failed.
    pub fn write_csv_rows(&self, csv: &mut csv::Writer<impl Write>) -> io::Result<()> {
        for row in self.rows {
            csv.write_record(self.columns.iter().map(|column| csv_text(&(column.value)(row))))?;
        }
        csv.flush()
    }

    fn print_table(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return writeln!(out, "no {}", self.name);
        }
        let shown: Vec<&Column<T>> = self.columns.iter().filter(|column| !column.title.is_empty()).collect();
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        table.set_header(shown.iter().map(|column| column.title));
        for row in self.rows {
            table.add_row(shown.iter().map(|column| people_text(&(column.value)(row))));
        }
        for (column, heading) in table.column_iter_mut().zip(&shown) {
            column.set_padding((0, 2));
            let first = self.rows.first().map(|row| (heading.value)(row));
            if first.is_some_and(|value| is_quantity(&value)) {
                column.set_cell_alignment(comfy_table::CellAlignment::Right);
            }
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn print_notes(&self, aside: &mut dyn Write) -> io::Result<()> {
        for note in &self.notes {
            writeln!(aside, "{}: {}", note.name, people_text(&note.value))?;
        }
        Ok(())
    }
}

/// The whole listing as one object: its rows under its name, its notes beside them.
impl<T> Serialize for Listing<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.notes.len()))?;
        let rows: Vec<Row<'_, T>> = self.rows.iter().map(|row| Row { row, columns: self.columns }).collect();
        map.serialize_entry(self.name, &rows)?;
        for note in &self.notes {
            map.serialize_entry(note.name, &Json(&note.value))?;
        }
        map.end()
    }
}

/// One row as an object, its keys in the order of the columns.
#[derive(Debug)]
pub struct Row<'a, T: 'static> {
    /// The row.
    pub row: &'a T,
    /// The columns.
    pub columns: &'static [Column<T>],
}

impl<T> Serialize for Row<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            map.serialize_entry(column.name, &Json(&(column.value)(self.row)))?;
        }
        map.end()
    }
}

struct Json<'a>(&'a Value);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Time(time, _) => time.map(|time| time.to_string()).serialize(serializer),
            Value::Speed(number) | Value::Number(number, _) => number.serialize(serializer),
            Value::Quantity(value, _) => serializer.serialize_i64(*value),
            Value::Count(count) => serializer.serialize_u64(*count),
            Value::OptionalCount(count) => count.serialize(serializer),
            Value::Flag(flag) => serializer.serialize_bool(*flag),
            Value::Direction(word) | Value::Handling { state: word, .. } => serializer.serialize_str(word),
        }
    }
}

fn csv_text(value: &Value) -> String {
    match value {
        Value::Text(text) => guarded(text),
        Value::Time(time, _) => time.map(|time| time.to_string()).unwrap_or_default(),
        Value::Speed(number) | Value::Number(number, _) => {
            number.map(|number| number.to_string()).unwrap_or_default()
        }
        Value::Quantity(value, _) => value.to_string(),
        Value::Count(count) => count.to_string(),
        Value::OptionalCount(count) => count.map(|count| count.to_string()).unwrap_or_default(),
        Value::Flag(flag) => flag.to_string(),
        Value::Direction(word) | Value::Handling { state: word, .. } => (*word).to_owned(),
    }
}

/// A spreadsheet takes a cell that begins like this for a formula, and runs it.
fn guarded(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// What people are shown.
pub fn people_text(value: &Value) -> String {
    const UNKNOWN: &str = "–";
    match value {
        Value::Text(text) => text.chars().filter(|c| !c.is_control()).collect(),
        Value::Time(Some(time), zone) => {
            time.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
        }
        Value::Speed(Some(mps)) => format!("{:.1}", mps * 3.6),
        Value::Number(Some(number), decimals) => format!("{number:.decimals$}"),
        Value::Quantity(value, unit) => quantity::shown(*value, unit),
        Value::Count(count) | Value::OptionalCount(Some(count)) => count.to_string(),
        Value::Time(None, _) | Value::Speed(None) | Value::Number(None, _) | Value::OptionalCount(None) => {
            UNKNOWN.to_owned()
        }
        Value::Flag(true) => "yes".to_owned(),
        Value::Flag(false) => "no".to_owned(),
        Value::Direction(word) => match *word {
            "forward" => "▲ forward".to_owned(),
            "reverse" => "▼ reverse".to_owned(),
            "stopped" => "■ stopped".to_owned(),
            other => format!("? {other}"),
        },
        Value::Handling { state, is_shelved } => {
            let shelved = if *is_shelved { ", shelved" } else { "" };
            format!("{}{shelved}", state.replace('_', " "))
        }
    }
}

fn is_quantity(value: &Value) -> bool {
    match value {
        Value::Speed(_)
        | Value::Number(..)
        | Value::Quantity(..)
        | Value::Count(_)
        | Value::OptionalCount(_) => true,
        Value::Text(_) | Value::Time(..) | Value::Flag(_) | Value::Direction(_) | Value::Handling { .. } => {
            false
        }
    }
}

#[cfg(test)]
mod tests;
