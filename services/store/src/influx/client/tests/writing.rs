//! Batches, and the search for the lines that are refused.

use std::collections::BTreeSet;
use std::sync::Mutex;

use proptest::prelude::*;

use super::fake::{Answer, Fake};
use super::*;

/// How a server words that it refuses lines.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// It writes the others, of all shards but one: it answers at the first that fails.
    Part,
    /// It writes none.
    Nothing,
    /// It writes none, and cannot read what is so large.
    TooLarge,
    /// Its answer is so long that it is not read to its end.
    Long,
}

/// Writes lines of which some are refused, to a server that keeps what it writes. Which were given back, what the server has,
/// how often it was asked.
async fn check(count: i64, bad: &[i64], way: Way) -> (Vec<i64>, Vec<i64>, usize) {
    let is_bad: BTreeSet<String> = bad.iter().map(|n| format!("n={n}i")).collect();
    let written = Arc::new(Mutex::new(BTreeSet::new()));
    let kept = written.clone();
    let fake = Fake::start(move |_, request| {
        let of_line = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
        let (worse, fine): (Vec<String>, Vec<String>) =
            request.body.lines().map(of_line).partition(|n| is_bad.contains(n));
        if worse.is_empty() {
            kept.lock().unwrap().extend(fine);
            return Answer::new(204, "", "");
        }
        let dropped = worse.len();
        match way {
            Way::Part => {
                kept.lock().unwrap().extend(fine.into_iter().step_by(2));
                let what = format!("failure writing points to database: partial write: x dropped={dropped}");
                Answer::error(422, "unprocessable entity", &format!("{what} for database: 7"))
            }
            Way::Nothing => Answer::error(400, "invalid", "unable to parse 'reading': organization name"),
            Way::TooLarge => Answer::new(413, "", "<html>too large</html>"),
            Way::Long => {
                let body = format!("{{\"code\":\"invalid\",\"message\":\"{}", "x".repeat(2_000_000));
                Answer::new(400, "x-platform-error-code: invalid\r\n", &body)
            }
        }
    })
    .await;
    let refused = client(&fake.url).write("belts", &lines(count)).await.unwrap();
    let number = |text: &str| -> i64 {
        let (_, n) = text.rsplit_once("n=").unwrap();
        n.split('i').next().unwrap().parse().unwrap()
    };
    assert!(refused.iter().all(|line| !line.reason.is_empty() && line.reason.len() < 2_000));
    let refused = refused.iter().map(|refused| number(&refused.line)).collect();
    let mut written: Vec<i64> = written.lock().unwrap().iter().map(|n| number(n)).collect();
    written.sort_unstable();
    (refused, written, fake.requests().len())
}

#[tokio::test]
async fn of_a_batch_exactly_the_bad_lines_are_given_back_and_all_others_written() {
    for (count, bad, most) in [
        (0, &[][..], 0),
        (1, &[], 1),
        (1, &[0], 1),
        (9, &[4], 9),
        (100, &[0, 50, 99], 45),
        (16, &[3, 4, 5], 20),
    ] {
        for way in [Way::Part, Way::Nothing, Way::TooLarge, Way::Long] {
            let (refused, written, requests) = check(count, bad, way).await;
            assert_eq!(refused, bad, "{way:?}");
            let others: Vec<i64> = (0..count).filter(|n| !bad.contains(n)).collect();
            assert_eq!(written, others, "{way:?}");
            assert!(requests <= most, "{count} lines, {way:?}: {requests} requests");
        }
    }
}

#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_is_not_searched() {
    let all: Vec<i64> = (0..1_000).collect();
    let (refused, written, requests) = check(1_000, &all, Way::Part).await;
    assert_eq!((refused, written, requests), (all, Vec::new(), 1));
}

#[tokio::test]
async fn lines_go_in_batches_of_bounded_number_and_octets() {
    let most = limits::INFLUX_BATCH_LINES_MAX;
    let fake = Fake::start(|_, _| Answer::new(204, "", "")).await;
    let count = i64::try_from(most * 2 + 1).unwrap();
    client(&fake.url).write("belts", &lines(count)).await.unwrap();
    let requests = fake.requests();
    let counts: Vec<usize> = requests.iter().map(|request| request.body.lines().count()).collect();
    assert_eq!(counts, [most, most, 1]);
    assert_eq!(requests[0].line, "POST /api/v2/write?org=gym&bucket=belts&precision=ns HTTP/1.1");
    let long = |n: i64| {
        let text = "x".repeat(limits::INFLUX_BATCH_BYTES_MAX / 2);
        Line::new("reading").text("t", &text).at(n)
    };
    client(&fake.url).write("belts", &(0..3).map(long).collect()).await.unwrap();
    assert_eq!(fake.requests().len(), 3 + 3);
}

#[tokio::test]
async fn after_a_failure_in_the_midst_the_same_can_be_written_again() {
    let fake = Fake::start(|n, _| match n {
        1 => Answer::error(500, "internal error", "engine is closed"),
        _ => Answer::new(204, "", ""),
    })
    .await;
    let client = client(&fake.url);
    let lines = lines(i64::try_from(limits::INFLUX_BATCH_LINES_MAX + 1).unwrap());
    let (kind, text) = failure(client.write("belts", &lines).await);
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(text.contains("engine is closed"), "{text}");
    assert_eq!(client.write("belts", &lines).await.unwrap(), []);
}

#[tokio::test]
async fn how_long_influxdb_asks_to_be_left_alone_is_waited_for_within_bounds() {
    for (status, header, asked) in
        [(429, "retry-after: 3600\r\n", true), (503, "retry-after: soon\r\n", true), (429, "", false)]
    {
        let fake = Fake::start(move |n, _| match n {
            0 => Answer::new(status, header, "{\"code\":\"too many requests\",\"message\":\"slow down\"}"),
            _ => Answer::new(204, "", ""),
        })
        .await;
        let client = client(&fake.url);
        let before = Instant::now();
        let (kind, text) = failure(client.write("belts", &lines(1)).await);
        assert_eq!(kind, StoreErrorKind::Unavailable);
        assert!(text.contains("slow down"), "{text}");
        assert_eq!(text.contains("asks to wait"), asked, "{text}");
        let until = *client.inner.quiet_until.lock().unwrap();
        assert_eq!(until.is_some(), asked);
        // A clone of it waits, too, and then writes.
        assert_eq!(client.clone().write("belts", &lines(1)).await.unwrap(), []);
        let most = before..=Instant::now() + Duration::from_millis(25);
        assert!(until.is_none_or(|until| most.contains(&until) && until <= Instant::now()));
    }
}

#[test]
fn how_many_were_dropped_is_read_from_the_end() {
    for (message, wanted) in [
        ("partial write: x dropped=12", Some(12)),
        ("partial write: dropped 2 points dropped=2 for database: 0ab8", Some(2)),
        ("partial write: in \"a dropped=9\" x dropped=1", Some(1)),
        ("unable to parse", None),
        (" dropped=", None),
        (" dropped=99999999999999999999999", None),
    ] {
        assert_eq!(super::super::write::dropped(message), wanted, "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_lines_are_bad_they_and_only_they_are_found(
        count in 1..60_i64,
        bad in proptest::collection::btree_set(0..60_i64, 0..8),
        way in prop_oneof![Just(Way::Part), Just(Way::Nothing)],
    ) {
        let bad: Vec<i64> = bad.into_iter().filter(|n| *n < count).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (refused, written, _) = runtime.block_on(check(count, &bad, way));
        let others: Vec<i64> = (0..count).filter(|n| !bad.contains(n)).collect();
        prop_assert_eq!(refused, bad);
        prop_assert_eq!(written, others);
    }
}
