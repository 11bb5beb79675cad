//! Messages on their way, and what became of them.

use std::time::Duration;

use domain::ids::SiteId;
use domain::limits::NOTICES_LISTED_MAX;
use domain::units::UnixMicros;
use dossier::Head;
use store::StoreError;
use store::fact::{Anchoring, FactKind};
use store::ledger::{About, IncidentFilter, Ledger, Members, Notice, NoticeState, StoredIncident};
use store::registry::{Contact, Registry, Way};
use tokio::task::{JoinError, JoinSet};

use super::Follower;
use crate::message::{self, HeadTold, Message, Story, Subject, Told, WeeklyTold};
use crate::mind::{Known, worst_first};
use crate::retry::Refusal;
use crate::surroundings::Proof;
use crate::{facts, metrics};

/// A message that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    contact: String,
    way: &'static str,
    notices: Vec<Notice>,
    outcome: Result<(), Refusal>,
    started: UnixMicros,
}

impl Follower {
    /// Sends a message in a task of its own.
    pub(super) fn send(
        &mut self,
        contact: Contact,
        mut notices: Vec<Notice>,
        known: &Known,
        now: UnixMicros,
    ) {
        notices.sort_by_key(worst_first);
        let registry = self.ledger.registry();
        let told: Vec<Told> = notices
            .iter()
            .take(NOTICES_LISTED_MAX)
            .filter_map(|notice| told(notice, known, &registry, &*self.proof))
            .collect();
        let message = Message {
            id: message::id(&contact.name, &notices),
            more: notices.len() - told.len(),
            told,
            time: now,
            url: self.settings.url.clone(),
            contact,
        };
        let (ledger, carrier) = (self.ledger.clone(), self.carrier.clone());
        self.sending.spawn(async move {
            let message = with_members(&*ledger, message).await;
            // In a task of its own, which ends with this one: a carrier that panics must not leave its contact under way.
            let mut carried = JoinSet::new();
            carried.spawn({
                let message = message.clone();
                async move { carrier.carry(&message).await }
            });
            let broken = || Err(Refusal::passing("the message could not be made; the log says why"));
            let outcome = match carried.join_next().await {
                Some(Ok(outcome)) => outcome,
                Some(Err(_)) | None => broken(),
            };
            let way = match &message.contact.way {
                Way::Webhook { .. } => "webhook",
                Way::Email { .. } => "mail",
            };
            Ended { contact: message.contact.name, way, notices, outcome, started: now }
        });
    }

    /// Takes what became of a message.
    pub(super) fn ended(&mut self, ended: Result<Ended, JoinError>) {
        let Ok(Ended { contact, way, notices, outcome, started }) = ended else {
            // Only when the whole runtime ends.
            return;
        };
        let told = match &outcome {
            Ok(()) => Ok(notices.len()),
            Err(refusal) => Err((refusal.is_final, refusal.reason.as_str())),
        };
        let now = self.now();
        let took = Duration::from_micros(u64::try_from(now.since(started)).unwrap_or(0));
        metrics::message(&contact, way, told, took);
        let registry = self.ledger.registry();
        self.unwritten.extend(self.mind.ended(&contact, &notices, outcome, &registry, now));
    }

    /// Writes what became of messages. That a head was taken is a fact before it is no longer waiting.
    pub(super) async fn write_ends(&mut self) -> Result<(), StoreError> {
        for notice in self.unwritten.iter().filter(|notice| notice.state == NoticeState::Sent) {
            let head = match &notice.about {
                About::Head { facts, root } => Some((*facts, root.clone())),
                About::Weekly { head, .. } => head.clone(),
                About::Incident { .. } | About::Test { .. } => None,
            };
            if let (Some((facts, root)), Some(taken)) = (head, notice.last_attempt) {
                let contact = notice.contact.clone();
                let kind = FactKind::HeadAnchored(Anchoring { facts, root, contact, taken });
                let request = (facts::SERVER, format!("head:{}", notice.id));
                facts::add(&*self.ledger, "head", request, kind, self.now()).await?;
            }
        }
        self.write(self.unwritten.clone(), None).await?;
        self.unwritten.clear();
        Ok(())
    }
}

fn told(notice: &Notice, known: &Known, registry: &Registry, proof: &dyn Proof) -> Option<Told> {
    let subject = match &notice.about {
        About::Incident { incident } => {
            let stored = known.get(incident).cloned().flatten()?;
            Subject::Incident(Box::new(story(stored, registry)))
        }
        About::Test { by } => Subject::Test { by: by.strip_prefix("user:").unwrap_or(by).to_owned() },
        About::Head { facts, root } => Subject::Head(signed(notice, *facts, root, proof)?),
        About::Weekly { from, until, text, head } => Subject::Weekly(Box::new(WeeklyTold {
            site_id: notice.site.as_ref().map(ToString::to_string).unwrap_or_default(),
            site: notice.site.as_ref().map(|site| site_name(registry, site)).unwrap_or_default(),
            from: from.clone(),
            until: until.clone(),
            text: text.clone(),
            head: head.as_ref().and_then(|(facts, root)| signed(notice, *facts, root, proof)),
        })),
    };
    Some(Told { id: notice.id, severity: notice.severity, subject })
}

/// `None`: it has no 64 digits, which what the keeper writes has.
fn signed(notice: &Notice, facts: u64, root: &str, proof: &dyn Proof) -> Option<HeadTold> {
    let mut octets = [0; 32];
    hex::decode_to_slice(root, &mut octets).ok()?;
    // By the time when it was planned, so that it is the same when it is sent again.
    let signed = proof.sign_head(Head { facts, root: octets }, notice.planned);
    Some(HeadTold { facts, root: root.to_owned(), signed })
}

fn site_name(registry: &Registry, id: &SiteId) -> String {
    let name = registry.sites().get(id).map(|site| site.display_name.clone());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| id.to_string())
}

fn story(stored: StoredIncident, registry: &Registry) -> Story {
    let machine = registry.machines().get(&stored.incident.machine);
    let site = machine.and_then(|machine| registry.sites().get(&machine.site));
    let named = |name: &str, id: &str| if name.is_empty() { id.to_owned() } else { name.to_owned() };
    Story {
        machine: named(machine.map_or("", |machine| &machine.display_name), stored.incident.machine.as_str()),
        site_id: site.map_or_else(String::new, |site| site.id.to_string()),
        site: site.map_or_else(String::new, |site| named(&site.display_name, site.id.as_str())),
        zone: site.map_or_else(|| "UTC".to_owned(), |site| site.time_zone.clone()),
        members: 0,
        stored,
    }
}

/// Says of the lead of an outage how many others it stands for. If the ledger cannot say, the message goes without.
async fn with_members(ledger: &dyn Ledger, mut message: Message) -> Message {
    for told in &mut message.told {
        if let Subject::Incident(story) = &mut told.subject
            && crate::outage::can_be_part(&story.stored)
        {
            let members = Members::Of(story.stored.incident.id);
            let counts =
                ledger.incident_counts(&IncidentFilter { members, ..IncidentFilter::default() }).await;
            story.members = counts.unwrap_or_default().iter().map(|count| count.count).sum();
        }
    }
    message
}
