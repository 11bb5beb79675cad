//! Cases of usage.

use domain::units::UnixMicros;
use domain::usage::{PartId, Usage, UsageRow, code};

use crate::contract::given::{machine, second, usage};
use crate::contract::refused;
use crate::ledger::{Derived, Ledger, UsageChange, UsageQuery, UsageTotal, quarters};
use crate::{StoreError, StoreErrorKind};

/// A row with this many quarters, each with one more second of motion than the one before.
fn row(name: &str, day: i32, part: u64, revision: u64, count: u8) -> UsageRow {
    let mut quarters = Vec::new();
    (0..count).for_each(|number| code::put(&mut quarters, number, &usage(u64::from(number) + 1)));
    let through = second(i64::from(day) * 1_000 + i64::from(count));
    UsageRow { machine: machine(name), day, part: PartId(part), revision, through, quarters }
}

/// The sum of a row as `row` makes it.
fn total(name: &str, day: i32, part: u64, count: u8) -> UsageTotal {
    let mut sum = Usage::default();
    (1..=u64::from(count)).for_each(|seconds| sum.merge(&usage(seconds)));
    UsageTotal { machine: machine(name), day, part: PartId(part), usage: sum }
}

async fn put(ledger: &dyn Ledger, usage: Vec<UsageRow>) {
    ledger.put(Derived { usage, ..Derived::default() }).await.expect("putting works");
}

/// All usage of these machines.
fn all(machines: &[&str], max: usize) -> UsageQuery {
    let machines = machines.iter().map(|name| machine(name)).collect();
    UsageQuery { machines, from_day: i32::MIN, until_day: i32::MAX, after: None, max }
}

async fn listed(ledger: &dyn Ledger, query: &UsageQuery) -> Vec<UsageRow> {
    let rows = ledger.usage(query).await.expect("usage can be read");
    // Sums go the same way.
    let totals = ledger.usage_totals(query).await.expect("usage can be read");
    let key = |total: &UsageTotal| (total.machine.clone(), total.day, total.part);
    let keys: Vec<_> = rows.iter().map(|row| (row.machine.clone(), row.day, row.part)).collect();
    assert_eq!(totals.iter().map(key).collect::<Vec<_>>(), keys);
    rows
}

async fn through(ledger: &dyn Ledger, machines: &[&str]) -> Vec<(String, i64)> {
    let machines: Vec<_> = machines.iter().map(|name| machine(name)).collect();
    let through = ledger.usage_through(&machines).await.expect("usage can be read");
    let seconds = |time: UnixMicros| time.since(second(0)) / 1_000_000;
    through.into_iter().map(|(machine, time)| (machine.to_string(), seconds(time))).collect()
}

pub(super) async fn the_greater_revision_stays_with_its_sum(ledger: &dyn Ledger) {
    put(ledger, vec![row("tm-1", 5, 1, 7, 3), row("tm-1", 5, 2, 4, 2)]).await;
    // An older one changes nothing; of equal ones the later stays.
    put(ledger, vec![row("tm-1", 5, 1, 6, 96), row("tm-1", 5, 2, 4, 1)]).await;
    let stays = [row("tm-1", 5, 1, 7, 3), row("tm-1", 5, 2, 4, 1)];
    assert_eq!(listed(ledger, &all(&["tm-1"], 10)).await, stays);
    let totals = [total("tm-1", 5, 1, 3), total("tm-1", 5, 2, 1)];
    assert_eq!(ledger.usage_totals(&all(&["tm-1"], 10)).await.expect("usage can be read"), totals);
    put(ledger, vec![row("tm-1", 5, 1, 8, 96), row("tm-1", 5, 2, 9, 0)]).await;
    let totals = [total("tm-1", 5, 1, 96), total("tm-1", 5, 2, 0)];
    assert_eq!(ledger.usage_totals(&all(&["tm-1"], 10)).await.expect("usage can be read"), totals);
    let stored = listed(ledger, &all(&["tm-1"], 1)).await;
    let read: Result<Vec<_>, StoreError> = quarters(&stored[0]).collect();
    let expected: Vec<(u8, Usage)> = (0..96).map(|number| (number, usage(u64::from(number) + 1))).collect();
    assert_eq!(read.expect("its quarters can be read"), expected);
}

pub(super) async fn rows_come_by_machine_day_and_part(ledger: &dyn Ledger) {
    // Parts are in the order of their unsigned numbers, days before 1970 come first.
    let keys = [
        ("tm-1", -3, 9),
        ("tm-1", 4, 0),
        ("tm-1", 4, 1 << 63),
        ("tm-1", 4, u64::MAX),
        ("tm-1", 5, 3),
        ("tm-2", i32::MIN, 1),
        ("tm-2", 4, 7),
        ("tm-3", 4, 7),
    ];
    let rows = keys.map(|(name, day, part)| row(name, day, part, 1, 2));
    put(ledger, rows.iter().rev().cloned().collect()).await;
    let both = ["tm-2", "tm-1", "tm-1", "tm-9"];
    assert_eq!(listed(ledger, &all(&both, 100)).await, rows[..7]);
    assert_eq!(listed(ledger, &all(&["tm-3"], 1)).await, rows[7..]);
    assert_eq!(listed(ledger, &all(&[], 1)).await, []);
    let days = |from_day, until_day| UsageQuery { from_day, until_day, ..all(&both, 100) };
    assert_eq!(listed(ledger, &days(4, 5)).await, [&rows[1..4], &rows[6..7]].concat());
    assert_eq!(listed(ledger, &days(5, 6)).await, rows[4..5]);
    assert_eq!(listed(ledger, &days(6, 9)).await, []);
    assert_eq!(listed(ledger, &days(5, 4)).await, []);
    // Pages go on behind their last row, and behind a place where nothing lies.
    let mut query = all(&both, 2);
    let mut seen = Vec::new();
    loop {
        let page = listed(ledger, &query).await;
        let Some(last) = page.last() else { break };
        query.after = Some((last.machine.clone(), last.day, last.part));
        seen.extend(page);
        assert!(seen.len() <= 7, "pages repeat rows");
    }
    assert_eq!(seen, rows[..7]);
    let after =
        |name, day, part| UsageQuery { after: Some((machine(name), day, PartId(part))), ..all(&both, 100) };
    assert_eq!(listed(ledger, &after("tm-1", 4, 5)).await, rows[2..7]);
    assert_eq!(listed(ledger, &after("tm-15", 9, 9)).await, rows[5..7]);
    assert_eq!(listed(ledger, &after("tm-3", 0, 0)).await, []);
    let within = UsageQuery { from_day: 4, ..after("tm-1", -9, 5) };
    assert_eq!(listed(ledger, &within).await, [&rows[1..5], &rows[6..7]].concat());
}

pub(super) async fn the_newest_time_is_told(ledger: &dyn Ledger) {
    assert_eq!(through(ledger, &["tm-1"]).await, []);
    put(ledger, vec![row("tm-1", 9, 1, 5, 4), row("tm-2", 3, 1, 5, 4)]).await;
    // An earlier day that goes on, and an older version of the newest one.
    put(ledger, vec![row("tm-1", 8, 1, 5, 90), row("tm-1", 9, 1, 4, 96)]).await;
    let told = [("tm-1".to_owned(), 9_004), ("tm-2".to_owned(), 3_004)];
    assert_eq!(through(ledger, &["tm-2", "tm-1", "tm-2", "tm-3"]).await, told);
    assert_eq!(through(ledger, &[]).await, []);
}

async fn changes(ledger: &dyn Ledger, after: u64, max: usize) -> Vec<UsageChange> {
    ledger.usage_changes(after, max).await.expect("changes can be read")
}

fn change(change: u64, name: &str, day: i32, part: u64) -> UsageChange {
    UsageChange { change, machine: machine(name), day, part: PartId(part) }
}

pub(super) async fn each_change_has_the_next_number(ledger: &dyn Ledger) {
    let told = ledger.usage_change();
    assert_eq!((*told.borrow(), changes(ledger, 0, 10).await), (0, Vec::new()));
    put(ledger, vec![row("tm-2", 5, u64::MAX, 1, 3), row("tm-1", -5, 2, 1, 2)]).await;
    assert!(told.has_changed().expect("the ledger is there"));
    assert_eq!(*told.borrow(), 2);
    let both = [change(1, "tm-2", 5, u64::MAX), change(2, "tm-1", -5, 2)];
    assert_eq!(changes(ledger, 0, 10).await, both);
    assert_eq!(changes(ledger, 0, 1).await, both[..1]);
    assert_eq!(changes(ledger, 1, 10).await, both[1..]);
    // A replay changes nothing, nor does an older version.
    let told = ledger.usage_change();
    put(ledger, vec![row("tm-1", -5, 2, 1, 2), row("tm-2", 5, u64::MAX, 0, 9)]).await;
    put(ledger, Vec::new()).await;
    assert!(!told.has_changed().expect("the ledger is there"));
    assert_eq!(changes(ledger, 0, 10).await, both);
    // A greater revision does, even if it says the same, and an equal one that says something else; two are two.
    put(ledger, vec![row("tm-2", 5, u64::MAX, 2, 3)]).await;
    put(ledger, vec![row("tm-1", -5, 2, 1, 3), row("tm-3", 0, 0, 1, 1), row("tm-3", 0, 0, 2, 1)]).await;
    let after = [change(3, "tm-2", 5, u64::MAX), change(4, "tm-1", -5, 2), change(6, "tm-3", 0, 0)];
    assert_eq!(changes(ledger, 0, 10).await, after);
    assert_eq!((*told.borrow(), changes(ledger, u64::MAX, 10).await), (6, Vec::new()));
}

pub(super) async fn changes_after_a_cursor_have_no_gap(ledger: &dyn Ledger) {
    let mut cursor = 0;
    let mut seen = std::collections::BTreeMap::new();
    let mut rounds = 0..30_u64;
    loop {
        let round = rounds.next();
        if let Some(round) = round {
            let days = (0..round % 7).map(|step| ((round * 11 + step * 5) % 40) as i32);
            put(ledger, days.map(|day| row("tm-1", day, 1, round, 1)).collect()).await;
        }
        // It reads fewer than come, so it falls behind.
        let page = changes(ledger, cursor, 2).await;
        if page.is_empty() && round.is_none() {
            break;
        }
        for change in page {
            assert!(change.change > cursor, "changes ascend");
            cursor = change.change;
            seen.insert(change.day, change);
        }
    }
    assert_eq!(cursor, *ledger.usage_change().borrow());
    let mut seen: Vec<UsageChange> = seen.into_values().collect();
    seen.sort_by_key(|change| change.change);
    assert!(seen.len() > 30, "most days were put");
    assert_eq!(changes(ledger, 0, 1_000).await, seen);
}

/// And nothing of it stays.
pub(super) async fn what_cannot_be_is_refused(ledger: &dyn Ledger) {
    let good = row("tm-1", 1, 1, 1, 3);
    let damaged = UsageRow { quarters: good.quarters[..good.quarters.len() - 1].to_vec(), ..good.clone() };
    let newer = UsageRow { quarters: vec![200, 1], ..good.clone() };
    let too_great = UsageRow { revision: u64::MAX, ..good.clone() };
    for bad in [damaged, newer, too_great] {
        let derived = Derived { usage: vec![good.clone(), bad], ..Derived::default() };
        refused(ledger.put(derived).await, StoreErrorKind::Invalid);
    }
    assert_eq!(listed(ledger, &all(&["tm-1"], 40_000)).await, []);
    assert_eq!(through(ledger, &["tm-1"]).await, []);
    for max in [0, 40_001] {
        refused(ledger.usage(&all(&["tm-1"], max)).await, StoreErrorKind::Invalid);
        refused(ledger.usage_totals(&all(&["tm-1"], max)).await, StoreErrorKind::Invalid);
    }
    for max in [0, 1_001] {
        refused(ledger.usage_changes(0, max).await, StoreErrorKind::Invalid);
    }
    assert_eq!(*ledger.usage_change().borrow(), 0);
    let names: Vec<String> = (0..1_001).map(|number| format!("tm-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    refused(ledger.usage(&all(&names, 1)).await, StoreErrorKind::Invalid);
    refused(ledger.usage_totals(&all(&names, 1)).await, StoreErrorKind::Invalid);
    refused(ledger.usage_through(&all(&names, 1).machines).await, StoreErrorKind::Invalid);
}

pub(super) async fn opened_again_it_has_all(open: impl AsyncFn() -> Box<dyn Ledger>) {
    let rows = vec![row("tm-1", 5, 1, 7, 3), row("tm-1", 5, 2, 4, 2)];
    put(&*open().await, rows.clone()).await;
    let ledger = open().await;
    assert_eq!(listed(&*ledger, &all(&["tm-1"], 10)).await, rows);
    assert_eq!(through(&*ledger, &["tm-1"]).await, [("tm-1".to_owned(), 5_003)]);
    put(&*ledger, vec![row("tm-1", 5, 1, 6, 1)]).await;
    assert_eq!(listed(&*ledger, &all(&["tm-1"], 10)).await, rows);
    assert_eq!(*ledger.usage_change().borrow(), 2);
    put(&*ledger, vec![row("tm-1", 5, 1, 9, 1)]).await;
    let both = [change(2, "tm-1", 5, 2), change(3, "tm-1", 5, 1)];
    assert_eq!((changes(&*ledger, 0, 10).await, *ledger.usage_change().borrow()), (both.to_vec(), 3));
}
