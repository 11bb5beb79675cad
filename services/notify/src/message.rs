//! One message to one contact, whichever way it goes.

use domain::ids::NoticeId;
use domain::incident::Severity;
use domain::units::UnixMicros;
use store::ledger::{Notice, StoredIncident};
use store::registry::Contact;

use crate::text;

/// What one contact is told at once.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// The same if the same is told again.
    pub(crate) id: NoticeId,
    /// Who is told.
    pub(crate) contact: Contact,
    /// What, the worst first, at most `limits::NOTICES_LISTED_MAX`.
    pub(crate) told: Vec<Told>,
    /// How much more there is that is not listed.
    pub(crate) more: usize,
    /// When it is sent.
    pub(crate) time: UnixMicros,
    /// Where people reach the pages, such as `https://gym.example.org`.
    pub(crate) url: String,
}

/// One thing that is told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// Its identity.
    pub(crate) id: NoticeId,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What it is.
    pub(crate) subject: Subject,
}

/// What something is about.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// An incident.
    Incident(Box<Story>),
    /// Somebody tries whether the contact can be reached.
    Test {
        /// Who.
        by: String,
    },
    /// A head of all facts.
    Head(HeadTold),
    /// What a site's belts did in a week.
    Weekly(Box<WeeklyTold>),
}

/// A head of all facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeadTold {
    /// How many facts it covers.
    pub(crate) facts: u64,
    /// Root over their leaves, in hexadecimal digits.
    pub(crate) root: String,
    /// The same, signed: JSON in one line.
    pub(crate) signed: String,
}

/// A weekly report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WeeklyTold {
    /// Id of the site.
    pub(crate) site_id: String,
    /// Name of the site for people.
    pub(crate) site: String,
    /// First date.
    pub(crate) from: String,
    /// The date after the last one.
    pub(crate) until: String,
    /// The report.
    pub(crate) text: String,
    /// For an anchor.
    pub(crate) head: Option<HeadTold>,
}

impl HeadTold {
    fn description(&self) -> String {
        let HeadTold { facts, root, signed } = self;
        format!(
            "Keep this message. It proves later that none of the first {facts} facts was changed after today. Root of \
             their Merkle tree: {root}. The same, signed by the server:\n{signed}"
        )
    }
}

/// An incident with what people call its places.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) stored: StoredIncident,
    /// Name of the machine for people.
    pub(crate) machine: String,
    /// Id of the site.
    pub(crate) site_id: String,
    /// Name of the site for people.
    pub(crate) site: String,
    /// Time zone of the site.
    pub(crate) zone: String,
    /// How many other incidents it stands for.
    pub(crate) members: u64,
}

/// The identity of a message with these notices.
pub(crate) fn id(contact: &str, notices: &[Notice]) -> NoticeId {
    match notices {
        [alone] => alone.id,
        many => {
            let mut ids: Vec<String> = many.iter().map(|notice| notice.id.to_string()).collect();
            ids.sort();
            NoticeId::of(&ids.concat(), contact, 0)
        }
    }
}

impl Message {
    /// How much is told, listed or not.
    pub(crate) fn total(&self) -> usize {
        self.told.len() + self.more
    }
}

impl Told {
    /// In one line, such as `critical: Emergency stop, TM 4, Gym North`.
    pub(crate) fn summary(&self) -> String {
        match &self.subject {
            Subject::Incident(story) => {
                let title = story.stored.incident.rule.definition().title;
                let more = match story.members {
                    0 => String::new(),
                    members => format!(" and {members} more machines"),
                };
                let summary =
                    format!("{}: {title}, {}{more}, {}", self.severity.name(), story.machine, story.site);
                text::line(&summary)
            }
            Subject::Test { by } => text::line(&format!("Test message, asked for by {by}")),
            Subject::Head(head) => format!("Head of {} facts", head.facts),
            Subject::Weekly(week) => text::line(&format!("The week from {}, {}", week.from, week.site)),
        }
    }

    /// What happened, in sentences.
    pub(crate) fn description(&self) -> String {
        match &self.subject {
            Subject::Incident(story) => story.description(),
            Subject::Test { by } => {
                format!(
                    "{} asked for this message to see whether you can be reached. Nothing happened.",
                    text::line(by)
                )
            }
            Subject::Head(head) => head.description(),
            Subject::Weekly(week) => match &week.head {
                Some(head) => format!("{}\n{}", week.text, head.description()),
                None => week.text.clone(),
            },
        }
    }

    /// Path of the page about it.
    pub(crate) fn path(&self) -> String {
        match &self.subject {
            Subject::Incident(story) => format!("/incident/{}", story.stored.incident.id),
            Subject::Weekly(week) => format!("/usage?site={}", week.site_id),
            Subject::Test { .. } | Subject::Head(_) => "/".to_owned(),
        }
    }
}

impl Story {
    /// When it happened, in the site's own time.
    pub(crate) fn local_time(&self) -> String {
        text::local(self.stored.incident.time, &self.zone)
    }

    /// What staff do.
    pub(crate) fn card(&self) -> &'static str {
        self.stored.incident.rule.definition().card
    }

    fn description(&self) -> String {
        let incident = &self.stored.incident;
        let mut parts = vec![format!("{} at {}.", incident.rule.definition().title, self.local_time())];
        if let Some(speed) = incident.speed {
            parts.push(format!("Belt speed {:.1} km/h, direction {:?}.", speed.kmh(), incident.direction));
        }
        if !incident.detail.is_empty() {
            parts.push(text::line(&incident.detail));
        }
        if let Some(stop) = incident.stop {
            let (seconds, metres) =
                (f64::from(stop.time_ms) / 1_000.0, f64::from(stop.distance_mm) / 1_000.0);
            parts.push(format!("The belt came to rest in {seconds:.1} s over {metres:.1} m."));
        }
        if self.members > 0 {
            let machines = self.members + 1;
            parts.push(format!(
                "{machines} machines of this site were lost within a minute: look at its power and network."
            ));
        }
        if !incident.explained.is_empty() {
            parts.push(text::line(&incident.explained));
        }
        parts.join(" ")
    }
}
