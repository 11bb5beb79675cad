//! The API as its callers meet it: over one ephemeral loopback port, on the memory stores.

mod admin;
mod bad_input;
mod fleet;
mod paging;
mod port;
mod telemetry;
mod watch;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId, SiteId};
use domain::live::{Latest, LiveState};
use domain::log::Lane;
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::registry::{BeltKind, DriveKind};
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use store::feed::Feed;
use store::ledger::{Fact, FactKind, Ledger, Machine, Site, Token};
use store::memory::{MemoryLedger, MemoryTelemetry};
use store::telemetry::{Block, Telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;
use wire::keys::MasterKey;

use crate::surroundings::{Part, Refusal, Surroundings};
use crate::{Api, Stores};

/// 2026-11-20T12:00:00Z, when every test begins.
const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);
const LOG: LogId = LogId([7; 16]);

/// Surroundings that a test sets.
#[derive(Debug)]
struct Stage {
    now: AtomicI64,
    ready: AtomicBool,
    refusals: Mutex<Vec<Refusal>>,
}

impl Surroundings for Stage {
    fn now(&self) -> UnixMicros {
        UnixMicros(self.now.load(Ordering::SeqCst))
    }

    fn readiness(&self) -> Vec<Part> {
        let journal = match self.ready.load(Ordering::SeqCst) {
            true => Ok(()),
            false => Err("the disk is full".to_owned()),
        };
        vec![Part { name: "journal", state: journal }, Part { name: "ledger", state: Ok(()) }]
    }

    fn metrics(&self) -> String {
        "beltwatch_test 1\n".to_owned()
    }

    fn refusals(&self) -> Vec<Refusal> {
        self.refusals.lock().unwrap().clone()
    }

    fn settled(&self) -> Option<UnixMicros> {
        Some(self.now().plus(-1_000_000))
    }

    fn broker(&self) -> String {
        "127.0.0.1:1883".to_owned()
    }

    fn machine_added(&self, _machine: &store::ledger::Machine) {}
}

/// A running API and what lies behind it.
struct Bench {
    ledger: MemoryLedger,
    telemetry: MemoryTelemetry,
    feed: Feed,
    stage: Arc<Stage>,
    stopping: CancellationToken,
    address: SocketAddr,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Bench {
    async fn start() -> Bench {
        Bench::start_with(Router::new()).await
    }

    async fn start_with(pages: Router) -> Bench {
        let (ledger, telemetry, feed) = (MemoryLedger::new(), MemoryTelemetry::new(), Feed::new());
        let stage = Arc::new(Stage {
            now: AtomicI64::new(NOON.0),
            ready: AtomicBool::new(true),
            refusals: Mutex::default(),
        });
        let stopping = CancellationToken::new();
        let stores = Stores {
            ledger: Arc::new(ledger.clone()),
            telemetry: Arc::new(telemetry.clone()),
            feed: feed.clone(),
        };
        let api = Api::new(stores, MasterKey::new([5; 32]), stage.clone(), stopping.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = api.router(pages);
        let until = stopping.clone();
        let server = tokio::spawn(async move {
            let (served, ()) = tokio::join!(crate::serve(listener, router, until), api.keep_health());
            served
        });
        Bench { ledger, telemetry, feed, stage, stopping, address, server }
    }

    /// A bench with sites `north` (machines `n-1`, `n-2`) and `south` (machine `s-1`).
    async fn furnished() -> Bench {
        let bench = Bench::start().await;
        bench.site("north", "Europe/Vienna").await;
        bench.site("south", "America/New_York").await;
        bench.machine("n-1", "north", BeltKind::Reversible).await;
        bench.machine("n-2", "north", BeltKind::OneWay).await;
        bench.machine("s-1", "south", BeltKind::Unknown).await;
        bench
    }

    async fn fact(&self, kind: FactKind) {
        let fact = Fact { time: NOON, author: "test".to_owned(), request_id: None, kind };
        self.ledger.add_fact(fact).await.unwrap();
    }

    async fn site(&self, id: &str, zone: &str) {
        let site = Site {
            id: site_id(id),
            display_name: format!("Gym {id}"),
            time_zone: zone.to_owned(),
            created: NOON,
        };
        self.fact(FactKind::SiteCreated(site)).await;
    }

    async fn machine(&self, id: &str, site: &str, belt: BeltKind) {
        let machine = Machine {
            id: machine_id(id),
            site: site_id(site),
            display_name: format!("Treadmill {id}"),
            model: String::new(),
            belt,
            drive: DriveKind::Motor,
            key_generation: 1,
            created: NOON,
        };
        self.fact(FactKind::MachineCreated(machine)).await;
    }

    /// A token for these sites.
    async fn token(&self, sites: &[&str]) -> String {
        let secret = crate::access::new_token().unwrap();
        let token = Token {
            hash: crate::access::token_hash(&secret),
            display_name: "test".to_owned(),
            sites: sites.iter().map(|site| site_id(site)).collect(),
        };
        self.fact(FactKind::TokenCreated(token)).await;
        secret
    }

    /// Puts records of one lane into the history: (number, seconds after noon, what).
    async fn records(&self, machine: &str, sequence: u64, lane: Lane, records: Vec<(u64, i64, Payload)>) {
        let record = |(n, at_s, payload): (u64, i64, Payload)| {
            let at = MonotonicMicros(u64::try_from(at_s * 1_000_000 + 1_000_000_000_000).unwrap());
            (n, Record { at, other_n: 0, payload })
        };
        let block = Block {
            sequence,
            machine: machine_id(machine),
            log: LOG,
            lane,
            boot_count: 1,
            clock: Clock {
                quality: ClockQuality::Synchronised,
                offset_us: NOON.0 - 1_000_000_000_000,
                uncertainty_us: 2_000,
            },
            records: records.into_iter().map(record).collect(),
        };
        self.telemetry.put(vec![block]).await.unwrap();
    }

    fn at(&self, seconds: i64) {
        self.stage.now.store(NOON.0 + seconds * 1_000_000, Ordering::SeqCst);
    }

    async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn fleet(&self) -> FleetServiceClient<Channel> {
        FleetServiceClient::new(self.channel().await)
    }

    async fn history(&self) -> TelemetryServiceClient<Channel> {
        TelemetryServiceClient::new(self.channel().await)
    }

    async fn admin(&self) -> AdminServiceClient<Channel> {
        AdminServiceClient::new(self.channel().await)
    }
}

fn machine_id(id: &str) -> MachineId {
    MachineId::new(id).unwrap()
}

fn site_id(id: &str) -> SiteId {
    SiteId::new(id).unwrap()
}

/// A request with a token.
fn with_token<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

fn seconds(seconds: i64) -> prost_types::Timestamp {
    crate::convert::timestamp(NOON.plus(seconds * 1_000_000))
}

/// A reading of one second that stands for three.
fn reading(direction: Direction, speed: u32) -> Payload {
    Payload::Reading(Reading {
        span_ms: 1_000,
        holds_for_ms: 3_000,
        direction,
        origin: if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured },
        speed: Some(SpeedSummary {
            mean: Speed(speed),
            min: Speed(speed),
            max: Speed(speed + 10),
            ..SpeedSummary::default()
        }),
        ..Reading::default()
    })
}

fn event(kind: EventKind) -> Payload {
    Payload::Event(Event::new(kind, MonotonicMicros(0), Belt::default(), Belt::default()))
}

/// A machine that moves, heard and seen at noon, believed for ten seconds.
fn moving(machine: &str, direction: Direction, speed: u32) -> LiveState {
    let origin = if direction == Direction::Unknown { Origin::Unknown } else { Origin::Measured };
    let belt = Belt { direction, origin, speed: Some(Speed(speed)), ..Belt::default() };
    LiveState {
        latest: Some(Latest {
            time: NOON,
            belt,
            holds_until: NOON.plus(10_000_000),
            since: Some(NOON.plus(-60_000_000)),
            last_event: Some((EventKind::BeltStarted, None, NOON.plus(-60_000_000))),
        }),
        heard: Some(NOON),
        ..LiveState::new(machine_id(machine))
    }
}
