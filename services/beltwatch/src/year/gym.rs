//! Gyms: when they are open, and how busy they are.

use domain::ids::SiteId;
use domain::units::UnixMicros;
use jiff::Zoned;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use store::registry::StaffedDays;

use super::random::{self, Purpose};

const MINUTE_US: i64 = 60 * 1_000_000;
const HOUR_US: i64 = 60 * MINUTE_US;
/// How busy the months are, from January on, in parts of 1 000 of an ordinary one.
const SEASON: [u32; 12] = [1_300, 1_200, 1_100, 1_000, 950, 880, 800, 720, 950, 1_050, 1_050, 850];
/// How busy days are, from Monday on.
const WEEK: [u32; 7] = [1_120, 1_100, 1_050, 1_000, 860, 780, 820];
/// How likely it is that somebody comes to a free machine within five minutes, by the hour, in parts of 1 000: peaks are
/// at 7, 12 and 18.
const WORKDAY: [u32; 24] =
    [4, 2, 1, 1, 2, 20, 95, 200, 150, 85, 75, 100, 190, 120, 65, 75, 135, 255, 320, 240, 135, 65, 30, 10];
/// The same on Saturday and Sunday.
const WEEKEND: [u32; 24] =
    [5, 3, 2, 1, 1, 8, 25, 60, 130, 200, 230, 210, 150, 110, 100, 110, 120, 110, 90, 60, 40, 25, 15, 8];

/// One gym.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gym {
    /// Identity.
    pub site: SiteId,
    /// Name for people.
    pub name: String,
    /// Time zone by its IANA name.
    pub zone: String,
    /// When it is open.
    pub open: StaffedDays,
    /// When staff are there.
    pub staffed: StaffedDays,
    /// Whether machines and agents are switched off while it is closed.
    pub sleeps: bool,
}

/// What kind of place a gym is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// From early to late.
    Usual,
    /// Round the clock, with staff by day.
    RoundTheClock,
    /// A practice: by day, closed on Sunday, staffed throughout.
    Practice,
}

impl Habit {
    /// All of them.
    pub const ALL: [Habit; 3] = [Habit::Usual, Habit::RoundTheClock, Habit::Practice];
}

/// Opening and staffed hours.
pub fn hours(habit: Habit) -> (StaffedDays, StaffedDays) {
    let week = |workday: (u16, u16), saturday: Option<(u16, u16)>, sunday: Option<(u16, u16)>| {
        let day = |hours: Option<(u16, u16)>| -> Vec<(u16, u16)> {
            hours.map(|(from, until)| (from * 60, until * 60)).into_iter().collect()
        };
        let workday = day(Some(workday));
        [
            workday.clone(),
            workday.clone(),
            workday.clone(),
            workday.clone(),
            workday,
            day(saturday),
            day(sunday),
        ]
    };
    match habit {
        Habit::Usual => {
            (week((6, 23), Some((8, 21)), Some((8, 21))), week((8, 22), Some((9, 20)), Some((9, 18))))
        }
        Habit::RoundTheClock => {
            (week((0, 24), Some((0, 24)), Some((0, 24))), week((8, 20), Some((9, 18)), None))
        }
        Habit::Practice => (week((7, 20), Some((8, 14)), None), week((7, 20), Some((8, 14)), None)),
    }
}

/// The days of a gym, each from midnight to midnight of its own time.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    pub(super) days: Vec<GymDay>,
}

/// One day of a gym.
#[derive(Debug, Clone, Copy)]
pub(super) struct GymDay {
    /// Days since 1970-01-01 on the gym's own calendar.
    pub(super) number: i64,
    /// 0 is Monday.
    pub(super) weekday: usize,
    pub(super) begins: UnixMicros,
    pub(super) ends: UnixMicros,
    /// When it opens and closes; `None`: it stays closed.
    pub(super) open: Option<(UnixMicros, UnixMicros)>,
    /// What the clock shows when it opens, in minutes after midnight.
    opens_minute: i64,
    /// How busy it is, in parts of 1 000 of an ordinary day.
    business: u32,
}

impl Calendar {
    pub(super) fn new(seed: u64, gym: &Gym, first: Date, until: UnixMicros) -> Result<Calendar, jiff::Error> {
        let zone = TimeZone::get(&gym.zone)?;
        let mut days = Vec::new();
        let mut date = first;
        loop {
            let next = date.tomorrow()?;
            let (begins, ends) =
                (micros(&date.to_zoned(zone.clone())?), micros(&next.to_zoned(zone.clone())?));
            if begins >= until {
                return Ok(Calendar { days });
            }
            let number = i64::from(Date::constant(1970, 1, 1).until(date)?.get_days());
            let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
            let hours = gym.open[weekday].first().copied().filter(|_| !is_closed(date));
            let open = match hours {
                Some((from, to)) => {
                    let closes = match to {
                        24.. if to >= 24 * 60 => ends,
                        _ => at_minute(date, to, &zone)?,
                    };
                    Some((at_minute(date, from, &zone)?, closes))
                }
                None => None,
            };
            let opens_minute = hours.map_or(0, |(from, _)| i64::from(from));
            let business = business(seed, number, weekday, date);
            days.push(GymDay { number, weekday, begins, ends, open, opens_minute, business });
            date = next;
        }
    }
}

impl GymDay {
    /// The moment at which the clock shows this many minutes after midnight. Clocks are changed before gyms open, but for
    /// those that never close: there it is an hour off twice a year.
    pub(super) fn at_minute(&self, minute: i64) -> UnixMicros {
        let (opens, _) = self.open.unwrap_or((self.begins, self.ends));
        opens.plus((minute - self.opens_minute) * MINUTE_US)
    }

    /// How likely somebody comes to an ordinary machine within five minutes, in parts of 1 000.
    pub(super) fn likely(&self, at: UnixMicros) -> u32 {
        let (opens, _) = self.open.unwrap_or((self.begins, self.ends));
        let hour = (self.opens_minute * MINUTE_US + at.since(opens)).div_euclid(HOUR_US).rem_euclid(24);
        let hour = usize::try_from(hour).unwrap_or(0);
        let table = if self.weekday < 5 { &WORKDAY } else { &WEEKEND };
        table[hour] * self.business / 1_000
    }
}

fn micros(time: &Zoned) -> UnixMicros {
    UnixMicros(time.timestamp().as_microsecond())
}

fn at_minute(date: Date, minute: u16, zone: &TimeZone) -> Result<UnixMicros, jiff::Error> {
    let (hour, minute) = (i8::try_from(minute / 60).unwrap_or(0), i8::try_from(minute % 60).unwrap_or(0));
    Ok(micros(&date.at(hour, minute, 0, 0).to_zoned(zone.clone())?))
}

/// Christmas and New Year.
fn is_closed(date: Date) -> bool {
    matches!((date.month(), date.day()), (12, 25) | (1, 1))
}

fn business(seed: u64, number: i64, weekday: usize, date: Date) -> u32 {
    let month = usize::try_from(date.month() - 1).unwrap_or(0);
    let weather = 850 + random::of(seed, Purpose::Business, number).u32(..=300);
    let eve = if matches!((date.month(), date.day()), (12, 24 | 26 | 31)) { 400 } else { 1_000 };
    SEASON[month] * WEEK[weekday] / 1_000 * weather / 1_000 * eve / 1_000
}
