//! Sites: their names, zones and hours.

mod hours;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use prost_types::FieldMask;
use wire::api::v1;

use super::form_page::{Field, FormPage};
use super::notice::{Done, Notice, go};
use super::page::{Cell, Link, ListPage, Row, Table};
use super::{Area, lacking, may_everywhere};
use crate::call::{Failure, answer};
use crate::fleet;
use crate::form::Posted;
use crate::frame::{self, MissingPart};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

const AREA: Area = Area::Sites;

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
    if may_everywhere(&visitor, "administer") {
        page.add = Some(Link::new("/administration/add/site", t.site_add(), ""));
    }
    match fleet::sites(&dashboard, &visitor).await {
        Ok(sites) => page.tables.push(Table {
            caption: t.sites().to_owned(),
            columns: vec![t.id(), t.name_for_people(), t.zone()],
            rows: sites
                .iter()
                .filter(|site| visitor.may("configure", &site.id))
                .map(|site| row(site, t))
                .collect(),
            none: t.sites_none(),
        }),
        Err(missing) => {
            page.missing.push(MissingPart::new(&missing, t, &jiff::tz::TimeZone::UTC));
            return frame::html(status(&missing.failure), &page);
        }
    }
    frame::html(StatusCode::OK, &page)
}

fn row(site: &v1::Site, t: Texts) -> Row {
    let cells = vec![Cell::new(&site.id), Cell::new(&site.display_name), Cell::new(&site.time_zone)];
    Row { cells, actions: vec![Link::new(path(&site.id), t.edit(), &site.id)] }
}

fn path(site: &str) -> String {
    format!("{}/{site}", AREA.path())
}

fn fields(t: Texts, site: &v1::Site) -> Vec<Field> {
    vec![
        Field::new("display_name", t.name_for_people(), t.name_hint(), t.one_line_wrong())
            .of(&site.display_name),
        Field::new("time_zone", t.zone(), t.zone_hint(), t.zone_wrong()).of(&site.time_zone),
    ]
}

/// None: the visitor may not add any.
fn add_form(visitor: &Visitor) -> Option<FormPage> {
    if !may_everywhere(visitor, "administer") {
        return None;
    }
    let t = visitor.t();
    let mut page = FormPage::new(visitor, AREA, t.site_add(), "/administration/add/site".to_owned());
    page.fields = vec![Field::new("site_id", t.id(), t.id_hint(), t.id_wrong())];
    page.fields.extend(fields(t, &v1::Site::default()));
    Some(page)
}

pub(super) async fn show_add(visitor: Visitor) -> Response {
    match add_form(&visitor) {
        Some(page) => frame::html(StatusCode::OK, &page),
        None => frame::not_allowed(&visitor),
    }
}

pub(super) async fn add(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Posted(typed): Posted,
) -> Response {
    let Some(mut page) = add_form(&visitor) else {
        return frame::not_allowed(&visitor);
    };
    page.read(&typed);
    let message = v1::CreateSiteRequest {
        site_id: page.value("site_id").to_owned(),
        display_name: page.value("display_name").to_owned(),
        time_zone: page.value("time_zone").to_owned(),
        request_id: String::new(),
    };
    let mut client = dashboard.clients().admin();
    match answer(client.create_site(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::SiteAdded, page.value("site_id")),
        Err(failure) => {
            page.take(&failure, "site_id");
            frame::html(status(&failure), &page)
        }
    }
}

async fn edit_form(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<FormPage, Response> {
    if !visitor.may("configure", id) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let sites =
        fleet::sites(dashboard, visitor).await.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let site = sites.into_iter().find(|site| site.id == id);
    let site = site.ok_or_else(|| frame::not_found(visitor, t.no_site()))?;
    let title = format!("{}: {id}", t.site_edit());
    let mut page = FormPage::new(visitor, AREA, &title, path(id));
    page.fields = fields(t, &site);
    page.fields.extend(hours::fields(t, &site));
    Ok(page)
}

pub(super) async fn show_edit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    match edit_form(&dashboard, &visitor, &id).await {
        Ok(page) => frame::html(StatusCode::OK, &page),
        Err(response) => response,
    }
}

pub(super) async fn edit(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    Posted(typed): Posted,
) -> Response {
    let mut page = match edit_form(&dashboard, &visitor, &id).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    page.read(&typed);
    if page.changed().is_empty() {
        return go(AREA, Notice::NothingChanged, &id);
    }
    let hours = hours::read(&mut page, &id);
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match save(&dashboard, &visitor, &page, &id, hours).await {
        Ok(()) => go(AREA, Notice::SiteChanged, &id),
        Err(failure) => {
            page.take(&failure, "");
            frame::html(status(&failure), &page)
        }
    }
}

/// Saves what was changed. All of it may be saved again, if a part could not be.
async fn save(
    dashboard: &Dashboard,
    visitor: &Visitor,
    page: &FormPage,
    id: &str,
    hours: hours::Changes,
) -> Result<(), Failure> {
    let mut client = dashboard.clients().admin();
    let mut paths = page.changed();
    paths.retain(|path| ["display_name", "time_zone"].contains(&path.as_str()));
    if !paths.is_empty() {
        let site = v1::Site {
            id: id.to_owned(),
            display_name: page.value("display_name").to_owned(),
            time_zone: page.value("time_zone").to_owned(),
            ..v1::Site::default()
        };
        let message = v1::UpdateSiteRequest { site: Some(site), update_mask: Some(FieldMask { paths }) };
        answer(client.update_site(visitor.caller.request(message))).await?;
    }
    if let Some(message) = hours.opening {
        answer(client.set_opening_hours(visitor.caller.request(message))).await?;
    }
    if let Some(message) = hours.staffed {
        answer(client.set_staffed_hours(visitor.caller.request(message))).await?;
    }
    Ok(())
}
