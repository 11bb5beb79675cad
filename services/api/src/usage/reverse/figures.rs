//! Figures of many intervals in reverse: pure.

use std::collections::BTreeMap;

use domain::live::Segment;
use domain::usage::intervals::RecoveryKind;
use wire::api::v1;

use crate::convert::duration;
use crate::convert::sessions::recovery;
use crate::course::weeks::{median, reverse_intervals};

const SECOND_US: u64 = 1_000_000;
/// Where classes of lengths begin, in seconds; each goes up to the next one, the last one has no end.
const CLASSES: [u64; 7] = [5, 10, 25, 35, 60, 120, 300];

/// Intervals of many sessions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct IntervalSums {
    /// Lengths, in microseconds, in any order.
    lengths_us: Vec<u64>,
    thirty: u32,
    /// By what came after: how many, and how long it was, in microseconds; `None`: there was no further interval.
    recoveries: BTreeMap<Option<RecoveryKind>, (u32, u64)>,
    /// Length of intervals that had a recovery.
    work_us: u64,
}

impl IntervalSums {
    /// Adds a session with its segments as the registry lets them be read.
    pub(super) fn add(&mut self, segments: &[Segment]) {
        for interval in reverse_intervals(segments) {
            let length_us = positive(interval.length_us());
            self.lengths_us.push(length_us);
            self.thirty += u32::from(interval.is_thirty());
            let kind = interval.recovery.map(|recovery| recovery.kind);
            let (count, sum_us) = self.recoveries.entry(kind).or_default();
            *count += 1;
            if let Some(recovery) = interval.recovery {
                *sum_us += positive(recovery.length_us);
                self.work_us += length_us;
            }
        }
    }

    /// Their figures.
    pub(super) fn show(mut self) -> v1::IntervalFigures {
        self.lengths_us.sort_unstable();
        let rest_us: u64 = self.recoveries.values().map(|(_, micros)| micros).sum();
        v1::IntervalFigures {
            count: number(self.lengths_us.len()),
            thirty: self.thirty,
            median: median(&self.lengths_us).map(duration),
            longest: self.lengths_us.last().map(|longest| duration(*longest)),
            classes: classes(&self.lengths_us),
            recoveries: self.recoveries.iter().map(show_recovery).collect(),
            work_to_rest: (rest_us > 0).then(|| self.work_us as f64 / rest_us as f64),
        }
    }
}

fn show_recovery((kind, (count, sum_us)): (&Option<RecoveryKind>, &(u32, u64))) -> v1::RecoveryCount {
    v1::RecoveryCount {
        kind: recovery(*kind),
        count: *count,
        mean: kind.map(|_| duration(sum_us / u64::from(*count).max(1))),
    }
}

/// How many of ascending lengths are in each class.
fn classes(ascending_us: &[u64]) -> Vec<v1::IntervalClass> {
    let below = |seconds: u64| ascending_us.partition_point(|length| *length < seconds * SECOND_US);
    let ends = CLASSES.iter().skip(1).map(|end| Some(*end)).chain([None]);
    let class = |(from, to): (&u64, Option<u64>)| v1::IntervalClass {
        from: Some(duration(from * SECOND_US)),
        to: to.map(|to| duration(to * SECOND_US)),
        count: number(to.map_or(ascending_us.len(), below) - below(*from)),
    };
    CLASSES.iter().zip(ends).map(class).collect()
}

fn positive(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use domain::belt::{Direction, Origin};
    use domain::units::{Speed, UnixMicros};
    use domain::usage::Grade;

    use super::*;

    /// Segments one after the other: seconds, and which way; `None`: not seen.
    fn session(parts: &[(i64, Option<Direction>)]) -> Vec<Segment> {
        let mut at = UnixMicros(0);
        let mut segments = Vec::new();
        for (seconds, direction) in parts {
            let ended = at.plus(seconds * 1_000_000);
            if let Some(direction) = *direction {
                let mm_s = if direction == Direction::Stopped { 0 } else { 500 };
                let observed_us = positive(ended.since(at));
                segments.push(Segment {
                    ended,
                    observed_us,
                    distance_mm: mm_s * observed_us / SECOND_US,
                    speed_max: Speed(u32::try_from(mm_s).unwrap()),
                    ..Segment::begun(direction, Origin::Measured, Grade::Level, at)
                });
            }
            at = ended;
        }
        segments
    }

    fn shown(sessions: &[&[(i64, Option<Direction>)]]) -> v1::IntervalFigures {
        let mut sums = IntervalSums::default();
        sessions.iter().for_each(|parts| sums.add(&session(parts)));
        sums.show()
    }

    const REVERSE: Option<Direction> = Some(Direction::Reverse);
    const FORWARD: Option<Direction> = Some(Direction::Forward);
    const STOPPED: Option<Direction> = Some(Direction::Stopped);

    #[test]
    fn nothing_has_no_figures() {
        let none = shown(&[&[(60, FORWARD)], &[(4, REVERSE)]]);
        assert_eq!((none.count, none.thirty, none.median, none.longest), (0, 0, None, None));
        assert_eq!((none.recoveries.len(), none.work_to_rest), (0, None));
        assert!(none.classes.iter().all(|class| class.count == 0));
    }

    #[test]
    fn lengths_fall_into_their_classes() {
        let lengths = [5, 9, 10, 24, 25, 34, 35, 59, 60, 119, 120, 299, 300, 4_000];
        let parts: Vec<Vec<(i64, Option<Direction>)>> =
            lengths.iter().map(|seconds| vec![(*seconds, REVERSE)]).collect();
        let figures = shown(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let seconds = |duration: Option<prost_types::Duration>| duration.map(|duration| duration.seconds);
        let classes: Vec<_> = figures
            .classes
            .iter()
            .map(|class| (seconds(class.from), seconds(class.to), class.count))
            .collect();
        let class = |from, to, count| (Some(from), Some(to), count);
        assert_eq!(
            classes,
            [
                class(5, 10, 2),
                class(10, 25, 2),
                class(25, 35, 2),
                class(35, 60, 2),
                class(60, 120, 2),
                class(120, 300, 2),
                (Some(300), None, 2),
            ]
        );
        // One of 35 s is one of 30 s, too; the median is between 35 and 59 s.
        assert_eq!((figures.count, figures.thirty, seconds(figures.median)), (14, 3, Some(47)));
        assert_eq!(seconds(figures.longest), Some(4_000));
    }

    #[test]
    fn recoveries_are_told_by_kind_and_work_is_held_against_them() {
        let figures = shown(&[
            &[(30, REVERSE), (60, STOPPED), (30, REVERSE), (30, FORWARD), (30, REVERSE)],
            &[(20, REVERSE), (40, STOPPED), (10, REVERSE), (50, None), (10, REVERSE)],
        ]);
        let recoveries: Vec<_> = figures
            .recoveries
            .iter()
            .map(|one| (one.kind(), one.count, one.mean.map(|mean| mean.seconds)))
            .collect();
        assert_eq!(
            recoveries,
            [
                (v1::RecoveryKind::Unspecified, 2, None),
                (v1::RecoveryKind::Standing, 2, Some(50)),
                (v1::RecoveryKind::Forward, 1, Some(30)),
                (v1::RecoveryKind::Unseen, 1, Some(50)),
            ]
        );
        // 30 + 30 + 20 + 10 s against 60 + 30 + 40 + 50 s.
        assert_eq!(figures.work_to_rest, Some(0.5));
    }
}
