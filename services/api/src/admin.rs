//! `AdminService`: the registry, who may do what, and the audit. Every change is a fact with author and time.

pub(crate) mod entries;
pub(crate) mod machines;
mod maintenance;
mod settings;
mod sites;
mod tokens;
mod users;

use std::future::ready;
use std::sync::Arc;

use store::StoreError;
use store::fact::{Fact, FactKind, FactOutcome};
use store::ledger::Ledger;
use store::registry::Grant;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::admin_service_server::AdminService;

use crate::access::{Caller, Denied, Scope};
use crate::convert;
use crate::gate::Gate;
use crate::paging::Pages;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};
use crate::surroundings::{Refusal, Surroundings};

const TOPIC_CHARACTERS_MAX: usize = 200;
const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Administration {
    pub(crate) gate: Arc<Gate>,
    pub(crate) pages: Pages,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
}

impl Administration {
    async fn add(
        &self,
        caller: &Caller,
        request_id: Option<String>,
        kind: FactKind,
    ) -> Result<FactOutcome, StoreError> {
        let fact = Fact { time: self.surroundings.now(), author: caller.name(), request_id, kind };
        self.ledger.add_fact(fact).await
    }

    fn visible(&self, scope: &Scope) -> Visible {
        Visible::new(self.ledger.registry(), scope.clone())
    }

    /// Refusals concern the whole server: what was refused may belong to no site.
    fn refusals(&self) -> v1::ListRefusalsResponse {
        let mut refusals = self.surroundings.refusals();
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.time));
        v1::ListRefusalsResponse { refusals: refusals.into_iter().map(show_refusal).collect() }
    }
}

fn show_refusal(refusal: Refusal) -> v1::Refusal {
    v1::Refusal {
        time: Some(convert::timestamp(refusal.time)),
        topic: refusal.topic.chars().take(TOPIC_CHARACTERS_MAX).collect(),
        reason: refusal.reason,
        detail: refusal.detail,
        count: refusal.count,
    }
}

fn or_id(name: String, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { name }
}

fn request_id_reused() -> ApiError {
    let description = "was used before by another request; take a new one".to_owned();
    Violation { field: "request_id", description }.into()
}

/// Nobody grants more than they may administer, and no site that is not there.
fn may_grant(scope: &Scope, visible: &Visible, grants: &[Grant]) -> Result<(), ApiError> {
    grants.iter().flat_map(|grant| &grant.sites).try_for_each(|site| visible.site(site).map(|_| ()))?;
    if scope.covers(grants) { Ok(()) } else { Err(Denied::BeyondOwn.into()) }
}

/// The fields that a mask names, of those that can be changed.
pub(crate) fn masked<'a>(
    check: &mut crate::check::Check,
    mask: Option<&'a prost_types::FieldMask>,
    allowed: &[&str],
) -> Vec<&'a str> {
    let paths: Vec<&str> =
        mask.map(|mask| mask.paths.iter().map(String::as_str).collect()).unwrap_or_default();
    if paths.is_empty() {
        check.wrong("update_mask", format!("is empty; name some of {}", allowed.join(", ")));
    }
    if let Some(unknown) = paths.iter().find(|path| !allowed.contains(path)) {
        let unknown = crate::check::quoted(unknown);
        check.wrong("update_mask", format!("names {unknown}; {} can be changed", allowed.join(", ")));
    }
    paths
}

/// One method: its name in the table of rights, and who does it.
macro_rules! methods {
    ($($method:ident $name:literal $request:ident $response:ident;)*) => {
        #[tonic::async_trait]
        impl AdminService for Administration {
            $(async fn $method(&self, request: Request<v1::$request>) -> Result<Response<v1::$response>, Status> {
                let work = |caller, scope, request| Administration::$method(self, caller, scope, request);
                self.gate.answer(concat!("AdminService/", $name), request, work).await
            })*

            async fn list_users(
                &self,
                request: Request<v1::ListUsersRequest>,
            ) -> Result<Response<v1::ListUsersResponse>, Status> {
                let work = |_, scope, request| ready(Administration::list_users(self, &scope, request));
                self.gate.answer("AdminService/ListUsers", request, work).await
            }

            async fn list_tokens(
                &self,
                request: Request<v1::ListTokensRequest>,
            ) -> Result<Response<v1::ListTokensResponse>, Status> {
                let work = |_, scope, request| ready(Administration::list_tokens(self, &scope, request));
                self.gate.answer("AdminService/ListTokens", request, work).await
            }

            async fn list_refusals(
                &self,
                request: Request<v1::ListRefusalsRequest>,
            ) -> Result<Response<v1::ListRefusalsResponse>, Status> {
                let work = |_, _, _| ready(Ok(self.refusals()));
                self.gate.answer("AdminService/ListRefusals", request, work).await
            }
        }
    };
}

methods! {
    create_site "CreateSite" CreateSiteRequest CreateSiteResponse;
    update_site "UpdateSite" UpdateSiteRequest UpdateSiteResponse;
    create_machine "CreateMachine" CreateMachineRequest CreateMachineResponse;
    update_machine "UpdateMachine" UpdateMachineRequest UpdateMachineResponse;
    arrange_machines "ArrangeMachines" ArrangeMachinesRequest ArrangeMachinesResponse;
    renew_credential "RenewCredential" RenewCredentialRequest RenewCredentialResponse;
    revoke_credential "RevokeCredential" RevokeCredentialRequest RevokeCredentialResponse;
    create_user "CreateUser" CreateUserRequest CreateUserResponse;
    update_user "UpdateUser" UpdateUserRequest UpdateUserResponse;
    create_password_link "CreatePasswordLink" CreatePasswordLinkRequest CreatePasswordLinkResponse;
    create_token "CreateToken" CreateTokenRequest CreateTokenResponse;
    revoke_token "RevokeToken" RevokeTokenRequest RevokeTokenResponse;
    list_audit_entries "ListAuditEntries" ListAuditEntriesRequest ListAuditEntriesResponse;
    set_thresholds "SetThresholds" SetThresholdsRequest SetThresholdsResponse;
    set_out_of_service "SetOutOfService" SetOutOfServiceRequest SetOutOfServiceResponse;
    record_commissioning "RecordCommissioning" RecordCommissioningRequest RecordCommissioningResponse;
    set_staffed_hours "SetStaffedHours" SetStaffedHoursRequest SetStaffedHoursResponse;
    set_opening_hours "SetOpeningHours" SetOpeningHoursRequest SetOpeningHoursResponse;
    set_maintenance_plan "SetMaintenancePlan" SetMaintenancePlanRequest SetMaintenancePlanResponse;
    record_maintenance "RecordMaintenance" RecordMaintenanceRequest RecordMaintenanceResponse;
}
