//! R14, R19, R30: a machine that runs when it should not, or with nobody on it.

use domain::belt::Contact;
use domain::incident::settings::MachineSettings;
use domain::incident::{Rule, Severity};

use crate::player::{Player, Sight, micros};
use crate::score::Act;

/// R14: above 0.3 km/h for 1 s on a machine that is tagged out of service, outside a drill. Near: a twitch of 0.4 s, a
/// creeping belt, a drill.
pub(super) fn out_of_service(player: &mut Player, settings: &MachineSettings, is_episode: bool) {
    let from = player.now();
    if is_episode {
        let kmh = player.between(0.8, 5.0);
        player.start(kmh);
        player.wait_between(3.0, 20.0);
        let until = player.now();
        player.halt();
        if settings.drill.is_some() {
            player.near_miss(Rule::MotionWhileOutOfService, from, "a drill");
        } else {
            player.episode(Rule::MotionWhileOutOfService, Severity::High, (from, until), "it runs");
        }
    } else {
        player.act(Act::Start);
        // A frame that shows a twitch stands for a second of motion.
        if player.sight != Sight::Console {
            player.hop(0.6, 0.2);
            player.hop(0.0, 0.2);
        }
        player.wait(4.0);
        player.hop(0.22, 0.3);
        player.wait(6.0);
        player.hop(0.0, 0.3);
        player.act(Act::Stop);
        player.near_miss(Rule::MotionWhileOutOfService, from, "a twitch and a creeping belt");
    }
}

/// R19: above 0.3 km/h for 60 s and known that nobody is there by two signs: no hand and nobody on the belt; on a console
/// no heart rate and no steps. Near: 45 s; one sign only.
pub(super) fn unattended(player: &mut Player, _settings: &MachineSettings, is_episode: bool) {
    let kmh = player.between(2.0, 6.0);
    player.run_at(kmh);
    player.wait(5.0);
    let from = player.now();
    player.act(Act::Contact(Contact::HandRail, true));
    player.act(Act::Heart(0));
    if is_episode || player.chance(0.5) {
        player.act(Act::Contact(Contact::UserPresence, true));
        player.act(Act::StepsFrozen(true));
        player.wait(if is_episode { 75.0 } else { 45.0 });
    } else {
        player.wait(100.0);
    }
    let until = player.now();
    if is_episode {
        player.episode(Rule::RunningUnattended, Severity::High, (from, until), "nobody for 75 s");
    } else {
        player.near_miss(Rule::RunningUnattended, from, "45 s, or one sign only");
    }
    player.act(Act::Contact(Contact::UserPresence, false));
    player.act(Act::StepsFrozen(false));
    player.act(Act::Heart(110));
    player.wait(5.0);
    player.halt();
    player.step_off();
}

/// R30: above 0.3 km/h outside staffed hours, where the site asks for it. This life begins half an hour before closing:
/// use before it is near, each use after it is an episode.
pub(super) fn outside_staffed_hours(player: &mut Player) {
    let closing = micros(1_800.0);
    let from = player.now();
    while player.now() + micros(400.0) < closing {
        player.interlude();
    }
    let seconds = (closing - player.now()) as f64 / 1e6;
    player.wait(seconds - 10.0);
    player.near_miss(Rule::UseOutsideStaffedHours, from, "before closing");
    player.wait(30.0);
    for _ in 0..4 {
        let from = player.now();
        player.run_at(3.0);
        player.wait_between(10.0, 60.0);
        player.halt();
        let until = player.now();
        player.episode(Rule::UseOutsideStaffedHours, Severity::Medium, (from, until), "after closing");
        player.step_off();
        // Each use is a session of its own.
        player.wait_between(200.0, 240.0);
    }
}
