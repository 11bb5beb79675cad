use std::collections::BTreeSet;

use domain::clock::{Clock, ClockQuality};
use domain::ids::MachineId;
use domain::record::{Payload, Reading};
use proptest::prelude::*;

use super::*;

const LOG: LogId = LogId([1; 16]);
const OTHER: LogId = LogId([2; 16]);

/// Readings of one boot, number n in second n.
fn block(boot_count: u32, numbers: std::ops::RangeInclusive<u64>) -> Block {
    let record = |n: u64| Record {
        at: MonotonicMicros(n * 1_000_000),
        other_n: 0,
        payload: Payload::Reading(Reading::default()),
    };
    Block {
        sequence: 1,
        machine: MachineId::new("tm-1").unwrap(),
        log: LOG,
        lane: Lane::Readings,
        boot_count,
        clock: clock(i64::from(boot_count) * 3_600),
        records: numbers.map(|n| (n, record(n))).collect(),
    }
}

fn clock(offset_s: i64) -> Clock {
    Clock { quality: ClockQuality::Estimated, offset_us: offset_s * 1_000_000, uncertainty_us: 0 }
}

fn undated(block: Block) -> Block {
    Block { clock: Clock::UNDATED, ..block }
}

fn later(block: Block, seconds: i64) -> Block {
    Block { clock: clock(i64::from(block.boot_count) * 3_600 + seconds), ..block }
}

/// An InfluxDB with what the engine keeps beside it.
#[derive(Debug, Clone, Default)]
struct Both {
    points: BTreeMap<(Axis, i64, u16), (LogId, Position)>,
    known: Known,
    asked: usize,
}

impl Both {
    /// What InfluxDB answers.
    fn answer(&self, look: &Look) -> Vec<Found> {
        let found = self.points.iter().filter(|((axis, us, _), _)| {
            *axis == look.axis && (look.span.first..=look.span.last).contains(us)
        });
        found
            .map(|((_, us, slot), (log, position))| Found {
                us: *us,
                slot: *slot,
                log: *log,
                position: *position,
            })
            .collect()
    }

    /// Puts blocks; whether what is known is kept behind it, as it is not after a crash.
    fn put(&mut self, blocks: &[Block], is_kept: bool) {
        let mut plan = Plan::new(blocks.to_vec(), self.known.clone());
        let looks = plan.looks();
        self.ask(looks, &mut plan);
        let further = plan.further_looks();
        self.ask(further, &mut plan);
        let written = plan.finish();
        for lines in [&written.readings, &written.undated] {
            lines.iter().for_each(|line| self.write(line));
        }
        assert_eq!(written.aside, []);
        if is_kept {
            self.known = written.known;
        }
    }

    fn ask(&mut self, looks: Vec<Look>, plan: &mut Plan) {
        for look in looks {
            self.asked += 1;
            plan.found(&look, &self.answer(&look));
        }
    }

    fn write(&mut self, line: &str) {
        let (point, time) = line.rsplit_once(' ').unwrap();
        let field = |name: &str| {
            let (_, rest) = point.split_once(&format!("{name}=")).unwrap();
            rest.split(',').next().unwrap().trim_matches(['"', 'i']).to_owned()
        };
        let axis = if point.starts_with(UNDATED) { Axis::Undated } else { Axis::Dated };
        let nanoseconds: i64 = time.parse().unwrap();
        let slot = u16::try_from(nanoseconds.rem_euclid(1_000)).unwrap();
        let position = Position::new(field("boot").parse().unwrap(), field(",n").parse().unwrap());
        let place = (axis, nanoseconds.div_euclid(1_000), slot);
        let before = self.points.insert(place, (field("log").parse().unwrap(), position));
        let record = self.points[&place];
        assert!(before.is_none_or(|before| before == record), "{before:?} is overwritten by {record:?}");
    }

    /// Each record once.
    fn records(&self) -> Vec<(LogId, Position)> {
        let mut records: Vec<_> = self.points.values().copied().collect();
        records.sort_unstable();
        let before = records.len();
        records.dedup();
        assert_eq!(records.len(), before, "a record is there twice: {:?}", self.points);
        records
    }

    fn times_of(&self, n: u64) -> Vec<i64> {
        let of = self.points.iter().filter(|(_, (_, position))| position.n == n);
        of.map(|((_, us, _), _)| us / 1_000_000).collect()
    }
}

/// Which blocks InfluxDB is asked about, put one after another.
#[test]
fn only_what_may_be_there_is_asked_for() {
    let check = |blocks: &[Block], expected: &[usize]| {
        let mut both = Both::default();
        let asked = blocks.iter().map(|block| {
            let before = both.asked;
            both.put(std::slice::from_ref(block), true);
            both.asked - before
        });
        assert_eq!(asked.collect::<Vec<_>>(), expected, "{blocks:?}");
        both.records();
    };
    check(&[block(1, 1..=9), block(1, 10..=19), block(2, 1..=9)], &[0, 0, 0]);
    // The same again: what is found is looked for no further.
    check(&[block(1, 1..=9), block(1, 1..=9)], &[0, 1]);
    // Under another clock: in all of its boot, too.
    check(&[block(1, 1..=9), later(block(1, 1..=9), 60)], &[0, 2]);
    // Late ones of another log, whose numbers nobody knows.
    check(&[block(1, 1..=9), Block { log: OTHER, ..block(1, 1..=9) }], &[0, 1]);
    check(&[block(2, 1..=9), block(1, 1..=9)], &[0, 1]);
    // Undated ones stand in nobody's way, until another boot comes to the same monotonic times.
    check(&[undated(block(1, 1..=9)), block(1, 10..=19), undated(block(2, 1..=9))], &[0, 0, 1]);
    // Two stretches that are far apart are two questions.
    let mut gap = block(1, 1..=2);
    gap.records[1].1.at = MonotonicMicros(90_000_000_000);
    check(&[Block { boot_count: 1, log: OTHER, ..block(90, 1..=2) }, gap], &[0, 2]);
}

#[test]
fn of_a_record_that_comes_again_the_first_one_stays() {
    let mut both = Both::default();
    both.put(&[block(1, 10..=19)], true);
    both.put(&[later(block(1, 5..=24), 3)], true);
    assert_eq!(both.records().len(), 20);
    assert_eq!((both.times_of(10), both.times_of(5)), (vec![3_610], vec![3_608]));
    both.put(&[undated(block(2, 1..=5)), later(block(2, 3..=8), 1), undated(block(2, 1..=9))], true);
    assert_eq!(both.records().len(), 29);
}

#[test]
fn records_of_one_microsecond_lie_beside_each_other() {
    let mut both = Both::default();
    let same = |log: LogId| Block { log, ..block(1, 1..=3) };
    both.put(&[same(LOG), same(OTHER)], true);
    both.put(&[same(LogId([3; 16]))], true);
    assert_eq!(both.records().len(), 9);
    let slots: BTreeSet<u16> = both.points.keys().map(|(_, _, slot)| *slot).collect();
    assert_eq!(slots, BTreeSet::from([0, 1, 2]));
}

/// Two blocks of a boot that share a microsecond: written one by one, then both again in one put after a crash.
#[test]
fn a_fresh_record_in_a_suspects_microsecond_gets_no_second_point() {
    let mut second = block(1, 11..=12);
    second.records[0].1.at = MonotonicMicros(10_000_000);
    let mut both = Both::default();
    both.put(&[block(1, 1..=10)], true);
    both.put(std::slice::from_ref(&second), true);
    let points = both.points.clone();
    let mut again = Both { points: points.clone(), ..Both::default() };
    again.put(&[block(1, 1..=10), second], true);
    assert_eq!(again.records().len(), 12);
    assert_eq!(again.points, points);
}

#[test]
fn what_no_point_can_be_made_of_is_put_aside() {
    let mut all = block(1, 1..=1_001);
    all.records.iter_mut().for_each(|(_, record)| record.at = MonotonicMicros(5));
    let mut far = block(2, 1..=1);
    far.clock.offset_us = i64::MAX - 2_000_000;
    let written = Plan::new(vec![all, far], Known::default()).finish();
    assert_eq!(written.readings.len(), 1_000);
    let reasons: Vec<&str> = written.aside.iter().map(|aside| aside.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "there are 1000 records of this microsecond already",
            "InfluxDB has no time 9223372036853775807 µs after 1970"
        ]
    );
    // A clock that was far off makes nobody suspect who comes after it.
    let lane = written.known.lanes.values().next().unwrap();
    assert_eq!(lane.times.dated, Some(Span { first: 3_600_000_005, last: 3_600_000_005 }));
    assert!(written.aside[0].line.starts_with("reading,machine=tm-1 "), "{}", written.aside[0].line);
}

/// After a folder was restored, nobody is fresh whose boot was not looked for.
#[test]
fn what_this_folder_does_not_know_of_is_looked_for() {
    let mut both = Both::default();
    both.put(&[block(1, 1..=9)], true);
    let backup = both.known.clone();
    both.put(&[block(1, 10..=19), block(2, 1..=9)], true);
    both.known = backup;
    both.known.era = 1;
    let lane = both.known.lanes.values_mut().next().unwrap();
    lane.era = 1;
    lane.unseen.add(Axis::Dated, Span { first: 3_610_000_000, last: 7_209_000_000 });
    lane.times.add(Axis::Dated, Span { first: 7_209_000_000, last: 7_209_000_000 });
    both.put(&[later(block(1, 10..=12), 9_000)], true);
    both.put(&[later(block(2, 1..=9), 9_000), later(block(2, 10..=12), 9_000)], true);
    assert_eq!(both.records().len(), 9 + 10 + 12);
    // A boot of which nothing was found is one like any other from then on.
    let before = both.asked;
    both.put(&[later(block(3, 1..=9), 9_000)], true);
    assert_eq!(both.asked, before + 2);
    both.put(&[later(block(3, 10..=19), 9_000)], true);
    assert_eq!(both.asked, before + 2);
}

/// What a story does: a block, and whether the engine crashes behind its points.
fn a_block() -> impl Strategy<Value = (Block, bool)> {
    let of = (1_u32..3, 0_u8..2, 1_u64..20, 0_u64..8, 0_i64..3, 0_u8..6);
    of.prop_map(|(boot, log, first, more, clock_s, chance)| {
        let block = Block { log: [LOG, OTHER][usize::from(log)], ..block(boot, first..=first + more) };
        let block = if chance == 0 { undated(block) } else { later(block, clock_s) };
        (block, chance == 1)
    })
}

proptest! {
    /// Each record once, the first one stays, nothing is overwritten, whatever comes in whatever order; and a crash behind
    /// some points, after which the same comes again cut in another way, changes nothing.
    #[test]
    fn every_record_is_there_once(
        story in proptest::collection::vec(a_block(), 1..14),
        together in 1_usize..4,
    ) {
        let mut both = Both::default();
        let mut expected = BTreeSet::new();
        for steps in story.chunks(together) {
            let blocks: Vec<Block> = steps.iter().map(|(block, _)| block.clone()).collect();
            if steps.iter().any(|(_, crashes)| *crashes) {
                both.put(&blocks, false);
                blocks.iter().for_each(|block| both.put(std::slice::from_ref(block), true));
            } else {
                both.put(&blocks, true);
            }
            for block in &blocks {
                expected.extend(block.records.iter().map(|(n, _)| (block.log, Position::new(block.boot_count, *n))));
            }
            let records = both.records();
            prop_assert_eq!(records, expected.iter().copied().collect::<Vec<_>>());
        }
    }
}
