//! The server of the simulation: the real ingest mind and memory stores, with a body that can be killed between any
//! two steps. The stores are its disk: what they hold survives.

use std::sync::Arc;

use bytes::Bytes;
use domain::units::{MonotonicMicros, UnixMicros};
use futures::FutureExt;
use ingest::ingest::{Effects, IngestMind, Input, Now, ReadAgain, ReadSlices};
use ingest::recover::{recover, registered};
use store::journal::{Journal, Sequence, Slice};
use store::ledger::{Derived, Ledger};
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::telemetry::{Block, Telemetry};
use store::{StoreError, StoreErrorKind};
use wire::keys::MasterKey;
use wire::seal::Unopened;
use wire::topics::Topic;

use super::network::{Message, To};

/// How often what was derived is written to the ledger and to the telemetry, in microseconds.
const LEDGER_US: u64 = 50_000;
const TELEMETRY_US: u64 = 1_000_000;
const TRIM_US: u64 = 10_000_000;
/// The server's wall clock at the beginning of the world: 2026-01-01.
const EPOCH_US: i64 = 1_767_225_600_000_000;

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
    /// Messages that were sealed with a revoked generation; all are refused.
    pub(crate) revoked_refused: u64,
    life: Option<Life>,
}

struct Life {
    mind: IngestMind,
    append: Option<(Arc<[Slice]>, u64)>,
    derived: Derived,
    blocks: Vec<Block>,
    folded: Sequence,
    saved: Sequence,
    watermark: Sequence,
    ledger_due: u64,
    telemetry_due: u64,
    trim_due: u64,
}

/// How an append ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendEnds {
    /// On disk, and the server learns it.
    Well,
    /// Refused for now.
    Refused,
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

pub(crate) fn now_at(world_us: u64) -> Now {
    let unix = EPOCH_US + i64::try_from(world_us).expect("the world is young");
    Now { monotonic: MonotonicMicros(world_us), unix: UnixMicros(unix) }
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
            revoked_refused: 0,
            life: None,
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    /// Starts the process: the real recovery from the stores.
    pub(crate) fn start(&mut self, now: u64) -> anyhow::Result<()> {
        let Stores { journal, ledger, telemetry } = &self.stores;
        let recovered = at_once(recover(self.master.clone(), journal, ledger, telemetry, now_at(now)))?;
        let mut life = Life {
            mind: recovered.mind,
            append: None,
            derived: recovered.derived,
            blocks: Vec::new(),
            folded: recovered.folded,
            saved: 0,
            watermark: recovered.watermark,
            ledger_due: now,
            telemetry_due: now,
            trim_due: now + TRIM_US,
        };
        let lacking = at_once(journal.read(life.watermark, 10_000))?;
        life.blocks.extend(lacking.iter().filter_map(|(sequence, slice)| ingest::block_of(*sequence, slice)));
        for again in recovered.reads {
            life.read_again(&self.stores, again, now)?;
        }
        self.life = Some(life);
        Ok(())
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        if let Some(life) = self.life.take() {
            self.duplicates_applied += life.mind.counters().duplicates_applied;
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
        let revoked = self.is_revoked(topic, &payload);
        let Some(life) = &mut self.life else { return Ok(Vec::new()) };
        let effects = life.mind.apply(Input::Message { topic, payload }, now_at(now));
        if revoked {
            anyhow::ensure!(
                effects.refused.len() == 1,
                "{topic}: a revoked credential was good for a message"
            );
            self.revoked_refused += 1;
        }
        life.perform(effects, &self.stores, now)
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
        let Some(life) = &mut self.life else { return Ok(Vec::new()) };
        let registered = registered(&self.stores.ledger);
        let effects = life.mind.apply(Input::Registered(&registered), now_at(now));
        life.perform(effects, &self.stores, now)
    }

    /// Some time passes. `ends` says how an append that is due ends.
    pub(crate) fn step(&mut self, now: u64, ends: AppendEnds) -> anyhow::Result<Vec<Message>> {
        let Some(life) = &mut self.life else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        if let Some((slices, _)) = life.append.take_if(|(_, due)| *due <= now) {
            if ends == AppendEnds::KilledBefore {
                self.kill();
                return Ok(out);
            }
            let result = match ends {
                AppendEnds::Refused => {
                    Err(StoreError::new(StoreErrorKind::Full, "the simulated disk is full"))
                }
                AppendEnds::Well | AppendEnds::KilledAfter | AppendEnds::KilledBefore => {
                    let last = at_once(self.stores.journal.append(slices.clone()))?;
                    let first = last + 1 - slices.len() as u64;
                    self.appended.extend((first..).zip(slices.iter().cloned()));
                    Ok(last)
                }
            };
            if ends == AppendEnds::KilledAfter {
                self.kill();
                return Ok(out);
            }
            let input = match &result {
                Ok(sequence) => Input::Committed { sequence: *sequence },
                Err(error) => Input::CommitFailed { error },
            };
            let effects = life.mind.apply(input, now_at(now));
            out.extend(life.perform(effects, &self.stores, now)?);
        }
        let effects = life.mind.apply(Input::Tick, now_at(now));
        out.extend(life.perform(effects, &self.stores, now)?);
        life.write(&self.stores, now)?;
        Ok(out)
    }

    /// Stops as the service does: everything is checkpointed and written.
    pub(crate) fn stop(&mut self, now: u64) -> anyhow::Result<()> {
        let Some(mut life) = self.life.take() else { return Ok(()) };
        let effects = life.mind.apply(Input::Stopping, now_at(now));
        life.perform(effects, &self.stores, now)?;
        (life.ledger_due, life.telemetry_due) = (now, now);
        life.write(&self.stores, now)?;
        self.duplicates_applied += life.mind.counters().duplicates_applied;
        Ok(())
    }
}

impl Life {
    fn perform(&mut self, effects: Effects, stores: &Stores, now: u64) -> anyhow::Result<Vec<Message>> {
        self.derived.absorb(effects.derived);
        self.blocks.extend(effects.blocks);
        self.folded = self.folded.max(effects.folded);
        if let Some(slices) = effects.append {
            // An fsync takes some milliseconds.
            self.append = Some((slices, now + 3_000));
        }
        let mut out: Vec<Message> = effects.publishes.into_iter().filter_map(to_agent).collect();
        for again in effects.reads {
            out.extend(self.read_again(stores, again, now)?);
        }
        Ok(out)
    }

    fn read_again(&mut self, stores: &Stores, again: ReadAgain, now: u64) -> anyhow::Result<Vec<Message>> {
        let read = at_once(stores.journal.read(again.after, 10_000))?;
        let effects = self.mind.read_again(&again, of_machine(&again, read), now_at(now));
        self.perform(effects, stores, now)
    }

    /// Writes behind the journal, as often as the service does.
    fn write(&mut self, stores: &Stores, now: u64) -> anyhow::Result<()> {
        if now >= self.ledger_due {
            self.ledger_due = now + LEDGER_US;
            let saved = self.mind.saved();
            at_once(stores.ledger.put(std::mem::take(&mut self.derived)))?;
            self.saved = saved;
        }
        if now >= self.telemetry_due {
            self.telemetry_due = now + TELEMETRY_US;
            at_once(stores.telemetry.put(std::mem::take(&mut self.blocks)))?;
            at_once(stores.telemetry.set_watermark(self.folded))?;
            self.watermark = self.folded;
        }
        if now >= self.trim_due {
            self.trim_due = now + TRIM_US;
            at_once(stores.journal.trim(self.saved.min(self.watermark)))?;
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
fn to_agent(publish: ingest::ingest::Publish) -> Option<Message> {
    let topic = wire::topics::Topic::parse(&publish.topic).ok()?;
    let number = topic.machine.as_str().rsplit('-').next()?.parse().ok()?;
    Some(Message { to: To::Agent(number), topic: publish.topic, payload: publish.payload })
}
