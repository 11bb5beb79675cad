//! Contacts: debounced, with the first edge as the time; what chatters is told in sums.

use std::collections::VecDeque;

use super::contradiction::Contradiction;
use crate::belt::{Contact, Contacts};
use crate::limits::CONTACT_EDGES_MAX;
use crate::signal::SourceNumber;
use crate::units::{MILLI, MonotonicMicros, SECOND};

/// Over which time edges are counted.
const EDGES_US: u64 = 60 * SECOND;
/// How often a chattering contact is told.
const CHATTER_US: u64 = 10 * SECOND;
/// How near two contacts open to belong together.
const TOGETHER_US: u64 = 100 * MILLI;

/// How long two sources must contradict each other: one may be asked now and then, or hold a level off for a while.
const DISAGREED_US: u64 = 2 * SECOND;

/// A contact changed and kept its level, or chatters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContactEdge {
    pub(super) contact: Contact,
    pub(super) source: SourceNumber,
    pub(super) open: bool,
    /// The first edge.
    pub(super) at: MonotonicMicros,
    /// How many edges and when the last, if it chatters.
    pub(super) chatter: Option<(u32, MonotonicMicros)>,
    /// It opened together with the machine's power.
    pub(super) with_power_loss: bool,
}

/// Two sources contradict each other on a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContactDisagreement {
    pub(super) contact: Contact,
    /// Since when.
    pub(super) at: MonotonicMicros,
    /// The source whose level counts, and whether that is open; the other one says the contrary.
    pub(super) first: (SourceNumber, bool),
    pub(super) second: SourceNumber,
}

/// Watches all contacts.
#[derive(Debug)]
pub(super) struct ContactWatches {
    debounce_us: u64,
    watches: [ContactWatch; Contact::ALL.len()],
    power_lost: Option<MonotonicMicros>,
}

#[derive(Debug, Default)]
struct ContactWatch {
    source: Option<SourceNumber>,
    settled: Option<bool>,
    pending: Option<Pending>,
    edges: VecDeque<MonotonicMicros>,
    chatter: Option<Chatter>,
    /// The source that goes next, and whether it says open. Its level does not count.
    other: Option<(SourceNumber, bool)>,
    contradiction: Contradiction,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    open: bool,
    first: MonotonicMicros,
    since: MonotonicMicros,
}

#[derive(Debug, Clone, Copy)]
struct Chatter {
    first: MonotonicMicros,
    last: MonotonicMicros,
    count: u32,
}

impl ContactWatches {
    pub(super) fn new(debounce_us: u64) -> ContactWatches {
        ContactWatches { debounce_us, watches: Default::default(), power_lost: None }
    }

    /// Takes a level. The first one is no edge.
    pub(super) fn see(&mut self, contact: Contact, open: bool, source: SourceNumber, at: MonotonicMicros) {
        let watch = &mut self.watches[index(contact)];
        if watch.source.is_some_and(|held| held < source) {
            watch.see_other(source, open, at);
            return;
        }
        if watch.source.is_some_and(|held| source < held) {
            watch.other = watch.source.zip(watch.settled);
        }
        watch.source = Some(source);
        let Some(settled) = watch.settled else {
            watch.settled = Some(open);
            return;
        };
        match &mut watch.pending {
            Some(pending) if pending.open != open => (pending.open, pending.since) = (open, at),
            Some(_) => {}
            None if open != settled => watch.pending = Some(Pending { open, first: at, since: at }),
            None => {}
        }
    }

    /// When the first of the levels that wait will have stood long enough.
    pub(super) fn due(&self) -> Option<MonotonicMicros> {
        let pending = self.watches.iter().filter_map(|watch| watch.pending);
        pending.map(|pending| pending.since.plus(self.debounce_us)).min()
    }

    /// Levels that have stood long enough, and sums of those that chatter.
    pub(super) fn settle(&mut self, now: MonotonicMicros) -> Vec<ContactEdge> {
        let mut edges = Vec::new();
        for contact in Contact::ALL {
            let watch = &mut self.watches[index(contact)];
            let Some(source) = watch.source else { continue };
            let edge = |open, at, chatter| ContactEdge {
                contact,
                source,
                open,
                at,
                chatter,
                with_power_loss: false,
            };
            if let Some((open, first)) = watch.settle(now, self.debounce_us) {
                watch.compare(now);
                if watch.count(first) {
                    edges.push(edge(open, first, None));
                }
            }
            if let Some(chatter) = watch.due(now) {
                let open = watch.settled.unwrap_or_default();
                edges.push(edge(open, chatter.first, Some((chatter.count, chatter.last))));
            }
        }
        self.mark_power_loss(&mut edges);
        edges
    }

    /// Contacts on which two sources have contradicted each other for a while.
    pub(super) fn disagreements(&mut self, now: MonotonicMicros) -> Vec<ContactDisagreement> {
        let mut all = Vec::new();
        for contact in Contact::ALL {
            let watch = &mut self.watches[index(contact)];
            let (Some(first), Some((second, _))) = (watch.source.zip(watch.settled), watch.other) else {
                continue;
            };
            let since = watch.contradiction.settle(now, DISAGREED_US);
            all.extend(since.map(|at| ContactDisagreement { contact, at, first, second }));
        }
        all
    }

    /// What is known of all contacts.
    pub(super) fn levels(&self) -> Contacts {
        let mut levels = Contacts::default();
        for contact in Contact::ALL {
            if let Some(open) = self.watches[index(contact)].settled {
                levels.see(contact, open);
            }
        }
        levels
    }

    /// A source is silent: its contacts are not known, and their next level is no edge. Gives what is not told yet.
    pub(super) fn forget(&mut self, source: SourceNumber) -> Vec<ContactEdge> {
        let mut untold = Vec::new();
        for contact in Contact::ALL {
            let watch = &mut self.watches[index(contact)];
            if watch.other.take_if(|(other, _)| *other == source).is_some() {
                watch.contradiction.forget();
            }
            if watch.source != Some(source) {
                continue;
            }
            let mut watch = std::mem::take(watch);
            let edge = |open, at, chatter| ContactEdge {
                contact,
                source,
                open,
                at,
                chatter,
                with_power_loss: false,
            };
            // What opens a contact may take its source's supply away a moment later.
            let opening = watch.pending.take().filter(|pending| pending.open && watch.settled == Some(false));
            if let Some(pending) = opening {
                if watch.count(pending.first) {
                    untold.push(edge(true, pending.first, None));
                }
                watch.settled = Some(true);
            }
            untold.extend(watch.chatter.map(|chatter| {
                edge(watch.settled.unwrap_or_default(), chatter.first, Some((chatter.count, chatter.last)))
            }));
        }
        untold
    }

    fn mark_power_loss(&mut self, edges: &mut [ContactEdge]) {
        let lost = edges.iter().find(|edge| edge.contact == Contact::MachinePower && edge.open);
        self.power_lost = lost.map(|edge| edge.at).or(self.power_lost);
        let Some(lost) = self.power_lost else { return };
        for edge in edges.iter_mut().filter(|edge| edge.open && edge.contact != Contact::MachinePower) {
            edge.with_power_loss = edge.at.0.abs_diff(lost.0) <= TOGETHER_US;
        }
    }
}

impl ContactWatch {
    /// A source that does not go first says a level. Of several the first is listened to.
    fn see_other(&mut self, source: SourceNumber, open: bool, at: MonotonicMicros) {
        if self.other.is_none_or(|(other, _)| source <= other) {
            self.other = Some((source, open));
            self.compare(at);
        }
    }

    fn compare(&mut self, at: MonotonicMicros) {
        if let (Some(settled), Some((_, other))) = (self.settled, self.other) {
            self.contradiction.see(settled != other, settled == other, at);
        }
    }

    /// A level that has stood long enough and differs from the one before, with the time of the first edge.
    fn settle(&mut self, now: MonotonicMicros, debounce_us: u64) -> Option<(bool, MonotonicMicros)> {
        let pending = self.pending.filter(|pending| now.since(pending.since) >= debounce_us)?;
        self.pending = None;
        let changed = self.settled != Some(pending.open);
        self.settled = Some(pending.open);
        changed.then_some((pending.open, pending.first))
    }

    /// Counts an edge; whether it is told by itself.
    fn count(&mut self, at: MonotonicMicros) -> bool {
        while self.edges.front().is_some_and(|old| at.since(*old) > EDGES_US) {
            self.edges.pop_front();
        }
        self.edges.push_back(at);
        if self.edges.len() <= CONTACT_EDGES_MAX {
            return true;
        }
        self.edges.pop_front();
        let chatter = self.chatter.get_or_insert(Chatter { first: at, last: at, count: 0 });
        chatter.last = at;
        chatter.count += 1;
        false
    }

    fn due(&mut self, now: MonotonicMicros) -> Option<Chatter> {
        self.chatter.take_if(|chatter| now.since(chatter.first) >= CHATTER_US)
    }
}

fn index(contact: Contact) -> usize {
    match contact {
        Contact::EmergencyStop => 0,
        Contact::SafetyKey => 1,
        Contact::MachinePower => 2,
        Contact::HandRail => 3,
        Contact::UserPresence => 4,
    }
}
