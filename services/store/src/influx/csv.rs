//! What a Flux query answers: annotated CSV, taken in pieces as they come.

mod parser;

use std::sync::Arc;

use jiff::Timestamp;

pub(super) use self::parser::{Fault, Parser};
use crate::{StoreError, StoreErrorKind};

/// The rows of one group, with the columns that they have.
#[derive(Debug, Clone)]
pub struct Table {
    columns: Arc<Columns>,
    /// All cells' texts, one behind the other.
    text: String,
    /// Where each cell ends in the text.
    ends: Vec<u32>,
}

/// Names and defaults of the columns.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<String>,
    defaults: Vec<String>,
}

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table,
    index: usize,
}

impl Table {
    /// Names of the columns, in their order.
    pub fn columns(&self) -> &[String] {
        &self.columns.names
    }

    /// The place of a column; `None`: there is none of that name.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.names.iter().position(|column| column == name)
    }

    /// The place of a column that has to be there.
    ///
    /// # Errors
    /// `Unavailable` with the names of those that are there.
    pub fn need(&self, name: &str) -> Result<usize, StoreError> {
        self.column(name).ok_or_else(|| {
            let there = self.columns.names.join(", ");
            unexpected(format!("InfluxDB answers without the column {name}; there are {there}"))
        })
    }

    /// What a column says in the first row: for columns of the group key, which are the same in all.
    pub fn key(&self, name: &str) -> Option<&str> {
        self.rows().next()?.text(self.column(name)?)
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.ends.len().checked_div(self.columns.names.len()).unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows, in the order in which InfluxDB told them.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|index| Row { table: self, index })
    }
}

impl<'a> Row<'a> {
    /// A cell as it was written; `None`: null, or an empty text, which InfluxDB writes alike. Columns are counted as
    /// [`Table::column`] does; `None` beyond the last.
    pub fn text(&self, column: usize) -> Option<&'a str> {
        let columns = &self.table.columns;
        let default = columns.defaults.get(column)?;
        let cell = self.index * columns.names.len() + column;
        let end = |cell: usize| self.table.ends.get(cell).map(|end| *end as usize);
        let begin = if cell == 0 { 0 } else { end(cell - 1)? };
        let text = match self.table.text.get(begin..end(cell)?)? {
            "" => default,
            text => text,
        };
        (!text.is_empty()).then_some(text)
    }

    /// A cell of a column of whole numbers.
    ///
    /// # Errors
    /// `Unavailable`: it is no whole number.
    pub fn int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        self.parsed(column, "a whole number", |text| text.parse().ok())
    }

    /// A cell of a column of whole numbers that are not negative.
    ///
    /// # Errors
    /// `Unavailable`: it is no such number.
    pub fn unsigned(&self, column: usize) -> Result<Option<u64>, StoreError> {
        self.parsed(column, "a whole number that is not negative", |text| text.parse().ok())
    }

    /// A cell of a column of numbers.
    ///
    /// # Errors
    /// `Unavailable`: it is no number.
    pub fn float(&self, column: usize) -> Result<Option<f64>, StoreError> {
        self.parsed(column, "a number", |text| text.parse().ok())
    }

    /// A cell of a column of yes or no.
    ///
    /// # Errors
    /// `Unavailable`: it is neither.
    pub fn flag(&self, column: usize) -> Result<Option<bool>, StoreError> {
        self.parsed(column, "true or false", |text| text.parse().ok())
    }

    /// A cell of a column of times, in nanoseconds since 1970.
    ///
    /// # Errors
    /// `Unavailable`: it is no time between 1677 and 2262.
    pub fn nanoseconds(&self, column: usize) -> Result<Option<i64>, StoreError> {
        let parse = |text: &str| i64::try_from(text.parse::<Timestamp>().ok()?.as_nanosecond()).ok();
        self.parsed(column, "a time", parse)
    }

    fn parsed<T>(
        &self,
        column: usize,
        what: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let Some(text) = self.text(column) else { return Ok(None) };
        match parse(text) {
            Some(value) => Ok(Some(value)),
            None => {
                let name = self.table.columns.names.get(column).map_or("", String::as_str);
                let text: String = text.chars().take(100).collect();
                Err(unexpected(format!("InfluxDB answers {name} = {text:?}, which is not {what}")))
            }
        }
    }
}

fn unexpected(what: String) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, what)
}

#[cfg(test)]
mod tests;
