//! Plain HTTP: one connection a request, so that a killed server leaves nothing behind.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// More octets than this are no answer that a test wants.
const ANSWER_OCTETS_MAX: usize = 512 << 20;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) text: String,
}

impl Answer {
    /// Its JSON, if it is a good answer.
    pub(crate) fn json(self) -> anyhow::Result<Value> {
        let text = self.good()?;
        serde_json::from_str(&text).with_context(|| format!("the answer is no JSON: {text}"))
    }

    /// Its text, if it is a good answer.
    pub(crate) fn good(self) -> anyhow::Result<String> {
        ensure!(self.status.is_success(), "the answer is {}: {}", self.status, self.text);
        Ok(self.text)
    }
}

/// A client of one server.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Web {
    pub(crate) fn new(url: String) -> Web {
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Web { url, client }
    }

    /// Asks for something. `authorization` is the header's value; empty: nothing is shown.
    pub(crate) async fn ask(
        &self,
        (method, path): (Method, &str),
        authorization: &str,
        (kind, body): (&str, String),
    ) -> anyhow::Result<Answer> {
        let mut request =
            Request::builder().method(method).uri(format!("{}{path}", self.url)).header("Accept", "*/*");
        if !authorization.is_empty() {
            request = request.header("Authorization", authorization);
        }
        if !body.is_empty() {
            request = request.header("Content-Type", kind);
        }
        let request = request.body(Full::new(Bytes::from(body)))?;
        let answer = async {
            let answer = self.client.request(request).await?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_OCTETS_MAX).collect().await;
            let Ok(body) = body else { bail!("{path}: the answer ends in the middle") };
            let text = String::from_utf8(body.to_bytes().to_vec()).context("the answer is no UTF-8")?;
            Ok(Answer { status, text })
        };
        tokio::time::timeout(ANSWER_MAX, answer).await.with_context(|| format!("{path}: no answer"))?
    }
}
