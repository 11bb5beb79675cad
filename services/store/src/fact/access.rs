//! Facts of people and programs.

use domain::ids::UserName;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::registry::json;
use crate::registry::{Grant, Preferences, SecretHash, User};

/// A new user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewUser {
    /// The user.
    pub user: User,
    /// The link by which the user was made, which is used up.
    #[serde(with = "json::maybe_hash", default)]
    pub link: Option<SecretHash>,
}

/// New values of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserChange {
    /// Which user.
    #[serde(with = "json::user")]
    pub user: UserName,
    /// Name for people.
    pub display_name: Option<String>,
    /// What they may do.
    pub grants: Option<Vec<Grant>>,
    /// The end of their time is set, or taken away.
    pub end: Option<End>,
    /// Whether signing in is stopped for them.
    pub disabled: Option<bool>,
}

/// The end of somebody's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// From when on; `None`: there is no end.
    #[serde(rename = "expires_us", with = "json::maybe_micros")]
    pub expires: Option<UnixMicros>,
}

/// A new password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPassword {
    /// Whose.
    #[serde(with = "json::user")]
    pub user: UserName,
    /// Its hash in PHC form.
    pub password: String,
    /// The session that stays.
    #[serde(with = "json::maybe_hash", default)]
    pub keep: Option<SecretHash>,
    /// The link by which it was set, which is used up.
    #[serde(with = "json::maybe_hash", default)]
    pub link: Option<SecretHash>,
}

/// New preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPreferences {
    /// Whose.
    #[serde(with = "json::user")]
    pub user: UserName,
    /// The preferences.
    pub preferences: Preferences,
}

/// An end of sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOut {
    /// Whose.
    #[serde(with = "json::user")]
    pub user: UserName,
    /// Which session; `None`: all.
    #[serde(with = "json::maybe_hash", default)]
    pub session: Option<SecretHash>,
}

/// A token by the number of the fact that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenNumber {
    /// The number.
    pub number: u64,
}

/// Something that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which method was called.
    pub method: String,
    /// Why, in one word.
    pub reason: String,
    /// The name that somebody tried to sign in with; empty: none.
    pub subject: String,
    /// From where; empty: not known.
    pub peer: String,
    /// How many times since the fact of the same kind before it; at least 1.
    pub count: u64,
}
