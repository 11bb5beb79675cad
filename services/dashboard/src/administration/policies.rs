//! Who is told of incidents, by when something has to be done about them, and when a machine is tagged out of service by
//! itself: for each site, and for all that have nothing of their own.

mod editor;
mod parts;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use prost_types::FieldMask;
use serde::Deserialize;
use wire::api::v1;

use self::editor::Editor;
use self::parts::Part as Section;
use super::page::{Cell, Link, ListPage, Row, Tab, Table, tabs};
use super::{Area, contacts, lacking, may_everywhere};
use crate::call::answer;
use crate::fleet;
use crate::form::{Fields, Posted};
use crate::frame::{self, Frame, Here, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

const AREA: Area = Area::Policies;
/// Stands in addresses for all sites; no site can have this id.
const ALL: &str = "@all";

async fn ask(dashboard: &Dashboard, visitor: &Visitor, site: &str) -> Result<Vec<v1::Policy>, Missing> {
    let message = v1::ListPoliciesRequest { site_id: site.to_owned() };
    let mut client = dashboard.clients().notification();
    let asked = answer(client.list_policies(visitor.caller.request(message))).await;
    Ok(dashboard.outages().note(Part::Policies, asked)?.policies)
}

pub(super) async fn list(State(dashboard): State<Dashboard>, visitor: Visitor) -> Response {
    if !AREA.is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let mut page = ListPage::new(&visitor, AREA);
    let (policies, sites) = tokio::join!(ask(&dashboard, &visitor, ""), fleet::sites(&dashboard, &visitor));
    let missing = [policies.as_ref().err(), sites.as_ref().err()];
    let code = missing.iter().flatten().next().map_or(StatusCode::OK, |missing| status(&missing.failure));
    for missing in missing.into_iter().flatten() {
        page.missing.push(MissingPart::new(missing, t, &jiff::tz::TimeZone::UTC));
    }
    if let Ok(policies) = policies {
        page.tables.push(table(&policies, &sites.unwrap_or_default(), &visitor));
    }
    frame::html(code, &page)
}

/// A row for all sites and one for each; a site without a policy of its own has that for all.
fn table(policies: &[v1::Policy], sites: &[v1::Site], visitor: &Visitor) -> Table {
    let t = visitor.t();
    let for_all = policies.iter().find(|policy| policy.site_id.is_empty()).cloned().unwrap_or_default();
    let mut rows = vec![row(&for_all, &v1::Site::default(), may_everywhere(visitor, "configure"), t)];
    for site in sites.iter().filter(|site| visitor.may("configure", &site.id)) {
        let own = policies.iter().find(|policy| policy.site_id == site.id);
        let policy = own.cloned().unwrap_or_else(|| v1::Policy { own: Vec::new(), ..for_all.clone() });
        rows.push(row(&policy, site, true, t));
    }
    Table {
        caption: t.notify_policies().to_owned(),
        columns: vec![t.site(), t.policy_chain(), t.policy_deadlines(), t.policy_service()],
        rows,
        none: "",
    }
}

fn row(policy: &v1::Policy, site: &v1::Site, may: bool, t: Texts) -> Row {
    let is_all = site.id.is_empty();
    let own = |name: &str| is_all || policy.own.iter().any(|own| own == name);
    let and = |cell: Cell, name: &str| if own(name) { cell } else { cell.and(t.policy_as_all()) };
    let chain = if policy.chain.is_empty() {
        Cell { alarm: true, ..Cell::new(t.policy_nobody()) }
    } else {
        Cell::new(t.policy_steps(policy.chain.len()))
    };
    let service = if policy.out_of_service_count == 0 {
        t.never().to_owned()
    } else {
        t.policy_service_after(policy.out_of_service_count, policy.out_of_service_days)
    };
    let (name, key) =
        if is_all { (t.policy_all(), ALL) } else { (site.display_name.as_str(), site.id.as_str()) };
    let actions =
        if may { vec![Link::new(format!("{}/{key}", AREA.path()), t.edit(), name)] } else { Vec::new() };
    let title = Cell::new(name);
    let cells = vec![
        if is_all { title } else { title.and(key) },
        and(chain, "chain"),
        and(Cell::new(policy.deadlines.len().to_string()), "deadlines"),
        and(Cell::new(service), "out_of_service"),
    ];
    Row { cells, actions }
}

/// What was just saved, as the address says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Saved {
    #[serde(default)]
    saved: String,
}

#[derive(Debug, Template)]
#[template(path = "administration_policy.html")]
struct PolicyPage {
    frame: Frame,
    t: Texts,
    tabs: Vec<Tab>,
    back: &'static str,
    done: &'static str,
    editors: Vec<Editor>,
}

impl PolicyPage {
    fn editor(&mut self, section: Section) -> Option<&mut Editor> {
        self.editors.iter_mut().find(|editor| editor.id == section.id())
    }
}

/// The three forms of a site's policy.
async fn form(dashboard: &Dashboard, visitor: &Visitor, key: &str) -> Result<PolicyPage, Response> {
    let t = visitor.t();
    let site = if key == ALL { "" } else { key };
    let may = if key == ALL { may_everywhere(visitor, "configure") } else { visitor.may("configure", key) };
    if !may {
        return Err(frame::not_allowed(visitor));
    }
    let (policies, contacts, sites) = tokio::join!(
        ask(dashboard, visitor, site),
        contacts::ask(dashboard, visitor),
        fleet::sites(dashboard, visitor)
    );
    let policies = policies.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let contacts = contacts.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let sites = sites.map_err(|missing| lacking(visitor, &missing, t.no_site()))?;
    let place = sites.into_iter().find(|one| one.id == site);
    let title = match &place {
        Some(place) => t.policy_of(&place.display_name),
        None if key == ALL => t.policy_of(t.policy_all()),
        None => return Err(frame::not_found(visitor, t.no_site())),
    };
    let own = policies.iter().find(|policy| policy.site_id == site);
    let for_all = policies.iter().find(|policy| policy.site_id.is_empty());
    let policy = match (own, for_all) {
        (Some(own), _) => own.clone(),
        (None, Some(for_all)) => v1::Policy { own: Vec::new(), ..for_all.clone() },
        (None, None) => v1::Policy::default(),
    };
    let choices = contacts.iter().filter(|one| one.site_id.is_empty() || one.site_id == site);
    let choices = choices.map(|one| (one.name.clone(), contacts::title(one).to_owned())).collect();
    Ok(PolicyPage {
        frame: AREA.frame(visitor, &title),
        t,
        tabs: tabs(visitor, AREA),
        back: AREA.path(),
        done: "",
        editors: parts::editors(&policy, choices, &format!("{}/{key}", AREA.path()), key == ALL, t),
    })
}

pub(super) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(key): Path<String>,
    Query(Saved { saved }): Query<Saved>,
) -> Response {
    match form(&dashboard, &visitor, &key).await {
        Ok(mut page) => {
            let known = Section::ALL.iter().any(|section| section.id() == saved);
            page.done = if known { visitor.t().policy_saved() } else { "" };
            frame::html(StatusCode::OK, &page)
        }
        Err(response) => response,
    }
}

pub(super) async fn chain(
    state: State<Dashboard>,
    visitor: Visitor,
    key: Path<String>,
    Posted(typed): Posted,
) -> Response {
    save(&state, &visitor, &key, &typed, Section::Chain).await
}

pub(super) async fn deadlines(
    state: State<Dashboard>,
    visitor: Visitor,
    key: Path<String>,
    Posted(typed): Posted,
) -> Response {
    save(&state, &visitor, &key, &typed, Section::Deadlines).await
}

pub(super) async fn service(
    state: State<Dashboard>,
    visitor: Visitor,
    key: Path<String>,
    Posted(typed): Posted,
) -> Response {
    save(&state, &visitor, &key, &typed, Section::Service).await
}

/// What is asked of the API; none if the editor has something to say about what was typed.
fn update(
    editor: &mut Editor,
    typed: &Fields,
    key: &str,
    section: Section,
    t: Texts,
) -> Option<v1::UpdatePolicyRequest> {
    let site_id = if key == ALL { String::new() } else { key.to_owned() };
    let part = section.mask().to_owned();
    if !typed.get("inherit").is_empty() {
        let policy = Some(v1::Policy { site_id, ..v1::Policy::default() });
        return Some(v1::UpdatePolicyRequest { policy, cleared: vec![part], ..Default::default() });
    }
    let Ok(policy) = section.parse(editor, t) else {
        t.fields_wrong().clone_into(&mut editor.error);
        return None;
    };
    let policy = Some(v1::Policy { site_id, ..policy });
    let update_mask = Some(FieldMask { paths: vec![part] });
    Some(v1::UpdatePolicyRequest { policy, update_mask, ..Default::default() })
}

/// Saves one part; a button that adds or takes away a row saves nothing.
async fn save(
    dashboard: &Dashboard,
    visitor: &Visitor,
    key: &str,
    typed: &Fields,
    section: Section,
) -> Response {
    let mut page = match form(dashboard, visitor, key).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    let t = visitor.t();
    let Some(editor) = page.editor(section) else { return frame::not_allowed(visitor) };
    editor.read(typed);
    if editor.change(typed) {
        return frame::html(StatusCode::OK, &page);
    }
    let Some(message) = update(editor, typed, key, section, t) else {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let mut client = dashboard.clients().notification();
    match answer(client.update_policy(visitor.caller.request(message))).await {
        Ok(_) => {
            let target = format!("{}/{key}?saved={}#{}", AREA.path(), section.id(), section.id());
            Redirect::to(&target).into_response()
        }
        Err(failure) => {
            // The API names the field, but not the row.
            let is_of_field = !failure.fields.is_empty();
            editor.error = if is_of_field { section.wrong(t).to_owned() } else { failure.words(t) };
            frame::html(status(&failure), &page)
        }
    }
}
