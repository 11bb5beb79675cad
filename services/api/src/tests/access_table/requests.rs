//! A request for each method, and how it is sent: as octets, so that one function serves all methods.

use prost::Message;
use prost::bytes::{Buf, BufMut};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use wire::api::v1;

use super::super::{Bench, seconds};

/// The request of a method that names a thing of this site, and what its answer holds if the thing was reached;
/// `None`: an answer is enough.
pub(super) fn request(
    method: &str,
    site: &str,
    token: u64,
    call: u32,
    told: Told,
) -> (Vec<u8>, Option<String>) {
    let (machine, session) = if site == "north" { ("n-1", "01") } else { ("s-1", "02") };
    let (machine_id, site_id, new) = (machine.to_owned(), site.to_owned(), format!("new-{call}"));
    let message = match method {
        "AccountService/SignIn" => {
            v1::SignInRequest { user_name: format!("member-{site}"), password: new }.encode_to_vec()
        }
        "AccountService/GetLink"
        | "AccountService/RedeemLink"
        | "AccountService/UpdatePreferences"
        | "AccountService/GetAccount"
        | "AccountService/SignOut"
        | "AccountService/ChangePassword"
        | "AdminService/ListRefusals" => Vec::new(),
        "FleetService/ListSites"
        | "FleetService/ListMachines"
        | "AdminService/ListUsers"
        | "AdminService/ListTokens"
        | "AdminService/ListAuditEntries" => {
            return list(method, &machine_id, &site_id, token);
        }
        "FleetService/WatchFleet" => {
            v1::WatchFleetRequest { site_id: String::new(), machine_ids: vec![machine_id] }.encode_to_vec()
        }
        "FleetService/AcknowledgeStop" => {
            v1::AcknowledgeStopRequest { machine_id, stop_time: Some(seconds(0)) }.encode_to_vec()
        }
        _ if method.starts_with("TelemetryService/") => of_history(method, machine_id, site_id, session),
        "AdminService/CreateSite" => {
            v1::CreateSiteRequest { site_id: new, ..Default::default() }.encode_to_vec()
        }
        "AdminService/UpdateSite" => {
            let site = Some(v1::Site { id: site_id, display_name: new, ..Default::default() });
            v1::UpdateSiteRequest { site, update_mask: mask() }.encode_to_vec()
        }
        "AdminService/CreateMachine" => {
            v1::CreateMachineRequest { machine_id: new, site_id, ..Default::default() }.encode_to_vec()
        }
        "AdminService/UpdateMachine" => {
            let machine = Some(v1::Machine { id: machine_id, display_name: new, ..Default::default() });
            v1::UpdateMachineRequest { machine, update_mask: mask() }.encode_to_vec()
        }
        "AdminService/ArrangeMachines" => {
            let places = vec![v1::MachinePlace { machine_id, place: None }];
            v1::ArrangeMachinesRequest { site_id, places }.encode_to_vec()
        }
        // The same field in each.
        "AdminService/RenewCredential" | "AdminService/RevokeCredential" | "FleetService/GetMachine" => {
            v1::GetMachineRequest { machine_id }.encode_to_vec()
        }
        _ if method.starts_with("EnrolmentService/") => return of_enrolment(method, machine_id, site, told),
        _ if method.starts_with("HandlingService/") => return of_handling(method, machine_id, session, told),
        _ if method.starts_with("UsageService/") => of_usage(method, site_id),
        _ if method.starts_with("DrillService/") => of_drills(method, machine_id, told),
        _ if method.starts_with("NotificationService/") => of_notification(method, site_id),
        _ if method.starts_with("CourseService/") => return of_courses(method, site_id, new, session, told),
        _ if method.starts_with("IncidentService/") => return of_incidents(method, machine_id, session),
        "AdminService/SetThresholds"
        | "AdminService/SetOutOfService"
        | "AdminService/RecordCommissioning"
        | "AdminService/SetStaffedHours"
        | "AdminService/SetOpeningHours"
        | "AdminService/SetMaintenancePlan"
        | "AdminService/RecordMaintenance" => of_settings(method, machine_id, site_id),
        _ => of_people(method, site, token, new),
    };
    (message, None)
}

/// Requests about what belts did.
fn of_history(method: &str, machine_id: String, site_id: String, session: &str) -> Vec<u8> {
    match method {
        "TelemetryService/ListSessions" => {
            v1::ListSessionsRequest { site_id, ..Default::default() }.encode_to_vec()
        }
        "TelemetryService/GetSession" => {
            v1::GetSessionRequest { session_id: session.repeat(16) }.encode_to_vec()
        }
        "TelemetryService/ListReadings" => {
            v1::ListReadingsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "TelemetryService/ListEvents" => {
            v1::ListEventsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        other => panic!("no request for {other}"),
    }
}

fn mask() -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] })
}

/// Requests about what the rules use.
fn of_settings(method: &str, machine_id: String, site_id: String) -> Vec<u8> {
    match method {
        "AdminService/SetThresholds" => {
            let cleared = vec!["reverse-overspeed.limit".to_owned()];
            v1::SetThresholdsRequest { machine_id, cleared, ..Default::default() }.encode_to_vec()
        }
        "AdminService/SetOutOfService" => {
            v1::SetOutOfServiceRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "AdminService/RecordCommissioning" => {
            v1::RecordCommissioningRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "AdminService/SetStaffedHours" => {
            v1::SetStaffedHoursRequest { site_id, ..Default::default() }.encode_to_vec()
        }
        "AdminService/SetOpeningHours" => {
            v1::SetOpeningHoursRequest { site_id, first_weekday: Some(1), ..Default::default() }
                .encode_to_vec()
        }
        "AdminService/SetMaintenancePlan" => {
            v1::SetMaintenancePlanRequest { site_id, hours: Some(500), ..Default::default() }.encode_to_vec()
        }
        "AdminService/RecordMaintenance" => {
            v1::RecordMaintenanceRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        other => panic!("no request for {other}"),
    }
}

/// Numbers of facts about a machine of the site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    /// The one that brought a note about its incident.
    pub(super) note: u64,
    /// The one that made a course of somebody.
    pub(super) course: u64,
    /// The one that began a proof test.
    pub(super) drill: u64,
    /// The first of three that tell of agents that came with its site's code.
    pub(super) asked: u64,
}

/// Requests of people who work on incidents; where several can be named, the incident's machine is in the answer.
fn of_handling(method: &str, machine_id: String, id: &str, told: Told) -> (Vec<u8>, Option<String>) {
    let incident_id = id.repeat(16);
    let incident_ids = vec![incident_id.clone()];
    let message = match method {
        "HandlingService/AcknowledgeIncidents" => {
            v1::AcknowledgeIncidentsRequest { incident_ids, ..Default::default() }.encode_to_vec()
        }
        "HandlingService/AssignIncidents" => {
            v1::AssignIncidentsRequest { incident_ids, ..Default::default() }.encode_to_vec()
        }
        "HandlingService/NoteIncidents" => {
            let note = "seen".to_owned();
            v1::NoteIncidentsRequest { incident_ids, note, ..Default::default() }.encode_to_vec()
        }
        "HandlingService/ShelveIncidents" => {
            v1::ShelveIncidentsRequest { incident_ids, ..Default::default() }.encode_to_vec()
        }
        "HandlingService/CloseIncidents" => {
            let (cause, hurt) = (v1::Cause::Misuse.into(), v1::Hurt::No.into());
            v1::CloseIncidentsRequest { incident_ids, cause, hurt, ..Default::default() }.encode_to_vec()
        }
        "HandlingService/HoldIncidents" => {
            v1::HoldIncidentsRequest { incident_ids, on: true, ..Default::default() }.encode_to_vec()
        }
        "HandlingService/EraseNote" => {
            return (v1::EraseNoteRequest { incident_id, number: told.note }.encode_to_vec(), None);
        }
        "HandlingService/ListIncidentSteps" | "HandlingService/ExportDossier" => {
            return (v1::ListIncidentStepsRequest { incident_id }.encode_to_vec(), None);
        }
        "HandlingService/GetServerKey" => return (Vec::new(), None),
        other => panic!("no request for {other}"),
    };
    (message, Some(machine_id))
}

/// Requests about what belts did, added up: of the site, since the day before.
fn of_usage(method: &str, site_id: String) -> Vec<u8> {
    let scope = Some(v1::UsageScope { site_ids: vec![site_id], ..Default::default() });
    if method == "UsageService/ListMaintenance" {
        return v1::ListMaintenanceRequest { scope, page_size: 0 }.encode_to_vec();
    }
    let range = Some(v1::DateRange { start_date: "2026-11-19".to_owned(), ..Default::default() });
    // The first two fields are the same in each.
    v1::GetHeatMapRequest { scope, range }.encode_to_vec()
}

/// Requests about proof tests.
fn of_drills(method: &str, machine_id: String, told: Told) -> Vec<u8> {
    match method {
        "DrillService/StartDrill" => {
            v1::StartDrillRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "DrillService/EndDrill" => {
            v1::EndDrillRequest { machine_id, number: told.drill, note: String::new() }.encode_to_vec()
        }
        "DrillService/GetDrill" => v1::GetDrillRequest { machine_id, number: 0 }.encode_to_vec(),
        "DrillService/ListDrills" => {
            v1::ListDrillsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "DrillService/ListProofs" => {
            v1::ListProofsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "DrillService/ListStops" => v1::ListStopsRequest { machine_id, ..Default::default() }.encode_to_vec(),
        other => panic!("no request for {other}"),
    }
}

/// Requests about courses; of those that list, the course or session is among what they list.
fn of_courses(
    method: &str,
    site_id: String,
    code: String,
    session: &str,
    told: Told,
) -> (Vec<u8>, Option<String>) {
    let (course_id, session_id) = (told.course, session.repeat(16));
    let message = match method {
        "CourseService/CreateCourse" => {
            v1::CreateCourseRequest { site_id, code, ..Default::default() }.encode_to_vec()
        }
        "CourseService/ListCourses" => {
            let request = v1::ListCoursesRequest { page_size: 1_000, ..Default::default() };
            return (request.encode_to_vec(), Some(format!("told-{site_id}")));
        }
        "CourseService/GetCourse" => v1::GetCourseRequest { course_id }.encode_to_vec(),
        "CourseService/UpdateCourse" => {
            let prescription = Some(v1::Prescription::default());
            v1::UpdateCourseRequest { course_id, prescription, ..Default::default() }.encode_to_vec()
        }
        "CourseService/ListLabelSessions" => {
            let request = v1::ListLabelSessionsRequest { site_id, ..Default::default() };
            return (request.encode_to_vec(), Some(session_id));
        }
        "CourseService/LabelSession" => {
            v1::LabelSessionRequest { session_id, course_id, ..Default::default() }.encode_to_vec()
        }
        "CourseService/EndCourse" => v1::EndCourseRequest { course_id, ..Default::default() }.encode_to_vec(),
        other => panic!("no request for {other}"),
    };
    (message, None)
}

/// Requests about who is told.
fn of_notification(method: &str, site_id: String) -> Vec<u8> {
    let name = format!("desk-{site_id}");
    match method {
        "NotificationService/ListContacts" => v1::ListContactsRequest { site_id }.encode_to_vec(),
        "NotificationService/SetContact" => {
            let email = "desk@gym.example".to_owned();
            let contact = v1::Contact { name, site_id, email, ..Default::default() };
            v1::SetContactRequest { contact: Some(contact), ..Default::default() }.encode_to_vec()
        }
        // The same field in each.
        "NotificationService/DeleteContact" | "NotificationService/TestContact" => {
            v1::DeleteContactRequest { name }.encode_to_vec()
        }
        "NotificationService/ListPolicies" => v1::ListPoliciesRequest { site_id }.encode_to_vec(),
        "NotificationService/UpdatePolicy" => {
            let policy = Some(v1::Policy { site_id, ..Default::default() });
            let update_mask = Some(prost_types::FieldMask { paths: vec!["deadlines".to_owned()] });
            v1::UpdatePolicyRequest { policy, update_mask, ..Default::default() }.encode_to_vec()
        }
        "NotificationService/ListNotices" => {
            v1::ListNoticesRequest { site_id, ..Default::default() }.encode_to_vec()
        }
        other => panic!("no request for {other}"),
    }
}

/// Requests about incidents; of those that list, the incident or machine is among what they list.
fn of_incidents(method: &str, machine_id: String, id: &str) -> (Vec<u8>, Option<String>) {
    let range = Some(v1::TimeRange { start_time: Some(seconds(-60)), end_time: None });
    let filter = || Some(v1::IncidentFilter { machine_ids: vec![machine_id.clone()], ..Default::default() });
    let message = match method {
        "IncidentService/ListIncidents" => {
            let request = v1::ListIncidentsRequest { page_size: 1_000, ..Default::default() };
            return (request.encode_to_vec(), Some(id.repeat(16)));
        }
        "IncidentService/ListSiteIncidents" => {
            let seen = if id == "01" { "north" } else { "south" };
            return (Vec::new(), Some(seen.to_owned()));
        }
        "IncidentService/CountIncidents" => v1::CountIncidentsRequest { filter: filter() }.encode_to_vec(),
        "IncidentService/GetIncident" => {
            v1::GetIncidentRequest { incident_id: id.repeat(16) }.encode_to_vec()
        }
        "IncidentService/WatchIncidents" => {
            v1::WatchIncidentsRequest { filter: filter(), cursor: String::new() }.encode_to_vec()
        }
        "IncidentService/ListRules" => {
            v1::ListRulesRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "IncidentService/ListBlindSpots" => {
            v1::ListBlindSpotsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "IncidentService/GetIncidentRates" => {
            let filter = filter().map(|filter| v1::IncidentFilter { range, ..filter });
            v1::GetIncidentRatesRequest { filter }.encode_to_vec()
        }
        "IncidentService/RehearseThresholds" => {
            v1::RehearseThresholdsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "IncidentService/RebuildIncidents" => {
            v1::RebuildIncidentsRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        other => panic!("no request for {other}"),
    };
    (message, None)
}

/// Requests about enrolment; the codes of both sites have the numbers 1 and 2.
fn of_enrolment(method: &str, machine_id: String, site: &str, told: Told) -> (Vec<u8>, Option<String>) {
    let (code, nonce) = (vec![0; 11], vec![0; 32]);
    let message = match method {
        "EnrolmentService/Enrol" => v1::EnrolRequest { code, nonce, ..Default::default() }.encode_to_vec(),
        "EnrolmentService/GetEnrolment" => v1::GetEnrolmentRequest { nonce }.encode_to_vec(),
        "EnrolmentService/CreateEnrolmentCode" => {
            v1::CreateEnrolmentCodeRequest { machine_id, ..Default::default() }.encode_to_vec()
        }
        "EnrolmentService/ListEnrolmentCodes" => {
            let request = v1::ListEnrolmentCodesRequest { page_size: 1_000, ..Default::default() };
            return (request.encode_to_vec(), Some(site.to_owned()));
        }
        "EnrolmentService/RevokeEnrolmentCode" => {
            let code_id = if site == "north" { "000001" } else { "000002" }.to_owned();
            v1::RevokeEnrolmentCodeRequest { code_id }.encode_to_vec()
        }
        "EnrolmentService/ListPendingEnrolments" => {
            let request = v1::ListPendingEnrolmentsRequest { page_size: 1_000, ..Default::default() };
            return (request.encode_to_vec(), Some(format!("box at {site}")));
        }
        "EnrolmentService/ApproveEnrolment" => {
            let enrolment_id = (told.asked + 1).to_string();
            v1::ApproveEnrolmentRequest {
                enrolment_id,
                machine_id,
                is_replacement: true,
                ..Default::default()
            }
            .encode_to_vec()
        }
        "EnrolmentService/RefuseEnrolment" => {
            v1::RefuseEnrolmentRequest { enrolment_id: (told.asked + 2).to_string() }.encode_to_vec()
        }
        other => panic!("no request for {other}"),
    };
    (message, None)
}

/// Requests about users and tokens.
fn of_people(method: &str, site: &str, token: u64, new: String) -> Vec<u8> {
    let grants = vec![v1::Grant { role: v1::Role::Viewer.into(), site_ids: vec![site.to_owned()] }];
    let user_name = format!("member-{site}");
    match method {
        "AdminService/CreateUser" => {
            v1::CreateUserRequest { name: new, grants, ..Default::default() }.encode_to_vec()
        }
        "AdminService/UpdateUser" => {
            let user = Some(v1::User { name: user_name, display_name: new, ..Default::default() });
            v1::UpdateUserRequest { user, update_mask: mask() }.encode_to_vec()
        }
        "AdminService/CreatePasswordLink" => v1::CreatePasswordLinkRequest { user_name }.encode_to_vec(),
        "AdminService/CreateToken" => {
            v1::CreateTokenRequest { display_name: new, grants, expire_time: None }.encode_to_vec()
        }
        "AdminService/RevokeToken" => v1::RevokeTokenRequest { token_id: token.to_string() }.encode_to_vec(),
        other => panic!("no request for {other}"),
    }
}

/// Listings: the thing is among what they list, or it is not there.
fn list(method: &str, machine: &str, site: &str, token: u64) -> (Vec<u8>, Option<String>) {
    // A token's id as a field: number 1, its length, its octets.
    let id = token.to_string();
    let (page_size, seen) = match method {
        "FleetService/ListSites" => (1_000, format!("Gym {site}")),
        "FleetService/ListMachines" => (1_000, format!("Treadmill {machine}")),
        "AdminService/ListUsers" => (1_000, format!("member-{site}")),
        "AdminService/ListTokens" => (1, format!("\n{}{id}", char::from(u8::try_from(id.len()).unwrap()))),
        "AdminService/ListAuditEntries" => (1_000, format!("name: Gym {site}")),
        other => panic!("{other} lists nothing"),
    };
    let message = match method {
        "FleetService/ListMachines" => {
            v1::ListMachinesRequest { page_size, ..Default::default() }.encode_to_vec()
        }
        // The same field in each.
        _ => v1::ListSitesRequest { page_size, ..Default::default() }.encode_to_vec(),
    };
    (message, Some(seen))
}

/// The first message of an answer, as octets.
pub(super) async fn call(
    bench: &Bench,
    method: &str,
    secret: Option<&str>,
    message: Vec<u8>,
) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(bench.channel().await);
    client.ready().await.unwrap();
    let mut request = tonic::Request::new(message);
    if let Some(secret) = secret {
        request.metadata_mut().insert("authorization", format!("Bearer {secret}").parse().unwrap());
    }
    let path = format!("/beltwatch.v1.{method}").parse().unwrap();
    let mut answer = client.server_streaming(request, path, Octets).await?.into_inner();
    let first = answer.message().await?.expect("an answer without a message");
    if matches!(method, "IncidentService/RehearseThresholds" | "IncidentService/RebuildIncidents") {
        // To its end, so that the next one has the place.
        while answer.message().await?.is_some() {}
    }
    Ok(first)
}

/// Messages as they are.
struct Octets;

impl Codec for Octets {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Octets;
    type Decoder = Octets;

    fn encoder(&mut self) -> Octets {
        Octets
    }

    fn decoder(&mut self) -> Octets {
        Octets
    }
}

impl Encoder for Octets {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Octets {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; from.remaining()];
        from.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}
