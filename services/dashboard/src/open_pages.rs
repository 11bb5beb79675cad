//! How many pages are open at each site: those whose stream runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most streams at once, of all sites. When there are as many, a further page is told so and shows the state with which
/// it was loaded.
const STREAMS_MAX: usize = 4_096;

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_site: BTreeMap<String, usize>,
}

/// Counts open pages. Clones count the same.
#[derive(Debug, Clone, Default)]
pub struct OpenPages(Arc<Mutex<Counts>>);

impl OpenPages {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are open at a site.
    pub fn count(&self, site: &str) -> usize {
        self.lock().by_site.get(site).copied().unwrap_or_default()
    }

    /// One more page at a site, until the answer is dropped. None: there are too many.
    pub(crate) fn open(&self, site: &str) -> Option<OpenPage> {
        let mut counts = self.lock();
        if counts.all >= STREAMS_MAX {
            return None;
        }
        counts.all += 1;
        *counts.by_site.entry(site.to_owned()).or_default() += 1;
        drop(counts);
        Some(OpenPage { pages: self.clone(), site: site.to_owned() })
    }
}

/// A page that is open.
#[derive(Debug)]
pub(crate) struct OpenPage {
    pages: OpenPages,
    site: String,
}

impl OpenPage {
    /// How many are open at this page's site, this one too.
    pub(crate) fn count(&self) -> usize {
        self.pages.count(&self.site)
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        let mut counts = self.pages.lock();
        counts.all = counts.all.saturating_sub(1);
        if let Some(count) = counts.by_site.get_mut(&self.site) {
            *count -= 1;
            if *count == 0 {
                counts.by_site.remove(&self.site);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_by_site_until_they_close() {
        let pages = OpenPages::default();
        let first = pages.open("north").unwrap();
        let second = pages.open("north").unwrap();
        let other = pages.open("south").unwrap();
        assert_eq!((first.count(), other.count()), (2, 1));
        drop(second);
        assert_eq!(first.count(), 1);
        drop((first, other));
        assert!(pages.lock().by_site.is_empty());
    }

    #[test]
    fn one_too_many_is_refused_and_a_closed_one_makes_room() {
        let pages = OpenPages::default();
        let mut open: Vec<OpenPage> = (0..STREAMS_MAX).map(|_| pages.open("north").unwrap()).collect();
        assert!(pages.open("south").is_none());
        open.pop();
        assert!(pages.open("south").is_some());
    }
}
