//! The stream behind an open page: what the API's watch says, in the visitor's words, as server-sent events.
//!
//! The browser pulls: nothing is kept here beyond one batch, and while a browser does not read, the API's watch falls
//! behind and starts over with a snapshot. The watch is the visitor's own, so it ends with their session.

mod batch;

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout, timeout_at};
use tonic::{Status, Streaming};
use wire::api::v1;

use crate::call::{Failure, FailureKind};
use crate::clock;
use crate::open_pages::OpenPage;
use crate::router::Dashboard;
use crate::visitor::Visitor;
use crate::words::Reader;

use batch::{Batch, Sent};

/// The API sends a heartbeat every 5 s; after three the watch is broken.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long changes are gathered into one event. A stop does not wait.
const GATHER_TIME: Duration = Duration::from_millis(100);

/// Which machines a page shows.
#[derive(Debug, Deserialize)]
pub(crate) struct Watched {
    /// All of a site.
    #[serde(default)]
    site: String,
    /// Or one.
    #[serde(default)]
    machine: String,
    /// The page's path, to come back to after signing in.
    #[serde(default)]
    page: String,
}

/// Streams until the browser leaves, the watch ends, or the session does.
pub(crate) async fn stream_floor(
    State(dashboard): State<Dashboard>,
    Query(watched): Query<Watched>,
    visitor: Result<Visitor, Response>,
) -> Response {
    let visitor = match visitor {
        Ok(visitor) => visitor,
        // A browser's event source cannot follow to a page: it is told where to go.
        Err(response) if response.status().is_redirection() => {
            return events(stream::iter([signed_out(&watched)]));
        }
        Err(response) => return response,
    };
    let Some(open) = dashboard.open_pages().open(&watched.site) else {
        return events(stream::iter([event("full", &"")]));
    };
    let message = v1::WatchFleetRequest {
        site_id: watched.site.clone(),
        machine_ids: if watched.machine.is_empty() { Vec::new() } else { vec![watched.machine.clone()] },
    };
    let mut client = dashboard.clients().fleet();
    match client.watch_fleet(visitor.caller.request(message)).await {
        Ok(answer) => {
            let reading = visitor.reader;
            events(page_events(Page { watch: Some(answer.into_inner()), open, reader: reading, watched }))
        }
        Err(status) => events(stream::iter([ended(status, &watched)])),
    }
}

fn events(stream: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let body = Body::from_stream(stream.map(Ok::<Bytes, std::convert::Infallible>));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // A proxy that gathers would hold stops back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (StatusCode::OK, headers, body).into_response()
}

/// One event. JSON has no line breaks, so that it is one line.
fn event(kind: &str, content: &impl Serialize) -> Bytes {
    let json = serde_json::to_string(content).unwrap_or_else(|_| "null".to_owned());
    Bytes::from(format!("event: {kind}\ndata: {json}\n\n"))
}

/// What one open page needs.
struct Page {
    /// None: it has ended, and the page was told.
    watch: Option<Streaming<v1::WatchFleetResponse>>,
    open: OpenPage,
    reader: Reader,
    watched: Watched,
}

fn page_events(page: Page) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((page, Sent::default()), |(mut page, mut sent)| async move {
        let watch = page.watch.as_mut()?;
        let (batch, end) = gather(watch, &sent).await;
        if let Some(status) = end.as_ref().filter(|_| batch.is_empty()) {
            page.watch = None;
            return Some((ended(status.clone(), &page.watched), (page, sent)));
        }
        let now_ms = clock::now().as_millisecond();
        let update = event("tiles", &sent.update(batch, page.reader, page.open.count(), now_ms));
        let Some(status) = end else { return Some((update, (page, sent))) };
        page.watch = None;
        Some(([update, ended(status, &page.watched)].concat().into(), (page, sent)))
    })
}

/// What comes within the gathering time, or up to a stop, and why nothing more comes if it has ended.
async fn gather(watch: &mut Streaming<v1::WatchFleetResponse>, sent: &Sent) -> (Batch, Option<Status>) {
    let mut batch = Batch::default();
    match timeout(SILENCE_MAX, watch.message()).await {
        Ok(Ok(Some(message))) => batch.take(message, sent),
        Ok(Ok(None)) => return (batch, Some(Status::unavailable("the watch ended"))),
        Ok(Err(status)) => return (batch, Some(status)),
        Err(_silent) => return (batch, Some(Status::unavailable("the watch is silent"))),
    }
    let until = deadline();
    while !batch.is_urgent() && !batch.is_full() {
        match timeout_at(until, watch.message()).await {
            Ok(Ok(Some(message))) => batch.take(message, sent),
            Ok(Ok(None)) => return (batch, Some(Status::unavailable("the watch ended"))),
            Ok(Err(status)) => return (batch, Some(status)),
            Err(_elapsed) => break,
        }
    }
    (batch, None)
}

fn deadline() -> Instant {
    Instant::now() + GATHER_TIME
}

fn signed_out(watched: &Watched) -> Bytes {
    event("signed-out", &crate::visitor::sign_in_path(&watched.page))
}

fn ended(status: Status, watched: &Watched) -> Bytes {
    match Failure::from(status).kind {
        FailureKind::SignedOut | FailureKind::NotAllowed => signed_out(watched),
        FailureKind::TooMany => event("full", &""),
        FailureKind::NotFound | FailureKind::Wrong | FailureKind::Outage => event("broken", &""),
    }
}
