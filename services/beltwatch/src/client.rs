//! The operator's way to a server: connection, identity, and its errors in plain words.

use std::time::Duration;

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;

use crate::failure::{Exit, Failure};
use crate::table::Format;

const CONNECT_TIME: Duration = Duration::from_secs(5);
const KEEP_ALIVE_PERIOD: Duration = Duration::from_secs(15);

/// How to reach a server, and how to print its answers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Talking to a server")]
pub struct Options {
    /// Address of the server
    #[arg(
        long,
        global = true,
        env = "BELTWATCH_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080"
    )]
    pub server: String,
    /// Token to show to the server; better given by the environment, where other users cannot see it
    #[arg(long, global = true, env = "BELTWATCH_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print JSON
    #[arg(long, global = true, conflicts_with = "csv")]
    pub json: bool,
    /// Print CSV
    #[arg(long, global = true)]
    pub csv: bool,
}

impl Options {
    /// The form in which to print.
    pub fn format(&self) -> Format {
        match (self.json, self.csv) {
            (true, _) => Format::Json,
            (false, true) => Format::Csv,
            (false, false) => Format::Table,
        }
    }
}

type Service = InterceptedService<Channel, Identity>;

/// A connected client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Sites, machines, live state.
    pub fleet: FleetServiceClient<Service>,
    /// Readings, events, sessions.
    pub telemetry: TelemetryServiceClient<Service>,
    /// The registry.
    pub admin: AdminServiceClient<Service>,
}

/// Adds to each request who is calling.
#[derive(Debug, Clone)]
pub struct Identity {
    authorization: Option<MetadataValue<Ascii>>,
    user: Option<MetadataValue<Ascii>>,
}

impl Interceptor for Identity {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        if let Some(user) = &self.user {
            request.metadata_mut().insert("x-beltwatch-user", user.clone());
        }
        Ok(request)
    }
}

impl Identity {
    fn new(options: &Options) -> Result<Identity, Failure> {
        let authorization = match &options.token {
            Some(token) => {
                let value = format!("Bearer {}", token.trim()).parse();
                let mut value: MetadataValue<Ascii> = value
                    .map_err(|_| Failure::new(Exit::Usage, "--token has characters that no token has"))?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        Ok(Identity { authorization, user: user_name() })
    }
}

/// The name of whoever runs the program, if it is one that the server takes.
fn user_name() -> Option<MetadataValue<Ascii>> {
    let name = std::env::var("USER").ok().filter(|name| !name.is_empty() && name.len() <= 64)?;
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    name.bytes().all(allowed).then(|| name.parse().ok()).flatten()
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// The address is none, or no server answers there.
    pub async fn connect(options: &Options) -> Result<Client, Failure> {
        let server = &options.server;
        let identity = Identity::new(options)?;
        let usage = |reason: &str| {
            Failure::new(
                Exit::Usage,
                format!("--server is \"{server}\": {reason}, such as http://127.0.0.1:8080"),
            )
        };
        if !server.starts_with("http://") {
            return Err(usage("it must be an http:// address"));
        }
        let endpoint = Endpoint::from_shared(server.clone()).map_err(|_| usage("it must be an address"))?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIME)
            .http2_keep_alive_interval(KEEP_ALIVE_PERIOD)
            .user_agent(concat!("beltwatch/", env!("CARGO_PKG_VERSION")))
            .map_err(|error| Failure::new(Exit::Software, error.to_string()))?;
        let channel = endpoint.connect().await.map_err(|error| unreachable_server(server, &error))?;
        Ok(Client {
            fleet: FleetServiceClient::with_interceptor(channel.clone(), identity.clone()),
            telemetry: TelemetryServiceClient::with_interceptor(channel.clone(), identity.clone()),
            admin: AdminServiceClient::with_interceptor(channel, identity),
        })
    }
}

fn unreachable_server(server: &str, error: &dyn std::error::Error) -> Failure {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let help = "start one with `beltwatch serve`, or name another with --server";
    Failure::new(Exit::Unavailable, format!("no server answers at {server} ({cause}); {help}"))
}

/// A server's refusal in plain words.
impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        let exit = match status.code() {
            Code::InvalidArgument | Code::OutOfRange => Exit::Usage,
            Code::NotFound => Exit::NotFound,
            Code::AlreadyExists => Exit::CannotCreate,
            Code::Unauthenticated | Code::PermissionDenied => Exit::NotPermitted,
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled => Exit::Unavailable,
            Code::Ok
            | Code::Unknown
            | Code::FailedPrecondition
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss => Exit::Software,
        };
        let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        let fields: Vec<String> =
            violations.iter().map(|one| format!("{} {}", one.field, one.description)).collect();
        let message = match (fields.is_empty(), status.message()) {
            (false, _) => fields.join("; "),
            (true, "") => format!("the server answered {:?} without a reason", status.code()),
            (true, message) => message.to_owned(),
        };
        Failure::new(exit, message)
    }
}
