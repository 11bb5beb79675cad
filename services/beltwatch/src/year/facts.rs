//! The facts that register a fleet, and those of its machines' service.

use domain::units::UnixMicros;
use store::fact::{
    Fact, FactKind, NewCommissioning, NewOpening, NewStaffedHours, OpeningHours, ServiceChange,
};
use store::registry::{Machine, Site};

use super::plan::out_of_service;
use super::{FleetMachine, Gym, Year};

const MINUTE_US: i64 = 60 * 1_000_000;
/// Everything is registered so long before the year begins.
const REGISTERED_BEFORE_US: i64 = 60 * MINUTE_US;
/// A machine is tagged so long after the gym has opened.
const TAGGED_AFTER_US: i64 = 17 * MINUTE_US;
/// When the tag is taken away on the last day, in minutes after midnight.
const REPAIRED_MINUTE: i64 = 12 * 60 + 30;

/// Who registers.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// As facts name people and programs.
    pub name: &'a str,
    /// What identities of requests begin with, `None`: they have none. That of site "north" goes on with "-site-north".
    pub request: Option<&'a str>,
}

/// The facts of a fleet, ascending in time: gyms with their hours, machines, what their commissioning has shown, and when
/// they were out of service.
pub fn registration(year: &Year, author: Author<'_>) -> Vec<Fact> {
    let registered = year.from().plus(-REGISTERED_BEFORE_US);
    let mut facts = Vec::new();
    let mut add = |time: UnixMicros, request: Option<String>, kind: FactKind| {
        let request = author.request.zip(request).map(|(prefix, rest)| format!("{prefix}-{rest}"));
        facts.push(Fact { time, author: author.name.to_owned(), request_id: request, kind });
    };
    for gym in year.gyms() {
        add(registered, Some(format!("site-{}", gym.site)), FactKind::SiteCreated(site(gym, registered)));
        let days = Some(gym.open.clone());
        let opening =
            NewOpening { site: gym.site.clone(), hours: Some(OpeningHours { days }), first_weekday: None };
        add(registered, None, FactKind::OpeningSet(opening));
        let staffed = NewStaffedHours { site: gym.site.clone(), hours: Some(gym.staffed.clone()) };
        add(registered, None, FactKind::StaffedHoursSet(staffed));
    }
    for (number, machine) in year.machines().iter().enumerate() {
        let kind = FactKind::MachineCreated(registered_machine(year, machine, registered));
        add(registered, Some(format!("machine-{}", machine.id)), kind);
        if machine.kind.is_measured() {
            let kind = FactKind::Commissioned(NewCommissioning {
                machine: machine.id.clone(),
                direction_proven: true,
                stops: Vec::new(),
                silent_on_stop: false,
                incline_is_target: false,
                note: "simulated machine".to_owned(),
                seen: None,
            });
            add(registered, Some(format!("commissioning-{}", machine.id)), kind);
        }
        for (time, reason) in service(year, number) {
            let change =
                ServiceChange { machine: machine.id.clone(), out_of_service: reason.map(str::to_owned) };
            add(time, None, FactKind::ServiceChanged(change));
        }
    }
    facts.sort_by_key(|fact| fact.time);
    facts
}

fn site(gym: &Gym, created: UnixMicros) -> Site {
    Site {
        id: gym.site.clone(),
        display_name: gym.name.clone(),
        time_zone: gym.zone.clone(),
        created,
        history: Default::default(),
    }
}

fn registered_machine(year: &Year, machine: &FleetMachine, created: UnixMicros) -> Machine {
    Machine {
        id: machine.id.clone(),
        site: year.gyms()[machine.gym].site.clone(),
        display_name: machine.name.clone(),
        model: machine.model.clone(),
        belt: machine.kind.belt(),
        drive: machine.kind.drive(),
        key_generation: 1,
        created,
        place: None,
        revoked_generation: 0,
        revoked: None,
        acknowledged: None,
        history: Default::default(),
        drills: Vec::new(),
        maintained: None,
    }
}

/// When a machine was tagged out of service and why, and when the tag was taken away.
fn service(year: &Year, number: usize) -> Vec<(UnixMicros, Option<&'static str>)> {
    let machine = &year.machines()[number];
    let seed = year.machine_seed(number);
    let mut changes = Vec::new();
    let mut is_out = false;
    for day in year.days(machine) {
        let Some(is_last) = out_of_service(seed, day.number) else { continue };
        if !is_out {
            let opens = day.open.map_or(day.begins, |(opens, _)| opens);
            changes.push((opens.plus(TAGGED_AFTER_US), Some("belt worn, part ordered")));
        }
        is_out = !is_last;
        if is_last {
            changes.push((day.at_minute(REPAIRED_MINUTE), None));
        }
    }
    changes.retain(|(time, _)| *time < year.until());
    changes
}
