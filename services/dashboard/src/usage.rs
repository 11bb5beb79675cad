//! What belts did: by hour, day, week or month, by weekday and hour, by machine, against opening hours, and when service
//! is due. Forward, reverse and unknown never run together.

mod asked;
mod bars;
mod export;
pub(crate) mod figures;
mod filter;
mod heat;
mod maintenance;
pub(crate) mod ranking;
mod span;
mod utilisation;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wire::api::v1;

use crate::call::{Failure, FailureKind, answer};
use crate::frame::{self, Frame, Here, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::Reader;

pub(crate) use asked::{Asked, FilterForm};
use bars::BarsPart;
pub(crate) use export::export;
use figures::{AsOf, Kind, Piece, Split, length};
pub(crate) use filter::{Filter, Page};
use heat::HeatPart;
use maintenance::MaintenancePart;
use ranking::RankingPart;
pub(crate) use span::Span;
use utilisation::UtilisationPart;

#[derive(Debug, Template)]
#[template(path = "usage.html")]
struct UsagePage {
    frame: Frame,
    t: Texts,
    form: FilterForm,
    missing: Vec<MissingPart>,
    /// None: what was asked is wrong.
    shown: Option<Shown>,
}

/// All that a page shows of a span.
#[derive(Debug)]
struct Shown {
    /// None: it cannot be had.
    summary: Option<Summary>,
    bars: BarsPart,
    heat: HeatPart,
    ranking: RankingPart,
    utilisation: UtilisationPart,
    maintenance: MaintenancePart,
    files: Vec<File>,
}

/// What was done in all, in sentences and as one bar.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) lines: Vec<String>,
    pub(crate) coverage: Vec<String>,
    pub(crate) strip: Vec<Piece>,
    pub(crate) as_of: AsOf,
    /// Whether nothing moved.
    pub(crate) is_empty: bool,
    /// Whether nothing was ever seen.
    pub(crate) is_unseen: bool,
}

/// A file to save: what is in it, and its address as CSV and as XLSX.
#[derive(Debug)]
struct File {
    name: &'static str,
    words: &'static str,
    csv: String,
    xlsx: String,
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
    match Asked::read(&dashboard, &visitor, Page::Usage, &query.unwrap_or_default()).await {
        Ok(asked) => page(&dashboard, &visitor, asked, &headers).await,
        Err(response) => response,
    }
}

/// The page; with the form alone if what was asked is wrong.
async fn page(dashboard: &Dashboard, visitor: &Visitor, mut asked: Asked, headers: &HeaderMap) -> Response {
    let t = visitor.t();
    let mut shown = None;
    if let Some(range) = asked.range() {
        // Five answers are waited for at once: too much for the stack.
        let told = Box::pin(ask(dashboard, visitor, &asked, &range)).await;
        if let Some(response) = refusal(visitor, &mut asked, told.failures()) {
            return response;
        }
        if asked.errors.is_empty() {
            shown = Some(told.show(visitor, &asked));
        }
    }
    let code = match (asked.errors.is_empty(), asked.missing.first()) {
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, Some(missing)) => status(&missing.failure),
        (true, None) if shown.as_ref().is_some_and(|shown| shown.summary.is_none()) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (true, None) => StatusCode::OK,
    };
    let missing = asked.missing.iter().map(|one| MissingPart::new(one, t, &asked.zone)).collect();
    let form = FilterForm::new(&mut asked, t);
    let frame = Frame::of(visitor, Here::Usage, t.usage());
    frame::packed_html(code, &UsagePage { frame, t, form, missing, shown }, headers)
}

/// Notes what the API says of fields; the answer is a page if it says that all is forbidden.
pub(crate) fn refusal<'a>(
    visitor: &Visitor,
    asked: &mut Asked,
    failures: impl Iterator<Item = &'a Failure>,
) -> Option<Response> {
    for failure in failures {
        match failure.kind {
            FailureKind::Wrong | FailureKind::NotFound => asked.refuse(failure, visitor.t()),
            FailureKind::NotAllowed => return Some(frame::not_allowed(visitor)),
            FailureKind::SignedOut | FailureKind::TooMany | FailureKind::Outage => {}
        }
    }
    None
}

/// What the API told. None: it was not asked, as the span is too long for it.
struct Told {
    usage: Result<v1::GetUsageResponse, Missing>,
    periods: Result<v1::ListUsageResponse, Missing>,
    heat: Option<Result<v1::GetHeatMapResponse, Missing>>,
    utilisation: Option<Result<v1::GetUtilisationResponse, Missing>>,
    maintenance: Result<v1::ListMaintenanceResponse, Missing>,
}

async fn ask(dashboard: &Dashboard, visitor: &Visitor, asked: &Asked, range: &v1::DateRange) -> Told {
    let scope = || Some(asked.filter.scope());
    let range = || Some(range.clone());
    let usage = v1::GetUsageRequest {
        scope: scope(),
        range: range(),
        group_by: v1::GroupBy::Machine.into(),
        order: asked.filter.order.into(),
        page_size: ranking::SHOWN_MAX,
    };
    let periods = v1::ListUsageRequest {
        scope: scope(),
        range: range(),
        resolution: asked.resolution.unwrap_or_default().into(),
        group_by: v1::GroupBy::Unspecified.into(),
    };
    let heat = v1::GetHeatMapRequest { scope: scope(), range: range() };
    let utilisation = v1::GetUtilisationRequest { scope: scope(), range: range() };
    let maintenance = v1::ListMaintenanceRequest { scope: scope(), page_size: maintenance::SHOWN_MAX };
    let days = asked.dates.map_or(0, span::Dates::days);
    let client = || dashboard.clients().usage();
    let (mut one, mut two, mut three, mut four, mut five) =
        (client(), client(), client(), client(), client());
    let caller = &visitor.caller;
    let heat = async {
        let is_asked = days <= heat::DAYS_MAX;
        if is_asked { Some(answer(three.get_heat_map(caller.request(heat))).await) } else { None }
    };
    let utilisation = async {
        let is_asked = days <= utilisation::DAYS_MAX;
        if is_asked { Some(answer(four.get_utilisation(caller.request(utilisation))).await) } else { None }
    };
    let (usage, periods, heat, utilisation, maintenance) = tokio::join!(
        answer(one.get_usage(caller.request(usage))),
        answer(two.list_usage(caller.request(periods))),
        heat,
        utilisation,
        answer(five.list_maintenance(caller.request(maintenance))),
    );
    let outages = dashboard.outages();
    Told {
        usage: outages.note(Part::Usage, usage),
        periods: outages.note(Part::Periods, periods),
        heat: heat.map(|heat| outages.note(Part::HeatMap, heat)),
        utilisation: utilisation.map(|one| outages.note(Part::Utilisation, one)),
        maintenance: outages.note(Part::Maintenance, maintenance),
    }
}

impl Told {
    /// Why what the page is about was refused.
    fn failures(&self) -> impl Iterator<Item = &Failure> {
        let usage = self.usage.as_ref().err();
        usage.into_iter().chain(self.periods.as_ref().err()).map(|missing| &missing.failure)
    }

    fn show(self, visitor: &Visitor, asked: &Asked) -> Shown {
        let (reader, t) = (visitor.reader, visitor.t());
        let lost = |missing: &Missing| MissingPart::new(missing, t, &asked.zone);
        let (filter, places) = (&asked.filter, &asked.places);
        let mut names = asked.machine_names();
        if let Ok(usage) = &self.usage {
            names.extend(usage.groups.iter().map(|one| (one.key.clone(), ranking::name(one).to_owned())));
        }
        Shown {
            summary: self.usage.as_ref().ok().map(|usage| summary(usage, asked, &names, reader)),
            bars: match &self.periods {
                Ok(told) => BarsPart::new(told, reader),
                Err(missing) => BarsPart::missing(lost(missing), t),
            },
            heat: match &self.heat {
                Some(Ok(told)) => HeatPart::new(told, filter, reader),
                Some(Err(missing)) => HeatPart::missing(lost(missing), filter, t),
                None => HeatPart::too_long(filter, t),
            },
            ranking: match &self.usage {
                Ok(told) => RankingPart::new(told, filter, places, visitor),
                Err(missing) => RankingPart::missing(lost(missing), filter, t),
            },
            utilisation: match &self.utilisation {
                Some(Ok(told)) => UtilisationPart::new(told, places, visitor),
                Some(Err(missing)) => UtilisationPart::missing(lost(missing), t),
                None => UtilisationPart::too_long(t),
            },
            maintenance: match &self.maintenance {
                Ok(told) => MaintenancePart::new(told, &names, places, visitor),
                Err(missing) => MaintenancePart::missing(lost(missing), t),
            },
            files: files(filter, asked.resolution, t),
        }
    }
}

/// What machines did in all.
pub(crate) fn summary(
    told: &v1::GetUsageResponse,
    asked: &Asked,
    names: &BTreeMap<String, String>,
    reader: Reader,
) -> Summary {
    let t = reader.t;
    let total = told.total.clone().unwrap_or_default();
    let mut lines = Vec::new();
    if let Some(dates) = asked.dates {
        lines.push(t.usage_span(dates.start, dates.last(), dates.days()));
    }
    lines.extend(sentences(&total, reader));
    let as_of = AsOf::new(told.as_of.as_ref(), names, &asked.zone, t);
    let coverage = total.coverage.as_ref().map(|coverage| figures::coverage(coverage, reader));
    let seen = total.coverage.as_ref().map_or(0.0, |coverage| figures::seconds(coverage.observed.as_ref()));
    let split = Split::of(&total);
    Summary {
        lines,
        coverage: coverage.unwrap_or_default(),
        strip: figures::strip(&split, split.motion()),
        as_of,
        is_empty: split.motion() <= 0.0,
        is_unseen: seen <= 0.0,
    }
}

/// What was done, in sentences: all motion, then by what is known of its way.
pub(crate) fn sentences(usage: &v1::Usage, reader: Reader) -> Vec<String> {
    let t = reader.t;
    let split = Split::of(usage);
    if split.motion() <= 0.0 {
        return Vec::new();
    }
    let starts = |motion: &Option<v1::Motion>| motion.as_ref().map_or(0, |motion| motion.starts);
    let starts = [&usage.forward, &usage.reverse, &usage.unknown].map(starts);
    let starts = starts.into_iter().fold(0_u32, u32::saturating_add);
    let kinds = Kind::ALL.into_iter().filter(|kind| split.get(*kind) > 0.0);
    let kinds: Vec<String> =
        kinds.map(|kind| format!("{} {}", kind.words(t), split.cell(kind, reader))).collect();
    vec![
        t.usage_moved(length(split.motion(), reader), reader.distance(split.distance_m), starts),
        t.usage_by_way(kinds.join(", ")),
    ]
}

/// Files of just what is shown.
fn files(filter: &Filter, resolution: Option<v1::Resolution>, t: Texts) -> Vec<File> {
    let shown = Filter { by: resolution.unwrap_or_default(), ..filter.clone() };
    let file = |(name, kind): (&'static str, v1::ExportKind)| {
        let address = |format| shown.address_with(Page::Export, &[("kind", name), ("format", format)]);
        let words = match kind {
            v1::ExportKind::Usage | v1::ExportKind::Unspecified => t.file_usage(),
            v1::ExportKind::Sessions => t.file_sessions(),
            v1::ExportKind::Intervals => t.file_intervals(),
        };
        File { name, words, csv: address("csv"), xlsx: address("xlsx") }
    };
    export::KINDS.map(file).into()
}
