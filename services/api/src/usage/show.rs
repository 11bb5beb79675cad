//! Usage as messages.

use domain::belt::Direction;
use domain::signal::Capabilities;
use domain::usage::{Motion, Usage};
use wire::api::v1;

use super::sums::Figure;
use crate::convert::sessions::grade;
use crate::convert::{direction, duration, origin};

const NANOMETRES: f64 = 1e9;

/// Usage with for how much of the time it can speak.
pub(crate) fn usage(figure: &Figure) -> v1::Usage {
    let Figure { usage, .. } = figure;
    let keyed = usage.motions().map(|(key, one)| v1::KeyedMotion {
        direction: direction(key.direction),
        origin: origin(key.origin),
        grade: grade(key.grade),
        motion: Some(motion(one)),
    });
    v1::Usage {
        forward: Some(motion(&usage.of_direction(Direction::Forward))),
        reverse: Some(motion(&usage.of_direction(Direction::Reverse))),
        unknown: Some(motion(&unknown(usage))),
        at_rest: Some(duration(usage.rest_us)),
        keyed: keyed.collect(),
        coverage: Some(coverage(figure)),
    }
}

/// Motion of which it is not known which way it went.
pub(crate) fn unknown(usage: &Usage) -> Motion {
    // A belt that moves while it is told to stand moves some way.
    usage.sum(|key| matches!(key.direction, Direction::Unknown | Direction::Stopped))
}

fn coverage(figure: &Figure) -> v1::UsageCoverage {
    const SPEED: Capabilities = Capabilities::SPEED;
    const DIRECTION: Capabilities = SPEED.and(Capabilities::DIRECTION);
    const GRADE: Capabilities = DIRECTION.and(Capabilities::INCLINE);
    let coverage = &figure.usage.coverage;
    v1::UsageCoverage {
        asked: Some(duration(figure.asked_us)),
        observed: Some(duration(coverage.observed_us())),
        speed: Some(duration(coverage.covered_us(SPEED))),
        direction: Some(duration(coverage.covered_us(DIRECTION))),
        grade: Some(duration(coverage.covered_us(GRADE))),
        machines: figure.machines,
        machines_heard: figure.machines_heard,
        machines_with_direction: figure.machines_with_direction,
    }
}

/// Motion of one kind.
pub(crate) fn motion(motion: &Motion) -> v1::Motion {
    let moved = motion.observed_us > 0;
    v1::Motion {
        observed: Some(duration(motion.observed_us)),
        distance_m: motion.distance_nm as f64 / NANOMETRES,
        // Nanometres in microseconds are millimetres in seconds.
        speed_mean_mps: moved.then(|| motion.distance_nm as f64 / motion.observed_us as f64 / 1_000.0),
        speed_max_mps: moved.then(|| motion.speed_max.mps()),
        starts: motion.starts,
    }
}
