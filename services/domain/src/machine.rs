//! The machine mind: folds a machine's records, in the order of writing, into its latest picture and its sessions.

use crate::belt::{Belt, Direction, STANDSTILL};
use std::sync::Arc;

use crate::ids::{LogId, MachineId, SessionId};
use crate::incident::Incident;
use crate::incident::definition::Judged;
use crate::incident::mind::IncidentFold;
use crate::incident::settings::{MachineSettings, Timeline};
use crate::limits;
use crate::live::{Latest, Segment, Session};
use crate::log::Position;
use crate::proven::Configurations;
use crate::record::{Event, Payload, Reading, Record};
use crate::stop::{Stop, fold_stop};
use crate::units::{MILLI, UnixMicros};
use crate::usage::{Grade, Guidance, OpenDay, PartId, Stretch, UsageFold, UsageRow};

/// How long an event's picture stands if no reading follows, in microseconds.
const EVENT_HOLDS_US: i64 = 2_000_000;

/// Everything that is folded of one machine; a checkpoint holds just this.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineFold {
    /// Its newest picture.
    pub latest: Option<Latest>,
    /// The newest stop that took a moving belt, or whose motion is not known.
    pub last_stop: Option<Stop>,
    /// The session that has not ended.
    pub session: Option<OpenSession>,
    /// Up to when readings cover its time.
    pub covered_until: Option<UnixMicros>,
    /// Records folded.
    pub folded: u64,
    /// Its incidents, as far as they are not complete, and what rules remember.
    pub incidents: IncidentFold,
    /// Its usage, as far as the day is not over.
    pub usage: UsageFold,
}

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenSession {
    /// Identity.
    pub id: SessionId,
    /// First motion.
    pub started: UnixMicros,
    /// Last motion so far.
    pub last_motion: UnixMicros,
    /// Its parts, oldest first.
    pub segments: Vec<Segment>,
}

/// What a record changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Folded {
    /// Whether the latest picture is another one.
    pub latest_changed: bool,
    /// Sessions to be written now: one that ended, one that has a new part.
    pub sessions: Vec<Session>,
    /// Incidents that are new or have changed.
    pub incidents: Vec<Incident>,
    /// Parts of days that are over.
    pub usage: Vec<UsageRow>,
}

/// The machine mind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineMind {
    machine: MachineId,
    fold: MachineFold,
    settings: Arc<Timeline>,
}

impl MachineMind {
    /// A machine of which nothing is known, or which goes on from a checkpoint.
    pub fn new(machine: MachineId, fold: MachineFold) -> MachineMind {
        MachineMind { machine, fold, settings: Arc::default() }
    }

    /// Goes by these settings from now on. Records are folded by what held at their event time.
    pub fn obey(&mut self, settings: Arc<Timeline>) {
        self.settings = settings;
    }

    /// By what it goes.
    pub fn settings(&self) -> &Timeline {
        &self.settings
    }

    /// How the agent's sources were set over time, as far as what was folded tells.
    pub fn configurations(&self) -> &Configurations {
        self.fold.incidents.configurations(Judged::Merged)
    }

    /// Everything folded so far.
    pub fn fold_state(&self) -> &MachineFold {
        &self.fold
    }

    /// The open session as it would be written now.
    pub fn open_session(&self) -> Option<Session> {
        self.fold.session.as_ref().map(|session| self.written(session))
    }

    /// The part of a day that goes on, as it would be written now.
    pub fn open_usage(&self) -> Option<UsageRow> {
        self.fold.usage.open.as_ref().map(|open| self.usage_row(open))
    }

    /// Judges a record of the events lane by the rules that need no readings: in the order of its lane, once, before it is
    /// folded. Without a settled event time it is not judged.
    ///
    /// Gives the incidents that are new or have changed.
    pub fn at_once(
        &mut self,
        log: LogId,
        position: Position,
        time: Option<UnixMicros>,
        record: &Record,
    ) -> Vec<Incident> {
        let Some(time) = time else {
            self.fold.incidents.undated(Judged::AtOnce, record);
            return Vec::new();
        };
        let settings = self.settings.holding(time, self.fold.incidents.configurations(Judged::AtOnce));
        let record = settings.record(record);
        self.fold.incidents.at_once(&self.machine, (log, position), time, &record, &settings)
    }

    /// Folds one record. `time` is its settled event time; without one it is counted, not summed. What an agent says that
    /// it can report holds all the same.
    pub fn fold(
        &mut self,
        log: LogId,
        position: Position,
        time: Option<UnixMicros>,
        record: &Record,
    ) -> Folded {
        self.fold.folded += 1;
        let Some(time) = time else {
            self.hear_undated(record);
            return Folded::default();
        };
        let place = (log, position);
        // Another handle, so that the settings stay while the fold changes.
        let timeline = self.settings.clone();
        let settings = timeline.holding(time, self.configurations());
        // From here on nobody sees a direction that does not count.
        let record = settings.record(record);
        let incidents = self.fold.incidents.merged(&self.machine, place, time, &record, &settings);
        match &record.payload {
            Payload::Reading(reading) => {
                let sessions = self.fold_session(log, position, time, reading);
                let usage = self.fold_usage(log, position, time, reading, &settings);
                Folded { latest_changed: self.see_reading(time, reading), sessions, incidents, usage }
            }
            Payload::Event(event) => {
                let session_is_open = self.fold.session.is_some();
                self.fold.last_stop = fold_stop(self.fold.last_stop, time, event, session_is_open);
                self.fold.usage.hear(event);
                Folded { latest_changed: self.see_event(time, event), incidents, ..Folded::default() }
            }
            // The ledger keeps it as it came; it tells nothing new.
            Payload::Recording(_) | Payload::Commissioning(_) => Folded::default(),
        }
    }

    fn hear_undated(&mut self, record: &Record) {
        self.fold.incidents.undated(Judged::Merged, record);
        if let Payload::Event(event) = &record.payload {
            self.fold.usage.hear(event);
        }
    }

    fn see_reading(&mut self, time: UnixMicros, reading: &Reading) -> bool {
        let belt = Belt {
            direction: reading.direction,
            origin: reading.origin,
            speed: reading.speed.map(|speed| speed.mean),
            incline: reading.incline,
            contacts: reading.contacts,
        };
        let holds_until = time.plus(micros(u64::from(reading.holds_for_ms) * MILLI));
        let began = time.plus(-micros(u64::from(reading.span_ms) * MILLI));
        self.see(time, belt, holds_until, began)
    }

    fn see_event(&mut self, time: UnixMicros, event: &Event) -> bool {
        let held = self.fold.latest.map_or(time, |latest| latest.holds_until);
        let changed = self.see(time, event.belt, held.max(time.plus(EVENT_HOLDS_US)), time);
        if let Some(latest) = &mut self.fold.latest {
            if latest.last_event.is_none_or(|(_, _, last)| last <= time) {
                latest.last_event = Some((event.kind, event.contact, time));
                return true;
            }
        }
        changed
    }

    fn see(&mut self, time: UnixMicros, belt: Belt, holds_until: UnixMicros, began: UnixMicros) -> bool {
        let old = self.fold.latest;
        if old.is_some_and(|old| old.time > time) {
            return false;
        }
        let same = |old: &Latest| {
            old.belt.direction == belt.direction
                && old.belt.is_moving() == belt.is_moving()
                && old.holds_until >= began
        };
        let since = match &old {
            Some(old) if same(old) => old.since,
            Some(_) | None => belt.is_moving().map(|_| began),
        };
        let last_event = old.and_then(|old| old.last_event);
        self.fold.latest = Some(Latest { time, belt, holds_until, since, last_event });
        true
    }

    /// Adds what a reading covers to the usage of its quarters of an hour.
    fn fold_usage(
        &mut self,
        log: LogId,
        position: Position,
        time: UnixMicros,
        reading: &Reading,
        settings: &MachineSettings,
    ) -> Vec<UsageRow> {
        let able = settings.reportable(self.fold.usage.able);
        let stretch = Stretch::of(time, reading, able, settings.belt);
        let ended = self.fold.usage.add(&stretch, PartId::of(log, position));
        ended.iter().map(|open| self.usage_row(open)).collect()
    }

    fn usage_row(&self, open: &OpenDay) -> UsageRow {
        UsageRow {
            machine: self.machine.clone(),
            day: open.day,
            part: open.part,
            revision: self.fold.folded,
            through: open.through,
            quarters: open.quarters(),
        }
    }

    /// Adds what a reading covers to the session, and ends or begins one where it says so.
    fn fold_session(
        &mut self,
        log: LogId,
        position: Position,
        time: UnixMicros,
        reading: &Reading,
    ) -> Vec<Session> {
        let began = time.plus(-micros(u64::from(reading.span_ms) * MILLI));
        let began = self.fold.covered_until.map_or(began, |covered| covered.max(began));
        if began >= time {
            return Vec::new();
        }
        self.fold.covered_until = Some(time);
        let moving = reading.speed.is_some_and(|speed| speed.max > STANDSTILL);
        let mut written = Vec::new();
        let rest_us = micros(limits::SESSION_REST_US);
        let at_rest_until = if moving { began } else { time };
        let over = |session: &mut OpenSession| at_rest_until.since(session.last_motion) >= rest_us;
        if let Some(ended) = self.fold.session.take_if(over) {
            written.push(self.written(&ended).over());
        }
        if moving && self.fold.session.is_none() {
            let id = SessionId::of(&self.machine, log, position);
            let segments = Vec::new();
            self.fold.session = Some(OpenSession { id, started: began, last_motion: time, segments });
        }
        if let Some(session) = &mut self.fold.session {
            if session.add(began, time, moving, reading) {
                written.extend(self.open_session());
            }
        }
        written
    }

    fn written(&self, session: &OpenSession) -> Session {
        Session {
            id: session.id,
            machine: self.machine.clone(),
            started: session.started,
            last_motion: session.last_motion,
            ended: false,
            segments: session.segments.clone(),
            revision: self.fold.folded,
        }
    }
}

impl Session {
    /// As it is when it has ended: without the rests at its end.
    #[must_use]
    pub fn over(mut self) -> Session {
        let rests = self.segments.iter().rev().take_while(|segment| !is_motion(segment)).count();
        self.segments.truncate(self.segments.len() - rests);
        Session { ended: true, ..self }
    }
}

impl OpenSession {
    /// Adds a stretch of time; whether it began a new segment.
    fn add(&mut self, began: UnixMicros, ended: UnixMicros, moving: bool, reading: &Reading) -> bool {
        if moving {
            self.last_motion = ended;
        }
        let full = self.segments.len() >= limits::SESSION_SEGMENTS_MAX;
        let grade = match moving {
            true => Grade::of(reading.direction, reading.incline),
            false => Grade::Unknown,
        };
        let goes_on = |last: &Segment| {
            full || (last.direction, last.origin, last.grade, is_motion(last))
                == (reading.direction, reading.origin, grade, moving)
        };
        let is_new = !self.segments.last().is_some_and(goes_on);
        if is_new {
            self.segments.push(Segment::begun(reading.direction, reading.origin, grade, began));
        }
        if let Some(segment) = self.segments.last_mut() {
            segment.add(began, ended, reading);
        }
        is_new
    }
}

impl Segment {
    fn add(&mut self, began: UnixMicros, ended: UnixMicros, reading: &Reading) {
        self.ended = ended;
        let micros = u64::try_from(ended.since(began)).unwrap_or(0);
        if let Some(incline) = reading.incline {
            self.incline_us += micros;
            self.incline_sum = self.incline_sum.saturating_add(i64::from(incline.0) * ended.since(began));
        }
        if self.direction == Direction::Reverse {
            self.guidance = self.guidance.merged(&Guidance::of(
                reading.speed.map(|speed| speed.mean),
                reading.contacts,
                micros,
            ));
        }
        let Some(speed) = reading.speed else { return };
        self.observed_us += micros;
        let travelled = u64::from(speed.mean.0) * micros + self.distance_remainder;
        self.distance_mm += travelled / 1_000_000;
        self.distance_remainder = travelled % 1_000_000;
        self.speed_max = self.speed_max.max(speed.max);
    }
}

/// Whether the belt moved in a segment.
fn is_motion(segment: &Segment) -> bool {
    match segment.direction {
        Direction::Stopped => false,
        Direction::Forward | Direction::Reverse | Direction::Unknown => segment.speed_max > STANDSTILL,
    }
}

fn micros(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}
