//! The part of the fake API that knows readings, and machines that nobody looked after.

use std::sync::{Arc, Mutex};

use tonic::{Request, Response, Status};
use wire::api::v1;
use wire::api::v1::telemetry_service_server::TelemetryService;

use super::{SCRIPT, machine, session, stopped};

/// Readings cannot be had, unless some were given.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Readings {
    /// How sure clocks are, in milliseconds. None: nothing can be had.
    uncertain_ms: Option<i32>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Readings {
    /// With times that may be off by so many milliseconds.
    pub(in super::super) fn off_by(milliseconds: i32) -> Readings {
        Readings { uncertain_ms: Some(milliseconds), ..Readings::default() }
    }

    /// Machines whose readings were asked for.
    pub(in super::super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

type Answered<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl TelemetryService for Readings {
    async fn list_readings(
        &self,
        request: Request<v1::ListReadingsRequest>,
    ) -> Answered<v1::ListReadingsResponse> {
        session(&request)?;
        self.asked.lock().unwrap().push(request.into_inner().machine_id);
        let Some(ms) = self.uncertain_ms else { return Err(Status::unimplemented("there are none")) };
        let width = prost_types::Duration { seconds: i64::from(ms / 1_000), nanos: ms % 1_000 * 1_000_000 };
        let reading = v1::Reading { time_uncertainty: Some(width), ..v1::Reading::default() };
        Ok(Response::new(v1::ListReadingsResponse { readings: vec![reading], ..Default::default() }))
    }

    async fn list_events(
        &self,
        _request: Request<v1::ListEventsRequest>,
    ) -> Answered<v1::ListEventsResponse> {
        Err(Status::unimplemented("there are none"))
    }

    async fn list_sessions(
        &self,
        _request: Request<v1::ListSessionsRequest>,
    ) -> Answered<v1::ListSessionsResponse> {
        Err(Status::unimplemented("there are none"))
    }

    async fn get_session(
        &self,
        _request: Request<v1::GetSessionRequest>,
    ) -> Answered<v1::GetSessionResponse> {
        Err(Status::unimplemented("there are none"))
    }
}

fn at(seconds: i64) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds, nanos: 0 })
}

/// One of each kind of neglect, and eight that were never heard.
pub(in super::super) fn neglected() -> Vec<v1::MachineState> {
    let base = |id: &str| v1::MachineState {
        agent_version: "0.7.0".to_owned(),
        last_heard_time: at(1_790_000_000),
        ..machine(id, &format!("Machine {id}"))
    };
    let change = |state: v1::MachineState, change: fn(&mut v1::Machine)| {
        let mut machine = state.machine.clone().unwrap_or_default();
        change(&mut machine);
        v1::MachineState { machine: Some(machine), ..state }
    };
    let good = |machine: &mut v1::Machine| {
        machine.commission_time = at(1_700_000_000);
        machine.direction_proven = true;
    };
    let mut all = vec![
        change(base("n-1"), good),
        v1::MachineState { agent_version: "0.6.9".to_owned(), ..stopped() },
        v1::MachineState {
            presence: v1::Presence::Offline.into(),
            last_heard_time: at(1_700_000_000),
            ..change(base("n-3"), good)
        },
        v1::MachineState {
            presence: v1::Presence::Offline.into(),
            last_heard_time: at(1_600_000_000),
            ..change(base("n-4"), good)
        },
        v1::MachineState {
            backlog: Some(prost_types::Duration { seconds: 7_200, nanos: 0 }),
            records_lost: 17,
            capabilities: vec!["direction".to_owned(), "speed".to_owned()],
            ..change(base("n-5"), |machine| machine.commission_time = at(1_700_000_000))
        },
        change(base("n-6"), |machine| {
            machine.commission_time = at(1_700_000_000);
            machine.out_of_service_reason = format!("belt torn {SCRIPT}");
            machine.out_of_service_time = at(1_790_000_000);
        }),
    ];
    for number in 10..18 {
        let never = v1::MachineState {
            presence: v1::Presence::NeverSeen.into(),
            last_heard_time: None,
            agent_version: String::new(),
            ..change(base(&format!("n-{number}")), good)
        };
        all.push(never);
    }
    all
}
