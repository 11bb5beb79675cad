//! Machines: what is told of them, and the credentials of their agents.

pub(super) mod credentials;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use prost_types::FieldMask;
use serde::Deserialize;
use wire::api::v1;

use super::form_page::{Entry, Field, FormPage};
use super::notice::{Done, Notice, go};
use super::page::{Cell, Choice, Filter, Link, ListPage, Row, Table};
use super::{Area, end, lacking};
use crate::call::answer;
use crate::fleet;
use crate::form::Posted;
use crate::frame::{self, MissingPart};
use crate::machine::{belt_words, presence_words};
use crate::outage::Part;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words;

const AREA: Area = Area::Machines;
/// Most machines on one page. More: the page says so, and asks for a site.
const SHOWN_MAX: usize = 1_000;

const BELTS: [(&str, v1::BeltKind); 3] = [
    ("unknown", v1::BeltKind::Unknown),
    ("one_way", v1::BeltKind::OneWay),
    ("reversible", v1::BeltKind::Reversible),
];
const DRIVES: [(&str, v1::DriveKind); 2] =
    [("motor", v1::DriveKind::Motor), ("manual", v1::DriveKind::Manual)];

/// Which site's machines to list; empty: all.
#[derive(Debug, Deserialize)]
pub(super) struct At {
    #[serde(default)]
    site: String,
}

pub(super) async fn list(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(done): Query<Done>,
    Query(At { site: chosen }): Query<At>,
    headers: HeaderMap,
) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let mut page = ListPage::new(&visitor, AREA);
    page.done = done.words(t);
    page.has_times = true;
    page.add = Some(Link::new("/administration/add/machine", t.machine_add(), ""));
    let asked = fleet::machines(&dashboard, &visitor, &chosen);
    let (sites, machines) = tokio::join!(fleet::sites(&dashboard, &visitor), asked);
    let missing = [sites.as_ref().err(), machines.as_ref().err()];
    let code = missing.iter().flatten().next().map_or(StatusCode::OK, |missing| status(&missing.failure));
    for missing in missing.into_iter().flatten() {
        page.missing.push(MissingPart::new(missing, t, &jiff::tz::TimeZone::UTC));
    }
    let mut sites = sites.unwrap_or_default();
    sites.retain(|site| visitor.may("register", &site.id));
    if sites.len() > 1 {
        page.filters.push(filter(&sites, &chosen, t));
    }
    if let Ok((mut machines, more)) = machines {
        machines.retain(|one| one.machine.as_ref().is_some_and(|one| visitor.may("register", &one.site_id)));
        if more || machines.len() > SHOWN_MAX {
            machines.truncate(SHOWN_MAX);
            page.cut = t.machines_cut_to(SHOWN_MAX);
        }
        page.tables = tables(&sites, &machines, t);
    }
    frame::packed_html(code, &page, &headers)
}

fn filter(sites: &[v1::Site], chosen: &str, t: Texts) -> Filter {
    let mut choices = vec![Choice::new("", t.every_site(), chosen)];
    choices.extend(sites.iter().map(|site| Choice::new(&site.id, &site.display_name, chosen)));
    Filter { name: "site", label: t.site(), choices }
}

/// A table for each site with machines, also for one whose name could not be had.
fn tables(sites: &[v1::Site], machines: &[v1::MachineState], t: Texts) -> Vec<Table> {
    let site_of = |state: &v1::MachineState| state.machine.as_ref().map(|one| one.site_id.clone());
    let mut ids: Vec<String> = machines.iter().filter_map(site_of).collect();
    ids.sort();
    ids.dedup();
    let name = |id: &String| {
        let site = sites.iter().find(|site| site.id == *id);
        site.map_or_else(|| id.clone(), |site| site.display_name.clone())
    };
    let table = |id: &String| {
        let of_site = machines.iter().filter(|state| site_of(state).as_ref() == Some(id));
        let mut rows: Vec<(String, Row)> = of_site.map(|state| row(state, t)).collect();
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        Table {
            caption: name(id),
            columns: vec![t.id(), t.model(), t.belt(), t.drive(), t.credential(), t.presence()],
            rows: rows.into_iter().map(|(_, row)| row).collect(),
            none: "",
        }
    };
    let mut tables: Vec<Table> = ids.iter().map(table).collect();
    if tables.is_empty() {
        let caption = t.machines().to_owned();
        tables.push(Table { caption, columns: Vec::new(), rows: Vec::new(), none: t.machines_none() });
    }
    tables
}

fn row(state: &v1::MachineState, t: Texts) -> (String, Row) {
    let machine = state.machine.clone().unwrap_or_default();
    let revoked = words::moment(machine.revoke_time).map(end::moment_words);
    let or_unknown = |text: &str| if text.is_empty() { t.not_known().to_owned() } else { text.to_owned() };
    let credential = match &revoked {
        Some(since) => Cell { alarm: true, ..Cell::new(t.credential_revoked_since(since)) },
        None => Cell::new(t.credential_good()),
    };
    let alarm = state.presence() == v1::Presence::Offline;
    let cells = vec![
        Cell::new(&machine.id).and(&machine.display_name),
        Cell::new(or_unknown(&machine.model)),
        Cell::new(belt_words(machine.belt(), t)),
        Cell::new(drive_words(machine.drive(), t)),
        credential,
        Cell { alarm, ..Cell::new(presence_words(state.presence(), t)) },
    ];
    let path = path(&machine.id);
    let mut actions = vec![
        Link::new(path.clone(), t.edit(), &machine.id),
        Link::new(format!("{path}/enrol"), t.enrolment_code_machine(), &machine.id),
        Link::new(format!("{path}/renew"), t.credential_renew(), &machine.id),
    ];
    if revoked.is_none() {
        actions.push(Link::new(format!("{path}/revoke"), t.credential_revoke(), &machine.id));
    }
    (machine.id, Row { cells, actions })
}

fn drive_words(drive: v1::DriveKind, t: Texts) -> &'static str {
    match drive {
        v1::DriveKind::Motor | v1::DriveKind::Unspecified => t.drive_motor(),
        v1::DriveKind::Manual => t.drive_manual(),
    }
}

fn path(machine: &str) -> String {
    format!("{}/{machine}", AREA.path())
}

/// The fields that can be changed later, with what a machine has.
pub(super) fn fields(t: Texts, machine: &v1::Machine) -> Vec<Field> {
    let belts = BELTS.iter().map(|(code, belt)| ((*code).to_owned(), belt_words(*belt, t).to_owned()));
    let drives = DRIVES.iter().map(|(code, drive)| ((*code).to_owned(), drive_words(*drive, t).to_owned()));
    let belt = BELTS.iter().find(|(_, belt)| *belt == machine.belt()).map_or(BELTS[0].0, |(code, _)| code);
    let drive =
        DRIVES.iter().find(|(_, drive)| *drive == machine.drive()).map_or(DRIVES[0].0, |(code, _)| code);
    vec![
        Field::new("display_name", t.name_for_people(), t.name_hint(), t.one_line_wrong())
            .of(&machine.display_name),
        Field::new("model", t.model(), t.model_hint(), t.one_line_wrong()).of(&machine.model),
        Field::new("belt", t.belt(), "", t.choice_wrong()).entered(Entry::Choices(belts.collect())).of(belt),
        Field::new("drive", t.drive(), "", t.choice_wrong())
            .entered(Entry::Choices(drives.collect()))
            .of(drive),
    ]
}

/// The belt and drive that were chosen; what the form does not offer is refused beside its field.
pub(super) fn kinds(page: &mut FormPage) -> (i32, i32) {
    let belt = BELTS.iter().find(|(code, _)| *code == page.value("belt")).map(|(_, belt)| *belt);
    let drive = DRIVES.iter().find(|(code, _)| *code == page.value("drive")).map(|(_, drive)| *drive);
    if belt.is_none() {
        page.refuse("belt");
    }
    if drive.is_none() {
        page.refuse("drive");
    }
    (belt.unwrap_or_default().into(), drive.unwrap_or_default().into())
}

/// Sites at which a machine can stand.
pub(super) async fn sites_to_choose(
    dashboard: &Dashboard,
    visitor: &Visitor,
) -> Result<Vec<(String, String)>, Response> {
    let sites = fleet::sites(dashboard, visitor).await;
    let mut sites = sites.map_err(|missing| lacking(visitor, &missing, visitor.t().no_site()))?;
    sites.retain(|site| visitor.may("register", &site.id));
    Ok(sites.into_iter().map(|site| (site.id, site.display_name)).collect())
}

async fn add_form(dashboard: &Dashboard, visitor: &Visitor) -> Result<FormPage, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let choices = sites_to_choose(dashboard, visitor).await?;
    let action = "/administration/add/machine".to_owned();
    let mut page = FormPage::new(visitor, AREA, t.machine_add(), action)
        .question(t.credential_add_lead(), t.machine_add());
    page.fields = vec![
        Field::new("machine_id", t.id(), t.id_hint(), t.id_wrong()),
        Field::new("site_id", t.site(), "", t.site_wrong()).entered(Entry::Choices(choices)),
    ];
    page.fields.extend(fields(t, &v1::Machine::default()));
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
    let (belt, drive) = kinds(&mut page);
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let message = v1::CreateMachineRequest {
        machine_id: page.value("machine_id").to_owned(),
        site_id: page.value("site_id").to_owned(),
        display_name: page.value("display_name").to_owned(),
        model: page.value("model").to_owned(),
        belt,
        drive,
        request_id: String::new(),
    };
    let mut client = dashboard.clients().admin();
    match answer(client.create_machine(visitor.caller.request(message))).await {
        Ok(made) => {
            let id = page.value("machine_id");
            credentials::show(&visitor, &visitor.t().machine_added(id), id, made.credential)
        }
        Err(failure) => {
            page.take(&failure, "machine_id");
            frame::html(status(&failure), &page)
        }
    }
}

/// A machine that the visitor may change.
async fn find(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<v1::Machine, Response> {
    if !AREA.is_for(visitor) {
        return Err(frame::not_allowed(visitor));
    }
    let message = v1::GetMachineRequest { machine_id: id.to_owned() };
    let mut client = dashboard.clients().fleet();
    let asked = answer(client.get_machine(visitor.caller.request(message))).await;
    let found = dashboard.outages().note(Part::Machine, asked);
    let found = found.map_err(|missing| lacking(visitor, &missing, visitor.t().no_machine()))?;
    let machine = found.machine.and_then(|state| state.machine).unwrap_or_default();
    if visitor.may("register", &machine.site_id) { Ok(machine) } else { Err(frame::not_allowed(visitor)) }
}

async fn edit_form(dashboard: &Dashboard, visitor: &Visitor, id: &str) -> Result<FormPage, Response> {
    let machine = find(dashboard, visitor, id).await?;
    let title = format!("{}: {}", visitor.t().machine_edit(), machine.id);
    let mut page = FormPage::new(visitor, AREA, &title, path(&machine.id));
    let t = visitor.t();
    let choices = sites_to_choose(dashboard, visitor).await?;
    page.fields = fields(t, &machine);
    page.fields.push(
        Field::new("site_id", t.site(), t.machine_site_hint(), t.site_wrong())
            .entered(Entry::Choices(choices))
            .of(&machine.site_id),
    );
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
    let (belt, drive) = kinds(&mut page);
    let paths = page.changed();
    if paths.iter().any(|path| path == "site_id") && !page.offers("site_id") {
        page.refuse("site_id");
    }
    if page.is_refused() {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    if paths.is_empty() {
        return go(AREA, Notice::NothingChanged, &id);
    }
    let machine = v1::Machine {
        id: id.clone(),
        site_id: page.value("site_id").to_owned(),
        display_name: page.value("display_name").to_owned(),
        model: page.value("model").to_owned(),
        belt,
        drive,
        ..v1::Machine::default()
    };
    let message = v1::UpdateMachineRequest { machine: Some(machine), update_mask: Some(FieldMask { paths }) };
    let mut client = dashboard.clients().admin();
    match answer(client.update_machine(visitor.caller.request(message))).await {
        Ok(_) => go(AREA, Notice::MachineChanged, &id),
        Err(failure) => {
            page.take(&failure, "");
            frame::html(status(&failure), &page)
        }
    }
}
