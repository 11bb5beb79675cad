//! A client that tells what the broker does.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use beltwatch::broker::Broker;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS,
    SubscribeReasonCode,
};

/// A test that hangs fails after this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits, but not for ever.
pub(crate) async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happens any more")
}

/// A connection that never comes back by itself.
pub(crate) struct Client {
    sender: AsyncClient,
    polled: EventLoop,
    messages: VecDeque<(String, Vec<u8>)>,
}

/// The broker closed the connection.
#[derive(Debug, PartialEq)]
pub(crate) struct Closed;

impl Client {
    /// Connects once.
    pub(crate) async fn open(options: MqttOptions) -> Result<Client, ConnectReturnCode> {
        let (sender, polled) = AsyncClient::new(options, 10_000);
        let mut client = Client { sender, polled, messages: VecDeque::new() };
        match patiently(client.polled.poll()).await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => Ok(client),
            Err(ConnectionError::ConnectionRefused(code)) => Err(code),
            other => panic!("{other:?}"),
        }
    }

    /// Connects as a machine, whose password is its id.
    pub(crate) async fn machine(broker: &Broker, id: &str) -> Client {
        Client::again(options(broker.local_addr(), id, id, id)).await
    }

    /// Connects as the service.
    pub(crate) async fn service(broker: &Broker, id: &str) -> Client {
        Client::again(options(broker.local_addr(), id, "service", "secret")).await
    }

    /// Tries until it is let in: right after the last connection of this client id it may be refused once.
    pub(crate) async fn again(options: MqttOptions) -> Client {
        patiently(async {
            loop {
                match Client::open(options.clone()).await {
                    Ok(client) => break client,
                    Err(code) => assert_eq!(code, ConnectReturnCode::ServiceUnavailable),
                }
            }
        })
        .await
    }

    /// Polls until a packet comes that is not a message; messages are kept.
    async fn packet(&mut self) -> Result<Packet, Closed> {
        loop {
            match patiently(self.polled.poll()).await {
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    self.messages.push_back((publish.topic, publish.payload.to_vec()));
                }
                Ok(Event::Incoming(packet)) => return Ok(packet),
                Ok(Event::Outgoing(_)) => {}
                Err(_) => return Err(Closed),
            }
        }
    }

    /// Publishes and waits for the PUBACK.
    pub(crate) async fn publish(
        &mut self,
        topic: &str,
        is_retained: bool,
        payload: &[u8],
    ) -> Result<(), Closed> {
        self.sender.publish(topic, QoS::AtLeastOnce, is_retained, payload).await.unwrap();
        loop {
            if let Packet::PubAck(_) = self.packet().await? {
                return Ok(());
            }
        }
    }

    /// Whether the broker grants it.
    pub(crate) async fn subscribe(&mut self, filter: &str) -> Result<bool, Closed> {
        self.sender.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        loop {
            if let Packet::SubAck(ack) = self.packet().await? {
                return Ok(ack.return_codes != [SubscribeReasonCode::Failure]);
            }
        }
    }

    /// The next message, with its topic.
    pub(crate) async fn message(&mut self) -> (String, Vec<u8>) {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            match patiently(self.polled.poll()).await {
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    return (publish.topic, publish.payload.to_vec());
                }
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Until the broker closes the connection.
    pub(crate) async fn closed(mut self) {
        while self.packet().await.is_ok() {}
    }

    /// Says goodbye, so that no will is left.
    pub(crate) async fn leave(mut self) {
        self.sender.disconnect().await.unwrap();
        while !matches!(
            patiently(self.polled.poll()).await,
            Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_)
        ) {}
    }
}

/// A clean session of this client.
pub(crate) fn options(broker: SocketAddr, client_id: &str, user: &str, password: &str) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, broker.ip().to_string(), broker.port());
    options.set_credentials(user, password).set_clean_session(true).set_max_packet_size(1 << 20, 1 << 20);
    // Without pings in between, a test's patience is measured from its last message.
    options.set_keep_alive(Duration::from_secs(600));
    options
}
