//! An incident as a row: what listings, watches and a single one have in common.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::command::now;
use crate::command::pages::Zones;
use crate::table::{Column, Value};
use crate::words;

/// An incident, with what is needed to show it to people.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) incident: v1::Incident,
    pub(super) zone: TimeZone,
    /// When it is shown.
    pub(super) now: Timestamp,
    /// In a watch, where the next one goes on; empty: it is no watch.
    pub(super) cursor: String,
}

impl Shown {
    pub(super) fn new(incident: v1::Incident, zones: &Zones) -> Shown {
        let zone = zones.of(&incident.site_id);
        Shown { incident, zone, now: now(), cursor: String::new() }
    }

    pub(super) fn time(&self, time: Option<prost_types::Timestamp>) -> Value {
        Value::Time(words::time(time), self.zone.clone())
    }

    fn text(&self, part: fn(&v1::Incident) -> &String) -> Value {
        Value::Text(part(&self.incident).clone())
    }

    /// How far people are; nothing is known if the server does not say.
    pub(super) fn handling(&self) -> Value {
        let handling = self.incident.handling.as_ref();
        let until = handling.and_then(|handling| words::time(handling.shelve_until_time));
        Value::Handling {
            state: words::handling(handling.map_or(0, |handling| handling.state)),
            is_shelved: until.is_some_and(|until| until > self.now),
        }
    }

    fn handled(&self, part: fn(&v1::Handling) -> String) -> Value {
        Value::Text(self.incident.handling.as_ref().map(part).unwrap_or_default())
    }

    fn handled_time(&self, part: fn(&v1::Handling) -> Option<prost_types::Timestamp>) -> Value {
        self.time(self.incident.handling.as_ref().and_then(part))
    }

    /// The deadline that is not met and ends first.
    fn deadline(&self) -> Option<&v1::DeadlineState> {
        let deadlines = &self.incident.handling.as_ref()?.deadlines;
        deadlines.iter().find(|deadline| deadline.met_time.is_none())
    }
}

pub(super) const COLUMNS: &[Column<Shown>] = &[
    Column { name: "time", title: "time", value: |row| row.time(row.incident.time) },
    Column {
        name: "severity",
        title: "severity",
        value: |row| Value::Text(words::severity(row.incident.severity).to_owned()),
    },
    Column { name: "machine_id", title: "machine", value: |row| row.text(|one| &one.machine_id) },
    Column { name: "site_id", title: "site", value: |row| row.text(|one| &one.site_id) },
    Column { name: "rule", title: "", value: |row| row.text(|one| &one.rule) },
    Column { name: "title", title: "incident", value: |row| row.text(|one| &one.title) },
    Column {
        name: "state",
        title: "state",
        value: |row| Value::Text(words::incident_state(row.incident.state).to_owned()),
    },
    Column { name: "handling", title: "handling", value: Shown::handling },
    Column {
        name: "assignee",
        title: "assignee",
        value: |row| row.handled(|handling| handling.assignee.clone()),
    },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.incident.direction)),
    },
    Column {
        name: "origin",
        title: "",
        value: |row| Value::Text(words::origin(row.incident.origin).to_owned()),
    },
    Column { name: "speed_mps", title: "km/h", value: |row| Value::Speed(row.incident.speed_mps) },
    Column {
        name: "incline_percent",
        title: "",
        value: |row| Value::Number(row.incident.incline_percent, 1),
    },
    Column { name: "contact", title: "", value: |row| row.text(|one| &one.contact) },
    Column { name: "count", title: "", value: |row| Value::Count(u64::from(row.incident.count)) },
    Column { name: "stop_time_s", title: "stop s", value: |row| Value::Number(stop_s(&row.incident), 1) },
    Column {
        name: "stop_distance_m",
        title: "",
        value: |row| Value::Number(row.incident.stop.map(|stop| stop.distance_m), 2),
    },
    Column { name: "detail", title: "detail", value: |row| row.text(|one| &one.detail) },
    Column { name: "explained", title: "", value: |row| row.text(|one| &one.explained) },
    Column { name: "clear_time", title: "", value: |row| row.time(row.incident.clear_time) },
    Column { name: "detect_time", title: "", value: |row| row.time(row.incident.detect_time) },
    Column { name: "late", title: "", value: |row| Value::Flag(row.incident.late) },
    Column { name: "has_recording", title: "", value: |row| Value::Flag(row.incident.has_recording) },
    Column {
        name: "rule_version",
        title: "",
        value: |row| Value::Count(u64::from(row.incident.rule_version)),
    },
    Column {
        name: "unconfirmed_by_rule_version",
        title: "",
        value: |row| Value::Count(u64::from(row.incident.unconfirmed_by_rule_version)),
    },
    Column {
        name: "shelve_until_time",
        title: "",
        value: |row| row.handled_time(|handling| handling.shelve_until_time),
    },
    Column {
        name: "acknowledged_time",
        title: "",
        value: |row| row.handled_time(|handling| handling.acknowledged.as_ref().and_then(|deed| deed.time)),
    },
    Column {
        name: "acknowledged_by",
        title: "",
        value: |row| row.handled(|handling| author(handling.acknowledged.as_ref())),
    },
    Column {
        name: "closed_time",
        title: "",
        value: |row| row.handled_time(|handling| handling.closed.as_ref().and_then(|deed| deed.time)),
    },
    Column {
        name: "closed_by",
        title: "",
        value: |row| row.handled(|handling| author(handling.closed.as_ref())),
    },
    Column {
        name: "cause",
        title: "",
        value: |row| row.handled(|handling| words::cause(handling.cause).to_owned()),
    },
    Column {
        name: "hurt",
        title: "",
        value: |row| row.handled(|handling| words::hurt(handling.hurt).to_owned()),
    },
    Column {
        name: "legal_hold",
        title: "",
        value: |row| Value::Flag(row.incident.handling.as_ref().is_some_and(|handling| handling.legal_hold)),
    },
    Column {
        name: "is_normal_stop",
        title: "",
        value: |row| {
            Value::Flag(row.incident.handling.as_ref().is_some_and(|handling| handling.is_normal_stop))
        },
    },
    Column {
        name: "note_count",
        title: "",
        value: |row| {
            let count = row.incident.handling.as_ref().map(|handling| u64::from(handling.note_count));
            Value::OptionalCount(count)
        },
    },
    Column {
        name: "next_deadline",
        title: "",
        value: |row| Value::Text(row.deadline().map(|deadline| deadline.name.clone()).unwrap_or_default()),
    },
    Column {
        name: "next_deadline_time",
        title: "",
        value: |row| row.time(row.deadline().and_then(|deadline| deadline.due_time)),
    },
    Column {
        name: "lead_incident_id",
        title: "",
        value: |row| row.handled(|handling| handling.lead_incident_id.clone()),
    },
    Column { name: "drill", title: "", value: |row| Value::Count(row.incident.drill) },
    Column { name: "id", title: "id", value: |row| row.text(|one| &one.id) },
];

fn author(deed: Option<&v1::Deed>) -> String {
    deed.map(|deed| deed.author.clone()).unwrap_or_default()
}

pub(super) fn stop_s(incident: &v1::Incident) -> Option<f64> {
    incident.stop.and_then(|stop| words::seconds(stop.time))
}
