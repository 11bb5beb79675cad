//! Codes for one machine.

use store::ledger::Ledger;
use wire::enrolment::Shown;

use super::*;
use crate::tests::bad_input;

/// A code whose secret somebody guesses.
fn guessed(code: &Code) -> Code {
    let mut octets = *code.shown.octets();
    octets[10] ^= 1;
    Code { shown: Shown::new(&octets).unwrap(), ..*code }
}

#[tokio::test]
async fn a_code_gives_the_next_generation_once_and_a_lost_answer_again() {
    let bench = Bench::furnished().await;
    let code = machine_code(&bench, "n-1").await;
    let got = credential(enrol(&bench, asks(&code, 1)).await);
    assert_eq!((got.machine.as_str(), got.generation), ("n-1", 2));
    // The answer was lost: the same agent gets the same, without another generation.
    bench.at(600);
    assert_eq!(credential(enrol(&bench, asks(&code, 1)).await), got);
    assert_eq!(bench.ledger.registry().machines()[&machine_id("n-1")].key_generation, 2);
    // Another agent gets nothing, and after some minutes nor does the same.
    check_refused(enrol(&bench, asks(&code, 2)).await, Answer::FailedPrecondition, "CODE_USED");
    bench.at(601);
    check_refused(enrol(&bench, asks(&code, 1)).await, Answer::FailedPrecondition, "CODE_USED");
    assert_eq!(audit(&bench, 5).await.iter().filter(|kind| *kind == "machine_enrolled").count(), 1);
}

#[tokio::test]
async fn what_is_handed_out_again_is_never_an_old_generation() {
    let bench = Bench::furnished().await;
    let code = machine_code(&bench, "n-1").await;
    credential(enrol(&bench, asks(&code, 1)).await);
    let request = v1::RenewCredentialRequest { machine_id: "n-1".to_owned() };
    bench.admin().await.renew_credential(request).await.unwrap();
    let again = enrol(&bench, asks(&code, 1)).await;
    check_refused(again, Answer::FailedPrecondition, "CREDENTIAL_REPLACED");
    let code = machine_code(&bench, "n-1").await;
    credential(enrol(&bench, asks(&code, 2)).await);
    let request = v1::RevokeCredentialRequest { machine_id: "n-1".to_owned() };
    bench.admin().await.revoke_credential(request).await.unwrap();
    let again = enrol(&bench, asks(&code, 2)).await;
    check_refused(again, Answer::FailedPrecondition, "CREDENTIAL_REPLACED");
}

#[tokio::test]
async fn of_two_agents_with_one_code_at_once_one_alone_gets_it() {
    let bench = Bench::furnished().await;
    let code = machine_code(&bench, "n-1").await;
    let all = (1..9).map(|nonce| enrol(&bench, asks(&code, nonce)));
    let answers = futures::future::join_all(all).await;
    let (got, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(got.len(), 1);
    for one in refused {
        // Those beyond the fifth at once are asked to wait; none learns anything else.
        let reason = one.unwrap_err().get_details_error_info().unwrap().reason;
        assert!(["CODE_USED", "TOO_MANY_ATTEMPTS"].contains(&reason.as_str()), "{reason}");
    }
    assert_eq!(bench.ledger.registry().machines()[&machine_id("n-1")].key_generation, 2);
}

#[tokio::test]
async fn five_wrong_secrets_end_a_code_and_tell_nothing() {
    let bench = Bench::furnished().await;
    let code = machine_code(&bench, "n-1").await;
    for _ in 0..5 {
        check_refused(enrol(&bench, asks(&guessed(&code), 1)).await, Answer::Unauthenticated, "WRONG_CODE");
    }
    // Whoever guesses is slowed down, too.
    let sixth = enrol(&bench, asks(&guessed(&code), 1)).await;
    check_refused(sixth, Answer::ResourceExhausted, "TOO_MANY_ATTEMPTS");
    bench.at(60);
    check_refused(enrol(&bench, asks(&guessed(&code), 1)).await, Answer::Unauthenticated, "WRONG_CODE");
    bench.at(200);
    check_refused(enrol(&bench, asks(&code, 1)).await, Answer::FailedPrecondition, "CODE_TRIED_OUT");
    assert_eq!(bench.ledger.registry().machines()[&machine_id("n-1")].key_generation, 1);
    let tried = audit(&bench, 20).await;
    assert_eq!(tried.iter().filter(|kind| *kind == "enrolment_code_tried").count(), 5);
}

#[tokio::test]
async fn a_code_that_is_not_there_is_answered_like_a_wrong_one() {
    let bench = Bench::furnished().await;
    let code = machine_code(&bench, "n-1").await;
    let mut octets = *code.shown.octets();
    octets[0] ^= 1;
    let other = Code { shown: Shown::new(&octets).unwrap(), ..code };
    // Never sooner than a fact takes: the time does not tell whether one was written.
    let refused = async |code: &Code| {
        let began = tokio::time::Instant::now();
        let refused = enrol(&bench, asks(code, 1)).await.unwrap_err();
        assert!(began.elapsed() >= std::time::Duration::from_millis(250), "{refused:?}");
        refused
    };
    let unknown = refused(&other).await;
    let wrong = refused(&guessed(&code)).await;
    assert_eq!((unknown.code(), unknown.message()), (wrong.code(), wrong.message()));
}

#[tokio::test]
async fn why_a_code_is_no_longer_good_is_told_to_who_has_it() {
    // Each code, and what happens to it before an agent shows it.
    let bench = Bench::furnished().await;
    let expired = machine_code(&bench, "n-1").await;
    let revoked = machine_code(&bench, "n-1").await;
    let ended = machine_code(&bench, "n-2").await;
    let site = site_code(&bench, "north", 1).await;
    let full = site_code(&bench, "north", 1).await;
    comparison(enrol(&bench, asks(&full, 1)).await);
    let revoke = async |code: &Code| {
        let request = v1::RevokeEnrolmentCodeRequest { code_id: format!("{:06x}", code.shown.id()) };
        let mut staff = staff(&bench).await;
        let code = staff.revoke_enrolment_code(request).await.unwrap().into_inner().code.unwrap();
        assert_eq!(code.state(), v1::EnrolmentCodeState::Revoked);
    };
    revoke(&revoked).await;
    revoke(&revoked).await;
    revoke(&site).await;
    let request = v1::RevokeCredentialRequest { machine_id: "n-2".to_owned() };
    bench.admin().await.revoke_credential(request).await.unwrap();
    bench.at(HOUR_S - 1);
    for (code, reason) in [
        (revoked, "CODE_REVOKED"),
        (site, "CODE_REVOKED"),
        // A credential that was revoked takes the codes of its machine with it.
        (ended, "CODE_REVOKED"),
        (full, "CODE_USED"),
    ] {
        check_refused(enrol(&bench, asks(&code, 9)).await, Answer::FailedPrecondition, reason);
        check_refused(enrol(&bench, asks(&guessed(&code), 9)).await, Answer::Unauthenticated, "WRONG_CODE");
    }
    bench.at(HOUR_S);
    check_refused(enrol(&bench, asks(&expired, 9)).await, Answer::FailedPrecondition, "CODE_EXPIRED");
}

#[tokio::test]
async fn codes_are_listed_with_their_state_and_without_their_secret() {
    let bench = Bench::furnished().await;
    let codes = [machine_code(&bench, "n-1").await, site_code(&bench, "south", 3).await];
    credential(enrol(&bench, asks(&codes[0], 1)).await);
    bench.at(6 * DAY_S);
    let request = v1::ListEnrolmentCodesRequest { page_size: 1, ..Default::default() };
    let first = staff(&bench).await.list_enrolment_codes(request.clone()).await.unwrap().into_inner();
    let [code] = &first.codes[..] else { panic!("{first:?}") };
    assert_eq!(
        (code.site_id.as_str(), code.machines_max, code.state()),
        ("south", 3, v1::EnrolmentCodeState::Open)
    );
    assert!(code.created_by.starts_with("operator:"));
    let request = v1::ListEnrolmentCodesRequest { page_token: first.next_page_token, ..request };
    let second = staff(&bench).await.list_enrolment_codes(request).await.unwrap().into_inner();
    let [code] = &second.codes[..] else { panic!("{second:?}") };
    assert_eq!((code.machine_id.as_str(), code.site_id.as_str()), ("n-1", "north"));
    assert_eq!((code.state(), code.machines_came), (v1::EnrolmentCodeState::Used, 1));
    assert_eq!(second.next_page_token, "");
}

#[tokio::test]
async fn what_is_not_allowed_is_named() {
    let bench = Bench::furnished().await;
    let mut staff = staff(&bench).await;
    let mut check = async |request: v1::CreateEnrolmentCodeRequest, field: &str, words: &[&str]| {
        bad_input::check(staff.create_enrolment_code(request).await.unwrap_err(), field, words);
    };
    let none = v1::CreateEnrolmentCodeRequest::default();
    let machine = v1::CreateEnrolmentCodeRequest { machine_id: "n-1".to_owned(), ..none.clone() };
    let site = v1::CreateEnrolmentCodeRequest { site_id: "north".to_owned(), ..none.clone() };
    let seconds = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
    check(none, "machine_id", &["required"]).await;
    let both = v1::CreateEnrolmentCodeRequest { site_id: "north".to_owned(), ..machine.clone() };
    check(both, "machine_id", &["not both"]).await;
    let longer = v1::CreateEnrolmentCodeRequest { life: seconds(DAY_S), ..machine };
    check(longer, "life", &["an hour, once"]).await;
    for life in [i64::MIN, -1, HOUR_S - 1, 30 * DAY_S + 1, i64::MAX] {
        let request = v1::CreateEnrolmentCodeRequest { life: seconds(life), ..site.clone() };
        check(request, "life", &["1 hour to 30 days"]).await;
    }
    let many = v1::CreateEnrolmentCodeRequest { machines_max: 201, ..site };
    check(many, "machines_max", &["201", "1 to 200"]).await;
    let mut agent = agent(&bench).await;
    let request = v1::EnrolRequest {
        code: vec![0; 12],
        nonce: vec![0; 31],
        name: "x".repeat(65),
        ..Default::default()
    };
    let status = agent.enrol(request).await.unwrap_err();
    for (field, words) in [("code", "12"), ("nonce", "31"), ("name", "65")] {
        bad_input::check(status.clone(), field, &[words]);
    }
}
