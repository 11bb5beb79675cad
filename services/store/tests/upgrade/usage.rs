//! Usage of format 5, whose changes had no numbers.

use domain::units::UnixMicros;
use domain::usage::{PartId, Usage, UsageRow, code};
use store::ledger::{Derived, Ledger, UsageChange};
use store::sqlite::SqliteLedger;

use crate::formats::{FORMAT_2, FORMAT_3, FORMAT_4, FORMAT_5};
use crate::{check_tables, file, format_1, machine};

/// Three rows.
const ROWS_5: &str = "
INSERT INTO usage_day VALUES ('tm-02', 7, 5, 1, 9, x''), ('tm-01', 9, -3, 1, 9, x''), ('tm-01', 8, 5, 1, 9, x'');
INSERT INTO usage_total SELECT machine, day, part, x'' FROM usage_day;
INSERT INTO usage_machine VALUES ('tm-01', 9), ('tm-02', 9);
";

const TOP_BIT: u64 = 1 << 63;

fn change(change: u64, name: &str, day: i32, part: u64) -> UsageChange {
    UsageChange { change, machine: machine(name), day, part: PartId(part ^ TOP_BIT) }
}

#[tokio::test]
async fn rows_of_format_5_get_numbers_of_changes() {
    let folder = format_1(&format!("{FORMAT_2} {FORMAT_3} {FORMAT_4} {FORMAT_5} {ROWS_5}"));
    let expected =
        [change(1, "tm-02", 7, 5), change(2, "tm-01", 8, 5), change(3, "tm-01", 9, (-3_i64).cast_unsigned())];
    for _ in 0..2 {
        let ledger = SqliteLedger::open(folder.path()).expect("it opens");
        assert_eq!(ledger.usage_changes(0, 10).await.expect("changes can be read"), expected);
        assert_eq!(*ledger.usage_change().borrow(), 3);
    }
    check_tables(folder.path());
    let version = file(folder.path()).pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0));
    assert_eq!(version, Ok(6));
    // It goes on from there.
    let ledger = SqliteLedger::open(folder.path()).expect("it opens");
    let mut quarters = Vec::new();
    code::put(&mut quarters, 3, &Usage::default());
    let (part, through) = (PartId(5 ^ TOP_BIT), UnixMicros(10));
    let row = UsageRow { machine: machine("tm-02"), day: 7, part, revision: 3, through, quarters };
    ledger.put(Derived { usage: vec![row], ..Derived::default() }).await.expect("it can be written");
    let after = ledger.usage_changes(2, 10).await.expect("changes can be read");
    assert_eq!(after, [expected[2].clone(), change(4, "tm-02", 7, 5)]);
}

#[test]
fn an_empty_ledger_of_format_5_is_brought_to_the_newest() {
    let folder = format_1(&format!("{FORMAT_2} {FORMAT_3} {FORMAT_4} {FORMAT_5}"));
    let ledger = SqliteLedger::open(folder.path()).expect("it is upgraded");
    assert_eq!(*ledger.usage_change().borrow(), 0);
    drop(ledger);
    check_tables(folder.path());
}
