//! One incident with its evidence, for people in sentences, for programs as one object.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use serde_json::json;
use wire::api::v1;

use super::ids;
use super::row::{COLUMNS, Shown, stop_s};
use super::told::Told;
use crate::client::{Client, Options};
use crate::command::pages::Zones;
use crate::failure::Failure;
use crate::table::{Column, Format, Listing, Row, Value, people_text};
use crate::{quantity, words};

/// A reading around the incident.
struct Point {
    reading: v1::Reading,
    zone: TimeZone,
}

impl Point {
    fn contact(&self, part: fn(&v1::Contacts) -> i32) -> Value {
        let contacts = self.reading.contacts.unwrap_or_default();
        Value::Text(words::contact(part(&contacts)).to_owned())
    }
}

const POINT_COLUMNS: &[Column<Point>] = &[
    Column {
        name: "time",
        title: "time",
        value: |row| Value::Time(words::time(row.reading.time), row.zone.clone()),
    },
    Column { name: "span_s", title: "", value: |row| Value::Number(words::seconds(row.reading.span), 3) },
    Column {
        name: "direction",
        title: "direction",
        value: |row| Value::Direction(words::direction(row.reading.direction)),
    },
    Column {
        name: "origin",
        title: "",
        value: |row| Value::Text(words::origin(row.reading.origin).to_owned()),
    },
    Column { name: "speed_mean_mps", title: "km/h", value: |row| Value::Speed(row.reading.speed_mean_mps) },
    Column { name: "speed_min_mps", title: "least", value: |row| Value::Speed(row.reading.speed_min_mps) },
    Column { name: "speed_max_mps", title: "most", value: |row| Value::Speed(row.reading.speed_max_mps) },
    Column {
        name: "incline_percent",
        title: "incline %",
        value: |row| Value::Number(row.reading.incline_percent, 1),
    },
    Column { name: "emergency_stop", title: "e-stop", value: |row| row.contact(|all| all.emergency_stop) },
    Column { name: "safety_key", title: "key", value: |row| row.contact(|all| all.safety_key) },
];

pub(super) async fn show(mut client: Client, id: String, options: &Options) -> Result<(), Failure> {
    let id = ids::resolve_one(&mut client, id).await?;
    let request = v1::GetIncidentRequest { incident_id: id.clone() };
    let answer = client.incidents.get_incident(request).await?.into_inner();
    let zones = Zones::fetch(&mut client).await?;
    let row = Shown::new(answer.incident.clone().unwrap_or_default(), &zones);
    let told = Told::fetch(&mut client, &id, &row.zone).await?;
    let points = |zone: &TimeZone| -> Vec<Point> {
        answer.readings.iter().map(|reading| Point { reading: reading.clone(), zone: zone.clone() }).collect()
    };
    let readings = points(&row.zone);
    let listing = Listing { name: "readings", columns: POINT_COLUMNS, rows: &readings, notes: Vec::new() };
    let (mut out, mut aside) = (io::stdout().lock(), io::stderr().lock());
    let printed = match options.format() {
        Format::Table => {
            write!(out, "{}", sentences(&row, &answer, &told))?;
            listing.print(Format::Table, &mut out, &mut aside)
        }
        Format::Csv => listing.print(Format::Csv, &mut out, &mut aside),
        Format::Json => writeln!(out, "{}", object(&row, &answer, &told, &readings)),
    };
    match printed {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

fn plain(text: &str) -> String {
    people_text(&Value::Text(text.to_owned()))
}

/// An incident in a line.
pub(super) fn line(row: &Shown) -> String {
    let one = &row.incident;
    let time = people_text(&row.time(one.time));
    let late = if one.late { ", told late" } else { "" };
    let (severity, state) = (words::severity(one.severity), words::incident_state(one.state));
    let (machine, title) = (plain(&one.machine_id), plain(&one.title));
    let (belt, id) = (belt(one), plain(&one.id));
    format!("{time}  {severity:<8}  {machine}  {title}{belt}  {state}{late}  {}  {id}", handling(row))
}

/// How far people are, such as `in progress by anna`.
fn handling(row: &Shown) -> String {
    let state = people_text(&row.handling());
    match row.incident.handling.as_ref().map(|handling| plain(&handling.assignee)) {
        Some(assignee) if !assignee.is_empty() => format!("{state} by {assignee}"),
        Some(_) => state,
        None => "handling unknown".to_owned(),
    }
}

/// What the belt did, such as `, ▼ reverse at 3.6 km/h`.
fn belt(one: &v1::Incident) -> String {
    let direction = people_text(&Value::Direction(words::direction(one.direction)));
    let speed = one.speed_mps.map(|mps| format!(" at {:.1} km/h", mps * 3.6)).unwrap_or_default();
    format!(", {direction}{speed}")
}

/// What happened, what was measured, and what to do.
fn sentences(row: &Shown, answer: &v1::GetIncidentResponse, told: &Told) -> String {
    let one = &row.incident;
    let mut lines = vec![line(row)];
    let mut say = |name: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("{name}: {}", plain(&text)));
        }
    };
    let rule = answer.rule.clone().unwrap_or_default();
    say("site", one.site_id.clone());
    say("rule", format!("{} (R{:02}, version {})", one.rule, rule.number, one.rule_version));
    say("what it is", rule.meaning.clone());
    say("detail", one.detail.clone());
    say("explained", one.explained.clone());
    let stop = one.stop.map(|stop| {
        format!("the belt stood after {:.1} s and {:.2} m", stop_s(one).unwrap_or_default(), stop.distance_m)
    });
    say("stop", stop.unwrap_or_default());
    say("found", people_text(&row.time(one.detect_time)));
    let cleared = one.clear_time.map(|time| people_text(&row.time(Some(time))));
    say("cleared", cleared.unwrap_or_else(|| "not yet".to_owned()));
    say(
        "measured",
        one.measured.iter().map(|one| measured(&one.name, one.value)).collect::<Vec<_>>().join(", "),
    );
    let unit = |name: &str| {
        let found = rule.thresholds.iter().find(|threshold| threshold.name == name);
        found.map(|threshold| threshold.unit.clone()).unwrap_or_default()
    };
    let used = one.thresholds.iter();
    let used = used.map(|one| format!("{} {}", one.name, quantity::shown(one.value, &unit(&one.name))));
    say("thresholds used", used.collect::<Vec<_>>().join(", "));
    say("the machine reported", one.capabilities.join(", "));
    say("recording", recording(one, answer));
    if one.unconfirmed_by_rule_version > 0 {
        let version = one.unconfirmed_by_rule_version;
        say("unconfirmed", format!("version {version} of the rule does not find it"));
    }
    for (name, sentence) in told.sentences(row) {
        say(name, sentence);
    }
    say("what to do", rule.action_card.clone());
    if answer.readings_incomplete {
        say("readings", "more are to come".to_owned());
    }
    lines.push(String::new());
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn recording(one: &v1::Incident, answer: &v1::GetIncidentResponse) -> String {
    match (one.has_recording, answer.recording.len(), answer.recording_complete) {
        (false, ..) => "none was made".to_owned(),
        (true, 0, _) => "not there yet".to_owned(),
        (true, count, true) => format!("{count} points, complete; --json prints them"),
        (true, count, false) => format!("{count} points so far; --json prints them"),
    }
}

/// A measured value by the unit in its name.
fn measured(name: &str, value: i64) -> String {
    let units = [("_mm_s2", "mm/s²"), ("_mm_s", "mm/s"), ("_ms", "ms"), ("_tenths_pct", "0.1 %")];
    let found = units.into_iter().find_map(|(end, unit)| name.strip_suffix(end).map(|name| (name, unit)));
    let (name, unit) = found.unwrap_or((name, ""));
    format!("{} {}", name.replace('_', " "), quantity::shown(value, unit))
}

/// Everything as one object.
fn object(
    row: &Shown,
    answer: &v1::GetIncidentResponse,
    told: &Told,
    readings: &[Point],
) -> serde_json::Value {
    let one = &row.incident;
    let rule = answer.rule.clone().unwrap_or_default();
    let values = |values: &[v1::NamedValue]| -> serde_json::Map<String, serde_json::Value> {
        values.iter().map(|one| (one.name.clone(), json!(one.value))).collect()
    };
    let points: Vec<_> = answer.recording.iter().map(point).collect();
    let readings: Vec<_> = readings.iter().map(|row| json!(Row { row, columns: POINT_COLUMNS })).collect();
    json!({
        "incident": Row { row, columns: COLUMNS },
        "measured": values(&one.measured),
        "thresholds": values(&one.thresholds),
        "capabilities": one.capabilities,
        "meaning": rule.meaning,
        "action_card": rule.action_card,
        "deadlines": told.deadlines(row),
        "timeline": told.timeline(),
        "members": told.members(),
        "notices": told.notices(),
        "readings": readings,
        "readings_incomplete": answer.readings_incomplete,
        "recording": points,
        "recording_complete": answer.recording_complete,
    })
}

fn point(point: &v1::RecordingPoint) -> serde_json::Value {
    let contacts = point.contacts.unwrap_or_default();
    json!({
        "time": words::time(point.time).map(|time| time.to_string()),
        "direction": words::direction(point.direction),
        "origin": words::origin(point.origin),
        "speed_mps": point.speed_mps,
        "incline_percent": point.incline_percent,
        "emergency_stop": words::contact(contacts.emergency_stop),
        "safety_key": words::contact(contacts.safety_key),
    })
}

#[cfg(test)]
pub(super) fn text(
    row: &Shown,
    answer: &v1::GetIncidentResponse,
    told: &Told,
) -> (String, serde_json::Value) {
    (sentences(row, answer, told), object(row, answer, told, &[]))
}
