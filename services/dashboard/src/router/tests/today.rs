//! What there is to do today.

use super::fake::admin::{ADMIN, ADMIN_GERMAN, ADMIN_SOUTH, TECHNICIAN};
use super::fake::course::{MANAGER, THERAPIST};
use super::fake::handling::{AUDITOR, LOOKER, STAFF_GERMAN};
use super::fake::readings::Readings;
use super::fake::usage::{Scene, Usages};
use super::fake::{Browser, Fake, SCRIPT, SESSION, SESSION_VIEWER};

fn neglected(session: &'static str) -> Browser {
    let fake = Fake { neglected: true, ..Fake::default() };
    Browser::new(Some(session)).of(fake).reading(&Readings::off_by(1_500))
}

/// One block of the page.
fn block<'a>(text: &'a str, id: &str) -> &'a str {
    let (_, rest) =
        text.split_once(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("{id}: {text}"));
    rest.split("</section>").next().unwrap()
}

#[tokio::test]
async fn whoever_looks_after_machines_sees_it() {
    for session in [SESSION_VIEWER, LOOKER, AUDITOR, TECHNICIAN, THERAPIST] {
        let answer = Browser::new(Some(session)).get("/today").await;
        assert_eq!(answer.status, 403, "{session}");
        assert!(!answer.text.contains("href=\"/today\""), "{session}");
    }
    for session in [SESSION, STAFF_GERMAN, ADMIN, MANAGER] {
        let answer = Browser::new(Some(session)).get("/today").await;
        assert_eq!(answer.status, 200, "{session}");
        assert!(answer.text.contains("href=\"/today\" aria-current=\"true\""), "{session}");
    }
    assert_eq!(Browser::new(None).get("/today").await.status, 303);
}

#[tokio::test]
async fn script_in_names_stays_text() {
    for session in [ADMIN, ADMIN_GERMAN] {
        let answer = neglected(session).get("/today").await;
        assert!(answer.text.contains("alert("), "the reason is shown");
        assert!(!answer.text.contains(SCRIPT) && !answer.text.contains("style=\""));
        assert!(!answer.text.contains("://") && !answer.text.contains("hx-trigger"));
    }
}

#[tokio::test]
async fn the_worst_of_each_kind_stands_first_with_a_link() {
    let text = neglected(ADMIN).get("/today").await.text;
    let unheard = block(&text, "unheard");
    assert!(unheard.contains("10 to look at") && unheard.contains("and 4 more"));
    let lines: Vec<&str> = unheard.split("<li>").skip(1).collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("<a href=\"/machine/n-4\">Machine n-4</a> last heard "), "{}", lines[0]);
    assert!(lines[1].contains("/machine/n-3") && lines[2].contains("never heard"));
    for (id, words) in [
        ("out-of-service", "<a href=\"/machine/n-6\">Machine n-6</a> belt torn "),
        ("proofs", "<a href=\"/machine/n-2/drill\">Treadmill 2</a> Emergency stop: overdue"),
        ("proofs", "Not measurable at all: 1 contacts."),
        ("proofs", "href=\"/proofs\""),
        (
            "maintenance",
            "<a href=\"/machine/n-1\">Machine n-1</a> 110 % used up, 550.0 h of 500 h, 1000.0 km of 2000.0 km",
        ),
        ("maintenance", "href=\"/usage#maintenance\""),
        ("backlog", "<a href=\"/machine/n-5\">Machine n-5</a> behind by 2.0 h"),
        ("lost", "<a href=\"/machine/n-5\">Machine n-5</a> 17 records"),
        ("uncommissioned", "<a href=\"/machine/n-2\">Treadmill 2</a>"),
        ("unproven", "<a href=\"/machine/n-5\">Machine n-5</a>"),
        (
            "blind",
            "<a href=\"/machine/n-2\">Treadmill 2</a> 1 of 2 rules see nothing; most would be added by: direction",
        ),
        ("contacts", "href=\"/administration/contacts\""),
        ("contacts", "2 to look at"),
    ] {
        let block = block(&text, id);
        assert!(block.contains(words), "{id}: {words}: {block}");
        assert!(block.starts_with(" class=\"waits\""), "{id}");
    }
    for id in ["maintenance", "blind", "unproven", "out-of-service", "backlog", "uncommissioned"] {
        assert!(block(&text, id).contains("<b>1 to look at</b>"), "{id}");
    }
    let agents = block(&text, "agents");
    assert!(agents.contains("<th scope=\"row\">0.7.0</th><td>5</td>"), "{agents}");
}

#[tokio::test]
async fn clocks_are_asked_of_machines_that_are_heard() {
    let readings = Readings::off_by(1_500);
    let fake = Fake { neglected: true, ..Fake::default() };
    let page = Browser::new(Some(ADMIN)).of(fake).reading(&readings).get("/today").await;
    let clocks = block(&page.text, "clocks");
    assert!(clocks.contains("4 to look at") && clocks.contains("may be off by 1.5 s"), "{clocks}");
    assert_eq!(readings.asked(), ["n-1", "n-2", "n-5", "n-6"]);
    let sure = Browser::new(Some(ADMIN)).of(fake).reading(&Readings::off_by(900)).get("/today").await;
    let clocks = block(&sure.text, "clocks");
    assert!(clocks.contains("Nothing to do.") && clocks.contains("Looked at: 4 machines"), "{clocks}");
}

#[tokio::test]
async fn nothing_to_do_is_said_and_what_cannot_be_had_is_named() {
    let page = Browser::new(Some(ADMIN)).using(&Usages::with(Scene::Still)).get("/today").await;
    for id in ["unheard", "out-of-service", "maintenance", "backlog", "lost", "unproven"] {
        let block = block(&page.text, id);
        assert!(
            block.contains("<p class=\"good\">Nothing to do.</p>") && block.contains("0 to look at"),
            "{id}"
        );
        assert!(!block.starts_with(" class=\"waits\""), "{id}");
    }
    assert!(block(&page.text, "agents").contains("No agent was ever heard here."));
    let clocks = block(&page.text, "clocks");
    assert!(
        clocks.contains("Readings cannot be shown now.") && !clocks.contains("Nothing to do."),
        "{clocks}"
    );
    let out = Browser::new(Some(ADMIN)).using(&Usages::with(Scene::Out)).get("/today").await;
    assert_eq!(out.status, 200);
    let maintenance = block(&out.text, "maintenance");
    assert!(maintenance.contains("Service due cannot be shown now."), "{maintenance}");
    let sites = Browser::new(Some(ADMIN)).of(Fake { sites_out: true, ..Fake::default() }).get("/today").await;
    assert_eq!(sites.status, 503);
    assert!(sites.text.contains("Sites cannot be shown now.") && sites.text.contains("Treadmill 2"));
}

#[tokio::test]
async fn a_site_is_chosen_and_others_are_not_there() {
    let usages = Usages::default();
    let page = Browser::new(Some(ADMIN)).using(&usages).get("/today?site=north").await;
    assert!(page.text.contains("<option value=\"north\" selected>"));
    assert!(usages.asked_of("ListMaintenanceRequest")[0].contains("site_ids: [\"north\"]"));
    let all = Browser::new(Some(ADMIN)).get("/today").await;
    assert!(all.text.contains("<small>Northside</small>"), "of several sites each is named");
    // Their site has no machine; those of the other are not theirs.
    let south = Browser::new(Some(ADMIN_SOUTH)).get("/today").await;
    assert_eq!(south.status, 200);
    assert!(!south.text.contains("Treadmill 2") && !south.text.contains("href=\"/machine/"));
    assert!(!south.text.contains("<select id=\"site\""));
    assert_eq!(Browser::new(Some(ADMIN_SOUTH)).get("/today?site=north").await.status, 404);
    // Whoever sets no contacts is not told of them.
    let staff = Browser::new(Some(SESSION)).get("/today").await;
    assert!(!staff.text.contains("<section id=\"contacts\""));
}

#[tokio::test]
async fn german_is_spoken_to_whoever_prefers_it() {
    let text = neglected(ADMIN_GERMAN).get("/today").await.text;
    for words in [
        "Nicht zu hören",
        "10 zu prüfen",
        "und 4 weitere",
        "im Rückstand um 2,0 Std.",
        "621,4 mi von 1242,7 mi",
    ] {
        assert!(text.contains(words), "{words}");
    }
}
