//! The embedded MQTT broker. Nothing outside this module knows which library it is.
//!
//! It is an untrusted pipe like any other broker: it keeps nothing on disk, drops when it must, and a PUBACK of it
//! proves nothing. It runs on threads of its own, so that all of it ends when it is stopped.
//!
//! With TLS, `front` has the port, and the library listens on loopback: there it hears this server itself, and what
//! came in by the port with a machine's certificate.
//!
//! One thing the library leaves open: who connects without TLS and never says a word is kept until it goes. Only the
//! process's limit of open files bounds that.

mod backlog;
mod front;
mod hooks;
mod metrics;
mod refusals;
mod retained;
mod rights;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use domain::limits;
use rmqtt::context::ServerContext;
use rmqtt::net::{Builder, Listener};
use rmqtt::router::DefaultRouter;
use rmqtt::server::MqttServer;
use rmqtt::shared::DefaultShared;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};

use self::backlog::Backlog;
use self::front::{Front, Shown};
use self::hooks::Gate;
pub use self::refusals::Reason;
use self::refusals::Refusals;
use self::retained::Retained;
pub use self::rights::Who;

const THREADS: usize = 2;
/// How long the threads may take to end.
const STOP_WAIT: Duration = Duration::from_secs(5);
/// Messages that a subscriber may leave unacknowledged.
const INFLIGHT_MAX: NonZeroU16 = NonZeroU16::new(1_000).expect("it is not 0");
/// Messages queued for one subscriber: so many that the bound on octets is reached first.
const QUEUE_MESSAGES_MAX: usize = 131_072;
/// Longest keep-alive that a client may ask for, in seconds; none at all is refused, too.
const KEEP_ALIVE_SECONDS_MAX: u16 = 3_600;
/// How long a client may take to connect, and a subscriber to take a packet. Longer: disconnected.
const CLIENT_WAIT: Duration = Duration::from_secs(10);
const CLIENT_ID_BYTES_MAX: usize = 128;
const SUBSCRIPTIONS_MAX: usize = 16;
/// Connections that wait to be accepted.
const BACKLOG_CONNECTIONS: i32 = 1_024;

/// Where to listen, and the bounds; see `domain::limits` for what happens at each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerSettings {
    /// Address and port. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Clients at once.
    pub connections_max: usize,
    /// Largest packet that is read, in octets.
    pub packet_bytes_max: u32,
    /// Statuses that are retained.
    pub retained_messages_max: usize,
    /// Octets of topics and payloads that are retained.
    pub retained_bytes_max: usize,
    /// Octets on their way to one subscriber; not less than a few packets.
    pub backlog_bytes_max: u32,
}

impl BrokerSettings {
    /// The usual bounds.
    pub fn at(listen: SocketAddr) -> BrokerSettings {
        BrokerSettings {
            listen,
            connections_max: limits::BROKER_CONNECTIONS_MAX,
            packet_bytes_max: limits::BROKER_PACKET_BYTES_MAX,
            retained_messages_max: limits::BROKER_RETAINED_MESSAGES_MAX,
            retained_bytes_max: limits::BROKER_RETAINED_BYTES_MAX,
            backlog_bytes_max: limits::BROKER_BACKLOG_BYTES_MAX,
        }
    }
}

/// Says who a client is.
pub trait Access: Send + Sync + 'static {
    /// Who connects with this user name and password; `None`: nobody we know. Called on the broker's threads for each
    /// connection: it must not wait for a disk or a network, and compares secrets in constant time.
    fn authenticate(&self, client_id: &str, user: Option<&str>, password: Option<&[u8]>) -> Option<Who>;
}

/// Why the broker did not start.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Somebody listens there already.
    #[error(
        "the broker cannot listen on {address}: the port is in use; stop who uses it, or choose another port"
    )]
    PortInUse {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// The address is none of this machine's.
    #[error(
        "the broker cannot listen on {address}: this machine does not have that address; choose one that it has"
    )]
    AddressNotHere {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// The operating system does not permit it.
    #[error(
        "the broker may not listen on {address}; choose a port from 1024 on, or give the program the right"
    )]
    NotPermitted {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// It cannot listen for another reason.
    #[error("the broker cannot listen on {address}: {reason}")]
    Listen {
        /// Where it should have listened.
        address: SocketAddr,
        /// The operating system's or the library's words.
        reason: String,
    },
    /// Its threads could not be started.
    #[error("the broker's threads cannot be started: {0}")]
    Threads(#[source] io::Error),
}

/// A running broker. [`Broker::stop`] ends it and frees port and memory. Dropped, it ends soon after, but the memory of
/// its last sessions and messages is only freed by `stop`.
pub struct Broker {
    address: SocketAddr,
    inside: SocketAddr,
    threads: Threads,
    context: ServerContext,
    refusals: Arc<Refusals>,
}

impl Broker {
    /// Starts a broker with nothing in its memory. It accepts clients when this returns.
    ///
    /// # Errors
    /// It cannot listen there, or has no threads.
    pub async fn start(settings: BrokerSettings, access: Arc<dyn Access>) -> Result<Broker, BrokerError> {
        Broker::start_with(settings, None, access).await
    }

    /// The same; with TLS, machines must show a certificate of their own besides user name and password.
    ///
    /// # Errors
    /// It cannot listen there, or has no threads.
    pub async fn start_with(
        settings: BrokerSettings,
        tls: Option<Arc<ServerConfig>>,
        access: Arc<dyn Access>,
    ) -> Result<Broker, BrokerError> {
        metrics::describe();
        let threads = Threads::start()?;
        let refusals = Arc::new(Refusals::default());
        let serving = threads.spawn(serve(settings, tls, access, refusals.clone()));
        let Serving { address, inside, context } =
            serving.await.map_err(|error| BrokerError::Threads(error.into()))??;
        tracing::info!(%address, "the embedded broker listens");
        Ok(Broker { address, inside, threads, context, refusals })
    }

    /// Where this server itself connects, without TLS: on loopback, if there is TLS. A machine is not let in there.
    pub fn inside_addr(&self) -> SocketAddr {
        self.inside
    }

    /// Where it listens, with the port that it got.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Clients connected now.
    pub fn connections(&self) -> usize {
        usize::try_from(self.context.connections.count()).unwrap_or_default()
    }

    /// How often something was refused for this reason.
    pub fn refused(&self, reason: Reason) -> u64 {
        self.refusals.count(reason)
    }

    /// Disconnects all clients, forgets all messages and frees the port.
    pub async fn stop(self) {
        let Broker { address, inside: _, threads, context, refusals: _ } = self;
        threads.stop().await;
        // The context holds itself through these two; without them it is freed with its sessions and messages.
        *context.extends.shared_mut().await = Box::new(DefaultShared::new(None));
        *context.extends.router_mut().await = Box::new(DefaultRouter::new(None));
        tracing::info!(%address, "the embedded broker has stopped");
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The broker's own threads. All its tasks and sockets end with them; the library has no other way to stop.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> Result<Threads, BrokerError> {
        let mut builder = runtime::Builder::new_multi_thread();
        builder.worker_threads(THREADS).thread_name("broker").enable_all();
        builder.build().map(|runtime| Threads(Some(runtime))).map_err(BrokerError::Threads)
    }

    fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.0.as_ref().expect("only `stop` and `drop` take it").spawn(task)
    }

    async fn stop(mut self) {
        if let Some(runtime) = self.0.take() {
            // Waiting for threads would block the caller's.
            let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(STOP_WAIT)).await;
            ended.expect("waiting for threads does not panic");
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A broker that serves.
struct Serving {
    address: SocketAddr,
    inside: SocketAddr,
    context: ServerContext,
}

/// Listens and serves, on the broker's threads.
async fn serve(
    settings: BrokerSettings,
    tls: Option<Arc<ServerConfig>>,
    access: Arc<dyn Access>,
    refusals: Arc<Refusals>,
) -> Result<Serving, BrokerError> {
    let inside_listen = match tls {
        Some(_) => SocketAddr::from(([127, 0, 0, 1], 0)),
        None => settings.listen,
    };
    let (listener, inside) = listen(&settings, inside_listen)?;
    let shown = tls.is_some().then(Arc::<Shown>::default);
    let sessions_max = isize::try_from(settings.connections_max).unwrap_or(isize::MAX);
    let context = ServerContext::new().busy_check_enable(false).mqtt_max_sessions(sessions_max).build().await;
    let (messages_max, bytes_max) = (settings.retained_messages_max, settings.retained_bytes_max);
    *context.extends.retain_mut().await = Box::new(Retained::new(messages_max, bytes_max, refusals.clone()));
    let backlog = Backlog::new(settings.backlog_bytes_max);
    let gate = Gate { access, refusals: refusals.clone(), backlog, shown: shown.clone() };
    Arc::new(gate).register(&context).await;
    let mut address = inside;
    if let Some((tls, shown)) = tls.zip(shown) {
        let outside = TcpListener::bind(settings.listen).await;
        let outside = outside.map_err(|error| cannot_listen(settings.listen, Some(&error), &error))?;
        address = outside.local_addr().map_err(|error| cannot_listen(address, Some(&error), &error))?;
        tokio::spawn(Front { tls, inside, shown, refusals }.run(outside, settings.connections_max));
    }
    // The number only names the listener; its port may be chosen by the system.
    let server = MqttServer::new(context.clone()).listener_by_id(listener, 1).build();
    tokio::spawn(async move {
        if let Err(error) = server.run().await {
            tracing::error!(%error, "the embedded broker has ended");
        }
    });
    Ok(Serving { address, inside, context })
}

fn listen(settings: &BrokerSettings, address: SocketAddr) -> Result<(Listener, SocketAddr), BrokerError> {
    let failed = |error: rmqtt::Error| cannot_listen(address, error.downcast_ref(), &error);
    let listener = builder(settings, address).bind().and_then(Listener::tcp).map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

fn cannot_listen(address: SocketAddr, cause: Option<&io::Error>, error: &dyn fmt::Display) -> BrokerError {
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::AddrInUse) => BrokerError::PortInUse { address },
        Some(io::ErrorKind::AddrNotAvailable) => BrokerError::AddressNotHere { address },
        Some(io::ErrorKind::PermissionDenied) => BrokerError::NotPermitted { address },
        Some(_) | None => BrokerError::Listen { address, reason: error.to_string() },
    }
}

fn builder(settings: &BrokerSettings, listen: SocketAddr) -> Builder {
    Builder::new()
        .name("beltwatch")
        .laddr(listen)
        // The connections of a broker that was just stopped do not keep the port.
        .reuseaddr(Some(true))
        .backlog(BACKLOG_CONNECTIONS)
        .nodelay(true)
        .max_connections(settings.connections_max)
        .max_packet_size(settings.packet_bytes_max)
        .allow_anonymous(false)
        .allow_zero_keepalive(false)
        .max_keepalive(KEEP_ALIVE_SECONDS_MAX)
        .handshake_timeout(CLIENT_WAIT)
        .send_timeout(CLIENT_WAIT)
        .max_clientid_len(CLIENT_ID_BYTES_MAX)
        .max_subscriptions(SUBSCRIPTIONS_MAX)
        .max_inflight(INFLIGHT_MAX)
        .max_mqueue_len(QUEUE_MESSAGES_MAX)
        // Messages do not grow old here: a subscriber gets them in order, or they are dropped for want of room.
        .message_expiry_interval(Duration::ZERO)
        .message_retry_interval(Duration::ZERO)
        // A session ends with its connection: nothing is queued for who is not there.
        .session_expiry_interval(Duration::ZERO)
}
