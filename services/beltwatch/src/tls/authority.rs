//! This server's own authority: it signs the server's certificate and those of the machines.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use domain::ids::MachineId;
use domain::units::UnixMicros;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};

use crate::keys::write_secret;

const KEY_FILE: &str = "authority.key";
const CERTIFICATE_FILE: &str = "authority.pem";
const NO_KEY: &str = "no key can be made for a certificate";
const DAY: Duration = Duration::from_secs(24 * 3_600);
const AUTHORITY_DAYS: u32 = 3_650;
const MACHINE_DAYS: u32 = 730;
/// How long a server's certificate is good.
pub(super) const SERVER_DAYS: u32 = 90;
/// Certificates begin so long ago: clocks differ.
const BEFORE: Duration = Duration::from_secs(3_600);

/// The serial number of a machine's certificates, the same for all of one generation.
pub(crate) type Serial = [u8; 16];

/// The serial number that the certificates of a machine's key of this generation have: it follows from both, so that the
/// registry alone says which certificates are revoked.
pub(crate) fn serial(machine: &MachineId, generation: u32) -> Serial {
    let told = format!("certificate/v1/{machine}/{generation}");
    let mut serial: Serial = [0; 16];
    serial.copy_from_slice(&Sha256::digest(told)[..16]);
    // Positive, and of full length.
    serial[0] = serial[0] & 0x3f | 0x40;
    serial
}

/// The key of a server whose certificates are renewed for the same key.
pub(crate) struct ServerKey(KeyPair);

impl ServerKey {
    /// A new key, PEM.
    pub(crate) fn make() -> anyhow::Result<String> {
        Ok(KeyPair::generate().context(NO_KEY)?.serialize_pem())
    }

    pub(crate) fn from_pem(pem: &str) -> anyhow::Result<ServerKey> {
        Ok(ServerKey(KeyPair::from_pem(pem)?))
    }
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerKey").finish_non_exhaustive()
    }
}

/// The authority. It can sign; [`Authority::pem`] is what others trust.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// A certificate and its key.
pub(super) struct Issued {
    pub(super) certificate: rcgen::Certificate,
    pub(super) key: KeyPair,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// The authority of a server that keeps nothing on disk.
    ///
    /// # Errors
    /// The operating system gives no random octets.
    pub fn make(now: UnixMicros) -> anyhow::Result<Authority> {
        let key = KeyPair::generate().context("no key can be made for the authority")?;
        let pem = params(&key, now).self_signed(&key).context("the authority cannot sign")?.pem();
        Authority::read(key, pem)
    }

    /// The authority of a folder; made at the first start, mode 0600, never overwritten.
    ///
    /// # Errors
    /// A file cannot be read or written, or is not what it should be.
    pub fn open(folder: &Path, now: UnixMicros) -> anyhow::Result<Authority> {
        let (key_file, certificate_file) = (folder.join(KEY_FILE), folder.join(CERTIFICATE_FILE));
        let key = match (read(&key_file)?, certificate_file.exists()) {
            (Some(text), _) => {
                KeyPair::from_pem(&text).with_context(|| format!("{} holds no key", key_file.display()))?
            }
            (None, true) => anyhow::bail!(
                "{} is there, but not {}: bring the key back from your backup; without it, remove the certificate \
                 and give every machine a new credential",
                certificate_file.display(),
                key_file.display()
            ),
            (None, false) => {
                let key = KeyPair::generate().context("no key can be made for the authority")?;
                write_secret(&key_file, &key.serialize_pem())?;
                key
            }
        };
        let pem = match read(&certificate_file)? {
            Some(pem) => pem,
            None => {
                let made = params(&key, now).self_signed(&key).context("the authority cannot sign")?;
                write_secret(&certificate_file, &made.pem())?;
                made.pem()
            }
        };
        Authority::read(key, pem).with_context(|| format!("in {}", certificate_file.display()))
    }

    fn read(key: KeyPair, pem: String) -> anyhow::Result<Authority> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).context("this is no certificate")?;
        let octets = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        CertifiedKey::from_der(vec![certificate.clone()], octets, &super::provider())
            .context("the authority's certificate does not belong to its key")?;
        // What it signs names it by its subject, which follows from its key.
        let issuer = Issuer::new(params(&key, UnixMicros(0)), key);
        Ok(Authority { issuer, certificate, pem })
    }

    /// The authority's certificate, PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub(super) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for a server of these names, which may be addresses.
    pub(super) fn server(&self, names: &[String], now: UnixMicros) -> anyhow::Result<Issued> {
        let key = KeyPair::generate().context(NO_KEY)?;
        let certificate = self.sign_server(&key, names, now)?;
        Ok(Issued { certificate, key })
    }

    /// A certificate for a server with a key that it has; PEM.
    pub(crate) fn server_with(
        &self,
        key: &ServerKey,
        names: &[String],
        now: UnixMicros,
    ) -> anyhow::Result<String> {
        Ok(self.sign_server(&key.0, names, now)?.pem())
    }

    fn sign_server(
        &self,
        key: &KeyPair,
        names: &[String],
        now: UnixMicros,
    ) -> anyhow::Result<rcgen::Certificate> {
        let params = CertificateParams::new(names.to_vec()).context("a name of the server is none")?;
        self.sign(key, params, "beltwatch", ExtendedKeyUsagePurpose::ServerAuth, SERVER_DAYS, now)
    }

    /// A certificate for a machine's agent, of this generation of the machine's key.
    pub(super) fn machine(
        &self,
        machine: &MachineId,
        generation: u32,
        now: UnixMicros,
    ) -> anyhow::Result<Issued> {
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from_slice(&serial(machine, generation)));
        self.issue_client(params, machine.as_str(), MACHINE_DAYS, now)
    }

    /// What this server itself shows to a broker, under this name.
    ///
    /// # Errors
    /// The operating system gives no random octets.
    pub fn client(&self, name: &str, now: UnixMicros) -> anyhow::Result<CertifiedKey> {
        super::certified(&self.issue_client(CertificateParams::default(), name, SERVER_DAYS, now)?)
    }

    /// The list of revoked certificates, PEM: good from then on, in seconds since 1970, for as long as the authority
    /// may be. That it is not the newest is nothing that its reader could notice, so it does not end earlier.
    pub(crate) fn revoked(&self, serials: &[Serial], begins_s: i64) -> anyhow::Result<String> {
        let since_s = u64::try_from(begins_s).unwrap_or_default();
        let begins = date_time_ymd(1970, 1, 1) + Duration::from_secs(since_s);
        let entry = |serial: &Serial| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: begins,
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: begins,
            next_update: begins + DAY * AUTHORITY_DAYS,
            crl_number: SerialNumber::from(since_s),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list.signed_by(&self.issuer).context("the authority cannot sign")?;
        signed.pem().context("the list of revoked certificates cannot be written")
    }

    fn issue_client(
        &self,
        params: CertificateParams,
        name: &str,
        days: u32,
        now: UnixMicros,
    ) -> anyhow::Result<Issued> {
        let key = KeyPair::generate().context(NO_KEY)?;
        let certificate = self.sign(&key, params, name, ExtendedKeyUsagePurpose::ClientAuth, days, now)?;
        Ok(Issued { certificate, key })
    }

    fn sign(
        &self,
        key: &KeyPair,
        mut params: CertificateParams,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        days: u32,
        now: UnixMicros,
    ) -> anyhow::Result<rcgen::Certificate> {
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        span(&mut params, now, days);
        params.signed_by(key, &self.issuer).context("the authority cannot sign")
    }
}

fn params(key: &KeyPair, now: UnixMicros) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name = DistinguishedName::new();
    // Two servers' authorities have different names, or browsers mix up their certificates.
    let point = hex::encode(key.public_key_raw().get(1..5).unwrap_or_default());
    params.distinguished_name.push(DnType::CommonName, format!("Beltwatch authority {point}"));
    span(&mut params, now, AUTHORITY_DAYS);
    params
}

fn span(params: &mut CertificateParams, now: UnixMicros, days: u32) {
    let now = Duration::from_micros(u64::try_from(now.0).unwrap_or_default());
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(BEFORE);
    params.not_after = epoch + now + DAY * days;
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}
