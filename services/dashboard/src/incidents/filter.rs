//! Which incidents a list shows, as its address says.

use wire::api::v1;

use crate::form::Fields;
use crate::texts::Texts;

pub(super) const PATH: &str = "/incidents";
const KEYS: [&str; 9] = ["people", "site", "machine", "severity", "rule", "state", "order", "page", "done"];
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
const PEOPLE: [(&str, People); 4] =
    [("all", People::All), ("closed", People::Closed), ("shelved", People::Shelved), ("mine", People::Mine)];
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

/// How far people are with what a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum People {
    /// It needs somebody: it is neither closed nor laid aside.
    #[default]
    Needs,
    All,
    Closed,
    Shelved,
    /// The visitor works on it.
    Mine,
}

impl People {
    pub(super) const ALL: [People; 5] =
        [People::Needs, People::All, People::Closed, People::Shelved, People::Mine];

    pub(super) fn words(self, t: Texts) -> &'static str {
        match self {
            People::Needs => t.people_needs(),
            People::All => t.people_all(),
            People::Closed => t.people_closed(),
            People::Shelved => t.people_shelved(),
            People::Mine => t.people_mine(),
        }
    }

    /// The same for the API: states, whether laid aside, and who works on it.
    fn asked(self) -> (&'static [v1::HandlingState], Option<bool>, &'static str) {
        const NOT_CLOSED: &[v1::HandlingState] =
            &[v1::HandlingState::Open, v1::HandlingState::Acknowledged, v1::HandlingState::InProgress];
        match self {
            People::Needs => (NOT_CLOSED, Some(false), ""),
            People::All => (&[], None, ""),
            People::Closed => (&[v1::HandlingState::Closed], None, ""),
            People::Shelved => (&[], Some(true), ""),
            People::Mine => (NOT_CLOSED, None, "me"),
        }
    }
}

/// What the address asks for. Empty: what needs a person, of all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filter {
    pub(super) people: People,
    pub(super) site: String,
    pub(super) machine: String,
    pub(super) severity: v1::Severity,
    pub(super) rule: String,
    pub(super) state: v1::IncidentState,
    pub(super) order: v1::IncidentOrder,
    /// Where the list goes on. Empty: its first page.
    pub(super) page: String,
    /// What was just done to some; it is in no address that a page leads to.
    pub(super) done: String,
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
            people: one_of("people", fields.get("people"), &PEOPLE)?,
            site: fields.trimmed("site").to_owned(),
            machine: fields.trimmed("machine").to_owned(),
            severity: one_of("severity", fields.get("severity"), &SEVERITIES)?,
            rule: fields.trimmed("rule").to_owned(),
            state: one_of("state", fields.get("state"), &STATES)?,
            order: one_of("order", fields.get("order"), &ORDERS)?,
            page: fields.get("page").to_owned(),
            done: fields.get("done").to_owned(),
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
        let (states, shelved, assignee) = self.people.asked();
        v1::IncidentFilter {
            handling_states: states.iter().map(|state| i32::from(*state)).collect(),
            shelved,
            assignee: assignee.to_owned(),
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
            ("people", self.people_name()),
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

    pub(super) fn people_name(&self) -> &'static str {
        name_of(self.people, &PEOPLE)
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
