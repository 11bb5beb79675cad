//! The part of the fake API that enrols agents. It keeps nothing but what it was asked.

use tonic::{Code, Request, Response, Status};
use wire::api::v1;
use wire::api::v1::enrolment_service_server::EnrolmentService;

use super::admin::{Admin, refused};
use super::{SCRIPT, far, session};

pub(in super::super) const CODE: &str = "BW-SECRET";

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl EnrolmentService for Admin {
    async fn enrol(&self, _request: Request<v1::EnrolRequest>) -> Answered<v1::EnrolResponse> {
        Err(Status::unimplemented("pages are no agents"))
    }

    async fn get_enrolment(
        &self,
        _request: Request<v1::GetEnrolmentRequest>,
    ) -> Answered<v1::GetEnrolmentResponse> {
        Err(Status::unimplemented("pages are no agents"))
    }

    async fn create_enrolment_code(
        &self,
        request: Request<v1::CreateEnrolmentCodeRequest>,
    ) -> Answered<v1::CreateEnrolmentCodeResponse> {
        self.note(request)?;
        let kept = Some(v1::EnrolmentCode { expire_time: far(), ..v1::EnrolmentCode::default() });
        let url = "https://gym.example:8080".to_owned();
        Ok(Response::new(v1::CreateEnrolmentCodeResponse { code: CODE.to_owned(), url, kept }))
    }

    async fn list_enrolment_codes(
        &self,
        request: Request<v1::ListEnrolmentCodesRequest>,
    ) -> Answered<v1::ListEnrolmentCodesResponse> {
        session(&request)?;
        let code = |id: &str, state: v1::EnrolmentCodeState| v1::EnrolmentCode {
            id: id.to_owned(),
            site_id: "north".to_owned(),
            created_by: SCRIPT.to_owned(),
            expire_time: far(),
            machines_max: 50,
            machines_came: 3,
            state: state.into(),
            ..v1::EnrolmentCode::default()
        };
        let ended = v1::EnrolmentCode {
            machine_id: "n-1".to_owned(),
            ..code("00000b", v1::EnrolmentCodeState::TriedOut)
        };
        let codes = vec![code("00000a", v1::EnrolmentCodeState::Open), ended];
        Ok(Response::new(v1::ListEnrolmentCodesResponse { codes, next_page_token: String::new() }))
    }

    async fn revoke_enrolment_code(
        &self,
        request: Request<v1::RevokeEnrolmentCodeRequest>,
    ) -> Answered<v1::RevokeEnrolmentCodeResponse> {
        self.note(request)?;
        Ok(Response::new(v1::RevokeEnrolmentCodeResponse { code: None }))
    }

    async fn list_pending_enrolments(
        &self,
        request: Request<v1::ListPendingEnrolmentsRequest>,
    ) -> Answered<v1::ListPendingEnrolmentsResponse> {
        session(&request)?;
        let one = v1::PendingEnrolment {
            id: "7".to_owned(),
            site_id: "north".to_owned(),
            name: SCRIPT.to_owned(),
            peer: "192.0.2.7".to_owned(),
            comparison: "012345".to_owned(),
            request_time: far(),
            ..v1::PendingEnrolment::default()
        };
        let enrolments = vec![one];
        Ok(Response::new(v1::ListPendingEnrolmentsResponse { enrolments, next_page_token: String::new() }))
    }

    async fn approve_enrolment(
        &self,
        request: Request<v1::ApproveEnrolmentRequest>,
    ) -> Answered<v1::ApproveEnrolmentResponse> {
        match self.note(request)?.machine_id.as_str() {
            "n-1" => Err(refused(Code::AlreadyExists, "ID_TAKEN")),
            _ => Ok(Response::new(v1::ApproveEnrolmentResponse { machine: None })),
        }
    }

    async fn refuse_enrolment(
        &self,
        request: Request<v1::RefuseEnrolmentRequest>,
    ) -> Answered<v1::RefuseEnrolmentResponse> {
        self.note(request)?;
        Ok(Response::new(v1::RefuseEnrolmentResponse {}))
    }
}
