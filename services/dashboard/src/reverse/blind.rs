//! Machines whose reverse motion nobody can see.

use std::collections::BTreeMap;

use wire::api::v1;

use super::{Kind, length, moved, ranking};
use crate::usage::Asked;
use crate::visitor::Visitor;

/// Machines that are named. More: the page says how many.
const NAMED_MAX: usize = 50;

/// Machines that can run in reverse, or of which nobody has said, and that tell no direction.
#[derive(Debug)]
pub(super) struct Blind {
    pub(super) line: String,
    pub(super) machines: Vec<Machine>,
    /// Says how many more there are; empty: none.
    pub(super) more: String,
}

#[derive(Debug)]
pub(super) struct Machine {
    pub(super) name: String,
    pub(super) href: String,
    /// How long it moved in a direction that is not known.
    pub(super) moved: String,
}

impl Blind {
    pub(super) fn new(
        told: &v1::GetReverseUseResponse,
        usage: &v1::GetUsageResponse,
        asked: &Asked,
        visitor: &Visitor,
    ) -> Blind {
        let (reader, t) = (visitor.reader, visitor.t());
        // Those that moved without ever telling which way, and those that cannot tell it now.
        let mut found: BTreeMap<&str, (String, &str, f64)> = BTreeMap::new();
        for group in usage.groups.iter().filter(|group| group.usage.as_ref().is_some_and(ranking::is_blind)) {
            let site = asked.places.name(&group.site_id);
            found.insert(&group.key, (ranking::name(group).to_owned(), site, moved(group, Kind::Unknown)));
        }
        for (id, name, site) in unable(asked) {
            found.entry(id).or_insert((name.to_owned(), asked.places.name(site), 0.0));
        }
        let more = found.len().saturating_sub(NAMED_MAX);
        let machine = |(id, (name, site, unknown)): (&str, (String, &str, f64))| Machine {
            name: ranking::name_at(&name, site),
            href: if visitor.may_anywhere("live") { format!("/machine/{id}") } else { String::new() },
            moved: if unknown > 0.0 { t.blind_moved(length(unknown, reader)) } else { String::new() },
        };
        Blind {
            line: t.blind_line(told.machines_telling_direction, told.machines_reversible),
            more: if more > 0 { t.usage_and_more(more) } else { String::new() },
            machines: found.into_iter().take(NAMED_MAX).map(machine).collect(),
        }
    }
}

/// Machines of the filter that are not one-way and report no direction.
fn unable(asked: &Asked) -> impl Iterator<Item = (&str, &str, &str)> {
    let blind = |(one, state): &(&v1::Machine, &v1::MachineState)| {
        let tells = state.capabilities.iter().any(|one| one == "direction");
        one.belt() != v1::BeltKind::OneWay && !tells
    };
    asked.chosen_machines().filter(blind).map(|(one, _)| {
        let name = if one.display_name.is_empty() { &one.id } else { &one.display_name };
        (one.id.as_str(), name.as_str(), one.site_id.as_str())
    })
}
