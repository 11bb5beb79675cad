//! The least of an MQTT 3.1.1 broker, for the ingest alone: it takes subscriptions, hands messages to it, and keeps
//! what it publishes.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBSCRIBE: u8 = 8;
const PING: u8 = 12;
const DISCONNECT: u8 = 14;

const NOBODY_PANICS: &str = "nobody panics with the lock";

/// A message from the ingest: its topic and payload.
pub(crate) type Published = (String, Vec<u8>);

/// The broker's end of everything.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    /// What the ingest published.
    pub(crate) published: mpsc::Receiver<Published>,
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
    refuses: Arc<Mutex<bool>>,
}

#[derive(Debug)]
struct Subscriber {
    filters: Vec<String>,
    messages: mpsc::Sender<Vec<u8>>,
}

impl Broker {
    pub(crate) async fn start() -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (publishes, published) = mpsc::channel(10_000);
        let subscribers = Arc::new(Mutex::new(Vec::new()));
        let refuses = Arc::new(Mutex::new(false));
        let (known, refused) = (subscribers.clone(), refuses.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, publishes.clone(), known.clone(), refused.clone()));
            }
        });
        Broker { address, published, subscribers, refuses }
    }

    /// From now on subscriptions are refused, or are not.
    pub(crate) fn refuse(&self, refuses: bool) {
        *self.refuses.lock().expect(NOBODY_PANICS) = refuses;
    }

    /// Hands a message to whoever subscribed; whether somebody did.
    pub(crate) async fn send(&self, topic: &str, payload: &[u8]) -> bool {
        let kind = topic.rsplit('/').next().expect("a topic has parts");
        let messages = {
            let subscribers = self.subscribers.lock().expect(NOBODY_PANICS);
            let wants = |s: &&Subscriber| s.filters.iter().any(|f| f.ends_with(&format!("/{kind}")));
            subscribers.iter().rev().find(wants).map(|subscriber| subscriber.messages.clone())
        };
        let Some(messages) = messages else { return false };
        let mut body = u16::try_from(topic.len()).expect("short").to_be_bytes().to_vec();
        body.extend(topic.as_bytes());
        // QoS 1 with packet number 1.
        body.extend([0, 1]);
        body.extend(payload);
        messages.send(packet(PUBLISH << 4 | 2, &body)).await.is_ok()
    }

    /// Drops all connections.
    pub(crate) fn drop_connections(&self) {
        self.subscribers.lock().expect(NOBODY_PANICS).clear();
    }
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let more = if length > 127 { 128 } else { 0 };
        packet.push(u8::try_from(length % 128).expect("below 128") | more);
        length /= 128;
        if length == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

async fn read(stream: &mut OwnedReadHalf) -> io::Result<(u8, Vec<u8>)> {
    let first = stream.read_u8().await?;
    let (mut length, mut shift) = (0, 0);
    loop {
        let octet = stream.read_u8().await?;
        length |= usize::from(octet & 127) << shift;
        shift += 7;
        if octet < 128 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((first, body))
}

fn text(body: &[u8]) -> (String, &[u8]) {
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    (String::from_utf8_lossy(&body[2..2 + length]).into_owned(), &body[2 + length..])
}

async fn serve(
    stream: TcpStream,
    publishes: mpsc::Sender<Published>,
    subscribers: Arc<Mutex<Vec<Subscriber>>>,
    refuses: Arc<Mutex<bool>>,
) -> io::Result<()> {
    let (mut reader, writer) = stream.into_split();
    let (messages, waiting) = mpsc::channel(10_000);
    let mut writing = tokio::spawn(write(writer, waiting));
    // Only the subscription keeps the connection alive, so that the broker can drop it.
    let mut messages = Some(messages);
    let answer = messages.as_ref().expect("it was just made").clone().downgrade();
    loop {
        let (first, body) = tokio::select! {
            read = read(&mut reader) => read?,
            _ = &mut writing => return Ok(()),
        };
        let Some(answers) = answer.upgrade() else { return Ok(()) };
        match first >> 4 {
            CONNECT => answers.send(packet(0x20, &[0, 0])).await.ok(),
            PUBLISH => {
                let (topic, payload) = text(&body);
                publishes.send((topic, payload.to_vec())).await.ok()
            }
            SUBSCRIBE => {
                let mut rest = &body[2..];
                let mut filters = Vec::new();
                while !rest.is_empty() {
                    let (filter, after) = text(rest);
                    filters.push(filter);
                    rest = &after[1..];
                }
                let code = if *refuses.lock().expect(NOBODY_PANICS) { 0x80 } else { 1 };
                let mut body = body[..2].to_vec();
                body.extend(filters.iter().map(|_| code));
                let sent = answers.send(packet(0x90, &body)).await.ok();
                if let Some(messages) = messages.take() {
                    subscribers.lock().expect(NOBODY_PANICS).push(Subscriber { filters, messages });
                }
                sent
            }
            PING => answers.send(packet(0xd0, &[])).await.ok(),
            DISCONNECT => return Ok(()),
            PUBACK => None,
            other => panic!("the ingest sent a packet of type {other}"),
        };
    }
}

async fn write(mut stream: OwnedWriteHalf, mut waiting: mpsc::Receiver<Vec<u8>>) {
    while let Some(packet) = waiting.recv().await {
        if stream.write_all(&packet).await.is_err() {
            return;
        }
    }
}
