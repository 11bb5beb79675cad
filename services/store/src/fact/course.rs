//! Facts of courses, and of the sessions that are labelled with them.

use domain::ids::{MachineId, SessionId, SiteId};
use serde::{Deserialize, Serialize};

use crate::registry::json;
use crate::registry::{CourseCode, CourseId, Prescription};

/// A course was made. It belongs to the author of the fact, and its id is the number of the fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCourse {
    /// At which site.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// Its code.
    pub code: CourseCode,
    /// What is prescribed; `None`: nothing.
    #[serde(default)]
    pub prescription: Option<Prescription>,
}

/// New values of a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseChange {
    /// Which course.
    pub course: CourseId,
    /// The prescription is set as a whole, or taken away.
    #[serde(default)]
    pub prescription: Option<PrescriptionChange>,
    /// It is handed over to this user, as facts name people: `user:` and the name.
    #[serde(default)]
    pub owner: Option<String>,
}

/// A new prescription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrescriptionChange {
    /// What is prescribed; `None`: nothing any more.
    pub prescription: Option<Prescription>,
}

/// A course was ended: it keeps its sessions, gets no more, and its code can be used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseEnd {
    /// Which course.
    pub course: CourseId,
}

/// A session of a belt was labelled with a course, instead of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLabel {
    /// Which session.
    pub session: SessionId,
    /// Of which machine it is.
    #[serde(with = "json::machine")]
    pub machine: MachineId,
    /// Where the machine stood then.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// With which course; `None`: the label is taken away.
    pub course: Option<CourseId>,
}
