use super::*;
use crate::ftms::treadmill::PaceWidth;

fn part(text: &str) -> Input {
    let octets = hex::decode(text.replace(' ', "")).unwrap();
    Input::Part(Treadmill::decode(&octets, PaceWidth::OneOctet).unwrap())
}

fn at(milliseconds: u64) -> MonotonicMicros {
    MonotonicMicros(milliseconds * 1_000)
}

/// Feeds parts with their times in milliseconds; the effects come in the same order.
fn feed(inputs: &[(u64, &str)]) -> Vec<Effects> {
    let mut assembly = Assembly::default();
    inputs.iter().map(|(when, text)| assembly.apply(part(text), at(*when))).collect()
}

fn whole(effects: &Effects) -> &Treadmill {
    effects.whole.as_ref().expect("a whole")
}

const FIRST: &str = "0700 f401 e80300";
const LAST: &str = "0004 5802 2c01";

#[test]
fn a_whole_of_two_parts_has_the_fields_of_both() {
    let effects = feed(&[(0, FIRST), (100, LAST)]);
    assert_eq!(effects[0], Effects::default());
    let expected = Treadmill {
        flags: 0x0406,
        speed: Some(600),
        average_speed: Some(500),
        distance_m: Some(1_000),
        elapsed_s: Some(300),
        ..Treadmill::default()
    };
    assert_eq!(effects[1], Effects { whole: Some(expected), dropped: None });
}

#[test]
fn of_a_field_that_comes_twice_the_later_wins() {
    let effects = feed(&[(0, "0300 6400"), (10, "0300 c800"), (20, "0200 0a00 2c01")]);
    assert_eq!(whole(&effects[2]).average_speed, Some(300));
    let effects = feed(&[(0, "0300 6400"), (10, "0300 c800"), (20, "0000 0a00")]);
    assert_eq!(whole(&effects[2]).average_speed, Some(200));
}

#[test]
fn parts_expire_after_two_seconds() {
    let effects = feed(&[(0, FIRST), (2_000, LAST)]);
    assert_eq!(whole(&effects[1]).average_speed, Some(500));
    let effects = feed(&[(0, FIRST), (1_500, "0300 6400"), (2_001, LAST)]);
    assert_eq!(effects[2].dropped, Some((2, DropReason::Expired)));
    assert_eq!(whole(&effects[2]).average_speed, None);
    assert_eq!(whole(&effects[2]).speed, Some(600));
    // An expired part does not take a newer one with it.
    let effects = feed(&[(0, FIRST), (2_500, "0300 6400"), (3_000, LAST)]);
    assert_eq!(effects[1].dropped, Some((1, DropReason::Expired)));
    assert_eq!(whole(&effects[2]).average_speed, Some(100));
}

#[test]
fn parts_go_with_their_connection() {
    let mut assembly = Assembly::default();
    assembly.apply(part(FIRST), at(0));
    let gone = Effects { whole: None, dropped: Some((1, DropReason::Disconnected)) };
    assert_eq!(assembly.apply(Input::Disconnected, at(10)), gone);
    assert_eq!(assembly.apply(Input::Disconnected, at(20)), Effects::default());
    assert_eq!(whole(&assembly.apply(part(LAST), at(30))).average_speed, None);
}

#[test]
fn a_part_after_the_closing_one_neither_delays_nor_changes_the_next_speed() {
    // FitLogic's habit: speed first, then a part with the bit for more.
    let effects = feed(&[(0, LAST), (20, FIRST), (1_000, "0004 bc02 2d01"), (1_020, FIRST), (2_000, LAST)]);
    let speeds: Vec<_> =
        effects.iter().map(|effects| effects.whole.as_ref().and_then(|whole| whole.speed)).collect();
    assert_eq!(speeds, [Some(600), None, Some(700), None, Some(600)]);
    assert!(effects.iter().all(|effects| effects.dropped.is_none()));
}

#[test]
fn a_cut_frame_with_a_speed_is_given_on_at_once() {
    // Matrix's habit: the flags promise more than the 20 octets hold.
    let cut = "9e1b 5100 b200 580000 0000 ff7f 1e00 ffff 0c00 97";
    let effects = feed(&[(0, cut), (1_000, cut)]);
    for effects in &effects {
        assert_eq!(whole(effects).speed, Some(81));
        assert!(whole(effects).cut.is_some());
    }
    // Nor does an odd part before it hold it back.
    let effects = feed(&[(0, "0fff 01"), (10, LAST)]);
    assert_eq!(whole(&effects[1]).speed, Some(600));
}
