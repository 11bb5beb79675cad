//! As much of gRPC as one question and one answer need: frames, status, details.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use wire::enrolment;

/// Octets before each message: whether it is compressed, and its length.
const PREFIX_OCTETS: usize = 5;

/// How a call ended that the server did not answer with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Status {
    /// The code of gRPC; 0 is success.
    pub(super) code: u32,
    /// In the server's words.
    pub(super) message: String,
    /// The reason in one word; empty: none.
    pub(super) reason: String,
}

/// A message as it is sent.
pub(super) fn frame(message: &Bytes) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX_OCTETS + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).expect("what an agent asks is small"));
    framed.extend_from_slice(message);
    framed.freeze()
}

/// The only message in what was received.
///
/// # Errors
///
/// It is not one whole message, or it is compressed, which nobody asked for.
pub(super) fn unframe(received: &Bytes) -> Result<Bytes, String> {
    let found = received.len();
    let Some((prefix, rest)) = received.split_first_chunk::<PREFIX_OCTETS>() else {
        return Err(format!("it has {found} octets, and no message"));
    };
    if prefix[0] != 0 {
        return Err("it is compressed".to_owned());
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
    if usize::try_from(length).is_ok_and(|length| length == rest.len()) {
        return Ok(received.slice(PREFIX_OCTETS..));
    }
    Err(format!("its message shall have {length} octets and has {}", rest.len()))
}

/// The status in headers or trailers; `None`: there is none.
pub(super) fn status(headers: &HeaderMap) -> Option<Status> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let code = headers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
    let reason = enrolment::reason(&from_base64(text("grpc-status-details-bin")));
    Some(Status { code, message: from_percent(text("grpc-message")), reason })
}

/// Text in which octets that are not visible ASCII stand as `%` and two digits.
fn from_percent(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        let coded = after.get(..2).filter(|_| *octet == b'%').and_then(|digits| hex::decode(digits).ok());
        match coded.as_deref() {
            Some([coded]) => {
                octets.push(*coded);
                rest = &after[2..];
            }
            Some(_) | None => {
                octets.push(*octet);
                rest = after;
            }
        }
    }
    // Somebody else's words shall not move a terminal's cursor.
    String::from_utf8_lossy(&octets).chars().filter(|c| !c.is_control()).collect()
}

/// Octets in base64, with or without filling. What cannot be read ends it.
fn from_base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let mut octets = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for value in text.bytes().map_while(value) {
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            octets.push((bits >> count & 0xff).to_le_bytes()[0]);
        }
    }
    octets
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn frames_are_whole_messages() {
        assert_eq!(unframe(&frame(&Bytes::from_static(b"abc"))), Ok(Bytes::from_static(b"abc")));
        assert_eq!(unframe(&frame(&Bytes::new())), Ok(Bytes::new()));
        let check = |octets: &'static [u8], says: &str| {
            let error = unframe(&Bytes::from_static(octets)).unwrap_err();
            assert!(error.contains(says), "{error}");
        };
        check(b"", "no message");
        check(b"\0\0\0\0", "no message");
        check(b"\x01\0\0\0\0", "compressed");
        check(b"\0\0\0\0\x02a", "shall have 2 octets and has 1");
        check(b"\0\0\0\0\x01ab", "shall have 1 octets and has 2");
    }

    #[test]
    fn a_status_is_read_from_its_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(status(&headers), None);
        headers.insert("grpc-status", HeaderValue::from_static("9"));
        headers.insert("grpc-message", HeaderValue::from_static("caf%C3%A9 100%%1b[2J %zz%2"));
        let read = status(&headers).unwrap();
        assert_eq!((read.code, read.message.as_str()), (9, "café 100%[2J %zz%2"));
        assert_eq!(read.reason, "");
        headers.insert("grpc-status", HeaderValue::from_static("nonsense"));
        assert_eq!(status(&headers), None);
    }

    #[test]
    fn base64_is_read() {
        for (text, expected) in
            [("", ""), ("Zg==", "f"), ("Zg", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")]
        {
            assert_eq!(from_base64(text), expected.as_bytes(), "{text}");
        }
        assert_eq!(from_base64("++//AA"), [0xfb, 0xef, 0xff, 0x00]);
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..40), text in "[ -~]{0,40}") {
            let _ = unframe(&Bytes::from(octets));
            let _ = from_base64(&text);
            prop_assert!(!from_percent(&text).chars().any(char::is_control));
        }
    }
}
