//! Which courses somebody sees: whoever has them at its site their own, and whoever configures the site all of it.

use domain::ids::SiteId;
use store::registry::Course;

use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::gate::Gate;

/// What one caller sees of courses.
#[derive(Debug, Clone)]
pub(crate) struct CourseSight {
    /// Where they see their own.
    own: Scope,
    /// Where they see those of others, too.
    others: Scope,
    /// As facts name them.
    name: String,
}

impl CourseSight {
    /// That of a caller who was let in.
    pub(crate) fn of(gate: &Gate, caller: &Caller) -> CourseSight {
        CourseSight {
            own: gate.reach(caller, Permission::Courses),
            others: gate.reach(caller, Permission::Configure),
            name: caller.name(),
        }
    }

    /// Whether sessions of a site can be labelled.
    pub(crate) fn has(&self, site: &SiteId) -> bool {
        self.own.has(site)
    }

    /// Whether a course is there for them.
    pub(crate) fn sees(&self, course: &Course) -> bool {
        self.own.has(&course.site) && (course.owner == self.name || self.others.has(&course.site))
    }
}
