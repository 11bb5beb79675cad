//! How many lines a file will have, as far as that can be told beforehand.

use std::collections::BTreeMap;

use domain::limits::SESSION_SPANS_READ_MAX;
use domain::usage::calendar::Resolution;
use jiff::civil::Date;
use store::ledger::Ledger;

use super::super::Usages;
use super::super::whereabouts::{Whereabouts, quarter_begin};
use super::clock::Clock;
use super::stands::stands;
use super::usage_lines::{PlacePeriods, first_weekday};
use super::{Form, Kind};
use crate::status::{ApiError, Violation};

/// Lines by the date on which they begin.
type ByDate = BTreeMap<Date, usize>;

impl Usages {
    /// Whether a file holds all lines. Intervals are in sessions and are counted as they come.
    ///
    /// # Errors
    /// More than that, with the nearest span that is allowed.
    pub(super) async fn check_count(
        &self,
        whereabouts: &Whereabouts,
        kind: Kind,
        form: Form,
    ) -> Result<(), ApiError> {
        let by_date = match kind {
            Kind::Usage(resolution) => periods(whereabouts, resolution)?,
            Kind::Sessions => sessions(&*self.ledger, whereabouts).await?,
            Kind::Intervals => return Ok(()),
        };
        check(&by_date, kind, form, form.lines_max())
    }
}

fn check(by_date: &ByDate, kind: Kind, form: Form, max: usize) -> Result<(), ApiError> {
    let count: usize = by_date.values().sum();
    if count <= max {
        return Ok(());
    }
    let mut before = 0;
    let mut first_too_many = by_date.iter().skip_while(|(_, lines)| {
        before += **lines;
        before <= max
    });
    let until = first_too_many.next().map(|(date, _)| *date);
    let until = until.filter(|until| by_date.first_key_value().is_some_and(|(first, _)| first < until));
    let mut allowed: Vec<String> = until.iter().map(|until| format!("ask until {until}")).collect();
    if let Kind::Usage(resolution) = kind
        && let Some(coarser) = resolution.coarser().filter(|coarser| *coarser != Resolution::Total)
    {
        allowed.push(format!("by {}", coarser.name()));
    }
    allowed.push("name fewer sites or machines".to_owned());
    let (allowed, form) = (allowed.join(", or "), form.name());
    let description = format!("makes {count} lines; at most {max} are allowed in a {form} file: {allowed}");
    Err(Violation { field: "range", description }.into())
}

/// Periods of all stands: of each at most those that it was there for.
fn periods(whereabouts: &Whereabouts, resolution: Resolution) -> Result<ByDate, ApiError> {
    let mut by_date = ByDate::new();
    let first = first_weekday(whereabouts);
    for of_place in stands(whereabouts).chunk_by(|one, next| one.place == next.place) {
        let Some(place) = of_place.first().map(|stand| stand.place) else { continue };
        let periods = PlacePeriods::of(place, &whereabouts.places[place], resolution, first)?.periods;
        // How many more stands have a period than have the one before.
        let mut steps = vec![0_i64; periods.list().len() + 1];
        for stand in of_place {
            let mut next = 0;
            for visit in &stand.visits {
                let from = periods.index_of(visit.span.from).unwrap_or(0).max(next);
                let until = periods.index_of(visit.span.until - 1).map_or(from, |last| last + 1).max(from);
                steps[from] += 1;
                steps[until] -= 1;
                next = until;
            }
        }
        let mut here = 0;
        for (period, step) in periods.list().iter().zip(steps) {
            here += step;
            *by_date.entry(period.begin).or_insert(0) += usize::try_from(here).unwrap_or(0);
        }
    }
    Ok(by_date)
}

async fn sessions(ledger: &dyn Ledger, whereabouts: &Whereabouts) -> Result<ByDate, ApiError> {
    let mut by_date = ByDate::new();
    let mut kept: Option<(usize, Clock)> = None;
    for stand in stands(whereabouts) {
        let clock = match kept.take().filter(|(place, _)| *place == stand.place) {
            Some((_, clock)) => clock,
            None => Clock::of(&whereabouts.places[stand.place])?,
        };
        let machine = [whereabouts.machines[stand.machine].machine.id.clone()];
        for visit in &stand.visits {
            let (from, until) = (quarter_begin(visit.span.from), quarter_begin(visit.span.until));
            let spans = ledger.session_spans(&machine, from, until, SESSION_SPANS_READ_MAX).await?;
            for (_, started, _) in spans.iter().filter(|(_, started, _)| *started >= from) {
                *by_date.entry(clock.date(*started)).or_insert(0) += 1;
            }
        }
        kept = Some((stand.place, clock));
    }
    Ok(by_date)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn refused(days: &[usize], max: usize, kind: Kind) -> Option<String> {
        let dates = (1..).map(|day| date(2026, 11, day));
        let by_date: ByDate = dates.zip(days.iter().copied()).collect();
        let Err(ApiError::Fields(violations)) = check(&by_date, kind, Form::Csv, max) else { return None };
        Some(violations.into_iter().map(|one| one.description).collect())
    }

    #[test]
    fn too_many_lines_are_refused_with_the_nearest_span_that_is_allowed() {
        let by_day = Kind::Usage(Resolution::Day);
        assert_eq!(refused(&[3, 3, 4], 10, by_day), None);
        let expected = "makes 11 lines; at most 10 are allowed in a csv file: ask until 2026-11-03, or by week, or name \
                        fewer sites or machines";
        assert_eq!(refused(&[3, 3, 5], 10, by_day).as_deref(), Some(expected));
        let expected = "makes 11 lines; at most 10 are allowed in a csv file: ask until 2026-11-03, or name fewer sites or machines";
        assert_eq!(refused(&[5, 5, 1], 10, Kind::Sessions).as_deref(), Some(expected));
        let expected = "makes 20 lines; at most 10 are allowed in a csv file: name fewer sites or machines";
        assert_eq!(refused(&[20], 10, Kind::Sessions).as_deref(), Some(expected));
    }
}
