//! How agents get credentials.

mod codes;
mod sites;

use tonic::transport::Channel;
use tonic::{Code as Answer, Status};
use tonic_types::StatusExt;
use wire::api::v1;
use wire::api::v1::enrol_response::Outcome;
use wire::api::v1::enrolment_service_client::EnrolmentServiceClient;
use wire::credential::Credential;
use wire::enrolment::Code;

use super::{AUTHORITY, Bench, ByOperator, machine_id};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

/// Staff.
async fn staff(bench: &Bench) -> EnrolmentServiceClient<ByOperator> {
    EnrolmentServiceClient::with_interceptor(bench.channel().await, bench.as_operator())
}

/// An agent: nobody knows it.
async fn agent(bench: &Bench) -> EnrolmentServiceClient<Channel> {
    EnrolmentServiceClient::new(bench.channel().await)
}

/// A code for a machine.
async fn machine_code(bench: &Bench, machine: &str) -> Code {
    let request = v1::CreateEnrolmentCodeRequest { machine_id: machine.to_owned(), ..Default::default() };
    made(bench, request).await
}

/// A code for a site, good for 7 days.
async fn site_code(bench: &Bench, site: &str, machines_max: u32) -> Code {
    let site_id = site.to_owned();
    made(bench, v1::CreateEnrolmentCodeRequest { site_id, machines_max, ..Default::default() }).await
}

async fn made(bench: &Bench, request: v1::CreateEnrolmentCodeRequest) -> Code {
    let made = staff(bench).await.create_enrolment_code(request).await.unwrap().into_inner();
    assert_eq!(made.url, "https://gym.example");
    let code = Code::parse(&made.code).unwrap();
    assert_eq!(code.authority, Some(AUTHORITY));
    assert_eq!(made.kept.unwrap().id, format!("{:06x}", code.shown.id()));
    code
}

/// What an agent with this nonce sends.
fn asks(code: &Code, nonce: u8) -> v1::EnrolRequest {
    v1::EnrolRequest {
        code: code.shown.octets().to_vec(),
        nonce: vec![nonce; 32],
        name: format!("box {nonce}"),
        agent_version: "0.1.0".to_owned(),
    }
}

async fn enrol(bench: &Bench, request: v1::EnrolRequest) -> Result<Outcome, Status> {
    let answer = agent(bench).await.enrol(request).await?.into_inner();
    Ok(answer.outcome.expect("an answer has an outcome"))
}

/// The credential that an agent got.
#[track_caller]
fn credential(outcome: Result<Outcome, Status>) -> Credential {
    match outcome {
        Ok(Outcome::Credential(text)) => Credential::from_json(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The digits of an agent that waits.
#[track_caller]
fn comparison(outcome: Result<Outcome, Status>) -> String {
    match outcome {
        Ok(Outcome::Comparison(comparison)) => comparison,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_refused<T: std::fmt::Debug>(outcome: Result<T, Status>, code: Answer, reason: &str) {
    let status = outcome.expect_err("it is refused");
    let told = status.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    assert_eq!((status.code(), told.as_str()), (code, reason), "{status:?}");
}

/// Kinds of the last entries of the audit, newest first.
async fn audit(bench: &Bench, count: usize) -> Vec<String> {
    let request = v1::ListAuditEntriesRequest::default();
    let entries = bench.admin().await.list_audit_entries(request).await.unwrap().into_inner().entries;
    entries.into_iter().take(count).map(|entry| entry.kind).collect()
}
