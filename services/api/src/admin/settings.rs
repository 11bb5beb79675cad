//! What rules of incidents and usage go by: thresholds, out of service, commissioning, staffed and opening hours.

use domain::ids::{MachineId, SiteId};
use domain::incident::settings::{CommissionedStop, EFFECTIVE_AFTER_US};
use domain::limits::{COMMISSIONED_STOPS_MAX, STAFFED_SPANS_MAX};
use domain::stop::StopContact;
use domain::units::{Speed, UnixMicros};
use store::fact::{
    FactKind, FactOutcome, NewCommissioning, NewOpening, NewStaffedHours, NewThresholds, OpeningHours,
    ServiceChange,
};
use store::registry::{Machine, NewLimits, Scope as SetFor, StaffedDays};
use wire::api::v1;

use super::{Administration, request_id_reused};
use crate::access::{Caller, Denied, Scope};
use crate::check::{Check, quoted};
use crate::convert;
use crate::status::ApiError;

/// Longest reason and note, in characters.
pub(super) const NOTE_CHARACTERS_MAX: usize = 200;
/// Minutes of a day.
const DAY_MINUTES: u32 = 1_440;
/// Minutes by which usage is counted.
const QUARTER_MINUTES: u32 = 15;
/// Fields of staffed hours, and of opening hours: of the spans, and of the day of one.
const STAFFED: [&str; 2] = ["spans", "spans.day"];
const OPEN: [&str; 2] = ["hours.spans", "hours.spans.day"];
/// Speeds from which a stop can be measured, in metres per second.
const STOP_SPEEDS_MPS: std::ops::RangeInclusive<f64> = 0.2..=6.0;
/// How long a measured stop can take, in milliseconds.
const STOP_TIMES_MS: std::ops::RangeInclusive<i64> = 100..=60_000;

impl Administration {
    pub(super) async fn set_thresholds(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::SetThresholdsRequest,
    ) -> Result<v1::SetThresholdsResponse, ApiError> {
        let mut check = Check::default();
        let set_for = check.for_whom(&request.site_id, &request.model, &request.machine_id);
        let set = check.limits("thresholds", &request.thresholds);
        let cleared = check.cleared(&request.cleared, &set);
        let mut values: NewLimits = set.into_iter().map(|(name, value)| (name, Some(value))).collect();
        values.extend(cleared.into_iter().map(|name| (name, None)));
        if request.thresholds.is_empty() && request.cleared.is_empty() {
            check.wrong("thresholds", "is empty, and so is cleared; name at least one threshold");
        }
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let set_for = set_for.expect("what is not valid is a violation");
        self.visible(&scope).has(&set_for)?;
        if matches!(set_for, SetFor::Model(_)) && scope != Scope::All {
            // Machines of a model stand at other sites, too.
            return Err(Denied::NotEverywhere.into());
        }
        let kind = FactKind::ThresholdsSet(NewThresholds { scope: set_for.clone(), values });
        let time = self.add_once(&caller, request_id, kind).await?;
        let limits = self.visible(&scope).limits(&set_for);
        let named = |(name, value): (&str, i64)| v1::NamedValue { name: name.to_owned(), value };
        Ok(v1::SetThresholdsResponse {
            effective_time: Some(convert::timestamp(time.plus(EFFECTIVE_AFTER_US))),
            thresholds: limits.iter().map(named).collect(),
        })
    }

    pub(super) async fn set_out_of_service(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::SetOutOfServiceRequest,
    ) -> Result<v1::SetOutOfServiceResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let reason = check.text("reason", &request.reason, NOTE_CHARACTERS_MAX);
        if reason.is_empty() && !request.reason.is_empty() {
            check.wrong(
                "reason",
                "has only spaces; say why, or leave it empty if the machine is back in service",
            );
        }
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let machine = id.expect("an id that is not valid is a violation");
        let change = ServiceChange {
            machine: machine.clone(),
            out_of_service: (!reason.is_empty()).then_some(reason),
        };
        let machine =
            self.set(&caller, &scope, &machine, request_id, FactKind::ServiceChanged(change)).await?;
        Ok(v1::SetOutOfServiceResponse { machine: Some(convert::machine(&machine)) })
    }

    pub(super) async fn record_commissioning(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RecordCommissioningRequest,
    ) -> Result<v1::RecordCommissioningResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let count = request.stops.len();
        if count > COMMISSIONED_STOPS_MAX {
            check
                .wrong("stops", format!("has {count} entries; at most {COMMISSIONED_STOPS_MAX} are allowed"));
        }
        let stops = request.stops.iter().take(COMMISSIONED_STOPS_MAX);
        let stops = stops.filter_map(|stop| check.commissioned_stop(stop)).collect();
        let note = check.text("note", &request.note, NOTE_CHARACTERS_MAX);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let machine = id.expect("an id that is not valid is a violation");
        let new = NewCommissioning {
            machine: machine.clone(),
            direction_proven: request.direction_proven,
            stops,
            silent_on_stop: request.silent_on_stop,
            incline_is_target: request.incline_is_target,
            note,
            seen: None,
        };
        let machine = self.set(&caller, &scope, &machine, request_id, FactKind::Commissioned(new)).await?;
        Ok(v1::RecordCommissioningResponse { machine: Some(convert::machine(&machine)) })
    }

    pub(super) async fn set_staffed_hours(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::SetStaffedHoursRequest,
    ) -> Result<v1::SetStaffedHoursResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<SiteId>("site_id", &request.site_id);
        let hours = check.week_days(STAFFED, &request.spans);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let site = id.expect("an id that is not valid is a violation");
        self.visible(&scope).site(&site)?;
        let new = NewStaffedHours { site: site.clone(), hours };
        self.add_once(&caller, request_id, FactKind::StaffedHoursSet(new)).await?;
        let visible = self.visible(&scope);
        Ok(v1::SetStaffedHoursResponse { site: Some(convert::site(visible.site(&site)?)) })
    }

    pub(super) async fn set_opening_hours(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::SetOpeningHoursRequest,
    ) -> Result<v1::SetOpeningHoursResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<SiteId>("site_id", &request.site_id);
        if request.hours.is_none() && request.first_weekday.is_none() {
            check.wrong("hours", "is missing, and so is first_weekday; one of both is required");
        }
        let hours = request.hours.map(|hours| {
            check.quarters(&hours.spans);
            OpeningHours { days: check.week_days(OPEN, &hours.spans) }
        });
        let first_weekday = request.first_weekday.and_then(|day| check.first_weekday(day));
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let site = id.expect("an id that is not valid is a violation");
        self.visible(&scope).site(&site)?;
        let new = NewOpening { site: site.clone(), hours, first_weekday };
        self.add_once(&caller, request_id, FactKind::OpeningSet(new)).await?;
        let visible = self.visible(&scope);
        Ok(v1::SetOpeningHoursResponse { site: Some(convert::site(visible.site(&site)?)) })
    }

    /// Adds a fact of a machine that the caller can see, and gives the machine as it is then.
    async fn set(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: &MachineId,
        request_id: Option<String>,
        kind: FactKind,
    ) -> Result<Machine, ApiError> {
        self.visible(scope).machine(id)?;
        self.add_once(caller, request_id, kind).await?;
        let machine = Machine::clone(self.visible(scope).machine(id)?);
        Ok(machine)
    }

    /// Adds a fact, once for a request. Gives the time of the fact.
    pub(super) async fn add_once(
        &self,
        caller: &Caller,
        request_id: Option<String>,
        kind: FactKind,
    ) -> Result<UnixMicros, ApiError> {
        let now = self.surroundings.now();
        match self.add(caller, request_id, kind.clone()).await? {
            FactOutcome::Added(_) => Ok(now),
            FactOutcome::Repeated(_, fact) if fact.kind == kind => Ok(fact.time),
            FactOutcome::Repeated(..) => Err(request_id_reused()),
        }
    }
}

impl Check {
    /// Names of thresholds to take away, none of which is also `set`.
    fn cleared(&mut self, names: &[String], set: &[(String, i64)]) -> Vec<String> {
        let mut limits = domain::incident::threshold::Limits::default();
        for name in names {
            if set.iter().any(|(other, _)| other == name) {
                self.wrong(
                    "cleared",
                    format!("names {}, which thresholds sets; do one of both", quoted(name)),
                );
            }
            if let Err(error) = limits.set(name, None) {
                self.wrong("cleared", format!("is not valid: {error}"));
            }
        }
        names.to_vec()
    }

    fn commissioned_stop(&mut self, stop: &v1::CommissionedStop) -> Option<CommissionedStop> {
        let contact = match stop.contact.as_str() {
            "emergency_stop" => Some(StopContact::EmergencyStop),
            "safety_key" => Some(StopContact::SafetyKey),
            other => {
                let allowed = "\"emergency_stop\" and \"safety_key\" are allowed";
                self.wrong("stops.contact", format!("is {}; {allowed}", quoted(other)));
                None
            }
        };
        let speed = stop.speed_mps;
        if !STOP_SPEEDS_MPS.contains(&speed) {
            self.wrong("stops.speed_mps", format!("is {speed}; 0.2 to 6 is allowed"));
        }
        let time = stop.time.unwrap_or_default();
        let time_ms = time.seconds.saturating_mul(1_000).saturating_add(i64::from(time.nanos) / 1_000_000);
        if !STOP_TIMES_MS.contains(&time_ms) {
            self.wrong("stops.time", format!("is {time_ms} ms; 100 to 60000 ms are allowed"));
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within 0.2 to 6 m/s, or it was noted as wrong"
        )]
        let speed = Speed((speed * 1_000.0).round() as u32);
        let time_ms = u32::try_from(time_ms).ok()?;
        contact.map(|contact| CommissionedStop { contact, speed, time_ms })
    }

    /// Usage is counted by quarters of an hour.
    fn quarters(&mut self, spans: &[v1::StaffedSpan]) {
        let ends = spans.iter().flat_map(|span| [span.start_minute, span.end_minute]);
        if let Some(minute) = ends.into_iter().find(|minute| minute % QUARTER_MINUTES != 0) {
            let allowed = "whole quarters of an hour (0, 15, 30 and so on) are allowed";
            self.wrong(OPEN[0], format!("begin or end at minute {minute}; {allowed}"));
        }
    }

    /// The day on which weeks begin, from 0, Monday, on.
    fn first_weekday(&mut self, day: u32) -> Option<u8> {
        if !(1..=7).contains(&day) {
            self.wrong("first_weekday", format!("is {day}; 1, Monday, to 7, Sunday, are allowed"));
            return None;
        }
        u8::try_from(day - 1).ok()
    }

    /// Spans of a week by day, ascending; `None`: nobody says. `fields`: that of the spans, and of the day of one.
    fn week_days(&mut self, fields: [&'static str; 2], spans: &[v1::StaffedSpan]) -> Option<StaffedDays> {
        let [of_spans, of_day] = fields;
        let mut days = StaffedDays::default();
        for span in spans {
            let v1::StaffedSpan { day, start_minute: start, end_minute: end } = *span;
            if !(1..=7).contains(&day) {
                self.wrong(of_day, format!("is {day}; 1, Monday, to 7, Sunday, are allowed"));
                continue;
            }
            if start >= end || end > DAY_MINUTES {
                let allowed = format!("it must end after it begins, at {DAY_MINUTES} at the latest");
                self.wrong(of_spans, format!("of day {day} has one from minute {start} to {end}; {allowed}"));
                continue;
            }
            let minute = |minute| u16::try_from(minute).expect("at most 1440");
            days[day as usize - 1].push((minute(start), minute(end)));
        }
        for (day, spans) in (1..).zip(&mut days) {
            spans.sort_unstable();
            if spans.len() > STAFFED_SPANS_MAX {
                let count = spans.len();
                self.wrong(
                    of_spans,
                    format!("of day {day} are {count}; at most {STAFFED_SPANS_MAX} are allowed"),
                );
            }
            if let Some(two) = spans.windows(2).find(|two| two[1].0 < two[0].1) {
                let (first, second) = (two[0], two[1]);
                let both = format!("{} to {} and {} to {}", first.0, first.1, second.0, second.1);
                self.wrong(of_spans, format!("of day {day} overlap: minutes {both}"));
            }
        }
        (!spans.is_empty()).then_some(days)
    }
}
