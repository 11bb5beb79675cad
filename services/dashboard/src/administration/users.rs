//! Users: what they may do, and until when.

pub(super) mod state;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use prost_types::FieldMask;
use wire::api::v1;

use super::form_page::{Entry, Field, FormPage};
use super::grants::{self, Grants};
use super::notice::{Done, Notice, go};
use super::page::{Cell, Link, ListPage, Row, SecretPage, Table};
use super::{Area, end, lacking};
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

const AREA: Area = Area::Users;
const PAGE: i32 = 1_000;

async fn users(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::User>, Missing> {
    dashboard.outages().note(Part::Users, list_users(dashboard, visitor).await)
}

async fn list_users(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::User>, Failure> {
    let mut client = dashboard.clients().admin();
    let mut users = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = v1::ListUsersRequest { page_size: PAGE, page_token };
        let page = answer(client.list_users(visitor.caller.request(message))).await?;
        users.extend(page.users);
        page_token = page.next_page_token;
        if page_token.is_empty() || users.len() >= LISTED_MAX {
            return Ok(users);
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
    page.add = Some(Link::new("/administration/add/user", t.user_add(), ""));
    let users = match users(&dashboard, &visitor).await {
        Ok(users) => users,
        Err(missing) => {
            page.missing.push(MissingPart::new(&missing, t, &jiff::tz::TimeZone::UTC));
            return frame::html(status(&missing.failure), &page);
        }
    };
    if users.len() >= LISTED_MAX {
        page.cut = t.list_cut(users.len());
    }
    let now = clock::now();
    page.tables.push(Table {
        caption: t.users().to_owned(),
        columns: vec![t.user_sign_in_name(), t.may(), t.state(), t.last_sign_in()],
        rows: users.iter().map(|user| row(user, t, now)).collect(),
        none: t.users_none(),
    });
    frame::html(StatusCode::OK, &page)
}

fn row(user: &v1::User, t: Texts, now: Timestamp) -> Row {
    let ended = end::has_passed(user.expire_time, now);
    let state_words = match (user.disabled, ended, user.has_password) {
        (true, _, _) => t.state_disabled(),
        (false, true, _) => t.state_ended(),
        (false, false, false) => t.state_no_password(),
        (false, false, true) => t.state_active(),
    };
    let until = end::day(user.expire_time);
    let until = if until.is_empty() { String::new() } else { t.until_day(until) };
    let signed_in = words::moment(user.last_sign_in_time).map(end::moment_words);
    let cells = vec![
        Cell::new(&user.name).and(&user.display_name),
        Cell::new(grants::words(&user.grants, t)),
        Cell { alarm: user.disabled || ended, ..Cell::new(state_words).and(until) },
        Cell::new(signed_in.unwrap_or_else(|| t.never().to_owned())),
    ];
    let path = path(&user.name);
    let (change, label) =
        if user.disabled { ("enable", t.user_enable()) } else { ("disable", t.user_disable()) };
    let actions = vec![
        Link::new(path.clone(), t.edit(), &user.name),
        Link::new(format!("{path}/link"), t.user_link(), &user.name),
        Link::new(format!("{path}/{change}"), label, &user.name),
    ];
    Row { cells, actions }
}

/// The mark keeps a user named ".." from being read as a folder.
fn path(user: &str) -> String {
    format!("{}/@{user}", AREA.path())
}

fn fields(t: Texts, user: &v1::User) -> Vec<Field> {
    vec![
        Field::new("display_name", t.name_for_people(), t.user_display_hint(), t.one_line_wrong())
            .of(&user.display_name),
        Field::new("expire_time", t.end(), t.user_end_hint(), t.user_end_wrong())
            .entered(Entry::Date)
            .of(end::day(user.expire_time)),
    ]
}

/// Reads the last day that was typed; refuses what is none.
pub(super) fn read_end(page: &mut FormPage) -> Option<prost_types::Timestamp> {
    match end::read(page.value("expire_time")) {
        Ok(end) => end,
        Err(()) => {
            page.refuse("expire_time");
            None
        }
    }
}

fn chosen(page: &FormPage) -> Vec<v1::Grant> {
    page.grants.as_ref().map(Grants::chosen).unwrap_or_default()
}

async fn add_form(dashboard: &Dashboard, visitor: &Visitor) -> Result<FormPage, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let sites =
        fleet::sites(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let mut page = FormPage::new(visitor, AREA, t.user_add(), "/administration/add/user".to_owned());
    page.fields = vec![Field::new("name", t.user_sign_in_name(), t.name_rule(), t.name_wrong())];
    page.fields.extend(fields(t, &v1::User::default()));
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
    origin: state::Origin,
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
    let name = page.value("name").to_owned();
    let display_name = page.value("display_name").to_owned();
    let message =
        v1::CreateUserRequest { name: name.clone(), display_name, grants: chosen(&page), expire_time };
    let mut client = dashboard.clients().admin();
    match answer(client.create_user(visitor.caller.request(message))).await {
        Ok(made) => show_link(&visitor, &visitor.t().user_added(&name), origin.with(&made.link_path)),
        Err(failure) => {
            page.take(&failure, "name");
            frame::html(status(&failure), &page)
        }
    }
}

/// Shows a link this once.
fn show_link(visitor: &Visitor, title: &str, link: String) -> Response {
    let mut page = SecretPage::new(visitor, AREA, title, link);
    page.lead = visitor.t().link_once();
    page.label = visitor.t().link_label();
    frame::html(StatusCode::OK, &page)
}

/// A user whom the visitor may administer.
async fn find(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<v1::User, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let none = visitor.t().no_user();
    let users = users(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, none))?;
    let user = users.into_iter().find(|user| user.name == name);
    user.ok_or_else(|| frame::not_found(visitor, none))
}

async fn edit_form(
    dashboard: &Dashboard,
    visitor: &Visitor,
    name: &str,
) -> Result<(FormPage, v1::User), Response> {
    let user = find(dashboard, visitor, name).await?;
    let t = visitor.t();
    let sites =
        fleet::sites(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let title = format!("{}: {}", t.user_edit(), user.name);
    let mut page = FormPage::new(visitor, AREA, &title, path(&user.name));
    page.fields = fields(t, &user);
    page.grants = Some(Grants::new(visitor, &sites, &user.grants));
    Ok((page, user))
}

pub(super) async fn show_edit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Response {
    match edit_form(&dashboard, &visitor, &name).await {
        Ok((page, _)) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(super) async fn edit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(name): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let (mut page, user) = match edit_form(&dashboard, &visitor, &name).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    page.read(&typed);
    let expire_time = read_end(&mut page);
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let paths = page.changed();
    if paths.is_empty() {
        return go(AREA, Notice::NothingChanged, &name);
    }
    let display_name = page.value("display_name").to_owned();
    let changed = v1::User { display_name, grants: chosen(&page), expire_time, ..user };
    let message = v1::UpdateUserRequest { user: Some(changed), update_mask: Some(FieldMask { paths }) };
    let mut client = dashboard.clients().admin();
    match answer(client.update_user(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::UserChanged, &name),
        Err(failure) => {
            page.take(&failure, "");
            frame::html(status(&failure), &page)
        }
    }
}
