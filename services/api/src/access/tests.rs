use store::ledger::{Fact, FactKind};
use store::memory::MemoryLedger;

use super::*;

const NOW: UnixMicros = UnixMicros(1_000_000_000);

fn from(peer: &str, authorization: Option<&str>, user: Option<&str>) -> Credentials {
    Credentials {
        authorization: authorization.map(str::to_owned),
        user: user.map(str::to_owned),
        peer: (!peer.is_empty()).then(|| peer.parse().unwrap()),
    }
}

async fn ledger_with(token: &str, sites: &[&str]) -> Arc<MemoryLedger> {
    let ledger = Arc::new(MemoryLedger::new());
    let fact = |kind| Fact { time: NOW, author: "test".to_owned(), request_id: None, kind };
    for site in sites {
        let site = store::ledger::Site {
            id: SiteId::new(site).unwrap(),
            display_name: String::new(),
            time_zone: "UTC".to_owned(),
            created: NOW,
        };
        ledger.add_fact(fact(FactKind::SiteCreated(site))).await.unwrap();
    }
    let sites = sites.iter().map(|site| SiteId::new(site).unwrap()).collect();
    let token = Token { hash: token_hash(token), display_name: "test".to_owned(), sites };
    ledger.add_fact(fact(FactKind::TokenCreated(token))).await.unwrap();
    ledger
}

#[tokio::test]
async fn who_may_do_what() {
    let token = new_token().unwrap();
    let access = Access::new(ledger_with(&token, &["north"]).await);
    let bearer = format!("Bearer {token}");
    let foreign = format!("Bearer {}", new_token().unwrap());
    let check = async |credentials: Credentials, permission, expected: Result<&str, Denied>| {
        let admitted = access.admit(&credentials, permission, NOW).await.unwrap();
        let name = admitted.as_ref().map(|(caller, _)| caller.name.as_str()).map_err(|denied| *denied);
        assert_eq!(name, expected, "{credentials:?}");
    };
    use Permission::{Administer, Read};
    let local = "127.0.0.1:5000";
    check(from(local, None, None), Administer, Ok("local:unknown")).await;
    check(from("[::1]:5000", None, Some("anna.b-1")), Read, Ok("local:anna.b-1")).await;
    check(from("[::ffff:127.0.0.1]:5000", None, None), Read, Ok("local:unknown")).await;
    for peer in ["192.0.2.7:5000", "[2001:db8::1]:5000", "0.0.0.0:1", ""] {
        check(from(peer, None, Some("anna")), Read, Err(Denied::NoToken)).await;
        check(from(peer, Some(&bearer), None), Read, Ok("token:2")).await;
    }
    for user in ["", "anna b", "anna\n", "ä", &"x".repeat(65)] {
        check(from(local, None, Some(user)), Read, Err(Denied::MalformedUser)).await;
    }
    // A token that is sent must be good, on this host too.
    check(from(local, Some(&foreign), None), Read, Err(Denied::UnknownToken)).await;
    check(from(local, Some(&bearer), None), Administer, Err(Denied::TokenOnlyReads)).await;
    check(from(local, Some(&bearer.to_uppercase()), None), Read, Err(Denied::MalformedToken)).await;
    for authorization in ["", "Bearer", "Bearer ", "Basic abc", &token, &bearer[..70], &format!("{bearer}0")]
    {
        check(from(local, Some(authorization), None), Read, Err(Denied::MalformedToken)).await;
    }
}

#[tokio::test]
async fn a_token_sees_its_sites_and_one_without_sites_sees_all() {
    for (sites, north, south) in [(&["north"][..], true, false), (&[][..], true, true)] {
        let token = new_token().unwrap();
        let access = Access::new(ledger_with(&token, sites).await);
        let credentials = from("192.0.2.7:1", Some(&format!("bearer {token}")), None);
        let (_, scope) = access.admit(&credentials, Permission::Read, NOW).await.unwrap().unwrap();
        assert_eq!(scope.has(&SiteId::new("north").unwrap()), north);
        assert_eq!(scope.has(&SiteId::new("south").unwrap()), south);
    }
}

#[tokio::test]
async fn a_token_that_is_gone_is_believed_for_two_seconds_at_most() {
    let token = new_token().unwrap();
    let ledger = ledger_with(&token, &[]).await;
    let access = Access::new(ledger.clone());
    let credentials = from("192.0.2.7:1", Some(&format!("Bearer {token}")), None);
    let admitted = async |now| access.admit(&credentials, Permission::Read, now).await.unwrap().is_ok();
    assert!(admitted(NOW).await);
    ledger.restore(&MemoryLedger::new().snapshot());
    assert!(admitted(NOW.plus(1_999_999)).await);
    assert!(!admitted(NOW.plus(2_000_000)).await);
    // Nor if the clock is set back.
    assert!(!admitted(NOW.plus(-60_000_000)).await);
}
