//! What is known of an incident, in words.

use wire::api::v1;

use super::measure;
use crate::incidents::{Places, date_and_time, severity_name, state_name};
use crate::texts::Texts;
use crate::tile;
use crate::words::{self, Reader};

/// A sentence, and whether it is in the API's own words, which are English.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// What it is, in the visitor's words. Empty: that needs no saying.
    pub(super) lead: &'static str,
    pub(super) text: String,
    pub(super) english: bool,
}

/// A threshold used: what it is called, its value, and what it is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) reason: String,
}

/// An incident in words.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) heading: String,
    pub(super) severity: &'static str,
    pub(super) severity_words: &'static str,
    pub(super) state: &'static str,
    pub(super) late: bool,
    pub(super) unconfirmed: bool,
    pub(super) machine_name: String,
    pub(super) happened: Vec<Said>,
    /// What to do.
    pub(super) card: String,
    /// Whether it cannot wait.
    pub(super) is_urgent: bool,
    /// Of what the chart is made.
    pub(super) source: String,
    /// What else there is to say: name and value.
    pub(super) lines: Vec<(&'static str, String)>,
    pub(super) measured: Vec<(String, String)>,
    pub(super) thresholds: Vec<Used>,
    /// When the rule holds, why it is there, and when it may hold again: in English.
    pub(super) rule: Vec<(&'static str, String)>,
}

impl Facts {
    pub(super) fn new(
        found: &v1::GetIncidentResponse,
        machine_name: &str,
        places: &Places,
        reader: Reader,
    ) -> Facts {
        let t = reader.t;
        let incident = found.incident.clone().unwrap_or_default();
        let rule = found.rule.clone().unwrap_or_default();
        let (severity, severity_words) = severity_name(incident.severity(), t);
        let measured = incident.measured.iter();
        let measured = measured
            .map(|one| (measure::name(&one.name, t), measure::measured(&one.name, one.value, reader)));
        let thresholds = incident.thresholds.iter().map(|one| used(one, &rule, reader));
        let words = [
            (t.rule_meaning(), rule.meaning.clone()),
            (t.rule_reason(), rule.reason.clone()),
            (t.rule_rearm(), rule.rearm.clone()),
        ];
        Facts {
            heading: t.incident_on(t.rule_title(&incident.rule, &incident.title), machine_name),
            severity,
            severity_words,
            state: state_name(incident.state(), t),
            late: incident.late,
            unconfirmed: incident.unconfirmed_by_rule_version > 0,
            machine_name: machine_name.to_owned(),
            happened: happened(&incident, places, reader),
            card: t.action_card(&incident.rule, &rule.action_card).to_owned(),
            is_urgent: matches!(incident.severity(), v1::Severity::Critical | v1::Severity::High),
            source: source(found, t),
            lines: lines(&incident, &rule, places, reader),
            measured: measured.collect(),
            thresholds: thresholds.collect(),
            rule: words.into_iter().filter(|(_, words)| !words.is_empty()).collect(),
        }
    }
}

fn used(one: &v1::NamedValue, rule: &v1::Rule, reader: Reader) -> Used {
    let known = rule.thresholds.iter().find(|threshold| threshold.name == one.name);
    Used {
        value: measure::threshold(known.map_or("", |known| &known.unit), one.value, reader),
        reason: known.map(|known| known.reason.clone()).unwrap_or_default(),
        name: one.name.clone(),
    }
}

/// A sentence or two.
fn happened(incident: &v1::Incident, places: &Places, reader: Reader) -> Vec<Said> {
    let t = reader.t;
    let mut all: Vec<Said> = Vec::new();
    let mut say = |text: String| all.push(Said { lead: "", text, english: false });
    if let Some(at) = words::moment(incident.time) {
        let time = date_and_time(at, &places.zone(&incident.site_id));
        say(t.happened_at(places.name(&incident.site_id), time));
    }
    say(belt(incident, reader));
    if let Some(stop) = &incident.stop {
        let seconds = stop.time.as_ref().map_or(0.0, words::seconds);
        let distance = t.metres(measure::decimals(stop.distance_m, 2, t));
        say(t.came_to_rest(measure::decimals(seconds, 2, t), distance));
    }
    if incident.count > 1 {
        say(t.stands_for(incident.count));
    }
    let english = [("", &incident.detail), (t.explained(), &incident.explained)];
    let english = english.into_iter().filter(|(_, text)| !text.is_empty());
    all.extend(english.map(|(lead, text)| Said { lead, text: text.clone(), english: true }));
    all
}

fn belt(incident: &v1::Incident, reader: Reader) -> String {
    let t = reader.t;
    let (_, direction) = tile::direction_name(incident.direction(), reader);
    let speed = incident.speed_mps.map(|speed| reader.speed(speed));
    match (incident.direction(), speed) {
        (v1::Direction::Forward, Some(speed)) => t.belt_ran_forward(speed),
        (v1::Direction::Reverse, Some(speed)) => t.belt_ran_reverse(speed),
        (v1::Direction::Unknown | v1::Direction::Unspecified, Some(speed)) => t.belt_moved(speed),
        (v1::Direction::Stopped, _) | (_, None) => t.belt_stood(direction),
    }
}

fn source(found: &v1::GetIncidentResponse, t: Texts) -> String {
    let is_made = found.incident.as_ref().is_some_and(|incident| incident.has_recording);
    let source = match (found.recording.is_empty(), found.recording_complete) {
        (false, true) => t.trace_recording(),
        (false, false) => t.trace_recording_cut(),
        (true, _) if is_made => t.trace_awaited(),
        (true, _) => t.trace_readings(),
    };
    if found.recording.is_empty() && found.readings_incomplete {
        return format!("{source} {}", t.trace_incomplete());
    }
    source.to_owned()
}

fn lines(
    incident: &v1::Incident,
    rule: &v1::Rule,
    places: &Places,
    reader: Reader,
) -> Vec<(&'static str, String)> {
    let t = reader.t;
    let zone = places.zone(&incident.site_id);
    let time = |time| words::moment(time).map(|at| date_and_time(at, &zone)).unwrap_or_default();
    let names = incident.capabilities.iter().map(|name| signal(name, t));
    let origin = match incident.origin() {
        v1::DirectionOrigin::Measured => t.origin_measured(),
        v1::DirectionOrigin::Declared => t.origin_declared(),
        v1::DirectionOrigin::Unknown | v1::DirectionOrigin::Unspecified => t.not_known(),
    };
    let stop_time = incident.stop.as_ref().and_then(|stop| stop.time.as_ref()).map(words::seconds);
    let stop_time = stop_time.map(|seconds| t.age_seconds(measure::decimals(seconds, 3, t)));
    let way = incident.stop.as_ref().map(|stop| t.metres(measure::decimals(stop.distance_m, 2, t)));
    let able: Vec<&str> = names.collect();
    let all = [
        (t.happened(), time(incident.time)),
        (t.cleared(), time(incident.clear_time)),
        (t.detected(), time(incident.detect_time)),
        (t.how_direction(), origin.to_owned()),
        (t.incline(), incident.incline_percent.map(|percent| reader.incline(percent)).unwrap_or_default()),
        (t.stopped_by(), contact(&incident.contact, t).to_owned()),
        (t.stop_time(), stop_time.unwrap_or_default()),
        (t.stop_distance(), way.unwrap_or_default()),
        (t.capabilities(), if able.is_empty() { t.not_known().to_owned() } else { able.join(", ") }),
        (t.rule(), t.rule_number(rule.number, incident.rule_version)),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn contact(name: &str, t: Texts) -> &str {
    if name.is_empty() { "" } else { signal(name, t) }
}

type Words = fn(Texts) -> &'static str;

const SIGNALS: [(&str, Words); 16] = [
    ("speed", Texts::signal_speed),
    ("direction", Texts::signal_direction),
    ("incline", Texts::signal_incline),
    ("emergency_stop", Texts::emergency_stop),
    ("safety_key", Texts::safety_key),
    ("machine_power", Texts::machine_power),
    ("hand_rail", Texts::hand_rail),
    ("user_presence", Texts::user_presence),
    ("user_commands", Texts::signal_user_commands),
    ("heart_rate_contact", Texts::signal_heart_rate),
    ("elapsed", Texts::signal_elapsed),
    ("distance", Texts::signal_distance),
    ("steps", Texts::signal_steps),
    ("belt_force", Texts::signal_belt_force),
    ("commanded", Texts::signal_commanded),
    ("second_speed", Texts::signal_second_speed),
];

/// All signals that a machine may report.
pub(super) fn signals() -> impl Iterator<Item = &'static str> {
    SIGNALS.iter().map(|(name, _)| *name)
}

/// A signal in words; one that is not known as it is.
pub(crate) fn signal(name: &str, t: Texts) -> &str {
    SIGNALS.iter().find(|(known, _)| *known == name).map_or(name, |(_, words)| words(t))
}
