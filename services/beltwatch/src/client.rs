//! The operator's way to a server: connection, identity, and its errors in plain words.

use std::error::Error;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::course_service_client::CourseServiceClient;
use wire::api::v1::drill_service_client::DrillServiceClient;
use wire::api::v1::enrolment_service_client::EnrolmentServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::handling_service_client::HandlingServiceClient;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::notification_service_client::NotificationServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;
use wire::api::v1::usage_service_client::UsageServiceClient;

use crate::failure::{Exit, Failure};
use crate::operator;
use crate::table::Format;

const CONNECT_TIME: Duration = Duration::from_secs(5);
const KEEP_ALIVE_PERIOD: Duration = Duration::from_secs(15);
/// Octets of one answer of the service that gives dossiers: a dossier, and what is said of it.
const DOSSIER_MESSAGE_OCTETS_MAX: usize = domain::limits::DOSSIER_BYTES_MAX + 64 * 1024;

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
    /// File with the operator's secret, for a server on this computer; without it, and without a token, the file that
    /// the server keeps for its own user is read
    #[arg(long, global = true, env = "BELTWATCH_OPERATOR", value_name = "FILE")]
    pub operator: Option<PathBuf>,
    /// Certificate of the authority that signed the server's, PEM; without it the system's authorities are believed
    #[arg(long, global = true, env = "BELTWATCH_AUTHORITY", value_name = "FILE")]
    pub authority: Option<PathBuf>,
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

/// A connection on which each request says who is calling.
pub type Service = InterceptedService<Channel, Identity>;

/// A connected client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Sites, machines, live state.
    pub fleet: FleetServiceClient<Service>,
    /// Readings, events, sessions.
    pub telemetry: TelemetryServiceClient<Service>,
    /// What belts did, added up.
    pub usage: UsageServiceClient<Service>,
    /// Sessions of people under codes.
    pub courses: CourseServiceClient<Service>,
    /// Incidents and their rules.
    pub incidents: IncidentServiceClient<Service>,
    /// What people do about incidents, and the proof of it.
    pub handling: HandlingServiceClient<Service>,
    /// Proof tests of stops.
    pub drills: DrillServiceClient<Service>,
    /// Who is told of incidents.
    pub notifications: NotificationServiceClient<Service>,
    /// The registry.
    pub admin: AdminServiceClient<Service>,
    /// How agents get credentials.
    pub enrolment: EnrolmentServiceClient<Service>,
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
    /// Whoever holds this secret: a token, a session, or the operator's.
    ///
    /// # Errors
    /// It has characters that no secret has.
    pub fn bearer(secret: &str, user: Option<&str>) -> anyhow::Result<Identity> {
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {secret}").parse()?;
        authorization.set_sensitive(true);
        let user = user.map(|user| user.parse()).transpose()?;
        Ok(Identity { authorization: Some(authorization), user })
    }

    fn new(options: &Options) -> Result<Identity, Failure> {
        let secret = options.token.clone().or_else(|| operator_secret(options));
        let Some(secret) = secret else { return Ok(Identity { authorization: None, user: None }) };
        let user = user_name();
        Identity::bearer(secret.trim(), user.as_deref())
            .map_err(|_| Failure::new(Exit::Usage, "--token has characters that no token has"))
    }
}

/// The operator's secret, if the server is on this computer and runs as the same user.
fn operator_secret(options: &Options) -> Option<String> {
    if let Some(file) = &options.operator {
        return operator::read(file);
    }
    let server: Uri = options.server.parse().ok()?;
    let host = server.host()?.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if !is_here {
        return None;
    }
    operator::read(&operator::usual_file(server.port_u16()?))
}

/// The name of whoever runs the program, if it is one that the server takes.
fn user_name() -> Option<String> {
    let name = std::env::var("USER").ok().filter(|name| !name.is_empty() && name.len() <= 64)?;
    let allowed = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-');
    name.bytes().all(allowed).then_some(name)
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// The address is none, or no server answers there.
    pub async fn connect(options: &Options) -> Result<Client, Failure> {
        let identity = Identity::new(options)?;
        let channel = channel(options).await?;
        Ok(Client {
            fleet: FleetServiceClient::with_interceptor(channel.clone(), identity.clone()),
            telemetry: TelemetryServiceClient::with_interceptor(channel.clone(), identity.clone()),
            usage: UsageServiceClient::with_interceptor(channel.clone(), identity.clone()),
            courses: CourseServiceClient::with_interceptor(channel.clone(), identity.clone()),
            incidents: IncidentServiceClient::with_interceptor(channel.clone(), identity.clone()),
            handling: HandlingServiceClient::with_interceptor(channel.clone(), identity.clone())
                .max_decoding_message_size(DOSSIER_MESSAGE_OCTETS_MAX),
            drills: DrillServiceClient::with_interceptor(channel.clone(), identity.clone()),
            notifications: NotificationServiceClient::with_interceptor(channel.clone(), identity.clone()),
            admin: AdminServiceClient::with_interceptor(channel.clone(), identity.clone()),
            enrolment: EnrolmentServiceClient::with_interceptor(channel, identity),
        })
    }
}

/// A connection on which nobody says who is calling.
///
/// # Errors
/// The address is none, or no server answers there.
pub(crate) async fn channel(options: &Options) -> Result<Channel, Failure> {
    let server = &options.server;
    let usage = |reason: &str| {
        Failure::new(
            Exit::Usage,
            format!("--server is \"{server}\": {reason}, such as http://127.0.0.1:8080"),
        )
    };
    let has_tls = server.starts_with("https://");
    if !has_tls && !server.starts_with("http://") {
        return Err(usage("it must be an http:// or https:// address"));
    }
    let endpoint = Endpoint::from_shared(server.clone()).map_err(|_| usage("it must be an address"))?;
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIME)
        .http2_keep_alive_interval(KEEP_ALIVE_PERIOD)
        .user_agent(concat!("beltwatch/", env!("CARGO_PKG_VERSION")))
        .map_err(|error| Failure::new(Exit::Software, error.to_string()))?;
    let endpoint = match has_tls {
        true => endpoint
            .tls_config(trust(options)?)
            .map_err(|error| Failure::new(Exit::Usage, deepest(&error)))?,
        false => endpoint,
    };
    endpoint.connect().await.map_err(|error| unreachable_server(server, &error))
}

/// Whom to believe that the server is the server. The system's authorities, not a list in this program: what a gym's
/// own computers trust, and no list that grows old.
fn trust(options: &Options) -> Result<ClientTlsConfig, Failure> {
    // An IPv6 address stands in brackets in a URL, and without in a certificate.
    let server: Option<Uri> = options.server.parse().ok();
    let host = server.as_ref().and_then(Uri::host).unwrap_or_default();
    let tls = ClientTlsConfig::new().domain_name(host.trim_start_matches('[').trim_end_matches(']'));
    let Some(file) = &options.authority else { return Ok(tls.with_native_roots()) };
    let pem = std::fs::read(file).map_err(|error| {
        Failure::new(Exit::Usage, format!("--authority: cannot read {}: {error}", file.display()))
    })?;
    if CertificateDer::from_pem_slice(&pem).is_err() {
        let reason = format!("--authority: {} holds no certificate in PEM", file.display());
        return Err(Failure::new(Exit::Usage, reason));
    }
    Ok(tls.ca_certificate(Certificate::from_pem(pem)))
}

fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| deeper(*error))
}

fn deeper<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    // An I/O error shows the inner one's words but hides it as a source.
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Why a server's certificate is not believed, and what helps.
fn distrust(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let tls = chain(error).find_map(|error| error.downcast_ref::<rustls::Error>())?;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's errors, of which these are common")]
    match tls {
        rustls::Error::InvalidCertificate(certificate) => Some(match certificate {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is of an authority that is not known here; name the server's authority.pem with \
                 --authority"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for other names; add this one to tls.names of the server, or use one that it has"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired; renew it, and check this computer's clock"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not good yet; check the clocks of both computers"
            }
            _ => "its certificate cannot be believed",
        }),
        rustls::Error::InvalidMessage(_) => Some("it speaks no TLS on this port; use http://"),
        _ => None,
    }
}

fn unreachable_server(server: &str, error: &(dyn Error + 'static)) -> Failure {
    let cause = deepest(error);
    if let Some(reason) = distrust(error) {
        return Failure::new(Exit::Unavailable, format!("no connection to {server}: {reason} ({cause})"));
    }
    let help = "start one with `beltwatch serve`, or name another with --server";
    Failure::new(Exit::Unavailable, format!("no server answers at {server} ({cause}); {help}"))
}

/// A server's refusal in plain words.
impl From<Status> for Failure {
    fn from(status: Status) -> Failure {
        let exit = match status.code() {
            Code::InvalidArgument | Code::OutOfRange => Exit::Usage,
            // Rightly asked, but not as things are: what is in the way is told.
            Code::FailedPrecondition => Exit::Data,
            Code::NotFound => Exit::NotFound,
            Code::AlreadyExists => Exit::CannotCreate,
            Code::Unauthenticated | Code::PermissionDenied => Exit::NotPermitted,
            Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Aborted
            | Code::Cancelled => Exit::Unavailable,
            Code::Ok | Code::Unknown | Code::Unimplemented | Code::Internal | Code::DataLoss => {
                Exit::Software
            }
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
