//! A course with its sessions, week by week, against what was prescribed.

use std::sync::Arc;

use domain::limits::{API_PAGE_BYTES_MAX, COURSE_SESSIONS_READ_MAX};
use domain::live::Session;
use domain::units::{Speed, UnixMicros};
use domain::usage::calendar::{Zones, weekday};
use jiff::civil::Weekday;
use prost::Message;
use store::ledger::{CourseQuery, IncidentFilter, Members};
use store::registry::{Course, Site};
use wire::api::v1;

use super::weeks::{When, Worked, reverse_intervals, speed_steps, weeks};
use super::{Courses, find, show};
use crate::access::Caller;
use crate::convert::{sessions, timestamp};
use crate::status::ApiError;
use crate::telemetry::shown::{Label, ShownSessions};

/// Weeks of one answer, the newest.
const WEEKS_MAX: usize = 104;
/// Sessions of one answer, the newest.
const SESSIONS_MAX: usize = 500;
/// Sessions read from the ledger at once: each may hold a thousand segments.
const SESSIONS_READ: usize = 100;

/// Sessions of a course, newest first.
#[derive(Default)]
struct Read {
    worked: Vec<Worked>,
    /// Of these, the first ones as they are shown.
    shown: Vec<v1::CourseSession>,
    octets: usize,
    /// Whether there was room for all so far.
    is_full: bool,
}

impl Courses {
    pub(super) async fn report(
        &self,
        caller: Caller,
        request: v1::GetCourseRequest,
    ) -> Result<v1::GetCourseResponse, ApiError> {
        let as_of = self.surroundings.settled();
        let (registry, sight) = (self.ledger.registry(), self.sight(&caller));
        let course = find(&registry, &sight, request.course_id)?;
        let site = registry.sites().get(&course.site);
        let site = site.ok_or_else(|| ApiError::NotFound { what: "site", id: course.site.to_string() })?;
        let (zones, first_weekday) = time_of(site)?;
        let shown = ShownSessions::new(&*self.ledger, registry.clone(), sight);
        let Read { mut worked, shown: mut sessions, .. } = self.read(course, shown).await?;
        worked.reverse();
        let newest_first = speed_steps(&worked).into_iter().rev();
        for (session, step) in sessions.iter_mut().zip(newest_first) {
            session.speed_step_mps = step.map(Speed::mps);
        }
        let when = When {
            zones: &zones,
            first_weekday,
            created: course.created,
            ended: course.ended,
            now: self.surroundings.now(),
        };
        let weeks = weeks(&worked, when, course.prescription.as_ref());
        let weeks = weeks.map_err(|error| no_calendar(course, &error.to_string()))?;
        let skipped = weeks.len().saturating_sub(WEEKS_MAX);
        Ok(v1::GetCourseResponse {
            course: Some(show::course(course)),
            weeks: weeks[skipped..].iter().map(show::week).collect(),
            sessions,
            sessions_total: u32::try_from(worked.len()).unwrap_or(u32::MAX),
            as_of: as_of.map(timestamp),
        })
    }

    async fn read(&self, course: &Arc<Course>, mut shown: ShownSessions<'_>) -> Result<Read, ApiError> {
        let mut query = CourseQuery {
            course: course.id,
            from: UnixMicros(i64::MIN),
            until: UnixMicros(i64::MAX),
            after: None,
            max: SESSIONS_READ,
        };
        let label = Label::Seen(course.clone());
        let mut read = Read::default();
        loop {
            let rows = self.ledger.course_sessions(&query).await?;
            for row in &rows {
                self.take(&mut read, row, &label, &mut shown).await?;
            }
            query.after = rows.last().map(|last| (last.started, last.id));
            if rows.len() < query.max || read.worked.len() >= COURSE_SESSIONS_READ_MAX {
                return Ok(read);
            }
        }
    }

    async fn take(
        &self,
        read: &mut Read,
        session: &Session,
        label: &Label,
        shown: &mut ShownSessions<'_>,
    ) -> Result<(), ApiError> {
        let incidents = self.incidents_in(session).await?;
        let segments = shown.segments(session);
        read.worked.push(Worked::of(session, &segments, incidents));
        if read.is_full || read.shown.len() == SESSIONS_MAX {
            return Ok(());
        }
        let told = v1::CourseSession {
            session: Some(shown.show(session, label).await?),
            intervals: reverse_intervals(&segments).iter().map(sessions::interval).collect(),
            speed_step_mps: None,
            incidents,
        };
        read.octets += told.encoded_len();
        read.is_full = !read.shown.is_empty() && read.octets > API_PAGE_BYTES_MAX;
        if !read.is_full {
            read.shown.push(told);
        }
        Ok(())
    }

    /// How many incidents there were from the first to the last motion of a session, proof tests apart.
    async fn incidents_in(&self, session: &Session) -> Result<u32, ApiError> {
        let filter = IncidentFilter {
            machines: Some(vec![session.machine.clone()]),
            from: session.started,
            until: session.last_motion.plus(1),
            drill: Some(false),
            members: Members::LeftOut,
            ..IncidentFilter::default()
        };
        let counts = self.ledger.incident_counts(&filter).await?;
        let count: u64 = counts.iter().map(|one| one.count).sum();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

/// The time zones of a site over time, and the first day of its weeks.
fn time_of(site: &Site) -> Result<(Zones, Weekday), ApiError> {
    let zones = site.zones();
    let before = zones.first().map_or_else(|| site.time_zone.clone(), |(_, zone)| zone.clone());
    let zones = Zones::new(&before, zones).map_err(|error| {
        let message = format!("the time of site \"{}\" cannot be told: {error}", site.id);
        ApiError::NotNow { reason: "UNKNOWN_ZONE", message }
    })?;
    Ok((zones, weekday(site.first_weekday()).unwrap_or(Weekday::Monday)))
}

/// Sessions or courses outside of what calendars know.
fn no_calendar(course: &Course, why: &str) -> ApiError {
    let message = format!("the weeks of course {} cannot be told: {why}", course.id);
    ApiError::NotNow { reason: "NO_CALENDAR", message }
}
