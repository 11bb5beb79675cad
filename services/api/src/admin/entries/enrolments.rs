//! What was done about enrolment, as the audit says it.

use domain::ids::{MachineId, SiteId};
use store::fact::{EnrolmentApproval, EnrolmentFact, NewEnrolled};
use store::registry::{Enrolment, EnrolmentCode, EnrolmentTarget, Registry};

use super::{Shown, from};
use crate::check::text_of;

pub(super) fn shown(registry: &Registry, what: &EnrolmentFact) -> Shown {
    match what {
        EnrolmentFact::CodeMade(code) => made(registry, code),
        EnrolmentFact::CodeRevoked { code } => of_code(registry, "enrolment_code_revoked", *code),
        EnrolmentFact::CodeTried { code } => of_code(registry, "enrolment_code_tried", *code),
        EnrolmentFact::Enrolled(NewEnrolled { code, machine, peer, .. }) => Shown {
            kind: "machine_enrolled",
            subject: machine.to_string(),
            site: site_of(registry, machine),
            detail: format!("with the code {} {}", name(*code), from(peer)).trim_end().to_owned(),
        },
        EnrolmentFact::Asked(Enrolment { code, site, name: told, peer, .. }) => Shown {
            kind: "enrolment_asked",
            subject: told.clone(),
            site: Some(site.clone()),
            detail: format!("with the code {} {}", name(*code), from(peer)).trim_end().to_owned(),
        },
        EnrolmentFact::Approved(EnrolmentApproval { number, machine, created }) => {
            let how = if created.is_some() { "a new machine" } else { "instead of the agent that it had" };
            let (subject, site) = (machine.to_string(), site_of(registry, machine));
            let detail = format!("{how}; that of entry {number}");
            Shown { kind: "enrolment_approved", subject, site, detail }
        }
        EnrolmentFact::Refused { number } => {
            let site = registry.enrolment_number(*number).map(|one| one.site.clone());
            let detail = format!("that of entry {number}");
            Shown { kind: "enrolment_refused", subject: String::new(), site, detail }
        }
    }
}

fn made(registry: &Registry, code: &EnrolmentCode) -> Shown {
    let (whose, site) = of_target(registry, &code.target);
    let until = text_of(code.expires);
    let detail = match code.machines_max() {
        1 => format!("for {whose}, until {until}"),
        many => format!("for {whose}, until {until}, for at most {many} machines"),
    };
    Shown { kind: "enrolment_code_made", subject: name(code.id), site, detail }
}

/// One that was forgotten says no more than its identity.
fn of_code(registry: &Registry, kind: &'static str, id: u32) -> Shown {
    let of = registry.enrolment_code(id).map(|code| of_target(registry, &code.target));
    let (detail, site) = of.map_or((String::new(), None), |(whose, site)| (format!("for {whose}"), site));
    Shown { kind, subject: name(id), site, detail }
}

fn of_target(registry: &Registry, target: &EnrolmentTarget) -> (String, Option<SiteId>) {
    match target {
        EnrolmentTarget::Machine { machine } => (machine.to_string(), site_of(registry, machine)),
        EnrolmentTarget::Site { site, .. } => (site.to_string(), Some(site.clone())),
    }
}

fn site_of(registry: &Registry, machine: &MachineId) -> Option<SiteId> {
    registry.machines().get(machine).map(|machine| machine.site.clone())
}

fn name(code: u32) -> String {
    format!("{code:06x}")
}
