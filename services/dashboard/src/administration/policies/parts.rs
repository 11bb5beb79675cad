//! The three parts of a policy as tables, and what was typed in them as the API wants it. Pure.

use wire::api::v1;

use super::editor::{Column, Editor, Entry, Typed};
use crate::incidents::severity_name;
use crate::texts::{Language, Texts};

/// Steps of a chain, and deadlines, that the API takes.
const STEPS_MAX: usize = 20;
const DEADLINES_MAX: usize = 10;
/// Longest wait of a step, in minutes: a day.
const AFTER_MINUTES_MAX: f64 = 1_440.0;
/// Longest deadline, in hours: 90 days.
const HOURS_MAX: u32 = 2_160;
const NAME_CHARACTERS_MAX: usize = 60;
/// Most incidents, and days, of the rule that tags by itself.
const COUNT_MAX: u32 = 100;
const DAYS_MAX: u32 = 90;

const SEVERITIES: [(&str, v1::Severity); 5] = [
    ("critical", v1::Severity::Critical),
    ("high", v1::Severity::High),
    ("medium", v1::Severity::Medium),
    ("low", v1::Severity::Low),
    ("info", v1::Severity::Info),
];
const STAFFINGS: [(&str, v1::Staffing); 3] = [
    ("always", v1::Staffing::Always),
    ("staffed", v1::Staffing::Staffed),
    ("unstaffed", v1::Staffing::Unstaffed),
];
const STATES: [(&str, v1::HandlingState); 2] =
    [("acknowledged", v1::HandlingState::Acknowledged), ("closed", v1::HandlingState::Closed)];

/// A part that is saved by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Chain,
    Deadlines,
    Service,
}

impl Part {
    pub(super) const ALL: [Part; 3] = [Part::Chain, Part::Deadlines, Part::Service];

    /// Its word in addresses.
    pub(super) fn id(self) -> &'static str {
        match self {
            Part::Chain => "chain",
            Part::Deadlines => "deadlines",
            Part::Service => "service",
        }
    }

    /// Its name in the API.
    pub(super) fn mask(self) -> &'static str {
        match self {
            Part::Chain => "chain",
            Part::Deadlines => "deadlines",
            Part::Service => "out_of_service",
        }
    }

    /// What is said of a row that is refused.
    pub(super) fn wrong(self, t: Texts) -> &'static str {
        match self {
            Part::Chain => t.chain_wrong(),
            Part::Deadlines => t.deadline_wrong(),
            Part::Service => t.policy_service_wrong(),
        }
    }

    /// What was typed, in a policy that holds nothing else; rows that are left empty are left out.
    ///
    /// # Errors
    ///
    /// A row is not what it should be, and says so.
    pub(super) fn parse(self, editor: &mut Editor, t: Texts) -> Result<v1::Policy, ()> {
        let mut policy = v1::Policy::default();
        let mut wrong = false;
        for row in 0..editor.rows.len() {
            if self.is_empty(editor, row) {
                continue;
            }
            let fits = match self {
                Part::Chain => step(editor, row).map(|step| policy.chain.push(step)),
                Part::Deadlines => deadline(editor, row).map(|one| policy.deadlines.push(one)),
                Part::Service => service(editor, row).map(|(count, days)| {
                    policy.out_of_service_count = count;
                    policy.out_of_service_days = days;
                }),
            };
            if fits.is_none() {
                editor.refuse(row, self.wrong(t));
                wrong = true;
            }
        }
        if wrong { Err(()) } else { Ok(policy) }
    }

    fn is_empty(self, editor: &Editor, row: usize) -> bool {
        match self {
            Part::Chain => editor.value(row, "contact").is_empty(),
            Part::Deadlines => editor.value(row, "name").is_empty() && editor.value(row, "hours").is_empty(),
            Part::Service => false,
        }
    }
}

fn chosen<T: Copy>(known: &[(&str, T)], code: &str) -> Option<T> {
    known.iter().find(|(name, _)| *name == code).map(|(_, one)| *one)
}

fn code<T: PartialEq>(known: &[(&'static str, T)], one: &T) -> String {
    known.iter().find(|(_, other)| other == one).map_or("", |(name, _)| name).to_owned()
}

fn step(editor: &Editor, row: usize) -> Option<v1::ChainStep> {
    let value = |name| editor.value(row, name);
    let minutes: f64 = value("after").replace(',', ".").parse().ok()?;
    if !(0.0..=AFTER_MINUTES_MAX).contains(&minutes) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 86 400")]
    let after_seconds = (minutes * 60.0).round() as u32;
    Some(v1::ChainStep {
        contact: value("contact").to_owned(),
        least_severity: chosen(&SEVERITIES, value("severity"))?.into(),
        after_seconds,
        staffing: chosen(&STAFFINGS, value("staffing"))?.into(),
    })
}

fn deadline(editor: &Editor, row: usize) -> Option<v1::Deadline> {
    let value = |name| editor.value(row, name);
    let name = value("name");
    let hours: u32 = value("hours").parse().ok()?;
    if !(1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) || !(1..=HOURS_MAX).contains(&hours) {
        return None;
    }
    Some(v1::Deadline {
        name: name.to_owned(),
        least_severity: chosen(&SEVERITIES, value("severity"))?.into(),
        hours,
        until: chosen(&STATES, value("until"))?.into(),
    })
}

fn service(editor: &Editor, row: usize) -> Option<(u32, u32)> {
    let number = |name| editor.value(row, name).parse::<u32>().ok();
    let (count, days) = (number("count")?, number("days")?);
    (count <= COUNT_MAX && (1..=DAYS_MAX).contains(&days)).then_some((count, days))
}

/// Seconds as minutes with at most two decimals.
fn minutes(seconds: u32, t: Texts) -> String {
    let text = format!("{:.2}", f64::from(seconds) / 60.0);
    let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    match t.language {
        Language::English => text,
        Language::German => text.replace('.', ","),
    }
}

fn severities(t: Texts) -> Entry {
    let choice = |(code, one): (&str, v1::Severity)| (code.to_owned(), severity_name(one, t).1.to_owned());
    Entry::Choices(SEVERITIES.map(choice).into())
}

/// The tables of a policy. `choices` are the contacts: names, and names for people.
pub(super) fn editors(
    policy: &v1::Policy,
    choices: Vec<(String, String)>,
    path: &str,
    is_all: bool,
    t: Texts,
) -> Vec<Editor> {
    let editor = |part: Part, title, lead, columns, rows: Vec<Vec<String>>, rows_max| Editor {
        id: part.id(),
        title,
        lead,
        may_inherit: !is_all && policy.own.iter().any(|own| own == part.mask()),
        is_of_all: !is_all && !policy.own.iter().any(|own| own == part.mask()),
        action: format!("{path}/{}", part.id()),
        columns,
        rows: rows.into_iter().map(|values| Typed { values, error: String::new() }).collect(),
        rows_max,
        error: String::new(),
    };
    let steps = policy.chain.iter().map(|step| {
        vec![
            step.contact.clone(),
            code(&SEVERITIES, &step.least_severity()),
            minutes(step.after_seconds, t),
            code(&STAFFINGS, &always(step.staffing())),
        ]
    });
    let deadlines = policy.deadlines.iter().map(|one| {
        let (severity, until) = (code(&SEVERITIES, &one.least_severity()), code(&STATES, &one.until()));
        vec![one.name.clone(), severity, one.hours.to_string(), until]
    });
    let service =
        vec![policy.out_of_service_count.to_string(), policy.out_of_service_days.max(1).to_string()];
    let chain = chain_columns(policy, choices, t);
    vec![
        editor(Part::Chain, t.policy_chain(), t.policy_chain_lead(), chain, steps.collect(), STEPS_MAX),
        editor(
            Part::Deadlines,
            t.policy_deadlines(),
            t.policy_deadlines_lead(),
            deadline_columns(t),
            deadlines.collect(),
            DEADLINES_MAX,
        ),
        editor(
            Part::Service,
            t.policy_service(),
            t.policy_service_lead(),
            vec![number("count", t.policy_count(), "0"), number("days", t.policy_days(), "7")],
            vec![service],
            1,
        ),
    ]
}

fn always(staffing: v1::Staffing) -> v1::Staffing {
    if staffing == v1::Staffing::Unspecified { v1::Staffing::Always } else { staffing }
}

fn number(name: &'static str, label: &'static str, new: &'static str) -> Column {
    Column { name, label, entry: Entry::Number, new }
}

fn chain_columns(policy: &v1::Policy, choices: Vec<(String, String)>, t: Texts) -> Vec<Column> {
    let mut contacts = vec![(String::new(), t.grant_none().to_owned())];
    contacts.extend(choices);
    // A step may name one that is of another site by now.
    for step in &policy.chain {
        if !contacts.iter().any(|(name, _)| *name == step.contact) {
            contacts.push((step.contact.clone(), step.contact.clone()));
        }
    }
    let staffings = [t.staffing_always(), t.staffing_staffed(), t.staffing_unstaffed()];
    let staffings = STAFFINGS.iter().zip(staffings);
    let staffings = staffings.map(|((code, _), words)| ((*code).to_owned(), words.to_owned())).collect();
    vec![
        Column { name: "contact", label: t.contact(), entry: Entry::Choices(contacts), new: "" },
        Column { name: "severity", label: t.least_severity(), entry: severities(t), new: "high" },
        number("after", t.chain_after(), "0"),
        Column { name: "staffing", label: t.chain_when(), entry: Entry::Choices(staffings), new: "always" },
    ]
}

fn deadline_columns(t: Texts) -> Vec<Column> {
    let states = [t.until_acknowledged(), t.until_closed()];
    let states = STATES.iter().zip(states);
    let states = states.map(|((code, _), words)| ((*code).to_owned(), words.to_owned())).collect();
    vec![
        Column { name: "name", label: t.deadline_for(), entry: Entry::Text, new: "" },
        Column { name: "severity", label: t.least_severity(), entry: severities(t), new: "high" },
        number("hours", t.deadline_hours(), ""),
        Column { name: "until", label: t.deadline_until(), entry: Entry::Choices(states), new: "closed" },
    ]
}

#[cfg(test)]
mod tests;
