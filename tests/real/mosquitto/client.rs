//! A client that tells what the broker does, with a certificate of our choice.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Packet, QoS, SubscribeReasonCode,
    TlsConfiguration, Transport,
};
use rustls::crypto::ring;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, version};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::processes::PATIENCE;

/// How many messages may wait to be sent.
const OUTGOING_MAX: usize = 1_000;
/// Messages that the broker may not have acknowledged yet.
const INFLIGHT_MAX: u16 = 1_000;
const PACKET_BYTES_MAX: usize = 1 << 20;

/// TLS that believes one authority, and shows one certificate or none. Sessions are resumed if the broker allows it, as
/// somebody would who wants in.
pub(super) fn tls(roots: &RootCertStore, shown: Option<CertifiedKey>) -> Arc<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let versions = [&version::TLS13, &version::TLS12];
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&versions);
    let builder = builder.expect("ring speaks both").with_root_certificates(roots.clone());
    Arc::new(match shown {
        Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
        None => builder.with_no_client_auth(),
    })
}

/// What came in.
#[derive(Debug)]
enum Came {
    Message(String, Bytes),
    Taken,
    Subscribed(bool),
    Unsubscribed,
    Closed(String),
}

/// A connection that never comes back by itself.
#[derive(Debug)]
pub(super) struct Client {
    sender: AsyncClient,
    incoming: mpsc::UnboundedReceiver<Came>,
    messages: Vec<(String, Bytes)>,
    task: JoinHandle<()>,
    /// Whether anything is taken from the connection.
    takes: watch::Sender<bool>,
}

/// Connects on another client's conditions.
#[derive(Debug, Default)]
pub(super) struct Wish<'a> {
    /// The client id; empty: the broker's choice.
    pub(super) client_id: &'a str,
    /// The topic of a retained will with the payload `will`, if there is one.
    pub(super) will: Option<&'a str>,
}

impl Client {
    /// Connects once; why not, if it is refused.
    pub(super) async fn open(port: u16, tls: &Arc<ClientConfig>, wish: Wish<'_>) -> anyhow::Result<Client> {
        let id = if wish.client_id.is_empty() { "somebody" } else { wish.client_id };
        let mut options = MqttOptions::new(id, "localhost", port);
        options
            .set_clean_session(true)
            .set_keep_alive(Duration::from_secs(600))
            .set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX)
            .set_inflight(INFLIGHT_MAX)
            .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
        if let Some(topic) = wish.will {
            options.set_last_will(LastWill::new(topic, "will", QoS::AtLeastOnce, true));
        }
        let (sender, mut polled) = AsyncClient::new(options, OUTGOING_MAX);
        let first = tokio::time::timeout(PATIENCE, polled.poll()).await.context("no answer to CONNECT")?;
        let Event::Incoming(Packet::ConnAck(_)) = first? else { bail!("no CONNACK") };
        let (came, incoming) = mpsc::unbounded_channel();
        let (takes, taking) = watch::channel(true);
        let task = tokio::spawn(poll(polled, came, taking));
        Ok(Client { sender, incoming, messages: Vec::new(), task, takes })
    }

    /// The next answer; messages are kept.
    async fn answer(&mut self) -> anyhow::Result<Came> {
        loop {
            let came = tokio::time::timeout(PATIENCE, self.incoming.recv()).await;
            match came.context("the broker says nothing any more")?.context("the connection has ended")? {
                Came::Message(topic, payload) => self.messages.push((topic, payload)),
                Came::Closed(reason) => bail!("closed: {reason}"),
                answer @ (Came::Taken | Came::Subscribed(_) | Came::Unsubscribed) => return Ok(answer),
            }
        }
    }

    /// Publishes with QoS 1 and waits for the PUBACK.
    pub(super) async fn publish(&mut self, topic: &str, retain: bool, payload: &str) -> anyhow::Result<()> {
        self.put(topic, retain, payload.to_owned().into()).await?;
        self.taken().await
    }

    /// Publishes with QoS 1.
    pub(super) async fn put(&mut self, topic: &str, retain: bool, payload: Bytes) -> anyhow::Result<()> {
        Ok(self.sender.publish_bytes(topic, QoS::AtLeastOnce, retain, payload).await?)
    }

    /// Waits for a PUBACK.
    pub(super) async fn taken(&mut self) -> anyhow::Result<()> {
        while !matches!(self.answer().await?, Came::Taken) {}
        Ok(())
    }

    /// Whether the broker grants it.
    pub(super) async fn subscribe(&mut self, filter: &str) -> anyhow::Result<bool> {
        self.sender.subscribe(filter, QoS::AtLeastOnce).await?;
        loop {
            if let Came::Subscribed(is_granted) = self.answer().await? {
                return Ok(is_granted);
            }
        }
    }

    pub(super) async fn unsubscribe(&mut self, filter: &str) -> anyhow::Result<()> {
        self.sender.unsubscribe(filter).await?;
        while !matches!(self.answer().await?, Came::Unsubscribed) {}
        Ok(())
    }

    /// Everything that came since the last call, up to the message with this payload, which must come.
    pub(super) async fn until(&mut self, payload: &str) -> anyhow::Result<Vec<(String, Bytes)>> {
        while !self.messages.iter().any(|(_, came)| came == payload.as_bytes()) {
            let came = tokio::time::timeout(PATIENCE, self.incoming.recv()).await;
            let came = came.with_context(|| format!("\"{payload}\" does not come"))?;
            match came.context("the connection has ended")? {
                Came::Message(topic, payload) => self.messages.push((topic, payload)),
                Came::Closed(reason) => bail!("closed: {reason}"),
                Came::Taken | Came::Subscribed(_) | Came::Unsubscribed => {}
            }
        }
        Ok(std::mem::take(&mut self.messages))
    }

    /// Everything that came before the broker answered this.
    pub(super) async fn so_far(&mut self) -> anyhow::Result<Vec<(String, Bytes)>> {
        self.subscribe("beltwatch/v1/00/nobody/ack").await?;
        Ok(std::mem::take(&mut self.messages))
    }

    /// Takes nothing from the connection from now on: nothing is read, nothing acknowledged.
    pub(super) fn pause(&self) {
        self.takes.send_replace(false);
    }

    /// Takes what comes again.
    pub(super) fn go_on(&self) {
        self.takes.send_replace(true);
    }

    /// Breaks the connection without a word, so that a will is published.
    pub(super) fn vanish(self) {
        self.task.abort();
    }
}

/// Polls until the connection ends.
async fn poll(mut polled: EventLoop, came: mpsc::UnboundedSender<Came>, mut takes: watch::Receiver<bool>) {
    loop {
        if takes.wait_for(|takes| *takes).await.is_err() {
            return;
        }
        let what = match polled.poll().await {
            Ok(Event::Incoming(Packet::Publish(publish))) => Came::Message(publish.topic, publish.payload),
            Ok(Event::Incoming(Packet::PubAck(_))) => Came::Taken,
            Ok(Event::Incoming(Packet::SubAck(ack))) => {
                Came::Subscribed(ack.return_codes != [SubscribeReasonCode::Failure])
            }
            Ok(Event::Incoming(Packet::UnsubAck(_))) => Came::Unsubscribed,
            Ok(_) => continue,
            Err(error) => Came::Closed(error.to_string()),
        };
        let is_end = matches!(what, Came::Closed(_));
        if came.send(what).is_err() || is_end {
            return;
        }
    }
}

/// Whether a connection was refused, and by what.
pub(super) fn refused(error: &anyhow::Error) -> &'static str {
    match error.downcast_ref::<ConnectionError>() {
        Some(ConnectionError::ConnectionRefused(_)) => "refused",
        Some(_) => "refused by TLS",
        None => "no answer",
    }
}
