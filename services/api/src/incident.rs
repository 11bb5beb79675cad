//! `IncidentService`: what events and readings mean for safety.

mod at_length;
mod exposure;
mod history;
mod rates;
mod rebuild;
mod rehearse;
mod rules;
pub(crate) mod show;
mod sights;
mod sites;
mod wanted;
mod watch;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use domain::ids::IncidentId;
use domain::limits::{API_PAGE_BYTES_MAX, REHEARSALS_MAX};
use futures::Stream;
use prost::Message;
use store::ledger::{IncidentCount, IncidentPlace, IncidentQuery};
use store::telemetry::Telemetry;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::incident_service_server::IncidentService;

use self::wanted::Wanted;
use crate::access::rights::Permission;
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::{ReadBy, timestamp};
use crate::drill::proofs::Proofs;
use crate::gate::Gate;
use crate::handling::show::View;
use crate::paging::{AfterIncident, Asked, Pages};
use crate::registry::Visible;
use crate::status::ApiError;
use crate::watch::Ground;

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;
/// Incidents read from the ledger at once: each has its trace with it.
const INCIDENTS_READ: usize = 200;
/// Incidents looked at for one page; more than a page can hold.
const INCIDENTS_LOOKED_AT_MAX: usize = 4_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Incidents {
    gate: Arc<Gate>,
    pages: Pages,
    ground: Ground,
    telemetry: Arc<dyn Telemetry>,
    /// Of all kinds of watches.
    watchers: Arc<Semaphore>,
    rehearsals: Arc<Semaphore>,
    proofs: Arc<Proofs>,
}

impl Incidents {
    pub(crate) fn new(
        gate: Arc<Gate>,
        pages: Pages,
        ground: Ground,
        telemetry: Arc<dyn Telemetry>,
        watchers: Arc<Semaphore>,
        proofs: Arc<Proofs>,
    ) -> Incidents {
        let rehearsals = Arc::new(Semaphore::new(REHEARSALS_MAX));
        Incidents { gate, pages, ground, telemetry, watchers, rehearsals, proofs }
    }

    async fn list(
        &self,
        caller: Caller,
        scope: Scope,
        mut request: v1::ListIncidentsRequest,
    ) -> Result<v1::ListIncidentsResponse, ApiError> {
        let as_of = self.ground.surroundings.settled();
        let token = std::mem::take(&mut request.page_token);
        let page_size = std::mem::take(&mut request.page_size);
        let mut check = Check::default();
        let wanted = Wanted::of(&mut check, request.filter.as_ref(), &caller);
        let order = check.incident_order(request.order);
        let size = check.page_size(page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let asked = Asked::new("ListIncidents", &request);
        let after = self.pages.cursor::<AfterIncident>(&asked, &token)?;
        let visible = self.ground.visible(scope);
        let query = IncidentQuery {
            filter: wanted.filter(&visible, self.ground.surroundings.now())?,
            order,
            after: after.map(|after| after.0),
            max: INCIDENTS_READ.min(size + 1),
        };
        let (incidents, next) = self.incident_page(&caller, (&visible, &wanted), query, size).await?;
        let next = next.map(|next| self.pages.token(&asked, &AfterIncident(next)));
        Ok(v1::ListIncidentsResponse {
            incidents,
            next_page_token: next.unwrap_or_default(),
            as_of: as_of.map(timestamp),
        })
    }

    /// Up to `size` incidents, and the place of the last one looked at if there are more. A page is shorter if much of
    /// what it passes happened where the caller may not see.
    async fn incident_page(
        &self,
        caller: &Caller,
        (visible, wanted): (&Visible, &Wanted),
        mut query: IncidentQuery,
        size: usize,
    ) -> Result<(Vec<v1::Incident>, Option<IncidentPlace>), ApiError> {
        let evidence = self.gate.reach(caller, Permission::Evidence);
        let view = self.view(visible, &evidence);
        let mut page: Vec<v1::Incident> = Vec::new();
        let (mut octets, mut looked_at) = (0, 0);
        loop {
            let rows = self.ground.ledger.incidents(&query).await?;
            for row in &rows {
                let Some(machine) = wanted.machine_of(row, visible) else {
                    query.after = Some(IncidentPlace::of(&row.incident));
                    continue;
                };
                let shown = show::incident(row, &machine, &view);
                octets += shown.encoded_len();
                if page.len() == size || (!page.is_empty() && octets > API_PAGE_BYTES_MAX) {
                    return Ok((page, query.after));
                }
                page.push(shown);
                query.after = Some(IncidentPlace::of(&row.incident));
            }
            if rows.len() < query.max {
                return Ok((page, None));
            }
            looked_at += rows.len();
            if looked_at >= INCIDENTS_LOOKED_AT_MAX {
                return Ok((page, query.after));
            }
        }
    }

    async fn count(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CountIncidentsRequest,
    ) -> Result<v1::CountIncidentsResponse, ApiError> {
        let as_of = self.ground.surroundings.settled();
        let mut check = Check::default();
        let wanted = Wanted::of(&mut check, request.filter.as_ref(), &caller);
        check.finish()?;
        let filters = wanted.filters(&self.ground.visible(scope), self.ground.surroundings.now())?;
        let mut counts = BTreeMap::new();
        for filter in &filters {
            for one in self.ground.ledger.incident_counts(filter).await? {
                // By rule, the worst first, active first.
                let key = (one.rule.number(), Reverse(one.severity), !one.active);
                counts.entry(key).or_insert(IncidentCount { count: 0, ..one }).count += one.count;
            }
        }
        let counts = counts.values().map(|one| v1::IncidentCount {
            rule: one.rule.name().to_owned(),
            severity: show::severity(one.severity),
            state: show::state(one.active),
            count: one.count,
        });
        Ok(v1::CountIncidentsResponse { counts: counts.collect(), as_of: as_of.map(timestamp) })
    }

    async fn incident(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::GetIncidentRequest,
    ) -> Result<v1::GetIncidentResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<IncidentId>("incident_id", &request.incident_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let visible = self.ground.visible(scope);
        let none = || ApiError::NotFound { what: "incident", id: id.to_string() };
        let stored = self.ground.ledger.incident(&id).await?.ok_or_else(none)?;
        let found = &stored.incident;
        let machine = visible.machine_then(&found.machine, found.time).map_err(|_| none())?;
        let evidence = self.gate.reach(&caller, Permission::Evidence);
        let pieces = match &found.recording {
            Some(recording) => self.ground.ledger.recording(recording).await?,
            None => Vec::new(),
        };
        let by = ReadBy::of(visible.registry(), &machine, &self.ground.feed);
        Ok(v1::GetIncidentResponse {
            incident: Some(show::incident(&stored, &machine, &self.view(&visible, &evidence))),
            rule: Some(rules::of_machine(&visible, &machine, found.rule)),
            readings: found.trace.iter().map(|point| show::trace(point, &by)).collect(),
            readings_incomplete: !found.trace_complete,
            recording: show::recording(&pieces, &by),
            recording_complete: show::is_complete(&pieces),
        })
    }

    fn view<'a>(&self, visible: &'a Visible, evidence: &'a Scope) -> View<'a> {
        View { registry: visible.registry(), evidence, now: self.ground.surroundings.now() }
    }

    fn watch(
        &self,
        caller: Caller,
        scope: Scope,
        request: &v1::WatchIncidentsRequest,
    ) -> Result<WatchStream, ApiError> {
        let mut check = Check::default();
        let wanted = Wanted::of(&mut check, request.filter.as_ref(), &caller);
        if request.filter.as_ref().is_some_and(|filter| filter.range.is_some()) {
            check.wrong("filter.range", "is given; a watch goes on from its cursor, in the order of arrival");
        }
        check.finish()?;
        // What is named has to be there; what can be seen of it is asked for while it is watched.
        wanted.machines_ever(&self.ground.visible(scope.clone()))?.for_each(drop);
        let slot = self.watchers.clone().try_acquire_owned();
        let slot = slot.map_err(|_| ApiError::WatchersFull { max: domain::limits::WATCHERS_MAX })?;
        let viewer = crate::watch::Viewer { caller, scope, gate: self.gate.clone() };
        let cursors = watch::Cursors::new(self.pages.clone());
        let watch = watch::watch(self.ground.clone(), viewer, wanted, cursors, &request.cursor, slot)?;
        Ok(Box::pin(watch))
    }
}

type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::WatchIncidentsResponse, Status>> + Send>>;
type RehearsalStream = Pin<Box<dyn Stream<Item = Result<v1::RehearseThresholdsResponse, Status>> + Send>>;

type RebuildStream = Pin<Box<dyn Stream<Item = Result<v1::RebuildIncidentsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl IncidentService for Incidents {
    type WatchIncidentsStream = WatchStream;
    type RehearseThresholdsStream = RehearsalStream;
    type RebuildIncidentsStream = RebuildStream;

    async fn list_incidents(
        &self,
        request: Request<v1::ListIncidentsRequest>,
    ) -> Result<Response<v1::ListIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.list(caller, scope, request);
        self.gate.answer("IncidentService/ListIncidents", request, work).await
    }

    async fn list_site_incidents(
        &self,
        request: Request<v1::ListSiteIncidentsRequest>,
    ) -> Result<Response<v1::ListSiteIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.site_incidents(caller, scope, request);
        self.gate.answer("IncidentService/ListSiteIncidents", request, work).await
    }

    async fn count_incidents(
        &self,
        request: Request<v1::CountIncidentsRequest>,
    ) -> Result<Response<v1::CountIncidentsResponse>, Status> {
        let work = |caller, scope, request| self.count(caller, scope, request);
        self.gate.answer("IncidentService/CountIncidents", request, work).await
    }

    async fn get_incident(
        &self,
        request: Request<v1::GetIncidentRequest>,
    ) -> Result<Response<v1::GetIncidentResponse>, Status> {
        let work = |caller, scope, request| self.incident(caller, scope, request);
        self.gate.answer("IncidentService/GetIncident", request, work).await
    }

    async fn watch_incidents(
        &self,
        request: Request<v1::WatchIncidentsRequest>,
    ) -> Result<Response<WatchStream>, Status> {
        let work = |caller, scope, request| std::future::ready(self.watch(caller, scope, &request));
        self.gate.answer("IncidentService/WatchIncidents", request, work).await
    }

    async fn list_rules(
        &self,
        request: Request<v1::ListRulesRequest>,
    ) -> Result<Response<v1::ListRulesResponse>, Status> {
        let work = |_, scope, request| std::future::ready(self.rules(scope, request));
        self.gate.answer("IncidentService/ListRules", request, work).await
    }

    async fn list_blind_spots(
        &self,
        request: Request<v1::ListBlindSpotsRequest>,
    ) -> Result<Response<v1::ListBlindSpotsResponse>, Status> {
        let work = |_, scope, request| self.blind_spots(scope, request);
        self.gate.answer("IncidentService/ListBlindSpots", request, work).await
    }

    async fn get_incident_rates(
        &self,
        request: Request<v1::GetIncidentRatesRequest>,
    ) -> Result<Response<v1::GetIncidentRatesResponse>, Status> {
        let work = |caller, scope, request| self.rates(caller, scope, request);
        self.gate.answer("IncidentService/GetIncidentRates", request, work).await
    }

    async fn rehearse_thresholds(
        &self,
        request: Request<v1::RehearseThresholdsRequest>,
    ) -> Result<Response<RehearsalStream>, Status> {
        let work = |_, scope, request| std::future::ready(self.rehearse(scope, request));
        self.gate.answer("IncidentService/RehearseThresholds", request, work).await
    }

    async fn rebuild_incidents(
        &self,
        request: Request<v1::RebuildIncidentsRequest>,
    ) -> Result<Response<RebuildStream>, Status> {
        let work = |_, scope, request| std::future::ready(self.rebuild(scope, request));
        self.gate.answer("IncidentService/RebuildIncidents", request, work).await
    }
}
