//! How much of what agents report becomes a fact: facts are kept for ever, and an agent may be broken or stolen. Pure.

use std::collections::HashMap;

use domain::limits::COMMISSIONINGS_A_DAY_MAX;
use domain::units::UnixMicros;
use store::fact::{Fact, FactKind};

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// How many of the newest facts are looked at to find what was reported earlier on the same day.
pub(super) const FACTS_READ: usize = 1_000;

/// What agents have reported today, by the fact's author: the machine.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// Days since 1970, UTC.
    day: i64,
    by_author: HashMap<String, Reported>,
}

#[derive(Debug, Default)]
struct Reported {
    facts: usize,
    has_more: bool,
}

impl Reports {
    /// Whether it is known how much this machine has reported on the day of this fact.
    pub(super) fn knows(&self, fact: &Fact) -> bool {
        self.day == day(fact.time) && self.by_author.contains_key(&fact.author)
    }

    /// Counts what the machine has reported on the day of this fact.
    pub(super) fn learn<'a>(&mut self, fact: &Fact, facts: impl Iterator<Item = &'a Fact>) {
        let today = day(fact.time);
        if self.day != today {
            self.day = today;
            self.by_author.clear();
        }
        let is_report = |other: &&Fact| {
            other.author == fact.author
                && day(other.time) == today
                && matches!(other.kind, FactKind::Commissioned(_))
        };
        let reported = Reported { facts: facts.filter(is_report).count(), has_more: false };
        self.by_author.insert(fact.author.clone(), reported);
    }

    /// Whether it can be a fact.
    pub(super) fn has_room(&self, fact: &Fact) -> bool {
        self.by_author.get(&fact.author).is_none_or(|reported| reported.facts < COMMISSIONINGS_A_DAY_MAX)
    }

    /// It is a fact now.
    pub(super) fn added(&mut self, fact: &Fact) {
        self.by_author.entry(fact.author.clone()).or_default().facts += 1;
    }

    /// It will never be one. `true`: it is the machine's first of the day, and somebody should know.
    pub(super) fn set_aside(&mut self, fact: &Fact) -> bool {
        let reported = self.by_author.entry(fact.author.clone()).or_default();
        !std::mem::replace(&mut reported.has_more, true)
    }
}

fn day(time: UnixMicros) -> i64 {
    time.0.div_euclid(DAY_US)
}
