//! Users, and the links with which they set their passwords.

use std::ops::Bound;

use domain::ids::UserName;
use domain::units::UnixMicros;
use prost_types::Timestamp;
use store::StoreErrorKind;
use store::fact::{End, FactKind, NewUser, UserChange};
use store::registry::{Grant, Link, LinkKind, Role, User};
use wire::api::v1;

use super::{Administration, PAGE_DEFAULT, PAGE_MAX, masked, may_grant, or_id};
use crate::access::secret::{SecretKind, new_secret, secret_hash};
use crate::access::{Caller, Scope};
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::convert::people;
use crate::paging::{AfterId, Asked};
use crate::status::ApiError;

/// How long a link to set a password is good, in microseconds (72 h).
const LINK_LIFE_US: i64 = 72 * 3_600 * 1_000_000;

impl Administration {
    pub(super) async fn create_user(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateUserRequest,
    ) -> Result<v1::CreateUserResponse, ApiError> {
        let now = self.surroundings.now();
        let mut check = Check::default();
        let name = check.user_name("name", &request.name);
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        let grants = check.grants("grants", &request.grants);
        let expires = check.end("expire_time", request.expire_time.as_ref(), &grants, now);
        check.finish()?;
        let name = name.expect("a name that is not valid is a violation");
        may_grant(&scope, &self.visible(&scope), &grants)?;
        let user = User {
            name: name.clone(),
            display_name: or_id(display_name, name.as_str()),
            grants,
            expires,
            disabled: false,
            password: None,
            preferences: Default::default(),
            created: now,
            last_sign_in: None,
        };
        let shown = people::user(&user);
        let added = self.add(&caller, None, FactKind::UserCreated(NewUser { user, link: None })).await;
        if let Err(error) = added {
            let is_taken = error.kind == StoreErrorKind::Conflict;
            let taken = ApiError::Taken { what: "user", id: name.to_string() };
            return Err(if is_taken { taken } else { error.into() });
        }
        tracing::info!(user.name = %name, caller = caller.name(), "user made");
        let link_path = self.link(&caller, name).await?;
        Ok(v1::CreateUserResponse { user: Some(shown), link_path })
    }

    async fn link(&self, caller: &Caller, user: UserName) -> Result<String, ApiError> {
        let code = new_secret(SecretKind::Link).map_err(ApiError::NoRandomness)?;
        let expires = self.surroundings.now().plus(LINK_LIFE_US);
        let link = Link { hash: secret_hash(&code), kind: LinkKind::Password { user }, expires };
        self.add(caller, None, FactKind::LinkMade(link)).await?;
        Ok(format!("/link/{code}"))
    }

    /// A user all of whose grants lie within a scope; others are not there.
    fn user(&self, scope: &Scope, name: &str) -> Result<User, ApiError> {
        let unknown = || ApiError::NotFound { what: "user", id: name.chars().take(80).collect() };
        let registry = self.ledger.registry();
        let user = UserName::new(name).ok().and_then(|name| registry.users().get(&name).cloned());
        user.filter(|user| scope.covers(&user.grants)).map(|user| User::clone(&user)).ok_or_else(unknown)
    }

    pub(super) async fn create_password_link(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreatePasswordLinkRequest,
    ) -> Result<v1::CreatePasswordLinkResponse, ApiError> {
        let user = self.user(&scope, &request.user_name)?;
        Ok(v1::CreatePasswordLinkResponse { link_path: self.link(&caller, user.name).await? })
    }

    pub(super) async fn update_user(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::UpdateUserRequest,
    ) -> Result<v1::UpdateUserResponse, ApiError> {
        let new = request.user.unwrap_or_default();
        let old = self.user(&scope, &new.name)?;
        let now = self.surroundings.now();
        let mut check = Check::default();
        let allowed = ["display_name", "grants", "expire_time", "disabled"];
        let fields = masked(&mut check, request.update_mask.as_ref(), &allowed);
        let has = |field: &str| fields.contains(&field);
        let display_name = has("display_name")
            .then(|| check.text("user.display_name", &new.display_name, NAME_CHARACTERS_MAX));
        let grants = has("grants").then(|| check.grants("user.grants", &new.grants));
        let effective = grants.as_ref().unwrap_or(&old.grants);
        let end = has("expire_time").then(|| End {
            expires: check.end("user.expire_time", new.expire_time.as_ref(), effective, now),
        });
        if end.is_none() && needs_end(effective) && old.expires.is_none() {
            check.wrong("user.expire_time", "is absent; an auditor's time has an end");
        }
        check.finish()?;
        if let Some(grants) = &grants {
            may_grant(&scope, &self.visible(&scope), grants)?;
        }
        let display_name = display_name.map(|name| or_id(name, old.name.as_str()));
        let disabled = has("disabled").then_some(new.disabled);
        let change = UserChange { user: old.name.clone(), display_name, grants, end, disabled };
        if let Err(error) = self.add(&caller, None, FactKind::UserChanged(change)).await {
            let is_last = error.kind == StoreErrorKind::Conflict;
            return Err(if is_last { ApiError::LastAdministrator } else { error.into() });
        }
        let registry = self.ledger.registry();
        let user = registry.users().get(&old.name).map(|user| people::user(user));
        Ok(v1::UpdateUserResponse { user })
    }

    pub(super) fn list_users(
        &self,
        scope: &Scope,
        mut request: v1::ListUsersRequest,
    ) -> Result<v1::ListUsersResponse, ApiError> {
        let mut check = Check::default();
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListUsers", &request);
        let after = self.pages.cursor::<AfterId>(&asked, &token)?;
        let after = after.and_then(|after| UserName::new(&after.0).ok());
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let registry = self.ledger.registry();
        let users = registry.users().range((from, Bound::Unbounded)).map(|(_, user)| user);
        let mut rows = users.filter(|user| scope.covers(&user.grants));
        let users: Vec<v1::User> = rows.by_ref().take(size).map(|user| people::user(user)).collect();
        let last = users.last().map(|user| AfterId(user.name.clone()));
        let next = last.filter(|_| rows.next().is_some());
        let next_page_token = next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default();
        Ok(v1::ListUsersResponse { users, next_page_token })
    }
}

fn needs_end(grants: &[Grant]) -> bool {
    grants.iter().any(|grant| grant.role == Role::Auditor)
}

impl Check {
    /// The end of somebody's time: ahead of now; an auditor's has one.
    fn end(
        &mut self,
        field: &'static str,
        end: Option<&Timestamp>,
        grants: &[Grant],
        now: UnixMicros,
    ) -> Option<UnixMicros> {
        let Some(end) = end else {
            if needs_end(grants) {
                self.wrong(field, "is absent; an auditor's time has an end");
            }
            return None;
        };
        self.time(field, end).filter(|end| {
            if *end <= now {
                self.wrong(field, "is over; it must lie ahead");
            }
            true
        })
    }
}
