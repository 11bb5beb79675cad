//! `NotificationService`: who is told of incidents, and what became of it.

mod contacts;
mod notices;
mod policies;

use std::future::ready;
use std::sync::Arc;

use store::fact::{Fact, FactKind, FactOutcome};
use store::ledger::Ledger;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::notification_service_server::NotificationService;
use wire::keys::MasterKey;

use crate::access::{Caller, Denied, Scope};
use crate::gate::Gate;
use crate::paging::Pages;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};
use crate::surroundings::Surroundings;

/// The service.
#[derive(Debug)]
pub(crate) struct Notifications {
    pub(crate) gate: Arc<Gate>,
    pub(crate) pages: Pages,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    /// Secrets of webhooks follow from it.
    pub(crate) master: MasterKey,
}

impl Notifications {
    fn visible(&self, scope: &Scope) -> Visible {
        Visible::new(self.ledger.registry(), scope.clone())
    }

    async fn add(
        &self,
        caller: &Caller,
        request_id: Option<String>,
        kind: FactKind,
    ) -> Result<FactOutcome, store::StoreError> {
        let fact = Fact { time: self.surroundings.now(), author: caller.name(), request_id, kind };
        self.ledger.add_fact(fact).await
    }
}

/// What is for all sites is for those who may everywhere.
fn everywhere(scope: &Scope) -> Result<(), ApiError> {
    if *scope == Scope::All { Ok(()) } else { Err(Denied::NotEverywhere.into()) }
}

fn request_id_reused() -> ApiError {
    let description = "was used before by another request; take a new one".to_owned();
    Violation { field: "request_id", description }.into()
}

#[tonic::async_trait]
impl NotificationService for Notifications {
    async fn list_contacts(
        &self,
        request: Request<v1::ListContactsRequest>,
    ) -> Result<Response<v1::ListContactsResponse>, Status> {
        let work = |_, scope, request| self.contacts(scope, request);
        self.gate.answer("NotificationService/ListContacts", request, work).await
    }

    async fn set_contact(
        &self,
        request: Request<v1::SetContactRequest>,
    ) -> Result<Response<v1::SetContactResponse>, Status> {
        let work = |caller, scope, request| self.set(caller, scope, request);
        self.gate.answer("NotificationService/SetContact", request, work).await
    }

    async fn delete_contact(
        &self,
        request: Request<v1::DeleteContactRequest>,
    ) -> Result<Response<v1::DeleteContactResponse>, Status> {
        let work = |caller, scope, request| self.delete(caller, scope, request);
        self.gate.answer("NotificationService/DeleteContact", request, work).await
    }

    async fn test_contact(
        &self,
        request: Request<v1::TestContactRequest>,
    ) -> Result<Response<v1::TestContactResponse>, Status> {
        let work = |caller, scope, request| self.test(caller, scope, request);
        self.gate.answer("NotificationService/TestContact", request, work).await
    }

    async fn list_policies(
        &self,
        request: Request<v1::ListPoliciesRequest>,
    ) -> Result<Response<v1::ListPoliciesResponse>, Status> {
        let work = |_, scope, request| ready(self.policies(&scope, &request));
        self.gate.answer("NotificationService/ListPolicies", request, work).await
    }

    async fn update_policy(
        &self,
        request: Request<v1::UpdatePolicyRequest>,
    ) -> Result<Response<v1::UpdatePolicyResponse>, Status> {
        let work = |caller, scope, request| self.update(caller, scope, request);
        self.gate.answer("NotificationService/UpdatePolicy", request, work).await
    }

    async fn list_notices(
        &self,
        request: Request<v1::ListNoticesRequest>,
    ) -> Result<Response<v1::ListNoticesResponse>, Status> {
        let work = |caller, scope, request| self.notices(caller, scope, request);
        self.gate.answer("NotificationService/ListNotices", request, work).await
    }
}
