//! Whose certificate it is: the one common name of its subject, read from DER.
//!
//! Only certificates that were verified come here. What is not as expected has no name.

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const PRINTABLE_STRING: u8 = 0x13;
const VERSION: u8 = 0xa0;
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// Serial number, signature algorithm, issuer and validity come before the subject.
const BEFORE_SUBJECT: usize = 4;

/// The common name; none if there is none, more than one, or the octets are no certificate.
pub fn common_name(certificate: &[u8]) -> Option<&str> {
    let (certificate, _) = expect(SEQUENCE, certificate)?;
    let (mut rest, _) = expect(SEQUENCE, certificate)?;
    if let Some((VERSION, _, after)) = take(rest) {
        rest = after;
    }
    for _ in 0..BEFORE_SUBJECT {
        rest = take(rest)?.2;
    }
    let (mut subject, _) = expect(SEQUENCE, rest)?;
    let mut found = None;
    while !subject.is_empty() {
        let (mut set, others) = expect(SET, subject)?;
        subject = others;
        while !set.is_empty() {
            let (attribute, others) = expect(SEQUENCE, set)?;
            set = others;
            let (object, value) = expect(OBJECT, attribute)?;
            if object != COMMON_NAME {
                continue;
            }
            let (tag, text, _) = take(value)?;
            let is_text = tag == UTF8_STRING || tag == PRINTABLE_STRING;
            if !is_text || found.is_some() {
                return None;
            }
            found = Some(std::str::from_utf8(text).ok()?);
        }
    }
    found
}

/// Content and what comes after it, if it has this tag.
fn expect(tag: u8, octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = take(octets)?;
    (found == tag).then_some((content, rest))
}

/// Tag, content, and what comes after it.
fn take(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = octets.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        // At most 65 535 octets: no certificate that we know is larger.
        0x81 | 0x82 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    fn certificate(parts: &[(DnType, &str)]) -> Vec<u8> {
        let mut params = CertificateParams::new(["other.example".to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn the_common_name_of_the_subject_is_found() {
        let check = |parts: &[(DnType, &str)], expected: Option<&str>| {
            assert_eq!(common_name(&certificate(parts)), expected, "{parts:?}");
        };
        check(&[(DnType::CommonName, "tm-01")], Some("tm-01"));
        let long = "x".repeat(200);
        check(&[(DnType::OrganizationName, &long), (DnType::CommonName, &long)], Some(&long));
        check(&[(DnType::OrganizationName, "tm-01")], None);
        check(&[], None);
    }

    proptest! {
        #[test]
        fn broken_octets_have_no_name_or_some_but_never_panic(
            at in 0_usize..400, octet: u8, cut in 0_usize..500, noise in proptest::collection::vec(any::<u8>(), 0..64)
        ) {
            let mut broken = certificate(&[(DnType::CommonName, "tm-01")]);
            let at = at % broken.len();
            broken[at] = octet;
            common_name(&broken);
            broken.truncate(cut);
            common_name(&broken);
            common_name(&noise);
        }
    }
}
