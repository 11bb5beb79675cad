//! R08 to R13 and R23: which way the belt runs.

use domain::belt::Contact;
use domain::incident::settings::MachineSettings;
use domain::incident::{Rule, Severity};

use crate::player::{Player, Sight, mm_s};
use crate::score::Act;

/// R08: the sign changes between speeds above 0.3 km/h with less than 1.0 s of standstill between. Near: 1.6 s and more.
/// A standstill is |v| ≤ 0.1 km/h; ramps through it are part of it.
pub(super) fn change_while_moving(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let sign = if player.chance(0.5) { 1.0 } else { -1.0 };
    let kmh = player.between(1.0, 3.0);
    player.run_at(sign * kmh);
    let from = player.now();
    player.ramp(0.0, 270.0);
    if is_episode {
        player.wait_between(0.0, 0.5);
    } else {
        player.act(Act::Stop);
        player.wait_between(1.6, 4.0);
        player.act(Act::Start);
        player.wait(0.5);
    }
    let back = player.between(1.0, 2.0);
    player.act(Act::Target(mm_s(back)));
    player.ramp(-sign * back, 270.0);
    let until = player.now();
    player.wait(5.0);
    if is_episode {
        player.episode(
            Rule::DirectionChangeWhileMoving,
            Severity::Critical,
            (from, until),
            "no standstill between",
        );
        // Seen once a second it may seem to stand, and nobody has started it.
        player.allow(&[Rule::UnexpectedStart], from);
    } else {
        player.near_miss(Rule::DirectionChangeWhileMoving, from, "a standstill between");
    }
    player.halt();
    player.step_off();
}

/// R09: measured reverse above 0.3 km/h for 0.5 s on a one-way machine. Near: it rolls back for 0.2 s after a stop; it
/// creeps back at 0.2 km/h.
pub(super) fn unintended(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.step_on();
    if is_episode {
        player.act(Act::Start);
        player.act(Act::Target(mm_s(2.0)));
        player.wait_between(0.5, 3.0);
        let from = player.now();
        let kmh = player.between(1.0, 3.0);
        player.ramp(-kmh, 200.0);
        player.wait_between(2.0, 10.0);
        let until = player.now();
        player.episode(
            Rule::UnintendedReverse,
            Severity::Critical,
            (from, until),
            "a one-way belt in reverse",
        );
        // The drive was told less than it does, in the wrong way.
        player.act(Act::Target(0.0));
        player.allow(&[Rule::FasterThanCommanded], from);
    } else {
        player.start(3.0);
        player.wait(10.0);
        player.halt();
        let from = player.now();
        player.wait(1.5);
        if player.sight != Sight::Console {
            player.hop(-0.45, 0.1);
            player.hop(0.0, 0.1);
        }
        player.wait(3.0);
        player.hop(-0.2, 0.3);
        player.wait(5.0);
        player.hop(0.0, 0.3);
        player.wait(3.0);
        player.near_miss(Rule::UnintendedReverse, from, "rolls and creeps back");
    }
    player.halt();
    player.step_off();
}

/// R10: in reverse above 5.9 km/h, and 3 % and 0.1 km/h above that, for 2 s. Near: at 5.9 km/h for long; above for 1.2 s
/// (readings of a second give durations to half a second).
pub(super) fn overspeed(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    player.run_at(-5.0);
    let from = player.now();
    match (is_episode, player.chance(0.5)) {
        (true, _) => {
            let kmh = player.between(6.6, 8.0);
            player.set(-kmh);
            player.wait_between(2.5, 20.0);
            let until = player.now();
            player.episode(Rule::ReverseOverspeed, Severity::High, (from, until), "above 6.6 km/h");
        }
        (false, true) => {
            player.set(-5.9);
            player.wait_between(30.0, 60.0);
            player.near_miss(Rule::ReverseOverspeed, from, "at the limit");
        }
        (false, false) => {
            player.act(Act::Target(mm_s(6.6)));
            player.ramp(-6.6, 270.0);
            player.wait(0.3);
            player.ramp(-5.0, 270.0);
            player.wait(5.0);
            player.near_miss(Rule::ReverseOverspeed, from, "above the limit for 1.2 s");
        }
    }
    player.set(-4.0);
    player.halt();
    player.step_off();
}

/// R11: in reverse above 0.3 km/h with more than 1.0 % for 3 s, where the site forbids it. Near: 0.9 %; 3 % for 1.6 s; in
/// forward.
pub(super) fn on_incline(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let kmh = player.between(1.5, 3.0);
    match (is_episode, player.random.u32(0..3)) {
        (true, _) => {
            let percent = player.between(1.5, 5.0);
            player.tilt(percent, 5.0);
            player.wait(7.0);
            let from = player.now();
            player.run_at(-kmh);
            let until = player.now();
            player.episode(Rule::ReverseOnIncline, Severity::Medium, (from, until), "1.5 to 5 %");
        }
        (false, 0) => {
            let from = player.now();
            player.tilt(0.7, 3.0);
            player.wait(5.0);
            player.run_at(-kmh);
            player.near_miss(Rule::ReverseOnIncline, from, "0.7 %");
        }
        (false, 1) => {
            let from = player.now();
            player.tilt(3.0, 5.0);
            player.wait(7.0);
            player.act(Act::Start);
            player.act(Act::Target(mm_s(0.8)));
            player.hop(-0.8, 0.8);
            player.hop(0.0, 0.8);
            player.wait(3.0);
            player.near_miss(Rule::ReverseOnIncline, from, "3 % for 1.6 s");
        }
        (false, _) => {
            let from = player.now();
            player.tilt(3.0, 5.0);
            player.wait(7.0);
            player.run_at(kmh);
            player.near_miss(Rule::ReverseOnIncline, from, "3 % in forward");
        }
    }
    player.halt();
    player.wait(2.0);
    player.tilt(0.0, 8.0);
    player.step_off();
    player.wait(10.0);
}

/// R12: in reverse above 0.3 km/h, no hand on the rail for 5 s, where it is turned on. Near: for 3 s; in forward.
pub(super) fn hands_off(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let from = player.now();
    if is_episode {
        player.run_at(-2.0);
        let from = player.now();
        player.act(Act::Contact(Contact::HandRail, true));
        player.wait_between(7.0, 20.0);
        let until = player.now();
        player.episode(Rule::ReverseHandsOff, Severity::Medium, (from, until), "7 s and more without a hand");
    } else if player.chance(0.5) {
        player.run_at(-2.0);
        player.act(Act::Contact(Contact::HandRail, true));
        player.wait(3.0);
        player.act(Act::Contact(Contact::HandRail, false));
        player.wait(5.0);
        player.near_miss(Rule::ReverseHandsOff, from, "3 s without a hand");
    } else {
        player.run_at(3.0);
        player.act(Act::Contact(Contact::HandRail, true));
        player.wait(15.0);
        player.near_miss(Rule::ReverseHandsOff, from, "in forward");
    }
    player.act(Act::Contact(Contact::HandRail, false));
    player.halt();
    player.step_off();
}

/// R13: in reverse and the key known to be out, for 1 s. Decided: the belt that comes to rest after the key was pulled is
/// none. Near: that, and forward without the key. A belt that runs without its key may be other incidents as well.
pub(super) fn without_key(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let also = [Rule::UnexpectedStart, Rule::SlowEmergencyStop, Rule::MotionDuringEmergencyStop];
    let from = player.now();
    if !is_episode && player.chance(0.5) {
        player.run_at(-2.5);
        let edge = player.stop_by(Contact::SafetyKey, 1.9);
        super::stops::note_key(player, edge, Severity::Critical, "stop of a moving belt");
        player.wait(6.0);
        player.near_miss(Rule::ReverseWithoutKey, from, "the key stops a belt in reverse");
    } else {
        player.wait(15.0);
        let edge = player.stop_by(Contact::SafetyKey, 0.5);
        super::stops::note_key(player, edge, Severity::Medium, "pulled at standstill");
        player.wait(5.0);
        let moves = player.now();
        player.run_at(if is_episode { -2.0 } else { 2.0 });
        let until = player.now();
        player.halt();
        player.wait(3.0);
        player.allow(&also, edge);
        if is_episode {
            player.episode(Rule::ReverseWithoutKey, Severity::High, (moves, until), "the key is bypassed");
        } else {
            player.near_miss(Rule::ReverseWithoutKey, from, "forward without the key");
        }
    }
    player.act(Act::Contact(Contact::SafetyKey, false));
    player.step_off();
}

/// R23: two sources of direction differ above 0.5 km/h for 1 s. Near: for 0.4 s; below 0.4 km/h.
pub(super) fn sources_disagree(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let sign = if player.chance(0.5) { 1.0 } else { -1.0 };
    let kmh = player.between(1.0, 4.0);
    player.run_at(sign * kmh);
    let from = player.now();
    player.act(Act::SecondInverted(true));
    if is_episode {
        player.wait_between(2.0, 10.0);
        let until = player.now();
        player.episode(Rule::DirectionSourcesDisagree, Severity::High, (from, until), "2 s and more");
        player.act(Act::SecondInverted(false));
    } else {
        player.wait(0.4);
        player.act(Act::SecondInverted(false));
        player.wait(4.0);
        player.near_miss(Rule::DirectionSourcesDisagree, from, "0.4 s");
    }
    player.wait(5.0);
    player.halt();
    player.step_off();
}
