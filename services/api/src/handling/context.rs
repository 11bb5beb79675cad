//! What a dossier tells beside the evidence: rule, machine, site, what was set, and how much the machine could report.

use ::dossier::{Context, CoverageText, MachineText, RuleText, SettingText, SiteText};
use domain::incident::settings::{MachineSettings, StaffedHours};
use domain::registry::{BeltKind, DriveKind};
use store::ledger::StoredIncident;
use store::registry::{Machine, Registry, Site};

/// How long before and after an incident coverage is told, in microseconds.
pub(super) const AROUND_US: i64 = 5 * 60 * 1_000_000;

/// What is known about an incident's surroundings.
pub(super) fn context(
    registry: &Registry,
    (machine, site): (&Machine, &Site),
    stored: &StoredIncident,
    coverage: Option<CoverageText>,
) -> Context {
    let timeline = registry.timeline(&machine.id);
    let settings = timeline.map(|timeline| settings(timeline.at(stored.incident.time)));
    Context {
        rule: RuleText::of(stored.incident.rule),
        machine: MachineText {
            id: machine.id.clone(),
            display_name: machine.display_name.clone(),
            model: machine.model.clone(),
            belt: belt(machine.belt).to_owned(),
            drive: drive(machine.drive).to_owned(),
        },
        site: SiteText {
            id: site.id.clone(),
            display_name: site.display_name.clone(),
            time_zone: site.time_zone.clone(),
        },
        detected: stored.detected,
        unconfirmed_by_version: stored.unconfirmed,
        // Neither is kept with the history.
        agent: None,
        clock: None,
        coverage,
        settings: settings.unwrap_or_default(),
    }
}

/// What was set for a machine and its site when it happened.
fn settings(then: &MachineSettings) -> Vec<SettingText> {
    let MachineSettings {
        belt: kind,
        drive: motor,
        silent_on_stop,
        incline_is_target,
        direction_proven,
        proven_for: _,
        proven_before: _,
        measured_stops,
        out_of_service,
        drill,
        staffed,
        limits,
    } = then;
    let yes = |is: &bool| if *is { "yes" } else { "no" }.to_owned();
    let said = [
        ("belt", belt(*kind).to_owned()),
        ("drive", drive(*motor).to_owned()),
        ("silent_on_stop", yes(silent_on_stop)),
        ("incline_is_target", yes(incline_is_target)),
        ("direction_proven", yes(direction_proven)),
        ("commissioned_stops", measured_stops.len().to_string()),
        ("out_of_service", yes(out_of_service)),
        ("drill", drill.map_or_else(|| "none".to_owned(), |number| number.to_string())),
        ("staffed_hours", staffed.as_ref().map_or_else(|| "not told".to_owned(), hours)),
    ];
    let said = said.into_iter().map(|(name, value)| SettingText { name: name.to_owned(), value });
    let set =
        limits.iter().map(|(name, value)| SettingText { name: name.to_owned(), value: value.to_string() });
    said.chain(set).collect()
}

fn hours(staffed: &StaffedHours) -> String {
    format!("{} ({})", crate::admin::entries::staffed(&staffed.days), staffed.zone)
}

fn belt(kind: BeltKind) -> &'static str {
    match kind {
        BeltKind::OneWay => "one_way",
        BeltKind::Reversible => "reversible",
        BeltKind::Unknown => "unknown",
    }
}

fn drive(kind: DriveKind) -> &'static str {
    match kind {
        DriveKind::Motor => "motor",
        DriveKind::Manual => "manual",
    }
}
