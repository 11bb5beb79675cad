//! What somebody is told, and what became of it: planned, sent, not needed, given up.

use domain::ids::{IncidentId, NoticeId, SiteId};
use domain::incident::Severity;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use crate::registry::ContactName;

/// One thing that one contact is told. Planned before it is sent, so that a crash loses none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Identity: the same however often it is planned or sent.
    pub id: NoticeId,
    /// What it is about.
    pub about: About,
    /// Who is told.
    pub contact: ContactName,
    /// Of which site; `None`: of the server.
    pub site: Option<SiteId>,
    /// How bad it is.
    pub severity: Severity,
    /// Which step of the chain it is, from 1; 0: of no chain.
    pub step: u32,
    /// When it was planned.
    #[serde(rename = "planned_us")]
    pub planned: UnixMicros,
    /// When it is to be sent, or sent again.
    #[serde(rename = "due_us")]
    pub due: UnixMicros,
    /// What became of it.
    pub state: NoticeState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last.
    #[serde(rename = "last_attempt_us")]
    pub last_attempt: Option<UnixMicros>,
    /// Why it failed last, or why it was not needed, in English, at most 300 characters; empty: neither.
    pub reason: String,
    /// How many it was told with in one message, itself counted; 0: it was not sent.
    pub together: u32,
    /// Counts its versions from 1; the greater wins.
    pub revision: u64,
}

/// What somebody is told about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum About {
    /// An incident.
    Incident {
        /// Which one.
        incident: IncidentId,
    },
    /// Somebody tries whether they can be reached.
    Test {
        /// Who tries it.
        by: String,
    },
    /// A head of all facts.
    Head {
        /// How many facts it covers.
        facts: u64,
        /// Root over their leaves, in 64 hexadecimal digits.
        root: String,
    },
    /// What a site's belts did in a week.
    Weekly {
        /// First date, such as `2026-11-16`.
        from: String,
        /// The date after the last one.
        until: String,
        /// The report, at most `limits::WEEKLY_REPORT_CHARS_MAX` characters.
        text: String,
        /// For an anchor a head of all facts: how many it covers, and the root over their leaves, in 64 hexadecimal digits.
        #[serde(default)]
        head: Option<(u64, String)>,
    },
}

impl About {
    /// The incident that it is about; `None`: it is about none.
    pub fn incident(&self) -> Option<IncidentId> {
        match self {
            About::Incident { incident } => Some(*incident),
            About::Test { .. } | About::Head { .. } | About::Weekly { .. } => None,
        }
    }
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It waits for its time, or to be tried again.
    Waiting,
    /// Somebody took it.
    Sent,
    /// It was not sent, because somebody acknowledged before.
    NotNeeded,
    /// It was given up.
    Failed,
}

/// Which notices to list, by when they were planned, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeQuery {
    /// About this incident; `None`: about anything.
    pub incident: Option<IncidentId>,
    /// To this contact; `None`: to any.
    pub contact: Option<ContactName>,
    /// Of one of these sites; `None`: of any, and of the server.
    pub sites: Option<Vec<SiteId>>,
    /// After this one in the list.
    pub after: Option<(UnixMicros, NoticeId)>,
    /// At most this many, 1 to `limits::NOTICES_READ_MAX`.
    pub max: usize,
}
