use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};

use super::*;

struct Authority(CertifiedIssuer<'static, KeyPair>);

/// From 2026-01-01 to 2026-03-01, in seconds since 1970.
const FIRST: u64 = 1_767_225_600;
const LAST: u64 = 1_772_323_200;

impl Authority {
    fn new(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name.push(DnType::CommonName, name);
        Authority(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name from [`FIRST`] to [`LAST`], with its key.
    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2026, 3, 1);
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    fn credential(&self) -> TlsCredential {
        let (certificate, key) = self.issue("tm-01");
        TlsCredential {
            authority: self.0.pem(),
            certificate: certificate.pem(),
            private_key: key.serialize_pem(),
        }
    }
}

#[test]
fn the_broker_is_known_by_authority_name_and_end_but_not_by_beginning() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    // By name it is ours; only the signature tells.
    let pretender = Authority::new("ours");
    let mut roots = RootCertStore::empty();
    roots.add(ours.0.der().clone()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let verifier = ClocklessVerifier(inner);
    let check = |authority: &Authority, name: &str, at: u64, expected: &str| {
        let (certificate, _) = authority.issue(name);
        let asked = ServerName::try_from("broker.example").unwrap();
        let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
        let verified = verifier.verify_server_cert(certificate.der(), &[], &asked, &[], at);
        let said = verified.map_or_else(|error| error.to_string(), |_| "fine".to_owned());
        assert!(said.contains(expected), "{name} at {at:?}: {said}");
    };
    check(&ours, "broker.example", FIRST, "fine");
    check(&ours, "broker.example", 0, "fine");
    check(&ours, "broker.example", LAST + 86_400, "expired");
    check(&ours, "other.example", FIRST, "not valid for name");
    check(&ours, "other.example", 0, "not valid for name");
    check(&other, "broker.example", FIRST, "UnknownIssuer");
    check(&other, "broker.example", 0, "UnknownIssuer");
    check(&pretender, "broker.example", FIRST, "BadSignature");
    check(&pretender, "broker.example", 0, "BadSignature");
}

#[test]
fn a_credential_that_cannot_be_used_is_told_by_field() {
    let authority = Authority::new("ours");
    let good = authority.credential();
    assert!(client(&good).is_ok());
    let check = |bad: TlsCredential, field: &str| {
        let error = client(&bad).expect_err(field);
        assert_eq!(error.field, field, "{error}");
        assert!(error.to_string().contains("get a new credential"), "{error}");
    };
    check(TlsCredential { authority: String::new(), ..good.clone() }, "authority");
    check(TlsCredential { certificate: "none".to_owned(), ..good.clone() }, "certificate");
    check(TlsCredential { private_key: good.certificate.clone(), ..good.clone() }, "private_key");
    let foreign = authority.credential().private_key;
    check(TlsCredential { private_key: foreign, ..good }, "certificate");
}
