use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;

use super::*;
use crate::config::TlsConfig;

/// 2026-11-20T12:00:00Z.
const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);
const DAY: i64 = 24 * 3_600 * 1_000_000;

fn config(folder: &Path, mode: TlsMode) -> Config {
    let (certificate, key) = (folder.join("chain.pem"), folder.join("chain.key"));
    let tls = TlsConfig { mode, certificate, key, ..TlsConfig::default() };
    Config { folder: folder.to_owned(), tls, ..Config::default() }
}

fn later(days: i64) -> UnixMicros {
    UnixMicros(NOON.0 + days * DAY)
}

/// Puts a certificate of an authority of its own into the files.
fn put(folder: &Path, name: &str) {
    let issued = Authority::make(NOON).unwrap().server(&[name.to_owned()], NOON).unwrap();
    std::fs::write(folder.join("chain.pem"), issued.certificate.pem()).unwrap();
    std::fs::write(folder.join("chain.key"), issued.key.serialize_pem()).unwrap();
}

fn shown(current: &Current) -> Vec<u8> {
    let key: Arc<CertifiedKey> = current.shown();
    key.cert[0].to_vec()
}

#[test]
fn the_authority_is_made_once_for_its_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let made = Authority::open(folder.path(), NOON).unwrap().pem().to_owned();
    assert_eq!(Authority::open(folder.path(), later(1)).unwrap().pem(), made);
    for file in ["authority.key", "authority.pem"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    std::fs::remove_file(folder.path().join("authority.key")).unwrap();
    let error = Authority::open(folder.path(), NOON).unwrap_err().to_string();
    assert!(error.contains("from your backup"), "{error}");
}

#[test]
fn a_certificate_of_another_key_is_refused() {
    let (ours, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Authority::open(ours.path(), NOON).unwrap();
    Authority::open(other.path(), NOON).unwrap();
    std::fs::copy(other.path().join("authority.key"), ours.path().join("authority.key")).unwrap();
    let error = format!("{:#}", Authority::open(ours.path(), NOON).unwrap_err());
    assert!(error.contains("does not belong to its key"), "{error}");
}

#[test]
fn our_own_certificate_is_renewed_with_a_third_of_its_life_left() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::start(&config(folder.path(), TlsMode::Own), &[], NOON).unwrap().unwrap();
    let mut last = shown(&tls.own);
    for (days, is_new) in [(0, false), (59, false), (60, true), (61, false), (119, false), (120, true)] {
        tls.look(later(days));
        let now = shown(&tls.own);
        assert_eq!(now != last, is_new, "after {days} days");
        last = now;
    }
}

#[test]
fn new_files_are_used_and_bad_ones_leave_the_old_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let settings = config(folder.path(), TlsMode::Files);
    let error = format!("{:#}", Tls::start(&settings, &[], NOON).unwrap_err());
    assert!(error.contains("tls.certificate"), "{error}");
    put(folder.path(), "a.example");
    let tls = Tls::start(&settings, &[], NOON).unwrap().unwrap();
    let watched = tls.files.as_ref().unwrap();
    let first = shown(&watched.current);
    tls.look(NOON);
    assert_eq!(shown(&watched.current), first);
    for bad in ["", "nonsense"] {
        std::fs::write(folder.path().join("chain.pem"), bad).unwrap();
        tls.look(NOON);
        assert_eq!(shown(&watched.current), first, "{bad:?}");
    }
    put(folder.path(), "another.example");
    tls.look(NOON);
    assert_ne!(shown(&watched.current), first);
}

#[test]
fn off_is_nothing_and_a_machine_is_named_in_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Tls::start(&config(folder.path(), TlsMode::Off), &[], NOON).unwrap().is_none());
    assert!(!folder.path().join("authority.key").exists());
    let tls = Tls::start(&config(folder.path(), TlsMode::Own), &[], NOON).unwrap().unwrap();
    let credential = tls.machine(&MachineId::new("tm-01").unwrap(), 1, NOON).unwrap();
    assert_eq!(credential.authority, tls.authority().pem());
    let certificate = rustls::pki_types::CertificateDer::from_pem_slice(credential.certificate.as_bytes());
    assert_eq!(subject::common_name(&certificate.unwrap()), Some("tm-01"));
}

#[test]
fn agents_that_enrol_are_shown_our_authority_whatever_the_pages_show() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "gym.example");
    let tls = Tls::start(&config(folder.path(), TlsMode::Files), &[], NOON).unwrap().unwrap();
    let usual = shown(&tls.files.as_ref().unwrap().current);
    for name in [None, Some("gym.example"), Some("invalid"), Some("beltwatch.invalid")] {
        assert_eq!(by_name(&tls, name).cert[0].to_vec(), usual, "{name:?}");
    }
    let authority = tls.authority().certificate().clone();
    assert_eq!(tls.enrols_by(), Some(fingerprint(&authority)));
    let first = by_name(&tls, Some(SERVER_NAME));
    assert_eq!(first.cert[1..], [authority]);
    assert_eq!(by_name(&tls, Some("Enrol.Beltwatch.INVALID")).cert, first.cert);
    tls.look(later(60));
    let renewed = by_name(&tls, Some(SERVER_NAME));
    assert!(renewed.cert[0] != first.cert[0] && renewed.cert[1] == first.cert[1]);
    assert_eq!(by_name(&tls, None).cert[0].to_vec(), usual);
}

fn by_name(tls: &Tls, name: Option<&str>) -> Arc<CertifiedKey> {
    tls.by_name().shown(name)
}
