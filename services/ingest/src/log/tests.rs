use bytes::Bytes;
use domain::clock::Clock;
use domain::ids::LogId;
use domain::log::Lane;
use domain::units::MonotonicMicros;

use super::*;

const fn at(boot_count: u32, n: u64) -> Position {
    Position::new(boot_count, n)
}

/// An envelope as an agent in boot `sender` sends it.
#[derive(Debug, Clone)]
struct Sent {
    sender: u32,
    boot: u32,
    previous: Option<Position>,
    after: Option<Position>,
    numbers: Vec<u64>,
}

fn sent(boot: u32, previous: Option<Position>, after: Option<Position>, numbers: &[u64]) -> Sent {
    Sent { sender: boot, boot, previous, after, numbers: numbers.to_vec() }
}

fn envelope(sent: &Sent) -> Envelope {
    let entry = |n: &u64| Entry { n: *n, record: Bytes::new() };
    Envelope {
        log: LogId([1; 16]),
        sender: BootId([u8::try_from(sent.sender).unwrap(); 16]),
        sender_boot_count: sent.sender,
        lane: Lane::Readings,
        boot: BootStart { boot_count: sent.boot, previous: sent.previous, other_previous: None, maker: None },
        after: sent.after,
        after_maker: None,
        clock: Clock::UNDATED,
        sent: MonotonicMicros(1),
        entries: sent.numbers.iter().map(entry).collect(),
    }
}

/// Applied and committed at `has`, the envelope is judged so. Holes are written as (from, to, at least).
#[track_caller]
fn check(has: Option<Position>, sent: &Sent, expected: &str) {
    let mut mind = LogMind::restored(has, None, Settled::default());
    let verdict = mind.offer(&envelope(sent));
    assert_eq!(show(&verdict), expected, "{has:?} {sent:?}");
    let taken = matches!(verdict, Verdict::Take(_));
    assert_eq!(mind.applied() != has, taken, "only what is taken moves the log");
    assert_eq!(mind.committed(), has, "nothing is committed before the journal says so");
}

fn show(verdict: &Verdict) -> String {
    let parts = match verdict {
        Verdict::Take(parts) => parts,
        Verdict::Duplicate | Verdict::UnderWay | Verdict::Missing | Verdict::OtherMaker => {
            return format!("{verdict:?}");
        }
    };
    let hole = |hole: &Hole| {
        let from = hole.from.map_or("-".to_owned(), |from| from.to_string());
        format!("[{from}..{} lost {}] ", hole.to, hole.records_at_least)
    };
    let part = |part: &Part| {
        format!(
            "{}{}+{}",
            part.hole.as_ref().map(hole).unwrap_or_default(),
            part.entries.start,
            part.entries.len()
        )
    };
    parts.iter().map(part).collect::<Vec<_>>().join(" ")
}

#[test]
fn within_a_boot_numbers_tell() {
    check(None, &sent(1, None, None, &[1, 2, 3]), "0+3");
    check(None, &sent(1, None, None, &[4, 5]), "[-..1/4 lost 3] 0+2");
    check(Some(at(1, 3)), &sent(1, None, Some(at(1, 3)), &[4, 5]), "0+2");
    check(Some(at(1, 3)), &sent(1, None, None, &[1, 2, 3]), "Duplicate");
    check(Some(at(1, 3)), &sent(1, None, None, &[2, 3, 4]), "2+1");
    check(Some(at(1, 3)), &sent(1, None, Some(at(1, 5)), &[6]), "Missing");
    check(None, &sent(1, None, Some(at(1, 1)), &[2]), "Missing");
    check(Some(at(1, 3)), &sent(1, None, None, &[6, 7]), "[1/3..1/6 lost 2] 0+2");
    check(Some(at(1, 3)), &sent(1, None, Some(at(1, 3)), &[9]), "[1/3..1/9 lost 5] 0+1");
}

#[test]
fn holes_inside_an_envelope_split_it() {
    check(None, &sent(1, None, None, &[1, 2, 5, 6, 9]), "0+2 [1/2..1/5 lost 2] 2+2 [1/6..1/9 lost 2] 4+1");
    check(Some(at(1, 2)), &sent(1, None, None, &[1, 2, 5, 6]), "[1/2..1/5 lost 2] 2+2");
    check(Some(at(1, 3)), &sent(1, None, None, &[1, 2, 5, 6]), "[1/3..1/5 lost 1] 2+2");
    check(Some(at(1, 5)), &sent(1, None, None, &[1, 2, 5, 6, 8]), "3+1 [1/6..1/8 lost 1] 4+1");
}

#[test]
fn across_boots_the_boot_names_what_came_before_it() {
    let has = Some(at(1, 5));
    check(has, &sent(2, Some(at(1, 5)), Some(at(1, 5)), &[1, 2]), "0+2");
    // What was not on the agent's disk when it lost power had been delivered.
    check(has, &sent(2, Some(at(1, 3)), Some(at(1, 3)), &[1]), "0+1");
    check(has, &sent(2, None, None, &[1]), "0+1");
    // The spool was trimmed beyond what this server has: it was restored from a backup.
    check(has, &sent(2, Some(at(1, 9)), None, &[1]), "[1/5..2/1 lost 4] 0+1");
    check(has, &sent(2, Some(at(1, 9)), None, &[4]), "[1/5..2/4 lost 7] 0+1");
    check(has, &sent(2, Some(at(1, 5)), None, &[3]), "[1/5..2/3 lost 2] 0+1");
    check(has, &sent(2, Some(at(1, 3)), None, &[3]), "[1/5..2/3 lost 2] 0+1");
    // A whole boot between is gone; how many it had before is not known, but its last number is.
    check(has, &sent(3, Some(at(2, 7)), None, &[2]), "[1/5..3/2 lost 8] 0+1");
    check(None, &sent(3, Some(at(2, 7)), None, &[1]), "[-..3/1 lost 7] 0+1");
    // The records of an earlier boot, sent by a later one.
    let earlier = Sent { sender: 4, ..sent(1, None, Some(at(1, 5)), &[6, 7]) };
    check(has, &earlier, "0+2");
    check(Some(at(2, 1)), &earlier, "Duplicate");
    check(has, &sent(2, Some(at(1, 8)), Some(at(1, 8)), &[1]), "Missing");
}

#[test]
fn while_a_commit_is_under_way_what_is_applied_counts() {
    let mut mind = LogMind::default();
    let mut offer = |after: Option<Position>, numbers: &[u64]| {
        show(&mind.offer(&envelope(&sent(1, None, after, numbers))))
    };
    assert_eq!(offer(None, &[1, 2]), "0+2");
    assert_eq!(offer(Some(at(1, 2)), &[3, 4]), "0+2");
    assert_eq!(offer(Some(at(1, 2)), &[3, 4]), "UnderWay");
    assert_eq!(offer(Some(at(1, 5)), &[6]), "Missing");
    assert_eq!((mind.committed(), mind.applied()), (None, Some(at(1, 4))));
    mind.commit(at(1, 2), None);
    assert_eq!(show(&mind.offer(&envelope(&sent(1, None, None, &[1, 2])))), "Duplicate");
    assert_eq!(show(&mind.offer(&envelope(&sent(1, None, None, &[3])))), "UnderWay");
    mind.roll_back();
    assert_eq!((mind.committed(), mind.applied()), (Some(at(1, 2)), Some(at(1, 2))));
    assert_eq!(show(&mind.offer(&envelope(&sent(1, None, Some(at(1, 2)), &[3, 4])))), "0+2");
}

#[test]
fn two_processes_that_count_one_boot_as_theirs_are_not_merged() {
    let mut mind = LogMind::default();
    let mine = envelope(&sent(3, None, None, &[1, 2]));
    assert_eq!(show(&mind.offer(&mine)), "0+2");
    let copy = Envelope { sender: BootId([99; 16]), ..envelope(&sent(3, None, None, &[3])) };
    assert_eq!(mind.offer(&copy), Verdict::OtherMaker);
    // Each is told what it cannot take for its own.
    mind.commit(at(3, 2), mine.maker());
    let maker = Some(mine.sender);
    assert_eq!(mind.committed_for(copy.sender, 3), (Some(at(4, 1)), None));
    assert_eq!(mind.committed_for(mine.sender, 3), (Some(at(3, 2)), maker));
    assert_eq!(mind.committed_for(copy.sender, 2), (Some(at(3, 2)), maker));
    // A later process may send what the earlier one made; one that does not say who made it is an older one.
    let later = |maker| Envelope {
        sender: BootId([100; 16]),
        sender_boot_count: 4,
        boot: BootStart { maker, ..copy.boot },
        ..copy.clone()
    };
    assert_eq!(mind.offer(&later(Some(copy.sender))), Verdict::OtherMaker);
    assert_eq!(show(&mind.clone().offer(&later(maker))), "0+1");
    assert_eq!(show(&mind.offer(&later(None))), "0+1");
}

/// What a log has of a boot says nothing to a spool whose boot of that number is another process.
#[test]
fn what_follows_a_record_of_another_process_is_not_taken() {
    let (mine, other) = (Some(BootId([4; 16])), Some(BootId([99; 16])));
    let check = |committed: Position, after: Position, after_maker, expected: &str| {
        let mut mind = LogMind::restored(
            Some(committed),
            Some((committed.boot_count, mine.unwrap())),
            Settled::default(),
        );
        let envelope = Envelope { after_maker, ..envelope(&sent(6, Some(after), Some(after), &[1])) };
        assert_eq!(show(&mind.offer(&envelope)), expected, "{committed} {after} {after_maker:?}");
    };
    check(at(4, 9), at(4, 7), mine, "0+1");
    check(at(4, 9), at(4, 7), None, "0+1");
    check(at(4, 9), at(4, 7), other, "OtherMaker");
    check(at(4, 9), at(3, 7), mine, "Missing");
    check(at(4, 9), at(3, 7), None, "0+1");
}

#[test]
fn who_made_the_records_survives_a_commit_and_goes_with_what_failed() {
    let mut mind = LogMind::default();
    let of = |boot: u32, sender: u8, n: u64| Envelope {
        sender: BootId([sender; 16]),
        ..envelope(&sent(boot, None, None, &[n]))
    };
    mind.offer(&of(3, 3, 1));
    mind.commit(at(3, 1), Some(BootId([3; 16])));
    mind.offer(&of(4, 4, 1));
    assert_eq!(mind.offer(&of(4, 99, 1)), Verdict::OtherMaker);
    mind.roll_back();
    assert_eq!(mind.maker(), Some((3, BootId([3; 16]))));
    assert_eq!(show(&mind.offer(&of(4, 99, 1))), "0+1");
}
