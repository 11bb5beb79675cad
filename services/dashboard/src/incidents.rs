//! Incidents of all sites that the visitor may see: a list to work through.

mod bulk;
mod filter;
mod open;
mod row;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::call::{Failure, FailureKind, answer};
use crate::clock;
use crate::fleet::{machine_names, sites};
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incident::{CAUSES, HURTS, cause_name};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

use bulk::Outcome;
pub(crate) use bulk::{act, show_again};
use filter::{Choices, Filter, People};
pub(crate) use open::{Open, OpenPart, by_site as open_by_site, count_open, path as open_path};
pub(crate) use row::{Places, Row, date_and_time, severity_name, state_name};

/// Incidents on one page.
const PAGE: i32 = 50;

#[derive(Debug, Template)]
#[template(path = "incidents.html")]
struct ListPage {
    frame: Frame,
    t: Texts,
    filter: Filter,
    tabs: Vec<Tab>,
    /// Whether the visitor may step incidents.
    may_handle: bool,
    /// What became of a step about several.
    outcome: Outcome,
    now_ms: i64,
    sites: Vec<(String, String)>,
    severities: Choices,
    rules: Vec<(String, String)>,
    states: Choices,
    orders: Choices,
    missing: Vec<MissingPart>,
    counts: Vec<Count>,
    rows: Vec<Row>,
    /// The name of the one machine that is shown.
    machine: String,
    /// The same list of all machines.
    all_machines: String,
    /// Where the list begins; empty: here.
    first: String,
    /// Where it goes on; empty: nowhere.
    next: String,
    /// This page's own address.
    here: String,
}

/// One of the lists: what needs a person, all, and so on.
#[derive(Debug, PartialEq, Eq)]
struct Tab {
    name: &'static str,
    words: &'static str,
    href: String,
    is_here: bool,
}

/// How many incidents of a severity there are.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    class: &'static str,
    words: &'static str,
    count: u64,
    active: u64,
    href: String,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if !visitor.may_anywhere("history") {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let filter = match Filter::read(&query.unwrap_or_default()) {
        Ok(filter) => filter,
        Err(wrong) => return wrong_filter(&visitor, &wrong.words(t)),
    };
    let outcome = Outcome::read(&filter.done, t);
    list_page(&dashboard, &visitor, filter, outcome, StatusCode::OK, &headers).await
}

/// The list; `code` is the answer's if nothing of it is missing.
async fn list_page(
    dashboard: &Dashboard,
    visitor: &Visitor,
    filter: Filter,
    outcome: Outcome,
    code: StatusCode,
    headers: &HeaderMap,
) -> Response {
    let t = visitor.t();
    let (sites, rules) = tokio::join!(sites(dashboard, visitor), rules(dashboard, visitor));
    let mut missing = Vec::new();
    if let Ok(sites) = &sites
        && !filter.site.is_empty()
        && !sites.iter().any(|site| site.id == filter.site && visitor.may("history", &site.id))
    {
        return frame::not_found(visitor, t.no_site());
    }
    let sites = sites.map_err(|error| missing.push(error)).unwrap_or_default();
    let rules = rules.map_err(|error| missing.push(error)).unwrap_or_default();
    if let Err(wrong) = filter.check_rule(&rules) {
        return wrong_filter(visitor, &wrong.words(t));
    }
    let (listed, counted) =
        tokio::join!(list(dashboard, visitor, &filter), count(dashboard, visitor, &filter));
    let listed = match listed {
        Ok(listed) => listed,
        Err(refused) => match refusal(visitor, &refused.failure) {
            Some(page) => return page,
            None => {
                missing.push(refused);
                v1::ListIncidentsResponse::default()
            }
        },
    };
    let counted = match counted {
        Ok(counted) => counted.counts,
        Err(error) => {
            // Of a list that cannot be had the reason is said already.
            if missing.is_empty() {
                missing.push(error);
            }
            Vec::new()
        }
    };
    let code = if missing.is_empty() { code } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut page = ListPage::new(visitor, filter, outcome, &sites, &rules);
    page.fill(dashboard, visitor, &listed, &Places::new(&sites)).await;
    page.missing = missing.iter().map(|one| MissingPart::new(one, t, &TimeZone::UTC)).collect();
    page.counts = page.counts(&counted);
    frame::packed_html(code, &page, headers)
}

impl ListPage {
    fn new(
        visitor: &Visitor,
        filter: Filter,
        outcome: Outcome,
        sites: &[v1::Site],
        rules: &[v1::Rule],
    ) -> ListPage {
        let t = visitor.t();
        let places = Places::new(sites);
        let shown = sites.iter().filter(|site| visitor.may("history", &site.id));
        let title = |rule: &v1::Rule| (rule.name.clone(), t.rule_title(&rule.name, &rule.title).to_owned());
        let begin = Filter { page: String::new(), ..filter.clone() };
        ListPage {
            frame: Frame::of(visitor, Here::Incidents, t.incidents()),
            t,
            tabs: tabs(&begin, t),
            may_handle: visitor.may_anywhere("handle"),
            outcome,
            now_ms: clock::now().as_millisecond(),
            sites: shown.map(|site| (site.id.clone(), places.name(&site.id).to_owned())).collect(),
            severities: filter::severities().map(|(name, one)| (name, severity_name(one, t).1)).collect(),
            rules: rules.iter().map(title).collect(),
            states: filter::states(t),
            orders: filter::orders(t),
            missing: Vec::new(),
            counts: Vec::new(),
            rows: Vec::new(),
            machine: String::new(),
            all_machines: Filter { machine: String::new(), ..begin.clone() }.address(),
            first: if filter.page.is_empty() { String::new() } else { begin.address() },
            next: String::new(),
            here: filter.address(),
            filter,
        }
    }

    /// Fills in what was listed, with the names of its machines.
    async fn fill(
        &mut self,
        dashboard: &Dashboard,
        visitor: &Visitor,
        listed: &v1::ListIncidentsResponse,
        places: &Places,
    ) {
        let names = names(dashboard, visitor, &self.filter, listed).await;
        let row = |incident| Row::new(incident, places, &names, visitor.reader);
        self.rows = listed.incidents.iter().map(row).collect();
        self.machine = names.get(&self.filter.machine).unwrap_or(&self.filter.machine).clone();
        if !listed.next_page_token.is_empty() {
            let page = listed.next_page_token.clone();
            self.next = Filter { page, ..self.filter.clone() }.address();
        }
    }

    fn causes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        CAUSES.iter().map(|(name, cause)| (*name, cause_name(*cause, self.t)))
    }

    fn hurts(&self) -> [(&'static str, &'static str); 3] {
        let words = [self.t.answer_no(), self.t.answer_unknown(), self.t.answer_yes()];
        [0, 1, 2].map(|at| (HURTS[at].0, words[at]))
    }

    /// What is said where there is none.
    fn none_words(&self) -> &'static str {
        if self.here == filter::PATH { self.t.incidents_done_none() } else { self.t.incidents_none() }
    }

    /// Sums by severity, the worst first; each leads to those that it counts.
    fn counts(&self, counts: &[v1::IncidentCount]) -> Vec<Count> {
        let count = |(_, severity): (&str, v1::Severity)| {
            let of = || counts.iter().filter(move |one| one.severity() == severity);
            let active = of().filter(|one| one.state() == v1::IncidentState::Active);
            let (class, words) = severity_name(severity, self.t);
            let filter = Filter { severity, page: String::new(), ..self.filter.clone() };
            Count {
                class,
                words,
                count: of().map(|one| one.count).sum(),
                active: active.map(|one| one.count).sum(),
                href: filter.address(),
            }
        };
        filter::severities().map(count).filter(|one| one.count > 0).collect()
    }
}

/// The lists with the other filters kept.
fn tabs(begin: &Filter, t: Texts) -> Vec<Tab> {
    let tab = |people: People| {
        let filter = Filter { people, ..begin.clone() };
        let name = filter.people_name();
        Tab {
            name: if name.is_empty() { "needs" } else { name },
            words: people.words(t),
            href: filter.address(),
            is_here: people == begin.people,
        }
    };
    People::ALL.map(tab).into_iter().collect()
}

fn wrong_filter(visitor: &Visitor, words: &str) -> Response {
    let frame = Frame::of(visitor, Here::Incidents, visitor.t().incidents_filter_wrong());
    frame::message(StatusCode::UNPROCESSABLE_ENTITY, frame, words)
}

/// The page that says why there is no list; none: it cannot be had now.
fn refusal(visitor: &Visitor, failure: &Failure) -> Option<Response> {
    let t = visitor.t();
    match failure.kind {
        FailureKind::NotFound => Some(frame::not_found(visitor, t.no_machine())),
        FailureKind::Wrong if failure.of_field("page_token").is_some() => {
            Some(frame::not_found(visitor, t.incidents_page_gone()))
        }
        FailureKind::Wrong => Some(wrong_filter(visitor, &t.filter_refused(failure.words(t)))),
        FailureKind::NotAllowed => Some(frame::not_allowed(visitor)),
        FailureKind::SignedOut | FailureKind::TooMany | FailureKind::Outage => None,
    }
}

async fn rules(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Rule>, Missing> {
    let mut client = dashboard.clients().incidents();
    let asked = answer(client.list_rules(visitor.caller.request(v1::ListRulesRequest::default()))).await;
    dashboard.outages().note(Part::Incidents, asked).map(|answer| answer.rules)
}

async fn list(
    dashboard: &Dashboard,
    visitor: &Visitor,
    filter: &Filter,
) -> Result<v1::ListIncidentsResponse, Missing> {
    let message = v1::ListIncidentsRequest {
        filter: Some(filter.asked()),
        order: filter.order.into(),
        page_size: PAGE,
        page_token: filter.page.clone(),
    };
    let mut client = dashboard.clients().incidents();
    let asked = answer(client.list_incidents(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::Incidents, asked)
}

async fn count(
    dashboard: &Dashboard,
    visitor: &Visitor,
    filter: &Filter,
) -> Result<v1::CountIncidentsResponse, Missing> {
    let message = v1::CountIncidentsRequest { filter: Some(filter.asked()) };
    let mut client = dashboard.clients().incidents();
    let asked = answer(client.count_incidents(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::Incidents, asked)
}

/// Names of the machines that a page shows, of those that the visitor may look at.
async fn names(
    dashboard: &Dashboard,
    visitor: &Visitor,
    filter: &Filter,
    listed: &v1::ListIncidentsResponse,
) -> BTreeMap<String, String> {
    let shown = listed.incidents.iter().filter(|one| visitor.may("live", &one.site_id));
    let mut machines: BTreeSet<&str> = shown.map(|one| one.machine_id.as_str()).collect();
    if !filter.machine.is_empty() && visitor.may_anywhere("live") {
        machines.insert(&filter.machine);
    }
    machine_names(dashboard, visitor, machines).await
}
