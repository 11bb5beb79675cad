//! How long the history is kept.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How long the history is kept. What is not named here is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Readings, in days.
    pub readings_days: u32,
    /// Events, in days.
    pub events_days: u32,
    /// Room that the disk must have left, in MiB; with less of it readings go early.
    pub free_mib_min: u64,
}

/// The fewest days that anything is kept, even if the disk fills.
pub const KEPT_DAYS_MIN: u32 = 7;
/// A hundred years.
const KEPT_DAYS_MAX: u32 = 36_500;
/// A TiB.
const FREE_MIB_MAX: u64 = 1024 * 1024;

impl Default for RetentionConfig {
    fn default() -> RetentionConfig {
        RetentionConfig { readings_days: 90, events_days: 3_650, free_mib_min: 1_024 }
    }
}

impl RetentionConfig {
    /// Whether the values are allowed.
    pub(super) fn check(
        &self,
        value: impl Fn(&'static str, &dyn ToString, &'static str) -> ConfigError,
    ) -> Result<(), ConfigError> {
        let days =
            [("retention.readings_days", self.readings_days), ("retention.events_days", self.events_days)];
        for (key, days) in days {
            if !(KEPT_DAYS_MIN..=KEPT_DAYS_MAX).contains(&days) {
                return Err(value(key, &days, "7 to 36500 is allowed"));
            }
        }
        if self.free_mib_min > FREE_MIB_MAX {
            return Err(value("retention.free_mib_min", &self.free_mib_min, "at most 1048576 is allowed"));
        }
        Ok(())
    }
}
