//! The fleet page as plain values, ready for its template.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::fleet::Fleet;

/// For those who may not see the pages.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub(crate) struct SignInPage;

/// What each belt does now.
#[derive(Debug, Template)]
#[template(path = "fleet.html")]
pub(crate) struct FleetPage {
    time: String,
    /// What could not be had, and why.
    missing: Vec<(&'static str, String)>,
    sites: Vec<SitePart>,
    machines: usize,
    cut: bool,
}

/// One site and its machines.
#[derive(Debug, PartialEq, Eq)]
struct SitePart {
    name: String,
    /// Its local time.
    time: String,
    machines: Vec<Tile>,
}

/// One machine.
#[derive(Debug, PartialEq, Eq)]
struct Tile {
    id: String,
    name: String,
    /// Class of the tile: the direction's word.
    direction: &'static str,
    shape: &'static str,
    /// What the direction is known by, unless it is measured.
    origin: &'static str,
    speed: String,
    incline: String,
    presence: &'static str,
    online: bool,
    /// Open contacts that matter, in words.
    alarms: Vec<&'static str>,
    age: String,
    /// What no longer holds.
    was: String,
    last_event: String,
    session: String,
}

impl FleetPage {
    /// The page as of now.
    pub(crate) fn new(fleet: Fleet, now: Timestamp) -> FleetPage {
        let mut missing = Vec::new();
        let sites = fleet.sites.unwrap_or_else(|reason| {
            missing.push(("Sites", reason));
            Vec::new()
        });
        let states = fleet.machines.unwrap_or_else(|reason| {
            missing.push(("Machines", reason));
            Vec::new()
        });
        let machines = states.len();
        let mut parts: BTreeMap<String, SitePart> =
            sites.into_iter().map(|site| (site.id.clone(), site_part(site, now))).collect();
        for state in states {
            let site = state.machine.as_ref().map(|machine| machine.site_id.clone()).unwrap_or_default();
            // A machine is shown even if its site could not be had.
            let unnamed = || SitePart { name: site.clone(), time: String::new(), machines: Vec::new() };
            parts.entry(site.clone()).or_insert_with(unnamed).machines.push(tile(&state, now));
        }
        let time = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        FleetPage { time, missing, sites: parts.into_values().collect(), machines, cut: fleet.cut }
    }
}

fn site_part(site: v1::Site, now: Timestamp) -> SitePart {
    let time = TimeZone::get(&site.time_zone).map(|zone| now.to_zoned(zone).strftime("%H:%M").to_string());
    SitePart { name: site.display_name, time: time.unwrap_or_default(), machines: Vec::new() }
}

fn tile(state: &v1::MachineState, now: Timestamp) -> Tile {
    let machine = state.machine.clone().unwrap_or_default();
    let belt = state.belt.unwrap_or_default();
    let (direction, shape) = direction(belt.direction);
    let (presence, online) = presence(state.presence);
    let id = machine.id;
    Tile {
        name: if machine.display_name == id { String::new() } else { machine.display_name },
        id,
        direction,
        shape,
        origin: origin(belt.origin),
        speed: belt.speed_mps.map_or_else(|| "speed unknown".to_owned(), kmh),
        incline: belt.incline_percent.map(|percent| format!("{percent:+.1} %")).unwrap_or_default(),
        presence,
        online,
        alarms: alarms(belt.contacts.unwrap_or_default()),
        age: age(state.belt_time, now),
        was: state.last_known.map(|belt| was(&belt)).unwrap_or_default(),
        last_event: state.last_event.as_ref().map(|event| last_event(event, now)).unwrap_or_default(),
        session: session(state, now),
    }
}

fn kmh(mps: f64) -> String {
    format!("{:.1} km/h", mps * 3.6)
}

fn direction(value: i32) -> (&'static str, &'static str) {
    match v1::Direction::try_from(value) {
        Ok(v1::Direction::Forward) => ("forward", "▲"),
        Ok(v1::Direction::Reverse) => ("reverse", "▼"),
        Ok(v1::Direction::Stopped) => ("stopped", "■"),
        Ok(v1::Direction::Unknown | v1::Direction::Unspecified) | Err(_) => ("unknown", "?"),
    }
}

fn origin(value: i32) -> &'static str {
    match v1::DirectionOrigin::try_from(value) {
        Ok(v1::DirectionOrigin::Declared) => "declared",
        Ok(
            v1::DirectionOrigin::Measured | v1::DirectionOrigin::Unknown | v1::DirectionOrigin::Unspecified,
        )
        | Err(_) => "",
    }
}

fn presence(value: i32) -> (&'static str, bool) {
    match v1::Presence::try_from(value) {
        Ok(v1::Presence::Online) => ("online", true),
        Ok(v1::Presence::Late) => ("late", false),
        Ok(v1::Presence::Offline) => ("offline", false),
        Ok(v1::Presence::NeverSeen) => ("never seen", false),
        Ok(v1::Presence::Unspecified) | Err(_) => ("unknown", false),
    }
}

/// An interval in which a contact was seen open counts as open.
fn alarms(contacts: v1::Contacts) -> Vec<&'static str> {
    let open = |state: i32| match v1::ContactState::try_from(state) {
        Ok(v1::ContactState::Open | v1::ContactState::Both) => true,
        Ok(v1::ContactState::Closed | v1::ContactState::Unknown | v1::ContactState::Unspecified) | Err(_) => {
            false
        }
    };
    let words = [
        (contacts.emergency_stop, "emergency stop open"),
        (contacts.safety_key, "safety key out"),
        (contacts.machine_power, "machine power off"),
    ];
    words.into_iter().filter(|(state, _)| open(*state)).map(|(_, words)| words).collect()
}

fn seconds_since(time: Option<prost_types::Timestamp>, now: Timestamp) -> Option<i64> {
    let time = time.and_then(|time| Timestamp::new(time.seconds, time.nanos).ok())?;
    Some(now.duration_since(time).as_secs().max(0))
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn age(time: Option<prost_types::Timestamp>, now: Timestamp) -> String {
    seconds_since(time, now)
        .map_or_else(|| "no reading yet".to_owned(), |seconds| format!("{} ago", ago(seconds)))
}

fn was(belt: &v1::Belt) -> String {
    let (direction, shape) = direction(belt.direction);
    let speed = belt.speed_mps.map(|mps| format!(", {}", kmh(mps))).unwrap_or_default();
    format!("was {shape} {direction}{speed}")
}

fn last_event(event: &v1::LastEvent, now: Timestamp) -> String {
    let kind = event.kind.replace('_', " ");
    let contact = if event.contact.is_empty() {
        String::new()
    } else {
        format!(": {}", event.contact.replace('_', " "))
    };
    let since =
        seconds_since(event.time, now).map(|seconds| format!(", {} ago", ago(seconds))).unwrap_or_default();
    format!("{kind}{contact}{since}")
}

fn session(state: &v1::MachineState, now: Timestamp) -> String {
    let started = state.open_session.as_ref().and_then(|session| seconds_since(session.start_time, now));
    started.map(|seconds| format!("session for {}", ago(seconds))).unwrap_or_default()
}

#[cfg(test)]
mod tests;
