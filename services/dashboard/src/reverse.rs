//! How belts ran in reverse, by all users of these machines: intervals, grades, what starting advice says, and what may
//! hide where the direction is not known. It says nothing of muscles, joints or health.

mod advice;
mod blind;
mod energy;
mod intervals;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wire::api::v1;

use crate::call::answer;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::usage::figures::{self, AsOf, Kind, Split, length, percent, seconds, share};
use crate::usage::{Asked, FilterForm, Page, ranking, refusal};
use crate::visitor::Visitor;
use crate::words::Reader;

use advice::Advice;
use blind::Blind;
use energy::Energy;
use intervals::Intervals;

/// Machines with reverse motion that are listed. More: the page says how many, and where all are.
const LISTED_MAX: usize = 20;
/// Machines that are asked for, to find those that tell no direction.
const ASKED_MAX: i32 = 1_000;
/// Rules about belts in reverse: names, and titles as the API has them.
const RULES: [(&str, &str); 5] = [
    ("unintended-reverse", "Unintended reverse"),
    ("reverse-overspeed", "Too fast in reverse"),
    ("reverse-on-incline", "Reverse on a raised deck"),
    ("reverse-hands-off", "Reverse without hands on the rail"),
    ("reverse-without-key", "Reverse with the safety key out"),
];

#[derive(Debug, Template)]
#[template(path = "reverse.html")]
struct ReversePage {
    frame: Frame,
    t: Texts,
    form: FilterForm,
    missing: Vec<MissingPart>,
    /// None: what was asked is wrong, or it cannot be had.
    shown: Option<Shown>,
}

/// All that the page shows of a span.
#[derive(Debug)]
struct Shown {
    lines: Vec<String>,
    coverage: Vec<String>,
    as_of: AsOf,
    /// Whether there was no reverse motion that anybody saw.
    is_empty: bool,
    intervals: Intervals,
    grades: Vec<GradeRow>,
    grade_coverage: String,
    advice: Vec<Advice>,
    presence: Vec<String>,
    incidents: String,
    /// Lists of incidents: title, address.
    rules: Vec<(String, String)>,
    energy: Option<Energy>,
    machines: Vec<MachineRow>,
    machines_cut: String,
    blind: Blind,
    /// Usage of the same span.
    usage: String,
}

/// Reverse motion on one grade.
#[derive(Debug)]
struct GradeRow {
    class: &'static str,
    words: &'static str,
    time: String,
    share: String,
    bar: String,
    distance: String,
}

/// Reverse motion of one machine, and what may hide some.
#[derive(Debug)]
struct MachineRow {
    name: String,
    href: String,
    reverse: String,
    unknown: String,
    covered: String,
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
    let page = Page::Reverse;
    let mut asked = match Asked::read(&dashboard, &visitor, page, &query.unwrap_or_default()).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let mass = asked.filter.mass(&mut asked.errors, t);
    let mut shown = None;
    if let (Some(range), Some(mass)) = (asked.range(), mass) {
        let (told, machines) = ask(&dashboard, &visitor, &asked, range, mass).await;
        let failures = told.as_ref().err().map(|missing| &missing.failure);
        if let Some(response) = refusal(&visitor, &mut asked, failures.into_iter()) {
            return response;
        }
        if asked.errors.is_empty() {
            let machines = machines.map_err(|one| asked.missing.push(one)).unwrap_or_default();
            match told {
                Ok(told) => shown = Some(Shown::new(&told, &machines, &asked, &visitor)),
                Err(missing) => asked.missing.push(missing),
            }
        }
    }
    let code = match (asked.errors.is_empty(), asked.missing.first()) {
        (false, _) => StatusCode::UNPROCESSABLE_ENTITY,
        (true, Some(missing)) => status(&missing.failure),
        (true, None) => StatusCode::OK,
    };
    let missing = asked.missing.iter().map(|one| MissingPart::new(one, t, &asked.zone)).collect();
    let form = FilterForm::new(&mut asked, t);
    let frame = Frame::of(&visitor, Here::Reverse, t.reverse_belt());
    frame::packed_html(code, &ReversePage { frame, t, form, missing, shown }, &headers)
}

type Told = (Result<v1::GetReverseUseResponse, Missing>, Result<v1::GetUsageResponse, Missing>);

async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    asked: &Asked,
    range: v1::DateRange,
    mass_kg: u32,
) -> Told {
    let reverse =
        v1::GetReverseUseRequest { scope: Some(asked.filter.scope()), range: Some(range.clone()), mass_kg };
    let machines = v1::GetUsageRequest {
        scope: Some(asked.filter.scope()),
        range: Some(range),
        group_by: v1::GroupBy::Machine.into(),
        order: v1::UsageOrder::Reverse.into(),
        page_size: ASKED_MAX,
    };
    let (mut one, mut other) = (dashboard.clients().usage(), dashboard.clients().usage());
    let (reverse, machines) = tokio::join!(
        answer(one.get_reverse_use(visitor.caller.request(reverse))),
        answer(other.get_usage(visitor.caller.request(machines))),
    );
    (dashboard.outages().note(Part::ReverseUse, reverse), dashboard.outages().note(Part::Usage, machines))
}

impl Shown {
    fn new(
        told: &v1::GetReverseUseResponse,
        machines: &v1::GetUsageResponse,
        asked: &Asked,
        visitor: &Visitor,
    ) -> Shown {
        let (reader, t) = (visitor.reader, visitor.t());
        let usage = told.usage.clone().unwrap_or_default();
        let split = Split::of(&usage);
        let mut names = asked.machine_names();
        names.extend(machines.groups.iter().map(|one| (one.key.clone(), ranking::name(one).to_owned())));
        let with_reverse = machines.groups.iter().filter(|group| moved(group, Kind::Reverse) > 0.0);
        let count = with_reverse.clone().count();
        let is_cut = count > LISTED_MAX;
        let coverage = usage.coverage.as_ref().map(|coverage| figures::coverage(coverage, reader));
        Shown {
            lines: lines(told, &split, asked, reader),
            coverage: coverage.unwrap_or_default(),
            as_of: AsOf::new(told.as_of.as_ref(), &names, &asked.zone, t),
            is_empty: split.get(Kind::Reverse) <= 0.0,
            intervals: Intervals::new(told.intervals.clone().unwrap_or_default(), reader),
            grades: grades(&usage, reader),
            grade_coverage: grade_coverage(&usage, reader),
            advice: told.guidance.as_ref().map(|one| advice::lines(one, reader)).unwrap_or_default(),
            presence: presence(told, reader),
            incidents: t.reverse_incidents(told.incidents),
            rules: rules(asked, t),
            energy: told.energy.as_ref().map(|one| Energy::new(one, reader)),
            machines: with_reverse.take(LISTED_MAX).map(|one| machine(one, asked, visitor)).collect(),
            machines_cut: if is_cut { t.ranking_cut(LISTED_MAX, count) } else { String::new() },
            blind: Blind::new(told, machines, asked, visitor),
            usage: asked.filter.address(Page::Usage),
        }
    }
}

fn moved(group: &v1::UsageGroup, kind: Kind) -> f64 {
    group.usage.as_ref().map_or(0.0, |usage| Split::of(usage).get(kind))
}

/// What was seen of reverse motion, and what may hide more of it.
fn lines(told: &v1::GetReverseUseResponse, split: &Split, asked: &Asked, reader: Reader) -> Vec<String> {
    let t = reader.t;
    let mut lines = Vec::new();
    if let Some(dates) = asked.dates {
        lines.push(t.usage_span(dates.start, dates.last(), dates.days()));
    }
    let (reverse, unknown) = (split.get(Kind::Reverse), split.get(Kind::Unknown));
    let of = told.usage.as_ref().and_then(|usage| usage.reverse);
    let distance = reader.distance(of.map_or(0.0, |motion| motion.distance_m));
    lines.push(t.reverse_seen(split.cell(Kind::Reverse, reader), distance, told.sessions));
    if let Some(motion) = of.filter(|_| reverse > 0.0)
        && let (Some(mean), Some(max)) = (motion.speed_mean_mps, motion.speed_max_mps)
    {
        lines.push(t.reverse_speeds(reader.speed(mean), reader.speed(max)));
    }
    lines.push(if unknown > 0.0 {
        t.reverse_hidden(length(unknown, reader))
    } else {
        t.reverse_nothing_hidden().to_owned()
    });
    lines
}

/// Reverse motion by grade; each with its own words, the unknown one too.
fn grades(usage: &v1::Usage, reader: Reader) -> Vec<GradeRow> {
    const GRADES: [v1::Grade; 4] =
        [v1::Grade::Level, v1::Grade::Uphill, v1::Grade::Downhill, v1::Grade::Unspecified];
    let of = |grade: v1::Grade| {
        let keyed = usage.keyed.iter();
        let fits =
            move |one: &&v1::KeyedMotion| one.direction() == v1::Direction::Reverse && one.grade() == grade;
        keyed.filter(fits).filter_map(|one| one.motion.as_ref()).fold((0.0, 0.0), |(time, way), one| {
            (time + seconds(one.observed.as_ref()), way + one.distance_m)
        })
    };
    let whole: f64 = GRADES.iter().map(|grade| of(*grade).0).sum();
    let row = |grade: v1::Grade| {
        let ((time, way), (class, words)) = (of(grade), grade_name(grade, reader.t));
        GradeRow {
            class,
            words,
            time: length(time, reader),
            share: percent(time, whole, reader).map_or_else(String::new, |one| reader.t.usage_percent(one)),
            bar: share(time, whole),
            distance: reader.distance(way),
        }
    };
    GRADES.map(row).into()
}

fn grade_name(grade: v1::Grade, t: Texts) -> (&'static str, &'static str) {
    match grade {
        v1::Grade::Level => ("g-level", t.grade_level()),
        v1::Grade::Uphill => ("g-uphill", t.grade_uphill()),
        v1::Grade::Downhill => ("g-downhill", t.grade_downhill()),
        v1::Grade::Unspecified => ("g-unknown", t.grade_unknown()),
    }
}

fn grade_coverage(usage: &v1::Usage, reader: Reader) -> String {
    let coverage = usage.coverage.unwrap_or_default();
    let known = percent(seconds(coverage.grade.as_ref()), seconds(coverage.asked.as_ref()), reader);
    known.map(|known| reader.t.grade_coverage(known)).unwrap_or_default()
}

/// When nobody was there, as far as somebody has said so.
fn presence(told: &v1::GetReverseUseResponse, reader: Reader) -> Vec<String> {
    let t = reader.t;
    let words = |time: &Option<prost_types::Duration>| length(seconds(time.as_ref()), reader);
    let unstaffed = if seconds(told.staffing_known.as_ref()) > 0.0 {
        t.reverse_unstaffed(words(&told.unstaffed), words(&told.staffing_known))
    } else {
        t.staffed_not_said().to_owned()
    };
    vec![unstaffed, t.reverse_unlabelled(words(&told.unlabelled))]
}

/// Lists of incidents of each rule about reverse motion, of the same site and machine.
fn rules(asked: &Asked, t: Texts) -> Vec<(String, String)> {
    let list = |(rule, title): (&str, &str)| {
        let pairs = [
            ("people", "all"),
            ("site", asked.filter.site.as_str()),
            ("machine", &asked.filter.machine),
            ("rule", rule),
        ];
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
        (t.rule_title(rule, title).to_owned(), format!("/incidents?{}", query.finish()))
    };
    RULES.map(list).into()
}

fn machine(group: &v1::UsageGroup, asked: &Asked, visitor: &Visitor) -> MachineRow {
    let reader = visitor.reader;
    let usage = group.usage.clone().unwrap_or_default();
    let split = Split::of(&usage);
    let may_look = visitor.may("live", &group.site_id);
    MachineRow {
        name: ranking::name_at(ranking::name(group), asked.places.name(&group.site_id)),
        href: if may_look { format!("/machine/{}", group.key) } else { String::new() },
        reverse: split.cell(Kind::Reverse, reader),
        unknown: split.cell(Kind::Unknown, reader),
        covered: figures::coverage_cell(usage.coverage.as_ref(), reader),
    }
}
