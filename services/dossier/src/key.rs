//! The server's key and what it signs.

use std::fmt;

use ed25519_dalek::{Signature, Signer, VerifyingKey};

use crate::words::sha256;

/// The server's key for dossiers and heads: Ed25519 (RFC 8032).
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of this seed, which is the secret key of RFC 8032.
    pub fn from_seed(seed: [u8; 32]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key's fingerprint, in 64 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.public())
    }

    pub(crate) fn sign(&self, octets: &[u8]) -> [u8; 64] {
        self.0.sign(octets).to_bytes()
    }
}

/// The secret is not shown.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.fingerprint()).finish()
    }
}

/// SHA-256 of a public key's 32 octets, in 64 hexadecimal digits.
pub fn fingerprint(public: &[u8; 32]) -> String {
    hex::encode(sha256(public))
}

/// Whether this key has signed these octets. A key that would accept more than its own signatures is none.
pub(crate) fn is_signed(public: &[u8; 32], signature: &[u8; 64], octets: &[u8]) -> bool {
    let signature = Signature::from_bytes(signature);
    VerifyingKey::from_bytes(public).is_ok_and(|key| key.verify_strict(octets, &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test 1 of RFC 8032, section 7.1.
    #[test]
    fn keys_and_signatures_are_those_of_the_rfc() {
        let octets = |digits: &str| hex::decode(digits).unwrap();
        let seed = octets("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SigningKey::from_seed(seed.try_into().unwrap());
        assert_eq!(
            hex::encode(key.public()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let signature = key.sign(b"");
        let expected = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
        assert_eq!(hex::encode(signature), expected);
        assert!(is_signed(&key.public(), &signature, b""));
        assert!(!is_signed(&key.public(), &signature, b"a"));
        assert!(!is_signed(&SigningKey::from_seed([1; 32]).public(), &signature, b""));
    }

    /// The point of order one signs everything by the equation alone.
    #[test]
    fn a_weak_key_signs_nothing() {
        let mut weak = [0; 32];
        weak[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!is_signed(&weak, &signature, b"anything"));
    }

    #[test]
    fn the_secret_is_not_shown() {
        let key = SigningKey::from_seed([7; 32]);
        let shown = format!("{key:?}");
        assert!(shown.contains(&key.fingerprint()) && !shown.contains("07, 07"), "{shown}");
    }
}
