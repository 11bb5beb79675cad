//! What a rule is: its definition in words, what it needs, and the judgement itself.

use serde::{Deserialize, Serialize};

use super::Severity;
use super::rules;
use super::settings::MachineSettings;
use super::threshold::Threshold;
use super::track::Step;
use crate::belt::{Contact, Direction, Origin};
use crate::registry::{BeltKind, DriveKind};
use crate::signal::Capabilities;
use crate::units::{Incline, Speed, UnixMicros};

macro_rules! rules {
    ($($number:literal $variant:ident $module:ident $name:literal: $doc:literal;)*) => {
        /// A rule.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule {
            $(
                #[doc = $doc]
                #[serde(rename = $name)]
                $variant,
            )*
        }

        impl Rule {
            /// All rules, in the order of their numbers.
            pub const ALL: [Rule; 30] = [$(Rule::$variant,)*];

            /// Number of the rule in documents, from 1.
            pub fn number(self) -> u8 {
                match self {
                    $(Rule::$variant => $number,)*
                }
            }

            /// The rule's name in code, API and pages.
            pub fn name(self) -> &'static str {
                match self {
                    $(Rule::$variant => $name,)*
                }
            }

            /// Everything about it.
            pub const fn definition(self) -> &'static Definition {
                match self {
                    $(Rule::$variant => &rules::$module::DEFINITION,)*
                }
            }
        }
    };
}

rules! {
    1 EmergencyStop emergency_stop "emergency-stop": "The emergency-stop circuit opened.";
    2 SafetyKeyPulled safety_key_pulled "safety-key-pulled": "The safety key was pulled.";
    3 SlowEmergencyStop slow_emergency_stop "slow-emergency-stop": "The belt kept moving after a stop.";
    4 MotionDuringEmergencyStop motion_during_emergency_stop "motion-during-emergency-stop": "The belt moved while its emergency stop was open.";
    5 RestartByReset restart_by_reset "restart-by-reset": "The reset of the emergency stop started the belt.";
    6 InclineMovedDuringEmergencyStop incline_moved_during_emergency_stop "incline-moved-during-emergency-stop": "The deck moved while the emergency stop was open.";
    7 UnexpectedStart unexpected_start "unexpected-start": "The belt started and nobody had started it.";
    8 DirectionChangeWhileMoving direction_change_while_moving "direction-change-while-moving": "The belt changed its direction without coming to rest.";
    9 UnintendedReverse unintended_reverse "unintended-reverse": "A belt that has to run forward ran in reverse.";
    10 ReverseOverspeed reverse_overspeed "reverse-overspeed": "The belt ran in reverse faster than allowed.";
    11 ReverseOnIncline reverse_on_incline "reverse-on-incline": "The belt ran in reverse on a raised deck where the site forbids it.";
    12 ReverseHandsOff reverse_hands_off "reverse-hands-off": "The belt ran in reverse and nobody held the rail.";
    13 ReverseWithoutKey reverse_without_key "reverse-without-key": "The belt ran in reverse with the safety key out.";
    14 MotionWhileOutOfService motion_while_out_of_service "motion-while-out-of-service": "A machine that is out of service ran.";
    15 FasterThanCommanded faster_than_commanded "faster-than-commanded": "The belt ran faster than its console commanded.";
    16 RunawayAcceleration runaway_acceleration "runaway-acceleration": "The belt became faster than it may.";
    17 AbruptStop abrupt_stop "abrupt-stop": "The belt stopped abruptly and nobody had stopped it.";
    18 SuspectedFall suspected_fall "suspected-fall": "Two independent signs of a fall.";
    19 RunningUnattended running_unattended "running-unattended": "The belt ran and nobody was on it.";
    20 TelemetryLostWhileMoving telemetry_lost_while_moving "telemetry-lost-while-moving": "The belt moved when its sources fell silent.";
    21 AgentOffline agent_offline "agent-offline": "The agent was not there.";
    22 SpeedSourcesDisagree speed_sources_disagree "speed-sources-disagree": "Two sources tell different speeds.";
    23 DirectionSourcesDisagree direction_sources_disagree "direction-sources-disagree": "Two sources tell opposite directions.";
    24 DriveOrSensorFault drive_or_sensor_fault "drive-or-sensor-fault": "The drive, console or a sensor reported a fault.";
    25 ImplausibleValue implausible_value "implausible-value": "A source told what cannot be true.";
    26 HeartRateLimit heart_rate_limit "heart-rate-limit": "The heart rate was above its limit.";
    27 HeartRateLost heart_rate_lost "heart-rate-lost": "The heart rate was lost while it controlled the belt.";
    28 EmergencyStopAsNormalStop emergency_stop_as_normal_stop "emergency-stop-as-normal-stop": "The emergency stop is used as a normal stop.";
    29 SafetyFunctionUntested safety_function_untested "safety-function-untested": "No stop of the moving belt by this control was seen for long.";
    30 UseOutsideStaffedHours use_outside_staffed_hours "use-outside-staffed-hours": "The machine was used while no staff were there.";
}

impl Rule {
    /// The rule with this name.
    pub fn of_name(name: &str) -> Option<Rule> {
        Rule::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Why this machine cannot report what the rule looks for; `None`: it can.
    pub fn blind(self, capabilities: Capabilities, settings: &MachineSettings) -> Option<Blind> {
        let definition = self.definition();
        let is_off = |threshold: &&Threshold| !settings.limits.is_on(threshold);
        if let Some(threshold) = SWITCHES[usize::from(self.number()) - 1].filter(is_off) {
            return Some(Blind::Off(threshold.name));
        }
        if definition.is_for_motors && settings.drive == DriveKind::Manual {
            return Some(Blind::NoMotor);
        }
        if !definition.needs.iter().any(|needed| capabilities.has(*needed)) {
            let missing = definition.needs.iter().map(|needed| Capabilities(needed.0 & !capabilities.0));
            return missing.min_by_key(|missing| missing.0.count_ones()).map(Blind::Missing);
        }
        if definition.is_about_direction && !settings.direction_proven {
            return Some(Blind::DirectionNotProven);
        }
        let is_one_way = settings.belt == BeltKind::OneWay && self != Rule::UnintendedReverse;
        (definition.is_about_reverse && is_one_way).then_some(Blind::OneWay)
    }

    /// Whether this machine can report what the rule looks for.
    ///
    /// # Errors
    /// What is missing, in words.
    pub fn can_be_told(self, capabilities: Capabilities, settings: &MachineSettings) -> Result<(), String> {
        self.blind(capabilities, settings).map_or(Ok(()), |blind| Err(blind.to_string()))
    }
}

/// Why a rule cannot be told on a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blind {
    /// It is off; this threshold turns it on.
    Off(&'static str),
    /// The belt has no motor.
    NoMotor,
    /// These signals are missing.
    Missing(Capabilities),
    /// Commissioning has not proven which sign of the direction is forward.
    DirectionNotProven,
    /// The belt runs one way.
    OneWay,
}

impl std::fmt::Display for Blind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Blind::Off(name) => write!(f, "it is off; set {name} to 1"),
            Blind::NoMotor => f.write_str("the belt has no motor"),
            Blind::Missing(missing) => {
                let names: Vec<&str> = missing.names().collect();
                write!(f, "the machine does not report {}", names.join(" and "))
            }
            Blind::DirectionNotProven => f.write_str("its direction was not proven at commissioning"),
            Blind::OneWay => f.write_str("its belt runs one way"),
        }
    }
}

/// The threshold that turns a rule on and off, by the rule's number less one.
const SWITCHES: [Option<&Threshold>; Rule::ALL.len()] = {
    let mut switches = [None; Rule::ALL.len()];
    let mut rule = 0;
    while rule < switches.len() {
        switches[rule] = switch(Rule::ALL[rule].definition().thresholds);
        rule += 1;
    }
    switches
};

const fn switch(thresholds: &'static [Threshold]) -> Option<&'static Threshold> {
    let mut place = 0;
    while place < thresholds.len() {
        if let [.., b'.', b'o', b'n'] = thresholds[place].name.as_bytes() {
            return Some(&thresholds[place]);
        }
        place += 1;
    }
    None
}

/// When a rule is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judged {
    /// With the event itself: the rule needs nothing else.
    AtOnce,
    /// In the order in which the agent wrote readings and events, so a little later when readings lag behind.
    Merged,
}

/// A rule in full.
#[derive(Debug)]
pub struct Definition {
    /// Which rule.
    pub rule: Rule,
    /// Counts the changes of its judgement, from 1.
    pub version: u32,
    /// Its title for people.
    pub title: &'static str,
    /// When it holds, in a sentence or two.
    pub meaning: &'static str,
    /// Why it exists and why its thresholds are what they are, with the source.
    pub reason: &'static str,
    /// When it may hold again.
    pub rearm: &'static str,
    /// What staff do, in plain words.
    pub card: &'static str,
    /// Severities it can have, the worst first.
    pub severities: &'static [Severity],
    /// When it is judged.
    pub judged: Judged,
    /// Sets of signals, each of which is enough.
    pub needs: &'static [Capabilities],
    /// Whether it needs a direction that commissioning has proven.
    pub is_about_direction: bool,
    /// Whether it is about a belt that runs in reverse.
    pub is_about_reverse: bool,
    /// Whether it is about belts with a motor only.
    pub is_for_motors: bool,
    /// Its thresholds. One whose name ends with `.on` turns the rule on and off.
    pub thresholds: &'static [Threshold],
    /// The judgement on one step. The step's track holds the record already.
    pub judge: fn(&mut Memory, &Step<'_>) -> Verdict,
}

/// What a rule remembers between steps, in microseconds of event time. Each rule says in its file what it keeps here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Since when its condition holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<UnixMicros>,
    /// For how long, in microseconds, as far as it is known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub held_us: i64,
    /// Moments, the newest last, at most `limits::RULE_MARKS_MAX`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<UnixMicros>,
    /// A number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<i64>,
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl Memory {
    /// Whether it remembers nothing.
    pub fn is_empty(&self) -> bool {
        *self == Memory::default()
    }

    /// Remembers a moment; of too many the oldest is forgotten.
    pub fn mark(&mut self, time: UnixMicros) {
        if self.marks.len() >= crate::limits::RULE_MARKS_MAX {
            self.marks.remove(0);
        }
        self.marks.push(time);
    }
}

/// What a rule says of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It does not hold.
    Clear,
    /// It cannot be told, or it may be about to hold: nothing is raised and nothing is cleared.
    Open,
    /// It holds.
    Holds(Finding),
    /// It turned out to have an explanation; the open incident ends with it.
    Explained(&'static str),
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// When it happened.
    pub time: UnixMicros,
    /// How bad.
    pub severity: Severity,
    /// Whether it is an incident of its own even if one is open.
    pub is_another: bool,
    /// Whether it is over with the record itself: it is never active.
    pub is_momentary: bool,
    /// More edges or values than one.
    pub count: u32,
    /// Which way the belt ran, and how that is known.
    pub direction: (Direction, Origin),
    /// Speed that it happened at.
    pub speed: Option<Speed>,
    /// Incline.
    pub incline: Option<Incline>,
    /// The contact concerned.
    pub contact: Option<Contact>,
    /// What was measured, by name with unit.
    pub measured: Vec<(&'static str, i64)>,
    /// What else is to be said, in one sentence; empty: nothing.
    pub detail: String,
}

impl Finding {
    /// A finding at a time, with the belt as the step's record shows it.
    pub fn new(step: &Step<'_>, time: UnixMicros, severity: Severity) -> Finding {
        let belt = step.picture();
        Finding {
            time,
            severity,
            is_another: false,
            is_momentary: false,
            count: 1,
            direction: step.direction(),
            speed: belt.speed,
            incline: belt.incline,
            contact: None,
            measured: Vec::new(),
            detail: String::new(),
        }
    }

    /// The same, over as soon as it happened.
    pub fn momentary(mut self) -> Finding {
        self.is_momentary = true;
        self
    }

    /// The same with something that was measured.
    pub fn measuring(mut self, name: &'static str, value: i64) -> Finding {
        self.measured.push((name, value));
        self
    }

    /// The same with a sentence.
    pub fn saying(mut self, detail: impl Into<String>) -> Finding {
        self.detail = detail.into();
        self
    }

    /// The same about a contact.
    pub fn about(mut self, contact: Contact) -> Finding {
        self.contact = Some(contact);
        self
    }
}
