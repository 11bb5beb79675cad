//! What must not work: script in names, another site that acts in the person's name, a session given by somebody else,
//! and an address after signing in that leads away.

use anyhow::{Context, ensure};
use domain::belt::{Contact, Direction};
use serde_json::{Value, json};
use wire::api::v1::{GetIncidentRequest, ListDrillsRequest, NoteIncidentsRequest};

use super::belt::{Act, Belt, Edges};
use super::driver::{Browser, check_console};
use super::exchange::{ForeignSite, check_refused, send};
use super::floor::Floor;
use super::incidents;
use crate::report;

const NAMES: [&str; 3] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{7*7}}</title></textarea><svg onload=alert(1)>",
];
/// Field of our forms that only our own pages know.
const TOKEN: &str = "token";
/// Pages on which names are shown.
const PAGES: [&str; 8] = [
    "/",
    "/floor/north",
    "/machine/north-01",
    "/machine/north-02",
    "/machine/north-01/drill",
    "/machine/north-01/tag",
    "/incidents",
    "/proofs",
];
/// Pages whose forms another site sends.
const FORMS: [&str; 4] =
    ["/floor/north", "/incidents", "/machine/north-01/drill", "/administration/policies/@all"];
/// Where somebody may want a person to end up.
const AWAY: [&str; 8] = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "%2F%2Fevil.example",
    "javascript:alert(1)",
    "/..//evil.example",
];

/// Where forms go, and their fields.
type Forms = Vec<(String, Vec<(String, String)>)>;

pub(super) async fn run(browser: &Browser) -> anyhow::Result<()> {
    let mut floor = Floor::start().await?;
    let outcome = attack(browser, &mut floor).await;
    floor.stop().await?;
    outcome
}

async fn attack(browser: &Browser, floor: &mut Floor) -> anyhow::Result<()> {
    floor.add_site("north", NAMES[0]).await?;
    let acts =
        [Act::runs(Direction::Forward, 1_800, 3_000), Act::stands(1_000).with_open(Contact::EmergencyStop)];
    let edges = Edges::default();
    for (number, name) in NAMES.iter().enumerate() {
        let id = format!("north-{:02}", number + 1);
        let credential = floor.add_machine("north", &id, name).await?;
        floor.play(credential, Belt::new(&id, &acts, 1, 0, &edges)).await?;
    }
    floor
        .wait_for("all belts are stopped", |states| states.iter().all(|state| state.last_stop.is_some()))
        .await?;
    fixation(browser, floor).await?;
    incidents::wait_for(floor, NAMES.len()).await?;
    let incident = incidents::list(floor).await?.remove(0).id;
    names(browser, floor, &incident).await?;
    forgery(browser, floor, &incident).await?;
    forged_requests(browser, floor).await?;
    away(browser, floor).await
}

/// Script in names and notes is text.
async fn names(browser: &Browser, floor: &Floor, incident: &str) -> anyhow::Result<()> {
    for name in NAMES {
        let request = NoteIncidentsRequest {
            incident_ids: vec![incident.to_owned()],
            note: format!("written: {name}"),
            ..NoteIncidentsRequest::default()
        };
        floor.handling().await?.note_incidents(request).await.context("a note")?;
    }
    let mut shown = String::new();
    let mut pages = PAGES.map(str::to_owned).to_vec();
    pages.extend([format!("/incident/{incident}"), format!("/incident/{incident}/print")]);
    for page in &pages {
        browser.open(&floor.url(page)).await?;
        ensure!(!browser.has_dialog().await, "{page}: a name was run");
        check_console(&browser.console().await?, page)?;
        let strange = browser
            .run(
                "return document.querySelectorAll('[onerror], [onload], script:not([src])').length",
                Vec::new(),
            )
            .await?;
        ensure!(strange == 0, "{page}: {strange} elements come from a name");
        let text = browser.run("return document.body.textContent", Vec::new()).await?;
        shown.push_str(text.as_str().unwrap_or_default());
    }
    for name in NAMES {
        ensure!(shown.contains(name), "{name} is not shown as text");
        ensure!(shown.contains(&format!("written: {name}")), "{name} is not shown as the text of a note");
    }
    report("hostile: names and notes with script in them are text on every page");
    Ok(())
}

/// A session that somebody else put into the browser is replaced by signing in.
async fn fixation(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    floor.sign_in(browser).await?;
    let session = session_cookie(browser).await?;
    let (name, first) = (session["name"].clone(), session["value"].clone());
    ensure!(session["httpOnly"] == true, "script can read the session: {session}");
    ensure!(
        session["sameSite"] == "Lax" || session["sameSite"] == "Strict",
        "other sites send it: {session}"
    );
    browser.command("Network.clearBrowserCookies", json!({})).await?;
    for planted in ["planted", first.as_str().context("a cookie has a value")?] {
        let cookie =
            json!({ "name": name, "value": planted, "url": floor.url("/"), "path": "/", "httpOnly": true });
        browser.command("Network.setCookie", cookie).await?;
        if planted == "planted" {
            browser.open(&floor.url("/")).await?;
            ensure!(browser.address().await?.path() == "/sign-in", "a session that nobody made is good");
        }
        floor.sign_in_again(browser).await?;
        let second = session_cookie(browser).await?["value"].clone();
        ensure!(second != planted, "the session that was there before signing in goes on");
    }
    report("hostile: a session that was planted before signing in is replaced");
    Ok(())
}

async fn session_cookie(browser: &Browser) -> anyhow::Result<Value> {
    let cookies = browser.command("Network.getCookies", json!({})).await?["cookies"].take();
    let cookies = cookies.as_array().cloned().unwrap_or_default();
    let session = cookies
        .into_iter()
        .find(|cookie| cookie["value"].as_str().is_some_and(|value| value.starts_with("bws1_")));
    session.context("signing in leaves no session in a cookie")
}

/// Another site, open in the same browser, sends forms of ours in the person's name.
async fn forgery(browser: &Browser, floor: &Floor, incident: &str) -> anyhow::Result<()> {
    let before = dealt(floor, incident).await?;
    let mut forms = Forms::new();
    for page in FORMS.map(str::to_owned).into_iter().chain([format!("/incident/{incident}")]) {
        browser.open(&floor.url(&page)).await?;
        let found = browser.run(include_str!("scripts/forms.js"), Vec::new()).await?;
        forms.extend(serde_json::from_value::<Forms>(found)?);
    }
    forms.sort();
    forms.dedup();
    for wanted in ["/sign-out", "/seen", "/incidents/step", &format!("/{incident}/step"), "/drill", "/chain"]
    {
        ensure!(
            forms.iter().any(|(action, _)| action.contains(wanted)),
            "no page has a form to {wanted}: {forms:?}"
        );
    }
    for (action, fields) in &forms {
        let fields: String = fields
            .iter()
            // What a page of somebody else cannot know it cannot send.
            .filter(|(name, _)| name != TOKEN)
            .map(|(name, value)| format!("<input name='{name}' value='{value}'>"))
            .collect();
        let page = format!(
            "<!doctype html><title>evil</title><form method=post action='{}'>{fields}</form>\
             <script>document.forms[0].submit()</script>",
            floor.url(action)
        );
        let site = ForeignSite::start(page).await?;
        browser.open(&site.url()).await?;
        browser
            .wait_until("location.pathname !== '/' || !document.forms[0] || document.title !== 'evil'")
            .await?;
    }
    browser.open(&floor.url("/floor/north")).await?;
    ensure!(
        browser.address().await?.path() == "/floor/north",
        "a form of another site signed the person out"
    );
    let states = floor.states().await?;
    let stops = states.iter().filter_map(|state| state.last_stop.as_ref());
    ensure!(stops.clone().count() == NAMES.len(), "every machine has a stop");
    ensure!(
        stops.clone().all(|stop| stop.acknowledged_by.is_empty()),
        "a form of another site said that a stop was seen to"
    );
    ensure!(
        dealt(floor, incident).await? == before,
        "a form of another site did something about an incident"
    );
    let drills = floor.drills().await?.list_drills(ListDrillsRequest::default()).await?.into_inner().drills;
    ensure!(drills.is_empty(), "a form of another site began a proof test");
    browser.console().await?;
    report(&format!("hostile: {} forms sent by another site changed nothing", forms.len()));
    Ok(())
}

/// How far people are with an incident. That the server seals it is not theirs.
async fn dealt(floor: &Floor, incident: &str) -> anyhow::Result<(i32, u32, String)> {
    let request = GetIncidentRequest { incident_id: incident.to_owned() };
    let found = floor.incidents().await?.get_incident(request).await?.into_inner().incident;
    let handling = found.and_then(|found| found.handling).context("how far people are")?;
    Ok((handling.state, handling.note_count, handling.assignee))
}

/// The same without a browser: a good session, and requests that come from elsewhere or carry a forged token. In the
/// end the right one, so that the others are known to be refused for what they lack.
async fn forged_requests(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    let session = session_cookie(browser).await?;
    let text = |key: &str| session[key].as_str().unwrap_or_default().to_owned();
    let cookie = format!("{}={}", text("name"), text("value"));
    let server = floor.server()?.api_address();
    browser.open(&floor.url("/floor/north")).await?;
    let forms: Forms =
        serde_json::from_value(browser.run(include_str!("scripts/forms.js"), Vec::new()).await?)?;
    let token = forms.iter().flat_map(|(_, fields)| fields).find(|(name, _)| name == TOKEN);
    let token = &token.context("the forms carry no token")?.1;
    let own = format!("http://{server}");
    let (right, none) = (format!("{TOKEN}={token}"), String::new());
    let turned: String = token.chars().rev().collect();
    let forged = format!("{TOKEN}={turned}");
    let here: &[(&str, &str)] = &[("origin", &own), ("sec-fetch-site", "same-origin")];
    type Headers<'a> = &'a [(&'a str, &'a str)];
    let cases: [(&str, Headers<'_>, &str); 6] = [
        ("another site", &[("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")], &right),
        ("another port", &[("origin", "http://127.0.0.1:1"), ("sec-fetch-site", "same-site")], &right),
        ("an origin that is hidden", &[("origin", "null")], &right),
        ("no word on where it comes from", &[], &right),
        ("no token", here, &none),
        ("a forged token", here, &forged),
    ];
    let form = ("content-type", "application/x-www-form-urlencoded");
    let sign_out = async |headers: &[(&str, &str)], body: &str| {
        let headers: Vec<(&str, &str)> =
            headers.iter().copied().chain([form, ("cookie", cookie.as_str())]).collect();
        send(server, "POST", "/sign-out", &headers, body).await
    };
    for (what, headers, body) in cases {
        check_refused(&sign_out(headers, body).await?, &format!("signing out, {what}"))?;
    }
    let front = async || send(server, "GET", "/account", &[("cookie", cookie.as_str())], "").await;
    let answer = front().await?;
    ensure!(answer.status == 200, "the session ended: {} {}", answer.status, answer.body);
    let policy = answer.header("content-security-policy").join(" ");
    ensure!(
        policy.contains("default-src 'none'") || policy.contains("default-src 'self'"),
        "policy: {policy}"
    );
    ensure!(!policy.contains("unsafe-inline") && !policy.contains("unsafe-eval"), "policy: {policy}");
    ensure!(policy.contains("frame-ancestors 'none'"), "other sites may frame the pages: {policy}");
    let answer = sign_out(here, &right).await?;
    ensure!((300..400).contains(&answer.status), "signing out is refused to its own page: {}", answer.status);
    let answer = front().await?;
    ensure!((300..400).contains(&answer.status), "the session is good after signing out: {}", answer.status);
    report("hostile: 6 forged requests are refused, the right one is not; the policy lets no script in");
    Ok(())
}

/// After signing in a person is here.
async fn away(browser: &Browser, floor: &Floor) -> anyhow::Result<()> {
    let here = browser.address().await?.origin();
    for next in AWAY {
        let encoded: String = next.bytes().map(|octet| format!("%{octet:02X}")).collect();
        for query in [encoded, next.replace(['\\', ' '], "%5C")] {
            browser.command("Network.clearBrowserCookies", json!({})).await?;
            Floor::sign_in_at(browser, &floor.url(&format!("/sign-in?next={query}"))).await?;
            let address = browser.address().await?;
            ensure!(address.origin() == here, "signing in with next={query} leads to {address}");
            ensure!(!browser.has_dialog().await, "signing in with next={query} runs script");
        }
    }
    report(&format!("hostile: {} addresses that lead away lead nowhere", AWAY.len()));
    Ok(())
}
