//! What follows from facts that set what rules use.

use std::ops::RangeInclusive;

use domain::incident::settings::{CommissionedStop, EFFECTIVE_AFTER_US};
use domain::limits::{COMMISSIONED_STOPS_MAX, LIMIT_MODELS_MAX, STAFFED_SPANS_MAX};
use domain::units::UnixMicros;

use super::{Change, Changes};
use crate::StoreError;
use crate::bounds::{invalid, room};
use crate::fact::{
    NewCommissioning, NewOpening, NewStaffedHours, NewThresholds, OpeningHours, ServiceChange,
};
use crate::registry::{
    Commissioning, Entry, Machine, OutOfService, Registry, Scope, ScopedLimits, Site, StaffedDays,
};

/// Longest model, in characters.
const MODEL_CHARS_MAX: usize = 120;
/// Longest reason or note, in characters.
const NOTE_CHARS_MAX: usize = 200;
/// Speeds from which a stop can be measured, in mm/s.
const STOP_SPEEDS_MM_S: RangeInclusive<u32> = 200..=6_000;
/// How long a measured stop can take, in milliseconds.
const STOP_TIMES_MS: RangeInclusive<u32> = 100..=60_000;
/// Minutes of a day.
const DAY_MINUTES: u16 = 1_440;
/// Minutes of the time by which usage is counted.
const QUARTER_MINUTES: u16 = 15;
/// Sunday.
const LAST_WEEKDAY: u8 = 6;

/// From when on holds what a fact of that time sets.
fn effective(time: UnixMicros) -> UnixMicros {
    time.plus(EFFECTIVE_AFTER_US)
}

impl Registry {
    pub(super) fn thresholds_set(&self, new: &NewThresholds, time: UnixMicros) -> Changes {
        self.scope_exists(&new.scope)?;
        let known = self.limits(&new.scope);
        let before = known.map(ScopedLimits::newest).unwrap_or_default();
        let mut limits = before.clone();
        for (name, value) in &new.values {
            limits.set(name, *value).map_err(|error| invalid(error.to_string()))?;
        }
        if limits == before && known.is_none() {
            return Ok(Vec::new());
        }
        if known.is_none() && matches!(new.scope, Scope::Model(_)) {
            let models = self.limits.keys().filter(|scope| matches!(scope, Scope::Model(_))).count();
            room("models with thresholds", models, LIMIT_MODELS_MAX)?;
        }
        let mut history = known.map(|known| known.history.clone()).unwrap_or_default();
        history.set(before, effective(time), limits);
        Ok(vec![Change::Put(Entry::Limits(ScopedLimits { scope: new.scope.clone(), history }))])
    }

    pub(super) fn scope_exists(&self, scope: &Scope) -> Result<(), StoreError> {
        match scope {
            Scope::Site(site) => self.site(site).map(drop),
            Scope::Model(model) => match model.chars().count() {
                1..=MODEL_CHARS_MAX => Ok(()),
                other => Err(invalid(format!(
                    "the model has {other} characters; 1 to {MODEL_CHARS_MAX} are allowed"
                ))),
            },
            Scope::Machine(machine) => self.machine(machine).map(drop),
        }
    }

    pub(super) fn service_changed(&self, change: &ServiceChange, time: UnixMicros) -> Changes {
        if let Some(reason) = &change.out_of_service {
            let count = reason.chars().count();
            if !(1..=NOTE_CHARS_MAX).contains(&count) {
                let context = format!("the reason has {count} characters; 1 to {NOTE_CHARS_MAX} are allowed");
                return Err(invalid(context));
            }
        }
        self.with_traits(&change.machine, time, |traits| {
            let since = traits.out_of_service.as_ref().map_or(time, |tag| tag.since);
            traits.out_of_service =
                change.out_of_service.clone().map(|reason| OutOfService { reason, since });
        })
    }

    pub(super) fn commissioned(&self, new: &NewCommissioning, time: UnixMicros) -> Changes {
        let NewCommissioning {
            machine,
            direction_proven,
            stops,
            silent_on_stop,
            incline_is_target,
            note,
            seen,
        } = new;
        check_note(note)?;
        let count = stops.len();
        if count > COMMISSIONED_STOPS_MAX {
            return Err(invalid(format!(
                "there are {count} stops; at most {COMMISSIONED_STOPS_MAX} are allowed"
            )));
        }
        stops.iter().try_for_each(check_stop)?;
        let configuration = seen.as_ref().map(|seen| seen.configuration);
        let before = self.machine(machine)?.commissioning();
        let commissioning = Commissioning {
            time,
            configuration,
            proven_for: Commissioning::proven_for_after(before, configuration, *direction_proven),
            direction_proven: *direction_proven,
            stops: stops.clone(),
            silent_on_stop: *silent_on_stop,
            incline_is_target: *incline_is_target,
            note: note.clone(),
        };
        self.with_traits(machine, time, |traits| traits.commissioning = Some(commissioning))
    }

    pub(super) fn staffed_hours_set(&self, new: &NewStaffedHours, time: UnixMicros) -> Changes {
        new.hours.as_ref().map_or(Ok(()), check_days)?;
        let mut site = Site::clone(self.site(&new.site)?);
        let before = site.traits();
        let mut traits = before.clone();
        traits.staffed = new.hours.clone();
        site.history.set(before, effective(time), traits);
        Ok(vec![Change::Put(Entry::Site(site))])
    }

    pub(super) fn opening_set(&self, new: &NewOpening, time: UnixMicros) -> Changes {
        let mut site = Site::clone(self.site(&new.site)?);
        let before = site.traits();
        let mut traits = before.clone();
        if let Some(OpeningHours { days }) = &new.hours {
            if let Some(days) = days {
                check_days(days)?;
                check_quarters(days)?;
            }
            traits.open.clone_from(days);
        }
        if let Some(day) = new.first_weekday {
            if day > LAST_WEEKDAY {
                return Err(invalid(format!(
                    "first_weekday is {day}; 0 (Monday) to {LAST_WEEKDAY} (Sunday) are allowed"
                )));
            }
            traits.first_weekday = day;
        }
        site.history.set(before, effective(time), traits);
        Ok(vec![Change::Put(Entry::Site(site))])
    }

    fn with_traits(
        &self,
        machine: &domain::ids::MachineId,
        time: UnixMicros,
        change: impl FnOnce(&mut crate::registry::MachineTraits),
    ) -> Changes {
        self.with_machine(machine, |machine| {
            let before = machine.traits();
            let mut traits = before.clone();
            change(&mut traits);
            machine.set_traits(before, effective(time), traits);
        })
    }
}

impl Site {
    /// Notes in the history what has become of it by a fact of that time; `before` is what it was.
    pub(super) fn note_change(&mut self, before: &Site, time: UnixMicros) {
        let traits = self.traits();
        self.history.set(before.traits(), effective(time), traits);
    }
}

impl Machine {
    /// Notes in the history what has become of it by a fact of that time; `before` is what it was.
    pub(super) fn note_change(&mut self, before: &Machine, time: UnixMicros) {
        let traits = self.traits();
        self.set_traits(before.traits(), effective(time), traits);
    }
}

pub(super) fn check_note(note: &str) -> Result<(), StoreError> {
    let count = note.chars().count();
    if count > NOTE_CHARS_MAX {
        return Err(invalid(format!(
            "the note has {count} characters; at most {NOTE_CHARS_MAX} are allowed"
        )));
    }
    Ok(())
}

fn check_stop(stop: &CommissionedStop) -> Result<(), StoreError> {
    let CommissionedStop { contact: _, speed, time_ms } = stop;
    let (least, most) = (STOP_SPEEDS_MM_S.start(), STOP_SPEEDS_MM_S.end());
    if !STOP_SPEEDS_MM_S.contains(&speed.0) {
        return Err(invalid(format!("a stop is from {} mm/s; {least} to {most} mm/s are allowed", speed.0)));
    }
    let (least, most) = (STOP_TIMES_MS.start(), STOP_TIMES_MS.end());
    if !STOP_TIMES_MS.contains(time_ms) {
        return Err(invalid(format!("a stop takes {time_ms} ms; {least} to {most} ms are allowed")));
    }
    Ok(())
}

fn check_days(days: &StaffedDays) -> Result<(), StoreError> {
    for (day, spans) in (1..).zip(days) {
        if spans.len() > STAFFED_SPANS_MAX {
            let count = spans.len();
            return Err(invalid(format!(
                "day {day} has {count} spans; at most {STAFFED_SPANS_MAX} are allowed"
            )));
        }
        let mut free = 0;
        for (begin, end) in spans {
            if begin >= end || *end > DAY_MINUTES {
                let context = format!(
                    "a span of day {day} is from minute {begin} to {end}; it must end after it begins, at {DAY_MINUTES} at the latest"
                );
                return Err(invalid(context));
            }
            if *begin < free {
                let context = format!(
                    "a span of day {day} begins at minute {begin}; the one before it ends at {free}, and spans must ascend and not overlap"
                );
                return Err(invalid(context));
            }
            free = *end;
        }
    }
    Ok(())
}

fn check_quarters(days: &StaffedDays) -> Result<(), StoreError> {
    for (day, spans) in (1..).zip(days) {
        let ends = spans.iter().flat_map(|(begin, end)| [begin, end]);
        if let Some(minute) = ends.into_iter().find(|minute| *minute % QUARTER_MINUTES != 0) {
            return Err(invalid(format!(
                "a span of day {day} begins or ends at minute {minute}; whole quarters of an hour (0, 15, 30 and so on) are allowed, as usage is counted by quarters of an hour"
            )));
        }
    }
    Ok(())
}
