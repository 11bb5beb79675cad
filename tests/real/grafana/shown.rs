//! What Grafana makes of an answer, and whether a panel of its kind can show that.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;

/// Cells of one row by the names of their columns; a cell without a value is "".
pub(crate) type Row = BTreeMap<String, String>;

/// Columns that are no cells.
const FRAME: [&str; 2] = ["result", "table"];

/// An answer as Grafana takes it: series of one value over time, or tables.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) rows: Vec<Row>,
    /// Each table of the answer becomes a frame of its own.
    frames: BTreeSet<String>,
    /// Whether there are `_value` and a time: other texts are labels then.
    is_series: bool,
}

impl Shown {
    pub(crate) fn new(rows: Vec<Row>) -> Shown {
        let frames = rows.iter().filter_map(|row| row.get("table").cloned()).collect();
        let is_series = rows.iter().any(|row| row.contains_key("_value") && row.contains_key("_time"));
        Shown { rows, frames, is_series }
    }

    /// Whether a panel of this kind shows it, and something is there to be shown.
    pub(crate) fn fits(&self, kind: &str, frames_max: u64) -> anyhow::Result<()> {
        ensure!(!self.rows.is_empty(), "no row");
        let frames = self.frames.len();
        ensure!(frames as u64 <= frames_max, "{frames} frames; {frames_max} are taken");
        // What else stands in a row of a series are labels.
        let is_value = |name: &str| if self.is_series { name == "_value" } else { is_cell(name) };
        let has_value = |row: &Row| row.iter().any(|(name, cell)| is_value(name) && !cell.is_empty());
        ensure!(self.rows.iter().any(has_value), "rows without any value");
        match kind {
            "timeseries" | "state-timeline" | "alert" => self.is_good_series(),
            "stat" | "gauge" | "bargauge" => {
                ensure!(frames == 1, "{frames} frames for a panel of one");
                Ok(())
            }
            "table" | "variable" => {
                ensure!(!self.is_series, "a series for a table: its texts would be labels");
                ensure!(frames == 1, "{frames} frames for a table of one");
                Ok(())
            }
            _ => anyhow::bail!("nobody knows what a panel of kind {kind} shows"),
        }
    }

    fn is_good_series(&self) -> anyhow::Result<()> {
        ensure!(self.is_series, "no series: _value or _time is missing");
        let mut labels = BTreeMap::new();
        for row in &self.rows {
            ensure!(row.get("_time").is_some_and(|time| !time.is_empty()), "a row without a time: {row:?}");
            let own: Vec<(&String, &String)> = row.iter().filter(|(name, _)| is_label(name)).collect();
            let first = labels.entry(&row["table"]).or_insert_with(|| own.clone());
            ensure!(*first == own, "one series has several labels, {first:?} and {own:?}");
        }
        ensure!(
            labels.values().map(|own| format!("{own:?}")).collect::<BTreeSet<_>>().len() == labels.len(),
            "several series have the same labels: {:?}",
            labels.values()
        );
        Ok(())
    }

    /// The whole of a column, as numbers; cells without a value are left out.
    pub(crate) fn numbers(&self, column: &str) -> anyhow::Result<Vec<f64>> {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        cells.map(|cell| Ok(cell.parse()?)).collect()
    }

    /// A number of the only row.
    pub(crate) fn number(&self, column: &str) -> anyhow::Result<f64> {
        let numbers = self.numbers(column)?;
        ensure!(numbers.len() == 1, "{} values of {column}, one is expected", numbers.len());
        Ok(numbers[0])
    }
}

fn is_cell(name: &str) -> bool {
    !FRAME.contains(&name) && name != "_time"
}

fn is_label(name: &str) -> bool {
    is_cell(name) && !name.starts_with('_')
}
