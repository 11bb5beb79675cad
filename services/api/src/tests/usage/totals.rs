//! Totals and groups.

use super::*;

const TODAY: (&str, &str) = ("2026-11-20", "2026-11-21");

async fn total(bench: &Bench, request: v1::GetUsageRequest) -> v1::GetUsageResponse {
    bench.usage().await.get_usage(request).await.unwrap().into_inner()
}

fn today() -> v1::GetUsageRequest {
    v1::GetUsageRequest { range: dates(TODAY.0, TODAY.1), ..Default::default() }
}

#[tokio::test]
async fn forward_reverse_and_unknown_are_added_up_apart() {
    let bench = Bench::gym().await;
    let answer = total(&bench, v1::GetUsageRequest { scope: of_sites(&["north"]), ..today() }).await;
    let usage = answer.total.unwrap();
    // A one-way belt that moves unseen is forward, declared; a reversible one is unknown.
    assert_eq!(moved(&usage), (50, 15, 10, 60));
    let metres = |motion: Option<v1::Motion>| motion.unwrap().distance_m;
    assert_eq!(metres(usage.forward), 30.0 * 60.0 + 20.0 * 120.0);
    assert_eq!((metres(usage.reverse), metres(usage.unknown)), (450.0, 900.0));
    assert_eq!(usage.forward.unwrap().speed_mean_mps, Some(1.4));
    assert_eq!(usage.forward.unwrap().speed_max_mps, Some(2.0));
    assert_eq!(usage.reverse.unwrap().starts + usage.forward.unwrap().starts, 3, "each stretch began anew");
    let keys: Vec<(v1::Direction, v1::DirectionOrigin, i64)> = usage
        .keyed
        .iter()
        .map(|one| (one.direction(), one.origin(), minutes(one.motion.unwrap().observed)))
        .collect();
    assert_eq!(
        keys,
        [
            (v1::Direction::Forward, v1::DirectionOrigin::Measured, 30),
            (v1::Direction::Forward, v1::DirectionOrigin::Declared, 20),
            (v1::Direction::Reverse, v1::DirectionOrigin::Measured, 15),
            (v1::Direction::Unknown, v1::DirectionOrigin::Unknown, 10),
        ]
    );
    assert_eq!((answer.groups.len(), answer.groups_total), (0, 0));
}

#[tokio::test]
async fn coverage_says_for_how_much_figures_can_speak() {
    let bench = Bench::gym().await;
    let answer = total(&bench, v1::GetUsageRequest { scope: of_sites(&["north"]), ..today() }).await;
    // Of three machines, from midnight in Vienna until now: 19 h.
    let asked = 3 * 19 * 60;
    assert_eq!(covered(&answer.total.unwrap()), ([asked, 135, 135, 125, 0], [3, 3, 2]));
    // A machine that tells no speed is heard, and its motion is not known.
    let answer = total(&bench, v1::GetUsageRequest { scope: of_machines(&["s-1"]), ..today() }).await;
    let usage = answer.total.unwrap();
    assert_eq!(covered(&usage), ([13 * 60, 40, 0, 0, 0], [1, 1, 0]));
    assert_eq!(moved(&usage), (0, 0, 0, 0));
    assert_eq!((usage.forward.unwrap().speed_mean_mps, usage.forward.unwrap().speed_max_mps), (None, None));
    assert!(usage.keyed.is_empty());
}

#[tokio::test]
async fn machines_count_from_their_registration_and_until_now() {
    let bench = Bench::gym().await;
    bench.machine_since("n-4", "north", "Two", BeltKind::OneWay, "2026-11-20T16:05:00Z").await;
    let of = |machine: &str, start: &str, end: &str| v1::GetUsageRequest {
        scope: of_machines(&[machine]),
        range: dates(start, end),
        ..Default::default()
    };
    let asked = async |request: v1::GetUsageRequest| covered(&total(&bench, request).await.total.unwrap());
    let (times, counts) = asked(of("n-4", "2026-11-20", "")).await;
    assert_eq!((times[0], counts), (115, [1, 0, 1]), "a one-way belt cannot run in reverse");
    let (times, counts) = asked(of("n-4", "2026-11-19", "2026-11-20")).await;
    assert_eq!((times[0], counts), (0, [0, 0, 0]), "it was not there yet");
    let (times, _) = asked(of("n-1", "2026-11-20", "2026-12-20")).await;
    assert_eq!(times[0], 19 * 60, "what is to come is not asked");
    let (times, _) = asked(of("n-1", "2026-11-21", "2026-12-20")).await;
    assert_eq!(times[0], 0);
    let (times, _) = asked(of("n-1", "2025-12-01", "2026-01-02")).await;
    assert_eq!(times[0], 23 * 60, "registered at one o'clock in Vienna");
}

#[tokio::test]
async fn groups_come_in_order_with_how_many_there_are() {
    let bench = Bench::gym().await;
    let by = async |by: v1::GroupBy, order: v1::UsageOrder, page_size: i32| {
        let request = v1::GetUsageRequest { group_by: by.into(), order: order.into(), page_size, ..today() };
        let answer = total(&bench, request).await;
        let keys: Vec<String> = answer.groups.iter().map(|group| group.key.clone()).collect();
        (keys.join(" "), answer.groups_total)
    };
    use v1::{GroupBy, UsageOrder};
    let text = |keys: &str, count: u32| (keys.to_owned(), count);
    assert_eq!(by(GroupBy::Machine, UsageOrder::Unspecified, 0).await, text("n-1 n-2 n-3 s-1", 4));
    assert_eq!(by(GroupBy::Machine, UsageOrder::Motion, 0).await, text("n-1 n-2 n-3 s-1", 4));
    assert_eq!(by(GroupBy::Machine, UsageOrder::Distance, 3).await, text("n-2 n-1 n-3", 4));
    assert_eq!(by(GroupBy::Machine, UsageOrder::Reverse, 2).await, text("n-1 n-2", 4));
    assert_eq!(by(GroupBy::Machine, UsageOrder::LeastMotion, 1).await, text("s-1", 4));
    assert_eq!(by(GroupBy::Site, UsageOrder::Motion, 0).await, text("north south", 2));
    assert_eq!(by(GroupBy::Model, UsageOrder::Unspecified, 0).await, text("One Two", 2));
    assert_eq!(by(GroupBy::Model, UsageOrder::Reverse, 1).await, text("Two", 2));
}

#[tokio::test]
async fn groups_say_what_they_are_and_add_up_to_the_total() {
    let bench = Bench::gym().await;
    for by in [v1::GroupBy::Machine, v1::GroupBy::Site, v1::GroupBy::Model] {
        let answer = total(&bench, v1::GetUsageRequest { group_by: by.into(), ..today() }).await;
        let all = answer.total.unwrap();
        let groups: Vec<&v1::Usage> = answer.groups.iter().map(|one| one.usage.as_ref().unwrap()).collect();
        let sum = |of: &dyn Fn(&v1::Usage) -> i64| groups.iter().map(|usage| of(usage)).sum::<i64>();
        assert_eq!(sum(&|usage| moved(usage).0), moved(&all).0, "{by:?}");
        for index in 0..5 {
            assert_eq!(sum(&|usage| covered(usage).0[index]), covered(&all).0[index], "{by:?} {index}");
        }
        for index in 0..3 {
            let of = |usage: &v1::Usage| i64::from(covered(usage).1[index]);
            assert_eq!(sum(&of), of(&all), "{by:?} {index}");
        }
    }
    let answer =
        total(&bench, v1::GetUsageRequest { group_by: v1::GroupBy::Machine.into(), ..today() }).await;
    let first = &answer.groups[0];
    assert_eq!((&*first.key, &*first.display_name, &*first.site_id), ("n-1", "Treadmill n-1", "north"));
    let answer = total(&bench, v1::GetUsageRequest { group_by: v1::GroupBy::Site.into(), ..today() }).await;
    assert_eq!((&*answer.groups[1].key, &*answer.groups[1].display_name), ("south", "Gym south"));
}

#[tokio::test]
async fn as_of_is_the_oldest_of_those_heard_within_a_day() {
    let bench = Bench::gym().await;
    let as_of = async |now: &str| {
        bench.now_is(now);
        let request = v1::GetUsageRequest { range: dates("2026-11-20", ""), ..Default::default() };
        let as_of = total(&bench, request).await.as_of.unwrap();
        (as_of.time.map(|time| time.seconds), as_of.machines_silent, as_of.silent_machine_ids.join(" "))
    };
    let second = |text: &str| Some(at(text).0 / 1_000_000);
    let heard = as_of("2026-11-20T18:00:00Z").await;
    assert_eq!(heard, (second("2026-11-20T12:10:00Z"), 0, String::new()));
    let later = as_of("2026-11-21T12:30:00Z").await;
    assert_eq!(later, (second("2026-11-20T12:40:00Z"), 2, "n-2 n-3".to_owned()));
    assert_eq!(as_of("2026-11-23T12:30:00Z").await, (None, 4, "n-1 n-2 n-3 s-1".to_owned()));
}
