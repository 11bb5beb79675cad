//! Incidents as points.

use domain::handling::HandlingState;
use domain::ids::SiteId;
use domain::incident::Severity;
use domain::units::UnixMicros;

use super::{INCIDENT, MACHINE_TAG, RULE_TAG, SITE_TAG, direction_name, nanoseconds, number, origin_name};
use crate::influx::line::{DatedLine, Line};
use crate::ledger::StoredIncident;

/// What is found later than this after it happened is history, not news, in microseconds.
const LATE_US: i64 = 15 * 60 * 1_000_000;

/// Where the point of an incident lies, as far as this can change, and which fields it has that another version may lack.
/// A version with the same time and site and all these fields replaces it; any other one leaves something of it behind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentPlace {
    /// When it happened.
    pub time: UnixMicros,
    /// Where its machine stood then; empty: not known.
    pub site: String,
    /// A bit for each field that it has and need not have.
    pub fields: u32,
}

impl IncidentPlace {
    /// Whether a point at `newer` leaves nothing of this one behind.
    pub fn is_replaced_by(&self, newer: &IncidentPlace) -> bool {
        self.time == newer.time && self.site == newer.site && self.fields & !newer.fields == 0
    }
}

/// Where an incident's point is to lie; `None`: it has none, since it was found in a proof test, or InfluxDB cannot keep
/// its time.
pub fn incident_place(stored: &StoredIncident, site: Option<&SiteId>) -> Option<IncidentPlace> {
    let found = &stored.incident;
    if found.drill.is_some() || nanoseconds(found.time.0, 0).is_none() {
        return None;
    }
    let bits = (0..).zip(optional(stored));
    let fields = bits.fold(0, |fields, (bit, (_, value))| fields | u32::from(value.is_some()) << bit);
    Some(IncidentPlace {
        time: found.time,
        site: site.map(|site| site.as_str().to_owned()).unwrap_or_default(),
        fields,
    })
}

/// An incident's point, at the place that [`incident_place`] gave.
pub fn incident_line(stored: &StoredIncident, place: &IncidentPlace) -> Option<DatedLine> {
    let (found, handling) = (&stored.incident, &stored.handling);
    let is_member = handling.lead.is_some();
    let line = Line::new(INCIDENT)
        .tag(MACHINE_TAG, found.machine.as_str())
        .tag(SITE_TAG, &place.site)
        .tag(RULE_TAG, found.rule.name())
        .text("id", &found.id.to_string())
        .text("severity", found.severity.name())
        .int("severity_level", level(found.severity))
        .text("state", handling.state.name())
        .flag("active", found.cleared.is_none())
        .text("direction", direction_name(found.direction))
        .text("origin", origin_name(found.origin))
        .flag("late", stored.detected.since(found.time) > LATE_US)
        .flag("needs_person", handling.state != HandlingState::Closed && !is_member)
        .flag("member", is_member)
        .flag("shelved", handling.shelved_until.is_some() && handling.state != HandlingState::Closed)
        .flag("unconfirmed", stored.unconfirmed.is_some())
        .int("count", i64::from(found.count))
        .int("rule_version", i64::from(found.rule_version))
        .int("revision", number(found.revision))
        .int("detected_us", stored.detected.0);
    let line = optional(stored).into_iter().fold(line, |line, (name, value)| match value {
        Some(Value::Number(value)) => line.int(name, value),
        Some(Value::Text(value)) => line.text(name, value),
        None => line,
    });
    // People look for an incident by its time; the slot only keeps two of one microsecond apart.
    let slot = found.id.0.iter().fold(0, |slot, octet| (slot * 256 + i64::from(*octet)) % 1_000);
    nanoseconds(place.time.0, slot).map(|at| line.at(at))
}

enum Value<'i> {
    Number(i64),
    Text(&'i str),
}

/// Fields that an incident need not have. Their order says which bit of [`IncidentPlace::fields`] is whose, which is stored:
/// new ones go to the end.
fn optional(stored: &StoredIncident) -> [(&'static str, Option<Value<'_>>); 14] {
    let (found, handling) = (&stored.incident, &stored.handling);
    let closing = handling.closing.as_ref();
    [
        ("speed_mm_s", found.speed.map(|speed| Value::Number(speed.0.into()))),
        ("incline_tenths_percent", found.incline.map(|incline| Value::Number(incline.0.into()))),
        ("cleared_us", found.cleared.map(|time| Value::Number(time.0))),
        ("active_ms", found.cleared.map(|time| Value::Number(time.since(found.time) / 1_000))),
        ("contact", found.contact.map(|contact| Value::Text(contact.name()))),
        ("detail", text(&found.detail)),
        ("explained", text(&found.explained)),
        ("stop_time_ms", found.stop.map(|stop| Value::Number(stop.time_ms.into()))),
        ("stop_distance_mm", found.stop.map(|stop| Value::Number(stop.distance_mm.into()))),
        ("acknowledged_us", handling.acknowledged.as_ref().map(|deed| Value::Number(deed.time.0))),
        ("closed_us", closing.map(|closing| Value::Number(closing.first.time.0))),
        ("closed_cause", closing.and_then(|closing| closing.cause).map(|cause| Value::Text(cause.name()))),
        ("hurt", closing.and_then(|closing| closing.hurt).map(|hurt| Value::Text(hurt.name()))),
        ("shelved_until_us", handling.shelved_until.map(|until| Value::Number(until.0))),
    ]
}

/// The severity as a number, the worst being the greatest.
fn level(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

/// A text that says something.
fn text(text: &str) -> Option<Value<'_>> {
    if text.is_empty() { None } else { Some(Value::Text(text)) }
}
