//! Values with the times from which on they hold.

use domain::limits::SETTING_CHANGES_MAX;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::registry::json;

/// From when on the first value of a history holds: for all time before the second.
pub const BEGINNING: UnixMicros = UnixMicros(i64::MIN);

/// A value and from when on it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// From when on, in event time; until the next one.
    #[serde(rename = "from_us", with = "json::micros")]
    pub from: UnixMicros,
    /// The value.
    pub value: T,
}

/// Values, each until the next one. Empty: nothing was changed yet, and what is set has always held. Otherwise the first
/// one holds from [`BEGINNING`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct History<T>(Vec<Dated<T>>);

impl<T> Default for History<T> {
    fn default() -> History<T> {
        History(Vec::new())
    }
}

impl<T> History<T> {
    /// The value that held then; `None` only if nothing was changed yet.
    pub fn at(&self, time: UnixMicros) -> Option<&T> {
        let after = self.0.partition_point(|dated| dated.from <= time);
        after.checked_sub(1).map(|last| &self.0[last].value)
    }

    /// The value that was set last; `None` only if nothing was changed yet.
    pub fn newest(&self) -> Option<&T> {
        self.0.last().map(|dated| &dated.value)
    }

    /// All values, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Dated<T>> {
        self.0.iter()
    }

    /// Whether nothing was changed yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> History<T> {
    /// Fills in what earlier values do not tell.
    pub(crate) fn complete(&mut self, fill: impl Fn(&mut T)) {
        self.0.iter_mut().for_each(|dated| fill(&mut dated.value));
    }
}

impl<T: PartialEq> History<T> {
    /// Sets what holds from then on. `before` is what has always held if nothing was changed yet.
    ///
    /// What was to hold only later, because a clock ran ahead when it was set, is forgotten: the last word counts.
    pub(crate) fn set(&mut self, before: T, from: UnixMicros, value: T) {
        if self.0.is_empty() {
            if before == value {
                return;
            }
            self.0.push(Dated { from: BEGINNING, value: before });
        }
        let stays = self.0.partition_point(|dated| dated.from < from).max(1);
        self.0.truncate(stays);
        if self.newest() != Some(&value) {
            self.0.push(Dated { from, value });
        }
        if self.0.len() > SETTING_CHANGES_MAX {
            self.0.remove(0);
            self.0[0].from = BEGINNING;
        }
    }
}
