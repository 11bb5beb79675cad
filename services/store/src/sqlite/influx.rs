//! `influxdb.db`: what the engine over InfluxDB keeps in the folder. Where records may be, the watermark, and what
//! InfluxDB refuses.

use std::path::Path;

use domain::limits;
use domain::log::Lane;
use domain::units::UnixMicros;
use rusqlite::{Connection, params};

use super::backup::RefusedPoints;
use super::failure::Failure;
use super::file::{Durability, Format, StoreFile};
use super::names::{Names, machine_number};
use super::readers::Readers;
use super::values::{Columns, first_row, lane_code};
use super::writer::Writer;
use crate::influx::known::{Aside, BootKey, BootKnown, Known, LaneKey, LaneKnown, Span, Spans};
use crate::journal::Sequence;
use crate::{StoreError, bounds};

/// Its file's name.
pub const FILE: &str = "influxdb.db";

pub(super) const FORMAT: Format = Format {
    name: "influxdb",
    application_id: 0x4257_6966,
    version: 1,
    schema: &["
CREATE TABLE machine (machine_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE log (log_no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE lane (
    machine_no INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    era INTEGER NOT NULL,
    first_us INTEGER,
    last_us INTEGER,
    undated_first_us INTEGER,
    undated_last_us INTEGER,
    unseen_first_us INTEGER,
    unseen_last_us INTEGER,
    unseen_undated_first_us INTEGER,
    unseen_undated_last_us INTEGER,
    PRIMARY KEY (machine_no, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE boot (
    machine_no INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    log_no INTEGER NOT NULL,
    boot_count INTEGER NOT NULL,
    era INTEGER NOT NULL,
    first_n INTEGER NOT NULL,
    last_n INTEGER NOT NULL,
    first_us INTEGER,
    last_us INTEGER,
    undated_first_us INTEGER,
    undated_last_us INTEGER,
    PRIMARY KEY (machine_no, lane, log_no, boot_count)
) STRICT, WITHOUT ROWID;
CREATE TABLE aside (aside_no INTEGER PRIMARY KEY, line TEXT NOT NULL UNIQUE, reason TEXT NOT NULL) STRICT;
"],
    // What a power cut takes is written again from the journal, to the same points: only the watermark must not say more
    // than is there.
    durability: Durability::Later,
    cache_kib: 16 * 1024,
    overwrites_erased: false,
    upgrade: |_| Ok(()),
};

/// What the folder knows of what is in InfluxDB.
#[derive(Debug)]
pub(crate) struct InfluxIndex {
    /// Closed first: only a writer that closes last can move the log into the file.
    readers: Readers,
    writer: Writer<Names>,
}

/// Which boots of a machine and lane matter.
pub(crate) type Asked = (LaneKey, Vec<BootKey>);

impl InfluxIndex {
    /// Opens the file of a folder, or makes an empty one. Blocks for as long as the disk takes.
    pub(crate) fn open(folder: &Path) -> Result<InfluxIndex, StoreError> {
        let (file, connection) = StoreFile::open(folder, &FORMAT)?;
        let writer = Writer::start(file.clone(), connection, &FORMAT)?;
        Ok(InfluxIndex { writer, readers: Readers::new(file) })
    }

    /// What is known of these.
    pub(crate) async fn known(&self, asked: Vec<Asked>) -> Result<Known, StoreError> {
        let work = move |connection: &Connection| {
            let mut known = Known { era: number(connection, ERA)?, ..Known::default() };
            for (key, boots) in asked {
                if let Some(lane) = lane(connection, &key, &boots)? {
                    known.lanes.insert(key, lane);
                }
            }
            Ok(known)
        };
        self.readers.read("reading", work).await
    }

    /// Keeps what is known when a put was written, and what could not be written; gives the number of puts.
    pub(crate) async fn keep(&self, known: Known, aside: Vec<Aside>) -> Result<u64, StoreError> {
        let work = move |connection: &Connection, names: &mut Names| {
            for (key, lane) in &known.lanes {
                keep_lane(connection, names, key, lane)?;
            }
            put_aside(connection, &aside)?;
            let puts = number(connection, PUTS)?.saturating_add(1);
            set(connection, PUTS, puts)?;
            Ok(puts)
        };
        self.writer.write("writing to", work).await
    }

    /// How many puts were kept.
    pub(crate) async fn puts(&self) -> Result<u64, StoreError> {
        self.readers.read("reading", |connection| number(connection, PUTS)).await
    }

    /// InfluxDB knows of more puts than this: what is in it has to be looked at before anything is taken for new.
    pub(crate) async fn begin_era(&self, puts: u64) -> Result<u64, StoreError> {
        bounds::number("puts", puts)?;
        let work = move |connection: &Connection, _: &mut Names| {
            let era = number(connection, ERA)?.saturating_add(1);
            set(connection, ERA, era)?;
            set(connection, PUTS, puts)?;
            Ok(era)
        };
        self.writer.write_with(Durability::AtOnce, "writing to", work).await
    }

    pub(crate) async fn watermark(&self) -> Result<Sequence, StoreError> {
        self.readers.read("reading the watermark of", |connection| number(connection, WATERMARK)).await
    }

    /// On disk when this returns, with everything that was kept before.
    pub(crate) async fn set_watermark(&self, through: Sequence) -> Result<(), StoreError> {
        bounds::number("watermark", through)?;
        let work = move |connection: &Connection, _: &mut Names| set(connection, WATERMARK, through);
        self.writer.write_with(Durability::AtOnce, "setting the watermark of", work).await
    }

    /// Boots of which all records are older are not looked for any more.
    pub(crate) async fn forget(&self, lane: Lane, before: UnixMicros) -> Result<(), StoreError> {
        let work = move |connection: &Connection, _: &mut Names| {
            let mut statement = connection.prepare_cached(
                "DELETE FROM boot WHERE lane = ?1 AND last_us < ?2 AND undated_first_us IS NULL",
            )?;
            statement.execute(params![lane_code(lane), before.0])?;
            Ok(())
        };
        self.writer.write("forgetting in", work).await
    }

    /// Lines that were put aside and are kept, and how many were dropped for newer ones.
    #[cfg(test)]
    pub(crate) async fn aside(&self) -> Result<(Vec<Aside>, u64), StoreError> {
        let work = |connection: &Connection| {
            let mut statement =
                connection.prepare_cached("SELECT reason, line FROM aside ORDER BY aside_no")?;
            let lines = super::values::rows(&mut statement, [], |columns| {
                Ok(Aside { reason: columns.get()?, line: columns.get()? })
            })?;
            Ok((lines, number(connection, ASIDE_DROPPED)?))
        };
        self.readers.read("reading", work).await
    }

    /// Octets of the file, and of these those that are free again.
    pub(crate) async fn bytes(&self) -> Result<(u64, u64), StoreError> {
        let work = |connection: &Connection| {
            let of = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, u64>(0));
            let page = of("page_size")?;
            Ok((of("page_count")? * page, of("freelist_count")? * page))
        };
        self.readers.read("measuring", work).await
    }
}

const WATERMARK: &str = "watermark";
const PUTS: &str = "puts";
const ERA: &str = "era";
const ASIDE_DROPPED: &str = "aside_dropped";

fn number(connection: &Connection, name: &str) -> Result<u64, Failure> {
    let mut statement = connection.prepare_cached("SELECT value FROM about WHERE name = ?1")?;
    Ok(first_row(&mut statement, [name], |columns| columns.get())?.unwrap_or(0))
}

fn set(connection: &Connection, name: &str, value: u64) -> Result<(), Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO about (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?;
    statement.execute(params![name, value])?;
    Ok(())
}

fn span(columns: &mut Columns<'_, '_>) -> Result<Option<Span>, Failure> {
    let (first, last) = (columns.get::<Option<i64>>()?, columns.get::<Option<i64>>()?);
    Ok(first.zip(last).map(|(first, last)| Span { first, last }))
}

fn spans(columns: &mut Columns<'_, '_>) -> Result<Spans, Failure> {
    Ok(Spans { dated: span(columns)?, undated: span(columns)? })
}

fn lane(connection: &Connection, key: &LaneKey, boots: &[BootKey]) -> Result<Option<LaneKnown>, Failure> {
    let Some(machine_no) = machine_number(connection, &key.machine)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT era, first_us, last_us, undated_first_us, undated_last_us,
             unseen_first_us, unseen_last_us, unseen_undated_first_us, unseen_undated_last_us
         FROM lane WHERE machine_no = ?1 AND lane = ?2",
    )?;
    let found = first_row(&mut statement, params![machine_no, lane_code(key.lane)], |columns| {
        let era = columns.get()?;
        Ok(LaneKnown { era, times: spans(columns)?, unseen: spans(columns)?, ..LaneKnown::default() })
    })?;
    let Some(mut known) = found else { return Ok(None) };
    let mut statement = connection.prepare_cached(
        "SELECT era, first_n, last_n, first_us, last_us, undated_first_us, undated_last_us
         FROM boot JOIN log USING (log_no)
         WHERE machine_no = ?1 AND lane = ?2 AND log.id = ?3 AND boot_count = ?4",
    )?;
    for (log, boot_count) in boots {
        let params = params![machine_no, lane_code(key.lane), log.0, boot_count];
        let found = first_row(&mut statement, params, |columns| {
            let (era, first_n, last_n) = (columns.get()?, columns.get()?, columns.get()?);
            Ok(BootKnown { first_n, last_n, times: spans(columns)?, era })
        })?;
        known.boots.extend(found.map(|boot| ((*log, *boot_count), boot)));
    }
    Ok(Some(known))
}

fn keep_lane(
    connection: &Connection,
    names: &mut Names,
    key: &LaneKey,
    lane: &LaneKnown,
) -> Result<(), Failure> {
    let machine_no = names.machine(connection, &key.machine)?;
    let LaneKnown { times, era, unseen, boots } = lane;
    let ends = |span: Option<Span>| (span.map(|span| span.first), span.map(|span| span.last));
    let [dated, undated] = [times.dated, times.undated].map(ends);
    let [unseen, unseen_undated] = [unseen.dated, unseen.undated].map(ends);
    connection
        .prepare_cached("INSERT OR REPLACE INTO lane VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")?
        .execute(params![
            machine_no,
            lane_code(key.lane),
            era,
            dated.0,
            dated.1,
            undated.0,
            undated.1,
            unseen.0,
            unseen.1,
            unseen_undated.0,
            unseen_undated.1,
        ])?;
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO boot VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for ((log, boot_count), boot) in boots {
        let log_no = names.log(connection, *log)?;
        let [dated, undated] = [boot.times.dated, boot.times.undated].map(ends);
        statement.execute(params![
            machine_no,
            lane_code(key.lane),
            log_no,
            boot_count,
            boot.era,
            boot.first_n,
            boot.last_n,
            dated.0,
            dated.1,
            undated.0,
            undated.1,
        ])?;
    }
    Ok(())
}

/// What is put aside, for who looks into the folder from outside.
pub(super) fn refused(connection: &Connection) -> Result<Option<RefusedPoints>, Failure> {
    let query = "SELECT count(*), coalesce(max(aside_no), 0) FROM aside";
    let (kept, newest): (u64, u64) = connection.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if kept == 0 {
        return Ok(None);
    }
    let query = "SELECT reason FROM aside WHERE aside_no = ?1";
    let reason = connection.query_row(query, [newest], |row| row.get(0))?;
    Ok(Some(RefusedPoints { kept, dropped: number(connection, ASIDE_DROPPED)?, reason }))
}

/// Keeps the newest lines; a line that comes again is kept once.
fn put_aside(connection: &Connection, aside: &[Aside]) -> Result<(), Failure> {
    if aside.is_empty() {
        return Ok(());
    }
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO aside (line, reason) VALUES (?1, ?2)")?;
    for Aside { line, reason } in aside {
        statement.execute(params![line, reason])?;
    }
    let dropped = connection
        .prepare_cached(
            "DELETE FROM aside
             WHERE aside_no <= (SELECT aside_no FROM aside ORDER BY aside_no DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([i64::try_from(limits::INFLUX_LINES_ASIDE_MAX).unwrap_or(i64::MAX)])?;
    let before = number(connection, ASIDE_DROPPED)?;
    set(connection, ASIDE_DROPPED, before.saturating_add(dropped as u64))
}

#[cfg(test)]
mod tests;
