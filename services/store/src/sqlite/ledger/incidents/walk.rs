//! Walks along the indices of incidents, and which of them a filter needs.
//!
//! What an index does not lead by, it is filtered by on the way. So the walks are chosen such that what is left out is
//! not most of what lies there: proof tests and parts of outages lie apart from all else, and so does what is closed.

use std::collections::BTreeSet;

use domain::belt::Direction;
use domain::handling::HandlingState;
use domain::ids::{IncidentId, MachineId, UserName};
use domain::incident::{Rule, Severity};
use rusqlite::types::Value;

use super::{direction_number, handling_code, severity_code};
use crate::ledger::{IncidentFilter, Members};

/// What lies in the order of time in one of the indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk<'q> {
    All(u8),
    Kind(u8, Rule, Severity, bool),
    Handled(u8, HandlingState, Severity),
    Machine(u8, &'q MachineId),
    MachineHandled(u8, &'q MachineId, HandlingState, Severity),
    Lead(Severity),
}

/// What is critical, 5, is never laid aside.
const FILTERED: &str =
    "(?7 >> rule) & 1 AND (?8 >> severity) & 1 AND (?9 >> direction) & 1 AND (?10 >> active) & 1
     AND (?15 >> handling) & 1 AND (?16 >> aside) & 1
     AND (?17 IS NULL OR coalesce(shelved_until_us > ?18 AND severity < 5, 0) = ?17)
     AND (?19 IS NULL OR assignee = ?19) AND (?20 IS NULL OR lead = ?20)";

impl Walk<'_> {
    /// The index, and what is the same for all keys of the walk.
    fn index(self) -> (&'static str, &'static str) {
        match self {
            Walk::All(_) => ("incident_time", "aside = ?13 AND"),
            Walk::Kind(..) => {
                ("incident_kind", "aside = ?13 AND rule = ?2 AND severity = ?3 AND active = ?4 AND")
            }
            Walk::Handled(..) => {
                ("incident_handling", "aside = ?13 AND handling = ?14 AND severity = ?3 AND")
            }
            Walk::Machine(..) => ("incident_machine", "machine = ?1 AND aside = ?13 AND"),
            Walk::MachineHandled(..) => (
                "incident_machine_handling",
                "machine = ?1 AND aside = ?13 AND handling = ?14 AND severity = ?3 AND",
            ),
            Walk::Lead(..) => ("incident_lead", "lead = ?20 AND severity = ?3 AND"),
        }
    }

    /// The statement that reads its next keys: ?5 and ?6 are the edge, ?11 is the far end, ?12 how many.
    pub(super) fn keys(self, ascending: bool) -> String {
        let (index, fixed) = self.index();
        let (range, order) = if ascending {
            ("(time_us, id) > (?5, ?6) AND time_us < ?11", "time_us, id")
        } else {
            ("(time_us, id) < (?5, ?6) AND time_us >= ?11", "time_us DESC, id DESC")
        };
        format!(
            "SELECT time_us, id FROM incident INDEXED BY {index}
             WHERE {fixed} {range} AND {FILTERED} ORDER BY {order} LIMIT ?12"
        )
    }

    /// The statement that reads what its incidents are counted by: ?5 to ?11 is the span.
    pub(super) fn counted(self) -> String {
        let (index, fixed) = self.index();
        let what = match self {
            Walk::All(_)
            | Walk::Handled(..)
            | Walk::Machine(..)
            | Walk::MachineHandled(..)
            | Walk::Lead(..) => "rule, severity, active, 1",
            // All are of one kind: they are counted where they lie.
            Walk::Kind(..) => "?2, ?3, ?4, count(*)",
        };
        format!(
            "SELECT {what} FROM incident INDEXED BY {index}
             WHERE {fixed} time_us >= ?5 AND time_us < ?11 AND {FILTERED}"
        )
    }
}

/// What a filter takes: of values a bit each.
#[derive(Debug)]
pub(super) struct Filtered<'q> {
    rules: i64,
    severities: i64,
    directions: i64,
    actives: i64,
    handlings: i64,
    asides: i64,
    shelved: Option<(bool, i64)>,
    assignee: Option<&'q UserName>,
    lead: Option<IncidentId>,
}

impl<'q> Filtered<'q> {
    pub(super) fn of(filter: &'q IncidentFilter) -> Filtered<'q> {
        fn mask<T: Copy>(taken: &[T], bit: impl Fn(T) -> i64) -> i64 {
            let bits = taken.iter().fold(0, |mask, value| mask | 1 << bit(*value));
            if taken.is_empty() { -1 } else { bits }
        }
        Filtered {
            rules: mask(&filter.rules, |rule| i64::from(rule.number())),
            severities: mask(&filter.severities, |severity| i64::from(severity_code(severity))),
            directions: mask(&filter.directions, |direction: Direction| direction_number(direction)),
            actives: filter.active.map_or(-1, |active| 1 << i64::from(active)),
            handlings: mask(&filter.handling, |state| i64::from(handling_code(state))),
            asides: mask(&asides(filter), i64::from),
            shelved: filter.shelved.map(|(is_shelved, now)| (is_shelved, now.0)),
            assignee: filter.assignee.as_ref(),
            lead: lead(filter),
        }
    }

    /// What a walk's statement is asked with: ?1 to ?20. What a walk has none of is null.
    pub(super) fn params(&self, walk: Walk<'_>, edge: (i64, &[u8]), end: i64, count: usize) -> [Value; 20] {
        let (machine, rule, severity, active, aside, handling) = match walk {
            Walk::All(aside) => (None, None, None, None, Some(aside), None),
            Walk::Kind(aside, rule, severity, active) => {
                (None, Some(rule), Some(severity), Some(active), Some(aside), None)
            }
            Walk::Handled(aside, state, severity) => {
                (None, None, Some(severity), None, Some(aside), Some(state))
            }
            Walk::Machine(aside, machine) => (Some(machine), None, None, None, Some(aside), None),
            Walk::MachineHandled(aside, machine, state, severity) => {
                (Some(machine), None, Some(severity), None, Some(aside), Some(state))
            }
            Walk::Lead(severity) => (None, None, Some(severity), None, None, None),
        };
        let number = |number: Option<u8>| Value::from(number.map(i64::from));
        [
            Value::from(machine.map(|machine| machine.as_str().to_owned())),
            number(rule.map(Rule::number)),
            number(severity.map(severity_code)),
            number(active.map(u8::from)),
            edge.0.into(),
            edge.1.to_vec().into(),
            self.rules.into(),
            self.severities.into(),
            self.directions.into(),
            self.actives.into(),
            end.into(),
            crate::sqlite::values::limit(count).into(),
            number(aside),
            number(handling.map(handling_code)),
            self.handlings.into(),
            self.asides.into(),
            Value::from(self.shelved.map(|(is_shelved, _)| i64::from(is_shelved))),
            Value::from(self.shelved.map(|(_, now)| now)),
            Value::from(self.assignee.map(|name| name.as_str().to_owned())),
            Value::from(self.lead.map(|lead| lead.0.to_vec())),
        ]
    }
}

/// Walks that list what a filter takes, of all severities or one.
pub(super) fn listed(filter: &IncidentFilter, severity: Option<Severity>) -> Vec<Walk<'_>> {
    let is_of_all = filter.rules.is_empty() && filter.severities.is_empty() && filter.active.is_none();
    if filter.machines.is_none()
        && lead(filter).is_none()
        && !is_handled(filter)
        && is_of_all
        && severity.is_none()
    {
        return asides(filter).into_iter().map(Walk::All).collect();
    }
    walks(filter, severity)
}

/// Walks that count what a filter takes.
pub(super) fn counted(filter: &IncidentFilter) -> Vec<Walk<'_>> {
    walks(filter, None)
}

fn walks(filter: &IncidentFilter, severity: Option<Severity>) -> Vec<Walk<'_>> {
    let mut severities = severities(filter);
    severities.retain(|one| severity.is_none_or(|it| it == *one));
    if let Some(machines) = &filter.machines {
        return of_machines(filter, machines, &severities, severity.is_some() || is_handled(filter));
    }
    if lead(filter).is_some() {
        return severities.into_iter().map(Walk::Lead).collect();
    }
    let mut walks = Vec::new();
    for aside in asides(filter) {
        if is_handled(filter) {
            let states = states(filter);
            let of_state =
                |state| severities.iter().map(move |severity| Walk::Handled(aside, state, *severity));
            walks.extend(states.into_iter().flat_map(of_state));
        } else {
            kinds(filter, aside, &severities, &mut walks);
        }
    }
    walks
}

/// Walks of machines. Apart by severity and state if that is asked for.
fn of_machines<'q>(
    filter: &IncidentFilter,
    machines: &'q [MachineId],
    severities: &[Severity],
    is_apart: bool,
) -> Vec<Walk<'q>> {
    let machines: BTreeSet<&MachineId> = machines.iter().collect();
    let (asides, states) = (asides(filter), states(filter));
    let mut walks = Vec::new();
    for machine in machines {
        for aside in &asides {
            if !is_apart {
                walks.push(Walk::Machine(*aside, machine));
                continue;
            }
            for state in &states {
                let of = |severity: &Severity| Walk::MachineHandled(*aside, machine, *state, *severity);
                walks.extend(severities.iter().map(of));
            }
        }
    }
    walks
}

/// Walks of the kinds that a filter takes.
fn kinds(filter: &IncidentFilter, aside: u8, severities: &[Severity], walks: &mut Vec<Walk<'_>>) {
    let rules = Rule::ALL.into_iter().filter(|rule| filter.rules.is_empty() || filter.rules.contains(rule));
    let actives = [true, false].into_iter().filter(|active| filter.active.is_none_or(|it| it == *active));
    let actives: Vec<bool> = actives.collect();
    for rule in rules {
        for severity in severities {
            walks.extend(actives.iter().map(|active| Walk::Kind(aside, rule, *severity, *active)));
        }
    }
}

/// Severities that a filter takes, the worst first.
pub(super) fn severities(filter: &IncidentFilter) -> Vec<Severity> {
    let taken = |severity: &Severity| filter.severities.is_empty() || filter.severities.contains(severity);
    Severity::ALL.into_iter().filter(taken).collect()
}

fn states(filter: &IncidentFilter) -> Vec<HandlingState> {
    let taken = |state: &HandlingState| filter.handling.is_empty() || filter.handling.contains(state);
    HandlingState::ALL.into_iter().filter(taken).collect()
}

/// Whether its walks are those of states. What is closed becomes most of all, so closed ones of some rules are rather
/// looked for among those of the rules.
fn is_handled(filter: &IncidentFilter) -> bool {
    let is_of_some = !filter.handling.is_empty() && states(filter).len() < HandlingState::ALL.len();
    is_of_some && (filter.rules.is_empty() || !filter.handling.contains(&HandlingState::Closed))
}

/// Values of `aside` that a filter takes.
fn asides(filter: &IncidentFilter) -> Vec<u8> {
    let taken = |aside: &u8| {
        let (is_drill, is_member) = (aside & 1 != 0, aside & 2 != 0);
        filter.drill.is_none_or(|drill| drill == is_drill)
            && match filter.members {
                Members::Listed => true,
                Members::LeftOut => !is_member,
                Members::Of(_) => is_member,
            }
    };
    (0..4).filter(taken).collect()
}

fn lead(filter: &IncidentFilter) -> Option<IncidentId> {
    match filter.members {
        Members::Listed | Members::LeftOut => None,
        Members::Of(lead) => Some(lead),
    }
}
