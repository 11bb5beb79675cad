//! After how much work machines are due for service, and when they were serviced.

use domain::ids::MachineId;
use domain::units::UnixMicros;
use store::fact::{FactKind, FactOutcome, NewMaintained, NewMaintenance};
use store::registry::{Machine, MaintenancePlan, Scope as SetFor};
use wire::api::v1;

use super::settings::NOTE_CHARACTERS_MAX;
use super::{Administration, request_id_reused};
use crate::access::{Caller, Denied, Scope};
use crate::check::{Check, text_of};
use crate::convert;
use crate::status::ApiError;

impl Administration {
    pub(super) async fn set_maintenance_plan(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::SetMaintenancePlanRequest,
    ) -> Result<v1::SetMaintenancePlanResponse, ApiError> {
        let mut check = Check::default();
        let set_for = check.for_whom(&request.site_id, &request.model, &request.machine_id);
        let plan = check.plan(request.hours, request.kilometres);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let set_for = set_for.expect("what is not valid is a violation");
        self.visible(&scope).has(&set_for)?;
        if matches!(set_for, SetFor::Model(_)) && scope != Scope::All {
            // Machines of a model stand at other sites, too.
            return Err(Denied::NotEverywhere.into());
        }
        let new = NewMaintenance { scope: set_for.clone(), plan };
        self.add_once(&caller, request_id, FactKind::MaintenanceSet(new)).await?;
        let registry = self.ledger.registry();
        let own = registry.own_maintenance_plan(&set_for).copied().unwrap_or_default();
        Ok(v1::SetMaintenancePlanResponse { hours: own.hours, kilometres: own.kilometres })
    }

    pub(super) async fn record_maintenance(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::RecordMaintenanceRequest,
    ) -> Result<v1::RecordMaintenanceResponse, ApiError> {
        let now = self.surroundings.now();
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let at = request.time.as_ref().and_then(|time| check.serviced(time, now));
        let note = check.text("note", &request.note, NOTE_CHARACTERS_MAX);
        let request_id = check.request_id(&request.request_id);
        check.finish()?;
        let id = id.expect("an id that is not valid is a violation");
        self.visible(&scope).machine(&id)?;
        let new = NewMaintained { machine: id.clone(), at: at.unwrap_or(now), note };
        let at = match self.add(&caller, request_id, FactKind::MachineMaintained(new.clone())).await? {
            FactOutcome::Added(_) => new.at,
            FactOutcome::Repeated(_, fact) => {
                // Without a time the first one's counts.
                if let FactKind::MachineMaintained(first) = fact.kind
                    && first == (NewMaintained { at: at.unwrap_or(first.at), ..new })
                {
                    first.at
                } else {
                    return Err(request_id_reused());
                }
            }
        };
        let machine = Machine::clone(self.visible(&scope).machine(&id)?);
        let (machine, time) = (Some(convert::machine(&machine)), Some(convert::timestamp(at)));
        Ok(v1::RecordMaintenanceResponse { machine, time })
    }
}

impl Check {
    /// After how much work; `None`: the plan is taken away.
    fn plan(&mut self, hours: Option<u32>, kilometres: Option<u32>) -> Option<MaintenancePlan> {
        let of_hours = hours.map(|_| ("hours", MaintenancePlan { hours, kilometres: None }));
        let of_way = kilometres.map(|_| ("kilometres", MaintenancePlan { hours: None, kilometres }));
        let parts = [of_hours, of_way];
        for (field, part) in parts.into_iter().flatten() {
            if let Err(description) = part.check() {
                self.wrong(field, format!("is not valid: {description}"));
            }
        }
        parts.iter().any(Option::is_some).then_some(MaintenancePlan { hours, kilometres })
    }

    /// When a machine was serviced.
    fn serviced(&mut self, time: &prost_types::Timestamp, now: UnixMicros) -> Option<UnixMicros> {
        let at = self.time("time", time)?;
        if (UnixMicros(0)..=now).contains(&at) {
            return Some(at);
        }
        let allowed = format!("from 1970 on until now, {}, is allowed", text_of(now));
        self.wrong("time", format!("is {}; {allowed}", text_of(at)));
        None
    }
}
