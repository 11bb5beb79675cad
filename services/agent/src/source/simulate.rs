//! A simulated treadmill: a belt with ramps, people who use it, and a record of what really happened.
//!
//! The same seed gives the same belt. Nothing in here knows how the watcher works: tests hold what the watcher says
//! against the truth that is kept here.

mod belt;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use domain::belt::{Contact, Direction};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{Incline, MILLI, MonotonicMicros, SECOND, Speed};
use fastrand::Rng;

use self::belt::Belt;
use self::plan::{Phase, Plan};

/// The simulation's step, which is the encoder's period, in microseconds.
const STEP_US: u64 = 100 * MILLI;
/// Above this reverse speed people run, in mm/s.
const RUNS_ABOVE_MM_S: u32 = 1_640;
/// Moments of truth kept; the oldest go first.
const TRUTH_MAX: usize = 10_000;

/// What a simulated treadmill has and how it is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// How its belt is seen.
    pub sight: Sight,
    /// Whether its belt can run backwards.
    pub is_reversible: bool,
    /// How much faster than in life sessions follow each other and pass; ramps stay as they are.
    pub pace: f64,
}

/// How a belt is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// A quadrature encoder with contacts, ten times a second: direction is measured.
    Encoder,
    /// A console as FTMS tells it, once a second: speed without sign, stops by the user and by the key.
    Console,
}

impl Profile {
    /// A reversible machine with an encoder and contacts.
    pub const fn encoder() -> Profile {
        Profile { sight: Sight::Encoder, is_reversible: true, pace: 1.0 }
    }

    /// A one-way machine of which only its console is heard.
    pub const fn ftms() -> Profile {
        Profile { sight: Sight::Console, is_reversible: false, pace: 1.0 }
    }

    /// The same, used at another pace. Paces below 1 count as 1.
    pub const fn with_pace(self, pace: f64) -> Profile {
        Profile { pace: pace.max(1.0), ..self }
    }
}

/// Something that really happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: MonotonicMicros,
    /// What.
    pub what: Happening,
    /// Which way the belt ran just then.
    pub direction: Direction,
    /// How fast it ran just then.
    pub speed: Speed,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// The belt left standstill.
    Started,
    /// The belt came to rest.
    Stopped,
    /// The emergency stop was pressed.
    EmergencyStop,
    /// The safety key was pulled.
    KeyPulled,
    /// Somebody set the belt to a reverse speed at which people have to run.
    TooFast,
    /// A source told a value that cannot be true.
    Glitch,
    /// The drive reported a fault.
    Fault,
}

/// A simulated treadmill.
#[derive(Debug)]
pub struct Simulator {
    number: SourceNumber,
    profile: Profile,
    random: Rng,
    plan: Plan,
    belt: Belt,
    at: MonotonicMicros,
    started: MonotonicMicros,
    truth: VecDeque<Moment>,
}

impl Simulator {
    /// A machine that stands still and is about to be used.
    pub fn new(number: SourceNumber, seed: u64, profile: Profile, started: MonotonicMicros) -> Simulator {
        Simulator {
            number,
            profile,
            random: Rng::with_seed(seed),
            plan: Plan::new(profile.is_reversible, profile.pace),
            belt: Belt::default(),
            at: started,
            started,
            truth: VecDeque::new(),
        }
    }

    /// What really happened, oldest first.
    pub fn truth(&self) -> impl Iterator<Item = &Moment> {
        self.truth.iter()
    }

    fn step(&mut self, out: &mut Vec<Signal>) {
        self.at = self.at.plus(STEP_US);
        let (was_moving, phase) =
            (self.belt.is_moving(), self.plan.phase(self.at, &self.belt, &mut self.random));
        if let Some(phase) = phase {
            self.begin(phase, out);
        }
        self.belt.step(STEP_US);
        match (was_moving, self.belt.is_moving()) {
            (false, true) => self.note(Happening::Started),
            (true, false) => self.note(Happening::Stopped),
            (true, true) | (false, false) => {}
        }
        let steps = self.at.since(self.started) / STEP_US;
        match self.profile.sight {
            Sight::Encoder => self.tell_encoder(out),
            Sight::Console if steps % (SECOND / STEP_US) == 0 => self.tell_console(out),
            Sight::Console => {}
        }
    }

    fn begin(&mut self, phase: Phase, out: &mut Vec<Signal>) {
        let was_at_rest = !self.belt.is_moving();
        match phase {
            Phase::EmergencyStop => self.note(Happening::EmergencyStop),
            Phase::KeyPull => self.note(Happening::KeyPulled),
            Phase::Run { direction: Direction::Reverse, mm_s, .. } if mm_s > RUNS_ABOVE_MM_S => {
                self.note(Happening::TooFast);
            }
            Phase::Glitch => {
                self.note(Happening::Glitch);
                self.tell(SignalValue::Implausible("speed is 655.35 km/h".to_owned()), out);
            }
            Phase::Fault => {
                self.note(Happening::Fault);
                self.tell(SignalValue::Fault("E07 motor temperature".to_owned()), out);
            }
            Phase::Run { .. } | Phase::Halt | Phase::Rest | Phase::Reset => {}
        }
        self.belt.begin(phase, &mut self.random);
        if self.profile.sight == Sight::Console {
            let told = match phase {
                Phase::Run { .. } if was_at_rest => SignalValue::UserStarted,
                Phase::Halt if !was_at_rest => SignalValue::UserStopped,
                Phase::KeyPull => SignalValue::SafetyKeyStop,
                Phase::Run { .. }
                | Phase::Halt
                | Phase::EmergencyStop
                | Phase::Rest
                | Phase::Reset
                | Phase::Glitch
                | Phase::Fault => return,
            };
            self.tell(told, out);
        }
    }

    fn tell_encoder(&mut self, out: &mut Vec<Signal>) {
        let speed = self.belt.seen_speed(&mut self.random);
        self.tell(SignalValue::MeasuredDirection(self.belt.direction()), out);
        self.tell(SignalValue::Speed(speed), out);
        for (contact, open) in [
            (Contact::EmergencyStop, self.belt.is_stop_pressed),
            (Contact::SafetyKey, self.belt.is_key_out),
            (Contact::HandRail, !self.belt.is_moving()),
        ] {
            self.tell(SignalValue::ContactLevel { contact, open }, out);
        }
        if self.at.since(self.started) % SECOND == 0 {
            self.tell(SignalValue::Incline(Incline(self.belt.incline_tenths)), out);
        }
    }

    fn tell_console(&mut self, out: &mut Vec<Signal>) {
        // A console shows tenths of a km/h.
        let tenths_kmh = (u64::from(self.belt.speed().0) * 36 + 500) / 1_000;
        let speed = Speed::from_centi_kmh(u32::try_from(tenths_kmh * 10).unwrap_or(u32::MAX));
        self.tell(SignalValue::Speed(speed), out);
        self.tell(SignalValue::Incline(Incline(self.belt.incline_tenths)), out);
        self.tell(SignalValue::Elapsed(self.belt.elapsed_s()), out);
        self.tell(SignalValue::Distance(self.belt.distance_m()), out);
    }

    fn tell(&self, value: SignalValue, out: &mut Vec<Signal>) {
        out.push(Signal { at: self.at, source: self.number, value });
    }

    fn note(&mut self, what: Happening) {
        if self.truth.len() >= TRUTH_MAX {
            self.truth.pop_front();
        }
        let (direction, speed) = (self.belt.direction(), self.belt.speed());
        self.truth.push_back(Moment { at: self.at, what, direction, speed });
    }
}

impl Script for Simulator {
    fn spec(&self) -> SourceSpec {
        let (name, capabilities, period_us) = match self.profile.sight {
            Sight::Encoder => (
                "simulated-encoder",
                Capabilities::SPEED
                    .and(Capabilities::DIRECTION)
                    .and(Capabilities::INCLINE)
                    .and(Capabilities::EMERGENCY_STOP)
                    .and(Capabilities::SAFETY_KEY)
                    .and(Capabilities::HAND_RAIL),
                STEP_US,
            ),
            Sight::Console => (
                "simulated-console",
                Capabilities::SPEED
                    .and(Capabilities::INCLINE)
                    // Told in words.
                    .and(Capabilities::SAFETY_KEY)
                    .and(Capabilities::USER_COMMANDS)
                    .and(Capabilities::ELAPSED)
                    .and(Capabilities::DISTANCE),
                SECOND,
            ),
        };
        SourceSpec { name: name.to_owned(), capabilities, period_us }
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        while self.at.plus(STEP_US) <= now {
            self.step(out);
        }
        Some(self.at.plus(STEP_US))
    }
}
