//! Stands: a machine at a site. A machine that moved has one at each.

use super::super::whereabouts::{Visit, Whereabout, Whereabouts};
use super::cell::Cell;

/// A machine at a site.
#[derive(Debug, Clone)]
pub(super) struct Stand {
    /// Index of the place.
    pub(super) place: usize,
    /// Index of the machine.
    pub(super) machine: usize,
    /// When it was there, ascending.
    pub(super) visits: Vec<Visit>,
}

/// All stands, by site and then by machine.
pub(super) fn stands(whereabouts: &Whereabouts) -> Vec<Stand> {
    let mut stands: Vec<Stand> = Vec::new();
    for (machine, whereabout) in whereabouts.machines.iter().enumerate() {
        let first = stands.len();
        for visit in &whereabout.visits {
            match stands[first..].iter_mut().find(|stand| stand.place == visit.place) {
                Some(stand) => stand.visits.push(*visit),
                None => stands.push(Stand { place: visit.place, machine, visits: vec![*visit] }),
            }
        }
    }
    stands.sort_by_key(|stand| (stand.place, stand.machine));
    stands
}

impl Stand {
    /// Site, its name, machine, its name, model: the first columns of every line.
    pub(super) fn cells(&self, whereabouts: &Whereabouts) -> [Cell; 5] {
        let site = &whereabouts.places[self.place].site;
        let Whereabout { machine, .. } = &whereabouts.machines[self.machine];
        let texts = [
            site.id.as_str(),
            &site.display_name,
            machine.id.as_str(),
            &machine.display_name,
            &machine.model,
        ];
        texts.map(Cell::text)
    }
}
