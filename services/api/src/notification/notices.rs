//! What contacts were told, newest first.

use domain::ids::{IncidentId, NoticeId, SiteId};
use domain::units::UnixMicros;
use store::ledger::{About, Notice, NoticeQuery, NoticeState};
use wire::api::v1;

use super::Notifications;
use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::timestamp;
use crate::incident::show::severity;
use crate::paging::{Asked, Place};
use crate::registry::Visible;
use crate::status::ApiError;

const PAGE_DEFAULT: usize = 100;
/// One less than `limits::NOTICES_READ_MAX`, so that one read tells whether there are more.
const PAGE_MAX: usize = domain::limits::NOTICES_READ_MAX - 1;

impl Notifications {
    pub(super) async fn notices(
        &self,
        caller: Caller,
        scope: Scope,
        mut request: v1::ListNoticesRequest,
    ) -> Result<v1::ListNoticesResponse, ApiError> {
        let token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let mut check = Check::default();
        let incident = check.optional_id::<IncidentId>("incident_id", &request.incident_id);
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        let contact = (!request.contact.is_empty()).then(|| check.contact_name("contact", &request.contact));
        let size = check.page_size(page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let asked = Asked::new("ListNotices", &request);
        let after = self.pages.cursor::<AfterNotice>(&asked, &token)?;
        let visible = self.visible(&scope);
        if let Some(site) = &site {
            visible.site(site)?;
        }
        let query = NoticeQuery {
            incident,
            contact,
            sites: sites_seen(&visible, site),
            after: after.map(|after| (after.planned, after.id)),
            max: size + 1,
        };
        let mut rows = self.ledger.notices(&query).await?;
        let has_more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| has_more);
        let next = last.map(|last| AfterNotice { planned: last.planned, id: last.id });
        let configures = self.gate.reach(&caller, Permission::Configure);
        Ok(v1::ListNoticesResponse {
            notices: rows.iter().map(|notice| shown_to(&configures, notice)).collect(),
            next_page_token: next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default(),
        })
    }
}

/// Of which sites notices may be seen; `None`: of all, and those of the server.
pub(super) fn sites_seen(visible: &Visible, site: Option<SiteId>) -> Option<Vec<SiteId>> {
    match site {
        Some(site) => Some(vec![site]),
        None if visible.is_whole() => None,
        None => Some(visible.sites(None).map(|site| site.id.clone()).collect()),
    }
}

/// What a mail server or a webhook answers may name addresses, which are for those who may set contacts.
fn shown_to(configures: &Scope, notice: &Notice) -> v1::Notice {
    let may_set = notice.site.as_ref().map_or(*configures == Scope::All, |site| configures.has(site));
    let is_answer = matches!(notice.state, NoticeState::Waiting | NoticeState::Failed);
    let shown = show(notice);
    if may_set || !is_answer { shown } else { v1::Notice { reason: String::new(), ..shown } }
}

pub(super) fn show(notice: &Notice) -> v1::Notice {
    let state = match notice.state {
        NoticeState::Waiting => v1::NoticeState::Waiting,
        NoticeState::Sent => v1::NoticeState::Sent,
        NoticeState::NotNeeded => v1::NoticeState::NotNeeded,
        NoticeState::Failed => v1::NoticeState::Failed,
    };
    v1::Notice {
        id: notice.id.to_string(),
        contact: notice.contact.clone(),
        site_id: notice.site.as_ref().map(ToString::to_string).unwrap_or_default(),
        incident_id: notice.about.incident().map(|id| id.to_string()).unwrap_or_default(),
        is_test: matches!(notice.about, About::Test { .. }),
        is_head: matches!(notice.about, About::Head { .. }),
        is_weekly: matches!(notice.about, About::Weekly { .. }),
        severity: severity(notice.severity),
        step: notice.step,
        plan_time: Some(timestamp(notice.planned)),
        due_time: Some(timestamp(notice.due)),
        state: state.into(),
        attempts: notice.attempts,
        last_attempt_time: notice.last_attempt.map(timestamp),
        reason: notice.reason.clone(),
        together: notice.together,
    }
}

/// After this notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct AfterNotice {
    planned: UnixMicros,
    id: NoticeId,
}

impl Place for AfterNotice {
    fn encode(&self) -> Vec<u8> {
        let mut octets = self.planned.0.to_be_bytes().to_vec();
        octets.extend(self.id.0);
        octets
    }

    fn decode(octets: &[u8]) -> Option<AfterNotice> {
        let (planned, id) = octets.split_first_chunk::<8>()?;
        let planned = UnixMicros(i64::from_be_bytes(*planned));
        NoticeId::from_slice(id).map(|id| AfterNotice { planned, id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_read_back_and_any_octets_are_one_or_none(
            planned in any::<i64>(),
            id in any::<[u8; 16]>(),
            octets in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let after = AfterNotice { planned: UnixMicros(planned), id: NoticeId(id) };
            prop_assert_eq!(AfterNotice::decode(&after.encode()), Some(after));
            if let Some(place) = AfterNotice::decode(&octets) {
                prop_assert_eq!(place.encode(), octets);
            }
        }
    }
}
