//! Making one file of a day's many small ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Write;

use domain::limits;
use rusqlite::{Connection, params};

use super::index::{self, Filed, drop_filed};
use super::{ENDING, History, Unread, failed, file};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{lane_code, rows};

/// A file that was written of several and is not in the index yet.
#[derive(Debug)]
pub(in crate::sqlite) struct Merged {
    name: String,
    bytes: u64,
    /// The files it was made of.
    files: Vec<i64>,
    /// Each chunk as it was, and where it begins now.
    chunks: Vec<(Filed, u64)>,
}

impl Merged {
    /// The file's name.
    pub(in crate::sqlite) fn name(&self) -> &str {
        &self.name
    }

    /// How many files it was made of.
    pub(in crate::sqlite) fn files(&self) -> u64 {
        self.files.len() as u64
    }
}

/// Writes a file of the small ones of one day and lane; `None`: no day has many that can be read.
pub(in crate::sqlite) fn merge_files(
    connection: &Connection,
    history: &History,
) -> Result<Option<Merged>, Failure> {
    let held = history.hold();
    let Some((day, files)) = many(connection, history)? else { return Ok(None) };
    let (name, file) = history.create(&day)?;
    let merged = copy(connection, history, (&name, file), files);
    // Who removes a file waits until nobody holds them.
    drop(held);
    if !matches!(merged, Ok(Some(_))) {
        // Nothing knows of it: at worst it is removed when the store is opened.
        let _ = history.remove(&name);
    }
    merged
}

/// Copies the chunks of some files into a new one; `None`: fewer than two of them would be empty then, so that there
/// would not be fewer files than before.
fn copy(
    connection: &Connection,
    history: &History,
    (name, mut written): (&str, File),
    files: Vec<i64>,
) -> Result<Option<Merged>, Failure> {
    let path = history.folder.join(name);
    let mut put = |octets: &[u8]| written.write_all(octets).map_err(|error| failed("written", &path, error));
    put(&file::begin())?;
    let (mut bytes, mut chunks, mut left) = (file::BEGIN_BYTES as u64, Vec::new(), BTreeSet::new());
    for filed in chunks_of(connection, &files)? {
        let length = filed.head_bytes + filed.bytes;
        match history.octets(&filed.file, filed.offset, length) {
            // As it is: what is damaged stays damaged, and is named as such.
            Ok(octets) => put(&octets)?,
            // A file that went missing or was cut since it was chosen is left alone.
            Err(Unread::Damaged(_)) => {
                left.insert(filed.file_no);
                continue;
            }
            Err(Unread::Failed(error)) => return Err(error.into()),
        }
        chunks.push((filed, bytes));
        bytes += length;
    }
    if files.len() - left.len() < 2 {
        return Ok(None);
    }
    history.sync(name, &written)?;
    Ok(Some(Merged { name: name.to_owned(), bytes, files, chunks }))
}

/// The first day and lane with many small files, and these, the smallest first, as many as fit one file. Files that
/// are missing or cut are none of them: they would stay, and be chosen again for ever.
fn many(connection: &Connection, history: &History) -> Result<Option<(String, Vec<i64>)>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT file_no, name, bytes,
             (SELECT lane FROM filed INDEXED BY filed_file WHERE filed.file_no = history_file.file_no LIMIT 1),
             (SELECT offset + head_bytes + filed.bytes FROM filed INDEXED BY filed_file
              WHERE filed.file_no = history_file.file_no ORDER BY offset DESC LIMIT 1)
         FROM history_file WHERE gone = 0 AND bytes <= ?1 ORDER BY bytes, file_no",
    )?;
    let small = limits::MERGED_FILE_BYTES_MAX / limits::MERGED_FILES_MIN as u64;
    let found = rows(&mut statement, [small], |columns| {
        let (file_no, name): (i64, String) = (columns.get()?, columns.get()?);
        Ok((
            file_no,
            name,
            columns.get::<u64>()?,
            columns.get::<Option<i64>>()?,
            columns.get::<Option<u64>>()?,
        ))
    })?;
    let mut days: BTreeMap<(String, Option<i64>), (u64, Vec<i64>)> = BTreeMap::new();
    for (file_no, name, bytes, lane, end) in found {
        let day = name.strip_suffix(ENDING).and_then(|name| name.rsplit_once('-'));
        let Some((day, _)) = day else { continue };
        // One without chunks needs no octets.
        if end.is_some_and(|end| history.ends_before(&name, end)) {
            continue;
        }
        let (sum, files) = days.entry((day.to_owned(), lane)).or_default();
        if *sum + bytes <= limits::MERGED_FILE_BYTES_MAX && files.len() < limits::MERGED_FILES_MAX {
            *sum += bytes;
            files.push(file_no);
        }
    }
    let many = days.into_iter().find(|(_, (_, files))| files.len() >= limits::MERGED_FILES_MIN);
    Ok(many.map(|((day, _), (_, files))| (day, files)))
}

/// The chunks of some files: those of a machine together, by time.
fn chunks_of(connection: &Connection, files: &[i64]) -> Result<Vec<Filed>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM filed INDEXED BY filed_file JOIN history_file USING (file_no) WHERE file_no = ?1",
        Filed::COLUMNS
    ))?;
    let mut chunks = Vec::new();
    for file_no in files {
        chunks.extend(rows(&mut statement, [file_no], Filed::read)?);
    }
    chunks.sort_by_key(|filed| {
        (filed.run.machine_no, lane_code(filed.run.lane), filed.first, filed.file_no, filed.offset)
    });
    Ok(chunks)
}

/// Leads the index to the new file, and marks those it was made of; all of it or nothing.
pub(in crate::sqlite) fn commit_merged(connection: &Connection, merged: &Merged) -> Result<(), Failure> {
    let file_no = index::insert_file(connection, &merged.name, merged.bytes)?;
    for (filed, offset) in &merged.chunks {
        // One that was taken out since, because it is damaged and was written anew, stays out.
        if drop_filed(connection, filed)? {
            index::insert(connection, &Filed { file_no, offset: *offset, ..filed.clone() })?;
        }
    }
    let mut gone = connection.prepare_cached(
        "UPDATE history_file SET gone = 1
         WHERE file_no = ?1 AND NOT EXISTS (SELECT 1 FROM filed WHERE filed.file_no = ?1)",
    )?;
    for old in &merged.files {
        gone.execute(params![old])?;
    }
    Ok(())
}
