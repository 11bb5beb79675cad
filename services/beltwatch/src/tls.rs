//! TLS of the API's and the broker's ports: whose certificate is shown, and whose is believed.

mod authority;
mod current;
pub mod subject;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use domain::ids::MachineId;
use domain::units::{SECOND, UnixMicros};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use tokio_util::sync::CancellationToken;
use wire::credential::TlsCredential;
use wire::enrolment::{Fingerprint, SERVER_NAME, fingerprint};

pub use self::authority::Authority;
use self::authority::{Issued, SERVER_DAYS};
pub(crate) use self::authority::{Serial, ServerKey, serial};
pub(crate) use self::current::Current;
use self::current::{ByName, Files, Stamps};
use crate::config::{Config, TlsMode};

/// How often files and the age of our own certificate are looked at.
const LOOK_PERIOD: Duration = Duration::from_secs(2);
/// Our own certificate is renewed with a third of its life left.
pub(crate) const RENEW_AFTER_US: i64 = SERVER_DAYS as i64 * 2 / 3 * 24 * 3_600 * SECOND as i64;

/// The server's certificates, and the authority that knows the machines.
#[derive(Debug)]
pub struct Tls {
    authority: Authority,
    /// Signed by our authority: the broker's, and the API's unless files are configured.
    own: Arc<Current>,
    /// What agents are shown that have no credential yet: signed by our authority, whose certificate comes along.
    enrolling: Arc<Current>,
    names: Vec<String>,
    renew: Mutex<UnixMicros>,
    files: Option<Watched>,
    /// Whether the API speaks TLS; otherwise all this is for a broker.
    serves: bool,
}

/// Certificate and key that somebody else writes, for the API.
#[derive(Debug)]
struct Watched {
    files: Files,
    current: Arc<Current>,
    seen: Mutex<Stamps>,
}

impl Tls {
    /// Opens or makes the authority and has certificates ready; `None`: TLS is off, and no broker needs any. `listening` are the addresses of
    /// the server's ports, which its own certificate names too.
    ///
    /// # Errors
    /// A file cannot be read or written, or is not what it should be.
    pub fn start(config: &Config, listening: &[SocketAddr], now: UnixMicros) -> anyhow::Result<Option<Tls>> {
        let files = match config.tls.mode {
            TlsMode::Off if !config.has_broker_files() => return Ok(None),
            TlsMode::Off | TlsMode::Own => None,
            TlsMode::Files => {
                let (certificate, key) = (config.tls.certificate.clone(), config.tls.key.clone());
                let files = Files { certificate, key };
                // Before they are read: what is written meanwhile is seen at the next look.
                let seen = Mutex::new(files.stamps());
                let current = Arc::new(Current::new(files.read()?));
                Some(Watched { files, current, seen })
            }
        };
        let authority = match config.memory {
            true => Authority::make(now)?,
            false => Authority::open(&config.folder, now)?,
        };
        let names = names(config, listening);
        let own = Arc::new(Current::new(own(&authority, &names, now)?));
        let enrolling = Arc::new(Current::new(enrolling(&authority, now)?));
        let renew = Mutex::new(UnixMicros(now.0 + RENEW_AFTER_US));
        Ok(Some(Tls { authority, own, enrolling, names, renew, files, serves: config.has_tls() }))
    }

    /// For the port of API and pages: HTTP/2 and HTTP/1.1, no certificate of the client's. An agent that enrols asks for
    /// a name of its own, and is shown a certificate of our authority whatever the pages have. `None`: plain text.
    pub fn api(&self) -> Option<Arc<ServerConfig>> {
        if !self.serves {
            return None;
        }
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.by_name()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Some(Arc::new(config))
    }

    fn by_name(&self) -> ByName {
        let usual = self.files.as_ref().map_or(&self.own, |watched| &watched.current).clone();
        ByName { usual, enrolling: self.enrolling.clone() }
    }

    /// For the embedded broker's port: TLS 1.3, and only who has a certificate of our authority. Its own certificate is
    /// of our authority too, whatever the API shows: agents know no other, and a change of the files cannot cut them off.
    ///
    /// # Errors
    /// The authority's certificate cannot be used.
    pub fn broker(&self) -> anyhow::Result<Arc<ServerConfig>> {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()?), provider())
            .build()
            .context("the authority cannot be believed")?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&version::TLS13])
            .expect("the provider speaks TLS 1.3")
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(self.own.clone());
        Ok(Arc::new(config))
    }

    /// For this server's own connection to a broker that our authority knows: TLS 1.3, with the certificate that is
    /// current when the connection is made.
    ///
    /// # Errors
    /// The authority's certificate cannot be used.
    pub(crate) fn client(&self, shown: Arc<Current>) -> anyhow::Result<Arc<ClientConfig>> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&version::TLS13])
            .expect("the provider speaks TLS 1.3")
            .with_root_certificates(self.roots()?)
            .with_client_cert_resolver(shown);
        // A connection that is resumed shows no certificate, so it would go on with one that has ended.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// Our authority alone.
    fn roots(&self) -> anyhow::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.certificate().clone()).context("the authority cannot be believed")?;
        Ok(roots)
    }

    /// The authority by which an agent that enrols knows the API's port; `None`: that port speaks plain text.
    pub fn enrols_by(&self) -> Option<Fingerprint> {
        self.serves.then(|| fingerprint(self.authority.certificate()))
    }

    /// The authority.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What a machine's agent needs, with a new certificate of this generation of the machine's key.
    ///
    /// # Errors
    /// No certificate can be made.
    pub fn machine(
        &self,
        machine: &MachineId,
        generation: u32,
        now: UnixMicros,
    ) -> anyhow::Result<TlsCredential> {
        let issued = self.authority.machine(machine, generation, now)?;
        Ok(TlsCredential {
            authority: self.authority.pem().to_owned(),
            certificate: issued.certificate.pem(),
            private_key: issued.key.serialize_pem(),
        })
    }

    /// Renews or reloads the certificate when it is time, until `stopping`.
    pub async fn keep(self: Arc<Tls>, stopping: CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_PERIOD) => {}
            }
            let tls = self.clone();
            // Files may lie on a slow disk.
            if tokio::task::spawn_blocking(move || tls.look(unix_now())).await.is_err() {
                tracing::error!("the server's certificate could not be looked at");
            }
        }
    }

    /// Renews or reloads a certificate if it is time. What cannot be used is told, and the old one stays.
    pub fn look(&self, now: UnixMicros) {
        if self.is_time(now) {
            put(&self.own, own(&self.authority, &self.names, now));
            put(&self.enrolling, enrolling(&self.authority, now));
        }
        if let Some(watched) = &self.files {
            let stamps = watched.files.stamps();
            let mut seen = watched.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen != stamps {
                *seen = stamps;
                put(&watched.current, watched.files.read());
            }
        }
    }

    /// Whether our own certificate is to be renewed; once.
    fn is_time(&self, now: UnixMicros) -> bool {
        let mut renew = self.renew.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = now >= *renew;
        if is_time {
            *renew = UnixMicros(now.0 + RENEW_AFTER_US);
        }
        is_time
    }
}

fn put(current: &Current, found: anyhow::Result<CertifiedKey>) {
    match found {
        Ok(key) => {
            current.replace(key);
            tracing::info!("new connections are shown a new certificate");
        }
        Err(error) => {
            let error = format!("{error:#}");
            tracing::error!(%error, "the new certificate cannot be used; the old one stays in force");
        }
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn own(authority: &Authority, names: &[String], now: UnixMicros) -> anyhow::Result<CertifiedKey> {
    certified(&authority.server(names, now)?)
}

/// For the name that agents ask for when they enrol. They know the authority by its fingerprint only, so its certificate
/// comes along.
fn enrolling(authority: &Authority, now: UnixMicros) -> anyhow::Result<CertifiedKey> {
    let mut certified = certified(&authority.server(&[SERVER_NAME.to_owned()], now)?)?;
    certified.cert.push(authority.certificate().clone());
    Ok(certified)
}

fn certified(issued: &Issued) -> anyhow::Result<CertifiedKey> {
    let key = PrivateKeyDer::try_from(issued.key.serialize_der()).map_err(anyhow::Error::msg)?;
    let chain = vec![issued.certificate.der().clone()];
    CertifiedKey::from_der(chain, key, &provider()).context("our own certificate cannot be used")
}

/// What the certificate is for: the configured names, this computer's loopback, and where the server listens.
fn names(config: &Config, listening: &[SocketAddr]) -> Vec<String> {
    let mut names = config.tls.names.clone();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let known = listening.iter().map(SocketAddr::ip).filter(|ip| !ip.is_unspecified());
    names.extend(known.map(|ip: IpAddr| ip.to_string()));
    names.sort();
    names.dedup();
    names
}

/// This computer's clock.
#[expect(clippy::disallowed_methods, reason = "the body that renews certificates asks for the time")]
fn unix_now() -> UnixMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
