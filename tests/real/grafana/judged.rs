//! An alert rule as Grafana evaluates it: reduce to the last value of each series, then a threshold.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde_json::Value;

use super::files::{items, text};
use super::shown::Row;

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// There was nothing to judge; what the rule makes of that.
    Nothing(String),
    /// The machines of series beyond the threshold, "" for a series without one; none: all is well.
    Beyond(Vec<String>),
}

impl Judged {
    /// Whether it alerts.
    pub(crate) fn is_alerting(&self) -> bool {
        match self {
            Judged::Nothing(state) => state == "Alerting",
            Judged::Beyond(series) => !series.is_empty(),
        }
    }
}

/// Judges the answer to a rule's question.
pub(crate) fn judge(rule: &Value, rows: &[Row]) -> anyhow::Result<Judged> {
    let step = |kind: &str| {
        let found = items(rule, "data").map(|step| &step["model"]).find(|model| model["type"] == kind);
        found.with_context(|| format!("the rule has no step {kind}"))
    };
    anyhow::ensure!(step("reduce")?["reducer"] == "last", "another reducer than last");
    let evaluator = &step("threshold")?["conditions"][0]["evaluator"];
    let limit = evaluator["params"][0].as_f64().context("the threshold is no number")?;
    let mut last = BTreeMap::new();
    for row in rows {
        let machine = row.get("machine").cloned().unwrap_or_default();
        let value: f64 = row.get("_value").context("a row has no value")?.parse()?;
        last.insert(machine, value);
    }
    if last.is_empty() {
        return Ok(Judged::Nothing(text(&rule["noDataState"]).to_owned()));
    }
    let is_beyond = |value: f64| match text(&evaluator["type"]) {
        "gt" => Ok(value > limit),
        "lt" => Ok(value < limit),
        other => bail!("the evaluator {other} is not known here"),
    };
    let mut beyond = Vec::new();
    for (machine, value) in last {
        if is_beyond(value)? {
            beyond.push(machine);
        }
    }
    Ok(Judged::Beyond(beyond))
}
