//! What must hold of the provisioned files without asking anybody.

use std::collections::BTreeSet;

use serde_json::Value;

use super::files::{Files, items, text};
use super::words::{Listed, unlisted};

/// The rule that alerts when there is nothing to judge.
const SILENT: &str = "beltwatch-silent";
/// Columns of a dashboard.
const COLUMNS: u64 = 24;
/// Where data of expressions comes from.
const EXPRESSION: &str = "__expr__";
/// What Grafana knows for a rule that has nothing to judge, and for one that cannot ask.
const STATES: [&[&str]; 2] =
    [&["Alerting", "NoData", "OK", "KeepLast"], &["Alerting", "Error", "OK", "KeepLast"]];

/// What is wrong with the files.
pub(crate) fn complaints(files: &Files, listed: &Listed) -> Vec<String> {
    let mut found = Vec::new();
    let source = files.sources.iter().map(|source| text(&source["uid"])).next().unwrap_or_default();
    found.extend(sources(files));
    let mut uids = BTreeSet::new();
    for (name, one) in &files.boards {
        let uid = text(&one["uid"]);
        if uid.is_empty() || uid.len() > 40 || !uids.insert(uid) {
            found.push(format!("{name}: the uid \"{uid}\" is empty, too long or there twice"));
        }
        found.extend(board(one, source).into_iter().map(|said| format!("{name}: {said}")));
    }
    found.extend(alerts(files, source));
    for question in files.questions() {
        let said = unlisted(question.flux, listed).into_iter().chain(traps(question.flux));
        found.extend(said.map(|said| format!("{}: {said}", question.place)));
    }
    found
}

fn sources(files: &Files) -> Vec<String> {
    let mut found = Vec::new();
    for source in &files.sources {
        let (json, secure) = (&source["jsonData"], &source["secureJsonData"]);
        if source["type"] != "influxdb" || json["version"] != "Flux" || source["access"] != "proxy" {
            found.push("the data source is no InfluxDB with Flux behind Grafana".to_owned());
        }
        for given in [&source["url"], &json["organization"], &json["defaultBucket"], &secure["token"]] {
            if !text(given).starts_with('$') {
                found.push(format!("the data source has {given}, which is not from outside"));
            }
        }
        if !text(&secure["token"]).starts_with("$__file{") {
            found.push("the data source's token is not from a file".to_owned());
        }
    }
    if files.sources.len() != 1 || files.providers.len() != 1 {
        found.push("there is not one data source and one provider".to_owned());
    }
    let all = files.sources.iter().chain(&files.alerts).chain(files.boards.iter().map(|(_, board)| board));
    found.extend(all.flat_map(secrets));
    found
}

/// Values under a name of a secret that are not from outside.
fn secrets(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(entries) = value.as_object() {
        for (name, value) in entries {
            let lower = name.to_lowercase();
            let is_secret = ["token", "password", "secret"].iter().any(|word| lower.contains(word));
            if is_secret && value.as_str().is_some_and(|value| !value.starts_with('$')) {
                found.push(format!("{name} holds a secret"));
            }
            found.extend(secrets(value));
        }
    }
    found.extend(value.as_array().into_iter().flatten().flat_map(secrets));
    found
}

fn board(board: &Value, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    if board["timezone"] != "browser" {
        found.push("its times are not those of the browser".to_owned());
    }
    for name in ["title", "description", "refresh"] {
        if text(&board[name]).is_empty() {
            found.push(format!("it has no {name}"));
        }
    }
    let variables: BTreeSet<&str> = Files::variables(board).map(|(name, _)| name).collect();
    let mut ids = BTreeSet::new();
    let mut cells = BTreeSet::new();
    for panel in items(board, "panels") {
        let title = text(&panel["title"]);
        let mut say = |said: &str| found.push(format!("\"{title}\" {said}"));
        if !ids.insert(panel["id"].as_u64()) {
            say("has the id of another panel");
        }
        if text(&panel["description"]).is_empty() {
            say("does not say what is not known");
        }
        if !takes_free_cells(&panel["gridPos"], &mut cells) {
            say("lies over another panel or beyond the edge");
        }
        let mut names = BTreeSet::new();
        if items(panel, "targets").next().is_none() {
            say("asks nothing");
        }
        for target in items(panel, "targets") {
            if !names.insert(text(&target["refId"])) {
                say("has two questions of one name");
            }
            if [panel, target].iter().any(|value| value["datasource"]["uid"] != source) {
                say("asks another data source");
            }
            let used = text(&target["query"]).split("${").skip(1);
            let used = used.filter_map(|rest| rest.split(['}', ':']).next());
            for name in used.filter(|name| *name != "__timezone" && !variables.contains(name)) {
                say(&format!("uses the variable {name}, which the dashboard does not have"));
            }
        }
    }
    found
}

/// Takes a panel's cells; whether all were free and on the dashboard.
fn takes_free_cells(place: &Value, cells: &mut BTreeSet<(u64, u64)>) -> bool {
    let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| place[name].as_u64().unwrap_or_default());
    let mut are_free = w > 0 && h > 0 && x + w <= COLUMNS;
    for column in x..x + w {
        for row in y..y + h {
            are_free &= cells.insert((column, row));
        }
    }
    are_free
}

fn alerts(files: &Files, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut uids = BTreeSet::new();
    for rule in &files.alerts {
        let uid = text(&rule["uid"]);
        let mut say = |said: &str| found.push(format!("alert {uid}: {said}"));
        if !uids.insert(uid) {
            say("its uid is there twice");
        }
        let steps: Vec<&str> = items(rule, "data").map(|step| text(&step["refId"])).collect();
        if !steps.contains(&text(&rule["condition"])) {
            say("its condition is none of its steps");
        }
        for step in items(rule, "data") {
            let model = &step["model"];
            let is_question = model["query"].is_string();
            let wanted = if is_question { source } else { EXPRESSION };
            if step["datasourceUid"] != wanted || model["datasource"]["uid"] != wanted {
                say("a step asks another data source");
            }
            if step["refId"] != model["refId"] {
                say("a step has two names");
            }
            if !is_question && !steps.contains(&text(&model["expression"])) {
                say("a step judges what is not there");
            }
        }
        for (name, states) in ["noDataState", "execErrState"].into_iter().zip(STATES) {
            let state = text(&rule[name]);
            if !states.contains(&state) {
                say(&format!("{name} is {state}"));
            }
            if (state == "Alerting") != (uid == SILENT) {
                say(&format!("{name} is {state}: one rule alone speaks of nothing, and that one must"));
            }
        }
        let panels = files.board(text(&rule["dashboardUid"])).map(|board| items(board, "panels"));
        if !panels.into_iter().flatten().any(|panel| panel["id"] == rule["panelId"]) {
            say("its panel is not there");
        }
        let said = rule["annotations"].as_object().into_iter().flatten();
        if said.map(|(_, value)| text(value)).any(|value| value.is_empty() || value.contains('$')) {
            say("an annotation is empty, or has a $, which Grafana replaces when it reads the file");
        }
    }
    if !uids.contains(SILENT) {
        found.push(format!("there is no alert {SILENT}"));
    }
    found
}

/// What Flux or Grafana would take in another way than it is meant.
fn traps(flux: &str) -> Vec<String> {
    let mut found = Vec::new();
    if flux.contains("last(column") || flux.contains("first(column") {
        found.push("a selector by another column turns an absent number into 0".to_owned());
    }
    // Grafana replaces any `word.bucket` and `word.organization`.
    for name in [".bucket", ".organization", "$__interval"] {
        if flux.contains(name) {
            found.push(format!("Grafana replaces {name}"));
        }
    }
    found
}
