//! What is known of a machine's agent and contacts, in words.

use askama::Template;
use jiff::Timestamp;
use wire::api::v1;

use crate::texts::Texts;
use crate::words::{self, Reader};

/// The agent's health, and what the machine can and cannot report.
#[derive(Debug, Template)]
#[template(path = "machine_state.html")]
pub(super) struct AgentPart {
    t: Texts,
    id: String,
    model: String,
    presence: &'static str,
    online: bool,
    heard: String,
    version: String,
    backlog: String,
    records_lost: u64,
    revoked: bool,
    belt: &'static str,
    /// Why the direction counts as unknown although it is measured, and the next step; empty: it does not.
    unproven: &'static str,
    can: Vec<&'static str>,
    cannot: Vec<&'static str>,
    contacts: Vec<ContactLine>,
}

/// One contact: its name, its state, and whether that is unusual.
#[derive(Debug, PartialEq, Eq)]
struct ContactLine {
    name: &'static str,
    state: &'static str,
    open: bool,
}

/// A signal's name in words.
type Name = fn(Texts) -> &'static str;

/// Signals of which a page says whether the machine can report them.
const SIGNALS: [(&str, Name); 8] = [
    ("speed", Texts::signal_speed),
    ("direction", Texts::signal_direction),
    ("incline", Texts::signal_incline),
    ("emergency_stop", Texts::emergency_stop),
    ("safety_key", Texts::safety_key),
    ("machine_power", Texts::machine_power),
    ("hand_rail", Texts::hand_rail),
    ("user_presence", Texts::user_presence),
];

impl AgentPart {
    pub(super) fn new(state: &v1::MachineState, reader: Reader, now: Timestamp) -> AgentPart {
        let t = reader.t;
        let machine = state.machine.clone().unwrap_or_default();
        let age = |at: Timestamp| t.ago(reader.age(now.duration_since(at).as_secs()));
        let (can, cannot): (Vec<_>, Vec<_>) =
            SIGNALS.iter().partition(|(name, _)| state.capabilities.iter().any(|one| one == name));
        let names = |signals: Vec<&(&str, Name)>| signals.into_iter().map(|(_, name)| name(t)).collect();
        let backlog =
            state.backlog.as_ref().map(|backlog| t.age_seconds(reader.number(words::seconds(backlog))));
        AgentPart {
            t,
            belt: belt(machine.belt(), t),
            unproven: match state.direction_unknown() {
                v1::DirectionUnknown::NotCommissioned => t.direction_not_commissioned(),
                v1::DirectionUnknown::ConfigurationChanged => t.direction_configuration_changed(),
                v1::DirectionUnknown::NotMeasured | v1::DirectionUnknown::Unspecified => "",
            },
            revoked: machine.revoke_time.is_some(),
            id: machine.id,
            model: machine.model,
            presence: presence(state.presence(), t),
            online: state.presence() == v1::Presence::Online,
            heard: words::moment(state.last_heard_time).map_or_else(|| t.never().to_owned(), age),
            version: state.agent_version.clone(),
            backlog: backlog.unwrap_or_else(|| t.not_known().to_owned()),
            records_lost: state.records_lost,
            can: names(can),
            cannot: names(cannot),
            contacts: contacts(state, t),
        }
    }
}

/// What a belt can do, in words.
pub(crate) fn belt(belt: v1::BeltKind, t: Texts) -> &'static str {
    match belt {
        v1::BeltKind::OneWay => t.belt_one_way(),
        v1::BeltKind::Reversible => t.belt_reversible(),
        v1::BeltKind::Unknown | v1::BeltKind::Unspecified => t.belt_unknown(),
    }
}

/// Whether a machine is heard, in words.
pub(crate) fn presence(presence: v1::Presence, t: Texts) -> &'static str {
    match presence {
        v1::Presence::Online => t.presence_online(),
        v1::Presence::Late => t.presence_late(),
        v1::Presence::Offline => t.presence_offline(),
        v1::Presence::NeverSeen => t.presence_never_seen(),
        v1::Presence::Unspecified => t.not_known(),
    }
}

fn contacts(state: &v1::MachineState, t: Texts) -> Vec<ContactLine> {
    let contacts = state.belt.and_then(|belt| belt.contacts).unwrap_or_default();
    let line = |capability: &str, name, value, closed, open| {
        let state_words = match value {
            _ if !state.capabilities.iter().any(|one| one == capability) => t.contact_none(),
            v1::ContactState::Closed => closed,
            v1::ContactState::Open => open,
            v1::ContactState::Both => t.contact_both(),
            v1::ContactState::Unknown | v1::ContactState::Unspecified => t.contact_unknown(),
        };
        let is_open = matches!(value, v1::ContactState::Open | v1::ContactState::Both);
        ContactLine { name, state: state_words, open: is_open }
    };
    let (stop, key) = (contacts.emergency_stop(), contacts.safety_key());
    let power = contacts.machine_power();
    let (rail, person) = (contacts.hand_rail(), contacts.user_presence());
    vec![
        line("emergency_stop", t.emergency_stop(), stop, t.emergency_stop_closed(), t.emergency_stop_open()),
        line("safety_key", t.safety_key(), key, t.safety_key_closed(), t.safety_key_open()),
        line("machine_power", t.machine_power(), power, t.machine_power_closed(), t.machine_power_open()),
        ContactLine { open: false, ..line("hand_rail", t.hand_rail(), rail, t.hand_closed(), t.hand_open()) },
        ContactLine {
            open: false,
            ..line("user_presence", t.user_presence(), person, t.hand_closed(), t.hand_open())
        },
    ]
}
