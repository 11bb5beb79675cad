//! Notices in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::ids::NoticeId;

use crate::ledger::{Notice, NoticeQuery, NoticeState};

/// All notices of a ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices {
    by_id: BTreeMap<NoticeId, Notice>,
    taken: Option<u64>,
}

impl Notices {
    /// Takes notices that are new or have a greater revision; says whether there was one.
    pub(super) fn put(&mut self, notices: Vec<Notice>, taken: Option<u64>) -> bool {
        self.taken = self.taken.max(taken);
        let mut is_changed = false;
        for notice in notices {
            if self.by_id.get(&notice.id).is_none_or(|old| old.revision < notice.revision) {
                self.by_id.insert(notice.id, notice);
                is_changed = true;
            }
        }
        is_changed
    }

    /// Up to which change notices were planned.
    pub(super) fn taken(&self) -> Option<u64> {
        self.taken
    }

    /// Those that wait.
    pub(super) fn waiting(&self, max: usize) -> Vec<Notice> {
        let waiting = self.by_id.values().filter(|notice| notice.state == NoticeState::Waiting);
        let mut waiting: Vec<&Notice> = waiting.collect();
        waiting.sort_by_key(|notice| (notice.due, notice.id));
        waiting.into_iter().take(max).cloned().collect()
    }

    /// A page.
    pub(super) fn list(&self, query: &NoticeQuery) -> Vec<Notice> {
        let wanted = |notice: &&Notice| {
            query.incident.is_none_or(|id| notice.about.incident() == Some(id))
                && query.contact.as_ref().is_none_or(|contact| notice.contact == *contact)
                && query
                    .sites
                    .as_ref()
                    .is_none_or(|sites| notice.site.as_ref().is_some_and(|site| sites.contains(site)))
                && query.after.is_none_or(|after| (notice.planned, notice.id) < after)
        };
        let mut notices: Vec<&Notice> = self.by_id.values().filter(wanted).collect();
        notices.sort_by_key(|notice| Reverse((notice.planned, notice.id)));
        notices.into_iter().take(query.max).cloned().collect()
    }
}
