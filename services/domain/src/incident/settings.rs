//! What people have set for a machine, and since when: the fold of a record uses what held at its event time.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::threshold::Limits;
use crate::ids::ConfigurationHash;
use crate::registry::{BeltKind, DriveKind};
use crate::stop::StopContact;
use crate::units::{Speed, UnixMicros};

/// A setting holds from this long after it was made, in microseconds, so that records which are on their way when it is
/// made are folded the same now and in a replay.
pub const EFFECTIVE_AFTER_US: i64 = 10_000_000;

/// What holds for one machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineSettings {
    /// What the belt can do.
    pub belt: BeltKind,
    /// What drives it.
    pub drive: DriveKind,
    /// Whether the model falls silent instead of telling a standstill.
    pub silent_on_stop: bool,
    /// Whether the model tells the incline that it was told to take, not the one that the deck has.
    pub incline_is_target: bool,
    /// Whether a commissioning has proven which sign of the direction signal is forward.
    pub direction_proven: bool,
    /// For which configurations of the agent's sources it has; empty: for whichever the agent has.
    pub proven_for: Vec<ConfigurationHash>,
    /// For which others an earlier one had, at most `limits::CONFIGURATIONS_PROVEN_MAX`. They count only for what was
    /// recorded before this one: whoever goes back to one of them may have been wired anew since.
    pub proven_before: Vec<ConfigurationHash>,
    /// Stops measured when it was commissioned.
    pub measured_stops: Vec<CommissionedStop>,
    /// Whether it is tagged out of service.
    pub out_of_service: bool,
    /// The proof test that is under way, by the number of the fact that began it: what is found in it is no incident.
    pub drill: Option<u64>,
    /// When staff are there; `None`: nobody has said.
    pub staffed: Option<StaffedHours>,
    /// Thresholds that were set for its site, model or itself, laid over each other in this order.
    pub limits: Limits,
}

impl MachineSettings {
    /// What holds, as it may be said of a time at which `then` held: before its commissioning, what earlier ones have
    /// proven counts as well.
    pub fn known_of(&self, then: &MachineSettings) -> Cow<'_, MachineSettings> {
        let is_of_the_same = self.direction_proven == then.direction_proven
            && self.proven_for == then.proven_for
            && self.proven_before == then.proven_before;
        if is_of_the_same || self.proven_for.is_empty() {
            return Cow::Borrowed(self);
        }
        let proven_for = self.proven_before.iter().chain(&self.proven_for).copied().collect();
        Cow::Owned(MachineSettings { proven_for, ..self.clone() })
    }
}

/// A stop of the moving belt that was measured at commissioning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionedStop {
    /// By which contact.
    pub contact: StopContact,
    /// From which speed.
    pub speed: Speed,
    /// From the edge to standstill, in milliseconds.
    pub time_ms: u32,
}

/// When staff are at a site, in its own time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffedHours {
    /// Time zone by its IANA name.
    pub zone: String,
    /// Spans of each day from Monday on, in minutes after midnight: beginning and end, up to 1 440.
    pub days: [Vec<(u16, u16)>; 7],
}

impl StaffedHours {
    /// Whether staff are there; `None`: the zone is not known.
    pub fn has(&self, time: UnixMicros) -> Option<bool> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let local = jiff::Timestamp::from_microsecond(time.0).ok()?.to_zoned(zone);
        let day = match local.weekday() {
            Weekday::Monday => 0,
            Weekday::Tuesday => 1,
            Weekday::Wednesday => 2,
            Weekday::Thursday => 3,
            Weekday::Friday => 4,
            Weekday::Saturday => 5,
            Weekday::Sunday => 6,
        };
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        let within = |(from, until): &(u16, u16)| (i32::from(*from)..i32::from(*until)).contains(&minute);
        Some(self.days[day].iter().any(within))
    }
}

/// A machine's settings over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Timeline {
    /// From when on, ascending; what holds before the first one is the default.
    entries: Vec<(UnixMicros, Arc<MachineSettings>)>,
    before: Arc<MachineSettings>,
}

impl Timeline {
    /// One setting that always held.
    pub fn always(settings: MachineSettings) -> Timeline {
        Timeline { entries: Vec::new(), before: Arc::new(settings) }
    }

    /// `before` until the first of `entries`, which ascend in time.
    pub fn new(before: MachineSettings, entries: Vec<(UnixMicros, MachineSettings)>) -> Timeline {
        let entries = entries.into_iter().map(|(from, settings)| (from, Arc::new(settings))).collect();
        Timeline { entries, before: Arc::new(before) }
    }

    /// What held then.
    pub fn at(&self, time: UnixMicros) -> &MachineSettings {
        let after = self.entries.partition_point(|(from, _)| *from <= time);
        match after.checked_sub(1) {
            Some(last) => &self.entries[last].1,
            None => &self.before,
        }
    }

    /// The same with each setting changed.
    pub fn mapped(&self, change: impl Fn(&MachineSettings) -> MachineSettings) -> Timeline {
        let entries = self.entries.iter().map(|(from, settings)| (*from, change(settings))).collect();
        Timeline::new(change(&self.before), entries)
    }

    /// What holds for all that is still to come.
    pub fn newest(&self) -> &MachineSettings {
        self.entries.last().map_or(&self.before, |(_, settings)| settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConfigurationHash = ConfigurationHash([1; 16]);
    const TWO: ConfigurationHash = ConfigurationHash([2; 16]);

    fn proven(now: &[ConfigurationHash], before: &[ConfigurationHash]) -> MachineSettings {
        let (proven_for, proven_before) = (now.to_vec(), before.to_vec());
        MachineSettings { direction_proven: true, proven_for, proven_before, ..MachineSettings::default() }
    }

    #[test]
    fn what_an_earlier_commissioning_has_proven_holds_only_for_what_was_before() {
        let check = |now: &MachineSettings, then: &MachineSettings, expected: (bool, bool)| {
            let known = now.known_of(then);
            let counts = (known.direction_counts(Some(ONE)), known.direction_counts(Some(TWO)));
            assert_eq!(counts, expected, "{now:?}, of {then:?}");
        };
        let newest = proven(&[TWO], &[ONE]);
        let out_of_service = MachineSettings { out_of_service: true, ..newest.clone() };
        // Before there was any, and under the earlier one.
        check(&newest, &MachineSettings::default(), (true, true));
        check(&newest, &proven(&[ONE], &[]), (true, true));
        // From then on.
        check(&newest, &newest, (false, true));
        check(&newest, &out_of_service, (false, true));
        // One for whichever configuration, and one that has proven nothing.
        check(&proven(&[], &[]), &proven(&[ONE], &[]), (true, true));
        let not_proven = MachineSettings { direction_proven: false, ..newest.clone() };
        check(&not_proven, &proven(&[ONE], &[]), (false, false));
    }
}
