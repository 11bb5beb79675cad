//! Opening a store's file: what it is, which version wrote it, how it is to be written.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::failure::Failure;
use super::lock::{make_folder, sync_folder};
use crate::{StoreError, StoreErrorKind};

/// How long to wait for another connection of the same file.
const BUSY_WAIT: Duration = Duration::from_secs(5);
const STATEMENTS_KEPT: usize = 64;

/// When a commit is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// When it returns.
    AtOnce,
    /// After a later commit that is on disk at once, or a checkpoint; never without the commits before it.
    Later,
}

/// What one of the files is.
#[derive(Debug)]
pub(super) struct Format {
    /// What it is, such as "journal"; its file is that with `.db`.
    pub(super) name: &'static str,
    /// Its mark in the file's header.
    pub(super) application_id: i32,
    /// The newest version that this program reads, and the one it writes.
    pub(super) version: i32,
    /// What makes an empty one.
    pub(super) schema: &'static [&'static str],
    /// When an ordinary commit is on disk.
    pub(super) durability: Durability,
    /// Memory for the writer's pages, in KiB.
    pub(super) cache_kib: u32,
    /// Whether what is erased is overwritten in the file.
    pub(super) overwrites_erased: bool,
    /// Makes a file of any format before `version` one of `version`.
    pub(super) upgrade: fn(&Connection) -> Result<(), Failure>,
}

/// One file of a store.
#[derive(Debug, Clone)]
pub(super) struct StoreFile {
    path: PathBuf,
}

impl StoreFile {
    /// Opens the file for writing; makes it, and its folder, if it is not there.
    pub(super) fn open(folder: &Path, format: &Format) -> Result<(StoreFile, Connection), StoreError> {
        make_folder(folder)?;
        let file = StoreFile { path: folder.join(format!("{}.db", format.name)) };
        let opened = file.open_for_writing(folder, format);
        let connection = opened.map_err(|failure| failure.explain("opening", &file.path))?;
        Ok((file, connection))
    }

    /// A connection that can only read. There must be one that writes.
    pub(super) fn open_for_reading(&self) -> Result<Connection, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        Ok(connection)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn open_for_writing(&self, folder: &Path, format: &Format) -> Result<Connection, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        let found = self.check(&connection, format)?;
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            let path = self.path.display();
            let context = format!("{path} cannot have a write-ahead log: move its folder to a local disk");
            return Err(StoreError::new(StoreErrorKind::Unavailable, context).into());
        }
        connection.pragma_update(None, "synchronous", synchronous(format.durability))?;
        connection.pragma_update(None, "cache_size", -i64::from(format.cache_kib))?;
        connection.pragma_update(None, "secure_delete", format.overwrites_erased)?;
        // The writer moves the log into the file itself, after it has answered.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        match found {
            None => {
                make(&connection, format)?;
                sync_folder(folder)?;
            }
            Some(version) if version < format.version => upgrade(&connection, format)
                .map_err(|failure| failure.found_when("bringing to a newer format", &self.path))?,
            Some(_) => {}
        }
        connection.execute(
            "INSERT INTO about (name, value) VALUES ('written_by', ?1)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            [env!("CARGO_PKG_VERSION")],
        )?;
        Ok(connection)
    }

    /// The version of the file; `None`: it is new. Refuses one of another program or of a newer version, before anything is written.
    fn check(&self, connection: &Connection, format: &Format) -> Result<Option<i32>, Failure> {
        let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application_id, version) = (number("application_id")?, number("user_version")?);
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let path = self.path.display();
        if application_id == 0 && version == 0 && tables == 0 {
            return Ok(None);
        }
        if application_id != format.application_id {
            let name = format.name;
            let what =
                format!("{path} is no {name} of Beltwatch: move it away, or restore a backup of its folder");
            return Err(Failure::corrupt(what));
        }
        if version > format.version {
            let context = format!(
                "{path} has format {version}, written by version {} of Beltwatch; this is version {} and reads \
                 formats up to {}: start that version or a newer one, or restore a backup made before it ran",
                written_by(connection),
                env!("CARGO_PKG_VERSION"),
                format.version,
            );
            return Err(StoreError::new(StoreErrorKind::IncompatibleVersion, context).into());
        }
        if version < 1 {
            return Err(Failure::corrupt(format!(
                "{path} has format {version}, which never was: restore a backup of its folder"
            )));
        }
        Ok(Some(version))
    }
}

/// A connection that can only read, to a file that somebody else may write, and the file's format. Nothing is made or
/// changed.
pub(super) fn look(folder: &Path, format: &Format) -> Result<(Connection, i32), StoreError> {
    let file = StoreFile { path: folder.join(format!("{}.db", format.name)) };
    let path = file.path.display();
    if !file.path.is_file() {
        return Err(StoreError::new(StoreErrorKind::Unavailable, format!("{path} is not there")));
    }
    let opened = file.open_for_reading().and_then(|connection| {
        let version = file.check(&connection, format)?;
        Ok((connection, version))
    });
    match opened.map_err(|failure| failure.explain("opening", &file.path))? {
        (connection, Some(version)) => Ok((connection, version)),
        (_, None) => Err(StoreError::new(StoreErrorKind::Corrupt, format!("{path} is empty"))),
    }
}

/// The value of `PRAGMA synchronous`.
pub(super) fn synchronous(durability: Durability) -> &'static str {
    match durability {
        Durability::AtOnce => "FULL",
        Durability::Later => "NORMAL",
    }
}

fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// Which version wrote a file of a format that is not known here; best effort.
fn written_by(connection: &Connection) -> String {
    let found =
        connection.query_row("SELECT value FROM about WHERE name = 'written_by'", [], |row| row.get(0));
    found.unwrap_or_else(|_| "(not told)".to_owned())
}

/// Brings a file of an older format to this one; all of it or nothing.
fn upgrade(connection: &Connection, format: &Format) -> Result<(), Failure> {
    let transaction = connection.unchecked_transaction()?;
    (format.upgrade)(&transaction)?;
    transaction.pragma_update(None, "user_version", format.version)?;
    transaction.commit()?;
    tracing::info!(store = format.name, version = format.version, "the store was brought to a newer format");
    Ok(())
}

/// Makes an empty store; all of it or nothing.
fn make(connection: &Connection, format: &Format) -> Result<(), rusqlite::Error> {
    let transaction = connection.unchecked_transaction()?;
    transaction
        .execute_batch("CREATE TABLE about (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID")?;
    format.schema.iter().try_for_each(|part| transaction.execute_batch(part))?;
    transaction.pragma_update(None, "application_id", format.application_id)?;
    transaction.pragma_update(None, "user_version", format.version)?;
    transaction.commit()
}
