mod serial;

use super::*;
use crate::ftms;
use proptest::prelude::*;
use serde_json::{Value, json};

/// What is printed for lines of text, and the summary.
fn decoded(text: &[u8]) -> (Vec<Value>, Summary) {
    let mut output = Vec::new();
    let summary = run(&mut &*text, &mut output).unwrap();
    let lines = output.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
    (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), summary)
}

fn line(characteristic: &str, hex: &str) -> String {
    let hex = hex.replace(' ', "");
    format!("{{\"characteristic\": \"{characteristic}\", \"hex\": \"{hex}\"}}\n")
}

/// Checks fields and error of one frame.
fn check(characteristic: &str, hex: &str, fields: Value, error: Option<&str>) {
    let (lines, _) = decoded(line(characteristic, hex).as_bytes());
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["line"], 1);
    assert_eq!(lines[0]["characteristic"], characteristic);
    assert_eq!(lines[0].get("decoded"), Some(&fields), "{characteristic} {hex}");
    assert_eq!(lines[0].get("error").and_then(Value::as_str), error, "{characteristic} {hex}");
}

#[test]
fn treadmill_frames() {
    let parts = json!({"flags": 7, "more_data": true, "average_speed_kmh": 5.0, "total_distance_m": 1_000});
    check("2acd", "0700 f401 e80300", parts, None);
    check(
        "2acd",
        "8001 bc02 0f00 2c01 05 78",
        json!({
            "flags": 0x180, "more_data": false, "instantaneous_speed_kmh": 7.0, "total_energy_kcal": 15,
            "energy_per_hour_kcal": 300, "energy_per_minute_kcal": 5, "heart_rate_bpm": 120,
        }),
        None,
    );
    check(
        "2acd",
        "0800 fa00 e7ff ff7f",
        json!({
            "flags": 8, "more_data": false, "instantaneous_speed_kmh": 2.5, "inclination_pct": -2.5,
            "ramp_angle_deg": null,
        }),
        None,
    );
    check(
        "2acd",
        "711e ff7f 0a00 5f60 5f 2c01 5802 0a00 ff7f 010203",
        json!({
            "flags": 0x1E71, "more_data": true, "elevation_gain_pos_m": 3276.7, "elevation_gain_neg_m": 1.0,
            "instantaneous_pace_raw": 95, "average_pace_raw": 96, "met": 9.5, "elapsed_time_s": 300,
            "remaining_time_s": 600, "force_on_belt_n": 10, "power_output_w": null, "trailing": "010203",
        }),
        None,
    );
    check(
        "2acd",
        "8424 6400 20",
        json!({
            "flags": 9_348, "more_data": false, "instantaneous_speed_kmh": 1.0, "rfu_flags": 8_192,
            "truncated": true,
        }),
        Some("cut: total_distance needs 3 octets, 1 left"),
    );
    check("2acd", "", json!({"truncated": true}), Some("cut: flags needs 2 octets, 0 left"));
}

#[test]
fn status_frames() {
    let value = |op: u8, name: &str, value: Value, unit: &str| json!({"op": op, "name": name, "value": value, "unit": unit});
    check("2ada", "03 aa", json!({"op": 3, "name": "stopped_by_safety_key"}), None);
    check("2ada", "0201", json!({"op": 2, "name": "stopped_or_paused_by_user", "control": "stop"}), None);
    check(
        "2ada",
        "0203",
        json!({"op": 2, "name": "stopped_or_paused_by_user", "control": "reserved"}),
        Some("control 3 is reserved: 1 is stop, 2 is pause"),
    );
    check("2ada", "040000", json!({"op": 4, "name": "started_or_resumed_by_user"}), None);
    check("2ada", "05b100", value(5, "target_speed_changed", json!(1.77), "kmh"), None);
    check("2ada", "06e2ff", value(6, "target_incline_changed", json!(-3.0), "pct"), None);
    check("2ada", "0719", value(7, "target_resistance_level_changed", json!(2.5), "unitless"), None);
    check("2ada", "07f6ff", value(7, "target_resistance_level_changed", json!(-1.0), "unitless"), None);
    check("2ada", "08fa00", value(8, "target_power_changed", json!(250), "w"), None);
    check("2ada", "098c", value(9, "target_heart_rate_changed", json!(140), "bpm"), None);
    check("2ada", "0af401", value(10, "targeted_expended_energy_changed", json!(500), "kcal"), None);
    check("2ada", "0be803", value(11, "targeted_number_of_steps_changed", json!(1_000), "steps"), None);
    check("2ada", "0ce803", value(12, "targeted_number_of_strides_changed", json!(1_000), "strides"), None);
    check("2ada", "0d881300", value(13, "targeted_distance_changed", json!(5_000), "m"), None);
    check("2ada", "0e0807", value(14, "targeted_training_time_changed", json!(1_800), "s"), None);
    let zones = "targeted_time_in_two_heart_rate_zones_changed";
    check("2ada", "0f01000200", value(15, zones, json!([1, 2]), "s"), None);
    check(
        "2ada",
        "0f",
        json!({"op": 15, "name": zones, "truncated": true}),
        Some("cut: time_in_heart_rate_zone needs 2 octets, 0 left"),
    );
    check(
        "2ada",
        "1218fc2c012833",
        json!({
            "op": 18, "name": "indoor_bike_simulation_parameters_changed", "wind_speed_ms": -1.0,
            "grade_pct": 3.0, "rolling_resistance": 0.004, "wind_resistance_kg_per_m": 0.51,
        }),
        None,
    );
    check("2ada", "134c52", value(19, "wheel_circumference_changed", json!(2106.8), "mm"), None);
    check("2ada", "1402", value(20, "spin_down_status", json!(2), "code"), None);
    check("2ada", "15b500", value(21, "targeted_cadence_changed", json!(90.5), "per_min"), None);
    check("2ada", "42", json!({"op": 66, "name": "reserved"}), None);
    check("2ada", "ff", json!({"op": 255, "name": "control_permission_lost"}), None);
}

#[test]
fn training_feature_and_range_frames() {
    let text = json!({"flags": 1, "status": 2, "name": "warming_up", "string": "Wärm"});
    check("2ad3", "0102 57c3a4726d", text, None);
    check("2ad3", "0101", json!({"flags": 1, "status": 1, "name": "idle"}), None);
    check(
        "2ad3",
        "0101ff41",
        json!({"flags": 1, "status": 1, "name": "idle", "string": "\u{fffd}A"}),
        Some("string is not UTF-8: ff41"),
    );
    check("2ad3", "00", json!({"flags": 0, "truncated": true}), Some("cut: status needs 1 octets, 0 left"));
    check(
        "2acc",
        "0004 0000 0300 0000",
        json!({"machine": ["heart_rate_measurement"], "target": ["speed", "inclination"]}),
        None,
    );
    check(
        "2acc",
        "0000 0000",
        json!({"machine": [], "truncated": true}),
        Some("cut: target needs 4 octets, 0 left"),
    );
    check("2ad4", "50003a020a00", json!({"min": 0.8, "max": 5.7, "increment": 0.1}), None);
    check("2ad5", "e2ff96000500", json!({"min": -3.0, "max": 15.0, "increment": 0.5}), None);
    check("2ad5", "e2ff96", json!({"min": -3.0, "truncated": true}), Some("cut: max needs 2 octets, 1 left"));
}

#[test]
fn control_point_frames() {
    check("2ad9", "00", json!({"request": "request_control"}), None);
    check("2ad9", "02f401", json!({"request": "set_target_speed", "speed_kmh": 5.0}), None);
    check("2ad9", "03e2ff", json!({"request": "set_target_inclination", "inclination_pct": -3.0}), None);
    check("2ad9", "0801", json!({"request": "stop_or_pause", "control": "stop"}), None);
    check("2ad9", "05fa00", json!({"request": "set_target_power", "value": 250, "unit": "w"}), None);
    check("2ad9", "800201", json!({"response_to": "set_target_speed", "result": "success"}), None);
    check("2ad9", "60", json!({"request": "reserved"}), Some("request 0x60 is reserved"));
    check("2ad9", "80", json!({"truncated": true}), Some("cut: response_to needs 1 octets, 0 left"));
    check(
        "2ad9",
        "80070a",
        json!({"response_to": "start_or_resume", "result": "reserved"}),
        Some("result 0x0a is reserved"),
    );
}

#[test]
fn no_line_stops_the_others() {
    let mut text = b"\n{\n\xff\n".to_vec();
    text.extend_from_slice(line("csafe", "f1").as_bytes());
    text.extend_from_slice(line("2a37", "00").as_bytes());
    text.extend_from_slice(line("2acd", "000").as_bytes());
    text.extend_from_slice(line("2acd", "0000").as_bytes());
    text.extend_from_slice(line("2ada", "03").trim_end().as_bytes());
    let (lines, summary) = decoded(&text);
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let error = line.get("error").and_then(Value::as_str).unwrap_or_default();
            let words = error.split(':').next().unwrap_or_default();
            (
                line["line"].as_u64().unwrap(),
                line["characteristic"].as_str(),
                words,
                line.get("decoded").is_some(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (2, None, "line is not JSON", false),
            (3, None, "line is not UTF-8", false),
            (4, Some("csafe"), "cut", true),
            (5, Some("2a37"), "characteristic is \"2a37\"", false),
            (6, Some("2acd"), "hex is \"000\"", false),
            (7, Some("2acd"), "cut", true),
            (8, Some("2ada"), "", true),
        ]
    );
    assert_eq!(summary, Summary { lines: 7, decoded: 3, faulty: 2, unusable: 4 });
    assert_eq!(summary.to_string(), "7 lines: 3 decoded (2 of them faulty), 4 unusable");
}

/// The fields of a frame as JSON.
fn fields(characteristic: ftms::Characteristic, octets: &[u8]) -> serde_json::Map<String, Value> {
    let message = Message::decode(characteristic, octets, PaceWidth::OneOctet);
    let Value::Object(fields) = serde_json::to_value(render::rendered(&message).0).unwrap() else {
        panic!("fields are an object")
    };
    fields
}

/// Frames whose meaning does not depend on their length: no pace, no resistance level, no text.
fn any_frame() -> impl Strategy<Value = (ftms::Characteristic, Vec<u8>)> {
    use ftms::Characteristic as C;
    let characteristic = proptest::sample::select(vec![
        C::Treadmill,
        C::Status,
        C::Training,
        C::Feature,
        C::SpeedRange,
        C::InclinationRange,
        C::ControlPoint,
    ]);
    (characteristic, proptest::collection::vec(any::<u8>(), 1..40)).prop_map(
        |(characteristic, mut octets)| {
            match characteristic {
                C::Treadmill => octets[0] &= !0x60,
                C::Status if octets[0] == 7 => octets[0] = 8,
                C::ControlPoint if octets[0] == 4 => octets[0] = 5,
                C::Training => octets[0] &= !1,
                C::Status | C::ControlPoint | C::Feature | C::SpeedRange | C::InclinationRange => {}
            }
            (characteristic, octets)
        },
    )
}

proptest! {
    #[test]
    fn a_cut_frame_is_printed_with_no_field_that_the_whole_has_not(
        (characteristic, octets) in any_frame(),
        at in 0..40_usize,
    ) {
        let at = at.min(octets.len());
        let whole = fields(characteristic, &octets);
        for (name, value) in fields(characteristic, &octets[..at]) {
            match (name.as_str(), &value, whole.get(&name)) {
                // Of times in zones, a cut frame has the first ones.
                ("value", Value::Array(part), Some(Value::Array(times))) => {
                    prop_assert!(times.starts_with(part));
                }
                ("trailing", Value::String(part), Some(Value::String(trailing))) => {
                    prop_assert!(trailing.starts_with(part.as_str()));
                }
                ("truncated", _, _) => prop_assert!(at < 40),
                (_, value, of_whole) => prop_assert_eq!(Some(value), of_whole, "{}", name),
            }
        }
    }

    #[test]
    fn any_text_is_answered_line_by_line(text in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (lines, summary) = decoded(&text);
        let blank = |line: &&[u8]| !line.trim_ascii().is_empty();
        prop_assert_eq!(lines.len(), text.split(|octet| *octet == b'\n').filter(blank).count());
        prop_assert_eq!(summary.lines, lines.len() as u64);
    }
}
