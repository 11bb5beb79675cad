//! The audit: facts as people read them.

mod courses;
mod enrolments;
mod incidents;

use std::collections::HashMap;

use domain::ids::{IncidentId, MachineId, SiteId};
use domain::limits::AUDIT_FACTS_MAX;
use store::StoreError;
use store::fact::{
    Fact, FactKind, IncidentStepped, MachineChange, NewCommissioning, NewOpening, NewThresholds, Refusal,
    ServiceChange, SignOut, UserChange,
};
use store::registry::{Grant, LinkKind, Registry, Role, Scope as SettingScope, StaffedDays};
use wire::api::v1;

use super::{Administration, PAGE_DEFAULT, PAGE_MAX};
use crate::access::{Caller, Scope};
use crate::check::{Check, text_of};
use crate::convert::timestamp;
use crate::paging::{AfterNumber, Asked};
use crate::status::ApiError;

impl Administration {
    pub(super) async fn list_audit_entries(
        &self,
        _caller: Caller,
        scope: Scope,
        mut request: v1::ListAuditEntriesRequest,
    ) -> Result<v1::ListAuditEntriesResponse, ApiError> {
        let mut check = Check::default();
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let page_token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListAuditEntries", &request);
        let after = self.pages.cursor::<AfterNumber>(&asked, &page_token)?;
        let mut before = after.map_or(u64::MAX, |after| after.0);
        let registry = self.ledger.registry();
        let mut entries = Vec::new();
        let mut looked_at = 0;
        let mut is_last = false;
        let mut machines = HashMap::new();
        while entries.len() < size && looked_at < AUDIT_FACTS_MAX && !is_last {
            let facts = self.ledger.facts_before(before, PAGE_MAX).await?;
            is_last = facts.len() < PAGE_MAX;
            for (number, fact) in facts {
                if entries.len() == size {
                    is_last = false;
                    break;
                }
                looked_at += 1;
                before = number;
                let entry =
                    show(&registry, self.incident_machine(&fact, &mut machines).await?, number, &fact);
                let site = SiteId::new(&entry.site_id).ok();
                // What concerns no one site is for those who may see all.
                if scope == Scope::All || site.is_some_and(|site| scope.has(&site)) {
                    entries.push(entry);
                }
            }
        }
        let next = (!is_last).then(|| self.pages.token(&asked, &AfterNumber(before)));
        Ok(v1::ListAuditEntriesResponse { entries, next_page_token: next.unwrap_or_default() })
    }
}

/// Which machine an incident was found on, for those asked for so far; `None`: there is no such incident.
type MachinesOfIncidents = HashMap<IncidentId, Option<MachineId>>;

impl Administration {
    /// The machine of the incident that a fact is about.
    async fn incident_machine(
        &self,
        fact: &Fact,
        known: &mut MachinesOfIncidents,
    ) -> Result<Option<MachineId>, StoreError> {
        let FactKind::IncidentStepped(IncidentStepped { incident, .. }) = &fact.kind else { return Ok(None) };
        if let Some(machine) = known.get(incident) {
            return Ok(machine.clone());
        }
        let machine = self.ledger.incident(incident).await?.map(|stored| stored.incident.machine);
        known.insert(*incident, machine.clone());
        Ok(machine)
    }
}

/// Sites of a grant that an entry names.
const SITES_NAMED: usize = 5;

/// What a fact is about: its name, to what, at which site, and what else.
struct Shown {
    kind: &'static str,
    subject: String,
    site: Option<SiteId>,
    detail: String,
}

/// `machine`: that of the incident that the fact is about.
fn show(registry: &Registry, machine: Option<MachineId>, number: u64, fact: &Fact) -> v1::AuditEntry {
    let Shown { kind, subject, site, detail } = shown(registry, machine.as_ref(), &fact.kind);
    v1::AuditEntry {
        number,
        time: Some(timestamp(fact.time)),
        author: fact.author.clone(),
        kind: kind.to_owned(),
        subject,
        site_id: site.map(|site| site.to_string()).unwrap_or_default(),
        detail,
    }
}

/// What concerns a site as a whole.
fn at_site(kind: &'static str, site: &SiteId, detail: String) -> Shown {
    Shown { kind, subject: site.to_string(), site: Some(site.clone()), detail }
}

/// What concerns no one site.
fn nowhere(kind: &'static str, subject: &dyn ToString, detail: String) -> Shown {
    Shown { kind, subject: subject.to_string(), site: None, detail }
}

fn shown(registry: &Registry, of_incident: Option<&MachineId>, kind: &FactKind) -> Shown {
    let at = |machine: &MachineId| registry.machines().get(machine).map(|machine| machine.site.clone());
    let machine = |kind, machine: &MachineId, detail: String| Shown {
        kind,
        subject: machine.to_string(),
        site: at(machine),
        detail,
    };
    match kind {
        FactKind::SiteCreated(site) => {
            at_site("site_created", &site.id, format!("{}, {}", site.display_name, site.time_zone))
        }
        FactKind::SiteChanged(change) => {
            let news = [("name", &change.display_name), ("time zone", &change.time_zone)];
            at_site("site_changed", &change.site, changed(&news))
        }
        FactKind::MachineCreated(new) => machine("machine_created", &new.id, new.display_name.clone()),
        FactKind::MachineChanged(change) => {
            machine("machine_changed", &change.machine, machine_change(change))
        }
        FactKind::MachinesArranged(arrangement) => {
            let machines = format!("{} machines", arrangement.places.len());
            at_site("machines_arranged", &arrangement.site, machines)
        }
        FactKind::CredentialRenewed(named) => machine("credential_renewed", &named.machine, String::new()),
        FactKind::CredentialRevoked(named) => machine("credential_revoked", &named.machine, String::new()),
        FactKind::StopAcknowledged(stop) => machine("stop_acknowledged", &stop.machine, String::new()),
        FactKind::UserCreated(new) => nowhere("user_created", &new.user.name, granted(&new.user.grants)),
        FactKind::UserChanged(change) => nowhere("user_changed", &change.user, user_change(change)),
        FactKind::PasswordSet(new) => nowhere("password_set", &new.user, String::new()),
        FactKind::PreferencesSet(new) => nowhere("preferences_set", &new.user, String::new()),
        FactKind::LinkMade(link) => link_made(&link.kind),
        FactKind::SignedIn(sign_in) => nowhere("signed_in", &sign_in.user, from(&sign_in.peer)),
        FactKind::SignedOut(out) => signed_out(out),
        FactKind::TokenCreated(token) => {
            nowhere("token_created", &token.display_name, granted(&token.grants))
        }
        FactKind::TokenRevoked(named) => nowhere("token_revoked", &named.number, String::new()),
        FactKind::AccessRefused(refusal) => nowhere("access_refused", &refusal.subject, refused(refusal)),
        FactKind::ThresholdsSet(new) => thresholds_set(registry, new),
        FactKind::ServiceChanged(change) => machine("service_changed", &change.machine, service(change)),
        FactKind::Commissioned(new) => machine("commissioned", &new.machine, commissioned(new)),
        FactKind::StaffedHoursSet(new) => at_site("staffed_hours_set", &new.site, hours(new.hours.as_ref())),
        FactKind::IncidentStepped(stepped) => incidents::stepped(registry, of_incident, stepped),
        FactKind::DrillStarted(new) => {
            machine("drill_started", &new.machine, format!("until {}", text_of(new.until)))
        }
        FactKind::DrillEnded(end) => {
            machine("drill_ended", &end.machine, format!("that of entry {}", end.drill))
        }
        FactKind::ContactSet(new) => incidents::contact_set(new),
        FactKind::ContactEnded(ended) => nowhere("contact_ended", &ended.name, String::new()),
        FactKind::PolicySet(change) => incidents::policy_set(change),
        FactKind::HeadAnchored(anchoring) => incidents::anchored(anchoring),
        FactKind::OpeningSet(new) => at_site("opening_set", &new.site, opening(new)),
        FactKind::CourseCreated(new) => courses::created(new),
        FactKind::CourseChanged(change) => courses::changed(registry, change),
        FactKind::CourseEnded(end) => courses::ended(registry, end.course),
        FactKind::SessionLabelled(label) => courses::labelled(label),
        FactKind::MaintenanceSet(new) => courses::maintenance_set(registry, new),
        FactKind::MachineMaintained(new) => {
            machine("machine_maintained", &new.machine, courses::maintained(new))
        }
        FactKind::Enrolment(what) => enrolments::shown(registry, what),
    }
}

/// For whom a link is, and what for.
fn link_made(kind: &LinkKind) -> Shown {
    let (user, purpose) = match kind {
        LinkKind::FirstAdministrator => (String::new(), "for the first administrator"),
        LinkKind::Password { user } => (user.to_string(), "to set a password"),
        LinkKind::SignIn { user } => (user.to_string(), "to sign in"),
    };
    nowhere("link_made", &user, purpose.to_owned())
}

fn signed_out(out: &SignOut) -> Shown {
    let all = if out.session.is_none() { "everywhere" } else { "" };
    nowhere("signed_out", &out.user, all.to_owned())
}

fn refused(refusal: &Refusal) -> String {
    let times = if refusal.count > 1 { format!(", {} times", refusal.count) } else { String::new() };
    let detail = format!("{}: {}{times} {}", refusal.method, refusal.reason, from(&refusal.peer));
    detail.trim_end().to_owned()
}

fn service(change: &ServiceChange) -> String {
    match &change.out_of_service {
        Some(reason) => format!("out of service: {reason}"),
        None => "back in service".to_owned(),
    }
}

/// For what something was set, and the one site that it concerns.
fn scoped(registry: &Registry, scope: &SettingScope) -> (String, Option<SiteId>) {
    match scope {
        SettingScope::Site(site) => (site.to_string(), Some(site.clone())),
        SettingScope::Model(model) => (model.clone(), None),
        SettingScope::Machine(machine) => {
            let site = registry.machines().get(machine).map(|machine| machine.site.clone());
            (machine.to_string(), site)
        }
    }
}

fn thresholds_set(registry: &Registry, new: &NewThresholds) -> Shown {
    let (subject, site) = scoped(registry, &new.scope);
    let set = new.values.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}: {value}"),
        None => format!("{name}: taken away"),
    });
    let detail = set.collect::<Vec<_>>().join(", ");
    Shown { kind: "thresholds_set", subject, site, detail }
}

/// What a commissioning has shown, such as `direction proven, 2 stops measured: by the service`.
fn commissioned(new: &NewCommissioning) -> String {
    let proven = if new.direction_proven { "direction proven" } else { "direction not proven" };
    let mut shown = vec![proven.to_owned()];
    if !new.stops.is_empty() {
        shown.push(format!("{} stops measured", new.stops.len()));
    }
    if new.silent_on_stop {
        shown.push("silent at standstill".to_owned());
    }
    if new.incline_is_target {
        shown.push("incline is a target".to_owned());
    }
    let note = if new.note.is_empty() { String::new() } else { format!(": {}", new.note) };
    format!("{}{note}", shown.join(", "))
}

/// Days of a week, from Monday on.
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Such as `hours: Mon 06:00-12:00, weeks begin: Sun`.
fn opening(new: &NewOpening) -> String {
    let hours = new.hours.as_ref().map(|new| hours(new.days.as_ref()));
    let first = new.first_weekday.and_then(|day| DAYS.get(usize::from(day))).map(|day| (*day).to_owned());
    changed(&[("hours", &hours), ("weeks begin", &first)])
}

fn hours(days: Option<&StaffedDays>) -> String {
    days.map_or_else(|| "none".to_owned(), staffed)
}

/// Spans of a week, such as `Mon 06:00-12:00, Sat 08:00-24:00`.
pub(crate) fn staffed(days: &StaffedDays) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let spans = DAYS.iter().zip(days).flat_map(|(name, spans)| {
        spans.iter().map(move |(begin, end)| format!("{name} {}-{}", clock(*begin), clock(*end)))
    });
    let spans = spans.collect::<Vec<_>>().join(", ");
    if spans.is_empty() { "never".to_owned() } else { spans }
}

/// What somebody was given, such as `staff at north; viewer at all sites`.
fn granted(grants: &[Grant]) -> String {
    let granted = grants.iter().map(|grant| {
        let role = match grant.role {
            Role::Viewer => "viewer",
            Role::Staff => "staff",
            Role::Therapist => "therapist",
            Role::Manager => "manager",
            Role::Technician => "technician",
            Role::Auditor => "auditor",
            Role::Administrator => "administrator",
        };
        let named: Vec<&str> = grant.sites.iter().take(SITES_NAMED).map(SiteId::as_str).collect();
        match grant.sites.len() {
            0 => format!("{role} at all sites"),
            count if count <= SITES_NAMED => format!("{role} at {}", named.join(", ")),
            count => format!("{role} at {} and {} more", named.join(", "), count - SITES_NAMED),
        }
    });
    granted.collect::<Vec<_>>().join("; ")
}

fn machine_change(change: &MachineChange) -> String {
    let belt = change.belt.map(|belt| format!("{belt:?}"));
    let drive = change.drive.map(|drive| format!("{drive:?}"));
    let site = change.site.as_ref().map(ToString::to_string);
    changed(&[
        ("name", &change.display_name),
        ("model", &change.model),
        ("belt", &belt),
        ("drive", &drive),
        ("moved to", &site),
    ])
}

fn user_change(change: &UserChange) -> String {
    let grants = change.grants.as_deref().map(granted);
    let disabled = change.disabled.map(|disabled| disabled.to_string());
    let end = change.end.map(|end| if end.expires.is_some() { "set" } else { "none" }.to_owned());
    changed(&[("name", &change.display_name), ("may", &grants), ("disabled", &disabled), ("end", &end)])
}

fn from(peer: &str) -> String {
    if peer.is_empty() { String::new() } else { format!("from {peer}") }
}

fn changed(news: &[(&str, &Option<String>)]) -> String {
    let news = news.iter().filter_map(|(what, new)| new.as_ref().map(|new| format!("{what}: {new}")));
    news.collect::<Vec<_>>().join(", ")
}
