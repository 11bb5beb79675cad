use store::fact::{Fact, FactKind};
use store::memory::MemoryLedger;
use store::registry::Token;

use super::secret::{new_secret, secret_hash};
use super::*;

const NOW: UnixMicros = UnixMicros(1_000_000_000);
const LOCAL: &str = "127.0.0.1";
const AWAY: &str = "192.0.2.7";

fn from(peer: &str, authorization: Option<&str>, user: Option<&str>) -> Credentials {
    Credentials {
        authorization: authorization.map(str::to_owned),
        user: user.map(str::to_owned),
        peer: (!peer.is_empty()).then(|| peer.parse().unwrap()),
    }
}

/// A viewer's token, good for a second.
async fn ledger_with(token: &str) -> Arc<MemoryLedger> {
    let ledger = Arc::new(MemoryLedger::new());
    let token = Token {
        hash: secret_hash(token),
        number: 0,
        display_name: "test".to_owned(),
        grants: vec![Grant { role: Role::Viewer, sites: Vec::new() }],
        author: "test".to_owned(),
        created: NOW,
        expires: NOW.plus(1_000_000),
        revoked: None,
    };
    let kind = FactKind::TokenCreated(token);
    ledger.add_fact(Fact { time: NOW, author: "test".to_owned(), request_id: None, kind }).await.unwrap();
    ledger
}

#[tokio::test]
async fn who_is_who() {
    let (token, operator) = (SecretKind::Token, SecretKind::Operator);
    let [token, operator] = [token, operator].map(|kind| new_secret(kind).unwrap());
    let access = Access::new(ledger_with(&token).await, secret_hash(&operator));
    let check = |credentials: Credentials, expected: Result<&str, Denied>| {
        let caller = access.caller(&credentials, Need::Known, NOW);
        let name = caller.map(|caller| caller.name());
        assert_eq!(name, expected.map(str::to_owned), "{credentials:?}");
    };
    let bearer = |secret: &str| format!("Bearer {secret}");
    let (by_token, by_operator) = (bearer(&token), bearer(&operator));
    for peer in [LOCAL, "::1", "::ffff:127.0.0.1", "127.8.8.8"] {
        check(from(peer, None, Some("anna")), Err(Denied::NotKnown));
        check(from(peer, Some(&by_operator), None), Ok("operator:unknown"));
        check(from(peer, Some(&by_operator), Some("anna.b-1")), Ok("operator:anna.b-1"));
        check(from(peer, Some(&by_token), Some("anna")), Ok("token:1"));
    }
    // The operator's secret is worth nothing elsewhere.
    for peer in [AWAY, "2001:db8::1", "0.0.0.0", ""] {
        check(from(peer, Some(&by_operator), Some("anna")), Err(Denied::Ended));
        check(from(peer, Some(&by_token), None), Ok("token:1"));
    }
    for user in ["", "anna b", "anna\n", "ä", &"x".repeat(65)] {
        check(from(LOCAL, Some(&by_operator), Some(user)), Err(Denied::MalformedUser));
    }
    for kind in [SecretKind::Token, SecretKind::Session, SecretKind::Link, SecretKind::Operator] {
        check(from(LOCAL, Some(&bearer(&new_secret(kind).unwrap())), None), Err(Denied::Ended));
    }
    for wrong in ["", "Bearer", "Bearer ", "Basic abc", &token, &by_token[..70], &format!("{by_token}0")] {
        check(from(LOCAL, Some(wrong), None), Err(Denied::Malformed));
    }
    check(from(LOCAL, Some(&by_token.to_uppercase()), None), Err(Denied::Malformed));
    check(from(AWAY, Some(&format!("bearer {token}")), None), Ok("token:1"));
}

#[tokio::test]
async fn a_token_is_good_until_its_end() {
    let token = new_secret(SecretKind::Token).unwrap();
    let ledger = ledger_with(&token).await;
    let access = Access::new(ledger.clone(), [0; 32]);
    let credentials = from(AWAY, Some(&format!("Bearer {token}")), None);
    let need = Need::Some(Permission::Live);
    let caller = access.caller(&credentials, need, NOW).unwrap();
    assert_eq!(access.scope(&caller, need, NOW.plus(999_999)), Ok(Scope::All));
    assert_eq!(access.scope(&caller, need, NOW.plus(1_000_000)), Err(Denied::Ended));
    // What is gone from the registry is refused with the next request.
    ledger.restore(&MemoryLedger::new().snapshot());
    assert_eq!(access.scope(&caller, need, NOW), Err(Denied::Ended));
    assert_eq!(access.caller(&credentials, need, NOW), Err(Denied::Ended));
}

#[test]
fn a_scope_is_what_the_grants_of_a_permission_reach() {
    let site = |id: &str| SiteId::new(id).unwrap();
    let grant = |role, sites: &[&str]| Grant { role, sites: sites.iter().map(|id| site(id)).collect() };
    let scope = |sites: &[&str]| Some(Scope::Sites(sites.iter().map(|id| site(id)).collect()));
    let north = grant(Role::Manager, &["north"]);
    let south = grant(Role::Viewer, &["south"]);
    let all = grant(Role::Technician, &[]);
    for (grants, permission, expected) in [
        (vec![], Permission::Live, None),
        (vec![north.clone(), south.clone()], Permission::Live, scope(&["north", "south"])),
        (vec![north.clone(), south.clone()], Permission::Act, scope(&["north"])),
        (vec![north.clone(), south.clone()], Permission::Audit, None),
        (vec![north.clone(), all.clone()], Permission::Live, Some(Scope::All)),
        (vec![north.clone(), all.clone()], Permission::Configure, scope(&["north"])),
    ] {
        assert_eq!(Scope::of(&grants, permission), expected, "{grants:?} {permission:?}");
    }
    let Some(within) = scope(&["north"]) else { unreachable!() };
    assert!(within.covers(std::slice::from_ref(&north)) && Scope::All.covers(std::slice::from_ref(&all)));
    for beyond in [south, all, grant(Role::Viewer, &["north", "south"])] {
        assert!(!within.covers(&[north.clone(), beyond]));
    }
}
