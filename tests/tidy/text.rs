//! Lengths, names that have one place, and paths in documents.

use super::tree::{self, File};

const LINES_MAX: usize = 500;

/// A name and the only places, by the beginning of their paths, where the services' sources may use it.
const PLACES: [(&str, &[&str]); 13] = [
    ("rumqttc::", &["services/agent/src/uplink/mqtt.rs", "services/ingest/src/subscriber.rs"]),
    ("rmqtt::", &["services/beltwatch/src/broker"]),
    ("rusqlite::", &["services/store/src/sqlite", "services/agent/src/spool/sqlite"]),
    ("influxdb2::", &["services/store/src/influx/client"]),
    ("reqwest::", &["services/store/src/influx/client"]),
    ("gpiocdev::", &["services/agent/src/source/gpio/kernel.rs"]),
    ("zbus::", &["services/agent/src/source/bluetooth/"]),
    // What leaves a port is a question.
    ("rustix::io::write", &["services/agent/src/source/port/"]),
    // Nobody writes to a machine over Bluetooth.
    ("\"WriteValue\"", &[]),
    ("\"beltwatch/v1", &["services/wire/"]),
    ("prost::", &["services/wire/", "services/api/src/", "services/beltwatch/src/"]),
    (
        "Instant::now(",
        &[
            "services/agent/src/",
            "services/ingest/src/",
            "services/api/src/",
            "services/beltwatch/src/",
            "services/dashboard/src/",
            "services/store/src/influx/client",
        ],
    ),
    ("println!(", &["services/beltwatch/src/", "services/agent/src/", "services/wire/build.rs"]),
];

/// Files that are too long.
pub(crate) fn long_files(files: &[File]) -> Vec<String> {
    let length = |file: &File| (file.path.clone(), file.text.lines().count());
    let long = files.iter().map(length).filter(|(_, lines)| *lines > LINES_MAX);
    long.map(|(path, lines)| format!("{path} has {lines} lines; at most {LINES_MAX} are allowed")).collect()
}

/// Names used outside the place they have. Tests are free to name anything.
pub(crate) fn misplaced(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let sources = files.iter().filter(|file| file.path.starts_with("services/") && !is_test(&file.path));
    for file in sources {
        let code = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.trim();
            if line.starts_with("//") {
                continue;
            }
            for (name, places) in PLACES {
                let elsewhere = !places.iter().any(|place| file.path.starts_with(place));
                if elsewhere && names(line, name) {
                    found.push(format!("{}:{}: {name} belongs to {places:?}", file.path, number + 1));
                }
            }
        }
    }
    found
}

/// Whether a line uses a name as a word of its own: `prost::` but not `tonic_prost::`.
fn names(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| !line[..at].ends_with(word))
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Paths that a document names, in backticks or links, and that are not there.
pub(crate) fn dead_paths(file: &File) -> Vec<String> {
    const FOLDERS: [&str; 5] = ["services/", "proto/", "deploy/", "tests/", "docs/"];
    let mut found = Vec::new();
    for quoted in file.text.split(['`', '(', ')', ' ', '\n', '|', ',', '"']) {
        let path = quoted.trim_end_matches(['.', ':', ';']).split('#').next().unwrap_or_default();
        let is_path = FOLDERS.iter().any(|folder| path.starts_with(folder));
        if is_path && !path.contains(['{', '*', '<', '…']) && !tree::root().join(path).exists() {
            found.push(format!("{} names {path}, which is not there", file.path));
        }
    }
    found
}
