//! The part of the fake API that knows who is told. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::notification_service_server::NotificationService;

use super::{SCRIPT, session};

pub(in super::super) const SECRET: &str = "00112233deadbeef";
/// The test message that was sent, and one that still waits.
pub(in super::super) const SENT: &str = "11111111111111111111111111111111";
pub(in super::super) const WAITING: &str = "22222222222222222222222222222222";
pub(in super::super) const OLDER: &str = "v1+older/page=";

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Notification(Arc<Mutex<Vec<String>>>);

impl Notification {
    /// The changes that were asked for, as debug text.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> Result<T, Status> {
        session(&request)?;
        let message = request.into_inner();
        self.0.lock().unwrap().push(format!("{message:?}"));
        Ok(message)
    }
}

fn wrong(field: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation(field, "is not allowed");
    Status::with_error_details(Code::InvalidArgument, "a field is not allowed", details)
}

fn at() -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: 1_795_305_600, nanos: 0 })
}

fn contact(name: &str, site: &str) -> v1::Contact {
    let is_webhook = name != "boss";
    v1::Contact {
        name: name.to_owned(),
        display_name: format!("{name} {SCRIPT}"),
        site_id: site.to_owned(),
        webhook_url: if is_webhook { "https:duty.example".to_owned() } else { String::new() },
        email: if is_webhook { String::new() } else { "boss@gym.example".to_owned() },
        last_notice: is_webhook.then(|| notice(SENT, v1::NoticeState::Failed)),
        ..v1::Contact::default()
    }
}

fn notice(id: &str, state: v1::NoticeState) -> v1::Notice {
    v1::Notice {
        id: id.to_owned(),
        contact: "duty".to_owned(),
        site_id: "north".to_owned(),
        is_test: true,
        plan_time: at(),
        due_time: at(),
        last_attempt_time: at().filter(|_| state != v1::NoticeState::Waiting),
        state: state.into(),
        attempts: 3,
        reason: if state == v1::NoticeState::Failed { SCRIPT.to_owned() } else { String::new() },
        together: 1,
        ..v1::Notice::default()
    }
}

fn policy(site: &str) -> v1::Policy {
    let step = v1::ChainStep {
        contact: "duty".to_owned(),
        least_severity: v1::Severity::High.into(),
        after_seconds: 300,
        staffing: v1::Staffing::Always.into(),
    };
    v1::Policy {
        site_id: site.to_owned(),
        chain: vec![step],
        out_of_service_count: 2,
        out_of_service_days: 7,
        own: if site.is_empty() { Vec::new() } else { vec!["chain".to_owned()] },
        ..v1::Policy::default()
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl NotificationService for Notification {
    async fn list_contacts(
        &self,
        request: Request<v1::ListContactsRequest>,
    ) -> Answered<v1::ListContactsResponse> {
        session(&request)?;
        let contacts = vec![contact("boss", ""), contact("desk", "south"), contact("duty", "north")];
        Ok(Response::new(v1::ListContactsResponse { contacts }))
    }

    async fn set_contact(&self, request: Request<v1::SetContactRequest>) -> Answered<v1::SetContactResponse> {
        let message = self.note(request)?;
        let contact = message.contact.unwrap_or_default();
        if contact.webhook_url.starts_with("ftp") {
            return Err(wrong("contact.webhook_url"));
        }
        if contact.name == "Duty" {
            return Err(wrong("contact.name"));
        }
        let is_new = message.renew_secret || contact.name == "night";
        let secret = if is_new && contact.email.is_empty() { SECRET.to_owned() } else { String::new() };
        Ok(Response::new(v1::SetContactResponse { contact: Some(contact), secret }))
    }

    async fn delete_contact(
        &self,
        request: Request<v1::DeleteContactRequest>,
    ) -> Answered<v1::DeleteContactResponse> {
        if self.note(request)?.name == "duty" {
            return Err(Status::failed_precondition("a chain names the contact duty"));
        }
        Ok(Response::new(v1::DeleteContactResponse {}))
    }

    async fn test_contact(
        &self,
        request: Request<v1::TestContactRequest>,
    ) -> Answered<v1::TestContactResponse> {
        self.note(request)?;
        let notice = Some(notice(WAITING, v1::NoticeState::Waiting));
        Ok(Response::new(v1::TestContactResponse { notice }))
    }

    async fn list_policies(
        &self,
        request: Request<v1::ListPoliciesRequest>,
    ) -> Answered<v1::ListPoliciesResponse> {
        session(&request)?;
        Ok(Response::new(v1::ListPoliciesResponse { policies: vec![policy(""), policy("north")] }))
    }

    async fn update_policy(
        &self,
        request: Request<v1::UpdatePolicyRequest>,
    ) -> Answered<v1::UpdatePolicyResponse> {
        let policy = self.note(request)?.policy.unwrap_or_default();
        if policy.chain.get(1).is_some_and(|step| step.contact == "desk") {
            return Err(wrong("policy.chain.contact"));
        }
        Ok(Response::new(v1::UpdatePolicyResponse { policy: Some(policy) }))
    }

    async fn list_notices(
        &self,
        request: Request<v1::ListNoticesRequest>,
    ) -> Answered<v1::ListNoticesResponse> {
        session(&request)?;
        let message = request.into_inner();
        let incident = v1::Notice {
            is_test: false,
            incident_id: "0123456789abcdef0123456789abcdef".to_owned(),
            severity: v1::Severity::Critical.into(),
            step: 1,
            together: 4,
            ..notice(SENT, v1::NoticeState::Sent)
        };
        let (notices, next) = match message.page_token.as_str() {
            "" if message.site_id == "south" => (Vec::new(), ""),
            "" => {
                let failed = notice(SENT, v1::NoticeState::Failed);
                (vec![notice(WAITING, v1::NoticeState::Waiting), failed, incident], OLDER)
            }
            OLDER => (vec![notice(SENT, v1::NoticeState::NotNeeded)], ""),
            _ => return Err(wrong("page_token")),
        };
        Ok(Response::new(v1::ListNoticesResponse { notices, next_page_token: next.to_owned() }))
    }
}
