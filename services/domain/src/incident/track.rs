//! What rules look at: the belt, its contacts and what people did, as far as the records so far have told.

mod step;

use serde::{Deserialize, Serialize};

use crate::belt::{Belt, Contact, Direction, STANDSTILL};
use crate::incident::settings::MachineSettings;
use crate::proven::{Configurations, configuration_told};
use crate::record::{Event, EventKind, Reading};
use crate::signal::Capabilities;
use crate::stop::StopContact;
use crate::units::{MonotonicMicros, Speed, UnixMicros};

pub use self::step::{MOVING, Step, above_us};

/// A record as rules see it.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// A reading that covers the time from `began`.
    Reading {
        /// The reading.
        reading: &'a Reading,
        /// Where its interval begins, or where the reading before it ended.
        began: UnixMicros,
    },
    /// An event.
    Event {
        /// The event.
        event: &'a Event,
        /// Its time by the agent's clock, by which its recording is found.
        at: MonotonicMicros,
    },
}

/// A standstill is told a second after it began, and may come behind readings that end up to then; what is told later
/// than this has a clock that was settled anew, in microseconds.
const SETTLED_US: i64 = 2_000_000;

/// A contact over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ContactTrack {
    /// Whether it is open; `None`: not known.
    pub open: Option<bool>,
    /// When it opened last.
    pub opened: Option<UnixMicros>,
    /// When it closed last.
    pub closed: Option<UnixMicros>,
}

/// A stop by emergency stop or key, from its edge until the contact is reset or the belt moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopEpisode {
    /// The edge.
    pub time: UnixMicros,
    /// Of which contact.
    pub contact: StopContact,
    /// Greatest speed at the edge and in the 2 s before it; `None`: not known.
    pub speed: Option<Speed>,
    /// Greatest speed since the edge; `None`: none was known since.
    pub speed_after: Option<Speed>,
    /// When the belt stood; `None`: it has not yet.
    pub standstill: Option<UnixMicros>,
    /// When the contact closed again; `None`: it has not, or the console cannot tell.
    pub released: Option<UnixMicros>,
    /// Belt distance from the edge to standstill, in mm/s times microseconds.
    pub travelled: u64,
    /// How far readings have been counted into it.
    pub travelled_until: UnixMicros,
}

/// A value and when it was told last, and when it changed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told<T> {
    /// The value.
    pub value: T,
    /// When it was told last.
    pub time: UnixMicros,
    /// Since when it has this value.
    pub since: UnixMicros,
}

/// Everything that rules look at besides the record itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Track {
    /// What the agent's sources can report; `None`: it has not told.
    pub capabilities: Option<Capabilities>,
    /// How the agent's sources were set over time.
    pub configurations: Configurations,
    /// Time of the newest record.
    pub time: Option<UnixMicros>,
    /// End of the newest reading.
    pub reading: Option<UnixMicros>,
    /// Time of the record before this one.
    pub before: Option<UnixMicros>,
    /// Time without readings before this reading began, in microseconds.
    pub gap_us: i64,
    /// The newest picture of the belt.
    pub belt: Belt,
    /// Since when the belt stands; `None`: it moves, or is not known.
    pub standing: Option<UnixMicros>,
    /// Since when the belt moves; `None`: it stands, or is not known.
    pub moving: Option<UnixMicros>,
    /// When the belt last came to a standstill.
    pub stopped: Option<UnixMicros>,
    /// The last motion that was seen: when, how fast, which way as the sensor told it.
    pub motion: Option<(UnixMicros, Speed, Direction)>,
    /// Contacts, in the order of `Contact::ALL`.
    pub contacts: [ContactTrack; Contact::ALL.len()],
    /// When the user started or resumed the machine last.
    pub user_started: Option<UnixMicros>,
    /// The source that told the last command of the user; empty: none has yet.
    pub command_source: String,
    /// Sources that are silent.
    pub silent_sources: Vec<String>,
    /// When a command of the user could last have been missed: a source was silent, or the agent was not there.
    pub commands_missed: Option<UnixMicros>,
    /// When the user stopped or paused the machine last.
    pub user_stopped: Option<UnixMicros>,
    /// When the direction changed last without a standstill between.
    pub direction_changed: Option<UnixMicros>,
    /// Since when no speed is known: the last signal of the speed source, as its agent told it.
    pub silent: Option<UnixMicros>,
    /// When that was told; readings of the time before still have the old speed.
    pub silent_told: Option<UnixMicros>,
    /// When the agent started last.
    pub agent_started: Option<UnixMicros>,
    /// The stop under way.
    pub stop: Option<StopEpisode>,
    /// The speed that the console commands.
    pub commanded: Option<Told<Speed>>,
    /// The machine's own elapsed time, in seconds.
    pub elapsed: Option<Told<u32>>,
    /// The machine's own step count.
    pub steps: Option<Told<u32>>,
    /// The machine's own distance, in metres.
    pub distance: Option<Told<u32>>,
    /// Force on the belt, in newtons.
    pub belt_force: Option<Told<i32>>,
    /// Heart rate, in beats a minute.
    pub heart_rate: Option<Told<u32>>,
    /// Whether a heart-rate sensor has contact.
    pub heart_rate_contact: Option<Told<bool>>,
    /// Mode that a console or person declared: 1 coached, 2 event, 3 downhill.
    pub declared_mode: Option<Told<u32>>,
}

impl Track {
    /// What is known of a contact.
    pub fn contact(&self, contact: Contact) -> &ContactTrack {
        &self.contacts[contact.bit().trailing_zeros() as usize]
    }

    /// Takes in a record. Its time is not before that of the one before it. `told` is the record's own time, which may be
    /// a little before `time`: an event that had to last before it was one is told behind readings that end later.
    pub fn take(&mut self, time: UnixMicros, told: UnixMicros, seen: &Seen<'_>, settings: &MachineSettings) {
        self.before = self.time.replace(time);
        match seen {
            Seen::Reading { reading, began } => self.take_reading(time, *began, reading),
            Seen::Event { event, at } => self.take_event(time, told, *at, event, settings),
        }
    }

    /// Notes what an agent that starts says of itself; without a time its start is not dated. One that does not tell how
    /// its sources are set is an older one.
    pub fn hear_agent(&mut self, time: Option<UnixMicros>, event: &Event) {
        self.capabilities = event.capabilities.or(self.capabilities);
        if event.kind == EventKind::AgentStarted {
            let told = configuration_told(event);
            match time {
                Some(time) => self.configurations.tell(time, told),
                None => self.configurations.tell_undated(self.time, told),
            }
        }
    }

    /// Nothing is known of how the time before hangs together with what comes: an older spool has come back.
    pub fn restart(&mut self) {
        let (capabilities, configurations) = (self.capabilities, std::mem::take(&mut self.configurations));
        *self = Track { capabilities, configurations, ..Track::default() };
    }

    /// Whether all commands of the user from this moment on were heard: the source that tells them was not silent. While
    /// it is not known which source that is, none may have been.
    pub fn has_heard_commands_since(&self, moment: UnixMicros) -> bool {
        !self.silent_sources.iter().any(|source| self.may_command(source))
            && self.commands_missed.is_none_or(|missed| missed < moment)
    }

    fn may_command(&self, source: &str) -> bool {
        self.command_source.is_empty() || self.command_source == source
    }

    fn follow_sources(&mut self, time: UnixMicros, event: &Event) {
        match event.kind {
            EventKind::UserStarted | EventKind::UserStopped | EventKind::UserPaused => {
                self.command_source.clone_from(&event.source);
            }
            EventKind::AgentStarted => {
                self.silent_sources.clear();
                self.commands_missed = Some(time);
            }
            EventKind::SourceStale | EventKind::SourceFresh => {
                self.silent_sources.retain(|source| *source != event.source);
                let has_room = self.silent_sources.len() < crate::limits::SILENT_SOURCES_MAX;
                if event.kind == EventKind::SourceStale && has_room {
                    self.silent_sources.push(event.source.clone());
                }
                if self.may_command(&event.source) {
                    self.commands_missed = Some(time);
                }
            }
            EventKind::BeltStarted
            | EventKind::BeltStopped
            | EventKind::DirectionChanged
            | EventKind::ContactOpened
            | EventKind::ContactClosed
            | EventKind::ContactChattering
            | EventKind::SafetyKeyStop
            | EventKind::SpoolFailing
            | EventKind::SpoolRecovered
            | EventKind::ValueImplausible
            | EventKind::DirectionDisagreed
            | EventKind::ContactDisagreed
            | EventKind::FaultReported
            | EventKind::SpeedJumped => {}
        }
    }

    fn take_reading(&mut self, time: UnixMicros, began: UnixMicros, reading: &Reading) {
        self.gap_us = self.reading.map_or(0, |end| began.since(end).max(0));
        self.reading = Some(time);
        self.belt = Belt {
            direction: reading.direction,
            origin: reading.origin,
            speed: reading.speed.map(|speed| speed.mean),
            incline: reading.incline.or(self.belt.incline),
            contacts: reading.contacts,
        };
        match reading.speed {
            None => (self.standing, self.moving) = (None, None),
            Some(speed) if speed.min > STANDSTILL => self.is_moving(began),
            Some(speed) if speed.max <= STANDSTILL => self.is_standing(began),
            // It came to rest or set off within the interval; the agent's event says when.
            Some(_) => {}
        }
        if let Some(speed) = reading.speed.filter(|speed| speed.max > STANDSTILL) {
            self.motion = Some((time, speed.max, reading.direction));
        }
        if reading.speed.is_some() && self.silent_told.is_none_or(|told| began >= told) {
            (self.silent, self.silent_told) = (None, None);
        }
        for contact in Contact::ALL {
            if let Some(open) = reading.contacts.is_open(contact) {
                self.contact_mut(contact).open = Some(open);
            }
        }
        self.take_extra(time, reading);
        self.follow_stop(time, began, reading);
    }

    fn take_extra(&mut self, time: UnixMicros, reading: &Reading) {
        let extra = &reading.extra;
        tell(&mut self.commanded, extra.commanded, time);
        tell(&mut self.elapsed, extra.elapsed_s, time);
        tell(&mut self.steps, extra.steps, time);
        tell(&mut self.distance, extra.distance_m, time);
        tell(&mut self.belt_force, extra.belt_force_n, time);
        tell(&mut self.heart_rate, extra.heart_rate_bpm, time);
        tell(&mut self.heart_rate_contact, extra.heart_rate_contact, time);
        tell(&mut self.declared_mode, extra.declared_mode, time);
    }

    fn take_event(
        &mut self,
        time: UnixMicros,
        told: UnixMicros,
        at: MonotonicMicros,
        event: &Event,
        settings: &MachineSettings,
    ) {
        self.follow_sources(time, event);
        let incline = event.belt.incline.or(self.belt.incline);
        self.belt = Belt { incline, ..event.belt };
        if let Some(speed) = event.belt.speed.filter(|speed| *speed > STANDSTILL) {
            self.motion = Some((time, speed, event.belt.direction));
        }
        // The first level of a contact is no edge, and edges may be lost: the picture tells all the same.
        for contact in Contact::ALL {
            if let Some(open) = event.belt.contacts.is_open(contact) {
                self.contact_mut(contact).open = Some(open);
            }
        }
        match event.kind {
            EventKind::BeltStarted => self.is_moving(time),
            EventKind::BeltStopped => {
                self.stopped = Some(time);
                self.is_standing(time);
                if let Some(stop) = self.stop.as_mut().filter(|stop| stop.standstill.is_none()) {
                    let stood = if time.since(told) <= SETTLED_US { told } else { time };
                    stop.standstill = Some(stood.max(stop.time));
                }
            }
            EventKind::DirectionChanged => self.direction_changed = Some(time),
            EventKind::ContactOpened => self.opened(time, event),
            EventKind::ContactClosed => self.closed(time, event),
            EventKind::UserStarted => self.user_started = Some(time),
            EventKind::UserStopped | EventKind::UserPaused => self.user_stopped = Some(time),
            EventKind::SafetyKeyStop => self.begin_stop(time, StopContact::SafetyKey, event),
            EventKind::SourceStale => {
                let silent_us = i64::try_from(at.since(event.last)).unwrap_or(i64::MAX);
                // The agent forgets the speed right behind this event, if it was this source's.
                self.silent = Some(self.silent.unwrap_or_else(|| time.plus(-silent_us)));
                self.silent_told = Some(time);
            }
            EventKind::AgentStarted => {
                self.hear_agent(Some(told), event);
                self.agent_started = Some(time);
                (self.standing, self.moving) = (None, None);
            }
            EventKind::ContactChattering
            | EventKind::SourceFresh
            | EventKind::SpoolFailing
            | EventKind::SpoolRecovered
            | EventKind::ValueImplausible
            | EventKind::DirectionDisagreed
            | EventKind::ContactDisagreed
            | EventKind::FaultReported
            | EventKind::SpeedJumped => {}
        }
        // A model that falls silent instead of telling a standstill has stopped, for all that is known.
        if event.kind == EventKind::SourceStale && settings.silent_on_stop && self.stop.is_none() {
            (self.standing, self.moving) = (None, None);
        }
    }

    fn opened(&mut self, time: UnixMicros, event: &Event) {
        let Some(contact) = event.contact else { return };
        let track = self.contact_mut(contact);
        (track.open, track.opened) = (Some(true), Some(time));
        match StopContact::of(contact) {
            Some(stop @ (StopContact::EmergencyStop | StopContact::SafetyKey)) => {
                self.begin_stop(time, stop, event);
            }
            Some(StopContact::MachinePower) | None => {}
        }
    }

    fn closed(&mut self, time: UnixMicros, event: &Event) {
        let Some(contact) = event.contact else { return };
        let track = self.contact_mut(contact);
        (track.open, track.closed) = (Some(false), Some(time));
        if let Some(stop) = self.stop.as_mut().filter(|stop| stop.contact.contact() == contact) {
            stop.released.get_or_insert(time);
        }
    }

    /// The button goes before the key: whoever has pressed it then pulls the key.
    fn begin_stop(&mut self, time: UnixMicros, contact: StopContact, event: &Event) {
        let is_under_way = |stop: &StopEpisode| stop.standstill.is_none() && stop.released.is_none();
        if self.stop.as_ref().is_some_and(|stop| is_under_way(stop) && stop.contact <= contact) {
            return;
        }
        let is_moving = event.belt.is_moving();
        let speed = event.before.speed.max(event.belt.speed);
        let standstill = (is_moving == Some(false) && self.moving.is_none()).then_some(time);
        self.stop = Some(StopEpisode {
            time,
            contact,
            speed,
            speed_after: event.belt.speed,
            standstill,
            released: None,
            travelled: 0,
            travelled_until: time,
        });
    }

    fn follow_stop(&mut self, time: UnixMicros, began: UnixMicros, reading: &Reading) {
        let Some(stop) = &mut self.stop else { return };
        let Some(speed) = reading.speed.filter(|_| time > stop.time) else { return };
        if began >= stop.time {
            stop.speed_after = stop.speed_after.max(Some(speed.max));
        }
        if stop.standstill.is_none() || stop.standstill > Some(stop.travelled_until) {
            let until = stop.standstill.map_or(time, |standstill| standstill.min(time));
            let micros = until.since(stop.travelled_until.max(began)).max(0).unsigned_abs();
            stop.travelled = stop.travelled.saturating_add(u64::from(speed.mean.0).saturating_mul(micros));
            stop.travelled_until = stop.travelled_until.max(until);
        }
        if stop.standstill.is_none() && speed.max <= STANDSTILL {
            stop.standstill = Some(began.max(stop.time));
        }
    }

    fn is_moving(&mut self, since: UnixMicros) {
        self.standing = None;
        self.moving.get_or_insert(since);
    }

    fn is_standing(&mut self, since: UnixMicros) {
        self.moving = None;
        self.standing.get_or_insert(since);
    }

    fn contact_mut(&mut self, contact: Contact) -> &mut ContactTrack {
        &mut self.contacts[contact.bit().trailing_zeros() as usize]
    }
}

fn tell<T: Copy + PartialEq>(told: &mut Option<Told<T>>, value: Option<T>, time: UnixMicros) {
    let Some(value) = value else { return };
    let since = told.as_ref().filter(|told| told.value == value).map_or(time, |told| told.since);
    *told = Some(Told { value, time, since });
}
