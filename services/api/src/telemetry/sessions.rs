//! Sessions: from first motion until rest.

use domain::ids::{MachineId, SessionId, SiteId};
use domain::limits::{API_PAGE_BYTES_MAX, MACHINES_NAMED_MAX};
use domain::live::Session;
use domain::units::UnixMicros;
use prost::Message;
use store::ledger::SessionQuery;
use wire::api::v1;

use super::History;
use super::shown::{Label, ShownSessions};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert;
use crate::course::sight::CourseSight;
use crate::paging::{AfterSession, Asked};
use crate::registry::Visible;
use crate::status::ApiError;

const SESSIONS_DEFAULT: usize = 100;
const SESSIONS_MAX: usize = 1_000;
const SESSIONS_DAYS_MAX: i64 = 366;
/// Sessions read from the ledger at once: each may hold a thousand segments.
const SESSIONS_READ: usize = 100;
/// Sessions looked at for one page; more than a page can hold.
const SESSIONS_LOOKED_AT_MAX: usize = 4_000;

impl History {
    pub(super) async fn sessions(
        &self,
        caller: Caller,
        scope: Scope,
        mut request: v1::ListSessionsRequest,
    ) -> Result<v1::ListSessionsResponse, ApiError> {
        let as_of = self.surroundings.settled();
        let token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let mut check = Check::default();
        let machine = check.optional_id::<MachineId>("machine_id", &request.machine_id);
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        if request.machine_id.is_empty() == request.site_id.is_empty() {
            check.wrong("machine_id", "or site_id must be given, and only one of them");
        }
        let size = check.page_size(page_size, SESSIONS_DEFAULT, SESSIONS_MAX);
        let span = check.span(request.range.as_ref(), self.surroundings.now(), SESSIONS_DAYS_MAX);
        check.finish()?;
        let span = span.expect("a span that is not valid is a violation");
        let asked = Asked::new("ListSessions", &request);
        let after = self.pages.cursor::<AfterSession>(&asked, &token)?;
        let span = after.map_or(span, |after| after.span);
        let visible = Visible::new(self.ledger.registry(), scope);
        let machines = machines_of(&visible, machine, site.as_ref())?;
        let query = SessionQuery {
            machines,
            from: span.from,
            until: span.until,
            with: None,
            after: after.map(|after| after.session),
            max: SESSIONS_READ.min(size + 1),
        };
        let seen = Seen { visible: &visible, site };
        let (sessions, last) = self.session_page(self.shown(&caller, &visible), &seen, query, size).await?;
        let next = last.map(|session| AfterSession { span, session });
        Ok(v1::ListSessionsResponse {
            sessions,
            next_page_token: next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default(),
            as_of: as_of.map(convert::timestamp),
        })
    }

    /// Up to `size` sessions, and the place of the last one looked at if there are more. A page is shorter if much of
    /// what it passes began where the caller may not see.
    async fn session_page(
        &self,
        mut shown: ShownSessions<'_>,
        seen: &Seen<'_>,
        mut query: SessionQuery,
        size: usize,
    ) -> Result<(Vec<v1::Session>, Option<(UnixMicros, SessionId)>), ApiError> {
        let mut page: Vec<v1::Session> = Vec::new();
        let (mut octets, mut looked_at) = (0, 0);
        loop {
            let rows = self.ledger.sessions(&query).await?;
            let labels = shown.labels(&rows).await?;
            for (row, label) in rows.iter().zip(&labels) {
                if !seen.has(row) {
                    query.after = Some((row.started, row.id));
                    continue;
                }
                let session = shown.show(row, label).await?;
                octets += session.encoded_len();
                if page.len() == size || (!page.is_empty() && octets > API_PAGE_BYTES_MAX) {
                    return Ok((page, query.after));
                }
                page.push(session);
                query.after = Some((row.started, row.id));
            }
            if rows.len() < query.max {
                return Ok((page, None));
            }
            looked_at += rows.len();
            if looked_at >= SESSIONS_LOOKED_AT_MAX {
                return Ok((page, query.after));
            }
        }
    }

    /// What shows sessions to a caller.
    fn shown(&self, caller: &Caller, visible: &Visible) -> ShownSessions<'_> {
        let sight = CourseSight::of(&self.gate, caller);
        ShownSessions::new(&*self.ledger, visible.registry_kept(), sight)
    }

    pub(super) async fn session(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::GetSessionRequest,
    ) -> Result<v1::GetSessionResponse, ApiError> {
        let as_of = self.surroundings.settled();
        let mut check = Check::default();
        let id = check.session_id("session_id", &request.session_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let visible = Visible::new(self.ledger.registry(), scope);
        let session = self.ledger.session(&id).await?;
        let seen = Seen { visible: &visible, site: None };
        let session = session.filter(|session| seen.has(session));
        let session = session.ok_or_else(|| ApiError::NotFound { what: "session", id: id.to_string() })?;
        let mut shown = self.shown(&caller, &visible);
        let labels = shown.labels(std::slice::from_ref(&session)).await?;
        let shown = shown.show(&session, labels.first().unwrap_or(&Label::None)).await?;
        Ok(v1::GetSessionResponse { session: Some(shown), as_of: as_of.map(convert::timestamp) })
    }
}

/// Which sessions are shown: a session belongs to where its machine stood when it began.
struct Seen<'a> {
    visible: &'a Visible,
    /// Only those of this site.
    site: Option<SiteId>,
}

impl Seen<'_> {
    fn has(&self, session: &Session) -> bool {
        let started = session.started;
        let is_asked = |site: &SiteId| self.site.as_ref().is_none_or(|asked| asked == site);
        let machine = self.visible.registry().machines().get(&session.machine);
        machine
            .is_some_and(|machine| self.visible.saw(machine, started) && is_asked(machine.site_at(started)))
    }
}

/// The machines whose sessions are asked for, with those that have left the site since.
fn machines_of(
    visible: &Visible,
    machine: Option<MachineId>,
    site: Option<&SiteId>,
) -> Result<Vec<MachineId>, ApiError> {
    let mut machines = Vec::new();
    if let Some(machine) = machine {
        machines.push(visible.machine_ever(&machine)?.id.clone());
    }
    if let Some(site) = site {
        visible.site(site)?;
        machines.extend(visible.registry().machines_ever_at(site).map(|machine| machine.id.clone()));
    }
    if machines.len() > MACHINES_NAMED_MAX {
        let mut check = Check::default();
        let count = machines.len();
        let allowed = format!("at most {MACHINES_NAMED_MAX} can be listed together: ask by machine_id");
        check.wrong("site_id", format!("names a site of {count} machines; {allowed}"));
        check.finish()?;
    }
    Ok(machines)
}
