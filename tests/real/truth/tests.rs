use domain::belt::Belt;
use domain::record::{Event, EventKind, Payload};
use domain::units::MonotonicMicros;

use super::*;

/// A line of the truth, without its end.
fn line(boot_count: u32, n: u64) -> String {
    let at = MonotonicMicros(n);
    let event = Event::new(EventKind::BeltStarted, at, Belt::default(), Belt::default());
    let record = Record { at, other_n: 0, payload: Payload::Event(event) };
    let octets = hex::encode(wire::record::encode(&record));
    format!("{{\"boot_count\":{boot_count},\"lane\":\"events\",\"n\":{n},\"record\":\"{octets}\"}}")
}

fn places(text: &str) -> Result<(Vec<(u32, u64)>, u64), String> {
    let truth = Truth::parse(text.as_bytes()).map_err(|error| format!("{error:#}"))?;
    let places = truth.records.keys().map(|(_, position)| (position.boot_count, position.n)).collect();
    Ok((places, truth.cut_lines))
}

#[test]
fn lines_that_a_kill_has_cut_cost_only_themselves() {
    let (a, b, c) = (line(1, 1), line(1, 2), line(2, 1));
    for cut in 1..b.len() {
        let glued = format!("{a}\n{}{c}\n", &b[..cut]);
        assert_eq!(places(&glued), Ok((vec![(1, 1), (2, 1)], 1)), "cut after {cut}, then another boot");
        let last = format!("{a}\n{}", &b[..cut]);
        assert_eq!(places(&last), Ok((vec![(1, 1)], 1)), "cut after {cut}, then nothing");
    }
    assert_eq!(
        places(&format!("{a}\n{b}{c}\n")),
        Ok((vec![(1, 1), (1, 2), (2, 1)], 1)),
        "only the end was cut"
    );
    assert_eq!(places(&format!("{a}\n{b}\n{c}\n")), Ok((vec![(1, 1), (1, 2), (2, 1)], 0)));
    assert_eq!(places(""), Ok((Vec::new(), 0)));
}

#[test]
fn a_truth_that_is_wrong_in_itself_proves_nothing() {
    let (a, c) = (line(1, 1), line(1, 3));
    for (text, reason) in [
        (format!("{a}\n{a}\n"), "told twice"),
        (format!("{a}\n{c}\n"), "comes where 2 should"),
        (format!("{c}\n"), "comes where 1 should"),
        ("no object\n".to_owned(), "neither whole nor cut"),
        ("{\"lane\":\"events\"}\n".to_owned(), "boot_count is no number"),
    ] {
        let error = places(&text).expect_err(reason);
        assert!(error.contains(reason), "{error}");
    }
}
