use super::*;
use crate::table::Format;

fn at(second: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: 1_795_176_000 + second, nanos: 0 })
}

fn stop() -> Shown {
    let named = |name: &str, value| v1::NamedValue { name: name.to_owned(), value };
    let incident = v1::Incident {
        id: "0f".repeat(16),
        machine_id: "tm-1".to_owned(),
        site_id: "north".to_owned(),
        rule: "emergency-stop".to_owned(),
        title: "Emergency stop".to_owned(),
        severity: v1::Severity::Critical.into(),
        time: at(0),
        detect_time: at(1),
        state: v1::IncidentState::Active.into(),
        direction: v1::Direction::Reverse.into(),
        origin: v1::DirectionOrigin::Measured.into(),
        speed_mps: Some(1.0),
        count: 1,
        detail: "=the \u{1b}[31mbutton".to_owned(),
        stop: Some(v1::MeasuredStop {
            time: Some(prost_types::Duration { seconds: 1, nanos: 500_000_000 }),
            distance_m: 0.75,
        }),
        measured: vec![named("speed_mm_s", 1_000), named("held_ms", 20)],
        thresholds: vec![named("emergency-stop.reset", 50)],
        rule_version: 1,
        capabilities: vec!["speed".to_owned()],
        ..v1::Incident::default()
    };
    Shown { incident, zone: TimeZone::UTC, cursor: String::new() }
}

#[test]
fn one_incident_is_told_in_sentences_and_as_an_object() {
    let row = stop();
    let rule = v1::Rule {
        number: 1,
        meaning: "It opened.".to_owned(),
        action_card: "Go to the person.".to_owned(),
        thresholds: vec![v1::Threshold {
            name: "emergency-stop.reset".to_owned(),
            unit: "ms".to_owned(),
            ..v1::Threshold::default()
        }],
        ..v1::Rule::default()
    };
    let answer = v1::GetIncidentResponse { rule: Some(rule), ..v1::GetIncidentResponse::default() };
    let (text, object) = one::text(&row, &answer);
    assert_eq!(
        text,
        "2026-11-20 12:00:00+00:00  critical  tm-1  Emergency stop, ▼ reverse at 3.6 km/h  active  \
         0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\n\
         site: north\n\
         rule: emergency-stop (R01, version 1)\n\
         what it is: It opened.\n\
         detail: =the [31mbutton\n\
         stop: the belt stood after 1.5 s and 0.75 m\n\
         found: 2026-11-20 12:00:01+00:00\n\
         cleared: not yet\n\
         measured: speed 3.6 km/h, held 0.02 s\n\
         thresholds used: emergency-stop.reset 0.05 s\n\
         the machine reported: speed\n\
         recording: none was made\n\
         what to do: Go to the person.\n\n"
    );
    assert_eq!(object["incident"]["speed_mps"], 1.0);
    assert_eq!(object["incident"]["incline_percent"], serde_json::Value::Null);
    assert_eq!(object["measured"]["held_ms"], 20);
    assert_eq!(object["action_card"], "Go to the person.");
}

#[test]
fn incidents_in_each_format() {
    let printed = |format| {
        let (rows, mut out) = ([stop()], Vec::new());
        let listing = Listing { name: "incidents", columns: COLUMNS, rows: &rows, notes: Vec::new() };
        listing.print(format, &mut out, &mut Vec::new()).unwrap();
        String::from_utf8(out).unwrap()
    };
    let table = printed(Format::Table);
    assert!(table.starts_with("time                       severity  machine  site   incident"), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");
    let csv = printed(Format::Csv);
    assert!(csv.contains(",'=the "), "a spreadsheet runs no formula of it: {csv}");
    let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
    assert_eq!(json["incidents"][0]["stop_time_s"], 1.5);
    assert_eq!(json["incidents"][0]["clear_time"], serde_json::Value::Null);
}
