//! Crashes between file and index, indexes that are lost or older than the files, histories of the format before.

use domain::log::Lane;
use rusqlite::Connection;
use store::chunk::{Encoder, Row};
use store::telemetry::Telemetry;

use crate::given::{block, check, clock, compact, counted, files, folder, numbers, open, put, readings};

/// The database files of a folder.
fn database(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let paths = paths.filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"));
    paths.map(|path| (path.clone(), std::fs::read(path).expect("it can be read"))).collect()
}

/// The database as it was: the files stay.
fn put_back(folder: &std::path::Path, old: &[(std::path::PathBuf, Vec<u8>)]) {
    for (path, _) in database(folder) {
        std::fs::remove_file(path).expect("it can be removed");
    }
    for (path, octets) in old {
        std::fs::write(path, octets).expect("it can be written");
    }
}

/// A crash after the file was written, before the index knows of it.
#[tokio::test]
async fn a_file_without_an_index_is_removed_if_all_is_stored() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, (0..9).map(|part| readings("tm-1", part * 10 + 1, part * 10 + 10))).await;
    put(&telemetry, [block("tm-1", Lane::Events, 1, 5)]).await;
    drop(telemetry);
    let before = database(live.path());
    let telemetry = open(live.path());
    compact(&telemetry).await;
    drop(telemetry);
    assert_eq!(files(live.path()).len(), 2);
    put_back(live.path(), &before);
    let telemetry = open(live.path());
    assert_eq!(files(live.path()), [""; 0]);
    assert_eq!(counted(&telemetry).await, (90, 5));
    assert_eq!(numbers(&telemetry, "tm-1").await, (1..=90).collect::<Vec<_>>());
    compact(&telemetry).await;
    assert_eq!(numbers(&telemetry, "tm-1").await, (1..=90).collect::<Vec<_>>());
}

/// The file was not whole when the power went.
#[tokio::test]
async fn a_torn_file_takes_nothing_with_it() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, (0..9).map(|part| readings("tm-1", part * 10 + 1, part * 10 + 10))).await;
    drop(telemetry);
    let before = database(live.path());
    let telemetry = open(live.path());
    compact(&telemetry).await;
    drop(telemetry);
    let path = live.path().join("history").join(files(live.path()).remove(0));
    let whole = std::fs::read(&path).expect("it is there");
    for end in (0..whole.len()).step_by(11) {
        put_back(live.path(), &before);
        std::fs::write(&path, &whole[..end]).expect("it can be written");
        let telemetry = open(live.path());
        assert_eq!(numbers(&telemetry, "tm-1").await, (1..=90).collect::<Vec<_>>(), "cut at {end}");
        assert_eq!(check(&telemetry).await, (9, vec![]), "cut at {end}");
    }
}

/// An index that is lost is made anew; one that is older than the files gets what it lacks.
#[tokio::test]
async fn files_are_taken_in_where_the_index_does_not_know_them() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 1, 50), readings("tm-2", 1, 50)]).await;
    drop(telemetry);
    let early = database(live.path());
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 51, 90), block("tm-1", Lane::Events, 1, 5)]).await;
    compact(&telemetry).await;
    // Late records make a file of their own, between the numbers of the first.
    put(&telemetry, [readings("tm-3", 1, 9), readings("tm-3", 20, 29)]).await;
    compact(&telemetry).await;
    put(&telemetry, [readings("tm-3", 10, 19)]).await;
    compact(&telemetry).await;
    drop(telemetry);
    let late = files(live.path());
    assert_eq!(late.len(), 4);
    for old in [Vec::new(), early] {
        put_back(live.path(), &old);
        let telemetry = open(live.path());
        assert_eq!(counted(&telemetry).await, (169, 5));
        assert_eq!(numbers(&telemetry, "tm-1").await, (1..=90).collect::<Vec<_>>());
        assert_eq!(numbers(&telemetry, "tm-2").await, (1..=50).collect::<Vec<_>>());
        assert_eq!(numbers(&telemetry, "tm-3").await, (1..=29).collect::<Vec<_>>());
        // Once more from the journal: nothing counts twice.
        put(&telemetry, [readings("tm-1", 1, 90), readings("tm-3", 1, 29)]).await;
        compact(&telemetry).await;
        assert_eq!(counted(&telemetry).await, (169, 5));
        assert_eq!(check(&telemetry).await.1, []);
        drop(telemetry);
        assert_eq!(counted(&open(live.path())).await, (169, 5));
    }
}

/// As the program of format 1 made it.
const FORMAT_1: &str = "
PRAGMA journal_mode = WAL;
CREATE TABLE about (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE machine (machine_no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, readings INTEGER NOT NULL DEFAULT 0,
    events INTEGER NOT NULL DEFAULT 0, undated INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE log (log_no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE chunk (machine_no INTEGER NOT NULL, lane INTEGER NOT NULL, log_no INTEGER NOT NULL,
    boot_count INTEGER NOT NULL, first_n INTEGER NOT NULL, last_n INTEGER NOT NULL, records INTEGER NOT NULL,
    first_us INTEGER, last_us INTEGER, body BLOB NOT NULL,
    PRIMARY KEY (machine_no, lane, log_no, boot_count, first_n)) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_time ON chunk (machine_no, lane, first_us, last_us) WHERE first_us IS NOT NULL;
INSERT INTO about VALUES ('written_by', '0.0.9'), ('watermark', 7);
INSERT INTO machine VALUES (1, 'tm-1', 10, 0, 0);
INSERT INTO log VALUES (1, x'01010101010101010101010101010101');
PRAGMA application_id = 0x4257746c;
PRAGMA user_version = 1;
";

#[tokio::test]
async fn a_history_of_format_1_opens_and_is_compacted() {
    let live = folder();
    let made = Connection::open(live.path().join("telemetry.db")).expect("SQLite opens it");
    made.execute_batch(FORMAT_1).expect("it is SQL");
    let records = readings("tm-1", 1, 10).records;
    let rows: Vec<Row> = records.into_iter().map(|(n, record)| Row { n, clock: clock(), record }).collect();
    let times = (rows[0].time().expect("dated").0, rows[9].time().expect("dated").0);
    let body = Encoder::default().encode(Lane::Readings, &rows).expect("it is a chunk");
    made.execute("INSERT INTO chunk VALUES (1, 1, 1, 1, 1, 10, 10, ?1, ?2, ?3)", (times.0, times.1, body))
        .expect("a chunk can be put");
    made.close().expect("it can be closed");
    let telemetry = open(live.path());
    assert_eq!(telemetry.watermark().await.expect("the watermark is known"), 7);
    for _ in 0..2 {
        assert_eq!(numbers(&telemetry, "tm-1").await, (1..=10).collect::<Vec<_>>());
        assert_eq!(counted(&telemetry).await, (10, 0));
        compact(&telemetry).await;
    }
    assert_eq!(files(live.path()).len(), 1);
    drop(telemetry);
    let version: i32 = Connection::open(live.path().join("telemetry.db"))
        .expect("SQLite opens it")
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("it has a version");
    assert_eq!(version, 2);
}
