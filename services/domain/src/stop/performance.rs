//! How the braking of a machine changes: its measured stops over time.

use crate::belt::STANDSTILL;
use crate::units::{Speed, UnixMicros};

/// Fewer stops than this tell nothing.
const STOPS_MIN: usize = 5;
/// Stops over a shorter time than this, in microseconds (7 days), tell nothing.
const SPAN_US: i64 = 7 * DAY_US;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// A change is told over so many days.
const PER_DAYS: f64 = 30.0;

/// A belt that was brought from a speed to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Braking {
    /// When the contact opened.
    pub time: UnixMicros,
    /// Speed at the edge.
    pub speed: Speed,
    /// From the edge to standstill, in milliseconds.
    pub time_ms: u32,
}

impl Braking {
    /// Mean deceleration, in metres per second squared; `None`: the belt did not move, or no time passed.
    fn deceleration(&self) -> Option<f64> {
        // Millimetres per second over milliseconds are metres per second squared.
        let is_stop = self.speed > STANDSTILL && self.time_ms > 0;
        is_stop.then(|| f64::from(self.speed.0) / f64::from(self.time_ms))
    }
}

/// How braking changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// How many stops it rests on.
    pub stops: usize,
    /// Their mean deceleration, in metres per second squared.
    pub deceleration: f64,
    /// Change of the deceleration over 30 days, in per cent of the mean; less than zero: the belt takes longer to stop.
    pub percent_per_30_days: f64,
}

/// The line of least squares through the decelerations; `None`: there are fewer than 5 stops of a moving belt, or they lie
/// within less than 7 days. The order of the stops does not matter.
pub fn trend(stops: &[Braking]) -> Option<Trend> {
    let first = stops.iter().map(|stop| stop.time).min()?;
    let point = |stop: &Braking| {
        // Days since the first one; a double holds every microsecond of centuries.
        Some((stop.time.since(first), stop.deceleration()?))
    };
    let points: Vec<(i64, f64)> = stops.iter().filter_map(point).collect();
    let ends = points.iter().map(|(at, _)| *at);
    let span = ends.clone().max()? - ends.min()?;
    if points.len() < STOPS_MIN || span < SPAN_US {
        return None;
    }
    let count = points.len() as f64;
    let days = |at: i64| at as f64 / DAY_US as f64;
    let mean_day = points.iter().map(|(at, _)| days(*at)).sum::<f64>() / count;
    let deceleration = points.iter().map(|(_, value)| *value).sum::<f64>() / count;
    let (mut slope, mut spread) = (0.0, 0.0);
    for (at, value) in &points {
        let day = days(*at) - mean_day;
        slope += day * (value - deceleration);
        spread += day * day;
    }
    let percent_per_30_days = slope / spread * PER_DAYS / deceleration * 100.0;
    Some(Trend { stops: points.len(), deceleration, percent_per_30_days })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A stop so many days on, from 2 m/s, in so many milliseconds.
    fn stop(day: i64, time_ms: u32) -> Braking {
        Braking { time: UnixMicros(1_795_176_000_000_000 + day * DAY_US), speed: Speed(2_000), time_ms }
    }

    /// Deceleration and change of these stops, rounded to a thousandth and a tenth.
    #[track_caller]
    fn check(stops: &[Braking], expected: Option<(usize, f64, f64)>) {
        let found = trend(stops).map(|trend| {
            let rounded = |value: f64, places: f64| (value * places).round() / places;
            let Trend { stops, deceleration, percent_per_30_days } = trend;
            (stops, rounded(deceleration, 1_000.0), rounded(percent_per_30_days, 10.0))
        });
        assert_eq!(found, expected, "{stops:?}");
    }

    #[test]
    fn a_line_through_known_stops() {
        let each_week = |times: &[u32]| -> Vec<Braking> {
            (0..).zip(times).map(|(week, time)| stop(week * 7, *time)).collect()
        };
        check(&each_week(&[2_000; 5]), Some((5, 1.0, 0.0)));
        // 1.00, 0.98 … 0.92 m/s²: 0.02 a week are 0.0857 in 30 days, of 0.96.
        let weaker = each_week(&[2_000, 2_041, 2_083, 2_128, 2_174]);
        check(&weaker, Some((5, 0.96, -8.9)));
        let mut mixed = weaker.clone();
        mixed.reverse();
        mixed.swap(1, 3);
        check(&mixed, Some((5, 0.96, -8.9)));
        check(&each_week(&[2_174, 2_128, 2_083, 2_041, 2_000]), Some((5, 0.96, 8.9)));
    }

    #[test]
    fn too_few_or_too_close_tell_nothing() {
        check(&[], None);
        check(&(0..4).map(|week| stop(week * 7, 2_000)).collect::<Vec<_>>(), None);
        check(&(0..6).map(|day| stop(day, 2_000)).collect::<Vec<_>>(), None);
        check(&(0..8).map(|day| stop(day, 2_000)).collect::<Vec<_>>(), Some((8, 1.0, 0.0)));
        check(&[stop(3, 2_000); 9], None);
    }

    #[test]
    fn a_belt_that_stood_is_no_stop() {
        let mut stops: Vec<Braking> = (0..6).map(|week| stop(week * 7, 2_000)).collect();
        stops[0].speed = Speed(0);
        check(&stops, Some((5, 1.0, 0.0)));
        stops[1].time_ms = 0;
        check(&stops, None);
    }

    proptest! {
        #[test]
        fn any_stops_give_finite_figures(
            stops in prop::collection::vec((any::<i32>(), any::<u32>(), any::<u32>()), 0..20),
        ) {
            let stops: Vec<Braking> = stops
                .into_iter()
                .map(|(hours, speed, time_ms)| Braking {
                    time: UnixMicros(i64::from(hours) * 3_600_000_000),
                    speed: Speed(speed),
                    time_ms,
                })
                .collect();
            if let Some(trend) = trend(&stops) {
                prop_assert!(trend.stops >= STOPS_MIN && trend.deceleration > 0.0);
                prop_assert!(trend.percent_per_30_days.is_finite(), "{trend:?}");
            }
        }
    }
}
