//! Sessions in memory, and the courses that they are labelled with.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::ids::{MachineId, SessionId};
use domain::live::Session;
use domain::units::UnixMicros;

use crate::StoreError;
use crate::fact::SessionLabel;
use crate::ledger::labels::check;
use crate::ledger::{CourseQuery, SessionQuery};
use crate::registry::CourseId;

/// All sessions of a ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
    courses: BTreeMap<SessionId, CourseId>,
}

impl Sessions {
    /// Takes a session unless a greater revision of it is there.
    pub(super) fn put(&mut self, session: Session) {
        if self.by_id.get(&session.id).is_none_or(|old| old.revision <= session.revision) {
            self.by_id.insert(session.id, session);
        }
    }

    /// One session.
    pub(super) fn get(&self, id: &SessionId) -> Option<Session> {
        self.by_id.get(id).cloned()
    }

    /// A page.
    pub(super) fn list(&self, query: &SessionQuery) -> Vec<Session> {
        let machines: HashSet<&MachineId> = query.machines.iter().collect();
        let is_with = |session: &Session| {
            query.with.is_none_or(|way| session.segments.iter().any(|segment| segment.direction == way))
        };
        let wanted = self.by_id.values().filter(|session| {
            machines.contains(&session.machine)
                && (query.from..query.until).contains(&session.started)
                && is_with(session)
        });
        newest(wanted, query.after, query.max)
    }

    /// When sessions were in motion, by start.
    pub(super) fn spans(
        &self,
        machines: &[MachineId],
        (from, until): (UnixMicros, UnixMicros),
        max: usize,
    ) -> Vec<(MachineId, UnixMicros, UnixMicros)> {
        let machines: HashSet<&MachineId> = machines.iter().collect();
        let wanted = self.by_id.values().filter(|session| {
            machines.contains(&session.machine) && session.started < until && session.last_motion >= from
        });
        let mut found: Vec<&Session> = wanted.collect();
        found.sort_by_key(|session| (session.started, &session.machine, session.id));
        let span = |session: &Session| (session.machine.clone(), session.started, session.last_motion);
        found.into_iter().take(max).map(span).collect()
    }

    /// Whether a label can be taken.
    pub(super) fn check(&self, label: &SessionLabel) -> Result<(), StoreError> {
        check(label, self.by_id.get(&label.session).map(|session| &session.machine))
    }

    /// Takes a label that was checked.
    pub(super) fn label(&mut self, label: &SessionLabel) {
        match label.course {
            Some(course) => self.courses.insert(label.session, course),
            None => self.courses.remove(&label.session),
        };
    }

    /// The courses of some sessions.
    pub(super) fn courses(&self, sessions: &[SessionId]) -> Vec<(SessionId, CourseId)> {
        let sessions: BTreeSet<&SessionId> = sessions.iter().collect();
        let labelled = sessions.into_iter().filter_map(|id| self.courses.get_key_value(id));
        labelled.map(|(id, course)| (*id, *course)).collect()
    }

    /// A page of the sessions of a course.
    pub(super) fn of_course(&self, query: &CourseQuery) -> Vec<Session> {
        let of_course = self.courses.iter().filter(|(_, course)| **course == query.course);
        let sessions = of_course.filter_map(|(id, _)| self.by_id.get(id));
        let wanted = sessions.filter(|session| (query.from..query.until).contains(&session.started));
        newest(wanted, query.after, query.max)
    }
}

/// The newest after a place.
fn newest<'s>(
    sessions: impl Iterator<Item = &'s Session>,
    after: Option<(UnixMicros, SessionId)>,
    max: usize,
) -> Vec<Session> {
    let place = |session: &Session| (session.started, session.id);
    let mut wanted: Vec<&Session> =
        sessions.filter(|session| after.is_none_or(|after| place(session) < after)).collect();
    wanted.sort_by_key(|session| Reverse(place(session)));
    wanted.into_iter().take(max).cloned().collect()
}
