//! Machines by what they did: which ones to rotate.

use askama::Template;
use wire::api::v1;

use super::figures::{self, Key, Kind, Piece, Split};
use super::filter::{self, Filter, Page};
use crate::frame::MissingPart;
use crate::incidents::Places;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::Reader;

/// Machines that are asked for. More: the page says how many there are.
pub(super) const SHOWN_MAX: i32 = 100;

/// The machines, or why they cannot be shown.
#[derive(Debug, Template)]
#[template(path = "usage_ranking.html")]
pub(super) struct RankingPart {
    t: Texts,
    missing: Option<MissingPart>,
    /// Orders: words, address, whether it is the one shown.
    orders: Vec<(&'static str, String, bool)>,
    rows: Vec<Row>,
    /// Says that there are more; empty: there are none.
    cut: String,
}

/// One machine.
#[derive(Debug)]
struct Row {
    name: String,
    /// Empty: the visitor may not look at it.
    href: String,
    site: String,
    cells: [String; 4],
    total: String,
    distance: String,
    covered: String,
    strip: Vec<Piece>,
    is_blind: bool,
}

impl RankingPart {
    fn empty(filter: &Filter, t: Texts) -> RankingPart {
        let order = |order: v1::UsageOrder| {
            let to = Filter { order, ..filter.clone() };
            (words(order, t), format!("{}#ranking", to.address(Page::Usage)), order == filter.order)
        };
        RankingPart {
            t,
            missing: None,
            orders: filter::orders().map(order).collect(),
            rows: Vec::new(),
            cut: String::new(),
        }
    }

    pub(super) fn missing(part: MissingPart, filter: &Filter, t: Texts) -> RankingPart {
        RankingPart { missing: Some(part), ..RankingPart::empty(filter, t) }
    }

    pub(super) fn new(
        told: &v1::GetUsageResponse,
        filter: &Filter,
        places: &Places,
        visitor: &Visitor,
    ) -> RankingPart {
        let t = visitor.t();
        let split = |group: &v1::UsageGroup| group.usage.as_ref().map_or_else(Split::default, Split::of);
        let whole = told.groups.iter().map(|group| split(group).motion()).fold(0.0, f64::max);
        let row = |group: &v1::UsageGroup| {
            let may_look = visitor.may("live", &group.site_id);
            let href = if may_look { format!("/machine/{}", group.key) } else { String::new() };
            row(group, &split(group), whole, href, places, visitor.reader)
        };
        let is_cut = told.groups.len() < usize::try_from(told.groups_total).unwrap_or(usize::MAX);
        RankingPart {
            rows: told.groups.iter().map(row).collect(),
            cut: if is_cut { t.ranking_cut(told.groups.len(), told.groups_total) } else { String::new() },
            ..RankingPart::empty(filter, t)
        }
    }

    fn kinds(&self) -> [Key; 4] {
        Key::all(self.t)
    }
}

fn words(order: v1::UsageOrder, t: Texts) -> &'static str {
    match order {
        v1::UsageOrder::Motion | v1::UsageOrder::Unspecified => t.order_most(),
        v1::UsageOrder::LeastMotion => t.order_least(),
        v1::UsageOrder::Reverse => t.order_reverse(),
        v1::UsageOrder::Distance => t.order_distance(),
    }
}

/// Whether a machine moved and never told which way although it may run in reverse.
pub(crate) fn is_blind(usage: &v1::Usage) -> bool {
    let tells = usage.coverage.as_ref().is_some_and(|coverage| coverage.machines_with_direction > 0);
    !tells && Split::of(usage).get(Kind::Unknown) > 0.0
}

/// A machine's name with its site's: gyms name their machines alike.
pub(crate) fn name_at(name: &str, site: &str) -> String {
    if site.is_empty() { name.to_owned() } else { format!("{name}, {site}") }
}

/// Name of a group for people.
pub(crate) fn name(group: &v1::UsageGroup) -> &str {
    if group.display_name.is_empty() { &group.key } else { &group.display_name }
}

fn row(
    group: &v1::UsageGroup,
    split: &Split,
    whole: f64,
    href: String,
    places: &Places,
    reader: Reader,
) -> Row {
    let coverage = group.usage.as_ref().and_then(|usage| usage.coverage.as_ref());
    Row {
        name: name(group).to_owned(),
        href,
        site: places.name(&group.site_id).to_owned(),
        cells: split.cells(reader),
        total: figures::length(split.motion(), reader),
        distance: reader.distance(split.distance_m),
        covered: figures::coverage_cell(coverage, reader),
        strip: figures::strip(split, whole),
        is_blind: group.usage.as_ref().is_some_and(is_blind),
    }
}
