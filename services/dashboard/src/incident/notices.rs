//! Who was told of an incident, and what became of it.

use jiff::tz::TimeZone;
use wire::api::v1;

use super::dealt::time;
use crate::call::answer;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Notices that one page shows. A chain has at most 20 steps, so there are hardly more.
const SHOWN: i32 = 100;

/// One thing that one contact was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) contact: String,
    /// When it was sent or is to be.
    pub(super) time: String,
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    /// What else there is to say.
    pub(super) more: Vec<String>,
    /// Why, in the API's own words.
    pub(super) reason: String,
}

/// All notices about an incident.
pub(super) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    incident: &str,
) -> Result<Vec<v1::Notice>, Missing> {
    let mut client = dashboard.clients().notification();
    let message = v1::ListNoticesRequest {
        incident_id: incident.to_owned(),
        page_size: SHOWN,
        ..v1::ListNoticesRequest::default()
    };
    let asked = answer(client.list_notices(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::IncidentNotices, asked).map(|answer| answer.notices)
}

/// The same in words, in the order in which they are sent.
pub(super) fn told(mut notices: Vec<v1::Notice>, zone: &TimeZone, t: Texts) -> Vec<Told> {
    let key = |notice: &v1::Notice| notice.due_time.map(|due| (due.seconds, due.nanos));
    notices.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.step.cmp(&b.step)));
    notices.iter().map(|notice| one(notice, zone, t)).collect()
}

fn one(notice: &v1::Notice, zone: &TimeZone, t: Texts) -> Told {
    let (class, state, at) = match notice.state() {
        v1::NoticeState::Waiting => ("waits", t.told_waiting(), notice.due_time),
        v1::NoticeState::Sent => ("sent", t.told_sent(), notice.last_attempt_time),
        v1::NoticeState::NotNeeded => ("", t.told_not_needed(), notice.due_time),
        v1::NoticeState::Failed => ("alarm", t.told_failed(), notice.last_attempt_time),
        v1::NoticeState::Unspecified => ("", t.not_known(), notice.due_time),
    };
    let more = [
        (notice.step > 0, t.told_step(notice.step)),
        (notice.attempts > 1, t.told_attempts(notice.attempts)),
        (notice.together > 1, t.told_together(notice.together)),
    ];
    Told {
        contact: notice.contact.clone(),
        time: time(at, zone),
        class,
        state,
        more: more.into_iter().filter(|(is_said, _)| *is_said).map(|(_, words)| words).collect(),
        reason: notice.reason.clone(),
    }
}
