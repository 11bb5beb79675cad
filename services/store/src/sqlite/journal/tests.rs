use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::Lane;

use super::*;
use crate::StoreErrorKind;

fn slices(machine: &str) -> Arc<[Slice]> {
    let slice = |first| Slice {
        machine: MachineId::new(machine).unwrap(),
        log: LogId([1; 16]),
        lane: Lane::Events,
        boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
        first,
        last: first,
        records: 1,
        hole: None,
        clock: Clock::UNDATED,
        body: Bytes::from(vec![9; 10_000]),
    };
    (1..=20).map(slice).collect()
}

/// Lets the file grow to that many pages only, as a full disk would.
async fn limit_pages(journal: &SqliteJournal, pages: u32) {
    let limit = format!("PRAGMA max_page_count = {pages}");
    let work =
        move |connection: &Connection, _: &mut Names| Ok(connection.query_row(&limit, [], |_| Ok(()))?);
    journal.writer.write("limiting", work).await.unwrap();
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_appended_and_no_sequence_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    assert_eq!(journal.append(slices("tm-1")).await.unwrap(), 20);
    let before = journal.read(0, 100).await.unwrap();
    limit_pages(&journal, 80).await;
    for _ in 0..2 {
        let error = journal.append(slices("tm-2")).await.unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Full, "{error}");
        assert!(error.context.contains("journal.db") && error.context.contains("free some space"), "{error}");
    }
    assert_eq!(journal.read(0, 100).await.unwrap(), before);
    // The number that the machine's name had got was taken back with the rest.
    limit_pages(&journal, 1_000_000).await;
    assert_eq!(journal.append(slices("tm-3")).await.unwrap(), 40);
    assert_eq!(journal.append(slices("tm-2")).await.unwrap(), 60);
    let machines: Vec<_> =
        journal.read(20, 100).await.unwrap().into_iter().map(|(_, slice)| slice.machine).collect();
    assert!(machines[..20].iter().all(|machine| machine.as_str() == "tm-3"));
    assert!(machines[20..].iter().all(|machine| machine.as_str() == "tm-2"));
}

#[tokio::test]
async fn callers_that_go_away_leave_whole_appends() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    for _ in 0..10 {
        // Polled once, then dropped.
        let _ = futures::FutureExt::now_or_never(journal.append(slices("tm-1")));
    }
    assert_eq!(journal.append(slices("tm-2")).await.unwrap() % 20, 0);
    drop(journal);
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["journal.db"], "a closed journal is one file");
}

#[tokio::test]
async fn a_journal_of_the_first_format_goes_on_without_makers() {
    let folder = tempfile::tempdir().unwrap();
    let journal = SqliteJournal::open(folder.path()).unwrap();
    journal.append(slices("tm-1")).await.unwrap();
    drop(journal);
    let older = Connection::open(folder.path().join("journal.db")).unwrap();
    older.execute_batch("ALTER TABLE slice DROP COLUMN maker; PRAGMA user_version = 1").unwrap();
    older.close().unwrap();

    let journal = SqliteJournal::open(folder.path()).unwrap();
    let mut made: Vec<Slice> = slices("tm-1").to_vec();
    made.iter_mut().for_each(|slice| slice.boot.maker = Some(BootId([7; 16])));
    assert_eq!(journal.append(made.into()).await.unwrap(), 40);
    let read = journal.read(0, 100).await.unwrap();
    let makers: Vec<_> = read.into_iter().map(|(_, slice)| slice.boot.maker).collect();
    assert_eq!(makers[..20], [None; 20]);
    assert_eq!(makers[20..], [Some(BootId([7; 16])); 20]);
}
