use super::*;
use crate::table::Format;

#[test]
fn steps_are_contact_severity_time_and_staffing() {
    use v1::{Severity, Staffing};
    let check = |text: &str, severity: Severity, after: u32, staffing: Staffing| {
        let step = given::step(text).unwrap();
        assert_eq!(step.contact, "desk");
        assert_eq!(
            (step.least_severity, step.after_seconds, step.staffing),
            (severity.into(), after, staffing.into())
        );
    };
    check("desk:high:0", Severity::High, 0, Staffing::Always);
    check("desk:critical:0s:always", Severity::Critical, 0, Staffing::Always);
    check("desk:critical:5m:unstaffed", Severity::Critical, 300, Staffing::Unstaffed);
    check("desk:info:1h30m:staffed", Severity::Info, 5_400, Staffing::Staffed);
    check("desk:low:24h", Severity::Low, 86_400, Staffing::Always);
    for bad in [
        "",
        "desk",
        "desk:high",
        ":high:0s",
        "desk:worst:0s",
        "desk:high:soon",
        "desk:high:-5m",
        "desk:high:25h",
        "desk:high:500ms",
        "desk:high:0s:sometimes",
        "desk:high:0s:staffed:more",
    ] {
        assert!(given::step(bad).is_err(), "{bad}");
    }
}

#[test]
fn deadlines_are_name_severity_hours_and_state() {
    use v1::{HandlingState, Severity};
    let check = |text: &str, name: &str, hours: u32, until: HandlingState| {
        let deadline = given::deadline(text).unwrap();
        assert_eq!((deadline.name.as_str(), deadline.hours), (name, hours));
        assert_eq!((deadline.least_severity, deadline.until), (Severity::High.into(), until.into()));
    };
    check("report to the insurer:high:72:closed", "report to the insurer", 72, HandlingState::Closed);
    check("a:high:2160:acknowledged", "a", 2_160, HandlingState::Acknowledged);
    for bad in
        ["", "a", "a:high:72", ":high:72:closed", "a:high:x:closed", "a:high:-1:closed", "a:high:72:open"]
    {
        assert!(given::deadline(bad).is_err(), "{bad}");
    }
}

#[test]
fn times_are_shown_as_they_are_given() {
    for (seconds, text) in [(0, "0s"), (45, "45s"), (300, "5m"), (5_400, "1h 30m"), (86_400, "24h")] {
        assert_eq!(given::shown(seconds), text);
        assert_eq!(given::step(&format!("a:low:{}", text.replace(' ', ""))).unwrap().after_seconds, seconds);
    }
}

#[test]
fn what_holds_is_shown_part_by_part() {
    let policy = v1::Policy {
        site_id: "north".to_owned(),
        chain: vec![given::step("desk:high:0s").unwrap(), given::step("boss:critical:5m:unstaffed").unwrap()],
        deadlines: Vec::new(),
        out_of_service_count: 3,
        out_of_service_days: 30,
        own: vec!["chain".to_owned()],
    };
    let rows = rows(policy);
    let printed = |format| {
        let listing = Listing { name: "policies", columns: COLUMNS, rows: &rows, notes: Vec::new() };
        let mut out = Vec::new();
        listing.print(format, &mut out, &mut Vec::new()).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        printed(Format::Table),
        "site   part            what                                                       own\n\
         north  chain           desk from high on after 0s                                 yes\n\
         north  chain           boss from critical on after 5m, unstaffed only             yes\n\
         north  deadlines       nothing                                                    no\n\
         north  out_of_service  a machine is tagged after 3 failed protections in 30 days  no\n"
    );
    let json: serde_json::Value = serde_json::from_str(&printed(Format::Json)).unwrap();
    assert_eq!(json["policies"][1]["after_s"], 300);
    assert_eq!(json["policies"][1]["staffing"], "unstaffed");
    assert_eq!(json["policies"][2]["hours"], serde_json::Value::Null);
    assert_eq!(json["policies"][3]["out_of_service_days"], 30);
}
