use domain::clock::Clock;
use domain::ids::{LogId, MachineId};
use domain::log::BootStart;
use domain::units::MonotonicMicros;

use super::*;

const WAIT: u64 = limits::COMMIT_WAIT_US;

fn at(micros: u64) -> MonotonicMicros {
    MonotonicMicros(1_000_000 + micros)
}

fn staged(number: MachineNumber, lane: Lane, records: usize, since: MonotonicMicros) -> Staged {
    let content = || Content::Unreadable(String::new(), Bytes::new());
    let slice = Slice {
        machine: MachineId::new("tm-01").unwrap(),
        log: LogId([1; 16]),
        lane,
        boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
        first: 1,
        last: records as u64,
        records: u32::try_from(records).unwrap(),
        hole: None,
        clock: Clock::UNDATED,
        body: Bytes::new(),
    };
    Staged { number, slice, records: (1..=records as u64).map(|n| (n, content())).collect(), since }
}

fn lanes(slices: &[Slice]) -> Vec<Lane> {
    slices.iter().map(|slice| slice.lane).collect()
}

/// Machines of the commit under way, without taking it away.
fn machines(commit: &CommitMind) -> Vec<MachineNumber> {
    match &commit.state {
        State::UnderWay(group) | State::Again { group, .. } | State::Waiting { group, .. } => {
            group.staged.iter().map(|staged| staged.number).collect()
        }
        State::Idle => Vec::new(),
    }
}

#[test]
fn readings_wait_for_company_and_events_take_them_along() {
    let mut commit = CommitMind::new();
    assert_eq!(commit.next(at(0)), None);
    commit.stage(staged(0, Lane::Readings, 3, at(0)));
    assert_eq!(commit.next(at(WAIT - 1)), None);
    assert_eq!(commit.wake(), Some(at(WAIT)));
    assert_eq!(commit.next(at(WAIT)).map(|slices| slices.len()), Some(1));
    assert_eq!((commit.next(at(WAIT)), commit.wake()), (None, None), "one commit at a time");
    commit.stage(staged(1, Lane::Readings, 1, at(WAIT)));
    commit.stage(staged(2, Lane::Events, 1, at(WAIT)));
    assert_eq!(commit.next(at(2 * WAIT)), None);
    assert_eq!(commit.committed().len(), 1);
    let slices = commit.next(at(WAIT)).expect("an event does not wait");
    assert_eq!(lanes(&slices), [Lane::Events, Lane::Readings]);
    assert!(!commit.is_idle());
    assert_eq!(commit.committed().len(), 2);
    assert!(commit.is_idle());
}

#[test]
fn a_group_has_a_bound_and_the_rest_goes_next() {
    let mut commit = CommitMind::new();
    let half = limits::COMMIT_RECORDS_MAX / 2;
    for number in 0..3 {
        commit.stage(staged(number, Lane::Readings, half, at(0)));
    }
    let slices = commit.next(at(0)).expect("so many do not wait");
    assert_eq!(slices.len(), 2);
    assert_eq!(commit.waiting_records(), half);
    commit.committed();
    assert_eq!(commit.next(at(WAIT)).map(|slices| slices.len()), Some(1));
    assert_eq!(commit.waiting_records(), 0);
}

#[test]
fn a_commit_that_is_refused_for_now_is_repeated_as_it_was() {
    let mut commit = CommitMind::new();
    commit.stage(staged(0, Lane::Events, 1, at(0)));
    let first = commit.next(at(0)).expect("an event");
    let mut now = at(0);
    for wait in [RETRY_FIRST_US, 2 * RETRY_FIRST_US, 4 * RETRY_FIRST_US] {
        commit.retry(now);
        commit.stage(staged(1, Lane::Events, 1, now));
        assert_eq!(commit.wake(), Some(now.plus(wait)));
        assert_eq!(commit.next(now.plus(wait - 1)), None);
        now = now.plus(wait);
        assert_eq!(commit.next(now).as_deref(), Some(&*first), "the same slices");
    }
    for _ in 0..100 {
        commit.retry(now);
        now = commit.wake().expect("it is tried again");
        assert!(commit.next(now).is_some());
    }
    commit.retry(now);
    assert_eq!(commit.wake(), Some(now.plus(RETRY_MAX_US)));
}

#[test]
fn a_commit_that_is_refused_for_good_is_halved_down_to_one_machine() {
    for bad in 0..5 {
        let mut commit = CommitMind::new();
        for number in [3, 1, 4, 0, 2, 1] {
            commit.stage(staged(number, Lane::Events, 1, at(0)));
        }
        let mut written = Vec::new();
        let mut found = None;
        while commit.next(at(WAIT)).is_some() {
            let under_way = machines(&commit);
            if !under_way.contains(&bad) {
                commit.committed();
                written.extend(under_way);
                continue;
            }
            match commit.bisect() {
                Failed::Halved => {}
                Failed::OneMachine(number) => found = Some(number),
            }
        }
        assert_eq!(found, Some(bad));
        written.sort_unstable();
        let rest: Vec<MachineNumber> = [0, 1, 1, 2, 3, 4].into_iter().filter(|n| *n != bad).collect();
        assert_eq!(written, rest, "all others are written, each once");
        assert!(commit.is_idle());
    }
}

#[test]
fn what_waits_of_a_machine_can_be_taken_out() {
    let mut commit = CommitMind::new();
    for (number, lane) in [(0, Lane::Events), (1, Lane::Events), (0, Lane::Readings), (1, Lane::Readings)] {
        commit.stage(staged(number, lane, 2, at(0)));
    }
    commit.drop_machine(0);
    assert_eq!(commit.waiting_records(), 4);
    commit.next(at(0));
    assert_eq!(machines(&commit), [1, 1]);
}
