//! Usage period by period: bars drawn by the server, and the same as a table.

use askama::Template;
use wire::api::v1;

use super::figures::{self, Key, Kind, Piece, Split, length, seconds, share};
use crate::frame::MissingPart;
use crate::texts::Texts;
use crate::words::Reader;

/// Least width of a bar with its space, in pixels. Many of them scroll.
const BAR_WIDTH: usize = 9;
/// Labels below few bars.
const LABELS: usize = 6;
/// Bars between labels below many.
const LABEL_EVERY: usize = 8;

/// Bars, or why there are none.
#[derive(Debug, Template)]
#[template(path = "usage_bars.html")]
pub(super) struct BarsPart {
    t: Texts,
    missing: Option<MissingPart>,
    title: String,
    /// Least width in pixels.
    width: usize,
    /// Time at the upper edge and half way.
    top: String,
    half: String,
    bars: Vec<Bar>,
    labels: Vec<(String, String)>,
    rows: Vec<Row>,
    has_low: bool,
}

/// One period: a column that is hatched where little is known, and pieces that lie upon each other.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    title: String,
    begin: String,
    width: String,
    ground: String,
    ground_width: String,
    is_low: bool,
    /// `begin` is their upper edge.
    pieces: Vec<Piece>,
}

/// One period in a table.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    period: String,
    cells: [String; 4],
    rest: String,
    distance: String,
    covered: String,
}

impl BarsPart {
    pub(super) fn missing(part: MissingPart, t: Texts) -> BarsPart {
        BarsPart { missing: Some(part), ..BarsPart::empty(t) }
    }

    fn empty(t: Texts) -> BarsPart {
        BarsPart {
            t,
            missing: None,
            title: String::new(),
            width: 0,
            top: String::new(),
            half: String::new(),
            bars: Vec::new(),
            labels: Vec::new(),
            rows: Vec::new(),
            has_low: false,
        }
    }

    pub(super) fn new(told: &v1::ListUsageResponse, reader: Reader) -> BarsPart {
        let t = reader.t;
        let periods = told.series.first().map_or(&[][..], |series| &series.periods);
        let resolution = told.resolution();
        let splits: Vec<Split> = periods
            .iter()
            .map(|period| period.usage.as_ref().map_or_else(Split::default, Split::of))
            .collect();
        let top = top(splits.iter().map(Split::motion).fold(0.0, f64::max));
        let places = Places { count: periods.len(), top };
        let names = names(periods, resolution, t);
        let bars: Vec<Bar> = periods
            .iter()
            .zip(&splits)
            .zip(&names)
            .enumerate()
            .map(|(at, ((period, split), name))| bar(&places, at, period, split, name, reader))
            .collect();
        let rows = periods.iter().zip(&splits).zip(names);
        BarsPart {
            title: t.usage_bars_title(super::filter::resolution_words(resolution, t)),
            width: periods.len() * BAR_WIDTH,
            top: length(top, reader),
            half: length(top / 2.0, reader),
            labels: labels(periods, resolution, &places),
            has_low: bars.iter().any(|bar| bar.is_low),
            rows: rows.map(|((period, split), name)| row(period, split, name, reader)).collect(),
            bars,
            ..BarsPart::empty(t)
        }
    }

    fn kinds(&self) -> [Key; 4] {
        Key::all(self.t)
    }
}

/// How many bars there are, and the seconds at the upper edge.
struct Places {
    count: usize,
    top: f64,
}

impl Places {
    /// Where a bar begins, in bars.
    fn at(&self, bars: f64) -> String {
        share(bars, count(self.count))
    }
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

/// A round number of seconds that is not less.
fn top(greatest: f64) -> f64 {
    const MINUTES: [f64; 6] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0];
    const HOURS: [f64; 12] =
        [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0];
    let steps = MINUTES.iter().map(|one| one * 60.0).chain(HOURS.iter().map(|one| one * 3_600.0));
    let mut fitting = steps.filter(|step| *step >= greatest);
    fitting.next().unwrap_or_else(|| (greatest / 36_000_000.0).ceil() * 36_000_000.0)
}

fn bar(
    places: &Places,
    at: usize,
    period: &v1::UsagePeriod,
    split: &Split,
    name: &str,
    reader: Reader,
) -> Bar {
    let mut below = 0.0;
    let mut pieces = Vec::new();
    for kind in Kind::ALL {
        let seconds = split.get(kind);
        if seconds > 0.0 {
            below += seconds;
            pieces.push(Piece {
                class: kind.class(),
                fill: kind.fill(),
                begin: share(places.top - below, places.top),
                length: share(seconds, places.top),
            });
        }
    }
    let coverage = period.usage.as_ref().and_then(|usage| usage.coverage.as_ref());
    let asked = coverage.map_or(0.0, |coverage| figures::seconds(coverage.asked.as_ref()));
    let known = coverage.map_or(0.0, |coverage| figures::seconds(coverage.speed.as_ref()));
    let moved = Kind::ALL.into_iter().filter(|kind| split.get(*kind) > 0.0);
    let mut words: Vec<String> =
        moved.map(|kind| format!("{} {}", kind.words(reader.t), split.cell(kind, reader))).collect();
    words.push(reader.t.usage_counted_short(figures::coverage_cell(coverage, reader)));
    Bar {
        title: format!("{name}: {}", words.join(", ")),
        begin: places.at(count(at) + 0.12),
        width: places.at(0.76),
        ground: places.at(count(at)),
        ground_width: places.at(1.0),
        is_low: asked > 0.0 && known < asked / 2.0,
        pieces,
    }
}

fn row(period: &v1::UsagePeriod, split: &Split, name: String, reader: Reader) -> Row {
    let coverage = period.usage.as_ref().and_then(|usage| usage.coverage.as_ref());
    let rest = period.usage.as_ref().map_or(0.0, |usage| seconds(usage.at_rest.as_ref()));
    Row {
        period: name,
        cells: split.cells(reader),
        rest: length(rest, reader),
        distance: reader.distance(split.distance_m),
        covered: figures::coverage_cell(coverage, reader),
    }
}

/// Names of periods; an hour that comes a second time says so.
fn names(periods: &[v1::UsagePeriod], resolution: v1::Resolution, t: Texts) -> Vec<String> {
    let name = |at: usize, period: &v1::UsagePeriod| {
        let date = &period.date;
        let name = match (resolution, period.hour) {
            (v1::Resolution::Hour, Some(hour)) => format!("{date} {hour:02}:00"),
            (v1::Resolution::Week, _) => t.week_from(date),
            (v1::Resolution::Month, _) => date.get(..7).unwrap_or(date).to_owned(),
            (v1::Resolution::Hour | v1::Resolution::Day | v1::Resolution::Unspecified, _) => date.clone(),
        };
        let before = at.checked_sub(1).and_then(|before| periods.get(before));
        let is_again = before.is_some_and(|before| before.date == *date && before.hour == period.hour);
        match (is_again, period.is_partial) {
            (true, _) => t.period_again(name),
            (false, true) => t.period_partial(name),
            (false, false) => name,
        }
    };
    periods.iter().enumerate().map(|(at, period)| name(at, period)).collect()
}

/// Short names below some of the bars.
fn labels(periods: &[v1::UsagePeriod], resolution: v1::Resolution, places: &Places) -> Vec<(String, String)> {
    let every =
        if periods.len() <= LABELS * LABEL_EVERY { periods.len().div_ceil(LABELS) } else { LABEL_EVERY };
    let short = |period: &v1::UsagePeriod| {
        let date = &period.date;
        let day = date.get(5..).unwrap_or(date);
        match (resolution, period.hour) {
            (v1::Resolution::Hour, Some(hour)) if hour > 0 => format!("{hour:02}:00"),
            (v1::Resolution::Month, _) => date.get(..7).unwrap_or(date).to_owned(),
            (
                v1::Resolution::Hour
                | v1::Resolution::Day
                | v1::Resolution::Week
                | v1::Resolution::Unspecified,
                _,
            ) => day.to_owned(),
        }
    };
    let shown = periods.iter().enumerate().step_by(every.max(1));
    shown.map(|(at, period)| (places.at(count(at) + 0.12), short(period))).collect()
}

#[cfg(test)]
mod tests;
