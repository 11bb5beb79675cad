//! Agents that wait: listed, approved, refused.

use domain::ids::MachineId;
use domain::units::UnixMicros;
use store::fact::{EnrolmentApproval, EnrolmentFact};
use store::registry::{Enrolment, EnrolmentStanding};
use store::{StoreError, StoreErrorKind};
use wire::api::v1;

use super::{Enrolments, PAGE_DEFAULT, PAGE_MAX};
use crate::access::{Caller, Scope};
use crate::admin::machines::Told;
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::convert::{self, timestamp};
use crate::paging::{AfterNumber, Asked};
use crate::registry::Visible;
use crate::status::ApiError;

impl Enrolments {
    pub(super) fn list_pending_enrolments(
        &self,
        _caller: Caller,
        scope: Scope,
        mut request: v1::ListPendingEnrolmentsRequest,
    ) -> Result<v1::ListPendingEnrolmentsResponse, ApiError> {
        let mut check = Check::default();
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let page_token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListPendingEnrolments", &request);
        let after = self.pages.cursor::<AfterNumber>(&asked, &page_token)?;
        let before = after.map_or(u64::MAX, |after| after.0);
        let (visible, now) = (self.visible(&scope), self.surroundings.now());
        let within =
            |one: &&Enrolment| one.number < before && one.is_waiting(now) && visible.site(&one.site).is_ok();
        let mut waiting: Vec<&Enrolment> = visible.registry().enrolments().filter(within).collect();
        waiting.sort_by_key(|one| std::cmp::Reverse(one.number));
        let next = waiting.get(size).map(|_| AfterNumber(waiting[size - 1].number));
        let next_page_token = next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default();
        let enrolments = waiting.into_iter().take(size).map(show).collect();
        Ok(v1::ListPendingEnrolmentsResponse { enrolments, next_page_token })
    }

    pub(super) async fn approve_enrolment(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ApproveEnrolmentRequest,
    ) -> Result<v1::ApproveEnrolmentResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        let model = check.text("model", &request.model, NAME_CHARACTERS_MAX);
        let (belt, drive) = (check.belt("belt", request.belt), check.drive("drive", request.drive));
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let (visible, now) = (self.visible(&scope), self.surroundings.now());
        let waiting = found(&visible, &request.enrolment_id)?;
        if let EnrolmentStanding::Approved { machine, .. } = &waiting.standing
            && *machine == id
        {
            let machine = visible.machine(machine)?;
            return Ok(v1::ApproveEnrolmentResponse { machine: Some(convert::machine(machine)) });
        }
        must_wait(waiting, now)?;
        let created = if request.is_replacement {
            let machine = visible.machine(&id)?;
            if machine.site != waiting.site {
                return Err(ApiError::NotFound { what: "machine", id: id.to_string() });
            }
            None
        } else if visible.registry().machines().contains_key(&id) {
            return Err(ApiError::Taken { what: "machine", id: id.to_string() });
        } else {
            let (id, site) = (id.clone(), waiting.site.clone());
            Some(Told { id, site, display_name, model, belt, drive }.registered(now))
        };
        let approval = EnrolmentApproval { number: waiting.number, machine: id.clone(), created };
        let added = self.add(caller.name(), now, EnrolmentFact::Approved(approval)).await;
        added.map_err(|error| self.overtaken(&scope, &request.enrolment_id, &id, now, error))?;
        let visible = self.visible(&scope);
        let machine = visible.machine(&id)?;
        tracing::info!(machine.id = %id, caller = caller.name(), "an agent was approved");
        Ok(v1::ApproveEnrolmentResponse { machine: Some(convert::machine(machine)) })
    }

    pub(super) async fn refuse_enrolment(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RefuseEnrolmentRequest,
    ) -> Result<v1::RefuseEnrolmentResponse, ApiError> {
        let (visible, now) = (self.visible(&scope), self.surroundings.now());
        let waiting = found(&visible, &request.enrolment_id)?;
        if matches!(waiting.standing, EnrolmentStanding::Refused { .. }) {
            return Ok(v1::RefuseEnrolmentResponse {});
        }
        must_wait(waiting, now)?;
        let refused = EnrolmentFact::Refused { number: waiting.number };
        self.add(caller.name(), now, refused).await?;
        tracing::info!(site.id = %waiting.site, caller = caller.name(), "an agent was refused");
        Ok(v1::RefuseEnrolmentResponse {})
    }

    /// What somebody else did in the meantime.
    fn overtaken(
        &self,
        scope: &Scope,
        number: &str,
        id: &MachineId,
        now: UnixMicros,
        error: StoreError,
    ) -> ApiError {
        if error.kind != StoreErrorKind::Conflict {
            return error.into();
        }
        let visible = self.visible(scope);
        let waits = found(&visible, number).and_then(|waiting| must_wait(waiting, now));
        waits.err().unwrap_or_else(|| ApiError::Taken { what: "machine", id: id.to_string() })
    }
}

/// An agent that the caller may answer.
fn found<'a>(visible: &'a Visible, id: &str) -> Result<&'a Enrolment, ApiError> {
    let number: Option<u64> = id.parse().ok();
    let known = number.and_then(|number| visible.registry().enrolment_number(number));
    let known = known.filter(|one| visible.site(&one.site).is_ok());
    known.ok_or_else(|| ApiError::NotFound { what: "enrolment", id: id.chars().take(80).collect() })
}

fn must_wait(one: &Enrolment, now: UnixMicros) -> Result<(), ApiError> {
    if one.is_waiting(now) {
        return Ok(());
    }
    let message = match &one.standing {
        EnrolmentStanding::Waiting => "it has waited for too long; the agent has to begin again".to_owned(),
        EnrolmentStanding::Approved { machine, .. } => format!("it was approved as the agent of {machine}"),
        EnrolmentStanding::Refused { .. } => "it was refused; the agent has to begin again".to_owned(),
    };
    Err(ApiError::NotNow { reason: "NOT_WAITING", message })
}

fn show(one: &Enrolment) -> v1::PendingEnrolment {
    v1::PendingEnrolment {
        id: one.number.to_string(),
        site_id: one.site.to_string(),
        code_id: format!("{:06x}", one.code),
        name: one.name.clone(),
        agent_version: one.agent_version.clone(),
        peer: one.peer.clone(),
        comparison: one.comparison.clone(),
        request_time: Some(timestamp(one.asked)),
        expire_time: Some(timestamp(one.ends())),
    }
}
