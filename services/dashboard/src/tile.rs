//! A machine as the floor shows it: one status, why, since when. Pure: the same for pages and streams.

use serde::Serialize;
use wire::api::v1;

use crate::words::{self, Reader};

/// A machine in words. What is empty is left out of streams.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Tile {
    pub(crate) id: String,
    /// What stays for long; streams leave it out when the page has it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) fixed: Option<Fixed>,
    /// Place in the order of need, 1 first.
    pub(crate) rank: i32,
    /// The status as a class.
    pub(crate) status: &'static str,
    pub(crate) status_words: &'static str,
    /// Why; `{ago}` or `{for}` stands for the age of `since`.
    pub(crate) why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    /// What else there is to say: of a stop, and why it is out of service.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) more: String,
    pub(crate) direction: &'static str,
    pub(crate) direction_words: &'static str,
    /// The speed's number. Empty: not known.
    pub(crate) speed: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) incline: String,
    /// What was known before it no longer held.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) was: String,
    /// Exact time of a stop that nobody has seen to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) stop: String,
    /// When the picture of the belt is of, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<i64>,
}

/// What stays for long.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(crate) struct Fixed {
    pub(crate) name: String,
    pub(crate) model: String,
    pub(crate) reversible: bool,
    pub(crate) row: Option<u32>,
    pub(crate) column: Option<u32>,
}

impl Tile {
    pub(crate) fn new(state: &v1::MachineState, reader: Reader) -> Tile {
        let belt = state.belt.unwrap_or_default();
        let status = state.status();
        let (class, status_words) = status_name(status, reader);
        let (direction, direction_words) = direction_name(belt.direction(), reader);
        let why = why(state, reader);
        Tile {
            id: state.machine.as_ref().map(|machine| machine.id.clone()).unwrap_or_default(),
            fixed: Some(fixed(state)),
            rank: rank(status),
            status: class,
            status_words,
            why: why.words,
            since: why.since,
            more: with_tag(why.more, state, reader),
            direction,
            direction_words,
            speed: belt.speed_mps.map(|speed| reader.speed_number(speed)).unwrap_or_default(),
            incline: belt.incline_percent.map(|percent| reader.incline(percent)).unwrap_or_default(),
            was: state.last_known.as_ref().map(|belt| was(belt, reader)).unwrap_or_default(),
            stop: open_stop(state).map(|stop| words::exact(stop.time)).unwrap_or_default(),
            at: words::millis(state.belt_time),
        }
    }

    /// Name for people.
    pub(crate) fn name(&self) -> &str {
        self.fixed.as_ref().map_or(&self.id, |fixed| &fixed.name)
    }

    /// Whether a person has to look.
    pub(crate) fn needs_somebody(&self) -> bool {
        self.rank <= LAST_STOP_RANK
    }
}

/// The statuses up to here say that somebody has to look.
const LAST_STOP_RANK: i32 = v1::Status::PowerLost as i32;

/// What is said besides, and the tag of a machine that is out of service.
fn with_tag(more: String, state: &v1::MachineState, reader: Reader) -> String {
    let reason = state.machine.as_ref().map_or("", |machine| &machine.out_of_service_reason);
    let tag = if reason.is_empty() { String::new() } else { reader.t.service_tile(reason) };
    let parts: Vec<String> = [tag, more].into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

fn rank(status: v1::Status) -> i32 {
    if status == v1::Status::Unspecified { i32::MAX } else { status as i32 }
}

/// Whether a status says that somebody has to look.
pub(crate) fn is_stop(status: v1::Status) -> bool {
    rank(status) <= LAST_STOP_RANK
}

fn fixed(state: &v1::MachineState) -> Fixed {
    let machine = state.machine.clone().unwrap_or_default();
    Fixed {
        reversible: machine.belt() == v1::BeltKind::Reversible,
        name: if machine.display_name.is_empty() { machine.id } else { machine.display_name },
        model: machine.model,
        row: machine.place.map(|place| place.row),
        column: machine.place.map(|place| place.column),
    }
}

/// A status as a class and in words.
pub(crate) fn status_name(status: v1::Status, reader: Reader) -> (&'static str, &'static str) {
    let t = reader.t;
    match status {
        v1::Status::EmergencyStop => ("emergency-stop", t.status_emergency_stop()),
        v1::Status::KeyPulled => ("key-pulled", t.status_key_pulled()),
        v1::Status::PowerLost => ("power-lost", t.status_power_lost()),
        v1::Status::Reverse => ("reverse", t.status_reverse()),
        v1::Status::MovingUnknown => ("moving-unknown", t.status_moving_unknown()),
        v1::Status::Offline => ("offline", t.status_offline()),
        v1::Status::Silent => ("silent", t.status_silent()),
        v1::Status::Forward => ("forward", t.status_forward()),
        v1::Status::Resting => ("resting", t.status_resting()),
        v1::Status::OutOfUse => ("out-of-use", t.status_out_of_use()),
        v1::Status::Free => ("free", t.status_free()),
        v1::Status::NeverSeen => ("never-seen", t.status_never_seen()),
        v1::Status::Unspecified => ("unknown-status", t.status_unknown()),
    }
}

/// All statuses, the one that needs a person most first.
pub(crate) const STATUSES: [v1::Status; 12] = [
    v1::Status::EmergencyStop,
    v1::Status::KeyPulled,
    v1::Status::PowerLost,
    v1::Status::Reverse,
    v1::Status::MovingUnknown,
    v1::Status::Offline,
    v1::Status::Silent,
    v1::Status::Forward,
    v1::Status::Resting,
    v1::Status::OutOfUse,
    v1::Status::Free,
    v1::Status::NeverSeen,
];

/// A direction as a class and in words.
pub(crate) fn direction_name(direction: v1::Direction, reader: Reader) -> (&'static str, &'static str) {
    let t = reader.t;
    match direction {
        v1::Direction::Forward => ("d-forward", t.direction_forward()),
        v1::Direction::Reverse => ("d-reverse", t.direction_reverse()),
        v1::Direction::Stopped => ("d-stopped", t.direction_stopped()),
        v1::Direction::Unknown | v1::Direction::Unspecified => ("d-unknown", t.direction_unknown()),
    }
}

/// The stop that nobody has seen to.
pub(crate) fn open_stop(state: &v1::MachineState) -> Option<&v1::LastStop> {
    state.last_stop.as_ref().filter(|stop| stop.acknowledge_time.is_none())
}

/// A reason in words.
#[derive(Debug, Default)]
struct Why {
    words: String,
    since: Option<i64>,
    more: String,
}

fn why(state: &v1::MachineState, reader: Reader) -> Why {
    let t = reader.t;
    let since = words::millis(state.status_since_time);
    let plain = |words: &str| Why { words: words.to_owned(), since, more: String::new() };
    match state.status() {
        v1::Status::EmergencyStop => match open_stop(state) {
            Some(stop) => stopped(state, stop, reader),
            None => Why { more: seen_by(state, reader), ..plain(t.why_emergency_open()) },
        },
        v1::Status::KeyPulled | v1::Status::PowerLost => match open_stop(state) {
            Some(stop) => stopped(state, stop, reader),
            None => plain(""),
        },
        v1::Status::Reverse => plain(t.why_reverse()),
        v1::Status::MovingUnknown => match state.direction_unknown() {
            v1::DirectionUnknown::NotCommissioned => plain(t.why_not_commissioned()),
            v1::DirectionUnknown::ConfigurationChanged => plain(t.why_configuration_changed()),
            v1::DirectionUnknown::NotMeasured | v1::DirectionUnknown::Unspecified => {
                plain(t.why_moving_unknown())
            }
        },
        v1::Status::Offline => heard(state, t.why_offline()),
        v1::Status::Silent => heard(state, t.why_silent()),
        v1::Status::Forward => plain(t.why_forward()),
        v1::Status::Resting => plain(t.why_resting()),
        v1::Status::OutOfUse => plain(t.why_out_of_use()),
        v1::Status::Free => plain(t.why_free()),
        v1::Status::NeverSeen => Why { words: t.why_never_seen().to_owned(), ..Why::default() },
        v1::Status::Unspecified => Why::default(),
    }
}

fn heard(state: &v1::MachineState, words: &str) -> Why {
    Why { words: words.to_owned(), since: words::millis(state.last_heard_time), more: String::new() }
}

fn seen_by(state: &v1::MachineState, reader: Reader) -> String {
    let user = state.last_stop.as_ref().map(|stop| stop.acknowledged_by.as_str()).unwrap_or_default();
    if user.is_empty() { String::new() } else { reader.t.seen_by(person(user)) }
}

/// Who did something, without the kind of the caller.
pub(crate) fn person(caller: &str) -> &str {
    caller.strip_prefix("user:").unwrap_or(caller)
}

/// What took the belt, how fast it ran, and what is known of the contact now. That it is not known to have closed does not
/// say that it is open: a console tells a stop, and not always its end.
fn stopped(state: &v1::MachineState, stop: &v1::LastStop, reader: Reader) -> Why {
    let t = reader.t;
    let contacts = state.belt.and_then(|belt| belt.contacts).unwrap_or_default();
    let (contact, open, closed) = match stop.contact.as_str() {
        "safety_key" => (contacts.safety_key(), t.key_out(), t.key_back()),
        "machine_power" => (contacts.machine_power(), t.power_off(), t.power_back()),
        _ => (contacts.emergency_stop(), t.still_open(), t.released()),
    };
    let more = match contact {
        v1::ContactState::Open | v1::ContactState::Both => open,
        v1::ContactState::Closed => closed,
        v1::ContactState::Unknown | v1::ContactState::Unspecified if stop.release_time.is_some() => closed,
        v1::ContactState::Unknown | v1::ContactState::Unspecified => "",
    };
    Why { words: stop_words(stop, reader), since: words::millis(stop.time), more: more.to_owned() }
}

/// A stop in one sentence; `{ago}` stands for its age.
pub(crate) fn stop_words(stop: &v1::LastStop, reader: Reader) -> String {
    let t = reader.t;
    let contact = match stop.contact.as_str() {
        "emergency_stop" => t.by_emergency_stop(),
        "safety_key" => t.by_safety_key(),
        "machine_power" => t.by_machine_power(),
        other => other,
    };
    match stop.speed_mps.map(|speed| reader.speed(speed)) {
        Some(speed) if stop.direction() == v1::Direction::Reverse => t.why_stopped_reverse(contact, speed),
        Some(speed) => t.why_stopped_at(contact, speed),
        None => t.why_stopped(contact),
    }
}

/// What was known before: direction and speed.
fn was(belt: &v1::Belt, reader: Reader) -> String {
    let (_, direction) = direction_name(belt.direction(), reader);
    let speed = belt.speed_mps.map(|speed| format!(", {}", reader.speed(speed))).unwrap_or_default();
    format!("{} {direction}{speed}", reader.t.was())
}

#[cfg(test)]
mod tests;
