//! Thresholds of the rules: what each is for, what is allowed, and the values that a site, model or machine has set.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a threshold's number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Millimetres a second.
    MillimetresPerSecond,
    /// Millimetres a second, changed in each second.
    MillimetresPerSecondSquared,
    /// Milliseconds.
    Milliseconds,
    /// Per cent.
    Percent,
    /// Tenths of a per cent of incline.
    TenthsOfPercent,
    /// Days.
    Days,
    /// How many.
    Count,
    /// Heart beats a minute.
    BeatsPerMinute,
    /// 0: no; 1: yes.
    YesNo,
}

impl Unit {
    /// The unit as people write it; empty for counts.
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::MillimetresPerSecond => "mm/s",
            Unit::MillimetresPerSecondSquared => "mm/s²",
            Unit::Milliseconds => "ms",
            Unit::Percent => "%",
            Unit::TenthsOfPercent => "0.1 %",
            Unit::Days => "days",
            Unit::Count => "",
            Unit::BeatsPerMinute => "bpm",
            Unit::YesNo => "0 or 1",
        }
    }
}

/// A number that a rule compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// The rule's name, a dot, and what is compared, such as `reverse-overspeed.limit`.
    pub name: &'static str,
    /// What the number means.
    pub unit: Unit,
    /// Used where nobody has set another.
    pub default: i64,
    /// Least that may be set.
    pub min: i64,
    /// Greatest that may be set.
    pub max: i64,
    /// What it is for, and why this default.
    pub reason: &'static str,
}

/// Why a threshold cannot be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadThreshold {
    /// There is no such threshold.
    #[error("{name} is no threshold; `beltwatch rule list` names all")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The value is outside its range.
    #[error("{name} is {value}; {min} to {max} {unit} is allowed")]
    OutOfRange {
        /// Which.
        name: &'static str,
        /// What was given.
        value: i64,
        /// Least allowed.
        min: i64,
        /// Greatest allowed.
        max: i64,
        /// Unit.
        unit: &'static str,
    },
}

/// Values that were set; what is not in here has its default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(BTreeMap<String, i64>);

impl Limits {
    /// The value of a threshold.
    pub fn get(&self, threshold: &Threshold) -> i64 {
        self.0.get(threshold.name).copied().unwrap_or(threshold.default)
    }

    /// The value of a threshold of [`Unit::YesNo`].
    pub fn is_on(&self, threshold: &Threshold) -> bool {
        self.get(threshold) != 0
    }

    /// Sets a value, or takes it away with `None`.
    ///
    /// # Errors
    /// There is no such threshold, or the value is outside its range.
    pub fn set(&mut self, name: &str, value: Option<i64>) -> Result<(), BadThreshold> {
        let threshold = find(name).ok_or_else(|| BadThreshold::Unknown { name: name.to_owned() })?;
        match value {
            None => {
                self.0.remove(name);
            }
            Some(value) if (threshold.min..=threshold.max).contains(&value) => {
                self.0.insert(name.to_owned(), value);
            }
            Some(value) => {
                let Threshold { name, min, max, unit, .. } = *threshold;
                return Err(BadThreshold::OutOfRange { name, value, min, max, unit: unit.symbol() });
            }
        }
        Ok(())
    }

    /// What was set, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// These limits with all of `over` in their place.
    pub fn overlaid(&self, over: &Limits) -> Limits {
        let mut all = self.clone();
        all.0.extend(over.0.iter().map(|(name, value)| (name.clone(), *value)));
        all
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The threshold with this name.
pub fn find(name: &str) -> Option<&'static Threshold> {
    all().find(|threshold| threshold.name == name)
}

/// All thresholds, in the order of their rules.
pub fn all() -> impl Iterator<Item = &'static Threshold> {
    super::Rule::ALL.into_iter().flat_map(|rule| rule.definition().thresholds)
}
