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
fn the_printed_file_is_the_default_and_with_a_mark_less_has_a_source_of_each_kind() {
    let text = example();
    assert_eq!(Config::read(&text).unwrap(), Config::default());
    // Of the sources; what stands before the first one is prose.
    let begin = text.find("\n##").unwrap();
    let opened: String =
        text[begin..].lines().map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line))).collect();
    let examples: Vec<SourceSettings> =
        SourceSettings::examples().into_iter().map(|(settings, _, _)| settings).collect();
    assert_eq!(Config::read(&opened).unwrap().sources, examples);
    // What stays a comment by that is prose, or a setting as it is without it.
    let (mut settings, mut set) = (String::new(), 0);
    for line in opened.lines() {
        let free = line.strip_prefix("# ").filter(|line| line.contains(" = ") && !line.ends_with('.'));
        set += usize::from(free.is_some());
        settings.push_str(&format!("{}\n", free.unwrap_or(line)));
    }
    assert_eq!(Config::read(&settings).unwrap().sources, examples);
    assert!(set > examples.len(), "{set} settings may stay away");
}

#[cfg(feature = "bluetooth")]
#[test]
fn every_key_of_every_source_is_told_with_its_meaning() {
    let text = example();
    for (settings, _, comments) in SourceSettings::examples() {
        let table = toml::Table::try_from(&settings).unwrap();
        for key in table.keys().filter(|key| *key != "kind") {
            let is_commented = comments.iter().any(|(commented, _)| commented == key);
            assert!(is_commented, "{}: {key} has no comment", settings.name());
        }
        for (key, comment) in comments {
            assert!(text.contains(comment), "{}: {key} is not told", settings.name());
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
