//! Belts that run until somebody presses their emergency stop, stand for a while, and run again.

use std::sync::{Arc, Mutex, PoisonError};

use domain::belt::{Contact, Direction};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, Speed};

/// How often the belt is looked at, in microseconds: so late is a press seen at most.
const STEP_US: u64 = 20 * MILLI;
/// How fast it runs, in mm/s.
const RUNNING_MM_S: u64 = 1_800;
/// How long it takes to stop, and to run so fast, in microseconds.
const BRAKING_US: u64 = 1_500 * MILLI;
const STARTING_US: u64 = 4_000 * MILLI;
/// How long an agent has watched the belt before its stop is pressed, in microseconds.
const WATCHED_US: u64 = 500 * MILLI;
/// When the stop is reset, in microseconds after it was pressed.
const RESET_US: u64 = 2_000 * MILLI;
/// When the belt starts again. Sooner after the reset it would be an incident of its own.
const AGAIN_US: u64 = 6_000 * MILLI;

/// A belt with its emergency stop, whichever boot of its agent looks at it.
#[derive(Debug, Clone, Default)]
pub(super) struct Button(Arc<Mutex<Presses>>);

#[derive(Debug, Default)]
struct Presses {
    asked: Option<MonotonicMicros>,
    /// When it was pressed last, until the belt starts again.
    pressed: Option<MonotonicMicros>,
    /// When the belt started again.
    started: Option<MonotonicMicros>,
    edges: Vec<MonotonicMicros>,
    /// Whether an agent watches.
    is_watched: bool,
}

impl Button {
    /// Presses it as soon as the belt runs at its speed.
    pub(super) fn press(&self) {
        self.presses().asked = Some(agent::clock::monotonic());
    }

    /// Whether a press now is seen at once: the belt runs at its speed, and its agent has seen that.
    pub(super) fn is_ready(&self) -> bool {
        let (now, presses) = (agent::clock::monotonic(), self.presses());
        let is_fast = presses.started.is_none_or(|started| now.since(started) >= STARTING_US);
        presses.is_watched && presses.asked.is_none() && presses.pressed.is_none() && is_fast
    }

    /// When its contact opened.
    pub(super) fn edges(&self) -> Vec<MonotonicMicros> {
        self.presses().edges.clone()
    }

    /// Speed in mm/s, and whether the contact is open. It is pressed only while somebody watches: the first level that an
    /// agent sees is no edge.
    fn at(&self, at: MonotonicMicros, is_watched: bool) -> (u32, bool) {
        let mut presses = self.presses();
        presses.is_watched = is_watched;
        if presses.pressed.is_some_and(|pressed| at.since(pressed) >= AGAIN_US) {
            (presses.pressed, presses.started) = (None, Some(at));
        }
        let started_us = presses.started.map_or(STARTING_US, |started| at.since(started).min(STARTING_US));
        let is_asked = is_watched && presses.asked.is_some_and(|asked| asked <= at);
        if is_asked && presses.pressed.is_none() && started_us == STARTING_US {
            (presses.asked, presses.pressed) = (None, Some(at));
            presses.edges.push(at);
        }
        let since_us = presses.pressed.map(|pressed| at.since(pressed));
        let mm_s = match since_us {
            None => RUNNING_MM_S * started_us / STARTING_US,
            Some(since_us) => RUNNING_MM_S * BRAKING_US.saturating_sub(since_us) / BRAKING_US,
        };
        (u32::try_from(mm_s).unwrap_or(0), since_us.is_some_and(|since_us| since_us < RESET_US))
    }

    fn presses(&self) -> std::sync::MutexGuard<'_, Presses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A belt with an encoder and an emergency stop.
#[derive(Debug)]
pub(super) struct Belt {
    button: Button,
    /// Since when this boot of its agent watches.
    began: MonotonicMicros,
    /// Up to when everything was told.
    told: MonotonicMicros,
}

impl Belt {
    /// The belt as it is from now on.
    pub(super) fn new(button: Button) -> Belt {
        let now = agent::clock::monotonic();
        Belt { button, began: now, told: now }
    }

    fn tell(&self, at: MonotonicMicros, out: &mut Vec<Signal>) {
        let (mm_s, open) = self.button.at(at, at.since(self.began) >= WATCHED_US);
        let direction = if mm_s > 0 { Direction::Forward } else { Direction::Stopped };
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
