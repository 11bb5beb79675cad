//! One machine at one moment, as it really is.

use domain::belt::{Contact, Direction};

use crate::score::{Act, Micros, SECOND};

/// Steps of a person a second.
const STEPS_HZ: f64 = 1.8;
/// Belts slower than this stand, in mm/s.
const STANDS_MM_S: f64 = 5.0;

/// The machine as it really is.
#[derive(Debug, Clone)]
pub struct Belt {
    /// Speed in mm/s, below 0 in reverse.
    pub speed: f64,
    /// Incline in tenths of a per cent.
    pub incline: f64,
    /// Which contacts are open, in the order of `Contact::ALL`.
    pub open: [bool; Contact::ALL.len()],
    /// What the console commands, in mm/s.
    pub target: f64,
    /// Whether the user has started it and not stopped it.
    pub is_started: bool,
    /// Time of motion, in microseconds.
    pub moved: Micros,
    /// Distance, in mm.
    pub distance: f64,
    /// Steps of the people on it.
    pub steps: f64,
    /// Heart rate; 0: no contact.
    pub heart_rate: u8,
    /// How far the second speed is off.
    pub second_factor: f64,
    /// Whether the second direction is the wrong one.
    pub second_inverted: bool,
    /// Whether the source of the speed is silent.
    pub is_silent: bool,
    are_steps_frozen: bool,
}

impl Default for Belt {
    fn default() -> Belt {
        Belt {
            speed: 0.0,
            incline: 0.0,
            // Nobody is on it and nobody holds the rail.
            open: Contact::ALL.map(|contact| matches!(contact, Contact::HandRail | Contact::UserPresence)),
            target: 0.0,
            is_started: false,
            moved: 0,
            distance: 0.0,
            steps: 0.0,
            heart_rate: 0,
            second_factor: 1.0,
            second_inverted: false,
            is_silent: false,
            are_steps_frozen: false,
        }
    }
}

impl Belt {
    /// Time passes.
    pub fn advance(&mut self, span: Micros, speed: f64, incline: f64) {
        (self.speed, self.incline) = (speed, incline);
        self.distance += speed.abs() * span as f64 / SECOND;
        if self.is_moving() {
            self.moved += span;
            if !self.are_steps_frozen {
                self.steps += STEPS_HZ * span as f64 / SECOND;
            }
        }
    }

    /// Something happens.
    pub fn take(&mut self, act: &Act) {
        match act {
            Act::Contact(contact, open) => {
                self.open[place(*contact)] = *open;
                // Button and key cut the power; only a start brings it back.
                let stops = matches!(contact, Contact::EmergencyStop | Contact::SafetyKey);
                self.is_started &= !(stops && *open);
            }
            Act::Start => self.is_started = true,
            Act::Stop => self.is_started = false,
            Act::Target(mm_s) => self.target = *mm_s,
            Act::Silent(silent) => self.is_silent = *silent,
            Act::SecondFactor(factor) => self.second_factor = *factor,
            Act::SecondInverted(inverted) => self.second_inverted = *inverted,
            Act::Heart(rate) => self.heart_rate = *rate,
            Act::StepsFrozen(frozen) => self.are_steps_frozen = *frozen,
            Act::Glitch(..) | Act::Fault | Act::Nonsense(_) | Act::Away(_) => {}
        }
    }

    /// Whether it moves.
    pub fn is_moving(&self) -> bool {
        self.speed.abs() > STANDS_MM_S
    }

    /// Which way it runs.
    pub fn direction(&self) -> Direction {
        match self.speed {
            speed if speed > STANDS_MM_S => Direction::Forward,
            speed if speed < -STANDS_MM_S => Direction::Reverse,
            _ => Direction::Stopped,
        }
    }
}

/// A contact's place in `Contact::ALL`.
pub fn place(contact: Contact) -> usize {
    contact.bit().trailing_zeros() as usize
}
