//! The line protocol: one JSON object a line, for machines that no source here knows. `docs/sources/lines.md` describes
//! it.

use domain::belt::{Contact, Direction};
use domain::limits::{INCLINE_PLAUSIBLE_TENTHS_MAX, SOURCE_LINE_BYTES_MAX, SPEED_PLAUSIBLE_MM_S_MAX};
use domain::signal::SignalValue;
use domain::units::{Incline, MILLI, MonotonicMicros, Speed};
use serde::Deserialize;

/// Oldest observation that a line may tell, in milliseconds.
const AGE_MS_MAX: u64 = 10_000;

/// What one line may say. Every key may be left out; what is left out says nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Line {
    age_ms: u64,
    speed_mm_s: Option<u32>,
    direction: Option<Way>,
    declared_direction: Option<Way>,
    incline_tenths_percent: Option<i32>,
    contacts: Contacts,
    commanded_mm_s: Option<u32>,
    elapsed_s: Option<u32>,
    distance_m: Option<u32>,
    steps: Option<u32>,
    belt_force_n: Option<i32>,
    heart_rate_contact: Option<bool>,
    heart_rate_bpm: Option<u8>,
    user: Option<User>,
    safety_key_stop: bool,
    fault: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Forward,
    Reverse,
    Stopped,
    Unknown,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Contacts {
    emergency_stop: Option<Level>,
    safety_key: Option<Level>,
    machine_power: Option<Level>,
    hand_rail: Option<Level>,
    user_presence: Option<Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Open,
    Closed,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum User {
    Started,
    Stopped,
    Paused,
}

/// What a line says, and when it was seen.
///
/// # Errors
///
/// In words, if it is no object of the protocol. Nothing of such a line is used.
pub fn read(line: &[u8], now: MonotonicMicros) -> Result<(MonotonicMicros, Vec<SignalValue>), String> {
    if line.len() > SOURCE_LINE_BYTES_MAX {
        return Err(format!("the line is longer than {SOURCE_LINE_BYTES_MAX} octets"));
    }
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if line.age_ms > AGE_MS_MAX {
        return Err(format!("age_ms is {}: at most {AGE_MS_MAX} is allowed", line.age_ms));
    }
    let at = MonotonicMicros(now.0.saturating_sub(line.age_ms * MILLI));
    let mut out = Vec::new();
    line.belt(&mut out);
    line.machine(&mut out);
    if out.is_empty() {
        out.push(SignalValue::Alive);
    }
    Ok((at, out))
}

impl Line {
    /// Direction goes first: a speed after it is a speed in that direction.
    fn belt(&self, out: &mut Vec<SignalValue>) {
        out.extend(self.direction.map(|way| SignalValue::MeasuredDirection(way.direction())));
        out.extend(self.declared_direction.map(|way| SignalValue::DeclaredDirection(way.direction())));
        out.extend(self.speed_mm_s.map(|speed| plausible_speed("speed_mm_s", speed, SignalValue::Speed)));
        out.extend(self.incline_tenths_percent.map(plausible_incline));
        let levels = [
            (Contact::EmergencyStop, self.contacts.emergency_stop),
            (Contact::SafetyKey, self.contacts.safety_key),
            (Contact::MachinePower, self.contacts.machine_power),
            (Contact::HandRail, self.contacts.hand_rail),
            (Contact::UserPresence, self.contacts.user_presence),
        ];
        for (contact, level) in levels {
            out.extend(level.map(|level| SignalValue::ContactLevel { contact, open: level == Level::Open }));
        }
    }

    fn machine(self, out: &mut Vec<SignalValue>) {
        let commanded = self.commanded_mm_s;
        out.extend(commanded.map(|speed| plausible_speed("commanded_mm_s", speed, SignalValue::Commanded)));
        out.extend(self.elapsed_s.map(SignalValue::Elapsed));
        out.extend(self.distance_m.map(SignalValue::Distance));
        out.extend(self.steps.map(SignalValue::Steps));
        out.extend(self.belt_force_n.map(SignalValue::BeltForce));
        out.extend(self.heart_rate_contact.map(SignalValue::HeartRateContact));
        out.extend(self.heart_rate_bpm.map(|rate| SignalValue::HeartRate(u32::from(rate))));
        out.extend(self.user.map(|user| match user {
            User::Started => SignalValue::UserStarted,
            User::Stopped => SignalValue::UserStopped,
            User::Paused => SignalValue::UserPaused,
        }));
        if self.safety_key_stop {
            out.push(SignalValue::SafetyKeyStop);
        }
        out.extend(self.fault.map(SignalValue::Fault));
    }
}

impl Way {
    fn direction(self) -> Direction {
        match self {
            Way::Forward => Direction::Forward,
            Way::Reverse => Direction::Reverse,
            Way::Stopped => Direction::Stopped,
            Way::Unknown => Direction::Unknown,
        }
    }
}

fn plausible_speed(key: &str, mm_s: u32, value: fn(Speed) -> SignalValue) -> SignalValue {
    if mm_s > SPEED_PLAUSIBLE_MM_S_MAX {
        return SignalValue::Implausible(format!("{key} {mm_s} is above {SPEED_PLAUSIBLE_MM_S_MAX}"));
    }
    value(Speed(mm_s))
}

fn plausible_incline(tenths: i32) -> SignalValue {
    if tenths.saturating_abs() > INCLINE_PLAUSIBLE_TENTHS_MAX {
        let most = INCLINE_PLAUSIBLE_TENTHS_MAX;
        return SignalValue::Implausible(format!("incline_tenths_percent {tenths} is beyond ±{most}"));
    }
    SignalValue::Incline(Incline(tenths))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: MonotonicMicros = MonotonicMicros(60_000_000);

    #[track_caller]
    fn check(line: &str, expected: &[SignalValue]) {
        assert_eq!(read(line.as_bytes(), NOW).unwrap(), (NOW, expected.to_vec()));
    }

    #[track_caller]
    fn check_refused(line: &str, part: &str) {
        let error = read(line.as_bytes(), NOW).unwrap_err();
        assert!(error.contains(part), "{error}");
    }

    #[test]
    fn a_line_says_what_it_has_and_nothing_else() {
        check("{}", &[SignalValue::Alive]);
        check(
            r#"{"speed_mm_s": 450, "direction": "reverse"}"#,
            &[SignalValue::MeasuredDirection(Direction::Reverse), SignalValue::Speed(Speed(450))],
        );
        check(
            r#"{"declared_direction": "forward", "incline_tenths_percent": -15}"#,
            &[SignalValue::DeclaredDirection(Direction::Forward), SignalValue::Incline(Incline(-15))],
        );
        check(
            r#"{"contacts": {"safety_key": "open", "hand_rail": "closed"}}"#,
            &[
                SignalValue::ContactLevel { contact: Contact::SafetyKey, open: true },
                SignalValue::ContactLevel { contact: Contact::HandRail, open: false },
            ],
        );
        check(
            r#"{"user": "paused", "safety_key_stop": true, "fault": "E07", "steps": 3}"#,
            &[
                SignalValue::Steps(3),
                SignalValue::UserPaused,
                SignalValue::SafetyKeyStop,
                SignalValue::Fault("E07".to_owned()),
            ],
        );
    }

    #[test]
    fn what_cannot_be_true_is_told_as_such() {
        check(
            r#"{"speed_mm_s": 90000}"#,
            &[SignalValue::Implausible(format!("speed_mm_s 90000 is above {SPEED_PLAUSIBLE_MM_S_MAX}"))],
        );
    }

    #[test]
    fn an_age_moves_the_time_back() {
        let (at, _) = read(br#"{"age_ms": 1500, "speed_mm_s": 0}"#, NOW).unwrap();
        assert_eq!(at, MonotonicMicros(58_500_000));
    }

    #[test]
    fn a_wrong_line_is_refused_whole_and_by_name() {
        check_refused(r#"{"speed_mm_s": -1}"#, "-1");
        check_refused(r#"{"speed_kmh": 3}"#, "speed_kmh");
        check_refused(r#"{"direction": "backward"}"#, "backward");
        check_refused(r#"{"age_ms": 60000}"#, "age_ms is 60000");
        check_refused("speed=3", "expected value");
        check_refused(&format!("{{{}}}", " ".repeat(SOURCE_LINE_BYTES_MAX)), "longer than");
    }

    proptest! {
        #[test]
        fn no_octets_break_it(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&line, NOW);
        }
    }
}
