//! Which sources there are, which of them are silent, and whose value goes first.

use crate::limits;
use crate::signal::{SourceNumber, SourceSpec};
use crate::units::{MonotonicMicros, SECOND};

/// A value with its source and time.
#[derive(Debug, Clone)]
pub(super) struct Held<T> {
    pub(super) source: SourceNumber,
    pub(super) value: T,
    pub(super) at: MonotonicMicros,
}

impl<T> Held<T> {
    pub(super) fn new(source: SourceNumber, value: T, at: MonotonicMicros) -> Held<T> {
        Held { source, value, at }
    }
}

/// The sources of one machine.
#[derive(Debug)]
pub(super) struct Sources {
    watches: Vec<SourceWatch>,
}

#[derive(Debug)]
struct SourceWatch {
    spec: SourceSpec,
    /// When it last spoke, or when it was first waited for.
    heard: MonotonicMicros,
    spoke: Option<MonotonicMicros>,
    state: SourceState,
    /// Whether it was told why it is silent.
    is_explained: bool,
    implausible: Complaints,
    faults: Complaints,
}

/// What is told now and then, with how often it came.
#[derive(Debug, Default)]
struct Complaints {
    count: u32,
    told: Option<MonotonicMicros>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SourceState {
    /// It has not spoken yet.
    Awaited,
    Fresh,
    Stale,
}

impl Sources {
    pub(super) fn new(specs: Vec<SourceSpec>, now: MonotonicMicros) -> Sources {
        let watch = |spec| SourceWatch {
            spec,
            heard: now,
            spoke: None,
            state: SourceState::Awaited,
            is_explained: false,
            implausible: Complaints::default(),
            faults: Complaints::default(),
        };
        Sources { watches: specs.into_iter().map(watch).collect() }
    }

    /// A source has spoken; whether it was silent for too long before.
    pub(super) fn heard(&mut self, source: SourceNumber, at: MonotonicMicros) -> bool {
        let Some(watch) = self.watches.get_mut(usize::from(source.0)) else { return false };
        watch.heard = at;
        watch.spoke = Some(at);
        std::mem::replace(&mut watch.state, SourceState::Fresh) == SourceState::Stale
    }

    /// A source says that it cannot go on; whether that, or why, is new.
    pub(super) fn lost(&mut self, source: SourceNumber) -> bool {
        let Some(watch) = self.watches.get_mut(usize::from(source.0)) else { return false };
        let was_stale = std::mem::replace(&mut watch.state, SourceState::Stale) == SourceState::Stale;
        let was_explained = std::mem::replace(&mut watch.is_explained, true);
        !(was_stale && was_explained)
    }

    /// Sources that have been silent for too long since the last call.
    pub(super) fn gone_stale(&mut self, now: MonotonicMicros) -> Vec<SourceNumber> {
        let mut gone = Vec::new();
        for (number, watch) in self.watches.iter_mut().enumerate() {
            let limit = (3 * watch.spec.period_us).max(2 * SECOND);
            if watch.state != SourceState::Stale && now.since(watch.heard) > limit {
                watch.state = SourceState::Stale;
                watch.is_explained = false;
                gone.push(SourceNumber(u8::try_from(number).unwrap_or(u8::MAX)));
            }
        }
        gone
    }

    /// Whether a new value takes the place of the one that is held: sources that come first go first, and a value
    /// of a silent source is not held any more.
    pub(super) fn prefers<T>(&self, held: &Option<Held<T>>, new: &Held<T>) -> bool {
        held.as_ref().is_none_or(|held| new.source <= held.source)
    }

    /// A source's configured name.
    pub(super) fn name(&self, source: SourceNumber) -> String {
        let spec = self.watches.get(usize::from(source.0)).map(|watch| watch.spec.name.as_str());
        super::cut(spec.unwrap_or_default(), limits::SOURCE_NAME_BYTES_MAX)
    }

    /// When a source last spoke; `None`: it has not spoken yet.
    pub(super) fn last_heard(&self, source: SourceNumber) -> Option<MonotonicMicros> {
        self.watches.get(usize::from(source.0)).and_then(|watch| watch.spoke)
    }

    /// Counts an implausible value; how many there were since the last told one, if it is time to tell.
    pub(super) fn implausible(
        &mut self,
        source: SourceNumber,
        at: MonotonicMicros,
        pause_us: u64,
    ) -> Option<u32> {
        self.watches.get_mut(usize::from(source.0))?.implausible.count(at, pause_us)
    }

    /// Counts a fault; how often it came since it was last told, if it is time to tell.
    pub(super) fn fault(&mut self, source: SourceNumber, at: MonotonicMicros, pause_us: u64) -> Option<u32> {
        self.watches.get_mut(usize::from(source.0))?.faults.count(at, pause_us)
    }
}

impl Complaints {
    fn count(&mut self, at: MonotonicMicros, pause_us: u64) -> Option<u32> {
        self.count = self.count.saturating_add(1);
        if self.told.is_some_and(|told| at.since(told) < pause_us) {
            return None;
        }
        self.told = Some(at);
        Some(std::mem::take(&mut self.count))
    }
}
