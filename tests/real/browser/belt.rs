//! Belts that do what a step needs: one act after another, the last one for ever.

use std::sync::{Arc, Mutex, PoisonError};

use domain::belt::{Contact, Direction};
use domain::signal::{Capabilities, Script, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, MonotonicMicros, Speed};

/// The encoder's period, in microseconds.
const STEP_US: u64 = 100 * MILLI;
/// When a contact that changed is read once more, in microseconds: it no longer bounces then.
const BOUNCE_US: u64 = 20 * MILLI;
/// How a belt comes to speed: by so much, each time after so long, in milliseconds.
const START_STEP_MM_S: u32 = 50;
const START_STEP_MS: u64 = 200;
/// The contacts that these belts have.
const CONTACTS: [Contact; 3] = [Contact::EmergencyStop, Contact::SafetyKey, Contact::MachinePower];

/// What a belt does for a while.
#[derive(Debug, Clone, Copy)]
pub(super) struct Act {
    /// Which way it is seen to run; `None`: only its speed is seen.
    pub(super) direction: Option<Direction>,
    /// How fast, in mm/s.
    pub(super) mm_s: u32,
    /// The contact that is open.
    pub(super) open: Option<Contact>,
    /// Whether the source says nothing at all.
    pub(super) is_silent: bool,
    /// For how long, in milliseconds.
    pub(super) millis: u64,
}

impl Act {
    pub(super) const fn runs(direction: Direction, mm_s: u32, millis: u64) -> Act {
        Act { direction: Some(direction), mm_s, open: None, is_silent: false, millis }
    }

    pub(super) const fn stands(millis: u64) -> Act {
        Act::runs(Direction::Stopped, 0, millis)
    }

    pub(super) const fn with_open(self, contact: Contact) -> Act {
        Act { open: Some(contact), ..self }
    }
}

/// A belt that comes to speed as a drive would: no faster than people can follow.
pub(super) fn starts(mm_s: u32) -> Vec<Act> {
    let steps = mm_s / START_STEP_MM_S;
    (1..=steps).map(|step| Act::runs(Direction::Forward, step * START_STEP_MM_S, START_STEP_MS)).collect()
}

/// When a contact opened, of all belts that share the list.
#[derive(Debug, Clone, Default)]
pub(super) struct Edges(Arc<Mutex<Vec<Edge>>>);

/// A contact that opened.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) machine: String,
    /// By the clock of all agents on this computer.
    pub(super) at: MonotonicMicros,
}

impl Edges {
    /// All so far.
    pub(super) fn all(&self) -> Vec<Edge> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, edge: Edge) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(edge);
    }
}

/// Gives a belt something else to do while it runs.
#[derive(Debug, Clone, Default)]
pub(super) struct Hand(Arc<Mutex<Option<Vec<Act>>>>);

impl Hand {
    /// From the belt's next step on: these, the last one for ever.
    pub(super) fn does(&self, acts: &[Act]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(acts.to_vec());
    }

    fn take(&self) -> Option<Vec<Act>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A belt with an encoder and contacts.
#[derive(Debug)]
pub(super) struct Belt {
    machine: String,
    hand: Hand,
    acts: Vec<Act>,
    /// How often the acts are played before the last one goes on for ever.
    rounds: u64,
    begins: MonotonicMicros,
    /// Up to when everything was told.
    told: MonotonicMicros,
    /// When a contact is read once more, between two steps.
    again: Option<MonotonicMicros>,
    was_open: Option<Contact>,
    has_direction: bool,
    edges: Edges,
}

impl Belt {
    /// A belt that begins so many microseconds from now.
    pub(super) fn new(machine: &str, acts: &[Act], rounds: u64, later_us: u64, edges: &Edges) -> Belt {
        let begins = agent::clock::monotonic().plus(later_us);
        Belt {
            machine: machine.to_owned(),
            hand: Hand::default(),
            acts: acts.to_vec(),
            rounds,
            begins,
            told: begins,
            again: None,
            was_open: None,
            has_direction: acts.iter().all(|act| act.direction.is_some()),
            edges: edges.clone(),
        }
    }

    /// A belt that stands until this hand gives it something to do.
    pub(super) fn by_hand(machine: &str, hand: &Hand) -> Belt {
        let belt = Belt::new(machine, &[Act::stands(1_000)], 1, 0, &Edges::default());
        Belt { hand: hand.clone(), ..belt }
    }

    /// When it is asked next.
    fn next(&self) -> MonotonicMicros {
        self.again.unwrap_or(self.told.plus(STEP_US))
    }

    /// What it does at a moment.
    fn act(&self, at: MonotonicMicros) -> Act {
        let last = *self.acts.last().expect("a belt has an act");
        let round_us: u64 = self.acts.iter().map(|act| act.millis * MILLI).sum();
        let passed = at.since(self.begins);
        if round_us == 0 || passed >= round_us * self.rounds {
            return last;
        }
        let mut left = passed % round_us;
        for act in &self.acts {
            match left.checked_sub(act.millis * MILLI) {
                Some(rest) => left = rest,
                None => return *act,
            }
        }
        last
    }

    fn tell(&mut self, at: MonotonicMicros, out: &mut Vec<Signal>) {
        if let Some(acts) = self.hand.take() {
            (self.acts, self.rounds, self.begins) = (acts, 1, at);
        }
        let act = self.act(at);
        if act.open == Some(Contact::EmergencyStop) && self.was_open != act.open {
            self.edges.note(Edge { machine: self.machine.clone(), at });
        }
        self.was_open = act.open;
        if act.is_silent {
            return;
        }
        let mut tell = |value| out.push(Signal { at, source: SourceNumber(0), value });
        if let Some(direction) = act.direction {
            tell(SignalValue::MeasuredDirection(direction));
        }
        tell(SignalValue::Speed(Speed(act.mm_s)));
        for contact in CONTACTS {
            tell(SignalValue::ContactLevel { contact, open: act.open == Some(contact) });
        }
    }
}

impl Script for Belt {
    fn spec(&self) -> SourceSpec {
        let mut capabilities = Capabilities::SPEED
            .and(Capabilities::EMERGENCY_STOP)
            .and(Capabilities::SAFETY_KEY)
            .and(Capabilities::MACHINE_POWER);
        if self.has_direction {
            capabilities = capabilities.and(Capabilities::DIRECTION);
        }
        SourceSpec { name: "scripted".to_owned(), capabilities, period_us: STEP_US }
    }

    fn observe(&mut self, now: MonotonicMicros, out: &mut Vec<Signal>) -> Option<MonotonicMicros> {
        while self.next() <= now {
            let at = self.next();
            if self.again.take().is_none() {
                self.told = at;
            }
            let was_open = self.was_open;
            self.tell(at, out);
            if self.was_open != was_open {
                self.again = Some(at.plus(BOUNCE_US));
            }
        }
        Some(self.next())
    }
}
