//! R15: the belt ran faster than its console commanded.
//!
//! Memory: `since` and `held_us` follow the excess. `value` is the speed in mm/s that the belt may have by now: the
//! commanded one, or more while it may still be on its way down to it. `marks` holds the time from which commands count.

use crate::incident::definition::{Definition, Finding, Judged, Memory, Verdict};
use crate::incident::threshold::{Threshold, Unit};
use crate::incident::track::{Step, above_us};
use crate::incident::{Rule, Severity};
use crate::record::EventKind;
use crate::signal::Capabilities;
use crate::units::Speed;

const OVER: Threshold = Threshold {
    name: "faster-than-commanded.over",
    unit: Unit::MillimetresPerSecond,
    default: 139,
    min: 28,
    max: 1_000,
    reason: "0.5 km/h: a step of the foot moves the belt by less.",
};
const PERCENT: Threshold = Threshold {
    name: "faster-than-commanded.percent",
    unit: Unit::Percent,
    default: 10,
    min: 3,
    max: 50,
    reason: "Belts in use run at 98 to 103 % of what is commanded, with dips of 5 %. The greater of this and the other \
             margin holds.",
};
const HOLD: Threshold = Threshold {
    name: "faster-than-commanded.hold",
    unit: Unit::Milliseconds,
    default: 3_000,
    min: 1_000,
    max: 60_000,
    reason: "Longer than a person can push the belt.",
};
const RAMP: Threshold = Threshold {
    name: "faster-than-commanded.ramp",
    unit: Unit::MillimetresPerSecondSquared,
    default: 100,
    min: 20,
    max: 1_000,
    reason: "The slowest ordinary stop that was measured has 0.13 m/s²; a belt on its way down like this is not too fast.",
};
const CRITICAL: Threshold = Threshold {
    name: "faster-than-commanded.critical",
    unit: Unit::MillimetresPerSecond,
    default: 556,
    min: 139,
    max: 3_000,
    reason: "2 km/h over: a walking person has to run.",
};
const MAXIMUM: Threshold = Threshold {
    name: "faster-than-commanded.maximum",
    unit: Unit::MillimetresPerSecond,
    default: 8_333,
    min: 278,
    max: 8_333,
    reason: "The machine's greatest speed, which no command lifts; 5 % above it count. 30 km/h stands for not set: set it \
             for the model.",
};

/// Time without readings after which the last command may not stand, in microseconds.
const HOLE_US: i64 = 1_500_000;

/// The rule.
pub const DEFINITION: Definition = Definition {
    rule: Rule::FasterThanCommanded,
    version: 1,
    title: "Faster than commanded",
    meaning: "The belt ran faster than its console commanded by more than both margins, or faster than the machine's \
              greatest speed and 5 %, for the holding time. After a lower command it has the time of the slowest ordinary \
              ramp. Critical from 2 km/h over.",
    reason: "The drive does not follow its console: a fault of the controller, the drive or the speed sensor, or a person \
             who is pushed.",
    rearm: "After 3 s at the commanded speed.",
    card: "Have the person step off. Stop the machine and take it out of service until the drive was checked.",
    severities: &[Severity::Critical, Severity::High],
    judged: Judged::Merged,
    needs: &[Capabilities::SPEED.and(Capabilities::COMMANDED)],
    is_about_direction: false,
    is_about_reverse: false,
    is_for_motors: true,
    thresholds: &[OVER, PERCENT, HOLD, RAMP, CRITICAL, MAXIMUM],
    judge,
};

fn judge(memory: &mut Memory, step: &Step<'_>) -> Verdict {
    if step.event_of(EventKind::SourceStale).or(step.event_of(EventKind::AgentStarted)).is_some() {
        // The command that was told last may not stand any more.
        *memory = Memory { marks: vec![step.time], ..Memory::default() };
        return Verdict::Open;
    }
    let Some((reading, began)) = step.reading() else { return Verdict::Open };
    if step.track.gap_us > HOLE_US {
        // A command may have been told in what is missing.
        *memory = Memory { marks: vec![began], ..Memory::default() };
    }
    if step.is_stopping() {
        // The slow stop has rules of its own.
        memory.let_go();
        return Verdict::Open;
    }
    let span_us = step.time.since(began);
    let from = memory.marks.first().copied();
    let commanded = step.track.commanded.filter(|told| from.is_none_or(|from| told.time > from));
    let (Some(speed), Some(commanded)) = (reading.speed, commanded.map(|told| told.value)) else {
        memory.let_go();
        return Verdict::Open;
    };
    let allowed = allowed(memory, step, commanded, speed.max, span_us);
    let margin = step.speed_limit(&OVER).max(Speed(percent(allowed, step.limit(&PERCENT))));
    let maximum = step.speed_limit(&MAXIMUM);
    let level =
        Speed((allowed.0.saturating_add(margin.0)).min(maximum.0.saturating_add(percent(maximum, 5))));
    let above = above_us(reading, span_us, level).unwrap_or(0);
    let since = memory.since;
    let held_us = memory.hold(step, above);
    if held_us < step.limit_us(&HOLD) {
        return if above == 0 { Verdict::Clear } else { Verdict::Open };
    }
    let over = speed.mean.0.saturating_sub(allowed.min(maximum).0);
    let severity = if i64::from(over) > step.limit(&CRITICAL) { Severity::Critical } else { Severity::High };
    let finding = Finding::new(step, since.or(memory.since).unwrap_or(step.time), severity)
        .measuring("commanded_mm_s", i64::from(commanded.0))
        .measuring("over_mm_s", i64::from(over))
        .measuring("held_ms", held_us / 1_000);
    Verdict::Holds(finding)
}

fn percent(speed: Speed, percent: i64) -> u32 {
    speed.0.saturating_mul(u32::try_from(percent).unwrap_or(0)) / 100
}

/// The speed that the belt may have in this interval, as it began: what is commanded, or what a ramp from more allows.
fn allowed(memory: &mut Memory, step: &Step<'_>, commanded: Speed, speed: Speed, span_us: i64) -> Speed {
    let commanded = i64::from(commanded.0);
    let before = memory.value.unwrap_or(i64::from(speed.0)).max(commanded);
    let lost = step.limit(&RAMP).saturating_mul(span_us) / 1_000_000;
    memory.value = Some(before.saturating_sub(lost).max(commanded));
    Speed(u32::try_from(before).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::rules::scene::{FTMS, Scene, mm_s};
    use crate::signal::SignalValue;

    const CONSOLE: Capabilities = FTMS.and(Capabilities::COMMANDED);

    fn commanded(kmh: f64) -> SignalValue {
        SignalValue::Commanded(Speed(mm_s(kmh)))
    }

    /// Commanded and run at `kmh`, then at `faster` for so long.
    #[track_caller]
    fn check(mut scene: Scene, kmh: f64, faster: f64, seconds: f64, expected: &[Severity]) {
        scene.always.push(commanded(kmh));
        scene.ramp(kmh, 0.5).wait(20.0).ramp(faster, 2.0).wait(seconds).ramp(kmh, 2.0).wait(10.0);
        assert_eq!(scene.of(Rule::FasterThanCommanded), expected, "{kmh}, {faster}, {seconds} s");
    }

    #[test]
    fn it_takes_three_seconds_above_both_margins() {
        let scene = || Scene::new(CONSOLE);
        check(scene(), 4.0, 4.7, 4.0, &[Severity::High]);
        check(scene(), 4.0, 4.7, 2.0, &[]);
        check(scene(), 4.0, 4.4, 60.0, &[]);
        check(scene(), 12.0, 13.0, 60.0, &[]);
        check(scene(), 12.0, 13.4, 10.0, &[Severity::High]);
        check(scene().set(OVER.name, 300), 4.0, 4.7, 60.0, &[]);
        check(scene().set(PERCENT.name, 20), 12.0, 13.4, 60.0, &[]);
        check(scene().set(HOLD.name, 20_000), 4.0, 4.7, 15.0, &[]);
    }

    #[test]
    fn two_kmh_over_are_critical() {
        check(Scene::new(CONSOLE), 4.0, 6.3, 10.0, &[Severity::Critical]);
        check(Scene::new(CONSOLE), 4.0, 5.8, 10.0, &[Severity::High]);
        check(Scene::new(CONSOLE).set(CRITICAL.name, 800), 4.0, 6.3, 10.0, &[Severity::High]);
    }

    #[test]
    fn a_lower_command_gives_the_belt_its_time() {
        for (ramp, expected) in [(0.55, [].as_slice()), (0.2, &[Severity::Critical])] {
            let mut scene = Scene::new(CONSOLE);
            scene.always.push(commanded(12.0));
            scene.ramp(12.0, 0.5).wait(20.0);
            scene.always[0] = commanded(2.0);
            scene.ramp(2.0, ramp).wait(10.0);
            assert_eq!(scene.of(Rule::FasterThanCommanded), expected, "{ramp} km/h each second");
        }
    }

    #[test]
    fn no_command_lifts_the_greatest_speed() {
        let maximum = i64::from(mm_s(10.0));
        let scene = || Scene::new(CONSOLE).set(MAXIMUM.name, maximum);
        for (kmh, expected) in [(10.4, [].as_slice()), (10.7, &[Severity::High])] {
            let mut scene = scene();
            scene.always.push(commanded(kmh));
            scene.ramp(kmh, 0.5).wait(10.0);
            assert_eq!(scene.of(Rule::FasterThanCommanded), expected, "{kmh} km/h");
        }
    }

    #[test]
    fn a_command_that_is_not_known_raises_nothing() {
        check(Scene::new(FTMS), 4.0, 6.3, 60.0, &[]);
        let mut scene = Scene::new(CONSOLE);
        scene.ramp(6.0, 0.5).wait(60.0);
        assert_eq!(scene.of(Rule::FasterThanCommanded), []);
    }

    #[test]
    fn a_command_from_before_a_silence_does_not_count() {
        let mut scene = Scene::new(CONSOLE);
        scene.always.push(commanded(4.0));
        scene.ramp(4.0, 0.5).wait(10.0);
        scene.always.clear();
        scene.is_heard = false;
        scene.wait(4.0);
        scene.is_heard = true;
        scene.speed(8.0).wait(20.0);
        assert_eq!(scene.of(Rule::FasterThanCommanded), []);
    }

    #[test]
    fn it_fires_once_an_episode() {
        let mut scene = Scene::new(CONSOLE);
        scene.always.push(commanded(4.0));
        scene.ramp(4.0, 0.5).wait(10.0);
        for (slow_s, expected) in [(1.0, 1), (8.0, 1), (1.0, 2)] {
            scene.ramp(5.0, 2.0).wait(10.0);
            assert_eq!(scene.of(Rule::FasterThanCommanded).len(), expected, "{slow_s} s");
            scene.ramp(4.0, 2.0).wait(slow_s);
        }
    }
}
