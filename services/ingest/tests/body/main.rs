//! The whole ingest as it runs, over sockets on loopback, with the memory and the SQLite stores.

#[path = "../story/agent.rs"]
#[expect(dead_code, reason = "the stories use all of it, the body not everything")]
mod agent;
mod broker;

use std::sync::Arc;
use std::time::Duration;

use domain::ids::SiteId;
use domain::log::Lane;
use domain::record::EventKind;
use domain::registry::{BeltKind, DriveKind};
use domain::units::UnixMicros;
use ingest::refusals::{RefusalReason, Refused};
use ingest::{BrokerAddress, Ingest, IngestHandle, IngestSettings};
use store::fact::{Fact, FactKind, MachineName};
use store::feed::Feed;
use store::journal::Journal;
use store::ledger::Ledger;
use store::memory::{MemoryJournal, MemoryLedger, MemoryTelemetry};
use store::registry::{Machine, Site};
use store::sqlite::{SqliteJournal, SqliteLedger, SqliteTelemetry};
use store::telemetry::Telemetry;
use wire::keys::MasterKey;

use crate::agent::{Agent, EPOCH, index};
use crate::broker::Broker;

/// Long enough for any machine that runs tests; nothing waits for so long unless it fails.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
struct Stores {
    journal: Arc<dyn Journal>,
    ledger: Arc<dyn Ledger>,
    telemetry: Arc<dyn Telemetry>,
}

impl Stores {
    fn memory() -> Stores {
        Stores {
            journal: Arc::new(MemoryJournal::new()),
            ledger: Arc::new(MemoryLedger::new()),
            telemetry: Arc::new(MemoryTelemetry::new()),
        }
    }

    fn sqlite(folder: &std::path::Path) -> Stores {
        Stores {
            journal: Arc::new(SqliteJournal::open(folder).expect("a journal")),
            ledger: Arc::new(SqliteLedger::open(folder).expect("a ledger")),
            telemetry: Arc::new(SqliteTelemetry::open(folder).expect("a telemetry")),
        }
    }

    async fn add(&self, kind: FactKind) {
        let time = UnixMicros(EPOCH);
        let fact = Fact { time, author: "local:test".to_owned(), request_id: None, kind };
        self.ledger.add_fact(fact).await.expect("the fact can be added");
    }

    async fn register(&self, name: &str) {
        let site = SiteId::new("north").expect("an id");
        let created = UnixMicros(EPOCH);
        let add = |kind, request: String| {
            let fact =
                Fact { time: created, author: "local:test".to_owned(), request_id: Some(request), kind };
            self.ledger.add_fact(fact)
        };
        let place = Site {
            id: site.clone(),
            display_name: "North".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            created,
            history: Default::default(),
        };
        add(FactKind::SiteCreated(place), "site".to_owned()).await.expect("a site");
        let machine = Machine {
            id: domain::ids::MachineId::new(name).expect("an id"),
            site,
            display_name: name.to_owned(),
            model: String::new(),
            belt: BeltKind::Reversible,
            drive: DriveKind::Motor,
            key_generation: 1,
            created,
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        };
        add(FactKind::MachineCreated(machine), name.to_owned()).await.expect("a machine");
    }
}

fn settings(broker: &Broker, master: &MasterKey) -> IngestSettings {
    IngestSettings {
        broker: BrokerAddress {
            host: broker.address.ip().to_string(),
            port: broker.address.port(),
            login: Some(("ingest".to_owned(), "secret".to_owned())),
            tls: None,
            client_id: "ingest".to_owned(),
        },
        master: master.clone(),
        journal_folder: None,
    }
}

/// Asks until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let asked = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| panic!("never: {what}"));
}

async fn start(stores: &Stores, broker: &Broker, master: &MasterKey, feed: &Feed) -> IngestHandle {
    let Stores { journal, ledger, telemetry } = stores.clone();
    let started = Ingest::start(settings(broker, master), journal, ledger, telemetry, feed.clone());
    let handle = started.await.expect("it starts");
    let readiness = handle.readiness();
    until("subscribed", || readiness.is_ready()).await;
    handle
}

/// Delivers everything that an agent has, as an agent does, until all of it is acknowledged.
async fn deliver(broker: &mut Broker, agent: &mut Agent) {
    let work = async {
        while agent.spooled.iter().any(|lane| !lane.is_empty()) {
            let status = agent.send_status();
            broker.send(&status.topic, &status.payload).await;
            for sent in agent.send_all(7) {
                broker.send(&sent.topic, &sent.payload).await;
            }
            let wait = Duration::from_millis(50);
            while let Ok(Some((topic, payload))) = tokio::time::timeout(wait, broker.published.recv()).await {
                let ack = agent.open(&topic, &payload.into());
                ack.iter().for_each(|ack| assert!(agent.take(ack) || ack.boot != agent.boot));
            }
        }
    };
    tokio::time::timeout(PATIENCE, work).await.expect("all is acknowledged");
}

fn walk(agent: &mut Agent) {
    agent.event(EventKind::BeltStarted);
    for speed in [800, 900, 1_000, 900, 0, 0] {
        agent.reading(speed);
    }
    agent.event(EventKind::BeltStopped);
}

async fn tell_a_story(stores: impl Fn() -> Stores) {
    let master = MasterKey::new([5; 32]);
    let mut broker = Broker::start().await;
    let feed = Feed::new();
    let first = stores();
    first.register("tm-01").await;
    let handle = start(&first, &broker, &master, &feed).await;
    let (mut one, mut two) = (Agent::new("tm-01", &master), Agent::new("tm-02", &master));

    walk(&mut one);
    deliver(&mut broker, &mut one).await;
    let shown = feed.latest(&one.machine).expect("it is shown");
    assert_eq!((shown.records_lost, shown.session.is_some()), (0, true));

    // A machine is refused until it is registered.
    let status = two.send_status();
    broker.send(&status.topic, &status.payload).await;
    let is_refused = || handle.refusals().iter().any(|r| r.reason == RefusalReason::UnknownMachine);
    until("refused", is_refused).await;
    first.register("tm-02").await;
    walk(&mut two);
    deliver(&mut broker, &mut two).await;

    // The broker forgets everything.
    broker.drop_connections();
    walk(&mut one);
    deliver(&mut broker, &mut one).await;

    let counters = handle.stop().await;
    assert_eq!((counters.readings_committed, counters.events_committed), (18, 6));
    assert_eq!((counters.duplicates_applied, counters.records_lost), (0, 0));
    assert_eq!(counters.deferred, 0);
    let span = first.journal.span().await.expect("a span");
    assert_eq!(span.trimmed, span.last, "everything derived is written");
    drop(first);

    // The next life goes on where the last one ended.
    let second = stores();
    let feed = Feed::new();
    let handle = start(&second, &broker, &master, &feed).await;
    assert!(feed.latest(&one.machine).expect("known from its checkpoint").latest.is_some());
    walk(&mut one);
    deliver(&mut broker, &mut one).await;

    // Whose credential is revoked is refused, and what it brought stays.
    second.add(FactKind::CredentialRevoked(MachineName { machine: two.machine.clone() })).await;
    let is_refused = |refused: &Refused| {
        refused.reason == RefusalReason::WrongGeneration && refused.detail.contains("was revoked")
    };
    // What is sent before the ingest obeys is still taken.
    let asked = async {
        while !handle.refusals().iter().any(is_refused) {
            let status = two.send_status();
            broker.send(&status.topic, &status.payload).await;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asked).await.expect("it is refused");
    second.add(FactKind::CredentialRenewed(MachineName { machine: two.machine.clone() })).await;
    two.generation = 2;
    walk(&mut two);
    deliver(&mut broker, &mut two).await;

    let counters = handle.stop().await;
    assert_eq!((counters.readings_committed, counters.duplicates_applied), (12, 0));
    for agent in [&one, &two] {
        let counts = second.telemetry.counts(Some(&agent.machine)).await.expect("counts");
        let written = agent.written.each_ref().map(|lane| lane.len() as u64);
        assert_eq!(
            (counts.events, counts.readings),
            (written[index(Lane::Events)], written[index(Lane::Readings)])
        );
        assert_eq!(second.ledger.losses(&agent.machine, 10).await.expect("losses"), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_memory_stores() {
    let stores = Stores::memory();
    tell_a_story(|| stores.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_sqlite_stores() {
    let folder = tempfile::tempdir().expect("a folder");
    tell_a_story(|| Stores::sqlite(folder.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_no_readiness() {
    let broker = Broker::start().await;
    broker.refuse(true);
    let stores = Stores::memory();
    let Stores { journal, ledger, telemetry } = stores.clone();
    let settings = settings(&broker, &MasterKey::new([5; 32]));
    let handle = Ingest::start(settings, journal, ledger, telemetry, Feed::new()).await.expect("it starts");
    let readiness = handle.readiness();
    let says = || readiness.troubles().iter().filter(|(_, why)| why.contains("refuses")).count() == 2;
    until("the refusal is told", says).await;
    broker.refuse(false);
    broker.drop_connections();
    until("it is ready when the broker lets it", || readiness.is_ready()).await;
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stores_that_are_not_of_one_time_are_not_started() {
    let broker = Broker::start().await;
    let stores = Stores::memory();
    stores.telemetry.set_watermark(7).await.expect("a watermark");
    let Stores { journal, ledger, telemetry } = stores;
    let settings = settings(&broker, &MasterKey::new([5; 32]));
    let error = Ingest::start(settings, journal, ledger, telemetry, Feed::new()).await.expect_err("apart");
    assert!(error.to_string().contains("not of one backup"), "{error}");
}
