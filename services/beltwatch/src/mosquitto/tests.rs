use std::collections::BTreeMap;
use std::path::Path;

use domain::ids::SiteId;
use domain::registry::{BeltKind, DriveKind};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use store::registry::{Change, Entry, Machine};

use super::*;

/// 2026-11-20T12:00:00Z.
const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);
const DAY: i64 = 24 * 3_600 * 1_000_000;

/// A registry of machines with the newest and the revoked generation of each.
pub(super) fn registry(fleet: &[(&str, u32, u32)]) -> Registry {
    let mut registry = Registry::default();
    for (number, (id, key_generation, revoked_generation)) in (1..).zip(fleet) {
        let machine = Machine {
            id: MachineId::new(id).unwrap(),
            site: SiteId::new("gym").unwrap(),
            display_name: String::new(),
            model: String::new(),
            belt: BeltKind::Reversible,
            drive: DriveKind::Motor,
            key_generation: *key_generation,
            created: NOON,
            place: None,
            revoked_generation: *revoked_generation,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        };
        registry.put(number, [Change::Put(Entry::Machine(machine))]);
    }
    registry
}

fn config(folder: &Path) -> Config {
    let mut config = Config { folder: folder.join("server"), ..Config::default() };
    config.broker.embedded = false;
    config.broker.address = "[fd00::7]:8883".to_owned();
    config.broker.advertise = "broker.example:8883".to_owned();
    config.broker.files = folder.join("broker");
    std::fs::create_dir(&config.folder).unwrap();
    config
}

struct Bench {
    folder: tempfile::TempDir,
    tls: Arc<Tls>,
    mosquitto: Mosquitto,
}

impl Bench {
    fn open() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let tls = Arc::new(Tls::start(&config, &[], NOON).unwrap().unwrap());
        assert!(tls.api().is_none(), "the API speaks plain text as before");
        let mosquitto = Mosquitto::open(&config, tls.clone(), NOON).unwrap();
        Bench { folder, tls, mosquitto }
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join("broker").join(name)).unwrap()
    }

    fn look(&mut self, fleet: &[(&str, u32, u32)], heard: &[(&str, u32)], now: UnixMicros) {
        let heard: BTreeMap<MachineId, u32> =
            heard.iter().map(|(id, generation)| (MachineId::new(id).unwrap(), *generation)).collect();
        let number = u64::try_from(heard.len()).unwrap();
        self.mosquitto.look(&registry(fleet), number, &heard, now).unwrap();
    }

    /// Whether who knows only the files lets a machine's certificate of this generation in.
    fn lets_in(&self, machine: &str, generation: u32) -> bool {
        let issued = self.tls.machine(&MachineId::new(machine).unwrap(), generation, NOON).unwrap();
        let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&self.read("authority.pem")).unwrap()).unwrap();
        let list = CertificateRevocationListDer::from_pem_slice(&self.read("revoked.pem")).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls([list])
            .build()
            .unwrap();
        let now = Duration::from_micros(u64::try_from(NOON.0).unwrap());
        verifier.verify_client_cert(&certificate, &[], UnixTime::since_unix_epoch(now)).is_ok()
    }
}

#[test]
fn the_files_let_in_who_is_good_and_nobody_else() {
    let mut bench = Bench::open();
    bench.look(&[("tm-01", 1, 0), ("tm-02", 2, 0)], &[], NOON);
    let all = [("tm-01", 1), ("tm-02", 1), ("tm-02", 2)];
    let let_in = |bench: &Bench| all.map(|(machine, generation)| bench.lets_in(machine, generation));
    assert_eq!(let_in(&bench), [true, true, true]);
    // The new key was used.
    bench.look(&[("tm-01", 1, 0), ("tm-02", 2, 0)], &[("tm-02", 2)], NOON);
    assert_eq!(let_in(&bench), [true, false, true]);
    assert!(String::from_utf8(bench.read("acl")).unwrap().contains("user tm-01\n"));
    bench.look(&[("tm-01", 1, 1), ("tm-02", 2, 0), ("tm-03", 1, 0)], &[("tm-02", 2)], NOON);
    assert_eq!(let_in(&bench), [false, false, true]);
    assert!(!String::from_utf8(bench.read("acl")).unwrap().contains("user tm-01\n"));
}

#[test]
fn each_list_is_later_than_the_one_before_even_within_a_second() {
    let mut bench = Bench::open();
    let mut begins = Vec::new();
    for machines in 1..=3 {
        bench.look(&[("tm-01", 1, 1), ("tm-02", 1, 1), ("tm-03", 1, 1)][..machines], &[], NOON);
        begins.push(bench.mosquitto.written.listed_s);
    }
    assert!(begins.is_sorted_by(|one, next| one < next), "{begins:?}");
}

#[test]
fn the_brokers_certificate_is_renewed_for_the_same_key_and_all_its_names() {
    let mut bench = Bench::open();
    let names = &bench.mosquitto.names;
    for name in ["broker.example", "fd00::7", "localhost", "127.0.0.1"] {
        assert!(names.iter().any(|known| known == name), "{name} is not in {names:?}");
    }
    let (key, mut last) = (bench.read("broker.key"), bench.read("broker.pem"));
    let mut shown = bench.mosquitto.events.shown().cert[0].clone();
    for (days, is_new) in [(0, false), (59, false), (60, true), (61, false), (120, true)] {
        bench.look(&[], &[], UnixMicros(NOON.0 + days * DAY));
        let (now, shown_now) = (bench.read("broker.pem"), bench.mosquitto.events.shown().cert[0].clone());
        assert_eq!((now != last, shown_now != shown), (is_new, is_new), "after {days} days");
        assert_eq!(bench.read("broker.key"), key);
        let chain = vec![CertificateDer::from_pem_slice(&now).unwrap()];
        let private = PrivateKeyDer::from_pem_slice(&key).unwrap();
        CertifiedKey::from_der(chain, private, &ring::default_provider()).unwrap();
        (last, shown) = (now, shown_now);
    }
}

#[test]
fn a_folder_that_cannot_be_used_and_a_key_that_is_none_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    let tls = Arc::new(Tls::start(&config, &[], NOON).unwrap().unwrap());
    let check = |config: &Config, expected: &str| {
        let error = format!("{:#}", Mosquitto::open(config, tls.clone(), NOON).unwrap_err());
        assert!(error.contains("broker.files") && error.contains(expected), "{error}");
    };
    std::fs::create_dir(&config.broker.files).unwrap();
    std::fs::write(config.broker.files.join("broker.key"), "nonsense").unwrap();
    check(&config, "broker.key holds no key");
    config.broker.files = config.broker.files.join("broker.key");
    check(&config, "cannot make");
}
