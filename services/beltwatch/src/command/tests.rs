use clap::CommandFactory;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;

use super::*;
use crate::table::Format;
use crate::words::RangeArgs;

#[test]
fn the_command_line_is_consistent() {
    CommandLine::command().debug_assert();
}

#[test]
fn what_the_server_answers_becomes_an_exit_code_and_a_sentence() {
    for (code, exit) in [
        (Code::InvalidArgument, Exit::Usage),
        (Code::FailedPrecondition, Exit::Data),
        (Code::NotFound, Exit::NotFound),
        (Code::AlreadyExists, Exit::CannotCreate),
        (Code::Unavailable, Exit::Unavailable),
        (Code::DeadlineExceeded, Exit::Unavailable),
        (Code::Unauthenticated, Exit::NotPermitted),
        (Code::PermissionDenied, Exit::NotPermitted),
        (Code::Internal, Exit::Software),
    ] {
        assert_eq!(Failure::from(Status::new(code, "why")), Failure::new(exit, "why"));
    }
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation("page_size", "is -1; 0 to 1000 is allowed");
    let status = Status::with_error_details(Code::InvalidArgument, "generic", details);
    assert_eq!(Failure::from(status).message, "page_size is -1; 0 to 1000 is allowed");
}

#[test]
fn spans_of_time() {
    let vienna = TimeZone::get("Europe/Vienna").unwrap();
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let check = |from: &str, until: &str, last: &str, expected: Result<(&str, &str), &str>| {
        let args = RangeArgs { from: given(from), until: given(until), last: given(last) };
        let text = |time: Option<prost_types::Timestamp>| {
            crate::words::time(time).map(|time| time.to_string()).unwrap_or_default()
        };
        match (args.range(&vienna, now), expected) {
            (Ok(range), expected) => {
                let (start, end) = (text(range.start_time), text(range.end_time));
                assert_eq!(Ok((start.as_str(), end.as_str())), expected);
            }
            (Err(failure), Err(words)) => assert!(failure.message.contains(words), "{failure}"),
            (Err(failure), Ok(_)) => panic!("{failure}"),
        }
    };
    check("", "", "", Ok(("", "")));
    check("", "", "1h", Ok(("2026-11-20T11:00:00Z", "")));
    check("", "", "2d", Ok(("2026-11-18T12:00:00Z", "")));
    check(
        "2026-11-20T09:00",
        "2026-11-20T10:00:00Z",
        "",
        Ok(("2026-11-20T08:00:00Z", "2026-11-20T10:00:00Z")),
    );
    check("2026-07-01", "", "", Ok(("2026-06-30T22:00:00Z", "")));
    check("1969-12-31T23:59:59.5Z", "", "", Ok(("1969-12-31T23:59:59.5Z", "")));
    check("yesterday", "", "", Err("--from is \"yesterday\""));
    check("", "25:00", "", Err("--until is \"25:00\""));
    for last in ["0h", "-1h", "soon", "999999999h"] {
        check("", "", last, Err("90m, 1h or 2d"));
    }
}

/// One moving machine, as each format shows it.
fn printed(format: Format) -> String {
    let at = |second: i64| Some(prost_types::Timestamp { seconds: 1_795_176_000 + second, nanos: 0 });
    let belt = v1::Belt {
        direction: v1::Direction::Reverse.into(),
        origin: v1::DirectionOrigin::Measured.into(),
        speed_mps: Some(0.5),
        incline_percent: None,
        contacts: Some(v1::Contacts {
            emergency_stop: v1::ContactState::Closed.into(),
            safety_key: v1::ContactState::Unknown.into(),
            ..v1::Contacts::default()
        }),
    };
    let state = v1::MachineState {
        machine: Some(v1::Machine {
            id: "tm-1".to_owned(),
            site_id: "north".to_owned(),
            ..v1::Machine::default()
        }),
        presence: v1::Presence::Online.into(),
        belt: Some(belt),
        belt_time: at(-2),
        since_time: at(-60),
        last_event: Some(v1::LastEvent {
            time: at(-60),
            kind: "belt_started".to_owned(),
            contact: String::new(),
        }),
        records_lost: 3,
        status: v1::Status::KeyPulled.into(),
        direction_unknown: v1::DirectionUnknown::NotCommissioned.into(),
        last_stop: Some(v1::LastStop {
            time: at(-30),
            contact: "safety_key".to_owned(),
            speed_mps: Some(1.5),
            acknowledged_by: "ann".to_owned(),
            ..v1::LastStop::default()
        }),
        ..v1::MachineState::default()
    };
    let now = Timestamp::from_second(1_795_176_000).unwrap();
    let rows = [fleet::Live { state, zone: TimeZone::get("America/New_York").unwrap(), now }];
    let listing = Listing { name: "machines", columns: fleet::COLUMNS, rows: &rows, notes: Vec::new() };
    let mut out = Vec::new();
    listing.print(format, &mut out, &mut Vec::new()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_machine_in_each_format() {
    assert_eq!(
        printed(Format::Table),
        "machine  status      site   direction  origin    km/h  incline %  e-stop  key      age s  presence  was  last event    \
         at                         backlog s  lost  why no direction\n\
         tm-1     key pulled  north  ▼ reverse  measured   1.8          –  closed  unknown      2  online         belt_started  \
         2026-11-20 06:59:00-05:00          –     3  not commissioned\n"
    );
    assert_eq!(
        printed(Format::Csv),
        "machine_id,status,site_id,direction,origin,speed_mps,incline_percent,emergency_stop,safety_key,belt_time,age_s,\
         presence,last_known,since_time,last_event,last_event_time,session_id,backlog_s,records_lost,\
         last_stop_time,last_stop_contact,last_stop_speed_mps,last_stop_acknowledged_by,direction_unknown\n\
         tm-1,key pulled,north,reverse,measured,0.5,,closed,unknown,2026-11-20T11:59:58Z,2,online,,2026-11-20T11:59:00Z,\
         belt_started,2026-11-20T11:59:00Z,,,3,2026-11-20T11:59:30Z,safety_key,1.5,ann,not commissioned\n"
    );
    assert_eq!(
        printed(Format::Json),
        "{\"machines\":[{\"machine_id\":\"tm-1\",\"status\":\"key pulled\",\"site_id\":\"north\",\"direction\":\"reverse\",\
         \"origin\":\"measured\",\"speed_mps\":0.5,\"incline_percent\":null,\"emergency_stop\":\"closed\",\
         \"safety_key\":\"unknown\",\"belt_time\":\"2026-11-20T11:59:58Z\",\"age_s\":2.0,\"presence\":\"online\",\
         \"last_known\":\"\",\"since_time\":\"2026-11-20T11:59:00Z\",\"last_event\":\"belt_started\",\
         \"last_event_time\":\"2026-11-20T11:59:00Z\",\"session_id\":\"\",\"backlog_s\":null,\"records_lost\":3,\
         \"last_stop_time\":\"2026-11-20T11:59:30Z\",\"last_stop_contact\":\"safety_key\",\
         \"last_stop_speed_mps\":1.5,\"last_stop_acknowledged_by\":\"ann\",\"direction_unknown\":\"not commissioned\"}]}\n"
    );
}

#[test]
fn people_see_first_what_needs_them() {
    let live = |(id, status): (&str, i32)| fleet::Live {
        state: v1::MachineState {
            machine: Some(v1::Machine { id: id.to_owned(), ..v1::Machine::default() }),
            status,
            ..v1::MachineState::default()
        },
        zone: TimeZone::UTC,
        now: Timestamp::UNIX_EPOCH,
    };
    let (stop, free) = (v1::Status::EmergencyStop.into(), v1::Status::Free.into());
    // What an older or newer server says is not known here.
    let mut rows = [("a", 0), ("b", free), ("c", 99), ("e", stop), ("d", stop)].map(live);
    fleet::for_people(&mut rows);
    let ids = rows.map(|live| live.state.machine.unwrap().id);
    assert_eq!(ids.each_ref().map(String::as_str), ["d", "e", "b", "a", "c"]);
}
