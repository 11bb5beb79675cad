mod administration;
mod course;
mod course_change;
mod drill;
mod enrolment;
mod fake;
mod handling;
mod incidents;
mod notification;
mod settings;
mod today;
mod usage;
mod usage_reverse;

use fake::{Answer, Browser, Fake, PASSWORD, SCRIPT, SESSION, SESSION_GERMAN, SESSION_VIEWER};

const PAGES: [&str; 6] =
    ["/", "/floor/north", "/floor/north/arrange", "/machine/n-1", "/machine/n-1/readings", "/account"];

fn token() -> String {
    crate::form::token(SESSION).to_string()
}

fn anna() -> Browser {
    Browser::new(Some(SESSION))
}

#[tokio::test]
async fn without_a_good_session_every_page_leads_to_signing_in_and_back() {
    for session in [None, Some("bws1_ended")] {
        for page in PAGES {
            let answer = Browser::new(session).get(page).await;
            assert_eq!(answer.status, 303, "{page}");
            let next: String = url::form_urlencoded::byte_serialize(page.as_bytes()).collect();
            let to = if page == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={next}") };
            assert_eq!(answer.header("location"), to);
            assert!(!answer.text.contains("Treadmill"));
        }
    }
}

#[tokio::test]
async fn signing_in_goes_on_only_to_paths_of_this_site() {
    let sign_in = async |next: &str| -> Answer {
        let fields = [("user_name", "anna"), ("password", PASSWORD), ("next", next)];
        Browser::new(None).post("/sign-in", &fields).await
    };
    for next in ["/floor/north", "/machine/n-1?a=1"] {
        assert_eq!(sign_in(next).await.header("location"), next);
    }
    let foreign = ["", "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example"];
    for next in foreign.into_iter().chain(["/\t/evil.example", "javascript:alert(1)", "floor", "/ä", "/a b"])
    {
        let answer = sign_in(next).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"), "{next}");
    }
    let shown = Browser::new(None).get("/sign-in?next=//evil.example").await;
    assert!(!shown.text.contains("evil"));
}

#[tokio::test]
async fn the_cookie_cannot_be_read_by_scripts_or_sent_by_other_sites() {
    let fields = [("user_name", "anna"), ("password", PASSWORD)];
    // Whatever session the browser had before, it gets the one that the API made.
    let answer = Browser::new(Some("bws1_planted")).post("/sign-in", &fields).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("beltwatch_session=bws1_anna; Path=/; Max-Age="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict"), "{cookie}");
    let secure = Browser::new(None).secure().with("origin", "https://gym.example");
    let cookie = secure.post("/sign-in", &fields).await.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-beltwatch_session=bws1_anna; Path=/; "), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
}

#[tokio::test]
async fn a_wrong_password_brings_the_form_back_without_it() {
    let fields = [("user_name", "anna"), ("password", "no such password"), ("next", "/account")];
    let answer = Browser::new(None).post("/sign-in", &fields).await;
    assert_eq!(answer.status, 401);
    assert!(answer.text.contains("Name and password do not fit."));
    assert!(answer.text.contains("value=\"anna\"") && answer.text.contains("value=\"/account\""));
    assert!(!answer.text.contains("no such password"));
    assert_eq!(answer.header("set-cookie"), "");
    let empty = Browser::new(None).post("/sign-in", &[("user_name", "anna")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text.contains("aria-describedby=\"password-error\""));
    let busy = [("user_name", "busy"), ("password", "x")];
    let busy = Browser::new(None).post("/sign-in", &busy).await;
    assert_eq!(busy.status, 429);
    assert!(busy.text.contains("Try again in 7 s."));
}

#[tokio::test]
async fn a_form_that_no_page_of_this_session_sent_is_refused() {
    let preferences = async |browser: Browser, token: &str| {
        let fields = [("token", token), ("language", "de"), ("speed_unit", "mph")];
        browser.post("/account/preferences", &fields).await.status
    };
    let (good, other) = (token(), crate::form::token(SESSION_GERMAN).to_string());
    assert_eq!(preferences(anna(), &good).await, 303);
    for wrong in ["", "0", &other, &good[1..], &good.to_uppercase()] {
        assert_eq!(preferences(anna(), wrong).await, 403, "{wrong}");
    }
    assert_eq!(preferences(anna().with("sec-fetch-site", "same-origin"), &good).await, 303);
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("origin", "http://evil.example"),
        ("origin", "http://gym.example:81"),
        ("origin", "null"),
        ("x-none", "neither origin nor fetch site"),
    ] {
        assert_eq!(preferences(anna().with(name, value), &good).await, 403, "{name}: {value}");
    }
    // Where TLS is on, a page without it is another site.
    assert_eq!(preferences(anna().secure().with("origin", "http://gym.example"), &good).await, 403);
    assert_eq!(preferences(Browser::new(None), &good).await, 303, "a stranger is sent to sign in");
}

#[tokio::test]
async fn signing_in_from_another_site_is_refused() {
    let fields = [("user_name", "anna"), ("password", PASSWORD)];
    for path in ["/sign-in", "/link/password"] {
        let browser = Browser::new(None).with("sec-fetch-site", "cross-site");
        let answer = browser.post(path, &fields).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, ""), "{path}");
    }
}

#[tokio::test]
async fn script_in_names_stays_text() {
    for page in ["/", "/floor/north", "/floor/south", "/floor/north/arrange", "/machine/n-1", "/account"] {
        let answer = anna().get(page).await;
        assert!(answer.text.contains("alert("), "{page} shows the name");
        assert!(!answer.text.contains(SCRIPT), "{page}");
        // Every script is a file of ours.
        assert_eq!(
            answer.text.matches("<script").count(),
            answer.text.matches("<script src=\"/assets/").count()
        );
        assert!(!answer.text.contains("style=\""), "{page}");
        assert!(!answer.text.contains("://"), "{page} names another host");
    }
}

#[tokio::test]
async fn every_answer_carries_the_policy() {
    for page in PAGES.iter().chain(&["/sign-in", "/link/first"]) {
        let answer = anna().get(page).await;
        let policy = answer.header("content-security-policy").to_owned();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{page}");
        assert!(!policy.contains("unsafe"), "{page}");
        assert_eq!(answer.header("cache-control"), "no-store", "{page}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{page}");
    }
}

#[tokio::test]
async fn the_floor_says_first_who_is_needed() {
    let page = anna().get("/floor/north").await;
    assert_eq!(page.status, 200);
    let (_, floor) = page.text.split_once("needs-title").unwrap();
    let (needs, machines) = floor.split_once("machines-title").unwrap();
    assert!(needs.contains("Safety key pulled") && needs.contains("data-stop-time=\"1800000000.123456789\""));
    assert!(needs.contains("Stopped by safety key at 7.2\u{a0}km/h, "));
    assert!(needs.contains("I have seen to it"));
    assert!(!needs.contains("alert("), "the other machine needs nobody");
    assert!(
        machines.contains("class=\"tile key-pulled") && machines.contains("class=\"tile reverse d-reverse")
    );
    let viewer = Browser::new(Some(SESSION_VIEWER)).get("/floor/north").await;
    assert!(viewer.text.contains("Safety key pulled"));
    assert!(!viewer.text.contains("I have seen to it") && !viewer.text.contains("/arrange"));
}

#[tokio::test]
async fn a_stop_is_acknowledged_with_the_time_that_was_shown() {
    let seen = async |browser: Browser, time: &str| {
        let token = token();
        let fields = [("token", token.as_str()), ("machine", "n-2"), ("stop_time", time)];
        let answer = browser.post("/floor/north/seen", &fields).await;
        (answer.status, answer.header("location").to_owned())
    };
    let shown = "1800000000.123456789";
    assert_eq!(seen(anna(), shown).await, (303, "/floor/north".to_owned()));
    let scripted = || anna().with("origin", "http://gym.example").with("accept", "application/json");
    assert_eq!(seen(scripted(), shown).await.0, 204);
    assert_eq!(seen(scripted(), "1800000000.000000001").await.0, 422);
    for nonsense in ["", "1800000000", "-1.000000000", "1e3.000000000", "1.5"] {
        assert_eq!(seen(anna(), nonsense).await.0, 403, "{nonsense}");
    }
    let fields = [("token", crate::form::token(SESSION_VIEWER).to_string())];
    let fields = [("token", fields[0].1.as_str()), ("machine", "n-2"), ("stop_time", shown)];
    let viewer = Browser::new(Some(SESSION_VIEWER)).post("/floor/north/seen", &fields).await;
    assert_eq!(viewer.status, 403);
}

#[tokio::test]
async fn german_and_miles_are_spoken_to_whoever_prefers_them() {
    let page = Browser::new(Some(SESSION_GERMAN)).get("/floor/north").await;
    assert!(page.text.contains("<html lang=\"de\">"));
    assert!(page.text.contains("Gestoppt durch Sicherheitsschlüssel bei 4,5\u{a0}mph, vor "));
    let asked = Browser::new(None).with("accept-language", "fr, de-AT;q=0.9, en;q=0.8");
    assert!(asked.get("/sign-in").await.text.contains("Anmelden"));
    assert!(Browser::new(None).get("/sign-in").await.text.contains("<html lang=\"en\">"));
}

#[tokio::test]
async fn a_part_that_cannot_be_had_is_named_with_its_reason() {
    let page = anna().of(Fake { sites_out: true, ..Fake::default() }).get("/floor/north").await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("Sites cannot be shown now."));
    assert!(page.text.contains("Not available since "));
    assert!(page.text.contains("Treadmill 2"), "the other part is shown");
    let machine = anna().get("/machine/n-1").await;
    assert_eq!(machine.status, 200);
    assert!(
        machine.text.contains("Events cannot be shown now.") && machine.text.contains("Not available since ")
    );
}

#[tokio::test]
async fn a_chain_of_one_site_is_its_floor() {
    let answer = anna().of(Fake { one_site: true, ..Fake::default() }).get("/").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/floor/north"));
    assert_eq!(anna().get("/").await.status, 200);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for page in ["/floor/nowhere", "/machine/none", "/link/none"] {
        assert_eq!(anna().get(page).await.status, 404, "{page}");
    }
    assert_eq!(Browser::new(Some(SESSION_VIEWER)).get("/floor/north/arrange").await.status, 403);
}

#[tokio::test]
async fn only_the_link_of_a_demo_signs_in_when_looked_at() {
    let demo = Browser::new(None).get("/link/demo").await;
    assert_eq!((demo.status, demo.header("location")), (303, "/"));
    assert!(demo.header("set-cookie").contains("bws1_anna"));
    for code in ["first", "password"] {
        let page = Browser::new(None).get(&format!("/link/{code}")).await;
        assert_eq!((page.status, page.header("set-cookie")), (200, ""), "{code}");
    }
    let use_link = async |again: &'static str, name: &'static str| {
        let fields = [("user_name", name), ("password", PASSWORD), ("again", again)];
        Browser::new(None).post("/link/first", &fields).await
    };
    assert_eq!(use_link(PASSWORD, "anna").await.status, 303);
    let differs = use_link("something else", "anna").await;
    assert_eq!(differs.status, 422);
    assert!(differs.text.contains("The two passwords differ.") && differs.text.contains("value=\"anna\""));
    assert!(!differs.text.contains(PASSWORD));
    assert!(use_link(PASSWORD, "An na").await.text.contains("id=\"user_name-error\""));
}

#[tokio::test]
async fn a_password_changes_only_with_the_old_one() {
    let change = async |old: &str, new: &str| {
        let token = token();
        let fields = [("token", token.as_str()), ("old_password", old), ("password", new), ("again", new)];
        anna().post("/account/password", &fields).await
    };
    assert_eq!(change(PASSWORD, "a new long password").await.status, 303);
    let wrong = change("something else", "a new long password").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("id=\"old_password-error\""));
    assert!(change(PASSWORD, "short").await.text.contains("id=\"password-error\""));
}

#[tokio::test]
async fn signing_out_forgets_the_cookie() {
    let token = token();
    let answer = anna().post("/sign-out", &[("token", token.as_str())]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"));
    assert!(answer.header("set-cookie").starts_with("beltwatch_session=; Path=/; Max-Age=0;"));
}

#[tokio::test]
async fn a_stream_begins_with_all_and_ends_with_the_session() {
    let answer = anna().get("/live?site=north&page=/floor/north").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream"));
    let (tiles, end) = answer.text.split_once("\n\n").unwrap();
    assert!(tiles.starts_with("event: tiles\ndata: {\"now\":"));
    assert!(tiles.contains("\"begins\":true,\"completes\":true") && tiles.contains("\"pages\":1"));
    assert!(tiles.contains("\"stop\":\"1800000000.123456789\""));
    assert_eq!(end, "event: signed-out\ndata: \"/sign-in?next=%2Ffloor%2Fnorth\"\n\n");
    let stranger = Browser::new(None).get("/live?site=north&page=//evil.example").await;
    assert_eq!(stranger.text, "event: signed-out\ndata: \"/sign-in\"\n\n");
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_packed_for_those_who_unpack() {
    let page = Browser::new(None).get("/sign-in").await;
    let style = page.text.split("href=\"").find(|part| part.contains("style.css")).unwrap();
    let style = style.split('"').next().unwrap();
    let plain = Browser::new(None).get(style).await;
    assert_eq!((plain.status, plain.header("content-type")), (200, "text/css; charset=utf-8"));
    assert!(plain.header("cache-control").contains("immutable"));
    let packed = Browser::new(None).with("accept-encoding", "gzip, zstd").get(style).await;
    assert_eq!(packed.header("content-encoding"), "zstd");
    assert!(packed.text.len() < plain.text.len());
    assert_eq!(Browser::new(None).get("/assets/0123456789abcdef/style.css").await.status, 404);
}
