//! R07, R15 to R18: speeds that nobody asked for, and stops that nobody made.

use domain::belt::Contact;
use domain::incident::settings::MachineSettings;
use domain::incident::{Rule, Severity};

use crate::player::{Player, Sight, mm_s};
use crate::score::Act;

/// R07: from standstill |v| > 0.3 for 1 s without a start, a session or a count-down in the last 10 s. Decided: "a
/// session in the last 10 s" means that the belt ran then. Near: a start whose word comes after the motion; a creeping
/// belt; a twitch, which a console's frame makes a second of motion and is not asked for.
pub(super) fn unexpected_start(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.wait_between(20.0, 60.0);
    let from = player.now();
    match (is_episode, player.random.u32(0..3)) {
        (true, _) => {
            let kmh = player.between(0.8, 4.0);
            player.ramp(kmh, 200.0);
            player.wait_between(3.0, 8.0);
            let until = player.now();
            player.episode(Rule::UnexpectedStart, Severity::Critical, (from, until), "nobody started it");
            player.halt();
            player.allow(&[Rule::FasterThanCommanded], from);
        }
        (false, 0) => {
            player.act(Act::Start);
            player.act(Act::Target(mm_s(2.0)));
            player.ramp(2.0, 200.0);
            player.wait(10.0);
            player.halt();
            player.near_miss(Rule::UnexpectedStart, from, "started without a count-down");
        }
        (false, case) if case == 1 || player.sight == Sight::Console => {
            player.hop(0.22, 0.5);
            player.wait(10.0);
            player.hop(0.0, 0.5);
            player.near_miss(Rule::UnexpectedStart, from, "creeps at 0.22 km/h");
        }
        (false, _) => {
            player.hop(0.6, 0.2);
            player.hop(0.0, 0.2);
            player.wait(3.0);
            player.near_miss(Rule::UnexpectedStart, from, "a twitch");
        }
    }
    player.wait(12.0);
}

/// R15: faster than commanded by more than 0.5 km/h and 10 % for 3 s after the ramp, critical by more than 2 km/h. Near:
/// too fast by 0.3 km/h for long, or by 1 km/h for 1.2 s; a long ramp down.
pub(super) fn faster_than_commanded(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let kmh = player.between(2.0, 8.0);
    player.run_at(kmh);
    player.wait(20.0);
    let from = player.now();
    match (is_episode, player.random.u32(0..3)) {
        (true, 0) => {
            let over = player.between(2.5, 3.5);
            player.ramp(kmh + over, 250.0);
            player.wait_between(6.0, 15.0);
            let until = player.now();
            player.episode(
                Rule::FasterThanCommanded,
                Severity::Critical,
                (from, until),
                "2.5 km/h and more too fast",
            );
        }
        (true, _) => {
            let over = player.between(0.8_f64.max(kmh * 0.15), 1.6);
            player.ramp(kmh + over, 150.0);
            player.wait_between(6.0, 15.0);
            let until = player.now();
            player.episode(
                Rule::FasterThanCommanded,
                Severity::High,
                (from, until),
                "0.8 to 1.6 km/h too fast",
            );
        }
        (false, 0) => {
            player.hop(kmh + 0.25, 0.5);
            player.wait(30.0);
            player.near_miss(Rule::FasterThanCommanded, from, "0.25 km/h too fast");
        }
        (false, 1) => {
            player.hop(kmh + 1.0, 0.6);
            player.hop(kmh, 0.6);
            player.wait(10.0);
            player.near_miss(Rule::FasterThanCommanded, from, "too fast for a second");
        }
        (false, _) => {
            player.act(Act::Target(mm_s(0.8)));
            player.ramp(0.8, 140.0);
            player.wait(10.0);
            player.near_miss(Rule::FasterThanCommanded, from, "a long ramp down");
        }
    }
    player.set(2.0);
    player.halt();
    player.step_off();
}

/// R16: more than 2.0 km/h per s over 1.5 s; critical in reverse, where the way is known. Near: 1.5 km/h per s, twice as
/// steep as any normal ramp. A console shows the speed once a second, so that the rise over 1.5 s is seen as a mean over
/// two: there it is 4 km/h per s and more.
pub(super) fn runaway(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let reverse = player.chance(0.3);
    let sign = if reverse { -1.0 } else { 1.0 };
    let kmh = player.between(1.0, 2.0);
    player.run_at(sign * kmh);
    let from = player.now();
    let is_seen = reverse && player.sight != Sight::Console;
    if is_episode {
        let (least, most, longest) = match (player.sight, reverse) {
            (Sight::Console, _) => (5.2, 6.5, 1.3),
            (Sight::Encoder | Sight::Drive, true) => (3.8, 4.3, 1.3),
            (Sight::Encoder | Sight::Drive, false) => (4.2, 6.0, 1.5),
        };
        let (rise, seconds) = (player.between(least, most), player.between(1.1, longest));
        player.hop(sign * (kmh + rise), seconds);
        let until = player.now();
        player.wait_between(2.0, 6.0);
        let severity = if is_seen { Severity::Critical } else { Severity::High };
        player.episode(Rule::RunawayAcceleration, severity, (from, until), "3 km/h per s");
        player.allow(&[Rule::FasterThanCommanded, Rule::ReverseOverspeed], from);
    } else {
        let target = sign * (kmh + 3.5);
        player.act(Act::Target(mm_s(target.abs())));
        player.ramp(target, mm_s(1.5));
        player.wait(5.0);
        player.near_miss(Rule::RunawayAcceleration, from, "1.5 km/h per s");
    }
    player.halt();
    player.allow(&[Rule::FasterThanCommanded], from);
    player.step_off();
}

/// R17: more than 3.6 km/h per s down, from 3 km/h or more to standstill, no stop, pause, emergency stop or loss of power
/// within 2 s. Decided: a belt that stands before the 1.5 s are over is judged by the time that it took; a console that
/// shows the speed once a second cannot tell that below 9 km/h, and is not asked. Near: the same by
/// the emergency stop or the key; a fall that does not end at standstill; from 2.4 km/h; a normal stop.
pub(super) fn abrupt_stop(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    if is_episode {
        let kmh = if player.sight == Sight::Console {
            player.between(9.0, 12.0)
        } else {
            player.between(3.6, 12.0)
        };
        player.run_at(kmh);
        abrupt(player, kmh);
        player.step_off();
        return;
    }
    let from = player.now();
    match player.random.u32(0..4) {
        0 => {
            player.run_at(6.0);
            let edge = player.stop_by(Contact::SafetyKey, 1.2);
            super::stops::note_key(player, edge, Severity::Critical, "stop of a moving belt");
            player.wait(5.0);
            player.act(Act::Contact(Contact::SafetyKey, false));
            player.near_miss(Rule::AbruptStop, from, "stopped by the key");
        }
        1 => {
            player.run_at(9.0);
            player.hop(4.0, 1.0);
            player.act(Act::Target(mm_s(4.0)));
            player.wait(5.0);
            player.halt();
            player.near_miss(Rule::AbruptStop, from, "falls to 4 km/h");
        }
        2 => {
            player.run_at(2.4);
            player.hop(0.0, 0.5);
            player.act_in(4.0, Act::Stop);
            player.wait(5.0);
            player.near_miss(Rule::AbruptStop, from, "from 2.4 km/h");
        }
        _ => {
            player.run_at(8.0);
            player.act(Act::Stop);
            player.act(Act::Target(0.0));
            player.ramp(0.0, 270.0);
            player.wait(5.0);
            player.near_miss(Rule::AbruptStop, from, "the steepest normal stop");
        }
    }
    player.step_off();
}

/// The belt is blocked: it stands within moments, and somebody stops the machine later.
fn abrupt(player: &mut Player, kmh: f64) {
    let from = player.now();
    let slope = player.between(5.5, 10.0);
    player.hop(0.0, kmh / slope);
    let until = player.now();
    player.episode(Rule::AbruptStop, Severity::High, (from, until), "the belt is blocked");
    player.act_in(5.0, Act::Stop);
    player.act_in(5.0, Act::Target(0.0));
    player.wait(8.0);
}

/// R18: two independent signs within 10 s: an abrupt stop with the loss of hand and presence (on a console: of steps);
/// an emergency stop or key with a loss of presence before it. A console misses steps only after some seconds, and
/// abrupt stops below 9 km/h. Near: a pull followed by quiet; a person who steps off
/// after a normal stop; a blocked belt with somebody still on it.
pub(super) fn suspected_fall(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let is_console = player.sight == Sight::Console;
    let kmh = player.between(if is_console { 9.0 } else { 4.0 }, 11.0);
    player.run_at(kmh);
    let from = player.now();
    match (is_episode, player.random.u32(0..3)) {
        (true, 0) if !is_console => {
            lose_person(player);
            player.wait_between(0.8, 2.5);
            let edge = player.stop_by(Contact::SafetyKey, 2.5);
            super::stops::note_key(player, edge, Severity::Critical, "stop of a moving belt");
            let until = player.now();
            player.episode(
                Rule::SuspectedFall,
                Severity::Critical,
                (from, until),
                "presence lost, then the key",
            );
            player.wait(8.0);
            player.act(Act::Contact(Contact::SafetyKey, false));
        }
        (true, _) => {
            lose_person(player);
            let (least, most) = if is_console { (4.5, 6.5) } else { (0.0, 1.5) };
            player.wait_between(least, most);
            abrupt(player, kmh);
            let until = player.now();
            player.episode(
                Rule::SuspectedFall,
                Severity::Critical,
                (from, until),
                "person lost and belt blocked",
            );
        }
        (false, 0) => {
            let edge = player.stop_by(Contact::SafetyKey, 2.5);
            super::stops::note_key(player, edge, Severity::Critical, "stop of a moving belt");
            player.wait(2.0);
            lose_person(player);
            player.wait(8.0);
            player.act(Act::Contact(Contact::SafetyKey, false));
            player.near_miss(Rule::SuspectedFall, from, "a pull followed by quiet");
        }
        (false, 1) => {
            player.halt();
            player.wait(0.5);
            lose_person(player);
            player.wait(8.0);
            player.near_miss(Rule::SuspectedFall, from, "stepped off after a stop");
        }
        (false, _) => {
            abrupt(player, kmh);
            player.wait(6.0);
            player.near_miss(Rule::SuspectedFall, from, "blocked with somebody on it");
        }
    }
    player.act(Act::StepsFrozen(false));
    player.step_off();
}

fn lose_person(player: &mut Player) {
    player.act(Act::Contact(Contact::HandRail, true));
    player.act(Act::Contact(Contact::UserPresence, true));
    player.act(Act::StepsFrozen(true));
}
