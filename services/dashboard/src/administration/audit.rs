//! The audit: what was done and what was refused, and messages that were refused.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use super::page::{Cell, Link, ListPage, Row, Table};
use super::{Area, end, may_everywhere};
use crate::call::{FailureKind, answer};
use crate::frame::{self, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

const AREA: Area = Area::Audit;
/// Entries on one page.
const PAGE: i32 = 100;

/// Words for one of the API's names.
type Words = fn(Texts) -> &'static str;

const KINDS: [(&str, Words); 47] = [
    ("site_created", Texts::did_site_created),
    ("site_changed", Texts::did_site_changed),
    ("machine_created", Texts::did_machine_created),
    ("machine_changed", Texts::did_machine_changed),
    ("machines_arranged", Texts::did_machines_arranged),
    ("credential_renewed", Texts::did_credential_renewed),
    ("credential_revoked", Texts::did_credential_revoked),
    ("stop_acknowledged", Texts::did_stop_acknowledged),
    ("user_created", Texts::did_user_created),
    ("user_changed", Texts::did_user_changed),
    ("password_set", Texts::did_password_set),
    ("preferences_set", Texts::did_preferences_set),
    ("link_made", Texts::did_link_made),
    ("signed_in", Texts::did_signed_in),
    ("signed_out", Texts::did_signed_out),
    ("token_created", Texts::did_token_created),
    ("token_revoked", Texts::did_token_revoked),
    ("thresholds_set", Texts::did_thresholds_set),
    ("service_changed", Texts::did_service_changed),
    ("commissioned", Texts::did_commissioned),
    ("staffed_hours_set", Texts::did_staffed_hours_set),
    ("incident_acknowledged", Texts::did_incident_acknowledged),
    ("incident_assigned", Texts::did_incident_assigned),
    ("incident_noted", Texts::did_incident_noted),
    ("incident_shelved", Texts::did_incident_shelved),
    ("incident_closed", Texts::did_incident_closed),
    ("incident_held", Texts::did_incident_held),
    ("incident_joined", Texts::did_incident_joined),
    ("incident_sealed", Texts::did_incident_sealed),
    ("note_erased", Texts::did_note_erased),
    ("drill_started", Texts::did_drill_started),
    ("drill_ended", Texts::did_drill_ended),
    ("contact_set", Texts::did_contact_set),
    ("contact_ended", Texts::did_contact_ended),
    ("policy_set", Texts::did_policy_set),
    ("head_anchored", Texts::did_head_anchored),
    ("opening_set", Texts::did_opening_set),
    ("maintenance_set", Texts::did_maintenance_set),
    ("machine_maintained", Texts::did_machine_maintained),
    ("enrolment_code_made", Texts::did_enrolment_code_made),
    ("enrolment_code_revoked", Texts::did_enrolment_code_revoked),
    ("enrolment_code_tried", Texts::did_enrolment_code_tried),
    ("machine_enrolled", Texts::did_machine_enrolled),
    ("enrolment_asked", Texts::did_enrolment_asked),
    ("enrolment_approved", Texts::did_enrolment_approved),
    ("enrolment_refused", Texts::did_enrolment_refused),
    ("access_refused", Texts::did_access_refused),
];
const REASONS: [(&str, Words); 7] = [
    ("not_authentic", Texts::refused_not_authentic),
    ("unknown_machine", Texts::refused_unknown_machine),
    ("foreign_topic", Texts::refused_foreign_topic),
    ("too_large", Texts::refused_too_large),
    ("unreadable", Texts::refused_unreadable),
    ("version", Texts::refused_version),
    ("order", Texts::refused_order),
];

/// One of the API's names in words; a name that is not known as it is.
fn worded(names: &[(&str, Words)], name: &str, t: Texts) -> String {
    let known = names.iter().find(|(known, _)| *known == name);
    known.map_or_else(|| name.to_owned(), |(_, words)| words(t).to_owned())
}

/// Which page; empty: the newest.
#[derive(Debug, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    page: String,
}

pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(At { page: page_token }): Query<At>,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let mut page = ListPage::new(&visitor, AREA);
    page.has_times = true;
    let is_newest = page_token.is_empty();
    if !is_newest {
        page.pager.push(Link::new(AREA.path(), t.newest(), ""));
    }
    let mut code = StatusCode::OK;
    let mut lack = |page: &mut ListPage, missing: &Missing| {
        code = status(&missing.failure);
        page.missing.push(MissingPart::new(missing, t, &TimeZone::UTC));
    };
    if visitor.may_anywhere("audit") {
        match entries(&dashboard, &visitor, page_token).await {
            Ok(entries) => {
                page.tables.push(entries_table(&entries.entries, t));
                if !entries.next_page_token.is_empty() {
                    let mut query = url::form_urlencoded::Serializer::new(String::new());
                    query.append_pair("page", &entries.next_page_token);
                    page.pager.push(Link::new(format!("{}?{}", AREA.path(), query.finish()), t.older(), ""));
                }
            }
            Err(missing) if missing.failure.kind == FailureKind::Wrong => {
                return frame::not_found(&visitor, t.audit_page_gone());
            }
            Err(missing) => lack(&mut page, &missing),
        }
    }
    if is_newest && may_everywhere(&visitor, "diagnose") {
        let mut client = dashboard.clients().admin();
        let asked = answer(client.list_refusals(visitor.caller.request(v1::ListRefusalsRequest {}))).await;
        match dashboard.outages().note(Part::Refusals, asked) {
            Ok(refused) => page.tables.push(refusals_table(&refused.refusals, t)),
            Err(missing) => lack(&mut page, &missing),
        }
    }
    frame::html(code, &page)
}

async fn entries(
    dashboard: &Dashboard,
    visitor: &Visitor,
    page_token: String,
) -> Result<v1::ListAuditEntriesResponse, Missing> {
    let message = v1::ListAuditEntriesRequest { page_size: PAGE, page_token };
    let mut client = dashboard.clients().admin();
    let asked = answer(client.list_audit_entries(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::Audit, asked)
}

fn at(time: Option<prost_types::Timestamp>, t: Texts) -> Cell {
    Cell::new(words::moment(time).map_or_else(|| t.not_known().to_owned(), end::moment_words))
}

fn entries_table(entries: &[v1::AuditEntry], t: Texts) -> Table {
    let row = |entry: &v1::AuditEntry| Row {
        cells: vec![
            at(entry.time, t),
            Cell::new(&entry.author),
            Cell { alarm: entry.kind == "access_refused", ..Cell::new(worded(&KINDS, &entry.kind, t)) },
            Cell::new(&entry.subject),
            Cell::new(&entry.site_id),
            Cell { english: true, ..Cell::new(&entry.detail) },
        ],
        actions: Vec::new(),
    };
    Table {
        caption: t.audit_entries().to_owned(),
        columns: vec![
            t.event_time(),
            t.audit_who(),
            t.audit_what(),
            t.audit_subject(),
            t.site(),
            t.audit_detail(),
        ],
        rows: entries.iter().map(row).collect(),
        none: t.audit_none(),
    }
}

fn refusals_table(refusals: &[v1::Refusal], t: Texts) -> Table {
    let row = |refusal: &v1::Refusal| Row {
        cells: vec![
            at(refusal.time, t),
            Cell::new(worded(&REASONS, &refusal.reason, t)),
            Cell::new(&refusal.topic),
            Cell { english: true, ..Cell::new(&refusal.detail) },
            Cell::new(refusal.count.to_string()),
        ],
        actions: Vec::new(),
    };
    Table {
        caption: t.refusals().to_owned(),
        columns: vec![
            t.event_time(),
            t.refusal_reason(),
            t.refusal_topic(),
            t.audit_detail(),
            t.refusal_count(),
        ],
        rows: refusals.iter().map(row).collect(),
        none: t.refusals_none(),
    }
}
