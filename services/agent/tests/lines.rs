//! The example of docs/sources/lines.md, run as it stands there.

use std::fs;
use std::path::Path;

use agent::source::Source;
use agent::source::exec::{self, Settings};
use agent::source::outlet::{self, Outlet};
use domain::belt::Direction;
use domain::signal::{SignalValue, SourceNumber};
use domain::units::Speed;

/// The text between the fences of the only Python example.
fn example() -> String {
    let document =
        fs::read_to_string(Path::new("../../docs/sources/lines.md")).expect("the document is there");
    let (_, rest) = document.split_once("```python\n").expect("it has an example");
    rest.split_once("```").expect("the example ends").0.to_owned()
}

#[tokio::test]
async fn the_documented_program_is_understood() {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        // Rust and a C compiler are all that the tests may need; `tests/real/run` installs Python.
        println!("skipped: there is no python3");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (program, port) = (folder.path().join("belt.py"), folder.path().join("port"));
    fs::write(&program, example()).unwrap();
    fs::write(&port, "0\n450\n\n-447\n4x\n").unwrap();
    let command = ["python3", program.to_str().unwrap(), port.to_str().unwrap()];
    let settings = Settings {
        name: "own".to_owned(),
        command: command.map(str::to_owned).to_vec(),
        reports: vec!["speed".to_owned(), "direction".to_owned()],
        period_ms: 100,
    };
    let (sender, mut signals) = outlet::queue();
    let outlet = Outlet::new("own", SourceNumber(0), sender, None);
    let lost = exec::source(&settings).run(&outlet).await;
    assert_eq!(outlet.unreadable_count(), 0, "{lost}");
    drop(outlet);
    let mut told = Vec::new();
    while let Some(signal) = signals.recv().await {
        told.push(signal.value);
    }
    let belt = |direction, mm_s| [SignalValue::MeasuredDirection(direction), SignalValue::Speed(Speed(mm_s))];
    let mut expected = Vec::new();
    expected.extend(belt(Direction::Stopped, 0));
    expected.extend(belt(Direction::Forward, 450));
    expected.extend(belt(Direction::Reverse, 447));
    expected.push(SignalValue::Fault("not a number: 4x".to_owned()));
    assert_eq!(told, expected);
}
