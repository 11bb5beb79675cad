//! Errors become gRPC statuses here, once: one message for the caller, another for the log.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use store::{StoreError, StoreErrorKind};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

use crate::access::Denied;

/// The domain of every `ErrorInfo`.
const ERROR_DOMAIN: &str = "beltwatch";

/// A field of a request that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The field's name as in the schema, such as `range.start_time`.
    pub(crate) field: &'static str,
    /// What it is and what is allowed.
    pub(crate) description: String,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// Fields are not what they should be; never empty.
    Fields(Vec<Violation>),
    /// The caller is not known or not allowed.
    Denied(Denied),
    /// There is none that the caller may see.
    NotFound { what: &'static str, id: String },
    /// The id belongs to another one.
    Taken { what: &'static str, id: String },
    /// The link is unknown, used or out of date.
    NoLink,
    /// There were too many failures; when to try again.
    TooManyAttempts { seconds: u64 },
    /// Too many passwords wait to be hashed.
    Busy,
    /// Nobody would be left who may administer all sites.
    LastAdministrator,
    /// Two machines would stand on one place.
    PlaceTaken,
    /// Something else has to be done first; the reason in one word, and what.
    NotNow { reason: &'static str, message: String },
    /// There is room for so many and no more.
    Full { what: &'static str, max: usize },
    /// The credential of a machine could not be made; why, for the log.
    NoCredential(String),
    /// The dossier of an incident could not be made; why, for the log.
    NoDossier(String),
    /// There are too many watchers.
    WatchersFull { max: usize },
    /// There are too many rehearsals of thresholds.
    RehearsalsFull { max: usize },
    /// It took too long.
    Late { seconds: u64 },
    /// The server is stopping.
    Stopping,
    /// The operating system gave no random octets.
    NoRandomness(getrandom::Error),
    /// A store failed.
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        ApiError::Store(error)
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> ApiError {
        ApiError::Denied(denied)
    }
}

impl From<Violation> for ApiError {
    fn from(violation: Violation) -> ApiError {
        ApiError::Fields(vec![violation])
    }
}

/// What the log is told; it may say more than the caller is told.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ApiError::Store(error) => {
                write!(f, "{error}")?;
                let mut source = std::error::Error::source(error);
                while let Some(error) = source {
                    write!(f, ": {error}")?;
                    source = error.source();
                }
                Ok(())
            }
            ApiError::NoRandomness(error) => write!(f, "the operating system gave no random octets: {error}"),
            ApiError::NoCredential(reason) => write!(f, "a machine's credential could not be made: {reason}"),
            ApiError::NoDossier(reason) => write!(f, "a dossier could not be made: {reason}"),
            ApiError::Fields(_)
            | ApiError::Denied(_)
            | ApiError::NotFound { .. }
            | ApiError::Taken { .. }
            | ApiError::NoLink
            | ApiError::TooManyAttempts { .. }
            | ApiError::Busy
            | ApiError::LastAdministrator
            | ApiError::PlaceTaken
            | ApiError::NotNow { .. }
            | ApiError::Full { .. }
            | ApiError::WatchersFull { .. }
            | ApiError::RehearsalsFull { .. }
            | ApiError::Late { .. }
            | ApiError::Stopping => f.write_str(&self.message()),
        }
    }
}

impl ApiError {
    /// The status code, and the reason in one word for programs.
    pub(crate) fn code(&self) -> (Code, &'static str) {
        match self {
            ApiError::Fields(_) => (Code::InvalidArgument, "INVALID_FIELD"),
            ApiError::Denied(denied) if denied.is_known() => (Code::PermissionDenied, denied.reason()),
            ApiError::Denied(denied) => (Code::Unauthenticated, denied.reason()),
            ApiError::NotFound { .. } => (Code::NotFound, "NOT_FOUND"),
            ApiError::Taken { .. } => (Code::AlreadyExists, "ID_TAKEN"),
            ApiError::NoLink => (Code::NotFound, "NO_LINK"),
            ApiError::TooManyAttempts { .. } => (Code::ResourceExhausted, "TOO_MANY_ATTEMPTS"),
            ApiError::Busy => (Code::ResourceExhausted, "BUSY"),
            ApiError::LastAdministrator => (Code::FailedPrecondition, "LAST_ADMINISTRATOR"),
            ApiError::PlaceTaken => (Code::FailedPrecondition, "PLACE_TAKEN"),
            ApiError::NotNow { reason, .. } => (Code::FailedPrecondition, reason),
            ApiError::Full { .. } => (Code::ResourceExhausted, "TOO_MANY"),
            ApiError::NoCredential(_) => (Code::Internal, "NO_CREDENTIAL"),
            ApiError::NoDossier(_) => (Code::Internal, "NO_DOSSIER"),
            ApiError::WatchersFull { .. } => (Code::ResourceExhausted, "TOO_MANY_WATCHERS"),
            ApiError::RehearsalsFull { .. } => (Code::ResourceExhausted, "TOO_MANY_REHEARSALS"),
            ApiError::Late { .. } => (Code::DeadlineExceeded, "TOO_SLOW"),
            ApiError::Stopping => (Code::Unavailable, "STOPPING"),
            ApiError::NoRandomness(_) => (Code::Internal, "NO_RANDOMNESS"),
            ApiError::Store(error) => match error.kind {
                StoreErrorKind::Unavailable => (Code::Unavailable, "STORE_UNAVAILABLE"),
                StoreErrorKind::Timeout => (Code::Unavailable, "STORE_TIMEOUT"),
                StoreErrorKind::Full => (Code::ResourceExhausted, "STORE_FULL"),
                StoreErrorKind::Conflict => (Code::Aborted, "STORE_CONFLICT"),
                StoreErrorKind::Corrupt => (Code::DataLoss, "STORE_CORRUPT"),
                StoreErrorKind::IncompatibleVersion => (Code::FailedPrecondition, "STORE_NEWER"),
                StoreErrorKind::Invalid => (Code::Internal, "STORE_INVALID"),
            },
        }
    }

    /// What the caller is told. A store's own words stay in the log: they may name files and hosts.
    pub(crate) fn message(&self) -> String {
        match self {
            ApiError::Fields(violations) => {
                let all: Vec<String> =
                    violations.iter().map(|one| format!("{} {}", one.field, one.description)).collect();
                all.join("; ")
            }
            ApiError::Denied(denied) => denied.to_string(),
            ApiError::NotFound { what, id } => format!("there is no {what} \"{id}\" that you may see"),
            ApiError::Taken { what, id } => {
                format!("the id \"{id}\" belongs to another {what}; choose another id")
            }
            ApiError::NoLink => {
                "the link is not known, was used, or is out of date; ask for a new one".to_owned()
            }
            ApiError::TooManyAttempts { seconds } => {
                format!("there were too many failures; try again in {seconds} s")
            }
            ApiError::Busy => "too many people sign in at once; try again in a moment".to_owned(),
            ApiError::LastAdministrator => {
                "nobody would be left who may administer all sites; make another administrator first"
                    .to_owned()
            }
            ApiError::PlaceTaken => "two machines would stand on one place; choose another".to_owned(),
            ApiError::NotNow { message, .. } => message.clone(),
            ApiError::Full { what, max } => format!("there are {max} {what}, no more are allowed"),
            ApiError::NoCredential(_) => {
                "the machine's credential could not be made; the server's log says why".to_owned()
            }
            ApiError::NoDossier(_) => "the dossier could not be made; the server's log says why".to_owned(),
            ApiError::WatchersFull { max } => {
                format!("{max} watchers are connected, no more are allowed; try later")
            }
            ApiError::RehearsalsFull { max } => {
                format!("a rehearsal is under way, and {max} is allowed at once; try again when it is over")
            }
            ApiError::Late { seconds } => format!("no answer within {seconds} s; ask for less or try later"),
            ApiError::Stopping => "the server is stopping; call again".to_owned(),
            ApiError::NoRandomness(_) => "the server cannot make secrets now; its log says why".to_owned(),
            ApiError::Store(error) => match error.kind {
                StoreErrorKind::Unavailable => "the store cannot be reached now; try again".to_owned(),
                StoreErrorKind::Timeout => "the store did not answer in time; try again".to_owned(),
                StoreErrorKind::Full => "the server's disk is full; nothing was changed".to_owned(),
                StoreErrorKind::Conflict => "somebody else changed the same thing; try again".to_owned(),
                StoreErrorKind::Corrupt => {
                    "a part of the store is damaged; the server's log says which".to_owned()
                }
                StoreErrorKind::IncompatibleVersion => {
                    "the store was written by a newer version of the server".to_owned()
                }
                StoreErrorKind::Invalid => {
                    "the server asked its store for nonsense; its log says what".to_owned()
                }
            },
        }
    }

    /// Whether somebody who runs the server should look at it.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            ApiError::Store(_)
            | ApiError::NoRandomness(_)
            | ApiError::NoCredential(_)
            | ApiError::NoDossier(_)
            | ApiError::Late { .. } => true,
            ApiError::Fields(_)
            | ApiError::Denied(_)
            | ApiError::NotFound { .. }
            | ApiError::Taken { .. }
            | ApiError::NoLink
            | ApiError::TooManyAttempts { .. }
            | ApiError::Busy
            | ApiError::LastAdministrator
            | ApiError::PlaceTaken
            | ApiError::NotNow { .. }
            | ApiError::Full { .. }
            | ApiError::WatchersFull { .. }
            | ApiError::RehearsalsFull { .. }
            | ApiError::Stopping => false,
        }
    }

    /// The status, with its reason and field violations.
    pub(crate) fn to_status(&self) -> Status {
        let (code, reason) = self.code();
        let mut details = ErrorDetails::with_error_info(reason, ERROR_DOMAIN, HashMap::new());
        match self {
            ApiError::Fields(violations) => {
                let violations =
                    violations.iter().map(|one| FieldViolation::new(one.field, &one.description));
                details.set_bad_request(violations.collect::<Vec<_>>());
            }
            ApiError::NotFound { what, id } | ApiError::Taken { what, id } => {
                details.set_resource_info(format!("beltwatch.v1/{what}"), id, "", "");
            }
            ApiError::TooManyAttempts { seconds } => {
                details.set_retry_info(Some(Duration::from_secs(*seconds)));
            }
            ApiError::Busy => {
                details.set_retry_info(Some(Duration::from_secs(1)));
            }
            ApiError::Denied(_)
            | ApiError::NoLink
            | ApiError::LastAdministrator
            | ApiError::PlaceTaken
            | ApiError::NotNow { .. }
            | ApiError::Full { .. }
            | ApiError::NoCredential(_)
            | ApiError::NoDossier(_)
            | ApiError::WatchersFull { .. }
            | ApiError::RehearsalsFull { .. }
            | ApiError::Late { .. }
            | ApiError::Stopping
            | ApiError::NoRandomness(_)
            | ApiError::Store(_) => {}
        }
        Status::with_error_details(code, self.message(), details)
    }
}
