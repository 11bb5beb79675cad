//! Belts in reverse, by all users of some machines.

use super::fake::admin::ADMIN;
use super::fake::usage::{Scene, Usages};
use super::fake::{Browser, SESSION_GERMAN};

async fn page(scene: Scene, path: &str) -> String {
    let answer = Browser::new(Some(ADMIN)).using(&Usages::with(scene)).get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

fn section<'a>(text: &'a str, id: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("id=\"{id}-title\"")).unwrap_or_else(|| panic!("{id}: {text}"));
    rest.split("</section>").next().unwrap()
}

fn has(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[tokio::test]
async fn what_is_not_known_stands_beside_what_is() {
    let text = page(Scene::Busy, "/reverse").await;
    assert!(text.contains("<h1>Reverse belt <small>all users of these machines</small></h1>"));
    has(
        section(&text, "summary"),
        &[
            "Belts ran in reverse for 40 min over 1.9 km, in 4 sessions.",
            "On average at 2.9\u{a0}km/h, at most at 4.5\u{a0}km/h.",
            "Another 30 min of motion had an unknown direction: some of it may have been in reverse.",
            "Counted for 93 % of the time",
        ],
    );
    has(
        section(&text, "blind"),
        &[
            "1 of 2 machines that can run in reverse, or of which nobody has said, told a direction",
            "href=\"/machine/n-2\">Treadmill 2, Northside</a> <small>moved for 30 min, direction unknown</small>",
        ],
    );
    assert!(!section(&text, "blind").contains("Walker"), "it cannot run in reverse");
}

#[tokio::test]
async fn intervals_are_counted_with_what_came_after() {
    let text = page(Scene::Busy, "/reverse").await;
    has(
        section(&text, "intervals"),
        &[
            "<dt>Intervals</dt><dd>8</dd>",
            "<dt>Of 30 s (25 to 35 s)</dt><dd>5</dd>",
            "<dt>Median length</dt><dd>30 s</dd>",
            "<dt>Longest</dt><dd>95 s</dd>",
            "<dt>Work to rest</dt><dd>1 to 2.00 (0.50)</dd>",
            "<th scope=\"row\">25 s to under 35 s</th><td>5</td>",
            "<th scope=\"row\">the belt stood</th><td>4</td><td>50 %</td><td>61 s</td>",
            "<th scope=\"row\">it was not seen</th><td>1</td>",
            "<th scope=\"row\">no further interval</th><td>3</td>",
        ],
    );
}

#[tokio::test]
async fn grades_and_advice_say_how_much_of_them_was_known() {
    let text = page(Scene::Busy, "/reverse").await;
    let grades = section(&text, "grades");
    has(
        grades,
        &["Downhill means: the belt ran in reverse with its front end raised", "known for 50 % of the time"],
    );
    for (words, time) in [
        ("level (below 1 %)", "20 min"),
        ("uphill", "0 min"),
        ("downhill", "15 min"),
        ("grade unknown", "5.0 min"),
    ] {
        assert!(grades.contains(&format!("{words}</span></th><td>{time}</td>")), "{words}: {grades}");
    }
    has(
        section(&text, "advice"),
        &[
            "<h3>At 3.2\u{a0}km/h or slower</h3><p>50 % of the 40 min in which that was known; of 40 min in all.</p>",
            "<h3>On a level deck</h3><p>57 % of the 35 min in which that was known; of 40 min in all.</p>",
            "<h3>Hands on the rails</h3><p>78 % of the 12 min in which that was known; of 40 min in all.</p>",
            "<h3>Safety key in place</h3><p>Never known in the 40 min in reverse.</p>",
        ],
    );
    has(
        section(&text, "presence"),
        &["Outside staffed hours: 10 min, of 30 min at sites", "In sessions without a label: 25 min."],
    );
}

#[tokio::test]
async fn energy_is_an_estimate_and_says_so() {
    let usages = Usages::default();
    let answer = Browser::new(Some(ADMIN)).using(&usages).get("/reverse?mass=82&site=north").await;
    assert!(usages.asked_of("GetReverseUseRequest")[0].contains("mass_kg: 82"));
    has(
        section(&answer.text, "energy"),
        &[
            "Energy, estimated",
            "Estimated 41 to 53 kcal, in between 48 kcal.",
            "For a person of 82 kg, from 20 min of level motion in reverse.",
            "Extrapolated below 3.0\u{a0}km/h",
            "Never the machine",
        ],
    );
    has(
        section(&answer.text, "rules"),
        &["in this span: 3.", "/incidents?people=all", "rule=reverse-hands-off"],
    );
    assert!(section(&answer.text, "rules").contains("site=north"));
    let lower = answer.text.to_lowercase();
    for claim in ["muscle", "joint", "knee", "health", "therap", "burn"] {
        assert!(!lower.contains(claim), "{claim}");
    }
}

#[tokio::test]
async fn where_nothing_ran_in_reverse_the_page_says_what_to_do() {
    let text = page(Scene::Still, "/reverse").await;
    has(
        section(&text, "summary"),
        &["No belt was seen in reverse. Choose a longer span", "No motion with an unknown direction"],
    );
    has(section(&text, "intervals"), &["There is none in this span."]);
    has(section(&text, "presence"), &["Nobody has said when staff are there."]);
    has(section(&text, "energy"), &["nothing can be estimated"]);
    // They can run in reverse, report no direction now, and did not move.
    has(section(&text, "blind"), &["href=\"/machine/n-1\"", "href=\"/machine/n-2\""]);
}

#[tokio::test]
async fn german_and_miles_are_spoken_to_whoever_prefers_them() {
    let usages = Usages::default();
    let page = Browser::new(Some(SESSION_GERMAN)).using(&usages).get("/reverse").await;
    has(
        &page.text,
        &[
            "alle Personen an diesen Geräten",
            "Mit 2,0\u{a0}mph oder langsamer",
            "Bergab heißt:",
            "Geschätzt 41 bis 53 kcal",
            "Extrapoliert unter 1,9\u{a0}mph",
            "25 s bis unter 35 s",
        ],
    );
}
