//! What the follower needs from whoever starts it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use domain::ids::{IncidentId, SiteId};
use domain::units::UnixMicros;
use dossier::Head;
use jiff::civil::Date;

use crate::mail::MailServer;
use crate::webhook::Secrets;

/// Who looks at the pages.
pub trait OpenPages: Send + Sync + fmt::Debug {
    /// How many pages are open that show a site. Never waits.
    fn count(&self, site: &SiteId) -> usize;
}

/// The evidence of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Version of the incident.
    pub revision: u64,
    /// SHA-256 of the evidence, in 64 hexadecimal digits.
    pub hash: String,
    /// Whether it has everything that it will have.
    pub is_complete: bool,
    /// Whether this version was sealed before more of its recording came.
    pub has_grown: bool,
}

/// What proves that nothing was changed; dossiers know how.
#[async_trait]
pub trait Proof: Send + Sync + fmt::Debug {
    /// The evidence of an incident as it is now. `None`: it cannot be told now; it is asked for again later.
    async fn evidence(&self, id: &IncidentId) -> Option<Evidence>;

    /// A head of all facts, signed at that time, as the dossier crate writes it: JSON in one line. Never waits.
    fn sign_head(&self, head: Head, time: UnixMicros) -> String;
}

/// What knows what belts did; weekly reports are made by it.
#[async_trait]
pub trait Report: Send + Sync + fmt::Debug {
    /// What is told of a site's week, as plain text of some lines: the dates from `from` on and before `until`, in the
    /// site's own time.
    ///
    /// # Errors
    /// Why it cannot be told now; it is asked for again later.
    async fn weekly(&self, site: &SiteId, from: Date, until: Date) -> Result<String, String>;
}

/// How notices are sent.
#[derive(Clone)]
pub struct Settings {
    /// Where people reach the pages, without a slash at the end, such as `https://gym.example.org`.
    pub url: String,
    /// The mail server; `None`: there is none, and mail fails.
    pub mail: Option<MailServer>,
    /// The secret of a webhook's contact, by its name and generation.
    pub secrets: Secrets,
    /// The server's clock.
    pub clock: Arc<dyn Fn() -> UnixMicros + Send + Sync>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("url", &self.url).field("mail", &self.mail).finish_non_exhaustive()
    }
}
