//! What an agent's status adds to the live view. Presence is not replayed.

use domain::clock::Clock;
use domain::ids::MachineId;
use domain::incident::definition::Judged;
use domain::incident::settings::Timeline;
use domain::live::{Latest, LiveState};
use domain::log::{Lane, Position};
use domain::machine::MachineFold;
use domain::signal::Capabilities;
use domain::units::{MILLI, UnixMicros};
use wire::checkpoint::Checkpoint;
use wire::status::{Status, StatusOrder};

use crate::log::LogMind;

/// What the newest status of a machine said, and when it was heard.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    /// The newest status of the process that speaks for the machine.
    pub(crate) order: Option<StatusOrder>,
    pub(crate) heard: Option<UnixMicros>,
    pub(crate) lost_by_broker: bool,
    pub(crate) capabilities: Capabilities,
    pub(crate) agent_version: String,
    pub(crate) backlog_us: Option<u64>,
    belt: Option<Latest>,
}

impl Presence {
    /// As it was when it was last checkpointed.
    pub(crate) fn restored(checkpoint: &Checkpoint) -> Presence {
        Presence {
            heard: checkpoint.heard,
            capabilities: checkpoint.capabilities,
            agent_version: checkpoint.agent_version.clone(),
            ..Presence::default()
        }
    }

    /// Takes a status if it is newer than the last one; `false`: it is older and is ignored.
    pub(crate) fn status(&mut self, status: Status, heard: UnixMicros, readings: Option<&LogMind>) -> bool {
        if self.order.is_some_and(|order| status.order <= order) {
            return false;
        }
        self.order = Some(status.order);
        self.lost_by_broker = status.offline;
        if status.offline {
            return true;
        }
        self.heard = Some(heard);
        self.backlog_us = backlog_us(&status, readings);
        self.capabilities = status.capabilities;
        if let Some((belt, at, holds_for_ms)) = status.belt {
            // An undated picture cannot be told from an older one.
            self.belt = status.clock.unix(at).map(|time| Latest {
                time,
                belt,
                holds_until: time.plus(i64::from(holds_for_ms) * MILLI.cast_signed()),
                since: None,
                last_event: None,
            });
        }
        self.agent_version = status.agent_version;
        true
    }

    /// An envelope of the process that speaks for the machine came.
    pub(crate) fn envelope(&mut self, heard: UnixMicros) {
        self.heard = Some(heard);
        self.lost_by_broker = false;
    }

    /// Another process speaks for the machine: its statuses count anew.
    pub(crate) fn new_sender(&mut self) {
        self.order = None;
    }

    /// The machine's live state: what was folded, or the status' picture, as it counts, if it is newer.
    pub(crate) fn live(
        &self,
        machine: MachineId,
        fold: &MachineFold,
        settings: &Timeline,
        records_lost: u64,
    ) -> LiveState {
        let configurations = fold.incidents.configurations(Judged::Merged);
        let told = self.belt.map(|told| Latest {
            belt: settings.holding(told.time, configurations).belt(&told.belt),
            ..told
        });
        LiveState {
            latest: newer(fold.latest, told),
            configurations: configurations.clone(),
            // A status tells no stops: what was folded stays, whichever picture is newer.
            last_stop: fold.last_stop,
            session: fold.session.as_ref().map(|session| (session.id, session.started)),
            heard: self.heard,
            lost_by_broker: self.lost_by_broker,
            capabilities: self.capabilities,
            agent_version: self.agent_version.clone(),
            backlog_us: self.backlog_us,
            records_lost,
            ..LiveState::new(machine)
        }
    }
}

/// The newer picture. A status knows neither since when nor after which event; what was folded does, if the belt
/// still does the same.
fn newer(folded: Option<Latest>, told: Option<Latest>) -> Option<Latest> {
    match (folded, told) {
        (Some(folded), Some(told)) if told.time > folded.time => {
            let same = told.belt.direction == folded.belt.direction
                && told.belt.is_moving() == folded.belt.is_moving();
            let since = folded.since.filter(|_| same);
            Some(Latest { since, last_event: folded.last_event, ..told })
        }
        (Some(folded), _) => Some(folded),
        (None, told) => told,
    }
}

/// How far the committed readings lie behind the agent. Nothing waits: 0. Not to be said: `None`.
fn backlog_us(status: &Status, readings: Option<&LogMind>) -> Option<u64> {
    let lane = status.lanes.iter().find(|lane| lane.lane == Lane::Readings)?;
    if lane.first.is_none() {
        return Some(0);
    }
    let log = readings?;
    let committed = log.committed()?;
    if committed.boot_count == lane.next.boot_count && Position::next(committed) >= lane.next {
        return Some(0);
    }
    if log.settled.boot_count == status.order.boot_count {
        return Some(status.sent.since(log.settled.last_at));
    }
    let behind = now_by(&status.clock, status)?.since(log.settled.last_unix()?);
    Some(u64::try_from(behind).unwrap_or(0))
}

fn now_by(clock: &Clock, status: &Status) -> Option<UnixMicros> {
    clock.unix(status.sent)
}

#[cfg(test)]
mod tests {
    use domain::belt::{Belt, Direction, Origin};
    use domain::incident::settings::MachineSettings;
    use domain::stop::{Stop, StopContact};

    use super::*;

    #[test]
    fn a_newer_picture_of_a_status_keeps_the_stop_that_was_folded() {
        let picture = |time| Latest {
            time: UnixMicros(time),
            belt: Belt::default(),
            holds_until: UnixMicros(time + 10),
            since: None,
            last_event: None,
        };
        let (time, contact, direction) = (UnixMicros(1), StopContact::EmergencyStop, Direction::Reverse);
        let stop = Stop { time, contact, direction, speed: None, released: None };
        let fold = |latest| MachineFold { latest, last_stop: Some(stop), ..MachineFold::default() };
        let presence = Presence { belt: Some(picture(5)), ..Presence::default() };
        for (folded, expected) in [(None, 5), (Some(2), 5), (Some(7), 7)] {
            let machine = MachineId::new("tm-01").unwrap();
            let live = presence.live(machine, &fold(folded.map(picture)), &Timeline::default(), 0);
            assert_eq!(live.latest.map(|latest| latest.time.0), Some(expected));
            assert_eq!(live.last_stop, Some(stop));
        }
    }
    #[test]
    fn a_direction_that_a_status_tells_counts_only_if_it_is_proven() {
        let (direction, origin) = (Direction::Reverse, Origin::Measured);
        let picture = Latest {
            time: UnixMicros(5),
            belt: Belt { direction, origin, ..Belt::default() },
            holds_until: UnixMicros(15),
            since: None,
            last_event: None,
        };
        let presence = Presence { belt: Some(picture), ..Presence::default() };
        for (direction_proven, expected) in [(true, Direction::Reverse), (false, Direction::Unknown)] {
            let settings =
                Timeline::always(MachineSettings { direction_proven, ..MachineSettings::default() });
            let machine = MachineId::new("tm-01").unwrap();
            let live = presence.live(machine, &MachineFold::default(), &settings, 0);
            assert_eq!(live.latest.map(|latest| latest.belt.direction), Some(expected));
        }
    }
}
