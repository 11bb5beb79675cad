//! Policies: who is told, by when something has to be done, when a machine is taken out of service.

use domain::handling::HandlingState;
use domain::ids::SiteId;
use domain::incident::Severity;
use domain::limits::{CHAIN_STEPS_MAX, DEADLINES_MAX};
use prost_types::FieldMask;
use store::fact::{FactKind, FactOutcome, PolicyChange};
use store::registry::{ChainStep, Deadline, PolicyPart, Registry, ServiceRule, Staffing};
use wire::api::v1;

use super::{Notifications, everywhere, request_id_reused};
use crate::access::{Caller, Scope};
use crate::admin::masked;
use crate::check::{Check, quoted};
use crate::incident::show::severity;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

/// What can be changed of a policy, in the order of `PolicyPart::ALL`.
const FIELDS: [&str; 3] = ["chain", "deadlines", "out_of_service"];
/// Policies of sites in one answer: each may have some kilobytes.
const SITES_SHOWN_MAX: usize = 1_000;
/// Longest wait of a step, in seconds.
const AFTER_SECONDS_MAX: u32 = 86_400;
/// Longest name of a deadline, in characters.
const DEADLINE_CHARACTERS_MAX: usize = 60;
const DEADLINE_HOURS: std::ops::RangeInclusive<u32> = 1..=2_160;
const SERVICE_COUNT_MAX: u32 = 100;
const SERVICE_DAYS: std::ops::RangeInclusive<u32> = 1..=90;

impl Notifications {
    pub(super) fn policies(
        &self,
        scope: &Scope,
        request: &v1::ListPoliciesRequest,
    ) -> Result<v1::ListPoliciesResponse, ApiError> {
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        check.finish()?;
        let visible = self.visible(scope);
        let registry = visible.registry();
        if let Some(site) = &site {
            visible.site(site)?;
            return Ok(v1::ListPoliciesResponse { policies: vec![policy(registry, Some(site))] });
        }
        let count = visible.sites(None).count();
        if count > SITES_SHOWN_MAX {
            let description =
                format!("leaves {count} sites; at most {SITES_SHOWN_MAX} can be listed together: name one");
            return Err(Violation { field: "site_id", description }.into());
        }
        let sites = visible.sites(None).map(|site| policy(registry, Some(&site.id)));
        Ok(v1::ListPoliciesResponse {
            policies: std::iter::once(policy(registry, None)).chain(sites).collect(),
        })
    }

    pub(super) async fn update(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::UpdatePolicyRequest,
    ) -> Result<v1::UpdatePolicyResponse, ApiError> {
        let mut check = Check::default();
        let new = request.policy.unwrap_or_default();
        let site = check.optional_id::<SiteId>("policy.site_id", &new.site_id);
        check.finish()?;
        let visible = self.visible(&scope);
        may_change(&visible, &scope, site.as_ref())?;
        let mut check = Check::default();
        let cleared = check.cleared_parts(&request.cleared, request.update_mask.as_ref());
        let fields = match (&request.update_mask, cleared.is_empty()) {
            (None, false) => Vec::new(),
            (mask, _) => masked(&mut check, mask.as_ref(), &FIELDS),
        };
        let has = |field: &str| fields.contains(&field);
        let registry = visible.registry();
        let chain = has("chain").then(|| check.chain(&new.chain, site.as_ref(), registry));
        let deadlines = has("deadlines").then(|| check.deadlines(&new.deadlines));
        let service = has("out_of_service").then(|| check.service_rule(&new));
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let change = PolicyChange { site: site.clone(), chain, deadlines, service, cleared };
        let kind = FactKind::PolicySet(change);
        match self.add(&caller, request_id, kind.clone()).await? {
            FactOutcome::Added(_) => {}
            FactOutcome::Repeated(_, fact) if fact.kind == kind => {}
            FactOutcome::Repeated(..) => return Err(request_id_reused()),
        }
        let registry = self.ledger.registry();
        Ok(v1::UpdatePolicyResponse { policy: Some(policy(&registry, site.as_ref())) })
    }
}

fn may_change(visible: &Visible, scope: &Scope, site: Option<&SiteId>) -> Result<(), ApiError> {
    match site {
        Some(site) => visible.site(site).map(drop),
        None => everywhere(scope),
    }
}

/// What holds for a site, or with `None` for all that have nothing of their own.
fn policy(registry: &Registry, site: Option<&SiteId>) -> v1::Policy {
    let own = registry.own_policy(site);
    let (chain, deadlines, service) = match site {
        Some(site) => (registry.chain(site), registry.deadlines(site), registry.service_rule(site)),
        None => (
            own.and_then(|own| own.chain.as_deref()).unwrap_or_default(),
            own.and_then(|own| own.deadlines.as_deref()).unwrap_or_default(),
            own.and_then(|own| own.service).unwrap_or_default(),
        ),
    };
    let set = own.map_or([false; FIELDS.len()], |own| {
        [own.chain.is_some(), own.deadlines.is_some(), own.service.is_some()]
    });
    let set = FIELDS.iter().zip(set).filter(|(_, is_set)| *is_set);
    v1::Policy {
        site_id: site.map(ToString::to_string).unwrap_or_default(),
        chain: chain.iter().map(show_step).collect(),
        deadlines: deadlines.iter().map(show_deadline).collect(),
        out_of_service_count: service.count,
        out_of_service_days: service.days,
        own: set.map(|(field, _)| (*field).to_owned()).collect(),
    }
}

fn show_step(step: &ChainStep) -> v1::ChainStep {
    let staffing = match step.staffing {
        Staffing::Always => v1::Staffing::Always,
        Staffing::Staffed => v1::Staffing::Staffed,
        Staffing::Unstaffed => v1::Staffing::Unstaffed,
    };
    v1::ChainStep {
        contact: step.contact.clone(),
        least_severity: severity(step.least),
        after_seconds: step.after_seconds,
        staffing: staffing.into(),
    }
}

fn show_deadline(deadline: &Deadline) -> v1::Deadline {
    let until = match deadline.until {
        HandlingState::Open => v1::HandlingState::Open,
        HandlingState::Acknowledged => v1::HandlingState::Acknowledged,
        HandlingState::InProgress => v1::HandlingState::InProgress,
        HandlingState::Closed => v1::HandlingState::Closed,
    };
    v1::Deadline {
        name: deadline.name.clone(),
        least_severity: severity(deadline.least),
        hours: deadline.hours,
        until: until.into(),
    }
}

impl Check {
    /// What is taken back: each once, and nothing that is set as well.
    fn cleared_parts(&mut self, names: &[String], mask: Option<&FieldMask>) -> Vec<PolicyPart> {
        let mut cleared = Vec::new();
        for name in names {
            let Some(part) = PolicyPart::ALL.into_iter().find(|part| part.name() == name) else {
                self.wrong("cleared", format!("names {}; {} are known", quoted(name), FIELDS.join(", ")));
                continue;
            };
            let is_set = mask.is_some_and(|mask| mask.paths.contains(name));
            if is_set || cleared.contains(&part) {
                let also = if is_set { "in update_mask, too" } else { "more than once" };
                self.wrong("cleared", format!("names {name} {also}; one of both, and once, is allowed"));
            }
            cleared.push(part);
        }
        // A longer list names something twice.
        cleared.truncate(FIELDS.len());
        cleared
    }

    fn chain(
        &mut self,
        steps: &[v1::ChainStep],
        site: Option<&SiteId>,
        registry: &Registry,
    ) -> Vec<ChainStep> {
        if steps.len() > CHAIN_STEPS_MAX {
            let count = steps.len();
            self.wrong("policy.chain", format!("has {count} steps; at most {CHAIN_STEPS_MAX} are allowed"));
        }
        let steps = steps.iter().take(CHAIN_STEPS_MAX);
        steps.filter_map(|step| self.step(step, site, registry)).collect()
    }

    fn step(
        &mut self,
        step: &v1::ChainStep,
        site: Option<&SiteId>,
        registry: &Registry,
    ) -> Option<ChainStep> {
        self.chain_contact(&step.contact, site, registry);
        let least = self.least("policy.chain.least_severity", step.least_severity);
        let after = step.after_seconds;
        if after > AFTER_SECONDS_MAX {
            let allowed = format!("0 to {AFTER_SECONDS_MAX} are allowed");
            self.wrong("policy.chain.after_seconds", format!("is {after}; {allowed}"));
        }
        let staffing = match v1::Staffing::try_from(step.staffing) {
            Ok(v1::Staffing::Unspecified | v1::Staffing::Always) => Staffing::Always,
            Ok(v1::Staffing::Staffed) => Staffing::Staffed,
            Ok(v1::Staffing::Unstaffed) => Staffing::Unstaffed,
            Err(_) => {
                self.wrong("policy.chain.staffing", format!("is {}; 0 to 3 are known", step.staffing));
                return None;
            }
        };
        Some(ChainStep { contact: step.contact.clone(), least: least?, after_seconds: after, staffing })
    }

    /// A contact of another site is not there for this one.
    fn chain_contact(&mut self, name: &str, site: Option<&SiteId>, registry: &Registry) {
        let known = registry.contact(name);
        let fits = |of: &Option<SiteId>| of.is_none() || of.as_ref() == site;
        if known.is_some_and(|contact| fits(&contact.site)) {
            return;
        }
        let whose =
            site.map_or_else(|| "for all sites".to_owned(), |site| format!("for site \"{site}\" or for all"));
        let description = format!("is {}; there is no such contact {whose}: make it first", quoted(name));
        self.wrong("policy.chain.contact", description);
    }

    fn deadlines(&mut self, deadlines: &[v1::Deadline]) -> Vec<Deadline> {
        if deadlines.len() > DEADLINES_MAX {
            let count = deadlines.len();
            self.wrong(
                "policy.deadlines",
                format!("has {count} entries; at most {DEADLINES_MAX} are allowed"),
            );
        }
        let deadlines = deadlines.iter().take(DEADLINES_MAX);
        deadlines.filter_map(|deadline| self.deadline(deadline)).collect()
    }

    fn deadline(&mut self, deadline: &v1::Deadline) -> Option<Deadline> {
        let name = self.text("policy.deadlines.name", &deadline.name, DEADLINE_CHARACTERS_MAX);
        if name.is_empty() {
            let allowed = format!("1 to {DEADLINE_CHARACTERS_MAX} characters are allowed");
            self.wrong("policy.deadlines.name", format!("is empty; {allowed}"));
        }
        let least = self.least("policy.deadlines.least_severity", deadline.least_severity);
        let hours = deadline.hours;
        if !DEADLINE_HOURS.contains(&hours) {
            self.wrong("policy.deadlines.hours", format!("is {hours}; 1 to 2160 are allowed"));
        }
        let until = match v1::HandlingState::try_from(deadline.until) {
            Ok(v1::HandlingState::Acknowledged) => HandlingState::Acknowledged,
            Ok(v1::HandlingState::Closed) => HandlingState::Closed,
            // When somebody took an incident on is not kept, so nothing could say that it was met.
            Ok(v1::HandlingState::Unspecified | v1::HandlingState::Open | v1::HandlingState::InProgress)
            | Err(_) => {
                let allowed = "2 (acknowledged) and 4 (closed) are allowed";
                self.wrong("policy.deadlines.until", format!("is {}; {allowed}", deadline.until));
                return None;
            }
        };
        Some(Deadline { name, least: least?, hours, until })
    }

    fn service_rule(&mut self, policy: &v1::Policy) -> ServiceRule {
        let (count, days) = (policy.out_of_service_count, policy.out_of_service_days);
        if count > SERVICE_COUNT_MAX {
            let allowed = format!("0 to {SERVICE_COUNT_MAX} are allowed");
            self.wrong("policy.out_of_service_count", format!("is {count}; {allowed}"));
        }
        if !SERVICE_DAYS.contains(&days) {
            self.wrong("policy.out_of_service_days", format!("is {days}; 1 to 90 are allowed"));
        }
        ServiceRule { count, days }
    }

    /// The least severity of a step or deadline.
    fn least(&mut self, field: &'static str, value: i32) -> Option<Severity> {
        match v1::Severity::try_from(value) {
            Ok(v1::Severity::Info) => Some(Severity::Info),
            Ok(v1::Severity::Low) => Some(Severity::Low),
            Ok(v1::Severity::Medium) => Some(Severity::Medium),
            Ok(v1::Severity::High) => Some(Severity::High),
            Ok(v1::Severity::Critical) => Some(Severity::Critical),
            Ok(v1::Severity::Unspecified) | Err(_) => {
                self.wrong(field, format!("is {value}; 1 (info) to 5 (critical) are allowed"));
                None
            }
        }
    }
}
