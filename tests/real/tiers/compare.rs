//! Compares two answers field by field, by what `Debug` tells of them: every field of a message is in there, also one
//! that the schema gets later.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

/// Fields that may differ between two servers, whatever message they are in, and why.
const MAY_DIFFER: [(&str, &str); 12] = [
    ("as_of", "the server's clock"),
    ("cursor", "a server's own number of its changes"),
    ("detect_time", "the server's clock when it found the incident"),
    ("last_heard_time", "the server's clock"),
    ("next_page_token", "sealed by the server; whether there is one is compared"),
    ("presence", "how long ago the agent was heard, by the server's clock"),
    ("revision", "counts from a start of the server"),
    ("server_time", "the server's clock"),
    ("status", "follows from the presence; the stop, the belt and the session behind it are compared"),
    ("status_since_time", "as the status"),
    ("step_count", "steps of the server, which seals evidence when it comes to it"),
    ("until_time", "a deadline that counts from when the server found the incident"),
];
/// What is shown of a value that may differ.
const MASKED: &str = "(there is one)";

/// Values that `Debug` shows when there is nothing.
const NOTHING: [&str; 3] = ["None", "\"\"", "0"];

/// All fields of an answer, by their place in it.
pub(super) fn fields(text: &str) -> BTreeMap<String, String> {
    let (mut found, mut path) = (BTreeMap::new(), Vec::<String>::new());
    // For each depth how many nameless parts came so far.
    let mut numbers: Vec<usize> = Vec::new();
    for line in text.lines() {
        let part = line.trim_start();
        let depth = (line.len() - part.len()) / 4;
        if matches!(part.trim_end_matches(','), "}" | ")" | "]") {
            continue;
        }
        path.truncate(depth);
        numbers.truncate(depth + 1);
        numbers.resize(depth + 1, 0);
        let (name, value) = match part.split_once(": ").filter(|(name, _)| is_name(name)) {
            Some((name, value)) => (name.to_owned(), value),
            None => {
                numbers[depth] += 1;
                (numbers[depth].to_string(), part)
            }
        };
        let masked = path.iter().chain([&name]).find(|name| may_differ(name));
        let place = path.iter().chain([&name]).map(String::as_str).collect::<Vec<_>>().join(".");
        match masked {
            None => drop(found.insert(place, value.trim_end_matches(',').to_owned())),
            // Within a field that may differ nothing is looked at but whether it is there.
            Some(masked) if *masked == name => {
                let value = value.trim_end_matches(',');
                let shown = if NOTHING.contains(&value) { value } else { MASKED };
                found.insert(place, shown.to_owned());
            }
            Some(_) => {}
        }
        path.push(name);
    }
    found
}

/// What differs, a line each.
pub(super) fn differences(ours: (&str, &str), other: (&str, &str)) -> Vec<String> {
    let (here, there) = (fields(ours.1), fields(other.1));
    let mut found = Vec::new();
    for (place, value) in &here {
        match there.get(place) {
            None => found.push(format!("{place}: {value} on {} only", ours.0)),
            Some(other_value) if other_value != value => {
                found.push(format!("{place}: {value} on {}, {other_value} on {}", ours.0, other.0));
            }
            Some(_) => {}
        }
    }
    let more = there.iter().filter(|(place, _)| !here.contains_key(*place));
    found.extend(more.map(|(place, value)| format!("{place}: {value} on {} only", other.0)));
    found
}

fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn may_differ(name: &str) -> bool {
    MAY_DIFFER.iter().any(|(field, _)| *field == name)
}
