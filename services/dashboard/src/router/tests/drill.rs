//! Proof tests, what is due, stops, and machines out of service.

use super::fake::admin::{ADMIN, ADMIN_GERMAN, ADMIN_SOUTH, Admin};
use super::fake::drill::{Drills, NUMBER, Test};
use super::fake::{Answer, Browser, SCRIPT, SESSION_VIEWER};

const PAGES: [&str; 6] = [
    "/machine/n-1/drill",
    "/machine/n-1/drill/now",
    "/machine/n-1/drill/42",
    "/machine/n-1/tag",
    "/machine/n-1/stops",
    "/proofs",
];

fn seeing(session: &'static str, test: Test) -> Browser {
    Browser::new(Some(session)).drilling(&Drills::with(test))
}

async fn send(drills: &Drills, session: &'static str, path: &str, fields: &[(&str, &str)]) -> Answer {
    let token = crate::form::token(session).to_string();
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    Browser::new(Some(session)).drilling(drills).post(path, &all).await
}

#[tokio::test]
async fn script_in_names_stays_text() {
    for page in PAGES.iter().chain(&["/machine/n-1", "/machine/n-1/service"]) {
        let answer = seeing(ADMIN, Test::Ended).get(page).await;
        assert_eq!(answer.status, 200, "{page}");
        assert!(!answer.text.contains(SCRIPT) && !answer.text.contains("style=\""), "{page}");
        let own = answer.text.matches("<script src=\"/assets/").count();
        assert_eq!(answer.text.matches("<script").count(), own, "{page}");
    }
    for page in ["/machine/n-1/drill", "/machine/n-1/drill/42", "/machine/n-1/tag"] {
        assert!(seeing(ADMIN, Test::Ended).get(page).await.text.contains("alert("), "{page}");
    }
}

#[tokio::test]
async fn who_may_not_see_the_history_sees_no_test() {
    for page in PAGES.iter().filter(|page| !page.ends_with("stops")) {
        let answer = seeing(SESSION_VIEWER, Test::Runs).get(page).await;
        assert_eq!(answer.status, 403, "{page}");
    }
    let machine = seeing(SESSION_VIEWER, Test::Runs).get("/machine/n-1").await;
    assert_eq!(machine.status, 200);
    assert!(!machine.text.contains("Proof test until") && !machine.text.contains("class=\"qr\""));
    assert!(!machine.text.contains("href=\"/proofs\""), "it is no part of their navigation");
    assert!(!machine.text.contains("/machine/n-1/service\""), "they may not tag");
}

#[tokio::test]
async fn what_a_test_is_stands_before_it_begins() {
    let page = seeing(ADMIN, Test::None).get("/machine/n-1/drill").await;
    assert!(page.text.contains("This machine can prove: Emergency stop."), "{}", page.text);
    assert!(page.text.contains("Not measurable on this machine: Safety key."));
    assert!(page.text.contains("Nobody stands on the belt") && page.text.contains("3.0\u{a0}km/h"));
    assert!(page.text.contains("Begin the proof test") && page.text.contains("There was none."));
    let south = seeing(ADMIN_SOUTH, Test::None).get("/machine/n-1/drill").await;
    assert_eq!(south.status, 403, "the machine stands at the other site");
    let german = seeing(ADMIN_GERMAN, Test::None).get("/machine/n-1/drill").await;
    assert!(german.text.contains("Prüfung beginnen") && german.text.contains("1,9\u{a0}mph"));
    assert_eq!(seeing(ADMIN, Test::None).get("/machine/none/drill").await.status, 404);
}

#[tokio::test]
async fn a_test_begins_once_whoever_is_first() {
    let path = "/machine/n-1/drill";
    let drills = Drills::default();
    let begun = send(&drills, ADMIN, path, &[("minutes", "10")]).await;
    assert_eq!((begun.status, begun.header("location")), (303, path));
    assert!(drills.asked()[0].contains("minutes: 10"), "{:?}", drills.asked());
    for minutes in ["", "0", "16", "ten"] {
        let drills = Drills::default();
        let wrong = send(&drills, ADMIN, path, &[("minutes", minutes)]).await;
        assert_eq!((wrong.status, drills.asked().len()), (422, 0), "{minutes}");
        assert!(wrong.text.contains("id=\"minutes-error\" role=\"alert\">Choose 1 to 15 minutes."));
    }
    let second = send(&Drills::with(Test::Runs).second(), ADMIN, path, &[("minutes", "5")]).await;
    assert_eq!((second.status, second.header("location")), (303, path), "they join the one there is");
    let lost = send(&Drills::default().second(), ADMIN, path, &[("minutes", "5")]).await;
    assert_eq!(lost.status, 422);
    assert!(lost.text.contains("a proof test is under way") && lost.text.contains("value=\"5\" selected"));
    let viewer = Drills::default();
    assert_eq!(send(&viewer, SESSION_VIEWER, path, &[("minutes", "5")]).await.status, 403);
    assert_eq!(viewer.asked().len(), 0);
}

#[tokio::test]
async fn forms_are_refused_without_the_token_of_their_session() {
    let other = crate::form::token(ADMIN_GERMAN).to_string();
    for path in ["/machine/n-1/drill", "/machine/n-1/drill/42/end", "/machine/n-1/service"] {
        for token in ["", other.as_str()] {
            let (drills, admin) = (Drills::with(Test::Runs), Admin::default());
            let browser = Browser::new(Some(ADMIN)).drilling(&drills).administering(&admin);
            let answer = browser.post(path, &[("token", token), ("minutes", "5"), ("reason", "x")]).await;
            assert_eq!(answer.status, 403, "{path}");
            assert_eq!((drills.asked().len(), admin.asked().len()), (0, 0), "{path}");
        }
    }
}

#[tokio::test]
async fn the_guide_says_one_thing_and_shows_the_result_large() {
    let waits = seeing(ADMIN, Test::Waits).get("/machine/n-1/drill").await;
    assert!(waits.text.contains("It takes effect in ") && waits.text.contains("Do not stop the belt yet."));
    assert!(waits.text.contains("hx-get=\"/machine/n-1/drill/now\""));
    let runs = seeing(ADMIN, Test::Runs).get("/machine/n-1/drill").await;
    // The newest stop is the large one.
    let (_, result) = runs.text.split_once("id=\"drill-result\"").unwrap();
    assert!(result.contains("failed") && result.contains("<b>1.93 s</b> <span>0.42 m</span>"), "{result}");
    assert!(result.contains("From 3.1\u{a0}km/h.") && result.contains("Limit: 1.50 s."));
    assert!(result.contains("Also found in this test") && result.contains("class=\"v-passed\""));
    assert!(runs.text.contains("action=\"/machine/n-1/drill/42/end\""));
    let part = seeing(ADMIN, Test::Runs).get("/machine/n-1/drill/now").await;
    assert!(part.text.starts_with("<div id=\"drill-now\"") && !part.text.contains("<html"));
    assert!(part.text.contains("All measured"), "the button is all that this machine reports");
    let ended = seeing(ADMIN, Test::Ended).get("/machine/n-1/drill/now").await;
    assert!(ended.text.contains("href=\"/machine/n-1/drill/42\"") && !ended.text.contains("hx-get"));
}

#[tokio::test]
async fn a_test_ends_with_a_note_and_a_sheet() {
    let path = "/machine/n-1/drill/42/end";
    let drills = Drills::with(Test::Runs);
    let done = send(&drills, ADMIN, path, &[("note", " belt squeals ")]).await;
    assert_eq!((done.status, done.header("location")), (303, "/machine/n-1/drill/42"));
    assert!(drills.asked()[0].contains("note: \"belt squeals\""));
    let long = "ä".repeat(201);
    for (test, note) in [(Test::Runs, long.as_str()), (Test::Ended, &long), (Test::Runs, "a\tb")] {
        let drills = Drills::with(test);
        let wrong = send(&drills, ADMIN, path, &[("note", note)]).await;
        assert_eq!(wrong.status, 422, "{note}");
        assert!(wrong.text.contains("id=\"note-error\" role=\"alert\">Use at most 200"), "{note}");
        assert!(wrong.text.contains(&format!(">{note}</textarea>")), "what was typed stays");
    }
    assert_eq!(send(&Drills::default(), ADMIN, path, &[("note", &long)]).await.status, 404);
}

#[tokio::test]
async fn the_sheet_tells_all_of_a_test() {
    let sheet = seeing(ADMIN, Test::Ended).get(&format!("/machine/n-1/drill/{NUMBER}")).await;
    for words in [
        "Northside",
        "2027-01-15 09:00:00",
        "Europe/Vienna",
        "anna",
        "0.95 s",
        "1.93 s",
        "1.50 s",
        "3.1\u{a0}km/h",
        "Not tested: Safety key.",
        "Belt squeals",
        "Signature",
    ] {
        assert!(sheet.text.contains(words), "{words}: {}", sheet.text);
    }
    let (_, overall) = sheet.text.split_once("class=\"overall ").unwrap();
    assert!(overall.starts_with("v-failed"), "one of its stops failed");
    let german = seeing(ADMIN_GERMAN, Test::Ended).get("/machine/n-1/drill/42").await;
    assert!(german.text.contains("Nicht bestanden") && german.text.contains("Unterschrift"));
    for path in ["/machine/n-1/drill/7", "/machine/n-1/drill/0"] {
        assert_eq!(seeing(ADMIN, Test::Ended).get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_tag_leads_to_the_proof_test() {
    let tag = seeing(ADMIN, Test::None).get("/machine/n-1/tag").await;
    assert!(tag.text.contains(">http://gym.example/machine/n-1/drill</p>"));
    assert!(tag.text.contains("<svg class=\"qr\"") && tag.text.contains("Northside"));
    let machine = seeing(ADMIN, Test::None).get("/machine/n-1").await;
    assert!(machine.text.contains("<svg class=\"qr\"") && machine.text.contains("/machine/n-1/tag"));
}

#[tokio::test]
async fn a_machine_shows_how_it_stops() {
    let page = seeing(ADMIN, Test::Ended).get("/machine/n-1").await;
    assert!(page.text.contains("takes 4.2 % longer than a month ago (7 stops)."));
    assert!(page.text.contains("cannot be measured") && page.text.contains("proven"));
    assert!(page.text.contains("<path class=\"failed\"") && page.text.contains("<path class=\"limit\""));
    assert!(page.text.contains("href=\"/machine/n-1/drill/42\">proof test</a>"));
    let none = seeing(ADMIN, Test::None).get("/machine/n-1/stops").await;
    assert!(none.text.contains("too few stops to tell") && none.text.contains("No stop of the moving belt"));
    let runs = seeing(ADMIN, Test::Runs).get("/machine/n-1").await;
    assert!(runs.text.contains("Proof test until "));
    assert!(!seeing(ADMIN, Test::Ended).get("/machine/n-1").await.text.contains("Proof test until "));
}

#[tokio::test]
async fn what_is_overdue_stands_first() {
    let page = seeing(ADMIN, Test::None).get("/proofs").await;
    let (_, lines) = page.text.split_once("<tbody").unwrap();
    let (first, rest) = lines.split_once("</tr>").unwrap();
    assert!(first.contains("overdue") && first.contains("href=\"/machine/n-2/drill\">Treadmill 2"));
    assert!(first.contains("2027-01-15") && first.contains("2027-04-15"));
    assert!(rest.contains("cannot be measured"));
    assert!(page.text.contains("href=\"/proofs\" aria-current=\"true\""));
    assert!(page.text.contains("<select id=\"site\" name=\"site\">"));
    let south = seeing(ADMIN, Test::None).get("/proofs?site=south").await;
    assert!(south.text.contains("value=\"south\" selected") && !south.text.contains("<tbody"));
    let german = seeing(ADMIN_GERMAN, Test::None).get("/proofs").await;
    assert!(german.text.contains("überfällig"));
}

#[tokio::test]
async fn a_machine_is_tagged_with_a_reason_and_taken_back() {
    let path = "/machine/n-1/service";
    let tag = async |session, fields: &[(&str, &str)]| {
        let (admin, token) = (Admin::default(), crate::form::token(session).to_string());
        let mut all = vec![("token", token.as_str())];
        all.extend_from_slice(fields);
        let answer = Browser::new(Some(session)).administering(&admin).post(path, &all).await;
        (answer, admin.asked())
    };
    let (answer, asked) = tag(ADMIN, &[("reason", " belt torn ")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/machine/n-1"));
    assert!(asked[0].contains("reason: \"belt torn\""), "{asked:?}");
    let (answer, asked) = tag(ADMIN, &[("back", "yes")]).await;
    assert_eq!(answer.status, 303);
    assert!(asked[0].contains("reason: \"\""), "{asked:?}");
    for reason in ["", "   ", &"x".repeat(201)] {
        let (answer, asked) = tag(ADMIN, &[("reason", reason)]).await;
        assert_eq!((answer.status, asked.len()), (422, 0), "{reason}");
        assert!(answer.text.contains("id=\"reason-error\" role=\"alert\">Say why"), "{reason}");
        assert!(answer.text.contains(&format!("value=\"{}\"", reason.trim())), "{reason}");
    }
    let (answer, _) = tag(ADMIN, &[("reason", SCRIPT)]).await;
    assert_eq!(answer.status, 422, "the API refuses it");
    assert!(answer.text.contains("Say why") && !answer.text.contains(SCRIPT));
    let (answer, asked) = tag(SESSION_VIEWER, &[("reason", "belt torn")]).await;
    assert_eq!((answer.status, asked.len()), (403, 0));
}
