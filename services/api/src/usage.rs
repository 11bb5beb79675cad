//! `UsageService`: what belts did, added up.
//!
//! A request's way: `asked` (whose, when) → `whereabouts` (which machine stood where, and what the dates mean there) →
//! `groups` and a layout of cells (`periods`, hours of the week, opening hours) → `spread` (where each quarter goes) →
//! `walk` (reads) → `sums` → `show`.

mod as_of;
pub(crate) mod asked;
mod export;
pub(crate) mod groups;
mod heat;
mod maintenance;
mod peak;
pub(crate) mod periods;
mod reverse;
mod series;
pub(crate) mod show;
pub(crate) mod spread;
pub(crate) mod sums;
mod totals;
mod utilisation;
pub(crate) mod walk;
pub(crate) mod whereabouts;

use std::pin::Pin;
use std::sync::Arc;

use domain::ids::MachineId;
use futures::Stream;
use store::ledger::Ledger;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::usage_service_server::UsageService;

use self::whereabouts::Whereabouts;
use crate::access::Scope;
use crate::gate::Gate;
use crate::registry::Visible;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

/// The service.
#[derive(Debug)]
pub(crate) struct Usages {
    pub(crate) gate: Arc<Gate>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    /// A place for each export under way.
    pub(crate) exports: Arc<Semaphore>,
}

impl Usages {
    /// The registry as a caller with this scope sees it.
    fn visible(&self, scope: Scope) -> Visible {
        Visible::new(self.ledger.registry(), scope)
    }

    /// Up to when usage of machines is complete: of those that stand now where the caller may look.
    async fn as_of(&self, whereabouts: &Whereabouts) -> Result<v1::AsOf, ApiError> {
        let here = whereabouts.machines.iter().filter(|whereabout| whereabout.stands_here);
        let machines: Vec<MachineId> = here.map(|whereabout| whereabout.machine.id.clone()).collect();
        as_of::as_of(&*self.ledger, &machines, whereabouts.now).await
    }
}

type ExportStream = Pin<Box<dyn Stream<Item = Result<v1::ExportUsageResponse, Status>> + Send>>;

#[tonic::async_trait]
impl UsageService for Usages {
    async fn get_usage(
        &self,
        request: Request<v1::GetUsageRequest>,
    ) -> Result<Response<v1::GetUsageResponse>, Status> {
        let work = |caller, scope, request| self.totals(caller, scope, request);
        self.gate.answer("UsageService/GetUsage", request, work).await
    }

    async fn list_usage(
        &self,
        request: Request<v1::ListUsageRequest>,
    ) -> Result<Response<v1::ListUsageResponse>, Status> {
        let work = |caller, scope, request| self.series(caller, scope, request);
        self.gate.answer("UsageService/ListUsage", request, work).await
    }

    async fn get_heat_map(
        &self,
        request: Request<v1::GetHeatMapRequest>,
    ) -> Result<Response<v1::GetHeatMapResponse>, Status> {
        let work = |caller, scope, request| self.heat_map(caller, scope, request);
        self.gate.answer("UsageService/GetHeatMap", request, work).await
    }

    async fn get_utilisation(
        &self,
        request: Request<v1::GetUtilisationRequest>,
    ) -> Result<Response<v1::GetUtilisationResponse>, Status> {
        let work = |caller, scope, request| self.utilisation(caller, scope, request);
        self.gate.answer("UsageService/GetUtilisation", request, work).await
    }

    async fn get_reverse_use(
        &self,
        request: Request<v1::GetReverseUseRequest>,
    ) -> Result<Response<v1::GetReverseUseResponse>, Status> {
        let work = |caller, scope, request| self.reverse_use(caller, scope, request);
        self.gate.answer("UsageService/GetReverseUse", request, work).await
    }

    type ExportUsageStream = ExportStream;

    async fn export_usage(
        &self,
        request: Request<v1::ExportUsageRequest>,
    ) -> Result<Response<ExportStream>, Status> {
        let work = |caller, scope, request| self.export(caller, scope, request);
        self.gate.answer("UsageService/ExportUsage", request, work).await
    }

    async fn list_maintenance(
        &self,
        request: Request<v1::ListMaintenanceRequest>,
    ) -> Result<Response<v1::ListMaintenanceResponse>, Status> {
        let work = |caller, scope, request| self.maintenance(caller, scope, request);
        self.gate.answer("UsageService/ListMaintenance", request, work).await
    }
}
