//! By what usage is told apart: all together, by site, by model or by machine.

use std::collections::BTreeMap;

use wire::api::v1;

use super::whereabouts::{Visit, Whereabout, Whereabouts};

/// What usage is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its site, model or machine; empty: all together.
    pub(crate) key: String,
    /// Name for people.
    pub(crate) display_name: String,
    /// Its site, of a machine; empty: the caller does not see where it stands now.
    pub(crate) site_id: String,
}

/// A machine's share of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// Index of the machine.
    pub(crate) machine: usize,
    /// Index of the group.
    pub(crate) group: usize,
}

/// Groups and what belongs to them.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    /// By key; at least one if they are not told apart.
    pub(crate) list: Vec<Group>,
    /// By machine, each share once: a machine that moved has one in the group of each of its sites.
    pub(crate) shares: Vec<Share>,
    /// Of each machine's visits the index of the share.
    pub(crate) share_of: Vec<Vec<usize>>,
}

impl Groups {
    /// Of machines and where they were.
    pub(crate) fn of(whereabouts: &Whereabouts, by: v1::GroupBy) -> Groups {
        let mut by_key: BTreeMap<String, Group> = BTreeMap::new();
        if by == v1::GroupBy::Unspecified {
            by_key.insert(String::new(), together());
        }
        for whereabout in &whereabouts.machines {
            for visit in &whereabout.visits {
                let group = group(whereabouts, whereabout, *visit, by);
                if !by_key.contains_key(&group.key) {
                    by_key.insert(group.key.clone(), group);
                }
            }
        }
        let list: Vec<Group> = by_key.into_values().collect();
        let mut shares: Vec<Share> = Vec::new();
        let mut share_of = Vec::with_capacity(whereabouts.machines.len());
        for (machine, whereabout) in whereabouts.machines.iter().enumerate() {
            let first = shares.len();
            let of_visit = |visit: &Visit| {
                let key = group(whereabouts, whereabout, *visit, by).key;
                let found = list.binary_search_by(|group| group.key.cmp(&key));
                let group = found.expect("the group of every visit was made");
                let own = shares[first..].iter().position(|share| share.group == group);
                own.map_or_else(
                    || {
                        shares.push(Share { machine, group });
                        shares.len() - 1
                    },
                    |own| first + own,
                )
            };
            share_of.push(whereabout.visits.iter().map(of_visit).collect());
        }
        Groups { list, shares, share_of }
    }
}

fn together() -> Group {
    Group { key: String::new(), display_name: String::new(), site_id: String::new() }
}

fn group(whereabouts: &Whereabouts, whereabout: &Whereabout, visit: Visit, by: v1::GroupBy) -> Group {
    let Whereabout { machine, visits, stands_here } = whereabout;
    let site_of = |visit: &Visit| &whereabouts.places[visit.place].site;
    match by {
        v1::GroupBy::Unspecified => together(),
        v1::GroupBy::Site => {
            let site = site_of(&visit);
            let (key, display_name) = (site.id.to_string(), site.display_name.clone());
            Group { key, display_name, site_id: String::new() }
        }
        v1::GroupBy::Model => {
            let model = machine.model.clone();
            Group { key: model.clone(), display_name: model, site_id: String::new() }
        }
        v1::GroupBy::Machine => {
            // Where a machine went that left is not told to those who do not see it there.
            let last_seen = || visits.last().map(|visit| site_of(visit).id.to_string()).unwrap_or_default();
            Group {
                key: machine.id.to_string(),
                display_name: machine.display_name.clone(),
                site_id: if *stands_here { machine.site.to_string() } else { last_seen() },
            }
        }
    }
}
