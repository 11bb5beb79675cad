//! At the start: checkpoints, then the journal behind them.

use domain::live::LiveState;
use store::journal::{Sequence, Slice};
use store::ledger::Checkpoint;
use wire::Unreadable;

use super::{Effects, IngestMind, Now};
use crate::counters::Counters;
use crate::machine::{Machine, read, spool_of};

impl IngestMind {
    /// Goes on from a machine's checkpoint. `false`: the registry does not know the machine.
    pub fn restore(&mut self, checkpoint: &Checkpoint, now: Now) -> Result<bool, Unreadable> {
        let state = wire::checkpoint::Checkpoint::decode(checkpoint.state.clone())?;
        let Some(number) = self.registry.number(&checkpoint.machine) else { return Ok(false) };
        self.registry.saw(number, state.key_generation_seen);
        let mut machine = Machine::restored(checkpoint.machine.clone(), &state, now);
        machine.checkpoint.saved = checkpoint.sequence;
        machine.folder.obey(self.machines[number].folder.settings());
        self.machines[number] = machine;
        Ok(true)
    }

    /// Folds a slice that the journal holds, in order, unless the machine's checkpoint has it. Nothing is acked.
    pub fn replay(&mut self, sequence: Sequence, slice: &Slice, now: Now) -> Result<Effects, Unreadable> {
        let mut effects = Effects::default();
        self.folded = self.folded.max(sequence);
        effects.folded = self.folded;
        let Some(number) = self.registry.number(&slice.machine) else { return Ok(effects) };
        if sequence <= self.machines[number].checkpoint.saved {
            return Ok(effects);
        }
        let entries = wire::envelope::decode_slice(slice.body.clone())?;
        let records = read(slice.lane, &entries);
        let machine = &mut self.machines[number];
        machine.logs.get_or_make(slice.log, slice.lane).replay(slice, &records);
        machine.senders.replay(spool_of(slice.log), slice.boot.boot_count);
        self.fold(number, sequence, slice, records, now, &mut effects);
        Ok(effects)
    }

    /// The journal was replayed up to its end. What is counted from now on is this process's own work.
    pub fn replayed(&mut self, last: Sequence) {
        self.folded = self.folded.max(last);
        let duplicates_applied = self.counters.duplicates_applied;
        self.counters = Counters { duplicates_applied, ..Counters::default() };
    }

    /// What is known of every machine that was ever heard.
    pub fn states(&self) -> impl Iterator<Item = LiveState> {
        let known = self.machines.iter().filter(|machine| machine.folder.newest() > 0);
        known.map(Machine::live)
    }
}
