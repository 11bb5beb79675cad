//! Spells: what a belt did for some time, as one reading.

use domain::belt::{Contact, Contacts, Direction, Origin};
use domain::limits::SESSION_REST_US;
use domain::record::{Reading, SpeedSummary};
use domain::units::{Incline, Speed, UnixMicros};

use super::exercise::Leg;
use super::plan::{Planned, Planner};
use super::{Kind, Year, dark};

const SECOND_US: i64 = 1_000_000;
/// Longest spell: its length is told in milliseconds.
const SPELL_US_MAX: i64 = 24 * 3_600 * SECOND_US;
/// How far an encoder's greatest speed is above the mean, in mm/s; and that of a belt which people drive.
const ABOVE_MEAN: u32 = 20;
const ABOVE_MEAN_MANUAL: u32 = 180;
/// How long a reading stands if nothing follows, in milliseconds: as the watcher says, of a moving belt and of one at rest.
const HOLDS_MOVING_MS: u32 = 3_000;
const HOLDS_RESTING_MS: u32 = 61_000;
/// A belt at rest.
const REST: Leg = Leg {
    seconds: 0,
    direction: Direction::Stopped,
    speed: Speed(0),
    incline_tenths: 0,
    is_rail_held: false,
};

/// What a belt did for some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spell {
    /// Beginning; a whole second.
    pub from: UnixMicros,
    /// End; the next spell begins here unless nothing was known then.
    pub until: UnixMicros,
    /// The agent's life in which it was seen, from 1.
    pub boot: u32,
    /// What was seen, in one reading, however long: longer than any that an agent makes.
    pub reading: Reading,
}

impl Spell {
    /// How long it lasted, in microseconds.
    pub fn micros(&self) -> i64 {
        self.until.since(self.from)
    }
}

impl Year {
    /// Everybody who used the machine with this number, in order. Those who would still be there at the end are left out.
    pub fn planned(&self, number: usize) -> impl Iterator<Item = Planned> + '_ {
        let machine = &self.machines()[number];
        let days = self.days(machine);
        let mut planner = Planner::new(machine, self.machine_seed(number), days.first());
        let rest_us = i64::try_from(SESSION_REST_US).unwrap_or(i64::MAX);
        let over = self.until().plus(-rest_us - SECOND_US);
        days.iter().flat_map(move |day| planner.day(day)).filter(move |planned| planned.ends <= over)
    }

    /// What was seen of the machine with this number, in order.
    pub fn spells(&self, number: usize, each: impl FnMut(Spell)) {
        let machine = &self.machines()[number];
        let sleeps = self.gyms()[machine.gym].sleeps;
        let dark = dark::spans(self.days(machine), self.machine_seed(number), sleeps);
        let kind = machine.kind;
        let mut seen = Seen { kind, dark, passed: 0, cursor: self.from(), each };
        for planned in self.planned(number) {
            seen.go_on(planned.starts, &REST);
            for leg in &planned.legs {
                let ends = seen.cursor.plus(i64::from(leg.seconds) * SECOND_US);
                seen.go_on(ends, leg);
            }
        }
        seen.go_on(self.until(), &REST);
    }
}

/// Time as it passes.
struct Seen<F> {
    kind: Kind,
    /// When nothing is known.
    dark: Vec<(UnixMicros, UnixMicros)>,
    /// How many of these are over.
    passed: usize,
    cursor: UnixMicros,
    each: F,
}

impl<F: FnMut(Spell)> Seen<F> {
    /// The belt does this until then.
    fn go_on(&mut self, until: UnixMicros, leg: &Leg) {
        while self.cursor < until {
            let end = until.min(self.cursor.plus(SPELL_US_MAX));
            let (end, is_dark) = match self.dark.get(self.passed) {
                Some((from, over)) if *from <= self.cursor => (end.min(*over), true),
                Some((from, _)) => (end.min(*from), false),
                None => (end, false),
            };
            if !is_dark {
                self.tell(end, leg);
            }
            self.cursor = end;
            let is_over = |(_, over): &(UnixMicros, UnixMicros)| *over <= end;
            self.passed += usize::from(self.dark.get(self.passed).is_some_and(is_over));
        }
    }

    fn tell(&mut self, until: UnixMicros, leg: &Leg) {
        let from = self.cursor;
        let boot = u32::try_from(self.passed + 1).unwrap_or(u32::MAX);
        let span_ms = u32::try_from(until.since(from) / 1_000).unwrap_or(u32::MAX);
        (self.each)(Spell { from, until, boot, reading: reading(self.kind, leg, span_ms) });
    }
}

/// What an agent sees of a leg.
fn reading(kind: Kind, leg: &Leg, span_ms: u32) -> Reading {
    let is_moving = leg.direction != Direction::Stopped;
    let (direction, origin) = match (is_moving, kind.is_measured()) {
        (false, _) | (true, true) => (leg.direction, Origin::Measured),
        (true, false) => (Direction::Unknown, Origin::Unknown),
    };
    let above = match kind {
        Kind::Encoder => ABOVE_MEAN,
        Kind::Manual => ABOVE_MEAN_MANUAL,
        Kind::OneWay | Kind::Blind => 0,
    };
    let spread = if is_moving { above } else { 0 };
    let (mean, rise) = (leg.speed, Some(spread));
    let (min, max) = (Speed(mean.0.saturating_sub(spread)), Speed(mean.0 + spread));
    let mut contacts = Contacts::default();
    if kind == Kind::Encoder {
        contacts.set(Contact::EmergencyStop, false);
        contacts.set(Contact::SafetyKey, false);
        contacts.set(Contact::HandRail, !leg.is_rail_held);
    }
    Reading {
        span_ms,
        direction,
        origin,
        speed: Some(SpeedSummary { mean, min, max, rise, fall: rise }),
        incline: (kind != Kind::Manual).then_some(Incline(leg.incline_tenths)),
        contacts,
        holds_for_ms: if is_moving { HOLDS_MOVING_MS } else { HOLDS_RESTING_MS },
        ..Reading::default()
    }
}
