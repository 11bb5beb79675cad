//! The alarm load of an ordinary month: how many incidents a site has with which nothing is wrong, apart from some real
//! stops. Guidance is followed, keys are off switches, some machines are seen by an encoder only, and one falls silent
//! when it stops.

use std::collections::BTreeMap;

use domain::belt::Contact;
use domain::incident::settings::MachineSettings;
use domain::incident::{Rule, Severity};
use domain::registry::BeltKind;
use domain::units::UnixMicros;
use fastrand::Rng;

use crate::episodes::Life;
use crate::player::{Player, Sight};
use crate::run::judge;
use crate::score::Act;
use crate::source::Equipment;
use crate::tally::Tally;

/// Sites.
pub const SITES: u64 = 4;
/// Machines of each.
pub const MACHINES: u64 = 8;
/// Days of the month.
pub const DAYS: u64 = 30;
/// Staffed hours of each day; the machines are switched on with their agents a little longer.
pub const STAFFED_HOURS: u64 = 14;
/// Real stops of a moving belt, of a machine on a day.
const REAL_STOP: f64 = 0.02;
/// Times that a console's radio is lost for some seconds, on a day.
const RADIO_LOST: u32 = 2;

/// A Monday, 06:00 UTC.
const BEGIN: UnixMicros = UnixMicros(1_767_592_800_000_000);

/// What the month came to.
#[derive(Debug, Clone, Default)]
pub struct Load {
    /// Incidents of the month by site, severity and rule; real stops apart.
    pub incidents: BTreeMap<(u64, Severity), BTreeMap<Rule, u64>>,
    /// Incidents that tell of real stops.
    pub real: u64,
    /// Sessions.
    pub sessions: u64,
    /// Hours of machines.
    pub hours: f64,
    /// Days.
    pub days: u64,
}

/// Plays the month, a day of a machine at a time. `progress` is told the sites so far.
pub fn month(seed: u64, days: u64, progress: &mut dyn FnMut(u64)) -> Load {
    let mut load = Load { days, ..Load::default() };
    for site in 0..SITES {
        for machine in 0..MACHINES {
            let mut random =
                Rng::with_seed(seed ^ (site * 1_000 + machine + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            play(site, machine, days, &mut random, &mut load);
        }
        progress(site + 1);
    }
    load
}

fn play(site: u64, machine: u64, days: u64, random: &mut Rng, load: &mut Load) {
    let (sight, is_reversible) = match machine {
        0..3 => (Sight::Encoder, true),
        3 => (Sight::Drive, true),
        4 => (Sight::Drive, false),
        _ => (Sight::Console, false),
    };
    let mut player = Player::new(sight, is_reversible, Rng::with_seed(random.u64(..)));
    let is_silent_on_stop = machine == 7;
    let mut real = Vec::new();
    for _ in 0..days {
        load.sessions += day(&mut player, is_silent_on_stop, &mut real);
    }
    let settings = MachineSettings {
        belt: if is_reversible { BeltKind::Reversible } else { BeltKind::OneWay },
        direction_proven: sight != Sight::Console,
        silent_on_stop: is_silent_on_stop,
        ..MachineSettings::default()
    };
    let equipment = Equipment::default();
    let score = player.finish();
    load.hours += score.end as f64 / 3.6e9;
    let life = Life { topic: Rule::EmergencyStop, sight, score, settings, equipment, begin: BEGIN };
    let incidents = judge(&life, "the month", false, random, &mut Tally::default());
    for incident in incidents {
        let at = incident.time.since(BEGIN);
        let is_real = real.iter().any(|(from, until)| (*from..=*until).contains(&at));
        if is_real {
            load.real += 1;
        } else {
            let rules = load.incidents.entry((site, incident.severity)).or_default();
            *rules.entry(incident.rule).or_default() += 1;
        }
    }
}

/// A day of a machine: sessions with rests between, then the night. Its sessions; real stops go to `real`.
fn day(player: &mut Player, is_silent_on_stop: bool, real: &mut Vec<(i64, i64)>) -> u64 {
    let opened = player.now();
    let mut sessions = 0;
    let closes = opened + STAFFED_HOURS * 3_600_000_000;
    let radio = if player.sight == Sight::Console { player.random.u32(0..=RADIO_LOST) } else { 0 };
    let mut lost = radio;
    let stop_in = if player.chance(REAL_STOP) { Some(player.random.u64(0..6)) } else { None };
    while player.now() + 5_400_000_000 < closes {
        player.wait_between(600.0, 7_200.0);
        if stop_in == Some(sessions) {
            real_stop(player, real);
        } else if player.is_reversible && player.chance(0.4) {
            player.intervals(10, 1.0);
        } else {
            usual_session(player, is_silent_on_stop, &mut lost);
        }
        sessions += 1;
    }
    let night = (opened + 86_400_000_000 - player.now()) as f64 / 1e6;
    player.wait(night);
    sessions
}

fn usual_session(player: &mut Player, is_silent_on_stop: bool, lost: &mut u32) {
    player.step_on();
    let kmh = player.between(2.0, 6.0);
    player.start(kmh);
    player.wait_between(120.0, 600.0);
    if *lost > 0 {
        // The radio link drops for some seconds and comes back.
        *lost -= 1;
        player.act(Act::Silent(true));
        player.wait_between(2.0, 7.0);
        player.act(Act::Silent(false));
        player.wait(20.0);
    }
    let kmh = player.between(3.0, 10.0);
    player.set(kmh);
    player.wait_between(120.0, 900.0);
    player.act(Act::Stop);
    player.act(Act::Target(0.0));
    if is_silent_on_stop {
        player.act_in(1.5, Act::Silent(true));
    }
    let slope = player.between(130.0, 270.0);
    player.ramp(0.0, slope);
    if player.chance(0.3) {
        player.wait_between(2.0, 6.0);
        player.key_as_off_switch();
    }
    player.step_off();
    player.act(Act::Silent(false));
}

/// Somebody needs the stop, of a belt that follows it.
fn real_stop(player: &mut Player, real: &mut Vec<(i64, i64)>) {
    player.step_on();
    player.start(4.0);
    player.wait(120.0);
    let from = player.now().cast_signed() - 3_000_000;
    let contact = if player.sight == Sight::Console { Contact::SafetyKey } else { Contact::EmergencyStop };
    player.act(Act::Contact(contact, true));
    player.act(Act::Target(0.0));
    player.hop(0.0, 2.5);
    player.wait(60.0);
    player.act(Act::Contact(contact, false));
    player.wait(10.0);
    real.push((from, player.now().cast_signed()));
    player.step_off();
}
