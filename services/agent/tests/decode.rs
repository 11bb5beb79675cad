//! `beltwatch-agent decode` as a person runs it: the captures, standard input, exit codes.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn captures() -> PathBuf {
    PathBuf::from("captures")
}

fn agent(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_beltwatch-agent"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Equal, with numbers as near as their printed form allows.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| (one - other).abs() < 1e-9)
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| same(value, other)))
        }
        (one, other) => one == other,
    }
}

#[test]
fn every_captured_frame_is_decoded_as_expected() {
    let mut frames = 0;
    for name in ["ftms_run_up", "ftms_urevo_pause", "ftms_citysports", "modbus_lifespan"] {
        let file = captures().join(name).with_extension("jsonl");
        let output = agent(&["decode", file.to_str().unwrap()]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let decoded = lines(&output);
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(decoded.len(), text.lines().count());
        for (index, (line, decoded)) in text.lines().zip(&decoded).enumerate() {
            let captured: Value = serde_json::from_str(line).unwrap();
            assert_eq!(decoded["line"], index + 1);
            assert_eq!(decoded["characteristic"], captured["characteristic"]);
            assert_eq!(decoded.get("error"), None, "{name} {}", index + 1);
            let (decoded, expected) = (&decoded["decoded"], &captured["expected"]);
            assert!(same(decoded, expected), "{name} {}: {decoded} is not {expected}", index + 1);
            frames += 1;
        }
        let summary = String::from_utf8(output.stderr).unwrap();
        assert_eq!(summary.lines().count(), 1);
        assert!(summary.contains(&format!("{0} lines: {0} decoded (0 of them faulty)", decoded.len())));
    }
    assert_eq!(frames, 131);
}

#[test]
fn fields_are_printed_in_the_order_of_the_format() {
    let file = captures().join("ftms_urevo_pause.jsonl");
    let output = agent(&["decode", file.to_str().unwrap()]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(
        "{\"line\":1,\"characteristic\":\"2acd\",\"decoded\":{\"flags\":9604,\"more_data\":false,\
         \"instantaneous_speed_kmh\":1.93,\"total_distance_m\":10,"
    ));
}

#[test]
fn standard_input_is_read_and_bad_lines_are_told_by_status_65() {
    let mut child = agent(&["decode", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"characteristic\": \"2ada\", \"hex\": \"03\"}\n\nnot a frame\n").unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(65));
    let lines = lines(&output);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["decoded"]["name"], "stopped_by_safety_key");
    assert_eq!(lines[1]["line"], 3);
    assert!(lines[1]["error"].as_str().unwrap().contains("not JSON"));
    assert!(String::from_utf8(output.stderr).unwrap().contains("1 unusable"));
}

#[test]
fn a_cut_frame_is_a_frame() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cut.jsonl");
    std::fs::write(&file, "{\"characteristic\": \"2acd\", \"hex\": \"0100e8\"}").unwrap();
    let output = agent(&["decode", file.to_str().unwrap()]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines(&output)[0]["decoded"]["trailing"], "e8");
}

#[test]
fn what_cannot_be_opened_is_status_66_and_wrong_usage_64() {
    let output = agent(&["decode", "/nowhere/at-all.jsonl"]).output().unwrap();
    assert_eq!(output.status.code(), Some(66));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/at-all.jsonl"));
    assert_eq!(agent(&["decode"]).output().unwrap().status.code(), Some(64));
    assert_eq!(agent(&["--help"]).output().unwrap().status.code(), Some(0));
}
