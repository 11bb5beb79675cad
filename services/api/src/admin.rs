//! `AdminService`: the registry. Every change is a fact with author and time.

use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use domain::limits::TOKEN_SITES_MAX;
use store::ledger::{Fact, FactKind, FactOutcome, Ledger, Machine, Site, Token};
use store::{StoreError, StoreErrorKind};
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::admin_service_server::AdminService;
use wire::credential::Credential;
use wire::keys::MasterKey;

use crate::access::{self, Caller, Permission, Scope};
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::convert;
use crate::gate::Gate;
use crate::registry::{Registry, Visible};
use crate::status::{ApiError, Violation};
use crate::surroundings::{Refusal, Surroundings};

const TOPIC_CHARACTERS_MAX: usize = 200;
const FIRST_GENERATION: u32 = 1;

/// The service.
#[derive(Debug)]
pub(crate) struct Administration {
    pub(crate) gate: Arc<Gate>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) surroundings: Arc<dyn Surroundings>,
    pub(crate) master: MasterKey,
}

impl Administration {
    async fn add(
        &self,
        caller: &Caller,
        request_id: Option<String>,
        kind: FactKind,
    ) -> Result<FactOutcome, StoreError> {
        let fact = Fact { time: self.surroundings.now(), author: caller.name.clone(), request_id, kind };
        self.ledger.add_fact(fact).await
    }

    async fn create_site(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateSiteRequest,
    ) -> Result<v1::CreateSiteResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<SiteId>("site_id", &request.site_id);
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        let time_zone = check.time_zone(&request.time_zone);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let display_name = or_id(display_name, id.as_str());
        let site = Site { id, display_name, time_zone, created: self.surroundings.now() };
        let same = |other: &Site| Site { created: site.created, ..other.clone() } == site;
        let stands = match self.add(&caller, request_id, FactKind::SiteCreated(site.clone())).await {
            Ok(FactOutcome::Added(fact)) => {
                tracing::info!(site.id = %site.id, fact, caller = caller.name, "site registered");
                site
            }
            Ok(FactOutcome::Repeated(_, fact)) => match fact.kind {
                FactKind::SiteCreated(other) if same(&other) => other,
                FactKind::SiteCreated(_) | FactKind::MachineCreated(_) | FactKind::TokenCreated(_) => {
                    return Err(request_id_reused());
                }
            },
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                let other = self.registry.visible(&scope).await?.site(&site.id).ok().cloned();
                let taken = || ApiError::Taken { what: "site", id: site.id.to_string() };
                other.filter(|other| same(other)).map(|other| (*other).clone()).ok_or_else(taken)?
            }
            Err(error) => return Err(error.into()),
        };
        Ok(v1::CreateSiteResponse { site: Some(convert::site(&stands)) })
    }

    async fn create_machine(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateMachineRequest,
    ) -> Result<v1::CreateMachineResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let site = check.id::<SiteId>("site_id", &request.site_id);
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        let model = check.text("model", &request.model, NAME_CHARACTERS_MAX);
        let (belt, drive) = (check.belt(request.belt), check.drive(request.drive));
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let (id, site) = id.zip(site).expect("an id that is not valid is a violation");
        self.registry.visible(&scope).await?.site(&site)?;
        let display_name = or_id(display_name, id.as_str());
        let (key_generation, created) = (FIRST_GENERATION, self.surroundings.now());
        let machine = Machine { id, site, display_name, model, belt, drive, key_generation, created };
        let same = |other: &Machine| Machine { created: machine.created, ..other.clone() } == machine;
        let stands = match self.add(&caller, request_id, FactKind::MachineCreated(machine.clone())).await {
            Ok(FactOutcome::Added(fact)) => {
                tracing::info!(machine.id = %machine.id, fact, caller = caller.name, "machine registered");
                self.surroundings.machine_added(&machine);
                machine
            }
            Ok(FactOutcome::Repeated(_, fact)) => match fact.kind {
                FactKind::MachineCreated(other) if same(&other) => other,
                FactKind::SiteCreated(_) | FactKind::MachineCreated(_) | FactKind::TokenCreated(_) => {
                    return Err(request_id_reused());
                }
            },
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                return Err(ApiError::Taken { what: "machine", id: machine.id.to_string() });
            }
            Err(error) => return Err(error.into()),
        };
        let credential = Credential {
            machine: stands.id.clone(),
            generation: stands.key_generation,
            key: self.master.machine_key(&stands.id, stands.key_generation),
            broker: self.surroundings.broker(),
        };
        Ok(v1::CreateMachineResponse {
            machine: Some(convert::machine(&stands)),
            credential: credential.to_json(),
        })
    }

    async fn create_token(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::CreateTokenRequest,
    ) -> Result<v1::CreateTokenResponse, ApiError> {
        let mut check = Check::default();
        let display_name = check.text("display_name", &request.display_name, NAME_CHARACTERS_MAX);
        if display_name.is_empty() {
            check.wrong("display_name", "is empty; say what the token is for");
        }
        let count = request.site_ids.len();
        if count > TOKEN_SITES_MAX {
            check.wrong("site_ids", format!("has {count} entries; at most {TOKEN_SITES_MAX} are allowed"));
        }
        let ids = request.site_ids.iter().take(TOKEN_SITES_MAX);
        let sites: Vec<SiteId> = ids.filter_map(|id| check.id("site_ids", id)).collect();
        check.finish()?;
        let visible = self.registry.visible(&scope).await?;
        all_exist(&visible, &sites)?;
        let secret = access::new_token().map_err(ApiError::NoRandomness)?;
        let token = Token { hash: access::token_hash(&secret), display_name, sites };
        match self.add(&caller, None, FactKind::TokenCreated(token)).await? {
            FactOutcome::Added(fact) | FactOutcome::Repeated(fact, _) => {
                tracing::info!(fact, caller = caller.name, "token made");
            }
        }
        Ok(v1::CreateTokenResponse { token: secret })
    }

    /// Refusals concern the whole server: what was refused may belong to no site.
    fn refusals(&self) -> v1::ListRefusalsResponse {
        let mut refusals = self.surroundings.refusals();
        refusals.sort_by_key(|refusal| std::cmp::Reverse(refusal.time));
        v1::ListRefusalsResponse { refusals: refusals.into_iter().map(show_refusal).collect() }
    }
}

fn show_refusal(refusal: Refusal) -> v1::Refusal {
    v1::Refusal {
        time: Some(convert::timestamp(refusal.time)),
        topic: refusal.topic.chars().take(TOPIC_CHARACTERS_MAX).collect(),
        reason: refusal.reason,
        detail: refusal.detail,
        count: refusal.count,
    }
}

fn or_id(name: String, id: &str) -> String {
    if name.is_empty() { id.to_owned() } else { name }
}

fn all_exist(visible: &Visible, sites: &[SiteId]) -> Result<(), ApiError> {
    sites.iter().try_for_each(|site| visible.site(site).map(|_| ()))
}

fn request_id_reused() -> ApiError {
    let description = "was used before by another request; take a new one".to_owned();
    Violation { field: "request_id", description }.into()
}

#[tonic::async_trait]
impl AdminService for Administration {
    async fn create_site(
        &self,
        request: Request<v1::CreateSiteRequest>,
    ) -> Result<Response<v1::CreateSiteResponse>, Status> {
        let work = |caller, scope, request| self.create_site(caller, scope, request);
        self.gate.answer("CreateSite", Permission::Administer, request, work).await
    }

    async fn create_machine(
        &self,
        request: Request<v1::CreateMachineRequest>,
    ) -> Result<Response<v1::CreateMachineResponse>, Status> {
        let work = |caller, scope, request| self.create_machine(caller, scope, request);
        self.gate.answer("CreateMachine", Permission::Administer, request, work).await
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Result<Response<v1::CreateTokenResponse>, Status> {
        let work = |caller, scope, request| self.create_token(caller, scope, request);
        self.gate.answer("CreateToken", Permission::Administer, request, work).await
    }

    async fn list_refusals(
        &self,
        request: Request<v1::ListRefusalsRequest>,
    ) -> Result<Response<v1::ListRefusalsResponse>, Status> {
        let work = |_caller: Caller, _scope: Scope, _request| std::future::ready(Ok(self.refusals()));
        self.gate.answer("ListRefusals", Permission::Administer, request, work).await
    }
}
