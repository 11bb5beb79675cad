//! What a Mosquitto beside this server must know of it and of its machines: kept up to date as files in a folder that
//! both can reach.
//!
//! The files follow from the registry alone, and are replaced as a whole, never changed in place. Mosquitto reads them
//! again on SIGHUP; `deploy/mosquitto/start` sends it when one has changed.

mod files;
mod rights;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::ids::MachineId;
use domain::units::UnixMicros;
use ingest::{BrokerTls, IngestHandle};
use store::ledger::Ledger;
use store::registry::Registry;
use tokio_util::sync::CancellationToken;

use self::files::Folder;
pub use self::rights::{CLIENT_ID, EVENTS_USER, READINGS_USER};
use crate::config::Config;
use crate::tls::{Authority, Current, RENEW_AFTER_US, Serial, ServerKey, Tls};

/// How often the registry is looked at. Nothing is worked out unless it has changed.
const LOOK_PERIOD: Duration = Duration::from_millis(500);
/// The list of revoked certificates begins so long ago: clocks differ.
const LISTED_BEFORE_S: i64 = 3_600;

/// Keeps the files.
#[derive(Debug)]
pub struct Mosquitto {
    tls: Arc<Tls>,
    folder: Folder,
    key: ServerKey,
    names: Vec<String>,
    /// What this server shows on its two connections.
    events: Arc<Current>,
    readings: Arc<Current>,
    /// When the certificates are renewed.
    renew: UnixMicros,
    written: Written,
    trouble: Option<String>,
}

/// From what the files follow, as they were written last.
#[derive(Debug, Default)]
struct Written {
    /// Number of the registry's last fact, and of what the ingest says of renewed keys; `None`: nothing yet.
    seen: Option<(u64, u64)>,
    revoked: Vec<Serial>,
    /// The beginning of the last list, in seconds since 1970: of two lists OpenSSL believes the later one, so the next
    /// one must be later.
    listed_s: i64,
    has_list: bool,
}

impl Mosquitto {
    /// Makes the folder and the certificates. Nothing that depends on machines is written yet.
    ///
    /// # Errors
    /// The folder or a file in it cannot be used.
    pub fn open(config: &Config, tls: Arc<Tls>, now: UnixMicros) -> anyhow::Result<Mosquitto> {
        let folder = Folder::open(&config.broker.files).context("broker.files")?;
        let key = ServerKey::from_pem(&folder.key(ServerKey::make)?)
            .with_context(|| format!("broker.files: {} holds no key", folder.path("broker.key").display()))?;
        let authority = tls.authority();
        let (events, readings) = (authority.client(EVENTS_USER, now)?, authority.client(READINGS_USER, now)?);
        let mut mosquitto = Mosquitto {
            names: names(config),
            folder,
            key,
            events: Arc::new(Current::new(events)),
            readings: Arc::new(Current::new(readings)),
            renew: now,
            written: Written::default(),
            trouble: None,
            tls,
        };
        mosquitto.renew(now)?;
        Ok(mosquitto)
    }

    /// How the ingest connects. Each new connection shows the certificate that is the newest then.
    ///
    /// # Errors
    /// The authority's certificate cannot be used.
    pub fn connection(&self) -> anyhow::Result<BrokerTls> {
        let (events, readings) = (self.events.clone(), self.readings.clone());
        Ok(BrokerTls { events: self.tls.client(events)?, readings: self.tls.client(readings)? })
    }

    /// Brings all files up to date. `renewed` is the greatest generation of its key with which a machine was heard,
    /// where that is not its first.
    ///
    /// # Errors
    /// A file cannot be written; what was written stays.
    pub fn look(
        &mut self,
        registry: &Registry,
        number: u64,
        renewed: &BTreeMap<MachineId, u32>,
        now: UnixMicros,
    ) -> anyhow::Result<()> {
        self.look_at_rights(registry, number, renewed, now)?;
        if now >= self.renew {
            self.renew(now)?;
        }
        Ok(())
    }

    /// Who may do what, and whose certificates are no longer good.
    fn look_at_rights(
        &mut self,
        registry: &Registry,
        number: u64,
        renewed: &BTreeMap<MachineId, u32>,
        now: UnixMicros,
    ) -> anyhow::Result<()> {
        let seen = Some((registry.last_fact, number));
        if self.written.seen == seen {
            return Ok(());
        }
        // Rights first: they are what stops a connection that is there.
        self.folder.put("acl", &rights::acl(registry))?;
        let revoked = rights::revoked(registry, renewed);
        if !self.written.has_list || self.written.revoked != revoked {
            let begins_s = (now.0 / 1_000_000 - LISTED_BEFORE_S).max(self.written.listed_s + 1);
            let list = self.tls.authority().revoked(&revoked, begins_s)?;
            self.folder.put("revoked.pem", &list)?;
            tracing::info!(
                generations = revoked.len(),
                "the broker's list of revoked certificates was written"
            );
            self.written.revoked = revoked;
            self.written.listed_s = begins_s;
            self.written.has_list = true;
        }
        self.written.seen = seen;
        Ok(())
    }

    /// New certificates for the broker and for this server. The broker's key stays, so that there is no moment at which
    /// certificate and key in the folder do not belong together.
    fn renew(&mut self, now: UnixMicros) -> anyhow::Result<()> {
        let authority: &Authority = self.tls.authority();
        self.folder.put("authority.pem", authority.pem())?;
        self.folder.put("broker.pem", &authority.server_with(&self.key, &self.names, now)?)?;
        self.events.replace(authority.client(EVENTS_USER, now)?);
        self.readings.replace(authority.client(READINGS_USER, now)?);
        self.renew = UnixMicros(now.0 + RENEW_AFTER_US);
        Ok(())
    }

    /// Keeps the files up to date until `stopping`. What cannot be written is told once, and tried again.
    pub async fn keep(
        mut self,
        ledger: Arc<dyn Ledger>,
        ingest: Arc<IngestHandle>,
        clock: fn() -> UnixMicros,
        stopping: CancellationToken,
    ) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(LOOK_PERIOD) => {}
            }
            let (registry, renewed) = (ledger.registry(), ingest.renewed());
            // Files may lie on a slow disk.
            let looked = tokio::task::spawn_blocking(move || {
                let outcome = self.look(&registry, renewed.number, &renewed.generations, clock());
                self.tell(outcome);
                self
            });
            match looked.await {
                Ok(same) => self = same,
                Err(error) => {
                    tracing::error!(%error, "the broker's files are no longer kept up to date");
                    return;
                }
            }
        }
    }

    fn tell(&mut self, outcome: anyhow::Result<()>) {
        let trouble = outcome.err().map(|error| format!("{error:#}"));
        if self.trouble != trouble {
            match &trouble {
                Some(error) => tracing::error!(%error, "the broker's files are not up to date"),
                None => tracing::info!("the broker's files are up to date again"),
            }
            self.trouble = trouble;
        }
    }
}

/// By which names this server and the agents reach the broker.
fn names(config: &Config) -> Vec<String> {
    let mut names = config.tls.names.clone();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    for address in [&config.broker.address, &config.broker.advertise] {
        names.extend(host(address).map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names
}

/// The host of `host:port`, without the brackets of an address of version 6.
pub(crate) fn host(address: &str) -> Option<&str> {
    let (host, _) = address.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    Some(bare.unwrap_or(host))
}

#[cfg(test)]
mod tests;
