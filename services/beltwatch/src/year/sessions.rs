//! The fold of spells into sessions: what the machine mind does with readings, without what else it does.
//!
//! Tests hold it against the machine mind itself.

use domain::belt::{Direction, STANDSTILL};
use domain::ids::{LogId, MachineId, SessionId};
use domain::limits::{SESSION_REST_US, SESSION_SEGMENTS_MAX};
use domain::live::{Segment, Session};
use domain::log::Position;
use domain::usage::{Grade, Guidance};

use super::spell::Spell;

/// Sessions of one machine as they arise.
pub(super) struct SessionFold<'y> {
    machine: &'y MachineId,
    log: LogId,
    open: Option<Session>,
    ended: Vec<Session>,
}

impl<'y> SessionFold<'y> {
    pub(super) fn new(machine: &'y MachineId, log: LogId) -> SessionFold<'y> {
        SessionFold { machine, log, open: None, ended: Vec::new() }
    }

    /// Adds a spell; `position` and `revision` are of the record that would have told it.
    pub(super) fn add(&mut self, spell: &Spell, position: Position, revision: u64) {
        let moving = spell.reading.speed.is_some_and(|speed| speed.max > STANDSTILL);
        let at_rest_until = if moving { spell.from } else { spell.until };
        let rest_us = i64::try_from(SESSION_REST_US).unwrap_or(i64::MAX);
        let over = |open: &mut Session| at_rest_until.since(open.last_motion) >= rest_us;
        if let Some(session) = self.open.take_if(over) {
            self.end(session, revision);
        }
        if moving && self.open.is_none() {
            self.open = Some(Session {
                id: SessionId::of(self.machine, self.log, position),
                machine: self.machine.clone(),
                started: spell.from,
                last_motion: spell.until,
                ended: false,
                segments: Vec::new(),
                revision,
            });
        }
        if let Some(open) = &mut self.open {
            open.last_motion = if moving { spell.until } else { open.last_motion };
            extend(&mut open.segments, spell, moving);
        }
    }

    /// All sessions that have ended.
    pub(super) fn finish(self) -> Vec<Session> {
        self.ended
    }

    fn end(&mut self, mut session: Session, revision: u64) {
        let rests = session.segments.iter().rev().take_while(|segment| !is_motion(segment)).count();
        session.segments.truncate(session.segments.len() - rests);
        self.ended.push(Session { ended: true, revision, ..session });
    }
}

fn extend(segments: &mut Vec<Segment>, spell: &Spell, moving: bool) {
    let reading = &spell.reading;
    let full = segments.len() >= SESSION_SEGMENTS_MAX;
    let grade = match moving {
        true => Grade::of(reading.direction, reading.incline),
        false => Grade::Unknown,
    };
    let goes_on = |last: &Segment| {
        full || (last.direction, last.origin, last.grade, is_motion(last))
            == (reading.direction, reading.origin, grade, moving)
    };
    if !segments.last().is_some_and(goes_on) {
        segments.push(Segment::begun(reading.direction, reading.origin, grade, spell.from));
    }
    let Some(segment) = segments.last_mut() else { return };
    let micros = u64::try_from(spell.micros()).unwrap_or(0);
    segment.ended = spell.until;
    if let Some(incline) = reading.incline {
        segment.incline_us += micros;
        segment.incline_sum += i64::from(incline.0) * spell.micros();
    }
    if segment.direction == Direction::Reverse {
        let mean = reading.speed.map(|speed| speed.mean);
        segment.guidance = segment.guidance.merged(&Guidance::of(mean, reading.contacts, micros));
    }
    let Some(speed) = reading.speed else { return };
    segment.observed_us += micros;
    let travelled = u64::from(speed.mean.0) * micros + segment.distance_remainder;
    segment.distance_mm += travelled / 1_000_000;
    segment.distance_remainder = travelled % 1_000_000;
    segment.speed_max = segment.speed_max.max(speed.max);
}

fn is_motion(segment: &Segment) -> bool {
    match segment.direction {
        Direction::Stopped => false,
        Direction::Forward | Direction::Reverse | Direction::Unknown => segment.speed_max > STANDSTILL,
    }
}
