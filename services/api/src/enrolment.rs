//! `EnrolmentService`: how agents get the credentials of their machines.

mod agent;
mod codes;
mod waiting;

use std::future::ready;
use std::sync::{Arc, Mutex};

use domain::units::UnixMicros;
use store::StoreError;
use store::fact::{EnrolmentFact, Fact, FactKind, FactOutcome};
use store::ledger::Ledger;
use store::registry::Machine;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::enrolment_service_server::EnrolmentService;

use crate::access::Scope;
use crate::access::attempts::Attempts;
use crate::gate::Gate;
use crate::paging::Pages;
use crate::registry::Visible;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Enrolments {
    gate: Arc<Gate>,
    pages: Pages,
    ledger: Arc<dyn Ledger>,
    surroundings: Arc<dyn Surroundings>,
    /// Of agents that show codes.
    attempts: Mutex<Attempts>,
}

impl Enrolments {
    pub(crate) fn new(
        gate: Arc<Gate>,
        pages: Pages,
        ledger: Arc<dyn Ledger>,
        surroundings: Arc<dyn Surroundings>,
    ) -> Enrolments {
        Enrolments { gate, pages, ledger, surroundings, attempts: Mutex::default() }
    }

    async fn add(
        &self,
        author: String,
        time: UnixMicros,
        what: EnrolmentFact,
    ) -> Result<FactOutcome, StoreError> {
        let kind = FactKind::Enrolment(what);
        self.ledger.add_fact(Fact { time, author, request_id: None, kind }).await
    }

    fn visible(&self, scope: &Scope) -> Visible {
        Visible::new(self.ledger.registry(), scope.clone())
    }

    /// What the agent of a machine needs, with the machine's newest key.
    fn credential(&self, machine: &Machine) -> Result<String, ApiError> {
        let made = self.surroundings.credential(machine);
        made.map(|credential| credential.to_json()).map_err(ApiError::NoCredential)
    }
}

/// One method: its name in the table of rights, and who does it; `at once`: without waiting for the store.
macro_rules! methods {
    (later { $($method:ident $name:literal $request:ident $response:ident;)* }
     at once { $($now:ident $now_name:literal $now_request:ident $now_response:ident;)* }) => {
        #[tonic::async_trait]
        impl EnrolmentService for Enrolments {
            $(async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                let work = |caller, scope, request| Enrolments::$method(self, caller, scope, request);
                self.gate.answer(concat!("EnrolmentService/", $name), request, work).await
            })*
            $(async fn $now(
                &self,
                request: Request<v1::$now_request>,
            ) -> Result<Response<v1::$now_response>, Status> {
                let work = |caller, scope, request| ready(Enrolments::$now(self, caller, scope, request));
                self.gate.answer(concat!("EnrolmentService/", $now_name), request, work).await
            })*
        }
    };
}

methods! {
    later {
        enrol "Enrol" EnrolRequest EnrolResponse;
        create_enrolment_code "CreateEnrolmentCode" CreateEnrolmentCodeRequest CreateEnrolmentCodeResponse;
        revoke_enrolment_code "RevokeEnrolmentCode" RevokeEnrolmentCodeRequest RevokeEnrolmentCodeResponse;
        approve_enrolment "ApproveEnrolment" ApproveEnrolmentRequest ApproveEnrolmentResponse;
        refuse_enrolment "RefuseEnrolment" RefuseEnrolmentRequest RefuseEnrolmentResponse;
    }
    at once {
        get_enrolment "GetEnrolment" GetEnrolmentRequest GetEnrolmentResponse;
        list_enrolment_codes "ListEnrolmentCodes" ListEnrolmentCodesRequest ListEnrolmentCodesResponse;
        list_pending_enrolments
            "ListPendingEnrolments" ListPendingEnrolmentsRequest ListPendingEnrolmentsResponse;
    }
}
