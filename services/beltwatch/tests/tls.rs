//! TLS from end to end: a machine registered over https, its agent on the broker's TLS port, and who is refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::SocketAddr;
use std::time::Duration;

use agent::run::{Agent, AgentHandle, AgentSettings};
use agent::source::simulate::{Profile, Simulator};
use beltwatch::client::{Client, Options};
use beltwatch::config::{Config, TlsMode};
use beltwatch::serve::Server;
use clap::Parser;
use domain::signal::SourceNumber;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::api::v1::{BeltKind, CreateMachineRequest, CreateSiteRequest, DriveKind, ListSitesRequest};
use wire::credential::Credential;

/// A test that hangs fails after this time.
const PATIENCE: Duration = Duration::from_secs(60);

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happens any more")
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    options: Options,
}

struct Bench {
    server: Server,
    folder: TempDir,
}

impl Bench {
    async fn start() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { folder: folder.path().join("server"), ..Config::default() };
        config.tls.mode = TlsMode::Own;
        config.api.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        config.broker.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Bench { server: Server::start(&config).await.unwrap(), folder }
    }

    /// What the command line would be given.
    fn options(&self, server: &str, authority: bool) -> Options {
        let mut line = vec!["x".to_owned(), "--server".to_owned(), server.to_owned()];
        line.extend(["--token".to_owned(), self.server.operator_secret().to_owned()]);
        if authority {
            let file = self.folder.path().join("server/authority.pem");
            line.extend(["--authority".to_owned(), file.display().to_string()]);
        }
        Line::parse_from(line).options
    }

    fn https(&self, host: &str) -> String {
        format!("https://{host}:{}", self.server.api_address().port())
    }

    async fn client(&self) -> Client {
        patiently(Client::connect(&self.options(&self.https("localhost"), true))).await.unwrap()
    }

    async fn agent(&self, credential: Credential, spool: &str) -> AgentHandle {
        let simulator =
            Simulator::new(SourceNumber(0), 1, Profile::encoder().with_pace(20.0), agent::clock::monotonic());
        let spool = self.folder.path().join(spool);
        Agent::start(AgentSettings::new(credential, spool, Box::new(simulator))).await.unwrap()
    }
}

async fn machine(client: &mut Client, id: &str) -> Credential {
    let request = CreateMachineRequest {
        machine_id: id.to_owned(),
        site_id: "gym".to_owned(),
        display_name: id.to_owned(),
        belt: BeltKind::Reversible.into(),
        drive: DriveKind::Motor.into(),
        ..CreateMachineRequest::default()
    };
    let reply = client.admin.create_machine(request).await.unwrap().into_inner();
    Credential::from_json(&reply.credential).unwrap()
}

async fn site(client: &mut Client) {
    let request = CreateSiteRequest {
        site_id: "gym".to_owned(),
        display_name: "Gym".to_owned(),
        time_zone: "Europe/Vienna".to_owned(),
        ..CreateSiteRequest::default()
    };
    client.admin.create_site(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_arrive_by_tls_and_only_with_the_machines_own_certificate() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    site(&mut client).await;
    let (first, second) = (machine(&mut client, "tm-01").await, machine(&mut client, "tm-02").await);

    // Right key, wrong certificate; and right key, none.
    let foreign = Credential { tls: second.tls.clone(), ..first.clone() };
    let bare = Credential { tls: None, ..first.clone() };
    let (foreign, bare) = (bench.agent(foreign, "foreign").await, bench.agent(bare, "bare").await);

    let mut good = bench.agent(second, "good").await;
    let told = patiently(good.wait_until(|so_far| so_far.is_connected && so_far.appended[1] > 2)).await;
    assert!(told.is_connected);
    let ended = patiently(good.stop(PATIENCE)).await.unwrap();
    assert!(ended.is_delivered() && ended.appended[1] > 2, "{ended:?}");

    let mut waiting = 0;
    for (refused, comes_later) in [(foreign, true), (bare, false)] {
        assert_eq!(refused.progress().connection, 0, "{:?}", refused.progress());
        let ended = patiently(refused.stop(Duration::ZERO)).await.unwrap();
        waiting += if comes_later { ended.appended[1] } else { 0 };
    }
    // The same key with its own certificate is let in.
    let mut right = bench.agent(first, "foreign").await;
    patiently(right.wait_until(|so_far| so_far.is_connected)).await;
    let let_in = patiently(right.stop(PATIENCE)).await.unwrap();
    drop(client);
    let telemetry = bench.server.stores().telemetry.clone();
    patiently(bench.server.stop()).await.unwrap();
    // What was made while the certificate was the wrong one came by the right one; of the agent without one, nothing.
    let made = ended.appended[1] + waiting + let_in.appended[1];
    assert_eq!(telemetry.counts(None).await.unwrap().readings, made);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_and_plain_text_keep_nobody_out() {
    let bench = Bench::start().await;
    let broker: SocketAddr = bench.server.broker_address().parse().unwrap();
    let api = bench.server.api_address();
    let mut silent = Vec::new();
    for address in [api, broker] {
        silent.push(TcpStream::connect(address).await.unwrap());
        let mut begun = TcpStream::connect(address).await.unwrap();
        // The head of a handshake whose rest never comes.
        begun.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00]).await.unwrap();
        silent.push(begun);
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = patiently(plain.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP"), "an alert at most: {answer:?}");
    }
    let mut client = bench.client().await;
    site(&mut client).await;
    let credential = machine(&mut client, "tm-01").await;
    let mut agent = bench.agent(credential, "spool").await;
    patiently(agent.wait_until(|so_far| so_far.is_connected)).await;
    patiently(agent.stop(Duration::ZERO)).await.unwrap();
    drop((client, silent));
    patiently(bench.server.stop()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_told_why_it_does_not_believe_the_server() {
    let bench = Bench::start().await;
    let other = Bench::start().await;
    let check = async |options: Options, expected: &str| {
        let failure = patiently(Client::connect(&options)).await.expect_err(expected);
        assert!(failure.message.contains(expected), "{failure}");
    };
    let https = bench.https("localhost");
    patiently(Client::connect(&bench.options(&https, true))).await.unwrap();
    patiently(Client::connect(&bench.options(&bench.https("127.0.0.1"), true))).await.unwrap();
    check(other.options(&https, true), "authority that is not known here").await;
    check(bench.options(&bench.https("[::ffff:127.0.0.1]"), true), "for other names").await;
    let missing = Options { authority: Some("/nowhere".into()), ..bench.options(&https, false) };
    check(missing, "--authority: cannot read /nowhere").await;
    let wrong = bench.options(&format!("ftp://{}", bench.server.api_address()), true);
    check(wrong, "http:// or https://").await;
    let mut client = bench.client().await;
    client.fleet.list_sites(ListSitesRequest::default()).await.unwrap();
}
