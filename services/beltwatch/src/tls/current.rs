//! A certificate of this server's, which can be replaced while the server runs.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use anyhow::Context;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use wire::enrolment::SERVER_NAME;

/// What new connections are shown. Connections that are there keep what they have.
#[derive(Debug)]
pub(crate) struct Current(RwLock<Arc<CertifiedKey>>);

impl Current {
    pub(crate) fn new(key: CertifiedKey) -> Current {
        Current(RwLock::new(Arc::new(key)))
    }

    pub(crate) fn shown(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn replace(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }
}

impl ResolvesClientCert for Current {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// By the name that a client asks for: one certificate for agents that enrol, another for everybody else.
#[derive(Debug)]
pub(super) struct ByName {
    pub(super) usual: Arc<Current>,
    pub(super) enrolling: Arc<Current>,
}

impl ByName {
    /// What who asks for this name is shown; `None`: for no name.
    pub(super) fn shown(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let enrols = name.is_some_and(|name| name.eq_ignore_ascii_case(SERVER_NAME));
        if enrols { self.enrolling.shown() } else { self.usual.shown() }
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown(hello.server_name()))
    }
}

/// Where somebody else puts the server's certificate and its key.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// When both files were written, and how long they are; `None` for one that is not there.
pub(super) type Stamps = [Option<(SystemTime, u64)>; 2];

impl Files {
    pub(super) fn stamps(&self) -> Stamps {
        [&self.certificate, &self.key].map(|file| {
            let found = std::fs::metadata(file).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
    }

    /// Certificate chain and key, which belong together.
    pub(super) fn read(&self) -> anyhow::Result<CertifiedKey> {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        let chain: Vec<_> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .with_context(|| format!("tls.certificate: cannot read {certificate}"))?;
        anyhow::ensure!(!chain.is_empty(), "tls.certificate: {certificate} holds no certificate in PEM");
        let private = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("tls.key: cannot read a private key from {key}"))?;
        CertifiedKey::from_der(chain, private, &super::provider())
            .with_context(|| format!("{certificate} and {key} cannot be used together"))
    }
}
