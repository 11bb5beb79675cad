//! Episodes and near misses by rule, written from the definitions in words and numbers of the design's table. Nothing in
//! here reads a threshold of a rule. Where a definition leaves something open, what was decided stands at the episode.

mod motion;
mod reverse;
mod signals;
mod stops;
mod used;

use domain::belt::Contact;
use domain::incident::Rule;
use domain::incident::settings::{CommissionedStop, MachineSettings, StaffedHours};
use domain::incident::threshold::Unit;
use domain::registry::BeltKind;
use domain::stop::StopContact;
use domain::units::{Speed, UnixMicros};
use fastrand::Rng;

use crate::player::{Player, Sight, mm_s};
use crate::score::{Act, Score};
use crate::source::Equipment;

/// A Monday, 12:00 UTC.
const NOON: UnixMicros = UnixMicros(1_767_614_400_000_000);
const HOUR_US: i64 = 3_600_000_000;
/// Speed and time of the stop that was measured at commissioning, where one was.
pub(crate) const MEASURED: (f64, f64) = (5.0, 3.0);
/// Heart-rate limit where one is set, in beats a minute.
pub(crate) const HEART_LIMIT: u8 = 150;
/// Episodes of a life, and near misses.
const EACH: usize = 4;

/// One life: the score, and what the server and the agent are told of the machine.
#[derive(Debug)]
pub struct Life {
    /// The rule that it is about.
    pub topic: Rule,
    /// How the belt is seen.
    pub sight: Sight,
    /// What happens.
    pub score: Score,
    /// What people have set.
    pub settings: MachineSettings,
    /// What it has.
    pub equipment: Equipment,
    /// When it begins.
    pub begin: UnixMicros,
}

/// Writes a life about one rule.
pub fn life(topic: Rule, sight: Sight, random: &mut Rng) -> Life {
    let settings = settings(topic, sight, random);
    let equipment = equipment(topic, sight);
    let begin = begin(topic, random);
    let is_reversible = settings.belt == BeltKind::Reversible;
    let mut player = Player::new(sight, is_reversible, Rng::with_seed(random.u64(..)));
    if topic == Rule::EmergencyStopAsNormalStop {
        stops::habit(&mut player);
    } else if topic == Rule::SafetyFunctionUntested {
        stops::untested(&mut player);
    } else if topic == Rule::UseOutsideStaffedHours {
        used::outside_staffed_hours(&mut player);
    } else {
        mixed(topic, &mut player, &settings);
    }
    let mut score = player.finish();
    stops::note_habit(topic, &mut score);
    Life { topic, sight, score, settings, equipment, begin }
}

/// Episodes and near misses in any order, with ordinary use between.
fn mixed(topic: Rule, player: &mut Player, settings: &MachineSettings) {
    let mut parts: Vec<bool> = [vec![true; EACH], vec![false; EACH]].concat();
    player.random.shuffle(&mut parts);
    for is_episode in parts {
        if topic == Rule::MotionWhileOutOfService {
            player.wait_between(60.0, 200.0);
        } else {
            for _ in 0..4 {
                player.interlude();
            }
        }
        if topic != Rule::MotionWhileOutOfService && player.chance(0.1) {
            player.key_as_off_switch_after_a_walk();
        }
        plant(topic, player, settings, is_episode);
        player.wait(10.0);
    }
}

fn plant(topic: Rule, player: &mut Player, settings: &MachineSettings, is_episode: bool) {
    let planter: fn(&mut Player, &MachineSettings, bool) = match topic {
        Rule::EmergencyStop => stops::emergency_stop,
        Rule::SafetyKeyPulled => stops::safety_key,
        Rule::SlowEmergencyStop => stops::slow,
        Rule::MotionDuringEmergencyStop => stops::motion,
        Rule::RestartByReset => stops::restart,
        Rule::InclineMovedDuringEmergencyStop => stops::incline,
        Rule::UnexpectedStart => motion::unexpected_start,
        Rule::DirectionChangeWhileMoving => reverse::change_while_moving,
        Rule::UnintendedReverse => reverse::unintended,
        Rule::ReverseOverspeed => reverse::overspeed,
        Rule::ReverseOnIncline => reverse::on_incline,
        Rule::ReverseHandsOff => reverse::hands_off,
        Rule::ReverseWithoutKey => reverse::without_key,
        Rule::MotionWhileOutOfService => used::out_of_service,
        Rule::FasterThanCommanded => motion::faster_than_commanded,
        Rule::RunawayAcceleration => motion::runaway,
        Rule::AbruptStop => motion::abrupt_stop,
        Rule::SuspectedFall => motion::suspected_fall,
        Rule::RunningUnattended => used::unattended,
        Rule::TelemetryLostWhileMoving => signals::lost_while_moving,
        Rule::AgentOffline => signals::agent_offline,
        Rule::SpeedSourcesDisagree => signals::speeds_disagree,
        Rule::DirectionSourcesDisagree => reverse::sources_disagree,
        Rule::DriveOrSensorFault => signals::fault,
        Rule::ImplausibleValue => signals::implausible,
        Rule::HeartRateLimit => signals::heart_rate_limit,
        Rule::HeartRateLost => signals::heart_rate_lost,
        // These have lives of their own.
        Rule::EmergencyStopAsNormalStop | Rule::SafetyFunctionUntested | Rule::UseOutsideStaffedHours => {
            return;
        }
    };
    planter(player, settings, is_episode);
}

fn equipment(topic: Rule, sight: Sight) -> Equipment {
    let is_console = sight == Sight::Console;
    let about_people = matches!(topic, Rule::SuspectedFall | Rule::RunningUnattended);
    let about_heart = matches!(topic, Rule::HeartRateLimit | Rule::HeartRateLost | Rule::RunningUnattended);
    Equipment {
        presence: about_people,
        second_speed: topic == Rule::SpeedSourcesDisagree,
        second_direction: topic == Rule::DirectionSourcesDisagree && !is_console,
        heart_rate: is_console && about_heart,
        steps: is_console && about_people,
    }
}

fn settings(topic: Rule, sight: Sight, random: &mut Rng) -> MachineSettings {
    let mut settings = MachineSettings {
        belt: if topic == Rule::UnintendedReverse { BeltKind::OneWay } else { BeltKind::Reversible },
        direction_proven: sight != Sight::Console,
        ..MachineSettings::default()
    };
    for threshold in topic.definition().thresholds {
        let value = match threshold.unit {
            Unit::YesNo if threshold.name.ends_with(".on") => 1,
            Unit::BeatsPerMinute => i64::from(HEART_LIMIT),
            Unit::YesNo
            | Unit::MillimetresPerSecond
            | Unit::MillimetresPerSecondSquared
            | Unit::Milliseconds
            | Unit::Percent
            | Unit::TenthsOfPercent
            | Unit::Days
            | Unit::Count => continue,
        };
        settings.limits.set(threshold.name, Some(value)).expect("what people set lies within the range");
    }
    if topic == Rule::SlowEmergencyStop && random.bool() {
        let speed = speed(mm_s(MEASURED.0));
        let stop = |contact| CommissionedStop { contact, speed, time_ms: 3_000 };
        settings.measured_stops = vec![stop(StopContact::EmergencyStop), stop(StopContact::SafetyKey)];
    }
    if topic == Rule::MotionWhileOutOfService {
        settings.out_of_service = true;
        settings.drill = (random.u32(0..4) == 0).then_some(1);
    }
    settings.silent_on_stop = topic == Rule::TelemetryLostWhileMoving && random.u32(0..4) == 0;
    if topic == Rule::UseOutsideStaffedHours {
        let days = std::array::from_fn(|_| vec![(8 * 60, 20 * 60)]);
        settings.staffed = Some(StaffedHours { zone: "Etc/UTC".to_owned(), days });
    }
    settings
}

fn begin(topic: Rule, random: &mut Rng) -> UnixMicros {
    if topic == Rule::UseOutsideStaffedHours {
        return NOON.plus(7 * HOUR_US + HOUR_US / 2);
    }
    NOON.plus(random.i64(0..4 * HOUR_US))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a belt's speed")]
fn speed(mm_s: f64) -> Speed {
    Speed(mm_s.round() as u32)
}

impl Player {
    /// Somebody is on the belt and it runs at this speed.
    fn run_at(&mut self, kmh: f64) {
        self.step_on();
        self.start(kmh);
        self.wait_between(6.0, 20.0);
    }

    /// A walk, a normal stop, and the key pulled within seconds of it.
    fn key_as_off_switch_after_a_walk(&mut self) {
        self.run_at(3.0);
        self.halt();
        self.wait_between(2.5, 6.0);
        let edge = self.now();
        self.key_as_off_switch();
        stops::note_key(self, edge, domain::incident::Severity::Info, "key as off switch");
        self.step_off();
    }

    /// A contact opens and the belt comes to rest within so many seconds; when the contact opened.
    fn stop_by(&mut self, contact: Contact, seconds: f64) -> u64 {
        let edge = self.now();
        self.act(Act::Contact(contact, true));
        self.act(Act::Target(0.0));
        self.hop(0.0, seconds);
        edge
    }
}
