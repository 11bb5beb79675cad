//! A machine's live state as it is shown: what was committed, and what time alone has made of it since.

use domain::ids::MachineId;
use domain::live::{Latest, LiveState};
use domain::presence::{BeltNow, Presence, belt_now, presence};
use domain::units::UnixMicros;
use store::feed::Feed;
use store::ledger::Machine;
use std::sync::Arc;
use wire::api::v1;

use crate::convert;

/// The part of a shown state that changes without a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aged {
    presence: Presence,
    holds: bool,
}

/// What time has made of a state by now.
pub(crate) fn aged(state: &LiveState, now: UnixMicros) -> Aged {
    todo!()
}

/// The newest committed state of a machine; one of which nothing is known if there is none.
pub(crate) fn latest(feed: &Feed, machine: &MachineId) -> Arc<LiveState> {
    feed.latest(machine).unwrap_or_else(|| Arc::new(LiveState::new(machine.clone())))
}
