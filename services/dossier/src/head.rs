//! A head that is signed and sent outside, so that somebody else holds it.

use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::key::{SigningKey, fingerprint, is_signed};
use crate::merkle::Head;
use crate::words::{octets, plain, quoted};

const FORMAT: &str = "beltwatch-head/1";

/// A signed head, as it is sent and kept: JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// `beltwatch-head/1`.
    pub format: String,
    /// How many facts it covers.
    pub facts: u64,
    /// Root of the tree over their leaves, in 64 hexadecimal digits.
    pub root: String,
    /// When it was signed, in microseconds since 1970.
    #[serde(rename = "time_us")]
    pub time: UnixMicros,
    /// Fingerprint of the key.
    pub fingerprint: String,
    /// Public key, in 64 hexadecimal digits.
    pub key: String,
    /// Signature, in 128 hexadecimal digits.
    pub signature: String,
}

/// Why a signed head proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadProblem {
    /// It is no such JSON.
    #[error("this is no signed head: {0}")]
    Damaged(String),
    /// The signature is not of this head by this key.
    #[error("the head was not signed by the key with fingerprint {0}: the head or the signature was changed")]
    Signature(String),
    /// Another server signed it.
    #[error("the head was signed by another server: fingerprint {found}, expected {expected}")]
    OtherServer {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
}

impl SignedHead {
    /// Signs a head at this time.
    pub fn sign(head: Head, time: UnixMicros, key: &SigningKey) -> SignedHead {
        let (root, fingerprint) = (hex::encode(head.root), key.fingerprint());
        let signature = key.sign(signed(head.facts, &root, time, &fingerprint).as_bytes());
        SignedHead {
            format: FORMAT.to_owned(),
            facts: head.facts,
            root,
            time,
            fingerprint,
            key: hex::encode(key.public()),
            signature: hex::encode(signature),
        }
    }

    /// As it is sent: compact JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers become JSON")
    }

    /// From JSON, not verified yet.
    ///
    /// # Errors
    /// It is no signed head.
    pub fn from_json(json: &str) -> Result<SignedHead, HeadProblem> {
        serde_json::from_str(json).map_err(|error| HeadProblem::Damaged(error.to_string()))
    }

    /// The head, if its key signed it and has the expected fingerprint. Without one it says only that somebody signed it.
    ///
    /// # Errors
    /// It is damaged, changed, or another server's.
    pub fn verify(&self, expected: Option<&str>) -> Result<Head, HeadProblem> {
        let damaged = |what: &str| HeadProblem::Damaged(what.to_owned());
        if self.format != FORMAT {
            return Err(HeadProblem::Damaged(format!("its format is {}", quoted(&self.format))));
        }
        let root = octets(&self.root).ok_or_else(|| damaged("its root is no hash"))?;
        let key = octets(&self.key).ok_or_else(|| damaged("its key is no key"))?;
        let signature = octets(&self.signature).ok_or_else(|| damaged("its signature is none"))?;
        let found = fingerprint(&key);
        let message = signed(self.facts, &self.root, self.time, &self.fingerprint);
        if found != self.fingerprint || !is_signed(&key, &signature, message.as_bytes()) {
            return Err(HeadProblem::Signature(found));
        }
        if let Some(expected) = expected.map(plain).filter(|expected| *expected != found) {
            return Err(HeadProblem::OtherServer { found, expected });
        }
        Ok(Head { facts: self.facts, root })
    }
}

/// The octets that are signed.
fn signed(facts: u64, root: &str, time: UnixMicros, fingerprint: &str) -> String {
    format!("{FORMAT}\n{facts}\n{root}\n{}\n{fingerprint}", time.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_octet_of_a_signed_head_is_found() {
        let key = SigningKey::from_seed([3; 32]);
        let head = Head { facts: 1_000, root: [9; 32] };
        let text = SignedHead::sign(head, UnixMicros(1_795_272_611_250_000), &key).to_json();
        let ours = key.fingerprint();
        let verified = |text: &str| SignedHead::from_json(text).and_then(|head| head.verify(Some(&ours)));
        assert_eq!(verified(&text), Ok(head));
        for place in 0..text.len() {
            let mut octets = text.clone().into_bytes();
            octets[place] ^= 1;
            let Ok(changed) = String::from_utf8(octets) else { continue };
            assert!(verified(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn another_servers_head_is_named() {
        let (key, other) = (SigningKey::from_seed([3; 32]), SigningKey::from_seed([4; 32]));
        let head = Head { facts: 1, root: [9; 32] };
        let signed = SignedHead::sign(head, UnixMicros(5), &other);
        assert_eq!(signed.verify(None), Ok(head));
        let (found, expected) = (other.fingerprint(), key.fingerprint());
        assert_eq!(
            signed.verify(Some(&expected.to_uppercase())),
            Err(HeadProblem::OtherServer { found, expected })
        );
    }
}
