//! Codes: made, listed, ended.

use domain::ids::{MachineId, SiteId};
use domain::limits::ENROLMENT_MACHINES_MAX;
use domain::units::UnixMicros;
use store::StoreErrorKind;
use store::fact::EnrolmentFact;
use store::registry::{EnrolmentCode, EnrolmentCodeState, EnrolmentTarget};
use wire::api::v1;
use wire::enrolment::{Code, Shown};

use super::{Enrolments, PAGE_DEFAULT, PAGE_MAX};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::timestamp;
use crate::paging::{AfterNumber, Asked};
use crate::registry::Visible;
use crate::status::ApiError;

const HOUR_US: i64 = 3_600 * 1_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// How long a code for one machine is good.
const MACHINE_LIFE_US: i64 = HOUR_US;
/// How long one for a site is good if nobody says, and what is allowed.
const SITE_LIFE_US: i64 = 7 * DAY_US;
const SITE_LIFE: std::ops::RangeInclusive<i64> = HOUR_US..=30 * DAY_US;
/// How many agents may come with it if nobody says.
const MACHINES_DEFAULT: u32 = 50;
/// How often a new identity is tried: of 2^24 at most 10 000 are taken.
const IDENTITIES_TRIED: usize = 20;

impl Enrolments {
    pub(super) async fn create_enrolment_code(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateEnrolmentCodeRequest,
    ) -> Result<v1::CreateEnrolmentCodeResponse, ApiError> {
        let (target, life_us) = asked(&request)?;
        let visible = self.visible(&scope);
        match &target {
            EnrolmentTarget::Machine { machine } => visible.machine(machine).map(drop)?,
            EnrolmentTarget::Site { site, .. } => visible.site(site).map(drop)?,
        }
        let created = self.surroundings.now();
        let mut tries = 0;
        let (shown, id) = loop {
            let shown = Shown::generate().map_err(ApiError::NoRandomness)?;
            let code = EnrolmentCode {
                id: shown.id(),
                hash: shown.hash(),
                number: 0,
                target: target.clone(),
                author: caller.name(),
                created,
                expires: created.plus(life_us),
                revoked: None,
                wrong_tries: 0,
                came: 0,
                used: None,
            };
            let id = code.id;
            match self.add(caller.name(), created, EnrolmentFact::CodeMade(code)).await {
                Ok(_) => break (shown, id),
                // Another code has this identity.
                Err(error) if error.kind == StoreErrorKind::Conflict && tries < IDENTITIES_TRIED => {
                    tries += 1
                }
                Err(error) => return Err(error.into()),
            }
        };
        tracing::info!(code = format!("{id:06x}"), caller = caller.name(), "enrolment code made");
        let code = Code { shown, authority: self.surroundings.authority() }.to_string();
        let registry = self.ledger.registry();
        let kept = registry.enrolment_code(id).map(|code| show(&visible, code, created));
        Ok(v1::CreateEnrolmentCodeResponse { code, url: self.surroundings.url(), kept })
    }

    pub(super) fn list_enrolment_codes(
        &self,
        _caller: Caller,
        scope: Scope,
        mut request: v1::ListEnrolmentCodesRequest,
    ) -> Result<v1::ListEnrolmentCodesResponse, ApiError> {
        let mut check = Check::default();
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let page_token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListEnrolmentCodes", &request);
        let after = self.pages.cursor::<AfterNumber>(&asked, &page_token)?;
        let before = after.map_or(u64::MAX, |after| after.0);
        let visible = self.visible(&scope);
        let mut codes: Vec<&EnrolmentCode> = visible
            .registry()
            .enrolment_codes()
            .filter(|code| code.number < before && is_seen(&visible, code))
            .collect();
        codes.sort_by_key(|code| std::cmp::Reverse(code.number));
        let next = codes.get(size).map(|_| AfterNumber(codes[size - 1].number));
        let next_page_token = next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default();
        let now = self.surroundings.now();
        let codes = codes.into_iter().take(size).map(|code| show(&visible, code, now)).collect();
        Ok(v1::ListEnrolmentCodesResponse { codes, next_page_token })
    }

    pub(super) async fn revoke_enrolment_code(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RevokeEnrolmentCodeRequest,
    ) -> Result<v1::RevokeEnrolmentCodeResponse, ApiError> {
        let id = &request.code_id;
        let unknown = || ApiError::NotFound { what: "enrolment code", id: id.chars().take(80).collect() };
        let digits = id.len() == 6 && id.bytes().all(|c| c.is_ascii_hexdigit());
        let number = u32::from_str_radix(id, 16).ok().filter(|_| digits).ok_or_else(unknown)?;
        let visible = self.visible(&scope);
        let code = visible.registry().enrolment_code(number).filter(|code| is_seen(&visible, code));
        let code = code.ok_or_else(unknown)?;
        let now = self.surroundings.now();
        if code.revoked.is_none() {
            let revoked = EnrolmentFact::CodeRevoked { code: code.id };
            self.add(caller.name(), now, revoked).await?;
            tracing::info!(code = id, caller = caller.name(), "enrolment code revoked");
        }
        let visible = self.visible(&scope);
        let code = visible.registry().enrolment_code(number).map(|code| show(&visible, code, now));
        Ok(v1::RevokeEnrolmentCodeResponse { code })
    }
}

/// For what a code is asked, and how long it shall be good.
fn asked(request: &v1::CreateEnrolmentCodeRequest) -> Result<(EnrolmentTarget, i64), ApiError> {
    let mut check = Check::default();
    let machine = check.optional_id::<MachineId>("machine_id", &request.machine_id);
    let site = check.optional_id::<SiteId>("site_id", &request.site_id);
    let is_one = request.machine_id.is_empty() != request.site_id.is_empty();
    if !is_one {
        check.wrong("machine_id", "or site_id is required, and not both");
    }
    let machines_max = if request.machines_max == 0 { MACHINES_DEFAULT } else { request.machines_max };
    let life_us = match &request.life {
        None => SITE_LIFE_US,
        Some(life) => life.seconds.saturating_mul(1_000_000).saturating_add(i64::from(life.nanos) / 1_000),
    };
    if machine.is_some() && (request.life.is_some() || request.machines_max != 0) {
        check
            .wrong("life", "and machines_max are for a site; a code for a machine is good for an hour, once");
    }
    if machines_max > ENROLMENT_MACHINES_MAX {
        let max = ENROLMENT_MACHINES_MAX;
        check.wrong(
            "machines_max",
            format!("is {machines_max}; 1 to {max} are allowed, 0 means {MACHINES_DEFAULT}"),
        );
    }
    if !SITE_LIFE.contains(&life_us) {
        check.wrong("life", format!("is {} s; 1 hour to 30 days is allowed", life_us / 1_000_000));
    }
    check.finish()?;
    Ok(match (machine, site) {
        (Some(machine), _) => (EnrolmentTarget::Machine { machine }, MACHINE_LIFE_US),
        (None, Some(site)) => (EnrolmentTarget::Site { site, machines_max }, life_us),
        (None, None) => unreachable!("one of both is there, or it is a violation"),
    })
}

/// The site that a code belongs to: its own, or that of its machine.
fn site_of<'a>(visible: &'a Visible, code: &'a EnrolmentCode) -> Option<&'a SiteId> {
    match &code.target {
        EnrolmentTarget::Site { site, .. } => visible.site(site).ok().map(|site| &site.id),
        EnrolmentTarget::Machine { machine } => visible.machine(machine).ok().map(|machine| &machine.site),
    }
}

fn is_seen(visible: &Visible, code: &EnrolmentCode) -> bool {
    site_of(visible, code).is_some()
}

fn show(visible: &Visible, code: &EnrolmentCode, now: UnixMicros) -> v1::EnrolmentCode {
    let machine = match &code.target {
        EnrolmentTarget::Machine { machine } => machine.to_string(),
        EnrolmentTarget::Site { .. } => String::new(),
    };
    let state = match code.state(now) {
        EnrolmentCodeState::Open => v1::EnrolmentCodeState::Open,
        EnrolmentCodeState::Used => v1::EnrolmentCodeState::Used,
        EnrolmentCodeState::Expired => v1::EnrolmentCodeState::Expired,
        EnrolmentCodeState::Revoked => v1::EnrolmentCodeState::Revoked,
        EnrolmentCodeState::TriedOut => v1::EnrolmentCodeState::TriedOut,
    };
    v1::EnrolmentCode {
        id: format!("{:06x}", code.id),
        machine_id: machine,
        site_id: site_of(visible, code).map(ToString::to_string).unwrap_or_default(),
        created_by: code.author.clone(),
        create_time: Some(timestamp(code.created)),
        expire_time: Some(timestamp(code.expires)),
        revoke_time: code.revoked.map(timestamp),
        machines_max: code.machines_max(),
        machines_came: code.came,
        state: state.into(),
    }
}
