//! Incidents whose versions lie at other places, or have other fields: one point is there, and nothing of those before.

use domain::handling::HandlingState;
use domain::ids::IncidentId;
use domain::incident::{Incident, MeasuredStop, Severity};
use domain::units::{Speed, UnixMicros};
use store::ledger::Ledger;

use super::bucket::Fields;
use super::given::{MORNING, close, incident, move_machine, put_incidents};
use super::{Scene, settle};

/// The only point of an incident after these versions, one after another, each mirrored before the next one comes.
async fn after(versions: Vec<Incident>) -> Option<((String, i64), Fields)> {
    let scene = Scene::new().await;
    let mut mirror = scene.mirror();
    for version in versions {
        put_incidents(&scene.ledger, vec![version]).await;
        settle(&mut mirror).await;
        scene.check().await;
    }
    let mut points = scene.bucket.of("incident");
    assert!(points.len() <= 1, "{points:?}");
    points.pop()
}

#[tokio::test]
async fn a_version_replaces_the_one_before() {
    let first = incident(1, "tm-01", 5, 1);
    let worse = Incident {
        severity: Severity::Critical,
        cleared: Some(UnixMicros(MORNING + 9_000_005)),
        speed: Some(Speed(900)),
        stop: Some(MeasuredStop { time_ms: 8, distance_mm: 9 }),
        revision: 2,
        ..first.clone()
    };
    let ((series, _), fields) = after(vec![first.clone(), worse.clone()]).await.unwrap();
    assert_eq!(series, "incident,machine=tm-01,site=gym-1,rule=emergency-stop");
    let told = ["severity", "active", "speed_mm_s", "active_ms", "stop_time_ms", "revision"];
    let told = told.map(|name| fields[name].as_str());
    assert_eq!(told, ["\"critical\"", "f", "900i", "9000i", "8i", "2i"]);
    // A field that is not known any more is gone.
    let unknown = Incident { speed: None, stop: None, revision: 3, ..worse.clone() };
    let (_, fields) = after(vec![first.clone(), worse.clone(), unknown]).await.unwrap();
    assert!(!fields.contains_key("speed_mm_s") && !fields.contains_key("stop_time_ms"), "{fields:?}");
    assert_eq!(fields["active"], "f");
}

#[tokio::test]
async fn an_incident_that_is_found_at_another_time_has_one_point() {
    let at = |at, revision| incident(1, "tm-01", at, revision);
    let time = |point: Option<((String, i64), Fields)>| point.unwrap().0.1 / 1_000 - MORNING;
    assert_eq!(time(after(vec![at(5, 1), at(900, 2)]).await), 900);
    assert_eq!(time(after(vec![at(5, 1), at(900, 2), at(5, 3)]).await), 5);
    assert_eq!(after(vec![at(5, 1), Incident { drill: Some(7), ..at(5, 2) }]).await, None);
    assert_eq!(time(after(vec![Incident { drill: Some(7), ..at(5, 1) }, at(6, 2)]).await), 6);
}

#[tokio::test]
async fn an_incident_stays_where_its_machine_stood_then() {
    let scene = Scene::new().await;
    let mut mirror = scene.mirror();
    put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
    settle(&mut mirror).await;
    move_machine(&scene.ledger, MORNING, "tm-01", "gym-2").await;
    let later = incident(2, "tm-01", 20_000_000, 1);
    put_incidents(&scene.ledger, vec![incident(1, "tm-01", 6, 2), later]).await;
    settle(&mut mirror).await;
    let sites: Vec<String> = scene.bucket.of("incident").into_iter().map(|((series, _), _)| series).collect();
    let series = |site| format!("incident,machine=tm-01,site={site},rule=emergency-stop");
    assert_eq!(sites, [series("gym-1"), series("gym-2")]);
    // The clock of the machine ran ahead: the move comes before what it told.
    put_incidents(&scene.ledger, vec![incident(3, "tm-02", 60_000_000, 1)]).await;
    settle(&mut mirror).await;
    move_machine(&scene.ledger, MORNING + 30_000_000, "tm-02", "gym-2").await;
    put_incidents(&scene.ledger, vec![incident(3, "tm-02", 60_000_000, 2)]).await;
    settle(&mut mirror).await;
    scene.check().await;
    assert_eq!(scene.bucket.of("incident").len(), 3);
}

#[tokio::test]
async fn what_people_do_and_what_a_rebuild_finds_is_told() {
    let scene = Scene::new().await;
    let mut mirror = scene.mirror();
    put_incidents(&scene.ledger, vec![incident(1, "tm-01", 5, 1)]).await;
    settle(&mut mirror).await;
    let field = |name: &str| scene.bucket.of("incident")[0].1.get(name).cloned().unwrap_or_default();
    assert_eq!((field("state").as_str(), field("needs_person").as_str()), ("\"open\"", "t"));
    close(&scene.ledger, 1).await;
    scene.ledger.mark_unconfirmed(vec![IncidentId([1; 16])], 2).await.unwrap();
    settle(&mut mirror).await;
    let expected = format!("\"{}\"", HandlingState::Closed.name());
    assert_eq!((field("state"), field("needs_person")), (expected, "f".to_owned()));
    assert_eq!((field("closed_cause").as_str(), field("unconfirmed").as_str()), ("\"machine_fault\"", "t"));
    scene.check().await;
}

#[tokio::test]
async fn more_incidents_than_are_read_at_once_are_written() {
    let scene = Scene::new().await;
    let many = |revision| (0..250).map(|n: u8| incident(n, "tm-01", i64::from(n), revision)).collect();
    put_incidents(&scene.ledger, many(1)).await;
    settle(&mut scene.mirror()).await;
    put_incidents(&scene.ledger, many(2)).await;
    settle(&mut scene.mirror()).await;
    assert_eq!(scene.bucket.of("incident").len(), 250);
    scene.check().await;
}
