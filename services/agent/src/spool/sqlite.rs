//! A spool on a real disk: a folder with two SQLite files and a lock.
//!
//! `events.sqlite` is written with `synchronous=FULL`: an event is on the disk when the call returns.
//! `readings.sqlite` is written with `synchronous=NORMAL`, one transaction a batch: a killed process loses
//! nothing, a power cut loses what was written since the last sync.

mod file;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use domain::clock::{Clock, ClockQuality};
use domain::ids::BootId;
use domain::log::{Lane, Position};
use domain::record::Payload;
use domain::record::Record;
use rusqlite::{Connection, Row as SqlRow, params};
use rustix::fs::{FlockOperation, flock};

use self::file::LaneFile;
use super::{Boot, Counter, Disk, DiskError, KernelBoot, LaneOnDisk, Loaded, Removal, Row, SpoolId};

/// Why a spool's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the spool {folder} is in use by another process; a spool belongs to one agent at a time. Stop the other one first: \
         sudo systemctl stop beltwatch-agent"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder or its lock cannot be made or opened.
    #[error("the spool {folder} cannot be used: {source}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is another user's, and root opens it: what root writes there its owner could not open any more.
    #[error(
        "the spool {folder} belongs to another user, whom files of root in it would lock out. Run this as that user: \
         sudo -u beltwatch-agent beltwatch-agent …"
    )]
    OfAnotherUser {
        /// The folder.
        folder: PathBuf,
    },
    /// A file was written by a newer agent.
    #[error(
        "{file} has format {found}; this agent reads formats up to {known}. Run the newer agent again, or move the \
         folder away: its unsent records stay in it"
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this agent reads.
        known: i64,
    },
    /// A file is something else.
    #[error("{file} is no spool of a Beltwatch agent ({reason}); move it away")]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What was found.
        reason: String,
    },
    /// SQLite could not open a file.
    #[error("{file} cannot be opened: {reason}")]
    Sqlite {
        /// The file.
        file: PathBuf,
        /// What SQLite said.
        reason: String,
    },
}

/// Whether this user is root, and the folder belongs to somebody else, or is to be made where only somebody else may.
fn is_foreign_to(user: u32, folder: &Path) -> bool {
    let place = match fs::metadata(folder) {
        Ok(there) => Some(there),
        Err(_) => {
            let above = folder.ancestors().skip(1).find_map(|above| fs::metadata(above).ok());
            above.filter(|above| above.mode() & 0o077 == 0)
        }
    };
    user == 0 && place.is_some_and(|place| place.uid() != user)
}

/// A spool's folder. Holds the lock as long as it lives.
#[derive(Debug)]
pub struct SqliteDisk {
    events: LaneFile,
    readings: LaneFile,
    _lock: File,
}

impl SqliteDisk {
    /// Opens a spool's folder, makes it if it is not there, and locks it.
    pub fn open(folder: &Path) -> Result<SqliteDisk, OpenError> {
        let failed = |source| OpenError::Folder { folder: folder.to_owned(), source };
        if is_foreign_to(rustix::process::geteuid().as_raw(), folder) {
            return Err(OpenError::OfAnotherUser { folder: folder.to_owned() });
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let mut options = OpenOptions::new();
        let lock =
            options.create(true).truncate(false).write(true).open(folder.join("lock")).map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(OpenError::InUse { folder: folder.to_owned() });
            }
            Err(errno) => return Err(failed(errno.into())),
        }
        let events = LaneFile::open(&folder.join("events.sqlite"), Lane::Events)?;
        let readings = LaneFile::open(&folder.join("readings.sqlite"), Lane::Readings)?;
        Ok(SqliteDisk { events, readings, _lock: lock })
    }

    fn file(&mut self, lane: Lane) -> &mut LaneFile {
        match lane {
            Lane::Events => &mut self.events,
            Lane::Readings => &mut self.readings,
        }
    }
}

impl Disk for SqliteDisk {
    fn load(&mut self, fresh: SpoolId) -> Result<Loaded, DiskError> {
        let spool = self.events.identity(fresh)?;
        let readings_spool = self.readings.identity(spool)?;
        if readings_spool != spool {
            let reason = "events.sqlite and readings.sqlite belong to different spools; move both away";
            return Err(DiskError { action: "load", reason: reason.to_owned() });
        }
        let spool = self.events.renewed()?.unwrap_or(spool);
        let (events, readings) = (self.events.state()?, self.readings.state()?);
        let connection = &self.events.connection;
        let boots = boots(connection).map_err(failed("load boots"))?;
        Ok(Loaded { spool, boots, events, readings, counters: counters(connection)? })
    }

    fn begin_boot(&mut self, boot: &Boot, oldest_kept: u32) -> Result<(), DiskError> {
        let transaction = self.events.connection.transaction().map_err(failed("begin a boot"))?;
        put_boot(&transaction, boot, oldest_kept).map_err(failed("begin a boot"))?;
        transaction.commit().map_err(failed("begin a boot"))
    }

    fn renew(&mut self, spool: SpoolId) -> Result<(), DiskError> {
        self.events.renew(spool)
    }

    fn put_clock(&mut self, boot_count: u32, clock: &Clock) -> Result<(), DiskError> {
        let sql = "UPDATE boots SET quality = ?2, offset_us = ?3, uncertainty_us = ?4 WHERE boot_count = ?1";
        let (quality, uncertainty) = (quality_number(clock.quality), file::integer(clock.uncertainty_us));
        self.events.without_sync(|connection| {
            connection.execute(sql, params![boot_count, quality, clock.offset_us, uncertainty])
        })?;
        Ok(())
    }

    fn write_events(&mut self, rows: &[Row], kept: Option<&[Counter]>) -> Result<(), DiskError> {
        let transaction = self.events.connection.transaction().map_err(failed("write events"))?;
        let inserted = file::insert(&transaction, rows).map_err(failed("write events"))?;
        if let Some(kept) = kept {
            put_counters(&transaction, kept).map_err(failed("write counted events"))?;
        }
        transaction.commit().map_err(failed("write events"))?;
        self.events.add(inserted);
        Ok(())
    }

    fn write_readings(&mut self, rows: &[Row], dropped: u64) -> Result<(), DiskError> {
        let transaction = self.readings.connection.transaction().map_err(failed("write readings"))?;
        let inserted = file::insert(&transaction, rows).map_err(failed("write readings"))?;
        if dropped > 0 {
            let sql = "UPDATE lane SET dropped = dropped + ?1";
            transaction.execute(sql, [file::integer(dropped)]).map_err(failed("write readings"))?;
        }
        transaction.commit().map_err(failed("write readings"))?;
        self.readings.add(inserted);
        Ok(())
    }

    fn sync_readings(&mut self) -> Result<(), DiskError> {
        self.readings.sync()
    }

    fn read(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        records_max: usize,
    ) -> Result<Vec<Row>, DiskError> {
        self.file(lane).read(after, records_max)
    }

    fn trim(&mut self, lane: Lane, through: Position, removal: Removal) -> Result<LaneOnDisk, DiskError> {
        self.file(lane).trim(through, removal)
    }
}

pub(crate) fn failed(action: &'static str) -> impl Fn(rusqlite::Error) -> DiskError {
    move |error| DiskError { action, reason: error.to_string() }
}

fn quality_number(quality: ClockQuality) -> u8 {
    match quality {
        ClockQuality::Synchronised => 1,
        ClockQuality::Estimated => 2,
        ClockQuality::Undated => 3,
    }
}

fn put_boot(connection: &Connection, boot: &Boot, oldest_kept: u32) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM boots WHERE boot_count < ?1", [oldest_kept])?;
    let sql = "INSERT OR REPLACE INTO boots VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let boot_of = |position: Option<Position>| position.map(|position| position.boot_count);
    let n_of = |position: Option<Position>| position.map(|position| file::integer(position.n));
    connection.execute(
        sql,
        params![
            boot.boot_count,
            boot.boot.0,
            boot.kernel.0,
            boot_of(boot.events_before),
            n_of(boot.events_before),
            boot_of(boot.readings_before),
            n_of(boot.readings_before),
            quality_number(boot.clock.quality),
            boot.clock.offset_us,
            file::integer(boot.clock.uncertainty_us),
        ],
    )?;
    Ok(())
}

fn boots(connection: &Connection) -> rusqlite::Result<Vec<Boot>> {
    let mut statement = connection.prepare("SELECT * FROM boots ORDER BY boot_count")?;
    let rows = statement.query_map([], |row| {
        let clock = Clock {
            quality: match row.get::<_, u8>(7)? {
                1 => ClockQuality::Synchronised,
                2 => ClockQuality::Estimated,
                _undated => ClockQuality::Undated,
            },
            offset_us: row.get(8)?,
            uncertainty_us: file::natural(row.get(9)?),
        };
        Ok(Boot {
            boot_count: row.get(0)?,
            boot: BootId(row.get(1)?),
            kernel: KernelBoot(row.get(2)?),
            events_before: maybe_position(row, 3)?,
            readings_before: maybe_position(row, 5)?,
            clock,
        })
    })?;
    rows.collect()
}

fn maybe_position(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<Option<Position>> {
    let boot_count: Option<u32> = row.get(column)?;
    let n: Option<i64> = row.get(column + 1)?;
    Ok(boot_count.zip(n).map(|(boot_count, n)| Position::new(boot_count, file::natural(n))))
}

fn put_counters(connection: &Connection, counters: &[Counter]) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM counters", [])?;
    for counter in counters {
        let payload = Payload::Event(counter.event.clone());
        let record = wire::record::encode(&Record { at: counter.at, other_n: 0, payload });
        let sql = "INSERT INTO counters (boot_count, record) VALUES (?1, ?2)";
        connection.execute(sql, params![counter.boot_count, record.as_ref()])?;
    }
    Ok(())
}

fn counters(connection: &Connection) -> Result<Vec<Counter>, DiskError> {
    let mut statement = connection
        .prepare("SELECT boot_count, record FROM counters ORDER BY rowid")
        .map_err(failed("load counted events"))?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .map_err(failed("load counted events"))?;
    let mut counters = Vec::new();
    for row in rows {
        let (boot_count, octets) = row.map_err(failed("load counted events"))?;
        let unreadable = |reason| DiskError { action: "load counted events", reason };
        let record =
            wire::record::decode(Lane::Events, &octets).map_err(|error| unreadable(error.to_string()))?;
        let Payload::Event(event) = record.payload else {
            return Err(unreadable("a counter is no event".to_owned()));
        };
        counters.push(Counter { boot_count, at: record.at, event });
    }
    Ok(counters)
}
