//! Smaller answers for browsers that unpack zstd; the others get them as they are.

use axum::http::{HeaderMap, header};

/// Packed once and sent often, or made for one visitor: this level is fast enough for both.
const LEVEL: i32 = 6;

/// Whether the browser says that it unpacks zstd.
pub(crate) fn is_accepted(headers: &HeaderMap) -> bool {
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| one.trim().eq_ignore_ascii_case("zstd"))
}

/// The packed octets; empty if packing failed, which needs more memory than there is.
pub(crate) fn pack(content: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(content, LEVEL).unwrap_or_default()
}
