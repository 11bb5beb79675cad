//! The part of the fake API that knows proof tests. It keeps nothing but what it was asked.

use std::sync::{Arc, Mutex};

use tonic::{Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};
use wire::api::v1;
use wire::api::v1::drill_service_server::DrillService;

use super::{SCRIPT, session};

/// When the tests were begun, in seconds since 1970: 2027-01-15 08:00 UTC.
const BEGIN_S: i64 = 1_800_000_000;
/// The number of the test that there is.
pub(in super::super) const NUMBER: u64 = 42;

/// Which proof test there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) enum Test {
    #[default]
    None,
    /// It takes effect far ahead.
    Waits,
    /// It has taken effect, with one stop measured.
    Runs,
    /// It is over.
    Ended,
}

#[derive(Debug, Clone, Default)]
pub(in super::super) struct Drills {
    test: Test,
    /// Starting one fails, as somebody else was first.
    is_second: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Drills {
    pub(in super::super) fn with(test: Test) -> Drills {
        Drills { test, ..Drills::default() }
    }

    pub(in super::super) fn second(self) -> Drills {
        Drills { is_second: true, ..self }
    }

    /// The changes that were asked for, as debug text.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn note<T: std::fmt::Debug>(&self, request: Request<T>) -> Result<T, Status> {
        session(&request)?;
        let message = request.into_inner();
        self.asked.lock().unwrap().push(format!("{message:?}"));
        Ok(message)
    }

    fn drill(&self) -> v1::Drill {
        // Far behind or ahead of the clock of whoever runs the tests.
        let begin = if self.test == Test::Waits { 4_000_000_000 } else { 1_000_000_000 };
        let is_open = self.test != Test::Ended;
        let end = if is_open { 4_000_000_600 } else { BEGIN_S + 300 };
        v1::Drill {
            number: NUMBER,
            machine_id: "n-1".to_owned(),
            author: "user:anna".to_owned(),
            effective_time: at(if is_open { begin } else { BEGIN_S }),
            end_time: at(end),
            is_open,
            note: if is_open { String::new() } else { format!("Belt squeals {SCRIPT}") },
            stops: if self.test == Test::Waits { Vec::new() } else { stops() },
            suppressed: if self.test == Test::Waits { Vec::new() } else { vec![slow()] },
        }
    }
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

fn span(ms: i32) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds: i64::from(ms / 1_000), nanos: ms % 1_000 * 1_000_000 })
}

/// A stop that passed and, a minute later, one that did not.
fn stops() -> Vec<v1::Stop> {
    let stop = |after: i64, ms: i32, passed| v1::Stop {
        time: at(BEGIN_S + after),
        incident_id: "0123456789abcdef0123456789abcdef".to_owned(),
        contact: "emergency_stop".to_owned(),
        speed_mps: Some(0.85),
        direction: v1::Direction::Forward.into(),
        stop_time: span(ms),
        distance_m: Some(0.42),
        limit: span(1_500),
        passed,
        drill: NUMBER,
    };
    vec![stop(60, 950, true), stop(120, 1_930, false)]
}

fn slow() -> v1::Incident {
    v1::Incident {
        rule: "slow-emergency-stop".to_owned(),
        title: SCRIPT.to_owned(),
        drill: NUMBER,
        ..v1::Incident::default()
    }
}

fn proof(machine: &str, contact: &str, state: v1::ProofState) -> v1::Proof {
    let is_known = [v1::ProofState::Proven, v1::ProofState::Overdue].contains(&state);
    v1::Proof {
        machine_id: machine.to_owned(),
        contact: contact.to_owned(),
        state: state.into(),
        last_time: at(BEGIN_S).filter(|_| is_known),
        due_time: at(BEGIN_S + 90 * 86_400).filter(|_| is_known),
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl DrillService for Drills {
    async fn start_drill(&self, request: Request<v1::StartDrillRequest>) -> Answered<v1::StartDrillResponse> {
        self.note(request)?;
        if self.is_second {
            return Err(Status::failed_precondition("a proof test is under way"));
        }
        Ok(Response::new(v1::StartDrillResponse { drill: Some(self.drill()) }))
    }

    async fn end_drill(&self, request: Request<v1::EndDrillRequest>) -> Answered<v1::EndDrillResponse> {
        if self.note(request)?.note.contains('\t') {
            let details = ErrorDetails::with_bad_request_violation("note", "holds a control character");
            return Err(Status::with_error_details(tonic::Code::InvalidArgument, "note", details));
        }
        Ok(Response::new(v1::EndDrillResponse { drill: Some(self.drill()) }))
    }

    async fn get_drill(&self, request: Request<v1::GetDrillRequest>) -> Answered<v1::GetDrillResponse> {
        session(&request)?;
        let message = request.into_inner();
        let is_it = message.machine_id == "n-1" && [0, NUMBER].contains(&message.number);
        if self.test == Test::None || !is_it {
            return Err(Status::not_found("there is no such proof test"));
        }
        Ok(Response::new(v1::GetDrillResponse { drill: Some(self.drill()) }))
    }

    async fn list_drills(&self, request: Request<v1::ListDrillsRequest>) -> Answered<v1::ListDrillsResponse> {
        session(&request)?;
        let drills = if self.test == Test::None { Vec::new() } else { vec![self.drill()] };
        Ok(Response::new(v1::ListDrillsResponse { drills }))
    }

    async fn list_proofs(&self, request: Request<v1::ListProofsRequest>) -> Answered<v1::ListProofsResponse> {
        session(&request)?;
        let message = request.into_inner();
        let mut proofs = vec![
            proof("n-2", "emergency_stop", v1::ProofState::Overdue),
            proof("n-1", "emergency_stop", v1::ProofState::Proven),
            proof("n-1", "safety_key", v1::ProofState::Blind),
        ];
        proofs.retain(|proof| message.machine_id.is_empty() || proof.machine_id == message.machine_id);
        if message.site_id == "south" {
            proofs.clear();
        }
        Ok(Response::new(v1::ListProofsResponse { proofs }))
    }

    async fn list_stops(&self, request: Request<v1::ListStopsRequest>) -> Answered<v1::ListStopsResponse> {
        session(&request)?;
        if self.test == Test::None {
            return Ok(Response::new(v1::ListStopsResponse::default()));
        }
        let trend = v1::StopTrend {
            contact: "emergency_stop".to_owned(),
            stops: 7,
            deceleration_percent_per_30_days: -4.0,
            deceleration_mps2: 0.9,
        };
        let stops = stops().into_iter().rev().collect();
        Ok(Response::new(v1::ListStopsResponse { stops, has_more: false, trends: vec![trend] }))
    }
}
