//! An API in this process that knows two sites, three machines and one user.

pub(super) mod admin;
pub(super) mod course;
pub(super) mod drill;
pub(super) mod enrolment;
pub(super) mod handling;
pub(super) mod incidents;
pub(super) mod notification;
pub(super) mod readings;
pub(super) mod usage;

use axum::body::Body;
use axum::http::Response;
use tonic::codegen::BoxStream;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tower::ServiceExt;
use wire::api::v1;
use wire::api::v1::account_service_server::{AccountService, AccountServiceServer};
use wire::api::v1::admin_service_server::AdminServiceServer;
use wire::api::v1::course_service_server::CourseServiceServer;
use wire::api::v1::drill_service_server::DrillServiceServer;
use wire::api::v1::enrolment_service_server::EnrolmentServiceServer;
use wire::api::v1::fleet_service_server::{FleetService, FleetServiceServer};
use wire::api::v1::handling_service_server::HandlingServiceServer;
use wire::api::v1::incident_service_server::IncidentServiceServer;
use wire::api::v1::notification_service_server::NotificationServiceServer;
use wire::api::v1::telemetry_service_server::TelemetryServiceServer;
use wire::api::v1::usage_service_server::UsageServiceServer;

use crate::{Dashboard, Settings, in_process, router};

/// A session that is good.
pub(super) const SESSION: &str = "bws1_anna";
/// Whoever has it reads German and miles.
pub(super) const SESSION_GERMAN: &str = "bws1_greta";
/// Whoever has it may see only the first of both sites, and only look.
pub(super) const SESSION_VIEWER: &str = "bws1_viewer";
pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const STOP: (i64, i32) = (1_800_000_000, 123_456_789);
/// A name that would like to be a program.
pub(super) const SCRIPT: &str = "<script>alert('x')</script>";

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fake {
    /// Sites cannot be had.
    pub(super) sites_out: bool,
    /// There is one site only.
    pub(super) one_site: bool,
    /// Machines that nobody looked after.
    pub(super) neglected: bool,
}

fn session<T>(request: &tonic::Request<T>) -> Result<String, Status> {
    let value = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
    let session = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let others = [admin::permissions(session), handling::permissions(session), course::permissions(session)];
    if [SESSION, SESSION_GERMAN, SESSION_VIEWER].contains(&session) || others.iter().any(Option::is_some) {
        return Ok(session.to_owned());
    }
    Err(Status::unauthenticated("the session is not known"))
}

fn far() -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 })
}

pub(super) fn machine(id: &str, name: &str) -> v1::MachineState {
    let machine = v1::Machine {
        id: id.to_owned(),
        site_id: "north".to_owned(),
        display_name: name.to_owned(),
        belt: v1::BeltKind::Reversible.into(),
        // 2026-11-21, 0 o'clock in the site's time.
        maintain_time: Some(prost_types::Timestamp { seconds: 1_795_215_600, nanos: 0 }),
        maintain_note: "belt waxed".to_owned(),
        ..v1::Machine::default()
    };
    let belt =
        v1::Belt { direction: v1::Direction::Reverse.into(), speed_mps: Some(1.0), ..v1::Belt::default() };
    v1::MachineState {
        machine: Some(machine),
        status: v1::Status::Reverse.into(),
        capabilities: ["emergency_stop", "speed"].map(str::to_owned).to_vec(),
        belt: Some(belt),
        presence: v1::Presence::Online.into(),
        ..v1::MachineState::default()
    }
}

pub(super) fn stopped() -> v1::MachineState {
    let stop = v1::LastStop {
        time: Some(prost_types::Timestamp { seconds: STOP.0, nanos: STOP.1 }),
        contact: "safety_key".to_owned(),
        direction: v1::Direction::Forward.into(),
        speed_mps: Some(2.0),
        ..v1::LastStop::default()
    };
    v1::MachineState {
        last_stop: Some(stop),
        status: v1::Status::KeyPulled.into(),
        ..machine("n-2", "Treadmill 2")
    }
}

#[tonic::async_trait]
impl AccountService for Fake {
    async fn sign_in(
        &self,
        request: tonic::Request<v1::SignInRequest>,
    ) -> Result<tonic::Response<v1::SignInResponse>, Status> {
        let message = request.into_inner();
        if message.user_name == "busy" {
            let mut details = ErrorDetails::new();
            details.set_retry_info(Some(std::time::Duration::from_secs(7)));
            return Err(Status::with_error_details(Code::ResourceExhausted, "too many", details));
        }
        if message.password != PASSWORD {
            return Err(Status::unauthenticated("name and password do not fit"));
        }
        Ok(tonic::Response::new(v1::SignInResponse { session: SESSION.to_owned(), expire_time: far() }))
    }

    async fn get_link(
        &self,
        request: tonic::Request<v1::GetLinkRequest>,
    ) -> Result<tonic::Response<v1::GetLinkResponse>, Status> {
        let kind = match request.into_inner().code.as_str() {
            "first" => v1::LinkKind::FirstAdministrator,
            "password" => v1::LinkKind::Password,
            "demo" => v1::LinkKind::SignIn,
            _ => return Err(Status::not_found("there is no such link")),
        };
        let link = v1::GetLinkResponse { kind: kind.into(), user_name: String::new(), expire_time: far() };
        Ok(tonic::Response::new(link))
    }

    async fn redeem_link(
        &self,
        _request: tonic::Request<v1::RedeemLinkRequest>,
    ) -> Result<tonic::Response<v1::RedeemLinkResponse>, Status> {
        Ok(tonic::Response::new(v1::RedeemLinkResponse { session: SESSION.to_owned(), expire_time: far() }))
    }

    async fn sign_out(
        &self,
        request: tonic::Request<v1::SignOutRequest>,
    ) -> Result<tonic::Response<v1::SignOutResponse>, Status> {
        session(&request)?;
        Ok(tonic::Response::new(v1::SignOutResponse {}))
    }

    async fn get_account(
        &self,
        request: tonic::Request<v1::GetAccountRequest>,
    ) -> Result<tonic::Response<v1::GetAccountResponse>, Status> {
        let session = session(&request)?;
        let german = [SESSION_GERMAN, admin::ADMIN_GERMAN, handling::STAFF_GERMAN, course::THERAPIST_GERMAN]
            .contains(&session.as_str());
        let preferences = v1::Preferences {
            language: if german { v1::Language::German.into() } else { 0 },
            speed_unit: if german { v1::SpeedUnit::MilesPerHour.into() } else { 0 },
        };
        let names = if session == SESSION_VIEWER {
            &["live"][..]
        } else {
            &["act", "arrange", "evidence", "handle", "history", "live"]
        };
        let permission = |name: &&str| v1::Permission { name: (*name).to_owned(), site_ids: Vec::new() };
        Ok(tonic::Response::new(v1::GetAccountResponse {
            caller: "user:anna".to_owned(),
            user: Some(v1::User { name: SCRIPT.to_owned(), ..v1::User::default() }),
            preferences: Some(preferences),
            permissions: admin::permissions(&session)
                .or_else(|| handling::permissions(&session))
                .or_else(|| course::permissions(&session))
                .unwrap_or_else(|| names.iter().map(permission).collect()),
            expire_time: far(),
        }))
    }

    async fn update_preferences(
        &self,
        request: tonic::Request<v1::UpdatePreferencesRequest>,
    ) -> Result<tonic::Response<v1::UpdatePreferencesResponse>, Status> {
        session(&request)?;
        let preferences = request.into_inner().preferences;
        Ok(tonic::Response::new(v1::UpdatePreferencesResponse { preferences }))
    }

    async fn change_password(
        &self,
        request: tonic::Request<v1::ChangePasswordRequest>,
    ) -> Result<tonic::Response<v1::ChangePasswordResponse>, Status> {
        session(&request)?;
        if request.into_inner().old_password != PASSWORD {
            let details = ErrorDetails::with_bad_request_violation("old_password", "does not fit");
            return Err(Status::with_error_details(Code::InvalidArgument, "old_password", details));
        }
        Ok(tonic::Response::new(v1::ChangePasswordResponse {}))
    }
}

#[tonic::async_trait]
impl FleetService for Fake {
    type WatchFleetStream = BoxStream<v1::WatchFleetResponse>;

    async fn list_sites(
        &self,
        request: tonic::Request<v1::ListSitesRequest>,
    ) -> Result<tonic::Response<v1::ListSitesResponse>, Status> {
        session(&request)?;
        if self.sites_out {
            return Err(Status::data_loss("a part of the store is damaged"));
        }
        let site = |id: &str, name: &str| v1::Site {
            id: id.to_owned(),
            display_name: name.to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            ..v1::Site::default()
        };
        let mut sites = vec![site("north", "Northside"), site("south", SCRIPT)];
        sites.truncate(if self.one_site { 1 } else { 2 });
        Ok(tonic::Response::new(v1::ListSitesResponse { sites, next_page_token: String::new() }))
    }

    async fn list_machines(
        &self,
        request: tonic::Request<v1::ListMachinesRequest>,
    ) -> Result<tonic::Response<v1::ListMachinesResponse>, Status> {
        session(&request)?;
        let machines =
            if self.neglected { readings::neglected() } else { vec![machine("n-1", SCRIPT), stopped()] };
        Ok(tonic::Response::new(v1::ListMachinesResponse { machines, next_page_token: String::new() }))
    }

    async fn get_machine(
        &self,
        request: tonic::Request<v1::GetMachineRequest>,
    ) -> Result<tonic::Response<v1::GetMachineResponse>, Status> {
        session(&request)?;
        if request.into_inner().machine_id != "n-1" {
            return Err(Status::not_found("there is no such machine"));
        }
        Ok(tonic::Response::new(v1::GetMachineResponse { machine: Some(machine("n-1", SCRIPT)) }))
    }

    async fn watch_fleet(
        &self,
        request: tonic::Request<v1::WatchFleetRequest>,
    ) -> Result<tonic::Response<Self::WatchFleetStream>, Status> {
        session(&request)?;
        use wire::api::v1::watch_fleet_response::Update;
        let machines = vec![machine("n-1", SCRIPT), stopped()];
        let snapshot = v1::FleetSnapshot { machines, part: 0, last: true };
        let first = v1::WatchFleetResponse { update: Some(Update::Snapshot(snapshot)) };
        let end = Status::unauthenticated("the session has ended");
        let stream = futures::stream::iter([Ok(first), Err(end)]);
        Ok(tonic::Response::new(Box::pin(stream)))
    }

    async fn acknowledge_stop(
        &self,
        request: tonic::Request<v1::AcknowledgeStopRequest>,
    ) -> Result<tonic::Response<v1::AcknowledgeStopResponse>, Status> {
        if session(&request)? == SESSION_VIEWER {
            return Err(Status::permission_denied("this needs act"));
        }
        let time = request.into_inner().stop_time.unwrap_or_default();
        if (time.seconds, time.nanos) != STOP {
            return Err(Status::invalid_argument("stop_time is not the one that was shown"));
        }
        Ok(tonic::Response::new(v1::AcknowledgeStopResponse { machine: Some(stopped()) }))
    }
}

/// A request of a browser and what came back.
#[derive(Debug)]
pub(super) struct Browser {
    fake: Fake,
    admin: admin::Admin,
    incidents: incidents::Incidents,
    drills: drill::Drills,
    notification: notification::Notification,
    handling: handling::Handling,
    usages: usage::Usages,
    courses: course::Courses,
    readings: readings::Readings,
    secure: bool,
    session: Option<&'static str>,
    headers: Vec<(&'static str, &'static str)>,
}

impl Browser {
    pub(super) fn new(session: Option<&'static str>) -> Browser {
        Browser {
            fake: Fake::default(),
            admin: admin::Admin::default(),
            incidents: incidents::Incidents::default(),
            drills: drill::Drills::default(),
            notification: notification::Notification::default(),
            handling: handling::Handling::default(),
            usages: usage::Usages::default(),
            courses: course::Courses::default(),
            readings: readings::Readings::default(),
            secure: false,
            session,
            headers: Vec::new(),
        }
    }

    pub(super) fn of(self, fake: Fake) -> Browser {
        Browser { fake, ..self }
    }

    pub(super) fn administering(self, admin: &admin::Admin) -> Browser {
        Browser { admin: admin.clone(), ..self }
    }

    pub(super) fn watching(self, incidents: &incidents::Incidents) -> Browser {
        Browser { incidents: incidents.clone(), ..self }
    }

    pub(super) fn handling(self, handling: &handling::Handling) -> Browser {
        Browser { handling: handling.clone(), ..self }
    }

    pub(super) fn drilling(self, drills: &drill::Drills) -> Browser {
        Browser { drills: drills.clone(), ..self }
    }

    pub(super) fn notifying(self, notification: &notification::Notification) -> Browser {
        Browser { notification: notification.clone(), ..self }
    }

    pub(super) fn using(self, usages: &usage::Usages) -> Browser {
        Browser { usages: usages.clone(), ..self }
    }

    pub(super) fn labelling(self, courses: &course::Courses) -> Browser {
        Browser { courses: courses.clone(), ..self }
    }

    pub(super) fn reading(self, readings: &readings::Readings) -> Browser {
        Browser { readings: readings.clone(), ..self }
    }

    pub(super) fn secure(self) -> Browser {
        Browser { secure: true, ..self }
    }

    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Browser {
        self.headers.push((name, value));
        self
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, String::new()).await
    }

    /// Sends a form as this site's own page would, unless other headers were given.
    pub(super) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.send("POST", path, body.finish()).await
    }

    /// Whether the answer's body ends before it is complete.
    pub(super) async fn breaks_off(&self, path: &str) -> bool {
        let response = self.respond("GET", path, String::new()).await;
        axum::body::to_bytes(response.into_body(), usize::MAX).await.is_err()
    }

    async fn send(&self, method: &str, path: &str, body: String) -> Answer {
        Answer::read(self.respond(method, path, body).await).await
    }

    async fn respond(&self, method: &str, path: &str, body: String) -> Response<Body> {
        let routes = tonic::service::Routes::new(AccountServiceServer::new(self.fake))
            .add_service(FleetServiceServer::new(self.fake))
            .add_service(AdminServiceServer::new(self.admin.clone()))
            .add_service(EnrolmentServiceServer::new(self.admin.clone()))
            .add_service(IncidentServiceServer::new(self.incidents.clone()))
            .add_service(DrillServiceServer::new(self.drills.clone()))
            .add_service(NotificationServiceServer::new(self.notification.clone()))
            .add_service(HandlingServiceServer::new(self.handling.clone()))
            .add_service(UsageServiceServer::new(self.usages.clone()))
            .add_service(CourseServiceServer::new(self.courses.clone()))
            .add_service(TelemetryServiceServer::new(self.readings.clone()))
            .into_axum_router();
        let dashboard =
            Dashboard::new(in_process(routes), Settings { secure: self.secure, ..Settings::default() });
        let mut request =
            axum::http::Request::builder().method(method).uri(path).header("host", "gym.example");
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        if method == "POST" && self.headers.is_empty() {
            request = request.header("origin", "http://gym.example");
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        if let Some(session) = self.session {
            let name = if self.secure { "__Host-beltwatch_session" } else { "beltwatch_session" };
            request = request.header("cookie", format!("other=1; {name}={session}"));
        }
        router(dashboard).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: axum::http::HeaderMap,
    pub(super) text: String,
}

impl Answer {
    async fn read(response: Response<Body>) -> Answer {
        let (parts, body) = response.into_parts();
        let octets = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8_lossy(&octets).into_owned();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
