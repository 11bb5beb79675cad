mod copies;
mod pieces;
mod shelf;

use domain::belt::{Belt, Contact};
use domain::clock::ClockQuality;
use domain::log::BootStart;
use domain::record::{EventKind, Reading};
use proptest::prelude::*;

pub(crate) use self::shelf::Shelf;
use super::*;

const NOW: MonotonicMicros = MonotonicMicros(1_000_000);

pub(crate) fn ids(boot: u8, kernel: u8) -> BootIds {
    let fresh_spool = SpoolId([0x20 + boot; 16]);
    BootIds { boot: BootId([boot; 16]), kernel: KernelBoot([kernel; 16]), fresh_spool }
}

pub(crate) fn open<D: Disk>(disk: D, boot: u8) -> Spool<D> {
    Spool::open(disk, ids(boot, 1), Bounds::default(), NOW).unwrap()
}

pub(crate) fn reading() -> Payload {
    Payload::Reading(Reading { span_ms: 1_000, ..Reading::default() })
}

pub(crate) fn event() -> Payload {
    Payload::Event(edge(Contact::EmergencyStop, NOW))
}

fn edge(contact: Contact, at: MonotonicMicros) -> Event {
    let event = Event::new(EventKind::ContactOpened, at, Belt::default(), Belt::default());
    Event { contact: Some(contact), ..event }
}

fn payload(lane: Lane) -> Payload {
    match lane {
        Lane::Events => event(),
        Lane::Readings => reading(),
    }
}

/// Positions that a spool gives from a position on, envelope by envelope, with what each names as `after`.
fn envelopes<D: Disk>(
    spool: &mut Spool<D>,
    lane: Lane,
    records_max: usize,
) -> Vec<(Option<Position>, Vec<Position>)> {
    let (mut found, mut after) = (Vec::new(), None);
    while let Some(batch) = spool.read(lane, after, records_max, usize::MAX).unwrap() {
        let positions: Vec<Position> = batch.rows.iter().map(|row| row.position).collect();
        assert!(positions.iter().all(|position| position.boot_count == batch.boot.boot_count));
        after = positions.last().copied();
        found.push((batch.after, positions));
    }
    found
}

fn positions<D: Disk>(spool: &mut Spool<D>, lane: Lane) -> Vec<Position> {
    envelopes(spool, lane, 7).into_iter().flat_map(|(_, positions)| positions).collect()
}

fn at(boot_count: u32, n: u64) -> Position {
    Position::new(boot_count, n)
}

#[test]
fn records_say_how_far_the_other_lane_was() {
    let mut spool = open(Shelf::default(), 1);
    let lanes = [Lane::Readings, Lane::Readings, Lane::Events, Lane::Readings, Lane::Events];
    let given = lanes.map(|lane| spool.append(NOW, payload(lane)));
    assert_eq!(given, [at(1, 1), at(1, 2), at(1, 1), at(1, 3), at(1, 2)].map(Some));
    let mut others = |lane| {
        let batch = spool.read(lane, None, 100, usize::MAX).unwrap().unwrap();
        let other_n = |row: &Row| wire::record::decode(lane, &row.octets).unwrap().other_n;
        batch.rows.iter().map(other_n).collect::<Vec<_>>()
    };
    assert_eq!(others(Lane::Readings), [0, 0, 1]);
    assert_eq!(others(Lane::Events), [2, 3]);
}

#[test]
fn an_envelope_holds_records_of_one_boot_and_names_what_is_before_it() {
    let mut spool = open(Shelf::default(), 1);
    for _ in 0..3 {
        spool.append(NOW, reading());
    }
    spool.append(NOW, event());
    spool.write(NOW);
    let mut spool = open(spool.into_disk(), 2);
    spool.append(NOW, reading());
    assert_eq!(
        envelopes(&mut spool, Lane::Readings, 2),
        [
            (None, vec![at(1, 1), at(1, 2)]),
            (Some(at(1, 2)), vec![at(1, 3)]),
            (Some(at(1, 3)), vec![at(2, 1)])
        ]
    );
    let batch = spool.read(Lane::Readings, Some(at(1, 3)), 10, usize::MAX).unwrap().unwrap();
    let start = BootStart {
        boot_count: 2,
        previous: Some(at(1, 3)),
        other_previous: Some(at(1, 1)),
        maker: Some(BootId([2; 16])),
    };
    assert_eq!(batch.boot, start);
    spool.trim(Lane::Readings, at(1, 2));
    assert_eq!(
        envelopes(&mut spool, Lane::Readings, 2),
        [(None, vec![at(1, 3)]), (Some(at(1, 3)), vec![at(2, 1)])]
    );
    // What the ingest has may lie beyond what a power cut left here.
    spool.trim(Lane::Readings, at(1, 99));
    assert_eq!(envelopes(&mut spool, Lane::Readings, 2), [(None, vec![at(2, 1)])]);
}

#[test]
fn octets_bound_an_envelope_but_never_below_one_record() {
    let mut spool = open(Shelf::default(), 1);
    for _ in 0..10 {
        spool.append(NOW, reading());
    }
    let size = spool.read(Lane::Readings, None, 1, 0).unwrap().unwrap().rows[0].octets.len() + 20;
    for (bytes_max, expected) in [(0, 1), (size, 1), (size * 2, 2), (size * 4 + 1, 4), (usize::MAX, 10)] {
        let batch = spool.read(Lane::Readings, None, 600, bytes_max).unwrap().unwrap();
        assert_eq!(batch.rows.len(), expected, "{bytes_max} octets");
    }
}

#[test]
fn a_power_cut_takes_unsynced_readings_and_no_position_is_given_twice() {
    let mut spool = open(Shelf::default(), 1);
    spool.append(NOW, reading());
    spool.write(NOW);
    spool.sync().unwrap();
    for _ in 0..5 {
        spool.append(NOW, reading());
        spool.append(NOW, event());
    }
    spool.write(NOW);
    let mut shelf = spool.into_disk();
    shelf.cut_power();
    let mut spool = open(shelf, 2);
    assert_eq!(spool.boot().readings_before, Some(at(1, 1)));
    assert_eq!(spool.boot().events_before, Some(at(1, 5)));
    assert_eq!(positions(&mut spool, Lane::Readings), [at(1, 1)]);
    assert_eq!(positions(&mut spool, Lane::Events).len(), 5);
    assert_eq!(spool.append(NOW, reading()), Some(at(2, 1)));
}

#[test]
fn written_readings_are_synced_within_three_seconds() {
    let mut spool = open(Shelf::default(), 1);
    let mut now = NOW;
    spool.append(now, reading());
    spool.write(now);
    for _ in 0..30 {
        now = now.plus(SECOND / 10);
        assert!(now.since(NOW) < SYNC_AFTER_US || spool.has_to_write(now));
        spool.write(now);
    }
    let mut shelf = spool.into_disk();
    shelf.cut_power();
    assert_eq!(positions(&mut open(shelf, 2), Lane::Readings), [at(1, 1)]);
}

#[test]
fn a_trim_that_a_power_cut_undid_leaves_the_log_whole() {
    let mut spool = open(Shelf::default(), 1);
    for _ in 0..4 {
        spool.append(NOW, event());
    }
    spool.write(NOW);
    spool.trim(Lane::Events, at(1, 4));
    assert_eq!(positions(&mut spool, Lane::Events), []);
    let mut shelf = spool.into_disk();
    shelf.cut_power();
    let mut spool = open(shelf, 2);
    assert_eq!(positions(&mut spool, Lane::Events).len(), 4);
    spool.trim(Lane::Events, at(1, 4));
    spool.sync().unwrap();
    let spool = open(spool.into_disk(), 3);
    assert_eq!(spool.boot().events_before, Some(at(1, 4)), "known although nothing is left");
}

#[test]
fn full_readings_lose_the_oldest_and_count_them() {
    let row_bytes = {
        let mut spool = open(Shelf::default(), 1);
        spool.append(NOW, reading());
        spool.status().bytes
    };
    let bounds = Bounds { readings_bytes_max: row_bytes * 10, memory_bytes_max: 0, ..Bounds::default() };
    let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
    for _ in 0..25 {
        spool.append(NOW, reading());
        spool.write(NOW);
    }
    let status = spool.status();
    assert_eq!((status.lanes[1].first, status.lanes[1].dropped), (Some(at(1, 16)), 15));
    assert_eq!(envelopes(&mut spool, Lane::Readings, 600)[0].0, None, "what is dropped is not waited for");
    let spool = open(spool.into_disk(), 2);
    assert_eq!(spool.status().lanes[1].dropped, 15, "the count is kept");
}

#[test]
fn readings_of_more_than_fourteen_days_are_dropped() {
    let day = 24 * 3_600 * SECOND;
    // Kernel, clock quality then and now, and whether 20 days can be told.
    for (kernel, then, now, told) in [
        (1, ClockQuality::Undated, ClockQuality::Undated, true),
        (2, ClockQuality::Estimated, ClockQuality::Estimated, true),
        (2, ClockQuality::Undated, ClockQuality::Estimated, false),
        (2, ClockQuality::Estimated, ClockQuality::Undated, false),
    ] {
        let mut spool = open(Shelf::default(), 1);
        let clock = |quality, days: u64| Clock {
            quality,
            offset_us: i64::try_from(days * day).unwrap(),
            uncertainty_us: 0,
        };
        spool.set_clock(clock(then, 0));
        spool.append(NOW, reading());
        spool.write(NOW);
        let mut spool = Spool::open(spool.into_disk(), ids(2, kernel), Bounds::default(), NOW).unwrap();
        let (later, days) = if kernel == 1 { (NOW.plus(20 * day), 0) } else { (NOW.plus(day), 20) };
        spool.set_clock(clock(now, days));
        spool.append(later, reading());
        spool.write(later);
        let expected = if told { vec![at(2, 1)] } else { vec![at(1, 1), at(2, 1)] };
        assert_eq!(positions(&mut spool, Lane::Readings), expected, "{kernel} {then:?} {now:?}");
    }
}

fn decoded<D: Disk>(spool: &mut Spool<D>) -> Vec<Event> {
    let batch = spool.read(Lane::Events, None, 600, usize::MAX).unwrap();
    let event = |row: &Row| match wire::record::decode(Lane::Events, &row.octets).unwrap().payload {
        Payload::Event(event) => event,
        Payload::Reading(_) | Payload::Recording(_) | Payload::Commissioning(_) => {
            panic!("only events were given")
        }
    };
    batch.map_or(Vec::new(), |batch| batch.rows.iter().map(event).collect())
}

#[test]
fn events_without_room_are_counted_durably_and_told_when_there_is_room() {
    let bounds = Bounds { events_bytes_max: 200, ..Bounds::default() };
    let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
    let mut given = Vec::new();
    for second in 0..20 {
        let time = NOW.plus(second * SECOND);
        let contact = if second % 4 == 3 { Contact::SafetyKey } else { Contact::EmergencyStop };
        given.push(spool.append(time, Payload::Event(edge(contact, time))));
        spool.write(time);
    }
    let fitting = given.iter().flatten().count();
    assert!((1..10).contains(&fitting), "{fitting}");
    assert_eq!(spool.counted(), 20 - fitting as u64);
    let mut shelf = spool.into_disk();
    shelf.cut_power();
    let mut spool = Spool::open(shelf, ids(2, 1), bounds, NOW.plus(60 * SECOND)).unwrap();
    assert_eq!(spool.counted(), 20 - fitting as u64, "a power cut does not make it forget");
    let last = spool.newest(Lane::Events).unwrap();
    spool.trim(Lane::Events, last);
    spool.write(NOW.plus(61 * SECOND));
    let told = decoded(&mut spool);
    assert_eq!(told.len(), 2, "one for each contact: {told:?}");
    assert_eq!(told.iter().map(|event| u64::from(event.count)).sum::<u64>(), 20 - fitting as u64);
    assert_eq!(spool.counted(), 0);
    let key = told.iter().find(|event| event.contact == Some(Contact::SafetyKey)).unwrap();
    assert_eq!(key.last, NOW.plus(19 * SECOND));
    let spool = open(spool.into_disk(), 3);
    assert_eq!(spool.counted(), 0, "told once");
}

#[test]
fn what_was_counted_before_the_kernel_started_anew_is_told_in_words() {
    let bounds = Bounds { events_bytes_max: 0, ..Bounds::default() };
    let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
    spool.set_clock(Clock { quality: ClockQuality::Estimated, offset_us: 5_000_000, uncertainty_us: 0 });
    spool.append(NOW, event());
    spool.write(NOW);
    let now = MonotonicMicros(7);
    let mut spool = Spool::open(spool.into_disk(), ids(2, 2), Bounds::default(), now).unwrap();
    spool.write(now);
    let told = decoded(&mut spool);
    assert_eq!((told[0].last, told[0].count), (now, 1));
    assert_eq!(told[0].detail, "counted without room in boot 1, from 6 to 6, in seconds since 1970");
}

#[test]
fn a_failing_disk_is_said_once_and_recovers_by_itself() {
    let mut spool = open(Shelf::default(), 1);
    spool.append(NOW, event());
    spool.disk().fails = true;
    let failed = spool.write(NOW).failed.expect("it is told");
    assert_eq!(failed.action, "write events");
    assert!(!spool.status().healthy);
    let mut now = NOW;
    for _ in 0..100 {
        now = now.plus(SECOND);
        spool.append(now, reading());
        spool.append(now, event());
        let written = spool.write(now);
        assert_eq!((written.failed, written.recovered), (None, false), "it is told once");
    }
    assert_eq!(positions(&mut spool, Lane::Events).len(), 101, "they can be sent from memory");
    spool.disk().fails = false;
    let written = (0..31).map(|second| spool.write(now.plus(second * SECOND)));
    assert_eq!(written.filter(|written| written.recovered).count(), 1);
    assert!(spool.status().healthy);
    let mut spool = open(spool.into_disk(), 2);
    assert_eq!(positions(&mut spool, Lane::Events).len(), 101);
    assert_eq!(positions(&mut spool, Lane::Readings).len(), 100);
}

#[test]
fn memory_is_bounded_while_the_disk_fails() {
    let bounds = Bounds { unwritten_bytes_max: 1_000, ..Bounds::default() };
    let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
    spool.disk().fails = true;
    spool.append(NOW, reading());
    spool.write(NOW);
    for _ in 0..200 {
        spool.append(NOW, reading());
        spool.append(NOW, event());
    }
    let status = spool.status();
    assert!(status.bytes <= 2_000, "{status:?}");
    let [events, readings] = Lane::ALL.map(|lane| positions(&mut spool, lane).len() as u64);
    assert_eq!((events + spool.counted(), readings + status.lanes[1].dropped), (200, 201));
    spool.disk().fails = false;
    spool.write(NOW.plus(SECOND));
    let mut spool = open(spool.into_disk(), 2);
    assert_eq!(spool.status().lanes[1].dropped, 201 - readings, "what memory dropped is counted on the disk");
    assert_eq!(positions(&mut spool, Lane::Events).len() as u64, events);
}

#[test]
fn clocks_of_one_kernel_hold_for_all_its_boots_and_others_are_remembered() {
    let known = |offset_us| Clock { quality: ClockQuality::Estimated, offset_us, uncertainty_us: 3 };
    let mut spool = open(Shelf::default(), 1);
    spool.append(NOW, reading());
    spool.set_clock(known(10));
    spool.write(NOW);
    let mut spool = Spool::open(spool.into_disk(), ids(2, 2), Bounds::default(), NOW).unwrap();
    spool.append(NOW, reading());
    spool.write(NOW);
    let mut spool = Spool::open(spool.into_disk(), ids(3, 2), Bounds::default(), NOW).unwrap();
    spool.append(NOW, reading());
    let mut clock = |after| {
        let batch = spool.read(Lane::Readings, after, 1, usize::MAX).unwrap().unwrap();
        (batch.clock, batch.clock_is_present)
    };
    assert_eq!(clock(None), (known(10), false));
    assert_eq!(clock(Some(at(1, 1))), (Clock::UNDATED, true));
    spool.set_clock(known(20));
    for after in [at(1, 1), at(2, 1)] {
        let batch = spool.read(Lane::Readings, Some(after), 1, usize::MAX).unwrap().unwrap();
        assert_eq!(batch.clock, known(20), "after {after}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Append(Lane),
    Write,
    Sync,
    /// Acknowledges this share, in percent, of what is there.
    Trim(Lane, usize),
    Kill,
    CutPower,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let lane = prop_oneof![Just(Lane::Events), Just(Lane::Readings)];
    let step = prop_oneof![
        8 => lane.clone().prop_map(Step::Append),
        4 => Just(Step::Write),
        1 => Just(Step::Sync),
        2 => (lane, 0_usize..=100).prop_map(|(lane, share)| Step::Trim(lane, share)),
        1 => Just(Step::Kill),
        1 => Just(Step::CutPower),
    ];
    prop::collection::vec(step, 0..120)
}

/// What a spool must hold: three lists a lane, and nothing else.
#[derive(Debug, Default)]
struct Reference {
    durable: [Vec<Position>; 2],
    written: [Vec<Position>; 2],
    all: [Vec<Position>; 2],
}

impl Reference {
    fn write(&mut self) {
        self.written = self.all.clone();
        // Writing an event makes all durable that was written to its file before.
        self.durable[0] = self.written[0].clone();
    }

    fn trim(&mut self, lane: usize, through: Position) {
        self.all[lane].retain(|position| *position > through);
        self.written[lane].retain(|position| *position > through);
    }
}

proptest! {
    /// Whatever happens, the spool holds what the lists hold, in order, and gives no position twice.
    #[test]
    fn a_spool_holds_what_it_should(steps in steps(), memory_bytes_max in prop_oneof![Just(0), Just(300), Just(1 << 20)]) {
        let bounds = Bounds { memory_bytes_max, ..Bounds::default() };
        let mut spool = Spool::open(Shelf::default(), ids(1, 1), bounds, NOW).unwrap();
        let mut reference = Reference::default();
        let mut given = std::collections::BTreeSet::new();
        for step in steps {
            match step {
                Step::Append(lane) => {
                    let position = spool.append(NOW, payload(lane)).unwrap();
                    prop_assert!(given.insert((lane, position)), "{lane:?} {position} was given before");
                    reference.all[lane as usize].push(position);
                }
                Step::Write => {
                    // A trim that was not durable becomes so with the next write to the same file.
                    let events = reference.all[0] != reference.written[0];
                    spool.write(NOW);
                    let durable = reference.durable[0].clone();
                    reference.write();
                    if !events {
                        reference.durable[0] = durable;
                    }
                }
                Step::Sync => {
                    spool.sync().unwrap();
                    reference.durable[1] = reference.written[1].clone();
                }
                Step::Trim(lane, share) => {
                    let there = &reference.all[lane as usize];
                    let count = there.len() * share / 100;
                    let Some(through) = count.checked_sub(1).map(|index| there[index]) else { continue };
                    spool.trim(lane, through);
                    reference.trim(lane as usize, through);
                }
                Step::Kill | Step::CutPower => {
                    let mut shelf = spool.into_disk();
                    if let Step::CutPower = step {
                        shelf.cut_power();
                        reference.written = reference.durable.clone();
                    }
                    reference.all = reference.written.clone();
                    spool = Spool::open(shelf, ids(2, 1), bounds, NOW).unwrap();
                    reference.durable = reference.written.clone();
                }
            }
            for lane in Lane::ALL {
                let expected = &reference.all[lane as usize];
                prop_assert_eq!(&positions(&mut spool, lane), expected);
                prop_assert_eq!(spool.status().lanes[lane as usize].first, expected.first().copied());
                prop_assert_eq!(spool.newest(lane), expected.last().copied());
                let mut before = None;
                for (after, positions) in envelopes(&mut spool, lane, 3) {
                    prop_assert_eq!(after, before);
                    before = positions.last().copied();
                }
            }
        }
    }
}
