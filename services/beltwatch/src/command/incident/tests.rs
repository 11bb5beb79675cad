use jiff::Timestamp;

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
    let now = Timestamp::from_second(1_795_176_000 + 3_600).unwrap();
    Shown { incident, zone: TimeZone::UTC, now, cursor: String::new() }
}

/// The same, worked on.
fn worked_on() -> Shown {
    let deed = |second, author: &str| Some(v1::Deed { time: at(second), author: author.to_owned() });
    let deadline =
        |name: &str, due, met_time| v1::DeadlineState { name: name.to_owned(), due_time: at(due), met_time };
    let handling = v1::Handling {
        state: v1::HandlingState::InProgress.into(),
        shelve_until_time: at(7_200),
        assignee: "anna".to_owned(),
        acknowledged: deed(30, "user:ben"),
        legal_hold: true,
        is_normal_stop: true,
        deadlines: vec![
            deadline("look", 60, at(30)),
            deadline("answer", 60, at(90)),
            deadline("clean", 1_800, None),
            deadline("report", 7_200, None),
        ],
        ..v1::Handling::default()
    };
    let mut row = stop();
    row.incident.handling = Some(handling);
    row
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
    let (text, object) = one::text(&row, &answer, &told::of(Vec::new(), Vec::new(), Vec::new()));
    assert_eq!(
        text,
        "2026-11-20 12:00:00+00:00  critical  tm-1  Emergency stop, ▼ reverse at 3.6 km/h  active  \
         handling unknown  0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\n\
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
         told: nobody\n\
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

#[test]
fn what_people_did_is_told() {
    let row = worked_on();
    let noted = v1::IncidentStep {
        number: 5,
        time: at(40),
        author: "user:anna".to_owned(),
        note: "called \u{1b}[31mher".to_owned(),
        has_note: true,
        what: Some(v1::incident_step::What::Noted(v1::Noted {})),
        ..v1::IncidentStep::default()
    };
    let sent = v1::Notice {
        contact: "desk".to_owned(),
        step: 1,
        state: v1::NoticeState::Sent.into(),
        attempts: 1,
        last_attempt_time: at(2),
        ..v1::Notice::default()
    };
    let planned = v1::Notice {
        contact: "boss".to_owned(),
        due_time: at(300),
        state: v1::NoticeState::Waiting.into(),
        last_attempt_time: None,
        ..sent.clone()
    };
    let member = |machine: &str| v1::Incident {
        id: "aa".to_owned(),
        machine_id: machine.to_owned(),
        ..v1::Incident::default()
    };
    let members = vec![member("tm-2"), member("tm-3")];
    let told = told::of(vec![noted], members, vec![planned, sent]);
    let (text, object) = one::text(&row, &v1::GetIncidentResponse::default(), &told);
    let expected = [
        "in progress, shelved by anna  0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
        "acknowledged: by user:ben at 2026-11-20 12:00:30+00:00",
        "shelved: until 2026-11-20 14:00:00+00:00",
        "legal hold: its data is kept against retention",
        "deadline: look by 2026-11-20 12:01:00+00:00: met at 2026-11-20 12:00:30+00:00",
        "deadline: answer by 2026-11-20 12:01:00+00:00: met too late, at 2026-11-20 12:01:30+00:00",
        "deadline: clean by 2026-11-20 12:30:00+00:00: missed",
        "deadline: report by 2026-11-20 14:00:00+00:00: not met yet",
        "outage: it stands for 2 more: tm-2 (aa), tm-3 (aa)",
        "told: 2026-11-20 12:00:02+00:00  desk (step 1)  sent, tried once",
        "told: 2026-11-20 12:05:00+00:00  boss (step 1)  waiting, tried once",
        "step: 2026-11-20 12:00:40+00:00  user:anna  noted: called [31mher",
        "a normal stop: after speaking to the person: beltwatch incident close 0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f \
         --normal-stop",
    ];
    let mut rest = text.as_str();
    for line in expected {
        rest = rest
            .split_once(line)
            .unwrap_or_else(|| panic!("\"{line}\" is missing or too early in\n{text}"))
            .1;
    }
    assert_eq!(object["incident"]["handling"], "in_progress");
    assert_eq!(object["incident"]["next_deadline"], "clean");
    assert_eq!(object["deadlines"][2]["is_missed"], true);
    assert_eq!(object["timeline"][0]["step"], "noted");
    assert_eq!(object["members"][1]["machine_id"], "tm-3");
    assert_eq!(object["notices"][1]["contact"], "boss");
}

#[test]
fn a_closed_one_and_one_that_may_not_be_seen() {
    let deed = |author: &str| Some(v1::Deed { time: at(60), author: author.to_owned() });
    let handling = v1::Handling {
        state: v1::HandlingState::Closed.into(),
        closed: deed("user:ben"),
        corrected: deed("user:anna"),
        cause: v1::Cause::DeliberateStop.into(),
        hurt: v1::Hurt::No.into(),
        is_normal_stop: true,
        lead_incident_id: "aa".to_owned(),
        ..v1::Handling::default()
    };
    let mut row = stop();
    row.incident.handling = Some(handling);
    row.incident.drill = 7;
    let (text, object) = one::text(&row, &v1::GetIncidentResponse::default(), &told::Told::default());
    for line in [
        "active  closed  0f",
        "proof test: 7; it is no incident\n",
        "closed: by user:ben at 2026-11-20 12:01:00+00:00; deliberate stop, hurt: no\n",
        "corrected: by user:anna at 2026-11-20 12:01:00+00:00\n",
        "outage: part of the one that aa stands for\n",
        "told: you may not see who was\n",
        "steps: you may not see them\n",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(!text.contains("--normal-stop"), "it is closed: {text}");
    assert_eq!(
        (&object["timeline"], &object["notices"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
}

#[test]
fn handling_is_a_word_for_programs_and_more_for_people() {
    let printed = |row: Shown, format| {
        let (rows, mut out) = ([row], Vec::new());
        let listing = Listing { name: "incidents", columns: COLUMNS, rows: &rows, notes: Vec::new() };
        listing.print(format, &mut out, &mut Vec::new()).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(printed(worked_on(), Format::Table).contains("  in progress, shelved  anna  "));
    let later = Shown { now: Timestamp::from_second(1_795_176_000 + 7_200).unwrap(), ..worked_on() };
    assert!(printed(later, Format::Table).contains("  in progress  anna  "), "it is laid aside no longer");
    assert!(printed(worked_on(), Format::Csv).contains(",active,in_progress,anna,"));
    let json: serde_json::Value = serde_json::from_str(&printed(worked_on(), Format::Json)).unwrap();
    let row = &json["incidents"][0];
    assert_eq!((&row["handling"], &row["assignee"]), (&"in_progress".into(), &"anna".into()));
    assert_eq!((&row["legal_hold"], &row["acknowledged_by"]), (&true.into(), &"user:ben".into()));
    assert_eq!(row["next_deadline_time"], "2026-11-20T12:30:00Z");
}
