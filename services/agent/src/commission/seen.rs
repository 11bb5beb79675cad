//! What the signals have told, as far as it still holds.

use domain::belt::{Contact, Direction, STANDSTILL};
use domain::signal::{Signal, SignalValue};
use domain::units::{Incline, MonotonicMicros, SECOND, Speed};

/// How long a value holds, in microseconds.
const HOLDS_US: u64 = 2 * SECOND;

/// What was told last, and since the step began.
#[derive(Debug, Default)]
pub(super) struct Seen {
    contacts: [Option<(bool, MonotonicMicros)>; Contact::ALL.len()],
    speed: Option<(Speed, MonotonicMicros)>,
    direction: Option<(Direction, MonotonicMicros)>,
    incline: Option<Incline>,
    /// Since the step began: belt distance in mm/s times microseconds.
    travelled: u64,
    /// Greatest speed since the step began.
    fastest: Speed,
    /// Since when it has told the same direction of a moving belt.
    same_since: Option<MonotonicMicros>,
}

impl Seen {
    pub(super) fn begin(&mut self, now: MonotonicMicros) {
        (self.travelled, self.fastest) = (0, Speed(0));
        self.same_since = self.direction.map(|_| now);
    }

    pub(super) fn take(&mut self, signal: &Signal) {
        let at = signal.at;
        match &signal.value {
            SignalValue::Speed(speed) => {
                if let Some((before, then)) = self.speed.filter(|(_, then)| at.since(*then) <= HOLDS_US) {
                    // Between two observations the speed is taken to change evenly.
                    let mean = u64::from(before.0) + u64::from(speed.0);
                    self.travelled = self.travelled.saturating_add(mean.saturating_mul(at.since(then)) / 2);
                }
                self.fastest = self.fastest.max(*speed);
                self.speed = Some((*speed, at));
            }
            SignalValue::MeasuredDirection(direction) => {
                if self.direction.is_none_or(|(before, _)| before != *direction) {
                    self.same_since = Some(at);
                }
                self.direction = Some((*direction, at));
            }
            SignalValue::Incline(incline) => self.incline = Some(*incline),
            SignalValue::ContactLevel { contact, open } => {
                let slot = &mut self.contacts[contact.bit().trailing_zeros() as usize];
                if slot.is_none_or(|(before, _)| before != *open) {
                    *slot = Some((*open, at));
                }
            }
            SignalValue::Lost(_) => {
                (self.speed, self.direction, self.incline) = (None, None, None);
                self.contacts = Default::default();
            }
            SignalValue::DeclaredDirection(_)
            | SignalValue::Commanded(_)
            | SignalValue::Elapsed(_)
            | SignalValue::Distance(_)
            | SignalValue::Steps(_)
            | SignalValue::BeltForce(_)
            | SignalValue::HeartRateContact(_)
            | SignalValue::HeartRate(_)
            | SignalValue::UserStarted
            | SignalValue::UserStopped
            | SignalValue::UserPaused
            | SignalValue::SafetyKeyStop
            | SignalValue::Alive
            | SignalValue::Implausible(_)
            | SignalValue::Fault(_) => {}
        }
    }

    /// Whether a contact is open, and since when it has been so; `None`: not known.
    pub(super) fn contact(&self, contact: Contact) -> Option<(bool, MonotonicMicros)> {
        self.contacts[contact.bit().trailing_zeros() as usize]
    }

    /// The speed that holds now.
    pub(super) fn speed(&self, now: MonotonicMicros) -> Option<Speed> {
        self.speed.filter(|(_, at)| now.since(*at) <= HOLDS_US).map(|(speed, _)| speed)
    }

    pub(super) fn is_moving(&self, now: MonotonicMicros) -> Option<bool> {
        self.speed(now).map(|speed| speed > STANDSTILL)
    }

    /// The measured direction that holds now, and for how long it has been the same, in microseconds.
    pub(super) fn direction(&self, now: MonotonicMicros) -> Option<(Direction, u64)> {
        let (direction, _) = self.direction.filter(|(_, at)| now.since(*at) <= HOLDS_US)?;
        Some((direction, self.same_since.map_or(0, |since| now.since(since))))
    }

    pub(super) fn incline(&self) -> Option<Incline> {
        self.incline
    }

    /// Belt distance since the step began, in millimetres.
    pub(super) fn travelled_mm(&self) -> u64 {
        self.travelled / 1_000_000
    }

    /// Greatest speed since the step began.
    pub(super) fn fastest(&self) -> Speed {
        self.fastest
    }
}
