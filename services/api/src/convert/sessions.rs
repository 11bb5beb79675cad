//! Sessions, their segments and intervals, to messages of the public API.

use domain::belt::{Direction, STANDSTILL};
use domain::live::{Segment, Session};
use domain::registry::{BeltKind, direction_as_registered};
use domain::units::{Incline, Speed};
use domain::usage::Grade;
use domain::usage::intervals::{Interval, RecoveryKind, intervals};
use wire::api::v1;

use super::{direction, duration, origin, timestamp};

/// A session whose segments stand as the registry lets them be read, as [`registered`] gives them.
pub(crate) fn session(
    session: &Session,
    segments: &[Segment],
    records_lost: u64,
    course_code: String,
) -> v1::Session {
    let asked = asked_us(session);
    v1::Session {
        id: session.id.to_string(),
        machine_id: session.machine.to_string(),
        start_time: Some(timestamp(session.started)),
        last_motion_time: Some(timestamp(session.last_motion)),
        ended: session.ended,
        segments: segments.iter().map(segment).collect(),
        coverage: Some(v1::Coverage {
            covered: Some(duration(observed_us(segments).min(asked))),
            asked: Some(duration(asked)),
            records_lost,
        }),
        intervals: intervals(segments).iter().map(interval).collect(),
        guidance: guidance(segments),
        course_code,
    }
}

/// From first to last motion, in microseconds.
pub(crate) fn asked_us(session: &Session) -> u64 {
    u64::try_from(session.last_motion.since(session.started)).unwrap_or(0)
}

/// Time of segments for which readings speak, in microseconds.
pub(crate) fn observed_us(segments: &[Segment]) -> u64 {
    segments.iter().map(|segment| segment.observed_us).sum()
}

/// Whether the belt moved in a segment.
pub(crate) fn is_motion(segment: &Segment) -> bool {
    match segment.direction {
        Direction::Stopped => false,
        Direction::Forward | Direction::Reverse | Direction::Unknown => segment.speed_max > STANDSTILL,
    }
}

/// Segments as the registry lets them be read.
pub(crate) fn registered(segments: &[Segment], kind: BeltKind) -> Vec<Segment> {
    segments.iter().map(|segment| as_registered(segment, kind)).collect()
}

fn as_registered(segment: &Segment, kind: BeltKind) -> Segment {
    let moving = Some(segment.speed_max > STANDSTILL);
    let (direction, origin) = direction_as_registered(kind, segment.direction, segment.origin, moving);
    let mut read = Segment { direction, origin, ..*segment };
    // What was not level could not be called uphill or downhill as long as the direction was not known.
    let is_known_throughout = segment.incline_us >= segment.observed_us;
    if direction != segment.direction && segment.grade == Grade::Unknown && is_known_throughout {
        read.grade = match Grade::of(direction, segment.incline()) {
            // Level parts are segments of their own: it went up and down, or was not known.
            Grade::Level | Grade::Unknown => Grade::Unknown,
            steep @ (Grade::Uphill | Grade::Downhill) => steep,
        };
    }
    read
}

fn segment(segment: &Segment) -> v1::Segment {
    v1::Segment {
        direction: direction(segment.direction),
        origin: origin(segment.origin),
        start_time: Some(timestamp(segment.started)),
        end_time: Some(timestamp(segment.ended)),
        observed: Some(duration(segment.observed_us)),
        distance_m: metres(segment.distance_mm),
        speed_max_mps: segment.speed_max.mps(),
        grade: grade(segment.grade),
        incline_percent: segment.incline().map(Incline::percent),
    }
}

/// A double holds every millimetre up to nine million kilometres.
pub(crate) fn metres(millimetres: u64) -> f64 {
    millimetres as f64 / 1_000.0
}

/// How steep it was for the person.
pub(crate) fn grade(grade: Grade) -> i32 {
    match grade {
        Grade::Level => v1::Grade::Level,
        Grade::Uphill => v1::Grade::Uphill,
        Grade::Downhill => v1::Grade::Downhill,
        Grade::Unknown => v1::Grade::Unspecified,
    }
    .into()
}

/// A run of motion in one direction.
pub(crate) fn interval(interval: &Interval) -> v1::Interval {
    let length = |micros: i64| duration(u64::try_from(micros).unwrap_or(0));
    let mean = speed_mean(interval.distance_mm, interval.observed_us);
    v1::Interval {
        direction: direction(interval.direction),
        origin: origin(interval.origin),
        start_time: Some(timestamp(interval.started)),
        length: Some(length(interval.length_us())),
        distance_m: metres(interval.distance_mm),
        speed_mean_mps: mean.map(Speed::mps),
        speed_max_mps: interval.speed_max.mps(),
        grade: grade(interval.grade),
        is_thirty: interval.is_thirty(),
        recovery: recovery(interval.recovery.map(|recovery| recovery.kind)),
        recovery_length: interval.recovery.map(|recovery| length(recovery.length_us)),
    }
}

/// What came after an interval; `None`: there was no further one of its direction.
pub(crate) fn recovery(kind: Option<RecoveryKind>) -> i32 {
    match kind {
        None => v1::RecoveryKind::Unspecified,
        Some(RecoveryKind::Standing) => v1::RecoveryKind::Standing,
        Some(RecoveryKind::Forward) => v1::RecoveryKind::Forward,
        Some(RecoveryKind::Reverse) => v1::RecoveryKind::Reverse,
        Some(RecoveryKind::Mixed) => v1::RecoveryKind::Mixed,
        Some(RecoveryKind::Unseen) => v1::RecoveryKind::Unseen,
    }
    .into()
}

/// Mean speed over observed microseconds, rounded to the nearest; `None`: nothing was observed.
pub(crate) fn speed_mean(distance_mm: u64, observed_us: u64) -> Option<Speed> {
    let half = u128::from(observed_us) / 2;
    let mean = (u128::from(distance_mm) * 1_000_000 + half).checked_div(u128::from(observed_us))?;
    Some(Speed(u32::try_from(mean).unwrap_or(u32::MAX)))
}

/// How much of reverse motion was as starting advice says; `None`: there was none.
fn guidance(segments: &[Segment]) -> Option<v1::Guidance> {
    let reverse: Vec<&Segment> = segments
        .iter()
        .filter(|segment| segment.direction == Direction::Reverse && is_motion(segment))
        .collect();
    if reverse.is_empty() {
        return None;
    }
    let sum = |part: fn(&Segment) -> u64| Some(duration(reverse.iter().map(|segment| part(segment)).sum()));
    let of_grade = |segment: &Segment, is_wanted: bool| if is_wanted { segment.observed_us } else { 0 };
    let of = |wanted: fn(Grade) -> bool| {
        Some(duration(reverse.iter().map(|segment| of_grade(segment, wanted(segment.grade))).sum()))
    };
    Some(v1::Guidance {
        reverse: sum(|segment| segment.observed_us),
        slow: sum(|segment| segment.guidance.slow_us),
        level: of(|grade| grade == Grade::Level),
        level_known: of(|grade| grade != Grade::Unknown),
        rail_held: sum(|segment| segment.guidance.rail_held_us),
        rail_known: sum(|segment| segment.guidance.rail_known_us),
        key_in: sum(|segment| segment.guidance.key_in_us),
        key_known: sum(|segment| segment.guidance.key_known_us),
    })
}

#[cfg(test)]
mod tests {
    use domain::belt::Origin;
    use domain::units::UnixMicros;

    use super::*;

    /// An unseen direction at an incline known for so much of 10 s, on a one-way belt.
    fn check(seen: Grade, incline_us: u64, incline: i64, expected: Grade) {
        let mut segment = Segment::begun(Direction::Unknown, Origin::Unknown, seen, UnixMicros(0));
        segment.observed_us = 10_000_000;
        segment.speed_max = Speed(1_000);
        (segment.incline_us, segment.incline_sum) =
            (incline_us, incline * i64::try_from(incline_us).unwrap());
        let [read] = registered(&[segment], BeltKind::OneWay)[..] else { panic!() };
        assert_eq!(
            (read.direction, read.origin, read.grade),
            (Direction::Forward, Origin::Declared, expected)
        );
        let [unsaid] = registered(&[segment], BeltKind::Reversible)[..] else { panic!() };
        assert_eq!(unsaid, segment);
    }

    #[test]
    fn a_one_way_belt_has_the_grade_that_its_incline_gives_it() {
        check(Grade::Level, 10_000_000, 3, Grade::Level);
        check(Grade::Unknown, 10_000_000, 50, Grade::Uphill);
        check(Grade::Unknown, 10_000_000, -50, Grade::Downhill);
        // Half of it is not known; nothing is; up and down.
        check(Grade::Unknown, 5_000_000, 50, Grade::Unknown);
        check(Grade::Unknown, 0, 0, Grade::Unknown);
        check(Grade::Unknown, 10_000_000, 2, Grade::Unknown);
    }

    #[test]
    fn a_mean_speed_is_rounded_to_the_nearest() {
        for (distance_mm, observed_us, expected) in
            [(0, 0, None), (0, 1, Some(0)), (1_000, 3_000_000, Some(333)), (2_000, 3_000_000, Some(667))]
        {
            assert_eq!(speed_mean(distance_mm, observed_us), expected.map(Speed));
        }
    }
}
