//! A receiver of webhooks in this process. It checks what it gets, and answers as it is told: at once, late, never, or
//! with a refusal.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock;

/// How it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It takes everything, half of it after a random while of at most so many milliseconds.
    Takes(u64),
    /// It takes the message and never answers.
    Hangs,
    /// It says that it cannot now.
    Refuses,
}

/// One thing that was told in a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// Identity that stays the same however often it is told.
    pub(super) id: String,
    /// The incident; empty: it is about none.
    pub(super) incident: String,
    pub(super) severity: String,
    /// The machine; empty: it is about none.
    pub(super) machine: String,
    /// Name of the rule, or of what else it is.
    pub(super) name: String,
}

/// A message that came.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Name of the contact.
    pub(super) contact: String,
    /// In milliseconds since 1970.
    pub(super) came_ms: f64,
    /// When it was answered as taken. `None`: it was not, or whoever sent it was gone by then.
    pub(super) taken_ms: Option<f64>,
    pub(super) told: Vec<Told>,
}

/// The receiver.
#[derive(Debug)]
pub(super) struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    manner: watch::Sender<Manner>,
    came: watch::Sender<usize>,
    secrets: Mutex<BTreeMap<String, Vec<u8>>>,
    messages: Mutex<Vec<Message>>,
    faults: Mutex<Vec<String>>,
    random: Mutex<fastrand::Rng>,
}

impl Receiver {
    pub(super) async fn start(seed: u64) -> anyhow::Result<Receiver> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            manner: watch::Sender::new(Manner::Takes(0)),
            came: watch::Sender::new(0),
            secrets: Mutex::default(),
            messages: Mutex::default(),
            faults: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
        });
        let router = axum::Router::new().route("/{contact}", post(take)).with_state(shared.clone());
        let serving = tokio::spawn(async move {
            // It ends only with the test.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Receiver { address, shared, serving })
    }

    /// Where a contact's messages go.
    pub(super) fn url(&self, contact: &str) -> String {
        format!("http://{}/{contact}", self.address)
    }

    /// Messages to this contact are signed with this secret, in hexadecimal digits.
    pub(super) fn expect(&self, contact: &str, secret: &str) -> anyhow::Result<()> {
        let octets = hex::decode(secret).context("a webhook's secret is hexadecimal digits")?;
        ensure!(octets.len() == 32, "a webhook's secret has 32 octets");
        lock(&self.shared.secrets).insert(contact.to_owned(), octets);
        Ok(())
    }

    /// Answers so from now on; who waits for an answer of before gets a refusal.
    pub(super) fn behave(&self, manner: Manner) {
        self.shared.manner.send_replace(manner);
    }

    /// All messages so far.
    pub(super) fn messages(&self) -> Vec<Message> {
        lock(&self.shared.messages).clone()
    }

    /// What was wrong with messages so far.
    pub(super) fn faults(&self) -> Vec<String> {
        lock(&self.shared.faults).clone()
    }

    /// Waits for a message about a machine that comes after so many others; says whether one came in time.
    pub(super) async fn wait_for(&self, machine: &str, after: usize, longest: Duration) -> bool {
        let mut came = self.shared.came.subscribe();
        let is_there = async {
            while !self.has(machine, after) {
                if came.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(longest, is_there).await.unwrap_or(false)
    }
}

impl Receiver {
    fn has(&self, machine: &str, after: usize) -> bool {
        let messages = lock(&self.shared.messages);
        messages.iter().skip(after).flat_map(|message| &message.told).any(|told| told.machine == machine)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(
    State(shared): State<Arc<Shared>>,
    Path(contact): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let came_ms = clock::now_ms();
    let secret = lock(&shared.secrets).get(&contact).cloned().unwrap_or_default();
    let told = match check(&secret, &headers, &body).and_then(|()| read(&contact, &headers, &body)) {
        Ok(told) => told,
        Err(error) => {
            lock(&shared.faults).push(format!("a message to {contact}: {error:#}"));
            return StatusCode::BAD_REQUEST;
        }
    };
    let number = {
        let mut messages = lock(&shared.messages);
        messages.push(Message { contact, came_ms, taken_ms: None, told });
        messages.len() - 1
    };
    shared.came.send_replace(number + 1);
    let mut manner = shared.manner.subscribe();
    let now = *manner.borrow_and_update();
    match now {
        Manner::Takes(late_ms_max) => {
            tokio::time::sleep(shared.pause(late_ms_max)).await;
            lock(&shared.messages)[number].taken_ms = Some(clock::now_ms());
            StatusCode::OK
        }
        Manner::Hangs => {
            // Whoever waits is let go when the receiver behaves in another way.
            let _ = manner.changed().await;
            StatusCode::SERVICE_UNAVAILABLE
        }
        Manner::Refuses => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Shared {
    fn pause(&self, late_ms_max: u64) -> Duration {
        let mut random = lock(&self.random);
        let late_ms = if random.bool() { random.u64(0..=late_ms_max) } else { 0 };
        Duration::from_millis(late_ms)
    }
}

/// The signature: HMAC-SHA256 over timestamp, a dot and body.
fn check(secret: &[u8], headers: &HeaderMap, body: &[u8]) -> anyhow::Result<()> {
    let signature = header(headers, "beltwatch-signature")?;
    let signature = signature.strip_prefix("v1=").context("the signature is not of version 1")?;
    let signature = hex::decode(signature).context("the signature is not hexadecimal digits")?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    mac.update(header(headers, "beltwatch-timestamp")?.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(&signature).context("the signature is not that of the contact's secret")
}

/// What a message tells.
fn read(contact: &str, headers: &HeaderMap, body: &[u8]) -> anyhow::Result<Vec<Told>> {
    let body: Value = serde_json::from_slice(body).context("it is no JSON")?;
    ensure!(body["version"] == "4", "it is not of version 4");
    ensure!(body["receiver"] == contact, "it is for {}", body["receiver"]);
    ensure!(body["truncatedAlerts"] == 0, "it leaves out {}", body["truncatedAlerts"]);
    let alerts = body["alerts"].as_array().context("it has no alerts")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told: Vec<Told> = alerts
        .iter()
        .map(|alert| Told {
            id: text(&alert["fingerprint"]),
            incident: text(&alert["labels"]["incident"]),
            severity: text(&alert["labels"]["severity"]),
            machine: text(&alert["labels"]["machine"]),
            name: text(&alert["labels"]["alertname"]),
        })
        .collect();
    ensure!(!told.is_empty() && told.iter().all(|told| told.id.len() == 32), "an alert has no id: {body}");
    if let [alone] = &told[..] {
        ensure!(
            header(headers, "beltwatch-id")? == alone.id,
            "the message has another id than what it tells"
        );
    }
    Ok(told)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> anyhow::Result<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).with_context(|| format!("it has no {name}"))
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
