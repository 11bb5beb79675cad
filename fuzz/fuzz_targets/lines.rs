//! Lines of JSON: what a site's own program tells the agent, and frames of a capture.
//!
//! Input: the line, or lines.

#![no_main]

use agent::capture::{Capture, Frame};
use agent::source::line;
use agent::source::outlet::Way;
use domain::limits::{INCLINE_PLAUSIBLE_TENTHS_MAX, SPEED_PLAUSIBLE_MM_S_MAX};
use domain::signal::SignalValue;
use domain::units::{MonotonicMicros, SECOND};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const NOW: MonotonicMicros = MonotonicMicros(60 * SECOND);

fuzz_target!(|octets: &[u8]| {
    told(octets);
    frame(octets);
    capture(octets);
});

/// Nothing is told of the future or of long ago, and nothing that cannot be true.
fn told(line: &[u8]) {
    let (at, values) = match line::read(line, NOW) {
        Ok(read) => read,
        Err(why) => return assert!(!why.is_empty()),
    };
    assert!(at <= NOW && NOW.since(at) <= 10 * SECOND, "{at:?}");
    assert!(!values.is_empty());
    for value in &values {
        match value {
            SignalValue::Speed(speed) | SignalValue::Commanded(speed) => {
                assert!(speed.0 <= SPEED_PLAUSIBLE_MM_S_MAX, "{value:?}");
            }
            SignalValue::Incline(incline) => {
                assert!(incline.0.abs() <= INCLINE_PLAUSIBLE_TENTHS_MAX, "{value:?}");
            }
            SignalValue::Lost(_) => panic!("a line cannot tell {value:?}"),
            SignalValue::MeasuredDirection(_)
            | SignalValue::DeclaredDirection(_)
            | SignalValue::ContactLevel { .. }
            | SignalValue::Elapsed(_)
            | SignalValue::Distance(_)
            | SignalValue::Steps(_)
            | SignalValue::BeltForce(_)
            | SignalValue::HeartRateContact(_)
            | SignalValue::HeartRate(_)
            | SignalValue::UserStarted
            | SignalValue::UserStopped
            | SignalValue::UserPaused
            | SignalValue::SafetyKeyStop
            | SignalValue::Alive
            | SignalValue::Implausible(_)
            | SignalValue::Fault(_) => {}
        }
    }
}

/// A frame that is written again reads back.
fn frame(line: &[u8]) {
    let frame = match Frame::parse(line) {
        Ok(frame) => frame,
        Err(bad) => return assert!(!bad.error.to_string().is_empty()),
    };
    let way = frame.way.map(|way| match way {
        Way::Notify => "notify",
        Way::Read => "read",
        Way::Request => "request",
        Way::Response => "response",
    });
    let again = json!({
        "characteristic": frame.characteristic.name(),
        "hex": hex::encode(&frame.octets),
        "direction": way,
        "ts_ms": frame.ts_ms,
    });
    assert_eq!(Frame::parse(again.to_string().as_bytes()), Ok(frame));
}

/// `decode` prints one object for each line that is not blank, whatever the lines hold.
fn capture(octets: &[u8]) {
    let mut printed = Vec::new();
    let summary =
        agent::decode::run(&mut &*octets, &mut printed).expect("a slice and a vector have no faults");
    let printed = String::from_utf8(printed).expect("JSON is UTF-8");
    let mut lines = 0;
    for line in printed.lines() {
        let line: Value = serde_json::from_str(line).expect("what is printed is JSON");
        assert!(
            line["line"].is_u64() && (line["decoded"].is_object() || line["error"].is_string()),
            "{line}"
        );
        lines += 1;
    }
    assert_eq!(summary.lines, lines);
    assert_eq!(summary.decoded + summary.unusable, lines);
    let read = Capture::read(octets);
    assert!(read.is_err() || summary.unusable == 0, "a capture with unusable lines is played");
}
