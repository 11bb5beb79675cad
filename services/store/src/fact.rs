//! Facts: what people and programs did or set. Append-only; they are the audit.
//!
//! A fact is stored as JSON: its version, what it says by name, and the fields of that. Version 2 is written; version 1
//! is read.

mod access;
mod course;
mod enrolment;
mod handling;
mod maintenance;
mod notification;
mod settings;

use domain::ids::{IncidentId, MachineId, SiteId};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::access::{
    End, NewPassword, NewPreferences, NewUser, Refusal, SignOut, TokenNumber, UserChange,
};
pub use self::course::{CourseChange, CourseEnd, NewCourse, PrescriptionChange, SessionLabel};
pub use self::enrolment::{EnrolmentApproval, EnrolmentFact, NewEnrolled};
pub use self::handling::{DrillEnd, IncidentStepped, NewDrill, Note, NoteText, SERVER};
pub use self::maintenance::{NewMaintained, NewMaintenance};
pub use self::notification::{Anchoring, ContactEnd, NewContact, PolicyChange};
pub use self::settings::{
    NewCommissioning, NewOpening, NewStaffedHours, NewThresholds, OpeningHours, SeenByAgent, ServiceChange,
};
use crate::registry::json;
use crate::registry::{Grant, Link, Machine, Place, Role, SecretHash, SignIn, Site, Token};

/// The version that is written.
const VERSION: u32 = 2;
/// A token of version 1 had no end; it gets one, counted from its making.
const OLD_TOKEN_LIFE_US: i64 = 365 * 24 * 3_600 * 1_000_000;

/// What a person or program did or set. Append-only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When, by the server's clock.
    pub time: UnixMicros,
    /// Who, such as `user:anna` or `token:3`; at most 120 characters.
    pub author: String,
    /// Identity of the request that made it, at most 64 characters. The same author's second fact with the same
    /// identity is not added; the first one's outcome is given again.
    pub request_id: Option<String>,
    /// What.
    pub kind: FactKind,
}

impl Fact {
    /// The incident that it is about; `None`: it is about none.
    pub(crate) fn incident(&self) -> Option<IncidentId> {
        self.stepped().map(|stepped| stepped.incident)
    }

    /// The step about an incident that it tells.
    pub(crate) fn stepped(&self) -> Option<&IncidentStepped> {
        if let FactKind::IncidentStepped(stepped) = &self.kind { Some(stepped) } else { None }
    }

    /// The label of a session that it tells.
    pub(crate) fn labelled(&self) -> Option<&SessionLabel> {
        if let FactKind::SessionLabelled(label) = &self.kind { Some(label) } else { None }
    }

    /// The fact with the text of its note; `None`: it was erased, or there was none.
    pub(crate) fn with_text(mut self, text: Option<NoteText>) -> Fact {
        if let FactKind::IncidentStepped(IncidentStepped { note: Some(note), .. }) = &mut self.kind {
            note.text = text;
        }
        self
    }
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactOutcome {
    /// It was added; its number, from 1.
    Added(u64),
    /// The same request had added it before; the number it got then, and the fact as it stands, with the text of its
    /// note if that was not erased.
    Repeated(u64, Box<Fact>),
}

/// What can be done or set. Of a change, what is `None` stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FactKind {
    /// A site was registered.
    SiteCreated(Site),
    /// What is told of a site was changed.
    SiteChanged(SiteChange),
    /// A machine was registered.
    MachineCreated(Machine),
    /// What is told of a machine was changed.
    MachineChanged(MachineChange),
    /// Machines of a site were placed in the plan of its room.
    MachinesArranged(Arrangement),
    /// A machine got the next generation of its credential.
    CredentialRenewed(MachineName),
    /// A machine's credential is no longer good.
    CredentialRevoked(MachineName),
    /// A person has seen to a machine's stops.
    StopAcknowledged(Acknowledgement),
    /// A user was made.
    UserCreated(NewUser),
    /// What a user is or may was changed.
    UserChanged(UserChange),
    /// A password was set; all sessions of the user end but `keep`.
    PasswordSet(NewPassword),
    /// A user's preferences were set.
    PreferencesSet(NewPreferences),
    /// A link was made; earlier ones for the same are no longer good.
    LinkMade(Link),
    /// Somebody signed in.
    SignedIn(SignIn),
    /// Somebody ended one session or all.
    SignedOut(SignOut),
    /// A token for a program was made.
    TokenCreated(Token),
    /// A token is no longer good.
    TokenRevoked(TokenNumber),
    /// Something was refused to somebody.
    AccessRefused(Refusal),
    /// Thresholds of rules were set or taken away.
    ThresholdsSet(NewThresholds),
    /// A machine was tagged out of service, or the tag was taken away.
    ServiceChanged(ServiceChange),
    /// A machine was commissioned.
    Commissioned(NewCommissioning),
    /// It was said when staff are at a site.
    StaffedHoursSet(NewStaffedHours),
    /// Something was done about an incident.
    IncidentStepped(IncidentStepped),
    /// A proof test of a machine was begun.
    DrillStarted(NewDrill),
    /// A proof test was ended, or a word was written about it.
    DrillEnded(DrillEnd),
    /// A contact was made or changed.
    ContactSet(NewContact),
    /// A contact was taken away.
    ContactEnded(ContactEnd),
    /// It was said who is told of incidents, and by when something has to be done.
    PolicySet(PolicyChange),
    /// Somebody outside took a head of all facts.
    HeadAnchored(Anchoring),
    /// It was said when a site is open, and on which day its weeks begin.
    OpeningSet(NewOpening),
    /// A course was made.
    CourseCreated(NewCourse),
    /// A course was changed or handed over.
    CourseChanged(CourseChange),
    /// A course was ended.
    CourseEnded(CourseEnd),
    /// A session was labelled with a course, or its label was taken away.
    SessionLabelled(SessionLabel),
    /// It was said after how much work machines are due for service.
    MaintenanceSet(NewMaintenance),
    /// A machine was serviced.
    MachineMaintained(NewMaintained),
    /// Something about the codes with which agents get credentials, and about agents that came with them.
    Enrolment(EnrolmentFact),
}

/// SHA-256 of a fact, as a leaf of the Merkle tree over all facts (RFC 6962).
pub type Leaf = [u8; 32];

/// A fact with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredFact {
    /// Its number.
    pub number: u64,
    /// The fact; the text of its note with it if that was not erased.
    pub fact: Fact,
    /// What it says, as it is stored: JSON.
    pub body: String,
    /// Its leaf.
    pub leaf: Leaf,
}

/// The leaf of a fact: SHA-256 over a zero octet and the lines `beltwatch-fact-1`, number, time in microseconds since
/// 1970, author and body, with one newline between them and none behind.
pub fn leaf(number: u64, time: UnixMicros, author: &str, body: &str) -> Leaf {
    let text = format!("\0beltwatch-fact-1\n{number}\n{}\n{author}\n{body}", time.0);
    Sha256::digest(text).into()
}

/// New values of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteChange {
    /// Which site.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// Name for people.
    pub display_name: Option<String>,
    /// Time zone by its IANA name.
    pub time_zone: Option<String>,
}

/// New values of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineChange {
    /// Which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Name for people.
    pub display_name: Option<String>,
    /// Maker and model.
    pub model: Option<String>,
    /// What the belt can do.
    #[serde(with = "json::maybe_belt", default)]
    pub belt: Option<BeltKind>,
    /// What drives it.
    #[serde(with = "json::maybe_drive", default)]
    pub drive: Option<DriveKind>,
    /// The site that it stands at from now on; its place in the plan of the room is taken away.
    #[serde(default)]
    pub site: Option<SiteId>,
}

/// Places in the plan of a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrangement {
    /// Whose room it is.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// Machines with their new places.
    pub places: Vec<Placed>,
}

/// A machine and its new place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Where it stands; `None`: it is taken out of the plan.
    pub place: Option<Place>,
}

/// A machine by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineName {
    /// Which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
}

/// That a person has seen to stops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Of which machine.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Up to this stop, by its event time.
    #[serde(rename = "until_us", with = "json::micros")]
    pub until: UnixMicros,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    #[serde(flatten)]
    kind: &'a FactKind,
}

#[derive(Deserialize)]
struct VersionOnly {
    v: u32,
}

/// A fact of version 1; sites and machines were as they are, without what came later.
#[derive(Deserialize)]
#[serde(tag = "kind")]
enum OldKind {
    #[serde(rename = "site_created")]
    Site(Site),
    #[serde(rename = "machine_created")]
    Machine(Machine),
    #[serde(rename = "token_created")]
    Token(OldToken),
}

#[derive(Deserialize)]
struct OldToken {
    #[serde(with = "json::hash")]
    hash: SecretHash,
    display_name: String,
    #[serde(with = "json::sites")]
    sites: Vec<SiteId>,
}

/// Why the JSON of a fact cannot be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// A newer program wrote it, with this version.
    Newer(u32),
    /// It is none that was ever written.
    Damaged(String),
}

/// The JSON of what a fact says.
pub(crate) fn to_json(kind: &FactKind) -> String {
    serde_json::to_string(&Written { v: VERSION, kind }).expect("facts have text keys and no other maps")
}

/// What a fact says, from its JSON. Author and time complete what version 1 left out.
pub(crate) fn from_json(json: &str, author: &str, time: UnixMicros) -> Result<FactKind, Unread> {
    let damaged = |error: serde_json::Error| Unread::Damaged(error.to_string());
    let VersionOnly { v } = serde_json::from_str(json).map_err(damaged)?;
    match v {
        1 => Ok(match serde_json::from_str(json).map_err(damaged)? {
            OldKind::Site(site) => FactKind::SiteCreated(site),
            OldKind::Machine(machine) => FactKind::MachineCreated(machine),
            OldKind::Token(old) => FactKind::TokenCreated(Token {
                hash: old.hash,
                number: 0,
                display_name: old.display_name,
                grants: vec![Grant { role: Role::Viewer, sites: old.sites }],
                author: author.to_owned(),
                created: time,
                expires: time.plus(OLD_TOKEN_LIFE_US),
                revoked: None,
            }),
        }),
        VERSION => serde_json::from_str(json).map_err(damaged),
        newer => Err(Unread::Newer(newer)),
    }
}

/// The newest version that this program reads.
pub(crate) const fn version() -> u32 {
    VERSION
}

#[cfg(test)]
mod tests;
