//! The connections to the broker. Nothing but this file knows how they are made.
//!
//! Polling never stops: the library pings only while it is polled. What finds no room is dropped unacknowledged and
//! counted; agents send it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::limits;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS, SubAck, SubscribeFilter,
    SubscribeReasonCode, TlsConfiguration, Transport,
};
use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::topics::{Kind, filter_all};

use crate::ingest::Publish;
use crate::readiness::{Part, Readiness};

/// Largest packet that the library reads. Above it disconnects, and would again: far above what agents send, so that
/// what is too large is refused and counted. The broker should allow less.
const PACKET_BYTES_MAX: usize = 1024 * 1024;
/// Messages on their way out. More: acks are dropped and counted; a lost ack costs a resend.
const OUTGOING_MAX: usize = 8_192;
/// How many messages of ours may be unacknowledged; acks are QoS 0 and do not count.
const INFLIGHT_MAX: u16 = 1_000;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Longest time that a connection has to send what is queued when it ends.
const STOP_MAX: Duration = Duration::from_secs(2);
const RECONNECT_FIRST: Duration = Duration::from_millis(100);
const RECONNECT_MAX: Duration = Duration::from_secs(5);

/// Where the broker is and who we are to it.
#[derive(Clone)]
pub struct BrokerAddress {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User name and password of the ingest; `None`: the broker asks for none.
    pub login: Option<(String, String)>,
    /// TLS; `None`: plain text.
    pub tls: Option<BrokerTls>,
    /// Beginning of the two connections' client ids, letters, digits and hyphens; unique among the broker's clients.
    pub client_id: String,
}

/// TLS towards the broker: whom to believe, and what to show, for each connection. What is shown may change between two
/// connections: a configuration that works it out anew each time is asked each time.
#[derive(Debug, Clone)]
pub struct BrokerTls {
    /// Of the connection for events, status and acks.
    pub events: Arc<ClientConfig>,
    /// Of the connection for readings.
    pub readings: Arc<ClientConfig>,
}

impl std::fmt::Debug for BrokerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = self.login.as_ref().map(|(user, _)| user);
        f.debug_struct("BrokerAddress")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &user)
            .field("has_tls", &self.tls.is_some())
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// A message from the broker.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
}

/// Both connections: events and status on one, readings on the other.
#[derive(Debug)]
pub(crate) struct Subscriber {
    client: AsyncClient,
    deferred: Arc<AtomicU64>,
    stop: CancellationToken,
    tasks: [JoinHandle<()>; 2],
}

impl Subscriber {
    pub(crate) fn start(
        broker: &BrokerAddress,
        urgent: mpsc::Sender<Message>,
        readings: mpsc::Sender<Message>,
        readiness: &Readiness,
    ) -> Subscriber {
        let stop = CancellationToken::new();
        let deferred = Arc::new(AtomicU64::new(0));
        let (events_tls, readings_tls) =
            broker.tls.as_ref().map(|tls| (tls.events.clone(), tls.readings.clone())).unzip();
        let connect = |name: &str, tls, part, kinds: &'static [Kind], queue| {
            let (client, polled) = AsyncClient::new(options(broker, name, tls), OUTGOING_MAX);
            let connection = Connection {
                client: client.clone(),
                kinds,
                part,
                queue,
                deferred: deferred.clone(),
                readiness: readiness.clone(),
            };
            (client, tokio::spawn(connection.run(polled, stop.clone())))
        };
        let (client, first) =
            connect("events", events_tls, Part::Events, &[Kind::Events, Kind::Status], urgent);
        let (_, second) = connect("readings", readings_tls, Part::Readings, &[Kind::Readings], readings);
        Subscriber { client, deferred, stop, tasks: [first, second] }
    }

    /// Puts a message on its way; `false`: there is no room.
    pub(crate) fn publish(&self, publish: Publish) -> bool {
        self.client.try_publish(publish.topic, QoS::AtMostOnce, false, publish.payload).is_ok()
    }

    /// Messages dropped unacknowledged because the queue was full.
    pub(crate) fn deferred(&self) -> u64 {
        self.deferred.load(Ordering::Relaxed)
    }

    /// Sends what is queued, and ends both connections.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        for mut task in self.tasks {
            if tokio::time::timeout(STOP_MAX, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

fn options(broker: &BrokerAddress, name: &str, tls: Option<Arc<ClientConfig>>) -> MqttOptions {
    let id = format!("{}-{name}", broker.client_id);
    let mut options = MqttOptions::new(id, broker.host.clone(), broker.port);
    options
        .set_clean_session(true)
        .set_keep_alive(KEEP_ALIVE)
        .set_inflight(INFLIGHT_MAX)
        .set_max_packet_size(PACKET_BYTES_MAX, limits::MESSAGE_BYTES_MAX);
    if let Some((user, password)) = &broker.login {
        options.set_credentials(user, password);
    }
    if let Some(tls) = tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    options
}

/// One connection.
struct Connection {
    client: AsyncClient,
    kinds: &'static [Kind],
    part: Part,
    queue: mpsc::Sender<Message>,
    deferred: Arc<AtomicU64>,
    readiness: Readiness,
}

impl Connection {
    async fn run(self, mut polled: EventLoop, stop: CancellationToken) {
        polled.network_options.set_tcp_nodelay(true);
        self.readiness.trouble(self.part, "not connected to the broker yet");
        let mut wait = RECONNECT_FIRST;
        let mut is_stopping = false;
        let mut must_subscribe = false;
        loop {
            // A full queue of acks leaves no room for it: it is tried again as the queue empties.
            if must_subscribe && self.subscribe() {
                must_subscribe = false;
            }
            let event = tokio::select! {
                () = stop.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    // What is queued before it, acks above all, goes out first.
                    if self.client.try_disconnect().is_err() {
                        return;
                    }
                    continue;
                }
                event = polled.poll() => event,
            };
            match event {
                Ok(Event::Incoming(packet)) => {
                    wait = RECONNECT_FIRST;
                    must_subscribe |= matches!(packet, Packet::ConnAck(_));
                    self.incoming(packet);
                }
                Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
                Ok(Event::Outgoing(_)) => {}
                Err(_) if is_stopping => return,
                Err(error) => {
                    self.lost(&error);
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(RECONNECT_MAX);
                }
            }
        }
    }

    fn incoming(&self, packet: Packet) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the library's packets, of which two concern us")]
        match packet {
            Packet::Publish(publish) => {
                let message = Message { topic: publish.topic, payload: publish.payload };
                if self.queue.try_send(message).is_err() {
                    self.deferred.fetch_add(1, Ordering::Relaxed);
                }
            }
            Packet::SubAck(ack) => self.subscribed(&ack),
            _ => {}
        }
    }

    /// The session is always a new one, so every connection subscribes.
    fn subscribe(&self) -> bool {
        let filter = |kind: &Kind| SubscribeFilter::new(filter_all(*kind), QoS::AtLeastOnce);
        let filters: Vec<SubscribeFilter> = self.kinds.iter().map(filter).collect();
        self.client.try_subscribe_many(filters).is_ok()
    }

    fn subscribed(&self, ack: &SubAck) {
        let is_refused = |code: &SubscribeReasonCode| matches!(code, SubscribeReasonCode::Failure);
        if ack.return_codes.iter().any(is_refused) {
            tracing::error!(connection = self.part.name(), "the broker refuses the subscription");
            let message =
                "the broker refuses the subscription: check the ingest's rights on beltwatch topics";
            self.readiness.trouble(self.part, message);
        } else {
            tracing::info!(connection = self.part.name(), "subscribed at the broker");
            self.readiness.fine(self.part);
        }
    }

    fn lost(&self, error: &ConnectionError) {
        let message = format!("no connection to the broker: {error}");
        if self.readiness.trouble(self.part, &message) {
            tracing::warn!(connection = self.part.name(), error = %error, "no connection to the broker");
        }
    }
}
