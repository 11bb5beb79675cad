//! What is too old goes; figures follow.

use domain::log::Lane;
use store::telemetry::{Forgotten, Telemetry};

use crate::given::{block, check, compact, counted, files, folder, numbers, open, put, readings, second};

const DAY_S: i64 = 24 * 3_600;

#[tokio::test]
async fn a_day_is_forgotten_with_its_file_and_events_stay() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 100, 199), readings("tm-2", 100, 199)]).await;
    put(&telemetry, [readings("tm-1", 90_000, 90_099), block("tm-1", Lane::Events, 100, 109)]).await;
    compact(&telemetry).await;
    // Not compacted.
    put(&telemetry, [readings("tm-1", 200, 249), readings("tm-1", 91_000, 91_009)]).await;
    assert_eq!(files(live.path()).len(), 3);
    let stock = telemetry.stock().await.expect("it is measured");
    assert_eq!((stock.files, stock.readings.compacted, stock.events.compacted), (3, 300, 10));
    assert_eq!(stock.readings.oldest, Some(second(100)));
    let forget = async |before| telemetry.forget(Lane::Readings, second(before)).await.expect("it forgets");
    assert_eq!(forget(100).await, Forgotten::default());
    assert_eq!(forget(DAY_S).await, Forgotten { records: 250, files: 1, more: false });
    assert_eq!(counted(&telemetry).await, (110, 10));
    assert_eq!(files(live.path()).len(), 2);
    assert_eq!(numbers(&telemetry, "tm-1").await[0], 90_000);
    assert_eq!(telemetry.stock().await.expect("it is measured").readings.oldest, Some(second(90_000)));
    assert_eq!(forget(DAY_S).await, Forgotten::default());
    assert_eq!(check(&telemetry).await, (3, vec![]));
    drop(telemetry);
    let telemetry = open(live.path());
    assert_eq!(counted(&telemetry).await, (110, 10));
    let forgotten = telemetry.forget(Lane::Events, second(110)).await.expect("it forgets");
    assert_eq!(forgotten, Forgotten { records: 10, files: 1, more: false });
    assert_eq!(counted(&telemetry).await, (110, 0));
}

/// A file stays for as long as one of its chunks does.
#[tokio::test]
async fn a_file_goes_with_its_last_chunk() {
    let live = folder();
    let telemetry = open(live.path());
    put(&telemetry, [readings("tm-1", 100, 199), readings("tm-2", 50_000, 50_099)]).await;
    compact(&telemetry).await;
    let forget = async |before| telemetry.forget(Lane::Readings, second(before)).await.expect("it forgets");
    assert_eq!(forget(40_000).await, Forgotten { records: 100, files: 0, more: false });
    assert_eq!(files(live.path()).len(), 1);
    assert_eq!(numbers(&telemetry, "tm-2").await.len(), 100);
    assert_eq!(forget(50_100).await, Forgotten { records: 100, files: 1, more: false });
    assert_eq!(files(live.path()), [""; 0]);
}
