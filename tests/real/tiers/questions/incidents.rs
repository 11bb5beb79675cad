//! Incidents: lists in every order, each with its evidence, counts, watches that go on, rehearsals, rates.

use std::time::Duration;

use anyhow::Context;
use tonic::Response;
use wire::api::v1;
use wire::api::v1::incident_service_client::IncidentServiceClient;

use super::super::feed::MACHINES;
use super::super::server::{Reach, SITE, Tier};
use super::{About, Answers};

/// What a rebuild leaves out anyhow, by the server's clock, in microseconds.
const UNDER_WAY_US: i64 = 5 * 60 * 1_000_000;
/// Most incidents that are asked for one by one.
const ONE_BY_ONE: usize = 60;
/// A watch that says nothing for so long has told what there was.
const SILENT: Duration = Duration::from_secs(2);

pub(super) async fn ask(
    reach: &Reach,
    about: About,
    cursor: &str,
    answers: &mut Answers,
) -> anyhow::Result<()> {
    let ids = lists(reach, answers).await;
    let mut incidents = reach.client(IncidentServiceClient::with_interceptor);
    for id in ids.into_iter().take(ONE_BY_ONE) {
        let request = v1::GetIncidentRequest { incident_id: id.clone() };
        let mut answer = incidents.get_incident(request).await;
        // What has come of a trace by now is saved with the next change of its incident: how much of it, is chance.
        if let Ok(answer) = &mut answer
            && answer.get_ref().readings_incomplete
        {
            answer.get_mut().readings.clear();
        }
        answers.note(format!("GetIncident {id}"), answer);
    }
    let answer = incidents.count_incidents(v1::CountIncidentsRequest::default()).await;
    answers.note("CountIncidents".to_owned(), answer);
    let answer = incidents.list_site_incidents(v1::ListSiteIncidentsRequest::default()).await;
    answers.note("ListSiteIncidents".to_owned(), answer);
    let answer = incidents.list_blind_spots(v1::ListBlindSpotsRequest::default()).await;
    answers.note("ListBlindSpots".to_owned(), answer);
    for (machine, _) in MACHINES {
        let request = v1::ListRulesRequest { machine_id: machine.to_owned(), ..Default::default() };
        answers.note(format!("ListRules {machine}"), incidents.list_rules(request).await);
    }
    watch(reach, cursor, answers).await?;
    rehearse(reach, about, answers).await
}

/// Incidents a minute of use.
pub(super) async fn rates(reach: &Reach, about: About, answers: &mut Answers) {
    let mut incidents = reach.client(IncidentServiceClient::with_interceptor);
    for (machine, _) in MACHINES {
        let machine_ids = vec![machine.to_owned()];
        let filter = v1::IncidentFilter { machine_ids, range: about.range(), ..Default::default() };
        let request = v1::GetIncidentRatesRequest { filter: Some(filter) };
        answers.note(format!("GetIncidentRates {machine}"), incidents.get_incident_rates(request).await);
    }
}

/// All orders and pages; gives the ids.
async fn lists(reach: &Reach, answers: &mut Answers) -> Vec<String> {
    let mut incidents = reach.client(IncidentServiceClient::with_interceptor);
    let mut ids = Vec::new();
    for order in
        [v1::IncidentOrder::NewestFirst, v1::IncidentOrder::OldestFirst, v1::IncidentOrder::WorstFirst]
    {
        for page_size in [7, 1_000] {
            ids.clear();
            let mut request =
                v1::ListIncidentsRequest { order: order.into(), page_size, ..Default::default() };
            for page in 1..=200 {
                let answer = incidents.list_incidents(request.clone()).await;
                let question = format!("ListIncidents, {order:?}, pages of {page_size}, page {page}");
                let Some(told) = answers.note(question, answer) else { break };
                ids.extend(told.incidents.into_iter().map(|incident| incident.id));
                request.page_token = told.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
        }
    }
    ids
}

/// Where a watch stands now.
pub(in super::super) async fn cursor(tier: &Tier) -> anyhow::Result<String> {
    let mut incidents = tier.reach().await?.client(IncidentServiceClient::with_interceptor);
    let mut stream = incidents.watch_incidents(v1::WatchIncidentsRequest::default()).await?.into_inner();
    Ok(stream.message().await?.context("the watch ended")?.cursor)
}

/// What a watch that goes on from a cursor tells, by the incidents' ids: the order is that of a server's own commits.
async fn watch(reach: &Reach, cursor: &str, answers: &mut Answers) -> anyhow::Result<()> {
    let mut incidents = reach.client(IncidentServiceClient::with_interceptor);
    let request = v1::WatchIncidentsRequest { cursor: cursor.to_owned(), ..Default::default() };
    let mut stream = incidents.watch_incidents(request).await?.into_inner();
    let mut told = Vec::new();
    while let Ok(message) = tokio::time::timeout(SILENT, stream.message()).await {
        told.extend(message?.context("the watch ended")?.incident);
    }
    told.sort_by(|one, other| one.id.cmp(&other.id));
    answers.note("WatchIncidents from a cursor before the restart".to_owned(), Ok(Response::new(told)));
    Ok(())
}

/// The stored history with other thresholds.
async fn rehearse(reach: &Reach, about: About, answers: &mut Answers) -> anyhow::Result<()> {
    let mut incidents = reach.client(IncidentServiceClient::with_interceptor);
    let rules = incidents.list_rules(v1::ListRulesRequest::default()).await?.into_inner().rules;
    let thresholds = rules.iter().flat_map(|rule| &rule.thresholds);
    // The least of everything finds the most.
    let thresholds = thresholds
        .map(|threshold| v1::NamedValue { name: threshold.name.clone(), value: threshold.min_value })
        .collect();
    let request = v1::RehearseThresholdsRequest {
        site_id: SITE.to_owned(),
        thresholds,
        range: about.range(),
        ..Default::default()
    };
    let last = match incidents.rehearse_thresholds(request).await {
        Ok(stream) => last(stream.into_inner()).await,
        Err(status) => Err(status),
    };
    answers.note("RehearseThresholds".to_owned(), last);
    Ok(())
}

/// Judges the stored history anew, but for what is still under way.
pub(super) async fn rebuild(reach: &Reach, about: About, answers: &mut Answers) -> anyhow::Result<()> {
    let about = About { until_us: about.until_us - UNDER_WAY_US, ..about };
    let mut incidents = reach.client(IncidentServiceClient::with_interceptor);
    let request =
        v1::RebuildIncidentsRequest { site_id: SITE.to_owned(), range: about.range(), ..Default::default() };
    let last = match incidents.rebuild_incidents(request).await {
        Ok(stream) => last(stream.into_inner()).await,
        Err(status) => Err(status),
    };
    answers.note("RebuildIncidents".to_owned(), last);
    Ok(())
}

/// The last message of a stream: progress depends on the time that it takes.
async fn last<T>(mut stream: tonic::Streaming<T>) -> Result<Response<Option<T>>, tonic::Status> {
    let mut last = None;
    while let Some(message) = stream.message().await? {
        last = Some(message);
    }
    Ok(Response::new(last))
}
