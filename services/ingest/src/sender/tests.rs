use super::*;

const SPOOL: LogId = LogId([1; 16]);
const OTHER_SPOOL: LogId = LogId([2; 16]);

fn at(seconds: u64) -> MonotonicMicros {
    MonotonicMicros(seconds * SECOND)
}

fn process(boot: u8, boot_count: u32, connection: u32, log: LogId) -> Sender {
    Sender { boot: BootId([boot; 16]), boot_count, connection, log: Some(log) }
}

fn old(cloned: bool) -> Standing {
    Standing::Old { cloned, alone: false }
}

#[test]
fn a_newer_boot_replaces_an_older_one_and_late_messages_are_no_alarm() {
    let mut senders = Senders::default();
    let (one, two) = (process(1, 1, 1, SPOOL), process(2, 2, 1, SPOOL));
    assert_eq!(senders.judge(one, at(5), None, at(100)), Standing::New);
    assert_eq!(senders.judge(one, at(6), Some(1), at(101)), Standing::Current);
    assert_eq!(senders.judge(two, at(1), Some(1), at(102)), Standing::New);
    assert_eq!(senders.judge(one, at(7), Some(1), at(103)), old(false));
    assert_eq!(senders.judge(two, at(2), Some(2), at(104)), Standing::Current);
    assert_eq!(senders.judge(one, at(67), Some(2), at(105)), old(true));
    let alone = Standing::Old { cloned: true, alone: true };
    assert_eq!(senders.judge(one, at(500), Some(2), at(999)), alone, "an older boot never comes back");
}

#[test]
fn a_copy_with_the_same_count_is_an_alarm_and_the_newest_connection_wins() {
    let mut senders = Senders::default();
    let (one, two) = (process(1, 4, 1, SPOOL), process(2, 4, 1, SPOOL));
    assert_eq!(senders.judge(one, at(5), None, at(100)), Standing::New);
    assert_eq!(senders.judge(two, at(1), Some(4), at(101)), Standing::New);
    assert_eq!(senders.judge(one, at(6), Some(4), at(102)), old(true));
    let again = Sender { connection: 2, ..one };
    assert_eq!(senders.judge(again, at(9), Some(4), at(103)), Standing::New);
    assert_eq!(senders.judge(two, at(9), Some(4), at(104)), old(true));
    assert_eq!(senders.current(), Some(again));
}

#[test]
fn a_process_may_give_its_boot_a_greater_number() {
    let mut senders = Senders::default();
    let one = process(1, 4, 1, SPOOL);
    assert_eq!(senders.judge(one, at(5), None, at(100)), Standing::New);
    let renumbered = Sender { boot_count: 9, connection: 2, ..one };
    assert_eq!(senders.judge(renumbered, at(6), Some(4), at(101)), Standing::Current);
    assert_eq!(senders.current(), Some(renumbered));
}

#[test]
fn a_wiped_spool_counts_anew_and_wins() {
    let mut senders = Senders::restored(Some(process(9, 7, 2, SPOOL)), at(100));
    assert_eq!(senders.judge(process(8, 6, 1, SPOOL), at(1), Some(7), at(101)), old(false));
    let fresh = process(1, 1, 1, OTHER_SPOOL);
    assert_eq!(senders.judge(fresh, at(1), None, at(102)), Standing::New);
    assert_eq!(senders.judge(process(9, 7, 3, SPOOL), at(2), Some(7), at(103)), old(false));
    assert_eq!(senders.current(), Some(fresh));
}

#[test]
fn a_will_without_a_spool_replaces_nobody_of_its_age() {
    let mut senders = Senders::restored(Some(process(9, 7, 2, SPOOL)), at(100));
    let will = Sender { log: None, ..process(8, 7, 1, SPOOL) };
    assert_eq!(senders.judge(will, at(0), None, at(101)), old(false));
    assert_eq!(
        senders.judge(Sender { log: None, ..process(9, 7, 2, SPOOL) }, at(0), None, at(101)),
        Standing::Current
    );
}

#[test]
fn one_that_was_replaced_by_mistake_comes_back_when_the_other_is_silent() {
    let mut senders = Senders::default();
    let (dead, alive) = (process(1, 7, 1, SPOOL), process(2, 1, 1, OTHER_SPOOL));
    assert_eq!(senders.judge(alive, at(1), None, at(100)), Standing::New);
    // All that the dead process had sent arrives late: it looks new.
    assert_eq!(senders.judge(dead, at(50), Some(6), at(101)), Standing::New);
    assert_eq!(senders.judge(alive, at(31), Some(1), at(130)), old(false));
    assert_eq!(senders.judge(alive, at(61), Some(1), at(160)), old(false));
    assert_eq!(senders.judge(alive, at(91), Some(1), at(190)), Standing::New);
}

#[test]
fn what_the_journal_shows_behind_the_checkpoint_is_newer() {
    let known = process(9, 7, 2, SPOOL);
    for (spool, boot_count, stays) in
        [(SPOOL, 7, true), (SPOOL, 6, true), (SPOOL, 8, false), (OTHER_SPOOL, 1, false)]
    {
        let mut senders = Senders::restored(Some(known), at(100));
        senders.replay(spool, boot_count);
        assert_eq!(senders.current(), Some(known).filter(|_| stays), "{spool} {boot_count}");
        if !stays {
            let newest = process(3, boot_count, 1, spool);
            assert_eq!(senders.judge(newest, at(1), Some(boot_count), at(101)), Standing::New);
        }
    }
}
