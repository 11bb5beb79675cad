//! How far what is derived was mirrored to InfluxDB, and where the points of incidents lie: `mirror.db`.
//!
//! Losing it means that everything is written again.

use std::path::Path;

use domain::ids::IncidentId;
use rusqlite::{Connection, OptionalExtension, params};

use super::failure::Failure;
use super::file::{Durability, Format, StoreFile};
use super::readers::Readers;
use super::values::rows;
use super::writer::Writer;
use crate::StoreError;
use crate::influx::derived::IncidentPlace;

const FORMAT: Format = Format {
    name: "mirror",
    application_id: 0x4257_6d69,
    version: 1,
    schema: &[SCHEMA],
    durability: Durability::Later,
    cache_kib: 1024,
    overwrites_erased: false,
    upgrade,
};

const SCHEMA: &str = "
CREATE TABLE place (
    incident BLOB NOT NULL,
    time_us INTEGER NOT NULL,
    site TEXT NOT NULL,
    fields INTEGER NOT NULL,
    PRIMARY KEY (incident, time_us, site)
) STRICT, WITHOUT ROWID;
CREATE TABLE stand (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    target TEXT NOT NULL,
    incident_change INTEGER NOT NULL,
    usage_change INTEGER NOT NULL
) STRICT;
";

/// No format came before this one.
fn upgrade(_: &Connection) -> Result<(), Failure> {
    Ok(())
}

/// How far the mirror is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MirrorStand {
    /// Into which bucket of which InfluxDB.
    pub target: String,
    /// Changes of incidents up to this number are there.
    pub incident: u64,
    /// Changes of usage up to this number are there.
    pub usage: u64,
}

/// The mirror's file.
#[derive(Debug)]
pub struct MirrorFile {
    readers: Readers,
    writer: Writer<()>,
}

impl MirrorFile {
    /// Opens the file of a folder, or makes an empty one. Blocks for as long as the disk takes.
    ///
    /// # Errors
    /// It cannot be used; the message says what to do.
    pub fn open(folder: &Path) -> Result<MirrorFile, StoreError> {
        let (file, connection) = StoreFile::open(folder, &FORMAT)?;
        let writer = Writer::start(file.clone(), connection, &FORMAT)?;
        Ok(MirrorFile { readers: Readers::new(file), writer })
    }

    /// How far the mirror is; `None`: nothing is known of what InfluxDB has.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn stand(&self) -> Result<Option<MirrorStand>, StoreError> {
        self.readers
            .read("reading how far it is of", |connection| {
                let sql = "SELECT target, incident_change, usage_change FROM stand";
                let mut statement = connection.prepare_cached(sql)?;
                let stand = statement.query_row([], |row| {
                    Ok(MirrorStand { target: row.get(0)?, incident: row.get(1)?, usage: row.get(2)? })
                });
                Ok(stand.optional()?)
            })
            .await
    }

    /// Where the points of an incident may lie, in no order.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn places(&self, incident: &IncidentId) -> Result<Vec<IncidentPlace>, StoreError> {
        let id = *incident;
        self.readers
            .read("reading places of", move |connection| {
                let sql = "SELECT time_us, site, fields FROM place WHERE incident = ?1";
                let mut statement = connection.prepare_cached(sql)?;
                rows(&mut statement, [id.0], |columns| {
                    Ok(IncidentPlace { time: columns.time()?, site: columns.get()?, fields: columns.get()? })
                })
            })
            .await
    }

    /// Forgets all places, and notes how far the mirror is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn begin(&self, stand: MirrorStand) -> Result<(), StoreError> {
        self.writer
            .write_with(Durability::AtOnce, "beginning", move |connection, ()| {
                connection.execute("DELETE FROM place", [])?;
                put_stand(connection, &stand)
            })
            .await
    }

    /// Notes where points are going to lie, beside where they may lie already; on disk when this returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn plan(&self, places: Vec<(IncidentId, IncidentPlace)>) -> Result<(), StoreError> {
        self.writer
            .write_with(Durability::AtOnce, "planning in", move |connection, ()| {
                let mut statement = connection.prepare_cached(
                    "INSERT INTO place (incident, time_us, site, fields) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (incident, time_us, site) DO UPDATE SET fields = fields | excluded.fields",
                )?;
                for (id, place) in &places {
                    statement.execute(params![id.0, place.time.0, place.site, place.fields])?;
                }
                Ok(())
            })
            .await
    }

    /// Notes that points were written: how far the mirror is, and the only place of each of these incidents.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn written(
        &self,
        stand: MirrorStand,
        places: Vec<(IncidentId, Option<IncidentPlace>)>,
    ) -> Result<(), StoreError> {
        self.writer
            .write("writing to", move |connection, ()| {
                for (id, place) in &places {
                    connection.prepare_cached("DELETE FROM place WHERE incident = ?1")?.execute([id.0])?;
                    let Some(place) = place else { continue };
                    connection
                        .prepare_cached(
                            "INSERT INTO place (incident, time_us, site, fields) VALUES (?1, ?2, ?3, ?4)",
                        )?
                        .execute(params![id.0, place.time.0, place.site, place.fields])?;
                }
                put_stand(connection, &stand)
            })
            .await
    }
}

fn put_stand(connection: &Connection, stand: &MirrorStand) -> Result<(), Failure> {
    connection.prepare_cached("INSERT OR REPLACE INTO stand VALUES (1, ?1, ?2, ?3)")?.execute(params![
        stand.target,
        stand.incident,
        stand.usage
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::units::UnixMicros;

    use super::*;

    fn place(time: i64, site: &str, fields: u32) -> IncidentPlace {
        IncidentPlace { time: UnixMicros(time), site: site.to_owned(), fields }
    }

    fn stand(incident: u64, usage: u64) -> MirrorStand {
        MirrorStand { target: "http://a b/c".to_owned(), incident, usage }
    }

    #[tokio::test]
    async fn it_knows_where_it_stands_and_where_points_may_lie() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (IncidentId([1; 16]), IncidentId([2; 16]));
        let file = MirrorFile::open(folder.path()).unwrap();
        assert_eq!(file.stand().await.unwrap(), None);
        file.begin(stand(0, 0)).await.unwrap();
        file.plan(vec![(one, place(5, "gym-1", 1)), (one, place(6, "gym-1", 2)), (two, place(5, "", 0))])
            .await
            .unwrap();
        // Planned again with other fields, it may have them all.
        file.plan(vec![(one, place(5, "gym-1", 4))]).await.unwrap();
        let mut places = file.places(&one).await.unwrap();
        places.sort();
        assert_eq!(places, [place(5, "gym-1", 5), place(6, "gym-1", 2)]);
        assert_eq!(file.stand().await.unwrap(), Some(stand(0, 0)), "planning is not having written");

        file.written(stand(7, 0), vec![(one, Some(place(6, "gym-1", 3))), (two, None)]).await.unwrap();
        drop(file);
        let file = MirrorFile::open(folder.path()).unwrap();
        assert_eq!(file.stand().await.unwrap(), Some(stand(7, 0)));
        assert_eq!(file.places(&one).await.unwrap(), [place(6, "gym-1", 3)]);
        assert_eq!(file.places(&two).await.unwrap(), []);
        file.begin(stand(0, 0)).await.unwrap();
        assert_eq!(file.places(&one).await.unwrap(), []);
    }
}
