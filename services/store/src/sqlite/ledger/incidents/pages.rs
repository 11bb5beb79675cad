//! Pages of incidents, and how many there are.
//!
//! A page is merged from walks. Each walk goes along one index, in which the incidents of one machine or of one kind
//! (rule, severity, active) lie in the order of time, and is read a few keys at a time from where the page begins. So a
//! page costs the same however many incidents there are. What an index does not lead by, it is filtered by on the way.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use domain::belt::Direction;
use domain::ids::{IncidentId, MachineId};
use domain::incident::{Rule, Severity};
use rusqlite::{Connection, params};

use super::{direction_number, get, rule_of, severity_code, severity_of};
use crate::ledger::{
    IncidentCount, IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, StoredIncident,
};
use crate::sqlite::failure::Failure;
use crate::sqlite::values::{limit, rows};

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
        let merge = Merge { connection, query, masks: Masks::of(&query.filter), edge: edge(query, after) };
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
    let mut counts = BTreeMap::new();
    let walks = match &filter.machines {
        Some(machines) => of_machines(machines, None),
        None => kinds(filter, None),
    };
    let masks = Masks::of(filter);
    for walk in walks {
        walk.count(connection, filter, &masks, &mut counts)?;
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
            let severities = severities(&query.filter).filter(|severity| *severity <= after);
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

fn severities(filter: &IncidentFilter) -> impl Iterator<Item = Severity> {
    Severity::ALL
        .into_iter()
        .filter(|severity| filter.severities.is_empty() || filter.severities.contains(severity))
}

/// Walks of machines, all severities or one.
fn of_machines(machines: &[MachineId], severity: Option<Severity>) -> Vec<Walk<'_>> {
    let machines: BTreeSet<&MachineId> = machines.iter().collect();
    let walk =
        |machine| severity.map_or(Walk::Machine(machine), |severity| Walk::MachineOf(machine, severity));
    machines.into_iter().map(walk).collect()
}

/// Walks of the kinds that a filter takes, of all severities or one.
fn kinds(filter: &IncidentFilter, severity: Option<Severity>) -> Vec<Walk<'static>> {
    let rules = Rule::ALL.into_iter().filter(|rule| filter.rules.is_empty() || filter.rules.contains(rule));
    let severities: Vec<Severity> =
        severities(filter).filter(|one| severity.is_none_or(|it| it == *one)).collect();
    let actives = [true, false].into_iter().filter(|active| filter.active.is_none_or(|it| it == *active));
    let actives: Vec<bool> = actives.collect();
    let mut walks = Vec::new();
    for rule in rules {
        for severity in &severities {
            walks.extend(actives.iter().map(|active| Walk::Kind(rule, *severity, *active)));
        }
    }
    walks
}

/// Values that a filter takes, a bit each.
struct Masks {
    rules: i64,
    severities: i64,
    directions: i64,
    actives: i64,
}

impl Masks {
    fn of(filter: &IncidentFilter) -> Masks {
        fn mask<T: Copy>(taken: &[T], bit: impl Fn(T) -> i64) -> i64 {
            let bits = taken.iter().fold(0, |mask, value| mask | 1 << bit(*value));
            if taken.is_empty() { -1 } else { bits }
        }
        Masks {
            rules: mask(&filter.rules, |rule| i64::from(rule.number())),
            severities: mask(&filter.severities, |severity| i64::from(severity_code(severity))),
            directions: mask(&filter.directions, |direction: Direction| direction_number(direction)),
            actives: filter.active.map_or(-1, |active| 1 << i64::from(active)),
        }
    }
}

/// What lies in the order of time in one of the indices.
#[derive(Debug, Clone, Copy)]
pub(super) enum Walk<'q> {
    All,
    Kind(Rule, Severity, bool),
    Machine(&'q MachineId),
    MachineOf(&'q MachineId, Severity),
}

const FILTERED: &str =
    "(?7 >> rule) & 1 AND (?8 >> severity) & 1 AND (?9 >> direction) & 1 AND (?10 >> active) & 1";

impl Walk<'_> {
    /// The index, and what is the same for all keys of the walk.
    fn index(self) -> (&'static str, &'static str) {
        match self {
            Walk::All => ("incident_time", ""),
            Walk::Kind(..) => ("incident_kind", "rule = ?2 AND severity = ?3 AND active = ?4 AND"),
            Walk::Machine(_) => ("incident_machine", "machine = ?1 AND"),
            Walk::MachineOf(..) => ("incident_machine_severity", "machine = ?1 AND severity = ?3 AND"),
        }
    }

    /// Machine, rule, severity and active: ?1 to ?4; those that do not count are null.
    pub(super) fn fixed(&self) -> (Option<&str>, Option<u8>, Option<u8>, Option<bool>) {
        match self {
            Walk::All => (None, None, None, None),
            Walk::Kind(rule, severity, active) => {
                (None, Some(rule.number()), Some(severity_code(*severity)), Some(*active))
            }
            Walk::Machine(machine) => (Some(machine.as_str()), None, None, None),
            Walk::MachineOf(machine, severity) => {
                (Some(machine.as_str()), None, Some(severity_code(*severity)), None)
            }
        }
    }

    /// The statement that reads its next keys: ?5 and ?6 are the edge, ?11 is the far end, ?12 how many.
    pub(super) fn keys(self, ascending: bool) -> String {
        let (index, fixed) = self.index();
        let (range, order) = if ascending {
            ("(time_us, id) > (?5, ?6) AND time_us < ?11", "time_us, id")
        } else {
            ("(time_us, id) < (?5, ?6) AND time_us >= ?11", "time_us DESC, id DESC")
        };
        format!(
            "SELECT time_us, id FROM incident INDEXED BY {index}
             WHERE {fixed} {range} AND {FILTERED} ORDER BY {order} LIMIT ?12"
        )
    }

    /// The statement that reads what its incidents are counted by: ?5 to ?6 is the span.
    pub(super) fn counted(self) -> String {
        let (index, fixed) = self.index();
        let what = match self {
            Walk::All | Walk::Machine(_) | Walk::MachineOf(..) => "rule, severity, active, 1",
            // All are of one kind: they are counted where they lie.
            Walk::Kind(..) => "?2, ?3, ?4, count(*)",
        };
        format!(
            "SELECT {what} FROM incident INDEXED BY {index}
             WHERE {fixed} time_us >= ?5 AND time_us < ?6 AND {FILTERED}"
        )
    }

    fn count(
        self,
        connection: &Connection,
        filter: &IncidentFilter,
        masks: &Masks,
        counts: &mut BTreeMap<(Rule, Reverse<Severity>, Reverse<bool>), u64>,
    ) -> Result<(), Failure> {
        let mut statement = connection.prepare_cached(&self.counted())?;
        let (machine, rule, severity, active) = self.fixed();
        let (from, until) = (filter.from.0, filter.until.0);
        let Masks { rules, severities, directions, actives } = masks;
        let params =
            params![machine, rule, severity, active, from, until, rules, severities, directions, actives];
        let counted = rows(&mut statement, params, |columns| {
            let key =
                (rule_of(columns.get()?)?, Reverse(severity_of(columns.get()?)?), Reverse(columns.get()?));
            Ok((key, columns.get::<u64>()?))
        })?;
        for (key, count) in counted.into_iter().filter(|(_, count)| *count > 0) {
            *counts.entry(key).or_default() += count;
        }
        Ok(())
    }
}

/// One page in the making.
struct Merge<'q> {
    connection: &'q Connection,
    query: &'q IncidentQuery,
    masks: Masks,
    edge: Edge,
}

/// What was read ahead of a walk.
struct Queue<'q> {
    walk: Walk<'q>,
    edge: Edge,
    keys: VecDeque<Key>,
    is_at_end: bool,
}

type Key = (i64, [u8; 16]);

impl<'q> Merge<'q> {
    /// Adds the next incidents, of all severities or one, until the page is full.
    fn list(&self, severity: Option<Severity>, found: &mut Vec<StoredIncident>) -> Result<(), Failure> {
        let mut queues = Vec::new();
        let mut heads = BinaryHeap::new();
        for walk in self.walks(severity) {
            let mut queue = Queue { walk, edge: self.edge.clone(), keys: VecDeque::new(), is_at_end: false };
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

    fn walks(&self, severity: Option<Severity>) -> Vec<Walk<'q>> {
        let filter = &self.query.filter;
        if let Some(machines) = &filter.machines {
            return of_machines(machines, severity);
        }
        let is_of_all = filter.rules.is_empty() && filter.severities.is_empty() && filter.active.is_none();
        if severity.is_none() && is_of_all { vec![Walk::All] } else { kinds(filter, severity) }
    }

    /// Such that the key that comes first is the greatest. The rank of a rank is the key again.
    fn rank(&self, (time, id): Key) -> Key {
        if is_ascending(self.query.order) { (!time, id.map(|octet| !octet)) } else { (time, id) }
    }

    fn next(&self, queue: &mut Queue<'q>) -> Result<Option<Key>, Failure> {
        if queue.keys.is_empty() && !queue.is_at_end {
            let count = match queue.walk {
                Walk::All => self.query.max,
                Walk::Kind(..) | Walk::Machine(_) | Walk::MachineOf(..) => KEYS_AT_A_TIME.min(self.query.max),
            };
            queue.keys = self.keys(queue, count)?.into();
            queue.is_at_end = queue.keys.len() < count;
            if let Some((time, id)) = queue.keys.back() {
                queue.edge = (*time, id.to_vec());
            }
        }
        Ok(queue.keys.pop_front())
    }

    fn keys(&self, queue: &Queue<'q>, count: usize) -> Result<Vec<Key>, Failure> {
        let filter = &self.query.filter;
        let ascending = is_ascending(self.query.order);
        let mut statement = self.connection.prepare_cached(&queue.walk.keys(ascending))?;
        let (machine, rule, severity, active) = queue.walk.fixed();
        let (time, id) = &queue.edge;
        let Masks { rules, severities, directions, actives } = &self.masks;
        let end = if ascending { filter.until.0 } else { filter.from.0 };
        let count = limit(count);
        let params = params![
            machine, rule, severity, active, time, id, rules, severities, directions, actives, end, count
        ];
        rows(&mut statement, params, |columns| Ok((columns.get()?, columns.get()?)))
    }
}
