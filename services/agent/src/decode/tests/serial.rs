//! Frames of serial lines, and 2A53.

use proptest::prelude::*;
use serde_json::json;

use super::{check, decoded};
use crate::modbus;

/// Checks a frame of which the capture says which way it went.
fn check_way(
    characteristic: &str,
    direction: &str,
    hex: &str,
    fields: serde_json::Value,
    error: Option<&str>,
) {
    let hex = hex.replace(' ', "");
    let line = json!({ "characteristic": characteristic, "hex": hex, "direction": direction }).to_string();
    let (lines, _) = decoded(line.as_bytes());
    assert_eq!(lines[0].get("decoded"), Some(&fields), "{characteristic} {direction} {hex}");
    assert_eq!(lines[0].get("error").and_then(serde_json::Value::as_str), error, "{characteristic} {hex}");
}

#[test]
fn running_speed_frames() {
    check(
        "2a53",
        "07 8002 50 6e00 e8030000",
        json!({
            "flags": 7, "speed_ms": 2.5, "cadence_per_min": 80, "stride_length_m": 1.1, "total_distance_m": 100.0,
            "running": true,
        }),
        None,
    );
    let walking = json!({"flags": 0, "speed_ms": 1.0, "cadence_per_min": 60, "running": false});
    check("2a53", "00 0001 3c aabb", walking, None);
    let distance = json!({
        "flags": 2, "speed_ms": 0.0, "cadence_per_min": 0, "total_distance_m": 0.1, "running": false,
    });
    check("2a53", "02 0000 00 01000000", distance, None);
    check(
        "2a53",
        "03 0001 3c 6e00 e803",
        json!({
            "flags": 3, "speed_ms": 1.0, "cadence_per_min": 60, "stride_length_m": 1.1, "running": false,
            "truncated": true,
        }),
        Some("cut: total_distance needs 4 octets, 2 left"),
    );
    check("2a53", "", json!({"truncated": true}), Some("cut: flags needs 1 octets, 0 left"));
}

#[test]
fn csafe_frames() {
    check("csafe", "f1 80 a5 25 f2", json!({"commands": [{"cmd": 0x80}, {"cmd": 0xA5}]}), None);
    let in_use = json!({
        "commands": [{"cmd": 0xA5, "data": "1e0011"}], "status": 5, "frame_toggle": false, "previous": "ok",
        "state": "in_use",
    });
    check("csafe", "f1 05 a5 03 1e 00 11 ac f2", in_use.clone(), None);
    check_way("csafe", "response", "f1 05 a5 03 1e 00 11 ac f2", in_use, None);
    let stuffed = json!({
        "commands": [{"cmd": 0xA5, "data": "f00031"}], "status": 5, "frame_toggle": false, "previous": "ok",
        "state": "in_use",
    });
    check("csafe", "f1 05 a5 03 f3 00 00 31 62 f2", stuffed, None);
    let status = |status: u8, toggle: bool, previous: &str, state: &str| {
        json!({
            "commands": [], "status": status, "frame_toggle": toggle, "previous": previous, "state": state,
        })
    };
    check("csafe", "f1 86 86 f2", status(0x86, true, "ok", "paused"), None);
    check("csafe", "f1 17 17 f2", status(0x17, false, "reject", "finished"), None);
    check("csafe", "f1 29 29 f2", status(0x29, false, "bad", "offline"), None);
    check("csafe", "f1 34 34 f2", status(0x34, false, "not_ready", "reserved"), None);
    check_way("csafe", "response", "f1 80 80 f2", status(0x80, true, "ok", "error"), None);
    check("csafe", "f1 80 80 f2", json!({"commands": [{"cmd": 0x80}]}), None);
    // A master that sets 5.0 mph, overheard, with addresses.
    check(
        "csafe",
        "f0 01 00 25 03 32 00 11 05 f2",
        json!({"commands": [{"cmd": 0x25, "data": "320011"}]}),
        None,
    );
}

#[test]
fn csafe_frames_that_are_not_as_they_should_be() {
    let faulty = |error: &str| {
        json!({
            "commands": [{"cmd": 0xA5, "data": "1e0011"}], "status": 5, "frame_toggle": false, "previous": "ok",
            "state": "in_use", "error": error,
        })
    };
    let check_faulty = |hex: &str, error: &str| check("csafe", hex, faulty(error), Some(error));
    check_faulty("f1 05 a5 03 1e 00 11 ad f2", "checksum is ad: ac is expected");
    check_faulty("aa bb f1 05 a5 03 1e 00 11 ac f2", "octets outside of a frame");
    check_faulty("f1 05 a5 03 1e 00 11 ac f2 f1 86 86 f2", "4 octets of another frame");
    check_faulty("f1 05 f1 05 a5 03 1e 00 11 ac f2", "frame has no end: another begins");
    check_faulty("f1 05 a5 03 1e 00 11 f3 07 f2", "f3 is followed by 07: 00 to 03 are allowed");
    let words = "cut: octets of a command needs 3 octets, 2 left";
    let cut = json!({
        "commands": [{"cmd": 0xB0, "data": "50"}], "status": 5, "frame_toggle": false, "previous": "ok",
        "state": "in_use", "error": words,
    });
    check("csafe", "f1 05 b0 01 50 a5 03 1e 00 5c f2", cut, Some(words));
    let only = |error: &str| json!({ "error": error });
    check("csafe", "", only("cut: frame needs 4 octets, 0 left"), Some("cut: frame needs 4 octets, 0 left"));
    check("csafe", "f1 f2", only("frame is empty"), Some("frame is empty"));
    let long = format!("f1 {} f2", "05 ".repeat(200));
    let (lines, _) = decoded(super::line("csafe", &long).as_bytes());
    assert!(lines[0]["error"].as_str().unwrap().contains("frame is longer than 96 octets"));
}

#[test]
fn modbus_frames() {
    let request = json!({"crc_ok": true, "unit": 1, "function": 3, "register": 0x2119, "count": 1});
    check("modbus_rtu", "01 03 21 19 00 01 5f f1", request.clone(), None);
    check_way("modbus_rtu", "request", "01 03 21 19 00 01 5f f1", request, None);
    // The Eaton M-Max manual's example, p. 140: motor speed and current.
    check(
        "modbus_rtu",
        "05 03 0838 0002 4622",
        json!({"crc_ok": true, "unit": 5, "function": 3, "register": 2104, "count": 2}),
        None,
    );
    let answer = json!({"crc_ok": true, "unit": 5, "function": 3, "values": [1495, 24]});
    check("modbus_rtu", "05 03 04 05d7 0018 0f0d", answer.clone(), None);
    check_way("modbus_rtu", "response", "05 03 04 05d7 0018 0f0d", answer, None);
    let input = json!({"crc_ok": true, "unit": 5, "function": 4, "values": [1495, 24]});
    check("modbus_rtu", "05 04 04 05d7 0018 0eba", input, None);
    // A LifeSpan console starts its base, as logged in blak3r/treadspan.
    let start = json!({"crc_ok": true, "unit": 1, "function": 6, "register": 1, "value": 1});
    check("modbus_rtu", "01 06 00 01 00 01 19 ca", start.clone(), None);
    check_way("modbus_rtu", "response", "01 06 00 01 00 01 19 ca", start, None);
    let sealed = |hex: &str| hex::encode(modbus::sealed(&hex::decode(hex.replace(' ', "")).unwrap()));
    check(
        "modbus_rtu",
        &sealed("01 10 2000 0002 04 0006 1388"),
        json!({
            "crc_ok": true, "unit": 1, "function": 16, "register": 0x2000, "count": 2, "values": [6, 5_000],
        }),
        None,
    );
    let written = json!({"crc_ok": true, "unit": 1, "function": 16, "register": 0x2000, "count": 2});
    check("modbus_rtu", &sealed("01 10 2000 0002"), written, None);
    let refusal = json!({"crc_ok": true, "unit": 1, "function": 0x83, "value": 2});
    check("modbus_rtu", &sealed("01 83 02"), refusal, None);
    let unknown = json!({"crc_ok": true, "unit": 1, "function": 0x2B});
    check("modbus_rtu", &sealed("01 2b 0e 01 00"), unknown, None);
}

#[test]
fn modbus_frames_that_are_not_as_they_should_be() {
    check(
        "modbus_rtu",
        "01 03 21 19 00 01 5f f2",
        json!({"crc_ok": false, "unit": 1, "function": 3, "register": 0x2119, "count": 1}),
        Some("the checksum is wrong"),
    );
    check(
        "modbus_rtu",
        "01 03 21 19 00",
        json!({"crc_ok": false, "unit": 1, "function": 3, "register": 0x2119}),
        Some("cut: count needs 2 octets, 1 left"),
    );
    check(
        "modbus_rtu",
        "01 03 21 19 00 01 5f",
        json!({"crc_ok": false, "unit": 1, "function": 3, "register": 0x2119, "count": 1}),
        Some("cut: checksum needs 2 octets, 1 left"),
    );
    check_way(
        "modbus_rtu",
        "response",
        "05 03 04 05d7 00",
        json!({"crc_ok": false, "unit": 5, "function": 3, "values": [1495]}),
        Some("cut: values needs 2 octets, 1 left"),
    );
    check(
        "modbus_rtu",
        "05 03 04 05d7 0018 0f0d 05 03",
        json!({"crc_ok": true, "unit": 5, "function": 3, "values": [1495, 24]}),
        Some("2 octets after the frame"),
    );
    let empty = Some("cut: unit needs 1 octets, 0 left");
    check("modbus_rtu", "", json!({"crc_ok": false}), empty);
}

proptest! {
    #[test]
    fn any_octets_are_decoded_with_the_keys_of_the_format(
        octets in proptest::collection::vec(any::<u8>(), 0..120),
        kind in 0..3_usize,
        direction in 0..3_usize,
    ) {
        const KINDS: [(&str, &[&str]); 3] = [
            ("csafe", &["commands", "status", "frame_toggle", "previous", "state", "error"]),
            ("modbus_rtu", &["crc_ok", "unit", "function", "register", "count", "values", "value"]),
            (
                "2a53",
                &[
                    "flags", "speed_ms", "cadence_per_min", "stride_length_m", "total_distance_m", "running",
                    "truncated",
                ],
            ),
        ];
        let (name, keys) = KINDS[kind];
        let direction = [Some("request"), Some("response"), None][direction];
        let line = json!({ "characteristic": name, "hex": hex::encode(&octets), "direction": direction });
        let (lines, summary) = decoded(line.to_string().as_bytes());
        prop_assert_eq!(summary.decoded, 1);
        for key in lines[0]["decoded"].as_object().unwrap().keys() {
            prop_assert!(keys.contains(&key.as_str()), "{}", key);
        }
    }
}

#[test]
fn biodex_frames() {
    let check = |direction: &str, hex: &str, fields: serde_json::Value, error: Option<&str>| {
        check_way("biodex", direction, hex, fields, error);
    };
    check("request", "a0", json!({"question": "speed"}), None);
    check("request", "a7", json!({"question": "status"}), None);
    check("request", "80", json!({}), Some("80 is no question"));
    check("response", "a0 303530", json!({"answer": "speed", "speed_tenths": 50}), None);
    check("response", "a1 3033", json!({"answer": "elevation", "elevation_percent": 3}), None);
    check("response", "a2 52", json!({"answer": "direction", "direction": "R"}), None);
    let status = json!({"answer": "status", "communication_status": 0, "system_status": [64, 0]});
    check("response", "a7 00 40 00", status, None);
    check("response", "af", json!({"acknowledged": false}), None);
    check("response", "a0 3035", json!({}), Some("cut after 3 octets"));
    check("response", "13", json!({}), Some("no answer"));
    let twice = json!({"answer": "direction", "direction": "F"});
    check("response", "a2 46 a2 46", twice.clone(), Some("2 octets after the answer"));
    self::check("biodex", "a2 46", twice, None);
    self::check("biodex", "a2", json!({"question": "direction"}), None);
}

#[test]
fn gpio_frames() {
    let edge = |line: u8, level: u8| json!({"time_us": 258, "line": line, "level": level, "number": 7});
    check_way("gpio_edges", "notify", "", json!({"edges": []}), None);
    let (high, low) = ("01 01 00000007 0000000000000102", "00 00 00000007 0000000000000102");
    let both = format!("{high} {low}");
    check_way("gpio_edges", "notify", &both, json!({"edges": [edge(1, 1), edge(0, 0)]}), None);
    let cut = "cut: an edge has 14 octets, 2 left";
    check_way("gpio_edges", "notify", &format!("{high} 00 01"), json!({"edges": [edge(1, 1)]}), Some(cut));
    check_way("gpio_levels", "read", "00 01", json!({"levels": [0, 1]}), None);
    check_way("gpio_levels", "read", "02", json!({"levels": [2]}), Some("02 is no level"));
}
