//! A belt that does what a test wrote down, in real time.

use std::collections::VecDeque;

use domain::belt::{Contact, Direction};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, SECOND, Speed};

/// The encoder's period.
const STEP_US: u64 = 100 * MILLI;

/// A part of the story: the belt does this for so long.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// Which way the belt runs.
    pub direction: Direction,
    /// How fast, in mm/s.
    pub mm_s: u32,
    /// Whether the emergency stop is pressed.
    pub stop_pressed: bool,
    /// For how long, in milliseconds.
    pub millis: u64,
}

/// A belt with an encoder and an emergency-stop contact, told ten times a second.
#[derive(Debug)]
pub struct PlayedBelt {
    signals: VecDeque<Signal>,
}

impl PlayedBelt {
    /// A belt that begins its story now.
    pub fn new(acts: &[Act]) -> PlayedBelt {
        let mut at = agent::clock::monotonic();
        let mut signals = VecDeque::new();
        for act in acts {
            for _ in 0..act.millis * MILLI / STEP_US {
                at = at.plus(STEP_US);
                let contact =
                    SignalValue::ContactLevel { contact: Contact::EmergencyStop, open: act.stop_pressed };
                let direction = SignalValue::MeasuredDirection(act.direction);
                for value in [direction, SignalValue::Speed(Speed(act.mm_s)), contact] {
                    signals.push_back(Signal { at, source: SourceNumber(0), value });
                }
            }
        }
        PlayedBelt { signals }
    }

    /// A reverse run at 2 mph that an emergency stop ends, in six seconds.
    pub fn reverse_run() -> PlayedBelt {
        let act = |direction, mm_s, stop_pressed, millis| Act { direction, mm_s, stop_pressed, millis };
        PlayedBelt::new(&[
            act(Direction::Stopped, 0, false, 1_500),
            act(Direction::Reverse, 894, false, 2_500),
            act(Direction::Reverse, 400, true, 500),
            act(Direction::Stopped, 0, true, 1_500),
        ])
    }
}

/// A belt at 3 km/h whose button is pressed, which brakes evenly and stands after a known time.
#[derive(Debug, Clone, Copy)]
pub struct Braking {
    /// How long before the button is pressed, in milliseconds; the belt starts up in the first of it.
    pub before_ms: u64,
    /// From the button to standstill, in milliseconds.
    pub stop_ms: u64,
}

/// Speed of a proof test, in mm/s.
const PROOF_MM_S: u64 = 833;
/// Speeds at which a belt stands, in mm/s.
const STANDS_MM_S: u64 = 28;
/// How long a belt takes to start, in milliseconds.
const START_MS: u64 = 4_000;

impl Braking {
    /// The belt's story, beginning now; two seconds after it stands the button is released.
    pub fn play(self) -> PlayedBelt {
        let begin = agent::clock::monotonic();
        let mut signals = VecDeque::new();
        let end_ms = self.before_ms + self.stop_ms + 4_000;
        for ms in (STEP_US / MILLI..end_ms).step_by(100) {
            // The button is pressed between two observations of the speed.
            let pressed_ms = self.before_ms + 37;
            let (speed, is_released) =
                (self.mm_s(ms, pressed_ms), ms >= self.before_ms + self.stop_ms + 2_000);
            let at = begin.plus(ms * MILLI);
            let direction = if speed == 0 { Direction::Stopped } else { Direction::Forward };
            let speed = SignalValue::Speed(Speed(u32::try_from(speed).expect("slow")));
            for value in [SignalValue::MeasuredDirection(direction), speed] {
                signals.push_back(Signal { at, source: SourceNumber(0), value });
            }
            let level = |at, open| {
                let value = SignalValue::ContactLevel { contact: Contact::EmergencyStop, open };
                Signal { at, source: SourceNumber(0), value }
            };
            signals.push_back(level(at, ms >= pressed_ms && !is_released));
            if ms < pressed_ms && ms + 100 > pressed_ms {
                signals.push_back(level(begin.plus(pressed_ms * MILLI), true));
            }
        }
        PlayedBelt { signals }
    }

    fn mm_s(self, ms: u64, pressed_ms: u64) -> u64 {
        match ms {
            _ if ms < 1_000 => 0,
            _ if ms < 1_000 + START_MS => PROOF_MM_S * (ms - 1_000) / START_MS,
            _ if ms <= pressed_ms => PROOF_MM_S,
            _ => PROOF_MM_S * self.stop_ms.saturating_sub(ms - pressed_ms) / self.stop_ms,
        }
    }

    /// What is to be measured: from the button until the belt is so slow that it counts as standing, in milliseconds.
    pub fn truth_ms(self) -> u64 {
        self.stop_ms * (PROOF_MM_S - STANDS_MM_S) / PROOF_MM_S
    }
}

impl Script for PlayedBelt {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::EMERGENCY_STOP);
        SourceSpec { name: "played".to_owned(), capabilities, period_us: SECOND }
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        while self.signals.front().is_some_and(|signal| signal.at <= now) {
            out.extend(self.signals.pop_front());
        }
        self.signals.front().map(|signal| signal.at)
    }
}
