//! Who may use the server when nobody has signed in yet.

use anyhow::Context;
use api::{SecretKind, new_secret, secret_hash};
use domain::ids::UserName;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind, NewUser};
use store::ledger::Ledger;
use store::registry::{Grant, Link, LinkKind, Preferences, Role, User};

/// How long the first administrator may take, in microseconds (72 h).
const FIRST_LINK_LIFE_US: i64 = 72 * 3_600 * 1_000_000;
/// How long a demo's link is good, in microseconds (30 days).
const DEMO_LINK_LIFE_US: i64 = 30 * 24 * 3_600 * 1_000_000;
/// Author of facts that the server makes by itself.
const AUTHOR: &str = "server";

/// A link with which the first administrator makes themselves, if there is none; its path. Links of earlier starts are
/// no longer good.
pub(super) async fn first_administrator_link(
    ledger: &dyn Ledger,
    now: UnixMicros,
) -> anyhow::Result<Option<String>> {
    if ledger.registry().has_administrator() {
        return Ok(None);
    }
    make_link(ledger, LinkKind::FirstAdministrator, now.plus(FIRST_LINK_LIFE_US), now).await.map(Some)
}

/// The demo's user, and the path of a link that signs in as them.
pub(super) async fn demo_link(ledger: &dyn Ledger, now: UnixMicros) -> anyhow::Result<String> {
    let name = UserName::new("demo").context("the demo's user")?;
    if !ledger.registry().users().contains_key(&name) {
        let user = User {
            name: name.clone(),
            display_name: "Demo".to_owned(),
            grants: vec![Grant { role: Role::Administrator, sites: Vec::new() }],
            expires: None,
            disabled: false,
            password: None,
            preferences: Preferences::default(),
            created: now,
            last_sign_in: None,
        };
        add(ledger, FactKind::UserCreated(NewUser { user, link: None }), now).await?;
    }
    make_link(ledger, LinkKind::SignIn { user: name }, now.plus(DEMO_LINK_LIFE_US), now).await
}

async fn make_link(
    ledger: &dyn Ledger,
    kind: LinkKind,
    expires: UnixMicros,
    now: UnixMicros,
) -> anyhow::Result<String> {
    let code = new_secret(SecretKind::Link).context("the operating system gives no random octets")?;
    add(ledger, FactKind::LinkMade(Link { hash: secret_hash(&code), kind, expires }), now).await?;
    Ok(format!("/link/{code}"))
}

async fn add(ledger: &dyn Ledger, kind: FactKind, now: UnixMicros) -> anyhow::Result<()> {
    let fact = Fact { time: now, author: AUTHOR.to_owned(), request_id: None, kind };
    ledger.add_fact(fact).await?;
    Ok(())
}
