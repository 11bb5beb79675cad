//! How soon machines are to be serviced.

use domain::usage::calendar::QuarterSpan;
use store::registry::{Machine, MaintenancePlan, Registry};
use wire::api::v1;

use super::spread::Spread;
use super::sums::Figure;
use super::whereabouts::quarter_at_or_after;
use super::{Usages, as_of, walk};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::timestamp;
use crate::status::ApiError;

const MACHINES_DEFAULT: usize = 100;
const MACHINES_MAX: usize = 1_000;
const HOUR_US: f64 = 3_600e6;
const KILOMETRE_NM: f64 = 1e12;

impl Usages {
    pub(super) async fn maintenance(
        &self,
        _caller: Caller,
        scope: Scope,
        request: v1::ListMaintenanceRequest,
    ) -> Result<v1::ListMaintenanceResponse, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let size = check.page_size(request.page_size, MACHINES_DEFAULT, MACHINES_MAX);
        check.finish()?;
        let (now, visible) = (self.surroundings.now(), self.visible(scope));
        let machines = wanted.standing_now(&visible)?;
        // A belt wears wherever it runs: all its work counts, wherever the machine stood.
        let spans = machines.iter().map(|machine| {
            let since = machine.maintained.as_ref().map_or(machine.created, |maintained| maintained.at);
            let span = QuarterSpan { from: quarter_at_or_after(since), until: quarter_at_or_after(now) };
            (machine.id.clone(), machine.belt, since, span)
        });
        let spread = Spread::each(spans, now);
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        let mut all: Vec<v1::MachineMaintenance> = machines
            .iter()
            .enumerate()
            .map(|(index, machine)| of_machine(visible.registry(), machine, figures.at(index, 0)))
            .collect();
        // Machines come by id; of equal ones the first stays first.
        let used = |one: &v1::MachineMaintenance| one.used.unwrap_or(-1.0);
        all.sort_by(|one, other| used(other).total_cmp(&used(one)));
        let machines_total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.truncate(size);
        let ids: Vec<_> = machines.iter().map(|machine| machine.id.clone()).collect();
        let as_of = as_of::as_of(&*self.ledger, &ids, now).await?;
        Ok(v1::ListMaintenanceResponse { machines: all, machines_total, as_of: Some(as_of) })
    }
}

fn of_machine(registry: &Registry, machine: &Machine, figure: &Figure) -> v1::MachineMaintenance {
    let plan = registry.maintenance_plan(&machine.id).map(|(_, plan)| *plan);
    let motion = figure.usage.motion();
    let (hours, kilometres) = (motion.observed_us as f64 / HOUR_US, motion.distance_nm as f64 / KILOMETRE_NM);
    let MaintenancePlan { hours: plan_hours, kilometres: plan_kilometres } = plan.unwrap_or_default();
    let by_hours = plan_hours.map(|plan| hours / f64::from(plan));
    let by_kilometres = plan_kilometres.map(|plan| kilometres / f64::from(plan));
    let maintained = machine.maintained.as_ref();
    v1::MachineMaintenance {
        machine_id: machine.id.to_string(),
        site_id: machine.site.to_string(),
        has_plan: plan.is_some(),
        plan_hours,
        plan_kilometres,
        maintained_time: maintained.map(|maintained| timestamp(maintained.at)),
        maintained_by: maintained.map(|maintained| maintained.by.clone()).unwrap_or_default(),
        note: maintained.map(|maintained| maintained.note.clone()).unwrap_or_default(),
        hours,
        kilometres,
        used: [by_hours, by_kilometres].into_iter().flatten().reduce(f64::max),
        coverage: if figure.asked_us == 0 { 0.0 } else { figure.speed_us() as f64 / figure.asked_us as f64 },
    }
}
