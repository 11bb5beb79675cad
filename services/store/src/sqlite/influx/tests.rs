use domain::ids::{LogId, MachineId};

use super::*;

fn key(lane: Lane) -> LaneKey {
    LaneKey { machine: MachineId::new("tm-1").unwrap(), lane }
}

fn lane_known(boot: BootKey, span: Span) -> LaneKnown {
    let times = Spans { dated: Some(span), undated: None };
    let known = BootKnown { first_n: 1, last_n: 9, times, era: 2 };
    let unseen = Spans { dated: None, undated: Some(Span { first: -3, last: 4 }) };
    LaneKnown { times, era: 1, unseen, boots: [(boot, known)].into() }
}

#[tokio::test]
async fn what_is_known_comes_back_after_it_was_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let boot = (LogId([1; 16]), 3);
    let known = lane_known(boot, Span { first: 5, last: 7 });
    let all = Known { era: 0, lanes: [(key(Lane::Events), known.clone())].into() };
    let index = InfluxIndex::open(folder.path()).unwrap();
    let asked =
        || vec![(key(Lane::Events), vec![boot, (LogId([2; 16]), 3)]), (key(Lane::Readings), vec![boot])];
    assert_eq!(index.known(asked()).await.unwrap(), Known::default());
    assert_eq!(index.keep(all.clone(), Vec::new()).await.unwrap(), 1);
    assert_eq!(index.begin_era(8).await.unwrap(), 1);
    assert_eq!(index.keep(all.clone(), Vec::new()).await.unwrap(), 9);
    drop(index);
    let index = InfluxIndex::open(folder.path()).unwrap();
    assert_eq!(index.known(asked()).await.unwrap(), Known { era: 1, ..all });
    assert_eq!(index.puts().await.unwrap(), 9);
    // Boots that are forgotten are unknown; another lane's stay.
    index.forget(Lane::Readings, UnixMicros(100)).await.unwrap();
    index.forget(Lane::Events, UnixMicros(7)).await.unwrap();
    assert_eq!(index.known(asked()).await.unwrap().lanes[&key(Lane::Events)], known);
    index.forget(Lane::Events, UnixMicros(8)).await.unwrap();
    let left = index.known(asked()).await.unwrap().lanes[&key(Lane::Events)].clone();
    assert_eq!(left, LaneKnown { boots: Default::default(), ..known });
}

#[tokio::test]
async fn the_newest_refused_lines_are_kept_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let index = InfluxIndex::open(folder.path()).unwrap();
    let aside = |from: usize, until: usize| -> Vec<Aside> {
        (from..until).map(|n| Aside { reason: "no".to_owned(), line: format!("line {n}") }).collect()
    };
    let keep = async |lines| index.keep(Known::default(), lines).await.unwrap();
    keep(aside(0, 10)).await;
    keep(aside(5, 10)).await;
    let (kept, dropped) = index.aside().await.unwrap();
    assert_eq!((kept, dropped), (aside(0, 10), 0));
    keep(aside(10, limits::INFLUX_LINES_ASIDE_MAX + 3)).await;
    let (kept, dropped) = index.aside().await.unwrap();
    assert_eq!((kept.first(), kept.len(), dropped), (aside(3, 4).first(), limits::INFLUX_LINES_ASIDE_MAX, 3));
}
