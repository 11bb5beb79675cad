//! The audit: what was done and what was refused, by whom; never a secret.

mod usage;

use std::sync::{Arc, Mutex};

use store::fact::{FactKind, SiteChange};
use store::ledger::Ledger;
use store::registry::{LinkKind, Role};
use tonic::Code;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use wire::api::v1;

use super::account::{member, sign_in};
use super::{Bench, site_id, with_token};

const PASSWORD: &str = "correct horse";

pub(super) async fn entries(bench: &Bench, secret: &str, page_size: i32) -> Vec<Vec<v1::AuditEntry>> {
    let mut admin = bench.admin().await;
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = with_token(secret, v1::ListAuditEntriesRequest { page_size, page_token });
        let page = admin.list_audit_entries(request).await.unwrap().into_inner();
        pages.push(page.entries);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

/// All entries, oldest first, once the audit has this many refusals.
async fn all(bench: &Bench, refusals: usize) -> Vec<v1::AuditEntry> {
    let waiting = async {
        loop {
            let mut all = entries(bench, &bench.operator, 1_000).await.concat();
            if all.iter().filter(|entry| entry.kind == "access_refused").count() >= refusals {
                all.reverse();
                return all;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), waiting).await.expect("the refusals are written")
}

fn viewer_of_north() -> Vec<v1::Grant> {
    vec![v1::Grant { role: v1::Role::Viewer.into(), site_ids: vec!["north".to_owned()] }]
}

#[tokio::test]
async fn changes_and_refusals_are_told_with_who_what_and_where() {
    let bench = Bench::furnished().await;
    member(&bench, "anna", Role::Administrator).await;
    bench.user("ben", Role::Staff, &["north"]).await;
    let before = all(&bench, 0).await.len();
    let anna = sign_in(&bench, "anna", PASSWORD).await.unwrap();
    let ben = bench.session("ben").await;
    let mut admin = bench.admin().await;
    let grants = viewer_of_north();
    let request =
        v1::CreateUserRequest { name: "carl".to_owned(), grants: grants.clone(), ..Default::default() };
    admin.create_user(with_token(&anna, request)).await.unwrap();
    let request = v1::CreateTokenRequest { display_name: "Grafana".to_owned(), grants, expire_time: None };
    let token = admin.create_token(with_token(&anna, request)).await.unwrap().into_inner();
    let request = v1::RevokeTokenRequest { token_id: token.token.unwrap().id };
    admin.revoke_token(with_token(&anna, request)).await.unwrap();
    let request = v1::RevokeCredentialRequest { machine_id: "n-1".to_owned() };
    admin.revoke_credential(with_token(&anna, request)).await.unwrap();
    let request =
        v1::AcknowledgeStopRequest { machine_id: "n-2".to_owned(), stop_time: Some(super::seconds(0)) };
    bench.fleet().await.acknowledge_stop(with_token(&ben, request)).await.unwrap();
    let request = v1::SignOutRequest { everywhere: true };
    bench.account().await.sign_out(with_token(&ben, request)).await.unwrap();

    let expected = [
        ("user:anna", "signed_in", "anna", "", "from 127.0.0.1"),
        ("test", "signed_in", "ben", "", ""),
        ("user:anna", "user_created", "carl", "", "viewer at north"),
        ("user:anna", "link_made", "carl", "", "to set a password"),
        ("user:anna", "token_created", "Grafana", "", "viewer at north"),
        ("user:anna", "token_revoked", "12", "", ""),
        ("user:anna", "credential_revoked", "n-1", "north", ""),
        ("user:ben", "stop_acknowledged", "n-2", "north", ""),
        ("user:ben", "signed_out", "ben", "", "everywhere"),
    ];
    let all = all(&bench, 0).await;
    let found: Vec<_> = all[before..]
        .iter()
        .map(|e| {
            (e.author.as_str(), e.kind.as_str(), e.subject.as_str(), e.site_id.as_str(), e.detail.as_str())
        })
        .collect();
    let number = all.iter().find(|entry| entry.kind == "token_created").unwrap().number.to_string();
    let expected = expected.map(|(author, kind, subject, site, detail)| {
        (author, kind, if kind == "token_revoked" { number.as_str() } else { subject }, site, detail)
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn every_refusal_is_told_with_its_caller_and_once() {
    let bench = Bench::furnished().await;
    member(&bench, "anna", Role::Viewer).await;
    let session = bench.session("anna").await;
    let token = bench.token_of(Role::Administrator, &[]).await;
    let number = bench.ledger.registry().tokens()[&crate::secret_hash(&token)].number;
    let (mut admin, mut account) = (bench.admin().await, bench.account().await);
    let create = || v1::CreateSiteRequest { site_id: "east".to_owned(), ..Default::default() };
    admin.create_site(with_token(&session, create())).await.unwrap_err();
    admin.list_users(with_token(&token, v1::ListUsersRequest::default())).await.unwrap_err();
    account.get_account(v1::GetAccountRequest {}).await.unwrap_err();
    account.get_account(with_token("bwx", v1::GetAccountRequest {})).await.unwrap_err();
    account.sign_out(with_token(&bench.operator, v1::SignOutRequest::default())).await.unwrap_err();
    account.get_link(v1::GetLinkRequest { code: "bwl1_".to_owned() }).await.unwrap_err();
    sign_in(&bench, "anna", "wrong horse").await.unwrap_err();
    // What is typed as a name may be a password.
    sign_in(&bench, "my-secret-password", "anna").await.unwrap_err();
    let request = v1::ChangePasswordRequest {
        old_password: "wrong horse".to_owned(),
        new_password: "battery staple".to_owned(),
    };
    account.change_password(with_token(&session, request)).await.unwrap_err();
    super::port::http(&bench, "/metrics", Some(&session)).await;

    let by_token = format!("token:{number}");
    let expected = [
        ("user:anna", "", "AdminService/CreateSite: NOT_ALLOWED"),
        (by_token.as_str(), "", "AdminService/ListUsers: NOT_FOR_PROGRAMS"),
        ("unknown", "", "AccountService/GetAccount: NOT_KNOWN"),
        ("unknown", "", "AccountService/GetAccount: MALFORMED"),
        ("operator:unknown", "", "AccountService/SignOut: NOT_A_USER"),
        ("unknown", "", "AccountService/GetLink: NO_LINK"),
        ("unknown", "anna", "AccountService/SignIn: WRONG_PASSWORD"),
        ("unknown", "", "AccountService/SignIn: WRONG_PASSWORD"),
        ("user:anna", "anna", "AccountService/ChangePassword: WRONG_PASSWORD"),
        ("user:anna", "", "metrics: NOT_ALLOWED"),
    ];
    let all = all(&bench, expected.len()).await;
    let refused: Vec<_> = all.iter().filter(|entry| entry.kind == "access_refused").collect();
    let found: Vec<_> = refused
        .iter()
        .map(|e| (e.author.as_str(), e.subject.as_str(), e.detail.strip_suffix(" from 127.0.0.1").unwrap()))
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_flood_of_refusals_is_two_facts_and_none_is_lost_at_the_end() {
    let bench = Bench::furnished().await;
    let mut account = bench.account().await;
    for _ in 0..300 {
        let status = account.get_account(v1::GetAccountRequest {}).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }
    drop(account);
    bench.stopping.cancel();
    bench.server.await.unwrap().unwrap();
    let facts = bench.ledger.facts(0, 1_000).await.unwrap();
    let counts = facts.iter().filter_map(|(_, fact)| {
        if let FactKind::AccessRefused(refusal) = &fact.kind { Some(refusal.count) } else { None }
    });
    assert_eq!(counts.collect::<Vec<_>>(), [1, 299]);
}

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_written_anywhere() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let ours = ["api", "store", "tonic", "tower", "axum"];
    let targets = Targets::new().with_targets(ours.map(|target| (target, LevelFilter::TRACE)));
    let subscriber = tracing_subscriber::registry().with(targets).with(layer);
    let _guard = tracing::subscriber::set_default(subscriber);

    let bench = Bench::furnished().await;
    let mut secrets = vec![bench.operator.clone()];
    let code = bench.link(LinkKind::FirstAdministrator).await;
    let request = v1::RedeemLinkRequest {
        code: code.clone(),
        user_name: "chief".to_owned(),
        password: "first password".to_owned(),
    };
    let mut account = bench.account().await;
    let first = account.redeem_link(request).await.unwrap().into_inner().session;
    let session = sign_in(&bench, "chief", "first password").await.unwrap();
    let request = v1::ChangePasswordRequest {
        old_password: "first password".to_owned(),
        new_password: "second password".to_owned(),
    };
    account.change_password(with_token(&session, request)).await.unwrap();
    let mut admin = bench.admin().await;
    let grants = viewer_of_north();
    let request =
        v1::CreateUserRequest { name: "carl".to_owned(), grants: grants.clone(), ..Default::default() };
    let made = admin.create_user(with_token(&session, request)).await.unwrap().into_inner();
    let link = made.link_path.strip_prefix("/link/").unwrap().to_owned();
    let request = v1::CreateTokenRequest { display_name: "Grafana".to_owned(), grants, expire_time: None };
    let token = admin.create_token(with_token(&session, request)).await.unwrap().into_inner().secret;
    let request = v1::RenewCredentialRequest { machine_id: "n-1".to_owned() };
    let renewed = admin.renew_credential(with_token(&session, request)).await.unwrap().into_inner();
    let (_, key) = renewed.credential.split_once("\"key\"").unwrap();
    let key = key.split('"').nth(1).unwrap().to_owned();
    assert_eq!(key.len(), 64, "{key}");
    // Refused, with secrets in the wrong places.
    sign_in(&bench, "third-password", "fourth password").await.unwrap_err();
    sign_in(&bench, &session, "fourth password").await.unwrap_err();
    account.get_account(with_token(&first, v1::GetAccountRequest {})).await.unwrap_err();
    account.get_link(v1::GetLinkRequest { code: code.clone() }).await.unwrap_err();
    account.get_link(v1::GetLinkRequest { code: token.clone() }).await.unwrap_err();
    admin.create_site(with_token(&token, v1::CreateSiteRequest::default())).await.unwrap_err();
    bench.fleet().await.list_sites(with_token(&link, v1::ListSitesRequest::default())).await.unwrap_err();
    let words = ["first password", "second password", "third-password", "fourth password"];
    secrets.extend(words.map(str::to_owned));
    secrets.extend([code, first, session, link, token, key]);

    // Those that are alike are one.
    let entries = all(&bench, 5).await;
    let facts = bench.ledger.facts(0, 1_000).await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("signed in") && log.contains("request was not let in"), "{log}");
    for (place, text) in [("log", log), ("audit", format!("{entries:?}")), ("facts", format!("{facts:?}"))] {
        for secret in &secrets {
            // Without its kind, too.
            let bare = secret.split_once("1_").map_or(secret.as_str(), |(_, digits)| digits);
            assert!(!text.contains(bare), "{secret} is in the {place}");
        }
    }
}

#[tokio::test]
async fn an_auditor_of_one_site_reads_what_concerns_that_site() {
    let bench = Bench::furnished().await;
    let token = bench.token_of(Role::Auditor, &["north"]).await;
    let found: Vec<(String, String)> = entries(&bench, &token, 2)
        .await
        .concat()
        .into_iter()
        .map(|entry| (entry.kind, entry.subject))
        .collect();
    let found: Vec<(&str, &str)> =
        found.iter().map(|(kind, subject)| (kind.as_str(), subject.as_str())).collect();
    assert_eq!(found, [("machine_created", "n-2"), ("machine_created", "n-1"), ("site_created", "north")]);
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_facts_and_each_entry_comes_once() {
    let bench = Bench::furnished().await;
    let earlier = bench.ledger.facts(0, 1_000).await.unwrap().len();
    for change in 0..25_000 {
        let display_name = Some(change.to_string());
        let change = SiteChange { site: site_id("south"), display_name, time_zone: None };
        bench.fact(FactKind::SiteChanged(change)).await;
    }
    let token = bench.token_of(Role::Auditor, &["north"]).await;
    let pages = entries(&bench, &token, 1).await;
    // Two empty pages of 10 000 facts each, then one by one what is there.
    let sizes: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert!(sizes.starts_with(&[0, 0, 1, 1, 1]), "{sizes:?}");
    assert_eq!(sizes.iter().sum::<usize>(), 3);
    for page_size in [999, 1_000] {
        let numbers: Vec<u64> =
            entries(&bench, &bench.operator, page_size).await.concat().iter().map(|e| e.number).collect();
        let last = earlier as u64 + 25_001;
        assert!(numbers.iter().copied().eq((1..=last).rev()), "page_size {page_size}");
    }
}
