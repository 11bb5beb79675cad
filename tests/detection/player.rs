//! Writes a score: a cursor in time with a belt, moved by what people and machines do.

use domain::belt::Contact;
use domain::incident::{Rule, Severity};
use fastrand::Rng;

use crate::score::{Act, Meaning, Micros, SECOND, Score, Truth};

/// Normal starts, in mm/s per s: 0.08 to 0.21 m/s² were measured.
const START_MM_S2: (f64, f64) = (80.0, 210.0);
/// Normal stops, in mm/s per s: 0.13 to 0.28 m/s² were measured.
const HALT_MM_S2: (f64, f64) = (130.0, 270.0);

/// km/h in mm/s.
pub fn mm_s(kmh: f64) -> f64 {
    kmh / 0.0036
}

/// How a belt is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sight {
    /// A quadrature encoder with contacts, ten times a second. The machine tells no starts and stops.
    Encoder,
    /// A motor drive over Modbus with contacts, five times a second.
    Drive,
    /// A console over FTMS, once a second: no direction, of the contacts only the key, in words.
    Console,
}

impl Sight {
    /// All.
    pub const ALL: [Sight; 3] = [Sight::Encoder, Sight::Drive, Sight::Console];

    /// Its name in the document.
    pub fn name(self) -> &'static str {
        match self {
            Sight::Encoder => "encoder",
            Sight::Drive => "drive",
            Sight::Console => "ftms",
        }
    }
}

/// Writes the score of one life.
#[derive(Debug)]
pub struct Player {
    /// What was written.
    pub score: Score,
    /// Chance.
    pub random: Rng,
    /// How the belt will be seen.
    pub sight: Sight,
    /// Whether the belt can run in reverse.
    pub is_reversible: bool,
    now: Micros,
    speed: f64,
    incline: f64,
}

impl Player {
    /// A machine that stands, its contacts closed, with nobody on it.
    pub fn new(sight: Sight, is_reversible: bool, random: Rng) -> Player {
        let mut player = Player {
            score: Score::default(),
            random,
            sight,
            is_reversible,
            now: 0,
            speed: 0.0,
            incline: 0.0,
        };
        player.score.speed.0.push((0, 0.0));
        player.score.incline.0.push((0, 0.0));
        player.wait(8.0);
        player
    }

    /// The score, ended now.
    pub fn finish(mut self) -> Score {
        self.wait(15.0);
        self.score.finish(self.now)
    }

    /// The present moment.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// The belt's speed, in km/h; below 0 in reverse.
    pub fn speed(&self) -> f64 {
        self.speed * 0.0036
    }

    /// A number between two.
    pub fn between(&mut self, least: f64, most: f64) -> f64 {
        least + self.random.f64() * (most - least)
    }

    /// Whether something of this probability happens.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.random.f64() < probability
    }

    /// Time passes with the belt as it is.
    pub fn wait(&mut self, seconds: f64) {
        self.now += micros(seconds);
        self.knot();
    }

    /// Time passes, as much as chance says.
    pub fn wait_between(&mut self, least: f64, most: f64) {
        let seconds = self.between(least, most);
        self.wait(seconds);
    }

    /// The belt comes to a speed within so many seconds.
    pub fn hop(&mut self, kmh: f64, seconds: f64) {
        self.knot();
        self.speed = mm_s(kmh);
        self.now += micros(seconds);
        self.knot();
    }

    /// The belt's speed changes by so many mm/s each second until it has this one.
    pub fn ramp(&mut self, kmh: f64, mm_s2: f64) {
        let seconds = (mm_s(kmh) - self.speed).abs() / mm_s2;
        self.hop(kmh, seconds);
    }

    /// The deck moves to an incline within so many seconds from now, while other things go on.
    pub fn tilt(&mut self, percent: f64, seconds: f64) {
        let tenths = percent * 10.0;
        self.score.incline.0.push((self.now, self.incline));
        self.score.incline.0.push((self.now + micros(seconds), tenths));
        self.incline = tenths;
    }

    /// Something happens now.
    pub fn act(&mut self, act: Act) {
        self.score.acts.push((self.now, act));
    }

    /// Something happens in so many seconds.
    pub fn act_in(&mut self, seconds: f64, act: Act) {
        self.score.acts.push((self.now + micros(seconds), act));
    }

    /// The user starts the belt, it counts down and comes to a speed.
    pub fn start(&mut self, kmh: f64) {
        self.act(Act::Start);
        self.act(Act::Target(mm_s(kmh.abs())));
        self.wait_between(0.3, 3.0);
        let slope = self.between(START_MM_S2.0, START_MM_S2.1);
        self.ramp(kmh, slope);
    }

    /// The user asks for another speed, and the belt follows.
    pub fn set(&mut self, kmh: f64) {
        self.act(Act::Target(mm_s(kmh.abs())));
        let slopes = if mm_s(kmh.abs()) > self.speed.abs() { START_MM_S2 } else { HALT_MM_S2 };
        let slope = self.between(slopes.0, slopes.1);
        self.ramp(kmh, slope);
    }

    /// The user stops the belt, and it comes to rest as usual.
    pub fn halt(&mut self) {
        self.act(Act::Stop);
        self.act(Act::Target(0.0));
        let slope = self.between(HALT_MM_S2.0, HALT_MM_S2.1);
        self.ramp(0.0, slope);
    }

    /// Somebody steps on and takes the rail.
    pub fn step_on(&mut self) {
        self.act(Act::Contact(Contact::UserPresence, false));
        self.act(Act::Contact(Contact::HandRail, false));
        self.act(Act::Heart(100));
        self.wait_between(1.0, 3.0);
    }

    /// Somebody lets the rail go and steps off.
    pub fn step_off(&mut self) {
        self.wait_between(0.5, 2.0);
        self.act(Act::Contact(Contact::HandRail, true));
        self.wait_between(1.0, 3.0);
        self.act(Act::Contact(Contact::UserPresence, true));
        self.act(Act::Heart(0));
        self.wait_between(8.0, 15.0);
    }

    /// Notes a part of the truth.
    pub fn note(&mut self, rule: Rule, meaning: Meaning, from: Micros, until: Micros, name: &'static str) {
        self.score.truths.push(Truth { rule, meaning, from, until, name });
    }

    /// It is an incident.
    pub fn episode(
        &mut self,
        rule: Rule,
        severity: Severity,
        (from, until): (Micros, Micros),
        name: &'static str,
    ) {
        self.note(rule, Meaning::Episode(severity), from, until, name);
    }

    /// It is none of this rule, from then until now.
    pub fn near_miss(&mut self, rule: Rule, from: Micros, name: &'static str) {
        self.note(rule, Meaning::NearMiss, from, self.now, name);
    }

    /// It may be one of these rules, from then until now.
    pub fn allow(&mut self, rules: &[Rule], from: Micros) {
        for rule in rules {
            self.note(*rule, Meaning::Allowed, from, self.now, "side effect");
        }
    }

    fn knot(&mut self) {
        self.score.speed.0.push((self.now, self.speed));
    }
}

/// Seconds in microseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lives last hours, and time goes on"
)]
pub fn micros(seconds: f64) -> Micros {
    (seconds * SECOND).round() as Micros
}
