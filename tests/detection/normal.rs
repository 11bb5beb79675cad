//! Ordinary use: sessions as guidance has them, with which nothing is wrong.

use domain::belt::Contact;

use crate::player::Player;
use crate::score::Act;

/// km/h of one mph.
pub const MPH: f64 = 1.609_344;

impl Player {
    /// A stretch of ordinary life: somebody walks, or walks backwards, or the machine rests.
    pub fn interlude(&mut self) {
        match self.random.u32(0..10) {
            0..4 => self.walk(1, 30.0, 80.0),
            4..7 if self.is_reversible => self.intervals(2, 0.7),
            _ => self.wait_between(30.0, 90.0),
        }
    }

    /// A forward walk or run at some speeds, perhaps on a raised deck.
    pub fn walk(&mut self, speeds: u32, least_s: f64, most_s: f64) {
        self.step_on();
        let kmh = self.between(0.8, 6.0);
        self.start(kmh);
        let hands_free = self.chance(0.5);
        for _ in 0..speeds {
            if self.chance(0.3) {
                let percent = f64::from(self.random.u32(0..=8)) * 0.5;
                self.tilt(percent, 8.0);
            }
            if hands_free {
                self.act_in(3.0, Act::Contact(Contact::HandRail, true));
            }
            self.wait_between(least_s, most_s);
            let kmh = self.between(1.5, 11.0);
            self.set(kmh);
            self.wait_between(5.0, 15.0);
        }
        self.halt();
        self.tilt(0.0, 8.0);
        self.step_off();
    }

    /// Blocks of 30 s in reverse at 1 to 2 mph with forward walking and standstills between, flat, hands on the rail.
    pub fn intervals(&mut self, blocks: u32, length: f64) {
        self.step_on();
        let reverse = MPH * self.between(1.0, 2.0);
        for _ in 0..blocks {
            self.start(-reverse);
            self.wait(30.0 * length);
            self.halt();
            self.wait_between(2.0, 5.0);
            self.start(3.6);
            self.wait(60.0 * length);
            self.halt();
            self.wait_between(2.0, 5.0);
        }
        self.step_off();
    }

    /// The key is the off switch of some people: pulled within seconds of a normal stop, put back later.
    pub fn key_as_off_switch(&mut self) {
        self.act(Act::Contact(Contact::SafetyKey, true));
        self.wait_between(10.0, 40.0);
        self.act(Act::Contact(Contact::SafetyKey, false));
        self.wait(5.0);
    }
}
