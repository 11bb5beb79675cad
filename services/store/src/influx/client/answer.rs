//! What InfluxDB answers if it does not do what it was asked, in words that help.

use std::error::Error;
use std::time::Duration;

use domain::limits;
use influxdb2::RequestError;
use reqwest::Response;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use crate::{StoreError, StoreErrorKind};

/// What is being done, to what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doing<'a> {
    /// Such as "writing points".
    pub(super) what: &'static str,
    pub(super) bucket: Option<&'a str>,
    pub(super) origin: &'a str,
    pub(super) organisation: &'a str,
}

/// An answer other than yes.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// In which InfluxDB says so; another server would say something else.
    pub(super) code: String,
    pub(super) message: String,
    /// How long InfluxDB asks to be left alone.
    pub(super) retry_after: Option<Duration>,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Refusal {
    /// Reads an answer's body as far as it is worth it. What cannot be read is left out.
    pub(super) async fn read(mut response: Response) -> Refusal {
        let status = response.status().as_u16();
        let code = response.headers().get("x-platform-error-code").and_then(|code| code.to_str().ok());
        let code = code.unwrap_or_default().to_owned();
        let retry_after = response.headers().get(RETRY_AFTER);
        let seconds = retry_after.map(|value| value.to_str().ok().and_then(|text| text.trim().parse().ok()));
        // A date, or what cannot be read: some time.
        let retry_after = seconds.map(|seconds| Duration::from_secs(seconds.unwrap_or(1)));
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            body.extend_from_slice(&piece);
            if body.len() > limits::INFLUX_REFUSAL_BYTES_MAX {
                break;
            }
        }
        let mut refusal = Refusal { retry_after, ..Refusal::of(status, &body) };
        if refusal.code.is_empty() {
            // A body that was too long to be read whole is no JSON.
            refusal.code = code;
        }
        refusal
    }

    /// Reads an answer's body.
    pub(super) fn of(status: u16, body: &[u8]) -> Refusal {
        let read = serde_json::from_slice(body);
        let Body { code, message } = read.unwrap_or_else(|_| Body {
            code: String::new(),
            message: String::from_utf8_lossy(body).into_owned(),
        });
        Refusal { status, code, message, retry_after: None }
    }
}

/// A text that people can read, whatever a server sent.
pub(super) fn short(text: &str) -> String {
    let text = text.trim();
    let mut all = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let head: String = all.by_ref().take(limits::INFLUX_REASON_CHARS_MAX).collect();
    if all.next().is_some() { format!("{head}…") } else { head }
}

impl Doing<'_> {
    /// The error for an answer.
    pub(super) fn failed(&self, refusal: &Refusal) -> StoreError {
        let Refusal { status, code, message, retry_after } = refusal;
        let has_no_room = message.contains("no space left") || message.contains("disk quota exceeded");
        let no_organisation = message.contains("organization name") && message.ends_with("not found");
        let is_missing = *status == 404 || (*status == 400 && no_organisation);
        let says = if message.is_empty() { String::new() } else { format!(" ({})", short(message)) };
        match status {
            507 => self.error(StoreErrorKind::Full, &format!("its disk is full{says}")),
            _ if has_no_room => self.error(StoreErrorKind::Full, &format!("its disk is full{says}")),
            401 | 403 if !code.is_empty() => self.refused_token(&says),
            _ if is_missing && !code.is_empty() => {
                let missing = match self.bucket {
                    _ if no_organisation => format!("the organisation {} is not there", self.organisation),
                    Some(_) => "the bucket is not there".to_owned(),
                    None => "what was asked for is not there, or the token may not read it".to_owned(),
                };
                let helps = "`beltwatch influxdb setup` makes what is missing";
                self.error(StoreErrorKind::Unavailable, &format!("{missing}{says}: {helps}"))
            }
            408 | 504 => self.error(StoreErrorKind::Timeout, &format!("it gave up after some time{says}")),
            429 | 503 => {
                let wait = retry_after.map(|wait| format!(", it asks to wait {} s", wait.as_secs()));
                let wait = wait.unwrap_or_default();
                self.error(StoreErrorKind::Unavailable, &format!("it is too busy or starting{wait}{says}"))
            }
            400 | 413 | 422 if !code.is_empty() => {
                self.error(StoreErrorKind::Invalid, &format!("it does not understand{says}"))
            }
            500..=599 => self.error(StoreErrorKind::Unavailable, &format!("HTTP status {status}{says}")),
            _ => {
                let what = format!("HTTP status {status}{says}, which is no answer of InfluxDB 2");
                self.error(StoreErrorKind::Unavailable, &format!("{what}: check influxdb.url"))
            }
        }
    }

    /// The error for a request without a whole answer.
    pub(super) fn broke(&self, error: reqwest::Error) -> StoreError {
        let error = error.without_url();
        let mut why = String::new();
        let mut cause: Option<&dyn Error> = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Many an error tells its causes already.
            if !why.contains(&text) {
                why.push_str(": ");
                why.push_str(&text);
            }
            cause = error.source();
        }
        let (kind, what) = if error.is_timeout() {
            (StoreErrorKind::Timeout, "no answer in time")
        } else if error.is_connect() {
            (StoreErrorKind::Unavailable, "it cannot be reached")
        } else {
            (StoreErrorKind::Unavailable, "the connection ended before the answer was there")
        };
        let context = self.sentence(&format!("{what}{why}"));
        StoreError::with_source(kind, context, error)
    }

    /// The error for an answer that the crate could not take.
    pub(super) fn crate_failed(&self, error: RequestError) -> StoreError {
        match error {
            RequestError::ReqwestProcessing { source } if source.is_decode() => {
                let what = "its answer is none of InfluxDB 2: check influxdb.url";
                let context = self.sentence(what);
                StoreError::with_source(StoreErrorKind::Unavailable, context, source.without_url())
            }
            RequestError::ReqwestProcessing { source } => self.broke(source),
            RequestError::Http { status, text } => {
                self.failed(&Refusal::of(status.as_u16(), text.as_bytes()))
            }
            error @ (RequestError::Serializing { .. } | RequestError::Deserializing { .. }) => {
                self.error(StoreErrorKind::Unavailable, &error.to_string())
            }
        }
    }

    /// An error with its sentence.
    pub(super) fn error(&self, kind: StoreErrorKind, why: &str) -> StoreError {
        StoreError::new(kind, self.sentence(why))
    }

    /// The error for a write that was refused without a word about its lines; none of them is given up for that.
    pub(super) fn unsure(&self, refusal: &Refusal) -> StoreError {
        let Refusal { status, message, .. } = refusal;
        let message = short(message);
        let why = format!("HTTP status {status} ({message}), which says nothing about the points");
        self.error(StoreErrorKind::Unavailable, &why)
    }

    fn refused_token(&self, says: &str) -> StoreError {
        let bucket = self.bucket.map(|bucket| format!(" bucket {bucket}")).unwrap_or_default();
        let (what, origin) = (self.what, self.origin);
        let context = format!(
            "InfluxDB refuses the token while {what}{bucket} at {origin}{says}: check influxdb.token_file, or make a new \
             one by `beltwatch influxdb setup` and start the server again"
        );
        StoreError::new(StoreErrorKind::Unavailable, context)
    }

    fn sentence(&self, why: &str) -> String {
        let bucket = self.bucket.map(|bucket| format!(", bucket {bucket}")).unwrap_or_default();
        format!("InfluxDB at {}{bucket}: {} failed: {why}", self.origin, self.what)
    }
}
