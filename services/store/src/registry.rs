//! The registry: sites, machines, users, tokens, sessions of people, links, and thresholds. It is a fold of the facts,
//! kept whole in memory by every engine, so that whoever asks never waits for a disk.
//!
//! Its values are stored as the JSON that is written on them here; a field that came later has a default.

mod access;
mod changed;
mod course;
mod enrolment;
mod follow;
pub(crate) mod json;
mod maintenance;
mod notification;
mod settings;
mod stays;
mod way;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::{MachineId, SiteId, UserName};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

pub use self::access::{Grant, Language, Link, LinkKind, Preferences, Role, SignIn, SpeedUnit, Token, User};
pub use self::course::{Course, CourseCode, CourseCodeError, CourseId, Prescription};
pub use self::enrolment::{
    Enrolment, EnrolmentCode, EnrolmentCodeState, EnrolmentStanding, EnrolmentTarget, EnrolmentUse,
};
pub use self::follow::Change;
pub use self::maintenance::{Maintained, MaintenancePlan, ScopedMaintenance};
pub use self::notification::{
    ChainStep, Contact, ContactName, Deadline, Policy, PolicyPart, ServiceRule, Staffing, Way,
};
pub use self::settings::{
    BEGINNING, Commissioning, Dated, Drill, History, MachineTraits, NewLimits, OutOfService, Scope,
    ScopedLimits, SiteTraits, StaffedDays,
};
pub use self::stays::Stay;
pub use self::way::{check_address, check_url};
use crate::fact::Anchoring;

/// SHA-256 of a secret: of a token, of a session, of a link. The secret itself is kept nowhere.
pub type SecretHash = [u8; 32];

/// One gym.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Identity.
    #[serde(with = "json::site")]
    pub id: SiteId,
    /// Name for people.
    pub display_name: String,
    /// Time zone by its IANA name.
    pub time_zone: String,
    /// When it was registered.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// What rules have used of it, from when on; empty in a fact.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub history: History<SiteTraits>,
}

/// A place in the plan of a room, from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Row, from the top.
    pub row: u8,
    /// Column, from the left.
    pub column: u8,
}

/// That a person has seen to the stops of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Up to this stop, by its event time.
    #[serde(rename = "until_us", with = "json::micros")]
    pub until: UnixMicros,
    /// Who, as facts name people.
    pub by: String,
    /// When they said so.
    #[serde(rename = "at_us", with = "json::micros")]
    pub at: UnixMicros,
}

/// One treadmill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Identity.
    #[serde(with = "json::machine")]
    pub id: MachineId,
    /// Where it stands.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// Name for people.
    pub display_name: String,
    /// Maker and model; empty: not told.
    pub model: String,
    /// What the belt can do.
    #[serde(with = "json::belt")]
    pub belt: BeltKind,
    /// What drives it.
    #[serde(with = "json::drive")]
    pub drive: DriveKind,
    /// Generation of its newest key, from 1.
    pub key_generation: u32,
    /// When it was registered.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// Where it stands in the room; `None`: nobody has placed it.
    #[serde(default)]
    pub place: Option<Place>,
    /// Generations up to this one are refused; 0: none is.
    #[serde(default)]
    pub revoked_generation: u32,
    /// When that was said.
    #[serde(rename = "revoked_us", with = "json::maybe_micros", default)]
    pub revoked: Option<UnixMicros>,
    /// Which stops a person has seen to.
    #[serde(default)]
    pub acknowledged: Option<Acknowledged>,
    /// What rules have used of it, from when on; empty in a fact.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub history: History<MachineTraits>,
    /// Its last proof tests, the oldest first, at most `limits::DRILLS_KEPT_MAX`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drills: Vec<Drill>,
    /// When it was serviced last, as was said last; `None`: nobody has said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintained: Option<Maintained>,
}

impl Machine {
    /// When its newest credential was revoked; `None`: it is good.
    pub fn revoked_since(&self) -> Option<UnixMicros> {
        self.revoked.filter(|_| self.revoked_generation >= self.key_generation)
    }
}

/// One value of the registry, under its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// By id.
    Site(Site),
    /// By id.
    Machine(Machine),
    /// By name.
    User(User),
    /// By hash.
    Token(Token),
    /// By hash.
    SignIn(SignIn),
    /// By hash.
    Link(Link),
    /// By scope.
    Limits(ScopedLimits),
    /// By name.
    Contact(Contact),
    /// By site.
    Policy(Policy),
    /// By the facts that it covers and the contact.
    Anchor(Anchoring),
    /// By id.
    Course(Course),
    /// By scope.
    Maintenance(ScopedMaintenance),
    /// By identity.
    EnrolmentCode(EnrolmentCode),
    /// By the hash of its nonce.
    Enrolment(Enrolment),
}

/// The registry as of one fact. Cloning it is cheap enough to be done once a fact: values are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// Number of the last fact in it; 0: none.
    pub last_fact: u64,
    sites: BTreeMap<SiteId, Arc<Site>>,
    machines: BTreeMap<MachineId, Arc<Machine>>,
    users: BTreeMap<UserName, Arc<User>>,
    tokens: BTreeMap<SecretHash, Arc<Token>>,
    sign_ins: BTreeMap<SecretHash, Arc<SignIn>>,
    links: BTreeMap<SecretHash, Arc<Link>>,
    limits: BTreeMap<Scope, Arc<ScopedLimits>>,
    contacts: BTreeMap<ContactName, Arc<Contact>>,
    policies: BTreeMap<Option<SiteId>, Arc<Policy>>,
    anchors: BTreeMap<(u64, ContactName), Arc<Anchoring>>,
    courses: BTreeMap<CourseId, Arc<Course>>,
    maintenance: BTreeMap<Scope, Arc<ScopedMaintenance>>,
    enrolment_codes: BTreeMap<u32, Arc<EnrolmentCode>>,
    enrolments: BTreeMap<SecretHash, Arc<Enrolment>>,
}

impl Registry {
    /// Sites by id.
    pub fn sites(&self) -> &BTreeMap<SiteId, Arc<Site>> {
        &self.sites
    }

    /// Machines by id.
    pub fn machines(&self) -> &BTreeMap<MachineId, Arc<Machine>> {
        &self.machines
    }

    /// Users by name.
    pub fn users(&self) -> &BTreeMap<UserName, Arc<User>> {
        &self.users
    }

    /// Tokens by hash, also those that are no longer good.
    pub fn tokens(&self) -> &BTreeMap<SecretHash, Arc<Token>> {
        &self.tokens
    }

    /// Courses by id, also those that have ended.
    pub fn courses(&self) -> &BTreeMap<CourseId, Arc<Course>> {
        &self.courses
    }

    /// The sign-in of a session's hash.
    pub fn sign_in(&self, hash: &SecretHash) -> Option<&Arc<SignIn>> {
        self.sign_ins.get(hash)
    }

    /// The link of a code's hash.
    pub fn link(&self, hash: &SecretHash) -> Option<&Arc<Link>> {
        self.links.get(hash)
    }

    /// Heads of all facts that somebody outside took, by the number of facts that they cover.
    pub fn anchors(&self) -> impl DoubleEndedIterator<Item = &Anchoring> {
        self.anchors.values().map(AsRef::as_ref)
    }

    /// Whether there is somebody who can administer all sites.
    pub fn has_administrator(&self) -> bool {
        self.users.values().any(|user| user.administers_all())
    }

    /// Takes what follows from the fact with this number, or what an engine has kept.
    pub fn put(&mut self, number: u64, changes: impl IntoIterator<Item = Change>) {
        self.last_fact = self.last_fact.max(number);
        for change in changes {
            match change {
                Change::Put(entry) => self.put_entry(entry),
                Change::EndSignIn(hash) => drop(self.sign_ins.remove(&hash)),
                Change::EndLink(hash) => drop(self.links.remove(&hash)),
                Change::ForgetToken(hash) => drop(self.tokens.remove(&hash)),
                Change::EndContact(name) => drop(self.contacts.remove(&name)),
                Change::EndMaintenance(scope) => drop(self.maintenance.remove(&scope)),
                Change::ForgetEnrolmentCode(id) => drop(self.enrolment_codes.remove(&id)),
                Change::ForgetEnrolment(nonce) => drop(self.enrolments.remove(&nonce)),
            }
        }
    }

    fn put_entry(&mut self, entry: Entry) {
        match entry {
            Entry::Site(site) => drop(self.sites.insert(site.id.clone(), Arc::new(site))),
            Entry::Machine(machine) => drop(self.machines.insert(machine.id.clone(), Arc::new(machine))),
            Entry::User(user) => drop(self.users.insert(user.name.clone(), Arc::new(user))),
            Entry::Token(token) => drop(self.tokens.insert(token.hash, Arc::new(token))),
            Entry::SignIn(sign_in) => drop(self.sign_ins.insert(sign_in.hash, Arc::new(sign_in))),
            Entry::Link(link) => drop(self.links.insert(link.hash, Arc::new(link))),
            Entry::Limits(limits) => drop(self.limits.insert(limits.scope.clone(), Arc::new(limits))),
            Entry::Contact(contact) => drop(self.contacts.insert(contact.name.clone(), Arc::new(contact))),
            Entry::Policy(policy) => drop(self.policies.insert(policy.site.clone(), Arc::new(policy))),
            Entry::Anchor(anchor) => {
                self.anchors.insert((anchor.facts, anchor.contact.clone()), Arc::new(anchor));
            }
            Entry::Course(course) => drop(self.courses.insert(course.id, Arc::new(course))),
            Entry::Maintenance(set) => drop(self.maintenance.insert(set.scope.clone(), Arc::new(set))),
            Entry::EnrolmentCode(code) => drop(self.enrolment_codes.insert(code.id, Arc::new(code))),
            Entry::Enrolment(one) => drop(self.enrolments.insert(one.nonce, Arc::new(one))),
        }
    }
}
