use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros};

use super::*;
use crate::source::gpio::{Edge, LineMind};

fn entry(contact: Contact, number: u32) -> ContactLine {
    ContactLine { contact, line: LineAddress::Number(number), closed: Level::Low, hold_off_ms: None }
}

fn refused(change: impl FnOnce(&mut Settings), words: &str) {
    let mut settings = example();
    change(&mut settings);
    let reason = settings.check().unwrap_err();
    assert!(reason.contains(words), "{reason:?} has no {words:?}");
}

#[test]
fn settings_say_what_is_wrong_with_them() {
    assert_eq!(example().check(), Ok(()));
    refused(|settings| settings.lines.clear(), "lines is empty");
    refused(|settings| settings.chip.clear(), "chip is empty");
    refused(|settings| settings.lines.push(entry(Contact::SafetyKey, 5)), "the contact safety_key twice");
    refused(
        |settings| settings.lines.push(entry(Contact::HandRail, 17)),
        "line 17 is of emergency_stop and hand_rail",
    );
    refused(|settings| settings.bias = Bias::PullDown, "a broken wire would read as closed");
    refused(|settings| settings.lines[1].closed = Level::High, "a broken wire would read as closed");
    refused(|settings| settings.lines[0].hold_off_ms = Some(1), "hold_off_ms of emergency_stop is 1: 0 to 0");
    refused(
        |settings| {
            settings.lines.push(ContactLine { hold_off_ms: Some(5_001), ..entry(Contact::HandRail, 5) })
        },
        "0 to 5000 is allowed",
    );
}

#[test]
fn settings_survive_their_file() {
    let mut settings = example();
    settings.lines.push(ContactLine {
        contact: Contact::HandRail,
        line: LineAddress::Name("GPIO5".to_owned()),
        closed: Level::High,
        hold_off_ms: Some(250),
    });
    let text = toml::to_string(&settings).unwrap();
    assert_eq!(toml::from_str::<Settings>(&text), Ok(settings), "{text}");
    let short = "name = \"c\"\nlines = [{ contact = \"safety_key\", line = \"GPIO27\" }]";
    let settings: Settings = toml::from_str(short).unwrap();
    assert_eq!((settings.bias, settings.lines[0].closed), (Bias::PullUp, Level::Low));
    assert!(toml::from_str::<Settings>("name = \"c\"\nlines = []\nline = 3").is_err());
}

#[test]
fn a_source_can_report_the_contacts_it_has() {
    let spec = source(&example()).spec();
    assert_eq!(spec.capabilities, Capabilities::EMERGENCY_STOP.and(Capabilities::SAFETY_KEY));
}

/// Edges of one contact as (milliseconds, high); what is told as (milliseconds, open).
fn check(entry: &ContactLine, begin_high: bool, edges: &[(u64, bool)], expected: &[(u64, bool)]) {
    let settings = Settings { lines: vec![entry.clone()], ..example() };
    let (mut mind, mut told) = (Mind::new(&settings, MonotonicMicros(0)), Vec::new());
    mind.levels(&[begin_high], MonotonicMicros(0), &mut told);
    for ((at, is_high), number) in edges.iter().zip(1..) {
        let at = MonotonicMicros(at * MILLI);
        // No level is read here: only hold-offs end.
        mind.tick(at, &mut told);
        mind.edge(&Edge { at, line: 0, is_high: *is_high, number }, &mut told);
    }
    let mut levels: Vec<(u64, bool)> = told
        .iter()
        .filter_map(|told| {
            let SignalValue::ContactLevel { open, .. } = told.value else { return None };
            Some((told.at.0 / MILLI, open))
        })
        .collect();
    levels.dedup_by_key(|(_, open)| *open);
    assert_eq!(levels, expected, "{entry:?} {edges:?}");
}

#[test]
fn open_is_what_is_not_closed() {
    let stop = entry(Contact::EmergencyStop, 1);
    let edges = [(100, true), (101, false), (102, true), (900, false)];
    check(&stop, false, &edges, &[(0, false), (100, true), (101, false), (102, true), (900, false)]);
    let high = ContactLine { closed: Level::High, ..stop };
    check(&high, true, &[(100, false), (900, true)], &[(0, false), (100, true), (900, false)]);
    check(&high, false, &[(900, true)], &[(0, true), (900, false)]);
}

#[test]
fn only_a_rail_is_held_off_and_its_closing_is_not() {
    let rail = entry(Contact::HandRail, 1);
    check(
        &rail,
        false,
        &[(100, true), (400, false), (1_000, true), (1_600, false)],
        &[(0, false), (1_000, true), (1_600, false)],
    );
    check(&rail, true, &[(100, false), (110, true), (120, false)], &[(0, true), (100, false)]);
    let at_once = ContactLine { hold_off_ms: Some(0), ..rail };
    check(&at_once, false, &[(100, true), (110, false)], &[(0, false), (100, true), (110, false)]);
}
