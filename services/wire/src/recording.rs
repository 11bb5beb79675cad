//! Pieces of recordings: columns of differences, so that 128 noisy points fit a record.

use domain::belt::Direction;
use domain::limits;
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::units::{Incline, MonotonicMicros, Speed};

use crate::convert::{
    contacts_from, direction_from, direction_to, incline_from, origin_from, origin_to, speed_from,
};
use crate::{Unreadable, proto};

/// What is added to an incline, so that 0 is free for "not known".
const INCLINE_SHIFT: i64 = 1_001;

pub(crate) fn piece_to(piece: &RecordingPiece) -> proto::RecordingPiece {
    let points = &piece.points;
    let gaps = points.windows(2).map(|pair| pair[1].at.since(pair[0].at));
    let column = |value: fn(&RecordingPoint) -> i64| differences(points.iter().map(value));
    proto::RecordingPiece {
        trigger_monotonic_us: piece.trigger.0,
        number: piece.number,
        is_last: piece.is_last,
        points: u32::try_from(points.len()).unwrap_or(u32::MAX),
        gap_us: gaps.collect(),
        direction: column(|point| i64::from(i32::from(direction_to(point.direction)))),
        origin: column(|point| i64::from(i32::from(origin_to(point.origin)))),
        speed_mm_s: column(|point| point.speed.map_or(0, |speed| i64::from(speed.0) + 1)),
        incline_tenths_pct: column(|point| {
            point.incline.map_or(0, |incline| i64::from(incline.0) + INCLINE_SHIFT)
        }),
        contacts_closed: column(|point| i64::from(point.contacts.closed)),
        contacts_open: column(|point| i64::from(point.contacts.open)),
    }
}

/// Reads a piece whose last point is at the record's time.
pub(crate) fn piece_from(
    piece: proto::RecordingPiece,
    last: MonotonicMicros,
) -> Result<RecordingPiece, Unreadable> {
    let count = usize::try_from(piece.points).unwrap_or(usize::MAX);
    let max = limits::RECORDING_POINTS_MAX;
    if !(1..=max).contains(&count) {
        let message = format!("RecordingPiece.points is {count}; 1 to {max} is allowed");
        return Err(Unreadable::new(message));
    }
    let times = times(&piece.gap_us, count, last)?;
    let directions = column("direction", &piece.direction, count)?;
    let origins = column("origin", &piece.origin, count)?;
    let speeds = column("speed_mm_s", &piece.speed_mm_s, count)?;
    let inclines = column("incline_tenths_pct", &piece.incline_tenths_pct, count)?;
    let closed = column("contacts_closed", &piece.contacts_closed, count)?;
    let open = column("contacts_open", &piece.contacts_open, count)?;
    let mut points = Vec::with_capacity(count);
    for index in 0..count {
        let closed = natural("contacts_closed", closed[index])?;
        let open = natural("contacts_open", open[index])?;
        points.push(RecordingPoint {
            at: times[index],
            direction: direction(directions[index])?,
            origin: origin_from("RecordingPiece.origin", small(origins[index]))?,
            speed: speed(speeds[index])?,
            incline: incline(inclines[index])?,
            contacts: contacts_from("RecordingPiece.contacts", closed, open)?,
        });
    }
    let trigger = MonotonicMicros(piece.trigger_monotonic_us);
    Ok(RecordingPiece { trigger, number: piece.number, is_last: piece.is_last, points })
}

/// Differences without the zeros at the end.
fn differences(values: impl Iterator<Item = i64>) -> Vec<i32> {
    let mut before = 0;
    let mut differences: Vec<i32> =
        values.map(|value| small(value - std::mem::replace(&mut before, value))).collect();
    let length = differences.iter().rposition(|difference| *difference != 0).map_or(0, |last| last + 1);
    differences.truncate(length);
    differences
}

/// The values of a column again.
fn column(field: &str, differences: &[i32], count: usize) -> Result<Vec<i64>, Unreadable> {
    if differences.len() > count {
        let length = differences.len();
        let message =
            format!("RecordingPiece.{field} has {length} values; at most {count}, one a point, are allowed");
        return Err(Unreadable::new(message));
    }
    let zeros = std::iter::repeat(&0);
    let mut value = 0;
    Ok(differences
        .iter()
        .chain(zeros)
        .take(count)
        .map(|difference| {
            // At most 128 differences of 32 bits: they cannot overflow.
            value += i64::from(*difference);
            value
        })
        .collect())
}

fn times(gaps: &[u64], count: usize, last: MonotonicMicros) -> Result<Vec<MonotonicMicros>, Unreadable> {
    let (length, expected) = (gaps.len(), count - 1);
    if length != expected {
        let message = format!(
            "RecordingPiece.gap_us has {length} values; {expected}, one fewer than points, are required"
        );
        return Err(Unreadable::new(message));
    }
    let mut times = vec![last];
    let mut at = last;
    for gap in gaps.iter().rev() {
        let earlier = at.0.checked_sub(*gap).filter(|_| *gap > 0).ok_or_else(|| {
            let most = at.0;
            Unreadable::new(format!(
                "RecordingPiece.gap_us is {gap}; 1 to {most}, the time of its point, is allowed"
            ))
        })?;
        at = MonotonicMicros(earlier);
        times.push(at);
    }
    times.reverse();
    Ok(times)
}

fn direction(value: i64) -> Result<Direction, Unreadable> {
    direction_from("RecordingPiece.direction", small(value))
}

fn speed(value: i64) -> Result<Option<Speed>, Unreadable> {
    let raw = natural("speed_mm_s", value)?;
    speed_from("RecordingPiece.speed_mm_s", raw.checked_sub(1))
}

fn incline(value: i64) -> Result<Option<Incline>, Unreadable> {
    let raw = natural("incline_tenths_pct", value)?;
    let tenths = (raw != 0).then(|| small(i64::from(raw) - INCLINE_SHIFT));
    incline_from("RecordingPiece.incline_tenths_pct", tenths)
}

fn natural(field: &str, value: i64) -> Result<u32, Unreadable> {
    u32::try_from(value).map_err(|_| {
        Unreadable::new(format!("RecordingPiece.{field} comes to {value}; 0 to {} is allowed", u32::MAX))
    })
}

/// Values are bounded far below this where they are made; what is read beyond it is refused by its own bound.
fn small(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}
