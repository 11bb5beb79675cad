//! Opening SQLite's files: of another version, damaged, held, in places that cannot be written, after a crash.

use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId};
use domain::log::{BootStart, Lane};
use domain::record::{Payload, Reading, Record};
use domain::units::MonotonicMicros;
use rusqlite::Connection;
use store::journal::{Journal, Slice};
use store::ledger::{Checkpoint, Derived, Ledger};
use store::sqlite::{SqliteJournal, SqliteLedger, SqliteTelemetry, lock_folder};
use store::telemetry::{Block, Telemetry};
use store::{StoreError, StoreErrorKind};
use tempfile::TempDir;

const FILES: [&str; 3] = ["journal.db", "ledger.db", "telemetry.db"];

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// Opens one of the files by its name.
fn open(folder: &Path, file: &str) -> Result<(), StoreError> {
    match file {
        "journal.db" => SqliteJournal::open(folder).map(drop),
        "ledger.db" => SqliteLedger::open(folder).map(drop),
        _ => SqliteTelemetry::open(folder).map(drop),
    }
}

#[track_caller]
fn check_refused<T: Debug>(result: Result<T, StoreError>, kind: StoreErrorKind, says: &[&str]) {
    let error = result.expect_err("this had to be refused");
    assert_eq!(error.kind, kind, "{error}");
    for part in says {
        assert!(error.context.contains(part), "\"{part}\" is not in \"{error}\"");
    }
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    for file in FILES {
        let folder = folder();
        open(folder.path(), file).expect("a new one can be made");
        let path = folder.path().join(file);
        let newer = Connection::open(&path).expect("SQLite opens it");
        newer
            .execute_batch(
                "PRAGMA user_version = 7; UPDATE about SET value = '9.8.7' WHERE name = 'written_by'",
            )
            .expect("it can be changed");
        newer.close().expect("it can be closed");
        let before = fs::read(&path).expect("it can be read");
        let says = [file, "format 7", "9.8.7", "start that version or a newer one", "restore a backup"];
        check_refused(open(folder.path(), file), StoreErrorKind::IncompatibleVersion, &says);
        assert_eq!(fs::read(&path).expect("it can be read"), before, "{file} was written to");
    }
}

#[test]
fn a_damaged_head_is_found() {
    for file in FILES {
        let folder = folder();
        open(folder.path(), file).expect("a new one can be made");
        let path = folder.path().join(file);
        let mut octets = fs::read(&path).expect("it can be read");
        octets[..64].fill(0x55);
        fs::write(&path, octets).expect("it can be written");
        check_refused(open(folder.path(), file), StoreErrorKind::Corrupt, &[file, "restore a backup"]);
    }
}

#[test]
fn what_another_program_made_is_refused() {
    for file in FILES {
        let folder = folder();
        let other = Connection::open(folder.path().join(file)).expect("SQLite makes it");
        other.execute_batch("CREATE TABLE other (x)").expect("a table can be made");
        other.close().expect("it can be closed");
        check_refused(open(folder.path(), file), StoreErrorKind::Corrupt, &[file, "move it away"]);
        fs::write(folder.path().join(file), "not a store at all, but long enough to have a head")
            .expect("written");
        check_refused(open(folder.path(), file), StoreErrorKind::Corrupt, &[file]);
    }
}

#[test]
fn a_journal_is_no_ledger() {
    let folder = folder();
    open(folder.path(), "journal.db").expect("a new one can be made");
    fs::rename(folder.path().join("journal.db"), folder.path().join("ledger.db")).expect("it can be renamed");
    check_refused(open(folder.path(), "ledger.db"), StoreErrorKind::Corrupt, &["ledger.db", "no ledger"]);
}

/// Whoever runs the tests may be allowed everything, so these are places in which nobody can write.
#[test]
fn a_place_that_cannot_be_written_says_what_to_do() {
    let folder = folder();
    let file = folder.path().join("file");
    fs::write(&file, "").expect("it can be written");
    let below = file.join("store");
    check_refused(lock_folder(&below), StoreErrorKind::Unavailable, &["cannot be made", "another folder"]);
    for name in FILES {
        check_refused(open(&below, name), StoreErrorKind::Unavailable, &["cannot be made", "another folder"]);
        fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        check_refused(
            open(folder.path(), name),
            StoreErrorKind::Unavailable,
            &[name, "can be read and written"],
        );
    }
    fs::create_dir(folder.path().join("lock")).expect("a folder can be made");
    check_refused(lock_folder(folder.path()), StoreErrorKind::Unavailable, &["lock", "another folder"]);
}

#[test]
fn a_folder_is_held_by_one_server() {
    let folder = folder();
    let place = folder.path().join("new").join("store");
    let lock = lock_folder(&place).expect("nobody holds it");
    assert_eq!(lock.folder(), place);
    let process = format!("in use by process {}", std::process::id());
    check_refused(lock_folder(&place), StoreErrorKind::Unavailable, &[&process, "stop that server first"]);
    drop(lock);
    lock_folder(&place).expect("it was released");
}

fn slice(first: u64) -> Slice {
    Slice {
        machine: MachineId::new("tm-1").expect("it is an id"),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
        first,
        last: first,
        records: 1,
        hole: None,
        clock: Clock::UNDATED,
        body: Bytes::from(vec![7; 500]),
    }
}

fn block(n: u64) -> Block {
    let payload = Payload::Reading(Reading { span_ms: 1_000, ..Reading::default() });
    Block {
        sequence: n,
        machine: MachineId::new("tm-1").expect("it is an id"),
        log: LogId([1; 16]),
        lane: Lane::Readings,
        boot_count: 1,
        clock: Clock { quality: ClockQuality::Estimated, offset_us: 0, uncertainty_us: 9 },
        records: vec![(n, Record { at: MonotonicMicros(n), other_n: 0, payload })],
    }
}

/// What a killed process leaves is the files as they are: nothing was closed, nothing moved out of the log.
fn image(from: &Path) -> TempDir {
    let to = folder();
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let entry = entry.expect("the folder can be read");
        // The index of the log is made anew; a machine that starts again has none.
        if !entry.path().to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.path().join(entry.file_name())).expect("it can be copied");
        }
    }
    to
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_kill() {
    let live = folder();
    let journal = SqliteJournal::open(live.path()).expect("a new one can be made");
    let ledger = SqliteLedger::open(live.path()).expect("a new one can be made");
    let telemetry = SqliteTelemetry::open(live.path()).expect("a new one can be made");
    for round in 1..=20_u64 {
        let slices: Arc<[Slice]> = (0..50).map(|number| slice(round * 50 + number)).collect();
        let last = journal.append(slices).await.expect("appending works");
        let machine = MachineId::new("tm-1").expect("it is an id");
        let checkpoint =
            Checkpoint { machine, sequence: last, revision: round, state: Bytes::from(vec![1; 900]) };
        let derived = Derived { checkpoints: vec![checkpoint.clone()], ..Derived::default() };
        ledger.put(derived).await.expect("putting works");
        telemetry
            .put((0..50).map(|number| block(round * 50 + number)).collect())
            .await
            .expect("putting works");
        telemetry.set_watermark(last).await.expect("the watermark can be set");

        let killed = image(live.path());
        let after = SqliteJournal::open(killed.path()).expect("it opens after a kill");
        assert_eq!(after.span().await.expect("the span is known").last, last);
        let tail = after.read(last - 1, 10).await.expect("reading works");
        assert_eq!(tail, [(last, slice(round * 50 + 49))]);
        let after = SqliteLedger::open(killed.path()).expect("it opens after a kill");
        assert_eq!(after.checkpoints(None, 10).await.expect("checkpoints can be read"), [checkpoint]);
        let after = SqliteTelemetry::open(killed.path()).expect("it opens after a kill");
        assert_eq!(after.watermark().await.expect("the watermark is known"), last);
        assert_eq!(after.counts(None).await.expect("records are counted").readings, last);
    }
}

/// A write-ahead log that ends anywhere gives whole groups, each up to some end: all or none of an append.
#[tokio::test]
async fn a_torn_log_gives_whole_appends() {
    let live = folder();
    let journal = SqliteJournal::open(live.path()).expect("a new one can be made");
    for round in 0..10_u64 {
        let slices: Arc<[Slice]> = (1..=30).map(|number| slice(round * 30 + number)).collect();
        journal.append(slices).await.expect("appending works");
    }
    let log = fs::read(live.path().join("journal.db-wal")).expect("there is a log");
    let mut seen = Vec::new();
    for end in (0..=log.len()).step_by(log.len() / 60) {
        let torn = image(live.path());
        fs::write(torn.path().join("journal.db-wal"), &log[..end]).expect("it can be written");
        // The very first frames make the tables; without them the file is new.
        let after = SqliteJournal::open(torn.path()).expect("it opens");
        let last = after.span().await.expect("the span is known").last;
        assert_eq!(last % 30, 0, "an append was cut at {end} octets");
        assert_eq!(after.read(0, 1_000).await.expect("reading works").len() as u64, last);
        seen.push(last);
    }
    assert!(seen.is_sorted() && seen.first() < seen.last(), "{seen:?}");
}

/// A chunk that was damaged on disk costs its own records, and is made whole when its block comes again.
#[tokio::test]
async fn a_damaged_chunk_costs_itself_and_heals() {
    let live = folder();
    let telemetry = SqliteTelemetry::open(live.path()).expect("a new one can be made");
    for n in 1..=3 {
        telemetry.put(vec![block(n)]).await.expect("putting works");
    }
    drop(telemetry);
    let file = Connection::open(live.path().join("telemetry.db")).expect("SQLite opens it");
    let mut body: Vec<u8> = file
        .query_row("SELECT body FROM chunk WHERE first_n = 2", [], |row| row.get(0))
        .expect("it can be read");
    body[10] ^= 0x20;
    let changed = file.execute("UPDATE chunk SET body = ?1 WHERE first_n = 2", [body]);
    assert_eq!(changed.expect("it can be changed"), 1);
    file.close().expect("it can be closed");
    let telemetry = SqliteTelemetry::open(live.path()).expect("it opens");
    let numbers = async || {
        let query = store::telemetry::RangeQuery {
            machine: MachineId::new("tm-1").expect("it is an id"),
            from: domain::units::UnixMicros(0),
            until: domain::units::UnixMicros(1_000),
            after: None,
            max: 10,
        };
        let readings = telemetry.readings(&query).await.expect("readings can be listed");
        readings.into_iter().map(|stored| stored.position.n).collect::<Vec<_>>()
    };
    assert_eq!(numbers().await, [1, 3]);
    telemetry.put(vec![block(2)]).await.expect("putting works");
    assert_eq!(numbers().await, [1, 2, 3]);
    assert_eq!(telemetry.counts(None).await.expect("records are counted").readings, 3);
}

/// What follows each other in one boot is one chunk, if it is put together; what comes again is there once.
#[tokio::test]
async fn blocks_that_are_put_together_become_one_chunk() {
    let live = folder();
    let telemetry = SqliteTelemetry::open(live.path()).expect("a new one can be made");
    telemetry.put(vec![block(1), block(2), block(2), block(4), block(3)]).await.expect("putting works");
    assert_eq!(telemetry.counts(None).await.expect("records are counted").readings, 4);
    drop(telemetry);
    let file = Connection::open(live.path().join("telemetry.db")).expect("SQLite opens it");
    let chunks: Vec<(u64, u64, u64)> = file
        .prepare("SELECT first_n, last_n, records FROM chunk ORDER BY first_n")
        .expect("it is SQL")
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .expect("it can be read")
        .collect::<Result<_, _>>()
        .expect("it can be read");
    assert_eq!(chunks, [(1, 4, 4)]);
}
