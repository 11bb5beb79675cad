//! The tables of `docs/access.md`, printed from the rules.

use std::fmt::Write;

use super::{METHODS, Need, Permission, Role, may};

const ROLES: [(Role, &str); 7] = [
    (Role::Viewer, "viewer"),
    (Role::Staff, "staff"),
    (Role::Therapist, "therapist"),
    (Role::Manager, "manager"),
    (Role::Technician, "technician"),
    (Role::Auditor, "auditor"),
    (Role::Administrator, "administrator"),
];

fn meaning(permission: Permission) -> &'static str {
    match permission {
        Permission::Live => "sites, machines, what belts do now",
        Permission::History => {
            "readings, events, sessions, usage, incidents and how far people are with them"
        }
        Permission::Evidence => "notes, whether somebody was hurt, dossiers",
        Permission::Act => "to say that a stop was seen to, to tag a machine out of service",
        Permission::Handle => "to work on incidents and proof tests, to say that a machine was serviced",
        Permission::Courses => {
            "to label sessions with courses and to see one's own; with `configure`, all of the site"
        }
        Permission::Arrange => "to arrange the plan of a room",
        Permission::Configure => {
            "a site's name, time zone, staffed and opening hours, thresholds, maintenance plans, incidents judged anew, \
             who is told of incidents, to erase notes and hold evidence"
        }
        Permission::Register => "machines, their credentials and commissioning",
        Permission::Administer => "sites, users, tokens",
        Permission::Audit => "to read the audit",
        Permission::Diagnose => "refused messages, metrics",
    }
}

fn roles() -> String {
    let names = ROLES.map(|(_, name)| name).join(" | ");
    let rules = ROLES.map(|_| "---").join("|");
    let mut text = format!("| permission | what it is for | {names} | token |\n|---|---|{rules}|---|\n");
    for permission in Permission::ALL {
        let cell = |is: bool| if is { "yes" } else { "" };
        let cells = ROLES.map(|(role, _)| cell(may(role, permission))).join(" | ");
        let (name, meaning) = (permission.name(), meaning(permission));
        let token = cell(permission.is_for_programs());
        writeln!(text, "| `{name}` | {meaning} | {cells} | {token} |").unwrap();
    }
    text
}

fn methods() -> String {
    let mut text = "| needs | methods |\n|---|---|\n".to_owned();
    let mut row = |what: String, need: Need| {
        let methods: Vec<String> = METHODS
            .iter()
            .filter(|(_, one)| *one == need)
            .map(|(method, _)| format!("`{}`", if *method == "metrics" { "GET /metrics" } else { method }))
            .collect();
        if !methods.is_empty() {
            writeln!(text, "| {what} | {} |", methods.join(", ")).unwrap();
        }
    };
    row("nothing".to_owned(), Need::Nothing);
    row("to be known".to_owned(), Need::Known);
    row("to be a user who has signed in".to_owned(), Need::User);
    for permission in Permission::ALL {
        row(format!("`{}`", permission.name()), Need::Some(permission));
        row(format!("`{}` for all sites", permission.name()), Need::All(permission));
    }
    text
}

#[test]
fn the_document_holds_the_tables() {
    let document = std::fs::read_to_string("../../docs/access.md").unwrap();
    for table in [roles(), methods()] {
        assert!(document.contains(&table), "docs/access.md must hold this table:\n{table}");
    }
}
