//! What the signals have told, as far as it still holds.

use std::collections::BTreeMap;

use domain::belt::{Contact, Direction, STANDSTILL};
use domain::signal::{Signal, SignalValue, SourceNumber};
use domain::units::{Incline, MonotonicMicros, SECOND, Speed};
use domain::watcher::WatcherSettings;

use crate::source::encoder::Shown;

/// How long a value holds, in microseconds.
const HOLDS_US: u64 = 2 * SECOND;

/// What a source told, and when.
#[derive(Debug, Clone, Copy)]
struct Told<T> {
    value: T,
    at: MonotonicMicros,
    source: SourceNumber,
}

/// What was known of the belt at an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    /// When.
    pub(super) at: MonotonicMicros,
    /// The speed that held then; `None`: none did.
    pub(super) speed: Option<Speed>,
    /// Belt distance since the step began, in millimetres.
    pub(super) travelled_mm: u64,
}

/// A contact as it is told, without its bouncing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContactState {
    /// Whether it is open.
    pub(super) open: bool,
    /// How it came to be so; `None`: its first level, which nobody saw come about.
    pub(super) edge: Option<Edge>,
}

/// A contact of one source.
#[derive(Debug, Clone, Copy)]
struct ContactSeen {
    source: SourceNumber,
    settled: ContactState,
    /// Another level, its first edge, and since when it has been told without a change.
    pending: Option<(bool, Edge, MonotonicMicros)>,
}

/// What was told last, and since the step began. Where two sources tell the same, the first in the configuration goes first,
/// as in the agent; directions are kept of each, because each one's sign has to be shown.
#[derive(Debug, Default)]
pub(super) struct Seen {
    contacts: [Option<ContactSeen>; Contact::ALL.len()],
    /// When a console said last that the key has stopped the belt.
    key_stop: Option<Edge>,
    speed: Option<Told<Speed>>,
    /// When each source that was not lost since told a moving belt last.
    moved: BTreeMap<SourceNumber, MonotonicMicros>,
    /// What each source told last, and since when it has told that, or since the step began.
    directions: BTreeMap<SourceNumber, (Told<Direction>, MonotonicMicros)>,
    incline: Option<Told<Incline>>,
    /// Since the step began: belt distance in mm/s times microseconds.
    travelled: u64,
    /// Greatest speed since the step began.
    fastest: Speed,
    odometer: Shown,
}

/// Whether what a source tells at a time counts beside what was told, which holds so long.
fn counts<T>(told: Option<&Told<T>>, signal: &Signal, holds_us: u64) -> bool {
    told.is_none_or(|told| signal.source <= told.source || signal.at.since(told.at) > holds_us)
}

impl Seen {
    pub(super) fn begin(&mut self, now: MonotonicMicros) {
        (self.travelled, self.fastest) = (0, Speed(0));
        self.directions.values_mut().for_each(|(_, since)| *since = now);
    }

    pub(super) fn count(&mut self, shown: Shown) {
        self.odometer = shown;
    }

    /// Lets time pass: a contact that has kept its level for long enough has changed.
    pub(super) fn pass(&mut self, now: MonotonicMicros) {
        // As long as in the agent.
        let debounce_us = WatcherSettings::default().debounce_us;
        for contact in self.contacts.iter_mut().flatten() {
            let has_kept = |(_, _, since): &(bool, Edge, MonotonicMicros)| now.since(*since) >= debounce_us;
            let Some((open, edge, _)) = contact.pending.take_if(|pending| has_kept(pending)) else {
                continue;
            };
            if open != contact.settled.open {
                contact.settled = ContactState { open, edge: Some(edge) };
            }
        }
    }

    pub(super) fn take(&mut self, signal: &Signal) {
        let (at, source) = (signal.at, signal.source);
        self.pass(at);
        match &signal.value {
            SignalValue::Speed(speed) => self.take_speed(*speed, signal),
            SignalValue::MeasuredDirection(direction) => {
                let same = self.directions.get(&source).filter(|(told, _)| told.value == *direction);
                let since = same.map_or(at, |(_, since)| *since);
                self.directions.insert(source, (Told { value: *direction, at, source }, since));
            }
            SignalValue::Incline(incline) if counts(self.incline.as_ref(), signal, u64::MAX) => {
                self.incline = Some(Told { value: *incline, at, source });
            }
            SignalValue::ContactLevel { contact, open } => self.take_level(*contact, *open, signal),
            SignalValue::SafetyKeyStop => self.key_stop = Some(self.edge(at)),
            SignalValue::Lost(_) => self.lose(source),
            SignalValue::Incline(_)
            | SignalValue::DeclaredDirection(_)
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
            | SignalValue::Alive
            | SignalValue::Implausible(_)
            | SignalValue::Fault(_) => {}
        }
    }

    fn take_speed(&mut self, speed: Speed, signal: &Signal) {
        let (at, source) = (signal.at, signal.source);
        if speed > STANDSTILL {
            self.moved.insert(source, at);
        }
        if !counts(self.speed.as_ref(), signal, HOLDS_US) {
            return;
        }
        let holds = |told: &Told<Speed>| told.source == source && at.since(told.at) <= HOLDS_US;
        if let Some(before) = self.speed.filter(holds) {
            // Between two observations the speed is taken to change evenly.
            let mean = u64::from(before.value.0) + u64::from(speed.0);
            self.travelled = self.travelled.saturating_add(mean.saturating_mul(at.since(before.at)) / 2);
        }
        self.fastest = self.fastest.max(speed);
        self.speed = Some(Told { value: speed, at, source });
    }

    fn take_level(&mut self, contact: Contact, open: bool, signal: &Signal) {
        let edge = self.edge(signal.at);
        let slot = &mut self.contacts[index(contact)];
        match slot.as_mut().filter(|seen| seen.source <= signal.source) {
            Some(seen) if seen.source < signal.source => {}
            Some(seen) => match &mut seen.pending {
                Some((pending, _, since)) if *pending != open => (*pending, *since) = (open, signal.at),
                Some(_) => {}
                None if open != seen.settled.open => seen.pending = Some((open, edge, signal.at)),
                None => {}
            },
            None => {
                let settled = ContactState { open, edge: None };
                *slot = Some(ContactSeen { source: signal.source, settled, pending: None });
            }
        }
    }

    /// What is known of the belt now.
    fn edge(&self, at: MonotonicMicros) -> Edge {
        Edge { at, speed: self.speed(at), travelled_mm: self.travelled_mm() }
    }

    /// What a source told that is lost is not known any more.
    fn lose(&mut self, source: SourceNumber) {
        self.speed.take_if(|told| told.source == source);
        self.incline.take_if(|told| told.source == source);
        for contact in &mut self.contacts {
            contact.take_if(|seen| seen.source == source);
        }
        self.directions.remove(&source);
        self.moved.remove(&source);
    }

    /// A contact; `None`: not known.
    pub(super) fn contact(&self, contact: Contact) -> Option<ContactState> {
        self.contacts[index(contact)].map(|seen| seen.settled)
    }

    /// When a console said last that the key has stopped the belt.
    pub(super) fn key_stop(&self) -> Option<Edge> {
        self.key_stop
    }

    /// The speed that holds now.
    pub(super) fn speed(&self, now: MonotonicMicros) -> Option<Speed> {
        self.speed.filter(|told| now.since(told.at) <= HOLDS_US).map(|told| told.value)
    }

    pub(super) fn is_moving(&self, now: MonotonicMicros) -> Option<bool> {
        self.speed(now).map(|speed| speed > STANDSTILL)
    }

    /// When a source that was not lost since told a moving belt last; `None`: there is none.
    pub(super) fn moved(&self) -> Option<MonotonicMicros> {
        self.moved.values().max().copied()
    }

    /// When a speed was told last; `None`: never, or its source is lost.
    pub(super) fn speed_told(&self) -> Option<MonotonicMicros> {
        self.speed.map(|told| told.at)
    }

    /// The direction that a source measures now, and for how long it has been the same, in microseconds.
    pub(super) fn direction(&self, source: SourceNumber, now: MonotonicMicros) -> Option<(Direction, u64)> {
        let (told, since) = self.directions.get(&source)?;
        (now.since(told.at) <= HOLDS_US).then(|| (told.value, now.since(*since)))
    }

    pub(super) fn incline(&self) -> Option<Incline> {
        self.incline.map(|told| told.value)
    }

    /// Belt distance since the step began, in millimetres.
    pub(super) fn travelled_mm(&self) -> u64 {
        self.travelled / 1_000_000
    }

    /// Greatest speed since the step began.
    pub(super) fn fastest(&self) -> Speed {
        self.fastest
    }

    /// What the encoder's odometer shows.
    pub(super) fn odometer(&self) -> Shown {
        self.odometer
    }
}

fn index(contact: Contact) -> usize {
    contact.bit().trailing_zeros() as usize
}
