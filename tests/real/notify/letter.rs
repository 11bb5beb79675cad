//! A mail as it lies in a mailbox: its header and its text.

use std::collections::BTreeMap;

use anyhow::Context;

/// A mail.
#[derive(Debug, Clone)]
pub(super) struct Letter {
    /// By name in lower-case letters; of several the last.
    header: BTreeMap<String, String>,
    /// Without the marks of its encoding.
    pub(super) text: String,
}

impl Letter {
    pub(super) fn read(written: &str) -> anyhow::Result<Letter> {
        let written = written.replace("\r\n", "\n");
        let (head, text) = written.split_once("\n\n").context("it has no text")?;
        let unfolded = head.replace("\n ", " ").replace("\n\t", " ");
        let header: BTreeMap<String, String> = unfolded
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let is_quoted = header.get("content-transfer-encoding").is_some_and(|how| how == "quoted-printable");
        let text = if is_quoted { unquoted(text) } else { text.to_owned() };
        Ok(Letter { header, text })
    }

    /// A line of the header; empty: it has none of that name.
    pub(super) fn header(&self, name: &str) -> &str {
        self.header.get(name).map_or("", String::as_str)
    }
}

/// Quoted-printable text as it was meant (RFC 2045).
fn unquoted(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'=' {
            octets.push(*first);
        } else if let Some(after) = after.strip_prefix(b"\n") {
            rest = after;
        } else if let Some((digits, after)) = after.split_first_chunk::<2>() {
            let mut octet = [0];
            if hex::decode_to_slice(digits, &mut octet).is_ok() {
                octets.extend(octet);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_headers_and_quoted_text_are_read() {
        let written =
            "Subject: one\n two\nContent-Transfer-Encoding: quoted-printable\n\na=3Db=\n c =C3=A4\n";
        let letter = Letter::read(written).unwrap();
        assert_eq!((letter.header("subject"), letter.text.as_str()), ("one two", "a=b c ä\n"));
        assert_eq!(letter.header("to"), "");
    }
}
