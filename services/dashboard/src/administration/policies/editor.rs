//! A table of rows to fill in, that works without script: rows are added and taken away by buttons that send the form.
//! Pure.

use crate::form::Fields;

/// How a column is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Text,
    Number,
    Choices(Vec<(String, String)>),
}

/// A column, and what a new row has in it.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) entry: Entry,
    pub(super) new: &'static str,
}

impl Column {
    pub(super) fn choices(&self) -> &[(String, String)] {
        match &self.entry {
            Entry::Choices(choices) => choices,
            Entry::Text | Entry::Number => &[],
        }
    }

    /// How a phone's keyboard shall look.
    pub(super) fn input_mode(&self) -> &'static str {
        match self.entry {
            Entry::Number => "decimal",
            Entry::Text | Entry::Choices(_) => "text",
        }
    }
}

/// A row as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) values: Vec<String>,
    pub(super) error: String,
}

/// The table with its form.
#[derive(Debug)]
pub(super) struct Editor {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    /// Whether it is only what holds for all sites.
    pub(super) is_of_all: bool,
    /// Whether the site has its own, which can be taken back.
    pub(super) may_inherit: bool,
    pub(super) action: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Typed>,
    /// Most rows; with one there are no buttons for rows.
    pub(super) rows_max: usize,
    pub(super) error: String,
}

impl Editor {
    /// Whether rows come and go.
    pub(super) fn has_rows(&self) -> bool {
        self.rows_max > 1
    }

    pub(super) fn may_grow(&self) -> bool {
        self.rows.len() < self.rows_max
    }

    /// Takes what was typed.
    pub(super) fn read(&mut self, typed: &Fields) {
        let Some(first) = self.columns.first() else { return };
        let rows = typed.beginning(&format!("{}.", first.name)).count().min(self.rows_max);
        let value = |column: &Column, row: usize| typed.trimmed(&format!("{}.{row}", column.name)).to_owned();
        let row = |row: usize| Typed {
            values: self.columns.iter().map(|column| value(column, row)).collect(),
            error: String::new(),
        };
        self.rows = (0..rows).map(row).collect();
    }

    /// Adds or takes away a row, if a button for that was pressed.
    pub(super) fn change(&mut self, typed: &Fields) -> bool {
        if !self.has_rows() {
            return false;
        }
        if !typed.get("add").is_empty() {
            if self.may_grow() {
                self.add();
            }
            return true;
        }
        let taken = typed.get("remove");
        if let Ok(row) = taken.parse::<usize>()
            && row < self.rows.len()
        {
            self.rows.remove(row);
        }
        !taken.is_empty()
    }

    fn add(&mut self) {
        let values = self.columns.iter().map(|column| column.new.to_owned()).collect();
        self.rows.push(Typed { values, error: String::new() });
    }

    /// Says that a row is not what it should be.
    pub(super) fn refuse(&mut self, row: usize, words: &str) {
        if let Some(row) = self.rows.get_mut(row) {
            words.clone_into(&mut row.error);
        }
    }

    /// What was typed in a row's column.
    pub(super) fn value(&self, row: usize, name: &str) -> &str {
        let column = self.columns.iter().position(|column| column.name == name);
        let row = self.rows.get(row);
        row.zip(column).and_then(|(row, column)| row.values.get(column)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor(rows_max: usize) -> Editor {
        let column = |name, new| Column { name, label: "", entry: Entry::Text, new };
        Editor {
            id: "chain",
            title: "",
            lead: "",
            is_of_all: false,
            may_inherit: false,
            action: String::new(),
            columns: vec![column("contact", ""), column("after", "0")],
            rows: Vec::new(),
            rows_max,
            error: String::new(),
        }
    }

    fn check(rows_max: usize, sent: &str, expected: &[[&str; 2]], is_changed: bool) {
        let mut editor = editor(rows_max);
        let typed = Fields::read(sent.as_bytes());
        editor.read(&typed);
        assert_eq!(editor.change(&typed), is_changed, "{sent}");
        let rows: Vec<Vec<String>> = editor.rows.iter().map(|row| row.values.clone()).collect();
        assert_eq!(rows, expected, "{sent}");
    }

    #[test]
    fn rows_come_and_go_and_what_was_typed_stays() {
        check(3, "", &[], false);
        check(3, "contact.0=a&after.0=+5+&contact.1=b&after.1=x", &[["a", "5"], ["b", "x"]], false);
        check(3, "contact.0=a&after.0=5&add=row", &[["a", "5"], ["", "0"]], true);
        check(3, "contact.0=a&after.0=5&contact.1=b&after.1=6&remove=0", &[["b", "6"]], true);
        check(3, "contact.0=a&after.0=5&remove=7", &[["a", "5"]], true);
        check(3, "contact.0=a&after.0=5&remove=all", &[["a", "5"]], true);
        check(3, "contact.0=a", &[["a", ""]], false);
    }

    #[test]
    fn there_are_never_more_rows_than_allowed() {
        let full = "contact.0=a&contact.1=b&contact.2=c&add=row";
        check(2, full, &[["a", ""], ["b", ""]], true);
        check(1, "contact.0=a&after.0=5&add=row", &[["a", "5"]], false);
    }
}
