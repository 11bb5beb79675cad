//! The delivery log: what contacts were told, and what became of it.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use super::page::{Cell, Choice, Filter, Link, ListPage, Row, Table};
use super::{Area, contacts, end};
use crate::call::{FailureKind, answer};
use crate::fleet;
use crate::frame::{self, MissingPart};
use crate::incidents::severity_name;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

const AREA: Area = Area::Notices;
/// Notices on one page.
const PAGE: i32 = 100;

/// Which notices; what is empty asks for all.
#[derive(Debug, Default, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    contact: String,
    #[serde(default)]
    site: String,
    #[serde(default)]
    incident: String,
    #[serde(default)]
    page: String,
}

impl At {
    /// Its own address, at another page.
    fn address(&self, page: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("contact", self.contact.as_str()),
            ("site", &self.site),
            ("incident", &self.incident),
            ("page", page),
        ];
        query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
        let query = query.finish();
        if query.is_empty() { AREA.path().to_owned() } else { format!("{}?{query}", AREA.path()) }
    }
}

/// Asks for notices.
pub(super) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    message: v1::ListNoticesRequest,
) -> Result<v1::ListNoticesResponse, Missing> {
    let mut client = dashboard.clients().notification();
    let asked = answer(client.list_notices(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::Notices, asked)
}

pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let mut page = ListPage::new(&visitor, AREA);
    page.has_times = true;
    let message = v1::ListNoticesRequest {
        incident_id: at.incident.clone(),
        contact: at.contact.clone(),
        site_id: at.site.clone(),
        page_size: PAGE,
        page_token: at.page.clone(),
    };
    let (listed, contacts, sites) = tokio::join!(
        ask(&dashboard, &visitor, message),
        contacts::ask(&dashboard, &visitor),
        fleet::sites(&dashboard, &visitor)
    );
    let mut code = StatusCode::OK;
    let mut lack = |page: &mut ListPage, missing: &Missing| {
        code = status(&missing.failure);
        page.missing.push(MissingPart::new(missing, t, &TimeZone::UTC));
    };
    let contacts = contacts.unwrap_or_else(|missing| {
        lack(&mut page, &missing);
        Vec::new()
    });
    let mut sites = sites.unwrap_or_else(|missing| {
        lack(&mut page, &missing);
        Vec::new()
    });
    sites.retain(|site| visitor.may("configure", &site.id));
    page.filters = filters(&contacts, &sites, &at, t);
    match listed {
        Ok(listed) => {
            page.tables.push(table(&listed.notices, t));
            if !at.page.is_empty() {
                page.pager.push(Link::new(at.address(""), t.newest(), ""));
            }
            if !listed.next_page_token.is_empty() {
                page.pager.push(Link::new(at.address(&listed.next_page_token), t.older(), ""));
            }
        }
        Err(missing) if missing.failure.kind == FailureKind::Wrong => {
            return frame::not_found(&visitor, t.notices_page_gone());
        }
        Err(missing) => lack(&mut page, &missing),
    }
    frame::packed_html(code, &page, &headers)
}

fn filters(contacts: &[v1::Contact], sites: &[v1::Site], at: &At, t: Texts) -> Vec<Filter> {
    let all = |chosen: &str| Choice::new("", t.filter_all(), chosen);
    let mut by_contact = vec![all(&at.contact)];
    by_contact.extend(contacts.iter().map(|one| Choice::new(&one.name, contacts::title(one), &at.contact)));
    let mut by_site = vec![all(&at.site)];
    by_site.extend(sites.iter().map(|site| Choice::new(&site.id, &site.display_name, &at.site)));
    vec![
        Filter { name: "contact", label: t.contact(), choices: by_contact },
        Filter { name: "site", label: t.site(), choices: by_site },
    ]
}

fn table(notices: &[v1::Notice], t: Texts) -> Table {
    Table {
        caption: t.notify_notices().to_owned(),
        columns: vec![
            t.event_time(),
            t.contact(),
            t.notice_about(),
            t.state(),
            t.notice_attempts(),
            t.notice_reason(),
            t.site(),
        ],
        rows: notices.iter().map(|notice| row(notice, t)).collect(),
        none: t.notices_none(),
    }
}

fn row(notice: &v1::Notice, t: Texts) -> Row {
    let at = |time| words::moment(time).map(end::moment_words).unwrap_or_default();
    let state = Cell {
        alarm: notice.state() == v1::NoticeState::Failed,
        ..Cell::new(state_words(notice.state(), t))
    };
    let due = if notice.state() == v1::NoticeState::Waiting {
        t.notice_due(at(notice.due_time))
    } else {
        String::new()
    };
    let together = if notice.together > 1 { t.notice_together(notice.together) } else { String::new() };
    let tried = notice.last_attempt_time.map(|time| at(Some(time))).unwrap_or_default();
    let cells = vec![
        Cell::new(at(notice.plan_time)),
        Cell::new(&notice.contact),
        Cell::new(about(notice, t)).and(together),
        state.and(due),
        Cell::new(notice.attempts.to_string()).and(tried),
        Cell { english: true, ..Cell::new(&notice.reason) },
        Cell::new(&notice.site_id),
    ];
    let actions = if notice.incident_id.is_empty() {
        Vec::new()
    } else {
        vec![Link::new(format!("/incident/{}", notice.incident_id), t.notice_incident(), &notice.incident_id)]
    };
    Row { cells, actions }
}

/// What a notice tells of.
fn about(notice: &v1::Notice, t: Texts) -> String {
    if notice.is_test {
        return t.notice_test().to_owned();
    }
    if notice.is_head {
        return t.notice_head().to_owned();
    }
    if notice.is_weekly {
        return t.notice_weekly().to_owned();
    }
    let (_, severity) = severity_name(notice.severity(), t);
    if notice.step > 0 { t.notice_step(severity, notice.step) } else { severity.to_owned() }
}

/// What became of a notice, in words.
pub(super) fn state_words(state: v1::NoticeState, t: Texts) -> &'static str {
    match state {
        v1::NoticeState::Waiting => t.notice_waiting(),
        v1::NoticeState::Sent => t.notice_sent(),
        v1::NoticeState::NotNeeded => t.notice_not_needed(),
        v1::NoticeState::Failed => t.notice_failed(),
        v1::NoticeState::Unspecified => t.not_known(),
    }
}

/// Its shape and colour.
pub(super) fn state_class(state: v1::NoticeState) -> &'static str {
    match state {
        v1::NoticeState::Sent => "v-passed",
        v1::NoticeState::Failed => "v-failed",
        v1::NoticeState::Waiting => "v-due",
        v1::NoticeState::NotNeeded | v1::NoticeState::Unspecified => "v-blind",
    }
}
