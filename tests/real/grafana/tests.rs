use std::path::Path;

use serde_json::json;

use super::judged::Judged;
use super::shown::Row;
use super::*;

/// The files as they are; cargo runs tests in their package's folder.
fn files() -> Files {
    Files::read(Path::new("../deploy/grafana")).expect("the files are there")
}

fn listed() -> words::Listed {
    words::listed(&std::fs::read_to_string("../docs/influxdb.md").expect("the page is there"))
}

#[test]
fn the_files_are_right() {
    let found = rules::complaints(&files(), &listed());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Spoils the files, and looks for what is said about it.
#[track_caller]
fn check_complaint(spoil: impl FnOnce(&mut Files), expected: &str) {
    let mut spoilt = files();
    spoil(&mut spoilt);
    let found = rules::complaints(&spoilt, &listed());
    assert!(found.iter().any(|said| said.contains(expected)), "\"{expected}\" is not in {found:?}");
}

fn panel(files: &mut Files) -> &mut Value {
    &mut files.boards[0].1["panels"][1]
}

#[test]
fn what_is_wrong_with_a_file_is_found() {
    check_complaint(|files| panel(files)["id"] = json!(1), "has the id of another panel");
    check_complaint(|files| panel(files)["description"] = json!(""), "does not say what is not known");
    check_complaint(|files| panel(files)["gridPos"]["y"] = json!(0), "lies over another panel");
    check_complaint(|files| panel(files)["gridPos"]["x"] = json!(1), "beyond the edge");
    check_complaint(
        |files| panel(files)["targets"][0]["datasource"]["uid"] = json!("x"),
        "another data source",
    );
    check_complaint(|files| panel(files)["targets"] = json!([]), "asks nothing");
    check_complaint(|files| files.boards[0].1["uid"] = json!("beltwatch-usage"), "there twice");
    check_complaint(|files| files.boards[0].1["timezone"] = json!("utc"), "not those of the browser");
    check_complaint(|files| files.sources[0]["uid"] = json!("x"), "another data source");
    check_complaint(|files| files.sources[0]["secureJsonData"]["token"] = json!("abc"), "holds a secret");
    check_complaint(|files| files.sources[0]["secureJsonData"]["token"] = json!("$TOKEN"), "not from a file");
    check_complaint(|files| files.sources[0]["url"] = json!("http://influxdb:8086"), "not from outside");
    check_complaint(|files| files.alerts[0]["noDataState"] = json!("OK"), "one rule alone speaks of nothing");
    check_complaint(
        |files| files.alerts[1]["execErrState"] = json!("Alerting"),
        "one rule alone speaks of nothing",
    );
    check_complaint(|files| files.alerts[1]["noDataState"] = json!("Fine"), "noDataState is Fine");
    check_complaint(|files| files.alerts[1]["condition"] = json!("D"), "its condition is none of its steps");
    check_complaint(|files| files.alerts[1]["panelId"] = json!(99), "its panel is not there");
    check_complaint(|files| files.alerts[1]["annotations"]["summary"] = json!("{{ $labels.x }}"), "has a $");
    check_complaint(|files| files.alerts[1]["uid"] = json!("beltwatch-silent"), "its uid is there twice");
    check_complaint(|files| drop(files.alerts.remove(0)), "there is no alert beltwatch-silent");
    for (flux, expected) in [
        ("r._measurement == \"reading\" and r._field == \"speed\"", "there is no field speed in"),
        ("r._measurement == \"coverage\" and r._field == \"moving_us\"", "there is no field moving_us in"),
        ("r._measurement == \"session\"", "there is no measurement session"),
        ("buckets()", "it names no measurement"),
        ("r._measurement == \"reading\" |> last(column: \"_time\")", "turns an absent number into 0"),
        ("r._measurement == \"reading\" and r.bucket == 1", "Grafana replaces .bucket"),
        ("r._measurement == \"reading\" and r.site == ${rule:regex}", "uses the variable rule"),
    ] {
        check_complaint(|files| panel(files)["targets"][0]["query"] = json!(flux), expected);
    }
}

#[test]
fn variables_are_put_in_as_grafana_does() {
    let mut chosen = chosen(SignedDuration::from_hours(1));
    chosen.bucket = "gym".to_owned();
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    for (machines, flux, expected) in [
        (vec!["a-1"], "/^${machine:regex}$/", "/^a-1$/"),
        (vec!["a-1", "b.2"], "/^${machine:regex}$/", r"/^(a-1|b\.2)$/"),
        (vec![], "/^${machine:regex}$/", "/^()$/"),
        (vec![], "from(bucket: v.defaultBucket + \"-events\")", "from(bucket: \"gym\" + \"-events\")"),
        (vec![], "every: v.windowPeriod", "every: 0m12s"),
        (vec![], "name: \"${__timezone}\"", "name: \"Europe/Vienna\""),
    ] {
        chosen.variables.insert("machine".to_owned(), values(&machines));
        assert_eq!(chosen.put_into(flux).unwrap(), expected);
    }
    for unknown in ["${site:regex}", "${machine}", "v.nothing"] {
        assert!(chosen.put_into(unknown).is_err(), "{unknown}");
    }
}

fn row(cells: &[(&str, &str)]) -> Row {
    cells.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).collect()
}

#[test]
fn a_panel_shows_only_what_is_of_its_kind() {
    let point = |table, machine, value| {
        row(&[("table", table), ("machine", machine), ("_time", "2026-11-01T00:00:00Z"), ("_value", value)])
    };
    let series = [point("0", "a", "1"), point("1", "b", "")];
    let table = [row(&[("table", "0"), ("machine", "a"), ("reverse", "1")])];
    for (kind, rows, fits) in [
        ("timeseries", series.to_vec(), true),
        ("timeseries", Vec::new(), false),
        ("timeseries", vec![point("0", "a", "")], false),
        ("timeseries", vec![point("0", "a", "1"), point("0", "b", "1")], false),
        ("timeseries", vec![point("0", "a", "1"), point("1", "a", "1")], false),
        ("timeseries", table.to_vec(), false),
        ("table", table.to_vec(), true),
        ("table", series.to_vec(), false),
        ("stat", table.to_vec(), true),
        ("stat", series.to_vec(), false),
        ("logs", table.to_vec(), false),
    ] {
        let shown = Shown::new(rows.clone());
        assert_eq!(shown.fits(kind, 10).is_ok(), fits, "{kind}: {rows:?}");
        assert!(shown.fits(kind, 0).is_err(), "{kind}: more frames than are taken");
    }
}

#[test]
fn a_rule_is_judged_by_the_last_value_of_each_series() {
    let files = files();
    let rule = |uid: &str| files.alerts.iter().find(|rule| rule["uid"] == uid).expect("it is there");
    let values = |values: &[(&str, &str)]| -> Vec<Row> {
        values.iter().map(|(machine, value)| row(&[("machine", machine), ("_value", value)])).collect()
    };
    let beyond = |machines: &[&str]| Judged::Beyond(machines.iter().map(|one| (*one).to_owned()).collect());
    for (uid, told, expected) in [
        ("beltwatch-silent", vec![], Judged::Nothing("Alerting".to_owned())),
        ("beltwatch-silent", vec![("", "61.0")], beyond(&[""])),
        ("beltwatch-silent", vec![("", "59.9")], beyond(&[])),
        ("beltwatch-not-ready", vec![], Judged::Nothing("OK".to_owned())),
        ("beltwatch-not-ready", vec![("", "0")], beyond(&[""])),
        ("beltwatch-not-ready", vec![("", "0"), ("", "1")], beyond(&[])),
        ("beltwatch-history-lag", vec![("", "301")], beyond(&[""])),
        ("beltwatch-machine-silent", vec![("a", "1000"), ("b", "10")], beyond(&["a"])),
        ("beltwatch-critical-incident", vec![("a", "1")], beyond(&["a"])),
    ] {
        let judged = judge(rule(uid), &values(&told)).unwrap();
        assert_eq!(judged, expected, "{uid}: {told:?}");
        let alerts = expected == Judged::Nothing("Alerting".to_owned())
            || matches!(&expected, Judged::Beyond(all) if !all.is_empty());
        assert_eq!(judged.is_alerting(), alerts, "{uid}: {told:?}");
    }
}
