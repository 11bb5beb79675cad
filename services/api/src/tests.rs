//! The API as its callers meet it: over one ephemeral loopback port, on the memory stores.

mod access_table;
mod account;
mod admin;
mod audit;
mod bad_input;
mod course;
mod drill;
mod enrolment;
mod fleet;
mod handling;
mod incidents;
mod maintenance;
mod moves;
mod notification;
mod paging;
mod port;
mod privilege;
mod reverse;
mod settings;
mod telemetry;
mod usage;
mod watch;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use domain::belt::{Belt, Direction, Origin};
use domain::clock::{Clock, ClockQuality};
use domain::ids::{LogId, MachineId, SiteId, UserName};
use domain::live::{Latest, LiveState};
use domain::log::Lane;
use domain::record::{Event, EventKind, Payload, Reading, Record, SpeedSummary};
use domain::registry::{BeltKind, DriveKind};
use domain::units::{MonotonicMicros, Speed, UnixMicros};
use store::fact::{Fact, FactKind, NewUser};
use store::feed::Feed;
use store::ledger::Ledger;
use store::memory::{MemoryLedger, MemoryTelemetry};
use store::registry::{Grant, Link, LinkKind, Machine, Role, SignIn, Site, Token, User};
use store::telemetry::{Block, Telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use wire::api::v1::account_service_client::AccountServiceClient;
use wire::api::v1::admin_service_client::AdminServiceClient;
use wire::api::v1::fleet_service_client::FleetServiceClient;
use wire::api::v1::handling_service_client::HandlingServiceClient;
use wire::api::v1::incident_service_client::IncidentServiceClient;
use wire::api::v1::telemetry_service_client::TelemetryServiceClient;
use wire::credential::Credential;
use wire::enrolment::Fingerprint;
use wire::keys::MasterKey;

use crate::surroundings::{Part, Refusal, Surroundings};
use crate::{Api, SecretKind, Stores, new_secret, secret_hash};

/// 2026-11-20T12:00:00Z, when every test begins.
const NOON: UnixMicros = UnixMicros(1_795_176_000_000_000);
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
const LOG: LogId = LogId([7; 16]);
/// The authority of the server under test.
const AUTHORITY: Fingerprint = [9; 16];

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

    fn url(&self) -> String {
        "https://gym.example".to_owned()
    }

    fn settled(&self) -> Option<UnixMicros> {
        Some(self.now().plus(-1_000_000))
    }

    fn credential(&self, machine: &Machine) -> Result<Credential, String> {
        let (generation, broker) = (machine.key_generation, "127.0.0.1:1883".to_owned());
        let key = MasterKey::new([5; 32]).machine_key(&machine.id, generation);
        Ok(Credential { machine: machine.id.clone(), generation, key, broker, tls: None })
    }

    fn authority(&self) -> Option<Fingerprint> {
        Some(AUTHORITY)
    }
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
    api: Arc<Api>,
    operator: String,
}

/// Shows the operator's secret, unless a request shows something else.
#[derive(Clone)]
struct AsOperator(String);

impl Interceptor for AsOperator {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        if request.metadata().get("authorization").is_none() {
            request.metadata_mut().insert("authorization", format!("Bearer {}", self.0).parse().unwrap());
        }
        Ok(request)
    }
}

type ByOperator = InterceptedService<Channel, AsOperator>;

impl Bench {
    async fn start() -> Bench {
        Bench::start_with(Router::new()).await
    }

    async fn start_with(pages: Router) -> Bench {
        Bench::start_on(pages, |telemetry| Arc::new(telemetry)).await
    }

    /// `held` says what of the telemetry the API sees.
    async fn start_on(pages: Router, held: impl FnOnce(MemoryTelemetry) -> Arc<dyn Telemetry>) -> Bench {
        let (ledger, telemetry, feed) = (MemoryLedger::new(), MemoryTelemetry::new(), Feed::new());
        let stage = Arc::new(Stage {
            now: AtomicI64::new(NOON.0),
            ready: AtomicBool::new(true),
            refusals: Mutex::default(),
        });
        let stopping = CancellationToken::new();
        let stores = Stores {
            ledger: Arc::new(ledger.clone()),
            telemetry: held(telemetry.clone()),
            feed: feed.clone(),
        };
        let operator = new_secret(SecretKind::Operator).unwrap();
        let (master, hash) = (MasterKey::new([5; 32]), secret_hash(&operator));
        let api = Arc::new(Api::new(stores, &master, hash, stage.clone(), stopping.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = api.router(pages);
        let (until, running) = (stopping.clone(), api.clone());
        let server = tokio::spawn(async move {
            let (served, ()) = tokio::join!(crate::serve(listener, router, None, until), running.run());
            served
        });
        Bench { ledger, telemetry, feed, stage, stopping, address, server, api, operator }
    }

    /// A bench with sites `north` (machines `n-1`, `n-2`) and `south` (machine `s-1`).
    async fn furnished() -> Bench {
        Bench::start().await.furnish().await
    }

    async fn furnish(self) -> Bench {
        let bench = self;
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
            history: Default::default(),
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
            place: None,
            revoked_generation: 0,
            revoked: None,
            acknowledged: None,
            history: Default::default(),
            drills: Vec::new(),
            maintained: None,
        };
        self.fact(FactKind::MachineCreated(machine)).await;
    }

    /// A viewer's token for these sites.
    async fn token(&self, sites: &[&str]) -> String {
        self.token_of(Role::Viewer, sites).await
    }

    /// A token of a role for these sites; none: for all.
    async fn token_of(&self, role: Role, sites: &[&str]) -> String {
        let secret = new_secret(SecretKind::Token).unwrap();
        let token = Token {
            hash: secret_hash(&secret),
            number: 0,
            display_name: "test".to_owned(),
            grants: vec![grant(role, sites)],
            author: "test".to_owned(),
            created: NOON,
            expires: NOON.plus(DAY_US),
            revoked: None,
        };
        self.fact(FactKind::TokenCreated(token)).await;
        secret
    }

    /// A user without a password.
    async fn user(&self, name: &str, role: Role, sites: &[&str]) {
        let user = User {
            name: user_name(name),
            display_name: name.to_owned(),
            grants: vec![grant(role, sites)],
            expires: None,
            disabled: false,
            password: None,
            preferences: Default::default(),
            created: NOON,
            last_sign_in: None,
        };
        self.fact(FactKind::UserCreated(NewUser { user, link: None })).await;
    }

    /// A session of a user, without the password.
    async fn session(&self, name: &str) -> String {
        let secret = new_secret(SecretKind::Session).unwrap();
        let (hash, expires) = (secret_hash(&secret), NOON.plus(DAY_US));
        let (user, peer) = (user_name(name), String::new());
        self.fact(FactKind::SignedIn(SignIn { hash, user, created: NOON, expires, peer })).await;
        secret
    }

    /// A new link, good for a day; its code.
    async fn link(&self, kind: LinkKind) -> String {
        let code = new_secret(SecretKind::Link).unwrap();
        let hash = secret_hash(&code);
        self.fact(FactKind::LinkMade(Link { hash, kind, expires: NOON.plus(DAY_US) })).await;
        code
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

    async fn fleet(&self) -> FleetServiceClient<ByOperator> {
        FleetServiceClient::with_interceptor(self.channel().await, self.as_operator())
    }

    async fn history(&self) -> TelemetryServiceClient<ByOperator> {
        TelemetryServiceClient::with_interceptor(self.channel().await, self.as_operator())
    }

    async fn incidents(&self) -> IncidentServiceClient<ByOperator> {
        IncidentServiceClient::with_interceptor(self.channel().await, self.as_operator())
    }

    async fn handling(&self) -> HandlingServiceClient<ByOperator> {
        HandlingServiceClient::with_interceptor(self.channel().await, self.as_operator())
    }

    async fn admin(&self) -> AdminServiceClient<ByOperator> {
        AdminServiceClient::with_interceptor(self.channel().await, self.as_operator())
    }

    /// Without any secret of its own.
    async fn account(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.channel().await)
    }

    fn as_operator(&self) -> AsOperator {
        AsOperator(self.operator.clone())
    }
}

fn machine_id(id: &str) -> MachineId {
    MachineId::new(id).unwrap()
}

fn user_name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn grant(role: Role, sites: &[&str]) -> Grant {
    Grant { role, sites: sites.iter().map(|site| site_id(site)).collect() }
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
