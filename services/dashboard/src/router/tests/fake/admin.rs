//! The part of the fake API that administers. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::admin_service_server::AdminService;

use super::{SCRIPT, far, session};

/// May do everything at all sites.
pub(in super::super) const ADMIN: &str = "bws1_admin";
/// The same, and reads German.
pub(in super::super) const ADMIN_GERMAN: &str = "bws1_admin_german";
/// Administers one site.
pub(in super::super) const ADMIN_SOUTH: &str = "bws1_admin_south";
/// Registers machines and sees refusals, at all sites.
pub(in super::super) const TECHNICIAN: &str = "bws1_technician";

pub(in super::super) const CREDENTIAL: &str = "{\"key\":\"0badc0de&<secret>\"}";
pub(in super::super) const LINK: &str = "/link/bwl1_linksecret";
pub(in super::super) const TOKEN: &str = "bwt1_tokensecret";
pub(in super::super) const NEXT_PAGE: &str = "v1+next/page=";

/// What a session may do, by name and sites; none: it is not one of these.
pub(super) fn permissions(session: &str) -> Option<Vec<v1::Permission>> {
    let administrator = [
        "act",
        "administer",
        "arrange",
        "audit",
        "configure",
        "diagnose",
        "evidence",
        "handle",
        "history",
        "live",
        "register",
    ];
    let (names, sites): (&[&str], &[&str]) = match session {
        ADMIN | ADMIN_GERMAN => (&administrator, &[]),
        ADMIN_SOUTH => (&administrator, &["south"]),
        TECHNICIAN => (&["diagnose", "live", "register"], &[]),
        _ => return None,
    };
    let site_ids: Vec<String> = sites.iter().map(|site| (*site).to_owned()).collect();
    let permission = |name: &&str| v1::Permission { name: (*name).to_owned(), site_ids: site_ids.clone() };
    Some(names.iter().map(permission).collect())
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Admin(Arc<Mutex<Vec<String>>>);

impl Admin {
    /// The changes that were asked for, as debug text.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> Result<T, Status> {
        session(&request)?;
        let message = request.into_inner();
        self.0.lock().unwrap().push(format!("{message:?}"));
        Ok(message)
    }
}

fn wrong(fields: &[&'static str]) -> Status {
    let mut details = ErrorDetails::new();
    for field in fields {
        details.add_bad_request_violation(*field, "is not allowed");
    }
    Status::with_error_details(Code::InvalidArgument, "fields are not allowed", details)
}

pub(super) fn refused(code: Code, reason: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, "beltwatch", std::collections::HashMap::new());
    Status::with_error_details(code, "the api's own words", details)
}

fn grant(role: v1::Role, sites: &[&str]) -> v1::Grant {
    v1::Grant { role: role.into(), site_ids: sites.iter().map(|site| (*site).to_owned()).collect() }
}

fn user(name: &str, display_name: &str) -> v1::User {
    v1::User {
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        grants: vec![grant(v1::Role::Staff, &["north"])],
        has_password: true,
        disabled: name == "otto",
        ..v1::User::default()
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl AdminService for Admin {
    async fn create_site(&self, request: Request<v1::CreateSiteRequest>) -> Answered<v1::CreateSiteResponse> {
        let message = self.note(request)?;
        if message.site_id == "north" {
            return Err(refused(Code::AlreadyExists, "ID_TAKEN"));
        }
        if message.time_zone == "Mars" {
            return Err(wrong(&["time_zone"]));
        }
        Ok(Response::new(v1::CreateSiteResponse::default()))
    }

    async fn create_machine(
        &self,
        request: Request<v1::CreateMachineRequest>,
    ) -> Answered<v1::CreateMachineResponse> {
        let message = self.note(request)?;
        if message.machine_id.contains(' ') {
            return Err(wrong(&["machine_id", "display_name"]));
        }
        Ok(Response::new(v1::CreateMachineResponse { machine: None, credential: CREDENTIAL.to_owned() }))
    }

    async fn update_site(&self, request: Request<v1::UpdateSiteRequest>) -> Answered<v1::UpdateSiteResponse> {
        if self.note(request)?.site.is_some_and(|site| site.time_zone == "Mars") {
            return Err(wrong(&["site.time_zone"]));
        }
        Ok(Response::new(v1::UpdateSiteResponse::default()))
    }

    async fn update_machine(
        &self,
        request: Request<v1::UpdateMachineRequest>,
    ) -> Answered<v1::UpdateMachineResponse> {
        self.note(request)?;
        Ok(Response::new(v1::UpdateMachineResponse::default()))
    }

    async fn arrange_machines(
        &self,
        request: Request<v1::ArrangeMachinesRequest>,
    ) -> Answered<v1::ArrangeMachinesResponse> {
        self.note(request)?;
        Ok(Response::new(v1::ArrangeMachinesResponse {}))
    }

    async fn renew_credential(
        &self,
        request: Request<v1::RenewCredentialRequest>,
    ) -> Answered<v1::RenewCredentialResponse> {
        self.note(request)?;
        Ok(Response::new(v1::RenewCredentialResponse { machine: None, credential: CREDENTIAL.to_owned() }))
    }

    async fn revoke_credential(
        &self,
        request: Request<v1::RevokeCredentialRequest>,
    ) -> Answered<v1::RevokeCredentialResponse> {
        self.note(request)?;
        Ok(Response::new(v1::RevokeCredentialResponse::default()))
    }

    async fn create_user(&self, request: Request<v1::CreateUserRequest>) -> Answered<v1::CreateUserResponse> {
        let message = self.note(request)?;
        let is_for_all = message.grants.iter().any(|grant| grant.site_ids.is_empty());
        if message.name == "beyond" && is_for_all {
            return Err(refused(Code::PermissionDenied, "BEYOND_OWN"));
        }
        if message.grants.iter().any(|grant| grant.role() == v1::Role::Auditor)
            && message.expire_time.is_none()
        {
            return Err(wrong(&["expire_time"]));
        }
        Ok(Response::new(v1::CreateUserResponse { user: None, link_path: LINK.to_owned() }))
    }

    async fn update_user(&self, request: Request<v1::UpdateUserRequest>) -> Answered<v1::UpdateUserResponse> {
        let message = self.note(request)?;
        if message.user.is_some_and(|user| user.name == "anna" && user.disabled) {
            return Err(refused(Code::FailedPrecondition, "LAST_ADMINISTRATOR"));
        }
        Ok(Response::new(v1::UpdateUserResponse::default()))
    }

    async fn create_password_link(
        &self,
        request: Request<v1::CreatePasswordLinkRequest>,
    ) -> Answered<v1::CreatePasswordLinkResponse> {
        self.note(request)?;
        Ok(Response::new(v1::CreatePasswordLinkResponse { link_path: LINK.to_owned() }))
    }

    async fn list_users(&self, request: Request<v1::ListUsersRequest>) -> Answered<v1::ListUsersResponse> {
        session(&request)?;
        let page = |users, next: &str| v1::ListUsersResponse { users, next_page_token: next.to_owned() };
        if request.into_inner().page_token.is_empty() {
            return Ok(Response::new(page(vec![user("anna", SCRIPT)], "more")));
        }
        Ok(Response::new(page(vec![user("otto", "Otto"), user("..", "")], "")))
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Answered<v1::CreateTokenResponse> {
        if self.note(request)?.display_name.is_empty() {
            return Err(wrong(&["display_name"]));
        }
        Ok(Response::new(v1::CreateTokenResponse { secret: TOKEN.to_owned(), token: None }))
    }

    async fn list_tokens(&self, request: Request<v1::ListTokensRequest>) -> Answered<v1::ListTokensResponse> {
        session(&request)?;
        let token = |id: &str, revoke_time| v1::Token {
            id: id.to_owned(),
            display_name: format!("Export {id} {SCRIPT}"),
            grants: vec![grant(v1::Role::Viewer, &[])],
            created_by: "user:anna".to_owned(),
            expire_time: far(),
            revoke_time,
            ..v1::Token::default()
        };
        let tokens = vec![token("7", None), token("5", far())];
        Ok(Response::new(v1::ListTokensResponse { tokens, next_page_token: String::new() }))
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Answered<v1::RevokeTokenResponse> {
        if self.note(request)?.token_id != "7" {
            return Err(Status::not_found("there is no such token"));
        }
        Ok(Response::new(v1::RevokeTokenResponse::default()))
    }

    async fn list_audit_entries(
        &self,
        request: Request<v1::ListAuditEntriesRequest>,
    ) -> Answered<v1::ListAuditEntriesResponse> {
        session(&request)?;
        let message = request.into_inner();
        assert_eq!(message.page_size, 100);
        let entry = |kind: &str, subject: &str| v1::AuditEntry {
            number: 1,
            time: Some(prost_types::Timestamp { seconds: 1_795_305_600, nanos: 0 }),
            author: "user:anna".to_owned(),
            kind: kind.to_owned(),
            subject: subject.to_owned(),
            site_id: "north".to_owned(),
            detail: SCRIPT.to_owned(),
        };
        let (entries, next) = match message.page_token.as_str() {
            "" => (vec![entry("machine_created", "n-1"), entry("belt_oiled", "n-2")], NEXT_PAGE),
            NEXT_PAGE => (vec![entry("signed_in", "anna"), entry("thresholds_set", "n-1")], ""),
            _ => return Err(wrong(&["page_token"])),
        };
        Ok(Response::new(v1::ListAuditEntriesResponse { entries, next_page_token: next.to_owned() }))
    }

    async fn set_thresholds(
        &self,
        _request: Request<v1::SetThresholdsRequest>,
    ) -> Answered<v1::SetThresholdsResponse> {
        Err(Status::unimplemented("no page asks this"))
    }

    async fn set_out_of_service(
        &self,
        request: Request<v1::SetOutOfServiceRequest>,
    ) -> Answered<v1::SetOutOfServiceResponse> {
        if self.note(request)?.reason == SCRIPT {
            return Err(wrong(&["reason"]));
        }
        Ok(Response::new(v1::SetOutOfServiceResponse::default()))
    }

    async fn record_commissioning(
        &self,
        _request: Request<v1::RecordCommissioningRequest>,
    ) -> Answered<v1::RecordCommissioningResponse> {
        Err(Status::unimplemented("no page asks this"))
    }

    async fn set_staffed_hours(
        &self,
        request: Request<v1::SetStaffedHoursRequest>,
    ) -> Answered<v1::SetStaffedHoursResponse> {
        self.note(request)?;
        Ok(Response::new(v1::SetStaffedHoursResponse::default()))
    }

    async fn set_opening_hours(
        &self,
        request: Request<v1::SetOpeningHoursRequest>,
    ) -> Answered<v1::SetOpeningHoursResponse> {
        self.note(request)?;
        Ok(Response::new(v1::SetOpeningHoursResponse::default()))
    }

    async fn set_maintenance_plan(
        &self,
        _request: Request<v1::SetMaintenancePlanRequest>,
    ) -> Answered<v1::SetMaintenancePlanResponse> {
        Err(Status::unimplemented("no page asks this"))
    }

    async fn record_maintenance(
        &self,
        request: Request<v1::RecordMaintenanceRequest>,
    ) -> Answered<v1::RecordMaintenanceResponse> {
        if self.note(request)?.note == SCRIPT {
            return Err(wrong(&["note"]));
        }
        Ok(Response::new(v1::RecordMaintenanceResponse::default()))
    }

    async fn list_refusals(
        &self,
        request: Request<v1::ListRefusalsRequest>,
    ) -> Answered<v1::ListRefusalsResponse> {
        session(&request)?;
        let refusal = v1::Refusal {
            topic: "bw/1/north/stranger".to_owned(),
            reason: "unknown_machine".to_owned(),
            count: 42,
            ..v1::Refusal::default()
        };
        Ok(Response::new(v1::ListRefusalsResponse { refusals: vec![refusal] }))
    }
}
