//! Where machines stood and what held there, over all time.

use std::sync::Arc;

use domain::ids::{MachineId, SiteId};
use domain::units::UnixMicros;

use super::{BEGINNING, Machine, Registry, Site};

/// After all time.
const END: UnixMicros = UnixMicros(i64::MAX);

/// A time in which a machine stood at one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// From when on; of the first one [`BEGINNING`].
    pub from: UnixMicros,
    /// Until when; of the last one the greatest time.
    pub until: UnixMicros,
    /// Where.
    pub site: SiteId,
}

impl Registry {
    /// Where a machine stood at all times, ascending without a gap; empty: there is no such machine.
    pub fn stays(&self, machine: &MachineId) -> Vec<Stay> {
        self.machines.get(machine).map(|machine| machine.stays()).unwrap_or_default()
    }

    /// Where a machine stood then; `None`: there is no such machine.
    pub fn site_at(&self, machine: &MachineId, time: UnixMicros) -> Option<&SiteId> {
        self.machines.get(machine).map(|machine| machine.site_at(time))
    }

    /// Machines that stand at a site or ever stood there, by id.
    pub fn machines_ever_at(&self, site: &SiteId) -> impl Iterator<Item = &Arc<Machine>> {
        self.machines.values().filter(move |machine| machine.ever_stood_at(site))
    }
}

impl Machine {
    /// Where it stood at all times, ascending without a gap; at least one stay.
    pub fn stays(&self) -> Vec<Stay> {
        let sites =
            self.history.iter().map(|dated| (dated.from, dated.value.site.as_ref().unwrap_or(&self.site)));
        spans(sites, &self.site)
            .into_iter()
            .map(|(from, until, site)| Stay { from, until, site: site.clone() })
            .collect()
    }

    /// Where it stood then.
    pub fn site_at(&self, time: UnixMicros) -> &SiteId {
        self.history.at(time).and_then(|traits| traits.site.as_ref()).unwrap_or(&self.site)
    }

    /// Whether it stands there or ever stood there.
    pub fn ever_stood_at(&self, site: &SiteId) -> bool {
        let earlier = |dated: &super::Dated<super::MachineTraits>| dated.value.site.as_ref() == Some(site);
        self.site == *site || self.history.iter().any(earlier)
    }

    /// From when until when it was tagged out of service, ascending and apart; the end of one that has none is the
    /// greatest time.
    pub fn out_of_service_spans(&self) -> Vec<(UnixMicros, UnixMicros)> {
        let tags = self.history.iter().map(|dated| (dated.from, dated.value.out_of_service.is_some()));
        let spans = spans(tags, false).into_iter();
        spans.filter(|(_, _, is_out)| *is_out).map(|(from, until, _)| (from, until)).collect()
    }
}

impl Site {
    /// Its time zones by their IANA names, each until the next one; the first from [`BEGINNING`].
    pub fn zones(&self) -> Vec<(UnixMicros, String)> {
        let zones = self.history.iter().map(|dated| (dated.from, dated.value.time_zone.as_str()));
        let spans = spans(zones, &self.time_zone).into_iter();
        spans.map(|(from, _, zone)| (from, zone.to_owned())).collect()
    }
}

/// Values with their times, each until the next other one; `always` if there are none.
fn spans<T: PartialEq>(
    values: impl Iterator<Item = (UnixMicros, T)>,
    always: T,
) -> Vec<(UnixMicros, UnixMicros, T)> {
    let mut spans: Vec<(UnixMicros, UnixMicros, T)> = Vec::new();
    for (from, value) in values {
        match spans.last_mut() {
            Some((_, _, last)) if *last == value => {}
            Some((_, until, _)) => {
                *until = from;
                spans.push((from, END, value));
            }
            None => spans.push((BEGINNING, END, value)),
        }
    }
    if spans.is_empty() {
        spans.push((BEGINNING, END, always));
    }
    spans
}
