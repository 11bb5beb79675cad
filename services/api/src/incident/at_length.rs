//! Work that takes longer than a request may: it streams how far it is, and ends when its client goes.

use std::pin::Pin;

use futures::Stream;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::status::ApiError;

/// Responses that wait for a slow client. More: the work waits.
const RESPONSES_WAITING: usize = 4;

/// Who waits for the work.
#[derive(Debug)]
pub(super) struct Client<R>(mpsc::Sender<Result<R, ApiError>>);

impl<R> Client<R> {
    /// Tells it something; one that has gone is noticed elsewhere.
    pub(super) async fn tell(&self, response: R) {
        let _ = self.0.send(Ok(response)).await;
    }
}

/// Does `work` while its client listens, in a place that is held until the end.
pub(super) fn at_length<R, F>(
    stopping: CancellationToken,
    slot: OwnedSemaphorePermit,
    work: impl FnOnce(Client<R>) -> F,
) -> Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>
where
    R: Send + 'static,
    F: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let (client, mut responses) = mpsc::channel(RESPONSES_WAITING);
    let work = work(Client(client.clone()));
    tokio::spawn(async move {
        let _slot = slot;
        let result = tokio::select! {
            // Nobody waits for it any more.
            () = client.closed() => return,
            () = stopping.cancelled() => Err(ApiError::Stopping),
            result = work => result,
        };
        if let Err(error) = result {
            if error.is_ours() {
                tracing::error!(error = %error, "work at length failed");
            }
            // Who has gone meanwhile needs no answer.
            let _ = client.send(Err(error)).await;
        }
    });
    Box::pin(futures::stream::poll_fn(move |context| {
        responses.poll_recv(context).map(|next| next.map(|next| next.map_err(|error| error.to_status())))
    }))
}
