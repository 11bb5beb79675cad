//! How the sources are set, as octets that stay the same as long as that does: whoever has looked at the belt has proven
//! its direction for these.
//!
//! A setting counts as it works, not as it is written: one that is left out and one that is set to what holds without it
//! are the same, whatever settings a later version adds. What says how far, how fast or how often is left out: it cannot
//! turn forward into reverse.

use serde::Deserialize;
use toml::{Table, Value};

use crate::source::settings::SourceSettings;

/// The version of these octets. Whoever changes what one of the settings means, or what holds without it, raises it:
/// then every machine has to be commissioned anew.
const VERSION: u8 = 1;

/// Settings of a source that do not decide which way is forward.
const LEFT_OUT: [&str; 13] = [
    "name",
    "um_per_count",
    "roller_diameter_mm",
    "belt_thickness_mm",
    "mm_s_per_hz",
    "coast_seconds",
    "incline_scale",
    "poll_ms",
    "answer_ms",
    "period_ms",
    "heart_rate_sensor",
    "heart_rate_service",
    "heart_rate_told",
];

/// The octets of sources in their order.
pub(super) fn octets(sources: &[SourceSettings]) -> Vec<u8> {
    let mut octets = vec![VERSION];
    let sources = sources.iter().map(|source| Value::Table(deciding(source))).collect();
    write(&Value::Array(sources), &mut octets);
    octets
}

/// A part of the way to a setting.
#[derive(Debug, Clone)]
enum Part {
    Key(String),
    Place(usize),
}

/// What is set otherwise than it would be anyway, and decides.
fn deciding(source: &SourceSettings) -> Table {
    let mut table = Table::try_from(source).expect("settings are always TOML");
    let mut ways = Vec::new();
    find(&Value::Table(table.clone()), &[], &mut ways);
    for way in ways {
        let mut without = Value::Table(table.clone());
        remove(&mut without, &way);
        if let Value::Table(without) = without {
            if SourceSettings::deserialize(without.clone()).ok().as_ref() == Some(source) {
                table = without;
            }
        }
    }
    LEFT_OUT.iter().for_each(|key| drop(table.remove(*key)));
    table
}

/// The ways to all settings in a value, also within others.
fn find(value: &Value, here: &[Part], ways: &mut Vec<Vec<Part>>) {
    let within = |part: Part| [here, &[part]].concat();
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let way = within(Part::Key(key.clone()));
                find(value, &way, ways);
                ways.push(way);
            }
        }
        Value::Array(values) => {
            for (place, value) in values.iter().enumerate() {
                find(value, &within(Part::Place(place)), ways);
            }
        }
        Value::String(_) | Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// Takes a setting away, if it is there.
fn remove(value: &mut Value, way: &[Part]) {
    match (value, way) {
        (Value::Table(table), [Part::Key(key)]) => drop(table.remove(key)),
        (Value::Table(table), [Part::Key(key), rest @ ..]) => {
            if let Some(value) = table.get_mut(key) {
                remove(value, rest);
            }
        }
        (Value::Array(values), [Part::Place(place), rest @ ..]) => {
            if let Some(value) = values.get_mut(*place) {
                remove(value, rest);
            }
        }
        _ => {}
    }
}

/// A letter for the kind, and the value; lengths and numbers with eight octets, big end first. Keys ascend.
fn write(value: &Value, octets: &mut Vec<u8>) {
    fn text(text: &str, octets: &mut Vec<u8>) {
        octets.extend((text.len() as u64).to_be_bytes());
        octets.extend(text.as_bytes());
    }
    match value {
        Value::String(string) => {
            octets.push(b's');
            text(string, octets);
        }
        Value::Integer(number) => {
            octets.push(b'i');
            octets.extend(number.to_be_bytes());
        }
        Value::Float(number) => {
            octets.push(b'f');
            octets.extend(number.to_bits().to_be_bytes());
        }
        Value::Boolean(is) => octets.extend([b'b', u8::from(*is)]),
        Value::Datetime(time) => {
            octets.push(b'd');
            text(&time.to_string(), octets);
        }
        Value::Array(values) => {
            octets.push(b'a');
            octets.extend((values.len() as u64).to_be_bytes());
            values.iter().for_each(|value| write(value, octets));
        }
        Value::Table(table) => {
            octets.push(b't');
            octets.extend((table.len() as u64).to_be_bytes());
            let mut all: Vec<(&String, &Value)> = table.iter().collect();
            all.sort_unstable_by_key(|(key, _)| *key);
            for (key, value) in all {
                text(key, octets);
                write(value, octets);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const ENCODER: &str = "[[source]]\nkind = \"encoder\"\nname = \"belt\"\nline_a = 23\nline_b = 24\n\
                           pulses_per_revolution = 16\nroller_diameter_mm = 50.0\n";
    const DRIVE: &str = "[[source]]\nkind = \"drive\"\nname = \"drive\"\nport = \"/dev/ttyUSB0\"\ndrive = \"custom\"\n\
                         mm_s_per_hz = 60.0\n[source.custom]\nstatus = 8449\nrunning = { mask = 2, value = 2 }\n\
                         stopped = { mask = 2, value = 0 }\nforward = { mask = 4, value = 0 }\n\
                         reverse = { mask = 4, value = 4 }\n";
    const CONTACT: &str = "[[source]]\nkind = \"contact\"\nname = \"stop\"\n[[source.lines]]\n\
                           contact = \"emergency_stop\"\nline = 17\n";
    const EXEC: &str = "[[source]]\nkind = \"exec\"\nname = \"own\"\ncommand = [\"/bin/belt\", \"--forward\"]\n\
                        reports = [\"speed\", \"direction\"]\n";

    fn hash(text: &str) -> String {
        let config = Config::read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        config.configuration().map_or("none".to_owned(), |hash| hash.to_string())
    }

    /// These are in the ledgers of sites: a version that gives another hash for one of them takes the proof of the
    /// direction away from every machine that is set like this.
    #[test]
    fn the_hash_of_a_file_stays() {
        let check = |text: &str, expected: &str| assert_eq!(hash(text), expected, "{text}");
        check("", "none");
        check(ENCODER, "28b11e010e9663a77c2aaa717bc7b4bc");
        check(&format!("{ENCODER}invert = true\n{CONTACT}"), "b0a942e530f4e83e90a17d389c45c31f");
        check(&format!("{DRIVE}{EXEC}"), "46a2295a434aa00e5a5039f61d950698");
    }

    #[test]
    fn what_does_not_decide_the_direction_does_not_count() {
        let check = |text: &str, other: &str| assert_eq!(hash(text), hash(other), "{text}\n{other}");
        check(ENCODER, &format!("{ENCODER}um_per_count = 2552.5\n"));
        check(ENCODER, &ENCODER.replace("50.0", "49.5"));
        check(ENCODER, &ENCODER.replace("belt\"", "roller\""));
        // As it would be anyway, and in another order.
        check(ENCODER, &format!("{ENCODER}invert = false\nbias = \"pull-up\"\nbelt_thickness_mm = 0.0\n"));
        check(ENCODER, &ENCODER.replace("line_a = 23\nline_b = 24", "line_b = 24\nline_a = 23"));
        check(EXEC, &format!("{EXEC}period_ms = 250\n"));
        check(DRIVE, &DRIVE.replace("60.0", "61.5"));
        check(DRIVE, &format!("{DRIVE}registers = \"holding\"\n"));
        check(ENCODER, &format!("log = \"debug\"\ndrain_seconds = 5\n{ENCODER}"));
    }

    #[test]
    fn what_decides_the_direction_counts() {
        let check = |text: &str, other: &str| assert_ne!(hash(text), hash(other), "{text}\n{other}");
        check(ENCODER, &format!("{ENCODER}invert = true\n"));
        check(ENCODER, &ENCODER.replace("line_a = 23\nline_b = 24", "line_a = 24\nline_b = 23"));
        check(ENCODER, &format!("{ENCODER}chip = \"/dev/gpiochip1\"\n"));
        // Another encoder.
        check(ENCODER, &ENCODER.replace("= 16", "= 32"));
        check(&format!("{ENCODER}{EXEC}"), &format!("{EXEC}{ENCODER}"));
        check(ENCODER, &format!("{ENCODER}{EXEC}"));
        check(EXEC, &EXEC.replace("--forward", "--reverse"));
        check(DRIVE, &format!("{DRIVE}registers = \"input\"\n"));
        check(DRIVE, &DRIVE.replace("mm_s_per_hz", "invert = true\nmm_s_per_hz"));
    }
}
