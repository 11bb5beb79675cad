//! Edge files of contacts, and which events come of them.

use agent::source::Source;
use agent::source::contact::{self, ContactLine, Level, Mind, Settings};
use agent::source::gpio::{LineAddress, LineMind, Told};
use domain::belt::Contact;
use domain::record::EventKind;
use domain::signal::SignalValue;
use domain::units::MonotonicMicros;

use super::captures::{CONTACTS, text};
use super::play::{events, numbered, read};

const SECOND: u64 = 1_000_000;

/// Isolated inputs: closed is low.
fn settings() -> Settings {
    let entry = |contact, number| ContactLine {
        contact,
        line: LineAddress::Number(number),
        closed: Level::Low,
        hold_off_ms: None,
    };
    let lines =
        vec![entry(Contact::EmergencyStop, 1), entry(Contact::SafetyKey, 2), entry(Contact::HandRail, 3)];
    Settings { lines, ..contact::example() }
}

/// Plays a file as the body does: levels are read when they are wanted.
fn played(name: &str, begin: [bool; 3], seconds: u64) -> Vec<Told> {
    let mut levels = begin.to_vec();
    let (mut mind, mut told) = (Mind::new(&settings(), MonotonicMicros(0)), Vec::new());
    let pass = |mind: &mut Mind, levels: &[bool], until: MonotonicMicros, told: &mut Vec<Told>| {
        while mind.due() <= until {
            let due = mind.due();
            if mind.wants_levels() {
                mind.levels(levels, due, told);
            }
            mind.tick(due, told);
        }
    };
    for edge in numbered(&read(&text(name), &CONTACTS)) {
        pass(&mut mind, &levels, edge.at, &mut told);
        levels[edge.line] = edge.is_high;
        mind.edge(&edge, &mut told);
    }
    pass(&mut mind, &levels, MonotonicMicros(seconds * SECOND), &mut told);
    told
}

fn check(name: &str, begin: [bool; 3], seconds: u64, expected: &[(EventKind, Contact, u64)]) {
    let told = played(name, begin, seconds);
    let events = events(contact::source(&settings()).spec(), &told, seconds * SECOND);
    let found: Vec<_> =
        events.iter().filter_map(|(at, event)| Some((event.kind, event.contact?, *at))).collect();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn a_bouncing_key_is_pulled_once_at_its_first_edge() {
    let key = Contact::SafetyKey;
    check(
        "key_bounce",
        [false, false, true],
        8,
        &[(EventKind::ContactOpened, key, 2_000_000), (EventKind::ContactClosed, key, 6_000_000)],
    );
}

#[test]
fn a_loose_contact_chatters_after_twenty_edges() {
    let told = played("button_chatter", [false, false, true], 30);
    let events = events(contact::source(&settings()).spec(), &told, 30 * SECOND);
    let count = |kind| events.iter().filter(|(_, event)| event.kind == kind).count();
    assert_eq!(count(EventKind::ContactOpened) + count(EventKind::ContactClosed), 20);
    assert!(count(EventKind::ContactChattering) >= 1);
    assert_eq!(count(EventKind::SourceStale), 0);
}

#[test]
fn a_hand_that_lets_go_for_a_moment_has_not_let_go() {
    let rail = Contact::HandRail;
    let told = played("hand_rail", [false, false, true], 9);
    let mut levels: Vec<(u64, bool)> = told
        .iter()
        .filter_map(|told| {
            let SignalValue::ContactLevel { contact, open } = told.value else { return None };
            (contact == rail).then_some((told.at.0, open))
        })
        .collect();
    levels.dedup_by_key(|(_, open)| *open);
    assert_eq!(levels, [(0, true), (1_000_000, false), (5_200_000, true), (8_000_000, false)]);
}
