//! From decoded frames to signals: what one machine says, in the product's words.
//!
//! A speed becomes a speed, never a direction. What a frame does not have becomes nothing, not zero. What cannot be
//! true is told as such and not used.

use domain::limits::{INCLINE_PLAUSIBLE_TENTHS_MAX, SPEED_PLAUSIBLE_MM_S_MAX};
use domain::signal::SignalValue;
use domain::units::{Incline, MonotonicMicros, Speed};

use super::Message;
use super::assembly::{Assembly, Effects, Input};
use super::control_point::ControlPoint;
use super::feature::Feature;
use super::model::Model;
use super::octets::Reported;
use super::parameter::{Parameter, StopControl};
use super::range::Range;
use super::status::{Status, StatusOperation};
use super::treadmill::Treadmill;

/// A range that a machine names may be exceeded by its size divided by this.
const RANGE_TOLERANCE: i32 = 10;

/// The mind between one machine's frames and its signals.
#[derive(Debug)]
pub struct Interpreter {
    model: Model,
    assembly: Assembly,
    heart_rate_sensor: bool,
    speed_range: Option<Range>,
    inclination_range: Option<Range>,
}

impl Interpreter {
    /// An interpreter for a machine of this model.
    pub fn new(model: Model) -> Interpreter {
        let heart_rate_sensor = model.heart_rate_sensor;
        Interpreter {
            model,
            assembly: Assembly::default(),
            heart_rate_sensor,
            speed_range: None,
            inclination_range: None,
        }
    }

    /// What a frame says. One that says nothing of the belt still shows that the machine is there.
    pub fn apply(&mut self, message: &Message, now: MonotonicMicros) -> Vec<SignalValue> {
        let mut out = Vec::new();
        match message {
            Message::Treadmill(part) => {
                if let Some(whole) = self.assemble(Input::Part(part.clone()), now) {
                    self.treadmill(&whole, &mut out);
                }
            }
            Message::Status(status) => self.status(status, &mut out),
            Message::Feature(feature) => self.heart_rate_sensor |= feature.machine & Feature::HEART_RATE != 0,
            Message::SpeedRange(range) => self.speed_range = Some(*range),
            Message::InclinationRange(range) => self.inclination_range = Some(*range),
            // Somebody else's program speaks, not the machine.
            Message::ControlPoint(ControlPoint::Request { .. }) => return out,
            Message::ControlPoint(ControlPoint::Response { .. }) | Message::Training(_) => {}
        }
        if out.is_empty() {
            out.push(SignalValue::Alive);
        }
        out
    }

    /// The connection ended: parts that wait for others are dropped.
    pub fn disconnected(&mut self, now: MonotonicMicros) {
        self.assemble(Input::Disconnected, now);
    }

    fn assemble(&mut self, input: Input, now: MonotonicMicros) -> Option<Treadmill> {
        let Effects { whole, dropped } = self.assembly.apply(input, now);
        if let Some((parts, reason)) = dropped {
            tracing::debug!(parts, ?reason, "parts without a closing part were dropped");
        }
        whole
    }

    fn treadmill(&mut self, whole: &Treadmill, out: &mut Vec<SignalValue>) {
        out.extend(whole.speed.map(|raw| self.speed("speed", raw, SignalValue::Speed)));
        if let (Some(Reported::Value(raw)), false) = (whole.inclination, self.model.target_incline) {
            out.push(self.incline(raw));
        }
        out.extend(whole.distance_m.map(SignalValue::Distance));
        out.extend(whole.elapsed_s.map(|seconds| SignalValue::Elapsed(u32::from(seconds))));
        if self.model.vendor_steps {
            out.extend(whole.vendor_steps.map(SignalValue::Steps));
        }
        if let Some(Reported::Value(newtons)) = whole.force_on_belt_n {
            out.push(SignalValue::BeltForce(i32::from(newtons)));
        }
        if let Some(bpm) = whole.heart_rate_bpm {
            self.heart_rate(bpm, out);
        }
    }

    /// 0 stands for "no reading": without a sensor it says nothing at all.
    fn heart_rate(&mut self, bpm: u8, out: &mut Vec<SignalValue>) {
        self.heart_rate_sensor |= bpm != 0;
        if self.heart_rate_sensor {
            out.push(SignalValue::HeartRateContact(bpm != 0));
        }
        if self.model.heart_rate_told && bpm != 0 {
            out.push(SignalValue::HeartRate(u32::from(bpm)));
        }
    }

    fn status(&self, status: &Status, out: &mut Vec<SignalValue>) {
        out.extend(match status.operation {
            StatusOperation::StoppedOrPausedByUser => stopped(&status.parameter),
            StatusOperation::StoppedBySafetyKey => Some(SignalValue::SafetyKeyStop),
            StatusOperation::StartedOrResumedByUser => Some(SignalValue::UserStarted),
            StatusOperation::TargetSpeedChanged => self.commanded(&status.parameter),
            StatusOperation::Reset
            | StatusOperation::TargetInclineChanged
            | StatusOperation::TargetResistanceLevelChanged
            | StatusOperation::TargetPowerChanged
            | StatusOperation::TargetHeartRateChanged
            | StatusOperation::TargetedExpendedEnergyChanged
            | StatusOperation::TargetedNumberOfStepsChanged
            | StatusOperation::TargetedNumberOfStridesChanged
            | StatusOperation::TargetedDistanceChanged
            | StatusOperation::TargetedTrainingTimeChanged
            | StatusOperation::TargetedTimeInTwoHeartRateZonesChanged
            | StatusOperation::TargetedTimeInThreeHeartRateZonesChanged
            | StatusOperation::TargetedTimeInFiveHeartRateZonesChanged
            | StatusOperation::IndoorBikeSimulationParametersChanged
            | StatusOperation::WheelCircumferenceChanged
            | StatusOperation::SpinDownStatus
            | StatusOperation::TargetedCadenceChanged
            | StatusOperation::ControlPermissionLost
            | StatusOperation::Reserved => None,
        });
    }

    fn commanded(&self, parameter: &Parameter) -> Option<SignalValue> {
        let Parameter::Speed(raw) = parameter else { return None };
        Some(self.speed("commanded speed", *raw, SignalValue::Commanded))
    }

    fn speed(&self, field: &str, raw: u16, value: fn(Speed) -> SignalValue) -> SignalValue {
        let speed = self.model.speed_unit.speed(raw);
        let most = Speed(SPEED_PLAUSIBLE_MM_S_MAX);
        if speed > most {
            let (speed, most) = (speed.kmh(), most.kmh());
            return SignalValue::Implausible(format!("{field} {speed:.2} km/h is above {most:.0} km/h"));
        }
        // Only the upper end: belts pass through all slower speeds.
        let named = self
            .speed_range
            .filter(|_| self.model.check_ranges)
            .and_then(|range| range.max)
            .filter(|max| *max > 0);
        if let Some(max) = named.filter(|max| i32::from(raw) > max + max / RANGE_TOLERANCE) {
            let max = self.model.speed_unit.speed(u16::try_from(max).unwrap_or(u16::MAX)).kmh();
            let speed = speed.kmh();
            return SignalValue::Implausible(format!(
                "{field} {speed:.2} km/h is above the machine's own {max:.2} km/h"
            ));
        }
        value(speed)
    }

    fn incline(&self, raw: i16) -> SignalValue {
        let incline = self.model.incline_scale.incline(raw);
        let most = INCLINE_PLAUSIBLE_TENTHS_MAX;
        if incline.0.saturating_abs() > most {
            let (percent, most) = (incline.percent(), Incline(most).percent());
            return SignalValue::Implausible(format!("incline {percent:.1} % is beyond ±{most:.0} %"));
        }
        let named = self.inclination_range.filter(|_| self.model.check_ranges);
        if let Some((min, max)) = named.and_then(|range| range.min.zip(range.max)) {
            let tolerance = (max - min) / RANGE_TOLERANCE;
            if i32::from(raw) < min - tolerance || i32::from(raw) > max + tolerance {
                let percent = incline.percent();
                return SignalValue::Implausible(format!(
                    "incline {percent:.1} % is beyond the machine's own range"
                ));
            }
        }
        SignalValue::Incline(incline)
    }
}

/// A frame that ended before it said which of the two, or says neither, tells nothing.
fn stopped(parameter: &Parameter) -> Option<SignalValue> {
    let Parameter::Stop(control) = parameter else { return None };
    match control {
        StopControl::Stop => Some(SignalValue::UserStopped),
        StopControl::Pause => Some(SignalValue::UserPaused),
        StopControl::Reserved(_) => None,
    }
}

#[cfg(test)]
mod tests;
