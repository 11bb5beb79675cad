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
