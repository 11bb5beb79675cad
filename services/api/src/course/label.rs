//! Labels of sessions.

use std::sync::Arc;

use domain::ids::{MachineId, SessionId, SiteId};
use domain::limits::{API_PAGE_BYTES_MAX, LABEL_SESSIONS_READ_MAX, MACHINES_NAMED_MAX};
use domain::live::Session;
use domain::units::UnixMicros;
use prost::Message;
use store::StoreErrorKind;
use store::fact::{Fact, FactKind, FactOutcome, SessionLabel};
use store::ledger::SessionQuery;
use store::registry::{CourseId, Registry};
use wire::api::v1;

use super::{Courses, find, has_ended, request_id_reused};
use crate::access::{Caller, Scope};
use crate::check::{Check, Span};
use crate::paging::{AfterSession, Asked};
use crate::registry::Visible;
use crate::status::{ApiError, Violation};
use crate::telemetry::shown::{Label, ShownSessions};

const SESSIONS_DEFAULT: usize = 50;
const SESSIONS_MAX: usize = 200;
/// Sessions read from the ledger at once: each may hold a thousand segments.
const SESSIONS_READ: usize = 100;
/// How far back sessions are listed, in microseconds: 7 days.
const REACH_US: i64 = 7 * 24 * 3_600 * 1_000_000;

impl Courses {
    pub(super) async fn label(
        &self,
        caller: Caller,
        request: v1::LabelSessionRequest,
    ) -> Result<v1::LabelSessionResponse, ApiError> {
        let mut check = Check::default();
        let id = check.session_id("session_id", &request.session_id);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let _alone = self.labelling.lock().await;
        let (registry, sight) = (self.ledger.registry(), self.sight(&caller));
        let session = self.ledger.session(&id).await?;
        let place = session.and_then(|session| Some((site_of(&registry, &session)?, session)));
        let place = place.filter(|(site, _)| sight.has(site));
        let (site, session) =
            place.ok_or_else(|| ApiError::NotFound { what: "session", id: id.to_string() })?;
        let shown = ShownSessions::new(&*self.ledger, registry.clone(), sight.clone());
        let labels = shown.labels(std::slice::from_ref(&session)).await?;
        let label = labels.first().unwrap_or(&Label::None);
        if *label == Label::Foreign {
            let message =
                format!("session {id} has the label of another course; who sees that can change it");
            return Err(ApiError::NotNow { reason: "LABELLED_OTHERWISE", message });
        }
        let wanted = match request.course_id {
            0 => None,
            id => Some(find(&registry, &sight, id)?),
        };
        if label.seen().map(|course| course.id) == wanted.map(|course| course.id) {
            return Ok(v1::LabelSessionResponse { course_id: request.course_id });
        }
        if let Some(course) = wanted.filter(|course| course.site != site) {
            let description = format!(
                "is of site \"{}\"; the session was at \"{site}\": name a course of that",
                course.site
            );
            return Err(Violation { field: "course_id", description }.into());
        }
        let course = wanted.map(|course| course.id);
        let kind =
            FactKind::SessionLabelled(SessionLabel { session: id, machine: session.machine, site, course });
        let time = self.surroundings.now();
        let fact = Fact { time, author: caller.name(), request_id, kind: kind.clone() };
        match self.ledger.add_fact(fact).await {
            Ok(FactOutcome::Added(_)) => {}
            Ok(FactOutcome::Repeated(_, fact)) if fact.kind == kind => {}
            Ok(FactOutcome::Repeated(..)) => return Err(request_id_reused()),
            Err(error) => {
                let refused = wanted.filter(|_| error.kind == StoreErrorKind::Conflict);
                return Err(refused.map_or_else(|| error.into(), |course| has_ended(course)));
            }
        }
        let now = self.ledger.session_courses(&[id]).await?;
        Ok(v1::LabelSessionResponse { course_id: now.first().map_or(0, |(_, CourseId(course))| *course) })
    }

    pub(super) async fn list_to_label(
        &self,
        caller: Caller,
        scope: Scope,
        mut request: v1::ListLabelSessionsRequest,
    ) -> Result<v1::ListLabelSessionsResponse, ApiError> {
        let token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let mut check = Check::default();
        let site = check.id::<SiteId>("site_id", &request.site_id);
        let machine = check.optional_id::<MachineId>("machine_id", &request.machine_id);
        let size = check.page_size(page_size, SESSIONS_DEFAULT, SESSIONS_MAX);
        check.finish()?;
        let site = site.expect("an id that is not valid is a violation");
        let asked = Asked::new("ListLabelSessions", &request);
        let after = self.pages.cursor::<AfterSession>(&asked, &token)?;
        let now = self.surroundings.now();
        let span = after.map_or(Span { from: now.plus(-REACH_US), until: now }, |after| after.span);
        let visible = self.visible(&scope);
        let machines = machines_of(&visible, &site, machine.as_ref())?;
        let query = SessionQuery {
            machines,
            from: span.from,
            until: span.until,
            with: None,
            after: after.map(|after| after.session),
            max: SESSIONS_READ,
        };
        let registry = visible.registry_kept();
        let shown = ShownSessions::new(&*self.ledger, registry.clone(), self.sight(&caller));
        let page = Page { site, registry, shown, size };
        let (sessions, next) = self.page(page, query).await?;
        let next = next.map(|session| AfterSession { span, session });
        Ok(v1::ListLabelSessionsResponse {
            sessions,
            next_page_token: next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default(),
        })
    }

    /// Sessions of a page, and the place of the last one that was looked at if there are more.
    async fn page(
        &self,
        mut page: Page<'_>,
        mut query: SessionQuery,
    ) -> Result<(Vec<v1::LabelledSession>, Option<Place>), ApiError> {
        let mut listed: Vec<v1::LabelledSession> = Vec::new();
        let (mut octets, mut looked_at) = (0, 0);
        loop {
            let rows = self.ledger.sessions(&query).await?;
            let labels = page.shown.labels(&rows).await?;
            for (row, label) in rows.iter().zip(&labels) {
                let is_here = site_of(&page.registry, row).as_ref() == Some(&page.site);
                if is_here && *label != Label::Foreign {
                    let session = page.show(row, label).await?;
                    octets += session.encoded_len();
                    if listed.len() == page.size || (!listed.is_empty() && octets > API_PAGE_BYTES_MAX) {
                        return Ok((listed, query.after));
                    }
                    listed.push(session);
                }
                query.after = Some((row.started, row.id));
            }
            looked_at += rows.len();
            if rows.len() < query.max {
                return Ok((listed, None));
            }
            if looked_at >= LABEL_SESSIONS_READ_MAX {
                return Ok((listed, query.after));
            }
        }
    }
}

/// A session's place in a list: its start and id.
type Place = (UnixMicros, SessionId);

/// A page of sessions that can be labelled.
struct Page<'a> {
    site: SiteId,
    registry: Arc<Registry>,
    shown: ShownSessions<'a>,
    size: usize,
}

impl Page<'_> {
    async fn show(&mut self, session: &Session, label: &Label) -> Result<v1::LabelledSession, ApiError> {
        let course = label.seen();
        Ok(v1::LabelledSession {
            session: Some(self.shown.show(session, label).await?),
            course_id: course.map_or(0, |course| course.id.0),
            code: course.map(|course| course.code.to_string()).unwrap_or_default(),
        })
    }
}

/// Where a session's machine stood when it began.
fn site_of(registry: &Registry, session: &Session) -> Option<SiteId> {
    registry.machines().get(&session.machine)?.traits_at(session.started).site
}

/// The machines whose sessions are asked for: all that ever stood at the site, or one of them.
fn machines_of(
    visible: &Visible,
    site: &SiteId,
    machine: Option<&MachineId>,
) -> Result<Vec<MachineId>, ApiError> {
    visible.site(site)?;
    let here = visible.registry().machines_ever_at(site).map(|machine| machine.id.clone());
    let machines: Vec<MachineId> = here.filter(|one| machine.is_none_or(|machine| machine == one)).collect();
    if let Some(machine) = machine.filter(|_| machines.is_empty()) {
        return Err(ApiError::NotFound { what: "machine", id: machine.to_string() });
    }
    if machines.len() > MACHINES_NAMED_MAX {
        let count = machines.len();
        let allowed = format!("at most {MACHINES_NAMED_MAX} can be listed together: name one by machine_id");
        let description = format!("names a site of {count} machines; {allowed}");
        return Err(Violation { field: "site_id", description }.into());
    }
    Ok(machines)
}
