use axum::body::{Body, to_bytes};
use tokio::net::TcpListener;
use tonic::{Code, Status};
use tower::ServiceExt;
use wire::api::v1;
use wire::api::v1::fleet_service_server::{FleetService, FleetServiceServer};

use super::*;

/// An API that has machines, but no sites today.
struct HalfAnApi;

#[tonic::async_trait]
impl FleetService for HalfAnApi {
    type WatchFleetStream = tonic::codegen::BoxStream<v1::WatchFleetResponse>;

    async fn list_sites(
        &self,
        _request: tonic::Request<v1::ListSitesRequest>,
    ) -> Result<tonic::Response<v1::ListSitesResponse>, Status> {
        Err(Status::new(Code::DataLoss, "a part of the store is damaged"))
    }

    async fn list_machines(
        &self,
        request: tonic::Request<v1::ListMachinesRequest>,
    ) -> Result<tonic::Response<v1::ListMachinesResponse>, Status> {
        let caller = request.metadata().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let machine = v1::Machine {
            id: "n-1".to_owned(),
            display_name: format!("asked by {}", caller.unwrap_or_default()),
            ..v1::Machine::default()
        };
        let state = v1::MachineState { machine: Some(machine), ..v1::MachineState::default() };
        let answer = v1::ListMachinesResponse { machines: vec![state], next_page_token: String::new() };
        Ok(tonic::Response::new(answer))
    }

    async fn get_machine(
        &self,
        _request: tonic::Request<v1::GetMachineRequest>,
    ) -> Result<tonic::Response<v1::GetMachineResponse>, Status> {
        Err(Status::unimplemented("not asked by the page"))
    }

    async fn watch_fleet(
        &self,
        _request: tonic::Request<v1::WatchFleetRequest>,
    ) -> Result<tonic::Response<Self::WatchFleetStream>, Status> {
        Err(Status::unimplemented("not asked by the page"))
    }
}

/// Pages of an API that answers half, or of none.
async fn pages(api: bool) -> Router {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    if api {
        let routes = tonic::service::Routes::new(FleetServiceServer::new(HalfAnApi)).into_axum_router();
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    router(Dashboard::new(format!("http://{address}").parse().unwrap()))
}

async fn get_page(
    pages: Router,
    path: &str,
    peer: &str,
    token: Option<&str>,
) -> (StatusCode, String, Response<()>) {
    let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
    if !peer.is_empty() {
        request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
    }
    if let Some(token) = token {
        request.headers_mut().insert(header::AUTHORIZATION, token.parse().unwrap());
    }
    let (parts, body) = pages.oneshot(request).await.unwrap().into_parts();
    let text = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().to_vec()).unwrap();
    (parts.status, text, Response::from_parts(parts, ()))
}

type Response<T> = axum::http::Response<T>;

const HERE: &str = "127.0.0.1:5000";
const ELSEWHERE: &str = "192.0.2.7:5000";

#[tokio::test]
async fn half_an_answer_is_shown_with_what_is_missing() {
    let (status, text, response) = get_page(pages(true).await, "/", HERE, None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("n-1") && text.contains("a part of the store is damaged"), "{text}");
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe") && !policy.contains("script")
    );
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert!(text.contains("http-equiv=\"refresh\" content=\"2\""), "{text}");
}

#[tokio::test]
async fn without_an_api_the_page_says_so() {
    let (status, text, _) = get_page(pages(false).await, "/", HERE, None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(text.contains("Sites cannot be shown") && text.contains("Machines cannot be shown"), "{text}");
}

#[tokio::test]
async fn from_elsewhere_a_token_is_needed_and_passed_on() {
    for peer in [ELSEWHERE, ""] {
        let (status, text, _) = get_page(pages(true).await, "/", peer, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(!text.contains("n-1"), "{text}");
    }
    let (status, text, _) = get_page(pages(true).await, "/", ELSEWHERE, Some("Bearer bw1_x")).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("asked by Bearer bw1_x"), "{text}");
}

#[tokio::test]
async fn the_style_sheet_and_the_icon_are_there() {
    for (path, content_type) in [("/style.css", "text/css; charset=utf-8"), ("/icon.svg", "image/svg+xml")] {
        let (status, text, response) = get_page(pages(false).await, path, ELSEWHERE, None).await;
        assert_eq!(
            (status, response.headers()[header::CONTENT_TYPE].to_str().unwrap()),
            (StatusCode::OK, content_type)
        );
        assert!(!text.is_empty());
    }
}
