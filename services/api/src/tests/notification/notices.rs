//! Notices: tests of contacts, and the list of what was told.

use domain::ids::{IncidentId, NoticeId};
use domain::incident::Severity;
use store::ledger::{About, Ledger, Notice, NoticeQuery, NoticeState};
use store::registry::Role;
use tonic::Code;
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{Bench, NOON, seconds, site_id, with_token};
use super::{service, set, webhook};

/// A notice that contact `n` was to be sent so many seconds after noon.
fn notice(id: u8, site: Option<&str>, second: i64, about: About, state: NoticeState) -> Notice {
    let at = NOON.plus(second * 1_000_000);
    Notice {
        id: NoticeId([id; 16]),
        about,
        contact: "n".to_owned(),
        site: site.map(site_id),
        severity: Severity::High,
        step: 2,
        planned: at,
        due: at.plus(1_000_000),
        state,
        attempts: 3,
        last_attempt: Some(at.plus(2_000_000)),
        reason: "status 500".to_owned(),
        together: 4,
        revision: 1,
    }
}

fn about(incident: u8) -> About {
    About::Incident { incident: IncidentId([incident; 16]) }
}

fn head() -> About {
    About::Head { facts: 9, root: "00".repeat(32) }
}

/// Notices 1 to 5: of north, north, south, the server, and again north.
async fn told() -> Bench {
    let bench = Bench::furnished().await;
    set(&bench, webhook("n", ""), false).await;
    let notices = vec![
        notice(1, Some("north"), 10, about(1), NoticeState::Sent),
        notice(2, Some("north"), 20, about(2), NoticeState::NotNeeded),
        notice(3, Some("south"), 30, about(3), NoticeState::Failed),
        notice(4, None, 30, head(), NoticeState::Sent),
        notice(5, Some("north"), 40, about(1), NoticeState::Waiting),
    ];
    bench.ledger.put_notices(notices, None).await.unwrap();
    bench
}

fn numbers(notices: &[v1::Notice]) -> Vec<u8> {
    notices.iter().map(|notice| u8::from_str_radix(&notice.id[..2], 16).unwrap()).collect()
}

#[tokio::test]
async fn notices_are_listed_newest_first_within_scope() {
    let bench = told().await;
    let north = bench.token_of(Role::Manager, &["north"]).await;
    let list = async |token: Option<&str>, request: v1::ListNoticesRequest| {
        let request = match token {
            Some(token) => with_token(token, request),
            None => tonic::Request::new(request),
        };
        service(&bench).await.list_notices(request).await.map(|answer| answer.into_inner().notices)
    };
    let all = v1::ListNoticesRequest::default;
    assert_eq!(numbers(&list(None, all()).await.unwrap()), [5, 4, 3, 2, 1]);
    assert_eq!(numbers(&list(Some(&north), all()).await.unwrap()), [5, 2, 1]);
    let of = |site: &str| v1::ListNoticesRequest { site_id: site.to_owned(), ..all() };
    assert_eq!(numbers(&list(None, of("south")).await.unwrap()), [3]);
    assert_eq!(list(Some(&north), of("south")).await.unwrap_err().code(), Code::NotFound);
    let incident = |id: u8| v1::ListNoticesRequest { incident_id: IncidentId([id; 16]).to_string(), ..all() };
    assert_eq!(numbers(&list(None, incident(1)).await.unwrap()), [5, 1]);
    assert_eq!(numbers(&list(Some(&north), incident(3)).await.unwrap()), Vec::<u8>::new());
    let to = |contact: &str| v1::ListNoticesRequest { contact: contact.to_owned(), ..all() };
    assert_eq!(numbers(&list(None, to("n")).await.unwrap()).len(), 5);
    assert_eq!(list(None, to("nobody")).await.unwrap(), []);

    let [_, four, three, two, _] = &list(None, all()).await.unwrap()[..] else { panic!("five") };
    assert!(four.is_head && !four.is_test && four.site_id.is_empty() && four.incident_id.is_empty());
    assert_eq!((three.state(), three.incident_id.as_str()), (v1::NoticeState::Failed, &*"03".repeat(16)));
    let expected = v1::Notice {
        id: "02".repeat(16),
        contact: "n".to_owned(),
        site_id: "north".to_owned(),
        incident_id: "02".repeat(16),
        severity: v1::Severity::High.into(),
        step: 2,
        plan_time: Some(seconds(20)),
        due_time: Some(seconds(21)),
        state: v1::NoticeState::NotNeeded.into(),
        attempts: 3,
        last_attempt_time: Some(seconds(22)),
        reason: "status 500".to_owned(),
        together: 4,
        ..Default::default()
    };
    assert_eq!(two, &expected);
    // What was answered may name an address: it is for those who may set contacts.
    let viewer = bench.token_of(Role::Viewer, &["north", "south"]).await;
    let reasons = async |token: &str| {
        let notices = list(Some(token), all()).await.unwrap().into_iter();
        notices.map(|notice| notice.reason).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&viewer).await, ["", "", "status 500", "status 500"]);
    assert_eq!(reasons(&north).await, ["status 500"; 3]);
    let bad = list(None, v1::ListNoticesRequest { incident_id: "x".to_owned(), ..all() }).await.unwrap_err();
    check(bad, "incident_id", &["\"x\"", "32 of 0-9 and a-f"]);
    check(list(None, to("A")).await.unwrap_err(), "contact", &["\"A\"", "a-z"]);
    let bad = list(None, v1::ListNoticesRequest { page_size: -1, ..all() }).await.unwrap_err();
    check(bad, "page_size", &["-1"]);
}

#[tokio::test]
async fn pages_follow_each_other_without_a_hole() {
    let bench = told().await;
    let mut service = service(&bench).await;
    for size in 1..=5 {
        let mut request = v1::ListNoticesRequest { page_size: size, ..Default::default() };
        let mut all = Vec::new();
        loop {
            let page = service.list_notices(request.clone()).await.unwrap().into_inner();
            all.extend(numbers(&page.notices));
            if page.next_page_token.is_empty() {
                break;
            }
            assert_eq!(page.notices.len(), usize::try_from(size).unwrap());
            request.page_token = page.next_page_token;
        }
        assert_eq!(all, [5, 4, 3, 2, 1], "{size}");
    }
    let first = v1::ListNoticesRequest { page_size: 1, ..Default::default() };
    let page_token = service.list_notices(first).await.unwrap().into_inner().next_page_token;
    let other = v1::ListNoticesRequest { site_id: "north".to_owned(), page_token, ..Default::default() };
    check(service.list_notices(other).await.unwrap_err(), "page_token", &["other fields"]);
}

#[tokio::test]
async fn a_contact_shows_the_notice_that_was_tried_last() {
    let bench = told().await;
    let last = async |token: Option<&str>| {
        let request = match token {
            Some(token) => with_token(token, v1::ListContactsRequest::default()),
            None => tonic::Request::new(v1::ListContactsRequest::default()),
        };
        let contacts = service(&bench).await.list_contacts(request).await.unwrap().into_inner().contacts;
        contacts[0].last_notice.as_ref().map(|notice| notice.id[..2].to_owned())
    };
    assert_eq!(last(None).await.as_deref(), Some("05"), "it fails and waits");
    let south = bench.token_of(Role::Manager, &["south"]).await;
    assert_eq!(last(Some(&south)).await.as_deref(), Some("03"));
}

#[tokio::test]
async fn a_test_is_planned_once_and_sent_by_whoever_sends() {
    let bench = Bench::furnished().await;
    set(&bench, webhook("floor", "north"), false).await;
    let mut service = service(&bench).await;
    let mut test = async |request_id: &str| {
        let request = v1::TestContactRequest { name: "floor".to_owned(), request_id: request_id.to_owned() };
        service.test_contact(request).await.unwrap().into_inner().notice.unwrap()
    };
    let first = test("one").await;
    assert_eq!((first.is_test, first.site_id.as_str(), first.step), (true, "north", 0));
    assert_eq!((first.state(), first.due_time), (v1::NoticeState::Waiting, Some(seconds(0))));
    bench.at(60);
    assert_eq!(test("one").await, first);
    assert_eq!(test("").await, first, "it waits still");
    let waiting = bench.ledger.waiting_notices(10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let sent = Notice { state: NoticeState::Sent, revision: 2, ..waiting[0].clone() };
    bench.ledger.put_notices(vec![sent], None).await.unwrap();
    assert_eq!(test("one").await.state(), v1::NoticeState::Sent);
    let ids = [test("two").await.id, first.id];
    assert_ne!(ids[0], ids[1]);
    let all = bench.ledger.notices(&NoticeQuery { max: 10, ..NoticeQuery::default() }).await.unwrap();
    assert_eq!(all.len(), 2);
    let bad = v1::TestContactRequest { name: "Floor".to_owned(), ..Default::default() };
    check(super::service(&bench).await.test_contact(bad).await.unwrap_err(), "name", &["\"Floor\""]);
}
