//! Two people work on one incident at the same time, over two connections, on the stores on disk.

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use harness::belt::PlayedBelt;
use harness::service::Service;
use tokio::task::JoinSet;
use wire::api::v1::{
    AcknowledgeIncidentsRequest, Cause, CloseIncidentsRequest, GetIncidentRequest, HandlingState, Hurt,
    Incident, IncidentStep, ListIncidentStepsRequest, ListIncidentsRequest, NoteIncidentsRequest, StepResult,
};

/// Notes that each of them writes.
const NOTES: usize = 20;

/// What one of them does, in their own order; requests name no time: the clocks of clients play no part.
async fn work(
    service: &Service,
    id: &str,
    who: usize,
) -> anyhow::Result<JoinSet<anyhow::Result<StepResult>>> {
    let mut all = JoinSet::new();
    let ids = || vec![id.to_owned()];
    let one = |results: Vec<StepResult>| results.into_iter().next().context("one result");
    let (mut acknowledging, mut closing) = (service.handling().await?, service.handling().await?);
    let (causes, hurts) = ([Cause::DeliberateStop, Cause::MachineFault], [Hurt::No, Hurt::Yes]);
    let request = CloseIncidentsRequest {
        incident_ids: ids(),
        cause: causes[who].into(),
        hurt: hurts[who].into(),
        note: format!("closing of {who}"),
        request_id: format!("close-{who}"),
    };
    all.spawn(async move { one(closing.close_incidents(request).await?.into_inner().results) });
    let request = AcknowledgeIncidentsRequest { incident_ids: ids(), ..Default::default() };
    all.spawn(async move { one(acknowledging.acknowledge_incidents(request).await?.into_inner().results) });
    let noting = service.handling().await?;
    for number in 0..NOTES {
        let (mut noting, note) = (noting.clone(), format!("note {number} of {who}"));
        let request_id = format!("note-{who}-{number}");
        let request = NoteIncidentsRequest { incident_ids: ids(), note, request_id };
        all.spawn(async move {
            let first = one(noting.note_incidents(request.clone()).await?.into_inner().results)?;
            // The answer was lost: asked again it is the same note.
            noting.note_incidents(request).await?;
            Ok(first)
        });
    }
    Ok(all)
}

/// The incident and its steps as a connection of its own sees them.
async fn seen(service: &Service, id: &str) -> anyhow::Result<(Incident, Vec<IncidentStep>)> {
    let request = GetIncidentRequest { incident_id: id.to_owned() };
    let incident = service.incidents().await?.get_incident(request).await?.into_inner().incident;
    let request = ListIncidentStepsRequest { incident_id: id.to_owned() };
    let steps = service.handling().await?.list_incident_steps(request).await?.into_inner().steps;
    Ok((incident.context("the incident")?, steps))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_at_once_lose_nothing_and_see_the_same_end() -> anyhow::Result<()> {
    let mut service = Service::start().await?;
    let credential = service.add_machine("tm-01").await?;
    service.play(credential, Box::new(PlayedBelt::reverse_run())).await?;
    service.stop().await?;
    service.start_again().await?;
    let list = service.incidents().await?.list_incidents(ListIncidentsRequest::default()).await?.into_inner();
    let stop = list.incidents.iter().find(|incident| incident.rule == "emergency-stop");
    let id = stop.context("the stop is an incident")?.id.clone();

    let (mut first, mut second) = (work(&service, &id, 0).await?, work(&service, &id, 1).await?);
    for all in [&mut first, &mut second] {
        while let Some(result) = all.join_next().await {
            let result = result??;
            ensure!(result.error.is_empty() && result.incident.is_some(), "{result:?}");
        }
    }
    let (one, other) = (seen(&service, &id).await?, seen(&service, &id).await?);
    ensure!(one == other, "both see the same end");
    let notes: BTreeSet<&str> =
        one.1.iter().map(|step| step.note.as_str()).filter(|note| !note.is_empty()).collect();
    ensure!(notes.len() == 2 * (NOTES + 1), "each note is there once: {notes:?}");
    let handling = one.0.handling.as_ref().context("its handling")?;
    ensure!(handling.state() == HandlingState::Closed && handling.hurt() == Hurt::Yes, "{handling:?}");
    ensure!(handling.note_count as usize == notes.len(), "{handling:?}");

    service.stop().await?;
    service.start_again().await?;
    let again = seen(&service, &id).await?;
    // The server may have sealed the evidence in between.
    let of_people = |steps: &[IncidentStep]| {
        let people = steps.iter().filter(|step| step.author != "server");
        people.cloned().collect::<Vec<_>>()
    };
    ensure!(of_people(&again.1) == of_people(&one.1), "a restart changes no step");
    service.stop().await
}
