//! Cells, lines and columns, whatever the form of the file.

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// A text, which is never taken for a formula.
    Text(String),
    /// A number with so many decimals.
    Number(f64, usize),
    /// A whole number.
    Count(u64),
    /// Yes or no.
    Flag(bool),
    /// Not known, or there is none.
    Empty,
}

/// One line of a file; as many cells as there are columns.
pub(super) type Line = Vec<Cell>;

/// A column's name with its unit, and its width in characters.
pub(super) type Column = (&'static str, u8);

impl Cell {
    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// Microseconds as minutes, to the nearest 6 ms.
    pub(super) fn minutes(micros: u64) -> Cell {
        Cell::Number(micros as f64 / 60e6, 4)
    }

    /// Microseconds as seconds, to the nearest millisecond.
    pub(super) fn seconds(micros: u64) -> Cell {
        Cell::Number(micros as f64 / 1e6, 3)
    }

    /// A share in per cent; empty of nothing.
    pub(super) fn percent(part: u64, whole: u64) -> Cell {
        if whole == 0 { Cell::Empty } else { Cell::Number(part as f64 / whole as f64 * 100.0, 2) }
    }
}
