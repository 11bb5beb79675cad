//! The broker's TLS port. The library can neither change a certificate nor do without another library's cryptography,
//! so TLS ends here, and what is inside goes on to the library's own port on loopback.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::ids::MachineId;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::CLIENT_WAIT;
use super::refusals::{Reason, Refusals};
use crate::tls::subject;

/// Octets of one connection and direction on their way.
const BUFFER_BYTES: usize = 4 * 1024;
/// Pause after a failed accept, which mostly means that files have run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Whose certificate was shown on which connection, by the address from which the library sees it coming.
#[derive(Debug, Default)]
pub(crate) struct Shown(Mutex<HashMap<SocketAddr, MachineId>>);

impl Shown {
    /// Whose certificate was shown; `None`: this connection did not come by the TLS port.
    pub(crate) fn by(&self, address: SocketAddr) -> Option<MachineId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&address).cloned()
    }

    fn put(&self, address: SocketAddr, machine: MachineId) -> Noted<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(address, machine);
        Noted { shown: self, address }
    }
}

/// A note of a connection, taken back when the connection ends.
struct Noted<'a> {
    shown: &'a Shown,
    address: SocketAddr,
}

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.shown.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.address);
    }
}

/// What each connection needs.
pub(crate) struct Front {
    pub(crate) tls: Arc<ServerConfig>,
    /// The library's own port.
    pub(crate) inside: SocketAddr,
    pub(crate) shown: Arc<Shown>,
    pub(crate) refusals: Arc<Refusals>,
}

impl Front {
    /// Accepts for ever; each connection is a task of its own. More than `connections_max`: closed at once.
    pub(crate) async fn run(self, listener: TcpListener, connections_max: usize) {
        let front = Arc::new(self);
        let places = Arc::new(Semaphore::new(connections_max));
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "the broker could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let front = front.clone();
            tokio::spawn(async move {
                let _place = place;
                Box::pin(front.serve(stream, peer)).await;
            });
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        let peer = peer.to_string();
        let refuse = |reason, what: &str| self.refusals.refuse(reason, &peer, what);
        if let Err(error) = stream.set_nodelay(true) {
            return refuse(Reason::Tls, &error.to_string());
        }
        let accepted = timeout(CLIENT_WAIT, TlsAcceptor::from(self.tls.clone()).accept(stream)).await;
        let outside = match accepted {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return refuse(Reason::Tls, &error.to_string()),
            Err(_) => return refuse(Reason::Tls, "no handshake in time"),
        };
        let Some(machine) = machine(&outside) else {
            return refuse(Reason::Certificate, "a certificate that names no machine");
        };
        if let Err(error) = self.pass(outside, machine).await {
            tracing::debug!(%peer, %error, "a connection to the broker has ended");
        }
    }

    /// Carries octets in both directions until either side ends.
    async fn pass(&self, outside: TlsStream<TcpStream>, machine: MachineId) -> io::Result<()> {
        let (mut from_client, mut to_client) = tokio::io::split(outside);
        // The library waits for ever for a first word.
        let mut first = [0; BUFFER_BYTES];
        let length = timeout(CLIENT_WAIT, from_client.read(&mut first)).await??;
        let inside = TcpStream::connect(self.inside).await?;
        inside.set_nodelay(true)?;
        let _noted = self.shown.put(inside.local_addr()?, machine);
        let (mut from_broker, mut to_broker) = inside.into_split();
        to_broker.write_all(&first[..length]).await?;
        let ended = tokio::select! {
            ended = carry(&mut from_client, &mut to_broker) => ended,
            ended = carry(&mut from_broker, &mut to_client) => ended,
        };
        timeout(CLIENT_WAIT, to_client.shutdown()).await??;
        ended
    }
}

/// Whose certificate it is; it was verified in the handshake.
fn machine(stream: &TlsStream<TcpStream>) -> Option<MachineId> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    MachineId::new(subject::common_name(certificate)?).ok()
}

/// Who does not take what is for it for too long is left: a client that vanished would keep its place for ever.
async fn carry(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut buffer = [0; BUFFER_BYTES];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        timeout(CLIENT_WAIT, async {
            to.write_all(&buffer[..length]).await?;
            to.flush().await
        })
        .await??;
    }
}
