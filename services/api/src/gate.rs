//! The way into every method of ours: who calls, may it, how long may it take; and the way out: log, metric, status.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::limits;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};

use crate::access::{Access, Caller, Credentials, Permission, Scope};
use crate::metrics;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

const REQUEST_TIME: Duration = Duration::from_micros(limits::API_REQUEST_TIME_US);

/// Lets requests in and answers out.
#[derive(Debug)]
pub(crate) struct Gate {
    access: Access,
    surroundings: Arc<dyn Surroundings>,
    requests: Semaphore,
}

impl Gate {
    pub(crate) fn new(access: Access, surroundings: Arc<dyn Surroundings>) -> Gate {
        Gate { access, surroundings, requests: Semaphore::new(limits::API_REQUESTS_MAX) }
    }

    /// Does `work` for a caller that may do it, within the time for one request.
    pub(crate) async fn answer<Q, A, W, F>(
        &self,
        method: &'static str,
        permission: Permission,
        request: Request<Q>,
        work: W,
    ) -> Result<Response<A>, Status>
    where
        W: FnOnce(Caller, Scope, Q) -> F,
        F: Future<Output = Result<A, ApiError>>,
    {
        let began = now();
        let credentials = Credentials::of(&request);
        let all = async {
            // Closed never: the gate owns the semaphore.
            let _turn = self.requests.acquire().await;
            let (caller, scope) = self.admit(&credentials, permission).await?;
            work(caller, scope, request.into_inner()).await
        };
        let result = match tokio::time::timeout(REQUEST_TIME, all).await {
            Ok(result) => result,
            Err(_) => Err(ApiError::Late { seconds: REQUEST_TIME.as_secs() }),
        };
        let code = result.as_ref().err().map_or(Code::Ok, |error| error.code().0);
        metrics::request_answered(method, code, began.elapsed());
        result.map(Response::new).map_err(|error| refuse(method, &credentials, &error))
    }

    async fn admit(
        &self,
        credentials: &Credentials,
        permission: Permission,
    ) -> Result<(Caller, Scope), ApiError> {
        let now = self.surroundings.now();
        Ok(self.access.admit(credentials, permission, now).await??)
    }
}

/// Logs why a request has no answer, once, and makes the status for its caller.
fn refuse(method: &'static str, credentials: &Credentials, error: &ApiError) -> Status {
    let (code, reason) = error.code();
    let peer = credentials.peer();
    if let ApiError::Denied(denied) = error {
        metrics::request_denied(denied.reason());
        tracing::warn!(rpc.method = method, peer, reason, "request was not let in");
    } else if error.is_ours() {
        tracing::error!(rpc.method = method, peer, rpc.code = ?code, error = %error, "request failed");
    } else {
        tracing::debug!(rpc.method = method, peer, rpc.code = ?code, error = %error, "request was refused");
    }
    error.to_status()
}

#[expect(clippy::disallowed_methods, reason = "the gate is a body: it measures how long answers take")]
fn now() -> Instant {
    Instant::now()
}
