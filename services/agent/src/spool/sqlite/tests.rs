use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown};

use domain::log::Lane;
use domain::units::{MonotonicMicros, SECOND};
use proptest::prelude::*;
use tempfile::tempdir;

use super::*;
use crate::spool::tests::{Shelf, event, ids, open, reading};
use crate::spool::{Bounds, Spool};

const NOW: MonotonicMicros = MonotonicMicros(1_000_000);

fn at(boot_count: u32, n: u64) -> Position {
    Position::new(boot_count, n)
}

#[test]
fn everything_is_there_after_a_new_start() {
    let folder = tempdir().unwrap();
    let known = Clock { quality: ClockQuality::Estimated, offset_us: -5, uncertainty_us: 70 };
    let bounds = Bounds { events_bytes_max: 200, ..Bounds::default() };
    let mut spool = Spool::open(SqliteDisk::open(folder.path()).unwrap(), ids(1, 1), bounds, NOW).unwrap();
    for _ in 0..10 {
        spool.append(NOW, event());
        spool.append(NOW, reading());
    }
    spool.set_clock(known);
    spool.write(NOW);
    spool.trim(Lane::Readings, at(1, 3));
    let (log, counted, before) = (spool.log(Lane::Events), spool.counted(), spool.status());
    assert!(counted > 0);
    drop(spool);
    let mut spool = Spool::open(SqliteDisk::open(folder.path()).unwrap(), ids(2, 2), bounds, NOW).unwrap();
    assert_eq!(spool.log(Lane::Events), log, "the identity is the first boot's");
    assert_eq!(spool.counted(), counted);
    assert_eq!(spool.boot().boot_count, 2);
    let after = spool.status();
    assert_eq!((after.records, after.bytes), (before.records, before.bytes));
    assert_eq!(after.lanes.map(|lane| lane.first), [Some(at(1, 1)), Some(at(1, 4))]);
    let batch = spool.read(Lane::Readings, None, 600, usize::MAX).unwrap().unwrap();
    assert_eq!((batch.rows.len(), batch.clock, batch.clock_is_present), (7, known, false));
    spool.trim(Lane::Readings, at(1, 10));
    drop(spool);
    let spool = Spool::open(SqliteDisk::open(folder.path()).unwrap(), ids(3, 2), bounds, NOW).unwrap();
    assert_eq!(spool.boot().readings_before, Some(at(1, 10)), "known although nothing is left");
}

#[test]
fn a_folder_belongs_to_one_process_at_a_time() {
    let folder = tempdir().unwrap();
    let first = SqliteDisk::open(folder.path()).unwrap();
    let error = SqliteDisk::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(first);
    assert!(SqliteDisk::open(folder.path()).is_ok());
}

#[test]
fn root_leaves_nothing_in_the_folder_of_another_user() {
    let folder = tempdir().unwrap();
    let spool = folder.path().join("spool");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    assert!(!is_foreign_to(1, &spool), "who is not root is held up by the system itself");
    if fs::metadata(folder.path()).unwrap().uid() == 0 {
        assert!(!is_foreign_to(0, &spool));
        chown(folder.path(), Some(65_534), None).unwrap();
    }
    assert!(is_foreign_to(0, &spool), "the folder above is the other user's alone");
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    assert!(!is_foreign_to(0, &spool), "as in a checkout: it will be root's own");
    assert!(is_foreign_to(0, folder.path()));
}

#[test]
fn a_folder_that_cannot_be_used_says_why() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "no folder").unwrap();
    assert!(matches!(SqliteDisk::open(&file).unwrap_err(), OpenError::Folder { .. }));
    for (name, content, part) in [
        (
            "newer",
            "PRAGMA application_id = 0x42575350; PRAGMA user_version = 7",
            "has format 7; this agent reads",
        ),
        ("foreign", "PRAGMA application_id = 77", "is no spool of a Beltwatch agent"),
    ] {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        Connection::open(folder.join("events.sqlite")).unwrap().execute_batch(content).unwrap();
        let error = SqliteDisk::open(&folder).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let folder = folder.path().join("text");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("events.sqlite"), "this is a text of more than sixteen octets").unwrap();
    assert!(matches!(SqliteDisk::open(&folder).unwrap_err(), OpenError::Foreign { .. }));
}

#[test]
fn files_of_two_spools_are_not_mixed() {
    let folder = tempdir().unwrap();
    drop(open(SqliteDisk::open(folder.path()).unwrap(), 1));
    std::fs::remove_file(folder.path().join("events.sqlite")).unwrap();
    let error = Spool::open(SqliteDisk::open(folder.path()).unwrap(), ids(2, 1), Bounds::default(), NOW);
    assert!(error.unwrap_err().to_string().contains("different spools"));
}

#[test]
fn events_are_synced_before_the_call_returns_and_readings_by_a_checkpoint() {
    let folder = tempdir().unwrap();
    let mut disk = SqliteDisk::open(folder.path()).unwrap();
    let synchronous = |file: &LaneFile| -> i64 {
        file.connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap()
    };
    assert_eq!((synchronous(&disk.events), synchronous(&disk.readings)), (2, 1), "FULL and NORMAL");
    let clock = Clock::UNDATED;
    disk.put_clock(1, &clock).unwrap();
    assert_eq!(synchronous(&disk.events), 2, "FULL again after a write that may be lost");
    let row = Row { position: at(1, 1), at: NOW, octets: bytes::Bytes::from_static(b"reading") };
    disk.write_readings(std::slice::from_ref(&row), 0).unwrap();
    let main_file = || std::fs::read(folder.path().join("readings.sqlite")).unwrap();
    let holds = |octets: Vec<u8>| octets.windows(7).any(|part| part == b"reading");
    assert!(!holds(main_file()), "it is in the write-ahead log only");
    disk.sync_readings().unwrap();
    assert!(holds(main_file()), "the checkpoint syncs the log and copies it");
    // Written twice after an error that was none: the first stays.
    disk.write_readings(std::slice::from_ref(&row), 3).unwrap();
    let left = disk.trim(Lane::Readings, at(1, 0), Removal::Dropped).unwrap();
    assert_eq!((left.records, left.bytes, left.dropped), (1, row.bytes(), 3));
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Append(Lane),
    Write,
    Trim(Lane, u64),
    Renew,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lane = prop_oneof![Just(Lane::Events), Just(Lane::Readings)];
    let step = prop_oneof![
        8 => lane.clone().prop_map(Step::Append),
        3 => Just(Step::Write),
        2 => (lane, 0_u64..30).prop_map(|(lane, n)| Step::Trim(lane, n)),
        1 => Just(Step::Renew),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..60)
}

fn state<D: Disk>(spool: &mut Spool<D>) -> (crate::spool::SpoolStatus, Vec<Vec<Row>>, Boot) {
    let mut rows = Vec::new();
    for lane in Lane::ALL {
        let mut after = None;
        while let Some(batch) = spool.read(lane, after, 5, 200).unwrap() {
            after = batch.rows.last().map(|row| row.position);
            rows.push(batch.rows);
        }
    }
    (spool.status(), rows, *spool.boot())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A spool on SQLite is the same as one in memory, whatever is done to both.
    #[test]
    fn the_real_disk_does_what_the_one_in_memory_does(steps in steps(), memory_bytes_max in prop_oneof![Just(0), Just(1 << 20)]) {
        let folder = tempdir().unwrap();
        // Readings overflow now and then.
        let bounds = Bounds { memory_bytes_max, readings_bytes_max: 600, ..Bounds::default() };
        let mut real =
            Spool::open(SqliteDisk::open(folder.path()).unwrap(), ids(1, 1), bounds, NOW).unwrap();
        let mut shelf = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
        let mut now = NOW;
        for step in steps {
            now = now.plus(SECOND);
            match step {
                Step::Append(lane) => {
                    let payload = || match lane {
                        Lane::Events => event(),
                        Lane::Readings => reading(),
                    };
                    prop_assert_eq!(real.append(now, payload()), shelf.append(now, payload()));
                }
                Step::Write => prop_assert_eq!(real.write(now), shelf.write(now)),
                Step::Trim(lane, n) => {
                    let through = at(real.boot().boot_count, n);
                    real.trim(lane, through);
                    shelf.trim(lane, through);
                }
                Step::Renew => {
                    real.renew().unwrap();
                    shelf.renew().unwrap();
                }
                Step::Restart => {
                    drop(real);
                    real =
                        Spool::open(SqliteDisk::open(folder.path()).unwrap(), ids(2, 1), bounds, now).unwrap();
                    shelf = Spool::open(shelf.into_disk(), ids(2, 1), bounds, now).unwrap();
                }
            }
            prop_assert_eq!(state(&mut real), state(&mut shelf));
        }
    }
}
