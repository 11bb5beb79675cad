//! R20 to R22 and R24 to R27: what sources tell, and that they tell nothing.

use domain::belt::Contact;
use domain::incident::settings::MachineSettings;
use domain::incident::{Rule, Severity};

use super::HEART_LIMIT;
use crate::player::{Player, Sight, micros};
use crate::score::{Act, Nonsense};

/// R20: the last |v| > 0.3 and all sources of speed silent for 5 s; high from 8 km/h, in reverse where that is known, and
/// within a stop. Near: silent for 1.5 s; a model that falls silent when it stops.
pub(super) fn lost_while_moving(player: &mut Player, settings: &MachineSettings, is_episode: bool) {
    if settings.silent_on_stop {
        return silent_model(player, is_episode);
    }
    let reverse = player.chance(0.3);
    let kmh = match player.random.u32(0..3) {
        _ if reverse => -player.between(1.0, 3.0),
        0 => player.between(8.4, 11.0),
        _ => player.between(1.0, 7.6),
    };
    player.run_at(kmh);
    let from = player.now();
    player.act(Act::Silent(true));
    if is_episode {
        let is_known = player.sight != Sight::Console;
        let is_high = kmh.abs() >= 8.0 || (reverse && is_known);
        player.wait_between(8.0, 15.0);
        let until = player.now();
        let severity = if is_high { Severity::High } else { Severity::Medium };
        player.episode(Rule::TelemetryLostWhileMoving, severity, (from, until), "silent for 8 s and more");
        player.act(Act::Silent(false));
        player.wait(5.0);
    } else {
        player.wait(1.5);
        player.act(Act::Silent(false));
        player.wait(5.0);
        player.near_miss(Rule::TelemetryLostWhileMoving, from, "silent for 1.5 s");
    }
    player.halt();
    player.step_off();
}

/// A model that falls silent when it stops: nothing, but for an emergency stop whose end nobody sees.
fn silent_model(player: &mut Player, is_episode: bool) {
    player.run_at(4.0);
    let from = player.now();
    if is_episode {
        player.act(Act::Contact(Contact::SafetyKey, true));
        super::stops::note_key(player, from, Severity::Critical, "stop of a moving belt");
        player.wait(1.2);
        player.act(Act::Silent(true));
        player.hop(0.0, 2.0);
        player.wait(10.0);
        let until = player.now();
        player.episode(Rule::TelemetryLostWhileMoving, Severity::High, (from, until), "silent within a stop");
        player.allow(&[Rule::SlowEmergencyStop], from);
    } else {
        player.act(Act::Stop);
        player.act(Act::Target(0.0));
        player.wait(1.2);
        player.act(Act::Silent(true));
        player.ramp(0.0, 200.0);
        player.wait(30.0);
        player.near_miss(Rule::TelemetryLostWhileMoving, from, "a model that is silent on stop");
    }
    player.act(Act::Contact(Contact::SafetyKey, false));
    player.act(Act::Silent(false));
    player.wait(5.0);
    player.step_off();
}

/// R21: no word of the agent for more than 3 periods of 30 s; medium after an hour. Near: it starts anew within 20 s.
pub(super) fn agent_offline(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.wait(40.0);
    player.act(Act::Away(true));
    // A rest under way is lost with the agent: its last word is up to 30 s older.
    let from = player.now() - micros(30.0);
    if is_episode {
        let is_long = player.chance(0.2);
        if is_long {
            player.wait_between(3_800.0, 8_000.0)
        } else {
            player.wait_between(150.0, 1_200.0)
        }
        player.act(Act::Away(false));
        let until = player.now();
        let severity = if is_long { Severity::Medium } else { Severity::Low };
        player.episode(Rule::AgentOffline, severity, (from, until), "gone for 150 s and more");
    } else {
        player.wait_between(3.0, 20.0);
        player.act(Act::Away(false));
        player.wait(5.0);
        player.near_miss(Rule::AgentOffline, from, "starts anew");
    }
    player.wait(20.0);
}

/// R22: speeds differ by more than 0.5 km/h and 10 % for 5 s; medium above 30 %, which a mix-up of miles is. Near: by 5 %;
/// by 50 % for 2 s.
pub(super) fn speeds_disagree(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let kmh = player.between(3.5, 6.0);
    player.run_at(kmh);
    let from = player.now();
    let (factor, severity, name) = match (is_episode, player.random.u32(0..3)) {
        (true, 0) => (1.609_344, Severity::Medium, "miles for kilometres"),
        (true, 1) => (player.between(1.4, 1.5), Severity::Medium, "40 to 50 %"),
        (true, _) => (player.between(1.18, 1.24), Severity::Low, "20 %"),
        (false, 0) => (1.5, Severity::Info, "for 2 s"),
        (false, _) => (player.between(0.95, 1.05), Severity::Info, "5 %"),
    };
    player.act(Act::SecondFactor(factor));
    if is_episode {
        player.wait_between(10.0, 25.0);
        let until = player.now();
        player.episode(Rule::SpeedSourcesDisagree, severity, (from, until), name);
        player.act(Act::SecondFactor(1.0));
    } else {
        player.wait(if name == "for 2 s" { 2.0 } else { 20.0 });
        player.act(Act::SecondFactor(1.0));
        player.wait(5.0);
        player.near_miss(Rule::SpeedSourcesDisagree, from, name);
    }
    player.wait(5.0);
    player.halt();
    player.step_off();
}

/// R24: a fault of the drive, or more than 1 % invalid pulses; high while the belt moves. FTMS has no word for a fault.
pub(super) fn fault(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let moves = player.chance(0.5);
    let from = player.now();
    if moves {
        player.run_at(3.0);
    }
    if is_episode && player.sight != Sight::Console {
        let (at, severity) = (player.now(), if moves { Severity::High } else { Severity::Medium });
        player.act(Act::Fault);
        player.episode(Rule::DriveOrSensorFault, severity, (at, at), "a fault is told");
    }
    player.wait(5.0);
    if moves {
        player.halt();
        player.step_off();
    }
    if !is_episode {
        player.near_miss(Rule::DriveOrSensorFault, from, "nothing is told");
    }
    player.wait(12.0);
}

/// R25: a speed that cannot be, an incline beyond 40 %, a distance that goes back. Near: a deck at 0.6 % a second. Decided:
/// what comes within ten minutes is the same episode, so they lie further apart; a deck that is fast is none, for many
/// consoles tell where it shall go.
pub(super) fn implausible(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.wait(620.0);
    player.run_at(3.0);
    player.wait(5.0);
    let from = player.now();
    let kinds: &[Nonsense] = match player.sight {
        Sight::Encoder => &[Nonsense::Speed, Nonsense::Incline],
        Sight::Drive => &[Nonsense::Speed],
        Sight::Console => &[Nonsense::Speed, Nonsense::Incline, Nonsense::Distance],
    };
    let kind = kinds[player.random.usize(..kinds.len())];
    if is_episode {
        let name = match kind {
            Nonsense::Speed => "655.35 km/h",
            Nonsense::Incline => "82 %",
            Nonsense::Distance => "200 m back",
        };
        player.act(Act::Nonsense(kind));
        player.episode(Rule::ImplausibleValue, Severity::Low, (from, from + micros(2.0)), name);
        player.wait(15.0);
    } else {
        player.tilt(3.0, 5.0);
        player.wait(15.0);
        player.near_miss(Rule::ImplausibleValue, from, "0.6 % a second");
    }
    player.tilt(0.0, 14.0);
    player.wait(15.0);
    player.halt();
    player.step_off();
    player.wait(5.0);
}

/// R26: above the limit that was set for 10 s while moving. Near: for 6 s; at standstill.
pub(super) fn heart_rate_limit(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.act(Act::Heart(110));
    player.run_at(5.0);
    let from = player.now();
    if is_episode {
        player.act(Act::Heart(HEART_LIMIT + 12));
        player.wait_between(14.0, 40.0);
        let until = player.now();
        player.episode(Rule::HeartRateLimit, Severity::High, (from, until), "above for 14 s");
        player.act(Act::Heart(110));
        player.wait(5.0);
        player.halt();
    } else if player.chance(0.5) {
        player.act(Act::Heart(HEART_LIMIT + 12));
        player.wait(6.0);
        player.act(Act::Heart(110));
        player.wait(5.0);
        player.halt();
        player.near_miss(Rule::HeartRateLimit, from, "above for 6 s");
    } else {
        player.halt();
        player.wait(2.0);
        player.act(Act::Heart(HEART_LIMIT + 12));
        player.wait(30.0);
        player.act(Act::Heart(110));
        player.wait(2.0);
        player.near_miss(Rule::HeartRateLimit, from, "above at standstill");
    }
    player.step_off();
}

/// R27: no heart rate for 30 s, medium after 60 s, where it controls the belt. Near: for 20 s.
pub(super) fn heart_rate_lost(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.act(Act::Heart(110));
    player.run_at(5.0);
    let from = player.now();
    player.act(Act::Heart(0));
    if is_episode {
        let is_long = player.chance(0.5);
        player.wait(if is_long { 75.0 } else { 45.0 });
        let until = player.now();
        let severity = if is_long { Severity::Medium } else { Severity::Low };
        player.episode(Rule::HeartRateLost, severity, (from, until), "45 or 75 s");
        player.act(Act::Heart(110));
    } else {
        player.wait(20.0);
        player.act(Act::Heart(110));
        player.wait(5.0);
        player.near_miss(Rule::HeartRateLost, from, "20 s");
    }
    player.wait(5.0);
    player.halt();
    player.step_off();
}
