//! What sources make of a machine: signals with their noise, their steps, their delays and their silence.

mod console;
mod contacts;
mod drive;
mod encoder;
mod second;

use domain::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MonotonicMicros, Speed};
use fastrand::Rng;

pub use self::console::Console;
pub use self::contacts::ContactInputs;
pub use self::drive::Drive;
pub use self::encoder::Encoder;
pub use self::second::{SecondDirection, SecondSpeed};

use crate::belt::Belt;
use crate::player::Sight;
use crate::score::{Act, Micros};

/// What a machine has besides what its kind of source always has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Equipment {
    /// A contact that tells whether somebody is on the belt.
    pub presence: bool,
    /// A second source of speed.
    pub second_speed: bool,
    /// A second source of direction.
    pub second_direction: bool,
    /// A heart-rate sensor, of a console.
    pub heart_rate: bool,
    /// A step count, of a console.
    pub steps: bool,
}

/// A source of signals.
pub trait Source: std::fmt::Debug {
    /// What is known of it.
    fn spec(&self) -> SourceSpec;

    /// Something happens; what is told of it, perhaps later.
    fn act(&mut self, at: Micros, act: &Act, belt: &Belt, out: &mut Vec<Signal>);

    /// When something was lost on its way to the agent.
    fn lost(&self) -> &[Micros] {
        &[]
    }

    /// A tenth of a second has passed.
    fn step(&mut self, now: Micros, belt: &Belt, out: &mut Vec<Signal>);
}

/// All sources of a machine, the preferred first.
pub fn sources(sight: Sight, equipment: Equipment, random: &mut Rng) -> Vec<Box<dyn Source>> {
    let mut all: Vec<Box<dyn Source>> = Vec::new();
    let mut fork = || Rng::with_seed(random.u64(..));
    match sight {
        Sight::Encoder => all.push(Box::new(Encoder::new(SourceNumber(0), fork()))),
        Sight::Drive => all.push(Box::new(Drive::new(SourceNumber(0), fork()))),
        Sight::Console => all.push(Box::new(Console::new(SourceNumber(0), equipment, fork()))),
    }
    if sight != Sight::Console {
        all.push(Box::new(ContactInputs::new(SourceNumber(1), equipment, fork())));
    }
    if equipment.second_speed {
        all.push(Box::new(SecondSpeed::new(SourceNumber(2), fork())));
    }
    if equipment.second_direction {
        all.push(Box::new(SecondDirection::new(SourceNumber(2), fork())));
    }
    all
}

/// What all of them can report together.
pub fn capabilities(sources: &[Box<dyn Source>]) -> Capabilities {
    sources.iter().fold(Capabilities::default(), |all, source| all.and(source.spec().capabilities))
}

/// A signal.
fn signal(at: Micros, source: SourceNumber, value: SignalValue) -> Signal {
    Signal { at: MonotonicMicros(at), source, value }
}

/// A speed without sign, in whole mm/s.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
fn speed(mm_s: f64) -> Speed {
    Speed(mm_s.round().clamp(0.0, 100_000.0) as u32)
}

/// Noise with this deviation: a sum of four even chances, which ends at 3.5 deviations.
fn noise(random: &mut Rng, deviation: f64) -> f64 {
    let sum: f64 = (0..4).map(|_| random.f64() - 0.5).sum();
    sum * 3f64.sqrt() * deviation
}
