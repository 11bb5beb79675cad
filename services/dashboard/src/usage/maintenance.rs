//! Machines by how soon they are to be serviced.

use std::collections::BTreeMap;

use askama::Template;
use wire::api::v1;

use super::figures::{percent, share};
use crate::frame::MissingPart;
use crate::incidents::Places;
use crate::texts::Texts;
use crate::tile;
use crate::visitor::Visitor;
use crate::words::{self, Reader};

/// Machines that are asked for. More: the page says how many there are.
pub(super) const SHOWN_MAX: i32 = 100;
/// The share of a plan from which on service is due soon.
const SOON: f64 = 0.9;
/// Below this coverage the page says that belts may have run unseen.
const SEEN_WELL: f64 = 0.9;

/// The machines, or why they cannot be shown.
#[derive(Debug, Template)]
#[template(path = "usage_maintenance.html")]
pub(super) struct MaintenancePart {
    t: Texts,
    missing: Option<MissingPart>,
    rows: Vec<Row>,
    /// How many machines have no plan; they are in no row.
    without: usize,
    cut: String,
}

/// One machine with a plan.
#[derive(Debug)]
struct Row {
    name: String,
    href: String,
    site: String,
    state: (&'static str, &'static str),
    used: String,
    bar: String,
    hours: String,
    distance: String,
    last: String,
    covered: String,
    is_unsure: bool,
}

impl MaintenancePart {
    fn empty(t: Texts) -> MaintenancePart {
        MaintenancePart { t, missing: None, rows: Vec::new(), without: 0, cut: String::new() }
    }

    pub(super) fn missing(part: MissingPart, t: Texts) -> MaintenancePart {
        MaintenancePart { missing: Some(part), ..MaintenancePart::empty(t) }
    }

    pub(super) fn new(
        told: &v1::ListMaintenanceResponse,
        names: &BTreeMap<String, String>,
        places: &Places,
        visitor: &Visitor,
    ) -> MaintenancePart {
        let t = visitor.t();
        let total = usize::try_from(told.machines_total).unwrap_or(usize::MAX);
        let cut = if told.machines.len() < total {
            t.maintenance_cut(told.machines.len(), total)
        } else {
            String::new()
        };
        let planned = told.machines.iter().filter(|one| one.has_plan);
        MaintenancePart {
            rows: planned.map(|one| row(one, names, places, visitor)).collect(),
            without: told.machines.iter().filter(|one| !one.has_plan).count(),
            cut,
            ..MaintenancePart::empty(t)
        }
    }
}

fn row(
    told: &v1::MachineMaintenance,
    names: &BTreeMap<String, String>,
    places: &Places,
    visitor: &Visitor,
) -> Row {
    let (reader, t) = (visitor.reader, visitor.t());
    let used = told.used.unwrap_or_default();
    let may_look = visitor.may("live", &told.site_id);
    Row {
        name: names.get(&told.machine_id).unwrap_or(&told.machine_id).clone(),
        href: if may_look { format!("/machine/{}", told.machine_id) } else { String::new() },
        site: places.name(&told.site_id).to_owned(),
        state: state(used, t),
        used: percent(used, 1.0, reader).map(|used| t.usage_percent(used)).unwrap_or_default(),
        bar: share(used, 1.0),
        hours: told.plan_hours.map(|plan| hours(told.hours, plan, reader)).unwrap_or_default(),
        distance: told.plan_kilometres.map(|plan| way(told.kilometres, plan, reader)).unwrap_or_default(),
        last: last(told, places, t),
        covered: percent(told.coverage, 1.0, reader).map(|seen| t.usage_percent(seen)).unwrap_or_default(),
        is_unsure: told.coverage < SEEN_WELL,
    }
}

fn state(used: f64, t: Texts) -> (&'static str, &'static str) {
    match used {
        used if used >= 1.0 => ("v-failed", t.maintenance_due()),
        used if used >= SOON => ("v-due", t.maintenance_soon()),
        _ => ("v-passed", t.maintenance_later()),
    }
}

fn hours(done: f64, plan: u32, reader: Reader) -> String {
    reader.t.maintenance_of(reader.t.age_hours(reader.number(done)), reader.t.age_hours(plan))
}

fn way(done_km: f64, plan_km: u32, reader: Reader) -> String {
    let plan = reader.distance(f64::from(plan_km) * 1_000.0);
    reader.t.maintenance_of(reader.distance(done_km * 1_000.0), plan)
}

/// When it was serviced last, by whom, and what was done.
fn last(told: &v1::MachineMaintenance, places: &Places, t: Texts) -> String {
    let Some(at) = words::moment(told.maintained_time) else { return t.maintenance_never().to_owned() };
    let day = at.to_zoned(places.zone(&told.site_id)).date();
    let mut parts = vec![day.to_string(), tile::person(&told.maintained_by).to_owned(), told.note.clone()];
    parts.retain(|part| !part.is_empty());
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Language;
    use crate::words::Unit;

    #[test]
    fn a_plan_is_due_when_it_is_used_up() {
        let t = Texts { language: Language::English };
        for (used, class) in [(0.0, "v-passed"), (0.89, "v-passed"), (0.9, "v-due"), (1.0, "v-failed")] {
            assert_eq!(state(used, t).0, class, "{used}");
        }
    }

    #[test]
    fn a_way_is_told_in_the_unit_of_whoever_reads() {
        let english = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
        assert_eq!(way(1_500.0, 2_000, english), "1500.0 km of 2000.0 km");
        assert_eq!(hours(412.34, 500, english), "412.3 h of 500 h");
        let german = Reader { t: Texts { language: Language::German }, unit: Unit::MilesPerHour };
        assert_eq!(way(1_609.344, 3_219, german), "1000,0 mi von 2000,2 mi");
    }
}
