//! How agents get credentials: codes, and agents that wait for approval.

mod answers;
pub(super) mod codes;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::notice::Done;
use super::page::{Cell, Link, ListPage, Row, Table};
use super::{Area, end};
use crate::call::{Failure, answer};
use crate::fleet::LISTED_MAX;
use crate::frame::{self, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

pub(super) use self::answers::{approve, ask_approve, ask_refuse, refuse};

const AREA: Area = Area::Enrolment;
const PAGE: i32 = 1_000;

pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(done): Query<Done>,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let mut page = ListPage::new(&visitor, AREA);
    page.done = done.words(t);
    page.has_times = true;
    page.add = Some(Link::new("/administration/add/enrolment", t.enrolment_code_add(), ""));
    let asked = async { tokio::try_join!(waiting(&dashboard, &visitor), codes(&dashboard, &visitor)) };
    let (waiting, codes) = match dashboard.outages().note(Part::Enrolments, asked.await) {
        Ok(both) => both,
        Err(missing) => {
            page.missing.push(MissingPart::new(&missing, t, &jiff::tz::TimeZone::UTC));
            return frame::html(status(&missing.failure), &page);
        }
    };
    page.tables = vec![waiting_table(&waiting, t), codes_table(&codes, t)];
    frame::html(StatusCode::OK, &page)
}

fn waiting_table(waiting: &[v1::PendingEnrolment], t: Texts) -> Table {
    let row = |one: &v1::PendingEnrolment| {
        let path = format!("{}/{}", AREA.path(), one.id);
        let shown = digits(&one.comparison);
        Row {
            cells: vec![
                Cell::new(&shown),
                Cell::new(&one.name).and(&one.agent_version),
                Cell::new(&one.peer),
                Cell::new(&one.site_id),
                at(one.request_time, t),
            ],
            actions: vec![
                Link::new(format!("{path}/approve"), t.enrolment_approve(), &shown),
                Link::new(format!("{path}/refuse"), t.enrolment_refuse(), &shown),
            ],
        }
    };
    Table {
        caption: t.enrolment_waiting().to_owned(),
        columns: vec![
            t.enrolment_digits(),
            t.enrolment_name(),
            t.enrolment_from(),
            t.site(),
            t.enrolment_since(),
        ],
        rows: waiting.iter().map(row).collect(),
        none: t.enrolment_none(),
    }
}

fn codes_table(codes: &[v1::EnrolmentCode], t: Texts) -> Table {
    let row = |code: &v1::EnrolmentCode| {
        let (whose, at_site) = match code.machine_id.is_empty() {
            true => (&code.site_id, ""),
            false => (&code.machine_id, code.site_id.as_str()),
        };
        let is_open = code.state() == v1::EnrolmentCodeState::Open;
        let revoke = format!("{}/codes/{}/revoke", AREA.path(), code.id);
        Row {
            cells: vec![
                Cell::new(whose).and(at_site),
                Cell::new(&code.id),
                Cell::new(state(code.state(), t)),
                Cell::new(t.enrolment_came_of(code.machines_came, code.machines_max)),
                at(code.create_time, t).and(t.by(&code.created_by)),
                at(code.expire_time, t),
            ],
            actions: is_open.then(|| Link::new(revoke, t.enrolment_revoke(), &code.id)).into_iter().collect(),
        }
    };
    Table {
        caption: t.enrolment_codes().to_owned(),
        columns: vec![
            t.enrolment_code_for(),
            t.id(),
            t.state(),
            t.enrolment_came(),
            t.made(),
            t.good_until(),
        ],
        rows: codes.iter().map(row).collect(),
        none: t.enrolment_codes_none(),
    }
}

fn at(time: Option<prost_types::Timestamp>, t: Texts) -> Cell {
    Cell::new(words::moment(time).map_or_else(|| t.not_known().to_owned(), end::moment_words))
}

fn state(state: v1::EnrolmentCodeState, t: Texts) -> &'static str {
    match state {
        v1::EnrolmentCodeState::Open => t.code_open(),
        v1::EnrolmentCodeState::Used => t.code_used(),
        v1::EnrolmentCodeState::Expired => t.code_expired(),
        v1::EnrolmentCodeState::Revoked => t.code_revoked(),
        v1::EnrolmentCodeState::TriedOut => t.code_tried_out(),
        v1::EnrolmentCodeState::Unspecified => t.not_known(),
    }
}

/// Six digits as the agent shows them.
fn digits(comparison: &str) -> String {
    match comparison.split_at_checked(3) {
        Some((first, last)) => format!("{first} {last}"),
        None => comparison.to_owned(),
    }
}

async fn waiting(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::PendingEnrolment>, Failure> {
    let mut client = dashboard.clients().enrolment();
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = v1::ListPendingEnrolmentsRequest { page_size: PAGE, page_token };
        let page = answer(client.list_pending_enrolments(visitor.caller.request(message))).await?;
        found.extend(page.enrolments);
        page_token = page.next_page_token;
        if page_token.is_empty() || found.len() >= LISTED_MAX {
            return Ok(found);
        }
    }
}

async fn codes(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::EnrolmentCode>, Failure> {
    let mut client = dashboard.clients().enrolment();
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let message = v1::ListEnrolmentCodesRequest { page_size: PAGE, page_token };
        let page = answer(client.list_enrolment_codes(visitor.caller.request(message))).await?;
        found.extend(page.codes);
        page_token = page.next_page_token;
        if page_token.is_empty() || found.len() >= LISTED_MAX {
            return Ok(found);
        }
    }
}

/// An agent that waits, by its number; `None`: it does not wait any more.
async fn find(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: &str,
) -> Result<Option<v1::PendingEnrolment>, Missing> {
    let found = dashboard.outages().note(Part::Enrolments, waiting(dashboard, visitor).await)?;
    Ok(found.into_iter().find(|one| one.id == id))
}
