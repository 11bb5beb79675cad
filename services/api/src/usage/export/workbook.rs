//! Lines as a workbook. What is written goes to temporary files at once; texts are texts and never formulas.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use store::{StoreError, StoreErrorKind};

use super::cell::{Cell, Column, Line};
use crate::status::ApiError;

/// Widths of the sheet that tells what the file is about, in characters.
const ABOUT_WIDTHS: [u8; 2] = [45, 80];

/// A workbook that is being written.
pub(super) struct Book {
    workbook: Workbook,
    /// The next line's number.
    row: u32,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book").field("row", &self.row).finish_non_exhaustive()
    }
}

impl Book {
    /// With the line of names, which stays in sight.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub(super) fn new(name: &str, columns: &[Column]) -> Result<Book, ApiError> {
        begun(name, columns).map_err(failed)
    }

    /// Adds lines.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub(super) fn add(&mut self, lines: &[Line]) -> Result<(), ApiError> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(failed)?;
        for line in lines {
            for (cell, column) in line.iter().zip(0..) {
                put(sheet, self.row, column, cell).map_err(failed)?;
            }
            self.row += 1;
        }
        Ok(())
    }

    /// The file, from its beginning. It is gone when it is closed. This takes a while and blocks.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub(super) fn finish(mut self, about: &[(&'static str, String)]) -> Result<File, ApiError> {
        self.ended(about).map_err(failed)
    }

    fn ended(&mut self, about: &[(&'static str, String)]) -> Result<File, XlsxError> {
        let sheet = self.workbook.add_worksheet();
        sheet.set_name("about")?;
        for (width, column) in ABOUT_WIDTHS.into_iter().zip(0..) {
            sheet.set_column_width(column, f64::from(width))?;
        }
        for ((name, text), row) in about.iter().zip(0..) {
            sheet.write_string(row, 0, *name)?.write_string(row, 1, text)?;
        }
        let mut file = tempfile::tempfile()?;
        self.workbook.save_to_writer(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

fn begun(name: &str, columns: &[Column]) -> Result<Book, XlsxError> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory()?;
    sheet.set_name(name)?.set_freeze_panes(1, 0)?;
    let bold = Format::new().set_bold();
    for ((name, width), column) in columns.iter().zip(0..) {
        sheet.set_column_width(column, f64::from(*width))?;
        sheet.write_string_with_format(0, column, *name, &bold)?;
    }
    Ok(Book { workbook, row: 1 })
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Text(text) => sheet.write_string(row, column, text).map(drop),
        Cell::Number(number, decimals) => {
            let tens = 10_f64.powi(i32::try_from(*decimals).unwrap_or(0));
            sheet.write_number(row, column, (number * tens).round() / tens).map(drop)
        }
        Cell::Count(count) => sheet.write_number(row, column, *count as f64).map(drop),
        Cell::Flag(flag) => sheet.write_boolean(row, column, *flag).map(drop),
        Cell::Empty => Ok(()),
    }
}

fn failed(error: XlsxError) -> ApiError {
    let context = "an export cannot be written; see whether the folder for temporary files has room";
    StoreError::with_source(StoreErrorKind::Unavailable, context, error).into()
}
