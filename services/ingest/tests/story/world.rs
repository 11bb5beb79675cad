//! A mind with the simplest stores there are, and a clock that is set by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{LogId, MachineId, SessionId};
use domain::incident::settings::{MachineSettings, Timeline};
use domain::live::{LiveState, Session};
use domain::log::{Lane, Position};
use domain::record::Record;
use domain::units::{MonotonicMicros, SECOND, UnixMicros};
use ingest::Registered;
use ingest::counters::Counters;
use ingest::ingest::{Alarm, Effects, IngestMind, Input, Now, Publish, ReadSlices};
use ingest::refusals::Refused;
use store::journal::{Sequence, Slice};
use store::ledger::{Checkpoint, Loss, Unreadable};
use store::telemetry::Block;
use store::{StoreError, StoreErrorKind};
use wire::ack::Ack;
use wire::keys::MasterKey;

use crate::agent::{Agent, EPOCH, Sent};

/// Everything derived, as the stores would hold it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    pub(crate) sessions: BTreeMap<SessionId, Session>,
    pub(crate) losses: BTreeMap<(MachineId, LogId, Position), Loss>,
    pub(crate) unreadable: BTreeMap<(MachineId, LogId, Position), Unreadable>,
    pub(crate) blocks: BTreeMap<Sequence, Block>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) master: MasterKey,
    pub(crate) registered: Vec<Registered>,
    pub(crate) mind: IngestMind,
    pub(crate) now: Now,
    pub(crate) journal: Vec<Slice>,
    pub(crate) under_way: Option<Arc<[Slice]>>,
    pub(crate) checkpoints: BTreeMap<MachineId, Checkpoint>,
    pub(crate) rows: Rows,
    pub(crate) states: BTreeMap<MachineId, LiveState>,
    pub(crate) publishes: Vec<Publish>,
    pub(crate) refused: Vec<Refused>,
    pub(crate) alarms: Vec<Alarm>,
    /// The journal appends by itself.
    pub(crate) appends: bool,
}

pub(crate) fn master() -> MasterKey {
    MasterKey::new([3; 32])
}

impl World {
    pub(crate) fn new(machines: &[&str]) -> World {
        let machine = |name: &&str| Registered {
            machine: MachineId::new(name).expect("an id"),
            key_generation: 1,
            revoked_generation: 0,
            settings: Arc::new(Timeline::always(MachineSettings {
                direction_proven: true,
                ..MachineSettings::default()
            })),
        };
        let registered: Vec<Registered> = machines.iter().map(machine).collect();
        let now = Now { monotonic: MonotonicMicros(SECOND), unix: UnixMicros(EPOCH) };
        let mut mind = IngestMind::new(master());
        mind.apply(Input::Registered(&registered), now);
        World {
            master: master(),
            registered,
            mind,
            now,
            journal: Vec::new(),
            under_way: None,
            checkpoints: BTreeMap::new(),
            rows: Rows::default(),
            states: BTreeMap::new(),
            publishes: Vec::new(),
            refused: Vec::new(),
            alarms: Vec::new(),
            appends: true,
        }
    }

    pub(crate) fn agent(&self, name: &str) -> Agent {
        Agent::new(name, &self.master)
    }

    pub(crate) fn tell(&mut self, input: Input<'_>) {
        let effects = self.mind.apply(input, self.now);
        self.perform(effects);
    }

    /// Takes effects over, as the body would, apart from appending.
    pub(crate) fn perform(&mut self, effects: Effects) {
        for checkpoint in effects.derived.checkpoints {
            let newest = self.checkpoints.entry(checkpoint.machine.clone()).or_insert(checkpoint.clone());
            if checkpoint.revision >= newest.revision {
                *newest = checkpoint;
            }
        }
        for session in effects.derived.sessions {
            let newest = self.rows.sessions.entry(session.id).or_insert(session.clone());
            if session.revision >= newest.revision {
                *newest = session;
            }
        }
        for (machine, loss) in effects.derived.losses {
            self.rows.losses.insert((machine, loss.log, loss.hole.to), loss);
        }
        for (machine, unreadable) in effects.derived.unreadable {
            self.rows.unreadable.insert((machine, unreadable.log, unreadable.position), unreadable);
        }
        self.rows.blocks.extend(effects.blocks.into_iter().map(|block| (block.sequence, block)));
        self.states.extend(effects.states.into_iter().map(|state| (state.machine.clone(), state)));
        self.publishes.extend(effects.publishes);
        self.refused.extend(effects.refused);
        self.alarms.extend(effects.alarms);
        if let Some(slices) = effects.append {
            assert!(self.under_way.is_none(), "one append at a time");
            self.under_way = Some(slices);
        }
        for asked in effects.reads {
            let of_machine = |(_, slice): &(Sequence, &Slice)| slice.machine == asked.machine;
            let numbered = (1..).zip(&self.journal).skip(usize::try_from(asked.after).expect("small"));
            let slices = numbered.filter(of_machine).map(|(n, slice)| (n, slice.clone())).collect();
            let read = ReadSlices { slices, through: self.journal.len() as u64 };
            let effects = self.mind.read_again(&asked, read, self.now);
            self.perform(effects);
        }
        if self.appends {
            self.commit();
        }
    }

    /// The append under way succeeds.
    pub(crate) fn commit(&mut self) {
        if let Some(slices) = self.under_way.take() {
            self.journal.extend(slices.iter().cloned());
            self.tell(Input::Committed { sequence: self.journal.len() as u64 });
        }
    }

    /// The append under way fails.
    pub(crate) fn fail(&mut self, kind: StoreErrorKind) {
        if self.under_way.take().is_some() {
            self.tell(Input::CommitFailed { error: &StoreError::new(kind, "the disk is gone") });
        }
    }

    pub(crate) fn deliver(&mut self, sent: &Sent) {
        self.tell(Input::Message { topic: &sent.topic, payload: sent.payload.clone() });
    }

    /// Time passes; the mind is woken whenever it wants to be.
    pub(crate) fn pass(&mut self, micros: u64) {
        let until = self.now.monotonic.plus(micros);
        while let Some(wake) = self.mind.wake().filter(|wake| *wake <= until) {
            self.set(wake.max(self.now.monotonic));
            let before = (self.now, self.mind.wake());
            self.tell(Input::Tick);
            if (self.now, self.mind.wake()) == before {
                break;
            }
        }
        self.set(until);
        self.tell(Input::Tick);
    }

    fn set(&mut self, monotonic: MonotonicMicros) {
        let passed = monotonic.since(self.now.monotonic).cast_signed();
        self.now = Now { monotonic, unix: self.now.unix.plus(passed) };
    }

    /// Acks for an agent's machine since the last call.
    pub(crate) fn acks(&mut self, agent: &Agent) -> Vec<Ack> {
        let publishes = std::mem::take(&mut self.publishes);
        let (own, others) =
            publishes.into_iter().partition(|publish| agent.open(&publish.topic, &publish.payload).is_some());
        self.publishes = others;
        let own: Vec<Publish> = own;
        own.iter().filter_map(|publish| agent.open(&publish.topic, &publish.payload)).collect()
    }

    /// Gives an agent its acks.
    pub(crate) fn answer(&mut self, agent: &mut Agent) {
        for ack in self.acks(agent) {
            agent.take(&ack);
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.mind.counters()
    }

    /// The process dies. What is under way is in the journal, or it is not. A new one goes on from the checkpoints.
    pub(crate) fn crash(&mut self, appended: bool) {
        if let Some(slices) = self.under_way.take().filter(|_| appended) {
            self.journal.extend(slices.iter().cloned());
        }
        self.mind = IngestMind::new(self.master.clone());
        self.publishes.clear();
        let registered = self.registered.clone();
        self.tell(Input::Registered(&registered));
        for checkpoint in self.checkpoints.clone().values() {
            assert_eq!(self.mind.restore(checkpoint, self.now), Ok(true));
        }
        for (sequence, slice) in (1..).zip(self.journal.clone()) {
            let effects = self.mind.replay(sequence, &slice, self.now).expect("a slice that can be read");
            self.perform(effects);
        }
        self.mind.replayed(self.journal.len() as u64);
    }

    /// Brings everything that an agent has into the journal, without any fault.
    pub(crate) fn settle(&mut self, agent: &mut Agent) {
        self.appends = true;
        self.commit();
        for _ in 0..20 {
            self.pass(6 * SECOND);
            let status = agent.send_status();
            self.deliver(&status);
            self.answer(agent);
            for sent in agent.send_all(5) {
                self.deliver(&sent);
            }
            self.pass(2 * SECOND);
            self.answer(agent);
            if agent.spooled.iter().all(Vec::is_empty) {
                return;
            }
        }
        panic!("not everything was acknowledged: {:?} {:?}", agent.spooled, self.refused.last());
    }

    /// The records of a machine's lane in the journal, in order.
    pub(crate) fn records(&self, machine: &MachineId, lane: Lane) -> Vec<(LogId, Position, Option<Record>)> {
        let of_lane = self.journal.iter().filter(|slice| slice.machine == *machine && slice.lane == lane);
        of_lane
            .flat_map(|slice| {
                let entries = wire::envelope::decode_slice(slice.body.clone()).expect("a slice");
                let (log, boot_count) = (slice.log, slice.boot.boot_count);
                entries.into_iter().map(move |entry| {
                    let record = wire::record::decode(lane, &entry.record).ok();
                    (log, Position::new(boot_count, entry.n), record)
                })
            })
            .collect()
    }
}
