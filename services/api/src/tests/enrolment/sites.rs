//! Codes for a site, and agents that wait for approval.

use store::registry::Role;

use super::*;
use crate::tests::with_token;

/// The agents that wait, newest first.
async fn waiting(bench: &Bench) -> Vec<v1::PendingEnrolment> {
    let request = v1::ListPendingEnrolmentsRequest::default();
    staff(bench).await.list_pending_enrolments(request).await.unwrap().into_inner().enrolments
}

async fn get(bench: &Bench, nonce: u8) -> Result<Outcome, Status> {
    use v1::get_enrolment_response::Outcome as Standing;
    let request = v1::GetEnrolmentRequest { nonce: vec![nonce; 32] };
    let answer = agent(bench).await.get_enrolment(request).await?.into_inner();
    Ok(match answer.outcome.expect("an answer has an outcome") {
        Standing::Credential(credential) => Outcome::Credential(credential),
        Standing::Comparison(comparison) => Outcome::Comparison(comparison),
    })
}

fn approves(id: &str, machine: &str, is_replacement: bool) -> v1::ApproveEnrolmentRequest {
    let (enrolment_id, machine_id) = (id.to_owned(), machine.to_owned());
    v1::ApproveEnrolmentRequest { enrolment_id, machine_id, is_replacement, ..Default::default() }
}

async fn approve(
    bench: &Bench,
    id: &str,
    machine: &str,
    is_replacement: bool,
) -> Result<v1::Machine, Status> {
    let answer = staff(bench).await.approve_enrolment(approves(id, machine, is_replacement)).await?;
    Ok(answer.into_inner().machine.unwrap())
}

async fn refuse(bench: &Bench, id: &str) -> Result<(), Status> {
    let request = v1::RefuseEnrolmentRequest { enrolment_id: id.to_owned() };
    staff(bench).await.refuse_enrolment(request).await.map(drop)
}

#[tokio::test]
async fn an_agent_waits_until_staff_approve_it_as_a_new_machine() {
    let bench = Bench::furnished().await;
    let code = site_code(&bench, "north", 5).await;
    let shown = comparison(enrol(&bench, asks(&code, 1)).await);
    assert!(shown.len() == 6 && shown.bytes().all(|c| c.is_ascii_digit()), "{shown}");
    // The same agent again, by either way, is the same one.
    assert_eq!(comparison(enrol(&bench, asks(&code, 1)).await), shown);
    assert_eq!(comparison(get(&bench, 1).await), shown);
    let [one] = &waiting(&bench).await[..] else { panic!("one waits") };
    assert_eq!(
        (one.comparison.as_str(), one.name.as_str(), one.site_id.as_str()),
        (&*shown, "box 1", "north")
    );
    assert!(one.peer.starts_with("127."), "{}", one.peer);
    let machine = approve(&bench, &one.id, "n-7", false).await.unwrap();
    assert_eq!((machine.id.as_str(), machine.site_id.as_str()), ("n-7", "north"));
    let got = credential(get(&bench, 1).await);
    assert_eq!((got.machine.as_str(), got.generation), ("n-7", 1));
    assert_eq!(credential(enrol(&bench, asks(&code, 1)).await), got, "it asked from the beginning");
    assert!(waiting(&bench).await.is_empty());
    // Once more is the same, as another machine it is too late.
    approve(&bench, &one.id, "n-7", false).await.unwrap();
    let other = approve(&bench, &one.id, "n-8", false).await;
    check_refused(other, Answer::FailedPrecondition, "NOT_WAITING");
    check_refused(refuse(&bench, &one.id).await, Answer::FailedPrecondition, "NOT_WAITING");
    assert_eq!(audit(&bench, 3).await, ["enrolment_approved", "enrolment_asked", "enrolment_code_made"]);
}

#[tokio::test]
async fn a_replacement_gets_the_next_generation() {
    let bench = Bench::furnished().await;
    let code = site_code(&bench, "north", 5).await;
    comparison(enrol(&bench, asks(&code, 1)).await);
    let id = waiting(&bench).await[0].id.clone();
    check_refused(approve(&bench, &id, "n-1", false).await, Answer::AlreadyExists, "ID_TAKEN");
    check_refused(approve(&bench, &id, "s-1", true).await, Answer::NotFound, "NOT_FOUND");
    check_refused(approve(&bench, &id, "n-9", true).await, Answer::NotFound, "NOT_FOUND");
    approve(&bench, &id, "n-1", true).await.unwrap();
    assert_eq!(credential(get(&bench, 1).await).generation, 2);
    // A later credential of the same machine takes its place.
    let request = v1::RenewCredentialRequest { machine_id: "n-1".to_owned() };
    bench.admin().await.renew_credential(request).await.unwrap();
    check_refused(get(&bench, 1).await, Answer::FailedPrecondition, "CREDENTIAL_REPLACED");
}

#[tokio::test]
async fn who_is_refused_or_waits_for_too_long_is_told() {
    let bench = Bench::furnished().await;
    let code = site_code(&bench, "north", 3).await;
    for nonce in 1..=3 {
        comparison(enrol(&bench, asks(&code, nonce)).await);
    }
    let ids: Vec<String> = waiting(&bench).await.into_iter().map(|one| one.id).collect();
    refuse(&bench, &ids[2]).await.unwrap();
    refuse(&bench, &ids[2]).await.unwrap();
    check_refused(get(&bench, 1).await, Answer::FailedPrecondition, "REFUSED");
    check_refused(enrol(&bench, asks(&code, 1)).await, Answer::FailedPrecondition, "REFUSED");
    check_refused(approve(&bench, &ids[2], "n-7", false).await, Answer::FailedPrecondition, "NOT_WAITING");
    bench.at(6 * DAY_S);
    approve(&bench, &ids[1], "n-7", false).await.unwrap();
    bench.at(7 * DAY_S - 1);
    comparison(get(&bench, 3).await);
    credential(get(&bench, 2).await);
    bench.at(7 * DAY_S);
    check_refused(get(&bench, 2).await, Answer::FailedPrecondition, "TOO_LATE");
    check_refused(get(&bench, 3).await, Answer::FailedPrecondition, "TOO_LATE");
    check_refused(approve(&bench, &ids[0], "n-8", false).await, Answer::FailedPrecondition, "NOT_WAITING");
    assert!(waiting(&bench).await.is_empty());
    check_refused(get(&bench, 77).await, Answer::NotFound, "NOT_FOUND");
}

#[tokio::test]
async fn no_more_agents_come_than_the_code_says_and_no_two_show_the_same_digits() {
    let bench = Bench::furnished().await;
    let code = site_code(&bench, "north", 20).await;
    let mut shown = Vec::new();
    for nonce in 1..=20 {
        shown.push(comparison(enrol(&bench, asks(&code, nonce)).await));
    }
    check_refused(enrol(&bench, asks(&code, 21)).await, Answer::FailedPrecondition, "CODE_USED");
    shown.sort();
    shown.dedup();
    assert_eq!((shown.len(), waiting(&bench).await.len()), (20, 20));
    // Those that wait go on waiting when the code ends.
    let request = v1::RevokeEnrolmentCodeRequest { code_id: format!("{:06x}", code.shown.id()) };
    staff(&bench).await.revoke_enrolment_code(request).await.unwrap();
    comparison(get(&bench, 1).await);
}

#[tokio::test]
async fn of_two_who_approve_at_once_one_decides() {
    let bench = Bench::furnished().await;
    let code = site_code(&bench, "north", 2).await;
    comparison(enrol(&bench, asks(&code, 1)).await);
    comparison(enrol(&bench, asks(&code, 2)).await);
    let ids: Vec<String> = waiting(&bench).await.into_iter().map(|one| one.id).collect();
    let same = [approve(&bench, &ids[0], "n-7", false), approve(&bench, &ids[0], "n-8", false)];
    let answers = futures::future::join_all(same).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    // Two agents as one new machine: the second is told that it is taken.
    let taken = approve(&bench, &ids[1], credential(get(&bench, 2).await).machine.as_str(), false).await;
    check_refused(taken, Answer::AlreadyExists, "ID_TAKEN");
}

#[tokio::test]
async fn staff_of_another_site_see_and_answer_nothing() {
    let bench = Bench::furnished().await;
    let code = site_code(&bench, "north", 2).await;
    comparison(enrol(&bench, asks(&code, 1)).await);
    let id = waiting(&bench).await[0].id.clone();
    let south = bench.token_of(Role::Technician, &["south"]).await;
    let mut theirs = agent(&bench).await;
    let request = with_token(&south, v1::ListPendingEnrolmentsRequest::default());
    let seen = theirs.list_pending_enrolments(request).await.unwrap().into_inner();
    assert_eq!(seen.enrolments, []);
    let request = with_token(&south, v1::ListEnrolmentCodesRequest::default());
    assert_eq!(theirs.list_enrolment_codes(request).await.unwrap().into_inner().codes, []);
    let approved = theirs.approve_enrolment(with_token(&south, approves(&id, "s-9", false))).await;
    check_refused(approved, Answer::NotFound, "NOT_FOUND");
}
