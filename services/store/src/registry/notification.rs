//! Who is told of incidents, in which order, and by when something has to be done about them.

use std::fmt;

use domain::handling::HandlingState;
use domain::ids::SiteId;
use domain::incident::Severity;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use super::{Registry, json};

/// Names a contact: 1 to 64 of a-z, 0-9 and hyphen.
pub type ContactName = String;

/// Somebody who can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Its name: 1 to 64 of a-z, 0-9 and hyphen.
    pub name: ContactName,
    /// Name for people, at most 120 characters.
    pub display_name: String,
    /// Of which site; `None`: of all.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// How it is told.
    pub way: Way,
    /// Whether it is sent the daily head of all facts.
    pub is_anchor: bool,
    /// Whether it is sent the weekly report of its site, or of all.
    #[serde(default)]
    pub weekly: bool,
    /// Tells its secrets apart: the second since 1970 in which the secret was made, or one more than the one before if that
    /// is greater. The secret of a webhook follows from its name and this.
    pub generation: u32,
    /// When it was made or changed last; in the fact itself, when that was.
    #[serde(rename = "changed_us", with = "json::micros")]
    pub changed: UnixMicros,
}

/// How somebody is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// By a POST request that is signed, with a body that Alertmanager's receivers understand.
    Webhook {
        /// Where to: `https`, or `http` to a loopback or private address.
        url: String,
    },
    /// By e-mail over the server's mail server.
    Email {
        /// To whom.
        address: String,
    },
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Way::Webhook { url } => f.write_str(url),
            Way::Email { address } => f.write_str(address),
        }
    }
}

/// When a step of a chain is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Staffing {
    /// At any time.
    #[default]
    Always,
    /// If the incident is found while staff are at the site. A site without staffed hours is staffed.
    Staffed,
    /// If it is found while nobody is there.
    Unstaffed,
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStep {
    /// Who is told.
    pub contact: ContactName,
    /// Of incidents at least so bad.
    pub least: Severity,
    /// So long after the incident was found, in seconds, if nobody has acknowledged it; at most 86 400.
    pub after_seconds: u32,
    /// When.
    pub staffing: Staffing,
}

/// By when something has to be done about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// What for, 1 to 60 characters, such as "report to the insurer".
    pub name: String,
    /// Of incidents at least so bad.
    pub least: Severity,
    /// So long after it happened, in hours; 1 to 2 160.
    pub hours: u32,
    /// It is met when the incident has got so far: acknowledged or closed.
    pub until: HandlingState,
}

/// When a machine is tagged out of service by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRule {
    /// After so many incidents in which a protection failed; 0: never. At most 100.
    pub count: u32,
    /// Within so many days; 1 to 90.
    pub days: u32,
}

impl Default for ServiceRule {
    fn default() -> ServiceRule {
        ServiceRule { count: 2, days: 7 }
    }
}

/// A part of a policy, which a site can have of its own or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyPart {
    /// Who is told, and when.
    Chain,
    /// By when something has to be done.
    Deadlines,
    /// When a machine is tagged out of service by itself.
    OutOfService,
}

impl PolicyPart {
    /// All, in the order in which a policy has them.
    pub const ALL: [PolicyPart; 3] = [PolicyPart::Chain, PolicyPart::Deadlines, PolicyPart::OutOfService];

    /// Its name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            PolicyPart::Chain => "chain",
            PolicyPart::Deadlines => "deadlines",
            PolicyPart::OutOfService => "out_of_service",
        }
    }
}

/// What holds for a site, or for all that have nothing of their own. What is `None` is taken from that for all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// For this site; `None`: for all.
    #[serde(default)]
    pub site: Option<SiteId>,
    /// Who is told, and when.
    pub chain: Option<Vec<ChainStep>>,
    /// By when something has to be done.
    pub deadlines: Option<Vec<Deadline>>,
    /// When a machine is tagged out of service by itself.
    pub service: Option<ServiceRule>,
}

impl Registry {
    /// Contacts by name.
    pub fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values().map(AsRef::as_ref)
    }

    /// A contact.
    pub fn contact(&self, name: &str) -> Option<&Contact> {
        self.contacts.get(name).map(AsRef::as_ref)
    }

    /// What was set for a site, or with `None` for all; nothing of the other is laid over it.
    pub fn own_policy(&self, site: Option<&SiteId>) -> Option<&Policy> {
        self.policies.get(&site.cloned()).map(AsRef::as_ref)
    }

    /// Who is told of incidents of a site. Empty: nobody.
    pub fn chain(&self, site: &SiteId) -> &[ChainStep] {
        self.policy(site, |policy| policy.chain.as_deref()).unwrap_or_default()
    }

    /// By when something has to be done about incidents of a site.
    pub fn deadlines(&self, site: &SiteId) -> &[Deadline] {
        self.policy(site, |policy| policy.deadlines.as_deref()).unwrap_or_default()
    }

    /// When machines of a site are tagged out of service by themselves.
    pub fn service_rule(&self, site: &SiteId) -> ServiceRule {
        self.policy(site, |policy| policy.service).unwrap_or_default()
    }

    fn policy<'a, T>(&'a self, site: &SiteId, part: impl Fn(&'a Policy) -> Option<T>) -> Option<T> {
        let own = self.own_policy(Some(site)).and_then(&part);
        own.or_else(|| self.own_policy(None).and_then(&part))
    }
}
