//! Telling people of incidents: what `notify` needs of the rest of the server.

use std::fmt;
use std::sync::Arc;

use anyhow::Context;
use api::{Sealer, Sealing};
use async_trait::async_trait;
use dashboard::OpenPages;
use domain::ids::{IncidentId, SiteId};
use domain::units::UnixMicros;
use dossier::{Head, SignedHead, SigningKey};
use notify::{MailServer, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wire::keys::MasterKey;

use super::surroundings::unix_now;
use super::weekly::WeeklyReport;
use crate::config::{MailConfig, MailTls};

/// Starts to tell people, to note evidence and to send heads of all facts and weekly reports.
pub(super) fn start(
    mail: &MailConfig,
    url: &str,
    master: &MasterKey,
    pages: OpenPages,
    report: WeeklyReport,
    stopping: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let (secrets, ledger) = (master.clone(), report.ledger());
    let settings = Settings {
        url: url.to_owned(),
        mail: mail_server(mail)?,
        secrets: Arc::new(move |name, generation| {
            *secrets.purpose_key(&format!("webhook/{name}/{generation}")).octets()
        }),
        clock: Arc::new(unix_now),
    };
    let key = SigningKey::from_seed(*master.purpose_key("dossier-signing").octets());
    let proof = Proofs { sealer: Sealer::new(ledger.clone()), key };
    notify::start(ledger, settings, Arc::new(Pages(pages)), Arc::new(proof), Arc::new(report), stopping)
        .map_err(anyhow::Error::msg)
}

/// The mail server of the configuration, with its password.
fn mail_server(mail: &MailConfig) -> anyhow::Result<Option<MailServer>> {
    if mail.server.is_empty() {
        return Ok(None);
    }
    let (host, port) = mail.server.rsplit_once(':').context("mail.server: host:port is required")?;
    let file = &mail.password_file;
    let login = match mail.user.as_str() {
        "" => None,
        user => {
            let password = std::fs::read_to_string(file)
                .with_context(|| format!("mail.password_file: cannot read {}", file.display()))?;
            Some((user.to_owned(), password.trim_end().to_owned()))
        }
    };
    Ok(Some(MailServer {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: port.parse().with_context(|| format!("mail.server: \"{port}\" is no port"))?,
        tls: match mail.tls {
            MailTls::Starttls => notify::MailTls::StartTls,
            MailTls::Implicit => notify::MailTls::Implicit,
            MailTls::Off => notify::MailTls::None,
        },
        login,
        from: mail.from.clone(),
    }))
}

/// Who looks at the pages.
#[derive(Debug)]
struct Pages(OpenPages);

impl notify::OpenPages for Pages {
    fn count(&self, site: &SiteId) -> usize {
        self.0.count(site.as_str())
    }
}

/// What proves that nothing was changed.
struct Proofs {
    sealer: Sealer,
    key: SigningKey,
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proofs").field("key", &self.key.fingerprint()).finish_non_exhaustive()
    }
}

#[async_trait]
impl notify::Proof for Proofs {
    async fn evidence(&self, id: &IncidentId) -> Option<notify::Evidence> {
        match self.sealer.evidence_of(id).await {
            Ok(sealing) => sealing.map(|Sealing { revision, evidence, is_complete, has_grown }| {
                notify::Evidence { revision, hash: evidence, is_complete, has_grown }
            }),
            Err(error) => {
                tracing::error!(%error, incident.id = %id, "the evidence of an incident could not be read");
                None
            }
        }
    }

    fn sign_head(&self, head: Head, time: UnixMicros) -> String {
        SignedHead::sign(head, time, &self.key).to_json()
    }
}
