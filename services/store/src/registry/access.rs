//! Who may use the server: people, programs, sessions of people, links that let somebody in.

use domain::ids::{SiteId, UserName};
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use super::{SecretHash, json};

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees the floor and the history.
    Viewer,
    /// Works on the floor.
    Staff,
    /// Sees the floor, and what carries its own labels.
    Therapist,
    /// Runs a site.
    Manager,
    /// Puts agents on machines.
    Technician,
    /// Reads everything of its sites, the audit too, for a limited time.
    Auditor,
    /// Everything, within its sites.
    Administrator,
}

/// A role for some sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// For these sites; empty: for all.
    #[serde(with = "json::sites")]
    pub sites: Vec<SiteId>,
}

/// Language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// The browser decides.
    #[default]
    Browser,
    /// English.
    English,
    /// German.
    German,
}

/// Unit of speeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeedUnit {
    /// km/h.
    #[default]
    KilometresPerHour,
    /// mph.
    MilesPerHour,
}

/// What a user prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preferences {
    /// Language of the pages.
    pub language: Language,
    /// Unit of speeds.
    pub speed_unit: SpeedUnit,
}

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// With what they sign in.
    #[serde(with = "json::user")]
    pub name: UserName,
    /// Name for people.
    pub display_name: String,
    /// What they may do.
    pub grants: Vec<Grant>,
    /// From when on they may no longer sign in.
    #[serde(rename = "expires_us", with = "json::maybe_micros", default)]
    pub expires: Option<UnixMicros>,
    /// Whether signing in is stopped for them.
    pub disabled: bool,
    /// Hash of the password in PHC form; `None`: none was set yet.
    pub password: Option<String>,
    /// What they prefer.
    pub preferences: Preferences,
    /// When the user was made.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// When they signed in last.
    #[serde(rename = "last_sign_in_us", with = "json::maybe_micros", default)]
    pub last_sign_in: Option<UnixMicros>,
}

impl User {
    /// Whether they may use the server at that time.
    pub fn is_active(&self, now: UnixMicros) -> bool {
        !self.disabled && self.expires.is_none_or(|end| now < end)
    }

    /// Whether they can administer all sites, now and later.
    pub fn administers_all(&self) -> bool {
        let all = |grant: &Grant| grant.role == Role::Administrator && grant.sites.is_empty();
        !self.disabled && self.expires.is_none() && self.password.is_some() && self.grants.iter().any(all)
    }
}

/// A program's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// SHA-256 of the token.
    #[serde(with = "json::hash")]
    pub hash: SecretHash,
    /// Number of the fact that made it; 0 in that fact itself.
    #[serde(default)]
    pub number: u64,
    /// What it is for.
    pub display_name: String,
    /// What the program may do.
    pub grants: Vec<Grant>,
    /// Who made it.
    pub author: String,
    /// When it was made.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// From when on it is no longer good.
    #[serde(rename = "expires_us", with = "json::micros")]
    pub expires: UnixMicros,
    /// When it was revoked.
    #[serde(rename = "revoked_us", with = "json::maybe_micros", default)]
    pub revoked: Option<UnixMicros>,
}

/// That somebody has signed in. (A session of a belt is `domain::live::Session`.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// SHA-256 of the session's secret.
    #[serde(with = "json::hash")]
    pub hash: SecretHash,
    /// Who.
    #[serde(with = "json::user")]
    pub user: UserName,
    /// When.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// When it ends by itself.
    #[serde(rename = "expires_us", with = "json::micros")]
    pub expires: UnixMicros,
    /// From where: an address, at most 64 characters; empty: not known.
    pub peer: String,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum LinkKind {
    /// Makes the first administrator.
    FirstAdministrator,
    /// Sets a user's password.
    Password {
        /// Whose.
        #[serde(with = "json::user")]
        user: UserName,
    },
    /// Signs in without a password, any number of times.
    SignIn {
        /// Whom.
        #[serde(with = "json::user")]
        user: UserName,
    },
}

/// A link that lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// SHA-256 of its code.
    #[serde(with = "json::hash")]
    pub hash: SecretHash,
    /// What it is for. In its JSON beside the rest: `kind` is how a fact says what it is.
    #[serde(flatten)]
    pub kind: LinkKind,
    /// From when on it is no longer good.
    #[serde(rename = "expires_us", with = "json::micros")]
    pub expires: UnixMicros,
}
