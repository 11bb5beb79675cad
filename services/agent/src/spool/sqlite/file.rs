//! One lane's SQLite file.

use std::path::Path;

use bytes::Bytes;
use domain::log::{Lane, Position};
use domain::units::MonotonicMicros;
use rusqlite::{Connection, OptionalExtension, params};

use super::{OpenError, failed};
use crate::spool::{DiskError, LaneOnDisk, ROW_OVERHEAD_BYTES, Removal, Row, SpoolId};

/// "BWSP": a Beltwatch spool.
const APPLICATION_ID: i64 = 0x4257_5350;
/// The only format so far.
const FORMAT: i64 = 1;

const LANE_TABLES: &str = "
    CREATE TABLE spool (id BLOB NOT NULL);
    CREATE TABLE records (
        boot_count INTEGER NOT NULL,
        n INTEGER NOT NULL,
        at_us INTEGER NOT NULL,
        octets BLOB NOT NULL,
        PRIMARY KEY (boot_count, n)
    ) WITHOUT ROWID;
    CREATE TABLE lane (trimmed_boot_count INTEGER, trimmed_n INTEGER, dropped INTEGER NOT NULL);
    INSERT INTO lane VALUES (NULL, NULL, 0);
";

const EVENTS_TABLES: &str = "
    CREATE TABLE boots (
        boot_count INTEGER PRIMARY KEY,
        boot BLOB NOT NULL,
        kernel BLOB NOT NULL,
        events_before_boot_count INTEGER,
        events_before_n INTEGER,
        readings_before_boot_count INTEGER,
        readings_before_n INTEGER,
        quality INTEGER NOT NULL,
        offset_us INTEGER NOT NULL,
        uncertainty_us INTEGER NOT NULL
    );
    CREATE TABLE counters (boot_count INTEGER NOT NULL, record BLOB NOT NULL);
";

/// The identity that a copied spool has got instead of the one in `spool`, which both files share. It came later, and an
/// agent that does not know it goes on with the old one.
const RENEWED_TABLE: &str = "CREATE TABLE IF NOT EXISTS renewed (id BLOB NOT NULL)";

/// One lane's file.
#[derive(Debug)]
pub(super) struct LaneFile {
    pub(super) connection: Connection,
    lane: Lane,
    held: Amount,
}

/// An amount of rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Amount {
    records: u64,
    octets: u64,
}

impl Amount {
    fn bytes(self) -> u64 {
        self.octets + self.records * ROW_OVERHEAD_BYTES
    }
}

impl LaneFile {
    pub(super) fn open(path: &Path, lane: Lane) -> Result<LaneFile, OpenError> {
        let sqlite =
            |error: rusqlite::Error| OpenError::Sqlite { file: path.to_owned(), reason: error.to_string() };
        let mut connection = Connection::open(path).map_err(sqlite)?;
        check_format(&connection, path)?;
        // One process has the folder, so the file needs no shared memory; the cache stays small beside a belt.
        let settings =
            "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA cache_size = -512;";
        connection.execute_batch(settings).map_err(sqlite)?;
        connection.execute_batch(synchronous(lane)).map_err(sqlite)?;
        let empty: bool = connection
            .query_row("SELECT COUNT(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
            .map_err(sqlite)?;
        if empty {
            let transaction = connection.transaction().map_err(sqlite)?;
            transaction.execute_batch(LANE_TABLES).map_err(sqlite)?;
            if lane == Lane::Events {
                transaction.execute_batch(EVENTS_TABLES).map_err(sqlite)?;
            }
            transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
            transaction.pragma_update(None, "user_version", FORMAT).map_err(sqlite)?;
            transaction.commit().map_err(sqlite)?;
        }
        if lane == Lane::Events {
            connection.execute_batch(RENEWED_TABLE).map_err(sqlite)?;
        }
        Ok(LaneFile { connection, lane, held: Amount::default() })
    }

    /// The spool's identity; `fresh` if there is none yet.
    pub(super) fn identity(&mut self, fresh: SpoolId) -> Result<SpoolId, DiskError> {
        let known: Option<[u8; 16]> = self
            .connection
            .query_row("SELECT id FROM spool", [], |row| row.get(0))
            .optional()
            .map_err(failed("read the spool's identity"))?;
        if let Some(id) = known {
            return Ok(SpoolId(id));
        }
        let insert = self.connection.execute("INSERT INTO spool VALUES (?1)", [fresh.0]);
        insert.map_err(failed("write the spool's identity"))?;
        Ok(fresh)
    }

    /// The identity that the spool has got since; `None`: it has its first one.
    pub(super) fn renewed(&self) -> Result<Option<SpoolId>, DiskError> {
        let id = self.connection.query_row("SELECT id FROM renewed", [], |row| row.get(0)).optional();
        Ok(id.map_err(failed("read the spool's identity"))?.map(SpoolId))
    }

    pub(super) fn renew(&mut self, id: SpoolId) -> Result<(), DiskError> {
        let renewed = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            transaction.execute("DELETE FROM renewed", [])?;
            transaction.execute("INSERT INTO renewed VALUES (?1)", [id.0])?;
            transaction.commit()
        };
        renewed(&mut self.connection).map_err(failed("renew the spool's identity"))
    }

    /// Counts what is there. Reads all of it, so it is asked for only when the spool is opened.
    pub(super) fn state(&mut self) -> Result<LaneOnDisk, DiskError> {
        let sql = "SELECT COUNT(*), COALESCE(SUM(LENGTH(octets)), 0) FROM records";
        self.held = self.connection.query_row(sql, [], amount).map_err(failed("count records"))?;
        self.on_disk().map_err(failed("count records"))
    }

    /// Notes that rows were inserted and committed.
    pub(super) fn add(&mut self, inserted: Amount) {
        self.held.records += inserted.records;
        self.held.octets += inserted.octets;
    }

    fn on_disk(&self) -> rusqlite::Result<LaneOnDisk> {
        let end = |order: &str| {
            let sql =
                format!("SELECT boot_count, n FROM records ORDER BY boot_count {order}, n {order} LIMIT 1");
            let position = |row: &rusqlite::Row<'_>| Ok(Position::new(row.get(0)?, natural(row.get(1)?)));
            self.connection.prepare_cached(&sql)?.query_row([], position).optional()
        };
        let mut statement =
            self.connection.prepare_cached("SELECT trimmed_boot_count, trimmed_n, dropped FROM lane")?;
        let (trimmed, dropped) = statement.query_row([], |row| {
            let trimmed: (Option<u32>, Option<i64>) = (row.get(0)?, row.get(1)?);
            let trimmed = trimmed.0.zip(trimmed.1).map(|(boot, n)| Position::new(boot, natural(n)));
            Ok((trimmed, natural(row.get(2)?)))
        })?;
        let (records, bytes) = (self.held.records, self.held.bytes());
        Ok(LaneOnDisk { records, bytes, first: end("ASC")?, last: end("DESC")?, trimmed, dropped })
    }

    pub(super) fn read(&self, after: Option<Position>, records_max: usize) -> Result<Vec<Row>, DiskError> {
        self.rows(after, records_max).map_err(failed("read records"))
    }

    fn rows(&self, after: Option<Position>, records_max: usize) -> rusqlite::Result<Vec<Row>> {
        let after = after.unwrap_or_default();
        let sql = "SELECT boot_count, n, at_us, octets FROM records WHERE (boot_count, n) > (?1, ?2)
                   ORDER BY boot_count, n LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let limit = i64::try_from(records_max).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![after.boot_count, integer(after.n), limit], |row| {
            Ok(Row {
                position: Position::new(row.get(0)?, natural(row.get(1)?)),
                at: MonotonicMicros(natural(row.get(2)?)),
                octets: Bytes::from(row.get::<_, Vec<u8>>(3)?),
            })
        })?;
        rows.collect()
    }

    /// Removes rows. Not synced: undone by a power cut, an ack removes them again.
    pub(super) fn trim(&mut self, through: Position, removal: Removal) -> Result<LaneOnDisk, DiskError> {
        let removed = self.without_sync(|connection| remove(connection, through, removal))?;
        self.held.records = self.held.records.saturating_sub(removed.records);
        self.held.octets = self.held.octets.saturating_sub(removed.octets);
        self.on_disk().map_err(failed("trim"))
    }

    /// Makes what was written so far durable: a checkpoint syncs the write-ahead log before it copies it.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        let busy: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(0))
            .map_err(failed("sync readings"))?;
        if busy != 0 {
            return Err(DiskError { action: "sync readings", reason: "the file is busy".to_owned() });
        }
        Ok(())
    }

    /// Runs a transaction whose loss in a power cut does no harm.
    pub(super) fn without_sync<T>(
        &mut self,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, DiskError> {
        let unsynced = |connection: &mut Connection| {
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            let transaction = connection.transaction()?;
            let result = run(&transaction)?;
            transaction.commit()?;
            Ok(result)
        };
        let result = unsynced(&mut self.connection).map_err(failed("update"));
        self.connection.execute_batch(synchronous(self.lane)).map_err(failed("update"))?;
        result
    }
}

/// Appends rows; one that is there already stays as it is.
pub(super) fn insert(connection: &Connection, rows: &[Row]) -> rusqlite::Result<Amount> {
    let mut statement = connection.prepare_cached("INSERT OR IGNORE INTO records VALUES (?1, ?2, ?3, ?4)")?;
    let mut inserted = Amount::default();
    for row in rows {
        let (position, at) = (row.position, integer(row.at.0));
        let values = params![position.boot_count, integer(position.n), at, row.octets.as_ref()];
        if statement.execute(values)? == 1 {
            inserted.records += 1;
            inserted.octets += row.octets.len() as u64;
        }
    }
    Ok(inserted)
}

fn remove(connection: &Connection, through: Position, removal: Removal) -> rusqlite::Result<Amount> {
    let (boot_count, n) = (through.boot_count, integer(through.n));
    let sql =
        "SELECT COUNT(*), COALESCE(SUM(LENGTH(octets)), 0) FROM records WHERE (boot_count, n) <= (?1, ?2)";
    let removed = connection.prepare_cached(sql)?.query_row(params![boot_count, n], amount)?;
    let sql = "DELETE FROM records WHERE (boot_count, n) <= (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![boot_count, n])?;
    let dropped = match removal {
        Removal::Acknowledged => 0,
        Removal::Dropped => removed.records,
    };
    let sql = "UPDATE lane SET trimmed_boot_count = ?1, trimmed_n = ?2, dropped = dropped + ?3";
    connection.prepare_cached(sql)?.execute(params![boot_count, n, integer(dropped)])?;
    Ok(removed)
}

fn amount(row: &rusqlite::Row<'_>) -> rusqlite::Result<Amount> {
    Ok(Amount { records: natural(row.get(0)?), octets: natural(row.get(1)?) })
}

/// Numbers are stored as SQLite's signed integers; ours stay far below their limit.
pub(super) fn integer(natural: u64) -> i64 {
    i64::try_from(natural).unwrap_or(i64::MAX)
}

pub(super) fn natural(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

fn synchronous(lane: Lane) -> &'static str {
    match lane {
        Lane::Events => "PRAGMA synchronous = FULL",
        Lane::Readings => "PRAGMA synchronous = NORMAL",
    }
}

fn check_format(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let foreign =
        |error: rusqlite::Error| OpenError::Foreign { file: path.to_owned(), reason: error.to_string() };
    let application = number("application_id").map_err(foreign)?;
    let found = number("user_version").map_err(foreign)?;
    match (application, found) {
        (0, 0) | (APPLICATION_ID, FORMAT) => Ok(()),
        (APPLICATION_ID, _) => Err(OpenError::Newer { file: path.to_owned(), found, known: FORMAT }),
        (_, _) => {
            let reason = format!("its application id is {application:#x}");
            Err(OpenError::Foreign { file: path.to_owned(), reason })
        }
    }
}
