//! The part of the fake API that knows incidents. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::codegen::BoxStream;
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::incident_service_server::IncidentService;

use super::handling::is_told;
use super::{SCRIPT, STOP, session};

/// An emergency stop, with a recording; still active.
pub(in super::super) const EMERGENCY_STOP: &str = "0123456789abcdef0123456789abcdef";
/// A fault with the belt in a direction that is not known; over, found later.
pub(in super::super) const FAULT: &str = "fedcba9876543210fedcba9876543210";
/// The rest of a list.
pub(in super::super) const NEXT_PAGE: &str = "v1+older/page=";

type Answered<T> = Result<Response<T>, Status>;

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Incidents {
    asked: Arc<Mutex<Vec<v1::ListIncidentsRequest>>>,
    /// How many more a list has.
    more: usize,
}

impl Incidents {
    /// With so many more in each list.
    pub(in super::super) fn and(more: usize) -> Incidents {
        Incidents { more, ..Incidents::default() }
    }

    /// What lists were asked for.
    pub(in super::super) fn asked(&self) -> Vec<v1::ListIncidentsRequest> {
        self.asked.lock().unwrap().clone()
    }
}

pub(super) fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: STOP.0 + seconds, nanos: 0 })
}

fn value(name: &str, value: i64) -> v1::NamedValue {
    v1::NamedValue { name: name.to_owned(), value }
}

pub(super) fn emergency_stop() -> v1::Incident {
    v1::Incident {
        id: EMERGENCY_STOP.to_owned(),
        machine_id: "n-1".to_owned(),
        site_id: "north".to_owned(),
        rule: "emergency-stop".to_owned(),
        title: "Emergency stop".to_owned(),
        severity: v1::Severity::Critical.into(),
        time: at(0),
        detect_time: at(1),
        state: v1::IncidentState::Active.into(),
        direction: v1::Direction::Reverse.into(),
        origin: v1::DirectionOrigin::Measured.into(),
        speed_mps: Some(1.0),
        contact: "emergency_stop".to_owned(),
        count: 2,
        detail: SCRIPT.to_owned(),
        stop: Some(v1::MeasuredStop {
            time: Some(prost_types::Duration { seconds: 1, nanos: 250_000_000 }),
            distance_m: 0.75,
        }),
        measured: vec![value("speed_mm_s", 1_000)],
        thresholds: vec![value("emergency-stop.reset", 50)],
        rule_version: 1,
        capabilities: vec!["emergency_stop".to_owned(), "speed".to_owned()],
        has_recording: true,
        handling: Some(v1::Handling {
            state: v1::HandlingState::Open.into(),
            is_normal_stop: true,
            deadlines: vec![
                v1::DeadlineState { name: "insurer".to_owned(), due_time: at(86_400), met_time: None },
                v1::DeadlineState { name: "call".to_owned(), due_time: PAST, met_time: None },
                v1::DeadlineState { name: "look".to_owned(), due_time: PAST, met_time: PAST },
            ],
            ..v1::Handling::default()
        }),
        ..v1::Incident::default()
    }
}

/// 2001.
const PAST: Option<prost_types::Timestamp> =
    Some(prost_types::Timestamp { seconds: 1_000_000_000, nanos: 0 });

pub(super) fn fault() -> v1::Incident {
    v1::Incident {
        id: FAULT.to_owned(),
        machine_id: "n-9".to_owned(),
        site_id: "north".to_owned(),
        rule: "drive-or-sensor-fault".to_owned(),
        title: "Drive or sensor fault".to_owned(),
        severity: v1::Severity::Low.into(),
        time: at(-60),
        detect_time: at(3_600),
        late: true,
        state: v1::IncidentState::Cleared.into(),
        clear_time: at(-50),
        direction: v1::Direction::Unknown.into(),
        speed_mps: Some(1.0),
        count: 1,
        explained: "The belt was found standing.".to_owned(),
        rule_version: 1,
        unconfirmed_by_rule_version: 2,
        handling: Some(v1::Handling {
            state: v1::HandlingState::Closed.into(),
            closed: Some(v1::Deed { time: at(7_200), author: "user:otto".to_owned() }),
            cause: v1::Cause::SensorFault.into(),
            hurt: v1::Hurt::No.into(),
            legal_hold: true,
            lead_incident_id: "7".repeat(32),
            ..v1::Handling::default()
        }),
        ..v1::Incident::default()
    }
}

fn rule(name: &str, title: &str) -> v1::Rule {
    v1::Rule {
        name: name.to_owned(),
        number: 1,
        title: title.to_owned(),
        meaning: "The circuit opened.".to_owned(),
        reason: "Somebody pressed the button.".to_owned(),
        rearm: "At once.".to_owned(),
        action_card: "Go to the person.".to_owned(),
        version: 1,
        thresholds: vec![v1::Threshold {
            name: "emergency-stop.reset".to_owned(),
            unit: "ms".to_owned(),
            reason: "A shorter closing is a bounce.".to_owned(),
            ..v1::Threshold::default()
        }],
        ..v1::Rule::default()
    }
}

fn rules() -> Vec<v1::Rule> {
    vec![rule("emergency-stop", "Emergency stop"), rule("drive-or-sensor-fault", "Drive or sensor fault")]
}

fn belt(millis: i32, speed: f64, stop: v1::ContactState) -> v1::RecordingPoint {
    let contacts = v1::Contacts { emergency_stop: stop.into(), ..v1::Contacts::default() };
    v1::RecordingPoint {
        time: Some(prost_types::Timestamp { seconds: STOP.0, nanos: millis * 1_000_000 }),
        direction: v1::Direction::Reverse.into(),
        speed_mps: Some(speed),
        contacts: Some(contacts),
        ..v1::RecordingPoint::default()
    }
}

fn reading(seconds: i64) -> v1::Reading {
    v1::Reading {
        time: at(seconds),
        span: Some(prost_types::Duration { seconds: 1, nanos: 0 }),
        direction: v1::Direction::Unknown.into(),
        speed_mean_mps: Some(1.0),
        ..v1::Reading::default()
    }
}

#[tonic::async_trait]
impl IncidentService for Incidents {
    type WatchIncidentsStream = BoxStream<v1::WatchIncidentsResponse>;
    type RehearseThresholdsStream = BoxStream<v1::RehearseThresholdsResponse>;
    type RebuildIncidentsStream = BoxStream<v1::RebuildIncidentsResponse>;

    async fn list_incidents(
        &self,
        request: Request<v1::ListIncidentsRequest>,
    ) -> Answered<v1::ListIncidentsResponse> {
        session(&request)?;
        let message = request.into_inner();
        self.asked.lock().unwrap().push(message.clone());
        let machines = message.filter.unwrap_or_default().machine_ids;
        if machines.iter().any(|machine| machine == "none") {
            return Err(Status::not_found("there is no such machine"));
        }
        let (mut incidents, next_page_token) = match message.page_token.as_str() {
            "" => (vec![emergency_stop()], NEXT_PAGE.to_owned()),
            NEXT_PAGE => (vec![fault()], String::new()),
            _ => {
                let details = ErrorDetails::with_bad_request_violation("page_token", "is not ours");
                return Err(Status::with_error_details(Code::InvalidArgument, "page_token", details));
            }
        };
        let more = (0..self.more).map(|n| v1::Incident { id: format!("{n:032x}"), ..emergency_stop() });
        incidents.extend(more);
        Ok(Response::new(v1::ListIncidentsResponse { incidents, next_page_token, as_of: at(2) }))
    }

    async fn list_site_incidents(
        &self,
        request: Request<v1::ListSiteIncidentsRequest>,
    ) -> Answered<v1::ListSiteIncidentsResponse> {
        session(&request)?;
        let count = |severity: v1::Severity, count, open| v1::SeverityCount {
            severity: severity.into(),
            count,
            open,
        };
        let north = v1::SiteIncidents {
            site_id: "north".to_owned(),
            counts: vec![count(v1::Severity::Critical, 2, 1), count(v1::Severity::Low, 3, 0)],
            oldest_open: Some(emergency_stop()),
            proofs_overdue: 4,
        };
        Ok(Response::new(v1::ListSiteIncidentsResponse { sites: vec![north] }))
    }

    async fn count_incidents(
        &self,
        request: Request<v1::CountIncidentsRequest>,
    ) -> Answered<v1::CountIncidentsResponse> {
        session(&request)?;
        let count = |severity: v1::Severity, state: v1::IncidentState, count| v1::IncidentCount {
            rule: "emergency-stop".to_owned(),
            severity: severity.into(),
            state: state.into(),
            count,
        };
        let counts = vec![
            count(v1::Severity::Low, v1::IncidentState::Cleared, 7),
            count(v1::Severity::Critical, v1::IncidentState::Cleared, 3),
            count(v1::Severity::Critical, v1::IncidentState::Active, 1),
        ];
        Ok(Response::new(v1::CountIncidentsResponse { counts, as_of: at(2) }))
    }

    async fn get_incident(
        &self,
        request: Request<v1::GetIncidentRequest>,
    ) -> Answered<v1::GetIncidentResponse> {
        let is_told = is_told(&session(&request)?);
        let (closed, open) = (v1::ContactState::Closed, v1::ContactState::Open);
        let [stop, mut drive] = [emergency_stop(), fault()];
        if let Some(handling) = drive.handling.as_mut().filter(|_| !is_told) {
            handling.set_hurt(v1::Hurt::Unspecified);
        }
        let [stop_rule, drive_rule] = [&rules()[0], &rules()[1]].map(Clone::clone);
        let answer = match request.into_inner().incident_id.as_str() {
            EMERGENCY_STOP => v1::GetIncidentResponse {
                incident: Some(stop),
                rule: Some(stop_rule),
                recording: vec![belt(0, 1.0, open), belt(100, 0.5, open), belt(200, 0.0, closed)],
                recording_complete: true,
                ..v1::GetIncidentResponse::default()
            },
            FAULT => v1::GetIncidentResponse {
                incident: Some(drive),
                rule: Some(drive_rule),
                readings: vec![reading(-61), reading(-50)],
                ..v1::GetIncidentResponse::default()
            },
            "odd" => return Err(Status::invalid_argument("incident_id is no id")),
            _ => return Err(Status::not_found("there is no such incident")),
        };
        Ok(Response::new(answer))
    }

    async fn watch_incidents(
        &self,
        _request: Request<v1::WatchIncidentsRequest>,
    ) -> Answered<Self::WatchIncidentsStream> {
        Err(Status::unimplemented("no page asks this"))
    }

    async fn list_rules(&self, request: Request<v1::ListRulesRequest>) -> Answered<v1::ListRulesResponse> {
        session(&request)?;
        Ok(Response::new(v1::ListRulesResponse { rules: rules() }))
    }

    async fn list_blind_spots(
        &self,
        request: Request<v1::ListBlindSpotsRequest>,
    ) -> Answered<v1::ListBlindSpotsResponse> {
        session(&request)?;
        let rule = |rule: &str, sight: v1::Sight| v1::RuleSight {
            rule: rule.to_owned(),
            sight: sight.into(),
            ..v1::RuleSight::default()
        };
        let gain = v1::SightGain { capability: "direction".to_owned(), rules: Vec::new() };
        let sight = |machine: &str, rules| v1::MachineSight {
            machine_id: machine.to_owned(),
            rules,
            gains: vec![gain.clone()],
            ..v1::MachineSight::default()
        };
        let (blind, seen) = (v1::Sight::Blind, v1::Sight::Seen);
        let machines = vec![
            sight("n-1", vec![rule("emergency-stop", seen), rule("reverse-overspeed", seen)]),
            sight("n-2", vec![rule("emergency-stop", seen), rule("reverse-overspeed", blind)]),
            sight("elsewhere", vec![rule("emergency-stop", blind)]),
        ];
        Ok(Response::new(v1::ListBlindSpotsResponse { machines }))
    }

    async fn get_incident_rates(
        &self,
        _request: Request<v1::GetIncidentRatesRequest>,
    ) -> Answered<v1::GetIncidentRatesResponse> {
        Err(Status::unimplemented("no page asks this"))
    }

    async fn rehearse_thresholds(
        &self,
        _request: Request<v1::RehearseThresholdsRequest>,
    ) -> Answered<Self::RehearseThresholdsStream> {
        Err(Status::unimplemented("no page asks this"))
    }

    async fn rebuild_incidents(
        &self,
        _request: Request<v1::RebuildIncidentsRequest>,
    ) -> Answered<Self::RebuildIncidentsStream> {
        Err(Status::unimplemented("no page asks this"))
    }
}
