//! Talks with InfluxDB 2 over HTTP. Nothing that a server sends makes this panic.
//!
//! The `influxdb2` crate does what is asked seldom: health, organisations, buckets, tokens. Writes, queries and deletes go
//! through `reqwest` with the same settings: the crate hides `Retry-After`, panics on null cells, keeps whole answers in
//! memory, and cuts the times of deletes to seconds.

mod administration;
mod answer;
mod query;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::limits;
use domain::units::UnixMicros;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, redirect};
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub(super) use self::administration::{Beginning, Rights, Token};
use self::answer::{Doing, Refusal};
use super::InfluxSettings;
use super::csv::Table;
use super::line::Lines;
use crate::{StoreError, StoreErrorKind};

/// A way to one InfluxDB. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    /// Scheme, host and port.
    origin: String,
    organisation: String,
    token: HeaderValue,
    http: reqwest::Client,
    crate_client: influxdb2::Client,
    times: Times,
    /// Questions that may be under way at once. More: they wait.
    questions: Semaphore,
    /// InfluxDB asked not to be written to before then.
    quiet_until: Mutex<Option<Instant>>,
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
struct Times {
    connect: Duration,
    /// From the connection to the last octet of the answer.
    request: Duration,
    delete: Duration,
    /// As InfluxDB asks, at most.
    quiet: Duration,
}

impl Times {
    const USUAL: Times = Times {
        connect: Duration::from_micros(limits::INFLUX_CONNECT_US),
        request: Duration::from_micros(limits::INFLUX_REQUEST_US),
        delete: Duration::from_micros(limits::INFLUX_DELETE_US),
        quiet: Duration::from_micros(limits::INFLUX_RETRY_AFTER_US_MAX),
    };
}

/// A line that InfluxDB refuses for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedLine {
    /// The line, without its line break.
    pub line: String,
    /// What InfluxDB says about it.
    pub reason: String,
}

impl Client {
    /// Makes a client; it does not connect yet.
    ///
    /// # Errors
    /// `Invalid`: the settings can never work, such as a token with a line break in it.
    pub fn new(settings: &InfluxSettings) -> Result<Client, StoreError> {
        Client::with(settings, Times::USUAL)
    }

    fn with(settings: &InfluxSettings, times: Times) -> Result<Client, StoreError> {
        let invalid = |what: &str| StoreError::new(StoreErrorKind::Invalid, format!("influxdb.{what}"));
        let url = &settings.url;
        let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if !matches!(url.scheme(), "http" | "https") || !is_bare || url.query().is_some() {
            // It is not shown: it may hold a password.
            return Err(invalid(
                "url: scheme, host and port only, such as http://127.0.0.1:8086, are allowed",
            ));
        }
        let mut token = HeaderValue::from_str(&format!("Token {}", settings.token))
            .map_err(|_| invalid("token_file: the token has a character that no token can have"))?;
        token.set_sensitive(true);
        let settle = || {
            reqwest::Client::builder()
                .connect_timeout(times.connect)
                .timeout(times.request)
                // Below the three minutes after which InfluxDB closes a connection itself.
                .pool_idle_timeout(Duration::from_secs(60))
                .redirect(redirect::Policy::none())
                .no_proxy()
        };
        let unusable = |error: &dyn fmt::Display| invalid(&format!("url: no client can be made: {error}"));
        let http = settle().build().map_err(|error| unusable(&error))?;
        let origin = url.origin().ascii_serialization();
        let crate_client = influxdb2::ClientBuilder::with_builder(
            settle(),
            origin.clone(),
            settings.organisation.clone(),
            settings.token.clone(),
        );
        let crate_client = crate_client.build().map_err(|error| unusable(&error))?;
        let organisation = settings.organisation.clone();
        let (quiet_until, questions) = (Mutex::new(None), Semaphore::new(limits::INFLUX_QUESTIONS_MAX));
        Ok(Client {
            inner: Arc::new(Inner {
                origin,
                organisation,
                token,
                http,
                crate_client,
                times,
                questions,
                quiet_until,
            }),
        })
    }

    /// Writes points to a bucket, in batches; when this returns they are on InfluxDB's disk, but for those that it
    /// refuses, which are given back. Writing the same again changes nothing. If InfluxDB asked to be left alone for a
    /// while, this waits for that first.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`, `Full`: some points may be written, some not.
    pub async fn write(&self, bucket: &str, lines: &Lines) -> Result<Vec<RefusedLine>, StoreError> {
        self.write_lines(bucket, lines).await
    }

    /// Asks in Flux. A table per group, with its rows; groups without rows are left out.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`; `Invalid`: Flux does not understand the question, or the answer is too large.
    pub async fn query(&self, flux: &str) -> Result<Vec<Table>, StoreError> {
        self.ask(flux).await
    }

    /// Removes the points of a bucket at or after `from` and before `until`, all or those of a predicate such as
    /// `_measurement="reading" AND machine="tm-01"`.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`; `Invalid`: the predicate is not understood.
    pub async fn delete(
        &self,
        bucket: &str,
        from: UnixMicros,
        until: UnixMicros,
        predicate: Option<&str>,
    ) -> Result<(), StoreError> {
        if from >= until {
            return Ok(());
        }
        // InfluxDB takes the last nanosecond to be within.
        let (start, stop) = (rfc3339(from, 0), rfc3339(until, -1));
        let body =
            serde_json::json!({ "start": start, "stop": stop, "predicate": predicate.unwrap_or_default() });
        let doing = self.doing("removing points", Some(bucket));
        let request = self
            .request(Method::POST, "/api/v2/delete")
            .query(&[("org", self.inner.organisation.as_str()), ("bucket", bucket)])
            .timeout(self.inner.times.delete)
            .body(body.to_string());
        let response = self.send(request, &doing).await?;
        match response.status().as_u16() {
            204 => Ok(()),
            _ => Err(doing.failed(&Refusal::read(response).await)),
        }
    }

    /// Whether InfluxDB is there and well. It asks for no token.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`.
    pub async fn health(&self) -> Result<(), StoreError> {
        let doing = self.doing("asking how it is", None);
        let health = self.inner.crate_client.health().await.map_err(|error| doing.crate_failed(error))?;
        match health.status {
            influxdb2::models::health::Status::Pass => Ok(()),
            influxdb2::models::health::Status::Fail => {
                Err(doing.error(StoreErrorKind::Unavailable, &health.message.unwrap_or_default()))
            }
        }
    }

    fn doing<'a>(&'a self, what: &'static str, bucket: Option<&'a str>) -> Doing<'a> {
        let Inner { origin, organisation, .. } = &*self.inner;
        Doing { what, bucket, origin, organisation }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.inner.origin);
        self.inner.http.request(method, url).header(AUTHORIZATION, self.inner.token.clone())
    }

    async fn send(&self, request: RequestBuilder, doing: &Doing<'_>) -> Result<Response, StoreError> {
        request.send().await.map_err(|error| doing.broke(error))
    }

    /// Waits until InfluxDB may be written to again, as far as it said so.
    async fn wait_for_quiet(&self) {
        let until = *self.inner.quiet_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Remembers that InfluxDB asks not to be written to for some time. All who wait go on a little apart.
    fn keep_quiet(&self, asked: Duration) {
        let wait = asked.min(self.inner.times.quiet);
        let apart = wait.mul_f64(fastrand::f64() / 4.0);
        let until = Instant::now() + wait + apart;
        *self.inner.quiet_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.inner.origin)
            .field("organisation", &self.inner.organisation)
            .finish_non_exhaustive()
    }
}

/// A time as InfluxDB reads it, and some nanoseconds more; the nearest one that InfluxDB can say.
fn rfc3339(time: UnixMicros, more: i64) -> String {
    const GREATEST: i64 = i64::MAX - 1;
    let nanoseconds = time.0.saturating_mul(1_000).saturating_add(more).clamp(-GREATEST, GREATEST);
    let time = Timestamp::from_nanosecond(nanoseconds.into());
    time.expect("all nanoseconds of 64 bits are times").to_string()
}

#[cfg(test)]
mod tests;
