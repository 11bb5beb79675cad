//! Real programs, read by the real body.

use domain::belt::Direction;
use domain::signal::{Signal, SignalValue, SourceNumber};
use domain::units::Speed;

use super::*;
use crate::source::outlet;

fn settings(script: &str) -> Settings {
    Settings {
        name: "own".to_owned(),
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        reports: vec!["speed".to_owned(), "direction".to_owned()],
        period_ms: 100,
    }
}

/// Runs a program to its end: what it told, how often it could not be read, why it ended.
async fn run(settings: &Settings) -> (Vec<SignalValue>, u64, String) {
    let (sender, mut signals) = outlet::queue();
    let outlet = Outlet::new("own", SourceNumber(0), sender, None);
    let mut source = source(settings);
    let lost = source.run(&outlet).await;
    let unreadable = outlet.unreadable_count();
    drop(outlet);
    let mut told = Vec::new();
    while let Some(Signal { value, .. }) = signals.recv().await {
        told.push(value);
    }
    (told, unreadable, lost.0)
}

#[tokio::test]
async fn lines_become_signals_and_wrong_lines_are_counted() {
    let long = format!("printf '%{}s\\n' x", 2 * SOURCE_LINE_BYTES_MAX);
    let script = format!(
        r#"echo '{{"direction":"reverse","speed_mm_s":450}}'; echo nonsense; {long}; echo; echo '{{}}'; printf '{{"steps":7}}'"#
    );
    let (told, unreadable, why) = run(&settings(&script)).await;
    let expected = [
        SignalValue::MeasuredDirection(Direction::Reverse),
        SignalValue::Speed(Speed(450)),
        SignalValue::Alive,
        SignalValue::Steps(7),
    ];
    assert_eq!(told, expected);
    assert_eq!(unreadable, 3, "nonsense, the long line, the empty one");
    assert!(why.starts_with("sh ended: "), "{why}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_so() {
    let settings = Settings { command: vec!["/nowhere/belt".to_owned()], ..settings("true") };
    let (told, _, why) = run(&settings).await;
    assert!(told.is_empty());
    assert!(why.contains("cannot start /nowhere/belt"), "{why}");
}

#[tokio::test]
async fn nothing_can_be_told_to_the_program() {
    // The program tells how many octets its standard input has.
    let (told, _, _) = run(&settings(r#"echo "{\"steps\":$(wc -c)}""#)).await;
    assert_eq!(told, [SignalValue::Steps(0)]);
}

#[test]
fn settings_are_checked_by_field() {
    let refused = |settings: Settings, part: &str| {
        let error = settings.check().unwrap_err();
        assert!(error.contains(part), "{error}");
    };
    assert_eq!(settings("true").check(), Ok(()));
    refused(Settings { command: Vec::new(), ..settings("") }, "command has 0 words");
    refused(Settings { period_ms: 1, ..settings("") }, "period_ms is 1");
    refused(Settings { reports: vec!["sped".to_owned()], ..settings("") }, "reports has \"sped\"");
}
