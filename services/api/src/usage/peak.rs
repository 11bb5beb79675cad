//! The most machines in a session at once.

use domain::ids::MachineId;
use domain::limits::{MACHINES_NAMED_MAX, SESSION_SPANS_READ_MAX};
use domain::units::UnixMicros;
use store::ledger::Ledger;

use super::whereabouts::{Place, Whereabout, Whereabouts, quarter_begin, today};
use crate::status::{ApiError, Violation};

/// A span of time: from, until.
type Span = (UnixMicros, UnixMicros);

/// How many machines of a place were in a session at once at most, and when that was first so; `None`: none ever was.
///
/// # Errors
/// More sessions than one request looks at, with the nearest that is allowed.
pub(super) async fn of_place(
    ledger: &dyn Ledger,
    whereabouts: &Whereabouts,
    place: usize,
) -> Result<Option<(u32, UnixMicros)>, ApiError> {
    let at = &whereabouts.places[place];
    let (from, until) = (quarter_begin(at.range.from), quarter_begin(at.range.until));
    let here: Vec<&Whereabout> = whereabouts
        .machines
        .iter()
        .filter(|whereabout| whereabout.visits.iter().any(|visit| visit.place == place))
        .collect();
    let mut spans: Vec<Span> = Vec::new();
    let mut left = SESSION_SPANS_READ_MAX;
    for machines in here.chunks(MACHINES_NAMED_MAX) {
        let ids: Vec<MachineId> = machines.iter().map(|whereabout| whereabout.machine.id.clone()).collect();
        let sessions = ledger.session_spans(&ids, from, until, left).await?;
        left -= sessions.len();
        if let (0, Some((_, last, _))) = (left, sessions.last()) {
            return Err(too_many(at, *last));
        }
        for (machine, began, moved) in sessions {
            let found = machines.binary_search_by(|whereabout| whereabout.machine.id.cmp(&machine));
            let Some(whereabout) = found.ok().map(|index| machines[index]) else { continue };
            for visit in whereabout.visits.iter().filter(|visit| visit.place == place) {
                let from = began.max(quarter_begin(visit.span.from));
                // A session of one moment was there, too.
                let until = moved.max(began.plus(1)).min(quarter_begin(visit.span.until));
                if from < until {
                    spans.push((from, until));
                }
            }
        }
    }
    Ok(most_at_once(&spans))
}

fn too_many(place: &Place, last: UnixMicros) -> ApiError {
    let site = &place.site.id;
    let fewer = "name fewer machines";
    let allowed = match today(&place.zones, last) {
        Ok(date) if date > place.dates.0 => format!("ask until {date}, or {fewer}"),
        Ok(_) | Err(_) => fewer.to_owned(),
    };
    let max = SESSION_SPANS_READ_MAX - 1;
    let description =
        format!("holds more than {max} sessions at site \"{site}\"; {max} are allowed: {allowed}");
    Violation { field: "range", description }.into()
}

/// How many spans overlap at most, and when they first do. A span that begins as another ends does not overlap it.
fn most_at_once(spans: &[Span]) -> Option<(u32, UnixMicros)> {
    let begins = spans.iter().map(|(from, _)| (*from, 1));
    let ends = spans.iter().map(|(_, until)| (*until, -1));
    let mut changes: Vec<(UnixMicros, i32)> = begins.chain(ends).collect();
    changes.sort_unstable();
    let mut most: Option<(u32, UnixMicros)> = None;
    let mut count: i32 = 0;
    for (time, change) in changes {
        count += change;
        let now = u32::try_from(count).unwrap_or(0);
        if now > most.map_or(0, |(most, _)| most) {
            most = Some((now, time));
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_at_once_is_told_with_its_first_moment() {
        #[track_caller]
        fn check(spans: &[(i64, i64)], expected: Option<(u32, i64)>) {
            let spans: Vec<Span> =
                spans.iter().map(|(from, until)| (UnixMicros(*from), UnixMicros(*until))).collect();
            assert_eq!(most_at_once(&spans), expected.map(|(most, time)| (most, UnixMicros(time))));
        }
        check(&[], None);
        check(&[(5, 9)], Some((1, 5)));
        check(&[(5, 9), (9, 12)], Some((1, 5)));
        check(&[(5, 9), (8, 12), (20, 30), (21, 22)], Some((2, 8)));
        check(&[(0, 100), (10, 20), (15, 30), (16, 17), (20, 90)], Some((4, 16)));
    }
}
