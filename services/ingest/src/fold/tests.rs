use domain::belt::{Belt, Contacts, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::commissioning::CommissioningReport;
use domain::ids::{ConfigurationHash, LogId};
use domain::limits;
use domain::log::BootStart;
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::units::{MonotonicMicros, SECOND, Speed};
use proptest::prelude::*;
use proptest::sample::Index;
use wire::checkpoint::{Checkpoint, LogState};
use wire::envelope::{Entry, decode_slice, encode_slice};

use super::*;

mod incidents;

const CLOCK: Clock =
    Clock { quality: ClockQuality::Synchronised, offset_us: 1_735_689_600_000_000, uncertainty_us: 1 };

/// Writes records of a spool, a second apart, and puts them into slices.
struct Writer {
    spool: [u8; 16],
    n: [u64; 2],
    at: MonotonicMicros,
    slices: [Vec<Slice>; 2],
}

impl Writer {
    fn new(spool: u8) -> Writer {
        let at = MonotonicMicros(u64::from(spool) * 100_000 * SECOND);
        Writer { spool: [spool; 16], n: [0; 2], at, slices: Default::default() }
    }

    /// Writes one record into a slice of its own.
    fn write(&mut self, lane: Lane, moving: bool) -> &mut Writer {
        let index = lane.index();
        self.at = self.at.plus(SECOND);
        let payload = match lane {
            Lane::Events => {
                Payload::Event(Event::new(EventKind::BeltStarted, self.at, Belt::default(), Belt::default()))
            }
            Lane::Readings => Payload::Reading(reading(moving)),
        };
        let record = Record { at: self.at, other_n: self.n[1 - index], payload };
        self.n[index] += 1;
        let n = self.n[index];
        let entry = Entry { n, record: wire::record::encode(&record) };
        self.slices[index].push(Slice {
            machine: machine(),
            log: LogId::for_lane(self.spool, lane),
            lane,
            boot: BootStart { boot_count: 1, previous: None, other_previous: None, maker: None },
            first: n,
            last: n,
            records: 1,
            hole: None,
            clock: CLOCK,
            body: encode_slice(&[entry]),
        });
        self
    }
}

fn reading(moving: bool) -> Reading {
    let speed = Speed(if moving { 1_000 } else { 0 });
    let speed = SpeedSummary { mean: speed, min: speed, max: speed, rise: None, fall: None };
    let direction = if moving { Direction::Forward } else { Direction::Stopped };
    Reading { span_ms: 1_000, direction, origin: Origin::Measured, speed: Some(speed), ..Reading::default() }
}

fn machine() -> MachineId {
    MachineId::new("tm-01").unwrap()
}

/// A folder and the journal it reads from.
struct Bench {
    folder: Folder,
    journal: Vec<Slice>,
    derived: Derived,
    read_again: u32,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            folder: Folder::new(machine()),
            journal: Vec::new(),
            derived: Derived::default(),
            read_again: 0,
        }
    }

    fn append(&mut self, slice: &Slice) {
        self.journal.push(slice.clone());
        self.fold(self.journal.len() as u64, slice);
    }

    fn fold(&mut self, sequence: Sequence, slice: &Slice) {
        let records = read(slice.lane, &decode_slice(slice.body.clone()).unwrap());
        let mut folded = self.folder.slice(sequence, slice, records, &mut self.derived);
        assert_eq!(folded.duplicates, 0);
        while let Some(after) = folded.read_again {
            self.read_again += 1;
            let from = usize::try_from(after).unwrap();
            // As many as the body reads at once.
            let slices: Vec<(Sequence, Slice)> =
                (after + 1..).zip(self.journal[from..].iter().cloned()).take(1_000).collect();
            let through = slices.last().map_or(after, |(sequence, _)| *sequence);
            folded = self.folder.again(&slices, through, &mut self.derived);
        }
    }

    /// Goes on from a checkpoint that was made now, and from the journal behind it.
    fn restart(&mut self) {
        let logs = self.folder.spools().flat_map(|spool| {
            Lane::ALL.map(|lane| {
                let log = LogId::for_lane(spool.0, lane);
                let of_log = self.journal.iter().filter(|slice| slice.log == log && slice.lane == lane);
                LogState {
                    log,
                    lane,
                    committed: of_log.map(Slice::last_position).max(),
                    folded: self.folder.folded(log, lane),
                    clock_boot_count: 1,
                    clock: CLOCK,
                    clock_last_at: MonotonicMicros(0),
                    maker: None,
                }
            })
        });
        let checkpoint = Checkpoint {
            logs: logs.collect(),
            fold: self.folder.fold_state().clone(),
            records_lost: self.folder.records_lost(),
            newest_slice: self.folder.newest(),
            revision: self.folder.next_revision(),
            waiting: self.folder.waiting(),
            ..Checkpoint::default()
        };
        let decoded = Checkpoint::decode(checkpoint.encode()).unwrap();
        assert_eq!(decoded, checkpoint);
        let saved = self.folder.first_missing().map_or(self.folder.newest(), |first| first - 1);
        self.folder = Folder::restored(machine(), &decoded);
        for (sequence, slice) in (1..).zip(self.journal.clone()).skip(usize::try_from(saved).unwrap()) {
            self.fold(sequence, &slice);
        }
    }
}

/// Puts the slices of both lanes in one order: `true` takes an event.
fn interleaved(writer: &Writer, order: &[bool]) -> Vec<Slice> {
    let [mut events, mut readings] = [writer.slices[0].iter(), writer.slices[1].iter()];
    let mut slices = Vec::new();
    for events_first in order {
        let next = if *events_first { events.next() } else { readings.next() };
        slices.extend(next.cloned());
    }
    slices.extend(events.cloned());
    slices.extend(readings.cloned());
    slices
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_nothing(
        written in prop::collection::vec((any::<bool>(), any::<bool>()), 0..60),
        orders in prop::collection::vec(prop::collection::vec(any::<bool>(), 0..60), 3),
        restart in any::<Index>(),
    ) {
        let mut writer = Writer::new(1);
        for (is_event, moving) in &written {
            writer.write(if *is_event { Lane::Events } else { Lane::Readings }, *moving);
        }
        let mut folds = Vec::new();
        for (number, order) in orders.iter().enumerate() {
            let mut bench = Bench::new();
            for (index, slice) in interleaved(&writer, order).iter().enumerate() {
                bench.append(slice);
                if number == 2 && index == restart.index(written.len()) {
                    bench.restart();
                }
            }
            prop_assert!(bench.folder.waiting().is_empty(), "all has come");
            prop_assert_eq!(bench.folder.fold_state().folded, written.len() as u64);
            folds.push(bench.folder.fold_state().clone());
        }
        prop_assert_eq!(&folds[0], &folds[1]);
        prop_assert_eq!(&folds[0], &folds[2]);
    }
}

/// More events than may wait, before the readings that were written between them.
fn flood() -> Writer {
    let mut writer = Writer::new(1);
    for n in 0..limits::MERGE_RECORDS_MAX + limits::MERGE_RECORDS_MAX / 2 {
        writer.write(Lane::Readings, true).write(Lane::Events, true);
        if n % 2_000 == 0 {
            writer.at = writer.at.plus(300 * SECOND);
        }
    }
    writer
}

#[test]
fn what_is_too_much_to_wait_in_memory_waits_in_the_journal() {
    let writer = flood();
    let mut expected = Bench::new();
    let alternating: Vec<bool> = (0..2 * writer.slices[0].len()).map(|n| n % 2 == 1).collect();
    interleaved(&writer, &alternating).iter().for_each(|slice| expected.append(slice));
    assert_eq!(expected.read_again, 0);
    for restart_at in [None, Some(limits::MERGE_RECORDS_MAX + 10), Some(writer.slices[0].len() + 2_000)] {
        let mut bench = Bench::new();
        let slices = interleaved(&writer, &vec![true; writer.slices[0].len()]);
        for (index, slice) in slices.iter().enumerate() {
            bench.append(slice);
            if Some(index) == restart_at {
                assert!(bench.folder.first_missing().is_some(), "the checkpoint cannot hold all");
                bench.restart();
            }
        }
        assert!(bench.read_again > 0);
        assert_eq!(bench.folder.first_missing(), None);
        assert_eq!(bench.folder.fold_state(), expected.folder.fold_state(), "{restart_at:?}");
    }
}

#[test]
fn a_spool_that_sends_no_more_keeps_nothing_waiting() {
    let mut dead = Writer::new(1);
    dead.write(Lane::Readings, true).write(Lane::Events, true).write(Lane::Events, true);
    let mut next = Writer::new(2);
    next.write(Lane::Events, true);
    let mut bench = Bench::new();
    dead.slices[0].iter().for_each(|slice| bench.append(slice));
    assert_eq!(bench.folder.waiting().len(), 2, "they wait for the reading");
    bench.append(&next.slices[0][0]);
    assert_eq!((bench.folder.waiting().len(), bench.folder.fold_state().folded), (0, 3));
    // It was not dead after all.
    bench.append(&dead.slices[1][0]);
    assert_eq!(bench.folder.fold_state().folded, 4);
    bench.restart();
    assert_eq!(bench.folder.fold_state().folded, 4);
}

#[test]
fn a_flood_of_a_dead_spool_is_folded_before_the_next_one() {
    let writer = flood();
    let mut bench = Bench::new();
    writer.slices[0].iter().for_each(|slice| bench.append(slice));
    assert!(bench.folder.first_missing().is_some());
    let mut next = Writer::new(2);
    for _ in 0..3 {
        next.write(Lane::Readings, true).write(Lane::Events, true);
    }
    interleaved(&next, &[]).iter().for_each(|slice| bench.append(slice));
    assert_eq!(bench.folder.first_missing(), None);
    assert_eq!(bench.folder.fold_state().folded, (writer.slices[0].len() + 6) as u64);
    let state = bench.folder.fold_state().clone();
    bench.restart();
    assert_eq!(bench.folder.fold_state(), &state);
}

#[test]
fn recordings_are_left_out_of_the_history() {
    let check = |recorded: &[bool], expected: Option<&[u64]>| {
        let mut writer = Writer::new(1);
        let slice = writer.write(Lane::Events, true).slices[Lane::Events.index()][0].clone();
        let event = decode_slice(slice.body.clone()).unwrap().remove(0).record;
        let point = RecordingPoint {
            at: MonotonicMicros(9),
            direction: Direction::Reverse,
            origin: Origin::Measured,
            speed: None,
            incline: None,
            contacts: Contacts::default(),
        };
        let piece =
            RecordingPiece { trigger: MonotonicMicros(8), number: 0, is_last: true, points: vec![point] };
        let record = Record { at: MonotonicMicros(9), other_n: 0, payload: Payload::Recording(piece) };
        let piece = wire::record::encode(&record);
        let record = |is_piece: &bool| if *is_piece { piece.clone() } else { event.clone() };
        let entries = (1..).zip(recorded).map(|(n, is_piece)| Entry { n, record: record(is_piece) });
        let body = encode_slice(&entries.collect::<Vec<_>>());
        let block = block_of(1, &Slice { last: recorded.len() as u64, body, ..slice });
        let numbers = block.map(|block| block.records.iter().map(|(n, _)| *n).collect::<Vec<_>>());
        assert_eq!(numbers.as_deref(), expected, "{recorded:?}");
    };
    check(&[false, false], Some(&[1, 2]));
    check(&[true, false, true], Some(&[2]));
    check(&[true], None);
}

#[test]
fn a_commissioning_is_told_once_and_left_out_of_the_history() {
    let report = CommissioningReport {
        technician: "Jo".to_owned(),
        agent_version: "1.2.3".to_owned(),
        configuration: ConfigurationHash([3; 16]),
        direction_proven: true,
        silent_on_stop: false,
        incline_is_target: false,
        stops: Vec::new(),
        steps: Vec::new(),
    };
    let mut writer = Writer::new(1);
    let slice = writer.write(Lane::Events, true).slices[Lane::Events.index()][0].clone();
    let payload = Payload::Commissioning(Box::new(report.clone()));
    let record = Record { at: MonotonicMicros(9), other_n: 0, payload };
    let entry = Entry { n: 1, record: wire::record::encode(&record) };
    let slice = Slice { body: encode_slice(&[entry]), ..slice };
    assert_eq!(block_of(1, &slice), None);
    let mut folder = Folder::new(machine());
    let mut give = |sequence| {
        let records = read(slice.lane, &decode_slice(slice.body.clone()).unwrap());
        folder.slice(sequence, &slice, records, &mut Derived::default()).commissionings
    };
    let place = (slice.log, Position::new(1, 1));
    let expected = NewCommissioning::reported(machine(), CLOCK.unix(MonotonicMicros(9)), report);
    assert_eq!(give(1), [(place.0, place.1, expected)]);
    assert_eq!(give(2), [], "the same record in another slice");
}
