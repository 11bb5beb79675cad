//! An incident as a line of a list.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::incident::{handling_name, who};
use crate::texts::Texts;
use crate::tile;
use crate::words::{self, Reader};

/// Sites by their ids: name and zone.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, (String, TimeZone)>);

impl Places {
    pub(crate) fn new(sites: &[v1::Site]) -> Places {
        let place = |site: &v1::Site| {
            let name = if site.display_name.is_empty() { &site.id } else { &site.display_name };
            (site.id.clone(), (name.clone(), words::zone(&site.time_zone)))
        };
        Places(sites.iter().map(place).collect())
    }

    /// One site of which only the zone matters.
    pub(crate) fn one(site: &str, zone: &TimeZone) -> Places {
        Places(BTreeMap::from([(site.to_owned(), (site.to_owned(), zone.clone()))]))
    }

    /// A site's name; its id if no more is known.
    pub(crate) fn name<'a>(&'a self, site: &'a str) -> &'a str {
        self.0.get(site).map_or(site, |(name, _)| name)
    }

    /// A site's zone; UTC if it is not known.
    pub(crate) fn zone(&self, site: &str) -> TimeZone {
        self.0.get(site).map_or(TimeZone::UTC, |(_, zone)| zone.clone())
    }
}

/// One incident.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) time: String,
    pub(crate) severity: &'static str,
    pub(crate) severity_words: &'static str,
    pub(crate) title: String,
    pub(crate) machine: String,
    pub(crate) machine_name: String,
    /// Whether the visitor may look at the machine.
    pub(crate) has_machine_page: bool,
    pub(crate) site: String,
    pub(crate) direction: &'static str,
    pub(crate) belt: String,
    pub(crate) active: bool,
    pub(crate) state: &'static str,
    pub(crate) late: bool,
    /// How far people are, as a class and in words, and who it is about.
    pub(crate) handling: &'static str,
    pub(crate) handling_words: &'static str,
    pub(crate) who: String,
}

impl Row {
    /// `names` are those of machines; one without is shown by its id.
    pub(crate) fn new(
        incident: &v1::Incident,
        places: &Places,
        names: &BTreeMap<String, String>,
        reader: Reader,
    ) -> Row {
        let (severity, severity_words) = severity_name(incident.severity(), reader.t);
        let (direction, _) = tile::direction_name(incident.direction(), reader);
        let at = words::moment(incident.time);
        let handled = incident.handling.clone().unwrap_or_default();
        let (handling, handling_words) = match handled.shelve_until_time {
            Some(_) if handled.state() != v1::HandlingState::Closed => {
                ("h-shelved", reader.t.handling_shelved())
            }
            Some(_) | None => handling_name(&handled, reader.t),
        };
        Row {
            handling,
            handling_words,
            who: who(&handled, reader.t),
            time: at.map_or_else(String::new, |at| date_and_time(at, &places.zone(&incident.site_id))),
            severity,
            severity_words,
            title: reader.t.rule_title(&incident.rule, &incident.title).to_owned(),
            machine_name: names.get(&incident.machine_id).unwrap_or(&incident.machine_id).clone(),
            has_machine_page: names.contains_key(&incident.machine_id),
            machine: incident.machine_id.clone(),
            site: places.name(&incident.site_id).to_owned(),
            direction,
            belt: belt(incident, reader),
            active: incident.state() == v1::IncidentState::Active,
            state: state_name(incident.state(), reader.t),
            late: incident.late,
            id: incident.id.clone(),
        }
    }
}

/// Direction and speed; what is not known of them is not made up.
fn belt(incident: &v1::Incident, reader: Reader) -> String {
    let (_, direction) = tile::direction_name(incident.direction(), reader);
    match incident.speed_mps {
        Some(speed) if incident.direction() != v1::Direction::Stopped => {
            format!("{direction}, {}", reader.speed(speed))
        }
        Some(_) | None => direction.to_owned(),
    }
}

/// A severity as a class and in words.
pub(crate) fn severity_name(severity: v1::Severity, t: Texts) -> (&'static str, &'static str) {
    match severity {
        v1::Severity::Critical => ("s-critical", t.severity_critical()),
        v1::Severity::High => ("s-high", t.severity_high()),
        v1::Severity::Medium => ("s-medium", t.severity_medium()),
        v1::Severity::Low => ("s-low", t.severity_low()),
        v1::Severity::Info => ("s-info", t.severity_info()),
        v1::Severity::Unspecified => ("s-info", t.not_known()),
    }
}

pub(crate) fn state_name(state: v1::IncidentState, t: Texts) -> &'static str {
    match state {
        v1::IncidentState::Active => t.incident_active(),
        v1::IncidentState::Cleared => t.incident_over(),
        v1::IncidentState::Unspecified => t.not_known(),
    }
}

/// Date and time of day in a zone; UTC is named, as it is no site's.
pub(crate) fn date_and_time(at: Timestamp, zone: &TimeZone) -> String {
    let text = at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    if *zone == TimeZone::UTC { format!("{text} UTC") } else { text }
}
