//! A course week by week, worked out from its sessions: pure.

use domain::belt::Direction;
use domain::live::{Segment, Session};
use domain::units::{Speed, UnixMicros};
use domain::usage::calendar::{Calendar, CalendarError, QUARTER_EARLIEST, QUARTER_LATEST, Resolution, Zones};
use domain::usage::intervals::{Interval, intervals};
use domain::usage::{Grade, QUARTER_US};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use store::registry::Prescription;

use crate::convert::sessions::{asked_us, is_motion, observed_us, speed_mean};

/// What counts of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Worked {
    pub(super) started: UnixMicros,
    /// From first to last motion, in microseconds.
    pub(super) asked_us: u64,
    /// Of that, time for which readings speak.
    pub(super) covered_us: u64,
    pub(super) reverse: Reverse,
    /// Belt time of which the direction is not known, in microseconds, and the greatest speed in it.
    pub(super) unknown_us: u64,
    pub(super) unknown_speed_max: Speed,
    /// Lengths of intervals in reverse, in microseconds.
    pub(super) intervals_us: Vec<u64>,
    /// Incidents in it.
    pub(super) incidents: u32,
}

/// Reverse motion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reverse {
    pub(super) observed_us: u64,
    pub(super) distance_mm: u64,
    /// 0: there was none.
    pub(super) speed_max: Speed,
    pub(super) level_us: u64,
    pub(super) uphill_us: u64,
    pub(super) downhill_us: u64,
}

impl Reverse {
    fn segment(&mut self, segment: &Segment) {
        self.observed_us += segment.observed_us;
        self.distance_mm += segment.distance_mm;
        self.speed_max = self.speed_max.max(segment.speed_max);
        match segment.grade {
            Grade::Level => self.level_us += segment.observed_us,
            Grade::Uphill => self.uphill_us += segment.observed_us,
            Grade::Downhill => self.downhill_us += segment.observed_us,
            Grade::Unknown => {}
        }
    }

    fn merge(&mut self, other: &Reverse) {
        self.observed_us += other.observed_us;
        self.distance_mm += other.distance_mm;
        self.speed_max = self.speed_max.max(other.speed_max);
        self.level_us += other.level_us;
        self.uphill_us += other.uphill_us;
        self.downhill_us += other.downhill_us;
    }

    /// Mean and greatest speed; `None`: there was no motion.
    pub(super) fn speeds(&self) -> Option<(Speed, Speed)> {
        speed_mean(self.distance_mm, self.observed_us).map(|mean| (mean, self.speed_max))
    }
}

impl Worked {
    /// A session with its segments as the registry lets them be read.
    pub(super) fn of(session: &Session, segments: &[Segment], incidents: u32) -> Worked {
        let (mut reverse, mut unknown_us, mut unknown_speed_max) = (Reverse::default(), 0, Speed(0));
        for segment in segments.iter().filter(|segment| is_motion(segment)) {
            match segment.direction {
                Direction::Reverse => reverse.segment(segment),
                Direction::Unknown => {
                    unknown_us += segment.observed_us;
                    unknown_speed_max = unknown_speed_max.max(segment.speed_max);
                }
                Direction::Forward | Direction::Stopped => {}
            }
        }
        let asked_us = asked_us(session);
        let length_us = |one: &Interval| u64::try_from(one.length_us()).unwrap_or(0);
        Worked {
            started: session.started,
            asked_us,
            covered_us: observed_us(segments).min(asked_us),
            reverse,
            unknown_us,
            unknown_speed_max,
            intervals_us: reverse_intervals(segments).iter().map(length_us).collect(),
            incidents,
        }
    }
}

/// Intervals in reverse, oldest first.
pub(crate) fn reverse_intervals(segments: &[Segment]) -> Vec<Interval> {
    let mut all = intervals(segments);
    all.retain(|one| one.direction == Direction::Reverse);
    all
}

/// Of each session, oldest first, by how much its greatest reverse speed is above that of the session with reverse motion
/// before it; `None`: it is not, or there is none to compare.
pub(super) fn speed_steps(sessions: &[Worked]) -> Vec<Option<Speed>> {
    let mut before: Option<Speed> = None;
    let step = |session: &Worked| {
        let (_, speed) = session.reverse.speeds()?;
        let up = before.and_then(|before| speed.0.checked_sub(before.0)).filter(|up| *up > 0);
        before = Some(speed);
        up.map(Speed)
    };
    sessions.iter().map(step).collect()
}

/// When and where a course goes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct When<'a> {
    /// The site's time.
    pub(super) zones: &'a Zones,
    pub(super) first_weekday: Weekday,
    /// When the course was made.
    pub(super) created: UnixMicros,
    /// When it was ended.
    pub(super) ended: Option<UnixMicros>,
    pub(super) now: UnixMicros,
}

/// One week.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Week {
    /// Its first date.
    pub(super) begin: Date,
    /// Whether the course went on for all of it.
    pub(super) is_whole: bool,
    pub(super) is_over: bool,
    pub(super) sessions: u32,
    pub(super) asked_us: u64,
    pub(super) covered_us: u64,
    pub(super) reverse: Reverse,
    pub(super) unknown_us: u64,
    pub(super) unknown_speed_max: Speed,
    /// Lengths of intervals in reverse, in microseconds, ascending.
    pub(super) intervals_us: Vec<u64>,
    /// Most days between two sessions up to the last one of this week.
    pub(super) days_between_max: Option<u32>,
    pub(super) incidents: u32,
    pub(super) compared: Vec<Compared>,
}

impl Week {
    fn of(begin: Date, is_whole: bool, is_over: bool) -> Week {
        Week {
            begin,
            is_whole,
            is_over,
            sessions: 0,
            asked_us: 0,
            covered_us: 0,
            reverse: Reverse::default(),
            unknown_us: 0,
            unknown_speed_max: Speed(0),
            intervals_us: Vec::new(),
            days_between_max: None,
            incidents: 0,
            compared: Vec::new(),
        }
    }

    fn add(&mut self, session: &Worked) {
        self.sessions += 1;
        self.asked_us += session.asked_us;
        self.covered_us += session.covered_us;
        self.reverse.merge(&session.reverse);
        self.unknown_us += session.unknown_us;
        self.unknown_speed_max = self.unknown_speed_max.max(session.unknown_speed_max);
        self.intervals_us.extend(&session.intervals_us);
        self.incidents = self.incidents.saturating_add(session.incidents);
    }
}

/// One thing prescribed, and what was done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Compared {
    pub(super) field: &'static str,
    pub(super) prescribed: f64,
    /// `None`: there is nothing to tell.
    pub(super) done: Option<f64>,
    /// `None`: it cannot be told, or the week is not over.
    pub(super) kept: Option<bool>,
}

/// The weeks of a course from its making or first session, whichever is earlier, to its end or now, or to its last session
/// if that is later. `sessions` come oldest first; each is in the week in which it began.
///
/// # Errors
/// The course goes on for longer than calendars do.
pub(super) fn weeks(
    sessions: &[Worked],
    when: When<'_>,
    prescription: Option<&Prescription>,
) -> Result<Vec<Week>, CalendarError> {
    let first = sessions.first().map_or(when.created, |session| session.started.min(when.created));
    let end = when.ended.unwrap_or(when.now);
    let last = sessions.last().map_or(end, |session| session.started.max(end)).max(first);
    let calendar = when.zones.calendar(quarter(first), quarter(last) + 1)?;
    let today = quarter(when.now);
    let today = when.zones.calendar(today, today + 1)?.local(today).map(|local| local.date());
    let is_over = |begin: Date| today.is_some_and(|today| begin.saturating_add(7.days()) <= today);
    let periods = calendar.periods(Resolution::Week, when.first_weekday)?;
    let begun = periods.list().iter();
    let mut weeks: Vec<Week> =
        begun.map(|period| Week::of(period.begin, !period.is_cut, is_over(period.begin))).collect();
    for session in sessions {
        if let Some(index) = periods.index_of(quarter(session.started)) {
            weeks[index].add(session);
        }
    }
    days_between(sessions, &calendar, &mut weeks, |session| periods.index_of(quarter(session.started)));
    let prescribed_weeks = prescription.and_then(|prescription| prescription.weeks).map(usize::from);
    for (index, week) in weeks.iter_mut().enumerate() {
        week.intervals_us.sort_unstable();
        if let Some(prescription) = prescription
            && prescribed_weeks.is_none_or(|weeks| index < weeks)
        {
            week.compared = compare(week, prescription);
        }
    }
    Ok(weeks)
}

fn days_between(
    sessions: &[Worked],
    calendar: &Calendar,
    weeks: &mut [Week],
    index_of: impl Fn(&Worked) -> Option<usize>,
) {
    let mut before: Option<Date> = None;
    let mut most: Option<u32> = None;
    for session in sessions {
        let Some(date) = calendar.local(quarter(session.started)).map(|local| local.date()) else { continue };
        if let Some(before) = before {
            let days = u32::try_from((date - before).get_days()).unwrap_or(0);
            most = most.max(Some(days));
        }
        before = Some(date);
        if let Some(index) = index_of(session) {
            weeks[index].days_between_max = most;
        }
    }
    let mut carried = None;
    for week in weeks {
        carried = week.days_between_max.or(carried);
        week.days_between_max = carried;
    }
}

fn quarter(time: UnixMicros) -> i64 {
    time.0.div_euclid(QUARTER_US).clamp(QUARTER_EARLIEST, QUARTER_LATEST - 1)
}

const SESSIONS_A_WEEK: &str = "sessions_a_week";
const SPEED_MAX: &str = "speed_max_mps";

/// A week against what was prescribed. What was not seen, or of which the direction is not known, may have been what was
/// prescribed: then it cannot be told that it was not kept.
fn compare(week: &Week, prescription: &Prescription) -> Vec<Compared> {
    let Prescription { sessions_a_week, reverse_seconds, speed_mm_s, interval_seconds, weeks: _ } =
        *prescription;
    let mut compared = Vec::new();
    let mut add = |field: &'static str, prescribed: f64, (done, kept): (Option<f64>, Option<bool>)| {
        // Of a week that goes on only what can no longer change is told: enough sessions were held, a limit was passed.
        let is_settled = match kept {
            Some(true) => field == SESSIONS_A_WEEK,
            Some(false) => field == SPEED_MAX,
            None => false,
        };
        let kept = kept.filter(|_| week.is_over || is_settled);
        compared.push(Compared { field, prescribed, done, kept });
    };
    if let Some(sessions) = sessions_a_week {
        add(SESSIONS_A_WEEK, sessions.into(), compare_sessions(week, sessions.into()));
    }
    if let Some(seconds) = reverse_seconds {
        add("reverse_s", seconds.into(), compare_reverse(week, seconds));
    }
    if let Some(mm_s) = speed_mm_s {
        add(SPEED_MAX, Speed(mm_s).mps(), compare_speed(week, Speed(mm_s)));
    }
    if let Some(seconds) = interval_seconds {
        add("interval_s", seconds.into(), compare_intervals(week, seconds));
    }
    compared
}

/// In a week of which the course missed a part, too few sessions say nothing.
fn compare_sessions(week: &Week, prescribed: u32) -> (Option<f64>, Option<bool>) {
    let enough = week.sessions >= prescribed;
    (Some(week.sessions.into()), (enough || week.is_whole).then_some(enough))
}

fn compare_reverse(week: &Week, prescribed_seconds: u32) -> (Option<f64>, Option<bool>) {
    if week.sessions == 0 {
        return (None, None);
    }
    let prescribed_us = u128::from(prescribed_seconds) * 1_000_000 * u128::from(week.sessions);
    let unseen_us = u128::from(week.unknown_us) + u128::from(week.asked_us - week.covered_us);
    let done_us = u128::from(week.reverse.observed_us);
    let kept = match (done_us >= prescribed_us, done_us + unseen_us >= prescribed_us) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    };
    (Some(seconds(week.reverse.observed_us) / f64::from(week.sessions)), kept)
}

fn compare_speed(week: &Week, prescribed: Speed) -> (Option<f64>, Option<bool>) {
    let done = week.reverse.speeds().map(|(_, greatest)| greatest);
    let kept = match (done.is_some_and(|done| done > prescribed), week.unknown_speed_max > prescribed) {
        (true, _) => Some(false),
        (false, true) => None,
        (false, false) => done.map(|_| true),
    };
    (done.map(Speed::mps), kept)
}

fn compare_intervals(week: &Week, prescribed_seconds: u32) -> (Option<f64>, Option<bool>) {
    let Some(median_us) = median(&week.intervals_us) else { return (None, None) };
    let prescribed_us = u64::from(prescribed_seconds) * 1_000_000;
    (Some(seconds(median_us)), Some(median_us.abs_diff(prescribed_us) * 5 <= prescribed_us))
}

/// The middle of ascending values, or the mean of the two in the middle; `None`: there are none.
pub(crate) fn median(ascending: &[u64]) -> Option<u64> {
    let middle = ascending.len() / 2;
    let upper = *ascending.get(middle)?;
    if ascending.len() % 2 == 1 {
        return Some(upper);
    }
    Some(upper.midpoint(ascending[middle - 1]))
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests;
