//! An agent whose sources are set in another way than they were commissioned with: its direction is unknown everywhere.

use domain::belt::{Belt, Direction, Origin};
use domain::ids::ConfigurationHash;
use domain::incident::settings::EFFECTIVE_AFTER_US;
use domain::live::LiveState;
use domain::proven::configuration_detail;
use domain::record::{Event, EventKind, Payload};
use domain::units::{MonotonicMicros, Speed};
use store::fact::{Fact, FactKind, NewCommissioning, SeenByAgent};
use store::ledger::Ledger;
use wire::api::v1;

use super::super::{Bench, NOON, machine_id, reading, seconds};
use super::rebuild::written;
use super::sights::ENCODER;

const DAY_S: i64 = 86_400;
/// The belt runs for a minute from each of these on: before the sources were changed, and after it, yesterday at noon.
const RUNS_S: [i64; 2] = [-3 * DAY_S, -DAY_S];
/// When the agent was started with its sources set in another way.
const CHANGED_S: i64 = -3 * DAY_S + 3_600;
const BEFORE: ConfigurationHash = ConfigurationHash([1; 16]);
const AFTER: ConfigurationHash = ConfigurationHash([2; 16]);

fn started(configuration: ConfigurationHash) -> Payload {
    let mut event = Event::new(EventKind::AgentStarted, MonotonicMicros(0), Belt::default(), Belt::default());
    event.capabilities = Some(ENCODER);
    event.detail = configuration_detail(configuration);
    Payload::Event(event)
}

fn belt_started() -> Payload {
    let belt = Belt {
        direction: Direction::Reverse,
        origin: Origin::Measured,
        speed: Some(Speed(900)),
        ..Belt::default()
    };
    Payload::Event(Event::new(EventKind::BeltStarted, MonotonicMicros(0), belt, Belt::default()))
}

/// A minute in reverse, and a rest that ends the session.
fn walk(start_s: i64) -> impl Iterator<Item = (i64, Payload)> {
    let moves = (1..=60).map(move |n| (start_s + n, reading(Direction::Reverse, 900)));
    let rests = (61..=300).map(move |n| (start_s + n, reading(Direction::Stopped, 0)));
    [(start_s, belt_started())].into_iter().chain(moves).chain(rests)
}

impl Bench {
    /// The agent has reported that its direction is proven for sources that are set like this.
    async fn reported(&self, second: i64, configuration: ConfigurationHash) {
        let seen = SeenByAgent {
            done: None,
            technician: "Jo".to_owned(),
            agent_version: "1".to_owned(),
            configuration,
            steps: Vec::new(),
        };
        let new = NewCommissioning {
            machine: machine_id("n-1"),
            direction_proven: true,
            stops: Vec::new(),
            silent_on_stop: false,
            incline_is_target: false,
            note: String::new(),
            seen: Some(Box::new(seen)),
        };
        let time = NOON.plus(second * 1_000_000 - EFFECTIVE_AFTER_US);
        let author = "machine:n-1".to_owned();
        let fact = Fact { time, author, request_id: None, kind: FactKind::Commissioned(new) };
        self.ledger.add_fact(fact).await.unwrap();
    }

    async fn changed_sources(&self) {
        let [first, second] = RUNS_S;
        let told = [(first - 1, started(BEFORE))].into_iter().chain(walk(first));
        let told = told.chain([(CHANGED_S, started(AFTER))]).chain(walk(second));
        self.ingested(&written(told)).await;
    }

    /// Which way the belt ran, as readings, events and sessions tell it of each run.
    #[track_caller]
    fn shows(&self, expected: [Direction; 2]) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let mut history = self.history().await;
            for (start, expected) in RUNS_S.into_iter().zip(expected) {
                let range = || {
                    Some(v1::TimeRange {
                        start_time: Some(seconds(start)),
                        end_time: Some(seconds(start + 60)),
                    })
                };
                let expected = crate::convert::direction(expected);
                let machine_id = || "n-1".to_owned();
                let request = v1::ListReadingsRequest {
                    machine_id: machine_id(),
                    range: range(),
                    ..Default::default()
                };
                let page = history.list_readings(request).await.unwrap().into_inner();
                let told: Vec<i32> = page.readings.iter().map(|reading| reading.direction).collect();
                assert_eq!(told, vec![expected; 59], "at {place}: readings from {start}");
                let is_unknown = expected == i32::from(v1::Direction::Unknown);
                let measured = if is_unknown { v1::Direction::Reverse } else { v1::Direction::Unspecified };
                let tells = |one: &v1::Reading| one.measured_direction() == measured;
                assert!(page.readings.iter().all(tells), "at {place}: {:?}", page.readings[0]);
                let request =
                    v1::ListEventsRequest { machine_id: machine_id(), range: range(), ..Default::default() };
                let page = history.list_events(request).await.unwrap().into_inner();
                let [event] = &page.events[..] else { panic!("at {place}: {:?}", page.events) };
                assert_eq!(event.at.as_ref().unwrap().direction, expected, "at {place}: event at {start}");
            }
            let all = v1::TimeRange { start_time: Some(seconds(-4 * DAY_S)), end_time: Some(seconds(0)) };
            let request = v1::ListSessionsRequest {
                site_id: "north".to_owned(),
                range: Some(all),
                ..Default::default()
            };
            let mut sessions = history.list_sessions(request).await.unwrap().into_inner().sessions;
            sessions.reverse();
            let told = sessions.iter().map(|session| session.segments[0].direction).collect::<Vec<_>>();
            assert_eq!(told, expected.map(crate::convert::direction), "at {place}: sessions");
        }
    }

    /// Whether a rule about directions can be told from now on.
    async fn tells_directions(&self) -> bool {
        let machine_id = "n-1".to_owned();
        let live = (*crate::live::latest(&self.feed, &super::super::machine_id("n-1"))).clone();
        self.feed.put(LiveState { capabilities: ENCODER, ..live });
        let request = v1::ListBlindSpotsRequest { machine_id, ..Default::default() };
        let sights = self.incidents().await.list_blind_spots(request).await.unwrap().into_inner();
        let rule = sights.machines[0].rules.iter().find(|rule| rule.rule == "reverse-overspeed").unwrap();
        rule.sight() != v1::Sight::Blind
    }

    async fn rebuild_from(&self, second: i64) -> v1::Rebuilt {
        let range = v1::TimeRange { start_time: Some(seconds(second)), end_time: Some(seconds(0)) };
        self.rebuild(v1::RebuildIncidentsRequest {
            site_id: "north".to_owned(),
            range: Some(range),
            ..Default::default()
        })
        .await
    }
}

#[tokio::test]
async fn after_a_change_of_sources_no_page_shows_a_direction_until_it_is_proven_anew() {
    let bench = Bench::furnished().await;
    bench.reported(RUNS_S[0] - 100, BEFORE).await;
    bench.changed_sources().await;
    bench.shows([Direction::Reverse, Direction::Unknown]).await;
    assert!(!bench.tells_directions().await, "no rule about a direction is judged");
    // A rebuild that begins in the life of the agent that was started with other sources knows it, too.
    let result = bench.rebuild_from(-DAY_S).await;
    assert_eq!((result.usage_days_same, result.usage_days_changed, result.sessions_changed), (1, 0, 0));
    bench.shows([Direction::Reverse, Direction::Unknown]).await;

    bench.reported(-100, AFTER).await;
    let result = bench.rebuild_from(-4 * DAY_S).await;
    assert_eq!((result.usage_days_same, result.usage_days_changed, result.sessions_changed), (1, 1, 1));
    bench.shows([Direction::Reverse, Direction::Reverse]).await;
    assert!(bench.tells_directions().await);
}

#[tokio::test]
async fn what_other_sources_told_stays_unknown_when_the_present_ones_are_proven() {
    let bench = Bench::furnished().await;
    bench.changed_sources().await;
    bench.shows([Direction::Unknown, Direction::Unknown]).await;
    bench.reported(-100, AFTER).await;
    let result = bench.rebuild_from(-4 * DAY_S).await;
    assert_eq!((result.usage_days_same, result.usage_days_changed, result.sessions_changed), (1, 1, 1));
    bench.shows([Direction::Unknown, Direction::Reverse]).await;
}
