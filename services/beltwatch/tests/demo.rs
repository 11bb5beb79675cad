//! The demo starts behind its history and loses nothing.

use beltwatch::demo::{Demo, DemoSettings};
use domain::units::UnixMicros;
use store::telemetry::RangeQuery;

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_goes_on_where_its_history_ends() {
    let now = || {
        let monotonic = i64::try_from(agent::clock::monotonic().0).unwrap();
        UnixMicros(monotonic + agent::clock::system().offset_us)
    };
    let began = now();
    let listen = Some("127.0.0.1:0".parse().unwrap());
    let settings = DemoSettings { machines: 4, seed: 3, speed: 10.0, folder: None, listen, replay: None };
    let demo = Demo::start(&settings).await.unwrap();
    let stores = demo.server().stores().clone();
    let machines: Vec<_> = stores.ledger.registry().machines().keys().cloned().collect();
    assert_eq!(machines.len(), 4);
    assert_eq!(stores.ledger.usage_through(&machines).await.unwrap().len(), 4);
    let until = now().plus(60_000_000);
    for machine in machines {
        let query = RangeQuery { machine, from: UnixMicros(0), until, after: None, max: 1_000 };
        for stored in stores.telemetry.readings(&query).await.unwrap() {
            let span_us = i64::from(stored.value.span_ms) * 1_000;
            assert!(stored.time.plus(-span_us) >= began, "{stored:?}");
        }
    }
    drop(stores);
    let report = demo.stop().await.unwrap();
    assert_eq!((report.messages_lost, report.duplicates_applied), (0, 0), "{report:?}");
}
