//! R01 to R06, R28, R29: the emergency stop and the key, and what must not happen after them.

use domain::belt::Contact;
use domain::incident::settings::MachineSettings;
use domain::incident::{Rule, Severity};

use super::MEASURED;
use crate::player::{Player, Sight, micros};
use crate::score::{Act, LineReader, Meaning, Micros, Score};

/// A belt that is stopped from a speed must stand within this many seconds where nobody has measured it:
/// 2 s + v / 0.5 m/s².
fn usual_s(kmh: f64) -> f64 {
    2.0 + kmh / 3.6 / 0.5
}

/// The longest that a machine nobody has measured may take: 2 s + v / 0.14 m/s².
fn longest_s(kmh: f64) -> f64 {
    2.0 + kmh / 3.6 / 0.14
}

fn any_contact(player: &mut Player) -> Contact {
    // A console tells nothing of the button.
    if player.sight == Sight::Console || player.chance(0.5) {
        Contact::SafetyKey
    } else {
        Contact::EmergencyStop
    }
}

fn note_stop(player: &mut Player, contact: Contact, edge: Micros, severity: Severity, name: &'static str) {
    match contact {
        Contact::SafetyKey => note_key(player, edge, severity, name),
        Contact::EmergencyStop => player.episode(Rule::EmergencyStop, severity, (edge, edge), name),
        Contact::MachinePower | Contact::HandRail | Contact::UserPresence => {}
    }
}

/// Notes a pulled key. A console tells it up to a second late.
pub(super) fn note_key(player: &mut Player, edge: Micros, severity: Severity, name: &'static str) {
    let late = if player.sight == Sight::Console { 1.0 } else { 0.0 };
    player.episode(Rule::SafetyKeyPulled, severity, (edge, edge + micros(late)), name);
}

fn put_back(player: &mut Player, contact: Contact) {
    player.act(Act::Contact(contact, false));
    player.wait_between(8.0, 12.0);
}

/// An ordinary stop of a moving belt by a contact, as fast as belts stop.
fn plain_stop(player: &mut Player, contact: Contact) {
    let kmh = if player.is_reversible && player.chance(0.3) {
        -player.between(1.0, 4.0)
    } else {
        player.between(1.0, 10.0)
    };
    player.run_at(kmh);
    let seconds = usual_s(kmh.abs()) * player.between(0.5, 0.75);
    let edge = player.stop_by(contact, seconds);
    note_stop(player, contact, edge, Severity::Critical, "stop of a moving belt");
    player.wait_between(3.0, 15.0);
    put_back(player, contact);
    player.step_off();
}

/// R01: closed to open, debounced 10 to 20 ms. Critical if the belt moved at the edge or in the 2 s before it, else
/// medium. Each one is its own. Near: a shock of 3 to 8 ms; the circuit falls with the machine's power at standstill,
/// which is a machine that was switched off.
pub(super) fn emergency_stop(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let contact = Contact::EmergencyStop;
    let from = player.now();
    match (is_episode, player.random.u32(0..3)) {
        (true, 0..2) => plain_stop(player, contact),
        (true, _) => {
            for _ in 0..player.random.u32(1..=2) {
                let edge = player.stop_by(contact, 0.5);
                note_stop(player, contact, edge, Severity::Medium, "pressed at standstill");
                player.wait_between(0.5, 3.0);
                player.act(Act::Contact(contact, false));
                player.wait_between(0.5, 3.0);
            }
        }
        (false, 0..2) => {
            player.run_at(4.0);
            for _ in 0..3 {
                let ms = player.random.u64(3..=8);
                player.act(Act::Glitch(contact, ms));
                player.wait(2.0);
            }
            player.halt();
            player.step_off();
            player.near_miss(Rule::EmergencyStop, from, "a shock of some milliseconds");
        }
        (false, _) => {
            player.act(Act::Contact(Contact::MachinePower, true));
            player.act_in(0.03, Act::Contact(contact, true));
            player.wait(20.0);
            player.act(Act::Contact(contact, false));
            player.act(Act::Contact(Contact::MachinePower, false));
            player.wait(10.0);
            player.near_miss(Rule::EmergencyStop, from, "machine switched off at standstill");
        }
    }
}

/// R02: 2ADA 03, or the key contact opens. As R01; info within 10 s after a normal stop. Near: a shock of 3 to 8 ms; a
/// stop by the user.
pub(super) fn safety_key(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let contact = Contact::SafetyKey;
    let from = player.now();
    match (is_episode, player.random.u32(0..4)) {
        (true, 0..2) => plain_stop(player, contact),
        (true, 2) => {
            player.wait(20.0);
            let edge = player.stop_by(contact, 0.5);
            note_stop(player, contact, edge, Severity::Medium, "pulled at standstill");
            player.wait_between(5.0, 20.0);
            put_back(player, contact);
        }
        (true, _) => player.key_as_off_switch_after_a_walk(),
        (false, _) => {
            player.run_at(4.0);
            player.act(Act::Glitch(contact, 6));
            player.wait(3.0);
            player.halt();
            player.step_off();
            player.near_miss(Rule::SafetyKeyPulled, from, "a shock, then a stop by the user");
        }
    }
}

/// R03: |v| > 0.1 at the allowed time. With a stop measured at commissioning 1.5 times it is high, 3 times critical;
/// without one, slower than 2 s + v/0.5 m/s² is info and than 2 s + v/0.14 m/s² critical, as is a growth by more than
/// 0.3 km/h. A console tells the pull up to a second late and the speed once a second: episodes are 2 s clear there.
pub(super) fn slow(player: &mut Player, settings: &MachineSettings, is_episode: bool) {
    let contact = any_contact(player);
    let clear = if player.sight == Sight::Console { 2.0 } else { 0.6 };
    let is_measured = !settings.measured_stops.is_empty();
    let kmh = if is_measured { MEASURED.0 } else { player.between(3.0, 8.0) };
    player.run_at(kmh);
    let (seconds, severity, name) = match (is_episode, is_measured, player.random.u32(0..3)) {
        (true, true, 0) => (
            3.0 * MEASURED.1 + clear + player.between(0.0, 3.0),
            Severity::Critical,
            "3 times the measured stop",
        ),
        (true, true, _) => {
            let seconds = player.between(1.5 * MEASURED.1 + clear, 3.0 * MEASURED.1 - 0.6);
            (seconds, Severity::High, "1.5 times the measured stop")
        }
        (true, false, 0) => {
            let seconds = longest_s(kmh) + clear + player.between(0.2, 5.0);
            (seconds, Severity::Critical, "slower than any normal stop")
        }
        (true, false, 1) => return grows(player, contact, kmh),
        (true, false, _) => {
            let seconds = player.between(usual_s(kmh) + clear, longest_s(kmh) - 0.6);
            (seconds, Severity::Info, "slow, not commissioned")
        }
        (false, true, _) => (MEASURED.1 * player.between(0.8, 1.3), Severity::Info, "as measured"),
        (false, false, _) => (usual_s(kmh) * player.between(0.5, 0.85), Severity::Info, "as usual"),
    };
    let edge = player.stop_by(contact, seconds);
    let stands = player.now();
    note_stop(player, contact, edge, Severity::Critical, "stop of a moving belt");
    if is_episode {
        player.episode(Rule::SlowEmergencyStop, severity, (edge, stands), name);
        // Nothing is commanded any more.
        player.allow(&[Rule::FasterThanCommanded], edge);
    } else {
        player.near_miss(Rule::SlowEmergencyStop, edge, name);
    }
    player.wait_between(3.0, 10.0);
    put_back(player, contact);
    player.step_off();
}

fn grows(player: &mut Player, contact: Contact, kmh: f64) {
    let edge = player.now();
    player.act(Act::Contact(contact, true));
    player.wait(1.2);
    let more = player.between(0.6, 1.0);
    player.hop(kmh + more, 1.0);
    player.wait(1.0);
    player.hop(0.0, usual_s(kmh));
    note_stop(player, contact, edge, Severity::Critical, "stop of a moving belt");
    let until = player.now();
    player.episode(Rule::SlowEmergencyStop, Severity::Critical, (edge, until), "faster after the stop");
    player.allow(&[Rule::FasterThanCommanded], edge);
    player.wait(5.0);
    put_back(player, contact);
    player.step_off();
}

/// R04: from standstill after R01 |v| > 0.1 for 0.5 s before the reset. Near: a twitch of 0.2 s; motion after the reset
/// and a start. A belt that moves like this may be an unexpected start and a slow stop as well.
pub(super) fn motion(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let contact = Contact::EmergencyStop;
    player.run_at(3.0);
    let edge = player.stop_by(contact, 2.0);
    note_stop(player, contact, edge, Severity::Critical, "stop of a moving belt");
    player.wait_between(4.0, 8.0);
    let from = player.now();
    if is_episode {
        let kmh = player.between(0.8, 2.5);
        player.hop(kmh, 0.5);
        player.wait_between(1.0, 5.0);
        player.hop(0.0, 1.0);
        let until = player.now();
        player.episode(
            Rule::MotionDuringEmergencyStop,
            Severity::Critical,
            (from, until),
            "moves while open",
        );
        player.allow(&[Rule::UnexpectedStart, Rule::SlowEmergencyStop, Rule::FasterThanCommanded], edge);
        player.wait(5.0);
        put_back(player, contact);
    } else {
        player.hop(0.5, 0.1);
        player.hop(0.0, 0.1);
        player.wait(5.0);
        put_back(player, contact);
        player.start(3.0);
        player.wait(5.0);
        player.halt();
        player.near_miss(Rule::MotionDuringEmergencyStop, from, "a twitch, then reset and start");
    }
    player.step_off();
}

/// R05: motion within 3 s after the reset and no start between. Near: a start command right after the reset. A belt that
/// starts like this is an unexpected start as well.
pub(super) fn restart(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let contact = Contact::EmergencyStop;
    player.run_at(3.0);
    let edge = player.stop_by(contact, 2.0);
    note_stop(player, contact, edge, Severity::Critical, "stop of a moving belt");
    player.wait_between(4.0, 15.0);
    player.act(Act::Contact(contact, false));
    let from = player.now();
    if is_episode {
        player.wait_between(0.3, 2.3);
        player.hop(2.0, 2.5);
        let until = player.now();
        player.wait_between(3.0, 8.0);
        player.episode(Rule::RestartByReset, Severity::Critical, (from, until), "reset starts the belt");
        player.allow(&[Rule::UnexpectedStart, Rule::FasterThanCommanded], from);
    } else {
        player.wait_between(0.4, 1.0);
        player.act(Act::Start);
        player.act(Act::Target(crate::player::mm_s(2.0)));
        player.wait_between(0.5, 1.5);
        player.hop(2.0, 2.5);
        player.wait(5.0);
        player.near_miss(Rule::RestartByReset, from, "started right after the reset");
    }
    player.halt();
    player.step_off();
}

/// R06: |Δincline| > 0.3 % from 1 s after R01 until the reset. Near: the deck runs out by 0.1 % within the first
/// second, and moves on after the reset.
pub(super) fn incline(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let contact = Contact::EmergencyStop;
    let percent = player.between(2.0, 6.0);
    player.tilt(percent, 4.0);
    player.wait(6.0);
    player.run_at(3.0);
    let edge = player.stop_by(contact, 2.0);
    note_stop(player, contact, edge, Severity::Critical, "stop of a moving belt");
    if is_episode {
        player.wait_between(0.5, 3.0);
        let from = player.now();
        let less = player.between(0.8, 2.0);
        player.tilt(percent - less, 3.0);
        player.wait(35.0);
        let until = player.now();
        player.episode(
            Rule::InclineMovedDuringEmergencyStop,
            Severity::High,
            (from, until),
            "the deck moves on",
        );
        put_back(player, contact);
    } else {
        player.wait(35.0);
        put_back(player, contact);
        player.near_miss(Rule::InclineMovedDuringEmergencyStop, edge, "the deck moves after the reset");
    }
    player.tilt(0.0, 8.0);
    player.step_off();
}

/// R28: three stops at standstill or below 1 km/h with later normal use in 7 days. Near: two of them, and one of a
/// running belt.
pub(super) fn habit(player: &mut Player) {
    let is_episode = player.chance(0.5);
    let contact = any_contact(player);
    let from = player.now();
    for round in 0..3 {
        player.walk(1, 20.0, 40.0);
        player.wait(15.0);
        if round == 2 && !is_episode {
            plain_stop(player, contact);
        } else {
            let edge = player.stop_by(contact, 0.5);
            note_stop(player, contact, edge, Severity::Medium, "pressed at standstill");
            player.wait_between(3.0, 10.0);
            put_back(player, contact);
        }
    }
    player.walk(1, 60.0, 90.0);
    let until = player.now();
    if is_episode {
        player.episode(
            Rule::EmergencyStopAsNormalStop,
            Severity::Info,
            (from, until),
            "three stops at standstill",
        );
    } else {
        player.near_miss(Rule::EmergencyStopAsNormalStop, from, "two at standstill, one of a moving belt");
    }
}

/// By R28's letter any three of R01 and R02 at standstill are a habit; in lives about something else that may be said.
pub(super) fn note_habit(topic: Rule, score: &mut Score) {
    if topic == Rule::EmergencyStopAsNormalStop {
        return;
    }
    let mut speed = LineReader::new(&score.speed);
    let mut slow = score.acts.iter().filter(|(at, act)| {
        let is_stop = matches!(act, Act::Contact(Contact::EmergencyStop | Contact::SafetyKey, true));
        is_stop && speed.at(*at).abs() < crate::player::mm_s(1.0)
    });
    let Some(third) = slow.nth(2).map(|(at, _)| *at) else { return };
    score.truths.push(crate::score::Truth {
        rule: Rule::EmergencyStopAsNormalStop,
        meaning: Meaning::Allowed,
        from: third,
        until: score.end,
        name: "three stops at standstill",
    });
}

/// R29: no measured stop of a moving belt by that control in 30 days of use, button and key apart. Near: a stop by each
/// of them on the way. Decided: one incident tells of both. Days are short here: a minute's walk, then machine and agent are switched off.
pub(super) fn untested(player: &mut Player) {
    let is_episode = player.chance(0.5);
    let contacts: &[Contact] = match player.sight {
        Sight::Console => &[Contact::SafetyKey],
        Sight::Encoder | Sight::Drive => &[Contact::EmergencyStop, Contact::SafetyKey],
    };
    let first = player.now();
    let mut from = first;
    for day in 0..34 {
        if day == 29 {
            from = player.now();
        }
        if !is_episode && (day == 10 || day == 25) {
            for contact in contacts {
                plain_stop(player, *contact);
            }
        }
        player.walk(1, 30.0, 40.0);
        player.wait(2.0);
        player.act(Act::Away(true));
        let away = player.now();
        player.wait_between(85_000.0, 86_000.0);
        player.act(Act::Away(false));
        let back = player.now();
        // A rest under way is lost with the agent: the last word is up to 30 s older.
        player.episode(
            Rule::AgentOffline,
            Severity::Medium,
            (away - micros(30.0), back),
            "switched off for the night",
        );
        player.wait(20.0);
    }
    let until = player.now();
    if is_episode {
        player.episode(Rule::SafetyFunctionUntested, Severity::Low, (from, until), "30 days without a stop");
    } else {
        player.near_miss(Rule::SafetyFunctionUntested, first, "stops by each control");
    }
}
