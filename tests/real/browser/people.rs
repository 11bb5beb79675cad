//! People of a floor, each with a role at its site.

use anyhow::Context;
use serde_json::json;
use wire::api::v1::{CreateUserRequest, Grant, RedeemLinkRequest, Role};

use super::driver::Browser;
use super::floor::{Floor, PASSWORD};
use super::found;

/// A telephone held upright, in CSS pixels.
pub(super) const PHONE: (u64, u64) = (390, 844);
/// For how long an auditor may look, in seconds.
const AUDIT_S: i64 = 7 * 24 * 3_600;

/// Somebody who signs in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) name: &'static str,
    role: Role,
}

pub(super) const STAFF: Person = Person { name: "finn", role: Role::Staff };
pub(super) const MANAGER: Person = Person { name: "mia", role: Role::Manager };
pub(super) const TECHNICIAN: Person = Person { name: "tom", role: Role::Technician };
pub(super) const AUDITOR: Person = Person { name: "olga", role: Role::Auditor };
pub(super) const VIEWER: Person = Person { name: "vera", role: Role::Viewer };

impl Person {
    /// Makes the account, as an administrator does, and sets its password by the link, as the person does.
    pub(super) async fn join(self, floor: &Floor, site: &str) -> anyhow::Result<()> {
        let seconds = found::now_us() / 1_000_000 + AUDIT_S;
        let expire_time = Some(prost_types::Timestamp { seconds, nanos: 0 });
        let user = CreateUserRequest {
            name: self.name.to_owned(),
            grants: vec![Grant { role: self.role.into(), site_ids: vec![site.to_owned()] }],
            expire_time: expire_time.filter(|_| self.role == Role::Auditor),
            ..CreateUserRequest::default()
        };
        let made = floor.admin().await?.create_user(user).await;
        let link = made.with_context(|| format!("making {}", self.name))?.into_inner().link_path;
        let code = link.trim_start_matches("/link/").to_owned();
        let request = RedeemLinkRequest { code, user_name: String::new(), password: PASSWORD.to_owned() };
        floor.account().await?.redeem_link(request).await.context("setting a password")?;
        Ok(())
    }

    /// Signs in on a telephone; whoever was signed in before is so no longer.
    pub(super) async fn takes(self, browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
        browser.command("Network.clearBrowserCookies", json!({})).await?;
        browser.size(PHONE.0, PHONE.1).await?;
        browser.language("en").await?;
        Floor::sign_in_as(browser, &floor.url("/sign-in"), self.name).await
    }
}
