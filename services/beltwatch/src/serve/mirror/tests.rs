//! The mirror against a bucket in memory: what is there in the end is what a new mirror would write into an empty bucket,
//! whatever happens on the way.

mod bucket;
mod given;
mod incidents;
mod steps;

use std::path::Path;

use domain::units::UnixMicros;
use domain::usage::Usage;
use store::ledger::UsageQuery;
use store::memory::MemoryLedger;
use tempfile::TempDir;

use self::bucket::{Content, FakeBucket, Fate};
use self::given::{DAY, MORNING, incident, machine, move_machine, put_incidents, put_usage, register, row};
use super::*;

/// A server's ledger and folder, and the bucket that it writes to.
struct Scene {
    ledger: MemoryLedger,
    bucket: FakeBucket,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Scene {
        let ledger = MemoryLedger::new();
        register(&ledger, &["tm-01", "tm-02"]).await;
        Scene { ledger, bucket: FakeBucket::new(), folder: tempfile::tempdir().unwrap() }
    }

    fn mirror(&self) -> Mirror {
        mirror(&self.ledger, &self.bucket, self.folder.path(), "here")
    }

    /// What a new mirror writes into an empty bucket.
    async fn expected(&self) -> Content {
        let (bucket, folder) = (FakeBucket::new(), tempfile::tempdir().unwrap());
        settle(&mut mirror(&self.ledger, &bucket, folder.path(), "here")).await;
        bucket.content()
    }

    /// The bucket holds what it has to.
    async fn check(&self) {
        assert_eq!(self.bucket.content(), self.expected().await);
    }
}

fn mirror(ledger: &MemoryLedger, bucket: &FakeBucket, folder: &Path, target: &str) -> Mirror {
    let file = MirrorFile::open(folder).unwrap();
    Mirror::new(Arc::new(ledger.clone()), Arc::new(bucket.clone()), file, target.to_owned())
}

/// Turns until everything is written.
async fn settle(mirror: &mut Mirror) {
    while mirror.turn().await.unwrap() {}
    assert_eq!(mirror.behind.load(Ordering::Relaxed), 0);
}

/// Turns until a call is never answered, and is gone then.
async fn crash(mut mirror: Mirror, bucket: &FakeBucket) -> bool {
    tokio::select! {
        biased;
        () = async { while mirror.turn().await.unwrap() {} } => false,
        () = bucket.stuck.notified() => true,
    }
}

/// What is in the points of a machine, added up.
fn sums(bucket: &FakeBucket, name: &str) -> (u64, u64, u64, u64, u64, u64) {
    let number = |fields: &bucket::Fields, field: &str| -> u64 {
        fields[field].strip_suffix('i').unwrap().parse().unwrap()
    };
    let tag = format!("machine={name}");
    let of = |measurement| {
        let points = bucket.of(measurement).into_iter();
        points.filter(|((series, _), _)| series.split(',').any(|part| part == tag)).map(|(_, fields)| fields)
    };
    let mut sums = (0, 0, 0, 0, 0, 0);
    for fields in of("usage") {
        sums.0 += number(&fields, "moving_us");
        sums.1 += number(&fields, "distance_mm");
        sums.2 = sums.2.max(number(&fields, "speed_max_mm_s"));
        sums.3 += number(&fields, "starts");
    }
    for fields in of("coverage") {
        sums.4 += number(&fields, "rest_us");
        sums.5 += number(&fields, "observed_us");
    }
    sums
}

/// The points of a machine add up to what the ledger says.
async fn check_sums(scene: &Scene, name: &str) {
    let machines = vec![machine(name)];
    let query = UsageQuery { machines, from_day: i32::MIN, until_day: i32::MAX, after: None, max: 1_000 };
    let totals = scene.ledger.usage_totals(&query).await.unwrap();
    let mut total = Usage::default();
    totals.iter().for_each(|row| total.merge(&row.usage));
    let motion = total.motion();
    let points = sums(&scene.bucket, name);
    let exact = (motion.observed_us, motion.speed_max.0.into(), u64::from(motion.starts), total.rest_us);
    assert_eq!((points.0, points.2, points.3, points.4), exact, "{name}");
    assert_eq!(points.5, total.coverage.observed_us(), "{name}");
    // Each point is rounded down to whole millimetres.
    let count = scene.bucket.of("usage").len() as u64;
    assert!((points.1..=points.1 + count).contains(&motion.distance_mm()), "{name}: {points:?}");
}

#[tokio::test]
async fn points_add_up_to_what_the_ledger_says() {
    let scene = Scene::new().await;
    let quarters = |from: u64| -> Vec<(u8, u64)> { (0..96).map(|n| (n, from + u64::from(n) * 31)).collect() };
    // Parts of one day, quarters that come more than once in a row, more rows than are read at once.
    put_usage(
        &scene.ledger,
        vec![row("tm-01", DAY, 1, 1, &quarters(3)), row("tm-01", DAY, 2, 1, &quarters(9))],
    )
    .await;
    put_usage(&scene.ledger, vec![row("tm-01", DAY, 3, 1, &[(5, 1), (5, 2), (4, 3), (5, 1)])]).await;
    let parts = (0..70).map(|part| row("tm-02", DAY + 1, part << 57, 1, &[((part % 3) as u8, part)]));
    put_usage(&scene.ledger, parts.collect()).await;
    put_usage(&scene.ledger, vec![row("tm-02", -3, 1, 1, &[(95, 8)])]).await;
    settle(&mut scene.mirror()).await;
    check_sums(&scene, "tm-01").await;
    check_sums(&scene, "tm-02").await;
    let quarters = scene.bucket.of("coverage").len();
    assert_eq!(quarters, 96 + 3 + 1, "a quarter is one point of coverage, however many parts it has");
}

#[tokio::test]
async fn only_quarters_that_grew_are_written_again() {
    let scene = Scene::new().await;
    let mut mirror = scene.mirror();
    put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 1, &[(3, 1), (4, 2), (5, 3)])]).await;
    settle(&mut mirror).await;
    scene.bucket.take_calls();
    put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 2, &[(3, 1), (4, 2), (5, 3), (5, 7), (6, 8)])]).await;
    settle(&mut mirror).await;
    let lines = scene.bucket.take_calls().concat();
    // Two kinds of motion and coverage, and one kind and coverage.
    assert_eq!(lines.len(), 5, "{lines:?}");
    let times = [5_i64, 6].map(|number| format!(" {}", (MORNING + number * 900_000_000) * 1_000));
    assert!(lines.iter().all(|line| times.iter().any(|time| line.ends_with(time))), "{lines:?}");
    scene.check().await;
    // Nothing new: no call.
    settle(&mut mirror).await;
    assert_eq!(scene.bucket.take_calls(), Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn what_failed_is_done_again() {
    let scene = Scene::new().await;
    let mut mirror = scene.mirror();
    put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 1, &[(3, 1)])]).await;
    put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
    for _ in 0..3 {
        scene.bucket.set(Fate::Failing(1));
        assert_eq!(mirror.turn().await.unwrap_err().kind, store::StoreErrorKind::Unavailable);
    }
    assert_eq!(mirror.behind.load(Ordering::Relaxed), 2);
    // It fails in the midst of what belongs together.
    for failing in [1, 1, 1] {
        scene.bucket.set(Fate::Done);
        put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 9 + failing, &[(3, 1), (4, 5)])]).await;
        scene.bucket.set(Fate::Failing(1));
        let _ = mirror.turn().await;
    }
    scene.bucket.set(Fate::Done);
    settle(&mut mirror).await;
    scene.check().await;
    check_sums(&scene, "tm-01").await;
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_by_itself_after_an_outage_and_stops_when_told() {
    let scene = Scene::new().await;
    let mirror = scene.mirror();
    let behind = mirror.behind.clone();
    scene.bucket.set(Fate::Failing(7));
    put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 1, &[(3, 1)])]).await;
    let stopping = CancellationToken::new();
    let running = tokio::spawn(mirror.run(stopping.clone()));
    let expected = scene.expected().await;
    while scene.bucket.content() != expected {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(scene.bucket.take_calls().len(), 13, "seven failures, four removals, machines, usage");
    // What changes later is followed, and so is the registry.
    put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
    move_machine(&scene.ledger, 60_000_000, "tm-01", "gym-2").await;
    let expected = scene.expected().await;
    while scene.bucket.content() != expected || behind.load(Ordering::Relaxed) > 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stopping.cancel();
    running.await.unwrap();
}

#[test]
fn pauses_grow_and_are_bounded() {
    let seconds: Vec<u64> = (1..9).map(|failures| pause_after(failures).as_secs()).collect();
    assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(pause_after(u32::MAX), Duration::from_secs(60));
}

#[tokio::test]
async fn a_crash_at_any_call_loses_nothing() {
    for done in [Fate::Lost, Fate::Unanswered] {
        for calls in 0..6 {
            let scene = Scene::new().await;
            put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 1, &[(3, 1)])]).await;
            put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
            settle(&mut scene.mirror()).await;
            put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 2, &[(3, 1), (3, 2)])]).await;
            put_incidents(&scene.ledger, vec![incident(1, "tm-01", 6, 2), incident(2, "tm-02", 7, 1)]).await;
            scene.bucket.set(done(calls));
            crash(scene.mirror(), &scene.bucket).await;
            scene.bucket.set(Fate::Done);
            // It comes back, and more has changed meanwhile: the first one has moved again.
            put_incidents(&scene.ledger, vec![incident(1, "tm-01", 8, 3)]).await;
            settle(&mut scene.mirror()).await;
            scene.check().await;
        }
    }
}

#[tokio::test]
async fn where_it_stands_is_remembered_and_another_bucket_gets_all() {
    let scene = Scene::new().await;
    put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 1, &[(3, 1)])]).await;
    put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
    settle(&mut scene.mirror()).await;
    scene.bucket.take_calls();
    settle(&mut scene.mirror()).await;
    let lines = scene.bucket.take_calls().concat();
    assert!(lines.iter().all(|line| line.starts_with("machine,")), "only machines again: {lines:?}");
    let other = FakeBucket::new();
    settle(&mut mirror(&scene.ledger, &other, scene.folder.path(), "there")).await;
    assert_eq!(other.content(), scene.expected().await);
}

#[tokio::test]
async fn after_a_restored_backup_points_say_what_the_ledger_says() {
    for keeps_file in [true, false] {
        let scene = Scene::new().await;
        let mut running = scene.mirror();
        put_usage(&scene.ledger, vec![row("tm-01", DAY, 1, 1, &[(3, 1)])]).await;
        put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
        settle(&mut running).await;
        let backup = scene.ledger.snapshot();
        let later = vec![
            row("tm-01", DAY, 1, 2, &[(3, 2), (4, 3)]),
            row("tm-01", DAY + 1, 1, 2, &[(0, 5)]),
            row("tm-02", DAY, 1, 2, &[(3, 2)]),
        ];
        put_usage(&scene.ledger, later).await;
        put_incidents(&scene.ledger, vec![incident(1, "tm-01", 900, 2), incident(2, "tm-01", 9, 1)]).await;
        settle(&mut running).await;
        drop(running);
        scene.ledger.restore(&backup);
        let folder = if keeps_file { scene.folder } else { tempfile::tempdir().unwrap() };
        let scene = Scene { folder, ..scene };
        let mut running = scene.mirror();
        // Of a machine of which the ledger knows nothing, nothing is removed.
        let expected = |content: Content| -> Content {
            content.into_iter().filter(|((series, _), _)| !series.contains("=tm-02")).collect()
        };
        settle(&mut running).await;
        assert_eq!(expected(scene.bucket.content()), expected(scene.expected().await));
        assert_eq!(scene.bucket.of("coverage").len(), 2, "the other machine's quarter is still there");
        // Other changes get the numbers that those before had.
        put_usage(&scene.ledger, vec![row("tm-01", DAY, 7, 1, &[(9, 1)])]).await;
        put_incidents(&scene.ledger, vec![incident(3, "tm-02", 5, 1)]).await;
        settle(&mut running).await;
        assert_eq!(expected(scene.bucket.content()), expected(scene.expected().await));
    }
}

#[tokio::test]
async fn a_machine_that_moves_has_a_point_for_each_stay() {
    let scene = Scene::new().await;
    let mut mirror = scene.mirror();
    settle(&mut mirror).await;
    scene.bucket.take_calls();
    move_machine(&scene.ledger, 60_000_000, "tm-01", "gym-2").await;
    settle(&mut mirror).await;
    let lines = scene.bucket.take_calls().concat();
    assert_eq!(lines.len(), 2, "the other machine is not written again: {lines:?}");
    let stays: Vec<(i64, String, String)> = scene
        .bucket
        .of("machine")
        .into_iter()
        .filter(|((series, _), _)| series == "machine,machine=tm-01")
        .map(|((_, time), fields)| (time, fields["site"].clone(), fields["name"].clone()))
        .collect();
    let name = "\"tm-01 at gym-2\"".to_owned();
    let stay = |time, site: &str| (time, format!("\"{site}\""), name.clone());
    assert_eq!(stays, [stay(2_000, "gym-1"), stay(70_000_000_000, "gym-2")]);
    scene.check().await;
}

#[tokio::test]
async fn what_influxdb_cannot_keep_holds_nothing_up() {
    let scene = Scene::new().await;
    put_usage(
        &scene.ledger,
        vec![row("tm-01", i32::MAX, 1, 1, &[(3, 1)]), row("tm-01", DAY, 1, 1, &[(3, 1)])],
    )
    .await;
    let far = incident(1, "tm-01", i64::MAX - MORNING, 1);
    put_incidents(&scene.ledger, vec![far, incident(2, "tm-01", 5, 1)]).await;
    settle(&mut scene.mirror()).await;
    assert_eq!((scene.bucket.of("coverage").len(), scene.bucket.of("incident").len()), (1, 1));
    assert_eq!(scene.bucket.of("incident")[0].0.1 / 1_000, UnixMicros(MORNING + 5).0);
}
