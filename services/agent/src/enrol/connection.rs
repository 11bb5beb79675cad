//! One connection to a server, and calls on it: HTTP/2, with TLS but on this very computer.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::limits::ENROLMENT_ANSWER_BYTES_MAX;
use h2::RecvStream;
use h2::client::SendRequest;
use http::{HeaderMap, Request, StatusCode, header};
use rustls::CertificateError;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wire::enrolment::{Fingerprint, SERVER_NAME};

use super::grpc::{self, Status};
use super::verifier;
use super::{Address, EnrolError, Failed, Refusal};

/// How long a connection, a handshake and an answer may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// Codes of gRPC after which the same may be asked again: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, UNAVAILABLE.
const PASSING: [u32; 4] = [4, 8, 10, 14];
const UNIMPLEMENTED: u32 = 12;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    requests: SendRequest<Bytes>,
    /// What keeps it going.
    driver: JoinHandle<()>,
    address: Address,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Connects to a server that can prove that it is the one of this authority.
    pub(super) async fn open(
        address: &Address,
        authority: Option<Fingerprint>,
    ) -> Result<Connection, EnrolError> {
        let unreachable = |reason: String| EnrolError::Unreachable { address: address.to_string(), reason };
        let stream = match timeout(CONNECT_TIME, TcpStream::connect(address.place())).await {
            Ok(connected) => connected.map_err(|error| unreachable(error.to_string()))?,
            Err(_) => return Err(unreachable("no connection within 10 s".to_owned())),
        };
        let is_here = stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        match (address.is_secure(), authority) {
            (true, Some(authority)) => {
                let stream = secured(stream, address, authority).await?;
                Connection::over(stream, address).await
            }
            // Nobody else can listen: it does not leave this computer.
            (false, _) if is_here => Connection::over(stream, address).await,
            (true, None) | (false, _) => {
                Err(EnrolError::Mismatch("nothing could prove that this is the right server".to_owned()))
            }
        }
    }

    async fn over(
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        address: &Address,
    ) -> Result<Connection, EnrolError> {
        let no_service = |reason: String| EnrolError::NoService { address: address.to_string(), reason };
        let (requests, connection) = match timeout(CONNECT_TIME, h2::client::handshake(stream)).await {
            Ok(begun) => begun.map_err(|error| no_service(error.to_string()))?,
            Err(_) => return Err(no_service("it says nothing".to_owned())),
        };
        let driver = tokio::spawn(async move {
            // What went wrong is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Connection { requests, driver, address: address.clone() })
    }

    /// Asks one question and gives the message that answers it.
    pub(super) async fn call(&mut self, path: &str, message: Bytes) -> Result<Bytes, Failed> {
        match timeout(ANSWER_TIME, self.exchange(path, message)).await {
            Ok(answered) => answered,
            Err(_) => Err(Failed::Again("no answer within 20 s".to_owned())),
        }
    }

    async fn exchange(&mut self, path: &str, message: Bytes) -> Result<Bytes, Failed> {
        let lost = |error: h2::Error| Failed::Again(format!("the connection broke: {error}"));
        let mut requests = self.requests.clone().ready().await.map_err(lost)?;
        let request = Request::post(format!("{}{path}", self.address))
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::TE, "trailers")
            .header(header::USER_AGENT, concat!("beltwatch-agent/", env!("CARGO_PKG_VERSION")))
            .body(())
            .expect("an address was read as one, and paths are ours");
        let (answer, mut body) = requests.send_request(request, false).map_err(lost)?;
        body.send_data(grpc::frame(&message), true).map_err(lost)?;
        let (head, stream) = answer.await.map_err(lost)?.into_parts();
        let content = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if head.status != StatusCode::OK
            || !content.is_some_and(|content| content.starts_with("application/grpc"))
        {
            return Err(self.no_service(format!("HTTP {}", head.status.as_u16())));
        }
        let (received, trailers) = received(stream).await?;
        let status = trailers.as_ref().and_then(grpc::status).or_else(|| grpc::status(&head.headers));
        match status {
            Some(Status { code: 0, .. }) => {
                grpc::unframe(&received).map_err(|reason| Failed::Ended(EnrolError::Unreadable(reason)))
            }
            Some(status) => Err(self.refused(status)),
            None => Err(Failed::Again("the answer broke off".to_owned())),
        }
    }

    fn refused(&self, status: Status) -> Failed {
        let Status { code, message, reason } = status;
        if PASSING.contains(&code) {
            return Failed::Again(message);
        }
        if code == UNIMPLEMENTED {
            return self.no_service(message);
        }
        Failed::Ended(EnrolError::Refused { refusal: Refusal::named(&reason), message })
    }

    fn no_service(&self, reason: String) -> Failed {
        Failed::Ended(EnrolError::NoService { address: self.address.to_string(), reason })
    }
}

/// All of an answer, and its trailers.
async fn received(mut stream: RecvStream) -> Result<(Bytes, Option<HeaderMap>), Failed> {
    let lost = |error: h2::Error| Failed::Again(format!("the answer broke off: {error}"));
    let mut received = BytesMut::new();
    while let Some(part) = stream.data().await {
        let part = part.map_err(lost)?;
        if received.len() + part.len() > ENROLMENT_ANSWER_BYTES_MAX {
            let reason = format!("it is longer than {ENROLMENT_ANSWER_BYTES_MAX} octets");
            return Err(Failed::Ended(EnrolError::Unreadable(reason)));
        }
        received.extend_from_slice(&part);
        stream.flow_control().release_capacity(part.len()).map_err(lost)?;
    }
    let trailers = stream.trailers().await.map_err(lost)?;
    Ok((received.freeze(), trailers))
}

/// TLS with a server that has a certificate of this authority for the name that agents ask for.
async fn secured(
    stream: TcpStream,
    address: &Address,
    authority: Fingerprint,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static, EnrolError> {
    let name = ServerName::try_from(SERVER_NAME).expect("it is the name of a server");
    let connector = TlsConnector::from(verifier::client(authority));
    match timeout(CONNECT_TIME, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(no_tls(address, &error)),
        Err(_) => {
            let (address, reason) = (address.to_string(), "it says nothing".to_owned());
            Err(EnrolError::Tls { address, reason })
        }
    }
}

/// Why no TLS came about, as far as a technician can do something about it.
fn no_tls(address: &Address, error: &io::Error) -> EnrolError {
    let address = address.to_string();
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => EnrolError::OtherServer { address },
        Some(rustls::Error::InvalidMessage(_)) => {
            EnrolError::Tls { address, reason: "it speaks no TLS on this port".to_owned() }
        }
        Some(rustls::Error::NoApplicationProtocol) => {
            EnrolError::NoService { address, reason: "it speaks no HTTP/2".to_owned() }
        }
        _ => EnrolError::Tls { address, reason: error.to_string() },
    }
}
