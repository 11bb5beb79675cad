//! The server on the day when everybody comes back: the real ingest mind with a bounded queue before it and stores that
//! only count what is too much to keep.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::limits;
use domain::live::LiveState;
use domain::log::{Lane, Position};
use ingest::ingest::{Effects, IngestMind, Input, Room};
use ingest::recover::registered;
use store::journal::{Journal, Slice};
use store::ledger::{Derived, Ledger};
use store::memory::{MemoryJournal, MemoryLedger};
use wire::envelope::decode_slice;
use wire::keys::MasterKey;

use super::agent::Sum;
use crate::simulation::network::Message;
use crate::simulation::server::{at_once, now_at, of_machine, to_agent};

/// How often the ledger is written, and the journal trimmed, in microseconds.
const LEDGER_US: u64 = 50_000;
const TRIM_US: u64 = 1_000_000;
/// An fsync takes some milliseconds.
const FSYNC_US: u64 = 3_000;

/// The greatest there ever was at once.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Greatest {
    pub(super) queue_messages: usize,
    pub(super) commit_records: u64,
    pub(super) commit_octets: usize,
    pub(super) journal_slices: u64,
    pub(super) checkpoint_octets: usize,
    pub(super) derived_rows: usize,
}

/// What the journal took of one machine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Taken {
    pub(super) sums: [Sum; 2],
    pub(super) last: [Option<Position>; 2],
}

pub(super) struct DayServer {
    pub(super) greatest: Greatest,
    pub(super) taken: Vec<Taken>,
    pub(super) deferred: u64,
    pub(super) lost: u64,
    mind: IngestMind,
    journal: MemoryJournal,
    ledger: MemoryLedger,
    append: Option<(Arc<[Slice]>, u64)>,
    /// Events and statuses, and readings: as two connections bring them.
    queues: [VecDeque<Message>; 2],
    derived: Derived,
    ledger_due: u64,
    trim_due: u64,
    folded: u64,
}

impl DayServer {
    pub(super) fn new(master: MasterKey, ledger: MemoryLedger, machines: usize) -> DayServer {
        let mut mind = IngestMind::new(master);
        mind.apply(Input::Registered(&registered(&ledger)), now_at(0));
        DayServer {
            greatest: Greatest::default(),
            taken: vec![Taken::default(); machines],
            deferred: 0,
            lost: 0,
            mind,
            journal: MemoryJournal::new(),
            ledger,
            append: None,
            queues: Default::default(),
            derived: Derived::default(),
            ledger_due: 0,
            trim_due: 0,
            folded: 0,
        }
    }

    /// The broker brings a message; without room it is dropped, and its agent sends again.
    pub(super) fn arrive(&mut self, message: Message) {
        let queue = &mut self.queues[usize::from(message.topic.ends_with("/readings"))];
        if queue.len() >= limits::INGEST_QUEUE_MESSAGES {
            self.deferred += 1;
            return;
        }
        queue.push_back(message);
        let used = self.queues.iter().map(VecDeque::len).sum();
        self.greatest.queue_messages = self.greatest.queue_messages.max(used);
    }

    /// Works on what waits, events first, as much as the time since the last step allows: so many messages, with so many
    /// records at most. Gives what goes to agents and what watchers see.
    pub(super) fn step(
        &mut self,
        now: u64,
        messages: usize,
        records: u64,
    ) -> anyhow::Result<(Vec<Message>, Vec<LiveState>)> {
        let (mut out, mut states) = (Vec::new(), Vec::new());
        if let Some((slices, _)) = self.append.take_if(|(_, due)| *due <= now) {
            let sequence = at_once(self.journal.append(slices.clone()))?;
            self.note_taken(&slices)?;
            let effects = self.mind.apply(Input::Committed { sequence }, now_at(now));
            self.perform(effects, now, &mut out, &mut states)?;
        }
        let room = Room {
            queue_used: self.queues.iter().map(VecDeque::len).sum(),
            queue_size: limits::INGEST_QUEUE_MESSAGES,
            journal_nearly_full: false,
        };
        let effects = self.mind.apply(Input::Room(room), now_at(now));
        self.perform(effects, now, &mut out, &mut states)?;
        let before = self.mind.counters();
        for _ in 0..messages {
            let Some(message) = self.next() else { break };
            let input = Input::Message { topic: &message.topic, payload: message.payload };
            let effects = self.mind.apply(input, now_at(now));
            self.perform(effects, now, &mut out, &mut states)?;
            let taken = self.mind.counters().envelopes_taken - before.envelopes_taken;
            // Readings are small: an envelope holds some two hundred.
            if taken * READINGS_AN_ENVELOPE >= records {
                break;
            }
        }
        self.write(now)?;
        Ok((out, states))
    }

    fn next(&mut self) -> Option<Message> {
        for (lane, queue) in Lane::ALL.into_iter().zip(&mut self.queues) {
            if !self.mind.is_full(lane)
                && let Some(message) = queue.pop_front()
            {
                return Some(message);
            }
        }
        None
    }

    fn note_taken(&mut self, slices: &[Slice]) -> anyhow::Result<()> {
        for slice in slices {
            let number: usize = slice.machine.as_str().trim_start_matches("tm-").parse()?;
            let taken = &mut self.taken[number];
            for entry in decode_slice(slice.body.clone())? {
                let position = Position::new(slice.boot.boot_count, entry.n);
                taken.sums[slice.lane.index()].add(position, &entry.record);
            }
            taken.last[slice.lane.index()] = Some(slice.last_position());
            self.lost += slice.hole.map_or(0, |hole| hole.records_at_least);
        }
        let greatest = &mut self.greatest;
        let records = slices.iter().map(|slice| u64::from(slice.records)).sum();
        let octets = slices.iter().map(|slice| slice.body.len()).sum();
        greatest.commit_records = greatest.commit_records.max(records);
        greatest.commit_octets = greatest.commit_octets.max(octets);
        Ok(())
    }

    fn perform(
        &mut self,
        effects: Effects,
        now: u64,
        out: &mut Vec<Message>,
        states: &mut Vec<LiveState>,
    ) -> anyhow::Result<()> {
        self.folded = self.folded.max(effects.folded);
        let octets = effects.derived.checkpoints.iter().map(|checkpoint| checkpoint.state.len()).max();
        self.greatest.checkpoint_octets = self.greatest.checkpoint_octets.max(octets.unwrap_or(0));
        self.derived.absorb(effects.derived);
        self.greatest.derived_rows = self.greatest.derived_rows.max(self.derived.rows());
        if let Some(slices) = effects.append {
            self.append = Some((slices, now + FSYNC_US));
        }
        out.extend(effects.publishes.into_iter().filter_map(to_agent));
        states.extend(effects.states);
        for again in effects.reads {
            let read = at_once(self.journal.read(again.after, 10_000))?;
            let effects = self.mind.read_again(&again, of_machine(&again, read), now_at(now));
            self.perform(effects, now, out, states)?;
        }
        Ok(())
    }

    /// The history would hold what is folded; the journal is trimmed when the ledger holds what follows from it.
    fn write(&mut self, now: u64) -> anyhow::Result<()> {
        if now >= self.ledger_due {
            self.ledger_due = now + LEDGER_US;
            at_once(self.ledger.put(std::mem::take(&mut self.derived)))?;
        }
        let span = at_once(self.journal.span())?;
        self.greatest.journal_slices = self.greatest.journal_slices.max(span.last - span.trimmed);
        if now >= self.trim_due {
            self.trim_due = now + TRIM_US;
            at_once(self.journal.trim(self.mind.saved().min(self.folded)))?;
        }
        Ok(())
    }
}

/// About as many readings as an envelope of a backlog holds.
const READINGS_AN_ENVELOPE: u64 = 250;
