//! What can go wrong with a store, and whether trying again may help.

/// The kinds a caller may branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// The store cannot be reached or opened now.
    Unavailable,
    /// It did not answer in time.
    Timeout,
    /// The disk or a quota is full.
    Full,
    /// Somebody else changed the same thing first.
    Conflict,
    /// What was read is not what was written.
    Corrupt,
    /// The store was written by a newer version.
    IncompatibleVersion,
    /// What was asked for can never be.
    Invalid,
}

impl StoreErrorKind {
    /// Whether the same call may succeed later.
    pub fn is_retryable(self) -> bool {
        match self {
            StoreErrorKind::Unavailable | StoreErrorKind::Timeout | StoreErrorKind::Full => true,
            StoreErrorKind::Conflict
            | StoreErrorKind::Corrupt
            | StoreErrorKind::IncompatibleVersion
            | StoreErrorKind::Invalid => false,
        }
    }
}

/// A store's failure: what was being done, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct StoreError {
    /// What a caller may branch on.
    pub kind: StoreErrorKind,
    /// What was being done, to what, and what helps, in one sentence.
    pub context: String,
    /// The engine's own error.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A failure without an error of the engine's beneath it.
    pub fn new(kind: StoreErrorKind, context: impl Into<String>) -> StoreError {
        StoreError { kind, context: context.into(), source: None }
    }

    /// A failure with the engine's own error beneath it.
    pub fn with_source(
        kind: StoreErrorKind,
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> StoreError {
        StoreError { kind, context: context.into(), source: Some(source.into()) }
    }
}
