//! Rebuilds: the stored history judged anew, and what the ledger makes of it.

use std::sync::Arc;

use domain::belt::{Belt, Contact, Contacts, Direction};
use domain::clock::{Clock, ClockQuality};
use domain::incident::{Incident, Rule};
use domain::live::LiveState;
use domain::log::{Lane, Position};
use domain::machine::{MachineFold, MachineMind};
use domain::record::{Event, EventKind, Payload, Record};
use domain::units::{MonotonicMicros, Speed};
use store::fact::{Fact, FactKind, ServiceChange};
use store::ledger::{Derived, DerivedIncident, Ledger, StoredIncident};
use store::telemetry::{Block, Telemetry};
use wire::api::v1;

use super::super::bad_input::check;
use super::super::{Bench, LOG, NOON, machine_id, reading, seconds};
use super::{Code, changed, incident, sights::ENCODER};

/// When the agent of these tests starts.
const START_S: i64 = -3_600;
/// What lies behind the clock of its boot.
const BOOT_US: i64 = 1_000_000_000_000;

/// A record in the order in which the agent wrote it: its lane, number, and the number of the other lane's last one.
pub(super) type Written = (Lane, u64, Record, i64);

fn event(kind: EventKind, contact: Option<Contact>) -> Payload {
    let button = Contact::EmergencyStop.bit();
    let contacts = match kind == EventKind::ContactOpened {
        true => Contacts { closed: 0, open: button },
        false => Contacts { closed: button, open: 0 },
    };
    let belt = Belt { speed: Some(Speed(0)), contacts, ..Belt::default() };
    let mut event = Event::new(kind, MonotonicMicros(0), belt, belt);
    event.contact = contact;
    event.capabilities = (kind == EventKind::AgentStarted).then_some(ENCODER);
    Payload::Event(event)
}

/// The belt runs in reverse at this speed for a minute, stands for 40 s, and in that time somebody presses the button for
/// 10 s, or for good.
fn story(speed: u32, is_released: bool) -> Vec<Written> {
    let mut told = vec![(START_S, event(EventKind::AgentStarted, None))];
    told.extend((1..=60).map(|n| (START_S + n, reading(Direction::Reverse, speed))));
    for n in 61..=100 {
        let stop = Some(Contact::EmergencyStop);
        match n {
            75 => told.push((START_S + n, event(EventKind::ContactOpened, stop))),
            85 if is_released => told.push((START_S + n, event(EventKind::ContactClosed, stop))),
            _ => told.push((START_S + n, reading(Direction::Stopped, 0))),
        }
    }
    written(told.into_iter())
}

/// What happened, as an agent writes it.
pub(super) fn written(told: impl Iterator<Item = (i64, Payload)>) -> Vec<Written> {
    let mut last = [0; 2];
    let write = |(second, payload): (i64, Payload)| {
        let lane = if matches!(payload, Payload::Reading(_)) { Lane::Readings } else { Lane::Events };
        last[lane.index()] += 1;
        let other_n = last[1 - lane.index()];
        let at = MonotonicMicros(u64::try_from(second * 1_000_000 + BOOT_US).unwrap());
        (lane, last[lane.index()], Record { at, other_n, payload }, second)
    };
    told.map(write).collect()
}

impl Bench {
    /// Puts a story into the history of `n-1`, and what the ingest finds in it into the ledger.
    pub(super) async fn ingested(&self, story: &[Written]) {
        self.remembers(story, |_| true).await;
        self.folded(story).await;
    }

    /// Puts of a story what is left into the history of `n-1`.
    pub(super) async fn remembers(&self, story: &[Written], left: fn(&(u64, Record)) -> bool) {
        let blocks = Lane::ALL.map(|lane| Block {
            sequence: 1 + lane.index() as u64,
            machine: machine_id("n-1"),
            log: LOG,
            lane,
            boot_count: 1,
            clock: Clock {
                quality: ClockQuality::Synchronised,
                offset_us: NOON.0 - BOOT_US,
                uncertainty_us: 2_000,
            },
            records: story
                .iter()
                .filter(|one| one.0 == lane)
                .map(|one| (one.1, one.2.clone()))
                .filter(left)
                .collect(),
        });
        let blocks = blocks.into_iter().filter(|block| !block.records.is_empty());
        self.telemetry.put(blocks.collect()).await.unwrap();
    }

    /// Puts what the ingest finds in a story into the ledger.
    pub(super) async fn folded(&self, story: &[Written]) {
        let machine = machine_id("n-1");
        let mut mind = MachineMind::new(machine.clone(), MachineFold::default());
        mind.obey(Arc::new(self.ledger.registry().timeline(&machine).unwrap()));
        let place = |n: u64| Position::new(1, n);
        let (mut found, mut derived) = (Vec::new(), Derived::default());
        for (lane, n, record, second) in story {
            let time = NOON.plus(second * 1_000_000);
            if *lane == Lane::Events {
                found.extend(mind.at_once(LOG, place(*n), Some(time), record));
            }
        }
        for (_, n, record, second) in story {
            let time = NOON.plus(second * 1_000_000);
            let folded = mind.fold(LOG, place(*n), Some(time), record);
            found.extend(folded.incidents);
            derived.usage.extend(folded.usage);
            derived.sessions.extend(folded.sessions);
        }
        derived.usage.extend(mind.open_usage());
        derived.sessions.extend(mind.open_session());
        self.ledger.put(derived).await.unwrap();
        let live = (*crate::live::latest(&self.feed, &machine)).clone();
        self.feed.put(LiveState { configurations: mind.configurations().clone(), ..live });
        let derived =
            |incident: Incident| DerivedIncident { detected: incident.time.plus(2_000_000), incident };
        self.found(found.into_iter().map(derived).collect()).await;
    }

    pub(super) async fn rebuild(&self, request: v1::RebuildIncidentsRequest) -> v1::Rebuilt {
        let mut stream = self.incidents().await.rebuild_incidents(request).await.unwrap().into_inner();
        let mut result = None;
        while let Some(response) = stream.message().await.unwrap() {
            assert!(result.is_none(), "the result is last");
            assert_eq!(response.result.is_some(), response.machines_done == response.machines);
            result = response.result;
        }
        result.unwrap()
    }

    /// Rebuilds all of the site, and compares: same, added, changed, unconfirmed.
    #[track_caller]
    fn rebuilt(&self, expected: (u64, u64, u64, u64)) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let result = self.rebuild(of_site(START_S)).await;
            let found = (result.same, result.added, result.changed, result.unconfirmed);
            assert_eq!(found, expected, "at {place}: {result:?}");
        }
    }

    async fn set_limit(&self, value: i64) {
        let request = v1::SetThresholdsRequest {
            site_id: "north".to_owned(),
            thresholds: vec![v1::NamedValue { name: "reverse-overspeed.limit".to_owned(), value }],
            ..Default::default()
        };
        self.admin().await.set_thresholds(request).await.unwrap();
    }

    /// All that the ledger has, in the order of change.
    async fn stored(&self) -> Vec<StoredIncident> {
        self.ledger.incident_changes(0, 100).await.unwrap()
    }

    async fn stored_of(&self, rule: Rule) -> Option<StoredIncident> {
        self.stored().await.into_iter().find(|stored| stored.incident.rule == rule)
    }
}

fn of_site(from_s: i64) -> v1::RebuildIncidentsRequest {
    let range = v1::TimeRange { start_time: Some(seconds(from_s)), end_time: Some(seconds(0)) };
    v1::RebuildIncidentsRequest { site_id: "north".to_owned(), range: Some(range), ..Default::default() }
}

#[tokio::test]
async fn where_nothing_has_changed_nothing_does() {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    bench.ingested(&story(1_800, true)).await;
    let before = bench.stored().await;
    let rules: Vec<Rule> = before.iter().map(|stored| stored.incident.rule).collect();
    assert!(rules.contains(&Rule::ReverseOverspeed) && rules.contains(&Rule::EmergencyStop), "{rules:?}");
    assert!(before.iter().all(|stored| stored.incident.trace.len() > 5), "evidence is part of it");
    for request in
        [of_site(START_S), of_site(-7_200), v1::RebuildIncidentsRequest { range: None, ..of_site(0) }]
    {
        let result = bench.rebuild(request).await;
        let expected = v1::Rebuilt {
            same: before.len() as u64,
            readings: 98,
            range: result.range,
            // It is today.
            usage_days_under_way: 1,
            ..Default::default()
        };
        assert_eq!(result, expected);
        assert_eq!(result.range.unwrap().end_time, Some(seconds(-300)));
    }
    assert_eq!(bench.stored().await, before);
}

#[tokio::test]
async fn a_lower_limit_adds_what_was_not_there_and_marks_it_late() {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    bench.ingested(&story(1_700, true)).await;
    assert_eq!(bench.stored_of(Rule::ReverseOverspeed).await, None);
    let before = bench.stored().await;
    bench.set_limit(1_000).await;
    bench.rebuilt((before.len() as u64, 1, 0, 0)).await;
    let added = bench.stored_of(Rule::ReverseOverspeed).await.unwrap();
    assert_eq!((added.detected, added.change), (NOON, before.last().unwrap().change + 1));
    let request = v1::GetIncidentRequest { incident_id: added.incident.id.to_string() };
    let shown = bench.incidents().await.get_incident(request).await.unwrap().into_inner().incident.unwrap();
    assert!(shown.late);
    let limit = shown.thresholds.iter().find(|one| one.name == "reverse-overspeed.limit").unwrap();
    assert_eq!((limit.value, shown.direction()), (1_000, v1::Direction::Reverse));
    bench.rebuilt((before.len() as u64 + 1, 0, 0, 0)).await;
    // Elsewhere nothing was asked for.
    let other = v1::RebuildIncidentsRequest { site_id: "south".to_owned(), ..of_site(START_S) };
    let result = bench.rebuild(other).await;
    assert_eq!((result.same, result.readings), (0, 0));
}

#[tokio::test]
async fn a_higher_limit_marks_what_is_not_found_any_more_until_it_is_found_again() {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    bench.ingested(&story(1_800, true)).await;
    let all = bench.stored().await.len() as u64;
    let first = bench.stored_of(Rule::ReverseOverspeed).await.unwrap();
    bench.set_limit(2_500).await;
    bench.rebuilt((all - 1, 0, 0, 1)).await;
    let marked = bench.stored_of(Rule::ReverseOverspeed).await.unwrap();
    let version = Rule::ReverseOverspeed.definition().version;
    assert_eq!(marked, StoredIncident { unconfirmed: Some(version), change: marked.change, ..first.clone() });
    assert!(marked.change > first.change, "watchers are told");
    let request = v1::GetIncidentRequest { incident_id: first.incident.id.to_string() };
    let shown = bench.incidents().await.get_incident(request).await.unwrap().into_inner().incident.unwrap();
    assert_eq!(shown.unconfirmed_by_rule_version, version);
    // Once is enough.
    let before = bench.stored().await;
    bench.rebuilt((all - 1, 0, 0, 1)).await;
    assert_eq!(bench.stored().await, before);
    bench.at(60);
    bench.set_limit(1_639).await;
    bench.rebuilt((all - 1, 0, 1, 0)).await;
    let again = bench.stored_of(Rule::ReverseOverspeed).await.unwrap();
    assert_eq!((again.unconfirmed, again.detected), (None, first.detected));
    assert_eq!(Incident { revision: first.incident.revision, ..again.incident }, first.incident);
    bench.rebuilt((all, 0, 0, 0)).await;
}

#[tokio::test]
async fn what_is_not_sure_to_be_in_the_records_is_left_alone() {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    bench.ingested(&story(1_700, true)).await;
    let cleared = |one: &mut Incident| one.cleared = Some(one.time.plus(5_000_000));
    let just_now = |one: &mut Incident| {
        cleared(one);
        one.noticed = NOON.plus(-200_000_000);
    };
    let days = |one: &mut Incident| {
        cleared(one);
        one.rule = Rule::SafetyFunctionUntested;
    };
    let mut meanwhile = changed(incident(5, "n-1", -3_500), cleared);
    meanwhile.detected = NOON.plus(1);
    let others = vec![
        // It is active.
        incident(1, "n-1", -3_500),
        // Nothing of that time is stored.
        changed(incident(2, "n-1", -3_601), cleared),
        // What showed it is still under way.
        changed(incident(3, "n-1", -400), just_now),
        meanwhile,
    ];
    let same = bench.stored().await.len() as u64;
    bench.found(others).await;
    bench.found(vec![changed(incident(6, "n-2", -3_500), cleared)]).await;
    let before = bench.stored().await;
    let wide = || of_site(START_S - 10);
    let result = bench.rebuild(wide()).await;
    assert_eq!((result.same, result.unconfirmed, result.added), (same + 5, 0, 0), "{result:?}");
    assert_eq!(bench.stored().await, before);
    // A rule that remembers days is asked only where all that is stored is read.
    let late = |id| vec![changed(incident(id, "n-1", -301), days)];
    bench.found(late(8)).await;
    let result = bench.rebuild(of_site(-350)).await;
    assert_eq!((result.same, result.unconfirmed), (0, 1), "all is read: {result:?}");
    let older = Block {
        sequence: 9,
        machine: machine_id("n-1"),
        log: LOG,
        lane: Lane::Events,
        boot_count: 0,
        clock: Clock { quality: ClockQuality::Synchronised, offset_us: NOON.0 - BOOT_US, uncertainty_us: 0 },
        records: vec![(
            1,
            Record {
                at: MonotonicMicros(u64::try_from(BOOT_US - 90_000_000_000).unwrap()),
                other_n: 0,
                payload: event(EventKind::AgentStarted, None),
            },
        )],
    };
    bench.telemetry.put(vec![older]).await.unwrap();
    bench.found(late(9)).await;
    let result = bench.rebuild(of_site(-350)).await;
    assert_eq!((result.same, result.unconfirmed), (2, 0), "{result:?}");
    // The same incident, in sight, would have been marked.
    bench.found(vec![changed(incident(10, "n-1", -3_500), cleared)]).await;
    let result = bench.rebuild(wide()).await;
    assert_eq!(result.unconfirmed, 1, "{result:?}");
    let unconfirmed = bench.ledger.incident(&incident(10, "n-1", 0).incident.id).await.unwrap().unwrap();
    assert_eq!(unconfirmed.unconfirmed, Some(1));
}

#[tokio::test]
async fn what_is_still_pressed_is_not_added_and_what_ends_behind_the_span_stays_ended() {
    let bench = Bench::furnished().await;
    bench.prove_direction("n-1").await;
    bench.ingested(&story(1_800, false)).await;
    let stop = bench.stored_of(Rule::EmergencyStop).await.unwrap();
    let all = bench.stored().await;
    bench.rebuilt((all.len() as u64, 0, 0, 0)).await;
    assert_eq!(bench.stored_of(Rule::EmergencyStop).await.unwrap(), stop);
    let overspeed = bench.stored_of(Rule::ReverseOverspeed).await.unwrap();
    let cleared = overspeed.incident.cleared.unwrap();
    assert!(cleared > NOON.plus((START_S + 30) * 1_000_000));
    let range = v1::TimeRange { start_time: Some(seconds(START_S)), end_time: Some(seconds(START_S + 30)) };
    let result = bench.rebuild(v1::RebuildIncidentsRequest { range: Some(range), ..of_site(0) }).await;
    assert_eq!((result.same, result.changed), (1, 0), "{result:?}");
    assert_eq!(bench.stored().await, all);
}

#[tokio::test]
async fn a_direction_proven_afterwards_shows_what_happened_in_reverse() {
    let bench = Bench::furnished().await;
    bench.ingested(&story(1_800, true)).await;
    assert_eq!(bench.stored_of(Rule::ReverseOverspeed).await, None, "an unproven direction says nothing");
    let request = v1::RecordCommissioningRequest {
        machine_id: "n-1".to_owned(),
        direction_proven: true,
        ..Default::default()
    };
    bench.admin().await.record_commissioning(request).await.unwrap();
    let all = bench.stored().await.len() as u64;
    bench.rebuilt((all, 1, 0, 0)).await;
    let added = bench.stored_of(Rule::ReverseOverspeed).await.unwrap();
    assert_eq!((added.incident.direction, added.detected), (Direction::Reverse, NOON));
}

#[tokio::test]
async fn what_was_so_for_a_time_stays_as_it_was_then() {
    let bench = Bench::furnished().await;
    let tag = async |second: i64, reason: Option<&str>| {
        let out_of_service = reason.map(str::to_owned);
        let change = ServiceChange { machine: machine_id("n-1"), out_of_service };
        let (time, kind) = (NOON.plus(second * 1_000_000), FactKind::ServiceChanged(change));
        let fact = Fact { time, author: "test".to_owned(), request_id: None, kind };
        bench.ledger.add_fact(fact).await.unwrap();
    };
    // Out of service while the belt ran, and back since.
    tag(START_S - 1_000, Some("belt torn")).await;
    bench.ingested(&story(1_000, true)).await;
    let all = bench.stored().await.len() as u64;
    assert!(bench.stored_of(Rule::MotionWhileOutOfService).await.is_some());
    tag(-1_000, None).await;
    bench.rebuilt((all, 0, 0, 0)).await;

    let bench = Bench::furnished().await;
    bench.ingested(&story(1_000, true)).await;
    let all = bench.stored().await.len() as u64;
    let request = v1::SetOutOfServiceRequest {
        machine_id: "n-1".to_owned(),
        reason: "belt torn".to_owned(),
        ..Default::default()
    };
    bench.admin().await.set_out_of_service(request).await.unwrap();
    bench.rebuilt((all, 0, 0, 0)).await;
}

#[tokio::test]
async fn bad_input_is_refused() {
    let bench = Bench::furnished().await;
    let mut service = bench.incidents().await;
    let mut rebuild = async |change: &dyn Fn(&mut v1::RebuildIncidentsRequest)| {
        let mut request = of_site(START_S);
        change(&mut request);
        service.rebuild_incidents(request).await.unwrap_err()
    };
    let from = |second: i64| Some(v1::TimeRange { start_time: Some(seconds(second)), end_time: None });
    let status = rebuild(&|request| request.range = from(-367 * 86_400)).await;
    check(status, "range", &["367 days", "at most 366"]);
    for second in [-300, -1, 0, 100] {
        let status = rebuild(&|request| request.range = from(second)).await;
        check(status, "range.start_time", &[if second < 0 { "last 5 minutes" } else { "must be before" }]);
    }
    let status = rebuild(&|request| request.site_id.clear()).await;
    check(status, "site_id", &["is empty", "one of them is required"]);
    let status = rebuild(&|request| request.machine_id = "n-1".to_owned()).await;
    check(status, "site_id", &["only one"]);
    let machine = |id: &str| {
        let id = id.to_owned();
        move |request: &mut v1::RebuildIncidentsRequest| {
            (request.site_id, request.machine_id) = (String::new(), id.clone());
        }
    };
    check(rebuild(&machine("N 1")).await, "machine_id", &["N 1"]);
    let status = rebuild(&machine("n-9")).await;
    assert_eq!(status.code(), Code::NotFound, "{status:?}");
    let model = |request: &mut v1::RebuildIncidentsRequest| {
        (request.site_id, request.model) = (String::new(), "Maker 9".to_owned());
    };
    assert_eq!(rebuild(&model).await.code(), Code::NotFound);
}
