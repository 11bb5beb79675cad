//! What a file may hold, and that the printed one is complete.

use super::*;

#[track_caller]
fn check_refused(text: &str, parts: &[&str]) {
    let error = Config::read(text).unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
}

const EXEC: &str =
    "[[source]]\nkind = \"exec\"\nname = \"own\"\ncommand = [\"/bin/belt\"]\nreports = [\"speed\"]\n";

#[test]
fn what_is_wrong_is_named() {
    check_refused("spol = \"x\"", &["spol", "line 1"]);
    check_refused("[[source]]\nkind = \"telepathy\"\n", &["telepathy", "exec"]);
    check_refused(&format!("{EXEC}perod_ms = 3\n"), &["perod_ms"]);
    check_refused(&format!("{EXEC}period_ms = 3\n"), &["source own", "period_ms is 3"]);
    check_refused(&format!("{EXEC}{EXEC}"), &["source own", "two of this name"]);
    check_refused(&EXEC.replace("own", &"n".repeat(65)), &["name needs 1 to 64"]);
    let many: String = (0..17).map(|n| EXEC.replace("own", &format!("own{n}"))).collect();
    check_refused(&many, &["17 sources", "at most 16"]);
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(Config::read("").unwrap(), Config::default());
}

// Without Bluetooth its sources are refused.
#[cfg(feature = "bluetooth")]
#[test]
fn the_printed_file_is_the_default_and_has_every_key_of_every_source() {
    let text = example();
    assert_eq!(Config::read(&text).unwrap(), Config::default());
    let opened: String =
        text.lines().map(|line| format!("{}\n", line.strip_prefix("# ").unwrap_or(line))).collect();
    // Comments of keys keep their own `#`; the prose between the tables does not.
    let opened: String = opened
        .lines()
        .filter(|line| line.is_empty() || line.starts_with(['#', '[']) || line.contains(" = "))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = Config::read(&opened).unwrap();
    let examples: Vec<SourceSettings> =
        SourceSettings::examples().into_iter().map(|(settings, _, _)| settings).collect();
    assert_eq!(config.sources, examples);
    for (settings, _, comments) in SourceSettings::examples() {
        let table = toml::Table::try_from(&settings).unwrap();
        for key in table.keys().filter(|key| *key != "kind") {
            let is_commented = comments.iter().any(|(commented, _)| commented == key);
            assert!(is_commented, "{}: {key} has no comment", settings.name());
        }
        // What is commented and not set is a key all the same.
        for (key, _) in comments.iter().filter(|(key, _)| !table.contains_key(*key)) {
            let mut with = table.clone();
            with.insert((*key).to_owned(), toml::Value::Table(toml::Table::new()));
            let error = SourceSettings::deserialize(with).map(drop).unwrap_err().to_string();
            assert!(!error.contains("unknown field"), "{}: {error}", settings.name());
        }
    }
}
