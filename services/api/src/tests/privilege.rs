//! Nobody gives, takes or learns more than they may administer.

use store::ledger::Ledger;
use store::registry::Role;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::api::v1;

use super::account::member;
use super::{Bench, seconds, with_token};
use crate::secret_hash;

/// A bench with `chief` (administrator of all sites), `local` (of north), and users of one or more sites; and the
/// session of `local`.
async fn with_people() -> (Bench, String) {
    let bench = Bench::furnished().await;
    member(&bench, "chief", Role::Administrator).await;
    bench.user("local", Role::Administrator, &["north"]).await;
    bench.user("north-viewer", Role::Viewer, &["north"]).await;
    bench.user("south-viewer", Role::Viewer, &["south"]).await;
    bench.user("both-viewer", Role::Viewer, &["north", "south"]).await;
    bench.user("all-viewer", Role::Viewer, &[]).await;
    let session = bench.session("local").await;
    (bench, session)
}

fn grants(role: v1::Role, sites: &[&str]) -> Vec<v1::Grant> {
    let site_ids = sites.iter().map(|site| (*site).to_owned()).collect();
    vec![v1::Grant { role: role.into(), site_ids }]
}

fn update(name: &str, field: &str, new: v1::User) -> v1::UpdateUserRequest {
    let user = Some(v1::User { name: name.to_owned(), ..new });
    v1::UpdateUserRequest {
        user,
        update_mask: Some(prost_types::FieldMask { paths: vec![field.to_owned()] }),
    }
}

fn reason<T>(answer: Result<T, Status>) -> String {
    answer.err().map(|status| status.get_details_error_info().unwrap().reason).unwrap_or_default()
}

#[tokio::test]
async fn nobody_grants_more_than_they_administer() {
    let (bench, session) = with_people().await;
    let mut admin = bench.admin().await;
    for (role, sites, expected) in [
        (v1::Role::Viewer, &["north"][..], ""),
        (v1::Role::Administrator, &["north"], ""),
        (v1::Role::Viewer, &[], "BEYOND_OWN"),
        (v1::Role::Administrator, &[], "BEYOND_OWN"),
        (v1::Role::Viewer, &["south"], "NOT_FOUND"),
        (v1::Role::Viewer, &["north", "south"], "NOT_FOUND"),
        (v1::Role::Viewer, &["nowhere"], "NOT_FOUND"),
    ] {
        let what = format!("{role:?} {sites:?}");
        let name = format!("new-{role:?}-{}", sites.join("-")).to_lowercase();
        let request = v1::CreateUserRequest { name, grants: grants(role, sites), ..Default::default() };
        assert_eq!(reason(admin.create_user(with_token(&session, request)).await), expected, "{what}");
        let (display_name, grants) = ("program".to_owned(), grants(role, sites));
        let request = v1::CreateTokenRequest { display_name, grants: grants.clone(), expire_time: None };
        assert_eq!(reason(admin.create_token(with_token(&session, request)).await), expected, "{what}");
        let new = v1::User { grants: grants.clone(), ..Default::default() };
        let request = with_token(&session, update("north-viewer", "grants", new.clone()));
        assert_eq!(reason(admin.update_user(request).await), expected, "{what}");
        if !expected.is_empty() {
            let request = with_token(&session, update("local", "grants", new));
            assert_eq!(reason(admin.update_user(request).await), expected, "to themselves: {what}");
        }
    }
    // One wrong grant among good ones spoils all.
    let mut mixed = grants(v1::Role::Viewer, &["north"]);
    mixed.extend(grants(v1::Role::Viewer, &[]));
    let request = v1::CreateUserRequest { name: "mixed".to_owned(), grants: mixed, ..Default::default() };
    assert_eq!(reason(admin.create_user(with_token(&session, request)).await), "BEYOND_OWN");
    assert!(!bench.ledger.registry().users().keys().any(|name| name.as_str() == "mixed"));
}

#[tokio::test]
async fn whoever_has_more_is_not_there_for_an_administrator_of_less() {
    let (bench, session) = with_people().await;
    let mut admin = bench.admin().await;
    let listed = admin.list_users(with_token(&session, v1::ListUsersRequest::default())).await.unwrap();
    let names: Vec<String> = listed.into_inner().users.into_iter().map(|user| user.name).collect();
    assert_eq!(names, ["local", "north-viewer"]);
    let before = bench.ledger.facts(0, 1_000).await.unwrap();
    for name in ["chief", "south-viewer", "both-viewer", "all-viewer", "nobody"] {
        for (field, new) in [
            ("disabled", v1::User { disabled: true, ..Default::default() }),
            ("display_name", v1::User { display_name: "x".to_owned(), ..Default::default() }),
            ("grants", v1::User { grants: grants(v1::Role::Viewer, &["north"]), ..Default::default() }),
            ("expire_time", v1::User { expire_time: Some(seconds(60)), ..Default::default() }),
        ] {
            let request = with_token(&session, update(name, field, new));
            assert_eq!(reason(admin.update_user(request).await), "NOT_FOUND", "{name} {field}");
        }
        let request = v1::CreatePasswordLinkRequest { user_name: name.to_owned() };
        let answer = admin.create_password_link(with_token(&session, request)).await;
        assert_eq!(reason(answer), "NOT_FOUND", "{name}");
    }
    let mut tokens = Vec::new();
    for sites in [&["south"][..], &["north", "south"], &[]] {
        let secret = bench.token(sites).await;
        tokens.push(bench.ledger.registry().tokens()[&secret_hash(&secret)].number);
    }
    for number in tokens {
        let request = v1::RevokeTokenRequest { token_id: number.to_string() };
        assert_eq!(reason(admin.revoke_token(with_token(&session, request)).await), "NOT_FOUND");
    }
    let tokens = admin.list_tokens(with_token(&session, v1::ListTokensRequest::default())).await.unwrap();
    assert!(tokens.into_inner().tokens.is_empty());
    let after = bench.ledger.facts(0, 1_000).await.unwrap();
    assert_eq!(after.len(), before.len() + 3, "nothing but the tokens");
}

#[tokio::test]
async fn a_token_of_an_administrator_administers_nobody() {
    let (bench, _) = with_people().await;
    let token = bench.token_of(Role::Administrator, &[]).await;
    let mut admin = bench.admin().await;
    let name = "another".to_owned();
    let grants = grants(v1::Role::Viewer, &[]);
    let create = v1::CreateUserRequest { name, grants: grants.clone(), ..Default::default() };
    let make = v1::CreateTokenRequest { display_name: "x".to_owned(), grants, expire_time: None };
    let link = v1::CreatePasswordLinkRequest { user_name: "north-viewer".to_owned() };
    for answer in [
        reason(admin.create_user(with_token(&token, create)).await),
        reason(admin.create_token(with_token(&token, make)).await),
        reason(admin.create_password_link(with_token(&token, link)).await),
        reason(admin.list_users(with_token(&token, v1::ListUsersRequest::default())).await),
        reason(admin.list_tokens(with_token(&token, v1::ListTokensRequest::default())).await),
    ] {
        assert_eq!(answer, "NOT_FOR_PROGRAMS");
    }
    let request = with_token(&token, v1::GetAccountRequest {});
    let account = bench.account().await.get_account(request).await.unwrap().into_inner();
    assert!(account.permissions.iter().all(|permission| permission.name != "administer"));
    assert_eq!(account.permissions.len(), 11);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let (bench, _) = with_people().await;
    let mut admin = bench.admin().await;
    let changes = || {
        [
            ("disabled", v1::User { disabled: true, ..Default::default() }),
            ("grants", v1::User { grants: grants(v1::Role::Viewer, &[]), ..Default::default() }),
            (
                "grants",
                v1::User { grants: grants(v1::Role::Administrator, &["north"]), ..Default::default() },
            ),
            ("expire_time", v1::User { expire_time: Some(seconds(60)), ..Default::default() }),
        ]
    };
    for (field, new) in changes() {
        let status = admin.update_user(update("chief", field, new)).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert_eq!(reason::<()>(Err(status)), "LAST_ADMINISTRATOR");
    }
    // Somebody who has never set a password is not there to take over.
    bench.user("deputy", Role::Administrator, &[]).await;
    let (field, new) = changes()[0].clone();
    assert_eq!(reason(admin.update_user(update("chief", field, new)).await), "LAST_ADMINISTRATOR");
    member(&bench, "second", Role::Administrator).await;
    for (field, new) in changes() {
        assert_eq!(reason(admin.update_user(update("chief", field, new)).await), "", "{field}");
    }
}

#[tokio::test]
async fn an_auditor_has_an_end() {
    let (bench, _) = with_people().await;
    let mut admin = bench.admin().await;
    let mut request = v1::CreateUserRequest {
        name: "auditor".to_owned(),
        grants: grants(v1::Role::Auditor, &["north"]),
        ..Default::default()
    };
    let status = admin.create_user(request.clone()).await.unwrap_err();
    assert!(status.message().contains("an auditor's time has an end"), "{status:?}");
    request.expire_time = Some(seconds(0));
    let status = admin.create_user(request.clone()).await.unwrap_err();
    assert!(status.message().contains("must lie ahead"), "{status:?}");
    request.expire_time = Some(seconds(60));
    admin.create_user(request).await.unwrap();
    for request in [
        update("auditor", "expire_time", v1::User::default()),
        update(
            "north-viewer",
            "grants",
            v1::User { grants: grants(v1::Role::Auditor, &[]), ..Default::default() },
        ),
    ] {
        let status = admin.update_user(request).await.unwrap_err();
        assert!(status.message().contains("an auditor's time has an end"), "{status:?}");
    }
}
