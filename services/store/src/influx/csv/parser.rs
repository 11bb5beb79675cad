//! Octets to tables, in pieces of any size.

use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use super::{Columns, Row, Table};

/// Why there are no tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::influx) enum Fault {
    /// InfluxDB says in the midst of its answer what went wrong.
    Flux(String),
    /// This is no annotated CSV.
    Garbled(String),
    /// The end is missing.
    Cut,
}

/// Takes annotated CSV in pieces.
#[derive(Debug, Default)]
pub(in crate::influx) struct Parser {
    /// What came behind the last complete row.
    held: Vec<u8>,
    in_quotes: bool,
    end: End,
    /// Of the block that begins.
    defaults: Vec<String>,
    block: Block,
    tables: Vec<Table>,
}

/// What the rows that come next are.
#[derive(Debug, Default)]
enum Block {
    /// The next row that is no annotation tells the names of the columns.
    #[default]
    Begins,
    /// Rows of values.
    Rows {
        columns: Arc<Columns>,
        /// None came yet, so the next one begins a table.
        is_new: bool,
    },
    /// The next row says what went wrong, in this cell.
    Error(usize),
}

/// How the octets end so far: an answer ends with an empty line, whatever it is about.
#[derive(Debug, Default)]
struct End {
    has_rows: bool,
    breaks: u32,
}

impl Parser {
    /// Takes the next piece.
    pub(in crate::influx) fn take(&mut self, piece: &[u8]) -> Result<(), Fault> {
        let mut complete = None;
        for (index, octet) in piece.iter().enumerate() {
            match octet {
                b'\n' if !self.in_quotes => {
                    complete = Some(index + 1);
                    self.end.breaks += 1;
                }
                b'\r' => {}
                octet => {
                    // A quote within quotes is written twice, which changes nothing in the end.
                    self.in_quotes ^= *octet == b'"';
                    self.end = End { has_rows: true, breaks: 0 };
                }
            }
        }
        let (rows, rest) = piece.split_at(complete.unwrap_or(0));
        if !rows.is_empty() {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(rows);
            self.rows(&held)?;
        }
        self.held.extend_from_slice(rest);
        Ok(())
    }

    /// The tables, when the answer has ended.
    pub(in crate::influx) fn finish(self) -> Result<Vec<Table>, Fault> {
        let breaks = if self.end.has_rows { 2 } else { 1 };
        if self.end.breaks >= breaks { Ok(self.tables) } else { Err(Fault::Cut) }
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Fault> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(rows);
        let mut row = StringRecord::new();
        let garbled = |error: csv::Error| Fault::Garbled(error.to_string());
        while reader.read_record(&mut row).map_err(garbled)? {
            self.row(&row)?;
        }
        Ok(())
    }

    fn row(&mut self, row: &StringRecord) -> Result<(), Fault> {
        let first = row.get(0).unwrap_or_default();
        if first.starts_with('#') {
            // Annotations begin a block with columns of its own.
            self.block = Block::Begins;
            if first == "#default" {
                self.defaults = row.iter().skip(1).map(str::to_owned).collect();
            }
            return Ok(());
        }
        // An error comes as a block of its own, which may have no annotations.
        for cell in 0..2 {
            if row.iter().skip(cell).eq(["error", "reference"]) {
                self.block = Block::Error(cell);
                return Ok(());
            }
        }
        match &mut self.block {
            Block::Begins => self.names(first, row),
            Block::Error(cell) => Err(Fault::Flux(row.get(*cell).unwrap_or_default().to_owned())),
            Block::Rows { columns, is_new } => {
                let is_new = std::mem::replace(is_new, false);
                let columns = columns.clone();
                self.values(columns, row, is_new)
            }
        }
    }

    fn names(&mut self, first: &str, row: &StringRecord) -> Result<(), Fault> {
        let names: Vec<String> = row.iter().skip(1).map(str::to_owned).collect();
        if !first.is_empty() || names.is_empty() {
            let first: String = first.chars().take(100).collect();
            return Err(Fault::Garbled(format!("it has {first:?} where names of columns should be")));
        }
        let mut defaults = std::mem::take(&mut self.defaults);
        defaults.resize(names.len(), String::new());
        self.block = Block::Rows { columns: Arc::new(Columns { names, defaults }), is_new: true };
        Ok(())
    }

    fn values(&mut self, columns: Arc<Columns>, row: &StringRecord, is_new: bool) -> Result<(), Fault> {
        if row.len() != columns.names.len() + 1 {
            let (found, wanted) = (row.len(), columns.names.len() + 1);
            return Err(Fault::Garbled(format!("a row has {found} cells and not {wanted}")));
        }
        if is_new || self.tables.last().is_none_or(|last| last.differs(row)) {
            self.tables.push(Table { columns, text: String::new(), ends: Vec::new() });
        }
        let Some(table) = self.tables.last_mut() else { return Ok(()) };
        for cell in row.iter().skip(1) {
            push(&mut table.text, cell);
            let end = u32::try_from(table.text.len());
            table.ends.push(end.map_err(|_| Fault::Garbled("a table has more than 4 GiB".to_owned()))?);
        }
        Ok(())
    }
}

impl Table {
    /// Whether a row belongs to another table than the rows before it.
    fn differs(&self, row: &StringRecord) -> bool {
        let last = Row { table: self, index: self.len().saturating_sub(1) };
        ["result", "table"].iter().any(|name| {
            self.column(name).is_some_and(|column| {
                let default = self.columns.defaults.get(column).map_or("", String::as_str);
                let cell = row.get(column + 1).filter(|cell| !cell.is_empty()).unwrap_or(default);
                cell != last.text(column).unwrap_or_default()
            })
        })
    }
}

/// InfluxDB leaves carriage returns out of texts, and puts one before each line break.
fn push(text: &mut String, cell: &str) {
    if cell.contains('\r') {
        text.push_str(&cell.replace("\r\n", "\n"));
    } else {
        text.push_str(cell);
    }
}
