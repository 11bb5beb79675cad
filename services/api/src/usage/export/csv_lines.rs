//! Lines as CSV: RFC 4180, and safe to be opened by a spreadsheet.

use std::borrow::Cow;

use csv::{Terminator, WriterBuilder};

use super::cell::{Cell, Column, Line};

/// What a spreadsheet takes for the beginning of a formula, or skips before one.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// The line of names.
pub(super) fn header(columns: &[Column]) -> Vec<u8> {
    written([columns.iter().map(|(name, _)| Cow::Borrowed(*name))])
}

/// Lines of cells.
pub(super) fn lines(lines: &[Line]) -> Vec<u8> {
    written(lines.iter().map(|line| line.iter().map(field)))
}

fn written<'a, L: Iterator<Item = Cow<'a, str>>>(lines: impl IntoIterator<Item = L>) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for line in lines {
        let line: Vec<Cow<'_, str>> = line.collect();
        let fields = line.iter().map(|field| field.as_bytes());
        writer.write_record(fields).expect("a vector takes all, and lines are equally long");
    }
    writer.into_inner().expect("a vector takes all")
}

fn field(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Text(text) => safe(text),
        Cell::Number(number, decimals) => Cow::Owned(format!("{number:.decimals$}")),
        Cell::Count(count) => Cow::Owned(count.to_string()),
        Cell::Flag(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Cell::Empty => Cow::Borrowed(""),
    }
}

/// A text that no spreadsheet takes for a formula: with an apostrophe before what looks like one.
fn safe(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use csv::ReaderBuilder;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_as_rfc_4180_has_them() {
        assert_eq!(header(&[("site", 9), ("forward_minutes", 9)]), b"site,forward_minutes\r\n");
        let line = vec![
            Cell::text("a \"b\", c"),
            Cell::Number(-5.0, 2),
            Cell::Count(7),
            Cell::Flag(true),
            Cell::Empty,
        ];
        assert_eq!(lines(&[line]), b"\"a \"\"b\"\", c\",-5.00,7,true,\r\n");
    }

    #[test]
    fn what_looks_like_a_formula_is_a_text() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert_eq!(safe(text), format!("'{text}"));
        }
        for text in ["", "TM 1", "'=1", " =1", "a=b"] {
            assert_eq!(safe(text), text);
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_begins_no_formula(
            texts in prop::collection::vec("([=+@\t\r\n,\"'-]{0,2}\\PC{0,6})|.{0,8}", 2..6),
        ) {
            let line: Line = texts.iter().map(Cell::text).collect();
            let names: Vec<Column> = texts.iter().map(|_| ("name", 9)).collect();
            let octets = [header(&names), lines(&[line])].concat();
            let mut reader = ReaderBuilder::new().from_reader(&octets[..]);
            let read = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(read.len(), texts.len());
            for (field, text) in read.iter().zip(&texts) {
                prop_assert!(!field.starts_with(FORMULA), "{:?}", field);
                prop_assert!(field == text || field.strip_prefix('\'') == Some(text), "{:?}", field);
            }
        }
    }
}
