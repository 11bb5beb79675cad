//! Secrets that callers show: made here, shown once, kept as hashes only.

use sha2::{Digest, Sha256};
use store::registry::SecretHash;

/// What kind of secret it is; every one begins with its kind and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// A program's token.
    Token,
    /// Somebody's session.
    Session,
    /// A link's code.
    Link,
    /// What the operator of the server shows, on the same computer.
    Operator,
}

impl SecretKind {
    const ALL: [SecretKind; 4] =
        [SecretKind::Token, SecretKind::Session, SecretKind::Link, SecretKind::Operator];

    fn prefix(self) -> &'static str {
        match self {
            SecretKind::Token => "bw1_",
            SecretKind::Session => "bws1_",
            SecretKind::Link => "bwl1_",
            SecretKind::Operator => "bwo1_",
        }
    }
}

/// A new secret of 256 random bits.
///
/// # Errors
/// The operating system gives no random octets.
pub fn new_secret(kind: SecretKind) -> Result<String, getrandom::Error> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)?;
    Ok(format!("{}{}", kind.prefix(), hex::encode(octets)))
}

/// What is kept of a secret.
pub fn secret_hash(secret: &str) -> SecretHash {
    Sha256::digest(secret).into()
}

/// The kind and hash of what somebody shows; `None`: it is no secret of ours.
pub(crate) fn read(secret: &str) -> Option<(SecretKind, SecretHash)> {
    let kind = SecretKind::ALL.into_iter().find(|kind| {
        secret.strip_prefix(kind.prefix()).is_some_and(|digits| {
            digits.len() == 64 && digits.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        })
    })?;
    Some((kind, secret_hash(secret)))
}
