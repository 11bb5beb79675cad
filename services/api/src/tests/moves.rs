//! Machines that move from one site to another.

use domain::belt::Direction;
use domain::log::{Hole, Lane, Position};
use domain::record::EventKind;
use futures::StreamExt;
use store::ledger::{Derived, Ledger, Loss};
use store::registry::Role;
use tonic::Code;
use wire::api::v1;

use super::bad_input::check;
use super::incidents::{incident, numbers};
use super::telemetry::{range, session};
use super::{Bench, LOG, NOON, event, machine_id, reading, seconds, site_id, with_token};

fn to(site: &str) -> v1::UpdateMachineRequest {
    let machine = v1::Machine { id: "n-1".to_owned(), site_id: site.to_owned(), ..v1::Machine::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["site_id".to_owned()] });
    v1::UpdateMachineRequest { machine: Some(machine), update_mask }
}

#[tokio::test]
async fn a_machine_moves_and_leaves_its_place_and_its_past() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let place = Some(v1::Place { row: 1, column: 2 });
    let places = vec![v1::MachinePlace { machine_id: "n-1".to_owned(), place }];
    admin.arrange_machines(v1::ArrangeMachinesRequest { site_id: "north".to_owned(), places }).await.unwrap();
    bench.at(60);
    let moved = admin.update_machine(to("south")).await.unwrap().into_inner().machine.unwrap();
    assert_eq!((moved.site_id.as_str(), moved.place), ("south", None));
    let registry = bench.ledger.registry();
    let at = |second: i64| registry.site_at(&machine_id("n-1"), NOON.plus(second * 1_000_000)).cloned();
    assert_eq!((at(0), at(120)), (Some(site_id("north")), Some(site_id("south"))));
    check(admin.update_machine(to("South!")).await.unwrap_err(), "machine.site_id", &["South!", "a-z"]);
    assert_eq!(admin.update_machine(to("nowhere")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn who_moves_a_machine_has_the_right_at_both_sites() {
    let bench = Bench::furnished().await;
    let mut admin = bench.admin().await;
    let facts = bench.ledger.registry().last_fact;
    for here in ["north", "south"] {
        let token = bench.token_of(Role::Technician, &[here]).await;
        let refused = admin.update_machine(with_token(&token, to("south"))).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{here}: {refused:?}");
    }
    // Only the tokens were made.
    assert_eq!(bench.ledger.registry().last_fact, facts + 2);
    let token = bench.token_of(Role::Technician, &["north", "south"]).await;
    let moved = admin.update_machine(with_token(&token, to("south"))).await.unwrap().into_inner();
    assert_eq!(moved.machine.unwrap().site_id, "south");
    assert_eq!(bench.ledger.registry().machines()[&machine_id("n-1")].site, site_id("south"));
}

/// `n-1` stood at `north` until noon and stands at `south` since. It did the like 100 s before and 100 s after.
struct Moved {
    bench: Bench,
    /// Who sees `north`, `south`, both, and all there is.
    secrets: [String; 4],
}

/// What each of [`Moved::secrets`] sees of two things, the first at `north`.
const SEEN: [&[u8]; 4] = [&[1], &[2], &[1, 2], &[1, 2]];

impl Moved {
    async fn new() -> Moved {
        let bench = Bench::furnished().await;
        for (sequence, second) in [(1, -100), (2, 100)] {
            let readings = vec![(sequence, second, reading(Direction::Reverse, 1_000))];
            bench.records("n-1", sequence, Lane::Readings, readings).await;
            let events = vec![(sequence, second, event(EventKind::BeltStarted))];
            bench.records("n-1", sequence + 2, Lane::Events, events).await;
        }
        let loss = |number, second: i64| Loss {
            log: LOG,
            lane: Lane::Readings,
            hole: Hole {
                from: Some(Position::new(1, 10 * number)),
                to: Position::new(1, 10 * number + 1),
                records_at_least: number,
            },
            before: Some(NOON.plus(second * 1_000_000)),
        };
        let derived = Derived {
            sessions: vec![session(1, "n-1", -100), session(2, "n-1", 100)],
            losses: [loss(1, -90), loss(2, 90)].map(|loss| (machine_id("n-1"), loss)).into(),
            ..Derived::default()
        };
        bench.ledger.put(derived).await.unwrap();
        bench.found(vec![incident(1, "n-1", -100), incident(2, "n-1", 100)]).await;
        bench.admin().await.update_machine(to("south")).await.unwrap();
        let mut secrets = Vec::new();
        for sites in [&["north"][..], &["south"], &["north", "south"], &[]] {
            secrets.push(bench.token_of(Role::Viewer, sites).await);
        }
        bench.at(200);
        Moved { bench, secrets: secrets.try_into().unwrap() }
    }

    /// Each caller with what it sees.
    fn callers(&self) -> impl Iterator<Item = (&str, &'static [u8])> {
        self.secrets.iter().map(String::as_str).zip(SEEN)
    }
}

/// Which of the two things happened then.
fn which(time: Option<prost_types::Timestamp>) -> u8 {
    if time.unwrap().seconds < seconds(0).seconds { 1 } else { 2 }
}

#[tokio::test]
async fn readings_and_events_belong_to_where_the_machine_stood() {
    let moved = Moved::new().await;
    let mut history = moved.bench.history().await;
    for (secret, seen) in moved.callers() {
        for page_size in [1, 100] {
            let (mut readings, mut events, mut covered, mut lost) = (Vec::new(), Vec::new(), 0, 0);
            let mut page_token = String::new();
            loop {
                let machine_id = "n-1".to_owned();
                let request =
                    v1::ListReadingsRequest { machine_id, range: range(-200, 200), page_size, page_token };
                let page = history.list_readings(with_token(secret, request)).await.unwrap().into_inner();
                readings.extend(page.readings.iter().map(|one| which(one.time)));
                let coverage = page.coverage.unwrap();
                covered += coverage.covered.unwrap().seconds;
                lost += coverage.records_lost;
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            assert_eq!(readings, seen);
            // One second of its own and three that it stands, each.
            assert_eq!(covered, 4 * seen.len() as i64, "{seen:?}");
            assert_eq!(lost, seen.iter().map(|one| u64::from(*one)).sum::<u64>(), "{seen:?}");
            let (mut covered, mut page_token) = (0, String::new());
            loop {
                let machine_id = "n-1".to_owned();
                let request =
                    v1::ListEventsRequest { machine_id, range: range(-200, 200), page_size, page_token };
                let page = history.list_events(with_token(secret, request)).await.unwrap().into_inner();
                events.extend(page.events.iter().map(|one| which(one.time)));
                covered += page.coverage.unwrap().covered.unwrap().seconds;
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            assert_eq!(events, seen);
            assert_eq!(covered, 4 * seen.len() as i64, "{seen:?}");
        }
    }
    // Nothing at all of a time in which it stood elsewhere.
    let machine_id = "n-1".to_owned();
    let request = v1::ListReadingsRequest { machine_id, range: range(-200, -50), ..Default::default() };
    let page = history.list_readings(with_token(&moved.secrets[1], request)).await.unwrap().into_inner();
    let coverage = page.coverage.unwrap();
    assert_eq!((page.readings.len(), coverage.covered.unwrap().seconds, coverage.records_lost), (0, 0, 0));
}

#[tokio::test]
async fn sessions_belong_to_where_they_began() {
    let moved = Moved::new().await;
    let mut history = moved.bench.history().await;
    let by_machine = v1::ListSessionsRequest {
        machine_id: "n-1".to_owned(),
        range: range(-200, 200),
        ..Default::default()
    };
    for (secret, seen) in moved.callers() {
        for page_size in [1, 100] {
            let mut listed = Vec::new();
            let mut request = v1::ListSessionsRequest { page_size, ..by_machine.clone() };
            loop {
                let page = history.list_sessions(with_token(secret, request.clone())).await.unwrap();
                let page = page.into_inner();
                listed.extend(page.sessions.iter().map(|one| which(one.start_time)));
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
            listed.reverse();
            assert_eq!(listed, seen);
        }
        for id in [1_u8, 2] {
            let request = v1::GetSessionRequest { session_id: format!("{id:02x}").repeat(16) };
            let got = history.get_session(with_token(secret, request)).await;
            let expected = if seen.contains(&id) { Code::Ok } else { Code::NotFound };
            assert_eq!(got.map_or_else(|refused| refused.code(), |_| Code::Ok), expected, "{id}, {seen:?}");
        }
        for (site, here) in [("north", 1), ("south", 2)] {
            let site_id = site.to_owned();
            let request =
                v1::ListSessionsRequest { machine_id: String::new(), site_id, ..by_machine.clone() };
            match history.list_sessions(with_token(secret, request)).await {
                Ok(page) => {
                    let starts = page.into_inner().sessions.into_iter().map(|one| which(one.start_time));
                    assert_eq!(starts.collect::<Vec<_>>(), [here], "{site}");
                }
                Err(refused) => {
                    assert_eq!((refused.code(), seen.contains(&here)), (Code::NotFound, false), "{site}");
                }
            }
        }
    }
}

#[tokio::test]
async fn incidents_belong_to_where_they_happened() {
    let moved = Moved::new().await;
    let mut service = moved.bench.incidents().await;
    let filters = [
        v1::IncidentFilter::default(),
        v1::IncidentFilter { machine_ids: vec!["n-1".to_owned()], ..Default::default() },
    ];
    for (secret, seen) in moved.callers() {
        for filter in filters.iter().cloned().map(Some) {
            let mut listed = Vec::new();
            let mut request =
                v1::ListIncidentsRequest { filter: filter.clone(), page_size: 1, ..Default::default() };
            loop {
                let page = service.list_incidents(with_token(secret, request.clone())).await.unwrap();
                let page = page.into_inner();
                listed.extend(page.incidents);
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
            listed.reverse();
            assert_eq!(numbers(&listed), seen);
            let sites = listed.iter().map(|one| one.site_id.as_str());
            let expected = seen.iter().map(|one| if *one == 1 { "north" } else { "south" });
            assert!(sites.eq(expected), "{listed:?}");
            let request = v1::CountIncidentsRequest { filter };
            let counts = service.count_incidents(with_token(secret, request)).await.unwrap().into_inner();
            let counts: Vec<u64> = counts.counts.iter().map(|one| one.count).collect();
            assert_eq!(counts, [seen.len() as u64], "of one rule");
        }
        for id in [1_u8, 2] {
            let request = v1::GetIncidentRequest { incident_id: format!("{id:02x}").repeat(16) };
            let got = service.get_incident(with_token(secret, request)).await;
            let expected = if seen.contains(&id) { Code::Ok } else { Code::NotFound };
            assert_eq!(got.map_or_else(|refused| refused.code(), |_| Code::Ok), expected, "{id}, {seen:?}");
        }
    }
    for (site, here) in [("north", 1), ("south", 2)] {
        let filter = Some(v1::IncidentFilter { site_id: site.to_owned(), ..Default::default() });
        let request = v1::ListIncidentsRequest { filter: filter.clone(), ..Default::default() };
        let page = service.list_incidents(request).await.unwrap().into_inner();
        assert_eq!(numbers(&page.incidents), [here], "{site}");
        let counts =
            service.count_incidents(v1::CountIncidentsRequest { filter }).await.unwrap().into_inner();
        assert_eq!(counts.counts[0].count, 1, "{site}");
    }
}

#[tokio::test]
async fn sites_count_incidents_that_happened_there() {
    let moved = Moved::new().await;
    let mut service = moved.bench.incidents().await;
    for (secret, seen) in moved.callers() {
        let request = with_token(secret, v1::ListSiteIncidentsRequest::default());
        let sites = service.list_site_incidents(request).await.unwrap().into_inner().sites;
        let found: Vec<(String, u64, Vec<u8>)> = sites
            .iter()
            .map(|site| {
                let oldest = site.oldest_open.iter().cloned().collect::<Vec<_>>();
                (site.site_id.clone(), site.counts.iter().map(|one| one.count).sum(), numbers(&oldest))
            })
            .collect();
        let here = |one: &u8| (if *one == 1 { "north" } else { "south" }.to_owned(), 1, vec![*one]);
        assert_eq!(found, seen.iter().map(here).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_watch_tells_incidents_of_where_they_happened() {
    let moved = Moved::new().await;
    let Moved { bench, secrets } = &moved;
    let filter = Some(v1::IncidentFilter { machine_ids: vec!["n-1".to_owned()], ..Default::default() });
    for (secret, expected) in [(&secrets[0], 3), (&secrets[1], 4)] {
        let request = v1::WatchIncidentsRequest { filter: filter.clone(), cursor: String::new() };
        let request = with_token(secret, request);
        let mut stream = bench.incidents().await.watch_incidents(request).await.unwrap().into_inner();
        assert_eq!(stream.next().await.unwrap().unwrap().incident, None, "from now on");
        // Each time the one that is not told comes first.
        let mut late = vec![incident(3, "n-1", -50), incident(4, "n-1", 50)];
        late.sort_by_key(|one| one.incident.id.0[0] == expected);
        for mut one in late {
            // Greater than in the watch before.
            one.incident.revision = u64::from(expected);
            bench.found(vec![one]).await;
        }
        let told = loop {
            if let Some(told) = stream.next().await.unwrap().unwrap().incident {
                break told;
            }
        };
        assert_eq!(numbers(&[told]), [expected]);
    }
}
