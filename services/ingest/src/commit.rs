//! Group commit: what waits for the journal, what is under way, and what is done when the journal refuses it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use domain::limits;
use domain::log::Lane;
use domain::record::Record;
use domain::units::{MILLI, MonotonicMicros, SECOND};
use store::journal::Slice;

use crate::registry::MachineNumber;

#[cfg(test)]
mod tests;

/// Time to the first repetition of a commit; it doubles with each.
const RETRY_FIRST_US: u64 = 50 * MILLI;
/// Longest time between repetitions of a commit.
const RETRY_MAX_US: u64 = 5 * SECOND;

/// A record of a slice, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// It could be read.
    Record(Record),
    /// It could not: why, and its octets.
    Unreadable(String, Bytes),
}

/// A slice on its way to the journal.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) number: MachineNumber,
    pub(crate) slice: Slice,
    /// The slice's records by number.
    pub(crate) records: Vec<(u64, Content)>,
    /// When it was taken.
    pub(crate) since: MonotonicMicros,
}

/// What is written to the journal at once.
#[derive(Debug, Default)]
struct Group {
    staged: Vec<Staged>,
    slices: Arc<[Slice]>,
}

/// What became of a commit that failed for good.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It holds records of several machines: it is tried again in halves.
    Halved,
    /// It holds records of one machine: they cannot be written.
    OneMachine(MachineNumber),
}

#[derive(Debug)]
enum State {
    Idle,
    UnderWay(Group),
    /// Refused for now: the same group again, after a while.
    Waiting {
        group: Group,
        attempts: u32,
        until: MonotonicMicros,
    },
    /// Under way again after `attempts` refusals.
    Again {
        group: Group,
        attempts: u32,
    },
}

/// What waits for the journal and what is under way. One commit at a time.
#[derive(Debug)]
pub(crate) struct CommitMind {
    events: VecDeque<Staged>,
    readings: VecDeque<Staged>,
    /// Parts of a group that failed for good, older than anything else.
    halves: VecDeque<Vec<Staged>>,
    state: State,
    waiting_records: usize,
}

impl CommitMind {
    pub(crate) fn new() -> CommitMind {
        CommitMind {
            events: VecDeque::new(),
            readings: VecDeque::new(),
            halves: VecDeque::new(),
            state: State::Idle,
            waiting_records: 0,
        }
    }

    pub(crate) fn stage(&mut self, staged: Staged) {
        self.waiting_records += staged.records.len();
        match staged.slice.lane {
            Lane::Events => self.events.push_back(staged),
            Lane::Readings => self.readings.push_back(staged),
        }
    }

    /// Records that wait for the next commit.
    pub(crate) fn waiting_records(&self) -> usize {
        self.waiting_records
    }

    /// Whether nothing waits and nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle) && self.waiting_records == 0 && self.halves.is_empty()
    }

    /// What to write now. Events go at once; readings wait a little for company.
    pub(crate) fn next(&mut self, now: MonotonicMicros) -> Option<Arc<[Slice]>> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Waiting { group, attempts, until } if until <= now => {
                let slices = group.slices.clone();
                self.state = State::Again { group, attempts };
                return Some(slices);
            }
            busy @ (State::UnderWay(_) | State::Waiting { .. } | State::Again { .. }) => {
                self.state = busy;
                return None;
            }
        }
        let staged = match self.halves.pop_front() {
            Some(half) => half,
            None if self.is_due(now) => self.gather(),
            None => return None,
        };
        Some(self.begin(staged))
    }

    /// When `next` is worth asking again; `None`: when something happens.
    pub(crate) fn wake(&self) -> Option<MonotonicMicros> {
        match &self.state {
            State::Idle if !self.halves.is_empty() => Some(MonotonicMicros(0)),
            State::Idle if !self.events.is_empty() => Some(MonotonicMicros(0)),
            State::Idle => self.readings.front().map(|staged| staged.since.plus(limits::COMMIT_WAIT_US)),
            State::Waiting { until, .. } => Some(*until),
            State::UnderWay(_) | State::Again { .. } => None,
        }
    }

    /// The commit under way is in the journal.
    pub(crate) fn committed(&mut self) -> Vec<Staged> {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::UnderWay(group) | State::Again { group, .. } => group.staged,
            other @ (State::Idle | State::Waiting { .. }) => {
                self.state = other;
                Vec::new()
            }
        }
    }

    /// The commit under way was refused for now: the same again, later and later.
    pub(crate) fn retry(&mut self, now: MonotonicMicros) {
        let (group, attempts) = match std::mem::replace(&mut self.state, State::Idle) {
            State::UnderWay(group) => (group, 0),
            State::Again { group, attempts } => (group, attempts),
            other @ (State::Idle | State::Waiting { .. }) => {
                self.state = other;
                return;
            }
        };
        let wait = RETRY_FIRST_US.saturating_mul(1 << attempts.min(16)).min(RETRY_MAX_US);
        self.state = State::Waiting { group, attempts: attempts.saturating_add(1), until: now.plus(wait) };
    }

    /// The commit under way was refused for good: it is halved by machine until the one is found.
    pub(crate) fn bisect(&mut self) -> Failed {
        let mut staged = self.committed();
        let mut machines: Vec<MachineNumber> = staged.iter().map(|staged| staged.number).collect();
        machines.sort_unstable();
        machines.dedup();
        if let [machine] = machines[..] {
            return Failed::OneMachine(machine);
        }
        let middle = machines.get(machines.len() / 2).copied().unwrap_or_default();
        let second = staged.extract_if(.., |staged| staged.number >= middle).collect();
        for half in [second, staged] {
            self.halves.push_front(half);
        }
        Failed::Halved
    }

    /// Takes out all that waits of one machine: what came before it could not be written.
    pub(crate) fn drop_machine(&mut self, number: MachineNumber) {
        for queue in [&mut self.events, &mut self.readings] {
            queue.retain(|staged| staged.number != number);
        }
        for half in &mut self.halves {
            half.retain(|staged| staged.number != number);
        }
        self.halves.retain(|half| !half.is_empty());
        self.waiting_records =
            self.events.iter().chain(&self.readings).map(|staged| staged.records.len()).sum();
    }

    fn is_due(&self, now: MonotonicMicros) -> bool {
        let oldest = self.readings.front().map(|staged| staged.since);
        !self.events.is_empty()
            || oldest.is_some_and(|since| now.since(since) >= limits::COMMIT_WAIT_US)
            || self.waiting_records >= limits::COMMIT_RECORDS_MAX
    }

    /// Events first, as many as go into one group.
    fn gather(&mut self) -> Vec<Staged> {
        let mut gathered: Vec<Staged> = Vec::with_capacity(self.events.len() + self.readings.len());
        let mut records = 0;
        for queue in [&mut self.events, &mut self.readings] {
            while let Some(staged) = queue.front() {
                let more = records + staged.records.len();
                if more > limits::COMMIT_RECORDS_MAX && !gathered.is_empty() {
                    break;
                }
                records = more;
                gathered.extend(queue.pop_front());
            }
        }
        self.waiting_records -= records;
        gathered
    }

    fn begin(&mut self, staged: Vec<Staged>) -> Arc<[Slice]> {
        let slices: Arc<[Slice]> = staged.iter().map(|staged| staged.slice.clone()).collect();
        self.state = State::UnderWay(Group { staged, slices: slices.clone() });
        slices
    }
}
