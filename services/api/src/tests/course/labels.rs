//! Labels of sessions, and who sees them.

use store::fact::{FactKind, MachineChange, UserChange};
use store::ledger::Ledger;
use store::registry::Role;
use wire::api::v1;

use super::super::{grant, machine_id, site_id, user_name, with_token};
use super::{People, id, label, reason, session, wrong};

/// Sessions 1 and 2 of `n-1`, 3 of `s-1`, in the last hour.
async fn with_sessions() -> People {
    let people = People::gather().await;
    people
        .put(vec![session(1, "n-1", -60, 500), session(2, "n-1", -40, 500), session(3, "s-1", -20, 500)])
        .await;
    people
}

#[tokio::test]
async fn a_label_is_given_changed_and_taken_away() {
    let people = with_sessions().await;
    let first = people.course(&people.anna, "north", "A-1").await;
    let second = people.course(&people.anna, "north", "A-2").await;
    let facts = || people.bench.ledger.registry().last_fact;
    let before = facts();
    for (course, changes) in [(first, 1), (first, 1), (second, 2), (0, 3), (0, 3), (first, 4)] {
        assert_eq!(people.label(&people.anna, 1, course).await.unwrap(), course);
        assert_eq!(facts() - before, changes, "the same label again is no fact");
    }
}

#[tokio::test]
async fn a_label_by_the_same_request_is_given_once() {
    let people = with_sessions().await;
    let first = people.course(&people.anna, "north", "A-1").await;
    let second = people.course(&people.anna, "north", "A-2").await;
    let mut service = people.service().await;
    let request = |course| {
        with_token(&people.anna, v1::LabelSessionRequest { request_id: "r-1".to_owned(), ..label(1, course) })
    };
    assert_eq!(service.label_session(request(first)).await.unwrap().into_inner().course_id, first);
    people.label(&people.anna, 1, second).await.unwrap();
    // A late repetition does not bring the old label back.
    assert_eq!(service.label_session(request(first)).await.unwrap().into_inner().course_id, second);
    assert!(wrong(service.label_session(request(0)).await).contains("request_id was used before"));
}

#[tokio::test]
async fn nobody_labels_what_is_not_theirs() {
    let people = with_sessions().await;
    let of_anna = people.course(&people.anna, "north", "A-1").await;
    let of_berta = people.course(&people.berta, "north", "B-1").await;
    let of_carla = people.course(&people.carla, "south", "C-1").await;
    // A session elsewhere, one that there is not; a course of somebody else, one that there is not.
    assert_eq!(reason(people.label(&people.anna, 3, of_anna).await), "NOT_FOUND");
    assert_eq!(reason(people.label(&people.anna, 9, of_anna).await), "NOT_FOUND");
    assert_eq!(reason(people.label(&people.anna, 1, of_berta).await), "NOT_FOUND");
    assert_eq!(reason(people.label(&people.anna, 1, 999).await), "NOT_FOUND");
    assert_eq!(reason(people.label(&people.viewer, 1, of_anna).await), "NOT_ALLOWED");
    let chief = people.bench.token_of(Role::Administrator, &[]).await;
    let said = wrong(people.label(&chief, 1, of_carla).await);
    assert!(said.contains("course_id is of site \"south\"; the session was at \"north\""), "{said}");

    people.label(&people.anna, 1, of_anna).await.unwrap();
    for course in [of_berta, 0] {
        let refused = people.label(&people.berta, 1, course).await;
        assert_eq!(reason(refused.clone()), "LABELLED_OTHERWISE");
        assert!(refused.unwrap_err().message().contains("has the label of another course"));
    }
    assert_eq!(people.label(&people.manager, 1, of_berta).await.unwrap(), of_berta);
    assert_eq!(reason(people.label(&people.anna, 1, of_anna).await), "LABELLED_OTHERWISE");
}

#[tokio::test]
async fn a_course_that_has_ended_gets_no_more_sessions() {
    let people = with_sessions().await;
    let course_id = people.course(&people.anna, "north", "A-1").await;
    people.label(&people.anna, 1, course_id).await.unwrap();
    let end = v1::EndCourseRequest { course_id, ..Default::default() };
    people.service().await.end_course(with_token(&people.anna, end)).await.unwrap();
    assert_eq!(reason(people.label(&people.anna, 2, course_id).await), "COURSE_ENDED");
    // What it has can be repeated and taken away.
    assert_eq!(people.label(&people.anna, 1, course_id).await.unwrap(), course_id);
    assert_eq!(people.label(&people.anna, 1, 0).await.unwrap(), 0);
}

/// Ids, courses and codes of the sessions that somebody finds to label.
async fn listed(
    people: &People,
    secret: &str,
    request: v1::ListLabelSessionsRequest,
) -> Vec<(String, u64, String)> {
    let mut service = people.service().await;
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListLabelSessionsRequest { page_token, ..request.clone() };
        let page = service.list_label_sessions(with_token(secret, request)).await.unwrap().into_inner();
        all.extend(page.sessions.into_iter().map(|one| (one.session.unwrap().id, one.course_id, one.code)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

fn of_north() -> v1::ListLabelSessionsRequest {
    v1::ListLabelSessionsRequest { site_id: "north".to_owned(), ..Default::default() }
}

#[tokio::test]
async fn sessions_of_the_last_week_are_found_but_for_those_with_labels_of_others() {
    let people = with_sessions().await;
    people
        .put(vec![
            session(4, "n-2", -30, 500),
            session(5, "n-1", -7 * 24 * 60 + 1, 500),
            session(6, "n-1", -7 * 24 * 60 - 1, 500),
        ])
        .await;
    let of_anna = people.course(&people.anna, "north", "A-1").await;
    let of_berta = people.course(&people.berta, "north", "B-1").await;
    people.label(&people.anna, 1, of_anna).await.unwrap();
    people.label(&people.berta, 2, of_berta).await.unwrap();
    let bare = |number| (id(number), 0, String::new());
    let own = (id(1), of_anna, "A-1".to_owned());
    let other = (id(2), of_berta, "B-1".to_owned());
    for page_size in [1, 2, 3, 50] {
        let request = || v1::ListLabelSessionsRequest { page_size, ..of_north() };
        let by_anna = listed(&people, &people.anna, request()).await;
        assert_eq!(by_anna, [bare(4), own.clone(), bare(5)], "{page_size}");
        let by_berta = listed(&people, &people.berta, request()).await;
        assert_eq!(by_berta, [bare(4), other.clone(), bare(5)], "{page_size}");
        let by_manager = listed(&people, &people.manager, request()).await;
        assert_eq!(by_manager, [bare(4), other.clone(), own.clone(), bare(5)], "{page_size}");
    }
    let of_machine = v1::ListLabelSessionsRequest { machine_id: "n-2".to_owned(), ..of_north() };
    assert_eq!(listed(&people, &people.anna, of_machine).await, [bare(4)]);
    let mut service = people.service().await;
    for (site, machine) in [("south", ""), ("north", "s-1"), ("north", "n-9")] {
        let request = v1::ListLabelSessionsRequest {
            site_id: site.to_owned(),
            machine_id: machine.to_owned(),
            ..Default::default()
        };
        let answer = service.list_label_sessions(with_token(&people.anna, request)).await;
        assert_eq!(reason(answer), "NOT_FOUND", "{site} {machine}");
    }
}

#[tokio::test]
async fn a_session_belongs_to_the_site_at_which_its_machine_stood() {
    let people = with_sessions().await;
    let of_anna = people.course(&people.anna, "north", "A-1").await;
    let of_carla = people.course(&people.carla, "south", "C-1").await;
    let site = Some(site_id("south"));
    let machine = machine_id("n-1");
    let change = MachineChange { machine, display_name: None, model: None, belt: None, drive: None, site };
    people.bench.fact(FactKind::MachineChanged(change)).await;
    // Session 7 comes after the move; what is set holds from 10 s on.
    people.put(vec![session(7, "n-1", 5, 500)]).await;
    people.bench.at(600);
    assert_eq!(people.label(&people.anna, 1, of_anna).await.unwrap(), of_anna);
    assert_eq!(reason(people.label(&people.carla, 1, of_carla).await), "NOT_FOUND");
    assert_eq!(reason(people.label(&people.anna, 7, of_anna).await), "NOT_FOUND");
    assert_eq!(people.label(&people.carla, 7, of_carla).await.unwrap(), of_carla);
    let numbers = |all: Vec<(String, u64, String)>| all.into_iter().map(|(id, ..)| id).collect::<Vec<_>>();
    assert_eq!(numbers(listed(&people, &people.anna, of_north()).await), [id(2), id(1)]);
    let of_south = v1::ListLabelSessionsRequest { site_id: "south".to_owned(), ..Default::default() };
    assert_eq!(numbers(listed(&people, &people.carla, of_south).await), [id(7), id(3)]);
}

#[tokio::test]
async fn the_code_is_told_with_the_session_to_whoever_may_see_it() {
    let people = with_sessions().await;
    let of_anna = people.course(&people.anna, "north", "A-1").await;
    people.label(&people.anna, 1, of_anna).await.unwrap();
    // A therapist who sees the history, too: one's own codes only.
    people.bench.user("other", Role::Therapist, &["north"]).await;
    let grants = [Role::Therapist, Role::Viewer].map(|role| grant(role, &["north"])).to_vec();
    let change = UserChange {
        user: user_name("other"),
        display_name: None,
        grants: Some(grants),
        end: None,
        disabled: None,
    };
    people.bench.fact(FactKind::UserChanged(change)).await;
    let (other, auditor) =
        (people.bench.session("other").await, people.bench.token_of(Role::Auditor, &[]).await);
    let mut history = people.bench.history().await;
    for (who, secret, expected) in [
        ("manager", &people.manager, "A-1"),
        ("viewer", &people.viewer, ""),
        ("another therapist", &other, ""),
        ("auditor", &auditor, ""),
        ("operator", &people.bench.operator, "A-1"),
    ] {
        let request = with_token(secret, v1::GetSessionRequest { session_id: id(1) });
        let one = history.get_session(request).await.unwrap().into_inner().session.unwrap();
        assert_eq!(one.course_code, expected, "{who}");
        let request = v1::ListSessionsRequest { machine_id: "n-1".to_owned(), ..Default::default() };
        let all = history.list_sessions(with_token(secret, request)).await.unwrap().into_inner().sessions;
        let codes: Vec<&str> = all.iter().map(|session| session.course_code.as_str()).collect();
        assert_eq!(codes, ["", expected], "{who}");
    }
    people.label(&people.anna, 1, 0).await.unwrap();
    let change =
        v1::UpdateCourseRequest { course_id: of_anna, owner: "user:other".to_owned(), ..Default::default() };
    people.service().await.update_course(with_token(&people.anna, change)).await.unwrap();
    people.label(&other, 2, of_anna).await.unwrap();
    let request = with_token(&other, v1::GetSessionRequest { session_id: id(2) });
    let own = history.get_session(request).await.unwrap().into_inner().session.unwrap();
    assert_eq!(own.course_code, "A-1");
}
