//! Signing in and out, links, and one's own account.

use store::fact::{End, FactKind, UserChange};
use store::ledger::Ledger;
use store::registry::{LinkKind, Role};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use wire::api::v1;
use wire::api::v1::account_service_client::AccountServiceClient;

use super::{Bench, DAY_US, NOON, seconds, user_name, with_token};

const PASSWORD: &str = "correct horse";

/// A bench with user `anna`, who may see everything and has a password.
async fn with_anna() -> Bench {
    let bench = Bench::furnished().await;
    member(&bench, "anna", Role::Viewer).await;
    bench
}

/// A user of all sites with a password, set by a link.
pub(super) async fn member(bench: &Bench, name: &str, role: Role) {
    bench.user(name, role, &[]).await;
    let code = bench.link(LinkKind::Password { user: user_name(name) }).await;
    redeem(bench, &code, "", PASSWORD).await.unwrap();
}

async fn redeem(bench: &Bench, code: &str, name: &str, password: &str) -> Result<String, Status> {
    let (code, user_name, password) = (code.to_owned(), name.to_owned(), password.to_owned());
    let answer = bench.account().await.redeem_link(v1::RedeemLinkRequest { code, user_name, password }).await;
    answer.map(|answer| answer.into_inner().session)
}

pub(super) async fn sign_in(bench: &Bench, name: &str, password: &str) -> Result<String, Status> {
    let (user_name, password) = (name.to_owned(), password.to_owned());
    let answer = bench.account().await.sign_in(v1::SignInRequest { user_name, password }).await;
    answer.map(|answer| answer.into_inner().session)
}

/// Who somebody is, by a session.
async fn who(bench: &Bench, session: &str) -> Result<v1::GetAccountResponse, Status> {
    let request = with_token(session, v1::GetAccountRequest {});
    bench.account().await.get_account(request).await.map(tonic::Response::into_inner)
}

async fn change(bench: &Bench, name: &str, disabled: Option<bool>, expires: Option<i64>) {
    let end = expires.map(|expires| End { expires: Some(NOON.plus(expires)) });
    let user = user_name(name);
    let change = UserChange { user, display_name: None, grants: None, end, disabled };
    bench.fact(FactKind::UserChanged(change)).await;
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

#[tokio::test]
async fn a_session_is_its_user_until_it_ends() {
    let bench = with_anna().await;
    let request = v1::SignInRequest { user_name: " Anna ".to_owned(), password: PASSWORD.to_owned() };
    let begun = bench.account().await.sign_in(request).await.unwrap().into_inner();
    let week = 7 * 24 * 3_600;
    assert_eq!(begun.expire_time, Some(seconds(week)));
    let account = who(&bench, &begun.session).await.unwrap();
    assert_eq!((account.caller.as_str(), account.expire_time), ("user:anna", Some(seconds(week))));
    let user = account.user.unwrap();
    assert_eq!((user.name.as_str(), user.last_sign_in_time), ("anna", Some(seconds(0))));
    let may: Vec<&str> = account.permissions.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(may, ["history", "live"]);
    bench.at(week - 1);
    assert!(who(&bench, &begun.session).await.is_ok());
    bench.at(week);
    let status = who(&bench, &begun.session).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unauthenticated, "ENDED"));
}

#[tokio::test]
async fn whoever_cannot_sign_in_hears_the_same() {
    let bench = with_anna().await;
    for name in ["disabled", "expired"] {
        member(&bench, name, Role::Viewer).await;
    }
    change(&bench, "disabled", Some(true), None).await;
    change(&bench, "expired", None, Some(10_000_000)).await;
    bench.user("fresh", Role::Viewer, &[]).await;
    bench.at(10);
    for (name, password) in [
        ("anna", "wrong horse"),
        ("anna", ""),
        ("nobody", PASSWORD),
        ("no/name", PASSWORD),
        ("", ""),
        ("disabled", PASSWORD),
        ("expired", PASSWORD),
        ("fresh", ""),
    ] {
        let status = sign_in(&bench, name, password).await.unwrap_err();
        let found = (status.code(), status.message(), reason(&status));
        let same = "the name and the password do not fit";
        assert_eq!(found, (Code::Unauthenticated, same, "WRONG_PASSWORD".to_owned()), "{name}");
    }
    assert!(sign_in(&bench, "anna", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn who_guesses_waits_and_success_forgives() {
    let bench = with_anna().await;
    for name in ["anna", "nobody"] {
        for _ in 0..5 {
            assert_eq!(sign_in(&bench, name, "a guess").await.unwrap_err().code(), Code::Unauthenticated);
        }
        let status = sign_in(&bench, name, PASSWORD).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "also with the right one: {status:?}");
        let wait = status.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert_eq!(wait, std::time::Duration::from_secs(1));
    }
    bench.at(1);
    assert!(sign_in(&bench, "nobody", "a guess").await.unwrap_err().code() == Code::Unauthenticated);
    assert!(sign_in(&bench, "anna", PASSWORD).await.is_ok());
    for _ in 0..5 {
        assert_eq!(sign_in(&bench, "anna", "a guess").await.unwrap_err().code(), Code::Unauthenticated);
    }
    assert_eq!(sign_in(&bench, "anna", PASSWORD).await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn signing_out_ends_one_session_or_all() {
    let bench = with_anna().await;
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(sign_in(&bench, "anna", PASSWORD).await.unwrap());
    }
    let sign_out = async |session: &str, everywhere| {
        let request = with_token(session, v1::SignOutRequest { everywhere });
        bench.account().await.sign_out(request).await.map(drop)
    };
    sign_out(&sessions[0], false).await.unwrap();
    let open = async || {
        let mut open = Vec::new();
        for session in &sessions {
            open.push(who(&bench, session).await.is_ok());
        }
        open
    };
    assert_eq!(open().await, [false, true, true]);
    assert_eq!(sign_out(&sessions[0], true).await.unwrap_err().code(), Code::Unauthenticated);
    sign_out(&sessions[1], true).await.unwrap();
    assert_eq!(open().await, [false, false, false]);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let bench = with_anna().await;
    let own = sign_in(&bench, "anna", PASSWORD).await.unwrap();
    let other = sign_in(&bench, "anna", PASSWORD).await.unwrap();
    let change = async |old: &str, new: &str| {
        let (old_password, new_password) = (old.to_owned(), new.to_owned());
        let request = v1::ChangePasswordRequest { old_password, new_password };
        bench.account().await.change_password(with_token(&own, request)).await.map(drop)
    };
    for (old, new, field) in [
        ("wrong horse", "battery staple", "old_password"),
        (PASSWORD, "too short", "new_password"),
        (PASSWORD, &"x".repeat(201), "new_password"),
    ] {
        let status = change(old, new).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations[0].field, field);
        assert!(!status.message().contains(old) && !status.message().contains(new));
    }
    assert!(who(&bench, &other).await.is_ok());
    change(PASSWORD, "battery staple").await.unwrap();
    assert!(who(&bench, &own).await.is_ok());
    assert!(who(&bench, &other).await.is_err());
    assert!(sign_in(&bench, "anna", PASSWORD).await.is_err());
    assert!(sign_in(&bench, "anna", "battery staple").await.is_ok());
    // Guessing with a stolen session waits like guessing without.
    for _ in 0..5 {
        assert_eq!(change("a guess", "battery staple").await.unwrap_err().code(), Code::InvalidArgument);
    }
    let status = change("battery staple", "battery staples").await.unwrap_err();
    assert_eq!(reason(&status), "TOO_MANY_ATTEMPTS");
}

async fn kind_of(bench: &Bench, code: &str) -> Result<v1::LinkKind, Code> {
    let answer = bench.account().await.get_link(v1::GetLinkRequest { code: code.to_owned() }).await;
    answer.map(|answer| answer.into_inner().kind()).map_err(|status| {
        assert_eq!(reason(&status), "NO_LINK");
        status.code()
    })
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let bench = Bench::furnished().await;
    let code = bench.link(LinkKind::FirstAdministrator).await;
    assert_eq!(kind_of(&bench, &code).await, Ok(v1::LinkKind::FirstAdministrator));
    for (name, password) in
        [("Chief", PASSWORD), ("", PASSWORD), ("chief-of-all", "CHIEF-of-all"), ("chief", "short")]
    {
        assert_eq!(redeem(&bench, &code, name, password).await.unwrap_err().code(), Code::InvalidArgument);
    }
    // Two at once: one is made, the other is told that the link was used.
    let (first, second) =
        tokio::join!(redeem(&bench, &code, "chief", PASSWORD), redeem(&bench, &code, "rival", PASSWORD));
    let (made, refused) = if first.is_ok() { (first, second) } else { (second, first) };
    let session = made.unwrap();
    assert_eq!(reason(&refused.unwrap_err()), "NO_LINK");
    assert_eq!(bench.ledger.registry().users().len(), 1);
    assert_eq!(who(&bench, &session).await.unwrap().permissions.len(), 12);
    assert_eq!(kind_of(&bench, &code).await, Err(Code::NotFound));
    assert_eq!(redeem(&bench, &code, "third", PASSWORD).await.unwrap_err().code(), Code::NotFound);
    // Nor by another link, once there is one.
    let late = bench.link(LinkKind::FirstAdministrator).await;
    assert_eq!(kind_of(&bench, &late).await, Err(Code::NotFound));
    assert_eq!(redeem(&bench, &late, "third", PASSWORD).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn a_link_is_good_once_until_its_end_or_a_newer_one() {
    let bench = Bench::furnished().await;
    let none = bench.operator.replace("bwo1_", "bwl1_");
    for wrong in ["", "bwl1_", &none, &bench.operator] {
        assert_eq!(kind_of(&bench, wrong).await, Err(Code::NotFound), "{wrong}");
    }
    member(&bench, "anna", Role::Viewer).await;
    let open = sign_in(&bench, "anna", PASSWORD).await.unwrap();
    let password = LinkKind::Password { user: user_name("anna") };
    let replaced = bench.link(password.clone()).await;
    let code = bench.link(password.clone()).await;
    assert_eq!(kind_of(&bench, &replaced).await, Err(Code::NotFound));
    assert_eq!(kind_of(&bench, &code).await, Ok(v1::LinkKind::Password));
    assert_eq!(redeem(&bench, &code, "", "short").await.unwrap_err().code(), Code::InvalidArgument);
    let session = redeem(&bench, &code, "", "battery staple").await.unwrap();
    assert_eq!(who(&bench, &session).await.unwrap().caller, "user:anna");
    assert!(who(&bench, &open).await.is_err(), "a new password ends what was open");
    assert!(sign_in(&bench, "anna", "battery staple").await.is_ok());
    assert_eq!(redeem(&bench, &code, "", "battery staple").await.unwrap_err().code(), Code::NotFound);

    let code = bench.link(password).await;
    change(&bench, "anna", Some(true), None).await;
    assert_eq!(kind_of(&bench, &code).await, Err(Code::NotFound));
    assert_eq!(redeem(&bench, &code, "", PASSWORD).await.unwrap_err().code(), Code::NotFound);
    change(&bench, "anna", Some(false), None).await;
    assert!(sign_in(&bench, "anna", PASSWORD).await.is_err(), "nothing was set while disabled");
    bench.at(DAY_US / 1_000_000);
    assert_eq!(kind_of(&bench, &code).await, Err(Code::NotFound));
}

#[tokio::test]
async fn a_link_to_sign_in_works_again_until_its_end() {
    let bench = Bench::furnished().await;
    bench.user("demo", Role::Administrator, &[]).await;
    let code = bench.link(LinkKind::SignIn { user: user_name("demo") }).await;
    let first = redeem(&bench, &code, "", "").await.unwrap();
    bench.at(DAY_US / 1_000_000 - 1);
    let second = redeem(&bench, &code, "", "").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(kind_of(&bench, &code).await, Ok(v1::LinkKind::SignIn));
    bench.at(DAY_US / 1_000_000);
    assert_eq!(redeem(&bench, &code, "", "").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn only_our_own_pages_may_tell_where_a_browser_is() {
    let bench = with_anna().await;
    let request = |peer: Option<&'static str>| {
        let (user_name, password) = ("anna".to_owned(), PASSWORD.to_owned());
        let mut request = Request::new(v1::SignInRequest { user_name, password });
        if let Some(peer) = peer {
            request.metadata_mut().insert("x-beltwatch-peer", peer.parse().unwrap());
        }
        request
    };
    let mut pages = AccountServiceClient::new(bench.api.for_pages());
    let mut sessions =
        vec![bench.account().await.sign_in(request(Some("192.0.2.9"))).await.unwrap().into_inner().session];
    for peer in [Some("192.0.2.9"), Some("::ffff:192.0.2.9"), Some("nowhere"), None] {
        sessions.push(pages.sign_in(request(peer)).await.unwrap().into_inner().session);
    }
    let registry = bench.ledger.registry();
    let peer = |session: &String| registry.sign_in(&crate::secret_hash(session)).unwrap().peer.clone();
    let peers: Vec<String> = sessions.iter().map(peer).collect();
    assert_eq!(peers, ["127.0.0.1", "192.0.2.9", "192.0.2.9", "", ""]);
    // The operator's secret is worth nothing by way of pages, unless their browser is here.
    for (peer, is_let_in) in [(Some("192.0.2.9"), false), (None, false), (Some("127.0.0.1"), true)] {
        let mut request = with_token(&bench.operator, v1::GetAccountRequest {});
        if let Some(peer) = peer {
            request.metadata_mut().insert("x-beltwatch-peer", peer.parse().unwrap());
        }
        assert_eq!(pages.get_account(request).await.is_ok(), is_let_in, "{peer:?}");
    }
}
