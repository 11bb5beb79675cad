//! One port for everything: gRPC, reflection, health, metrics, pages.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::routing::get;
use store::registry::Role;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use wire::api::v1;

use super::Bench;

/// One HTTP/1.1 request that shows this secret, if any; status line and body.
pub(super) async fn http(bench: &Bench, path: &str, secret: Option<&str>) -> (String, String) {
    let mut stream = TcpStream::connect(bench.address).await.unwrap();
    let secret = secret.map(|secret| format!("authorization: Bearer {secret}\r\n")).unwrap_or_default();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{secret}connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn grpc_and_plain_http_share_one_port() {
    let pages = Router::new().route("/", get(|| std::future::ready("a page")));
    let bench = Bench::start_with(pages).await;
    bench.fleet().await.list_sites(v1::ListSitesRequest::default()).await.unwrap();
    let check = async |path: &str, status: &str, body: &str| {
        let answer = http(&bench, path, Some(&bench.operator)).await;
        assert_eq!(answer.0, format!("HTTP/1.1 {status}"), "{path}");
        assert!(answer.1.contains(body), "{path}: {}", answer.1);
    };
    check("/", "200 OK", "a page").await;
    check("/healthz", "200 OK", "ok").await;
    check("/metrics", "200 OK", "beltwatch_test 1").await;
    check("/readyz", "200 OK", "journal: ready\nledger: ready").await;
    check("/none", "404 Not Found", "").await;
    bench.stage.ready.store(false, Ordering::SeqCst);
    check("/readyz", "503 Service Unavailable", "journal: not ready: the disk is full").await;
}

#[tokio::test]
async fn to_be_on_this_computer_is_not_enough() {
    let bench = Bench::start().await;
    let check = async |path: &str, secret: Option<&str>, status: &str, body: &str| {
        let answer = http(&bench, path, secret).await;
        assert_eq!(answer.0, format!("HTTP/1.1 {status}"), "{path} {secret:?}");
        assert!(answer.1.contains(body), "{path}: {}", answer.1);
    };
    bench.stage.ready.store(false, Ordering::SeqCst);
    check("/healthz", None, "200 OK", "ok").await;
    check("/metrics", None, "401 Unauthorized", "sign in").await;
    check("/readyz", None, "503 Service Unavailable", "journal: not ready; the server's log says why").await;
    let viewer = bench.token(&[]).await;
    check("/metrics", Some(&viewer), "403 Forbidden", "not among what you may do").await;
    check("/readyz", Some(&viewer), "503 Service Unavailable", "the server's log says why").await;
    let technician = bench.token_of(Role::Technician, &[]).await;
    check("/metrics", Some(&technician), "200 OK", "beltwatch_test 1").await;
    check("/readyz", Some(&technician), "503 Service Unavailable", "the disk is full").await;
    let status = bench.account().await.get_account(v1::GetAccountRequest {}).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn reflection_lists_the_services_and_gives_their_schema() {
    let bench = Bench::start().await;
    let mut client = ServerReflectionClient::new(bench.channel().await);
    let mut ask = async |message| {
        let request = ServerReflectionRequest { host: String::new(), message_request: Some(message) };
        let mut stream =
            client.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
        let ServerReflectionResponse { message_response, .. } = stream.message().await.unwrap().unwrap();
        message_response.unwrap()
    };
    let MessageResponse::ListServicesResponse(list) = ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list of services");
    };
    let names: Vec<&str> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in crate::router::SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let symbol = "beltwatch.v1.TelemetryService.ListReadings".to_owned();
    let answer = ask(MessageRequest::FileContainingSymbol(symbol)).await;
    assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
}

#[tokio::test]
async fn health_follows_readiness() {
    let bench = Bench::start().await;
    let mut client = HealthClient::new(bench.channel().await);
    let request = HealthCheckRequest { service: "beltwatch.v1.FleetService".to_owned() };
    let mut changes = client.watch(request).await.unwrap().into_inner();
    let mut expect = async |status: i32| {
        while changes.message().await.unwrap().unwrap().status != status {}
    };
    expect(1).await;
    bench.stage.ready.store(false, Ordering::SeqCst);
    expect(2).await;
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_unimplemented() {
    let bench = Bench::start().await;
    let mut client = tonic::client::Grpc::new(bench.channel().await);
    client.ready().await.unwrap();
    let codec = tonic_health_codec();
    let path = "/beltwatch.v1.NoService/Nothing".parse().unwrap();
    let status = client.unary(tonic::Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("NoService"), "{status:?}");
}

fn tonic_health_codec() -> tonic_prost::ProstCodec<(), ()> {
    tonic_prost::ProstCodec::default()
}

#[tokio::test]
async fn a_stop_ends_watches_and_then_the_server() {
    let bench = Bench::furnished().await;
    let mut fleet = bench.fleet().await;
    let mut watch = fleet.watch_fleet(v1::WatchFleetRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap().unwrap();
    bench.stopping.cancel();
    let status = watch.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    drop((watch, fleet));
    bench.server.await.unwrap().unwrap();
}
