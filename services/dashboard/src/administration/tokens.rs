//! Tokens for programs.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use wire::api::v1;

use super::form_page::{Entry, Field, FormPage};
use super::grants::{self, Grants};
use super::notice::{Done, Notice, go};
use super::page::{Cell, Link, ListPage, Row, SecretPage, Table};
use super::users::read_end;
use super::{Area, end, failed, lacking};
use crate::call::{Failure, answer};
use crate::fleet::{self, LISTED_MAX};
use crate::form::Posted;
use crate::frame::{self, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::{clock, words};

const AREA: Area = Area::Tokens;
const PAGE: i32 = 1_000;

async fn tokens(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Token>, Missing> {
    dashboard.outages().note(Part::Tokens, list_tokens(dashboard, visitor).await)
}

async fn list_tokens(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Token>, Failure> {
    let mut client = dashboard.clients().admin();
    let mut tokens = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = v1::ListTokensRequest { page_size: PAGE, page_token };
        let page = answer(client.list_tokens(visitor.caller.request(message))).await?;
        tokens.extend(page.tokens);
        page_token = page.next_page_token;
        if page_token.is_empty() || tokens.len() >= LISTED_MAX {
            return Ok(tokens);
        }
    }
}

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
    page.add = Some(Link::new("/administration/add/token", t.token_add(), ""));
    let tokens = match tokens(&dashboard, &visitor).await {
        Ok(tokens) => tokens,
        Err(missing) => {
            page.missing.push(MissingPart::new(&missing, t, &jiff::tz::TimeZone::UTC));
            return frame::html(status(&missing.failure), &page);
        }
    };
    if tokens.len() >= LISTED_MAX {
        page.cut = t.list_cut(tokens.len());
    }
    let now = clock::now();
    page.tables.push(Table {
        caption: t.tokens().to_owned(),
        columns: vec![t.token_for(), t.id(), t.may(), t.made(), t.good_until(), t.state()],
        rows: tokens.iter().map(|token| row(token, t, now)).collect(),
        none: t.tokens_none(),
    });
    frame::html(StatusCode::OK, &page)
}

fn row(token: &v1::Token, t: Texts, now: Timestamp) -> Row {
    let at = |time| words::moment(time).map_or_else(|| t.not_known().to_owned(), end::moment_words);
    let ended = end::has_passed(token.expire_time, now);
    let revoked = token.revoke_time.is_some();
    let state = match (revoked, ended) {
        (true, _) => Cell { alarm: true, ..Cell::new(t.state_revoked()).and(at(token.revoke_time)) },
        (false, true) => Cell { alarm: true, ..Cell::new(t.state_ended()) },
        (false, false) => Cell::new(t.credential_good()),
    };
    let cells = vec![
        Cell::new(&token.display_name),
        Cell::new(&token.id),
        Cell::new(grants::words(&token.grants, t)),
        Cell::new(at(token.create_time)).and(t.by(&token.created_by)),
        Cell::new(at(token.expire_time)),
        state,
    ];
    let revoke = Link::new(revoke_path(&token.id), t.token_revoke(), &token.display_name);
    Row { cells, actions: if revoked || ended { Vec::new() } else { vec![revoke] } }
}

fn revoke_path(id: &str) -> String {
    format!("{}/{id}/revoke", AREA.path())
}

async fn add_form(dashboard: &Dashboard, visitor: &Visitor) -> Result<FormPage, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let sites =
        fleet::sites(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let action = "/administration/add/token".to_owned();
    let mut page =
        FormPage::new(visitor, AREA, t.token_add(), action).question(t.token_add_lead(), t.token_add());
    page.fields = vec![
        Field::new("display_name", t.token_for(), t.token_for_hint(), t.token_for_wrong()),
        Field::new("expire_time", t.end(), t.token_end_hint(), t.token_end_wrong()).entered(Entry::Date),
    ];
    page.grants = Some(Grants::new(visitor, &sites, &[]));
    Ok(page)
}

pub(super) async fn show_add(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    match add_form(&dashboard, &visitor).await {
        Ok(page) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(super) async fn add(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(typed): Posted,
) -> Response {
    let mut page = match add_form(&dashboard, &visitor).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&typed);
    let expire_time = read_end(&mut page);
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let t = visitor.t();
    let display_name = page.value("display_name").to_owned();
    let grants = page.grants.as_ref().map(Grants::chosen).unwrap_or_default();
    let message = v1::CreateTokenRequest { display_name: display_name.clone(), grants, expire_time };
    let mut client = dashboard.clients().admin();
    match answer(client.create_token(visitor.caller.request(message))).await {
        Ok(made) => {
            let mut shown = SecretPage::new(&visitor, AREA, &t.token_made(&display_name), made.secret);
            shown.lead = t.token_once();
            shown.label = t.token_label();
            "authorization: Bearer …".clone_into(&mut shown.example);
            frame::html(StatusCode::OK, &shown)
        }
        Err(failure) => {
            page.take(&failure, "");
            frame::html(status(&failure), &page)
        }
    }
}

pub(super) async fn ask_revoke(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let tokens = match tokens(&dashboard, &visitor).await {
        Ok(tokens) => tokens,
        Err(missing) => return lacking(&visitor, &missing, t.no_token()),
    };
    let Some(token) = tokens.into_iter().find(|token| token.id == id) else {
        return frame::not_found(&visitor, t.no_token());
    };
    let title = t.token_revoke_of(&token.display_name);
    let page = FormPage::new(&visitor, AREA, &title, revoke_path(&token.id));
    frame::html(StatusCode::OK, &page.question(t.token_revoke_lead(), t.token_revoke()))
}

pub(super) async fn revoke(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(_): Posted,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let message = v1::RevokeTokenRequest { token_id: id.clone() };
    let mut client = dashboard.clients().admin();
    match answer(client.revoke_token(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::TokenRevoked, &id),
        Err(failure) => failed(&visitor, &failure),
    }
}
