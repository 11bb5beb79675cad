//! Dry contacts on inputs of the agent's computer: edges by interrupt with their bounces, levels once a second.

use domain::belt::Contact;
use domain::signal::{Capabilities, Signal, SignalValue, SourceNumber, SourceSpec};
use domain::units::{MILLI, SECOND};
use fastrand::Rng;

use super::{Equipment, Source, signal};
use crate::belt::{Belt, place};
use crate::score::{Act, Micros};

/// Most bounces of one edge; they take at most 8 ms.
const BOUNCES_MAX: u64 = 5;

/// The inputs.
#[derive(Debug)]
pub struct ContactInputs {
    number: SourceNumber,
    equipment: Equipment,
    random: Rng,
    steps: u64,
}

impl ContactInputs {
    /// Inputs with this number.
    pub fn new(number: SourceNumber, equipment: Equipment, random: Rng) -> ContactInputs {
        ContactInputs { number, equipment, random, steps: 0 }
    }

    fn has(&self, contact: Contact) -> bool {
        match contact {
            Contact::EmergencyStop | Contact::SafetyKey | Contact::MachinePower | Contact::HandRail => true,
            Contact::UserPresence => self.equipment.presence,
        }
    }

    fn level(&self, at: Micros, contact: Contact, open: bool, out: &mut Vec<Signal>) {
        if self.has(contact) {
            out.push(signal(at, self.number, SignalValue::ContactLevel { contact, open }));
        }
    }
}

impl Source for ContactInputs {
    fn spec(&self) -> SourceSpec {
        let capabilities = Capabilities::EMERGENCY_STOP.and(Capabilities::SAFETY_KEY);
        let mut capabilities = capabilities.and(Capabilities::MACHINE_POWER).and(Capabilities::HAND_RAIL);
        if self.equipment.presence {
            capabilities = capabilities.and(Capabilities::USER_PRESENCE);
        }
        SourceSpec { name: "contacts".to_owned(), capabilities, period_us: SECOND }
    }

    fn act(&mut self, at: Micros, act: &Act, belt: &Belt, out: &mut Vec<Signal>) {
        match act {
            Act::Contact(contact, open) => {
                self.level(at, *contact, *open, out);
                if belt.open[place(*contact)] == *open {
                    return;
                }
                for bounce in 0..self.random.u64(0..=BOUNCES_MAX) {
                    let back = at + (bounce * 8 / 5) * MILLI + 300;
                    self.level(back, *contact, !*open, out);
                    self.level(back + 400, *contact, *open, out);
                }
            }
            Act::Glitch(contact, ms) => {
                self.level(at, *contact, true, out);
                self.level(at + ms * MILLI, *contact, false, out);
            }
            Act::Start
            | Act::Stop
            | Act::Target(_)
            | Act::Fault
            | Act::Nonsense(_)
            | Act::Silent(_)
            | Act::SecondFactor(_)
            | Act::SecondInverted(_)
            | Act::Heart(_)
            | Act::StepsFrozen(_)
            | Act::Away(_) => {}
        }
    }

    fn step(&mut self, now: Micros, belt: &Belt, out: &mut Vec<Signal>) {
        self.steps += 1;
        if self.steps.is_multiple_of(10) {
            for contact in Contact::ALL {
                self.level(now, contact, belt.open[place(contact)], out);
            }
        }
    }
}
