//! A proof test from its beginning to its sheet, on a belt whose braking is known.

use anyhow::{Context, ensure};
use harness::belt::Braking;
use harness::service::Service;
use wire::api::v1::{
    EndDrillRequest, GetDrillRequest, ListIncidentsRequest, ListNoticesRequest, ListProofsRequest,
    ListStopsRequest, ProofState, StartDrillRequest,
};

/// What a proof test sets holds from so long after it, in milliseconds.
const EFFECTIVE_AFTER_MS: u64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_test_measures_the_stop_and_raises_nothing() -> anyhow::Result<()> {
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    let machine_id = || "tm-01".to_owned();
    let mut drills = service.drills().await?;
    let request = StartDrillRequest { machine_id: machine_id(), ..StartDrillRequest::default() };
    let drill = drills.start_drill(request).await?.into_inner().drill.context("a proof test")?;
    ensure!(drill.is_open && drill.stops.is_empty(), "{drill:?}");

    // The belt is started when the test has begun, and runs for some seconds.
    let braking = Braking { before_ms: EFFECTIVE_AFTER_MS + 4_000, stop_ms: 2_600 };
    service.play(credential, Box::new(braking.play())).await?;
    service.stop().await?;
    service.start_again().await?;

    let mut drills = service.drills().await?;
    let note = "By hand, belt empty.".to_owned();
    let end = EndDrillRequest { machine_id: machine_id(), number: drill.number, note: note.clone() };
    drills.end_drill(end).await?;
    let request = GetDrillRequest { machine_id: machine_id(), number: drill.number };
    let sheet = drills.get_drill(request).await?.into_inner().drill.context("its sheet")?;
    ensure!(!sheet.is_open && sheet.note == note && sheet.end_time.is_some(), "{sheet:?}");
    let [stop] = &sheet.stops[..] else { anyhow::bail!("one stop was made: {sheet:?}") };
    ensure!(stop.contact == "emergency_stop" && stop.drill == drill.number, "{stop:?}");
    let time = stop.stop_time.context("it was measured")?;
    let measured_ms = time.seconds as f64 * 1e3 + f64::from(time.nanos) / 1e6;
    let truth_ms = braking.truth_ms() as f64;
    ensure!((measured_ms - truth_ms).abs() <= 0.05 * truth_ms, "{measured_ms} ms, in truth {truth_ms} ms");
    let truth_m = (0.833 + 0.028) / 2.0 * truth_ms / 1e3;
    let distance_m = stop.distance_m.context("with its distance")?;
    ensure!((distance_m - truth_m).abs() <= 0.1 * truth_m, "{distance_m} m, in truth {truth_m} m");

    let incidents = service.incidents().await?.list_incidents(ListIncidentsRequest::default()).await?;
    ensure!(incidents.get_ref().incidents.is_empty(), "{incidents:?}");
    let notices = service.notification().await?.list_notices(ListNoticesRequest::default()).await?;
    ensure!(notices.get_ref().notices.is_empty(), "{notices:?}");

    let request = ListProofsRequest { machine_id: machine_id(), ..ListProofsRequest::default() };
    let proofs = drills.list_proofs(request).await?.into_inner().proofs;
    let proof = proofs.iter().find(|proof| proof.contact == "emergency_stop").context("its proof")?;
    ensure!(proof.state() == ProofState::Proven && proof.due_time.is_some(), "{proof:?}");
    let request = ListStopsRequest { machine_id: machine_id(), ..ListStopsRequest::default() };
    let stops = drills.list_stops(request).await?.into_inner();
    ensure!(stops.stops.len() == 1 && stops.trends.is_empty(), "{stops:?}");
    Ok(())
}
