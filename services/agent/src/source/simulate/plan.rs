//! What the people on a simulated treadmill do next.

use std::collections::VecDeque;

use domain::belt::Direction;
use domain::units::{MonotonicMicros, SECOND};
use fastrand::Rng;

use super::belt::Belt;

/// One mph in mm/s, the beginners' speed in reverse.
const MPH_MM_S: u32 = 447;
/// Faster than people can walk backwards, in mm/s.
const TOO_FAST_MM_S: u32 = 1_850;
/// Shortest phase, whatever the pace, in seconds.
const PHASE_S_MIN: f64 = 4.0;

/// A part of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The belt is set to a speed.
    Run {
        /// Which way.
        direction: Direction,
        /// How fast.
        mm_s: u32,
        /// With which incline.
        incline_tenths: i32,
    },
    /// The belt is stopped as usual.
    Halt,
    /// The emergency stop is pressed.
    EmergencyStop,
    /// The safety key is pulled.
    KeyPull,
    /// Nobody does anything.
    Rest,
    /// Stop and key are put back.
    Reset,
    /// A source tells a value that cannot be true.
    Glitch,
    /// The drive reports a fault.
    Fault,
}

/// A queue of phases, each with its length in seconds; a new session is planned when it is empty.
#[derive(Debug)]
pub(super) struct Plan {
    phases: VecDeque<(Phase, f64)>,
    is_reversible: bool,
    pace: f64,
    until: Option<MonotonicMicros>,
    /// The present phase's length, if it counts only from when the belt stands.
    from_standstill_us: Option<u64>,
}

impl Plan {
    pub(super) fn new(is_reversible: bool, pace: f64) -> Plan {
        Plan { phases: VecDeque::new(), is_reversible, pace, until: None, from_standstill_us: None }
    }

    /// The phase that begins now, if one does.
    pub(super) fn phase(&mut self, now: MonotonicMicros, belt: &Belt, random: &mut Rng) -> Option<Phase> {
        if let Some(length_us) = self.from_standstill_us.filter(|_| belt.is_moving()) {
            self.until = Some(now.plus(length_us));
        }
        if self.until.is_some_and(|until| now < until) {
            return None;
        }
        if self.phases.is_empty() {
            self.plan_session(random);
        }
        let (phase, seconds) = self.phases.pop_front()?;
        self.until = Some(now.plus(micros(seconds)));
        self.from_standstill_us = match phase {
            Phase::Halt | Phase::EmergencyStop | Phase::KeyPull => Some(micros(seconds)),
            Phase::Run { .. } | Phase::Rest | Phase::Reset | Phase::Glitch | Phase::Fault => None,
        };
        Some(phase)
    }

    fn plan_session(&mut self, random: &mut Rng) {
        // The first session begins soon: a machine that nobody uses shows nothing.
        let (least_s, most_s) = if self.until.is_none() { (2.0, 60.0) } else { (20.0, 300.0) };
        self.rest(random, least_s, most_s);
        if self.is_reversible && random.f64() < 0.6 {
            self.plan_intervals(random);
        } else {
            self.plan_walk(random);
        }
        self.plan_end(random);
    }

    /// A forward walk or run at one or two speeds.
    fn plan_walk(&mut self, random: &mut Rng) {
        for _ in 0..random.usize(1..=2) {
            let (mm_s, incline_tenths) = (random.u32(800..3_000), random.i32(0..=4) * 10);
            self.run(Direction::Forward, mm_s, incline_tenths, 60.0 + random.f64() * 600.0);
        }
    }

    /// Blocks of 30 s in reverse with forward walking between, flat, with standstills where the direction changes.
    fn plan_intervals(&mut self, random: &mut Rng) {
        let reverse_mm_s = MPH_MM_S * random.u32(10..=20) / 10;
        for _ in 0..random.usize(2..=10) {
            self.run(Direction::Reverse, reverse_mm_s, 0, 30.0);
            self.phases.push_back((Phase::Halt, 2.0 + random.f64() * 3.0));
            self.run(Direction::Forward, 1_000, 0, 60.0);
            self.phases.push_back((Phase::Halt, 2.0 + random.f64() * 3.0));
            match random.u32(0..100) {
                0..10 => self.rest(random, 10.0, 60.0),
                // Somebody tries how fast it goes.
                10..13 => {
                    let run =
                        Phase::Run { direction: Direction::Reverse, mm_s: TOO_FAST_MM_S, incline_tenths: 0 };
                    // Long enough to get there, whatever the pace.
                    self.phases.push_back((run, 30.0));
                    self.phases.push_back((Phase::Halt, 2.0));
                }
                13..16 => self.phases.push_back((Phase::Glitch, 1.0)),
                _ => {}
            }
        }
        self.run(Direction::Reverse, reverse_mm_s, 0, 30.0);
    }

    /// Most sessions end with a stop; some with a key, a few with an emergency stop.
    fn plan_end(&mut self, random: &mut Rng) {
        match random.u32(0..100) {
            0..12 => self.phases.push_back((Phase::EmergencyStop, 5.0)),
            12..24 => self.phases.push_back((Phase::KeyPull, 5.0)),
            24..40 => {
                // The key as the off switch, at standstill.
                self.phases.push_back((Phase::Halt, 3.0));
                self.phases.push_back((Phase::KeyPull, 5.0));
            }
            40..45 => {
                // The button, pressed beside a machine that stands.
                self.phases.push_back((Phase::Halt, 20.0));
                self.phases.push_back((Phase::EmergencyStop, 5.0));
            }
            45..48 => {
                self.phases.push_back((Phase::Halt, 10.0));
                self.phases.push_back((Phase::Fault, 5.0));
            }
            _ => self.phases.push_back((Phase::Halt, 3.0)),
        }
        self.phases.push_back((Phase::Reset, 1.0));
    }

    fn run(&mut self, direction: Direction, mm_s: u32, incline_tenths: i32, seconds: f64) {
        let seconds = (seconds / self.pace).max(PHASE_S_MIN);
        self.phases.push_back((Phase::Run { direction, mm_s, incline_tenths }, seconds));
    }

    fn rest(&mut self, random: &mut Rng, least_s: f64, most_s: f64) {
        let seconds = (least_s + random.f64() * (most_s - least_s)) / self.pace;
        self.phases.push_back((Phase::Rest, seconds.max(1.0)));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "phases last minutes")]
fn micros(seconds: f64) -> u64 {
    (seconds * SECOND as f64) as u64
}
