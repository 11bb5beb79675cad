//! What is expected and what was seen, as a table.

use anyhow::ensure;

use crate::report;

/// Counts rows of what was done, what is expected and what was seen; each is printed at once, so that it is known how far
/// it came.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: usize,
    wrong: usize,
}

impl Table {
    /// Another row.
    pub(super) fn row(&mut self, done: &str, expected: &str, seen: &str) {
        self.rows += 1;
        if expected == seen {
            report(&format!("  {done:<74} {seen}"));
        } else {
            self.wrong += 1;
            report(&format!("! {done:<74} {seen}, expected: {expected}"));
        }
    }

    /// # Errors
    /// Something else was seen than was expected.
    pub(super) fn end(self) -> anyhow::Result<()> {
        ensure!(self.wrong == 0, "{} of {} rows are not as expected", self.wrong, self.rows);
        Ok(())
    }
}
