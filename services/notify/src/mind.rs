//! What is sent to whom, and what becomes of it. It knows what is under way and what each contact got lately; all else is
//! in the notices.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{IncidentId, NoticeId, SiteId};
use domain::incident::Severity;
use domain::limits::{MESSAGES_UNDER_WAY_MAX, NOTICES_LISTED_MAX};
use domain::units::UnixMicros;
use store::ledger::{About, Notice, NoticeState, StoredIncident};
use store::registry::{Contact, ContactName, Registry};

use crate::pace::{Gate, Pace};
use crate::plan;
use crate::retry::{self, Refusal};
use crate::text;

#[cfg(test)]
mod tests;

/// Longest reason that is kept with a notice, in characters.
const REASON_CHARS_MAX: usize = 300;
/// For so long what a contact under way has still to get is put off when there is too much of it, in microseconds.
const PUT_OFF_US: i64 = 10 * 1_000_000;
/// A clock that is put right by less than this, in microseconds, delays nothing worth telling.
const SET_BACK_US: i64 = 60 * 1_000_000;

/// What is sent to whom.
#[derive(Debug, Default)]
pub(crate) struct Mind {
    paces: BTreeMap<ContactName, Pace>,
    /// Contacts with a message under way, and what is in it.
    under_way: BTreeMap<ContactName, (Gate, BTreeSet<NoticeId>)>,
}

/// What a turn does.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// Notices to write.
    pub(crate) written: Vec<Notice>,
    /// What is to be sent now, one a contact.
    pub(crate) sent: Vec<(Contact, Vec<Notice>)>,
}

/// What is known of the incidents that a turn looks at; `None`: there is no such incident.
pub(crate) type Known = BTreeMap<IncidentId, Option<StoredIncident>>;

impl Mind {
    /// Whether a notice is in a message that is under way.
    pub(crate) fn is_under_way(&self, id: &NoticeId) -> bool {
        self.under_way.values().any(|(_, ids)| ids.contains(id))
    }

    /// Those of the waiting notices that might be sent now, so that their incidents have to be known.
    ///
    /// What is critical is looked at before its time if nobody looks at its site.
    pub(crate) fn candidates<'a>(
        &mut self,
        waiting: &'a [Notice],
        registry: &Registry,
        is_watched: impl Fn(&SiteId) -> bool,
        now: UnixMicros,
    ) -> Vec<&'a Notice> {
        if self.under_way.len() >= MESSAGES_UNDER_WAY_MAX {
            return Vec::new();
        }
        let is_due = |notice: &Notice| {
            // A change that lies ahead is of a clock that was set back since: it would be new for ever.
            let retells = |at| {
                registry
                    .contact(&notice.contact)
                    .is_some_and(|contact| at < contact.changed && contact.changed <= now)
            };
            let is_unwatched = || notice.site.as_ref().is_some_and(|site| !is_watched(site));
            is_time(notice, now)
                // Somebody may have put right what made it fail.
                || notice.last_attempt.is_some_and(retells)
                || (notice.severity == Severity::Critical && notice.attempts == 0 && is_unwatched())
        };
        let mut gates: BTreeMap<&str, Gate> = BTreeMap::new();
        waiting
            .iter()
            .filter(|notice| is_due(notice))
            .filter(|notice| {
                let gate = gates.entry(&notice.contact).or_insert_with(|| self.gate(registry, notice, now));
                gate.lets(notice)
            })
            .collect()
    }

    fn gate(&mut self, registry: &Registry, notice: &Notice, now: UnixMicros) -> Gate {
        if self.under_way.contains_key(&notice.contact) {
            return Gate::Shut;
        }
        let pace = self.paces.entry(notice.contact.clone()).or_default();
        if let Some(contact) = registry.contact(&notice.contact) {
            pace.changed(contact.changed, now);
        }
        pace.gate(now)
    }

    /// What is sent of the candidates, and which of them nobody needs any more.
    pub(crate) fn turn(
        &mut self,
        candidates: Vec<Notice>,
        known: &Known,
        registry: &Registry,
        now: UnixMicros,
    ) -> Turn {
        let mut turn = Turn::default();
        let mut ready: BTreeMap<ContactName, Vec<Notice>> = BTreeMap::new();
        for notice in candidates {
            if let Some(reason) = unneeded(&notice, known, registry) {
                turn.written.push(plan::not_needed(&notice, reason));
            } else if is_shelved(&notice, known, now) {
                // It was laid aside just now; the plan will say from when on it waits again.
            } else if is_time(&notice, now)
                || notice.last_attempt.is_some()
                || is_first(&notice, known, registry)
            {
                ready.entry(notice.contact.clone()).or_default().push(notice);
            }
        }
        // The worst first, so that it does not wait for a place.
        let mut ready: Vec<(ContactName, Vec<Notice>)> = ready.into_iter().collect();
        ready.sort_by_key(|(_, notices)| Reverse(notices.iter().map(|notice| notice.severity).max()));
        for (name, notices) in ready {
            let Some(contact) = registry.contact(&name) else { continue };
            if self.under_way.len() >= MESSAGES_UNDER_WAY_MAX {
                break;
            }
            let gate = self.paces.entry(name.clone()).or_default().gate(now);
            let notices = that_fit(notices);
            self.under_way.insert(name, (gate, notices.iter().map(|notice| notice.id).collect()));
            turn.sent.push((contact.clone(), notices));
        }
        turn
    }

    /// A message has ended. Gives the new versions of its notices.
    pub(crate) fn ended(
        &mut self,
        contact: &str,
        notices: &[Notice],
        outcome: Result<(), Refusal>,
        registry: &Registry,
        now: UnixMicros,
    ) -> Vec<Notice> {
        let gate = self.under_way.remove(contact).map_or(Gate::Open, |(gate, _)| gate);
        let pace = self.paces.entry(contact.to_owned()).or_default();
        let attempted = |notice: &Notice| Notice {
            attempts: notice.attempts.saturating_add(1),
            last_attempt: Some(now),
            revision: notice.revision + 1,
            ..notice.clone()
        };
        let Err(refusal) = outcome else {
            pace.took(gate, now);
            let together = u32::try_from(notices.len()).unwrap_or(u32::MAX);
            let sent = |notice| Notice {
                state: NoticeState::Sent,
                reason: String::new(),
                together,
                ..attempted(notice)
            };
            return notices.iter().map(sent).collect();
        };
        // After a restart the notices remember how often it failed.
        let earlier = notices.iter().map(|notice| notice.attempts).max().unwrap_or(0);
        let failures = pace.failures.max(earlier).saturating_add(1);
        let id = notices.first().map_or(NoticeId::default(), |notice| notice.id);
        let due = now.plus(retry::wait_us(&refusal, failures, id));
        pace.failed(failures, now, due);
        let reason = text::cut(&text::line(&refusal.reason), REASON_CHARS_MAX);
        let failed = |notice| {
            let notice = attempted(notice);
            let wait_us = plan::wait_us(registry, &notice);
            let state = match retry::is_given_up(&notice, notice.attempts, wait_us, now) {
                true => NoticeState::Failed,
                false => NoticeState::Waiting,
            };
            Notice { state, due, reason: reason.clone(), ..notice }
        };
        notices.iter().map(failed).collect()
    }

    /// Puts off what cannot be sent now anyway, so that a contact that fails or gets too much does not fill the page in
    /// which what is due for others stands. Gives the new versions.
    pub(crate) fn put_off(&mut self, waiting: &[Notice], now: UnixMicros) -> Vec<Notice> {
        let due = waiting.iter().filter(|notice| notice.due <= now && !self.is_under_way(&notice.id));
        let due: Vec<&Notice> = due.collect();
        let put_off = due.into_iter().filter_map(|notice| {
            let until = match self.under_way.contains_key(&notice.contact) {
                true => now.plus(PUT_OFF_US),
                false => {
                    let pace = self.paces.get_mut(&notice.contact)?;
                    if pace.gate(now).lets(notice) {
                        return None;
                    }
                    pace.opens(now)
                }
            };
            Some(Notice { due: until, revision: notice.revision + 1, ..notice.clone() })
        });
        put_off.collect()
    }

    /// Forgets contacts that are there no more.
    pub(crate) fn tidy(&mut self, registry: &Registry) {
        self.paces.retain(|name, _| registry.contact(name).is_some());
    }
}

/// Whether a notice is due. One that was planned ahead of now is of a clock that was set back since: rather too early than
/// an hour late.
/// The order in which a message lists notices.
pub(crate) fn worst_first(notice: &Notice) -> (Reverse<Severity>, UnixMicros, NoticeId) {
    (Reverse(notice.severity), notice.planned, notice.id)
}

/// What one message takes. What is not listed is only counted in it; of critical incidents and weekly reports each is
/// told, so those that find no place wait for the next message.
fn that_fit(mut notices: Vec<Notice>) -> Vec<Notice> {
    if notices.len() <= NOTICES_LISTED_MAX {
        return notices;
    }
    notices.sort_by_key(worst_first);
    let counted = notices.split_off(NOTICES_LISTED_MAX);
    let waits = |notice: &Notice| {
        notice.severity == Severity::Critical || matches!(notice.about, About::Weekly { .. })
    };
    notices.extend(counted.into_iter().filter(|notice| !waits(notice)));
    notices
}

fn is_time(notice: &Notice, now: UnixMicros) -> bool {
    notice.due <= now || notice.planned.since(now) > SET_BACK_US
}

fn is_first(notice: &Notice, known: &Known, registry: &Registry) -> bool {
    let About::Incident { incident } = &notice.about else { return false };
    let stored = known.get(incident).and_then(Option::as_ref);
    stored.is_some_and(|stored| plan::first_step(registry, stored) == Some(notice.step))
}

fn is_shelved(notice: &Notice, known: &Known, now: UnixMicros) -> bool {
    let stored = notice.about.incident().and_then(|incident| known.get(&incident)?.as_ref());
    stored.is_some_and(|stored| plan::shelved_until(stored, now).is_some())
}

fn unneeded(notice: &Notice, known: &Known, registry: &Registry) -> Option<String> {
    let Some(contact) = registry.contact(&notice.contact) else {
        return Some("the contact was taken away".to_owned());
    };
    let is_of_a_site = match &notice.about {
        About::Incident { .. } | About::Weekly { .. } => true,
        About::Test { .. } | About::Head { .. } => false,
    };
    if contact.site.is_some() && contact.site != notice.site && is_of_a_site {
        return Some("the contact was taken away, and one of this name made for another site".to_owned());
    }
    let About::Incident { incident } = &notice.about else { return None };
    match known.get(incident)? {
        Some(stored) => plan::unneeded(stored).map(|unneeded| unneeded.before(notice)),
        None => Some("there is no such incident any more".to_owned()),
    }
}
