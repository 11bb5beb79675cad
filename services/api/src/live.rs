//! A machine's live state as it is shown: what was committed, and what time alone has made of it since.

use std::sync::Arc;

use domain::ids::MachineId;
use domain::live::LiveState;
use domain::presence::{Presence, belt_now, presence};
use domain::units::UnixMicros;
use store::feed::Feed;
use store::ledger::Machine;
use wire::api::v1;

use crate::convert::{self, duration, timestamp};

/// The part of a shown state that changes without a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aged {
    presence: Presence,
    holds: bool,
}

/// What time has made of a state by now.
pub(crate) fn aged(state: &LiveState, now: UnixMicros) -> Aged {
    let holds = state.latest.as_ref().is_some_and(|latest| belt_now(latest, now).1.is_none());
    Aged { presence: presence(state.heard, state.lost_by_broker, now), holds }
}

/// A machine of which nothing was ever heard.
pub(crate) fn unheard(machine: &MachineId) -> Arc<LiveState> {
    Arc::new(LiveState::new(machine.clone()))
}

/// The newest committed state of a machine.
pub(crate) fn latest(feed: &Feed, machine: &MachineId) -> Arc<LiveState> {
    feed.latest(machine).unwrap_or_else(|| unheard(machine))
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
