//! This server's own authority: it signs the server's certificate and those of the machines.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use domain::ids::MachineId;
use domain::units::UnixMicros;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::keys::write_secret;

const KEY_FILE: &str = "authority.key";
const CERTIFICATE_FILE: &str = "authority.pem";
const DAY: Duration = Duration::from_secs(24 * 3_600);
const AUTHORITY_DAYS: u32 = 3_650;
const MACHINE_DAYS: u32 = 730;
/// How long a server's certificate is good.
pub(super) const SERVER_DAYS: u32 = 90;
/// Certificates begin so long ago: clocks differ.
const BEFORE: Duration = Duration::from_secs(3_600);

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
        let params = CertificateParams::new(names.to_vec()).context("a name of the server is none")?;
        self.issue(params, "beltwatch", ExtendedKeyUsagePurpose::ServerAuth, SERVER_DAYS, now)
    }

    /// A certificate for a machine's agent.
    pub(super) fn machine(&self, machine: &MachineId, now: UnixMicros) -> anyhow::Result<Issued> {
        let params = CertificateParams::default();
        self.issue(params, machine.as_str(), ExtendedKeyUsagePurpose::ClientAuth, MACHINE_DAYS, now)
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        name: &str,
        purpose: ExtendedKeyUsagePurpose,
        days: u32,
        now: UnixMicros,
    ) -> anyhow::Result<Issued> {
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![purpose];
        params.use_authority_key_identifier_extension = true;
        span(&mut params, now, days);
        let key = KeyPair::generate().context("no key can be made for a certificate")?;
        let certificate = params.signed_by(&key, &self.issuer).context("the authority cannot sign")?;
        Ok(Issued { certificate, key })
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
