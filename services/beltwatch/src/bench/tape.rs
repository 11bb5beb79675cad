//! What the machines of a load observe: made once by the simulator and the signal watcher, then told over and over,
//! each time later. So readings and events have the sizes, the order and the noise of real ones, and cost little.

use agent::source::simulate::{Profile, Simulator};
use agent::spool::Row;
use domain::log::{Lane, Position};
use domain::record::{Payload, Record};
use domain::signal::{Script, SourceNumber};
use domain::units::{MILLI, MonotonicMicros, SECOND};
use domain::watcher::{Observed, SignalWatcher, WatcherSettings};

/// The time that a tape lasts, in microseconds.
const LENGTH_US: u64 = 2 * 3_600 * SECOND;
/// How often the simulator and the watcher are asked while a tape is made.
const STEP_US: u64 = 100 * MILLI;
/// The only boot of every machine.
pub(super) const BOOT_COUNT: u32 = 1;

/// A tape: both lanes of one simulated machine.
#[derive(Debug)]
pub struct Tape {
    /// In the order of [`Lane::ALL`].
    lanes: [Vec<Piece>; 2],
}

/// A record by its place on the tape.
#[derive(Debug, Clone)]
struct Piece {
    /// Microseconds from the beginning of the tape.
    at_us: u64,
    /// Records of the other lane before this one, since the beginning of the tape.
    other: u64,
    payload: Payload,
}

impl Tape {
    /// The tape of one machine. The same seed gives the same tape.
    pub fn make(profile: Profile, seed: u64) -> Tape {
        let mut simulator = Simulator::new(SourceNumber(0), seed, profile, MonotonicMicros(0));
        let settings = WatcherSettings::default();
        let mut watcher = SignalWatcher::new(vec![simulator.spec()], settings, MonotonicMicros(0));
        let mut tape = Tape { lanes: [Vec::new(), Vec::new()] };
        let (mut signals, mut observed) = (Vec::new(), Vec::new());
        for step in 1..=LENGTH_US / STEP_US {
            let now = MonotonicMicros(step * STEP_US);
            simulator.observe(now, &mut signals);
            for signal in signals.drain(..) {
                watcher.apply(&signal, &mut observed);
            }
            watcher.tick(now, &mut observed);
            observed.drain(..).for_each(|record| tape.push(record));
        }
        tape
    }

    fn push(&mut self, record: Observed) {
        let lane = record.payload.lane();
        let other = self.lane(lane.other()).len() as u64;
        let piece = Piece { at_us: record.at.0, other, payload: record.payload };
        self.lanes[lane.index()].push(piece);
    }

    fn lane(&self, lane: Lane) -> &[Piece] {
        &self.lanes[lane.index()]
    }

    /// The record with this number, from 1, as a spool holds it.
    pub fn row(&self, lane: Lane, n: u64) -> Row {
        let (round, piece) = self.find(lane, n);
        let later = round * LENGTH_US;
        let at = MonotonicMicros(later + piece.at_us);
        let mut payload = piece.payload.clone();
        if let Payload::Event(event) = &mut payload {
            event.last = event.last.plus(later);
        }
        let record = Record { at, other_n: self.other_n(lane, n), payload };
        Row { position: Position::new(BOOT_COUNT, n), at, octets: wire::record::encode(&record) }
    }

    /// How many records of the other lane come before the one with this number.
    pub fn other_n(&self, lane: Lane, n: u64) -> u64 {
        let (round, piece) = self.find(lane, n);
        round * self.lane(lane.other()).len() as u64 + piece.other
    }

    fn find(&self, lane: Lane, n: u64) -> (u64, &Piece) {
        let pieces = self.lane(lane);
        let (before, length) = (n.saturating_sub(1), pieces.len() as u64);
        let place = usize::try_from(before % length).expect("it is a place in memory");
        (before / length, &pieces[place])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_is_told_again_later_in_the_order_in_which_it_was_made() {
        let tape = Tape::make(Profile::encoder(), 1);
        for lane in Lane::ALL {
            let length = tape.lane(lane).len() as u64;
            assert!(length > 10, "{lane:?}: {length}");
            // An event may be told after one that began later: a standstill is known only after a second.
            let mut before = 0;
            for n in 1..=2 * length + 3 {
                let row = tape.row(lane, n);
                let record = wire::record::decode(lane, &row.octets).unwrap();
                assert_eq!((row.position.n, record.at), (n, row.at));
                assert!(record.other_n >= before, "{lane:?} {n}");
                before = record.other_n;
            }
        }
    }

    #[test]
    fn both_lanes_tell_the_same_order() {
        let tape = Tape::make(Profile::ftms(), 2);
        let readings = tape.lane(Lane::Readings).len() as u64;
        for n in 1..=2 * readings {
            let events = tape.other_n(Lane::Readings, n);
            if events > 0 {
                assert!(tape.other_n(Lane::Events, events) < n, "reading {n} comes after event {events}");
            }
        }
    }
}
