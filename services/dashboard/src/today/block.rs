//! One kind of thing to look at: how many there are, the worst few, and where the rest is.

use super::Ground;
use crate::frame::MissingPart;
use crate::outage::Missing;

/// Lines of a block. More: the block says how many.
pub(super) const SHOWN_MAX: usize = 6;

/// A block of the page.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Its name in the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// Says what it is about; empty: the title does.
    pub(super) lead: &'static str,
    pub(super) missing: Option<MissingPart>,
    /// How many there are to look at.
    pub(super) count: usize,
    pub(super) lines: Vec<Line>,
    /// Says how many are not shown; empty: none.
    pub(super) more: String,
    /// What else is known.
    pub(super) notes: Vec<String>,
    /// Where all of it is: address, words. None: the machines' own pages are all there is.
    pub(super) all: Option<(String, &'static str)>,
}

/// One thing to look at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) href: String,
    pub(super) site: String,
    pub(super) words: String,
}

impl Line {
    /// About a machine.
    pub(super) fn of(id: &str, words: impl Into<String>, ground: &Ground) -> Line {
        let site = ground.machine(id).map_or("", |machine| &machine.site_id);
        Line {
            name: ground.name(id),
            href: format!("/machine/{id}"),
            site: ground.places.name(site).to_owned(),
            words: words.into(),
        }
    }
}

impl Block {
    /// With the worst few of all, which come worst first.
    pub(super) fn new(id: &'static str, title: &'static str, mut lines: Vec<Line>, ground: &Ground) -> Block {
        let count = lines.len();
        lines.truncate(SHOWN_MAX);
        let rest = count - lines.len();
        let more = if rest > 0 { ground.t().today_more(rest) } else { String::new() };
        Block { id, title, count, lines, more, ..Block::default() }
    }

    pub(super) fn missing(
        id: &'static str,
        title: &'static str,
        missing: &Missing,
        ground: &Ground,
    ) -> Block {
        Block { id, title, missing: Some(ground.lost(missing)), ..Block::default() }
    }

    pub(super) fn led(self, lead: &'static str) -> Block {
        Block { lead, ..self }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && self.missing.is_none()
    }
}
