//! Usage of a quarter of an hour as points: one for each kind of motion, and one for rest and coverage.

use domain::ids::MachineId;
use domain::signal::Capabilities;
use domain::usage::{Grade, QUARTER_US, QUARTERS_A_DAY, Usage};

use super::{COVERAGE, MACHINE_TAG, USAGE, direction_name, nanoseconds, number, origin_name};
use crate::influx::line::{Line, Lines};

/// A quarter of an hour of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarterPlace<'m> {
    /// The machine.
    pub machine: &'m MachineId,
    /// Days since 1970-01-01, UTC.
    pub day: i32,
    /// Number within the day, below 96.
    pub number: u8,
}

impl QuarterPlace<'_> {
    /// When it begins, in microseconds since 1970.
    fn begin(self) -> i64 {
        (i64::from(self.day) * QUARTERS_A_DAY + i64::from(self.number)).saturating_mul(QUARTER_US)
    }
}

/// Adds the points of a quarter, all parts of its day together. Says how many points have a time that InfluxDB cannot keep.
pub fn usage_lines(place: QuarterPlace<'_>, usage: &Usage, lines: &mut Lines) -> u64 {
    let machine = place.machine.as_str();
    let Some(at) = nanoseconds(place.begin(), 0) else {
        return 1 + usage.kinds().map(|_| 1).sum::<u64>();
    };
    // One that is nothing now is written over what it was.
    for (key, motion) in usage.kinds() {
        let line = Line::new(USAGE)
            .tag(MACHINE_TAG, machine)
            .tag("direction", direction_name(key.direction))
            .tag("origin", origin_name(key.origin))
            .tag("grade", grade_name(key.grade))
            .int("moving_us", number(motion.observed_us))
            .int("distance_mm", number(motion.distance_mm()))
            .int("speed_max_mm_s", i64::from(motion.speed_max.0))
            .int("starts", i64::from(motion.starts));
        lines.push(line.at(at));
    }
    let coverage = &usage.coverage;
    let line = Line::new(COVERAGE)
        .tag(MACHINE_TAG, machine)
        .int("rest_us", number(usage.rest_us))
        .int("observed_us", number(coverage.observed_us()))
        .int("direction_us", number(coverage.covered_us(Capabilities::DIRECTION)));
    lines.push(line.at(at));
    0
}

fn grade_name(grade: Grade) -> &'static str {
    match grade {
        Grade::Level => "level",
        Grade::Uphill => "uphill",
        Grade::Downhill => "downhill",
        Grade::Unknown => "unknown",
    }
}
