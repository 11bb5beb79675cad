//! Signals from the edges of contacts.
//!
//! An edge is told at once, with the kernel's time: whether a level stays is the signal watcher's to judge.

use std::time::Duration;

use domain::belt::Contact;
use domain::signal::SignalValue;
use domain::units::{MonotonicMicros, SECOND};

use super::{Level, Settings};
use crate::source::gpio::{Edge, LineMind, Told};

/// How often levels are read and told although nothing changes.
pub(super) const LOOK_US: u64 = SECOND;

/// Makes levels of contacts of edges.
#[derive(Debug)]
pub struct Mind {
    watches: Vec<Watch>,
    /// Number of the newest edge. The kernel numbers the edges of what was asked for from 1.
    number: u32,
    /// Edges are missing: what is read counts at once.
    is_doubtful: bool,
    /// When levels are read next.
    look: MonotonicMicros,
    lost: u64,
}

/// One contact.
#[derive(Debug)]
struct Watch {
    contact: Contact,
    closed: Level,
    hold_off_us: u64,
    /// Whether it is open, by edges and levels; `None`: not known yet.
    open: Option<bool>,
    /// Whether it was told to be open.
    told: Option<bool>,
    /// When it opened, while that is held off.
    opened: Option<MonotonicMicros>,
    /// The level that was read last was not the known one.
    is_odd: bool,
}

impl Mind {
    /// A mind that knows no level yet, of contacts whose lines were opened now.
    pub fn new(settings: &Settings, now: MonotonicMicros) -> Mind {
        let watch = |entry: &super::ContactLine| Watch {
            contact: entry.contact,
            closed: entry.closed,
            hold_off_us: entry.hold_off_us(),
            open: None,
            told: None,
            opened: None,
            is_odd: false,
        };
        Mind {
            watches: settings.lines.iter().map(watch).collect(),
            number: 0,
            is_doubtful: true,
            look: now,
            lost: 0,
        }
    }

    /// Edges came before this one that were not seen: levels are read anew, now.
    fn check_number(&mut self, edge: &Edge) {
        let missing = edge.number.wrapping_sub(self.number).wrapping_sub(1);
        if missing == 0 {
            self.number = edge.number;
            return;
        }
        self.is_doubtful = true;
        self.look = self.look.min(edge.at);
        // Two lines may come the wrong way round: only a number ahead has others missing before it.
        if missing < u32::MAX / 2 {
            self.lost += u64::from(missing);
            self.number = edge.number;
        } else {
            self.lost = self.lost.saturating_sub(1);
        }
    }
}

impl LineMind for Mind {
    fn edge(&mut self, edge: &Edge, told: &mut Vec<Told>) {
        self.check_number(edge);
        let Some(watch) = self.watches.get_mut(edge.line) else { return };
        watch.is_odd = false;
        watch.see(edge.is_high, edge.at, told);
    }

    fn levels(&mut self, levels: &[bool], now: MonotonicMicros, told: &mut Vec<Told>) {
        let is_doubtful = std::mem::take(&mut self.is_doubtful);
        for (watch, is_high) in self.watches.iter_mut().zip(levels) {
            // An edge that is just on its way makes a level odd once; twice, and no edge came for it.
            let is_odd = watch.open != Some(watch.is_open(*is_high));
            if is_odd && (is_doubtful || watch.is_odd) {
                self.lost += u64::from(!is_doubtful);
                watch.see(*is_high, now, told);
            }
            watch.is_odd = is_odd && watch.open != Some(watch.is_open(*is_high));
        }
        self.look = now.plus(LOOK_US);
        // Told again, so that it is known that they still hold.
        told.extend(self.watches.iter().filter_map(|watch| watch.again(now)));
    }

    fn wants_levels(&self) -> bool {
        // Asked only when something is due; a hold-off that ends needs no levels, but does not mind them.
        true
    }

    fn tick(&mut self, now: MonotonicMicros, told: &mut Vec<Told>) {
        for watch in &mut self.watches {
            let is_over = |opened: &mut MonotonicMicros| now.since(*opened) >= watch.hold_off_us;
            if let Some(opened) = watch.opened.take_if(is_over) {
                watch.tell(true, opened, told);
            }
        }
    }

    fn due(&self) -> MonotonicMicros {
        let held = self.watches.iter().filter_map(|watch| Some(watch.opened?.plus(watch.hold_off_us)));
        held.fold(self.look, MonotonicMicros::min)
    }

    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    fn lost(&self) -> u64 {
        self.lost
    }
}

impl Watch {
    fn is_open(&self, is_high: bool) -> bool {
        match self.closed {
            Level::Low => is_high,
            Level::High => !is_high,
        }
    }

    fn see(&mut self, is_high: bool, at: MonotonicMicros, told: &mut Vec<Told>) {
        let open = self.is_open(is_high);
        let before = self.open.replace(open);
        if before == Some(open) {
            return;
        }
        self.opened = None;
        if open && before.is_some() && self.hold_off_us > 0 {
            self.opened = Some(at);
        } else if self.told != Some(open) {
            self.tell(open, at, told);
        }
    }

    fn tell(&mut self, open: bool, at: MonotonicMicros, told: &mut Vec<Told>) {
        self.told = Some(open);
        told.push(Told { at, value: SignalValue::ContactLevel { contact: self.contact, open } });
    }

    fn again(&self, now: MonotonicMicros) -> Option<Told> {
        let value = SignalValue::ContactLevel { contact: self.contact, open: self.told? };
        Some(Told { at: now, value })
    }
}
