use super::*;

struct Sight {
    name: &'static str,
    direction: &'static str,
    speed: Option<f64>,
    at: Option<i64>,
    steps: Option<u64>,
}

const COLUMNS: &[Column<Sight>] = &[
    Column { name: "name", title: "name", value: |row| Value::Text(row.name.to_owned()) },
    Column { name: "direction", title: "direction", value: |row| Value::Direction(row.direction) },
    Column { name: "speed_mps", title: "km/h", value: |row| Value::Speed(row.speed) },
    Column {
        name: "time",
        title: "time",
        value: |row| {
            let at = row.at.map(|second| Timestamp::from_second(second).unwrap());
            Value::Time(at, TimeZone::get("Europe/Vienna").unwrap())
        },
    },
    Column { name: "steps", title: "", value: |row| Value::OptionalCount(row.steps) },
];

const ROWS: &[Sight] = &[
    Sight { name: "tm-1", direction: "reverse", speed: Some(1.25), at: Some(1_795_176_000), steps: Some(7) },
    Sight { name: "=1+1, \"x\"", direction: "unknown", speed: None, at: None, steps: None },
];

fn check(format: Format, rows: &[Sight], expected: &str, expected_aside: &str) {
    let notes = vec![Note { name: "covered_s", value: Value::Number(Some(59.75), 0) }];
    let listing = Listing { name: "sights", columns: COLUMNS, rows, notes };
    let (mut out, mut aside) = (Vec::new(), Vec::new());
    listing.print(format, &mut out, &mut aside).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    assert_eq!(String::from_utf8(aside).unwrap(), expected_aside);
}

#[test]
fn a_table_is_for_people() {
    check(
        Format::Table,
        ROWS,
        "name       direction  km/h  time\n\
         tm-1       ▼ reverse   4.5  2026-11-20 13:00:00+01:00\n\
         =1+1, \"x\"  ? unknown     –  –\n",
        "covered_s: 60\n",
    );
    check(Format::Table, &[], "no sights\n", "covered_s: 60\n");
}

#[test]
fn json_is_for_programs() {
    check(
        Format::Json,
        ROWS,
        "{\"sights\":[\
         {\"name\":\"tm-1\",\"direction\":\"reverse\",\"speed_mps\":1.25,\"time\":\"2026-11-20T12:00:00Z\",\"steps\":7},\
         {\"name\":\"=1+1, \\\"x\\\"\",\"direction\":\"unknown\",\"speed_mps\":null,\"time\":null,\"steps\":null}\
         ],\"covered_s\":59.75}\n",
        "",
    );
    check(Format::Json, &[], "{\"sights\":[],\"covered_s\":59.75}\n", "");
}

#[test]
fn csv_is_for_spreadsheets_and_runs_no_formula() {
    check(
        Format::Csv,
        ROWS,
        "name,direction,speed_mps,time,steps\n\
         tm-1,reverse,1.25,2026-11-20T12:00:00Z,7\n\
         \"'=1+1, \"\"x\"\"\",unknown,,,\n",
        "covered_s: 60\n",
    );
    for formula in ["=1", "+1", "-1", "@x", "\t=1", "\r=1"] {
        assert!(csv_text(&Value::Text(formula.to_owned())).starts_with('\''), "{formula:?}");
    }
    assert_eq!(csv_text(&Value::Number(Some(-1.5), 1)), "-1.5", "a number is no formula");
}

#[test]
fn control_characters_do_not_reach_a_terminal() {
    assert_eq!(people_text(&Value::Text("a\u{1b}[2Jb\n".to_owned())), "a[2Jb");
}
