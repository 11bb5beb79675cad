//! `FleetService`: sites, machines, and what each belt does now.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use domain::limits::{MACHINES_NAMED_MAX, WATCHERS_MAX};
use futures::Stream;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::fleet_service_server::FleetService;

use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::gate::Gate;
use crate::handling::stops::SeenTo;
use crate::paging::{AfterId, Asked, Pages};
use crate::status::ApiError;
use crate::watch::{self, Ground};
use crate::{convert, live};

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Fleet {
    gate: Arc<Gate>,
    pages: Pages,
    ground: Ground,
    watchers: Arc<Semaphore>,
}

impl Fleet {
    /// `watchers` are the places of all kinds of watches.
    pub(crate) fn new(gate: Arc<Gate>, pages: Pages, ground: Ground, watchers: Arc<Semaphore>) -> Fleet {
        Fleet { gate, pages, ground, watchers }
    }

    fn sites(
        &self,
        scope: Scope,
        mut request: v1::ListSitesRequest,
    ) -> Result<v1::ListSitesResponse, ApiError> {
        let mut check = Check::default();
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListSites", &request);
        let after = self.pages.cursor::<AfterId>(&asked, &token)?;
        let after = after.and_then(|after| SiteId::new(&after.0).ok());
        let visible = self.ground.visible(scope);
        let mut rows = visible.sites(after.as_ref());
        let sites: Vec<v1::Site> = rows.by_ref().take(size).map(|site| convert::site(site)).collect();
        let last = sites.last().map(|site| AfterId(site.id.clone()));
        let next = last.filter(|_| rows.next().is_some());
        let next_page_token = next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default();
        Ok(v1::ListSitesResponse { sites, next_page_token })
    }

    fn machines(
        &self,
        scope: Scope,
        mut request: v1::ListMachinesRequest,
    ) -> Result<v1::ListMachinesResponse, ApiError> {
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let token = std::mem::take(&mut request.page_token);
        request.page_size = 0;
        let asked = Asked::new("ListMachines", &request);
        let after = self.pages.cursor::<AfterId>(&asked, &token)?;
        let after = after.and_then(|after| MachineId::new(&after.0).ok());
        let visible = self.ground.visible(scope);
        if let Some(site) = &site {
            visible.site(site)?;
        }
        let now = self.ground.surroundings.now();
        let in_site =
            |machine: &store::registry::Machine| site.as_ref().is_none_or(|site| machine.site == *site);
        let mut rows = visible.machines(after.as_ref()).filter(|machine| in_site(machine));
        let states = rows.by_ref().take(size);
        let machines: Vec<v1::MachineState> = states
            .map(|machine| live::show(machine, &live::latest(&self.ground.feed, &machine.id), now))
            .collect();
        let last =
            machines.last().and_then(|last| last.machine.as_ref()).map(|last| AfterId(last.id.clone()));
        let next = last.filter(|_| rows.next().is_some());
        let next_page_token = next.map(|next| self.pages.token(&asked, &next)).unwrap_or_default();
        Ok(v1::ListMachinesResponse { machines, next_page_token })
    }

    fn machine(
        &self,
        scope: Scope,
        request: &v1::GetMachineRequest,
    ) -> Result<v1::GetMachineResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let visible = self.ground.visible(scope);
        let machine = visible.machine(&id)?;
        let state = live::latest(&self.ground.feed, &id);
        let shown = live::show(machine, &state, self.ground.surroundings.now());
        Ok(v1::GetMachineResponse { machine: Some(shown) })
    }

    async fn acknowledge(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::AcknowledgeStopRequest,
    ) -> Result<v1::AcknowledgeStopResponse, ApiError> {
        let now = self.ground.surroundings.now();
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let until = match &request.stop_time {
            Some(time) => check.time("stop_time", time),
            None => {
                check.wrong("stop_time", "is absent; it says which stop was seen to");
                None
            }
        };
        if until.is_some_and(|until| until > now) {
            check.wrong("stop_time", "lies in the future; nobody has seen that stop");
        }
        check.finish()?;
        let (machine, until) = id.zip(until).expect("what is not valid is a violation");
        self.ground.visible(scope.clone()).machine(&machine)?;
        let seen = SeenTo { ledger: &self.ground.ledger, by: caller.name(), now };
        seen.on_the_floor(&machine, until).await?;
        let visible = self.ground.visible(scope);
        let state = live::latest(&self.ground.feed, &machine);
        let shown = live::show(visible.machine(&machine)?, &state, now);
        Ok(v1::AcknowledgeStopResponse { machine: Some(shown) })
    }

    fn watch(
        &self,
        caller: Caller,
        scope: Scope,
        request: &v1::WatchFleetRequest,
    ) -> Result<WatchStream, ApiError> {
        let mut check = Check::default();
        let site = check.optional_id::<SiteId>("site_id", &request.site_id);
        let named = request.machine_ids.len();
        if named > MACHINES_NAMED_MAX {
            check.wrong(
                "machine_ids",
                format!("has {named} entries; at most {MACHINES_NAMED_MAX} are allowed"),
            );
        }
        let ids = request.machine_ids.iter().take(MACHINES_NAMED_MAX);
        let machines = ids.filter_map(|id| check.id::<MachineId>("machine_ids", id)).collect();
        check.finish()?;
        let asked = watch::Asked { site, machines };
        let visible = self.ground.visible(scope.clone());
        if let Some(site) = &asked.site {
            visible.site(site)?;
        }
        for machine in &asked.machines {
            visible.machine(machine)?;
        }
        let slot = self.watchers.clone().try_acquire_owned();
        let slot = slot.map_err(|_| ApiError::WatchersFull { max: WATCHERS_MAX })?;
        let watcher = watch::Viewer { caller, scope, gate: self.gate.clone() };
        Ok(Box::pin(watch::watch(self.ground.clone(), watcher, asked, &visible, slot)))
    }
}

type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::WatchFleetResponse, Status>> + Send>>;

#[tonic::async_trait]
impl FleetService for Fleet {
    type WatchFleetStream = WatchStream;

    async fn list_sites(
        &self,
        request: Request<v1::ListSitesRequest>,
    ) -> Result<Response<v1::ListSitesResponse>, Status> {
        let work = |_, scope, request| ready(self.sites(scope, request));
        self.gate.answer("FleetService/ListSites", request, work).await
    }

    async fn list_machines(
        &self,
        request: Request<v1::ListMachinesRequest>,
    ) -> Result<Response<v1::ListMachinesResponse>, Status> {
        let work = |_, scope, request| ready(self.machines(scope, request));
        self.gate.answer("FleetService/ListMachines", request, work).await
    }

    async fn get_machine(
        &self,
        request: Request<v1::GetMachineRequest>,
    ) -> Result<Response<v1::GetMachineResponse>, Status> {
        let work = |_, scope, request| ready(self.machine(scope, &request));
        self.gate.answer("FleetService/GetMachine", request, work).await
    }

    async fn watch_fleet(
        &self,
        request: Request<v1::WatchFleetRequest>,
    ) -> Result<Response<WatchStream>, Status> {
        let work = |caller, scope, request| ready(self.watch(caller, scope, &request));
        self.gate.answer("FleetService/WatchFleet", request, work).await
    }

    async fn acknowledge_stop(
        &self,
        request: Request<v1::AcknowledgeStopRequest>,
    ) -> Result<Response<v1::AcknowledgeStopResponse>, Status> {
        let work = |caller, scope, request| self.acknowledge(caller, scope, request);
        self.gate.answer("FleetService/AcknowledgeStop", request, work).await
    }
}
