//! One line a session, or one an interval.

use std::sync::Arc;
use std::vec;

use domain::belt::{Direction, Origin};
use domain::ids::MachineId;
use domain::limits::INCIDENTS_COMPARED_MAX;
use domain::live::{Segment, Session};
use domain::units::{Speed, UnixMicros};
use domain::usage::Grade;
use domain::usage::calendar::QuarterSpan;
use domain::usage::intervals::{Interval, RecoveryKind, intervals};
use store::ledger::{IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger, SessionQuery};
use store::registry::Registry;

use super::super::whereabouts::{Whereabouts, quarter_begin};
use super::cell::{Cell, Column, Line};
use super::clock::Clock;
use super::stands::{Stand, stands};
use crate::convert::sessions;
use crate::course::sight::CourseSight;
use crate::course::weeks::{median, reverse_intervals};
use crate::status::ApiError;
use crate::telemetry::shown::{Label, ShownSessions};

/// Sessions read at once: each may hold a thousand segments.
const SESSIONS_READ: usize = 100;

pub(super) const SESSION_COLUMNS: &[Column] = &[
    ("site_id", 14),
    ("site", 22),
    ("machine_id", 14),
    ("machine", 22),
    ("model", 18),
    ("session_id", 34),
    ("course_code", 18),
    ("begin_local", 20),
    ("begin_utc_offset_hours", 22),
    ("end_local", 20),
    ("end_utc_offset_hours", 20),
    ("has_ended", 10),
    ("forward_minutes", 16),
    ("forward_declared_minutes", 24),
    ("reverse_minutes", 16),
    ("unknown_minutes", 16),
    ("forward_metres", 15),
    ("reverse_metres", 15),
    ("unknown_metres", 15),
    ("greatest_speed_kmh", 18),
    ("reverse_intervals", 17),
    ("reverse_interval_median_seconds", 31),
    ("reverse_interval_longest_seconds", 32),
    ("coverage_percent", 17),
    ("incidents", 10),
];

pub(super) const INTERVAL_COLUMNS: &[Column] = &[
    ("site_id", 14),
    ("site", 22),
    ("machine_id", 14),
    ("machine", 22),
    ("model", 18),
    ("session_id", 34),
    ("course_code", 18),
    ("interval", 9),
    ("direction", 10),
    ("direction_origin", 16),
    ("begin_local", 20),
    ("utc_offset_hours", 16),
    ("length_seconds", 15),
    ("observed_seconds", 16),
    ("metres", 10),
    ("mean_speed_kmh", 15),
    ("greatest_speed_kmh", 18),
    ("grade", 10),
    ("is_thirty_seconds", 17),
    ("recovery", 12),
    ("recovery_seconds", 17),
];

/// Sessions of a machine that are still to be read.
#[derive(Debug)]
struct Reading {
    stand: Stand,
    query: SessionQuery,
}

/// Lines of sessions or of their intervals, by site and machine, the newest session first.
#[derive(Debug)]
pub(super) struct SessionLines {
    ledger: Arc<dyn Ledger>,
    registry: Arc<Registry>,
    sight: CourseSight,
    whereabouts: Whereabouts,
    /// Whether there is a line for each interval.
    by_interval: bool,
    visits: vec::IntoIter<(Stand, QuarterSpan)>,
    reading: Option<Reading>,
    /// Of the place with this index.
    clock: Option<(usize, Clock)>,
}

impl SessionLines {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        registry: Arc<Registry>,
        sight: CourseSight,
        whereabouts: Whereabouts,
        by_interval: bool,
    ) -> SessionLines {
        let mut visits = Vec::new();
        for stand in stands(&whereabouts) {
            visits.extend(stand.visits.iter().rev().map(|visit| (stand.clone(), visit.span)));
        }
        let visits = visits.into_iter();
        SessionLines { ledger, registry, sight, whereabouts, by_interval, visits, reading: None, clock: None }
    }

    /// Those of the next sessions.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Line>>, ApiError> {
        loop {
            let Reading { stand, mut query } = match self.reading.take() {
                Some(reading) => reading,
                None => match self.visits.next() {
                    Some((stand, span)) => self.begun(stand, span),
                    None => return Ok(None),
                },
            };
            let rows = self.ledger.sessions(&query).await?;
            let Some(last) = rows.last() else { continue };
            query.after = Some((last.started, last.id));
            let lines = self.lines(&stand, &rows).await?;
            if rows.len() == query.max {
                self.reading = Some(Reading { stand, query });
            }
            return Ok(Some(lines));
        }
    }

    fn begun(&self, stand: Stand, span: QuarterSpan) -> Reading {
        let query = SessionQuery {
            machines: vec![self.whereabouts.machines[stand.machine].machine.id.clone()],
            from: quarter_begin(span.from),
            until: quarter_begin(span.until),
            with: None,
            after: None,
            max: SESSIONS_READ,
        };
        Reading { stand, query }
    }

    async fn lines(&mut self, stand: &Stand, rows: &[Session]) -> Result<Vec<Line>, ApiError> {
        let clock = match self.clock.take().filter(|(place, _)| *place == stand.place) {
            Some((_, clock)) => clock,
            None => Clock::of(&self.whereabouts.places[stand.place])?,
        };
        let shown = ShownSessions::new(&*self.ledger, self.registry.clone(), self.sight.clone());
        let labels = shown.labels(rows).await?;
        let incidents = if self.by_interval { Vec::new() } else { incidents(&*self.ledger, rows).await? };
        let cells = stand.cells(&self.whereabouts);
        let mut lines = Vec::new();
        for (session, label) in rows.iter().zip(&labels) {
            let mut begin: Line = cells.to_vec();
            begin.extend([Cell::text(session.id.to_string()), code(label)]);
            let segments = shown.segments(session);
            if self.by_interval {
                let all = intervals(&segments);
                let line = |(one, number): (&Interval, u64)| of_interval(begin.clone(), number, one, &clock);
                lines.extend(all.iter().zip(1..).map(line));
            } else {
                let within = |time: &&UnixMicros| (session.started..=session.last_motion).contains(*time);
                let count = incidents.iter().filter(within).count();
                lines.push(of_session(begin, session, &segments, count, &clock));
            }
        }
        self.clock = Some((stand.place, clock));
        Ok(lines)
    }
}

/// The code of the session's course, if the caller sees it.
fn code(label: &Label) -> Cell {
    label.seen().map_or(Cell::Empty, |course| Cell::text(course.code.to_string()))
}

/// When incidents of a machine happened while it had these sessions, the newest first; proof tests apart.
async fn incidents(ledger: &dyn Ledger, rows: &[Session]) -> Result<Vec<UnixMicros>, ApiError> {
    let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else { return Ok(Vec::new()) };
    let machines: Vec<MachineId> = vec![newest.machine.clone()];
    let until = rows.iter().map(|row| row.last_motion).max().unwrap_or(newest.last_motion).plus(1);
    let filter = IncidentFilter {
        machines: Some(machines),
        from: oldest.started,
        until,
        drill: Some(false),
        ..IncidentFilter::default()
    };
    let order = IncidentOrder::OldestFirst;
    let mut query = IncidentQuery { filter, order, after: None, max: INCIDENTS_COMPARED_MAX };
    let mut times = Vec::new();
    loop {
        let found = ledger.incidents(&query).await?;
        times.extend(found.iter().map(|stored| stored.incident.time));
        query.after = found.last().map(|last| IncidentPlace::of(&last.incident));
        if found.len() < query.max {
            return Ok(times);
        }
    }
}

fn of_session(
    mut line: Line,
    session: &Session,
    segments: &[Segment],
    incidents: usize,
    clock: &Clock,
) -> Line {
    let moving = || segments.iter().filter(|segment| sessions::is_motion(segment));
    let of = |direction: Direction| moving().filter(move |segment| segment.direction == direction);
    let minutes =
        |direction: Direction| Cell::minutes(of(direction).map(|segment| segment.observed_us).sum());
    let metres = |direction: Direction| {
        let millimetres: u64 = of(direction).map(|segment| segment.distance_mm).sum();
        Cell::Number(sessions::metres(millimetres), 2)
    };
    let declared = of(Direction::Forward).filter(|segment| segment.origin == Origin::Declared);
    let greatest = moving().map(|segment| segment.speed_max).max();
    let lengths = reverse_intervals(segments);
    let mut lengths: Vec<u64> = lengths.iter().map(|one| positive(one.length_us())).collect();
    lengths.sort_unstable();
    let length = |micros: Option<u64>| micros.map_or(Cell::Empty, Cell::seconds);
    let asked_us = sessions::asked_us(session);
    line.extend(clock.local(session.started));
    line.extend(clock.local(session.last_motion));
    line.extend([
        Cell::Flag(session.ended),
        minutes(Direction::Forward),
        Cell::minutes(declared.map(|segment| segment.observed_us).sum()),
        minutes(Direction::Reverse),
        minutes(Direction::Unknown),
        metres(Direction::Forward),
        metres(Direction::Reverse),
        metres(Direction::Unknown),
        greatest.map_or(Cell::Empty, speed),
        Cell::Count(lengths.len() as u64),
        length(median(&lengths)),
        length(lengths.last().copied()),
        Cell::percent(sessions::observed_us(segments).min(asked_us), asked_us),
        Cell::Count(incidents as u64),
    ]);
    line
}

fn of_interval(mut line: Line, number: u64, interval: &Interval, clock: &Clock) -> Line {
    let recovery = interval.recovery;
    line.extend([
        Cell::Count(number),
        Cell::text(direction_name(interval.direction)),
        Cell::text(origin_name(interval.origin)),
    ]);
    line.extend(clock.local(interval.started));
    line.extend([
        Cell::seconds(positive(interval.length_us())),
        Cell::seconds(interval.observed_us),
        Cell::Number(sessions::metres(interval.distance_mm), 2),
        sessions::speed_mean(interval.distance_mm, interval.observed_us).map_or(Cell::Empty, speed),
        speed(interval.speed_max),
        Cell::text(grade_name(interval.grade)),
        Cell::Flag(interval.is_thirty()),
        recovery.map_or(Cell::Empty, |recovery| Cell::text(recovery_name(recovery.kind))),
        recovery.map_or(Cell::Empty, |recovery| Cell::seconds(positive(recovery.length_us))),
    ]);
    line
}

fn positive(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0)
}

fn speed(speed: Speed) -> Cell {
    Cell::Number(speed.kmh(), 2)
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => "forward",
        Direction::Reverse => "reverse",
        Direction::Stopped => "stopped",
        Direction::Unknown => "unknown",
    }
}

fn origin_name(origin: Origin) -> &'static str {
    match origin {
        Origin::Measured => "measured",
        Origin::Declared => "declared",
        Origin::Unknown => "unknown",
    }
}

fn grade_name(grade: Grade) -> &'static str {
    match grade {
        Grade::Level => "level",
        Grade::Uphill => "uphill",
        Grade::Downhill => "downhill",
        Grade::Unknown => "unknown",
    }
}

fn recovery_name(kind: RecoveryKind) -> &'static str {
    match kind {
        RecoveryKind::Standing => "standing",
        RecoveryKind::Forward => "forward",
        RecoveryKind::Reverse => "reverse",
        RecoveryKind::Mixed => "mixed",
        RecoveryKind::Unseen => "unseen",
    }
}
