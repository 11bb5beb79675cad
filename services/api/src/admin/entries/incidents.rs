//! What people did about incidents and proof tests, and who is told of them, as the audit says it. What somebody wrote is
//! not said here: it can be erased, the audit cannot.

use domain::handling::Step;
use domain::ids::MachineId;
use store::fact::{Anchoring, IncidentStepped, NewContact, PolicyChange};
use store::registry::{Registry, Way};

use super::Shown;
use crate::check::text_of;

/// A step about an incident that was found on this machine.
pub(super) fn stepped(registry: &Registry, machine: Option<&MachineId>, stepped: &IncidentStepped) -> Shown {
    let (kind, detail) = step(&stepped.step);
    let written = match (&stepped.note, detail.is_empty()) {
        (None, _) => "",
        (Some(_), true) => "with a note",
        (Some(_), false) => ", with a note",
    };
    let site =
        machine.and_then(|machine| registry.machines().get(machine)).map(|machine| machine.site.clone());
    Shown { kind, subject: stepped.incident.to_string(), site, detail: format!("{detail}{written}") }
}

fn step(step: &Step) -> (&'static str, String) {
    match step {
        Step::Acknowledge => ("incident_acknowledged", String::new()),
        Step::Assign { to } => {
            let to = to.as_ref().map_or_else(|| "to nobody".to_owned(), |user| format!("to {user}"));
            ("incident_assigned", to)
        }
        Step::Note => ("incident_noted", String::new()),
        Step::Shelve { until: Some(until) } => ("incident_shelved", format!("until {}", text_of(*until))),
        Step::Shelve { until: None } => ("incident_shelved", "taken up again".to_owned()),
        Step::Close { cause, hurt } => {
            let cause = cause.map(|cause| format!("cause: {}", cause.name()));
            let hurt = hurt.map(|hurt| format!("somebody hurt: {}", hurt.name()));
            ("incident_closed", cause.into_iter().chain(hurt).collect::<Vec<_>>().join(", "))
        }
        Step::Hold { on } => {
            ("incident_held", if *on { "kept against retention" } else { "no longer kept" }.to_owned())
        }
        Step::EraseNote { number } => ("note_erased", format!("that of entry {number}")),
        Step::Join { lead } => ("incident_joined", format!("part of the outage {lead}")),
        Step::Seal { revision, evidence } => {
            ("incident_sealed", format!("version {revision}, evidence {evidence}"))
        }
    }
}

/// How a contact is told; an address may hold a secret and is not said.
pub(super) fn contact_set(new: &NewContact) -> Shown {
    let contact = &new.contact;
    let way = match contact.way {
        Way::Webhook { .. } => "by webhook",
        Way::Email { .. } => "by e-mail",
    };
    let anchor = if contact.is_anchor { ", is sent heads" } else { "" };
    let weekly = if contact.weekly { ", is sent the weekly report" } else { "" };
    let detail = format!("{way}, secret {}{anchor}{weekly}", contact.generation);
    Shown { kind: "contact_set", subject: contact.name.clone(), site: contact.site.clone(), detail }
}

/// What was set of a policy.
pub(super) fn policy_set(change: &PolicyChange) -> Shown {
    let chain = change.chain.as_ref().map(|chain| format!("chain of {} steps", chain.len()));
    let deadlines = change.deadlines.as_ref().map(|deadlines| format!("{} deadlines", deadlines.len()));
    let service = change.service.map(|rule| match rule.count {
        0 => "never out of service by itself".to_owned(),
        count => format!("out of service after {count} in {} days", rule.days),
    });
    let cleared = change.cleared.iter().map(|part| format!("{} taken back", part.name()));
    let detail =
        chain.into_iter().chain(deadlines).chain(service).chain(cleared).collect::<Vec<_>>().join(", ");
    let subject = change.site.as_ref().map_or_else(|| "all sites".to_owned(), ToString::to_string);
    Shown { kind: "policy_set", subject, site: change.site.clone(), detail }
}

/// A head that was taken outside.
pub(super) fn anchored(anchoring: &Anchoring) -> Shown {
    let Anchoring { facts, root, contact, .. } = anchoring;
    let detail = format!("{facts} entries, root {root}");
    Shown { kind: "head_anchored", subject: contact.clone(), site: None, detail }
}
