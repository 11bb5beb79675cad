//! What people do about incidents, as callers meet it.

mod audited;
mod bad;
mod bounds;
mod dossier;
mod outage;
mod seen;
mod together;

use store::registry::Role;
use wire::api::v1;

use super::incidents::{changed, incident};
use super::{Bench, seconds, with_token};

/// The id of an incident by its number.
pub(super) fn id(number: u8) -> String {
    format!("{number:02x}").repeat(16)
}

fn ids(numbers: &[u8]) -> Vec<String> {
    numbers.iter().map(|number| id(*number)).collect()
}

fn acknowledge(numbers: &[u8]) -> v1::AcknowledgeIncidentsRequest {
    v1::AcknowledgeIncidentsRequest { incident_ids: ids(numbers), ..Default::default() }
}

fn close(numbers: &[u8]) -> v1::CloseIncidentsRequest {
    let (cause, hurt) = (v1::Cause::MachineFault.into(), v1::Hurt::No.into());
    v1::CloseIncidentsRequest { incident_ids: ids(numbers), cause, hurt, ..Default::default() }
}

fn note(numbers: &[u8], text: &str) -> v1::NoteIncidentsRequest {
    v1::NoteIncidentsRequest { incident_ids: ids(numbers), note: text.to_owned(), request_id: String::new() }
}

/// Critical stops 1 and 2 of `n-1`, a medium one, 3, of `n-2`, and 4 at the other site; anna is staff of north.
async fn with_staff() -> (Bench, String) {
    let bench = Bench::furnished().await;
    let medium = |one: &mut domain::incident::Incident| one.severity = domain::incident::Severity::Medium;
    let incidents = vec![
        incident(1, "n-1", -100),
        incident(2, "n-1", -50),
        changed(incident(3, "n-2", -40), medium),
        incident(4, "s-1", -30),
    ];
    bench.found(incidents).await;
    bench.user("anna", Role::Staff, &["north"]).await;
    let anna = bench.session("anna").await;
    (bench, anna)
}

impl Bench {
    /// An incident as the operator sees it.
    async fn now(&self, number: u8) -> v1::Incident {
        let request = v1::GetIncidentRequest { incident_id: id(number) };
        self.incidents().await.get_incident(request).await.unwrap().into_inner().incident.unwrap()
    }

    async fn handling_of(&self, number: u8) -> v1::Handling {
        self.now(number).await.handling.unwrap()
    }

    async fn steps_of(&self, secret: &str, number: u8) -> Vec<v1::IncidentStep> {
        let request = with_token(secret, v1::ListIncidentStepsRequest { incident_id: id(number) });
        self.handling().await.list_incident_steps(request).await.unwrap().into_inner().steps
    }
}

/// The handling that a result gives.
fn taken(result: &v1::StepResult) -> v1::Handling {
    assert_eq!((result.error.as_str(), result.reason.as_str()), ("", ""));
    result.incident.clone().unwrap().handling.unwrap()
}

#[tokio::test]
async fn an_incident_is_acknowledged_worked_on_and_closed() {
    let (bench, anna) = with_staff().await;
    let mut service = bench.handling().await;
    assert_eq!(bench.handling_of(1).await.state(), v1::HandlingState::Open);
    bench.at(10);
    let answer = service.acknowledge_incidents(with_token(&anna, acknowledge(&[1]))).await.unwrap();
    let now = taken(&answer.into_inner().results[0]);
    let deed = v1::Deed { time: Some(seconds(10)), author: "user:anna".to_owned() };
    assert_eq!(
        (now.state(), now.acknowledged.clone()),
        (v1::HandlingState::Acknowledged, Some(deed.clone()))
    );

    bench.at(20);
    let assign = |user: &str| v1::AssignIncidentsRequest {
        incident_ids: ids(&[1]),
        user: user.to_owned(),
        note: "on my way".to_owned(),
        ..Default::default()
    };
    let answer = service.assign_incidents(with_token(&anna, assign("me"))).await.unwrap().into_inner();
    let now = taken(&answer.results[0]);
    assert_eq!((now.state(), now.assignee.as_str()), (v1::HandlingState::InProgress, "anna"));
    assert_eq!((now.note_count, now.acknowledged), (1, Some(deed.clone())), "the first stays");

    bench.at(30);
    service.note_incidents(with_token(&anna, note(&[1], " belt torn\r\nat the seam "))).await.unwrap();
    let closing = v1::CloseIncidentsRequest { note: "new belt".to_owned(), ..close(&[1]) };
    let answer = service.close_incidents(with_token(&anna, closing)).await.unwrap().into_inner();
    let now = taken(&answer.results[0]);
    assert_eq!(
        (now.state(), now.cause(), now.hurt()),
        (v1::HandlingState::Closed, v1::Cause::MachineFault, v1::Hurt::No)
    );
    let deed = v1::Deed { time: Some(seconds(30)), ..deed };
    assert_eq!((now.closed.clone(), now.corrected), (Some(deed.clone()), None));

    bench.at(40);
    let correction = v1::CloseIncidentsRequest {
        incident_ids: ids(&[1]),
        hurt: v1::Hurt::Yes.into(),
        ..Default::default()
    };
    let now = taken(&service.close_incidents(correction).await.unwrap().into_inner().results[0]);
    assert_eq!((now.cause(), now.hurt(), now.closed), (v1::Cause::MachineFault, v1::Hurt::Yes, Some(deed)));
    assert_eq!(now.corrected.unwrap().author, "operator:unknown");

    let steps = bench.steps_of(&anna, 1).await;
    let texts: Vec<&str> = steps.iter().map(|step| step.note.as_str()).collect();
    assert_eq!(texts, ["", "on my way", "belt torn\nat the seam", "new belt", ""]);
    assert!(steps.windows(2).all(|pair| pair[0].number < pair[1].number));
    assert_eq!(now.step_count, 5);
}

#[tokio::test]
async fn of_many_one_that_cannot_be_stepped_holds_up_no_other() {
    let (bench, anna) = with_staff().await;
    let mut service = bench.handling().await;
    service.close_incidents(close(&[2])).await.unwrap();
    let shelve = v1::ShelveIncidentsRequest {
        incident_ids: ids(&[1, 2, 3, 4, 9]),
        until_time: Some(seconds(3_600)),
        ..Default::default()
    };
    let answer = service.shelve_incidents(with_token(&anna, shelve)).await.unwrap().into_inner();
    let reasons: Vec<&str> = answer.results.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["CRITICAL", "CLOSED", "", "NOT_FOUND", "NOT_FOUND"]);
    assert!(answer.results[0].error.contains("critical incident cannot be shelved"), "{answer:?}");
    assert!(answer.results[1].error.contains("operator:unknown"), "{answer:?}");
    assert_eq!(taken(&answer.results[2]).shelve_until_time, Some(seconds(3_600)));
    assert!(answer.results.iter().all(|one| one.reason.is_empty() == one.incident.is_some()));
    let of = |one: &v1::StepResult| one.incident_id.clone();
    assert_eq!(answer.results.iter().map(of).collect::<Vec<_>>(), ids(&[1, 2, 3, 4, 9]));
    let unanswered = v1::CloseIncidentsRequest { incident_ids: ids(&[1, 3]), ..Default::default() };
    let answer = service.close_incidents(unanswered).await.unwrap().into_inner();
    assert_eq!(answer.results[0].reason, "UNANSWERED");
    assert!(answer.results[0].error.contains("cause is missing"), "{answer:?}");
    let closed = taken(&answer.results[1]);
    assert_eq!((closed.state(), closed.shelve_until_time), (v1::HandlingState::Closed, None));
}

#[tokio::test]
async fn a_shelved_incident_comes_back_by_itself_or_is_taken_up_again() {
    let (bench, _) = with_staff().await;
    let mut service = bench.handling().await;
    let shelve =
        |until_time| v1::ShelveIncidentsRequest { incident_ids: ids(&[3]), until_time, ..Default::default() };
    service.shelve_incidents(shelve(Some(seconds(60)))).await.unwrap();
    bench.at(59);
    assert_eq!(bench.handling_of(3).await.shelve_until_time, Some(seconds(60)));
    bench.at(60);
    assert_eq!(bench.handling_of(3).await.shelve_until_time, None);
    service.shelve_incidents(shelve(Some(seconds(600)))).await.unwrap();
    let answer = service.shelve_incidents(shelve(None)).await.unwrap().into_inner();
    assert_eq!(taken(&answer.results[0]).shelve_until_time, None);
}

#[tokio::test]
async fn a_request_that_is_repeated_steps_once() {
    let (bench, anna) = with_staff().await;
    let mut service = bench.handling().await;
    let request = v1::CloseIncidentsRequest {
        note: "nothing found".to_owned(),
        request_id: "r".repeat(64),
        ..close(&[1, 3])
    };
    let first = service.close_incidents(with_token(&anna, request.clone())).await.unwrap().into_inner();
    bench.at(60);
    let again = service.close_incidents(with_token(&anna, request.clone())).await.unwrap().into_inner();
    assert_eq!(first, again);
    assert_eq!(bench.handling_of(1).await.step_count, 1);

    let other = v1::CloseIncidentsRequest { note: "something else".to_owned(), ..request.clone() };
    let answer = service.close_incidents(with_token(&anna, other)).await.unwrap().into_inner();
    assert_eq!(answer.results[0].reason, "REQUEST_ID_USED");
    assert!(answer.results[0].error.contains("request_id was used before"), "{answer:?}");
    let same_id = v1::AcknowledgeIncidentsRequest { request_id: "r".repeat(64), ..acknowledge(&[1]) };
    let answer = service.acknowledge_incidents(with_token(&anna, same_id.clone())).await.unwrap();
    assert_eq!(answer.into_inner().results[0].reason, "REQUEST_ID_USED");
    let by_another = service.acknowledge_incidents(same_id).await.unwrap().into_inner();
    taken(&by_another.results[0]);

    // The text is gone, but the retry is still known.
    let number = bench.steps_of(&anna, 1).await[0].number;
    service.erase_note(v1::EraseNoteRequest { incident_id: id(1), number }).await.unwrap();
    let again = service.close_incidents(with_token(&anna, request)).await.unwrap().into_inner();
    assert_eq!(taken(&again.results[0]).note_count, 0);
}

#[tokio::test]
async fn an_erased_note_leaves_that_there_was_one() {
    let (bench, anna) = with_staff().await;
    let mut service = bench.handling().await;
    service.note_incidents(with_token(&anna, note(&[1], "a name"))).await.unwrap();
    let number = bench.steps_of(&anna, 1).await[0].number;
    let erase = |number| v1::EraseNoteRequest { incident_id: id(1), number };
    for _ in 0..2 {
        let answer = service.erase_note(erase(number)).await.unwrap().into_inner();
        let now = answer.incident.unwrap().handling.unwrap();
        assert_eq!((now.note_count, now.step_count), (0, 2), "again changes nothing");
    }
    let steps = bench.steps_of(&anna, 1).await;
    let told = |step: &v1::IncidentStep| (step.note.clone(), step.has_note, step.is_note_erased);
    assert_eq!(told(&steps[0]), (String::new(), true, true));
    assert_eq!(told(&steps[1]), (String::new(), false, false));
    for wrong in [0, number + 1, 1] {
        let status = service.erase_note(erase(wrong)).await.unwrap_err();
        assert!(status.message().contains("no note"), "{status:?}");
    }
}

#[tokio::test]
async fn evidence_is_held_and_let_go() {
    let (bench, _) = with_staff().await;
    let mut service = bench.handling().await;
    for on in [true, false] {
        let request = v1::HoldIncidentsRequest {
            incident_ids: ids(&[1, 3]),
            on,
            note: "the lawyer asked".to_owned(),
            ..Default::default()
        };
        let answer = service.hold_incidents(request).await.unwrap().into_inner();
        assert!(answer.results.iter().all(|one| taken(one).legal_hold == on), "{answer:?}");
    }
}
