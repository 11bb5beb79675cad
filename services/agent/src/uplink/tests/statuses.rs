//! When statuses are sent.

use super::*;

/// Statuses of a minute in which the oldest reading waits so long at each tick, in tenths of a second.
#[track_caller]
fn check_statuses(wait_tenths: impl Fn(u64) -> u64, expected: usize) {
    let mut bench = Bench::ready();
    let count = (0..610).map(|tick| {
        bench.advance(SECOND / 10);
        bench.apply(Input::Tick { readings_wait_us: wait_tenths(tick) * SECOND / 10 });
        bench.statuses()
    });
    assert_eq!(count.sum::<usize>(), expected);
}

#[test]
fn statuses_come_every_thirty_seconds_and_every_second_during_a_drain() {
    check_statuses(|_| 0, 2);
    // Company, a tick and the way of the ack: that is how long a reading waits where nothing is behind.
    check_statuses(|tick| tick % 30, 2);
    check_statuses(|_| 31, 61);
    // An hour's backlog that is drained in half a minute counts to its end, and not beyond it.
    check_statuses(|tick| 35_999_u64.saturating_sub(tick * 120).max(tick % 30), 31);
    check_statuses(|tick| 330_u64.saturating_sub(tick).max(tick % 20), 32);
    // One that was never behind does not become it by being as slow as that.
    check_statuses(|_| 25, 2);
}

#[test]
fn the_way_itself_is_nothing_that_readings_are_behind_by() {
    for (wait_us, expected) in [(4 * SECOND, 0), (4 * SECOND + 1, 1)] {
        let mut bench = Bench::ready();
        // An ack that took a second.
        bench.advance(2 * SECOND);
        let mut ack = bench.ack(&[]);
        ack.echo = Some((MonotonicMicros(bench.now.0 - SECOND), 0));
        bench.apply(Input::Ack(ack));
        bench.other.clear();
        bench.apply(Input::Tick { readings_wait_us: wait_us });
        assert_eq!(bench.statuses(), expected, "{wait_us}");
    }
}

/// The greatest age of the server's picture of the belt while it works off this backlog of seconds, with a reading a second,
/// of which it takes so many in a second and in an envelope.
fn oldest_picture_us(backlog: u64, readings_a_second: u64, batch: u64) -> u64 {
    let mut bench = Bench::new();
    bench.batch = batch;
    let mut appended: Vec<MonotonicMicros> =
        (0..backlog).map(|n| MonotonicMicros(START.0 - (backlog - n) * SECOND)).collect();
    bench.append(Readings, backlog);
    bench.apply(Input::Connected { connection: 1 });
    bench.advance(10_000);
    bench.acked(&[]);
    let (mut queue, mut committed, mut acked_at) = (Vec::new(), 0, bench.now);
    let (mut picture, mut oldest_us) = (bench.now, 0);
    for tick in 1_u64.. {
        bench.advance(SECOND / 10);
        if tick % 10 == 0 {
            appended.push(bench.now);
            bench.append(Readings, 1);
        }
        let waits = appended.get(usize::try_from(bench.trimmed[1]).unwrap());
        let readings_wait_us = waits.map_or(0, |oldest| bench.now.since(*oldest));
        bench.apply(Input::Tick { readings_wait_us });
        queue.extend(bench.sent().into_iter().flat_map(|(_, first, last)| first..=last));
        let room = readings_a_second / 10 + u64::from(tick % 10 < readings_a_second % 10);
        for n in queue.drain(..queue.len().min(usize::try_from(room).unwrap())) {
            if n == committed + 1 {
                committed = n;
                picture = picture.max(appended[usize::try_from(n).unwrap() - 1]);
            }
        }
        if bench.statuses() > 0 {
            picture = bench.now;
        }
        oldest_us = oldest_us.max(bench.now.since(picture));
        if committed > bench.trimmed[1] && bench.now.since(acked_at) >= SECOND {
            acked_at = bench.now;
            bench.acked(&[(Readings, committed)]);
        }
        if bench.trimmed[1] >= backlog && queue.is_empty() {
            return oldest_us;
        }
        assert!(tick < 100_000, "{committed} of {backlog} and {} that wait", queue.len());
    }
    unreachable!("the loop ends by returning")
}

#[test]
fn the_live_picture_is_never_old_while_a_backlog_is_drained() {
    // Fast, as fast as a busy server, and hardly faster than the belt tells.
    for (backlog, readings_a_second, batch) in
        [(900, 5_000, 600), (900, 300, 600), (900, 20, 60), (60, 4, 5), (60, 2, 1), (20, 2, 2), (5, 2, 1)]
    {
        let oldest_us = oldest_picture_us(backlog, readings_a_second, batch);
        assert!(oldest_us <= 2 * SECOND, "{backlog} {readings_a_second} {batch}: {oldest_us} us");
    }
}
