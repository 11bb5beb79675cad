//! What follows from facts of enrolment.

use domain::ids::MachineId;
use domain::limits::{ENROLMENT_CODES_MAX, ENROLMENT_MACHINES_MAX, ENROLMENTS_MAX};
use domain::units::UnixMicros;

use super::{Change, Changes, TOKEN_KEPT_US};
use crate::fact::{EnrolmentApproval, EnrolmentFact, NewEnrolled};
use crate::registry::{
    Enrolment, EnrolmentCode, EnrolmentCodeState, EnrolmentStanding, EnrolmentTarget, EnrolmentUse, Entry,
    Registry,
};
use crate::{StoreError, StoreErrorKind, bounds};

impl Registry {
    pub(super) fn enrolment_followed(&self, number: u64, what: &EnrolmentFact, now: UnixMicros) -> Changes {
        match what {
            EnrolmentFact::CodeMade(code) => self.enrolment_code_made(number, code, now),
            EnrolmentFact::CodeRevoked { code } => self.enrolment_code_revoked(*code, now),
            EnrolmentFact::CodeTried { code } => self.enrolment_code_tried(*code, now),
            EnrolmentFact::Enrolled(new) => self.machine_enrolled(new, now),
            EnrolmentFact::Asked(new) => self.enrolment_asked(number, new, now),
            EnrolmentFact::Approved(new) => self.enrolment_approved(new, now),
            EnrolmentFact::Refused { number } => self.enrolment_refused(*number, now),
        }
    }

    fn enrolment_code_made(&self, number: u64, code: &EnrolmentCode, now: UnixMicros) -> Changes {
        match &code.target {
            EnrolmentTarget::Machine { machine } => {
                self.machine(machine)?;
            }
            EnrolmentTarget::Site { site, machines_max } => {
                self.site(site)?;
                if !(1..=ENROLMENT_MACHINES_MAX).contains(machines_max) {
                    return Err(bounds::invalid(format!(
                        "machines_max is {machines_max}; 1 to {ENROLMENT_MACHINES_MAX} are allowed"
                    )));
                }
            }
        }
        if self.enrolment_codes.contains_key(&code.id) {
            return Err(bounds::taken("enrolment code", &format!("{:06x}", code.id)));
        }
        let mut changes = self.enrolment_codes_forgotten(now);
        let kept = self.enrolment_codes.len() - changes.len();
        bounds::room("open enrolment codes", kept, ENROLMENT_CODES_MAX)?;
        let made =
            EnrolmentCode { number, revoked: None, wrong_tries: 0, came: 0, used: None, ..code.clone() };
        changes.push(Change::Put(Entry::EnrolmentCode(made)));
        Ok(changes)
    }

    /// Codes that make room for another: those that ended long ago, and as many more of those that have ended as are needed,
    /// from the one that ended first on. What is open stays.
    fn enrolment_codes_forgotten(&self, now: UnixMicros) -> Vec<Change> {
        let is_old = |code: &EnrolmentCode| code.expires.plus(TOKEN_KEPT_US) <= now;
        let (old, mut kept): (Vec<_>, Vec<_>) = self.enrolment_codes().partition(|code| is_old(code));
        let surplus = (kept.len() + 1).saturating_sub(ENROLMENT_CODES_MAX);
        if surplus == 0 {
            kept.clear();
        }
        let ended = kept.into_iter().filter_map(|code| Some((code.ended(now)?, code.id)));
        let mut ended: Vec<_> = ended.collect();
        ended.sort_unstable();
        let more = ended.into_iter().take(surplus).map(|(_, id)| id);
        old.into_iter().map(|code| code.id).chain(more).map(Change::ForgetEnrolmentCode).collect()
    }

    fn enrolment_code_revoked(&self, code: u32, now: UnixMicros) -> Changes {
        let code = self.code(code)?;
        let revoked = code.revoked.or(Some(now));
        Ok(vec![Change::Put(Entry::EnrolmentCode(EnrolmentCode { revoked, ..code.clone() }))])
    }

    fn enrolment_code_tried(&self, code: u32, now: UnixMicros) -> Changes {
        let code = self.open_code(code, now)?;
        let wrong_tries = code.wrong_tries.saturating_add(1);
        Ok(vec![Change::Put(Entry::EnrolmentCode(EnrolmentCode { wrong_tries, ..code.clone() }))])
    }

    /// One agent alone uses a code for one machine.
    fn machine_enrolled(&self, new: &NewEnrolled, now: UnixMicros) -> Changes {
        let code = self.open_code(new.code, now)?;
        if !matches!(&code.target, EnrolmentTarget::Machine { machine } if *machine == new.machine) {
            let context = format!("the code {:06x} is not for machine \"{}\"", new.code, new.machine);
            return Err(bounds::invalid(context));
        }
        let mut changes = self.credential_renewed(&new.machine)?;
        let generation = self.machine(&new.machine)?.key_generation + 1;
        let used = Some(EnrolmentUse { nonce: new.nonce, at: now, generation });
        let code = EnrolmentCode { used, came: 1, ..code.clone() };
        changes.push(Change::Put(Entry::EnrolmentCode(code)));
        Ok(changes)
    }

    /// An agent came with a site's code. What was answered long ago makes room.
    fn enrolment_asked(&self, number: u64, new: &Enrolment, now: UnixMicros) -> Changes {
        let code = self.open_code(new.code, now)?;
        if !matches!(&code.target, EnrolmentTarget::Site { site, .. } if *site == new.site) {
            let context = format!("the code {:06x} is not for site \"{}\"", new.code, new.site);
            return Err(bounds::invalid(context));
        }
        if self.enrolments.contains_key(&new.nonce) {
            return Err(bounds::taken("nonce of an agent", &number.to_string()));
        }
        let over = |one: &&Enrolment| one.ends() <= now;
        let mut changes: Vec<Change> =
            self.enrolments().filter(over).map(|one| Change::ForgetEnrolment(one.nonce)).collect();
        bounds::room("agents that wait", self.enrolments.len() - changes.len(), ENROLMENTS_MAX)?;
        let code = EnrolmentCode { came: code.came + 1, ..code.clone() };
        changes.push(Change::Put(Entry::EnrolmentCode(code)));
        let asked = Enrolment { number, asked: now, standing: EnrolmentStanding::Waiting, ..new.clone() };
        changes.push(Change::Put(Entry::Enrolment(asked)));
        Ok(changes)
    }

    fn enrolment_approved(&self, new: &EnrolmentApproval, now: UnixMicros) -> Changes {
        let waiting = self.waiting(new.number, now)?;
        let (mut changes, generation) = match &new.created {
            Some(machine) if machine.id != new.machine || machine.site != waiting.site => {
                return Err(bounds::invalid("the machine is not the one that was made for the code's site"));
            }
            Some(machine) => (self.machine_created(machine)?, machine.key_generation),
            None => {
                let machine = self.machine(&new.machine)?;
                if machine.site != waiting.site {
                    let (machine, site) = (&new.machine, &waiting.site);
                    let context = format!("machine \"{machine}\" does not stand at \"{site}\"");
                    return Err(bounds::invalid(context));
                }
                let changes = self.credential_renewed(&new.machine)?;
                (changes, machine.key_generation + 1)
            }
        };
        let machine = new.machine.clone();
        let standing = EnrolmentStanding::Approved { machine, generation, at: now };
        changes.push(Change::Put(Entry::Enrolment(Enrolment { standing, ..waiting.clone() })));
        Ok(changes)
    }

    fn enrolment_refused(&self, number: u64, now: UnixMicros) -> Changes {
        let waiting = self.waiting(number, now)?;
        let standing = EnrolmentStanding::Refused { at: now };
        Ok(vec![Change::Put(Entry::Enrolment(Enrolment { standing, ..waiting.clone() }))])
    }

    /// Whatever made a machine's credential bad was no reason to trust a code that was made before.
    pub(super) fn end_codes_of(&self, id: &MachineId, now: UnixMicros) -> Vec<Change> {
        let of_machine = |code: &&EnrolmentCode| {
            let is_own = matches!(&code.target, EnrolmentTarget::Machine { machine } if machine == id);
            is_own && code.state(now) == EnrolmentCodeState::Open
        };
        let end = |code: &EnrolmentCode| EnrolmentCode { revoked: Some(now), ..code.clone() };
        let open = self.enrolment_codes().filter(of_machine);
        open.map(|code| Change::Put(Entry::EnrolmentCode(end(code)))).collect()
    }

    fn code(&self, id: u32) -> Result<&EnrolmentCode, StoreError> {
        let none = || bounds::invalid(format!("there is no enrolment code {id:06x}"));
        self.enrolment_code(id).ok_or_else(none)
    }

    fn open_code(&self, id: u32, now: UnixMicros) -> Result<&EnrolmentCode, StoreError> {
        let code = self.code(id)?;
        if code.state(now) == EnrolmentCodeState::Open {
            return Ok(code);
        }
        let context = format!("the enrolment code {id:06x} is no longer good");
        Err(StoreError::new(StoreErrorKind::Conflict, context))
    }

    fn waiting(&self, number: u64, now: UnixMicros) -> Result<&Enrolment, StoreError> {
        let none = || bounds::invalid(format!("there is no agent {number} that came with a site's code"));
        let found = self.enrolment_number(number).ok_or_else(none)?;
        if found.is_waiting(now) {
            return Ok(found);
        }
        let context = format!("the agent {number} does not wait any more");
        Err(StoreError::new(StoreErrorKind::Conflict, context))
    }
}
