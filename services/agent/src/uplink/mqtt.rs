//! The connection to the broker: MQTT 3.1.1, clean sessions, QoS 1 up and QoS 0 down. It is made again for ever.
//!
//! The broker is an untrusted pipe: what it says it took proves nothing, so nothing here remembers what was
//! published. Each connection is a new client with its own will, so nothing of an old one is sent by the next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::limits;
use fastrand::Rng;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, LastWill, MqttOptions,
    Outgoing, QoS, SubscribeReasonCode, TlsConfiguration, Transport,
};
use rustls::ClientConfig;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use wire::topics::Kind;

use super::message::{Message, Speaker};

/// Messages that wait for the broker: both windows and some statuses. Full: the uplink goes back and waits.
const QUEUE_MESSAGES: usize = 2 * limits::WINDOW_ENVELOPES as usize + 32;
/// Acks that wait for the agent. Full: the newest is dropped; a lost ack costs a resend.
const QUEUE_ACKS: usize = 64;
/// Pings to the broker; it takes the agent for lost after one and a half of these.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// How long connection and subscription may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long the last messages may take when the agent stops.
const CLOSE_MAX: Duration = Duration::from_secs(2);
/// The pause before connecting again, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// A connection that lasted so long was a good one: the next pause is the shortest again. Two agents with one name
/// put each other out, so short ones are not.
const GOOD: Duration = Duration::from_secs(2);

/// Why an address is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("credential file: broker: \"{address}\" has not the form host:port")]
pub struct InvalidAddress {
    /// The address as it was given.
    pub address: String,
}

/// Whether the broker is there.
#[derive(Debug, Clone)]
pub enum Link {
    /// No connection.
    Down,
    /// Connected and subscribed.
    Up {
        /// Number of the connection in this boot, from 1.
        connection: u32,
        /// Takes messages for it.
        publisher: Publisher,
    },
}

/// Takes messages for one connection.
#[derive(Debug, Clone)]
pub struct Publisher {
    client: AsyncClient,
    topics: Arc<Topics>,
}

/// The machine's topics, as text.
#[derive(Debug)]
struct Topics {
    events: String,
    readings: String,
    status: String,
    ack: String,
}

impl Publisher {
    /// Queues a message, without waiting; gives it back if there is no room.
    ///
    /// # Errors
    ///
    /// The message, if the queue is full or the connection is gone.
    pub fn publish(&self, message: Message) -> Result<(), Message> {
        let topic = match message.kind {
            Kind::Events => &self.topics.events,
            Kind::Readings => &self.topics.readings,
            Kind::Status => &self.topics.status,
            Kind::Ack => &self.topics.ack,
        };
        let (retain, payload) = (message.is_retained(), message.payload.clone());
        self.client.try_publish(topic, QoS::AtLeastOnce, retain, payload).map_err(|_| message)
    }
}

/// A connection that is made again for ever, by its own task.
#[derive(Debug)]
pub struct Connector {
    /// Whether the broker is there.
    pub link: watch::Receiver<Link>,
    /// What came on the ack topic.
    pub acks: mpsc::Receiver<Bytes>,
    /// Counts the connections that were given up.
    again: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Connector {
    /// Begins to connect to `broker` (`host:port`), with TLS if there is a configuration for it. `password` is the
    /// machine's at the broker.
    ///
    /// # Errors
    ///
    /// If the address has not the form `host:port`.
    pub fn start(
        broker: &str,
        tls: Option<Arc<ClientConfig>>,
        speaker: Speaker,
        password: String,
        boot_count: u32,
        seed: u64,
    ) -> Result<Connector, InvalidAddress> {
        let invalid = || InvalidAddress { address: broker.to_owned() };
        let (host, port) = broker.rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().map_err(|_| invalid())?;
        let (link_sender, link) = watch::channel(Link::Down);
        let (ack_sender, acks) = mpsc::channel(QUEUE_ACKS);
        let (again, again_receiver) = watch::channel(0);
        let (stop, stop_receiver) = watch::channel(false);
        let topic = |kind| speaker.topic(kind).to_string();
        let topics = Topics {
            events: topic(Kind::Events),
            readings: topic(Kind::Readings),
            status: topic(Kind::Status),
            ack: topic(Kind::Ack),
        };
        let body = Body {
            host: host.to_owned(),
            port,
            tls,
            password,
            speaker,
            topics: Arc::new(topics),
            link: link_sender,
            acks: ack_sender,
            boot_count,
            again: again_receiver,
            stop: stop_receiver,
            random: Rng::with_seed(seed),
        };
        let task = tokio::spawn(body.run());
        Ok(Connector { link, acks, again, stop, task })
    }

    /// Gives up the connection and makes a new one.
    pub fn reconnect(&self) {
        self.again.send_modify(|count| *count += 1);
    }

    /// Sends what is queued, then ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the connection's task failed");
        }
    }
}

/// Why a connection ended.
enum End {
    Stopped,
    GivenUp,
    Lost { reason: String, was_good: bool },
}

struct Body {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    password: String,
    speaker: Speaker,
    topics: Arc<Topics>,
    link: watch::Sender<Link>,
    acks: mpsc::Sender<Bytes>,
    boot_count: u32,
    again: watch::Receiver<u64>,
    stop: watch::Receiver<bool>,
    random: Rng,
}

impl Body {
    async fn run(mut self) {
        let mut pause = PAUSE.0;
        for connection in 1.. {
            let end = self.connect(connection).await;
            self.link.send_replace(Link::Down);
            match end {
                End::Stopped => return,
                End::GivenUp => continue,
                End::Lost { reason, was_good } => {
                    if was_good {
                        pause = PAUSE.0;
                    }
                    let machine = &self.speaker.machine;
                    tracing::warn!(machine.id = %machine, connection, %reason, "no connection to the broker");
                }
            }
            let micros = u64::try_from(pause.as_micros()).unwrap_or(u64::MAX);
            let jittered = Duration::from_micros(micros / 2 + self.random.u64(0..=micros / 2));
            pause = (pause * 2).min(PAUSE.1);
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                () = sleep(jittered) => {}
            }
        }
    }

    /// One connection, from its beginning to its end.
    async fn connect(&mut self, connection: u32) -> End {
        self.again.borrow_and_update();
        let (client, mut events) = AsyncClient::new(self.options(connection), QUEUE_MESSAGES);
        events.network_options.set_tcp_nodelay(true);
        let mut up_since: Option<Instant> = None;
        let deadline = Instant::now() + CONNECT_MAX;
        loop {
            let event = tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return close(&client, &mut events, up_since.is_some()).await,
                changed = self.again.changed() => {
                    return if changed.is_ok() { End::GivenUp } else { End::Stopped };
                }
                event = poll(&mut events, up_since.is_none().then_some(deadline)) => event,
            };
            match event.and_then(|event| self.handle(event, connection, &client)) {
                Ok(true) => up_since = Some(Instant::now()),
                Ok(false) => {}
                Err(reason) => {
                    let was_good = up_since.is_some_and(|since| since.elapsed() >= GOOD);
                    return End::Lost { reason, was_good };
                }
            }
        }
    }

    fn options(&self, connection: u32) -> MqttOptions {
        let machine = self.speaker.machine.as_str();
        let will = self.speaker.will(self.boot_count, connection);
        let mut options = MqttOptions::new(machine, &self.host, self.port);
        options
            .set_credentials(machine, &self.password)
            .set_clean_session(true)
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(limits::MESSAGE_BYTES_MAX * 2, limits::MESSAGE_BYTES_MAX * 2)
            .set_last_will(LastWill::new(&self.topics.status, will.payload, QoS::AtLeastOnce, true));
        if let Some(tls) = &self.tls {
            options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::clone(tls))));
        }
        options
    }

    /// Takes one event; whether the connection is up by it, or why it is lost.
    fn handle(&self, event: Event, connection: u32, client: &AsyncClient) -> Result<bool, String> {
        let Event::Incoming(packet) = event else { return Ok(false) };
        if let Incoming::ConnAck(_) = packet {
            let subscribed = client.try_subscribe(&self.topics.ack, QoS::AtMostOnce);
            return subscribed.map(|()| false).map_err(|error| error.to_string());
        }
        if let Incoming::SubAck(answer) = &packet {
            if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                return Err(format!("the broker refused the subscription to {}", self.topics.ack));
            }
            let publisher = Publisher { client: client.clone(), topics: Arc::clone(&self.topics) };
            self.link.send_replace(Link::Up { connection, publisher });
            return Ok(true);
        }
        if let Incoming::Publish(publish) = packet {
            if publish.topic == self.topics.ack && self.acks.try_send(publish.payload).is_err() {
                tracing::debug!(machine.id = %self.speaker.machine, "an ack was dropped: the agent is busy");
            }
        }
        Ok(false)
    }
}

/// Waits until it is told to stop, or until nobody is there any more who could tell.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

async fn poll(events: &mut EventLoop, deadline: Option<Instant>) -> Result<Event, String> {
    let polled = match deadline {
        Some(deadline) => timeout_at(deadline, events.poll())
            .await
            .map_err(|_| format!("no connection and subscription within {} s", CONNECT_MAX.as_secs()))?,
        None => events.poll().await,
    };
    polled.map_err(|error| {
        let refused = matches!(
            error,
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized
            )
        );
        if refused {
            return "the broker refused the credential: is the machine registered, and is its key the newest?"
                .to_owned();
        }
        error.to_string()
    })
}

/// Lets the broker have what is queued and says good-bye.
async fn close(client: &AsyncClient, events: &mut EventLoop, is_up: bool) -> End {
    let deadline = Instant::now() + CLOSE_MAX;
    if !is_up || client.try_disconnect().is_err() {
        return End::Stopped;
    }
    while let Ok(Ok(event)) = timeout_at(deadline, events.poll()).await {
        if event == Event::Outgoing(Outgoing::Disconnect) {
            break;
        }
    }
    End::Stopped
}
