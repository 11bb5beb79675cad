//! What follows from facts of courses.

use std::sync::Arc;

use domain::ids::UserName;
use domain::limits::COURSES_MAX;
use domain::units::UnixMicros;

use super::{Change, Changes};
use crate::bounds::{invalid, room, taken};
use crate::fact::{CourseChange, Fact, NewCourse, SessionLabel};
use crate::registry::{Course, CourseId, Entry, Prescription, Registry};
use crate::{StoreError, StoreErrorKind};

impl Registry {
    pub(super) fn course_created(&self, number: u64, fact: &Fact, new: &NewCourse) -> Changes {
        self.site(&new.site)?;
        check_prescription(new.prescription.as_ref())?;
        let has_code = |course: &&Arc<Course>| course.ended.is_none() && course.code == new.code;
        if self.courses_of(&new.site).any(|course| has_code(&course)) {
            return Err(taken("course", new.code.as_str()));
        }
        room(&format!("courses at \"{}\"", new.site), self.courses_of(&new.site).count(), COURSES_MAX)?;
        Ok(vec![put(Course {
            id: CourseId(number),
            site: new.site.clone(),
            code: new.code.clone(),
            owner: fact.author.clone(),
            created: fact.time,
            prescription: new.prescription,
            ended: None,
        })])
    }

    pub(super) fn course_changed(&self, change: &CourseChange) -> Changes {
        let mut course = Course::clone(self.open_course(change.course)?);
        if let Some(new) = change.prescription {
            check_prescription(new.prescription.as_ref())?;
            course.prescription = new.prescription;
        }
        if let Some(owner) = &change.owner {
            self.check_owner(owner)?;
            course.owner.clone_from(owner);
        }
        Ok(vec![put(course)])
    }

    /// One that has ended stays as it ended.
    pub(super) fn course_ended(&self, id: CourseId, time: UnixMicros) -> Changes {
        let course = self.known_course(id)?;
        let ended = course.ended.or(Some(time));
        Ok(vec![put(Course { ended, ..Course::clone(course) })])
    }

    /// Nothing in the registry: the ledger keeps labels with the sessions.
    pub(super) fn session_labelled(&self, label: &SessionLabel) -> Changes {
        let SessionLabel { session: _, machine, site, course } = label;
        self.site(site)?;
        if !self.machine(machine)?.ever_stood_at(site) {
            return Err(invalid(format!("machine \"{machine}\" never stood at \"{site}\"")));
        }
        if let Some(id) = course {
            let course = self.known_course(*id)?;
            if course.site != *site {
                let of = &course.site;
                return Err(invalid(format!(
                    "course {id} is of site \"{of}\"; the session is of \"{site}\""
                )));
            }
            self.open_course(*id)?;
        }
        Ok(Vec::new())
    }

    fn known_course(&self, id: CourseId) -> Result<&Arc<Course>, StoreError> {
        self.course(id).ok_or_else(|| invalid(format!("there is no course {id}")))
    }

    /// A course that has not ended.
    fn open_course(&self, id: CourseId) -> Result<&Arc<Course>, StoreError> {
        let course = self.known_course(id)?;
        if course.ended.is_some() {
            let context = format!("course {id} (\"{}\") has ended", course.code);
            return Err(StoreError::new(StoreErrorKind::Conflict, context));
        }
        Ok(course)
    }

    fn check_owner(&self, owner: &str) -> Result<(), StoreError> {
        let name = owner.strip_prefix("user:").and_then(|name| UserName::new(name).ok());
        let name = name.ok_or_else(|| {
            let owner: String = owner.chars().take(80).collect();
            invalid(format!("owner is {owner:?}; \"user:\" and the name of a user are allowed"))
        })?;
        self.user(&name).map(drop)
    }
}

fn put(course: Course) -> Change {
    Change::Put(Entry::Course(course))
}

fn check_prescription(prescription: Option<&Prescription>) -> Result<(), StoreError> {
    prescription.map_or(Ok(()), Prescription::check).map_err(invalid)
}
