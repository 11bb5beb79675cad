//! An agent's disk with a power switch: what was not synced may be gone, what was removed may be back, and a call may be
//! the last one of its process.

mod rows;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agent::spool::{Boot, Counter, Disk, DiskError, LaneOnDisk, Loaded, Removal, Row, SpoolId};
use domain::clock::Clock;
use domain::log::{Lane, Position};

use self::rows::LaneRows;
use super::made::{Chronicle, Fate, place};

/// The disk of one agent. Clones are the same disk: one is the agent's, one is the world's.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

/// What a disk can do just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Ability {
    #[default]
    Works,
    /// Nothing more can be written.
    Full,
    /// Every call fails; some are done all the same.
    Fails,
}

/// How much of a call happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    /// Of readings half are written; everything else is whole or not at all.
    Half,
    Nothing,
}

#[derive(Debug, Default)]
struct State {
    files: Files,
    chronicle: Chronicle,
    ability: Ability,
    calls: u64,
    /// The process dies in the call with this number.
    death: Option<(u64, Extent)>,
    is_dead: bool,
    refused_as_full: u64,
    /// Nobody will ask what became of its records.
    is_forgotten: bool,
}

/// What is on the disk; a copied card has the same.
#[derive(Debug, Clone, Default)]
struct Files {
    spool: Option<SpoolId>,
    boots: Vec<Boot>,
    counters: Vec<Counter>,
    events: LaneRows,
    readings: LaneRows,
}

/// A call under way.
struct Call<'a> {
    state: MutexGuard<'a, State>,
    extent: Extent,
    action: &'static str,
    fails: bool,
}

impl SimulatedDisk {
    /// A disk whose records are so many that the world does not remember them.
    pub(crate) fn without_memory() -> SimulatedDisk {
        let state = State { is_forgotten: true, ..State::default() };
        SimulatedDisk { state: Arc::new(Mutex::new(state)) }
    }

    /// A power cut: of the unsynced readings only the first `kept` survive; with `undo`, removals are undone.
    pub(crate) fn cut_power(&self, kept: usize, undo: bool) {
        let mut state = self.state();
        let State { files, chronicle, .. } = &mut *state;
        if undo {
            files.events.undo_removal();
            files.readings.undo_removal();
        }
        for position in files.readings.cut(kept) {
            chronicle.excuse(files.spool, Lane::Readings, position);
        }
    }

    /// A new disk in the place of the old one.
    pub(crate) fn wipe(&self) {
        let mut state = self.state();
        state.files = Files::default();
        state.chronicle.excuse_all();
    }

    /// A disk with the same files, of which nothing is promised.
    pub(crate) fn copy(&self) -> SimulatedDisk {
        let state = State { files: self.state().files.clone(), ..State::default() };
        SimulatedDisk { state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn set_ability(&self, ability: Ability) {
        self.state().ability = ability;
    }

    /// The process dies in the `calls`th call from now.
    pub(crate) fn die_in(&self, calls: u64, extent: Extent) {
        let mut state = self.state();
        state.death = Some((state.calls + calls, extent));
    }

    /// Whether the process died in a call.
    pub(crate) fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    /// Another process may use the disk.
    pub(crate) fn revive(&self) {
        let mut state = self.state();
        (state.is_dead, state.death) = (false, None);
    }

    /// What is made from now on is made under this generation of the credential.
    pub(crate) fn set_generation(&self, generation: u32) {
        self.state().chronicle.generation = generation;
    }

    /// What the disk promised and what became of it.
    pub(crate) fn chronicle(&self) -> Chronicle {
        self.state().chronicle.clone()
    }

    /// Generation of the credential under which a record was made, if it ever was on this disk.
    pub(crate) fn generation(&self, place: &super::made::Place) -> Option<u32> {
        self.state().chronicle.get(place).map(|made| made.generation)
    }

    /// The disk is thrown away.
    pub(crate) fn excuse_all(&self) {
        self.state().chronicle.excuse_all();
    }

    /// How many writings a full disk has refused.
    pub(crate) fn refused_as_full(&self) -> u64 {
        self.state().refused_as_full
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, action: &'static str, writes: bool) -> Result<Call<'_>, DiskError> {
        let mut state = self.state();
        state.calls += 1;
        let refuse = |reason: &str| DiskError { action, reason: reason.to_owned() };
        if state.is_dead {
            return Err(refuse("the process is dead"));
        }
        if let Some((_, extent)) = state.death.filter(|(call, _)| *call <= state.calls) {
            state.is_dead = true;
            return Ok(Call { state, extent, action, fails: true });
        }
        match state.ability {
            Ability::Full if writes => {
                state.refused_as_full += 1;
                Err(refuse("the simulated disk is full"))
            }
            Ability::Works | Ability::Full => Ok(Call { state, extent: Extent::Whole, action, fails: false }),
            // Each third call is done before it fails: its process cannot know.
            Ability::Fails if writes && state.calls.is_multiple_of(3) => {
                Ok(Call { state, extent: Extent::Whole, action, fails: true })
            }
            Ability::Fails => Err(refuse("the simulated disk fails")),
        }
    }
}

impl Call<'_> {
    /// Does what is whole or not at all.
    fn whole<T>(mut self, work: impl FnOnce(&mut State) -> T) -> Result<T, DiskError> {
        let (action, reason) = (self.action, "the simulated disk failed in the middle".to_owned());
        let done = (self.extent == Extent::Whole).then(|| work(&mut self.state));
        done.filter(|_| !self.fails).ok_or(DiskError { action, reason })
    }
}

impl Files {
    fn lane(&mut self, lane: Lane) -> &mut LaneRows {
        match lane {
            Lane::Events => &mut self.events,
            Lane::Readings => &mut self.readings,
        }
    }
}

impl State {
    fn add(&mut self, lane: Lane, rows: &[Row], is_synced: bool) {
        let State { files, chronicle, is_forgotten, ability, is_dead, .. } = self;
        let spool = files.spool;
        for row in rows {
            files.lane(lane).add(row, is_synced);
            if !*is_forgotten {
                let made = chronicle.add(spool, lane, row);
                made.is_unsure = *ability == Ability::Fails && !*is_dead;
            }
        }
    }

    fn remove(&mut self, lane: Lane, through: Position, removal: Removal) -> LaneOnDisk {
        let State { files, chronicle, .. } = self;
        let spool = files.spool;
        let rows = files.lane(lane);
        for row in rows.remove(through, removal) {
            // Of a copied card the rows that came with it are promised by the other one.
            let Some(made) = chronicle.get_mut(&place(spool, lane, row.position)) else { continue };
            match (removal, made.fate) {
                (Removal::Acknowledged, _) => made.is_acknowledged = true,
                (Removal::Dropped, Fate::Promised) => made.fate = Fate::Dropped,
                (Removal::Dropped, Fate::Excused | Fate::Dropped) => {}
            }
        }
        rows.summary()
    }

    fn renew(&mut self, spool: SpoolId) {
        let State { files, chronicle, .. } = self;
        let before = files.spool.replace(spool).filter(|before| *before != spool);
        for lane in Lane::ALL.into_iter().filter(|_| before.is_some()) {
            let log = |spool| place(spool, lane, Position::default()).0;
            let (from, to) = (log(before), log(files.spool));
            chronicle.renew_dropped(from, to);
            for position in files.lane(lane).positions() {
                chronicle.renew((from, position), (to, position));
            }
        }
    }
}

impl Disk for SimulatedDisk {
    fn load(&mut self, fresh: SpoolId) -> Result<Loaded, DiskError> {
        self.begin("open the spool", false)?.whole(|state| {
            let files = &mut state.files;
            Loaded {
                spool: *files.spool.get_or_insert(fresh),
                boots: files.boots.clone(),
                events: files.events.summary(),
                readings: files.readings.summary(),
                counters: files.counters.clone(),
            }
        })
    }

    fn begin_boot(&mut self, boot: &Boot, oldest_kept: u32) -> Result<(), DiskError> {
        self.begin("begin a boot", true)?.whole(|state| {
            let files = &mut state.files;
            files.boots.retain(|old| old.boot_count >= oldest_kept && old.boot_count != boot.boot_count);
            files.boots.push(*boot);
            files.events.settle_removal();
        })
    }

    fn renew(&mut self, spool: SpoolId) -> Result<(), DiskError> {
        self.begin("renew the spool's identity", true)?.whole(|state| state.renew(spool))
    }

    fn put_clock(&mut self, boot_count: u32, clock: &Clock) -> Result<(), DiskError> {
        self.begin("note the clock", true)?.whole(|state| {
            let boots = state.files.boots.iter_mut();
            boots.filter(|boot| boot.boot_count == boot_count).for_each(|boot| boot.clock = *clock);
        })
    }

    fn write_events(&mut self, rows: &[Row], counters: Option<&[Counter]>) -> Result<(), DiskError> {
        self.begin("write events", true)?.whole(|state| {
            state.add(Lane::Events, rows, true);
            state.files.events.settle_removal();
            if let Some(counters) = counters {
                state.files.counters = counters.to_vec();
            }
        })
    }

    fn write_readings(&mut self, rows: &[Row], dropped: u64) -> Result<(), DiskError> {
        let mut call = self.begin("write readings", true)?;
        if call.extent == Extent::Half {
            call.state.add(Lane::Readings, &rows[..rows.len() / 2], false);
        }
        call.whole(|state| {
            state.add(Lane::Readings, rows, false);
            state.files.readings.dropped += dropped;
        })
    }

    fn sync_readings(&mut self) -> Result<(), DiskError> {
        self.begin("sync readings", true)?.whole(|state| state.files.readings.sync())
    }

    fn read(
        &mut self,
        lane: Lane,
        after: Option<Position>,
        records_max: usize,
    ) -> Result<Vec<Row>, DiskError> {
        self.begin("read", false)?.whole(|state| state.files.lane(lane).read(after, records_max))
    }

    fn trim(&mut self, lane: Lane, through: Position, removal: Removal) -> Result<LaneOnDisk, DiskError> {
        self.begin("trim", false)?.whole(|state| state.remove(lane, through, removal))
    }
}
