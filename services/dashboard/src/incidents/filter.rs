//! Which incidents a list shows, as its address says.

use wire::api::v1;

use crate::form::Fields;
use crate::texts::Texts;

pub(super) const PATH: &str = "/incidents";
const KEYS: [&str; 7] = ["site", "machine", "severity", "rule", "state", "order", "page"];
const SEVERITIES: [(&str, v1::Severity); 5] = [
    ("critical", v1::Severity::Critical),
    ("high", v1::Severity::High),
    ("medium", v1::Severity::Medium),
    ("low", v1::Severity::Low),
    ("info", v1::Severity::Info),
];
const STATES: [(&str, v1::IncidentState); 2] =
    [("active", v1::IncidentState::Active), ("over", v1::IncidentState::Cleared)];
const ORDERS: [(&str, v1::IncidentOrder); 3] = [
    ("newest", v1::IncidentOrder::NewestFirst),
    ("oldest", v1::IncidentOrder::OldestFirst),
    ("worst", v1::IncidentOrder::WorstFirst),
];
/// Characters of a wrong value that are shown.
const SHOWN: usize = 64;

/// Why an address is none of this list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrong {
    /// There is no such filter.
    Unknown(String),
    /// It is given more than once.
    Twice(String),
    /// It has a value that is none of its own.
    Value { name: &'static str, value: String, allowed: String },
}

impl Wrong {
    pub(super) fn words(&self, t: Texts) -> String {
        match self {
            Wrong::Unknown(name) => t.filter_unknown(name),
            Wrong::Twice(name) => t.filter_twice(name),
            Wrong::Value { name, value, allowed } => t.filter_value(name, value, allowed),
        }
    }

    fn value(name: &'static str, value: &str, allowed: &[&str]) -> Wrong {
        Wrong::Value { name, value: cut(value), allowed: allowed.join(", ") }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// What the address asks for. Empty: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filter {
    pub(super) site: String,
    pub(super) machine: String,
    pub(super) severity: v1::Severity,
    pub(super) rule: String,
    pub(super) state: v1::IncidentState,
    pub(super) order: v1::IncidentOrder,
    /// Where the list goes on. Empty: its first page.
    pub(super) page: String,
}

/// A choice of a form's field: value, words.
pub(super) type Choices = Vec<(&'static str, &'static str)>;

impl Filter {
    /// Reads an address's query. Fields that are empty ask for all.
    pub(super) fn read(query: &str) -> Result<Filter, Wrong> {
        let fields = Fields::read(query.as_bytes());
        let mut known: Vec<&str> = Vec::new();
        for (name, _) in fields.beginning("") {
            if !KEYS.contains(&name) {
                return Err(Wrong::Unknown(cut(name)));
            }
            if known.contains(&name) {
                return Err(Wrong::Twice(name.to_owned()));
            }
            known.push(name);
        }
        Ok(Filter {
            site: fields.trimmed("site").to_owned(),
            machine: fields.trimmed("machine").to_owned(),
            severity: one_of("severity", fields.get("severity"), &SEVERITIES)?,
            rule: fields.trimmed("rule").to_owned(),
            state: one_of("state", fields.get("state"), &STATES)?,
            order: one_of("order", fields.get("order"), &ORDERS)?,
            page: fields.get("page").to_owned(),
        })
    }

    /// Checks the rule against those that there are.
    pub(super) fn check_rule(&self, rules: &[v1::Rule]) -> Result<(), Wrong> {
        if self.rule.is_empty() || rules.is_empty() || rules.iter().any(|rule| rule.name == self.rule) {
            return Ok(());
        }
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
        Err(Wrong::value("rule", &self.rule, &names))
    }

    /// The same for the API.
    pub(super) fn asked(&self) -> v1::IncidentFilter {
        let filled = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
        v1::IncidentFilter {
            site_id: self.site.clone(),
            machine_ids: filled(&self.machine),
            rules: filled(&self.rule),
            severities: Some(self.severity)
                .filter(|severity| *severity != v1::Severity::Unspecified)
                .map(i32::from)
                .into_iter()
                .collect(),
            state: self.state.into(),
            ..v1::IncidentFilter::default()
        }
    }

    /// The list's address.
    pub(super) fn address(&self) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let pairs = [
            ("site", self.site.as_str()),
            ("machine", &self.machine),
            ("severity", self.severity_name()),
            ("rule", &self.rule),
            ("state", self.state_name()),
            ("order", self.order_name()),
            ("page", &self.page),
        ];
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{query}") }
    }

    pub(super) fn severity_name(&self) -> &'static str {
        name_of(self.severity, &SEVERITIES)
    }

    pub(super) fn state_name(&self) -> &'static str {
        name_of(self.state, &STATES)
    }

    pub(super) fn order_name(&self) -> &'static str {
        name_of(self.order, &ORDERS)
    }
}

fn one_of<T: Copy + Default>(name: &'static str, value: &str, known: &[(&str, T)]) -> Result<T, Wrong> {
    if value.is_empty() {
        return Ok(T::default());
    }
    let names = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let found = known.iter().find(|(name, _)| *name == value);
    found.map(|(_, one)| *one).ok_or_else(|| Wrong::value(name, value, &names()))
}

fn name_of<T: PartialEq>(value: T, known: &[(&'static str, T)]) -> &'static str {
    known.iter().find(|(_, one)| *one == value).map_or("", |(name, _)| name)
}

/// All severities, the worst first, as addresses name them.
pub(super) fn severities() -> impl Iterator<Item = (&'static str, v1::Severity)> {
    SEVERITIES.into_iter()
}

pub(super) fn states(t: Texts) -> Choices {
    vec![("active", t.incident_active()), ("over", t.incident_over())]
}

pub(super) fn orders(t: Texts) -> Choices {
    vec![("newest", t.newest_first()), ("oldest", t.oldest_first()), ("worst", t.worst_first())]
}

#[cfg(test)]
mod tests;
