//! Which machines somebody has to be told of again who has seen an earlier registry.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Machine, Registry};

impl Registry {
    /// Machines of which anything may be other than in `before`: what is told of them, their keys, or what
    /// [`Registry::timeline`] says. What was set for a site or a model may concern every machine: then it is all of them.
    pub fn changed_since<'a>(&'a self, before: &'a Registry) -> impl Iterator<Item = &'a Arc<Machine>> {
        let all = !same(&self.sites, &before.sites) || !same(&self.limits, &before.limits);
        let is_as_before = |machine: &Arc<Machine>| {
            before.machines.get(&machine.id).is_some_and(|known| Arc::ptr_eq(known, machine))
        };
        self.machines.values().filter(move |machine| all || !is_as_before(machine))
    }
}

/// Whether nothing was put since. Values are shared by all registries that follow from each other, so none is looked at.
fn same<K: Ord, V>(now: &BTreeMap<K, Arc<V>>, before: &BTreeMap<K, Arc<V>>) -> bool {
    let pairs = || now.values().zip(before.values());
    now.len() == before.len() && pairs().all(|(now, before)| Arc::ptr_eq(now, before))
}
