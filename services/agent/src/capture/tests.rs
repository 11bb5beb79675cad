use super::*;

fn parse(line: &str) -> Result<Frame, String> {
    Frame::parse(line.as_bytes()).map_err(|bad| bad.error.to_string())
}

#[test]
fn a_line_has_a_characteristic_octets_and_perhaps_a_time() {
    let frame = |characteristic, octets: &[u8], ts_ms| {
        Ok(Frame { characteristic, octets: octets.to_vec(), way: None, ts_ms })
    };
    let treadmill = Characteristic::Ftms(ftms::Characteristic::Treadmill);
    assert_eq!(
        parse(r#"{"characteristic": "2acd", "hex": "0000E803", "ts_ms": 12, "never heard of": [1]}"#),
        frame(treadmill, &[0, 0, 0xE8, 3], Some(12))
    );
    assert_eq!(parse(r#"{"characteristic": "2ACD", "hex": "", "ts_ms": null}"#), frame(treadmill, &[], None));
    assert_eq!(
        parse(r#" {"hex": "f1", "characteristic": "csafe"} "#),
        frame(Characteristic::Csafe, &[0xF1], None)
    );
}

#[test]
fn a_frame_may_say_which_way_it_went() {
    let check = |direction: &str, way: Option<Way>| {
        let line = format!(r#"{{"characteristic": "csafe", "hex": "", "direction": {direction}}}"#);
        assert_eq!(parse(&line).map(|frame| frame.way), Ok(way), "{direction}");
    };
    check(r#""notify""#, Some(Way::Notify));
    check(r#""read""#, Some(Way::Read));
    check(r#""write""#, Some(Way::Request));
    check(r#""request""#, Some(Way::Request));
    check(r#""response""#, Some(Way::Response));
    check(r#""sideways""#, None);
    check("7", None);
}

#[test]
fn a_bad_line_is_told_with_field_and_value() {
    let check = |line: &str, words: &str| {
        let error = parse(line).expect_err(line);
        assert!(error.contains(words), "{line}: {error}");
    };
    check("{", "not JSON");
    check("[1]", "no JSON object but [1]");
    check(r#"{"hex": "00"}"#, "characteristic is missing");
    check(r#"{"characteristic": "2acd"}"#, "hex is missing");
    check(r#"{"characteristic": 7, "hex": "00"}"#, "characteristic is 7: a string is allowed");
    check(r#"{"characteristic": "2a37", "hex": "00"}"#, r#"characteristic is "2a37": 2acd, 2ada"#);
    check(r#"{"characteristic": "2acd", "hex": "000"}"#, r#"hex is "000": the number of digits is odd"#);
    check(r#"{"characteristic": "2acd", "hex": "0g"}"#, r#"hex is "0g": only the digits"#);
    check(r#"{"characteristic": "2acd", "hex": "ää"}"#, r#"hex is "ää": only the digits"#);
    check(r#"{"characteristic": "2acd", "hex": "00", "ts_ms": -1}"#, "ts_ms is -1: a whole number");
    assert_eq!(Frame::parse(b"\xff").unwrap_err().error, LineError::NotText);
}

#[test]
fn lines_are_read_up_to_their_bound() {
    let long = "x".repeat(CAPTURE_LINE_BYTES_MAX);
    let text = format!("{long}\n{long}y\n\nlast");
    // A small buffer makes lines come in pieces.
    let mut reader = io::BufReader::with_capacity(1_000, text.as_bytes());
    let mut buffer = Vec::new();
    let mut next = || {
        let line = next_line(&mut reader, &mut buffer).unwrap();
        assert!(buffer.len() <= CAPTURE_LINE_BYTES_MAX);
        (line, if line == Line::Whole { buffer.len() } else { 0 })
    };
    assert_eq!(next(), (Line::Whole, CAPTURE_LINE_BYTES_MAX));
    assert_eq!(next(), (Line::TooLong, 0));
    assert_eq!(next(), (Line::Whole, 0));
    assert_eq!(next(), (Line::Whole, 4));
    assert_eq!(next(), (Line::End, 0));
}

#[test]
fn a_capture_is_read_whole_or_not_at_all() {
    let good = r#"{"characteristic": "2acd", "hex": "0000e803"}"#;
    let capture = Capture::read(format!("\n{good}\r\n  \n{good}").as_bytes()).unwrap();
    assert_eq!(capture.frames.len(), 2);
    let error = Capture::read(format!("{good}\n\n{{}}\n").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "line 3: characteristic is missing");
}

#[test]
fn every_embedded_capture_is_read() {
    let frames = Embedded::ALL.map(|embedded| (embedded.name(), embedded.capture().frames.len()));
    assert_eq!(frames, [("run_up", 65), ("urevo_pause", 36), ("citysports", 12)]);
}
