//! What is expected and what was seen, as a table.

use anyhow::ensure;

use crate::report;

/// Rows of what was done, what is expected and what was seen.
#[derive(Debug, Default)]
pub(super) struct Table(Vec<Row>);

#[derive(Debug)]
struct Row {
    done: String,
    expected: String,
    seen: String,
}

impl Table {
    /// Another row.
    pub(super) fn row(&mut self, done: &str, expected: &str, seen: &str) {
        self.0.push(Row { done: done.to_owned(), expected: expected.to_owned(), seen: seen.to_owned() });
    }

    /// Prints it all.
    ///
    /// # Errors
    /// Something else was seen than was expected.
    pub(super) fn end(self) -> anyhow::Result<()> {
        let mut wrong = 0;
        for Row { done, expected, seen } in &self.0 {
            if expected == seen {
                report(&format!("  {done:<74} {seen}"));
            } else {
                wrong += 1;
                report(&format!("! {done:<74} {seen}, expected: {expected}"));
            }
        }
        ensure!(wrong == 0, "{wrong} of {} rows are not as expected", self.0.len());
        Ok(())
    }
}
