//! Sessions of a course, and sessions that can be put on one, in words.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use wire::api::v1;

use super::day_and_time;
use super::prescribed::{seconds_words, speed_words};
use crate::texts::Texts;
use crate::usage::figures::{length, percent, seconds};
use crate::visitor::Visitor;
use crate::words::Reader;

/// A session: when, where, and what the belt did in reverse.
#[derive(Debug)]
pub(super) struct SessionLine {
    pub(super) id: String,
    pub(super) start: String,
    pub(super) machine: String,
    /// Empty: the visitor may not look at it.
    pub(super) href: String,
    pub(super) words: Vec<String>,
    /// By how much it was faster than the time before; empty: it was not.
    pub(super) step: String,
    pub(super) intervals: Vec<String>,
    pub(super) incidents: u32,
    pub(super) seen: String,
}

/// Time in reverse, time with an unknown direction, and greatest speed in reverse.
fn motion(session: &v1::Session) -> (f64, f64, f64) {
    let of = |direction: v1::Direction| {
        let segments = session.segments.iter().filter(move |one| one.direction() == direction);
        segments.fold((0.0_f64, 0.0_f64), |(time, speed), one| {
            (time + seconds(one.observed.as_ref()), speed.max(one.speed_max_mps))
        })
    };
    let ((reverse, speed), (unknown, _)) = (of(v1::Direction::Reverse), of(v1::Direction::Unknown));
    (reverse, unknown, speed)
}

impl SessionLine {
    /// A session of which no more is told than itself.
    pub(super) fn bare(
        session: &v1::Session,
        machines: &BTreeMap<String, v1::Machine>,
        zone: &TimeZone,
        visitor: &Visitor,
    ) -> SessionLine {
        let (reader, t) = (visitor.reader, visitor.t());
        let machine = machines.get(&session.machine_id);
        let name = machine.map(|one| one.display_name.as_str()).filter(|name| !name.is_empty());
        let may_look = machine.is_some_and(|one| visitor.may("live", &one.site_id));
        let (reverse, unknown, speed) = motion(session);
        let mut words = Vec::new();
        if reverse > 0.0 {
            words.push(t.session_reverse(length(reverse, reader)));
            words.push(t.session_speed(speed_words(speed, reader)));
        } else {
            words.push(t.course_no_reverse().to_owned());
        }
        if unknown > 0.0 {
            words.push(t.session_unknown(length(unknown, reader)));
        }
        if !session.ended {
            words.push(t.session_open().to_owned());
        }
        SessionLine {
            id: session.id.clone(),
            start: day_and_time(session.start_time, zone),
            machine: name.unwrap_or(&session.machine_id).to_owned(),
            href: if may_look { format!("/machine/{}", session.machine_id) } else { String::new() },
            words,
            step: String::new(),
            intervals: Vec::new(),
            incidents: 0,
            seen: seen(session, reader),
        }
    }

    /// A session of a course.
    pub(super) fn of_course(
        told: &v1::CourseSession,
        machines: &BTreeMap<String, v1::Machine>,
        zone: &TimeZone,
        visitor: &Visitor,
    ) -> SessionLine {
        let (reader, t) = (visitor.reader, visitor.t());
        let session = told.session.clone().unwrap_or_default();
        let step = told.speed_step_mps.map(|step| t.session_step(speed_words(step, reader)));
        SessionLine {
            step: step.unwrap_or_default(),
            intervals: told.intervals.iter().map(|one| interval(one, reader)).collect(),
            incidents: told.incidents,
            ..SessionLine::bare(&session, machines, zone, visitor)
        }
    }
}

/// For how much of a session readings speak; empty: there was no time.
fn seen(session: &v1::Session, reader: Reader) -> String {
    let coverage = session.coverage.unwrap_or_default();
    let (covered, asked) = (seconds(coverage.covered.as_ref()), seconds(coverage.asked.as_ref()));
    percent(covered, asked, reader).map(|share| reader.t.session_seen(share)).unwrap_or_default()
}

/// One interval, and what came after it.
fn interval(told: &v1::Interval, reader: Reader) -> String {
    let t = reader.t;
    let time = |told: &Option<prost_types::Duration>| seconds_words(seconds(told.as_ref()), reader);
    let mut parts = vec![
        time(&told.length),
        reader.distance(told.distance_m),
        t.up_to(speed_words(told.speed_max_mps, reader)),
    ];
    if let Some(what) = recovery(told.recovery(), t) {
        parts.push(t.session_interval_after(what, time(&told.recovery_length)));
    }
    parts.join(" · ")
}

/// What came after an interval; none: no further one.
fn recovery(kind: v1::RecoveryKind, t: Texts) -> Option<&'static str> {
    match kind {
        v1::RecoveryKind::Unspecified => None,
        v1::RecoveryKind::Standing => Some(t.recovery_standing()),
        v1::RecoveryKind::Forward => Some(t.recovery_forward()),
        v1::RecoveryKind::Reverse => Some(t.recovery_reverse()),
        v1::RecoveryKind::Mixed => Some(t.recovery_mixed()),
        v1::RecoveryKind::Unseen => Some(t.recovery_unseen()),
    }
}

/// Machines by their ids.
pub(super) fn by_id(states: Vec<v1::MachineState>) -> BTreeMap<String, v1::Machine> {
    states.into_iter().filter_map(|state| state.machine).map(|one| (one.id.clone(), one)).collect()
}
