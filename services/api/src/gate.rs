//! The way into every method of ours: who calls, may it, how long may it take; and the way out: log, metric, audit,
//! status.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::limits;
use tokio::sync::Semaphore;
use tonic::{Code, Request, Response, Status};

use crate::access::rights::{self, Need, Permission};
use crate::access::{Access, Caller, Credentials, Denied, Scope};
use crate::audit::{Audit, Refused};
use crate::metrics;
use crate::status::ApiError;
use crate::surroundings::Surroundings;

const REQUEST_TIME: Duration = Duration::from_micros(limits::API_REQUEST_TIME_US);

/// Lets requests in and answers out.
#[derive(Debug)]
pub(crate) struct Gate {
    access: Access,
    audit: Audit,
    surroundings: Arc<dyn Surroundings>,
    requests: Semaphore,
}

impl Gate {
    pub(crate) fn new(access: Access, audit: Audit, surroundings: Arc<dyn Surroundings>) -> Gate {
        Gate { access, audit, surroundings, requests: Semaphore::new(limits::API_REQUESTS_MAX) }
    }

    /// Does `work` for a caller that may call `method` of the table of rights, within the time for one request.
    pub(crate) async fn answer<Q, A, W, F>(
        &self,
        method: &'static str,
        request: Request<Q>,
        work: W,
    ) -> Result<Response<A>, Status>
    where
        W: FnOnce(Caller, Scope, Q) -> F,
        F: Future<Output = Result<A, ApiError>>,
    {
        let began = now();
        let (metadata, extensions, message) = request.into_parts();
        let credentials = Credentials::of(metadata.as_ref(), &extensions);
        let mut name = "unknown".to_owned();
        let all = async {
            // Closed never: the gate owns the semaphore.
            let _turn = self.requests.acquire().await;
            let admitted = self.admit(&credentials, method);
            let (caller, scope) = admitted.map_err(|(author, denied)| {
                name = author;
                denied
            })?;
            name = caller.name();
            work(caller, scope, message).await
        };
        let result = match tokio::time::timeout(REQUEST_TIME, all).await {
            Ok(result) => result,
            Err(_) => Err(ApiError::Late { seconds: REQUEST_TIME.as_secs() }),
        };
        let code = result.as_ref().err().map_or(Code::Ok, |error| error.code().0);
        metrics::request_answered(method, code, began.elapsed());
        result.map(Response::new).map_err(|error| self.refuse(method, name, &credentials, &error))
    }

    /// Who brings these credentials, and what they may reach with a method.
    ///
    /// # Errors
    /// Who was not let in, as facts name callers, and why.
    pub(crate) fn admit(
        &self,
        credentials: &Credentials,
        method: &str,
    ) -> Result<(Caller, Scope), (String, Denied)> {
        let by_nobody = |denied| ("unknown".to_owned(), denied);
        let (need, now) = (need(method).map_err(by_nobody)?, self.surroundings.now());
        let caller = self.access.caller(credentials, need, now).map_err(by_nobody)?;
        let scope = self.access.scope(&caller, need, now).map_err(|denied| (caller.name(), denied))?;
        Ok((caller, scope))
    }

    /// What a caller who was let in before may reach with a method now.
    pub(crate) fn scope(&self, caller: &Caller, method: &'static str) -> Result<Scope, Denied> {
        self.access.scope(caller, need(method)?, self.surroundings.now())
    }

    /// Where a caller who was let in before has one more permission now.
    pub(crate) fn reach(&self, caller: &Caller, permission: Permission) -> Scope {
        let nowhere = |_| Scope::Sites(BTreeSet::new());
        self.access.scope(caller, Need::Some(permission), self.surroundings.now()).unwrap_or_else(nowhere)
    }

    /// Notes a refusal for the audit.
    pub(crate) fn note(&self, refused: Refused) {
        metrics::request_denied(refused.reason);
        let Refused { author, method, reason, peer, .. } = &refused;
        tracing::warn!(rpc.method = method, caller = author, peer, reason, "request was not let in");
        self.audit.note(refused);
    }

    /// Logs why a request has no answer, once, and makes the status for its caller.
    fn refuse(
        &self,
        method: &'static str,
        author: String,
        credentials: &Credentials,
        error: &ApiError,
    ) -> Status {
        let (code, reason) = error.code();
        let peer = credentials.peer_name();
        match error {
            // Noted where it was found, with the name that was tried.
            ApiError::Denied(Denied::WrongPassword) | ApiError::TooManyAttempts { .. } => {}
            ApiError::Denied(_) | ApiError::NoLink => {
                let (method, subject) = (method.to_owned(), String::new());
                self.note(Refused { author, method, reason, subject, peer });
            }
            ApiError::Store(_)
            | ApiError::NoRandomness(_)
            | ApiError::NoCredential(_)
            | ApiError::NoDossier(_)
            | ApiError::Late { .. } => {
                tracing::error!(rpc.method = method, peer, rpc.code = ?code, error = %error, "request failed");
            }
            ApiError::Fields(_)
            | ApiError::NotFound { .. }
            | ApiError::Taken { .. }
            | ApiError::Busy
            | ApiError::LastAdministrator
            | ApiError::PlaceTaken
            | ApiError::NotNow { .. }
            | ApiError::Full { .. }
            | ApiError::WatchersFull { .. }
            | ApiError::RehearsalsFull { .. }
            | ApiError::Stopping => {
                tracing::debug!(rpc.method = method, peer, reason, error = %error, "request was refused");
            }
        }
        error.to_status()
    }
}

/// What is not in the table is refused to everybody; a test holds the table against the schema.
fn need(method: &str) -> Result<Need, Denied> {
    rights::need(method).ok_or(Denied::NotAllowed)
}

#[expect(clippy::disallowed_methods, reason = "the gate is a body: it measures how long answers take")]
fn now() -> Instant {
    Instant::now()
}
