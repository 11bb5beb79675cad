//! The provisioned files, as Grafana would find them.

use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// What `deploy/grafana` holds.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// Each dashboard, by its file's name.
    pub(crate) boards: Vec<(String, Value)>,
    /// The rules of all groups.
    pub(crate) alerts: Vec<Value>,
    /// The data sources.
    pub(crate) sources: Vec<Value>,
    /// The dashboards' providers.
    pub(crate) providers: Vec<Value>,
}

/// One question of the files.
#[derive(Debug, Clone)]
pub(crate) struct Question<'f> {
    /// Where it stands, for people.
    pub(crate) place: String,
    /// Kind of its panel; "alert" or "variable".
    pub(crate) kind: &'f str,
    /// The title of its panel.
    pub(crate) title: &'f str,
    /// As it stands in the file.
    pub(crate) flux: &'f str,
}

impl Files {
    /// Reads `deploy/grafana`.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Files> {
        let mut boards = Vec::new();
        for (name, text) in texts(&folder.join("dashboards"), "json")? {
            let board = serde_json::from_str(&text).with_context(|| format!("{name} is no JSON"))?;
            boards.push((name, board));
        }
        let provisioned = |kind: &str, list: &str| -> anyhow::Result<Vec<Value>> {
            let mut all = Vec::new();
            for (name, text) in texts(&folder.join("provisioning").join(kind), "yaml")? {
                let file: Value =
                    serde_yaml_ng::from_str(&text).with_context(|| format!("{name} is no YAML"))?;
                anyhow::ensure!(file["apiVersion"] == 1, "{name} has no apiVersion 1");
                all.extend(items(&file, list).cloned());
            }
            Ok(all)
        };
        let groups = provisioned("alerting", "groups")?;
        Ok(Files {
            boards,
            alerts: groups.iter().flat_map(|group| items(group, "rules")).cloned().collect(),
            sources: provisioned("datasources", "datasources")?,
            providers: provisioned("dashboards", "providers")?,
        })
    }

    /// The questions of one dashboard's variables, by the variable's name, in their order.
    pub(crate) fn variables(board: &Value) -> impl Iterator<Item = (&str, Option<&str>)> {
        items(&board["templating"], "list")
            .map(|variable| (text(&variable["name"]), variable["query"]["query"].as_str()))
    }

    /// The questions of one dashboard's panels.
    pub(crate) fn panels<'f>(name: &'f str, board: &'f Value) -> impl Iterator<Item = Question<'f>> {
        items(board, "panels").flat_map(move |panel| {
            let (title, kind) = (text(&panel["title"]), text(&panel["type"]));
            items(panel, "targets").map(move |target| Question {
                place: format!("{name}, \"{title}\" {}", text(&target["refId"])),
                kind,
                title,
                flux: text(&target["query"]),
            })
        })
    }

    /// The questions of the alert rules.
    pub(crate) fn alert_questions(&self) -> impl Iterator<Item = Question<'_>> {
        self.alerts.iter().flat_map(|rule| {
            let title = text(&rule["title"]);
            let asked = items(rule, "data").filter_map(|step| step["model"]["query"].as_str());
            asked.map(move |flux| Question {
                place: format!("alert \"{title}\""),
                kind: "alert",
                title,
                flux,
            })
        })
    }

    /// All questions, those of variables, too.
    pub(crate) fn questions(&self) -> Vec<Question<'_>> {
        let mut all: Vec<Question<'_>> = self.alert_questions().collect();
        for (name, board) in &self.boards {
            let variables = Files::variables(board).filter_map(|(title, flux)| Some((title, flux?)));
            all.extend(variables.map(|(title, flux)| Question {
                place: format!("{name}, variable {title}"),
                kind: "variable",
                title,
                flux,
            }));
            all.extend(Files::panels(name, board));
        }
        all
    }

    /// A dashboard by its uid.
    pub(crate) fn board(&self, uid: &str) -> Option<&Value> {
        self.boards.iter().map(|(_, board)| board).find(|board| board["uid"] == uid)
    }
}

/// The elements of a list; none if it is not there.
pub(crate) fn items<'v>(value: &'v Value, list: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value[list].as_array().into_iter().flatten()
}

/// A text; empty if it is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The files of a folder with this ending, by name.
fn texts(folder: &Path, ending: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == ending) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, std::fs::read_to_string(&path)?));
        }
    }
    found.sort();
    anyhow::ensure!(!found.is_empty(), "{} holds no .{ending}", folder.display());
    Ok(found)
}
