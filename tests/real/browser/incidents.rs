//! Incidents of a floor: a belt that makes one without a recording, and which pages show what.

use anyhow::{Context, bail};
use domain::belt::Direction;
use wire::api::v1::{
    GetIncidentRequest, Incident, ListIncidentsRequest, RecordCommissioningRequest, Severity,
};

use super::belt::{Act, Belt, Edges};
use super::floor::Floor;
use crate::processes::PATIENCE;

/// Raised by an emergency stop, of which the agent makes a recording.
const RECORDED: &str = "emergency-stop";
/// Raised by readings alone, so that there is no recording.
const UNRECORDED: &str = "reverse-overspeed";
/// A belt that runs in reverse faster than allowed: 7.2 km/h.
const FAST: [Act; 1] = [Act::runs(Direction::Reverse, 2_000, 1_000)];

/// Incidents to look at.
#[derive(Debug)]
pub(super) struct Shown {
    /// Critical, with everything of its recording.
    pub(super) recorded: Incident,
    /// Without a recording.
    pub(super) unrecorded: Incident,
}

/// Adds a machine whose direction is proven and which runs too fast in reverse.
pub(super) async fn add_fast_machine(floor: &mut Floor) -> anyhow::Result<()> {
    let id = "harbour-02";
    let credential = floor.add_machine("harbour", id, "Treadmill 2").await?;
    let request = RecordCommissioningRequest {
        machine_id: id.to_owned(),
        direction_proven: true,
        note: "Forward and reverse run seen".to_owned(),
        ..RecordCommissioningRequest::default()
    };
    floor.admin().await?.record_commissioning(request).await.context("commissioning")?;
    let belt = Belt::new(id, &FAST, 1, 0, &Edges::default());
    floor.play(credential, belt).await
}

/// Waits until both are there. What was proven holds 10 s after it was said.
pub(super) async fn wait_for_both(floor: &Floor) -> anyhow::Result<Shown> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut listed = Vec::new();
    while tokio::time::Instant::now() < deadline {
        listed = list(floor).await?;
        let recorded = listed.iter().find(|incident| {
            let is_critical = incident.severity() == Severity::Critical;
            incident.rule == RECORDED && is_critical && incident.has_recording
        });
        let unrecorded =
            listed.iter().find(|incident| incident.rule == UNRECORDED && !incident.has_recording);
        if let (Some(recorded), Some(unrecorded)) = (recorded, unrecorded)
            && is_recording_complete(floor, recorded).await?
        {
            return Ok(Shown { recorded: recorded.clone(), unrecorded: unrecorded.clone() });
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let told: Vec<String> = listed
        .iter()
        .map(|incident| {
            let Incident { machine_id, rule, has_recording, .. } = incident;
            format!("{machine_id} {rule} {:?}, recording: {has_recording}", incident.severity())
        })
        .collect();
    bail!("not within {PATIENCE:?}: {RECORDED} with a recording and {UNRECORDED}; there are {told:?}")
}

/// Waits until the list has so many.
pub(super) async fn wait_for(floor: &Floor, count: usize) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut listed = 0;
    while tokio::time::Instant::now() < deadline {
        listed = list(floor).await?.len();
        if listed >= count {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    bail!("not within {PATIENCE:?}: {count} incidents; there are {listed}")
}

/// All of them, the newest first.
pub(super) async fn list(floor: &Floor) -> anyhow::Result<Vec<Incident>> {
    let reply = floor.incidents().await?.list_incidents(ListIncidentsRequest::default()).await;
    Ok(reply.context("listing incidents")?.into_inner().incidents)
}

async fn is_recording_complete(floor: &Floor, incident: &Incident) -> anyhow::Result<bool> {
    let request = GetIncidentRequest { incident_id: incident.id.clone() };
    let reply = floor.incidents().await?.get_incident(request).await;
    let reply = reply.context("reading an incident")?.into_inner();
    Ok(reply.recording_complete && !reply.readings_incomplete)
}
