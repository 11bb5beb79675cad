//! What the ledger is asked.

use anyhow::{Context, ensure};
use domain::ids::{IncidentId, MachineId};
use domain::incident::Severity;
use store::ledger::{IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger};

use super::{PAGE, found};

/// Most incidents that the ledger gives at once.
const READ_AT_ONCE: usize = 1_000;
/// Pages in the middle begin at so many places that follow one another.
const MIDDLE_PLACES: usize = 50;
/// The orders, with their names for people.
const ORDERS: [(&str, IncidentOrder); 3] = [
    ("newest first", IncidentOrder::NewestFirst),
    ("oldest first", IncidentOrder::OldestFirst),
    ("worst first", IncidentOrder::WorstFirst),
];

/// Something to ask again and again.
#[derive(Debug)]
pub(super) struct Question {
    /// What is asked, in words.
    pub(super) name: String,
    /// Incidents that each answer must have; `None`: it has as many as it has.
    expected: Option<usize>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Pages after each of these places in turn.
    Pages {
        query: IncidentQuery,
        places: Vec<Option<IncidentPlace>>,
    },
    Counts(IncidentFilter),
    Get(Vec<IncidentId>),
    /// What changed after each of these numbers in turn.
    Changes(Vec<u64>),
}

impl Question {
    /// Asks once; gives how many rows the answer has.
    pub(super) async fn ask(&self, ledger: &dyn Ledger, turn: usize) -> anyhow::Result<usize> {
        let rows = match &self.kind {
            Kind::Pages { query, places } => {
                let query = IncidentQuery { after: places[turn % places.len()], ..query.clone() };
                ledger.incidents(&query).await?.len()
            }
            Kind::Counts(filter) => ledger.incident_counts(filter).await?.len(),
            Kind::Get(ids) => usize::from(ledger.incident(&ids[turn % ids.len()]).await?.is_some()),
            Kind::Changes(after) => ledger.incident_changes(after[turn % after.len()], PAGE).await?.len(),
        };
        Ok(rows)
    }

    /// Whether an answer is what was put.
    pub(super) fn check(&self, rows: usize) -> anyhow::Result<()> {
        let expected = self.expected.unwrap_or(rows);
        ensure!(rows == expected, "{}: {rows} rows, expected were {expected}", self.name);
        Ok(())
    }
}

/// All questions about a ledger of so many incidents.
pub(super) async fn all(ledger: &dyn Ledger, count: usize) -> anyhow::Result<Vec<Question>> {
    let mut questions = Vec::new();
    for (what, filter) in filters() {
        for (how, order) in ORDERS {
            let query = IncidentQuery { filter: filter.clone(), order, after: None, max: READ_AT_ONCE };
            let places = walk(ledger, query.clone()).await?;
            let name = format!("{what}, {how}");
            ensure!(places.len() >= PAGE, "{name}: only {} incidents", places.len());
            questions.extend(pages(&name, &query, &places));
        }
        let counted: u64 = ledger.incident_counts(&filter).await?.iter().map(|count| count.count).sum();
        let listed = walk(ledger, IncidentQuery { filter: filter.clone(), ..newest() }).await?.len();
        ensure!(counted == listed as u64, "{what}: {counted} are counted, {listed} listed");
        let name = format!("{what}, counts");
        questions.push(Question { name, expected: None, kind: Kind::Counts(filter) });
    }
    let number = |turn: usize| usize::try_from(found::dice(turn as u64) % count as u64);
    let any: Vec<usize> = (0..1_000).map(number).collect::<Result<_, _>>().context("too many incidents")?;
    let ids = any.iter().map(|number| found::incident(*number, count).incident.id).collect();
    questions.push(Question { name: "one incident".to_owned(), expected: Some(1), kind: Kind::Get(ids) });
    let cursors = any.iter().map(|number| (number % (count - PAGE)) as u64).collect();
    let name = "100 changes after a cursor".to_owned();
    questions.push(Question { name, expected: Some(PAGE), kind: Kind::Changes(cursors) });
    Ok(questions)
}

/// The filters, with their names for people.
fn filters() -> Vec<(&'static str, IncidentFilter)> {
    let machines: Vec<MachineId> = (0..found::MACHINES_OF_SITE).map(found::machine).collect();
    let all = IncidentFilter::default();
    vec![
        ("all", all.clone()),
        ("20 machines of a site", IncidentFilter { machines: Some(machines), ..all.clone() }),
        ("critical", IncidentFilter { severities: vec![Severity::Critical], ..all.clone() }),
        ("one rule, active", IncidentFilter { rules: vec![found::OFTEN], active: Some(true), ..all }),
    ]
}

fn newest() -> IncidentQuery {
    IncidentQuery {
        filter: IncidentFilter::default(),
        order: IncidentOrder::NewestFirst,
        after: None,
        max: READ_AT_ONCE,
    }
}

/// The first page, some in the middle, and the last full one.
fn pages(name: &str, query: &IncidentQuery, places: &[IncidentPlace]) -> [Question; 3] {
    let query = IncidentQuery { max: PAGE, ..query.clone() };
    let last = places.len() - PAGE;
    let after = |begin: usize| begin.checked_sub(1).map(|before| places[before]);
    let middle = (last / 2)..=(last / 2 + MIDDLE_PLACES).min(last);
    let question = |which: &str, places: Vec<Option<IncidentPlace>>| Question {
        name: format!("{name}, {which}"),
        expected: Some(PAGE),
        kind: Kind::Pages { query: query.clone(), places },
    };
    [
        question("first page", vec![None]),
        question("page in the middle", middle.map(after).collect()),
        question("last page", vec![after(last)]),
    ]
}

/// The places of all incidents that a query gives, page after page. Fails if they are out of order or come twice.
async fn walk(ledger: &dyn Ledger, mut query: IncidentQuery) -> anyhow::Result<Vec<IncidentPlace>> {
    let mut places: Vec<IncidentPlace> = Vec::new();
    loop {
        let page = ledger.incidents(&query).await?;
        let is_last = page.len() < query.max;
        for stored in page {
            let place = IncidentPlace::of(&stored.incident);
            let is_in_order = places.last().is_none_or(|before| is_before(query.order, *before, place));
            ensure!(is_in_order, "incident {} is out of order", place.id);
            places.push(place);
        }
        if is_last {
            return Ok(places);
        }
        query.after = places.last().copied();
    }
}

fn is_before(order: IncidentOrder, one: IncidentPlace, other: IncidentPlace) -> bool {
    match order {
        IncidentOrder::NewestFirst => (one.time, one.id) > (other.time, other.id),
        IncidentOrder::OldestFirst => (one.time, one.id) < (other.time, other.id),
        IncidentOrder::WorstFirst => one > other,
    }
}
