//! Sessions as one caller sees them: with what is known to be lost, and with the code of a course that is theirs to see.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ids::{MachineId, SessionId};
use domain::live::{Segment, Session};
use domain::registry::BeltKind;
use domain::units::UnixMicros;
use store::ledger::{Ledger, Loss};
use store::registry::{Course, CourseId, Registry};
use wire::api::v1;

use super::LOSSES_READ;
use crate::convert::sessions;
use crate::course::sight::CourseSight;
use crate::status::ApiError;

/// Shows sessions to one caller.
#[derive(Debug)]
pub(crate) struct ShownSessions<'a> {
    ledger: &'a dyn Ledger,
    registry: Arc<Registry>,
    sight: CourseSight,
    losses: HashMap<MachineId, Vec<Loss>>,
}

/// The course of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    /// It has none.
    None,
    /// One that the caller sees.
    Seen(Arc<Course>),
    /// One that is not there for the caller.
    Foreign,
}

impl Label {
    /// The course, if the caller sees it.
    pub(crate) fn seen(&self) -> Option<&Course> {
        match self {
            Label::Seen(course) => Some(course),
            Label::None | Label::Foreign => None,
        }
    }
}

impl<'a> ShownSessions<'a> {
    pub(crate) fn new(ledger: &'a dyn Ledger, registry: Arc<Registry>, sight: CourseSight) -> Self {
        ShownSessions { ledger, registry, sight, losses: HashMap::new() }
    }

    /// The labels of sessions, at most 1 000, in their order.
    pub(crate) async fn labels(&self, sessions: &[Session]) -> Result<Vec<Label>, ApiError> {
        let ids: Vec<SessionId> = sessions.iter().map(|session| session.id).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let courses: HashMap<SessionId, CourseId> =
            self.ledger.session_courses(&ids).await?.into_iter().collect();
        Ok(ids.iter().map(|id| self.label(courses.get(id))).collect())
    }

    fn label(&self, course: Option<&CourseId>) -> Label {
        let Some(course) = course else { return Label::None };
        let seen = self.registry.course(*course).filter(|course| self.sight.sees(course));
        seen.map_or(Label::Foreign, |course| Label::Seen(course.clone()))
    }

    /// Segments of a session as its machine's entry in the registry lets them be read.
    pub(crate) fn segments(&self, session: &Session) -> Vec<Segment> {
        let machine = self.registry.machines().get(&session.machine);
        sessions::registered(&session.segments, machine.map_or(BeltKind::Unknown, |machine| machine.belt))
    }

    /// A session with its label.
    pub(crate) async fn show(&mut self, session: &Session, label: &Label) -> Result<v1::Session, ApiError> {
        if !self.losses.contains_key(&session.machine) {
            let losses = self.ledger.losses(&session.machine, LOSSES_READ).await?;
            self.losses.insert(session.machine.clone(), losses);
        }
        let within = |time: UnixMicros| session.started <= time && time <= session.last_motion;
        let losses = self.losses[&session.machine].iter();
        let here = losses.filter(|loss| loss.before.is_some_and(within));
        let lost = here.map(|loss| loss.hole.records_at_least).sum();
        let code = label.seen().map(|course| course.code.to_string()).unwrap_or_default();
        Ok(sessions::session(session, &self.segments(session), lost, code))
    }
}
