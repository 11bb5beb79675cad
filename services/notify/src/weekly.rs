//! The body that sends weekly reports: plans them as notices, which the follower sends as all others.
//!
//! A report's identity follows from site, week and contact, so that a restart neither loses nor doubles it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::ids::{NoticeId, SiteId};
use domain::incident::Severity;
use domain::limits::{NOTICES_READ_MAX, WEEKLY_REPORT_CHARS_MAX};
use domain::units::UnixMicros;
use domain::usage::calendar::{week_begin, weekday};
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use store::StoreError;
use store::ledger::{About, Ledger, Notice, NoticeQuery, NoticeState};
use store::registry::{Contact, ContactName, Registry, Site};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::surroundings::{Report, Settings};
use crate::{keeper, metrics, text};

#[cfg(test)]
mod tests;

/// How often it looks whether a report is due.
const TICK: Duration = Duration::from_secs(20);
/// The hour of the site's time at which a report is due.
const DUE_HOUR: i8 = 6;
/// When a report that could not be made is asked for again, in microseconds.
const AGAIN_US: i64 = 300 * 1_000_000;
/// How long one report may take.
const REPORT_MAX: Duration = Duration::from_secs(120);

/// A week that is over, and when its report is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Week {
    /// First date.
    from: Date,
    /// The date after the last one.
    until: Date,
    /// Six o'clock of that date.
    due: UnixMicros,
}

impl Week {
    /// The one whose report was due last. `None`: it is so early or late that no calendar holds it.
    fn of(time_zone: &str, first_weekday: u8, now: UnixMicros) -> Option<Week> {
        let zone = TimeZone::get(time_zone).unwrap_or(TimeZone::UTC);
        let first = weekday(first_weekday).unwrap_or(Weekday::Monday);
        let today = Timestamp::from_microsecond(now.0).ok()?.to_zoned(zone.clone()).date();
        let begun = week_begin(today, first);
        let ended_at = |until: Date| -> Option<Week> {
            let due = until.at(DUE_HOUR, 0, 0, 0).to_zoned(zone.clone()).ok()?;
            let from = until.checked_sub(Span::new().days(7)).ok()?;
            Some(Week { from, until, due: UnixMicros(due.timestamp().as_microsecond()) })
        };
        let last = ended_at(begun)?;
        if last.due <= now { Some(last) } else { ended_at(last.from) }
    }
}

/// Sends weekly reports.
#[derive(Debug)]
pub(crate) struct Reporter {
    ledger: Arc<dyn Ledger>,
    settings: Settings,
    report: Arc<dyn Report>,
    /// The end of the week of which a contact was told last, by site.
    told: BTreeMap<(SiteId, ContactName), Date>,
    /// When a report that could not be made is tried again.
    again: BTreeMap<SiteId, UnixMicros>,
}

impl Reporter {
    pub(crate) fn new(ledger: Arc<dyn Ledger>, settings: Settings, report: Arc<dyn Report>) -> Reporter {
        Reporter { ledger, settings, report, told: BTreeMap::new(), again: BTreeMap::new() }
    }

    /// Until it is told to stop.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = async {
                tick.tick().await;
                self.turn().await
            };
            let result = tokio::select! {
                () = stopping.cancelled() => return,
                result = turn => result,
            };
            if let Err(error) = result {
                metrics::store_failed("weekly reports", &error);
            }
        }
    }

    /// One look around.
    pub(crate) async fn turn(&mut self) -> Result<(), StoreError> {
        let now = (self.settings.clock)();
        let registry = self.ledger.registry();
        self.told.retain(|(site, contact), _| {
            registry.sites().contains_key(site) && registry.contact(contact).is_some_and(|one| one.weekly)
        });
        self.again.retain(|_, again| now < *again);
        for site in registry.sites().values() {
            if self.again.contains_key(&site.id) {
                continue;
            }
            let Some(week) = Week::of(&site.time_zone, site.first_weekday(), now) else { continue };
            let wanting = self.wanting(&registry, site, week);
            if !wanting.is_empty() {
                self.tell(site, week, wanting, now).await?;
            }
        }
        Ok(())
    }

    /// Who is to be told of a week and was not. What is made after the report was due begins with the next one.
    fn wanting(&self, registry: &Registry, site: &Site, week: Week) -> Vec<Contact> {
        let is_wanted = |contact: &&Contact| {
            let key = (site.id.clone(), contact.name.clone());
            contact.weekly
                && contact.site.as_ref().is_none_or(|of| *of == site.id)
                && contact.changed <= week.due
                && self.told.get(&key) != Some(&week.until)
        };
        if site.created > week.due {
            return Vec::new();
        }
        registry.contacts().filter(is_wanted).cloned().collect()
    }

    async fn tell(
        &mut self,
        site: &Site,
        week: Week,
        wanting: Vec<Contact>,
        now: UnixMicros,
    ) -> Result<(), StoreError> {
        let about = format!("weekly:{}:{}", site.id, week.until);
        let known = self.known(&site.id, &wanting).await?;
        let id = |contact: &Contact| NoticeId::of(&about, &contact.name, 0);
        let missing: Vec<&Contact> = wanting.iter().filter(|contact| !known.contains(&id(contact))).collect();
        if !missing.is_empty() {
            let report = self.report.weekly(&site.id, week.from, week.until);
            let made = tokio::time::timeout(REPORT_MAX, report).await;
            let report = match made.unwrap_or_else(|_| Err("it took too long".to_owned())) {
                Ok(report) => text::cut(&report, WEEKLY_REPORT_CHARS_MAX),
                Err(reason) => {
                    tracing::warn!(site.id = %site.id, reason, "a weekly report could not be made");
                    self.again.insert(site.id.clone(), now.plus(AGAIN_US));
                    return Ok(());
                }
            };
            let has_anchor = missing.iter().any(|contact| contact.is_anchor);
            let head = if has_anchor { keeper::head(&*self.ledger).await? } else { None };
            let notice = |contact: &&Contact| Notice {
                id: id(contact),
                about: About::Weekly {
                    from: week.from.to_string(),
                    until: week.until.to_string(),
                    text: report.clone(),
                    head: head.clone().filter(|_| contact.is_anchor),
                },
                contact: contact.name.clone(),
                site: Some(site.id.clone()),
                severity: Severity::Info,
                step: 0,
                planned: now,
                due: now,
                state: NoticeState::Waiting,
                attempts: 0,
                last_attempt: None,
                reason: String::new(),
                together: 0,
                revision: 1,
            };
            self.ledger.put_notices(missing.iter().map(notice).collect(), None).await?;
        }
        let told = wanting.into_iter().map(|contact| ((site.id.clone(), contact.name), week.until));
        self.told.extend(told);
        Ok(())
    }

    /// The newest notices of contacts about a site: what was planned before a restart is not made again.
    async fn known(&self, site: &SiteId, contacts: &[Contact]) -> Result<BTreeSet<NoticeId>, StoreError> {
        let mut known = BTreeSet::new();
        for contact in contacts {
            let query = NoticeQuery {
                contact: Some(contact.name.clone()),
                sites: Some(vec![site.clone()]),
                max: NOTICES_READ_MAX,
                ..NoticeQuery::default()
            };
            known.extend(self.ledger.notices(&query).await?.iter().map(|notice| notice.id));
        }
        Ok(known)
    }
}
