mod statuses;

use domain::units::UnixMicros;
use proptest::prelude::*;

use super::*;

const BOOT: BootId = BootId([1; 16]);
const LOGS: [LogId; 2] = [LogId([2; 16]), LogId([3; 16])];
const START: MonotonicMicros = MonotonicMicros(1_000_000_000);

/// An uplink with a spool of numbered records, `batch` to an envelope, and a clock.
struct Bench {
    uplink: Uplink,
    now: MonotonicMicros,
    newest: [u64; 2],
    trimmed: [u64; 2],
    batch: u64,
    counter: u64,
    sent: Vec<(Lane, u64, u64)>,
    other: Vec<Effect>,
}

impl Bench {
    /// Connected, heard, with a clock, and nothing to send.
    fn ready() -> Bench {
        let mut bench = Bench::new();
        bench.apply(Input::Connected { connection: 1 });
        bench.advance(10_000);
        let ack = bench.ack(&[]);
        bench.apply(Input::Ack(ack));
        bench.other.clear();
        bench
    }

    fn new() -> Bench {
        let uplink = Uplink::new(BOOT, 5, LOGS, 7);
        let (newest, trimmed) = ([0; 2], [0; 2]);
        Bench { uplink, now: START, newest, trimmed, batch: 1, counter: 0, sent: vec![], other: vec![] }
    }

    /// An ack that echoes what was sent 10 ms ago.
    fn ack(&mut self, lanes: &[(Lane, u64)]) -> Ack {
        self.counter += 1;
        let lane = |(lane, n): &(Lane, u64)| LaneAck {
            lane: *lane,
            log: LOGS[*lane as usize],
            committed: (*n > 0).then_some(Position::new(5, *n)),
            maker: None,
            window: 64,
        };
        Ack {
            boot: BOOT,
            connection: 1,
            counter: self.counter,
            lanes: lanes.iter().map(lane).collect(),
            echo: Some((MonotonicMicros(self.now.0 - 10_000), 0)),
            server_time: UnixMicros(1_700_000_000_000_000),
            refusal: None,
            settings: None,
        }
    }

    fn append(&mut self, lane: Lane, count: u64) {
        for _ in 0..count {
            self.newest[lane as usize] += 1;
            let newest = Position::new(5, self.newest[lane as usize]);
            self.apply(Input::Appended { lane, newest });
        }
    }

    fn acked(&mut self, lanes: &[(Lane, u64)]) {
        let ack = self.ack(lanes);
        self.apply(Input::Ack(ack));
    }

    fn advance(&mut self, micros: u64) {
        self.now = self.now.plus(micros);
    }

    fn tick(&mut self, micros: u64) {
        self.advance(micros);
        self.apply(Input::Tick { readings_wait_us: 0 });
    }

    fn apply(&mut self, input: Input) {
        let effects = self.uplink.apply(input, self.now);
        for effect in effects {
            let mut next = self.perform(effect);
            while let Some(effect) = next {
                next = self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect) -> Option<Effect> {
        if let Effect::Trim { lane, through } = effect {
            self.trimmed[lane as usize] = through.n;
        }
        let Effect::Send { lane, after } = effect else {
            self.other.push(effect);
            return None;
        };
        let first = after.map_or(0, |after| after.n).max(self.trimmed[lane as usize]) + 1;
        let last = (first + self.batch - 1).min(self.newest[lane as usize]);
        if last < first {
            return self.uplink.nothing(lane, self.now);
        }
        self.sent.push((lane, first, last));
        self.uplink.sent(lane, Position::new(5, first), Position::new(5, last), self.now)
    }

    fn sent(&mut self) -> Vec<(Lane, u64, u64)> {
        std::mem::take(&mut self.sent)
    }

    fn trims(&mut self) -> Vec<(Lane, u64)> {
        let effects = std::mem::take(&mut self.other);
        let trim = |effect| match effect {
            Effect::Trim { lane, through } => Some((lane, through.n)),
            Effect::Send { .. }
            | Effect::SendStatus { .. }
            | Effect::SetClock(_)
            | Effect::Refused(_)
            | Effect::Settings(_)
            | Effect::Conflict { .. }
            | Effect::Reconnect => None,
        };
        effects.into_iter().filter_map(trim).collect()
    }

    fn statuses(&mut self) -> usize {
        let effects = std::mem::take(&mut self.other);
        effects.iter().filter(|effect| matches!(effect, Effect::SendStatus { .. })).count()
    }
}

/// One envelope a record, all of one lane.
fn each(lane: Lane, numbers: impl IntoIterator<Item = u64>) -> Vec<(Lane, u64, u64)> {
    numbers.into_iter().map(|n| (lane, n, n)).collect()
}

use Lane::{Events, Readings};

#[test]
fn nothing_but_a_status_is_sent_before_the_first_ack() {
    let mut bench = Bench::new();
    bench.append(Events, 1);
    bench.apply(Input::Connected { connection: 1 });
    assert_eq!((bench.sent(), bench.statuses()), (vec![], 1));
    // It may have been lost: the status is repeated after 1, 2, 4 … seconds.
    let repeated = |bench: &mut Bench| (0..70).map(|_| (bench.tick(SECOND / 10), bench.statuses()).1).sum();
    let count: usize = repeated(&mut bench);
    assert_eq!(count, 3, "after 1, 3 and 7 s");
    bench.acked(&[]);
    assert_eq!(bench.sent(), each(Events, [1]));
}

#[test]
fn events_go_at_once_with_the_readings_before_them_which_else_wait_two_seconds_for_company() {
    let mut bench = Bench::ready();
    bench.batch = 10;
    bench.append(Readings, 2);
    assert_eq!(bench.sent(), []);
    bench.append(Events, 1);
    assert_eq!(bench.sent(), [(Events, 1, 1), (Readings, 1, 2)]);
    bench.acked(&[(Events, 1)]);
    bench.append(Readings, 1);
    bench.tick(BATCH_US - 1);
    assert_eq!(bench.sent(), []);
    bench.tick(1);
    assert_eq!(bench.sent(), [(Readings, 3, 3)]);
    bench.append(Readings, 1);
    bench.apply(Input::Flush);
    assert_eq!(bench.sent(), [(Readings, 4, 4)], "a stopping agent waits for nobody");
    bench.append(Readings, 599);
    assert_eq!(bench.sent(), []);
    bench.batch = 600;
    bench.append(Readings, 1);
    assert_eq!(bench.sent(), [(Readings, 5, 604)], "enough company");
}

#[test]
fn the_window_bounds_what_is_under_way() {
    let mut bench = Bench::ready();
    bench.append(Events, 100);
    assert_eq!(bench.sent(), each(Events, 1..=64));
    bench.acked(&[(Events, 3)]);
    assert_eq!(bench.sent(), each(Events, 65..=67));
    let mut closed = bench.ack(&[(Events, 60)]);
    closed.lanes[0].window = 0;
    bench.apply(Input::Ack(closed));
    bench.tick(100 * SECOND);
    assert_eq!(bench.sent(), [], "a window of 0 says to wait");
    bench.acked(&[(Events, 60)]);
    assert_eq!(bench.sent(), each(Events, 61..=100));
}

#[test]
fn a_lost_envelope_is_sent_again_when_an_ack_shows_the_same_position_twice() {
    let mut bench = Bench::ready();
    bench.append(Events, 5);
    assert_eq!(bench.sent(), each(Events, 1..=5));
    // 1 arrived, 2 was lost, 3 to 5 make the ingest show 1 again.
    bench.acked(&[(Events, 1)]);
    assert_eq!(bench.sent(), []);
    bench.acked(&[(Events, 1)]);
    assert_eq!(bench.sent(), each(Events, 2..=5), "from the oldest that the spool still has");
    bench.acked(&[(Events, 1)]);
    bench.acked(&[(Events, 1)]);
    assert_eq!(bench.sent(), [], "once is enough until something moves");
    assert_eq!(bench.trims(), [(Events, 1)]);
}

#[test]
fn a_timeout_risks_one_envelope_then_waits_longer() {
    let mut bench = Bench::ready();
    bench.append(Events, 3);
    assert_eq!(bench.sent(), each(Events, 1..=3));
    let mut waits = Vec::new();
    for _ in 0..8 {
        let before = bench.now;
        while bench.sent.is_empty() {
            bench.tick(SECOND / 10);
        }
        assert_eq!(bench.sent(), each(Events, [1]));
        waits.push(bench.now.since(before) / (SECOND / 10));
    }
    for (wait, seconds) in waits.iter().zip([1, 2, 4, 8, 10, 10, 10, 10]) {
        let tenths = seconds * 10;
        assert!((tenths..=tenths * 5 / 4 + 2).contains(wait), "{waits:?}");
    }
    bench.acked(&[(Events, 1)]);
    assert_eq!(bench.sent(), each(Events, [2, 3]), "an ack opens the window again");
}

#[test]
fn a_new_connection_starts_from_the_oldest() {
    let mut bench = Bench::ready();
    bench.append(Events, 3);
    bench.acked(&[(Events, 1)]);
    bench.sent();
    bench.apply(Input::Disconnected);
    bench.append(Events, 1);
    bench.tick(100 * SECOND);
    assert_eq!(bench.sent(), []);
    bench.apply(Input::Connected { connection: 2 });
    let mut ack = bench.ack(&[(Events, 2)]);
    ack.connection = 2;
    ack.counter = 1;
    bench.apply(Input::Ack(ack));
    assert_eq!(bench.sent(), each(Events, 3..=4), "what the ack showed is not sent again");
    assert_eq!(bench.trims(), [(Events, 1), (Events, 2)]);
    assert_eq!(bench.uplink.counts().envelopes_resent, 1);
}

#[test]
fn acks_of_others_and_older_ones_change_nothing() {
    let change = |name, spoil: fn(&mut Ack)| {
        let mut bench = Bench::ready();
        bench.append(Events, 3);
        let mut ack = bench.ack(&[(Events, 2)]);
        spoil(&mut ack);
        bench.apply(Input::Ack(ack));
        (name, bench.trims())
    };
    assert_eq!(change("as it should be", |_| {}), ("as it should be", vec![(Events, 2)]));
    for (name, trims) in [
        change("another boot", |ack| ack.boot = BootId([9; 16])),
        change("another connection", |ack| ack.connection = 2),
        change("an older counter", |ack| ack.counter = 1),
        change("counter 0", |ack| ack.counter = 0),
        change("another log", |ack| ack.lanes[0].log = LogId([9; 16])),
        change("the other lane's log", |ack| ack.lanes[0].log = LOGS[1]),
        change("no position", |ack| ack.lanes[0].committed = None),
    ] {
        assert_eq!(trims, [], "{name}");
    }
    let mut bench = Bench::ready();
    bench.append(Events, 3);
    let (older, newer) = (bench.ack(&[(Events, 1)]), bench.ack(&[(Events, 3)]));
    for ack in [newer.clone(), older, newer] {
        bench.apply(Input::Ack(ack));
    }
    assert_eq!(bench.trims(), [(Events, 3)], "reordered and repeated");
    assert_eq!(bench.uplink.counts().acks_ignored, 2);
}

#[test]
fn what_an_earlier_boot_sent_may_be_ahead_of_the_spool_but_not_what_this_one_did() {
    for (committed, sent, conflict) in [
        (Position::new(4, 1_000), 0, false),
        (Position::new(5, 3), 3, false),
        (Position::new(5, 4), 3, true),
        (Position::new(5, 1), 0, true),
        (Position::new(6, 1), 3, true),
    ] {
        let mut bench = Bench::ready();
        bench.append(Events, sent);
        bench.other.clear();
        let mut ack = bench.ack(&[(Events, 1)]);
        ack.lanes[0].committed = Some(committed);
        bench.apply(Input::Ack(ack));
        let expected = if conflict {
            vec![Effect::Conflict { committed }]
        } else {
            vec![Effect::Trim { lane: Events, through: committed }]
        };
        bench.other.retain(|effect| !matches!(effect, Effect::SetClock(_)));
        assert_eq!(bench.other, expected, "{committed} with {sent} sent");
    }
}

#[test]
fn a_full_way_sends_the_lane_back_to_what_did_not_go() {
    let mut bench = Bench::ready();
    bench.append(Events, 5);
    bench.sent();
    bench.uplink.busy(Events, Position::new(5, 4));
    bench.acked(&[(Events, 1)]);
    assert_eq!(bench.sent(), [], "not before the next tick");
    bench.tick(SECOND / 10);
    assert_eq!(bench.sent(), each(Events, [4, 5]));
}

#[test]
fn records_wait_for_a_clock_but_not_for_ever() {
    let mut bench = Bench::new();
    bench.apply(Input::Connected { connection: 1 });
    let mut ack = bench.ack(&[]);
    ack.echo = None;
    bench.apply(Input::Ack(ack));
    assert_eq!(bench.uplink.clock(), Clock::UNDATED);
    bench.append(Events, 1);
    assert_eq!(bench.uplink.held(Events, bench.now), None);
    bench.sent();
    bench.tick(CLOCK_WAIT_US - 1);
    assert!(!bench.uplink.sends_undated(bench.now));
    assert_eq!(bench.sent(), []);
    bench.tick(1);
    assert!(bench.uplink.sends_undated(bench.now));
    assert_eq!(bench.sent(), each(Events, [1]));
}

#[test]
fn a_clock_that_becomes_known_lets_waiting_records_go() {
    let mut bench = Bench::new();
    bench.apply(Input::Connected { connection: 1 });
    let mut ack = bench.ack(&[]);
    ack.echo = None;
    bench.apply(Input::Ack(ack));
    bench.append(Events, 1);
    bench.uplink.held(Events, bench.now);
    bench.uplink.apply(Input::Disconnected, bench.now);
    bench.apply(Input::Connected { connection: 2 });
    bench.sent();
    let mut ack = bench.ack(&[]);
    ack.connection = 2;
    bench.apply(Input::Ack(ack));
    assert_eq!(bench.sent(), each(Events, [1]));
}

#[test]
fn a_refusal_is_told_and_slows_down() {
    let mut bench = Bench::ready();
    let refusal = Refusal { reason: "too_large".to_owned(), detail: "16385 octets".to_owned() };
    for pause in [SECOND, 2 * SECOND, 4 * SECOND] {
        let mut ack = bench.ack(&[]);
        ack.refusal = Some(refusal.clone());
        bench.apply(Input::Ack(ack));
        assert!(bench.other.contains(&Effect::Refused(refusal.clone())));
        bench.append(Events, 1);
        bench.tick(pause - 1);
        assert_eq!(bench.sent(), []);
        bench.tick(pause / 4 + 1);
        assert!(!bench.sent().is_empty(), "after {pause}");
    }
}

#[test]
fn a_clock_is_learnt_from_echoes() {
    let clock = |quality, offset_us, uncertainty_us| Clock { quality, offset_us, uncertainty_us };
    // Sent, held, server time, now; all in microseconds.
    for (name, sent, held, server, now, expected) in [
        ("half of the round trip", 1_000, 0, 5_000_500, 2_000, Some((4_999_000, 500))),
        ("what the ingest held does not count", 1_000, 600, 5_000_800, 2_000, Some((4_999_000, 200))),
        ("two seconds teach nothing", 1_000, 0, 5_000_000, 2_001_000, None),
        ("just below", 1_000, 0, 6_000_000, 2_000_999, Some((4_999_000, 1_000_000))),
        ("an echo from the future", 3_000, 0, 5_000_000, 2_000, None),
        ("held for longer than it took", 1_000, 1_001, 5_000_000, 2_000, None),
    ] {
        let mut estimate = Estimate::default();
        let learnt = estimate.learn(MonotonicMicros(sent), held, UnixMicros(server), MonotonicMicros(now));
        let expected =
            expected.map(|(offset, plus_minus)| clock(ClockQuality::Estimated, offset, plus_minus));
        assert_eq!(learnt, expected, "{name}");
    }
}

#[test]
fn a_worse_clock_does_not_replace_a_better_one_until_that_has_aged() {
    let estimated =
        |offset_us, uncertainty_us| Clock { quality: ClockQuality::Estimated, offset_us, uncertainty_us };
    let mut estimate = Estimate::default();
    assert_eq!(estimate.set(Clock::UNDATED, START), None);
    assert!(estimate.set(estimated(1, 1_000), START).is_some());
    assert_eq!(estimate.set(estimated(2, 2_000), START.plus(5 * SECOND)), None);
    assert!(estimate.set(estimated(2, 900), START.plus(5 * SECOND)).is_some());
    assert!(estimate.set(estimated(3, 1_900), START.plus(15 * SECOND)).is_some(), "100 ppm in 10 s");
    let system = Clock { quality: ClockQuality::Synchronised, offset_us: 9, uncertainty_us: 50_000 };
    assert!(estimate.set(system, START.plus(15 * SECOND)).is_some());
    assert_eq!(estimate.set(estimated(3, 1), START.plus(99 * SECOND)), None);
    assert_eq!(estimate.clock(), system);
}

/// What a lying pipe does to the next envelope or ack.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    Overtaken,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        6 => Just(Fate::Arrives),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        1 => Just(Fate::Overtaken)
    ];
    prop::collection::vec(fate, 0..200)
}

proptest! {
    /// Whatever the pipe does for a while, everything is taken once and in order after it, and only what was
    /// taken is trimmed.
    #[test]
    fn everything_arrives_in_order(fates in fates(), batch in 1_u64..5, records in 1_u64..60) {
        let mut bench = Bench::ready();
        bench.batch = batch;
        let mut committed = 0_u64;
        let mut fates = fates.into_iter();
        let mut pipe: Vec<(u64, u64)> = Vec::new();
        bench.append(Events, records);
        for _ in 0..3_000 {
            for (_, first, last) in bench.sent() {
                let at = pipe.len();
                match fates.next().unwrap_or(Fate::Arrives) {
                    Fate::Arrives => pipe.push((first, last)),
                    Fate::Lost => {}
                    Fate::Twice => pipe.extend([(first, last), (first, last)]),
                    Fate::Overtaken => pipe.insert(at.saturating_sub(1), (first, last)),
                }
            }
            for (first, last) in std::mem::take(&mut pipe) {
                // As the ingest does: what was trimmed has no predecessor in the spool any more.
                if first <= committed + 1 || first == bench.trimmed[0] + 1 {
                    committed = committed.max(last);
                }
                match fates.next().unwrap_or(Fate::Arrives) {
                    Fate::Lost => {}
                    Fate::Arrives | Fate::Twice | Fate::Overtaken => bench.acked(&[(Events, committed)]),
                }
            }
            for (_, through) in bench.trims() {
                prop_assert!(through <= committed, "trimmed {through}, committed {committed}");
            }
            if bench.trimmed[0] == records {
                break;
            }
            bench.tick(SECOND / 10);
        }
        prop_assert_eq!(bench.trimmed[0], records);
    }
}

#[test]
fn acks_that_are_all_too_old_end_the_connection_after_a_while() {
    for (seconds, ends) in [(29, false), (30, true)] {
        let mut bench = Bench::ready();
        bench.counter -= 1;
        bench.advance(seconds * SECOND);
        bench.acked(&[]);
        assert_eq!(bench.other.contains(&Effect::Reconnect), ends, "after {seconds} s");
    }
}
