//! Machines, their places and their credentials.

use domain::ids::{MachineId, SiteId};
use domain::limits::{MACHINES_NAMED_MAX, PLAN_ROWS_MAX};
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use store::StoreErrorKind;
use store::fact::{Arrangement, FactKind, FactOutcome, MachineChange, MachineName, Placed};
use store::registry::{Machine, Place};
use wire::api::v1;

use super::{Administration, masked, or_id, request_id_reused};
use crate::access::{Caller, Scope};
use crate::check::{Check, NAME_CHARACTERS_MAX};
use crate::convert;
use crate::status::ApiError;

const FIRST_GENERATION: u32 = 1;

/// What staff tell of a machine that they register.
pub(crate) struct Told {
    pub(crate) id: MachineId,
    pub(crate) site: SiteId,
    /// Empty: its id.
    pub(crate) display_name: String,
    pub(crate) model: String,
    pub(crate) belt: BeltKind,
    pub(crate) drive: DriveKind,
}

impl Told {
    /// The machine, with its first key.
    pub(crate) fn registered(self, now: UnixMicros) -> Machine {
        Machine {
            display_name: or_id(self.display_name, self.id.as_str()),
            id: self.id,
            site: self.site,
            model: self.model,
            belt: self.belt,
            drive: self.drive,
            key_generation: FIRST_GENERATION,
            created: now,
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        }
    }
}

impl Administration {
    pub(super) async fn create_machine(
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
        let (belt, drive) = (check.belt("belt", request.belt), check.drive("drive", request.drive));
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let (id, site) = id.zip(site).expect("an id that is not valid is a violation");
        self.visible(&scope).site(&site)?;
        let told = Told { id, site, display_name, model, belt, drive };
        let machine = told.registered(self.surroundings.now());
        // What the request says; what became of the machine since is no part of it.
        let said = |one: &Machine| {
            let names = (one.id.clone(), one.site.clone(), one.display_name.clone(), one.model.clone());
            (names, one.belt, one.drive)
        };
        let same = |other: &Machine| said(other) == said(&machine);
        let stands = match self.add(&caller, request_id, FactKind::MachineCreated(machine.clone())).await {
            Ok(FactOutcome::Added(fact)) => {
                tracing::info!(machine.id = %machine.id, fact, caller = caller.name(), "machine registered");
                machine
            }
            Ok(FactOutcome::Repeated(_, fact)) => {
                if let FactKind::MachineCreated(other) = &fact.kind
                    && same(other)
                {
                    other.clone()
                } else {
                    return Err(request_id_reused());
                }
            }
            Err(error) if error.kind == StoreErrorKind::Conflict => {
                return Err(ApiError::Taken { what: "machine", id: machine.id.to_string() });
            }
            Err(error) => return Err(error.into()),
        };
        let credential = self.credential(&stands)?;
        Ok(v1::CreateMachineResponse { machine: Some(convert::machine(&stands)), credential })
    }

    fn credential(&self, machine: &Machine) -> Result<String, ApiError> {
        let made = self.surroundings.credential(machine);
        made.map(|credential| credential.to_json()).map_err(ApiError::NoCredential)
    }

    pub(super) async fn update_machine(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::UpdateMachineRequest,
    ) -> Result<v1::UpdateMachineResponse, ApiError> {
        let new = request.machine.unwrap_or_default();
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine.id", &new.id);
        let allowed = ["display_name", "model", "belt", "drive", "site_id"];
        let fields = masked(&mut check, request.update_mask.as_ref(), &allowed);
        let has = |field: &str| fields.contains(&field);
        let mut text = |field, name: &'static str, value: &str| {
            has(field).then(|| check.text(name, value, NAME_CHARACTERS_MAX))
        };
        let display_name = text("display_name", "machine.display_name", &new.display_name);
        let model = text("model", "machine.model", &new.model);
        let belt = has("belt").then(|| check.belt("machine.belt", new.belt));
        let drive = has("drive").then(|| check.drive("machine.drive", new.drive));
        let site = has("site_id").then(|| check.id::<SiteId>("machine.site_id", &new.site_id)).flatten();
        check.finish()?;
        let machine = id.expect("an id that is not valid is a violation");
        let visible = self.visible(&scope);
        visible.machine(&machine)?;
        // Who moves a machine has to have the right at both sites.
        if let Some(site) = &site {
            visible.site(site)?;
        }
        let display_name = display_name.map(|name| or_id(name, machine.as_str()));
        let change = MachineChange { machine: machine.clone(), display_name, model, belt, drive, site };
        let machine = self.change(&caller, &scope, &machine, FactKind::MachineChanged(change)).await?;
        Ok(v1::UpdateMachineResponse { machine: Some(convert::machine(&machine)) })
    }

    /// Adds a fact of one machine, and gives the machine as it is then.
    async fn change(
        &self,
        caller: &Caller,
        scope: &Scope,
        id: &MachineId,
        kind: FactKind,
    ) -> Result<Machine, ApiError> {
        self.add(caller, None, kind).await?;
        let machine = Machine::clone(self.visible(scope).machine(id)?);
        Ok(machine)
    }

    pub(super) async fn arrange_machines(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::ArrangeMachinesRequest,
    ) -> Result<v1::ArrangeMachinesResponse, ApiError> {
        let mut check = Check::default();
        let site = check.id::<SiteId>("site_id", &request.site_id);
        let count = request.places.len();
        if !(1..=MACHINES_NAMED_MAX).contains(&count) {
            check.wrong("places", format!("has {count} entries; 1 to {MACHINES_NAMED_MAX} are allowed"));
        }
        let places = request.places.iter().take(MACHINES_NAMED_MAX);
        let places: Vec<Placed> = places.filter_map(|place| check.placed(place)).collect();
        check.finish()?;
        let site = site.expect("an id that is not valid is a violation");
        let visible = self.visible(&scope);
        visible.site(&site)?;
        for placed in &places {
            let machine = visible.machine(&placed.machine)?;
            if machine.site != site {
                return Err(ApiError::NotFound { what: "machine", id: placed.machine.to_string() });
            }
        }
        let kind = FactKind::MachinesArranged(Arrangement { site, places });
        self.add(&caller, None, kind).await.map_err(|error| match error.kind {
            StoreErrorKind::Conflict => ApiError::PlaceTaken,
            StoreErrorKind::Unavailable
            | StoreErrorKind::Timeout
            | StoreErrorKind::Full
            | StoreErrorKind::Corrupt
            | StoreErrorKind::IncompatibleVersion
            | StoreErrorKind::Invalid => error.into(),
        })?;
        Ok(v1::ArrangeMachinesResponse {})
    }

    pub(super) async fn renew_credential(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RenewCredentialRequest,
    ) -> Result<v1::RenewCredentialResponse, ApiError> {
        let id = self.named(&scope, &request.machine_id)?;
        let kind = FactKind::CredentialRenewed(MachineName { machine: id.clone() });
        let machine = self.change(&caller, &scope, &id, kind).await?;
        let credential = self.credential(&machine)?;
        Ok(v1::RenewCredentialResponse { machine: Some(convert::machine(&machine)), credential })
    }

    pub(super) async fn revoke_credential(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RevokeCredentialRequest,
    ) -> Result<v1::RevokeCredentialResponse, ApiError> {
        let id = self.named(&scope, &request.machine_id)?;
        let kind = FactKind::CredentialRevoked(MachineName { machine: id.clone() });
        let machine = self.change(&caller, &scope, &id, kind).await?;
        tracing::info!(machine.id = %id, caller = caller.name(), "the machine's credential was revoked");
        Ok(v1::RevokeCredentialResponse { machine: Some(convert::machine(&machine)) })
    }

    fn named(&self, scope: &Scope, id: &str) -> Result<MachineId, ApiError> {
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        self.visible(scope).machine(&id)?;
        Ok(id)
    }
}

impl Check {
    fn placed(&mut self, placed: &v1::MachinePlace) -> Option<Placed> {
        let machine = self.id::<MachineId>("places.machine_id", &placed.machine_id)?;
        let Some(place) = &placed.place else { return Some(Placed { machine, place: None }) };
        let (row, column) = (place.row, place.column);
        if row >= PLAN_ROWS_MAX || column >= PLAN_ROWS_MAX {
            let most = PLAN_ROWS_MAX - 1;
            self.wrong("places.place", format!("is row {row}, column {column}; 0 to {most} are allowed"));
            return None;
        }
        let (row, column) = (u8::try_from(row).ok()?, u8::try_from(column).ok()?);
        Some(Placed { machine, place: Some(Place { row, column }) })
    }
}
