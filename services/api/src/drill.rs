//! `DrillService`: proof tests of stops, when they are due, and how belts come to rest.

pub(crate) mod proofs;
mod stops;

use std::future::ready;
use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use domain::incident::settings::EFFECTIVE_AFTER_US;
use domain::limits::{DRILL_US_MAX, MACHINES_NAMED_MAX};
use domain::signal::Capabilities;
use domain::units::UnixMicros;
use store::StoreErrorKind;
use store::fact::{DrillEnd, Fact, FactKind, FactOutcome, NewDrill};
use store::registry::{Drill, Machine};
use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::drill_service_server::DrillService;

use self::proofs::{ProofState, Proofs};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::timestamp;
use crate::gate::Gate;
use crate::live;
use crate::registry::Visible;
use crate::status::{ApiError, Violation};
use crate::watch::Ground;

const MINUTE_US: i64 = 60 * 1_000_000;
const MINUTES_DEFAULT: i32 = 10;
const MINUTES_MAX: i64 = DRILL_US_MAX / MINUTE_US;
/// Longest note, in characters.
const NOTE_CHARACTERS_MAX: usize = 200;
/// Proof tests of one answer.
const DRILLS_SHOWN_MAX: usize = 1_000;

/// The service.
#[derive(Debug)]
pub(crate) struct Drills {
    gate: Arc<Gate>,
    ground: Ground,
    proofs: Arc<Proofs>,
}

impl Drills {
    pub(crate) fn new(gate: Arc<Gate>, ground: Ground, proofs: Arc<Proofs>) -> Drills {
        Drills { gate, ground, proofs }
    }

    async fn start(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::StartDrillRequest,
    ) -> Result<v1::StartDrillResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let minutes = i64::from(if request.minutes == 0 { MINUTES_DEFAULT } else { request.minutes });
        if !(1..=MINUTES_MAX).contains(&minutes) {
            check.wrong("minutes", format!("is {minutes}; 1 to {MINUTES_MAX} are allowed, 0 means 10"));
        }
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let time = self.ground.surroundings.now();
        self.can_be_measured(&self.ground.visible(scope.clone()), &id, time).await?;
        let until = |time: UnixMicros| time.plus(EFFECTIVE_AFTER_US + minutes * MINUTE_US);
        let kind = FactKind::DrillStarted(NewDrill { machine: id.clone(), until: until(time) });
        let fact = Fact { time, author: caller.name(), request_id, kind };
        let number = match self.ground.ledger.add_fact(fact).await {
            Ok(FactOutcome::Added(number)) => number,
            Ok(FactOutcome::Repeated(number, fact)) => {
                let expected = NewDrill { machine: id.clone(), until: until(fact.time) };
                if fact.kind != FactKind::DrillStarted(expected) {
                    return Err(request_id_reused());
                }
                number
            }
            Err(error) if error.kind == StoreErrorKind::Conflict => return Err(under_way(&id)),
            Err(error) => return Err(error.into()),
        };
        tracing::info!(machine.id = %id, drill = number, caller = caller.name(), "proof test started");
        let visible = self.ground.visible(scope);
        let machine = visible.machine(&id)?;
        let drill = find(machine, number)?;
        Ok(v1::StartDrillResponse { drill: Some(show(machine, drill, time)) })
    }

    async fn end(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::EndDrillRequest,
    ) -> Result<v1::EndDrillResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let note = check.text("note", &request.note, NOTE_CHARACTERS_MAX);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let now = self.ground.surroundings.now();
        let before = self.ground.visible(scope.clone());
        let drill = find(before.machine(&id)?, request.number)?;
        let is_over = drill.is_ended || now >= drill.until;
        let note = if note.is_empty() { drill.note.clone() } else { note };
        if !is_over || note != drill.note {
            let end = DrillEnd { machine: id.clone(), drill: drill.number, note };
            let kind = FactKind::DrillEnded(end);
            let fact = Fact { time: now, author: caller.name(), request_id: None, kind };
            self.ground.ledger.add_fact(fact).await?;
        }
        let visible = self.ground.visible(scope);
        let machine = visible.machine(&id)?;
        let drill = self.measured(&visible, machine, find(machine, request.number)?).await?;
        Ok(v1::EndDrillResponse { drill: Some(drill) })
    }

    async fn drill(
        &self,
        scope: Scope,
        request: v1::GetDrillRequest,
    ) -> Result<v1::GetDrillResponse, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        let visible = self.ground.visible(scope);
        let machine = visible.machine(&id)?;
        let newest = machine.drills.last().filter(|_| request.number == 0);
        let drill = newest.map_or_else(|| find(machine, request.number), Ok)?;
        Ok(v1::GetDrillResponse { drill: Some(self.measured(&visible, machine, drill).await?) })
    }

    fn drills(
        &self,
        scope: Scope,
        request: &v1::ListDrillsRequest,
    ) -> Result<v1::ListDrillsResponse, ApiError> {
        let visible = self.ground.visible(scope);
        let asked = asked(&visible, &request.site_id, &request.machine_id)?;
        let now = self.ground.surroundings.now();
        let mut drills: Vec<(&Machine, &Drill)> = asked
            .into_iter()
            .flat_map(|machine| machine.drills.iter().map(move |drill| (machine, drill)))
            .collect();
        drills.sort_unstable_by_key(|(_, drill)| std::cmp::Reverse(drill.number));
        let newest = drills.into_iter().take(DRILLS_SHOWN_MAX);
        Ok(v1::ListDrillsResponse {
            drills: newest.map(|(machine, drill)| show(machine, drill, now)).collect(),
        })
    }

    async fn proofs(
        &self,
        scope: Scope,
        request: v1::ListProofsRequest,
    ) -> Result<v1::ListProofsResponse, ApiError> {
        let visible = self.ground.visible(scope);
        let asked = asked(&visible, &request.site_id, &request.machine_id)?;
        if asked.len() > MACHINES_NAMED_MAX {
            let count = asked.len();
            let description = format!(
                "leaves {count} machines; at most {MACHINES_NAMED_MAX} can be listed together: name a site"
            );
            return Err(Violation { field: "site_id", description }.into());
        }
        let mut proofs = self.proofs.of(&visible, &asked, self.ground.surroundings.now()).await?;
        proofs::sort(&mut proofs);
        Ok(v1::ListProofsResponse { proofs: proofs.iter().map(proofs::show).collect() })
    }
}

/// The machines that a request names, of those that its caller may see.
fn asked<'a>(visible: &'a Visible, site: &str, machine: &str) -> Result<Vec<&'a Machine>, ApiError> {
    let mut check = Check::default();
    let site = check.optional_id::<SiteId>("site_id", site);
    let machine = check.optional_id::<MachineId>("machine_id", machine);
    check.finish()?;
    if let Some(site) = &site {
        visible.site(site)?;
    }
    if let Some(machine) = &machine {
        visible.machine(machine)?;
    }
    let is_asked = |one: &&Machine| {
        site.as_ref().is_none_or(|site| one.site == *site)
            && machine.as_ref().is_none_or(|machine| one.id == *machine)
    };
    Ok(visible.machines(None).map(AsRef::as_ref).filter(is_asked).collect())
}

/// A proof test of a machine; `NotFound` if there is none, or if it is too old to be kept.
fn find(machine: &Machine, number: u64) -> Result<&Drill, ApiError> {
    let found = machine.drills.iter().find(|drill| drill.number == number);
    found.ok_or_else(|| ApiError::NotFound { what: "proof test", id: format!("{}/{number}", machine.id) })
}

/// A proof test without what was measured.
fn show(machine: &Machine, drill: &Drill, now: UnixMicros) -> v1::Drill {
    v1::Drill {
        number: drill.number,
        machine_id: machine.id.to_string(),
        author: drill.by.clone(),
        effective_time: Some(timestamp(drill.from)),
        end_time: Some(timestamp(drill.until)),
        is_open: !drill.is_ended && now < drill.until,
        note: drill.note.clone(),
        stops: Vec::new(),
        suppressed: Vec::new(),
    }
}

impl Drills {
    /// Whether a proof test of a machine can measure anything. Of a machine that was never heard that is not known.
    async fn can_be_measured(
        &self,
        visible: &Visible,
        id: &MachineId,
        now: UnixMicros,
    ) -> Result<(), ApiError> {
        let machine = visible.machine(id)?;
        let proofs = self.proofs.of(visible, &[machine], now).await?;
        let is_heard = live::latest(&self.ground.feed, id).capabilities != Capabilities::default();
        if is_heard && proofs.iter().all(|proof| proof.state == ProofState::Blind) {
            let message = format!(
                "machine \"{id}\" reports no contact that stops it, or no speed: nothing can be measured"
            );
            return Err(ApiError::NotNow { reason: "CANNOT_MEASURE", message });
        }
        Ok(())
    }
}

fn under_way(machine: &MachineId) -> ApiError {
    let message = format!("a proof test of machine \"{machine}\" is under way; end it first");
    ApiError::NotNow { reason: "DRILL_UNDER_WAY", message }
}

fn request_id_reused() -> ApiError {
    let description = "was used before by another request; take a new one".to_owned();
    Violation { field: "request_id", description }.into()
}

#[tonic::async_trait]
impl DrillService for Drills {
    async fn start_drill(
        &self,
        request: Request<v1::StartDrillRequest>,
    ) -> Result<Response<v1::StartDrillResponse>, Status> {
        let work = |caller, scope, request| self.start(caller, scope, request);
        self.gate.answer("DrillService/StartDrill", request, work).await
    }

    async fn end_drill(
        &self,
        request: Request<v1::EndDrillRequest>,
    ) -> Result<Response<v1::EndDrillResponse>, Status> {
        let work = |caller, scope, request| self.end(caller, scope, request);
        self.gate.answer("DrillService/EndDrill", request, work).await
    }

    async fn get_drill(
        &self,
        request: Request<v1::GetDrillRequest>,
    ) -> Result<Response<v1::GetDrillResponse>, Status> {
        let work = |_, scope, request| self.drill(scope, request);
        self.gate.answer("DrillService/GetDrill", request, work).await
    }

    async fn list_drills(
        &self,
        request: Request<v1::ListDrillsRequest>,
    ) -> Result<Response<v1::ListDrillsResponse>, Status> {
        let work = |_, scope, request| ready(self.drills(scope, &request));
        self.gate.answer("DrillService/ListDrills", request, work).await
    }

    async fn list_proofs(
        &self,
        request: Request<v1::ListProofsRequest>,
    ) -> Result<Response<v1::ListProofsResponse>, Status> {
        let work = |_, scope, request| self.proofs(scope, request);
        self.gate.answer("DrillService/ListProofs", request, work).await
    }

    async fn list_stops(
        &self,
        request: Request<v1::ListStopsRequest>,
    ) -> Result<Response<v1::ListStopsResponse>, Status> {
        let work = |_, scope, request| self.stops(scope, request);
        self.gate.answer("DrillService/ListStops", request, work).await
    }
}
