//! Machines as points: what each is and where it stands, from when on.

use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;

use super::{MACHINE, MACHINE_TAG, nanoseconds};
use crate::influx::line::{Line, Lines};
use crate::registry::{BEGINNING, Machine, MachineTraits};

/// Adds a point for each time in which the same held, at its beginning; the first lies at the registration.
pub fn machine_lines(machine: &Machine, lines: &mut Lines) {
    let mut shown: Option<MachineTraits> = None;
    for (from, traits) in held(machine) {
        let from = if from == BEGINNING { machine.created } else { from };
        if shown.as_ref().is_some_and(|before| is_same(before, &traits)) {
            continue;
        }
        if let Some(at) = nanoseconds(from.0, 0) {
            lines.push(line(machine, &traits).at(at));
        }
        shown = Some(traits);
    }
}

/// What held, and from when on; at least one.
fn held(machine: &Machine) -> Vec<(UnixMicros, MachineTraits)> {
    if machine.history.is_empty() {
        return vec![(BEGINNING, machine.traits())];
    }
    machine.history.iter().map(|dated| (dated.from, dated.value.clone())).collect()
}

/// Whether both say the same here; what a commissioning has shown is not told.
fn is_same(one: &MachineTraits, other: &MachineTraits) -> bool {
    let told = |traits: &MachineTraits| MachineTraits { commissioning: None, ..traits.clone() };
    told(one) == told(other)
}

fn line(machine: &Machine, traits: &MachineTraits) -> Line {
    let site = traits.site.as_ref().unwrap_or(&machine.site);
    Line::new(MACHINE)
        .tag(MACHINE_TAG, machine.id.as_str())
        .text("site", site.as_str())
        .text("name", &machine.display_name)
        .text("belt", belt_name(traits.belt))
        .text("drive", drive_name(traits.drive))
        .text("model", &traits.model)
        .flag("out_of_service", traits.out_of_service.is_some())
}

fn belt_name(belt: BeltKind) -> &'static str {
    match belt {
        BeltKind::OneWay => "one_way",
        BeltKind::Reversible => "reversible",
        BeltKind::Unknown => "unknown",
    }
}

fn drive_name(drive: DriveKind) -> &'static str {
    match drive {
        DriveKind::Motor => "motor",
        DriveKind::Manual => "manual",
    }
}
