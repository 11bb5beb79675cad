//! Contacts: who can be told of incidents, how, and what became of the last time.

mod change;
mod trial;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wire::api::v1;

use super::notice::Done;
use super::notices::state_words;
use super::page::{Cell, Link, ListPage, Row, Table};
use super::{Area, end, lacking};
use crate::call::answer;
use crate::frame::{self, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

pub(super) use change::{add, ask_delete, ask_renew, delete, edit, renew, show_add, show_edit};
pub(super) use trial::{result, show as show_test, test};

const AREA: Area = Area::Contacts;

/// Contacts that the visitor may see.
pub(super) async fn ask(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Contact>, Missing> {
    let message = v1::ListContactsRequest { site_id: String::new() };
    let mut client = dashboard.clients().notification();
    let asked = answer(client.list_contacts(visitor.caller.request(message))).await;
    Ok(dashboard.outages().note(Part::Contacts, asked)?.contacts)
}

/// A contact that the visitor may change.
async fn find(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<v1::Contact, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let none = visitor.t().no_contact();
    let contacts = ask(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, none))?;
    let found = contacts.into_iter().find(|contact| contact.name == name);
    let found = found.ok_or_else(|| frame::not_found(visitor, none))?;
    if may_change(visitor, &found) { Ok(found) } else { Err(frame::not_allowed(visitor)) }
}

/// A contact of all sites belongs to those who configure all.
fn may_change(visitor: &Visitor, contact: &v1::Contact) -> bool {
    match contact.site_id.as_str() {
        "" => super::may_everywhere(visitor, "configure"),
        site => visitor.may("configure", site),
    }
}

fn path(name: &str) -> String {
    format!("{}/{name}", AREA.path())
}

/// A contact for people.
pub(super) fn title(contact: &v1::Contact) -> &str {
    if contact.display_name.is_empty() { &contact.name } else { &contact.display_name }
}

pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(done): Query<Done>,
    headers: HeaderMap,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let mut page = ListPage::new(&visitor, AREA);
    page.done = done.words(t);
    page.has_times = true;
    page.add = Some(Link::new("/administration/add/contact", t.contact_add(), ""));
    let mut code = StatusCode::OK;
    match ask(&dashboard, &visitor).await {
        Ok(contacts) => page.tables.push(table(&contacts, &visitor)),
        Err(missing) => {
            code = status(&missing.failure);
            page.missing.push(MissingPart::new(&missing, t, &jiff::tz::TimeZone::UTC));
        }
    }
    frame::packed_html(code, &page, &headers)
}

fn table(contacts: &[v1::Contact], visitor: &Visitor) -> Table {
    let t = visitor.t();
    Table {
        caption: t.notify_contacts().to_owned(),
        columns: vec![t.contact(), t.contact_way(), t.site(), t.contact_anchor(), t.contact_last()],
        rows: contacts.iter().map(|contact| row(contact, visitor)).collect(),
        none: t.contacts_none(),
    }
}

fn row(contact: &v1::Contact, visitor: &Visitor) -> Row {
    let t = visitor.t();
    let is_webhook = !contact.webhook_url.is_empty();
    let (way, address) = if is_webhook {
        (t.contact_webhook(), &contact.webhook_url)
    } else {
        (t.contact_email(), &contact.email)
    };
    let site = if contact.site_id.is_empty() { t.grant_all() } else { &contact.site_id };
    let cells = vec![
        Cell::new(title(contact)).and(&contact.name),
        Cell::new(way).and(address),
        Cell::new(site),
        Cell::new(if contact.is_anchor { t.yes() } else { t.no() }),
        last_words(contact.last_notice.as_ref(), t),
    ];
    let path = path(&contact.name);
    let mut actions = Vec::new();
    if may_change(visitor, contact) {
        actions.push(Link::new(format!("{path}/test"), t.contact_test(), &contact.name));
        actions.push(Link::new(path.clone(), t.edit(), &contact.name));
        if is_webhook {
            actions.push(Link::new(format!("{path}/renew"), t.contact_renew(), &contact.name));
        }
        actions.push(Link::new(format!("{path}/delete"), t.contact_delete(), &contact.name));
    }
    Row { cells, actions }
}

/// What became of the last notice.
fn last_words(notice: Option<&v1::Notice>, t: Texts) -> Cell {
    let Some(notice) = notice else { return Cell::new(t.never()) };
    let at = words::moment(notice.last_attempt_time.or(notice.plan_time));
    let at = at.map(end::moment_words).unwrap_or_default();
    let fails = notice.state() == v1::NoticeState::Waiting && notice.attempts > 0;
    let alarm = fails || notice.state() == v1::NoticeState::Failed;
    if fails {
        return Cell { alarm, ..Cell::new(t.contact_fails()) }.and(at);
    }
    Cell { alarm, ..Cell::new(state_words(notice.state(), t)) }.and(at)
}
