//! R22: two sources tell different speeds.
//!
//! Memory: `value` is the mean speed of the reading before, in mm/s; `since` is the end of the first reading in which
//! both differed.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::Step;
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;

const DIFFERENCE: Threshold = Threshold {
    name: "speed-sources-disagree.difference",
    unit: Unit::MillimetresPerSecond,
    default: 139,
    min: 28,
    max: 1_389,
    reason: "0.5 km/h: five steps of a console that counts in tenths of a km/h.",
};
const PERCENT: Threshold = Threshold {
    name: "speed-sources-disagree.percent",
    unit: Unit::Percent,
    default: 10,
    min: 3,
    max: 50,
    reason: "Each step of a runner slows a belt by more than 5 %; its mean stays within 98 to 103 % of what is commanded.",
};
const HOLD: Threshold = Threshold {
    name: "speed-sources-disagree.hold",
    unit: Unit::Milliseconds,
    default: 5_000,
    min: 2_000,
    max: 600_000,
    reason: "A console tells its speed up to two seconds late.",
};
const GROSS: Threshold = Threshold {
    name: "speed-sources-disagree.gross",
    unit: Unit::Percent,
    default: 30,
    min: 10,
    max: 90,
    reason: "So much is no calibration any more: a wrong unit, a wrong circumference, or a source that is dead.",
};
/// A belt whose mean changes by more than this from one reading to the next, in mm/s, is on a ramp, where a late source
/// differs for no fault of its own: the slowest ramp that was measured changes by 140 mm/s in a second.
const STEADY_MM_S: i64 = 60;
/// Time without readings after which a comparison begins anew, in microseconds.
const BREAK_US: i64 = 2_000_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::SpeedSourcesDisagree,
    version: 1,
    title: "Speeds disagree",
    meaning: "While the speed is steady, two sources differ by more than the greater of 0.5 km/h and 10 % for the \
              holding time. The first is taken as its mean over two readings, so over 2 s of a moving belt. Low; \
              medium above 30 %. If one is 1.609 times the other, within 3 %, the unit is suspect.",
    reason: "One of them is wrong, and every figure that comes from it. Kilometres taken for miles show as a factor of \
             1.609.",
    rearm: "After both have agreed for 3 s.",
    card: "Compare both speeds with a hand tachometer. Check the unit and the calibration of the source that is wrong.",
    severities: &[Severity::Medium, Severity::Low],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::SECOND_SPEED)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: false,
    thresholds: &[DIFFERENCE, PERCENT, HOLD, GROSS],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    let Some((reading, _)) = step.reading() else {
        if step.event_of(EventKind::SourceStale).is_some() {
            *memory = Memory::default();
        }
        return Verdict::Open;
    };
    if step.track.gap_us > BREAK_US {
        *memory = Memory::default();
    }
    let Some(speed) = reading.speed else {
        *memory = Memory::default();
        return Verdict::Open;
    };
    let mean = i64::from(speed.mean.0);
    let before = memory.value.replace(mean);
    let Some(before) = before.filter(|before| (mean - before).abs() <= STEADY_MM_S) else {
        memory.since = None;
        return Verdict::Open;
    };
    let Some(second) = reading.extra.second_speed else { return Verdict::Open };
    let (first, second) = ((mean + before) / 2, i64::from(second.0));
    let difference = (first - second).abs();
    if difference <= step.limit(&DIFFERENCE).max(first * step.limit(&PERCENT) / 100) {
        memory.since = None;
        return Verdict::Clear;
    }
    let since = *memory.since.get_or_insert(step.time);
    if step.time.since(since) < step.limit_us(&HOLD) {
        return Verdict::Open;
    }
    let is_gross = difference * 100 > first * step.limit(&GROSS);
    let severity = if is_gross { Severity::Medium } else { Severity::Low };
    let finding = Finding::new(step, since, severity)
        .measuring("speed_mm_s", first)
        .measuring("second_speed_mm_s", second);
    if is_mile(first, second) {
        return Verdict::Holds(
            finding.saying("Unit suspect: one tells 1.609 times the other, as miles and kilometres do."),
        );
    }
    Verdict::Holds(finding)
}

/// Whether one of both is the other in miles: 1.609 times it, within 3 %.
fn is_mile(first: i64, second: i64) -> bool {
    let thousandths = first.max(second) * 1_000 / first.min(second).max(1);
    (1_561..=1_657).contains(&thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{ENCODER, Scene, mm_s};
    use crate::signal::SignalValue;
    use crate::units::Speed;

    fn two() -> Scene {
        Scene::new(ENCODER.and(Capabilities::SECOND_SPEED)).with_second_source()
    }

    fn tells(kmh: f64) -> Vec<SignalValue> {
        vec![SignalValue::Speed(Speed(mm_s(kmh)))]
    }

    /// A belt at a speed, of which the second source tells another one for so long.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, second: f64, seconds: f64, expected: &[Severity]) {
        scene.second = tells(kmh);
        scene.speed(kmh).wait(20.0);
        scene.second = tells(second);
        scene.wait(seconds);
        scene.second = tells(kmh);
        scene.wait(10.0);
        assert_eq!(scene.of(Rule::SpeedSourcesDisagree), expected);
    }

    #[test]
    fn it_takes_half_a_kmh_and_a_tenth_and_five_seconds() {
        check(two(), 3.0, 3.6, 10.0, &[Severity::Low]);
        check(two(), 3.0, 3.6, 4.5, &[]);
        check(two(), 3.0, 3.6, 10.0, &[Severity::Low]);
        check(two(), 3.0, 3.4, 60.0, &[]);
        check(two(), 10.0, 10.9, 60.0, &[]);
        check(two(), 10.0, 8.8, 60.0, &[Severity::Low]);
        check(two().set(DIFFERENCE.name, 278), 3.0, 3.6, 10.0, &[]);
        check(two().set(PERCENT.name, 15), 10.0, 8.8, 60.0, &[]);
        check(two().set(HOLD.name, 30_000), 3.0, 3.6, 20.0, &[]);
    }

    #[test]
    fn far_off_is_medium_and_miles_are_suspected() {
        check(two(), 3.0, 4.0, 10.0, &[Severity::Medium]);
        check(two().set(GROSS.name, 50), 3.0, 4.0, 10.0, &[Severity::Low]);
        for (first, second, suspect) in
            [(5.0, 8.05, true), (8.05, 5.0, true), (5.0, 7.0, false), (5.0, 9.0, false)]
        {
            let mut scene = two();
            scene.second = tells(second);
            scene.speed(first).wait(20.0);
            let found = scene.incidents();
            let incident = found.iter().find(|incident| incident.rule == Rule::SpeedSourcesDisagree);
            let detail = incident.map(|incident| incident.detail.starts_with("Unit suspect"));
            assert_eq!(detail, Some(suspect), "{first} {second}");
        }
    }

    #[test]
    fn a_console_that_runs_ahead_on_a_ramp_is_no_disagreement() {
        let mut scene = two();
        scene.second = tells(10.0);
        scene.ramp(10.0, 0.6).wait(30.0);
        scene.second = tells(0.8);
        scene.ramp(0.8, 0.6).wait(30.0);
        scene.second = tells(0.0);
        scene.ramp(0.0, 0.6).wait(60.0);
        assert_eq!(scene.of(Rule::SpeedSourcesDisagree), []);
    }

    #[test]
    fn a_dead_sensor_beside_a_running_console_is_found_at_rest() {
        let mut scene = two();
        scene.second = tells(8.0);
        scene.wait(70.0);
        assert_eq!(scene.of(Rule::SpeedSourcesDisagree), [Severity::Medium]);
    }

    #[test]
    fn one_source_alone_never_disagrees() {
        check(Scene::new(ENCODER).with_second_source(), 3.0, 5.0, 60.0, &[]);
        let mut scene = two();
        scene.second = tells(5.0);
        scene.speed(3.0).wait(2.0);
        scene.second = Vec::new();
        scene.wait(60.0);
        assert_eq!(scene.of(Rule::SpeedSourcesDisagree), [], "it fell silent");
    }

    #[test]
    fn it_fires_again_after_they_agreed() {
        let mut scene = two();
        for _ in 0..2 {
            scene.second = tells(4.0);
            scene.speed(3.0).wait(20.0);
            scene.second = tells(3.0);
            scene.wait(20.0);
        }
        assert_eq!(scene.of(Rule::SpeedSourcesDisagree), [Severity::Medium; 2]);
    }
}
