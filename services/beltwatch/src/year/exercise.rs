//! What people do on a belt: legs of one speed, direction and incline each.

use domain::belt::Direction;
use domain::units::Speed;
use fastrand::Rng;

use super::Kind;
use super::random::happens;

/// Pairs of a reverse programme: the literature's ten times thirty seconds.
const REVERSE_PAIRS: u32 = 10;
/// Speeds at which people are told to begin in reverse, 1 to 2 mph, in mm/s.
const REVERSE_SLOWEST: u32 = 450;
const REVERSE_FASTEST: u32 = 890;

/// One thing done for some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// For how long.
    pub seconds: u32,
    /// Which way the belt ran; stopped is a rest.
    pub direction: Direction,
    /// How fast.
    pub speed: Speed,
    /// Incline, in tenths of a per cent.
    pub incline_tenths: i32,
    /// Whether hands were on the rail.
    pub is_rail_held: bool,
}

/// Legs under way.
struct Programme<'r> {
    random: &'r mut Rng,
    kind: Kind,
    legs: Vec<Leg>,
}

/// What somebody does who just came.
pub(super) fn any(random: &mut Rng, kind: Kind) -> Vec<Leg> {
    let choice = random.u32(..100);
    let can_reverse = match kind {
        Kind::Encoder | Kind::Blind => true,
        Kind::OneWay | Kind::Manual => false,
    };
    let has_incline = kind != Kind::Manual;
    let mut programme = Programme { random, kind, legs: Vec::new() };
    match choice {
        0..=2 => programme.try_it(),
        3..=14 if can_reverse => programme.reverse(None),
        3..=39 => programme.walk(),
        40..=74 => programme.run(),
        75..=86 => programme.intervals(),
        _ if has_incline => programme.hill(),
        _ => programme.walk(),
    }
    programme.legs
}

/// A session of a course in this week of it, from 0: somewhat faster each week.
pub(super) fn therapy(random: &mut Rng, kind: Kind, week: u32) -> Vec<Leg> {
    let mut programme = Programme { random, kind, legs: Vec::new() };
    programme.reverse(Some((REVERSE_SLOWEST + 45 * week).min(REVERSE_FASTEST)));
    programme.legs
}

/// What a technician does who looks after a machine.
pub(super) fn test_run(random: &mut Rng, kind: Kind) -> Vec<Leg> {
    let mut programme = Programme { random, kind, legs: Vec::new() };
    for tenths_kmh in [20, 60, 120] {
        programme.forward(60, 60, (tenths_kmh, tenths_kmh), 0);
    }
    programme.legs
}

impl Programme<'_> {
    fn push(&mut self, seconds: u32, direction: Direction, mm_s: u32, incline_tenths: i32) {
        let held_of_1000 = if direction == Direction::Reverse { 850 } else { 120 };
        let is_rail_held = happens(self.random, held_of_1000);
        let speed = match self.kind.is_measured() {
            true => Speed(mm_s),
            // Consoles tell tenths of a km/h.
            false => Speed::from_centi_kmh((mm_s * 36 + 500) / 1_000 * 10),
        };
        let incline_tenths = if self.kind == Kind::Manual { 0 } else { incline_tenths };
        self.legs.push(Leg { seconds, direction, speed, incline_tenths, is_rail_held });
    }

    /// Forward for a time between two, at a speed between two, in tenths of a km/h.
    fn forward(&mut self, least: u32, most: u32, tenths_kmh: (u32, u32), incline_tenths: i32) {
        let seconds = self.random.u32(least..=most);
        let (slowest, fastest) = (tenths_kmh.0 * 250 / 9, tenths_kmh.1 * 250 / 9);
        let mm_s = self.random.u32(slowest..=fastest);
        self.push(seconds, Direction::Forward, mm_s, incline_tenths);
    }

    fn rest(&mut self, seconds: u32) {
        self.legs.push(Leg {
            seconds,
            direction: Direction::Stopped,
            speed: Speed(0),
            incline_tenths: self.legs.last().map_or(0, |leg| leg.incline_tenths),
            is_rail_held: false,
        });
    }

    /// Somebody presses start, and goes away.
    fn try_it(&mut self) {
        self.forward(8, 40, (10, 30), 0);
    }

    fn walk(&mut self) {
        for _ in 0..self.random.u32(1..=3) {
            let incline_tenths = [0, 0, 5, 10, 20, 30][self.random.usize(..6)];
            self.forward(300, 900, (35, 62), incline_tenths);
        }
        if happens(self.random, 150) {
            let seconds = self.random.u32(20..=150);
            self.rest(seconds);
            self.forward(200, 600, (35, 60), 0);
        }
    }

    fn run(&mut self) {
        self.forward(120, 300, (50, 65), 0);
        for _ in 0..self.random.u32(1..=4) {
            let incline_tenths = [0, 5, 10, 10][self.random.usize(..4)];
            self.forward(240, 840, (80, 130), incline_tenths);
        }
        self.forward(90, 240, (40, 60), 0);
    }

    fn intervals(&mut self) {
        self.forward(180, 300, (50, 70), 0);
        for _ in 0..self.random.u32(4..=8) {
            self.forward(45, 75, (120, 165), 10);
            self.forward(50, 100, (55, 75), 10);
        }
        self.forward(120, 240, (45, 60), 0);
    }

    fn hill(&mut self) {
        self.forward(120, 300, (40, 55), 10);
        for _ in 0..self.random.u32(2..=4) {
            let incline_tenths = self.random.i32(6..=15) * 10;
            self.forward(240, 600, (35, 58), incline_tenths);
        }
        self.forward(90, 200, (35, 50), 0);
    }

    /// Ten pairs of thirty seconds in reverse and as long a recovery, standing or forward; a few on an incline.
    fn reverse(&mut self, prescribed_mm_s: Option<u32>) {
        self.forward(120, 300, (30, 50), 0);
        let incline_tenths = match prescribed_mm_s.is_none() && happens(self.random, 60) {
            true => self.random.i32(2..=6) * 10,
            false => 0,
        };
        let stands = happens(self.random, 600);
        let usual = self.random.u32(REVERSE_SLOWEST..=REVERSE_FASTEST);
        let mm_s = prescribed_mm_s.unwrap_or(usual);
        for _ in 0..REVERSE_PAIRS {
            let (work, recovery) = (self.random.u32(27..=33), self.random.u32(26..=40));
            let mm_s = mm_s + self.random.u32(..20);
            self.push(work, Direction::Reverse, mm_s, incline_tenths);
            if stands {
                self.rest(recovery);
            } else {
                // A belt stands before it turns.
                self.rest(2);
                self.push(recovery, Direction::Forward, mm_s + 300, incline_tenths);
                self.rest(2);
            }
        }
        self.forward(120, 240, (35, 50), 0);
    }
}
