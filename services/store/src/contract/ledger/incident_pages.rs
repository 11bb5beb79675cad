//! Cases of pages of incidents: all orders with all filters, against a plain sort and filter.

use std::cmp::Reverse;

use domain::belt::Direction;
use domain::handling::{Cause, HandlingState, Hurt, Step};
use domain::ids::{IncidentId, MachineId};
use domain::incident::{Incident, Rule, Severity};

use super::handling::{add, stepped};
use super::incidents::{changes, incident, put};
use crate::StoreErrorKind;
use crate::contract::given::{machine, second};
use crate::contract::life::user;
use crate::fact::{Fact, FactKind};
use crate::ledger::{
    IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger, Members, StoredIncident,
};

/// Numbers that look random and are always the same (splitmix64).
struct Numbers(u64);

impl Numbers {
    /// The next one, below `end`.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).expect("it is less than a usize")
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const RULES: [Rule; 4] = [Rule::EmergencyStop, Rule::ReverseOverspeed, Rule::AgentOffline, Rule::AbruptStop];
const DIRECTIONS: [Direction; 4] =
    [Direction::Forward, Direction::Reverse, Direction::Stopped, Direction::Unknown];
const ORDERS: [IncidentOrder; 3] =
    [IncidentOrder::NewestFirst, IncidentOrder::OldestFirst, IncidentOrder::WorstFirst];

/// Incidents of few machines, of which many happen at once and one machine has most.
fn some(numbers: &mut Numbers, count: u8) -> Vec<Incident> {
    let name = |numbers: &mut Numbers| match numbers.below(2) {
        0 => 0,
        _ => numbers.below(5),
    };
    (0..count)
        .map(|octet| {
            let (name, revision) = (format!("tm-{}", name(numbers)), 1 + 2 * numbers.below(2) as u64);
            let mut id = [octet; 16];
            id[0] = octet.wrapping_mul(89);
            Incident {
                id: IncidentId(id),
                rule: numbers.one(&RULES),
                severity: numbers.one(&Severity::ALL),
                direction: numbers.one(&DIRECTIONS),
                drill: (numbers.below(5) == 0).then_some(7),
                ..incident(octet, &name, numbers.below(25) as i64, revision)
            }
        })
        .collect()
}

/// Every field alone, and some together.
fn filters() -> Vec<IncidentFilter> {
    let all = IncidentFilter::default;
    let machines = |names: &[&str]| Some(names.iter().map(|name| machine(name)).collect::<Vec<MachineId>>());
    let of = |names: &[&str]| IncidentFilter { machines: machines(names), ..all() };
    let between = |from, until| IncidentFilter { from: second(from), until: second(until), ..all() };
    let of_rules = IncidentFilter { rules: vec![RULES[2], RULES[0]], ..all() };
    let of_severities =
        IncidentFilter { severities: vec![Severity::Low, Severity::Critical, Severity::Low], ..all() };
    let reverse = IncidentFilter { directions: vec![Direction::Reverse, Direction::Unknown], ..all() };
    let active = IncidentFilter { active: Some(true), ..all() };
    let (three, both) = (machines(&["tm-3", "tm-0", "tm-1"]), machines(&["tm-0", "tm-2"]));
    vec![
        all(),
        of(&["tm-0"]),
        of(&["tm-4", "tm-0", "tm-2", "tm-9", "tm-0"]),
        of(&[]),
        between(5, 12),
        between(24, 25),
        between(12, 5),
        IncidentFilter { rules: vec![Rule::SuspectedFall], ..all() },
        IncidentFilter { active: Some(false), ..all() },
        IncidentFilter { active: Some(true), severities: vec![Severity::High], ..of_rules.clone() },
        IncidentFilter { machines: both.clone(), ..of_severities.clone() },
        IncidentFilter { machines: both, active: Some(true), ..of_rules.clone() },
        IncidentFilter { machines: three.clone(), ..reverse.clone() },
        IncidentFilter { machines: three, from: second(3), until: second(20), ..of_severities.clone() },
        IncidentFilter { from: second(3), until: second(20), rules: vec![RULES[1]], ..reverse.clone() },
        of_rules,
        of_severities,
        reverse,
        active,
    ]
    .into_iter()
    .chain(handled())
    .collect()
}

/// What is left out every day, and what people did.
fn handled() -> Vec<IncidentFilter> {
    let everyday =
        || IncidentFilter { drill: Some(false), members: Members::LeftOut, ..IncidentFilter::default() };
    let not_closed = || IncidentFilter {
        handling: vec![HandlingState::InProgress, HandlingState::Open, HandlingState::Acknowledged],
        ..everyday()
    };
    let closed = || IncidentFilter { handling: vec![HandlingState::Closed], ..everyday() };
    let shelved = |is_shelved, at| Some((is_shelved, second(at)));
    let machines = || Some(vec![machine("tm-0"), machine("tm-1")]);
    let of_lead = || IncidentFilter { members: Members::Of(LEAD), ..IncidentFilter::default() };
    vec![
        everyday(),
        not_closed(),
        closed(),
        IncidentFilter { rules: vec![RULES[0], RULES[3]], ..closed() },
        IncidentFilter { rules: vec![RULES[0], RULES[3]], active: Some(true), ..not_closed() },
        IncidentFilter { machines: machines(), severities: vec![Severity::High], ..not_closed() },
        IncidentFilter { machines: machines(), ..everyday() },
        IncidentFilter { handling: HandlingState::ALL.to_vec(), ..IncidentFilter::default() },
        IncidentFilter { shelved: shelved(true, 500), ..not_closed() },
        IncidentFilter { shelved: shelved(false, 500), ..IncidentFilter::default() },
        IncidentFilter { shelved: shelved(true, 900), ..IncidentFilter::default() },
        IncidentFilter { assignee: Some(user("anna")), ..everyday() },
        IncidentFilter { assignee: Some(user("nobody")), ..everyday() },
        IncidentFilter { drill: Some(true), ..IncidentFilter::default() },
        of_lead(),
        IncidentFilter { drill: Some(true), from: second(4), until: second(20), ..of_lead() },
        IncidentFilter { machines: machines(), handling: vec![HandlingState::Open], ..of_lead() },
        IncidentFilter { members: Members::Of(IncidentId([0xfe; 16])), ..everyday() },
    ]
}

/// The incident that stands for an outage.
const LEAD: IncidentId = IncidentId([0xfd; 16]);

/// People do something about most of the incidents.
async fn step(ledger: &dyn Ledger, numbers: &mut Numbers, incidents: &[Incident]) {
    for incident in incidents {
        let name = ["anna", "ben"][numbers.below(2)];
        let steps = match numbers.below(6) {
            0 => vec![],
            1 => vec![Step::Acknowledge],
            2 => vec![Step::Assign { to: Some(user(name)) }],
            3 => vec![
                Step::Assign { to: Some(user(name)) },
                Step::Close { cause: Some(Cause::Unknown), hurt: Some(Hurt::No) },
            ],
            4 => vec![Step::Join { lead: LEAD }],
            _ => vec![Step::Join { lead: LEAD }, Step::Acknowledge],
        };
        for step in steps {
            add(ledger, stepped_about(incident.id, step)).await;
        }
        // What may hurt somebody cannot be laid aside.
        if incident.severity < Severity::Critical && numbers.below(2) == 0 {
            let until = Some(second([500, 501][numbers.below(2)]));
            let kind = ledger.add_fact(stepped_about(incident.id, Step::Shelve { until })).await;
            // Nor what is closed.
            assert!(kind.is_ok() || kind.is_err_and(|error| error.kind == StoreErrorKind::Invalid));
        }
    }
}

fn stepped_about(id: IncidentId, step: Step) -> Fact {
    let mut fact = stepped(0, 100, step);
    if let FactKind::IncidentStepped(step) = &mut fact.kind {
        step.incident = id;
    }
    fact
}

/// What has to be listed: all that the filter takes, sorted.
fn expected(
    incidents: &[StoredIncident],
    filter: &IncidentFilter,
    order: IncidentOrder,
) -> Vec<IncidentPlace> {
    let mut places: Vec<IncidentPlace> = Vec::new();
    for stored in incidents {
        let (incident, handling) = (&stored.incident, &stored.handling);
        let of_machine = filter.machines.as_ref().is_none_or(|machines| machines.contains(&incident.machine));
        let of_rule = filter.rules.is_empty() || filter.rules.contains(&incident.rule);
        let of_severity = filter.severities.is_empty() || filter.severities.contains(&incident.severity);
        let of_direction = filter.directions.is_empty() || filter.directions.contains(&incident.direction);
        let of_state = filter.active != Some(incident.cleared.is_some());
        let in_time = filter.from <= incident.time && incident.time < filter.until;
        let of_handling = filter.handling.is_empty() || filter.handling.contains(&handling.state);
        let of_shelved = match filter.shelved {
            None => true,
            Some((is_shelved, at)) => is_shelved == stored.is_shelved(at),
        };
        let of_assignee = filter.assignee.is_none() || filter.assignee == handling.assignee;
        let of_drill = filter.drill.is_none() || filter.drill == Some(incident.drill.is_some());
        let of_members = match filter.members {
            Members::Listed => true,
            Members::LeftOut => handling.lead.is_none(),
            Members::Of(lead) => handling.lead == Some(lead),
        };
        let of_people = of_handling && of_shelved && of_assignee && of_drill && of_members;
        if of_machine && of_rule && of_severity && of_direction && of_state && in_time && of_people {
            places.push(IncidentPlace::of(incident));
        }
    }
    let newness = |place: &IncidentPlace| (place.time, place.id);
    match order {
        IncidentOrder::NewestFirst => places.sort_by_key(|place| Reverse(newness(place))),
        IncidentOrder::OldestFirst => places.sort_by_key(newness),
        IncidentOrder::WorstFirst => places.sort_by_key(|place| Reverse((place.severity, newness(place)))),
    }
    places
}

pub(super) async fn pages_are_a_plain_sort_and_filter(ledger: &dyn Ledger) {
    let mut numbers = Numbers(5);
    let mut incidents = some(&mut numbers, 130);
    put(ledger, incidents.clone(), 9).await;
    // Some change: an incident that became worse, or was cleared, has its new place only.
    for (number, incident) in incidents.iter_mut().enumerate() {
        if number % 4 == 0 {
            incident.severity = numbers.one(&Severity::ALL);
            incident.cleared = incident.cleared.xor(Some(second(90)));
            incident.revision += 1;
        }
    }
    put(ledger, incidents.clone(), 10).await;
    step(ledger, &mut numbers, &incidents).await;
    let incidents = changes(ledger, 0, 1_000).await;
    let mut listed = 0;
    for filter in filters() {
        for order in ORDERS {
            let expected = expected(&incidents, &filter, order);
            let counts = ledger.incident_counts(&filter).await.expect("incidents can be counted");
            let counted: u64 = counts.iter().map(|count| count.count).sum();
            assert_eq!(counted, expected.len() as u64, "{filter:?}");
            listed += expected.len();
            for max in [4, 19, 1_000] {
                let mut query = IncidentQuery { filter: filter.clone(), order, after: None, max };
                let mut seen = Vec::new();
                loop {
                    let page = ledger.incidents(&query).await.expect("incidents can be listed");
                    assert!(page.len() <= max, "{query:?} gave {}", page.len());
                    let Some(last) = page.last() else { break };
                    query.after = Some(IncidentPlace::of(&last.incident));
                    seen.extend(page.iter().map(|stored| IncidentPlace::of(&stored.incident)));
                    assert!(seen.len() <= expected.len(), "pages of {query:?} repeat incidents");
                }
                assert_eq!(seen, expected, "{query:?}");
            }
        }
    }
    assert!(listed > 1_000, "the filters take {listed}");
}

pub(super) async fn a_page_begins_at_a_place_where_nothing_lies(ledger: &dyn Ledger) {
    let incidents = some(&mut Numbers(8), 60);
    put(ledger, incidents.clone(), 9).await;
    let mut numbers = Numbers(9);
    step(ledger, &mut numbers, &incidents).await;
    let incidents = changes(ledger, 0, 1_000).await;
    let filters = filters();
    for number in 0..150 {
        let (order, filter) = (numbers.one(&ORDERS), &filters[numbers.below(filters.len())]);
        let time = second(numbers.below(29) as i64 - 2);
        let id = IncidentId([numbers.one(&[0, 7, 60, 89, 130, 200, 255]); 16]);
        let after = IncidentPlace { severity: numbers.one(&Severity::ALL), time, id };
        let newness = |place: &IncidentPlace| (place.time, place.id);
        let mut expected = expected(&incidents, filter, order);
        expected.retain(|place| match order {
            IncidentOrder::NewestFirst => newness(place) < newness(&after),
            IncidentOrder::OldestFirst => newness(place) > newness(&after),
            IncidentOrder::WorstFirst => *place < after,
        });
        expected.truncate(11);
        let query = IncidentQuery { filter: filter.clone(), order, after: Some(after), max: 11 };
        let page = ledger.incidents(&query).await.expect("incidents can be listed");
        let places: Vec<_> = page.iter().map(|stored| IncidentPlace::of(&stored.incident)).collect();
        assert_eq!(places, expected, "case {number}: {query:?}");
    }
}
