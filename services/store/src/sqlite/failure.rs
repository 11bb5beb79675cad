//! What went wrong in SQLite, in the store's words.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::{StoreError, StoreErrorKind};

/// Why a piece of work failed: SQLite, or something that the work itself found.
#[derive(Debug)]
pub(super) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Failure {
        Failure::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Store(error)
    }
}

impl Failure {
    /// A value in the file is none that was ever written.
    pub(super) fn corrupt(what: impl Into<String>) -> Failure {
        Failure::Store(StoreError::new(StoreErrorKind::Corrupt, what))
    }

    /// Says in which file something was found, for whoever opens it.
    pub(super) fn found_when(self, doing: &str, path: &Path) -> Failure {
        match self {
            Failure::Store(error) => {
                let (kind, path, context) = (error.kind, path.display(), error.context);
                Failure::Store(StoreError::new(
                    kind,
                    format!("{doing} {path} failed: {context}; {}", advice(kind)),
                ))
            }
            Failure::Sqlite(error) => Failure::Sqlite(error),
        }
    }

    /// The store's error: what was being done to which file, and what helps.
    pub(super) fn explain(self, doing: &str, path: &Path) -> StoreError {
        match self {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => {
                let kind = kind_of(&error);
                let context = format!("{doing} {} failed: {error}; {}", path.display(), advice(kind));
                StoreError::with_source(kind, context, error)
            }
        }
    }
}

/// SQLite's codes that have a kind of their own; all others are failures of the disk or the system.
const KINDS: [(ErrorCode, StoreErrorKind); 6] = [
    (ErrorCode::DiskFull, StoreErrorKind::Full),
    (ErrorCode::DatabaseCorrupt, StoreErrorKind::Corrupt),
    (ErrorCode::NotADatabase, StoreErrorKind::Corrupt),
    (ErrorCode::TypeMismatch, StoreErrorKind::Corrupt),
    (ErrorCode::ConstraintViolation, StoreErrorKind::Conflict),
    (ErrorCode::TooBig, StoreErrorKind::Invalid),
];

fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    match error.sqlite_error_code() {
        Some(code) => {
            let known = KINDS.iter().find(|(other, _)| *other == code);
            known.map_or(StoreErrorKind::Unavailable, |(_, kind)| *kind)
        }
        // A column or value of another type than was written.
        None => StoreErrorKind::Corrupt,
    }
}

fn advice(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Unavailable | StoreErrorKind::Timeout => {
            "see that its folder can be read and written and that no other program holds it"
        }
        StoreErrorKind::Full => "free some space on its disk",
        StoreErrorKind::Corrupt => "stop the server and restore a backup of its folder",
        StoreErrorKind::IncompatibleVersion => "use the version that wrote it, or a newer one",
        StoreErrorKind::Conflict | StoreErrorKind::Invalid => "this cannot be written",
    }
}
