//! POST requests that are signed, with a body that receivers of Alertmanager's webhooks understand.

mod body;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::limits::WEBHOOK_ANSWER_BYTES_MAX;
use hmac::{Hmac, Mac};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use sha2::Sha256;
use store::registry::{Contact, check_url};

use crate::message::Message;
use crate::retry::Refusal;

#[cfg(test)]
pub(crate) mod tests;

const CONNECT_MAX: Duration = Duration::from_secs(5);
/// For so long an answer's body is read.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// Gives the secret of a contact by its name and generation.
pub type Secrets = Arc<dyn Fn(&str, u32) -> [u8; 32] + Send + Sync>;

/// Sends webhooks.
#[derive(Clone)]
pub(crate) struct Webhooks {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    secrets: Secrets,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").finish_non_exhaustive()
    }
}

impl Webhooks {
    /// Trusts what the computer trusts.
    pub(crate) fn new(secrets: Secrets) -> Webhooks {
        let builder = HttpsConnectorBuilder::new();
        let provider = rustls::crypto::ring::default_provider();
        let builder = match builder.with_provider_and_native_roots(provider) {
            Ok(builder) => builder,
            Err(error) => {
                tracing::warn!(%error, "this computer trusts no authority: no webhook over https can be told");
                HttpsConnectorBuilder::new().with_tls_config(trusting_nobody())
            }
        };
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_MAX));
        let connector = builder.https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            // Each message connects anew: an idle connection that died would look like a receiver that failed.
            .pool_max_idle_per_host(0)
            .retry_canceled_requests(false)
            .build(connector);
        Webhooks { client, secrets }
    }

    /// Tells a webhook. The caller bounds the time.
    pub(crate) async fn send(&self, url: &str, message: &Message) -> Result<(), Refusal> {
        check_url(url).map_err(|why| Refusal::lasting(format!("the contact's url {why}")))?;
        let request = self.request(url, message).map_err(|error| Refusal::lasting(error.to_string()))?;
        let answer = self.client.request(request).await.map_err(|error| Refusal::passing(causes(&error)))?;
        let status = answer.status();
        // Read so that the receiver can end in peace. What counts is the status, so a long or slow answer is left alone.
        let answer = Limited::new(answer.into_body(), WEBHOOK_ANSWER_BYTES_MAX).collect();
        let _ = tokio::time::timeout(ANSWER_MAX, answer).await;
        judge(status)
    }

    fn request(&self, url: &str, message: &Message) -> Result<Request<Full<Bytes>>, http::Error> {
        let body = body::of(message).to_string();
        let timestamp = message.time.0.div_euclid(1_000_000).to_string();
        let Contact { name, generation, .. } = &message.contact;
        let signature = signature(&(self.secrets)(name, *generation), &timestamp, &body);
        Request::builder()
            .method(Method::POST)
            .uri(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, "Beltwatch")
            .header("Beltwatch-Id", message.id.to_string())
            .header("Beltwatch-Timestamp", timestamp)
            .header("Beltwatch-Signature", signature)
            .body(Full::new(Bytes::from(body)))
    }
}

/// `v1=` and HMAC-SHA256 over timestamp, a dot and body, in hexadecimal digits.
fn signature(secret: &[u8; 32], timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

fn judge(status: StatusCode) -> Result<(), Refusal> {
    if status.is_success() {
        return Ok(());
    }
    let reason = format!("the receiver answered {status}");
    let is_busy =
        [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    match status {
        status if status.is_redirection() => Err(Refusal::lasting(format!(
            "{reason}; redirections are not followed, set the contact's url anew"
        ))),
        status if status.is_client_error() && !is_busy => Err(Refusal::lasting(reason)),
        _ => Err(Refusal::passing(reason)),
    }
}

/// An error with what caused it.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn trusting_nobody() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has TLS 1.2 and 1.3")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}
