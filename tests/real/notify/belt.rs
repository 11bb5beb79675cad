//! Belts that run until somebody presses their emergency stop, stand for a while, and run again.

use std::sync::{Arc, Mutex, PoisonError};

use domain::belt::{Contact, Direction};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, Speed};

/// How often the belt is looked at, in microseconds: so late is a press seen at most.
const STEP_US: u64 = 20 * MILLI;
/// How fast it runs, in mm/s.
const RUNNING_MM_S: u64 = 1_800;
/// How long it takes to stop, in microseconds.
const BRAKING_US: u64 = 1_500 * MILLI;
/// When the stop is reset, in microseconds after it was pressed.
const RESET_US: u64 = 2_000 * MILLI;
/// When the belt runs again. Sooner after the reset it would be an incident of its own.
const AGAIN_US: u64 = 6_000 * MILLI;

/// The emergency stop of a belt, whichever boot of its agent looks at it.
#[derive(Debug, Clone, Default)]
pub(super) struct Button(Arc<Mutex<Presses>>);

#[derive(Debug, Default)]
struct Presses {
    asked: Option<MonotonicMicros>,
    edges: Vec<MonotonicMicros>,
}

impl Button {
    /// Presses it as soon as the belt runs.
    pub(super) fn press(&self) {
        self.presses().asked = Some(agent::clock::monotonic());
    }

    /// When its contact opened.
    pub(super) fn edges(&self) -> Vec<MonotonicMicros> {
        self.presses().edges.clone()
    }

    /// Whether it is pressed at a moment, once each time it was asked for.
    fn take(&self, at: MonotonicMicros) -> bool {
        let mut presses = self.presses();
        let is_pressed = presses.asked.is_some_and(|asked| asked <= at);
        if is_pressed {
            presses.asked = None;
            presses.edges.push(at);
        }
        is_pressed
    }

    fn presses(&self) -> std::sync::MutexGuard<'_, Presses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A belt with an encoder and an emergency stop.
#[derive(Debug)]
pub(super) struct Belt {
    button: Button,
    /// Up to when everything was told.
    told: MonotonicMicros,
    pressed: Option<MonotonicMicros>,
}

impl Belt {
    /// A belt that runs from now on.
    pub(super) fn new(button: Button) -> Belt {
        Belt { button, told: agent::clock::monotonic(), pressed: None }
    }

    fn tell(&mut self, at: MonotonicMicros, out: &mut Vec<Signal>) {
        self.pressed = self.pressed.filter(|pressed| at.since(*pressed) < AGAIN_US);
        if self.pressed.is_none() && self.button.take(at) {
            self.pressed = Some(at);
        }
        let since_us = self.pressed.map(|pressed| at.since(pressed));
        let left_us = since_us.map_or(BRAKING_US, |since_us| BRAKING_US.saturating_sub(since_us));
        let mm_s = u32::try_from(RUNNING_MM_S * left_us / BRAKING_US).unwrap_or(0);
        let direction = if mm_s > 0 { Direction::Forward } else { Direction::Stopped };
        let open = since_us.is_some_and(|since_us| since_us < RESET_US);
        let values = [
            SignalValue::MeasuredDirection(direction),
            SignalValue::Speed(Speed(mm_s)),
            SignalValue::ContactLevel { contact: Contact::EmergencyStop, open },
        ];
        out.extend(values.map(|value| Signal { at, source: SourceNumber(0), value }));
    }
}

impl Script for Belt {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::SPEED.and(Capabilities::DIRECTION).and(Capabilities::EMERGENCY_STOP);
        SourceSpec { name: "scripted".to_owned(), capabilities, period_us: STEP_US }
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        while self.told.plus(STEP_US) <= now {
            self.told = self.told.plus(STEP_US);
            self.tell(self.told, out);
        }
        Some(self.told.plus(STEP_US))
    }
}
