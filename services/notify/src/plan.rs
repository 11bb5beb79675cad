//! Which notices an incident needs, and when one is not needed any more. Pure.

use domain::handling::HandlingState;
use domain::ids::{NoticeId, SiteId};
use domain::incident::{Rule, Severity};
use domain::units::UnixMicros;
use store::ledger::{About, Notice, NoticeState, StoredIncident};
use store::registry::{ChainStep, Registry, Staffing};

use crate::outage;

#[cfg(test)]
mod tests;

/// An incident that was found later than this after it showed is history: nobody is called for it, in microseconds.
pub(crate) const LATE_US: i64 = 15 * 60 * 1_000_000;
/// An incident that was found longer ago than this is not planned for the first time any more, in microseconds: whoever
/// sets up a chain today is not called for what lay there yesterday.
const PLANNED_WITHIN_US: i64 = 24 * 3_600 * 1_000_000;
const SECOND_US: i64 = 1_000_000;
/// What is written with a notice that waits because its incident is laid aside.
const SHELVED: &str = "the incident is shelved";

/// What has to be written about an incident: new notices of its chain, and known ones that are not needed any more.
///
/// `known` are the notices of this incident. Planned again, nothing is given twice: the whole chain is planned at once,
/// and again only when the incident got worse. Then it counts from now on, and what still waits of the lesser severity is
/// not needed. What is under way is left alone.
pub(crate) fn plan(
    registry: &Registry,
    stored: &StoredIncident,
    known: &[Notice],
    is_under_way: impl Fn(&NoticeId) -> bool,
    now: UnixMicros,
) -> Vec<Notice> {
    let severity = stored.incident.severity;
    let (unneeded, shelved) = (unneeded(stored), shelved_until(stored, now));
    let waiting =
        known.iter().filter(|notice| notice.state == NoticeState::Waiting && !is_under_way(&notice.id));
    let mut written: Vec<Notice> = waiting
        .filter_map(|notice| {
            let rose = || {
                (notice.severity < severity)
                    .then(|| format!("it rose to {} and is told anew", severity.name()))
            };
            match unneeded.as_ref().map(|unneeded| unneeded.before(notice)).or_else(rose) {
                Some(reason) => Some(not_needed(notice, reason)),
                None => put_off(registry, notice, shelved, now),
            }
        })
        .collect();
    let is_planned = known.iter().any(|notice| notice.step > 0 && notice.severity >= severity);
    let is_old = known.is_empty() && now.since(stored.detected) > PLANNED_WITHIN_US;
    if unneeded.is_none() && !is_planned && !is_old {
        let from = if known.is_empty() { stored.detected } else { now };
        let planned = steps(registry, stored).map(|(number, step)| {
            let planned = notice(registry, stored, (number, step), from, now);
            Notice { revision: 1, ..put_off(registry, &planned, shelved, now).unwrap_or(planned) }
        });
        written.extend(planned);
    }
    written
}

/// The next version of a waiting notice whose incident was laid aside, or taken up again before its time; `None`: it stays.
/// Its chain begins anew when the time has come: what is laid aside must not be forgotten.
fn put_off(
    registry: &Registry,
    notice: &Notice,
    shelved: Option<UnixMicros>,
    now: UnixMicros,
) -> Option<Notice> {
    let wait_us = wait_us(registry, notice);
    let (due, reason) = match shelved {
        Some(until) => (until.plus(wait_us), SHELVED),
        None if notice.reason == SHELVED => (notice.due.min(now.plus(wait_us)), ""),
        None => return None,
    };
    let is_put_off = notice.due != due || notice.reason != reason;
    (notice.state == NoticeState::Waiting && is_put_off).then(|| Notice {
        due,
        reason: reason.to_owned(),
        revision: notice.revision + 1,
        ..notice.clone()
    })
}

fn notice(
    registry: &Registry,
    stored: &StoredIncident,
    (number, step): (u32, &ChainStep),
    from: UnixMicros,
    now: UnixMicros,
) -> Notice {
    let incident = &stored.incident;
    let mut due = from.plus(i64::from(step.after_seconds) * SECOND_US);
    if incident.rule == Rule::AgentOffline {
        // By then it is known how many others are part of the outage.
        due = due.max(stored.detected.plus(outage::SPAN_US));
    }
    let late_us = stored.detected.since(incident.noticed);
    let (state, reason) = if late_us > LATE_US {
        let reason =
            format!("it was found {} min after it showed; nobody is called so late", late_us / 60_000_000);
        (NoticeState::NotNeeded, reason)
    } else {
        (NoticeState::Waiting, String::new())
    };
    Notice {
        id: id(stored, &step.contact, number),
        about: About::Incident { incident: incident.id },
        contact: step.contact.clone(),
        site: site(registry, stored).cloned(),
        severity: incident.severity,
        step: number,
        planned: now,
        due,
        state,
        attempts: 0,
        last_attempt: None,
        reason,
        together: 0,
        revision: 1,
    }
}

/// The same whenever it is planned.
fn id(stored: &StoredIncident, contact: &str, step: u32) -> NoticeId {
    let about = format!("{}{}", stored.incident.id, stored.incident.severity.name());
    NoticeId::of(&about, contact, step)
}

/// Steps of the chain that hold for an incident, with their numbers from 1.
fn steps<'a>(
    registry: &'a Registry,
    stored: &'a StoredIncident,
) -> impl Iterator<Item = (u32, &'a ChainStep)> {
    let chain = site(registry, stored).map_or(&[][..], |site| registry.chain(site));
    let is_staffed = is_staffed(registry, stored);
    (1..).zip(chain).filter(move |(_, step)| {
        let fits = match step.staffing {
            Staffing::Always => true,
            Staffing::Staffed => is_staffed,
            Staffing::Unstaffed => !is_staffed,
        };
        fits && step.least <= stored.incident.severity
    })
}

/// The number of the first step that holds for an incident; it is taken at once if it is critical and nobody looks.
pub(crate) fn first_step(registry: &Registry, stored: &StoredIncident) -> Option<u32> {
    steps(registry, stored).next().map(|(number, _)| number)
}

/// How long a step of a notice's chain waits, in microseconds; 0 if there is no such step any more.
pub(crate) fn wait_us(registry: &Registry, notice: &Notice) -> i64 {
    let chain = notice.site.as_ref().map_or(&[][..], |site| registry.chain(site));
    let place = usize::try_from(notice.step).unwrap_or(usize::MAX).checked_sub(1);
    let step = place.and_then(|place| chain.get(place));
    step.map_or(0, |step| i64::from(step.after_seconds) * SECOND_US)
}

fn site<'a>(registry: &'a Registry, stored: &StoredIncident) -> Option<&'a SiteId> {
    registry.machines().get(&stored.incident.machine).map(|machine| &machine.site)
}

/// Whether staff were there when it was found. Where nobody has said, or the time zone is not known, they are.
fn is_staffed(registry: &Registry, stored: &StoredIncident) -> bool {
    let timeline = registry.timeline(&stored.incident.machine);
    let hours = timeline.and_then(|timeline| timeline.at(stored.detected).staffed.clone());
    hours.and_then(|hours| hours.has(stored.detected)).unwrap_or(true)
}

/// Why nobody has to be told of an incident any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unneeded(String);

impl Unneeded {
    /// The reason, as it is written with a notice.
    pub(crate) fn before(&self, notice: &Notice) -> String {
        let until = if notice.attempts == 0 { "it was due" } else { "it could be sent" };
        format!("{} before {until}", self.0)
    }
}

/// Until when an incident is laid aside; `None`: it is not.
pub(crate) fn shelved_until(stored: &StoredIncident, now: UnixMicros) -> Option<UnixMicros> {
    stored.handling.shelved_until.filter(|_| stored.is_shelved(now))
}

/// Why nobody has to be told of an incident any more; `None`: they have to.
pub(crate) fn unneeded(stored: &StoredIncident) -> Option<Unneeded> {
    let handling = &stored.handling;
    if stored.incident.drill.is_some() {
        return Some(Unneeded("it was found to be part of a proof test".to_owned()));
    }
    let by = |by: &str| by.strip_prefix("user:").unwrap_or(by).to_owned();
    let reason = match (handling.state, &handling.closing, &handling.acknowledged) {
        (HandlingState::Closed, Some(closing), _) => format!("closed by {}", by(&closing.first.by)),
        (HandlingState::Closed, None, _) => "closed".to_owned(),
        (HandlingState::Acknowledged | HandlingState::InProgress, _, Some(deed)) => {
            format!("acknowledged by {}", by(&deed.by))
        }
        (HandlingState::Acknowledged | HandlingState::InProgress, _, None) => "acknowledged".to_owned(),
        (HandlingState::Open, _, _) => match handling.lead {
            Some(lead) => format!("it was found to be part of the outage of incident {lead}"),
            None => return None,
        },
    };
    Some(Unneeded(reason))
}

/// The notice's next version: it is not needed, and why.
pub(crate) fn not_needed(notice: &Notice, reason: String) -> Notice {
    Notice { state: NoticeState::NotNeeded, reason, revision: notice.revision + 1, ..notice.clone() }
}

/// Whether an incident is planned when notices are planned for the first time ever: what is active, open and critical.
pub(crate) fn is_urgent(stored: &StoredIncident) -> bool {
    stored.incident.severity == Severity::Critical
        && stored.incident.cleared.is_none()
        && stored.handling.state == HandlingState::Open
}
