//! What follows from a fact: pure, the same in every engine.

mod course;
mod drill;
mod enrolment;
mod machine;
mod maintenance;
mod notification;
mod settings;

use std::sync::Arc;

use domain::ids::{MachineId, SiteId, UserName};
use domain::limits::{LINKS_MAX, TOKENS_MAX, USER_SIGN_INS_MAX, USERS_MAX};
use domain::units::UnixMicros;

use super::{
    ContactName, Entry, Grant, History, Link, LinkKind, Machine, Registry, Scope, SecretHash, SignIn, Site,
    Token, User,
};
use crate::fact::{Fact, FactKind, NewPassword, NewUser, SignOut, SiteChange, UserChange};
use crate::{StoreError, StoreErrorKind, bounds};

/// A token that ended so long ago makes room for new ones, in microseconds (90 days).
const TOKEN_KEPT_US: i64 = 90 * 24 * 3_600 * 1_000_000;

/// A change of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a fact makes few of them, and they live as long as its transaction"
)]
pub enum Change {
    /// The entry has this value now.
    Put(Entry),
    /// A session has ended.
    EndSignIn(SecretHash),
    /// A link is used up or no longer good.
    EndLink(SecretHash),
    /// A token that ended long ago is forgotten; its facts stay.
    ForgetToken(SecretHash),
    /// A contact is told nothing any more.
    EndContact(ContactName),
    /// A scope has no maintenance plan of its own any more.
    EndMaintenance(Scope),
    /// An enrolment code that ended long ago is forgotten; its facts stay.
    ForgetEnrolmentCode(u32),
    /// An agent that was answered, or waited in vain, is forgotten; its facts stay.
    ForgetEnrolment(SecretHash),
}

type Changes = Result<Vec<Change>, StoreError>;

impl Registry {
    /// What follows from a fact, if it gets this number.
    ///
    /// # Errors
    /// `Conflict` if it contradicts what is there: an id is taken, nobody would be left to administer, two machines
    /// would stand on one place. `Invalid` if it names what does not exist or sets what is not allowed. `Full` if a bound
    /// is reached.
    pub fn follow(&self, number: u64, fact: &Fact) -> Changes {
        match &fact.kind {
            FactKind::SiteCreated(site) => self.site_created(site),
            FactKind::SiteChanged(change) => self.site_changed(change, fact.time),
            FactKind::MachineCreated(machine) => self.machine_created(machine),
            FactKind::MachineChanged(change) => self.machine_changed(change, fact.time),
            FactKind::MachinesArranged(arrangement) => self.machines_arranged(arrangement),
            FactKind::CredentialRenewed(named) => self.credential_renewed(&named.machine),
            FactKind::CredentialRevoked(named) => self.credential_revoked(&named.machine, fact.time),
            FactKind::StopAcknowledged(acknowledgement) => self.stop_acknowledged(fact, acknowledgement),
            FactKind::UserCreated(new) => self.user_created(new),
            FactKind::UserChanged(change) => self.user_changed(change),
            FactKind::PasswordSet(new) => self.password_set(new),
            FactKind::PreferencesSet(new) => {
                self.with_user(&new.user, |user| user.preferences = new.preferences)
            }
            FactKind::LinkMade(link) => self.link_made(link, fact.time),
            FactKind::SignedIn(sign_in) => self.signed_in(sign_in, fact.time),
            FactKind::SignedOut(out) => self.signed_out(out),
            FactKind::TokenCreated(token) => self.token_created(number, token, fact.time),
            FactKind::TokenRevoked(named) => self.token_revoked(named.number, fact.time),
            FactKind::AccessRefused(_) => Ok(Vec::new()),
            FactKind::ThresholdsSet(new) => self.thresholds_set(new, fact.time),
            FactKind::ServiceChanged(change) => self.service_changed(change, fact.time),
            FactKind::Commissioned(new) => self.commissioned(new, fact.time),
            FactKind::StaffedHoursSet(new) => self.staffed_hours_set(new, fact.time),
            // The ledger keeps it with the incident.
            FactKind::IncidentStepped(_) => Ok(Vec::new()),
            FactKind::DrillStarted(new) => self.drill_started(number, fact, new),
            FactKind::DrillEnded(end) => self.drill_ended(end, fact.time),
            FactKind::ContactSet(new) => self.contact_set(&new.contact),
            FactKind::ContactEnded(end) => self.contact_ended(&end.name),
            FactKind::PolicySet(change) => self.policy_set(change),
            FactKind::HeadAnchored(anchor) => Ok(self.head_anchored(anchor)),
            FactKind::OpeningSet(new) => self.opening_set(new, fact.time),
            FactKind::CourseCreated(new) => self.course_created(number, fact, new),
            FactKind::CourseChanged(change) => self.course_changed(change),
            FactKind::CourseEnded(end) => self.course_ended(end.course, fact.time),
            FactKind::SessionLabelled(label) => self.session_labelled(label),
            FactKind::MaintenanceSet(new) => self.maintenance_set(new),
            FactKind::MachineMaintained(new) => self.machine_maintained(fact, new),
            FactKind::Enrolment(what) => self.enrolment_followed(number, what, fact.time),
        }
    }

    fn site_created(&self, site: &Site) -> Changes {
        if self.sites.contains_key(&site.id) {
            return Err(bounds::taken("site", site.id.as_str()));
        }
        Ok(vec![Change::Put(Entry::Site(Site { history: History::default(), ..site.clone() }))])
    }

    fn site_changed(&self, change: &SiteChange, time: UnixMicros) -> Changes {
        let before = self.site(&change.site)?;
        let mut site = Site::clone(before);
        set(&mut site.display_name, &change.display_name);
        set(&mut site.time_zone, &change.time_zone);
        site.note_change(before, time);
        Ok(vec![Change::Put(Entry::Site(site))])
    }

    fn user_created(&self, new: &NewUser) -> Changes {
        let user = &new.user;
        self.sites_exist(&user.grants)?;
        if self.users.contains_key(&user.name) {
            return Err(bounds::taken("user", user.name.as_str()));
        }
        bounds::room("users", self.users.len(), USERS_MAX)?;
        let mut changes = self.use_link(new.link)?;
        changes.push(Change::Put(Entry::User(user.clone())));
        Ok(changes)
    }

    fn user_changed(&self, change: &UserChange) -> Changes {
        self.sites_exist(change.grants.as_deref().unwrap_or_default())?;
        let mut user = User::clone(self.user(&change.user)?);
        let could = user.administers_all();
        set(&mut user.display_name, &change.display_name);
        set(&mut user.grants, &change.grants);
        set(&mut user.disabled, &change.disabled);
        if let Some(end) = change.end {
            user.expires = end.expires;
        }
        let others = || self.users.values().any(|other| other.name != user.name && other.administers_all());
        if could && !user.administers_all() && !others() {
            let context = "nobody would be left who may administer all sites";
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        let mut changes = if user.disabled { self.end_sign_ins(&user.name, None) } else { Vec::new() };
        changes.push(Change::Put(Entry::User(user)));
        Ok(changes)
    }

    fn password_set(&self, new: &NewPassword) -> Changes {
        let mut changes = self.use_link(new.link)?;
        changes.extend(self.end_sign_ins(&new.user, new.keep));
        changes.extend(self.with_user(&new.user, |user| user.password = Some(new.password.clone()))?);
        Ok(changes)
    }

    fn link_made(&self, link: &Link, now: UnixMicros) -> Changes {
        if let LinkKind::Password { user } | LinkKind::SignIn { user } = &link.kind {
            self.user(user)?;
        }
        let over = |other: &&Arc<Link>| other.kind == link.kind || other.expires <= now;
        let mut changes: Vec<Change> =
            self.links.values().filter(over).map(|other| Change::EndLink(other.hash)).collect();
        bounds::room("links", self.links.len() - changes.len(), LINKS_MAX)?;
        changes.push(Change::Put(Entry::Link(link.clone())));
        Ok(changes)
    }

    /// Ends what has ended by itself, and the user's oldest sessions if there are too many.
    fn signed_in(&self, sign_in: &SignIn, now: UnixMicros) -> Changes {
        let mut user = User::clone(self.user(&sign_in.user)?);
        user.last_sign_in = Some(now);
        let (over, stay): (Vec<_>, Vec<_>) = self.sign_ins.values().partition(|other| other.expires <= now);
        let mut own: Vec<_> = stay.into_iter().filter(|other| other.user == sign_in.user).collect();
        own.sort_by_key(|other| (other.created, other.hash));
        let surplus = (own.len() + 1).saturating_sub(USER_SIGN_INS_MAX);
        let ended = over.into_iter().chain(own.into_iter().take(surplus));
        let mut changes: Vec<Change> = ended.map(|other| Change::EndSignIn(other.hash)).collect();
        changes.push(Change::Put(Entry::User(user)));
        changes.push(Change::Put(Entry::SignIn(sign_in.clone())));
        Ok(changes)
    }

    fn signed_out(&self, out: &SignOut) -> Changes {
        Ok(match out.session {
            Some(hash) => {
                let own = self.sign_ins.get(&hash).filter(|other| other.user == out.user);
                own.map(|_| Change::EndSignIn(hash)).into_iter().collect()
            }
            None => self.end_sign_ins(&out.user, None),
        })
    }

    fn token_created(&self, number: u64, token: &Token, now: UnixMicros) -> Changes {
        self.sites_exist(&token.grants)?;
        if self.tokens.contains_key(&token.hash) {
            return Err(bounds::taken("token", &token.display_name));
        }
        let ended = |token: &Token| token.revoked.unwrap_or(token.expires).plus(TOKEN_KEPT_US) <= now;
        let mut changes: Vec<Change> = self
            .tokens
            .values()
            .filter(|token| ended(token))
            .map(|token| Change::ForgetToken(token.hash))
            .collect();
        bounds::room("tokens", self.tokens.len() - changes.len(), TOKENS_MAX)?;
        changes.push(Change::Put(Entry::Token(Token { number, ..token.clone() })));
        Ok(changes)
    }

    fn token_revoked(&self, number: u64, now: UnixMicros) -> Changes {
        let token = self.tokens.values().find(|token| token.number == number);
        let token = token.ok_or_else(|| bounds::invalid(format!("there is no token {number}")))?;
        let revoked = token.revoked.or(Some(now));
        Ok(vec![Change::Put(Entry::Token(Token { revoked, ..Token::clone(token) }))])
    }

    fn with_machine(&self, id: &MachineId, change: impl FnOnce(&mut Machine)) -> Changes {
        let mut machine = Machine::clone(self.machine(id)?);
        change(&mut machine);
        Ok(vec![Change::Put(Entry::Machine(machine))])
    }

    fn with_user(&self, name: &UserName, change: impl FnOnce(&mut User)) -> Changes {
        let mut user = User::clone(self.user(name)?);
        change(&mut user);
        Ok(vec![Change::Put(Entry::User(user))])
    }

    /// A link can be used once.
    fn use_link(&self, link: Option<SecretHash>) -> Changes {
        let Some(hash) = link else { return Ok(Vec::new()) };
        if !self.links.contains_key(&hash) {
            return Err(StoreError::new(StoreErrorKind::Conflict, "the link was used before"));
        }
        Ok(vec![Change::EndLink(hash)])
    }

    fn end_sign_ins(&self, user: &UserName, keep: Option<SecretHash>) -> Vec<Change> {
        let ended = self.sign_ins.values().filter(|other| other.user == *user && Some(other.hash) != keep);
        ended.map(|other| Change::EndSignIn(other.hash)).collect()
    }

    fn sites_exist(&self, grants: &[Grant]) -> Result<(), StoreError> {
        grants.iter().flat_map(|grant| &grant.sites).try_for_each(|site| self.site(site).map(drop))
    }

    fn site(&self, id: &SiteId) -> Result<&Arc<Site>, StoreError> {
        self.sites.get(id).ok_or_else(|| bounds::no_site(id))
    }

    fn machine(&self, id: &MachineId) -> Result<&Arc<Machine>, StoreError> {
        self.machines.get(id).ok_or_else(|| bounds::invalid(format!("there is no machine \"{id}\"")))
    }

    fn user(&self, name: &UserName) -> Result<&Arc<User>, StoreError> {
        self.users.get(name).ok_or_else(|| bounds::invalid(format!("there is no user \"{name}\"")))
    }
}

fn set<T: Clone>(value: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        *value = new.clone();
    }
}

#[cfg(test)]
mod tests;
