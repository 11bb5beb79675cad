//! Sites, machines, what they do, what stops them.

use tonic::Request;
use wire::api::v1;
use wire::api::v1::course_service_client::CourseServiceClient;
use wire::api::v1::drill_service_client::DrillServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;

use super::super::feed::MACHINES;
use super::super::server::{Reach, SITE};
use super::Answers;

pub(super) async fn ask(reach: &Reach, answers: &mut Answers) -> anyhow::Result<()> {
    let mut fleet = reach.client(FleetServiceClient::with_interceptor);
    let answer = fleet.list_sites(v1::ListSitesRequest::default()).await;
    answers.note("ListSites".to_owned(), answer);
    for page_size in [0, 3] {
        let mut request = v1::ListMachinesRequest { page_size, ..Default::default() };
        for page in 1..=MACHINES.len() {
            let answer = fleet.list_machines(request.clone()).await;
            let told = answers.note(format!("ListMachines, pages of {page_size}, page {page}"), answer);
            request.page_token = told.map(|told| told.next_page_token).unwrap_or_default();
            if request.page_token.is_empty() {
                break;
            }
        }
    }
    for (machine, _) in MACHINES {
        let request = v1::GetMachineRequest { machine_id: machine.to_owned() };
        answers.note(format!("GetMachine {machine}"), fleet.get_machine(request).await);
    }
    watch(reach, answers).await?;
    stops(reach, answers).await;
    let mut courses = reach.client(CourseServiceClient::with_interceptor);
    answers.note("ListCourses".to_owned(), courses.list_courses(v1::ListCoursesRequest::default()).await);
    Ok(())
}

/// The snapshot with which a watch begins.
async fn watch(reach: &Reach, answers: &mut Answers) -> anyhow::Result<()> {
    let mut fleet = reach.client(FleetServiceClient::with_interceptor);
    let mut stream = fleet.watch_fleet(v1::WatchFleetRequest::default()).await?.into_inner();
    for part in 1.. {
        let Some(message) = stream.message().await? else { break };
        let is_last = match &message.update {
            Some(v1::watch_fleet_response::Update::Snapshot(snapshot)) => snapshot.last,
            Some(
                v1::watch_fleet_response::Update::Changed(_) | v1::watch_fleet_response::Update::Heartbeat(_),
            )
            | None => true,
        };
        answers.note(format!("WatchFleet, message {part}"), Ok(tonic::Response::new(message)));
        if is_last {
            break;
        }
    }
    Ok(())
}

async fn stops(reach: &Reach, answers: &mut Answers) {
    let mut drills = reach.client(DrillServiceClient::with_interceptor);
    let request = v1::ListDrillsRequest { site_id: SITE.to_owned(), ..Default::default() };
    answers.note("ListDrills".to_owned(), drills.list_drills(Request::new(request)).await);
    let request = v1::ListProofsRequest { site_id: SITE.to_owned(), ..Default::default() };
    answers.note("ListProofs".to_owned(), drills.list_proofs(request).await);
    for (machine, _) in MACHINES {
        let request = v1::ListStopsRequest { machine_id: machine.to_owned(), ..Default::default() };
        answers.note(format!("ListStops {machine}"), drills.list_stops(request).await);
    }
}
