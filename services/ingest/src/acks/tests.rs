use super::*;

const LOG: LogId = LogId([1; 16]);

fn at(millis: u64) -> MonotonicMicros {
    MonotonicMicros(millis * MILLI)
}

fn lane_ack(lane: Lane, n: u64, window: u32) -> LaneAck {
    LaneAck { lane, log: LOG, committed: Some(Position::new(1, n)), maker: None, window }
}

fn both(events: u64, readings: u64) -> Vec<LaneAck> {
    vec![lane_ack(Lane::Events, events, 64), lane_ack(Lane::Readings, readings, 64)]
}

/// Sends an ack and gives the lanes that it tells.
fn send(pace: &mut AckPace, lanes: Vec<LaneAck>, now: MonotonicMicros) -> Vec<Lane> {
    pace.take(now);
    pace.take_lanes(lanes, now).into_iter().map(|ack| ack.lane).collect()
}

#[test]
fn readings_wait_a_second_and_events_do_not() {
    let mut pace = AckPace::default();
    assert_eq!(pace.committed(Lane::Readings, at(100)), Some(at(100)), "the first");
    send(&mut pace, both(1, 1), at(100));
    assert_eq!(pace.committed(Lane::Readings, at(200)), Some(at(1_100)));
    assert_eq!(pace.committed(Lane::Readings, at(300)), None, "it is on the list");
    assert!(!pace.is_due(at(300)));
    assert_eq!(pace.committed(Lane::Events, at(400)), Some(at(400)));
    assert!(pace.is_due(at(400)));
}

#[test]
fn many_envelopes_are_acked_before_the_window_is_used_up() {
    let mut pace = AckPace::default();
    send(&mut pace, both(1, 1), at(0));
    for _ in 1..ENVELOPES_WORTH_AN_ACK {
        assert_ne!(pace.committed(Lane::Readings, at(1)), Some(at(1)));
    }
    assert_eq!(pace.committed(Lane::Readings, at(1)), Some(at(1)));
    send(&mut pace, both(1, 2), at(1));
    assert_eq!(pace.committed(Lane::Readings, at(2)), Some(at(1_001)), "counted anew");
}

#[test]
fn a_lane_is_told_again_only_with_a_reason() {
    let mut pace = AckPace::default();
    assert_eq!(send(&mut pace, both(1, 1), at(0)), Lane::ALL, "the first ack tells both");
    assert_eq!(send(&mut pace, both(1, 1), at(1)), []);
    pace.committed(Lane::Events, at(2));
    assert_eq!(send(&mut pace, both(2, 1), at(2)), [Lane::Events]);
    pace.missing(Lane::Readings, false, at(3));
    assert_eq!(send(&mut pace, both(2, 1), at(3)), [Lane::Readings]);
    let other = |n, window| vec![lane_ack(Lane::Events, 2, 64), lane_ack(Lane::Readings, n, window)];
    assert_eq!(send(&mut pace, other(1, 8), at(4)), [], "another window waits for the next position");
    pace.committed(Lane::Readings, at(5));
    assert_eq!(send(&mut pace, other(2, 0), at(5)), [Lane::Readings]);
    assert_eq!(send(&mut pace, other(2, 0), at(6)), []);
    assert_eq!(send(&mut pace, other(2, 1), at(7)), [Lane::Readings], "nothing could be sent before");
    pace.new_connection();
    assert_eq!(send(&mut pace, both(2, 2), at(8)), Lane::ALL);
}

#[test]
fn a_status_shows_which_ack_was_lost() {
    let mut pace = AckPace::default();
    send(&mut pace, both(5, 5), at(0));
    let next = Position::new(1, 9);
    let lane = |lane, first: Option<u64>| LaneStatus {
        lane,
        log: LOG,
        first: first.map(|n| Position::new(1, n)),
        next,
        dropped: 0,
    };
    let mut answer = |lanes: &[LaneStatus], now| {
        assert_eq!(pace.status(lanes, |_, _| Some(Position::new(1, 5)), now), Some(now));
        send(&mut pace, both(5, 5), now)
    };
    let behind = [lane(Lane::Events, Some(4)), lane(Lane::Readings, Some(6))];
    assert_eq!(answer(&[lane(Lane::Events, None), lane(Lane::Readings, Some(6))], at(1)), []);
    assert_eq!(answer(&behind, at(1_999)), [], "the ack may have passed it on its way");
    assert_eq!(answer(&behind, at(2_000)), [Lane::Events]);
    assert_eq!(answer(&behind, at(2_001)), []);
}

#[test]
fn a_repeated_envelope_asks_for_the_ack_again() {
    let mut pace = AckPace::default();
    assert_eq!(pace.duplicate(Lane::Events, at(0)), Some(at(0)));
    assert_eq!(send(&mut pace, both(1, 1), at(0)), Lane::ALL);
    assert_eq!(pace.duplicate(Lane::Events, at(10)), None, "the broker repeated it");
    assert_eq!(pace.duplicate(Lane::Events, at(1_000)), Some(at(1_000)));
    assert_eq!(send(&mut pace, both(1, 1), at(1_000)), [Lane::Events]);
}

#[test]
fn who_was_told_to_send_nothing_is_told_again_until_it_sends() {
    let mut pace = AckPace::default();
    let lanes = |window| vec![lane_ack(Lane::Events, 2, 64), lane_ack(Lane::Readings, 1, window)];
    let first = Some(Position::new(1, 2));
    let next = Position::new(1, 3);
    let waits = [LaneStatus { lane: Lane::Readings, log: LOG, first, next, dropped: 0 }];
    let committed = |_, _| Some(Position::new(1, 1));
    send(&mut pace, lanes(0), at(0));
    assert_eq!(send(&mut pace, lanes(64), at(100)), [Lane::Readings]);
    pace.status(&waits, committed, at(1_000));
    assert_eq!(send(&mut pace, lanes(64), at(1_000)), [], "it may be on its way");
    pace.status(&waits, committed, at(2_100));
    assert_eq!(send(&mut pace, lanes(64), at(2_100)), [Lane::Readings], "it was lost");
    pace.committed(Lane::Readings, at(2_200));
    assert_eq!(send(&mut pace, lanes(64), at(2_200)), [Lane::Readings]);
    pace.status(&waits, committed, at(9_000));
    assert_eq!(send(&mut pace, lanes(64), at(9_000)), [], "it has heard");
    // What was committed may have been sent before it was told to send nothing.
    pace.status(&waits, committed, at(32_200));
    assert_eq!(send(&mut pace, lanes(64), at(32_200)), [Lane::Readings], "it may not have heard");
    pace.status(&[LaneStatus { first: None, ..waits[0] }], committed, at(90_000));
    assert_eq!(send(&mut pace, lanes(64), at(90_000)), [], "nothing waits");
}

#[test]
fn what_is_missing_is_told_at_once_but_not_for_every_envelope() {
    let mut pace = AckPace::default();
    assert_eq!(pace.missing(Lane::Readings, false, at(10)), Some(at(10)));
    send(&mut pace, both(1, 1), at(10));
    assert_eq!(pace.missing(Lane::Readings, false, at(11)), Some(at(110)));
    assert_eq!(pace.missing(Lane::Readings, false, at(12)), None);
    send(&mut pace, both(1, 1), at(110));
    assert_eq!(pace.missing(Lane::Events, true, at(500)), Some(at(510)), "with what is under way");
}

#[test]
fn counters_go_on_after_a_restart_and_echoes_are_the_newest() {
    let mut pace = AckPace::default();
    assert_eq!(pace.next_counter(UnixMicros(1_000)), 1_000);
    assert_eq!(pace.next_counter(UnixMicros(900)), 1_001);
    assert_eq!(AckPace::default().next_counter(UnixMicros(-5)), 1);
    let hour = 3_600_000_000_i64;
    let next = |now| AckPace::restored(hour.cast_unsigned(), UnixMicros(now)).next_counter(UnixMicros(now));
    assert_eq!(next(2 * hour), 2 * hour.cast_unsigned());
    assert_eq!(next(hour - 5), hour.cast_unsigned() + 1);
    assert!(next(hour / 2) > hour.cast_unsigned() + 60 * SECOND, "the wall clock was put back");
    pace.heard(at(50), at(1_000));
    pace.heard(at(40), at(1_001));
    assert_eq!(pace.take(at(1_002)).0, Some((at(50), 2 * MILLI)));
}

#[test]
fn a_refusal_is_told_once_a_second() {
    let refusal = || Refusal { reason: "unreadable".to_owned(), detail: String::new() };
    let mut pace = AckPace::default();
    assert_eq!(pace.refuse(refusal(), at(0)), Some(at(0)));
    assert_eq!(pace.take(at(0)).1, Some(refusal()));
    assert_eq!(pace.refuse(refusal(), at(1)), Some(at(1_000)));
    assert!(!pace.may_tell_other(at(999)));
    assert!(pace.may_tell_other(at(1_000)));
}
