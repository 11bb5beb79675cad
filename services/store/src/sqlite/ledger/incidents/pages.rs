//! Pages of incidents, and how many there are.
//!
//! A page is merged from walks (`walk.rs`). Each walk goes along one index, in which the incidents of one machine, of
//! one kind or in one state lie in the order of time, and is read a few keys at a time from where the page begins. So a
//! page costs the same however many incidents there are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use domain::ids::IncidentId;
use domain::incident::{Rule, Severity};
use rusqlite::{Connection, params_from_iter};

use super::walk::{self, Filtered, Walk};
use super::{get, rule_of, severity_of};
use crate::ledger::{
    IncidentCount, IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, StoredIncident,
};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::rows;

/// Keys read of one walk at a time when many are merged.
const KEYS_AT_A_TIME: usize = 16;

/// Moment and identity. An edge before all of a moment has no octets.
type Edge = (i64, Vec<u8>);

/// A page.
pub(in crate::sqlite::ledger) fn list(
    connection: &Connection,
    query: &IncidentQuery,
) -> Result<Vec<StoredIncident>, Failure> {
    let mut found = Vec::new();
    if query.filter.from >= query.filter.until {
        return Ok(found);
    }
    for severity in groups(query) {
        // The place after which the page begins lies in one group; those behind it are listed from their beginning.
        let after = query.after.filter(|after| severity.is_none_or(|severity| severity == after.severity));
        let merge =
            Merge { connection, query, filtered: Filtered::of(&query.filter), edge: edge(query, after) };
        merge.list(severity, &mut found)?;
        if found.len() >= query.max {
            break;
        }
    }
    Ok(found)
}

/// How many there are by rule, severity and whether they are active.
pub(in crate::sqlite::ledger) fn counts(
    connection: &Connection,
    filter: &IncidentFilter,
) -> Result<Vec<IncidentCount>, Failure> {
    let mut counts: BTreeMap<(Rule, Reverse<Severity>, Reverse<bool>), u64> = BTreeMap::new();
    let filtered = Filtered::of(filter);
    for walk in walk::counted(filter) {
        let mut statement = connection.prepare_cached(&walk.counted())?;
        let asked = filtered.params(walk, (filter.from.0, &[]), filter.until.0, 0);
        let counted = rows(&mut statement, params_from_iter(asked), |columns| {
            let key =
                (rule_of(columns.get()?)?, Reverse(severity_of(columns.get()?)?), Reverse(columns.get()?));
            Ok((key, columns.get::<u64>()?))
        })?;
        for (key, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            *counts.entry(key).or_default() += count;
        }
    }
    let count = |((rule, severity, active), count): (_, _)| {
        let (Reverse(severity), Reverse(active)) = (severity, active);
        IncidentCount { rule, severity, active, count }
    };
    Ok(counts.into_iter().map(count).collect())
}

/// One after another in the query's order: each severity, or all at once.
fn groups(query: &IncidentQuery) -> Vec<Option<Severity>> {
    match query.order {
        IncidentOrder::NewestFirst | IncidentOrder::OldestFirst => vec![None],
        IncidentOrder::WorstFirst => {
            let after = query.after.map_or(Severity::Critical, |after| after.severity);
            let severities =
                walk::severities(&query.filter).into_iter().filter(|severity| *severity <= after);
            severities.map(Some).collect()
        }
    }
}

/// Where a page begins: the nearer of the filter's end and the place after which it begins.
fn edge(query: &IncidentQuery, after: Option<IncidentPlace>) -> Edge {
    let after = after.map(|place| (place.time.0, place.id.0.to_vec()));
    let end = |time: i64| (time, Vec::new());
    if is_ascending(query.order) {
        let from = end(query.filter.from.0);
        after.map_or(from.clone(), |after| after.max(from))
    } else {
        let until = end(query.filter.until.0);
        after.map_or(until.clone(), |after| after.min(until))
    }
}

fn is_ascending(order: IncidentOrder) -> bool {
    match order {
        IncidentOrder::OldestFirst => true,
        IncidentOrder::NewestFirst | IncidentOrder::WorstFirst => false,
    }
}

/// One page in the making.
struct Merge<'q> {
    connection: &'q Connection,
    query: &'q IncidentQuery,
    filtered: Filtered<'q>,
    edge: Edge,
}

/// What was read ahead of a walk.
struct Queue<'q> {
    walk: Walk<'q>,
    edge: Edge,
    keys: VecDeque<Key>,
    /// How many are read at a time.
    count: usize,
    is_at_end: bool,
}

type Key = (i64, [u8; 16]);

impl<'q> Merge<'q> {
    /// Adds the next incidents, of all severities or one, until the page is full.
    fn list(&self, severity: Option<Severity>, found: &mut Vec<StoredIncident>) -> Result<(), Failure> {
        let mut queues = Vec::new();
        let mut heads = BinaryHeap::new();
        let walks = walk::listed(&self.query.filter, severity);
        let count = if walks.len() == 1 { self.query.max } else { KEYS_AT_A_TIME.min(self.query.max) };
        for walk in walks {
            let mut queue =
                Queue { walk, edge: self.edge.clone(), keys: VecDeque::new(), count, is_at_end: false };
            if let Some(key) = self.next(&mut queue)? {
                heads.push((self.rank(key), queues.len()));
                queues.push(queue);
            }
        }
        while found.len() < self.query.max
            && let Some((rank, queue)) = heads.pop()
        {
            let id = IncidentId(self.rank(rank).1);
            let incident = get(self.connection, id)?;
            found.push(
                incident.ok_or_else(|| Failure::corrupt(format!("incident {id} is in an index only")))?,
            );
            if let Some(key) = self.next(&mut queues[queue])? {
                heads.push((self.rank(key), queue));
            }
        }
        Ok(())
    }

    /// Such that the key that comes first is the greatest. The rank of a rank is the key again.
    fn rank(&self, (time, id): Key) -> Key {
        if is_ascending(self.query.order) { (!time, id.map(|octet| !octet)) } else { (time, id) }
    }

    fn next(&self, queue: &mut Queue<'q>) -> Result<Option<Key>, Failure> {
        if queue.keys.is_empty() && !queue.is_at_end {
            queue.keys = self.keys(queue)?.into();
            queue.is_at_end = queue.keys.len() < queue.count;
            if let Some((time, id)) = queue.keys.back() {
                queue.edge = (*time, id.to_vec());
            }
        }
        Ok(queue.keys.pop_front())
    }

    fn keys(&self, queue: &Queue<'q>) -> Result<Vec<Key>, Failure> {
        let filter = &self.query.filter;
        let ascending = is_ascending(self.query.order);
        let mut statement = self.connection.prepare_cached(&queue.walk.keys(ascending))?;
        let end = if ascending { filter.until.0 } else { filter.from.0 };
        let (time, id) = &queue.edge;
        let asked = self.filtered.params(queue.walk, (*time, id), end, queue.count);
        rows(&mut statement, params_from_iter(asked), |columns| Ok((columns.get()?, columns.get()?)))
    }
}
