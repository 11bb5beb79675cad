//! A machine's live state as it is shown: what was committed, and what time alone has made of it since.

use std::sync::Arc;

use domain::belt::{Belt, Contact};
use domain::ids::MachineId;
use domain::live::LiveState;
use domain::presence::{Presence, belt_now, presence};
use domain::proven::Configurations;
use domain::registry::BeltKind;
use domain::signal::Capabilities;
use domain::status::{self, Status};
use domain::stop::Stop;
use domain::units::{Speed, UnixMicros};
use store::feed::Feed;
use store::registry::{Drill, Machine};
use wire::api::v1;

use crate::convert::{self, duration, timestamp};

/// The part of a shown state that changes without a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aged {
    presence: Presence,
    holds: bool,
    status: Status,
    drill_until: Option<UnixMicros>,
}

/// What time has made of a state by now.
pub(crate) fn aged(machine: &Machine, state: &LiveState, now: UnixMicros) -> Aged {
    let holds = state.latest.as_ref().is_some_and(|latest| belt_now(latest, now).1.is_none());
    let presence = presence(state.heard, state.lost_by_broker, now);
    let drill_until = machine.drill(now).map(|drill| drill.until);
    Aged { presence, holds, status: ranked(machine, state, now).0, drill_until }
}

/// The one thing to say of a machine, and since when it holds. A stop in a proof test is seen to: whoever does the test
/// stands there.
fn ranked(machine: &Machine, state: &LiveState, now: UnixMicros) -> (Status, Option<UnixMicros>) {
    let acknowledged = machine.acknowledged.as_ref().map(|acknowledged| acknowledged.until);
    let tested = state.last_stop.filter(|stop| drill_of(machine, stop.time).is_some());
    let acknowledged = acknowledged.max(tested.map(|stop| stop.time));
    if drill_of(machine, now).is_none() {
        return status::status(state, machine.belt, acknowledged, now);
    }
    // While it is on, the button that is held down is part of it, too; left down after it, it is not.
    let mut calm = state.clone();
    if let Some(latest) = &mut calm.latest {
        latest.belt.contacts.open &= !Contact::EmergencyStop.bit();
    }
    status::status(&calm, machine.belt, acknowledged, now)
}

/// The proof test that was on at that time.
fn drill_of(machine: &Machine, time: UnixMicros) -> Option<&Drill> {
    machine.drills.iter().rev().find(|drill| (drill.from..drill.until).contains(&time))
}

/// A machine of which nothing was ever heard.
pub(crate) fn unheard(machine: &MachineId) -> Arc<LiveState> {
    Arc::new(LiveState::new(machine.clone()))
}

/// The newest committed state of a machine.
pub(crate) fn latest(feed: &Feed, machine: &MachineId) -> Arc<LiveState> {
    feed.latest(machine).unwrap_or_else(|| unheard(machine))
}

/// How the sources of a machine's agent were set over time.
pub(crate) fn configurations(feed: &Feed, machine: &MachineId) -> Configurations {
    latest(feed, machine).configurations.clone()
}

/// A machine and what is known of it now.
pub(crate) fn show(machine: &Machine, state: &LiveState, now: UnixMicros) -> v1::MachineState {
    let newest = state.latest.as_ref();
    let (belt, last_known) = newest.map_or_else(Default::default, |newest| belt_now(newest, now));
    let last_event = newest.and_then(|newest| newest.last_event).map(|(kind, contact, time)| v1::LastEvent {
        time: Some(timestamp(time)),
        kind: kind.name().to_owned(),
        contact: convert::contact_name(contact),
    });
    let open_session = state.session.map(|(id, started)| v1::OpenSession {
        session_id: id.to_string(),
        start_time: Some(timestamp(started)),
    });
    let (status, status_since) = ranked(machine, state, now);
    let mut capabilities: Vec<String> = state.capabilities.names().map(str::to_owned).collect();
    capabilities.sort_unstable();
    v1::MachineState {
        machine: Some(convert::machine(machine)),
        presence: show_presence(presence(state.heard, state.lost_by_broker, now)).into(),
        last_heard_time: state.heard.map(timestamp),
        belt: Some(convert::belt(&belt, machine.belt)),
        belt_time: newest.map(|newest| timestamp(newest.time)),
        last_known: last_known.map(|belt| convert::belt(&belt, machine.belt)),
        since_time: newest.and_then(|newest| newest.since).map(timestamp),
        open_session,
        capabilities,
        agent_version: state.agent_version.clone(),
        backlog: state.backlog_us.map(duration),
        records_lost: state.records_lost,
        revision: state.revision,
        last_event,
        last_stop: state.last_stop.as_ref().map(|stop| show_stop(stop, machine)),
        status: show_status(status).into(),
        status_since_time: status_since.map(timestamp),
        drill_until_time: machine.drill(now).map(|drill| timestamp(drill.until)),
        direction_unknown: direction_unknown(machine, state).into(),
    }
}

/// Why a machine's direction is unknown when its belt moves.
fn direction_unknown(machine: &Machine, state: &LiveState) -> v1::DirectionUnknown {
    let measures = state.capabilities.has(Capabilities::DIRECTION);
    match (machine.belt, measures) {
        (BeltKind::Reversible | BeltKind::Unknown, true) if !machine.direction_proven() => {
            v1::DirectionUnknown::NotCommissioned
        }
        (BeltKind::Reversible | BeltKind::Unknown, true)
            if !machine.direction_counts(state.configurations.newest()) =>
        {
            v1::DirectionUnknown::ConfigurationChanged
        }
        (BeltKind::Reversible | BeltKind::Unknown, false) => v1::DirectionUnknown::NotMeasured,
        (BeltKind::OneWay, _) | (BeltKind::Reversible | BeltKind::Unknown, true) => {
            v1::DirectionUnknown::Unspecified
        }
    }
}

fn show_stop(stop: &Stop, machine: &Machine) -> v1::LastStop {
    let belt = Belt { direction: stop.direction, speed: stop.speed, ..Belt::default() };
    let acknowledged = machine.acknowledged.as_ref().filter(|acknowledged| stop.time <= acknowledged.until);
    let drill = drill_of(machine, stop.time);
    let tested_by = || drill.map(|drill| drill.by.clone()).unwrap_or_default();
    v1::LastStop {
        time: Some(timestamp(stop.time)),
        contact: stop.contact.contact().name().to_owned(),
        direction: convert::belt(&belt, machine.belt).direction,
        speed_mps: stop.speed.map(Speed::mps),
        release_time: stop.released.map(timestamp),
        acknowledged_by: acknowledged.map_or_else(tested_by, |acknowledged| acknowledged.by.clone()),
        acknowledge_time: acknowledged.map(|acknowledged| timestamp(acknowledged.at)),
        drill: drill.map_or(0, |drill| drill.number),
    }
}

fn show_status(status: Status) -> v1::Status {
    match status {
        Status::EmergencyStop => v1::Status::EmergencyStop,
        Status::KeyPulled => v1::Status::KeyPulled,
        Status::PowerLost => v1::Status::PowerLost,
        Status::Reverse => v1::Status::Reverse,
        Status::MovingUnknown => v1::Status::MovingUnknown,
        Status::Offline => v1::Status::Offline,
        Status::Silent => v1::Status::Silent,
        Status::Forward => v1::Status::Forward,
        Status::Resting => v1::Status::Resting,
        Status::OutOfUse => v1::Status::OutOfUse,
        Status::Free => v1::Status::Free,
        Status::NeverSeen => v1::Status::NeverSeen,
    }
}

fn show_presence(presence: Presence) -> v1::Presence {
    match presence {
        Presence::NeverSeen => v1::Presence::NeverSeen,
        Presence::Online => v1::Presence::Online,
        Presence::Late => v1::Presence::Late,
        Presence::Offline => v1::Presence::Offline,
    }
}

#[cfg(test)]
mod tests;
