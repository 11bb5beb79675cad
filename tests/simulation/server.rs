//! The server of the simulation: the real ingest mind and memory stores, with a body that can be killed between any
//! two steps. The stores are its disk: what they hold survives.

use std::sync::Arc;

use bytes::Bytes;
use domain::log::Lane;
use domain::units::{MonotonicMicros, UnixMicros};
use futures::FutureExt;
use ingest::ingest::{Effects, IngestMind, Input, Now, ReadAgain, ReadSlices, Room};
use ingest::recover::{recover, registered};
use store::journal::{Journal, Sequence, Slice};
use store::ledger::Ledger;
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::{StoreError, StoreErrorKind};
use wire::keys::MasterKey;
use wire::seal::Unopened;
use wire::topics::Topic;

use super::clocks::EPOCH_US;
use super::network::{Message, To};
use super::tally::{Met, Tally};
use super::writers::{Answer, LedgerWriter, TelemetryWriter};

const TRIM_US: u64 = 10_000_000;

/// What the server's disk holds. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stores {
    pub(crate) journal: MemoryJournal,
    pub(crate) ledger: MemoryLedger,
    pub(crate) telemetry: MemoryTelemetry,
}

/// A server, alive or dead.
pub(crate) struct SimulatedServer {
    pub(crate) master: MasterKey,
    pub(crate) stores: Stores,
    /// Every slice that the journal ever took and that no restored backup took away, with its sequence.
    pub(crate) appended: Vec<(Sequence, Slice)>,
    pub(crate) duplicates_applied: u64,
    pub(crate) tally: Tally,
    /// How ledger and telemetry answer just now.
    pub(crate) answers: [Answer; 2],
    pub(crate) is_journal_nearly_full: bool,
    /// How far the server's wall clock is from the truth.
    pub(crate) ahead_us: i64,
    life: Option<Life>,
}

struct Life {
    mind: IngestMind,
    append: Option<(Arc<[Slice]>, u64)>,
    ledger: LedgerWriter,
    telemetry: TelemetryWriter,
    trim_due: u64,
    clone_alarms: u64,
}

/// How an append ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendEnds {
    /// On disk, and the server learns it.
    Well,
    /// Refused for now.
    Refused,
    /// Refused for good: these records can never be written, it says.
    RefusedForGood,
    /// The server dies just before it reaches the disk.
    KilledBefore,
    /// It is on disk; the server dies before it learns it.
    KilledAfter,
}

/// What the server's disk held at one moment.
pub(crate) struct Backup {
    journal: store::memory::JournalSnapshot,
    ledger: store::memory::LedgerSnapshot,
    telemetry: store::memory::TelemetrySnapshot,
    appended: usize,
}

/// The time in the world, by a wall clock that is so far ahead.
fn at(world_us: u64, ahead_us: i64) -> Now {
    let unix = EPOCH_US + ahead_us + i64::try_from(world_us).expect("the world is young");
    Now { monotonic: MonotonicMicros(world_us), unix: UnixMicros(unix) }
}

pub(crate) fn now_at(world_us: u64) -> Now {
    at(world_us, 0)
}

/// What memory engines answer: they never wait.
pub(crate) fn at_once<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("memory engines never wait")
}

impl SimulatedServer {
    pub(crate) fn new(master: MasterKey) -> SimulatedServer {
        SimulatedServer {
            master,
            stores: Stores::default(),
            appended: Vec::new(),
            duplicates_applied: 0,
            tally: Tally::default(),
            answers: [Answer::Works; 2],
            is_journal_nearly_full: false,
            ahead_us: 0,
            life: None,
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    /// Starts the process: the real recovery from the stores.
    pub(crate) fn start(&mut self, now: u64) -> anyhow::Result<()> {
        let Stores { journal, ledger, telemetry } = &self.stores;
        let clock = self.clock(now);
        let recovered = at_once(recover(self.master.clone(), journal, ledger, telemetry, clock))?;
        let mut life = Life {
            mind: recovered.mind,
            append: None,
            ledger: LedgerWriter::new(recovered.derived, now),
            telemetry: TelemetryWriter::new(recovered.watermark, recovered.folded, now),
            trim_due: now + TRIM_US,
            clone_alarms: 0,
        };
        for again in recovered.reads {
            life.read_again(&self.stores, again, clock)?;
        }
        self.life = Some(life);
        Ok(())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(life) = self.life.take() {
            self.duplicates_applied += life.mind.counters().duplicates_applied;
            self.tally.note(Met::StoreErrors, life.ledger.errors() + life.telemetry.errors());
            self.tally.note(Met::CloneAlarms, life.clone_alarms);
        }
    }

    pub(crate) fn back_up(&self) -> Backup {
        Backup {
            journal: self.stores.journal.snapshot(),
            ledger: self.stores.ledger.snapshot(),
            telemetry: self.stores.telemetry.snapshot(),
            appended: self.appended.len(),
        }
    }

    /// Puts an old backup in the place of what was there.
    pub(crate) fn restore(&mut self, backup: &Backup) {
        self.kill();
        self.stores.journal.restore(&backup.journal);
        self.stores.ledger.restore(&backup.ledger);
        self.stores.telemetry.restore(&backup.telemetry);
        self.appended.truncate(backup.appended);
    }

    /// A message came.
    pub(crate) fn receive(&mut self, topic: &str, payload: Bytes, now: u64) -> anyhow::Result<Vec<Message>> {
        let is_revoked = self.is_revoked(topic, &payload);
        let clock = self.clock(now);
        let Some(life) = &mut self.life else { return Ok(Vec::new()) };
        let effects = life.mind.apply(Input::Message { topic, payload }, clock);
        if is_revoked {
            anyhow::ensure!(
                effects.refused.len() == 1,
                "{topic}: a revoked credential was good for a message"
            );
            self.tally.note(Met::RevokedRefused, 1);
        }
        life.perform(effects, &self.stores, clock)
    }

    /// A message came that nobody genuine had sent: it is refused, and nothing of it is taken.
    pub(crate) fn receive_forged(
        &mut self,
        topic: &str,
        payload: Bytes,
        now: u64,
    ) -> anyhow::Result<Vec<Message>> {
        let taken = |life: &Life| {
            let counters = life.mind.counters();
            (counters.envelopes_taken, counters.envelopes_duplicate, counters.statuses)
        };
        let Some(before) = self.life.as_ref().map(|life| (taken(life), life.mind.counters().refused_total()))
        else {
            return Ok(Vec::new());
        };
        let messages = self.receive(topic, payload, now)?;
        if let Some(life) = &self.life {
            let after = (taken(life), life.mind.counters().refused_total());
            anyhow::ensure!(after == (before.0, before.1 + 1), "{topic}: a forged message was taken");
        }
        self.tally.note(Met::ForgedRefused, 1);
        Ok(messages)
    }

    /// Whether a message is sealed with a generation that the registry says is revoked.
    fn is_revoked(&self, topic: &str, payload: &Bytes) -> bool {
        let registry = self.stores.ledger.registry();
        let machine = Topic::parse(topic).ok().and_then(|topic| registry.machines().get(&topic.machine));
        let generation = Unopened::read(payload.clone()).map(|message| message.key_generation());
        matches!((machine, generation), (Some(machine), Ok(generation)) if generation <= machine.revoked_generation)
    }

    /// Machines or keys of the registry changed: the process reads it again.
    pub(crate) fn registry_changed(&mut self, now: u64) -> anyhow::Result<Vec<Message>> {
        let clock = self.clock(now);
        let Some(life) = &mut self.life else { return Ok(Vec::new()) };
        let registered = registered(&self.stores.ledger);
        let effects = life.mind.apply(Input::Registered(&registered), clock);
        life.perform(effects, &self.stores, clock)
    }

    /// Some time passes. `ends` says how an append that is due ends.
    pub(crate) fn step(&mut self, now: u64, ends: AppendEnds) -> anyhow::Result<Vec<Message>> {
        let clock = self.clock(now);
        let mut out = Vec::new();
        let due = self.life.as_mut().and_then(|life| life.append.take_if(|(_, due)| *due <= now));
        if let Some((slices, _)) = due {
            let Some(result) = self.append(slices, ends)? else {
                self.kill();
                return Ok(out);
            };
            let input = match &result {
                Ok(sequence) => Input::Committed { sequence: *sequence },
                Err(error) => Input::CommitFailed { error },
            };
            if let Some(life) = &mut self.life {
                let effects = life.mind.apply(input, clock);
                out.extend(life.perform(effects, &self.stores, clock)?);
            }
        }
        let Some(life) = &mut self.life else { return Ok(out) };
        let room = Room { queue_used: 0, queue_size: 1, journal_nearly_full: self.is_journal_nearly_full };
        let effects = life.mind.apply(Input::Room(room), clock);
        out.extend(life.perform(effects, &self.stores, clock)?);
        life.write(&self.stores, self.answers, now)?;
        Ok(out)
    }

    /// What the journal answers; `None`: the server dies.
    fn append(
        &mut self,
        slices: Arc<[Slice]>,
        ends: AppendEnds,
    ) -> anyhow::Result<Option<Result<Sequence, StoreError>>> {
        let refused = match ends {
            AppendEnds::KilledBefore => return Ok(None),
            AppendEnds::Refused => Some((StoreErrorKind::Full, "the simulated disk is full")),
            AppendEnds::RefusedForGood => Some((StoreErrorKind::Invalid, "the simulated disk refuses")),
            AppendEnds::Well | AppendEnds::KilledAfter => None,
        };
        if let Some((kind, context)) = refused {
            self.tally.note(Met::AppendsRefused, 1);
            return Ok(Some(Err(StoreError::new(kind, context))));
        }
        let last = at_once(self.stores.journal.append(slices.clone()))?;
        if self.is_journal_nearly_full {
            let events = slices.iter().filter(|slice| slice.lane == Lane::Events);
            let records = events.map(|slice| u64::from(slice.records)).sum();
            self.tally.note(Met::EventsWhileNearlyFull, records);
        }
        let first = last + 1 - slices.len() as u64;
        self.appended.extend((first..).zip(slices.iter().cloned()));
        Ok((ends == AppendEnds::Well).then_some(Ok(last)))
    }

    /// Stops as the service does: everything is checkpointed and written.
    pub(crate) fn stop(&mut self, now: u64) -> anyhow::Result<()> {
        let clock = self.clock(now);
        if let Some(life) = &mut self.life {
            let effects = life.mind.apply(Input::Stopping, clock);
            life.perform(effects, &self.stores, clock)?;
            // What failed is tried again, then what waited meanwhile.
            for _ in 0..2 {
                life.ledger.hurry(now);
                life.telemetry.hurry(now);
                life.write(&self.stores, self.answers, now)?;
            }
        }
        self.kill();
        Ok(())
    }

    fn clock(&self, now: u64) -> Now {
        at(now, self.ahead_us)
    }
}

impl Life {
    fn perform(&mut self, effects: Effects, stores: &Stores, clock: Now) -> anyhow::Result<Vec<Message>> {
        self.ledger.waiting.absorb(effects.derived);
        self.telemetry.take(effects.blocks, effects.folded);
        let of_clones = effects.alarms.iter().filter(|alarm| !alarm.message.starts_with("the journal"));
        self.clone_alarms += of_clones.count() as u64;
        if let Some(slices) = effects.append {
            // An fsync takes some milliseconds.
            self.append = Some((slices, clock.monotonic.0 + 3_000));
        }
        let mut out: Vec<Message> = effects.publishes.into_iter().filter_map(to_agent).collect();
        for again in effects.reads {
            out.extend(self.read_again(stores, again, clock)?);
        }
        Ok(out)
    }

    fn read_again(&mut self, stores: &Stores, again: ReadAgain, clock: Now) -> anyhow::Result<Vec<Message>> {
        let read = at_once(stores.journal.read(again.after, 10_000))?;
        let effects = self.mind.read_again(&again, of_machine(&again, read), clock);
        self.perform(effects, stores, clock)
    }

    /// Writes behind the journal, as often as the service does.
    fn write(&mut self, stores: &Stores, answers: [Answer; 2], now: u64) -> anyhow::Result<()> {
        let [of_ledger, of_telemetry] = answers;
        self.ledger.write(stores, of_ledger, self.mind.saved(), now)?;
        self.telemetry.write(stores, of_telemetry, now)?;
        if now >= self.trim_due {
            self.trim_due = now + TRIM_US;
            at_once(stores.journal.trim(self.ledger.saved.min(self.telemetry.watermark)))?;
        }
        Ok(())
    }
}

/// What was asked for of what the journal held.
pub(crate) fn of_machine(asked: &ReadAgain, read: Vec<(Sequence, Slice)>) -> ReadSlices {
    let through = read.last().map_or(asked.after, |(sequence, _)| *sequence);
    let slices = read.into_iter().filter(|(_, slice)| slice.machine == asked.machine).collect();
    ReadSlices { slices, through }
}

/// Acks go to agents by their number, which ends the machine's id.
pub(crate) fn to_agent(publish: ingest::ingest::Publish) -> Option<Message> {
    let topic = wire::topics::Topic::parse(&publish.topic).ok()?;
    let number = topic.machine.as_str().rsplit('-').next()?.parse().ok()?;
    Some(Message { to: To::Agent(number), topic: publish.topic, payload: publish.payload })
}
