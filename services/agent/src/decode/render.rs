//! Decoded frames as named values, and what is wrong with them in words.

use super::fields::Fields;
use crate::ftms::Message;
use crate::ftms::control_point::{ControlPoint, request_name, result_name};
use crate::ftms::feature::Feature;
use crate::ftms::octets::Cut;
use crate::ftms::parameter::{Parameter, Simulation, StopControl};
use crate::ftms::range::Range;
use crate::ftms::status::Status;
use crate::ftms::training::Training;
use crate::ftms::treadmill::{FLAGS_RESERVED, Treadmill};

/// A frame's fields under construction.
#[derive(Debug, Default)]
struct Rendering {
    fields: Fields,
    faults: Vec<String>,
}

/// The fields of a frame, and what is wrong with its octets.
pub(super) fn rendered(message: &Result<Message, Cut>) -> (Fields, Option<String>) {
    let mut rendering = Rendering::default();
    match message {
        Ok(Message::Treadmill(frame)) => rendering.treadmill(frame),
        Ok(Message::Status(frame)) => rendering.status(frame),
        Ok(Message::Training(frame)) => rendering.training(frame),
        Ok(Message::Feature(frame)) => rendering.feature(frame),
        Ok(Message::SpeedRange(frame)) => rendering.range(frame, 100.0),
        Ok(Message::InclinationRange(frame)) => rendering.range(frame, 10.0),
        Ok(Message::ControlPoint(frame)) => rendering.control_point(frame),
        Err(cut) => rendering.cut(Some(*cut)),
    }
    let error = (!rendering.faults.is_empty()).then(|| rendering.faults.join("; "));
    (rendering.fields, error)
}

impl Rendering {
    fn cut(&mut self, cut: Option<Cut>) {
        if let Some(cut) = cut {
            self.fields.push("truncated", true);
            self.faults.push(cut.to_string());
        }
    }

    fn treadmill(&mut self, frame: &Treadmill) {
        let fields = &mut self.fields;
        fields.push("flags", frame.flags);
        fields.push("more_data", frame.more());
        fields.scaled("instantaneous_speed_kmh", frame.speed, 100.0);
        fields.scaled("average_speed_kmh", frame.average_speed, 100.0);
        fields.maybe("total_distance_m", frame.distance_m);
        fields.reported_scaled("inclination_pct", frame.inclination, 10.0);
        fields.reported_scaled("ramp_angle_deg", frame.ramp_angle, 10.0);
        fields.scaled("elevation_gain_pos_m", frame.elevation_gain_positive, 10.0);
        fields.scaled("elevation_gain_neg_m", frame.elevation_gain_negative, 10.0);
        fields.maybe("instantaneous_pace_raw", frame.instantaneous_pace);
        fields.maybe("average_pace_raw", frame.average_pace);
        fields.reported("total_energy_kcal", frame.energy_kcal);
        fields.reported("energy_per_hour_kcal", frame.energy_per_hour_kcal);
        fields.reported("energy_per_minute_kcal", frame.energy_per_minute_kcal);
        fields.maybe("heart_rate_bpm", frame.heart_rate_bpm);
        fields.scaled("met", frame.metabolic_equivalent, 10.0);
        fields.maybe("elapsed_time_s", frame.elapsed_s);
        fields.maybe("remaining_time_s", frame.remaining_s);
        fields.reported("force_on_belt_n", frame.force_on_belt_n);
        fields.reported("power_output_w", frame.power_output_w);
        let reserved = frame.flags & FLAGS_RESERVED;
        fields.maybe("rfu_flags", (reserved != 0).then_some(reserved));
        fields.maybe("trailing", (!frame.trailing.is_empty()).then(|| hex::encode(&frame.trailing)));
        fields.maybe("vendor_bit13_u24", frame.vendor_steps);
        self.cut(frame.cut);
    }

    fn status(&mut self, frame: &Status) {
        self.fields.push("op", frame.code);
        self.fields.push("name", frame.operation.name());
        self.parameter(&frame.parameter);
        self.cut(frame.cut);
    }

    fn training(&mut self, frame: &Training) {
        self.fields.push("flags", frame.flags);
        self.fields.maybe("status", frame.status);
        self.fields.maybe("name", frame.name());
        if let Some(text) = &frame.text {
            if std::str::from_utf8(text).is_err() {
                self.faults.push(format!("string is not UTF-8: {}", hex::encode(text)));
            }
            self.fields.push("string", String::from_utf8_lossy(text).into_owned());
        }
        self.cut(frame.cut);
    }

    fn feature(&mut self, frame: &Feature) {
        self.fields.push("machine", frame.machine_names());
        self.fields.maybe("target", frame.target_names());
        self.cut(frame.cut);
    }

    fn range(&mut self, frame: &Range, parts: f64) {
        self.fields.scaled("min", frame.min, parts);
        self.fields.scaled("max", frame.max, parts);
        self.fields.scaled("increment", frame.increment, parts);
        self.cut(frame.cut);
    }

    fn control_point(&mut self, frame: &ControlPoint) {
        match frame {
            ControlPoint::Request { code, parameter, cut } => {
                self.request("request", *code);
                if let Parameter::Speed(raw) = parameter {
                    self.fields.scaled("speed_kmh", Some(*raw), 100.0);
                } else if let Parameter::Inclination(raw) = parameter {
                    self.fields.scaled("inclination_pct", Some(*raw), 10.0);
                } else {
                    self.parameter(parameter);
                }
                self.cut(*cut);
            }
            ControlPoint::Response { code, result, cut } => {
                if let Some(code) = code {
                    self.request("response_to", *code);
                }
                if let Some(result) = result {
                    self.named("result", *result, result_name(*result));
                }
                self.cut(*cut);
            }
        }
    }

    fn request(&mut self, field: &'static str, code: u8) {
        self.named(field, code, request_name(code));
    }

    /// A name for a code that is not printed itself, so that a reserved one has to be told in words.
    fn named(&mut self, field: &'static str, code: u8, name: &'static str) {
        self.fields.push(field, name);
        if name == "reserved" {
            self.faults.push(format!("{field} {code:#04x} is reserved"));
        }
    }

    fn parameter(&mut self, parameter: &Parameter) {
        match parameter {
            Parameter::None => {}
            Parameter::Stop(control) => self.stop(*control),
            Parameter::Speed(raw) => self.value(f64::from(*raw) / 100.0, "kmh"),
            Parameter::Inclination(raw) => self.value(f64::from(*raw) / 10.0, "pct"),
            Parameter::Resistance(raw) => self.value(f64::from(*raw) / 10.0, "unitless"),
            Parameter::Power(raw) => self.value(*raw, "w"),
            Parameter::HeartRate(raw) => self.value(*raw, "bpm"),
            Parameter::Energy(raw) => self.value(*raw, "kcal"),
            Parameter::Steps(raw) => self.value(*raw, "steps"),
            Parameter::Strides(raw) => self.value(*raw, "strides"),
            Parameter::Distance(raw) => self.value(*raw, "m"),
            Parameter::Time(raw) => self.value(*raw, "s"),
            Parameter::ZoneTimes(times) if times.is_empty() => {}
            Parameter::ZoneTimes(times) => self.value(times.as_slice(), "s"),
            Parameter::Simulation(simulation) => self.simulation(simulation),
            Parameter::Wheel(raw) => self.value(f64::from(*raw) / 10.0, "mm"),
            Parameter::SpinDown(raw) => self.value(*raw, "code"),
            Parameter::Cadence(raw) => self.value(f64::from(*raw) / 2.0, "per_min"),
        }
    }

    fn value(&mut self, value: impl Into<serde_json::Value>, unit: &'static str) {
        self.fields.push("value", value);
        self.fields.push("unit", unit);
    }

    fn stop(&mut self, control: StopControl) {
        match control {
            StopControl::Stop => self.fields.push("control", "stop"),
            StopControl::Pause => self.fields.push("control", "pause"),
            StopControl::Reserved(raw) => {
                self.fields.push("control", "reserved");
                self.faults.push(format!("control {raw} is reserved: 1 is stop, 2 is pause"));
            }
        }
    }

    fn simulation(&mut self, simulation: &Simulation) {
        self.fields.scaled("wind_speed_ms", simulation.wind_speed, 1_000.0);
        self.fields.scaled("grade_pct", simulation.grade, 100.0);
        self.fields.scaled("rolling_resistance", simulation.rolling_resistance, 10_000.0);
        self.fields.scaled("wind_resistance_kg_per_m", simulation.wind_resistance, 100.0);
    }
}
