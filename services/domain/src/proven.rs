//! Which way a belt runs, as far as anybody may say so: the one place that decides it.
//!
//! A sensor's sign means nothing until somebody has looked at the belt: two swapped wires turn forward into reverse. So a
//! measured direction counts only if the machine's commissioning has proven its sign, for the configuration that the
//! agent's sources have. Otherwise it is unknown, in the live state, sessions, usage and incidents alike. What was
//! recorded stays as it was measured, so that a rebuild can judge it anew after a commissioning.

mod configurations;

use std::borrow::Cow;

use crate::belt::{Belt, Direction, Origin};
use crate::ids::ConfigurationHash;
use crate::incident::settings::{MachineSettings, Timeline};
use crate::record::{Event, EventKind, Payload, Record};
use crate::signal::Capabilities;
use crate::units::UnixMicros;

pub use self::configurations::Configurations;

/// What stands before the hash in the detail of an agent's first event.
const CONFIGURATION: &str = "configuration ";

/// What an agent's first event says in its detail of how its sources are set.
pub fn configuration_detail(configuration: ConfigurationHash) -> String {
    format!("{CONFIGURATION}{configuration}")
}

/// How the sources of an agent are set that has just started; `None`: the event does not tell, as of older agents.
pub fn configuration_told(event: &Event) -> Option<ConfigurationHash> {
    let (_, told) =
        event.detail.split_once(CONFIGURATION).filter(|_| event.kind == EventKind::AgentStarted)?;
    told.split_whitespace().next()?.parse().ok()
}

impl MachineSettings {
    /// Whether a measured direction counts while the agent's sources are set like this; `None`: the agent has not told.
    pub fn direction_counts(&self, configuration: Option<ConfigurationHash>) -> bool {
        let is_proven_for = |told| self.proven_for.is_empty() || self.proven_for.contains(&told);
        self.direction_proven && configuration.is_none_or(is_proven_for)
    }

    /// The same for sources that are set like this: the direction is proven for them, or it is not proven.
    fn of_configuration(&self, configuration: Option<ConfigurationHash>) -> Cow<'_, MachineSettings> {
        if self.direction_counts(configuration) == self.direction_proven {
            return Cow::Borrowed(self);
        }
        Cow::Owned(MachineSettings { direction_proven: false, ..self.clone() })
    }

    /// A direction as it counts.
    pub fn direction(&self, direction: Direction, origin: Origin) -> (Direction, Origin) {
        let is_signed = matches!(direction, Direction::Forward | Direction::Reverse);
        if is_signed && origin == Origin::Measured && !self.direction_proven {
            return (Direction::Unknown, Origin::Unknown);
        }
        (direction, origin)
    }

    /// A picture of the belt as it counts.
    #[must_use]
    pub fn belt(&self, belt: &Belt) -> Belt {
        let (direction, origin) = self.direction(belt.direction, belt.origin);
        Belt { direction, origin, ..*belt }
    }

    /// A record as it counts.
    pub fn record<'r>(&self, record: &'r Record) -> Cow<'r, Record> {
        if self.direction_proven {
            return Cow::Borrowed(record);
        }
        let payload = match &record.payload {
            Payload::Reading(reading) => {
                let (direction, origin) = self.direction(reading.direction, reading.origin);
                if (direction, origin) == (reading.direction, reading.origin) {
                    return Cow::Borrowed(record);
                }
                let mut reading = reading.clone();
                (reading.direction, reading.origin) = (direction, origin);
                Payload::Reading(reading)
            }
            Payload::Event(event) => {
                let counts = self.event(event);
                if counts == *event {
                    return Cow::Borrowed(record);
                }
                Payload::Event(counts)
            }
            // The ledger keeps it as it came.
            Payload::Recording(_) | Payload::Commissioning(_) => return Cow::Borrowed(record),
        };
        Cow::Owned(Record { payload, ..*record })
    }

    /// An event as it counts: its pictures, and what it says of the direction before.
    #[must_use]
    pub fn event(&self, event: &Event) -> Event {
        let (belt, before) = (self.belt(&event.belt), self.belt(&event.before));
        let is_changed = (belt, before) != (event.belt, event.before);
        // It does not say how it knew; it was the same sensor.
        let direction_before =
            event.direction_before.map(|told| if is_changed { Direction::Unknown } else { told });
        Event { belt, before, direction_before, ..event.clone() }
    }

    /// What can be reported, of what an agent's sources can: a direction only if it counts.
    #[must_use]
    pub fn reportable(&self, able: Capabilities) -> Capabilities {
        if self.direction_proven { able } else { Capabilities(able.0 & !Capabilities::DIRECTION.0) }
    }
}

impl Timeline {
    /// What held at a time, for the sources as they were set then: by this records are folded.
    pub fn holding(&self, time: UnixMicros, sources: &Configurations) -> Cow<'_, MachineSettings> {
        self.at(time).of_configuration(sources.at(time))
    }

    /// What holds for all that is still to come, for the sources as they are set now.
    pub fn to_come(&self, sources: &Configurations) -> Cow<'_, MachineSettings> {
        self.newest().of_configuration(sources.newest())
    }

    /// What held at a time, for the sources as they were set then, with a direction that was proven only later as well: so
    /// records are shown whose meaning is known by now, whether or not what was counted then has been rebuilt.
    pub fn known_by_now(&self, time: UnixMicros, sources: &Configurations) -> Cow<'_, MachineSettings> {
        let (then, configuration) = (self.at(time), sources.at(time));
        let counts = then.direction_counts(configuration)
            || self.newest().known_of(then).direction_counts(configuration);
        if counts == then.direction_proven {
            return Cow::Borrowed(then);
        }
        Cow::Owned(MachineSettings { direction_proven: counts, ..then.clone() })
    }
}

#[cfg(test)]
mod tests;
