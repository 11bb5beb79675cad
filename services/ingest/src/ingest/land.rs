//! From the journal's answer to acks, folded state and checkpoints.

use std::cmp::Reverse;

use domain::ids::LogId;
use domain::log::{Lane, Position};
use domain::units::{MILLI, MonotonicMicros, SECOND};
use store::StoreError;
use store::fact::{Fact, FactKind, NewCommissioning};
use store::journal::{Sequence, Slice};
use store::ledger::{Checkpoint, DerivedIncident};
use wire::ack::Ack;

use super::{Effects, IngestMind, Now, ReadAgain, ReadSlices};
use crate::commit::{Content, Failed};
use crate::fold::FoldedSlice;
use crate::registry::MachineNumber;

/// A machine is checkpointed at most so often, but also at the end of each session.
const CHECKPOINT_PERIOD_US: u64 = 60 * SECOND;
/// Checkpoints made in one step; the rest follow in the next.
const CHECKPOINTS_A_STEP: usize = 64;
/// How long a machine is set aside when the journal refuses its records for good.
const SET_ASIDE_US: u64 = 60 * SECOND;
/// The same machine raises an alarm at most so often.
pub(super) const ALARM_PERIOD_US: u64 = 60 * SECOND;

impl IngestMind {
    /// The commit under way is on disk: acks, folded state, and everything that follows from it.
    pub(super) fn committed(&mut self, last: Sequence, now: Now, effects: &mut Effects) {
        let staged = self.commit.committed();
        let Some(count) = u64::try_from(staged.len()).ok().filter(|count| *count > 0) else { return };
        self.counters.commits += 1;
        if let Some(first) = staged.first() {
            self.counters.commit_wait_us += now.monotonic.since(first.since);
        }
        let mut sequence = last.saturating_sub(count);
        let mut touched = Vec::with_capacity(staged.len());
        for staged in staged {
            sequence += 1;
            let machine = &mut self.machines[staged.number];
            let (log, lane) = (staged.slice.log, staged.slice.lane);
            let maker = staged.slice.boot.maker;
            machine.logs.get_or_make(log, lane).commit(staged.slice.last_position(), maker);
            let due = machine.pace.committed(lane, now.monotonic);
            if !machine.touched {
                machine.touched = true;
                touched.push(staged.number);
            }
            self.schedule_ack(staged.number, due);
            self.count_committed(&staged.slice);
            self.fold(staged.number, sequence, &staged.slice, staged.records, now, effects);
        }
        self.folded = last;
        effects.folded = last;
        for number in touched {
            let machine = &mut self.machines[number];
            machine.touched = false;
            effects.states.push(machine.live());
        }
    }

    /// Folds one slice of the journal and notes what follows.
    pub(super) fn fold(
        &mut self,
        number: MachineNumber,
        sequence: Sequence,
        slice: &Slice,
        records: Vec<(u64, Content)>,
        now: Now,
        effects: &mut Effects,
    ) {
        let machine = &mut self.machines[number];
        let folded = machine.folder.slice(sequence, slice, records, &mut effects.derived);
        let pace = &mut machine.checkpoint;
        if pace.first_unsaved.is_none() {
            pace.first_unsaved = Some(sequence);
            self.unsaved.insert((sequence, number));
            // Machines that began together do not stay together.
            let spread = (number as u64 + 1).wrapping_mul(7_919 * MILLI) % CHECKPOINT_PERIOD_US;
            let due = pace.last.map_or(now.monotonic.plus(spread), |last| last.plus(CHECKPOINT_PERIOD_US));
            self.checkpoints_due.push(Reverse((due, number)));
        }
        self.folded(number, folded, now, effects);
    }

    /// Takes what was read from the journal again: records whose turn had not come, and which were too many to wait.
    pub fn read_again(&mut self, asked: &ReadAgain, read: ReadSlices, now: Now) -> Effects {
        let mut effects = Effects::default();
        if let Some(number) = self.registry.number(&asked.machine) {
            let machine = &mut self.machines[number];
            let folded = machine.folder.again(&read.slices, read.through, &mut effects.derived);
            self.folded(number, folded, now, &mut effects);
            effects.states.push(self.machines[number].live());
        }
        effects
    }

    fn folded(&mut self, number: MachineNumber, folded: FoldedSlice, now: Now, effects: &mut Effects) {
        self.counters.duplicates_applied += folded.duplicates;
        self.counters.records_unreadable += folded.unreadable;
        self.counters.records_folded += folded.records;
        effects.blocks.extend(folded.block);
        let found = |incident| DerivedIncident { incident, detected: now.unix };
        effects.derived.incidents.extend(folded.incidents.into_iter().map(found));
        let facts =
            folded.commissionings.into_iter().map(|(log, position, new)| reported(log, position, new, now));
        effects.derived.facts.extend(facts);
        if let Some(after) = folded.read_again {
            effects.reads.push(ReadAgain { machine: self.machines[number].id.clone(), after });
        }
        if folded.session_ended {
            self.checkpoint(number, now, effects);
        }
    }

    /// The append failed: for now, or for good.
    pub(super) fn commit_failed(&mut self, error: &StoreError, now: Now, effects: &mut Effects) {
        self.counters.commits_retried += 1;
        if error.kind.is_retryable() {
            self.commit.retry(now.monotonic);
            return;
        }
        let number = match self.commit.bisect() {
            Failed::Halved => return,
            Failed::OneMachine(number) => number,
        };
        self.counters.set_aside += 1;
        self.commit.drop_machine(number);
        let machine = &mut self.machines[number];
        machine.logs.roll_back();
        machine.set_aside_until = Some(now.monotonic.plus(SET_ASIDE_US));
        let message = format!("the journal refuses this machine's records, which stay at its agent: {error}");
        self.alarm(number, message, now, effects);
    }

    pub(super) fn schedule_ack(&mut self, number: MachineNumber, due: Option<MonotonicMicros>) {
        if let Some(due) = due {
            self.acks_due.push(Reverse((due, number)));
        }
    }

    pub(super) fn send_due_acks(&mut self, now: Now, effects: &mut Effects) {
        while let Some(Reverse((due, number))) = self.acks_due.peek().copied() {
            if due > now.monotonic {
                break;
            }
            self.acks_due.pop();
            if self.machines[number].pace.is_due(now.monotonic) {
                self.ack(number, now, effects);
            }
        }
    }

    fn ack(&mut self, number: MachineNumber, now: Now, effects: &mut Effects) {
        let room = self.room;
        let machine = &mut self.machines[number];
        // Without a status its connection is not known: the ack is made when the status comes.
        let Some(sender) = machine.senders.current().filter(|sender| sender.connection > 0) else {
            machine.pace.forget_due();
            return;
        };
        let lanes = machine.lane_acks(|lane| Self::window(room, lane));
        let lanes = machine.pace.take_lanes(lanes, now.monotonic);
        let (echo, refusal) = machine.pace.take(now.monotonic);
        let ack = Ack {
            boot: sender.boot,
            connection: sender.connection,
            counter: machine.pace.next_counter(now.unix),
            lanes,
            echo,
            server_time: now.unix,
            refusal,
            settings: None,
        };
        self.publish(number, &ack, effects);
    }

    pub(super) fn make_due_checkpoints(&mut self, now: Now, effects: &mut Effects) {
        for _ in 0..CHECKPOINTS_A_STEP {
            let Some(Reverse((due, number))) = self.checkpoints_due.peek().copied() else { break };
            if due > now.monotonic {
                break;
            }
            self.checkpoints_due.pop();
            let last = self.machines[number].checkpoint.last;
            // One that was made in between, at the end of a session, moves this one on.
            let next = last.map_or(due, |last| last.plus(CHECKPOINT_PERIOD_US));
            if next > now.monotonic && self.machines[number].checkpoint.first_unsaved.is_some() {
                self.checkpoints_due.push(Reverse((next, number)));
            } else {
                self.checkpoint(number, now, effects);
            }
        }
    }

    pub(super) fn checkpoint_all(&mut self, now: Now, effects: &mut Effects) {
        let numbers: Vec<MachineNumber> = self.unsaved.iter().map(|(_, number)| *number).collect();
        for number in numbers {
            self.checkpoint(number, now, effects);
        }
    }

    /// Makes a machine's checkpoint, if there is something that none holds yet.
    fn checkpoint(&mut self, number: MachineNumber, now: Now, effects: &mut Effects) {
        if self.machines[number].checkpoint.first_unsaved.is_some() {
            self.save(number, now, effects);
        }
    }

    /// Makes a machine's checkpoint, with its open session and the usage of its day.
    pub(super) fn save(&mut self, number: MachineNumber, now: Now, effects: &mut Effects) {
        let machine = &mut self.machines[number];
        effects.derived.sessions.extend(machine.folder.open_session());
        effects.derived.usage.extend(machine.folder.open_usage());
        let missing = machine.folder.first_missing();
        let checkpoint = machine.checkpointed(self.registry.seen(number));
        effects.derived.checkpoints.push(Checkpoint {
            machine: machine.id.clone(),
            sequence: missing.map_or(checkpoint.newest_slice, |first| first - 1),
            revision: checkpoint.revision,
            state: checkpoint.encode(),
        });
        self.counters.checkpoints += 1;
        if let Some(first) = machine.checkpoint.first_unsaved {
            self.unsaved.remove(&(first, number));
        }
        machine.checkpoint.last = Some(now.monotonic);
        machine.checkpoint.first_unsaved = missing;
        if let Some(first) = missing {
            self.unsaved.insert((first, number));
            self.checkpoints_due.push(Reverse((now.monotonic.plus(CHECKPOINT_PERIOD_US), number)));
        }
    }

    fn count_committed(&mut self, slice: &Slice) {
        let records = u64::from(slice.records);
        match slice.lane {
            Lane::Events => self.counters.events_committed += records,
            Lane::Readings => self.counters.readings_committed += records,
        }
        self.counters.records_lost += slice.hole.map_or(0, |hole| hole.records_at_least);
    }
}

/// A commissioning as a fact. Its request is its record: however often that comes, it is one fact.
fn reported(log: LogId, position: Position, new: NewCommissioning, now: Now) -> Fact {
    Fact {
        time: now.unix,
        author: format!("machine:{}", new.machine),
        request_id: Some(format!("{log}/{:x}/{:x}", position.boot_count, position.n)),
        kind: FactKind::Commissioned(new),
    }
}
