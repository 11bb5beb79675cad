//! The readings that an agent would have made: one a second while the belt moves and for a while after, one in half a
//! minute at rest.

use domain::belt::Direction;
use domain::record::{Extra, Reading, SpeedSummary};
use domain::units::{Speed, UnixMicros};
use fastrand::Rng;

use super::random::{self, Purpose};
use super::spell::Spell;
use super::{Kind, Year};

const SECOND_US: i64 = 1_000_000;
/// How long readings stay short after a moving belt stopped.
const SHORT_US: i64 = 10 * SECOND_US;
/// Length of a reading at rest.
const REST_US: i64 = 30 * SECOND_US;
/// How fast belts change their speed, in mm/s within a second.
const RAMP_MM_S: u32 = 300;
/// Values that an encoder gives in a second.
const VALUES_A_SECOND: u32 = 10;
/// A console counts anew after a rest of this length.
const COUNTED_ANEW_US: i64 = 180 * SECOND_US;

/// A reading as an agent would have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// In which of the agent's lives, from 1.
    pub boot: u32,
    /// When that life began.
    pub booted: UnixMicros,
    /// Its number in that life, from 1.
    pub n: u64,
    /// Its end.
    pub time: UnixMicros,
    /// What it says.
    pub reading: Reading,
}

impl Year {
    /// The readings of the machine with this number from a moment on, in order.
    pub fn watched(&self, number: usize, from: UnixMicros, each: impl FnMut(Watched)) {
        let kind = self.machines()[number].kind;
        let random = random::of(self.machine_seed(number), Purpose::Noise, 0);
        let mut agent = Agent {
            kind,
            random,
            boot: 0,
            booted: UnixMicros(0),
            n: 0,
            belt: Speed(0),
            last: (0, 0),
            elapsed_s: 0,
            distance_mm: 0,
            each,
        };
        self.spells(number, |spell| {
            if spell.until > from {
                agent.see(&spell, spell.from.max(from));
            }
        });
    }
}

/// An agent at work.
struct Agent<F> {
    kind: Kind,
    random: Rng,
    boot: u32,
    booted: UnixMicros,
    n: u64,
    /// How fast the belt runs now.
    belt: Speed,
    /// Least and greatest speed of the reading before.
    last: (u32, u32),
    elapsed_s: u32,
    distance_mm: u64,
    each: F,
}

impl<F: FnMut(Watched)> Agent<F> {
    fn see(&mut self, spell: &Spell, from: UnixMicros) {
        if spell.boot != self.boot {
            (self.boot, self.booted, self.n) = (spell.boot, from.plus(-SECOND_US), 0);
        }
        let moving = spell.reading.direction != Direction::Stopped;
        let was_moving = self.belt > Speed(0);
        let short_until = match (moving, was_moving) {
            (true, _) => spell.until,
            (false, true) => from.plus(SHORT_US),
            (false, false) => from,
        };
        let mut at = from;
        while at < spell.until {
            let length = if at < short_until { SECOND_US } else { REST_US };
            let end = at.plus(length).min(spell.until);
            self.tell(&spell.reading, at, end, moving);
            at = end;
        }
        if !moving && spell.micros() >= COUNTED_ANEW_US {
            (self.elapsed_s, self.distance_mm) = (0, 0);
        }
    }

    fn tell(&mut self, of: &Reading, from: UnixMicros, until: UnixMicros, moving: bool) {
        let target = of.speed.map_or(Speed(0), |speed| speed.mean);
        self.belt = match moving {
            true => Speed(target.0.clamp(self.belt.0.saturating_sub(RAMP_MM_S), self.belt.0 + RAMP_MM_S)),
            // It came to rest within the reading that told it last.
            false => Speed(0),
        };
        let span_ms = u32::try_from(until.since(from) / 1_000).unwrap_or(u32::MAX);
        let speed = if self.kind.is_measured() && moving { self.scattered() } else { steady(self.belt) };
        let (min, max) = (speed.min.0, speed.max.0);
        let (rise, fall) = (max.saturating_sub(self.last.0), self.last.1.saturating_sub(min));
        self.last = (min, max);
        if moving {
            self.elapsed_s += span_ms / 1_000;
            self.distance_mm += u64::from(self.belt.0) * u64::from(span_ms) / 1_000;
        }
        let extra = match self.kind {
            Kind::Encoder | Kind::Manual => Extra::default(),
            Kind::OneWay | Kind::Blind => Extra {
                elapsed_s: Some(self.elapsed_s),
                distance_m: u32::try_from(self.distance_mm / 1_000).ok(),
                ..Extra::default()
            },
        };
        self.n += 1;
        let speed = SpeedSummary { rise: Some(rise), fall: Some(fall), ..speed };
        let reading = Reading { span_ms, speed: Some(speed), extra, ..of.clone() };
        (self.each)(Watched { boot: self.boot, booted: self.booted, n: self.n, time: until, reading });
    }

    /// What an encoder tells in a second: values with a standard deviation of 10 mm/s.
    fn scattered(&mut self) -> SpeedSummary {
        let (mut sum, mut min, mut max) = (0, u32::MAX, 0);
        for _ in 0..VALUES_A_SECOND {
            // The number of set bits of 64 has a mean of 32 and a standard deviation of 4.
            let bits = i64::from(self.random.u64(..).count_ones());
            let noise = ((bits - 32) * 5 + self.random.i64(-2..=2)) / 2;
            let value = u32::try_from(i64::from(self.belt.0) + noise).unwrap_or(0);
            (sum, min, max) = (sum + value, min.min(value), max.max(value));
        }
        let mean = (sum + VALUES_A_SECOND / 2) / VALUES_A_SECOND;
        SpeedSummary { mean: Speed(mean), min: Speed(min), max: Speed(max), rise: None, fall: None }
    }
}

fn steady(speed: Speed) -> SpeedSummary {
    SpeedSummary { mean: speed, min: speed, max: speed, rise: None, fall: None }
}
