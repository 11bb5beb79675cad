//! The bench measures what it says: nothing of its load is lost or stored twice. How fast it is, is not asserted.

use std::sync::Mutex;
use std::time::Duration;

use beltwatch::bench::{
    self, HistorySettings, IncidentSettings, IngestSettings, UsageSettings, WatchSettings,
};

fn settings(machines: Vec<usize>) -> IngestSettings {
    let second = Duration::from_secs(1);
    IngestSettings { machines, time: second, warm_up: second, readings_per_envelope: 10, folder: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_is_stored_once_and_every_figure_is_there() {
    let told = Mutex::new(Vec::new());
    let report = bench::ingest(&settings(vec![3]), &|what| told.lock().unwrap().push(what)).await.unwrap();
    assert_eq!(told.into_inner().unwrap().len(), 3);
    let [case] = &report.cases[..] else { panic!("{report:?}") };
    let ingest = &case.ingest;
    assert!(ingest.readings_stored > 0 && ingest.events_stored > 0, "{ingest:?}");
    assert_eq!((ingest.records_lost, ingest.duplicates_applied), (0, 0), "{ingest:?}");
    let lines = report.lines();
    assert!(lines.iter().all(|line| line.len() == 3), "{lines:?}");
    assert_eq!(lines[0], ["", "3 floor", "3 ingest"]);
}

#[tokio::test]
async fn what_cannot_be_measured_is_refused_with_what_is_allowed() {
    let check = async |settings: IngestSettings, expected: &str| {
        let error = bench::ingest(&settings, &|_| {}).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(settings(vec![]), "--machines has 0 numbers: 1 to 5 are allowed").await;
    check(settings(vec![10, 5_001]), "--machines has 5001: 1 to 5000 is allowed").await;
    check(IngestSettings { readings_per_envelope: 0, ..settings(vec![1]) }, "--readings-per-envelope is 0")
        .await;
    check(IngestSettings { time: Duration::ZERO, ..settings(vec![1]) }, "--seconds is 0: 1 to 300").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_watcher_is_told_and_one_that_stops_reading_stops_no_other() {
    let second = Duration::from_secs(1);
    let settings = WatchSettings { watchers: 4, machines: 20, time: second, warm_up: second };
    let report = bench::watch(&settings, &|_| {}).await.unwrap();
    let [alone, beside] = &report.cases[..] else { panic!("{report:?}") };
    for case in [alone, beside] {
        let times = [case.rpc, case.page, case.page_stops];
        assert!(times.iter().all(|times| times.count > 0), "{case:?}");
    }
    assert!(alone.stalled_snapshots.is_none() && beside.stalled_snapshots.is_some(), "{report:?}");
    assert!(
        report
            .markdown()
            .lines()
            .filter(|line| line.starts_with("| "))
            .all(|line| line.matches('|').count() == 4)
    );
}

#[tokio::test]
async fn watchers_that_cannot_be_measured_are_refused_with_what_is_allowed() {
    let second = Duration::from_secs(1);
    let allowed = WatchSettings { watchers: 4, machines: 20, time: second, warm_up: second };
    let check = async |settings: WatchSettings, expected: &str| {
        let error = bench::watch(&settings, &|_| {}).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(WatchSettings { watchers: 1, ..allowed }, "--watchers is 1: 2 to 1900 is allowed").await;
    check(WatchSettings { machines: 0, ..allowed }, "--machines is 0: 1 to 1000 is allowed").await;
    check(WatchSettings { time: Duration::ZERO, ..allowed }, "--seconds is 0: 1 to 300 is allowed").await;
}

#[tokio::test]
async fn incidents_that_cannot_be_measured_are_refused_with_what_is_allowed() {
    let check = async |incidents: usize, pages: usize, expected: &str| {
        let settings = IncidentSettings { incidents, pages, folder: None };
        let error = bench::incidents(&settings, &|_| {}).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(49_999, 1, "--incidents is 49999: 50000 to 1000000 is allowed").await;
    check(50_000, 0, "--pages is 0: 1 to 10000 is allowed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_usage_are_answered_on_three_ledgers() {
    let settings = UsageSettings { machines: 20, days: 36, times: 2, folder: None };
    let report = bench::usage(&settings, &|_| {}).await.unwrap();
    let sizes: Vec<(usize, usize)> = report.cases.iter().map(|case| (case.machines, case.days)).collect();
    assert_eq!(sizes, [(2, 36), (20, 3), (20, 36)]);
    for case in &report.cases {
        assert!(case.rows >= case.machines * case.days && case.sessions > 0, "{case:?}");
        assert!(case.figures.iter().all(|figures| figures.took.count == 2), "{case:?}");
    }
    let is_row = |line: &&str| line.starts_with("| ");
    assert!(report.markdown().lines().filter(is_row).all(|line| line.matches('|').count() == 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_smaller_after_its_compaction_and_lists_the_same() {
    let settings = HistorySettings { machines: 10, days: 2, times: 4, late_us: 3_000, folder: None };
    let report = bench::history(&settings, &|_| {}).await.unwrap();
    assert_eq!(report.cases.iter().map(|case| case.machines).sum::<usize>(), 10);
    for case in &report.cases {
        assert!(case.stored_before.readings > 0, "{case:?}");
        assert_eq!(case.stored_before.readings, case.stored_after.readings, "{case:?}");
        assert!(case.compacted_bytes < case.fresh_bytes && case.stored_after.files > 0, "{case:?}");
        assert_eq!(case.listed_fresh.readings, case.listed_all.readings, "{case:?}");
    }
    let is_row = |line: &&str| line.starts_with("| ");
    assert!(report.markdown().lines().filter(is_row).all(|line| line.matches('|').count() == 7));
}

#[tokio::test]
async fn usage_and_history_that_cannot_be_measured_are_refused_with_what_is_allowed() {
    let check = async |machines: usize, days: usize, times: usize, usage: &str, history: &str| {
        let settings = UsageSettings { machines, days, times, folder: None };
        let error = bench::usage(&settings, &|_| {}).await.unwrap_err().to_string();
        assert!(error.contains(usage), "{error}");
        let settings = HistorySettings { machines, days, times, late_us: 0, folder: None };
        let error = bench::history(&settings, &|_| {}).await.unwrap_err().to_string();
        assert!(error.contains(history), "{error}");
    };
    let both = "--machines is 1001: 10 to 1000 is allowed";
    check(1_001, 30, 1, both, both).await;
    check(10, 1, 1, "--days is 1: 24 to 1100 is allowed", "--days is 1: 2 to 366 is allowed").await;
    let both = "--times is 0: 1 to 10000 is allowed";
    check(10, 30, 0, both, both).await;
}
