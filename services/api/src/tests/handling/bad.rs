//! Bad input: the field, its value, and what is allowed.

use store::registry::Role;
use tonic::Code;
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{seconds, with_token};
use super::{acknowledge, close, id, ids, note, with_staff};

#[tokio::test]
async fn which_incidents() {
    let (bench, _) = with_staff().await;
    let mut service = bench.handling().await;
    let mut ask = async |incident_ids: Vec<String>| {
        let request = v1::AcknowledgeIncidentsRequest { incident_ids, ..Default::default() };
        service.acknowledge_incidents(request).await.unwrap_err()
    };
    check(ask(Vec::new()).await, "incident_ids", &["0 entries", "1 to 100"]);
    check(ask(vec![id(1); 101]).await, "incident_ids", &["101 entries", "1 to 100"]);
    check(ask(ids(&[1, 3, 1])).await, "incident_ids", &[&id(1), "more than once"]);
    check(ask(vec!["xyz".to_owned()]).await, "incident_ids", &["xyz", "32 of 0-9 and a-f"]);
    for answer in [
        service.list_incident_steps(v1::ListIncidentStepsRequest::default()).await.map(drop),
        service.export_dossier(v1::ExportDossierRequest::default()).await.map(drop),
        service.erase_note(v1::EraseNoteRequest::default()).await.map(drop),
    ] {
        check(answer.unwrap_err(), "incident_id", &["\"\"", "32 of 0-9 and a-f"]);
    }
    let request = v1::ListIncidentStepsRequest { incident_id: id(9) };
    let status = service.list_incident_steps(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
}

#[tokio::test]
async fn what_is_written() {
    let (bench, _) = with_staff().await;
    let mut service = bench.handling().await;
    let mut write = async |text: &str| service.note_incidents(note(&[1], text)).await;
    check(write("").await.unwrap_err(), "note", &["is empty", "1 to 2000"]);
    check(write(" \r\n ").await.unwrap_err(), "note", &["is empty"]);
    check(write(&"ä".repeat(2_001)).await.unwrap_err(), "note", &["2001 characters", "at most 2000"]);
    check(write("bell \u{7}").await.unwrap_err(), "note", &["'\\u{7}'", "only line breaks"]);
    assert_eq!(write(&"ä".repeat(2_000)).await.unwrap().into_inner().results[0].error, "");
    let long = "x".repeat(65);
    let request = v1::AcknowledgeIncidentsRequest { request_id: long, ..acknowledge(&[1]) };
    check(service.acknowledge_incidents(request).await.unwrap_err(), "request_id", &["at most 64"]);
}

#[tokio::test]
async fn who_works_on_it() {
    let (bench, anna) = with_staff().await;
    bench.user("zoe", Role::Staff, &["south"]).await;
    bench.user("tom", Role::Therapist, &["north"]).await;
    let program = bench.token_of(Role::Staff, &["north"]).await;
    let mut service = bench.handling().await;
    let request = |user: &str| v1::AssignIncidentsRequest {
        incident_ids: ids(&[1]),
        user: user.to_owned(),
        ..Default::default()
    };
    let mut assign =
        async |secret: &str, user: &str| service.assign_incidents(with_token(secret, request(user))).await;
    check(assign(&anna, "nobody").await.unwrap_err(), "user", &["nobody", "there is not"]);
    check(assign(&anna, "Ä").await.unwrap_err(), "user", &["Ä", "1 to 64"]);
    check(assign(&program, "me").await.unwrap_err(), "user", &["\"me\"", "signed in"]);
    for user in ["zoe", "tom"] {
        let answer = assign(&anna, user).await.unwrap().into_inner();
        assert_eq!(answer.results[0].reason, "CANNOT_SEE", "{user}");
        assert!(answer.results[0].error.starts_with("user may not see"), "{answer:?}");
    }
    for (user, expected) in [("anna", "anna"), ("", "")] {
        let answer = assign(&program, user).await.unwrap().into_inner();
        assert_eq!(super::taken(&answer.results[0]).assignee, expected);
    }
}

#[tokio::test]
async fn until_when_and_how_it_is_closed() {
    let (bench, _) = with_staff().await;
    let mut service = bench.handling().await;
    let mut until = async |second| {
        let until_time = Some(seconds(second));
        let request =
            v1::ShelveIncidentsRequest { incident_ids: ids(&[3]), until_time, ..Default::default() };
        service.shelve_incidents(request).await
    };
    const MONTH: i64 = 30 * 24 * 3_600;
    check(until(0).await.unwrap_err(), "until_time", &["not ahead", "to 30 days"]);
    check(until(-5).await.unwrap_err(), "until_time", &["not ahead"]);
    check(until(MONTH + 1).await.unwrap_err(), "until_time", &["more than 30 days ahead"]);
    until(1).await.unwrap();
    until(MONTH).await.unwrap();
    let request = v1::CloseIncidentsRequest { cause: 8, hurt: 4, ..close(&[1]) };
    let status = service.close_incidents(request).await.unwrap_err();
    check(status.clone(), "cause", &["8", "0 to 7"]);
    check(status, "hurt", &["4", "0 to 3"]);
}

#[tokio::test]
async fn filters_of_handling() {
    let (bench, _) = with_staff().await;
    let mut service = bench.incidents().await;
    let mut list = async |filter: v1::IncidentFilter| {
        let request = v1::ListIncidentsRequest { filter: Some(filter), ..Default::default() };
        service.list_incidents(request).await.unwrap_err()
    };
    let wrong = v1::IncidentFilter { handling_states: vec![0], ..Default::default() };
    check(list(wrong).await, "filter.handling_states", &["0", "1 to 4"]);
    let wrong = v1::IncidentFilter { assignee: "me".to_owned(), ..Default::default() };
    check(list(wrong).await, "filter.assignee", &["\"me\"", "signed in"]);
    let wrong = v1::IncidentFilter { assignee: "A".to_owned(), ..Default::default() };
    check(list(wrong).await, "filter.assignee", &["A", "1 to 64"]);
    let wrong = v1::ListSiteIncidentsRequest { site_id: "N".to_owned() };
    check(service.list_site_incidents(wrong).await.unwrap_err(), "site_id", &["N", "a-z"]);
}
