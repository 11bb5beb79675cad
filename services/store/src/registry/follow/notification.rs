//! What follows from facts of who is told of incidents.

use domain::handling::HandlingState;
use domain::ids::SiteId;
use domain::limits::{ANCHORS_KEPT_MAX, CHAIN_STEPS_MAX, CONTACTS_MAX, DEADLINES_MAX};

use super::{Change, Changes};
use crate::bounds::{invalid, room};
use crate::fact::{Anchoring, PolicyChange};
use crate::registry::{ChainStep, Contact, Deadline, Entry, Policy, PolicyPart, Registry};
use crate::{StoreError, StoreErrorKind};

/// Longest wait of a step, in seconds.
const AFTER_SECONDS_MAX: u32 = 86_400;

impl Registry {
    pub(super) fn contact_set(&self, contact: &Contact) -> Changes {
        let name = &contact.name;
        if domain::ids::SiteId::new(name).is_err() {
            return Err(invalid(format!(
                "the contact's name is \"{name}\"; 1 to 64 of a-z, 0-9 and hyphen are allowed"
            )));
        }
        if let Some(site) = &contact.site {
            self.site(site)?;
        }
        contact.way.check().map_err(|why| invalid(format!("where contact \"{name}\" is told {why}")))?;
        if let Some(before) = self.contact(name) {
            if before.site != contact.site {
                return Err(invalid(format!(
                    "contact \"{name}\" stands for another site; take it away first"
                )));
            }
        } else {
            room("contacts", self.contacts.len(), CONTACTS_MAX)?;
        }
        Ok(vec![Change::Put(Entry::Contact(contact.clone()))])
    }

    /// A contact that a chain still names stays.
    pub(super) fn contact_ended(&self, name: &str) -> Changes {
        if self.contact(name).is_none() {
            return Err(no_contact(name));
        }
        let names =
            |policy: &&std::sync::Arc<Policy>| policy.chain.iter().flatten().any(|step| step.contact == name);
        if let Some(policy) = self.policies.values().find(names) {
            let whose = policy
                .site
                .as_ref()
                .map_or_else(|| "all sites".to_owned(), |site| format!("site \"{site}\""));
            let context =
                format!("the chain of {whose} tells contact \"{name}\"; take it out of the chain first");
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        Ok(vec![Change::EndContact(name.to_owned())])
    }

    pub(super) fn policy_set(&self, change: &PolicyChange) -> Changes {
        if let Some(site) = &change.site {
            self.site(site)?;
        }
        for step in change.chain.iter().flatten() {
            self.check_step(step, change.site.as_ref())?;
        }
        bounded("steps of a chain", change.chain.as_ref().map_or(0, Vec::len), CHAIN_STEPS_MAX)?;
        change.deadlines.iter().flatten().try_for_each(check_deadline)?;
        bounded("deadlines", change.deadlines.as_ref().map_or(0, Vec::len), DEADLINES_MAX)?;
        if change.service.is_some_and(|rule| rule.count > 100 || !(1..=90).contains(&rule.days)) {
            return Err(invalid("a machine is tagged after 0 to 100 incidents within 1 to 90 days"));
        }
        check_cleared(change)?;
        let known = self.own_policy(change.site.as_ref()).cloned();
        let mut policy = known.unwrap_or_else(|| Policy { site: change.site.clone(), ..Policy::default() });
        for part in &change.cleared {
            match part {
                PolicyPart::Chain => policy.chain = None,
                PolicyPart::Deadlines => policy.deadlines = None,
                PolicyPart::OutOfService => policy.service = None,
            }
        }
        policy.chain = change.chain.clone().or(policy.chain);
        policy.deadlines = change.deadlines.clone().or(policy.deadlines);
        policy.service = change.service.or(policy.service);
        Ok(vec![Change::Put(Entry::Policy(policy))])
    }

    fn check_step(&self, step: &ChainStep, site: Option<&SiteId>) -> Result<(), StoreError> {
        let contact = self.contact(&step.contact).ok_or_else(|| no_contact(&step.contact))?;
        if contact.site.is_some() && contact.site.as_ref() != site {
            return Err(invalid(format!("contact \"{}\" stands for another site", step.contact)));
        }
        if step.after_seconds > AFTER_SECONDS_MAX {
            let after = step.after_seconds;
            return Err(invalid(format!("a step waits {after} s; at most {AFTER_SECONDS_MAX} are allowed")));
        }
        Ok(())
    }

    pub(super) fn head_anchored(&self, anchor: &Anchoring) -> Vec<Change> {
        match self.anchors.len() {
            0..ANCHORS_KEPT_MAX => vec![Change::Put(Entry::Anchor(anchor.clone()))],
            _ => Vec::new(),
        }
    }
}

/// What is taken back is named once and not set as well.
fn check_cleared(change: &PolicyChange) -> Result<(), StoreError> {
    for (place, part) in change.cleared.iter().enumerate() {
        let is_set = match part {
            PolicyPart::Chain => change.chain.is_some(),
            PolicyPart::Deadlines => change.deadlines.is_some(),
            PolicyPart::OutOfService => change.service.is_some(),
        };
        if is_set || change.cleared[..place].contains(part) {
            let name = part.name();
            return Err(invalid(format!(
                "{name} is taken back and set, or taken back twice; one is allowed"
            )));
        }
    }
    Ok(())
}

fn check_deadline(deadline: &Deadline) -> Result<(), StoreError> {
    let count = deadline.name.chars().count();
    if !(1..=60).contains(&count) {
        return Err(invalid(format!("the name of a deadline has {count} characters; 1 to 60 are allowed")));
    }
    if !(1..=2_160).contains(&deadline.hours) {
        return Err(invalid(format!("a deadline is after {} hours; 1 to 2160 are allowed", deadline.hours)));
    }
    match deadline.until {
        HandlingState::Acknowledged | HandlingState::Closed => Ok(()),
        // Everything is open from the beginning, and when somebody took it on is not kept.
        HandlingState::Open | HandlingState::InProgress => Err(invalid(format!(
            "a deadline is met by {}; acknowledged and closed are allowed",
            deadline.until.name()
        ))),
    }
}

fn bounded(what: &str, count: usize, max: usize) -> Result<(), StoreError> {
    if count <= max {
        Ok(())
    } else {
        Err(invalid(format!("there are {count} {what}; at most {max} are allowed")))
    }
}

fn no_contact(name: &str) -> StoreError {
    invalid(format!("there is no contact \"{name}\""))
}
