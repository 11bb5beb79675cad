//! What a page with a filter is asked for: its address, checked against the sites and machines that there are, and the
//! form that shows it.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use wire::api::v1;

use super::filter::{self, Errors, Filter, Page};
use super::span::Dates;
use crate::call::{Failure, FailureKind};
use crate::clock;
use crate::fleet;
use crate::form::Fields;
use crate::frame::{self, Frame, Here};
use crate::incidents::Places;
use crate::outage::Missing;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Machines in a list to choose from. More: an id is typed.
const LISTED_MAX: usize = 300;

/// A page's address, understood.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) page: Page,
    pub(crate) filter: Filter,
    pub(crate) errors: Errors,
    /// None: they are wrong.
    pub(crate) dates: Option<Dates>,
    /// None: it is too fine.
    pub(crate) resolution: Option<v1::Resolution>,
    pub(crate) places: Places,
    /// The zone in which "today" is meant and moments are told.
    pub(crate) zone: TimeZone,
    /// Machines of the sites that the visitor may see, if they may look at machines.
    pub(crate) machines: Vec<v1::MachineState>,
    pub(crate) missing: Vec<Missing>,
    /// Sites whose usage the visitor may see: id, name.
    sites: Vec<(String, String)>,
}

impl Asked {
    /// Reads an address. The answer says why if it is none of the page.
    pub(crate) async fn read(
        dashboard: &Dashboard,
        visitor: &Visitor,
        page: Page,
        query: &str,
    ) -> Result<Asked, Response> {
        let t = visitor.t();
        let fields = Fields::read(query.as_bytes());
        if let Err(words) = filter::check_names(&fields, page, t) {
            let frame = Frame::of(visitor, here(page), t.incidents_filter_wrong());
            return Err(frame::message(StatusCode::UNPROCESSABLE_ENTITY, frame, &words));
        }
        let mut errors = Errors::default();
        let filter = Filter::read(&fields, &mut errors, t);
        let mut missing = Vec::new();
        let machines = async {
            let may = visitor.may_anywhere("live");
            if may { Some(fleet::machines(dashboard, visitor, "").await) } else { None }
        };
        let (sites, machines) = tokio::join!(fleet::sites(dashboard, visitor), machines);
        let is_known = sites.is_ok();
        let mut sites = sites.map_err(|one| missing.push(one)).unwrap_or_default();
        sites.retain(|site| visitor.may("history", &site.id));
        if is_known && !filter.site.is_empty() && !sites.iter().any(|site| site.id == filter.site) {
            errors.add("site", t.no_site().to_owned());
        }
        let machines = machines.transpose().map_err(|one| missing.push(one)).unwrap_or_default();
        let mut machines = machines.map(|(machines, _)| machines).unwrap_or_default();
        machines.retain(|state| visitor.may("history", site_of(state)));
        let places = Places::new(&sites);
        let zone = zone(&filter, &sites, &machines, &places);
        let today = clock::now().to_zoned(zone.clone()).date();
        let mut asked = Asked {
            page,
            filter,
            errors,
            dates: None,
            resolution: None,
            places,
            zone,
            machines,
            missing,
            sites: Vec::new(),
        };
        asked.sites =
            sites.iter().map(|site| (site.id.clone(), asked.places.name(&site.id).to_owned())).collect();
        asked.settle(today, t);
        Ok(asked)
    }

    fn settle(&mut self, today: Date, t: Texts) {
        self.dates = self.filter.dates(self.page, today, &mut self.errors, t);
        // A file may be longer than a page: its length is the API's to judge.
        self.resolution = match (self.page, self.dates) {
            (_, None) => None,
            (Page::Export | Page::Reverse, Some(dates)) => Some(match self.filter.by {
                v1::Resolution::Unspecified => dates.resolution(),
                by @ (v1::Resolution::Hour
                | v1::Resolution::Day
                | v1::Resolution::Week
                | v1::Resolution::Month) => by,
            }),
            (Page::Usage, Some(dates)) => self.filter.resolution(dates, &mut self.errors, t),
        };
    }

    /// The span for the API, if the address is right.
    pub(crate) fn range(&self) -> Option<v1::DateRange> {
        self.dates.filter(|_| self.errors.is_empty()).map(Dates::asked)
    }

    /// Notes why the API does not take what was asked: at the field that it names, or if there is no such thing at the
    /// narrowest that was filled in.
    pub(crate) fn refuse(&mut self, failure: &Failure, t: Texts) {
        let filter = &self.filter;
        let filled = [("machine", &filter.machine), ("model", &filter.model), ("site", &filter.site)];
        let field = filled.into_iter().find(|(_, value)| !value.is_empty()).map(|(field, _)| field);
        match field {
            Some(field) if failure.kind == FailureKind::NotFound => {
                self.errors.add(field, t.filter_refused(failure.words(t)));
            }
            Some(_) | None => self.errors.take(failure, t),
        }
    }

    /// Names of machines by their ids.
    pub(crate) fn machine_names(&self) -> BTreeMap<String, String> {
        let named = self.machines.iter().filter_map(|state| state.machine.as_ref());
        named
            .filter(|one| !one.display_name.is_empty())
            .map(|one| (one.id.clone(), one.display_name.clone()))
            .collect()
    }

    /// Machines of the filter, with what is known of them.
    pub(crate) fn chosen_machines(&self) -> impl Iterator<Item = (&v1::Machine, &v1::MachineState)> {
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let all = self.machines.iter().filter_map(|state| Some((state.machine.as_ref()?, state)));
        all.filter(move |(one, _)| {
            is(&self.filter.site, &one.site_id)
                && is(&self.filter.model, &one.model)
                && is(&self.filter.machine, &one.id)
        })
    }
}

fn site_of(state: &v1::MachineState) -> &str {
    state.machine.as_ref().map_or("", |machine| &machine.site_id)
}

/// Where a page with a filter stands in the navigation.
fn here(page: Page) -> Here {
    match page {
        Page::Usage | Page::Export => Here::Usage,
        Page::Reverse => Here::Reverse,
    }
}

/// The zone of the site that is asked for, else of the machine's, else of the first one.
fn zone(filter: &Filter, sites: &[v1::Site], machines: &[v1::MachineState], places: &Places) -> TimeZone {
    let of_machine = || {
        let is_it = |state: &&v1::MachineState| {
            state.machine.as_ref().is_some_and(|machine| machine.id == filter.machine)
        };
        machines.iter().find(is_it).map(site_of)
    };
    let site = if filter.site.is_empty() { of_machine() } else { Some(filter.site.as_str()) };
    let site = site.or_else(|| sites.first().map(|site| site.id.as_str()));
    places.zone(site.unwrap_or_default())
}

/// A choice: value, words, whether it is chosen.
type Choices = Vec<(String, String, bool)>;

/// The form above a page: what it shows, and what is wrong with what was asked.
#[derive(Debug, Template)]
#[template(path = "usage_filter.html")]
pub(crate) struct FilterForm {
    t: Texts,
    action: &'static str,
    sites: Choices,
    /// Empty: a name is typed.
    models: Choices,
    machines: Choices,
    spans: Choices,
    /// Empty: the page has none.
    resolutions: Choices,
    has_mass: bool,
    /// What stays as it is.
    hidden: Vec<(&'static str, &'static str)>,
    filter: Filter,
    errors: Errors,
}

impl FilterForm {
    pub(crate) fn new(asked: &mut Asked, t: Texts) -> FilterForm {
        let filter = asked.filter.clone();
        let page = if asked.page == Page::Export { Page::Usage } else { asked.page };
        let fixed = |choices: Vec<(&'static str, &'static str)>, chosen: &str| {
            choices
                .into_iter()
                .map(|(value, words)| (value.to_owned(), words.to_owned(), value == chosen))
                .collect()
        };
        let is_usage = page == Page::Usage;
        let resolutions = if is_usage { filter::resolutions(t) } else { Vec::new() };
        let hidden = [("order", filter.order_name()), ("heat", filter.heat_name())];
        let sites = asked.sites.iter().cloned();
        FilterForm {
            t,
            action: page.path(),
            sites: sites.map(|(id, name)| (id.clone(), name, id == filter.site)).collect(),
            models: models(asked),
            machines: machines(asked),
            spans: fixed(filter::spans(page, t), filter.span_name()),
            resolutions: fixed(resolutions, filter.resolution_name()),
            has_mass: page == Page::Reverse,
            hidden: if is_usage { hidden.to_vec() } else { Vec::new() },
            errors: std::mem::take(&mut asked.errors),
            filter,
        }
    }
}

impl FilterForm {
    /// What is wrong with anything that has no field in the form.
    fn beside(&self) -> Vec<&str> {
        self.errors.beside(&["site", "model", "machine", "span", "from", "to", "by", "mass"])
    }
}

/// Models of the machines at the chosen site; none if what is asked for is not among them.
fn models(asked: &Asked) -> Choices {
    let chosen = &asked.filter.model;
    let here = asked.machines.iter().filter_map(|state| state.machine.as_ref());
    let here = here.filter(|one| asked.filter.site.is_empty() || one.site_id == asked.filter.site);
    let models: BTreeSet<&str> =
        here.map(|one| one.model.as_str()).filter(|model| !model.is_empty()).collect();
    listed(models.into_iter().map(|model| (model.to_owned(), model.to_owned())), chosen)
}

fn machines(asked: &Asked) -> Choices {
    let chosen = &asked.filter.machine;
    let here = asked.machines.iter().filter_map(|state| state.machine.as_ref());
    let here = here.filter(|one| asked.filter.site.is_empty() || one.site_id == asked.filter.site);
    let name = |one: &v1::Machine| {
        if one.display_name.is_empty() { one.id.clone() } else { one.display_name.clone() }
    };
    listed(here.map(|one| (one.id.clone(), name(one))), chosen)
}

/// What can be listed; nothing if it is too much, or if what is chosen is not among it.
fn listed(all: impl Iterator<Item = (String, String)>, chosen: &str) -> Choices {
    let choices: Choices =
        all.take(LISTED_MAX + 1).map(|(value, words)| (value.clone(), words, value == chosen)).collect();
    let has_chosen = chosen.is_empty() || choices.iter().any(|(_, _, is_chosen)| *is_chosen);
    if choices.len() > LISTED_MAX || !has_chosen { Vec::new() } else { choices }
}
