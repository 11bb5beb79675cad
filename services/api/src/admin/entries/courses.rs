//! What people did about courses and maintenance, as the audit says it.

use domain::ids::SiteId;
use store::fact::{CourseChange, NewCourse, NewMaintained, NewMaintenance, SessionLabel};
use store::registry::{CourseId, MaintenancePlan, Prescription, Registry};

use super::{Shown, scoped};
use crate::check::text_of;

/// A new course and what is prescribed.
pub(super) fn created(new: &NewCourse) -> Shown {
    let NewCourse { site, code, prescription } = new;
    let detail = prescription.as_ref().map(prescribed).unwrap_or_default();
    Shown { kind: "course_created", subject: code.to_string(), site: Some(site.clone()), detail }
}

/// What was changed of a course.
pub(super) fn changed(registry: &Registry, change: &CourseChange) -> Shown {
    let prescription = change.prescription.map(|new| match new.prescription {
        Some(prescription) => prescribed(&prescription),
        None => "prescription taken away".to_owned(),
    });
    let owner = change.owner.as_ref().map(|owner| format!("handed over to {owner}"));
    let detail = prescription.into_iter().chain(owner).collect::<Vec<_>>().join(", ");
    of_course(registry, "course_changed", change.course, detail)
}

/// The end of a course.
pub(super) fn ended(registry: &Registry, course: CourseId) -> Shown {
    of_course(registry, "course_ended", course, String::new())
}

/// The label of a session: the course by its number. Its code is told with a session to who sees the course, and the
/// audit is read by others.
pub(super) fn labelled(label: &SessionLabel) -> Shown {
    let SessionLabel { session, machine, site, course } = label;
    let course = match course {
        Some(course) => format!("course {course}"),
        None => "label taken away".to_owned(),
    };
    let detail = format!("on {machine}: {course}");
    Shown { kind: "session_labelled", subject: session.to_string(), site: Some(site.clone()), detail }
}

/// After how much work machines are due for service.
pub(super) fn maintenance_set(registry: &Registry, new: &NewMaintenance) -> Shown {
    let (subject, site) = scoped(registry, &new.scope);
    let detail = new.plan.as_ref().map_or_else(|| "taken away".to_owned(), due);
    Shown { kind: "maintenance_set", subject, site, detail }
}

/// When a machine was serviced and how, such as `at 2026-11-21T17:00:00Z: belt waxed`.
pub(super) fn maintained(new: &NewMaintained) -> String {
    let note = if new.note.is_empty() { String::new() } else { format!(": {}", new.note) };
    format!("at {}{note}", text_of(new.at))
}

fn of_course(registry: &Registry, kind: &'static str, course: CourseId, detail: String) -> Shown {
    let (subject, site) = named(registry, course);
    Shown { kind, subject, site, detail }
}

/// The code of a course and its site.
fn named(registry: &Registry, id: CourseId) -> (String, Option<SiteId>) {
    match registry.course(id) {
        Some(course) => (course.code.to_string(), Some(course.site.clone())),
        None => (id.to_string(), None),
    }
}

/// Such as `3 sessions a week, at most 800 mm/s, 6 weeks`.
fn prescribed(prescription: &Prescription) -> String {
    let Prescription { sessions_a_week, reverse_seconds, speed_mm_s, interval_seconds, weeks } = prescription;
    let said = [
        sessions_a_week.map(|count| format!("{count} sessions a week")),
        reverse_seconds.map(|seconds| format!("{seconds} s in reverse")),
        speed_mm_s.map(|speed| format!("at most {speed} mm/s")),
        interval_seconds.map(|seconds| format!("intervals of {seconds} s")),
        weeks.map(|weeks| format!("{weeks} weeks")),
    ];
    said.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Such as `every 500 h or 2000 km`.
fn due(plan: &MaintenancePlan) -> String {
    let hours = plan.hours.map(|hours| format!("{hours} h"));
    let kilometres = plan.kilometres.map(|kilometres| format!("{kilometres} km"));
    let said = hours.into_iter().chain(kilometres).collect::<Vec<_>>();
    format!("every {}", said.join(" or "))
}
