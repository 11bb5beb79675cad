//! A realistic year of a fleet, made from a seed: who used which machine when and how, when machines were out of service,
//! and when their agents were silent.
//!
//! Pure and deterministic: the same seed gives the same year. What a belt did is told in [`Spell`]s, each one reading
//! however long it lasts; [`Year::history`] folds them by the rules of the domain, and [`watched`] cuts them into the
//! readings that an agent would have made.

mod dark;
mod exercise;
mod facts;
mod fold;
mod gym;
mod plan;
mod random;
mod sessions;
mod spell;
#[cfg(test)]
mod tests;
mod watched;

use domain::ids::{MachineId, SiteId};
use domain::registry::{BeltKind, DriveKind};
use domain::signal::Capabilities;
use domain::units::UnixMicros;
use jiff::civil::Date;

pub use self::facts::{Author, registration};
pub use self::fold::History;
pub use self::gym::{Gym, Habit, hours};
pub use self::plan::{Appointment, Planned, Purpose};
pub use self::spell::Spell;
pub use self::watched::Watched;

use self::gym::{Calendar, GymDay};
use self::random::fold_seed;

/// Machines of one gym of a generated fleet.
const MACHINES_OF_GYM: usize = 20;
/// Zones of a generated fleet's gyms, by turns.
const ZONES: [&str; 8] = [
    "Europe/Vienna",
    "Europe/London",
    "America/New_York",
    "Europe/Vienna",
    "Australia/Sydney",
    "Asia/Kathmandu",
    "America/St_Johns",
    "America/Los_Angeles",
];
/// How much machines of a gym are used, by place, in parts of 1 000 of an ordinary one: those in the last corner hardly.
const POPULARITY: [u32; MACHINES_OF_GYM] = [
    1_300, 1_250, 1_200, 1_150, 1_100, 1_000, 950, 900, 850, 800, 750, 700, 650, 600, 500, 400, 300, 200, 90,
    30,
];

/// What a machine is, and what its agent sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Reversible, with an encoder and contacts: its direction is measured.
    Encoder,
    /// One-way, of which only the console is heard.
    OneWay,
    /// Reversible, of which only the console is heard: nobody tells its direction.
    Blind,
    /// Driven by the person on it, with an encoder and nothing else.
    Manual,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 4] = [Kind::Encoder, Kind::OneWay, Kind::Blind, Kind::Manual];

    /// Its model's name.
    pub fn model(self) -> &'static str {
        match self {
            Kind::Encoder => "Reversible with encoder",
            Kind::OneWay => "One-way, console only",
            Kind::Blind => "Reversible, console only",
            Kind::Manual => "Manual with encoder",
        }
    }

    /// What its belt can do.
    pub fn belt(self) -> BeltKind {
        match self {
            Kind::Encoder | Kind::Blind => BeltKind::Reversible,
            Kind::OneWay | Kind::Manual => BeltKind::OneWay,
        }
    }

    /// What drives it.
    pub fn drive(self) -> DriveKind {
        match self {
            Kind::Encoder | Kind::OneWay | Kind::Blind => DriveKind::Motor,
            Kind::Manual => DriveKind::Manual,
        }
    }

    /// Whether an encoder measures its belt.
    pub fn is_measured(self) -> bool {
        match self {
            Kind::Encoder | Kind::Manual => true,
            Kind::OneWay | Kind::Blind => false,
        }
    }

    /// What its agent can report.
    pub fn capabilities(self) -> Capabilities {
        let speed = Capabilities::SPEED;
        match self {
            Kind::Encoder => speed
                .and(Capabilities::DIRECTION)
                .and(Capabilities::INCLINE)
                .and(Capabilities::EMERGENCY_STOP)
                .and(Capabilities::SAFETY_KEY)
                .and(Capabilities::HAND_RAIL),
            Kind::OneWay | Kind::Blind => {
                speed.and(Capabilities::INCLINE).and(Capabilities::ELAPSED).and(Capabilities::DISTANCE)
            }
            Kind::Manual => speed.and(Capabilities::DIRECTION),
        }
    }
}

/// One machine of the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetMachine {
    /// Identity.
    pub id: MachineId,
    /// Name for people.
    pub name: String,
    /// Its gym, by its place among the gyms.
    pub gym: usize,
    /// What it is.
    pub kind: Kind,
    /// Maker and model.
    pub model: String,
    /// How much it is used, in parts of 1 000 of an ordinary machine.
    pub popularity: u32,
    /// Sessions of courses that are held on it.
    pub appointments: Vec<Appointment>,
}

/// A fleet and the time of which its history is told.
#[derive(Debug, Clone)]
pub struct Year {
    seed: u64,
    gyms: Vec<Gym>,
    calendars: Vec<Calendar>,
    machines: Vec<FleetMachine>,
    from: UnixMicros,
    until: UnixMicros,
}

impl Year {
    /// The history of this fleet from the first midnight of `first` at any of its gyms until `until`. What would go on
    /// then is left out: every session has ended.
    ///
    /// # Errors
    /// A zone is not known, or a date is out of what calendars can tell.
    pub fn new(
        seed: u64,
        gyms: Vec<Gym>,
        machines: Vec<FleetMachine>,
        first: Date,
        until: UnixMicros,
    ) -> Result<Year, jiff::Error> {
        let calendar =
            |(number, gym): (usize, &Gym)| Calendar::new(fold_seed(seed, number), gym, first, until);
        let calendars = gyms.iter().enumerate().map(calendar).collect::<Result<Vec<_>, _>>()?;
        let begins = calendars.iter().filter_map(|calendar| calendar.days.first()).map(|day| day.begins);
        let from = begins.min().unwrap_or(until);
        Ok(Year { seed, gyms, calendars, machines, from, until })
    }

    /// A fleet of so many machines in gyms of twenty, of all kinds, over so many days.
    ///
    /// # Errors
    /// As [`Year::new`].
    pub fn of_fleet(seed: u64, machines: usize, first: Date, days: i32) -> Result<Year, jiff::Error> {
        let end = first.checked_add(jiff::Span::new().try_days(days)?)?;
        let until = UnixMicros(end.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_microsecond());
        let gyms = (0..machines.div_ceil(MACHINES_OF_GYM)).map(|number| {
            let habit = Habit::ALL[number % Habit::ALL.len()];
            let (open, staffed) = hours(habit);
            let site = SiteId::new(&format!("gym-{:03}", number + 1)).expect("it is an id");
            let name = format!("Gym {}", number + 1);
            let zone = ZONES[number % ZONES.len()].to_owned();
            Gym { site, name, zone, open, staffed, sleeps: number % 4 == 3 }
        });
        let machine = |number: usize| {
            let place = number % MACHINES_OF_GYM;
            let kind = match place % 10 {
                0..=2 => Kind::Encoder,
                3..=6 => Kind::OneWay,
                7 | 8 => Kind::Blind,
                _ => Kind::Manual,
            };
            FleetMachine {
                id: MachineId::new(&format!("belt-{:05}", number + 1)).expect("it is an id"),
                name: format!("Treadmill {}", place + 1),
                gym: number / MACHINES_OF_GYM,
                kind,
                model: kind.model().to_owned(),
                // Kinds do not lie side by side.
                popularity: POPULARITY[(place * 7 + 3) % MACHINES_OF_GYM],
                appointments: Vec::new(),
            }
        };
        Year::new(seed, gyms.collect(), (0..machines).map(machine).collect(), first, until)
    }

    /// The gyms.
    pub fn gyms(&self) -> &[Gym] {
        &self.gyms
    }

    /// The machines.
    pub fn machines(&self) -> &[FleetMachine] {
        &self.machines
    }

    /// When it begins.
    pub fn from(&self) -> UnixMicros {
        self.from
    }

    /// When it ends.
    pub fn until(&self) -> UnixMicros {
        self.until
    }

    fn days(&self, machine: &FleetMachine) -> &[GymDay] {
        &self.calendars[machine.gym].days
    }

    /// Of the machine with this number.
    fn machine_seed(&self, number: usize) -> u64 {
        // Apart from the seeds of gyms.
        fold_seed(self.seed, number + 1_000_000)
    }
}
