//! One line a machine and period.

use std::sync::Arc;
use std::vec;

use domain::belt::{Direction, Origin};
use domain::signal::Capabilities;
use domain::usage::calendar::{Period, Periods, Resolution, weekday};
use jiff::civil::Weekday;
use store::ledger::Ledger;
use wire::api::v1;

use super::super::groups::Groups;
use super::super::show::unknown;
use super::super::spread::{Layout, Layouts, Spread};
use super::super::sums::Figure;
use super::super::walk;
use super::super::whereabouts::{Place, Visit, Whereabout, Whereabouts, out_of_calendar, quarter_begin};
use super::cell::{Cell, Column, Line};
use super::clock::{self, Clock};
use super::stands::{Stand, stands};
use crate::status::ApiError;

const NANOMETRES: f64 = 1e9;

pub(super) const COLUMNS: &[Column] = &[
    ("site_id", 14),
    ("site", 22),
    ("machine_id", 14),
    ("machine", 22),
    ("model", 18),
    ("period_begin_local", 18),
    ("utc_offset_hours", 16),
    ("is_partial", 10),
    ("asked_minutes", 14),
    ("forward_minutes", 16),
    ("forward_measured_minutes", 24),
    ("forward_declared_minutes", 24),
    ("reverse_minutes", 16),
    ("unknown_minutes", 16),
    ("at_rest_minutes", 16),
    ("forward_metres", 15),
    ("reverse_metres", 15),
    ("unknown_metres", 15),
    ("greatest_speed_kmh", 18),
    ("speed_known_minutes", 20),
    ("direction_known_minutes", 23),
    ("speed_known_percent", 20),
    ("direction_known_percent", 23),
];

/// The periods of a place.
#[derive(Debug)]
pub(super) struct PlacePeriods {
    /// Of which place.
    place: usize,
    /// They.
    pub(super) periods: Periods,
    layout: Layout,
    clock: Clock,
}

impl PlacePeriods {
    /// Of the place with this index.
    ///
    /// # Errors
    /// More periods than a calendar gives.
    pub(super) fn of(
        index: usize,
        place: &Place,
        resolution: Resolution,
        first: Weekday,
    ) -> Result<PlacePeriods, ApiError> {
        let calendar = place.zones.calendar(place.range.from, place.range.until).map_err(out_of_calendar)?;
        let periods = calendar.periods(resolution, first).map_err(out_of_calendar)?;
        let spans = |(cell, period): (usize, &Period)| {
            period.spans.iter().map(|span| (span.from, cell)).collect::<Vec<_>>()
        };
        let layout = Layout::of(periods.list().iter().enumerate().flat_map(spans).collect());
        Ok(PlacePeriods { place: index, periods, layout, clock: Clock::of(place)? })
    }
}

/// The first day of weeks, as in every answer about usage: Monday unless all sites have the same other one.
pub(super) fn first_weekday(whereabouts: &Whereabouts) -> Weekday {
    let mut firsts = whereabouts.places.iter().map(|place| place.site.first_weekday());
    let first = firsts.next().filter(|first| firsts.all(|other| other == *first));
    first.and_then(weekday).unwrap_or(Weekday::Monday)
}

/// Lines of usage.
#[derive(Debug)]
pub(super) struct UsageLines {
    ledger: Arc<dyn Ledger>,
    whereabouts: Whereabouts,
    resolution: Resolution,
    stands: vec::IntoIter<Stand>,
    /// Of the place of the stand before: stands come by place.
    periods: Option<PlacePeriods>,
    together: Figure,
}

impl UsageLines {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        whereabouts: Whereabouts,
        resolution: Resolution,
    ) -> UsageLines {
        let stands = stands(&whereabouts).into_iter();
        UsageLines { ledger, whereabouts, resolution, stands, periods: None, together: Figure::default() }
    }

    /// Those of the next stand.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Line>>, ApiError> {
        let Some(stand) = self.stands.next() else { return Ok(None) };
        let whereabouts = &self.whereabouts;
        let kept = self.periods.take().filter(|kept| kept.place == stand.place);
        let place = &whereabouts.places[stand.place];
        let kept = match kept {
            Some(kept) => kept,
            None => PlacePeriods::of(stand.place, place, self.resolution, first_weekday(whereabouts))?,
        };
        let alone = alone(whereabouts, &stand);
        let groups = Groups::of(&alone, v1::GroupBy::Unspecified);
        let list = kept.periods.list();
        let layouts = Layouts { cells: list.len(), list: vec![kept.layout.clone()], of_place: vec![0] };
        let spread = Spread::new(&alone, &groups, layouts);
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        let cells = stand.cells(whereabouts);
        let mut lines = Vec::new();
        for (period, figure) in list.iter().zip(figures.of_group(0)) {
            if figure.asked_us > 0 {
                let mut line: Line = cells.to_vec();
                line.extend(when(period, &kept.clock, whereabouts));
                line.extend(what(figure));
                lines.push(line);
            }
        }
        self.together.add_time(&figures.together);
        self.periods = Some(kept);
        Ok(Some(lines))
    }

    /// For how much of the time all lines speak.
    pub(super) fn about(&self) -> Vec<(&'static str, String)> {
        let Figure { usage, asked_us, .. } = &self.together;
        let percent = |signals| {
            let covered_us = usage.coverage.covered_us(signals);
            let share = covered_us as f64 / (*asked_us).max(1) as f64 * 100.0;
            format!("{share:.1} % of the time asked")
        };
        vec![("speed known for", percent(SPEED)), ("direction known for", percent(DIRECTION))]
    }
}

const SPEED: Capabilities = Capabilities::SPEED;
const DIRECTION: Capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION);

/// Only this stand.
fn alone(whereabouts: &Whereabouts, stand: &Stand) -> Whereabouts {
    let Whereabout { machine, stands_here, .. } = &whereabouts.machines[stand.machine];
    let visits = stand.visits.iter().map(|visit| Visit { place: 0, ..*visit }).collect();
    Whereabouts {
        now: whereabouts.now,
        places: vec![whereabouts.places[stand.place].clone()],
        machines: vec![Whereabout { machine: machine.clone(), visits, stands_here: *stands_here }],
    }
}

/// When a period begins on the clock there, how far that is ahead of UTC, and whether the span or the present cuts it.
fn when(period: &Period, clock: &Clock, whereabouts: &Whereabouts) -> [Cell; 3] {
    let begin = match period.hour {
        Some(hour) => format!("{}T{:02}:00", period.begin, hour.hour),
        None => period.begin.to_string(),
    };
    let first = period.spans.first().map_or(0, |span| span.from);
    let end = period.spans.last().map_or(0, |span| span.until);
    let is_partial = period.is_cut || quarter_begin(end) > whereabouts.now;
    [Cell::Text(begin), clock::hours(clock.offset_seconds(quarter_begin(first))), Cell::Flag(is_partial)]
}

fn what(figure: &Figure) -> Vec<Cell> {
    let Figure { usage, asked_us, .. } = figure;
    let (forward, reverse, unknown) =
        (usage.of_direction(Direction::Forward), usage.of_direction(Direction::Reverse), unknown(usage));
    let of_origin = |origin: Origin| {
        usage.sum(|key| key.direction == Direction::Forward && key.origin == origin).observed_us
    };
    let greatest = usage.motion().speed_max.max(unknown.speed_max);
    let moved = forward.observed_us + reverse.observed_us + unknown.observed_us > 0;
    let metres = |nanometres: u128| Cell::Number(nanometres as f64 / NANOMETRES, 2);
    let (speed_us, direction_us) = (usage.coverage.covered_us(SPEED), usage.coverage.covered_us(DIRECTION));
    vec![
        Cell::minutes(*asked_us),
        Cell::minutes(forward.observed_us),
        Cell::minutes(of_origin(Origin::Measured)),
        Cell::minutes(of_origin(Origin::Declared)),
        Cell::minutes(reverse.observed_us),
        Cell::minutes(unknown.observed_us),
        Cell::minutes(usage.rest_us),
        metres(forward.distance_nm),
        metres(reverse.distance_nm),
        metres(unknown.distance_nm),
        if moved { Cell::Number(greatest.kmh(), 2) } else { Cell::Empty },
        Cell::minutes(speed_us),
        Cell::minutes(direction_us),
        Cell::percent(speed_us, *asked_us),
        Cell::percent(direction_us, *asked_us),
    ]
}
