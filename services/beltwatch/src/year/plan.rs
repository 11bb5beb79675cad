//! Who comes to a machine, when, and what they do.

use domain::units::UnixMicros;
use fastrand::Rng;

use super::FleetMachine;
use super::exercise::{self, Leg};
use super::gym::GymDay;
use super::random::{self, happens};

const SECOND_US: i64 = 1_000_000;
const MINUTE_US: i64 = 60 * SECOND_US;
/// Within this time somebody comes to a free machine or not.
const STEP_US: i64 = 5 * MINUTE_US;
/// A machine is wiped before the next one takes it.
const WIPED_S: i64 = 30;
/// Nobody begins what would last until so long before closing.
const CLEARED_US: i64 = 2 * MINUTE_US;
/// So long before and after an appointment the machine is kept free: its session is one of its own.
const KEPT_FREE_US: i64 = 5 * MINUTE_US;
/// A technician comes so long before opening.
const BEFORE_OPENING_US: i64 = 45 * MINUTE_US;
/// Days of a block in which a machine may be out of service once.
const BLOCK_DAYS: i64 = 30;
/// A block has so many such times of 1 000.
const OUT_OF_1000: u32 = 110;
/// A technician comes on so many days of 1 000.
const TEST_OF_1000: u32 = 12;

/// A session of a course that comes again each week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appointment {
    /// Which course, by the caller's number.
    pub course: usize,
    /// 0 is Monday.
    pub weekday: usize,
    /// In minutes after midnight.
    pub minute: i64,
}

/// Why somebody is on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They came as they liked.
    Exercise,
    /// It is a session of this course.
    Course(usize),
    /// A technician looks after the machine, mostly before the gym opens.
    TestRun,
}

/// What somebody does on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// When the belt begins to move.
    pub starts: UnixMicros,
    /// When it stops for the last time.
    pub ends: UnixMicros,
    /// Why.
    pub purpose: Purpose,
    /// What.
    pub legs: Vec<Leg>,
}

impl Planned {
    fn new(starts: UnixMicros, purpose: Purpose, legs: Vec<Leg>) -> Planned {
        let seconds: i64 = legs.iter().map(|leg| i64::from(leg.seconds)).sum();
        Planned { starts, ends: starts.plus(seconds * SECOND_US), purpose, legs }
    }
}

/// Plans the days of one machine, one after another.
pub(super) struct Planner<'y> {
    machine: &'y FleetMachine,
    seed: u64,
    first_day: i64,
    /// From when on nobody is on it.
    free_from: UnixMicros,
}

impl<'y> Planner<'y> {
    pub(super) fn new(machine: &'y FleetMachine, seed: u64, first: Option<&GymDay>) -> Planner<'y> {
        let first_day = first.map_or(0, |day| day.number);
        Planner { machine, seed, first_day, free_from: UnixMicros(i64::MIN) }
    }

    /// Everybody who comes on a day, in order.
    pub(super) fn day(&mut self, day: &GymDay) -> Vec<Planned> {
        let Some((opens, closes)) = day.open else { return Vec::new() };
        let random = &mut random::of(self.seed, random::Purpose::Plan, day.number);
        let kind = self.machine.kind;
        if let Some(is_last) = out_of_service(self.seed, day.number) {
            let repaired = is_last.then(|| {
                Planned::new(day.at_minute(12 * 60), Purpose::TestRun, exercise::test_run(random, kind))
            });
            return repaired.into_iter().collect();
        }
        let mut planned = Vec::new();
        // Where it never closes there is no time before opening.
        if happens(random, TEST_OF_1000) && opens > day.begins {
            let legs = exercise::test_run(random, kind);
            planned.push(Planned::new(opens.plus(-BEFORE_OPENING_US), Purpose::TestRun, legs));
        }
        let appointments = self.appointments(day, random);
        let mut at = opens.max(self.free_from);
        for appointment in appointments {
            at = self.visitors(day, (at, appointment.starts.plus(-KEPT_FREE_US)), random, &mut planned);
            at = at.max(appointment.ends.plus(KEPT_FREE_US));
            planned.push(appointment);
        }
        self.free_from = self.visitors(day, (at, closes.plus(-CLEARED_US)), random, &mut planned);
        planned
    }

    /// Those who come as they like, and have done by the end of a span. Gives when the machine is free.
    fn visitors(
        &self,
        day: &GymDay,
        (from, until): (UnixMicros, UnixMicros),
        random: &mut Rng,
        planned: &mut Vec<Planned>,
    ) -> UnixMicros {
        let mut at = from;
        while at < until {
            let likely = (day.likely(at) * self.machine.popularity / 1_000).min(950);
            if !happens(random, likely) {
                at = at.plus(STEP_US);
                continue;
            }
            let starts = at.plus(random.i64(WIPED_S..300) * SECOND_US);
            let visit = Planned::new(starts, Purpose::Exercise, exercise::any(random, self.machine.kind));
            if visit.ends > until {
                at = at.plus(STEP_US);
                continue;
            }
            at = visit.ends;
            planned.push(visit);
        }
        at
    }

    /// Sessions of courses on a day; some people do not come.
    fn appointments(&self, day: &GymDay, random: &mut Rng) -> Vec<Planned> {
        let week = u32::try_from((day.number - self.first_day) / 7).unwrap_or(0);
        let mut held = Vec::new();
        for appointment in self.machine.appointments.iter().filter(|one| one.weekday == day.weekday) {
            let legs = exercise::therapy(random, self.machine.kind, week);
            let late = random.i64(0..240) * SECOND_US;
            let starts = day.at_minute(appointment.minute).plus(late);
            if !happens(random, 80) {
                held.push(Planned::new(starts, Purpose::Course(appointment.course), legs));
            }
        }
        held.sort_by_key(|session| session.starts);
        held
    }
}

/// Whether a machine is out of service on a day, and if, whether that is the last such day.
pub(super) fn out_of_service(seed: u64, day: i64) -> Option<bool> {
    let (block, place) = (day.div_euclid(BLOCK_DAYS), day.rem_euclid(BLOCK_DAYS));
    let random = &mut random::of(seed, random::Purpose::Service, block);
    if !happens(random, OUT_OF_1000) {
        return None;
    }
    let (first, days) = (random.i64(1..BLOCK_DAYS - 7), random.i64(1..=6));
    (first..first + days).contains(&place).then_some(place + 1 == first + days)
}
