//! Incidents, their evidence and their rules as messages.

use domain::incident::settings::MachineSettings;
use domain::incident::threshold::{Limits, Threshold};
use domain::incident::{Definition, Incident, MeasuredStop, Rule, Severity, TracePoint};
use domain::signal::Capabilities;
use domain::units::{Incline, Speed};
use store::ledger::{DerivedPiece, RecordedPoint, StoredIncident};
use store::registry::Machine;
use wire::api::v1;

use crate::convert::{ReadBy, contact_name, contacts, direction, duration, origin, timestamp};
use crate::handling::show::{View, handling};

/// What is found later than this after it happened is history, not news, in microseconds.
const LATE_US: i64 = 15 * 60 * 1_000_000;

/// An incident with what people did about it, as far as `view` may see that.
pub(crate) fn incident(stored: &StoredIncident, machine: &Machine, view: &View<'_>) -> v1::Incident {
    let found = &stored.incident;
    v1::Incident {
        detect_time: Some(timestamp(stored.detected)),
        late: stored.detected.since(found.time) > LATE_US,
        unconfirmed_by_rule_version: stored.unconfirmed.unwrap_or(0),
        handling: Some(handling(stored, machine, view)),
        ..told(found, machine)
    }
}

/// What an incident tells by itself.
pub(crate) fn told(found: &Incident, machine: &Machine) -> v1::Incident {
    v1::Incident {
        id: found.id.to_string(),
        machine_id: found.machine.to_string(),
        // Where it stood then: it may have been moved since.
        site_id: machine.site_at(found.time).to_string(),
        rule: found.rule.name().to_owned(),
        title: found.rule.definition().title.to_owned(),
        severity: severity(found.severity),
        time: Some(timestamp(found.time)),
        detect_time: None,
        late: false,
        state: state(found.cleared.is_none()),
        clear_time: found.cleared.map(timestamp),
        direction: direction(found.direction),
        origin: origin(found.origin),
        speed_mps: found.speed.map(Speed::mps),
        incline_percent: found.incline.map(Incline::percent),
        contact: contact_name(found.contact),
        count: found.count,
        detail: found.detail.clone(),
        explained: found.explained.clone(),
        stop: found.stop.map(stop),
        measured: values(&found.measured),
        thresholds: values(&found.thresholds),
        rule_version: found.rule_version,
        capabilities: names(found.capabilities),
        has_recording: found.recording.is_some(),
        unconfirmed_by_rule_version: 0,
        handling: None,
        drill: found.drill.unwrap_or(0),
    }
}

pub(crate) fn severity(severity: Severity) -> i32 {
    match severity {
        Severity::Info => v1::Severity::Info,
        Severity::Low => v1::Severity::Low,
        Severity::Medium => v1::Severity::Medium,
        Severity::High => v1::Severity::High,
        Severity::Critical => v1::Severity::Critical,
    }
    .into()
}

fn stop(stop: MeasuredStop) -> v1::MeasuredStop {
    v1::MeasuredStop {
        time: Some(duration(u64::from(stop.time_ms) * 1_000)),
        distance_m: f64::from(stop.distance_mm) / 1_000.0,
    }
}

fn values(values: &[(String, i64)]) -> Vec<v1::NamedValue> {
    values.iter().map(|(name, value)| v1::NamedValue { name: name.clone(), value: *value }).collect()
}

/// Names of what a machine can report, sorted.
pub(crate) fn names(capabilities: Capabilities) -> Vec<String> {
    let mut names: Vec<String> = capabilities.names().map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// A reading that was kept with an incident.
pub(crate) fn trace(point: &TracePoint, by: &ReadBy) -> v1::Reading {
    let moving = point.speeds.map(|(mean, _, _)| mean > domain::belt::STANDSTILL);
    let (way, how) = by.direction(point.time, (point.direction, point.origin), moving);
    v1::Reading {
        time: Some(timestamp(point.time)),
        span: Some(duration(u64::from(point.span_ms) * 1_000)),
        direction: direction(way),
        origin: origin(how),
        speed_mean_mps: point.speeds.map(|(mean, _, _)| mean.mps()),
        speed_min_mps: point.speeds.map(|(_, min, _)| min.mps()),
        speed_max_mps: point.speeds.map(|(_, _, max)| max.mps()),
        incline_percent: point.incline.map(Incline::percent),
        contacts: Some(contacts(point.contacts)),
        ..v1::Reading::default()
    }
}

/// The points of a recording's pieces, which are by number.
pub(crate) fn recording(pieces: &[DerivedPiece], by: &ReadBy) -> Vec<v1::RecordingPoint> {
    pieces.iter().flat_map(|piece| &piece.points).map(|one| point(one, by)).collect()
}

/// Whether all pieces of a recording are there, to the last one.
pub(crate) fn is_complete(pieces: &[DerivedPiece]) -> bool {
    pieces.iter().zip(0..).all(|(piece, number)| piece.number == number)
        && pieces.last().is_some_and(|last| last.is_last)
}

fn point(point: &RecordedPoint, by: &ReadBy) -> v1::RecordingPoint {
    let moving = point.speed.map(|speed| speed > domain::belt::STANDSTILL);
    let (way, how) = by.direction(point.time, (point.direction, point.origin), moving);
    v1::RecordingPoint {
        time: Some(timestamp(point.time)),
        direction: direction(way),
        origin: origin(how),
        speed_mps: point.speed.map(Speed::mps),
        incline_percent: point.incline.map(Incline::percent),
        contacts: Some(contacts(point.contacts)),
    }
}

/// For whom a threshold was set, from the widest to the narrowest.
pub(crate) type Layers<'a> = [(&'static str, &'a Limits)];

/// A rule with its thresholds. Of several layers that set one, the last holds.
pub(crate) fn rule(rule: Rule, layers: &Layers<'_>) -> v1::Rule {
    let Definition { version, title, meaning, reason, rearm, card, severities, thresholds, .. } =
        *rule.definition();
    v1::Rule {
        name: rule.name().to_owned(),
        number: u32::from(rule.number()),
        title: title.to_owned(),
        meaning: meaning.to_owned(),
        reason: reason.to_owned(),
        rearm: rearm.to_owned(),
        action_card: card.to_owned(),
        severities: severities.iter().map(|one| severity(*one)).collect(),
        version,
        thresholds: thresholds.iter().map(|one| threshold(one, layers)).collect(),
    }
}

fn threshold(threshold: &Threshold, layers: &Layers<'_>) -> v1::Threshold {
    let of =
        |limits: &Limits| limits.iter().find(|(name, _)| *name == threshold.name).map(|(_, value)| value);
    let set = layers.iter().rev().find_map(|(layer, limits)| of(limits).map(|value| (*layer, value)));
    v1::Threshold {
        name: threshold.name.to_owned(),
        unit: threshold.unit.symbol().to_owned(),
        default_value: threshold.default,
        min_value: threshold.min,
        max_value: threshold.max,
        reason: threshold.reason.to_owned(),
        value: set.map(|(_, value)| value),
        set_for: set.map(|(layer, _)| layer.to_owned()).unwrap_or_default(),
    }
}

/// Whether a machine can report what a rule looks for. `seen`: such an incident was found on it.
pub(crate) fn sight(
    rule: Rule,
    capabilities: Option<Capabilities>,
    settings: &MachineSettings,
    seen: bool,
) -> v1::RuleSight {
    let (sight, reason) = match capabilities.map(|known| rule.can_be_told(known, settings)) {
        None => (v1::Sight::Unknown, "the agent has never said what it can report".to_owned()),
        Some(Err(reason)) => (v1::Sight::Blind, reason),
        Some(Ok(())) if seen => (v1::Sight::Seen, String::new()),
        Some(Ok(())) => (v1::Sight::Untested, String::new()),
    };
    v1::RuleSight { rule: rule.name().to_owned(), sight: sight.into(), reason }
}

/// What a machine does.
pub(crate) fn state(active: bool) -> i32 {
    if active { v1::IncidentState::Active } else { v1::IncidentState::Cleared }.into()
}
