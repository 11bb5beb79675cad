//! Users, tokens and what they may do, to messages of the API and back.

use domain::ids::SiteId;
use domain::limits::{GRANT_SITES_MAX, GRANTS_MAX};
use store::registry::{Grant, Language, LinkKind, Preferences, Role, SpeedUnit, Token, User};
use wire::api::v1;

use super::timestamp;
use crate::access::Scope;
use crate::access::rights::Permission;
use crate::check::Check;

pub(crate) fn user(user: &User) -> v1::User {
    v1::User {
        name: user.name.to_string(),
        display_name: user.display_name.clone(),
        grants: user.grants.iter().map(grant).collect(),
        expire_time: user.expires.map(timestamp),
        disabled: user.disabled,
        has_password: user.password.is_some(),
        create_time: Some(timestamp(user.created)),
        last_sign_in_time: user.last_sign_in.map(timestamp),
    }
}

pub(crate) fn token(token: &Token) -> v1::Token {
    v1::Token {
        id: token.number.to_string(),
        display_name: token.display_name.clone(),
        grants: token.grants.iter().map(grant).collect(),
        created_by: token.author.clone(),
        create_time: Some(timestamp(token.created)),
        expire_time: Some(timestamp(token.expires)),
        revoke_time: token.revoked.map(timestamp),
    }
}

fn grant(grant: &Grant) -> v1::Grant {
    let role = match grant.role {
        Role::Viewer => v1::Role::Viewer,
        Role::Staff => v1::Role::Staff,
        Role::Therapist => v1::Role::Therapist,
        Role::Manager => v1::Role::Manager,
        Role::Technician => v1::Role::Technician,
        Role::Auditor => v1::Role::Auditor,
        Role::Administrator => v1::Role::Administrator,
    };
    v1::Grant { role: role.into(), site_ids: grant.sites.iter().map(SiteId::to_string).collect() }
}

/// What a caller may do, and where.
pub(crate) fn permissions(grants: &[Grant], is_program: bool) -> Vec<v1::Permission> {
    let allowed = Permission::ALL.into_iter().filter(|one| !is_program || one.is_for_programs());
    let shown = allowed.filter_map(|permission| {
        let site_ids = match Scope::of(grants, permission)? {
            Scope::All => Vec::new(),
            Scope::Sites(sites) => sites.iter().map(SiteId::to_string).collect(),
        };
        Some(v1::Permission { name: permission.name().to_owned(), site_ids })
    });
    let mut shown: Vec<v1::Permission> = shown.collect();
    shown.sort_by(|a, b| a.name.cmp(&b.name));
    shown
}

pub(crate) fn preferences(preferences: Preferences) -> v1::Preferences {
    let language = match preferences.language {
        Language::Browser => v1::Language::Unspecified,
        Language::English => v1::Language::English,
        Language::German => v1::Language::German,
    };
    let speed_unit = match preferences.speed_unit {
        SpeedUnit::KilometresPerHour => v1::SpeedUnit::KilometresPerHour,
        SpeedUnit::MilesPerHour => v1::SpeedUnit::MilesPerHour,
    };
    v1::Preferences { language: language.into(), speed_unit: speed_unit.into() }
}

pub(crate) fn link_kind(kind: &LinkKind) -> (v1::LinkKind, String) {
    match kind {
        LinkKind::FirstAdministrator => (v1::LinkKind::FirstAdministrator, String::new()),
        LinkKind::Password { user } => (v1::LinkKind::Password, user.to_string()),
        LinkKind::SignIn { user } => (v1::LinkKind::SignIn, user.to_string()),
    }
}

impl Check {
    /// What somebody may do: 1 to 20 grants.
    pub(crate) fn grants(&mut self, field: &'static str, grants: &[v1::Grant]) -> Vec<Grant> {
        if !(1..=GRANTS_MAX).contains(&grants.len()) {
            self.wrong(field, format!("has {} entries; 1 to {GRANTS_MAX} are allowed", grants.len()));
        }
        grants.iter().take(GRANTS_MAX).filter_map(|grant| self.grant(field, grant)).collect()
    }

    fn grant(&mut self, field: &'static str, grant: &v1::Grant) -> Option<Grant> {
        let role = match v1::Role::try_from(grant.role) {
            Ok(v1::Role::Viewer) => Role::Viewer,
            Ok(v1::Role::Staff) => Role::Staff,
            Ok(v1::Role::Therapist) => Role::Therapist,
            Ok(v1::Role::Manager) => Role::Manager,
            Ok(v1::Role::Technician) => Role::Technician,
            Ok(v1::Role::Auditor) => Role::Auditor,
            Ok(v1::Role::Administrator) => Role::Administrator,
            Ok(v1::Role::Unspecified) | Err(_) => {
                self.wrong(field, format!("has the role {}; 1 to 7 are known", grant.role));
                return None;
            }
        };
        let count = grant.site_ids.len();
        if count > GRANT_SITES_MAX {
            self.wrong(field, format!("names {count} sites; at most {GRANT_SITES_MAX} are allowed"));
        }
        let ids = grant.site_ids.iter().take(GRANT_SITES_MAX);
        let mut sites: Vec<SiteId> = ids.filter_map(|id| self.id(field, id)).collect();
        // A grant without sites is for all: a wrong id must not make one.
        if sites.len() != grant.site_ids.len() {
            return None;
        }
        sites.sort();
        sites.dedup();
        Some(Grant { role, sites })
    }

    /// What a user prefers.
    pub(crate) fn preferences(&mut self, preferences: Option<&v1::Preferences>) -> Preferences {
        let preferences = preferences.copied().unwrap_or_default();
        let language = match v1::Language::try_from(preferences.language) {
            Ok(v1::Language::Unspecified) => Language::Browser,
            Ok(v1::Language::English) => Language::English,
            Ok(v1::Language::German) => Language::German,
            Err(_) => {
                self.wrong("preferences.language", format!("is {}; 0 to 2 are known", preferences.language));
                Language::Browser
            }
        };
        let speed_unit = match v1::SpeedUnit::try_from(preferences.speed_unit) {
            Ok(v1::SpeedUnit::Unspecified | v1::SpeedUnit::KilometresPerHour) => SpeedUnit::KilometresPerHour,
            Ok(v1::SpeedUnit::MilesPerHour) => SpeedUnit::MilesPerHour,
            Err(_) => {
                let unit = preferences.speed_unit;
                self.wrong("preferences.speed_unit", format!("is {unit}; 0 to 2 are known"));
                SpeedUnit::KilometresPerHour
            }
        };
        Preferences { language, speed_unit }
    }
}
