//! Page tokens: opaque to callers, versioned, bound to the request that they continue, and not to be forged.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::keys::MachineKey;

const VERSION: u8 = 1;
const MAC_OCTETS: usize = 16;
const REQUEST_OCTETS: usize = 8;

/// Why a page token cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPageToken {
    /// It did not come from this server, or was changed.
    #[error("page_token is not one that this server gave")]
    NotOurs,
    /// It belongs to a request with other fields.
    #[error("page_token belongs to a request with other fields; repeat them as they were")]
    OtherRequest,
}

/// Makes a token that continues `request` (its fields other than the page's, in any fixed encoding) at `cursor`.
pub fn encode(key: &MachineKey, request: &[u8], cursor: &[u8]) -> String {
    let mut token = vec![VERSION];
    token.extend_from_slice(&Sha256::digest(request)[..REQUEST_OCTETS]);
    token.extend_from_slice(cursor);
    let mac = mac(key, &token).finalize().into_bytes();
    token.extend_from_slice(&mac[..MAC_OCTETS]);
    hex::encode(token)
}

/// The cursor of a token that this server made for the same request.
pub fn decode(key: &MachineKey, request: &[u8], token: &str) -> Result<Vec<u8>, InvalidPageToken> {
    let octets = hex::decode(token).map_err(|_| InvalidPageToken::NotOurs)?;
    let cut = octets.len().checked_sub(MAC_OCTETS).ok_or(InvalidPageToken::NotOurs)?;
    let (token, proof) = octets.split_at(cut);
    mac(key, token).verify_truncated_left(proof).map_err(|_| InvalidPageToken::NotOurs)?;
    if token.len() < 1 + REQUEST_OCTETS || token[0] != VERSION {
        return Err(InvalidPageToken::NotOurs);
    }
    if token[1..=REQUEST_OCTETS] != Sha256::digest(request)[..REQUEST_OCTETS] {
        return Err(InvalidPageToken::OtherRequest);
    }
    Ok(token[1 + REQUEST_OCTETS..].to_vec())
}

fn mac(key: &MachineKey, token: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.octets()).expect("HMAC takes any key length");
    mac.update(b"beltwatch/v1/page-token/");
    mac.update(token);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::MasterKey;

    #[test]
    fn a_token_reads_back_for_its_own_request_only() {
        let key = MasterKey::new([1; 32]).purpose_key("page-token");
        let token = encode(&key, b"site=a", b"tm-07");
        assert_eq!(decode(&key, b"site=a", &token), Ok(b"tm-07".to_vec()));
        assert_eq!(decode(&key, b"site=b", &token), Err(InvalidPageToken::OtherRequest));
        for forged in ["", "00", "zz", &token[2..], &token.replace('0', "1")] {
            assert_eq!(decode(&key, b"site=a", forged), Err(InvalidPageToken::NotOurs), "{forged}");
        }
    }
}
