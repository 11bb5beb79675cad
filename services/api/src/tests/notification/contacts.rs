//! Contacts from their making to their end.

use store::ledger::Ledger;
use store::registry::Role;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{Bench, seconds, with_token};
use super::{service, set, webhook};

fn reason(status: &Status) -> (Code, String) {
    (status.code(), status.get_details_error_info().unwrap().reason)
}

async fn names(bench: &Bench, token: Option<&str>, site: &str) -> Vec<String> {
    let request = v1::ListContactsRequest { site_id: site.to_owned() };
    let request = match token {
        Some(token) => with_token(token, request),
        None => tonic::Request::new(request),
    };
    let contacts = service(bench).await.list_contacts(request).await.unwrap().into_inner().contacts;
    contacts.into_iter().map(|one| one.name).collect()
}

fn delete(name: &str) -> v1::DeleteContactRequest {
    v1::DeleteContactRequest { name: name.to_owned() }
}

#[tokio::test]
async fn contacts_that_cannot_be_are_refused() {
    let bench = Bench::furnished().await;
    let mut service = service(&bench).await;
    let mut refused = async |change: &dyn Fn(&mut v1::SetContactRequest)| {
        let contact = Some(webhook("floor", "north"));
        let mut request = v1::SetContactRequest { contact, ..Default::default() };
        change(&mut request);
        service.set_contact(request).await.unwrap_err()
    };
    let contact = |request: &mut v1::SetContactRequest, change: fn(&mut v1::Contact)| {
        change(request.contact.as_mut().unwrap());
    };
    for name in ["", "Floor", "a b", "ä", &"x".repeat(65)] {
        let status = refused(&|one| one.contact.as_mut().unwrap().name = name.to_owned()).await;
        check(status, "contact.name", &["1 to 64 of a-z, 0-9 and hyphen"]);
    }
    let status = refused(&|one| contact(one, |one| one.display_name = "x".repeat(121))).await;
    check(status, "contact.display_name", &["121 characters", "at most 120"]);
    let status = refused(&|one| contact(one, |one| one.webhook_url.clear())).await;
    check(status, "contact.webhook_url", &["is empty, and so is contact.email"]);
    let status = refused(&|one| contact(one, |one| one.email = "ops@example.org".to_owned())).await;
    check(status, "contact.email", &["so is contact.webhook_url", "one of both"]);
    let status = refused(&|one| contact(one, |one| one.webhook_url = "http://example.org/".to_owned())).await;
    check(status, "contact.webhook_url", &["http to \"example.org\"", "loopback or private", "take https"]);
    let status = refused(&|one| contact(one, |one| one.webhook_url = "alerts".to_owned())).await;
    check(status, "contact.webhook_url", &["\"alerts\"", "no URL"]);
    let email = |one: &mut v1::Contact| (one.webhook_url, one.email) = (String::new(), "ops".to_owned());
    check(refused(&|one| contact(one, email)).await, "contact.email", &["\"ops\"", "no @"]);
    let good = |one: &mut v1::Contact| {
        (one.webhook_url, one.email) = (String::new(), "ops@example.org".to_owned());
    };
    let renewed = |one: &mut v1::SetContactRequest| {
        contact(one, good);
        one.renew_secret = true;
    };
    check(refused(&renewed).await, "renew_secret", &["e-mail has no secret"]);
    let status = refused(&|one| one.request_id = "a b".to_owned()).await;
    check(status, "request_id", &["\"a b\""]);
    let status = refused(&|one| one.contact = None).await;
    check(status, "contact.name", &["\"\""]);
    let status = refused(&|one| contact(one, |one| one.site_id = "east".to_owned())).await;
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    assert_eq!(names(&bench, None, "").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_contact_is_made_changed_and_taken_away() {
    let bench = Bench::furnished().await;
    let (made, secret) = set(&bench, webhook("floor", "north"), false).await;
    assert_eq!(
        (made.display_name.as_str(), made.change_time, made.last_notice.clone()),
        ("floor", Some(seconds(0)), None)
    );
    assert_eq!(secret.len(), 64, "32 octets");
    bench.at(60);
    let named =
        v1::Contact { display_name: "The floor".to_owned(), is_anchor: true, ..webhook("floor", "north") };
    let (changed, none) = set(&bench, named.clone(), false).await;
    assert_eq!((changed.display_name.as_str(), changed.is_anchor, none.as_str()), ("The floor", true, ""));
    assert_eq!(changed.change_time, Some(seconds(60)));
    let (renewed, other) = set(&bench, named.clone(), true).await;
    assert_eq!((renewed.webhook_url.as_str(), other.len()), ("https://alerts.example.org/floor", 64));
    assert_ne!(other, secret);
    // By mail there is none; a webhook again has a new one.
    let mail =
        v1::Contact { webhook_url: String::new(), email: "ops@example.org".to_owned(), ..named.clone() };
    let (mailed, none) = set(&bench, mail, false).await;
    assert_eq!(
        (mailed.webhook_url.as_str(), mailed.email.as_str(), none.as_str()),
        ("", "ops@example.org", "")
    );
    let (_, third) = set(&bench, named, false).await;
    assert!(third.len() == 64 && third != other && third != secret);

    let mut service = service(&bench).await;
    service.delete_contact(delete("floor")).await.unwrap();
    assert_eq!(service.delete_contact(delete("floor")).await.unwrap_err().code(), Code::NotFound);
    bench.at(120);
    let (_, fourth) = set(&bench, webhook("floor", "north"), false).await;
    assert!(![secret, other, third].contains(&fourth), "who knew an old one does not know the new one");
}

#[tokio::test]
async fn a_request_makes_a_contact_once_and_tells_its_secret_again() {
    let bench = Bench::furnished().await;
    let mut service = service(&bench).await;
    let make = |renew_secret, id: &str, url: &str| v1::SetContactRequest {
        contact: Some(v1::Contact { webhook_url: url.to_owned(), ..webhook("floor", "") }),
        renew_secret,
        request_id: id.to_owned(),
    };
    let (here, there) = ("https://example.org/1", "https://example.org/2");
    let first = service.set_contact(make(false, "one", here)).await.unwrap().into_inner();
    bench.at(60);
    let facts = bench.ledger.registry().last_fact;
    let again = service.set_contact(make(false, "one", here)).await.unwrap().into_inner();
    assert_eq!((again, bench.ledger.registry().last_fact), (first.clone(), facts));
    let changed = service.set_contact(make(false, "two", there)).await.unwrap().into_inner();
    assert_eq!(changed.secret, "");
    let again = service.set_contact(make(false, "two", there)).await.unwrap().into_inner();
    assert_eq!(again.secret, "", "it made none");
    let renewed = service.set_contact(make(true, "three", there)).await.unwrap().into_inner();
    bench.at(90);
    let again = service.set_contact(make(true, "three", there)).await.unwrap().into_inner();
    assert!(again.secret == renewed.secret && renewed.secret != first.secret && !renewed.secret.is_empty());
    let status = service.set_contact(make(false, "one", there)).await.unwrap_err();
    check(status, "request_id", &["used before"]);
}

#[tokio::test]
async fn contacts_of_one_site_are_of_no_other() {
    let bench = Bench::furnished().await;
    for (name, site) in [("all", ""), ("n", "north"), ("s", "south")] {
        set(&bench, webhook(name, site), false).await;
    }
    let north = bench.token_of(Role::Manager, &["north"]).await;
    assert_eq!(names(&bench, None, "").await, ["all", "n", "s"]);
    assert_eq!(names(&bench, None, "south").await, ["all", "s"]);
    assert_eq!(names(&bench, Some(&north), "").await, ["all", "n"]);
    let mut service = service(&bench).await;
    let request = with_token(&north, v1::ListContactsRequest { site_id: "south".to_owned() });
    assert_eq!(service.list_contacts(request).await.unwrap_err().code(), Code::NotFound);
    let mut set_by = async |contact: v1::Contact| {
        let request = v1::SetContactRequest { contact: Some(contact), ..Default::default() };
        service.set_contact(with_token(&north, request)).await.map(drop).map_err(|status| reason(&status))
    };
    assert_eq!(set_by(webhook("n", "north")).await, Ok(()));
    let (denied, taken) = ((Code::PermissionDenied, "NOT_EVERYWHERE"), (Code::AlreadyExists, "ID_TAKEN"));
    let named = |(code, reason): (Code, &str)| Err((code, reason.to_owned()));
    assert_eq!(set_by(webhook("all", "")).await, named(denied));
    assert_eq!(set_by(webhook("s", "south")).await, named((Code::NotFound, "NOT_FOUND")));
    assert_eq!(set_by(webhook("s", "north")).await, named(taken));
    assert_eq!(
        set_by(webhook("all", "north")).await,
        named((Code::FailedPrecondition, "CONTACT_OF_OTHER_SITE"))
    );
    for (name, expected) in [("all", Code::PermissionDenied), ("s", Code::NotFound), ("none", Code::NotFound)]
    {
        let status = service.delete_contact(with_token(&north, delete(name))).await.unwrap_err();
        assert_eq!(status.code(), expected, "{name}");
        let test = v1::TestContactRequest { name: name.to_owned(), ..Default::default() };
        let status = service.test_contact(with_token(&north, test)).await.unwrap_err();
        assert_eq!(status.code(), expected, "{name}");
    }
}

#[tokio::test]
async fn a_contact_says_whether_it_is_sent_the_weekly_report() {
    let bench = Bench::furnished().await;
    let weekly = v1::Contact { weekly: true, ..webhook("owner", "") };
    assert!(set(&bench, weekly, false).await.0.weekly);
    let listed = service(&bench).await.list_contacts(v1::ListContactsRequest::default()).await.unwrap();
    assert!(listed.into_inner().contacts.iter().all(|contact| contact.weekly));
    assert!(!set(&bench, webhook("owner", ""), false).await.0.weekly, "not any more");
    let registry = bench.ledger.registry();
    assert!(!registry.contact("owner").unwrap().weekly);
}
