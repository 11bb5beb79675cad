//! The simulated belt: ramps as measured on real machines, a foot on it at each step.

use domain::belt::Direction;
use domain::units::Speed;
use fastrand::Rng;

use super::plan::Phase;

/// Start ramps, in mm/s per s: 0.08 to 0.21 m/s² were measured.
const START_MM_S2: std::ops::Range<f64> = 80.0..210.0;
/// Normal stops, in mm/s per s: 0.13 to 0.28 m/s² were measured.
const HALT_MM_S2: std::ops::Range<f64> = 130.0..280.0;
/// Time of an emergency stop from 1 m/s, in seconds; no real one was ever captured.
const EMERGENCY_S: std::ops::Range<f64> = 2.0..3.5;
/// Belts slower than this stand; the slowest real ramp step is 44 mm/s.
const STANDS_MM_S: f64 = 28.0;

/// A belt.
#[derive(Debug)]
pub(super) struct Belt {
    direction: Direction,
    speed_mm_s: f64,
    target_mm_s: f64,
    ramp_mm_s2: f64,
    distance_mm: f64,
    moved_us: u64,
    /// Place in the person's stride, in radians.
    stride: f64,
    pub(super) is_stop_pressed: bool,
    pub(super) is_key_out: bool,
    pub(super) incline_tenths: i32,
}

impl Default for Belt {
    fn default() -> Belt {
        Belt {
            direction: Direction::Stopped,
            speed_mm_s: 0.0,
            target_mm_s: 0.0,
            ramp_mm_s2: 150.0,
            distance_mm: 0.0,
            moved_us: 0,
            stride: 0.0,
            is_stop_pressed: false,
            is_key_out: false,
            incline_tenths: 0,
        }
    }
}

impl Belt {
    /// Begins a phase of the plan.
    pub(super) fn begin(&mut self, phase: Phase, random: &mut Rng) {
        let between = |range: std::ops::Range<f64>, random: &mut Rng| {
            range.start + random.f64() * (range.end - range.start)
        };
        match phase {
            Phase::Run { direction, mm_s, incline_tenths } => {
                self.direction = direction;
                self.target_mm_s = f64::from(mm_s);
                self.ramp_mm_s2 = between(START_MM_S2, random);
                self.incline_tenths = incline_tenths;
            }
            Phase::Halt => {
                self.target_mm_s = 0.0;
                self.ramp_mm_s2 = between(HALT_MM_S2, random);
            }
            Phase::EmergencyStop | Phase::KeyPull => {
                self.target_mm_s = 0.0;
                self.ramp_mm_s2 = self.speed_mm_s.max(500.0) / between(EMERGENCY_S, random);
                self.is_stop_pressed |= phase == Phase::EmergencyStop;
                self.is_key_out |= phase == Phase::KeyPull;
            }
            Phase::Rest | Phase::Glitch | Phase::Fault => {}
            Phase::Reset => (self.is_stop_pressed, self.is_key_out) = (false, false),
        }
    }

    /// Lets time pass.
    pub(super) fn step(&mut self, step_us: u64) {
        let seconds = step_us as f64 / 1e6;
        let change =
            (self.target_mm_s - self.speed_mm_s).clamp(-self.ramp_mm_s2 * seconds, self.ramp_mm_s2 * seconds);
        self.speed_mm_s += change;
        self.distance_mm += self.speed_mm_s * seconds;
        self.stride += seconds * std::f64::consts::TAU * 0.9;
        if self.is_moving() {
            self.moved_us += step_us;
        } else if self.target_mm_s == 0.0 {
            self.direction = Direction::Stopped;
        }
    }

    pub(super) fn is_moving(&self) -> bool {
        self.speed_mm_s > STANDS_MM_S
    }

    pub(super) fn direction(&self) -> Direction {
        self.direction
    }

    /// The true speed.
    pub(super) fn speed(&self) -> Speed {
        whole(self.speed_mm_s)
    }

    /// The speed as an encoder sees it: each stance phase brakes the belt by some per cent, and there is noise.
    pub(super) fn seen_speed(&self, random: &mut Rng) -> Speed {
        if !self.is_moving() {
            return whole(self.speed_mm_s);
        }
        let stance = 0.03 * self.stride.sin();
        let noise = (random.f64() - 0.5) * 0.02;
        whole(self.speed_mm_s * (1.0 + stance + noise))
    }

    pub(super) fn elapsed_s(&self) -> u32 {
        u32::try_from(self.moved_us / 1_000_000).unwrap_or(u32::MAX)
    }

    pub(super) fn distance_m(&self) -> u32 {
        whole(self.distance_mm / 1_000.0).0
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
fn whole(value: f64) -> Speed {
    Speed(value.round().clamp(0.0, f64::from(u32::MAX)) as u32)
}
