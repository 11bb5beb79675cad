//! What Grafana puts into a question before it sends it.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What is chosen in a dashboard, or what an alert rule is given.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub(crate) start: Timestamp,
    pub(crate) stop: Timestamp,
    /// Length of a window, as Go writes durations.
    pub(crate) window: String,
    /// The data source's bucket.
    pub(crate) bucket: String,
    /// The browser's zone, or `utc`.
    pub(crate) zone: String,
    /// What each variable stands for.
    pub(crate) variables: BTreeMap<String, Vec<String>>,
}

/// Signs that Grafana escapes in a `:regex` variable.
const ESCAPED: &str = r"\^$*+?.()|[]{}/";

impl Chosen {
    /// The question as InfluxDB gets it. What Grafana would not know is an error.
    pub(crate) fn put_into(&self, flux: &str) -> anyhow::Result<String> {
        let mut asked = String::new();
        let mut rest = flux;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            asked.push_str(before);
            asked.push_str(&self.value(name)?);
            rest = after;
        }
        asked.push_str(rest);
        let quoted = |name: &str| format!("\"{name}\"");
        for (name, value) in [
            ("v.timeRangeStart", self.start.to_string()),
            ("v.timeRangeStop", self.stop.to_string()),
            ("v.windowPeriod", self.window.clone()),
            ("v.defaultBucket", quoted(&self.bucket)),
        ] {
            asked = asked.replace(name, &value);
        }
        anyhow::ensure!(!asked.contains("v."), "Grafana knows no other v.…: {asked}");
        Ok(asked)
    }

    fn value(&self, name: &str) -> anyhow::Result<String> {
        if name == "__timezone" {
            return Ok(self.zone.clone());
        }
        let chosen = name.strip_suffix(":regex").and_then(|name| self.variables.get(name));
        let chosen = chosen.ok_or_else(|| anyhow::anyhow!("nothing stands for ${{{name}}}"))?;
        let escaped: Vec<String> = chosen.iter().map(|value| escape(value)).collect();
        Ok(match escaped.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join("|")),
        })
    }
}

fn escape(value: &str) -> String {
    let escaped = |c: char| if ESCAPED.contains(c) { format!("\\{c}") } else { c.to_string() };
    value.chars().map(escaped).collect()
}
