//! Who may see and do what on the pages: every role of one site, there and elsewhere, on the real server.

use std::net::SocketAddr;

use anyhow::Context;
use harness::service::Service;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::api::v1;

const ROLES: [v1::Role; 7] = [
    v1::Role::Viewer,
    v1::Role::Staff,
    v1::Role::Therapist,
    v1::Role::Manager,
    v1::Role::Technician,
    v1::Role::Auditor,
    v1::Role::Administrator,
];

/// Pages, and the answer to a viewer, staff, therapist, manager, technician, auditor and administrator of the site
/// `north`. Elsewhere there is nothing for anybody.
const PAGES: [(&str, [u16; 7]); 14] = [
    ("GET /floor/north", [200; 7]),
    ("GET /floor/south", [404; 7]),
    ("GET /machine/north-1", [200; 7]),
    ("GET /machine/south-1", [404; 7]),
    ("GET /floor/north/arrange", [403, 200, 403, 200, 200, 403, 200]),
    ("GET /floor/south/arrange", [403; 7]),
    ("GET /account", [200; 7]),
    ("GET /administration/machines", [403, 403, 403, 403, 200, 403, 200]),
    ("GET /administration/users", [403, 403, 403, 403, 403, 403, 200]),
    ("GET /administration/tokens", [403, 403, 403, 403, 403, 403, 200]),
    ("GET /administration/contacts", [403, 403, 403, 200, 403, 403, 200]),
    ("GET /administration/audit", [403, 403, 403, 403, 403, 200, 200]),
    (
        "POST /floor/north/seen machine=north-1&stop_time=1000000000.000000000",
        [403, 303, 303, 303, 303, 403, 303],
    ),
    (
        "POST /floor/north/seen machine=south-1&stop_time=1000000000.000000000",
        [403, 404, 404, 404, 404, 403, 404],
    ),
];

/// One request without a library between: what a browser, or somebody else, would send.
async fn ask(
    address: SocketAddr,
    request: &str,
    cookie: &str,
    token: &str,
    origin: &str,
) -> anyhow::Result<(u16, String)> {
    let mut parts = request.splitn(3, ' ');
    let (method, path) = parts.next().zip(parts.next()).context("a method and a path")?;
    let body = parts.next().map(|fields| format!("{fields}&token={token}")).unwrap_or_default();
    let text = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\norigin: {origin}\r\ncookie: beltwatch_session={cookie}\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(text.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status")?;
    Ok((status, answer))
}

/// The token that forms of a page carry.
fn form_token(page: &str) -> String {
    let after = page.split("name=\"token\" value=\"").nth(1).unwrap_or_default();
    after.split('"').next().unwrap_or_default().to_owned()
}

async fn service() -> anyhow::Result<Service> {
    let service = Service::start().await?;
    let mut admin = service.admin().await?;
    let south = v1::CreateSiteRequest { site_id: "south".to_owned(), ..Default::default() };
    admin.create_site(south).await?;
    for (site, machine) in [("north", "north-1"), ("south", "south-1")] {
        let request = v1::CreateMachineRequest {
            machine_id: machine.to_owned(),
            site_id: site.to_owned(),
            display_name: "<script>alert(1)</script>".to_owned(),
            ..Default::default()
        };
        admin.create_machine(request).await?;
    }
    Ok(service)
}

/// Makes a user with a role at `north` and signs them in; the session.
async fn session(service: &Service, role: v1::Role) -> anyhow::Result<String> {
    let name = role.as_str_name().to_lowercase();
    let far = prost_types::Timestamp { seconds: 4_102_444_800, nanos: 0 };
    let request = v1::CreateUserRequest {
        name,
        grants: vec![v1::Grant { role: role.into(), site_ids: vec!["north".to_owned()] }],
        expire_time: (role == v1::Role::Auditor).then_some(far),
        ..Default::default()
    };
    let link = service.admin().await?.create_user(request).await?.into_inner().link_path;
    let code = link.strip_prefix("/link/").context("a link")?.to_owned();
    let request = v1::RedeemLinkRequest { code, password: "correct horse".to_owned(), ..Default::default() };
    Ok(service.account().await?.redeem_link(request).await?.into_inner().session)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_one_site_sees_and_does_on_pages_what_it_may_there() -> anyhow::Result<()> {
    let mut service = service().await?;
    let address = service.server().api_address();
    let own = format!("http://{address}");
    for (column, role) in ROLES.into_iter().enumerate() {
        let session = session(&service, role).await?;
        let (_, floor) = ask(address, "GET /floor/north", &session, "", &own).await?;
        anyhow::ensure!(!floor.contains("<script>alert"), "a name became script for {role:?}");
        let token = form_token(&floor);
        for (request, expected) in PAGES {
            let (status, _) = ask(address, request, &session, &token, &own).await?;
            assert_eq!(status, expected[column], "{request} by {role:?}");
        }
        // The same form, sent by another site's page, or without what only our pages know.
        let form = "POST /floor/north/seen machine=north-1&stop_time=1000000000.000000000";
        for (origin, token) in [("http://evil.example", token.as_str()), (&own, ""), (&own, "0000")] {
            let (status, _) = ask(address, form, &session, token, origin).await?;
            assert_eq!(status, 403, "{form} from {origin} with \"{token}\"");
        }
        let mut path = "GET /".to_owned();
        path.push_str(if column % 2 == 0 { "floor/north" } else { "machine/north-1" });
        let (status, _) = ask(address, &path, "bws1_0000", "", &own).await?;
        assert_eq!(status, 303, "a session that never was leads to the sign-in page");
    }
    service.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_ended_opens_no_page() -> anyhow::Result<()> {
    let mut service = service().await?;
    let address = service.server().api_address();
    let own = format!("http://{address}");
    let session = session(&service, v1::Role::Staff).await?;
    let (status, floor) = ask(address, "GET /floor/north", &session, "", &own).await?;
    assert_eq!(status, 200);
    let token = form_token(&floor);
    let (status, _) = ask(address, "POST /sign-out everywhere=", &session, &token, &own).await?;
    assert_eq!(status, 303);
    for page in ["GET /floor/north", "GET /account"] {
        let (status, answer) = ask(address, page, &session, "", &own).await?;
        anyhow::ensure!(status == 303 && !answer.contains("north-1"), "{page}: {answer}");
    }
    let (_, answer) = ask(address, "GET /live?site=north&page=1", &session, "", &own).await?;
    anyhow::ensure!(answer.contains("event: signed-out") && !answer.contains("north-1"), "{answer}");
    service.stop().await
}
