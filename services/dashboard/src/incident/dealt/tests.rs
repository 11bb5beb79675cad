use super::*;
use crate::texts::Language;
use crate::words::Unit;

const ENGLISH: Reader = Reader { t: Texts { language: Language::English }, unit: Unit::KilometresPerHour };
const GERMAN: Reader = Reader { t: Texts { language: Language::German }, unit: Unit::KilometresPerHour };

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn deed(author: &str, seconds: i64) -> Option<v1::Deed> {
    Some(v1::Deed { time: at(seconds), author: author.to_owned() })
}

fn now() -> Timestamp {
    Timestamp::from_second(1_000_000).unwrap()
}

#[test]
fn a_deadline_counts_down_until_it_is_met_or_missed() {
    let check = |due_s: i64, met_s: Option<i64>, class: &str, english: &str, german: &str| {
        let state = v1::DeadlineState {
            name: "insurer".to_owned(),
            due_time: at(due_s),
            met_time: met_s.and_then(at),
        };
        let [in_english, in_german] =
            [ENGLISH, GERMAN].map(|reader| due(&state, &TimeZone::UTC, reader, now()).unwrap());
        assert_eq!((in_english.class, in_english.words.as_str()), (class, english));
        assert_eq!(in_german.words, german);
        assert_eq!(in_english.at_ms, met_s.is_none().then_some(due_s * 1_000));
    };
    check(1_000_059, None, "waits", "59 s left", "noch 59 s");
    check(1_007_260, None, "waits", "2 h 1 min left", "noch 2 Std. 1 min");
    check(1_000_000 + 5 * 86_400 - 60, None, "waits", "4 d 23 h left", "noch 4 T. 23 Std.");
    check(1_000_000, None, "missed", "missed 0 s ago", "seit 0 s versäumt");
    check(990_000, None, "missed", "missed 2 h 46 min ago", "seit 2 Std. 46 min versäumt");
    check(990_000, Some(989_999), "met", "met", "eingehalten");
    check(990_000, Some(990_001), "missed", "done too late", "zu spät erledigt");
}

#[test]
fn who_dealt_with_it_is_told_and_what_is_not_told_is_not_said() {
    let told = |handling: &v1::Handling| Dealt::new(handling, &TimeZone::UTC, ENGLISH, now()).told.join(" ");
    let mut handling = v1::Handling::default();
    assert_eq!(told(&handling), "Nobody has acknowledged it yet.");
    handling.acknowledged = deed("user:anna", 0);
    handling.set_state(v1::HandlingState::InProgress);
    handling.assignee = "otto".to_owned();
    assert_eq!(told(&handling), "Acknowledged by anna, 1970-01-01 00:00:00 UTC. otto works on it.");
    handling.shelve_until_time = at(1_000_000);
    assert!(!told(&handling).contains("Shelved"), "that time is over");
    handling.shelve_until_time = at(1_000_001);
    assert!(told(&handling).ends_with("Shelved until 1970-01-12 13:46:41 UTC."));
    handling.set_state(v1::HandlingState::Closed);
    handling.closed = deed("token:7", 60);
    assert_eq!(told(&handling), "Closed by token 7, 1970-01-01 00:01:00 UTC.");
    handling.set_cause(v1::Cause::Misuse);
    handling.set_hurt(v1::Hurt::Yes);
    assert!(told(&handling).ends_with("Cause: Misuse. Somebody was hurt."));
    assert_eq!(who(&handling, ENGLISH.t), "token 7");
}
