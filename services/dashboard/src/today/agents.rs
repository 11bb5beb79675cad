//! What the machines' own states say: versions, silence, backlog, losses, commissioning.

use std::collections::BTreeMap;

use wire::api::v1;

use super::Ground;
use super::block::{Block, Line};
use crate::machine::presence_words;
use crate::usage::figures::{length, seconds};

/// Seconds by which an agent may be behind.
const BACKLOG_S: f64 = 60.0;

/// Versions of agents, the one with most machines first.
pub(super) fn versions(ground: &Ground) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for state in ground.machines.values().filter(|state| state.last_heard_time.is_some()) {
        *counts.entry(&state.agent_version).or_default() += 1;
    }
    let none = ground.t().today_no_version();
    let named = |version: &str| if version.is_empty() { none.to_owned() } else { version.to_owned() };
    let mut versions: Vec<(String, usize)> =
        counts.into_iter().map(|(version, count)| (named(version), count)).collect();
    versions.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    versions
}

/// Machines that are not heard: gone longest first, then those that never were.
pub(super) fn unheard(ground: &Ground) -> Block {
    let t = ground.t();
    let is_away = |state: &v1::MachineState| {
        [v1::Presence::Offline, v1::Presence::NeverSeen].contains(&state.presence())
    };
    let mut away: Vec<_> = ground.machines.iter().filter(|(_, state)| is_away(state)).collect();
    away.sort_by_key(|(_, state)| {
        let heard = state.last_heard_time.map(|at| (at.seconds, at.nanos));
        (heard.is_none(), heard)
    });
    let line = |(id, state): (&String, &v1::MachineState)| {
        let last = ground.age(state.last_heard_time).map(|age| t.today_heard_last(t.ago(age)));
        Line::of(id, last.unwrap_or_else(|| presence_words(v1::Presence::NeverSeen, t).to_owned()), ground)
    };
    let lines = away.into_iter().map(line).collect();
    Block::new("unheard", t.today_unheard(), lines, ground).led(t.today_unheard_lead())
}

/// Agents with readings that have not come for long, the most of them first.
pub(super) fn backlog(ground: &Ground) -> Block {
    let t = ground.t();
    let behind = |state: &v1::MachineState| seconds(state.backlog.as_ref());
    let mut late: Vec<_> = ground.machines.iter().filter(|(_, state)| behind(state) > BACKLOG_S).collect();
    late.sort_by(|(_, one), (_, other)| behind(other).total_cmp(&behind(one)));
    let line = |(id, state): (&String, &v1::MachineState)| {
        Line::of(id, t.today_backlog_by(length(behind(state), ground.reader)), ground)
    };
    let lines = late.into_iter().map(line).collect();
    Block::new("backlog", t.today_backlog(), lines, ground).led(t.today_backlog_lead())
}

/// Machines of which records are lost, the most of them first.
pub(super) fn lost(ground: &Ground) -> Block {
    let t = ground.t();
    let mut lossy: Vec<_> = ground.machines.iter().filter(|(_, state)| state.records_lost > 0).collect();
    lossy.sort_by_key(|(_, state)| std::cmp::Reverse(state.records_lost));
    let line = |(id, state): (&String, &v1::MachineState)| {
        Line::of(id, t.today_lost_are(state.records_lost), ground)
    };
    let lines = lossy.into_iter().map(line).collect();
    Block::new("lost", t.today_lost(), lines, ground).led(t.today_lost_lead())
}

/// Machines whose commissioning nobody has recorded.
pub(super) fn uncommissioned(ground: &Ground) -> Block {
    let t = ground.t();
    let is_new = |id: &&String| ground.machine(id).is_some_and(|one| one.commission_time.is_none());
    let lines = ground.machines.keys().filter(is_new).map(|id| Line::of(id, "", ground)).collect();
    Block::new("uncommissioned", t.today_uncommissioned(), lines, ground).led(t.today_uncommissioned_lead())
}

/// Machines that tell a direction of which nobody has proven which sign is forward. A one-way belt needs no proof.
pub(super) fn unproven(ground: &Ground) -> Block {
    let t = ground.t();
    let is_unproven = |(_, state): &(&String, &v1::MachineState)| {
        let machine = state.machine.as_ref();
        let never = machine.is_some_and(|one| !one.direction_proven && one.belt() != v1::BeltKind::OneWay)
            && state.capabilities.iter().any(|name| name == "direction");
        never || state.direction_unknown() == v1::DirectionUnknown::ConfigurationChanged
    };
    let unproven = ground.machines.iter().filter(is_unproven);
    let why = |state: &v1::MachineState| match state.direction_unknown() {
        v1::DirectionUnknown::ConfigurationChanged => t.today_configuration_changed(),
        v1::DirectionUnknown::NotCommissioned
        | v1::DirectionUnknown::NotMeasured
        | v1::DirectionUnknown::Unspecified => "",
    };
    let lines = unproven.map(|(id, state)| Line::of(id, why(state), ground)).collect();
    Block::new("unproven", t.today_unproven(), lines, ground).led(t.today_unproven_lead())
}
