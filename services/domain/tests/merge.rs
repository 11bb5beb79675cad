//! The lane merge: whatever arrives first, the order is the one of writing.

use domain::limits;
use domain::log::{BootStart, Lane, Position};
use domain::merge::{Full, LaneMerge, written_before};
use proptest::prelude::*;

/// A record as the agent wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    lane: Lane,
    position: Position,
    after: Option<Position>,
}

/// What an agent writes over some boots: true is an event.
fn write(boots: &[Vec<bool>]) -> Vec<Written> {
    let mut written = Vec::new();
    let mut last: [Option<Position>; 2] = [None, None];
    for (boot_count, lanes) in (1..).zip(boots) {
        let before = last;
        let mut n = [0, 0];
        for is_event in lanes {
            let (own, other) = if *is_event { (0, 1) } else { (1, 0) };
            let start =
                BootStart { boot_count, previous: before[own], other_previous: before[other], maker: None };
            n[own] += 1;
            let position = Position::new(boot_count, n[own]);
            let lane = Lane::ALL[own];
            written.push(Written { lane, position, after: written_before(&start, n[other]) });
            last[own] = Some(position);
        }
    }
    written
}

fn drain(merge: &mut LaneMerge<()>, out: &mut Vec<(Lane, Position)>) {
    while let Some((lane, position, ())) = merge.pop() {
        out.push((lane, position));
    }
}

/// Pushes each lane in its order, the lanes interleaved as told.
fn merged(written: &[Written], events_first: &[bool], from: [Option<Position>; 2]) -> Vec<(Lane, Position)> {
    let lane = |lane| written.iter().filter(move |record| record.lane == lane);
    let (mut events, mut readings) = (lane(Lane::Events).peekable(), lane(Lane::Readings).peekable());
    let mut merge = LaneMerge::new(from[0], from[1]);
    let mut out = Vec::new();
    let mut choice = events_first.iter().cycle();
    while events.peek().is_some() || readings.peek().is_some() {
        let wants_event = *choice.next().unwrap_or(&true);
        let next = if wants_event {
            events.next().or_else(|| readings.next())
        } else {
            readings.next().or_else(|| events.next())
        };
        let Some(record) = next else { break };
        merge.push(record.lane, record.position, record.after, ()).expect("there is room");
        drain(&mut merge, &mut out);
    }
    out
}

proptest! {
    #[test]
    fn the_order_is_that_of_writing_whatever_arrives_first(
        boots in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..30), 1..5),
        events_first in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        let written = write(&boots);
        let expected: Vec<_> = written.iter().map(|record| (record.lane, record.position)).collect();
        prop_assert_eq!(merged(&written, &events_first, [None, None]), expected);
    }

    #[test]
    fn after_a_restart_the_rest_comes_in_the_same_order(
        boots in prop::collection::vec(prop::collection::vec(any::<bool>(), 1..30), 1..4),
        events_first in prop::collection::vec(any::<bool>(), 1..20),
        cut in any::<prop::sample::Index>(),
    ) {
        let written = write(&boots);
        let cut = cut.index(written.len());
        let folded = |lane| written[..cut].iter().filter(|r| r.lane == lane).map(|r| r.position).next_back();
        let from = [folded(Lane::Events), folded(Lane::Readings)];
        let expected: Vec<_> = written[cut..].iter().map(|record| (record.lane, record.position)).collect();
        // Everything is pushed again; what was folded is ignored.
        prop_assert_eq!(merged(&written, &events_first, from), expected);
    }

    #[test]
    fn lost_records_hold_nothing_up_once_a_later_one_has_come(
        boots in prop::collection::vec(prop::collection::vec(any::<bool>(), 1..30), 2..4),
        lost in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        let mut lost = lost.iter().cycle();
        let written = write(&boots);
        let last = |lane| written.iter().filter(|r| r.lane == lane).map(|r| r.position).next_back();
        let lasts = [last(Lane::Events), last(Lane::Readings)];
        // The last of each lane arrives: it shows every hole before it.
        let arrives: Vec<_> = written
            .iter()
            .copied()
            .filter(|record| lasts.contains(&Some(record.position)) || !*lost.next().unwrap_or(&false))
            .collect();
        let expected: Vec<_> = arrives.iter().map(|record| (record.lane, record.position)).collect();
        prop_assert_eq!(merged(&arrives, &[true, false], [None, None]), expected);
    }
}

#[test]
fn a_full_lane_takes_nothing_until_it_is_reopened_and_the_other_goes_on() {
    let mut merge = LaneMerge::new(None, None);
    let after = Some(Position::new(1, 1));
    let max = limits::MERGE_RECORDS_MAX as u64;
    for n in 1..=max {
        assert_eq!(merge.push(Lane::Readings, Position::new(1, n), after, ()), Ok(()));
    }
    assert_eq!(merge.push(Lane::Readings, Position::new(1, max + 1), after, ()), Err(Full));
    assert_eq!(merge.pop(), None, "all of them wait for the first event");
    assert_eq!(merge.push(Lane::Events, Position::new(1, 1), None, ()), Ok(()));
    assert_eq!(merge.pop().map(|(lane, _, ())| lane), Some(Lane::Events));
    while merge.pop().is_some() {}
    assert_eq!(
        merge.push(Lane::Readings, Position::new(1, max + 2), after, ()),
        Err(Full),
        "there would be a gap"
    );
    merge.reopen(Lane::Readings);
    for n in 1..=max + 2 {
        assert_eq!(merge.push(Lane::Readings, Position::new(1, n), after, ()), Ok(()));
    }
    assert_eq!(merge.waiting(), 2, "what was popped is ignored");
}

#[test]
fn records_that_each_name_the_other_do_not_hold_each_other_up() {
    let mut merge = LaneMerge::new(None, None);
    merge.push(Lane::Events, Position::new(1, 1), Some(Position::new(1, 1)), ()).expect("there is room");
    merge.push(Lane::Readings, Position::new(1, 1), Some(Position::new(1, 1)), ()).expect("there is room");
    assert_eq!(merge.pop().map(|(lane, _, ())| lane), Some(Lane::Events));
    assert_eq!(merge.pop().map(|(lane, _, ())| lane), Some(Lane::Readings));
}
