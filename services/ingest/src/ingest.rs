//! The ingest's mind: everything that is decided between a message and its ack, for all machines.
//!
//! It holds all rules and does no I/O: it is told what came in and answers what is to be done. The body appends,
//! publishes, writes and waits. Tests and the simulation drive it with values.

mod land;
mod receive;
mod replay;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use bytes::Bytes;
use domain::limits;
use domain::live::LiveState;
use domain::log::Lane;
use domain::units::{MonotonicMicros, UnixMicros};
use store::StoreError;
use store::journal::{Sequence, Slice};
use store::ledger::Derived;
use store::telemetry::Block;
use wire::keys::MasterKey;

use crate::commit::CommitMind;
use crate::counters::Counters;
use crate::machine::Machine;
use crate::refusals::Refused;
use crate::registry::{MachineNumber, Registered, Registry};

/// The time at which something happens, by both clocks of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For waiting and pacing.
    pub monotonic: MonotonicMicros,
    /// For what people see, and for what agents set their clocks by.
    pub unix: UnixMicros,
}

/// What the mind is told.
#[derive(Debug)]
pub enum Input<'a> {
    /// A message came from the broker.
    Message {
        /// Its topic.
        topic: &'a str,
        /// Its octets, sealed.
        payload: Bytes,
    },
    /// The append under way returned: everything in it is on disk.
    Committed {
        /// The sequence of its last slice.
        sequence: Sequence,
    },
    /// The append under way failed; nothing of it is in the journal.
    CommitFailed {
        /// Why.
        error: &'a StoreError,
    },
    /// Machines were registered, or have a newer key.
    Registered(&'a [Registered]),
    /// How much room there is.
    Room(Room),
    /// Time has passed.
    Tick,
    /// The service stops: every machine with unsaved state is checkpointed.
    Stopping,
}

/// How much room there is for more; the acks' windows follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Messages that wait for the mind.
    pub queue_used: usize,
    /// Messages that may wait.
    pub queue_size: usize,
    /// The journal's disk is nearly full: readings have to wait at the agents; events go on.
    pub journal_nearly_full: bool,
}

/// Machines that were heard with a second or later generation of their key: the generations before it are done with.
#[derive(Debug, Clone, Default)]
pub struct Renewed {
    /// Counts up whenever the rest changes.
    pub number: u64,
    /// The greatest generation, by machine.
    pub generations: Arc<BTreeMap<domain::ids::MachineId, u32>>,
}

/// What is to be done. The order between the lists does not matter, the order within each does.
#[derive(Debug, Default)]
pub struct Effects {
    /// Append these to the journal, and tell what became of it. There is never more than one append under way.
    pub append: Option<Arc<[Slice]>>,
    /// Publish these with QoS 0.
    pub publishes: Vec<Publish>,
    /// Write these to the ledger, as one.
    pub derived: Derived,
    /// Write these to the telemetry.
    pub blocks: Vec<Block>,
    /// Everything up to this slice of the journal is folded, and its blocks were given; 0: nothing new was.
    pub folded: Sequence,
    /// Show these to the watchers.
    pub states: Vec<LiveState>,
    /// Keep these for an operator to see.
    pub refused: Vec<Refused>,
    /// Read these again from the journal, and give them to [`IngestMind::read_again`].
    pub reads: Vec<ReadAgain>,
    /// Say these to an operator: something needs a person.
    pub alarms: Vec<Alarm>,
}

/// A message for one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Its topic.
    pub topic: String,
    /// Its octets, sealed.
    pub payload: Bytes,
}

/// Slices of one machine that were too many to wait in memory, and whose turn has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAgain {
    /// The machine.
    pub machine: domain::ids::MachineId,
    /// Slices after this one.
    pub after: Sequence,
}

/// What the journal held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSlices {
    /// Slices of one machine, ascending; all that there are up to `through`.
    pub slices: Vec<(Sequence, Slice)>,
    /// How far the journal was read.
    pub through: Sequence,
}

/// Something that needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Which machine.
    pub machine: domain::ids::MachineId,
    /// What happened, in one sentence.
    pub message: String,
}

/// The ingest's mind.
#[derive(Debug)]
pub struct IngestMind {
    registry: Registry,
    machines: Vec<Machine>,
    commit: CommitMind,
    /// Acks that are due, by time. An entry whose ack went out earlier is skipped.
    acks_due: BinaryHeap<Reverse<(MonotonicMicros, MachineNumber)>>,
    /// Checkpoints that are due, by time.
    checkpoints_due: BinaryHeap<Reverse<(MonotonicMicros, MachineNumber)>>,
    /// From where the journal is needed: the first slice of each machine that no checkpoint holds.
    unsaved: BTreeSet<(Sequence, MachineNumber)>,
    folded: Sequence,
    room: Room,
    counters: Counters,
}

impl IngestMind {
    /// A mind that knows no machine yet.
    pub fn new(master: MasterKey) -> IngestMind {
        IngestMind {
            registry: Registry::new(master),
            machines: Vec::new(),
            commit: CommitMind::new(),
            acks_due: BinaryHeap::new(),
            checkpoints_due: BinaryHeap::new(),
            unsaved: BTreeSet::new(),
            folded: 0,
            room: Room { queue_used: 0, queue_size: 1, journal_nearly_full: false },
            counters: Counters::default(),
        }
    }

    /// Takes in what happened and says what is to be done about it.
    pub fn apply(&mut self, input: Input<'_>, now: Now) -> Effects {
        let mut effects = Effects::default();
        match input {
            Input::Message { topic, payload } => self.message(topic, payload, now, &mut effects),
            Input::Committed { sequence } => self.committed(sequence, now, &mut effects),
            Input::CommitFailed { error } => self.commit_failed(error, now, &mut effects),
            Input::Registered(registered) => self.register(registered),
            Input::Room(room) => self.room = room,
            Input::Tick => {}
            Input::Stopping => self.checkpoint_all(now, &mut effects),
        }
        self.send_due_acks(now, &mut effects);
        self.make_due_checkpoints(now, &mut effects);
        effects.append = self.commit.next(now.monotonic);
        effects
    }

    /// When [`Input::Tick`] is due; `None`: when something happens.
    pub fn wake(&self) -> Option<MonotonicMicros> {
        let next = |heap: &BinaryHeap<Reverse<(MonotonicMicros, MachineNumber)>>| {
            heap.peek().map(|Reverse((due, _))| *due)
        };
        [self.commit.wake(), next(&self.acks_due), next(&self.checkpoints_due)].into_iter().flatten().min()
    }

    /// Whether so much waits for the journal that readings have to wait in the queue.
    pub fn is_full(&self, lane: Lane) -> bool {
        let max = match lane {
            // Events may still come when readings have to wait.
            Lane::Events => 2 * limits::COMMIT_RECORDS_MAX,
            Lane::Readings => limits::COMMIT_RECORDS_MAX,
        };
        self.commit.waiting_records() >= max
    }

    /// Whether nothing waits for the journal and nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.commit.is_idle()
    }

    /// Everything up to here is in the checkpoints that were made; the journal is not needed for them.
    pub fn saved(&self) -> Sequence {
        self.unsaved.first().map_or(self.folded, |(first, _)| first - 1)
    }

    /// What was counted since the mind was made.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Machines that the registry knows.
    pub fn machines_registered(&self) -> usize {
        self.registry.len()
    }

    /// Which machines were heard with a second or later generation of their key, and the greatest; with a number that
    /// counts up whenever that changes.
    pub fn renewed(&self, known: u64) -> Option<Renewed> {
        let number = self.registry.renewals();
        (number != known).then(|| Renewed { number, generations: Arc::new(self.registry.renewed()) })
    }

    fn register(&mut self, registered: &[Registered]) {
        for registered in registered {
            let number = self.registry.register(registered);
            if number == self.machines.len() {
                self.machines.push(Machine::new(registered.machine.clone()));
            }
            self.machines[number].folder.obey(registered.settings.clone());
        }
    }

    /// How many envelopes of a lane an agent may have under way.
    fn window(room: Room, lane: Lane) -> u32 {
        let full = limits::WINDOW_ENVELOPES;
        let quarters = room.queue_used.saturating_mul(4) / room.queue_size.max(1);
        match (lane, quarters) {
            (Lane::Readings, _) if room.journal_nearly_full => 0,
            (_, 0) => full,
            (Lane::Events, 1 | 2) => full,
            (Lane::Events, _) => full / 4,
            (Lane::Readings, 1) => full / 2,
            (Lane::Readings, 2) => full / 8,
            (Lane::Readings, _) => full / 32,
        }
    }
}
