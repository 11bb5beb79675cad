//! From a machine's frames to signals, whichever of its services they come from.

use domain::limits::SPEED_PLAUSIBLE_MM_S_MAX;
use domain::signal::{Capabilities, SignalValue};
use domain::units::{MonotonicMicros, Speed};

use super::heart_rate::HeartRate;
use super::wanted::Heard;
use crate::ftms::Message;
use crate::ftms::feature::Feature;
use crate::ftms::interpreter::Interpreter;
use crate::ftms::model::Model;
use crate::ftms::octets::Cut;
use crate::ftms::treadmill::PaceWidth;
use crate::running_speed::RunningSpeed;

/// The mind of one connection to a machine.
#[derive(Debug)]
pub(super) struct Mind {
    interpreter: Interpreter,
    pace_width: PaceWidth,
    heart_rate_told: bool,
    /// What the machine says that it can report.
    feature: Option<Feature>,
}

impl Mind {
    /// The mind of a new connection to a machine of this model.
    pub(super) fn new(model: Model) -> Mind {
        let (pace_width, heart_rate_told) = (model.pace_width, model.heart_rate_told);
        Mind { interpreter: Interpreter::new(model), pace_width, heart_rate_told, feature: None }
    }

    /// What a frame says.
    ///
    /// # Errors
    ///
    /// If it ends before it says anything.
    pub(super) fn apply(
        &mut self,
        heard: Heard,
        octets: &[u8],
        now: MonotonicMicros,
    ) -> Result<Vec<SignalValue>, Cut> {
        match heard {
            Heard::Ftms(characteristic) => {
                let message = Message::decode(characteristic, octets, self.pace_width)?;
                if let Message::Feature(feature) = &message {
                    self.feature = Some(*feature);
                }
                Ok(self.interpreter.apply(&message, now))
            }
            Heard::RunningSpeed => Ok(running_speed(RunningSpeed::decode(octets)?)),
            Heard::HeartRate => Ok(self.heart_rate(HeartRate::decode(octets)?)),
        }
    }

    /// The connection ended.
    pub(super) fn disconnected(&mut self, now: MonotonicMicros) {
        self.interpreter.disconnected(now);
    }

    /// A sensor that does not measure contact says nothing of it.
    fn heart_rate(&self, told: HeartRate) -> Vec<SignalValue> {
        let mut out: Vec<SignalValue> = told.contact.map(SignalValue::HeartRateContact).into_iter().collect();
        if let Some(bpm) =
            told.bpm.filter(|bpm| *bpm != 0 && self.heart_rate_told && told.contact != Some(false))
        {
            out.push(SignalValue::HeartRate(u32::from(bpm)));
        }
        if out.is_empty() {
            out.push(SignalValue::Alive);
        }
        out
    }

    /// By their names: what is claimed and the machine denies, and what it has beside.
    pub(super) fn compare(&self, claimed: Capabilities) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut denied, mut beside) = (Vec::new(), Vec::new());
        let Some(feature) = self.feature else { return (denied, beside) };
        for (capability, bit) in Feature::BY_CAPABILITY {
            match (claimed.has(capability), feature.machine & bit != 0) {
                (true, false) => denied.extend(capability.names()),
                (false, true) => beside.extend(capability.names()),
                (true, true) | (false, false) => {}
            }
        }
        (denied, beside)
    }
}

/// A speed without sign, as FTMS has it. Cadence and stride are not steps that were counted.
fn running_speed(told: RunningSpeed) -> Vec<SignalValue> {
    let mut out = Vec::new();
    if let Some(raw) = told.speed {
        // Rounded to the nearest mm/s.
        let speed = Speed((u32::from(raw) * 1_000 + 128) / 256);
        let most = Speed(SPEED_PLAUSIBLE_MM_S_MAX);
        out.push(if speed > most {
            let (speed, most) = (speed.kmh(), most.kmh());
            SignalValue::Implausible(format!("speed {speed:.2} km/h is above {most:.0} km/h"))
        } else {
            SignalValue::Speed(speed)
        });
    }
    out.extend(told.total_distance.map(|decimetres| SignalValue::Distance(decimetres / 10)));
    if out.is_empty() {
        out.push(SignalValue::Alive);
    }
    out
}

#[cfg(test)]
mod tests;
