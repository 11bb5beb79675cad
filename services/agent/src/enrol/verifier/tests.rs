use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::CertificateDer;
use wire::enrolment::SERVER_NAME;

use super::*;

/// 2026-11-20T12:00:00Z.
const NOON_S: u64 = 1_795_176_000;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn make(name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2036, 1, 1);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Authority { issuer: Issuer::new(params, key), certificate }
    }

    /// A server's certificate for a name, good in November 2026.
    fn signs(&self, name: &str) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 11, 1);
        params.not_after = date_time_ymd(2026, 12, 1);
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().der().clone()
    }
}

/// Whether a chain is believed by who knows this authority, at this time.
#[track_caller]
fn check(authority: &Authority, chain: &[&CertificateDer<'static>], at_s: u64, expected: &str) {
    let provider = Arc::new(ring::default_provider());
    let verifier = ByFingerprint { authority: fingerprint(&authority.certificate), provider };
    let name = ServerName::try_from(SERVER_NAME).unwrap();
    let others: Vec<CertificateDer<'static>> = chain[1..].iter().map(|one| (*one).clone()).collect();
    let now = UnixTime::since_unix_epoch(Duration::from_secs(at_s));
    let verified = verifier.verify_server_cert(chain[0], &others, &name, &[], now);
    let told = verified.map_or_else(|error| error.to_string(), |_| "believed".to_owned());
    assert!(told.contains(expected), "{told}");
}

#[test]
fn only_a_chain_of_the_authority_for_the_name_is_believed() {
    let (ours, theirs) = (Authority::make("ours"), Authority::make("theirs"));
    // Whoever has the authority's certificate, which is no secret, still has not its key.
    let forger = Authority::make("ours");
    let good = ours.signs(SERVER_NAME);
    check(&ours, &[&good, &ours.certificate], NOON_S, "believed");
    check(&ours, &[&good], NOON_S, "UnknownIssuer");
    check(&ours, &[&theirs.signs(SERVER_NAME), &theirs.certificate], NOON_S, "UnknownIssuer");
    check(&theirs, &[&good, &ours.certificate], NOON_S, "UnknownIssuer");
    check(&ours, &[&theirs.signs(SERVER_NAME), &ours.certificate], NOON_S, "UnknownIssuer");
    check(&ours, &[&forger.signs(SERVER_NAME), &ours.certificate], NOON_S, "BadSignature");
    check(&ours, &[&ours.signs("gym.example"), &ours.certificate], NOON_S, "not valid for name");
    // The authority itself is no server.
    check(&ours, &[&ours.certificate, &ours.certificate], NOON_S, "invalid peer certificate");
}

#[test]
fn a_machine_without_a_clock_believes_and_an_expired_certificate_is_not_believed() {
    let ours = Authority::make("ours");
    let good = ours.signs(SERVER_NAME);
    check(&ours, &[&good, &ours.certificate], 0, "believed");
    check(&ours, &[&good, &ours.certificate], NOON_S + 60 * 24 * 3_600, "xpired");
}
