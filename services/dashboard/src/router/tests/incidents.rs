use super::anna;
use super::fake::admin::{ADMIN_SOUTH, TECHNICIAN};
use super::fake::incidents::{EMERGENCY_STOP, FAULT, Incidents, NEXT_PAGE};
use super::fake::{Browser, SCRIPT, SESSION_GERMAN, SESSION_VIEWER};

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test]
async fn the_list_says_what_happened_where_and_how_bad_it_is() {
    let page = anna().get("/incidents").await;
    assert_eq!(page.status, 200);
    let row = page.text.split_once("<tbody").unwrap().1.split_once("</tr>").unwrap().0;
    for told in [
        // 1 800 000 000 in Vienna.
        ">2027-01-15 09:00:00</td>",
        "<span class=\"severity s-critical\"><span class=\"mark\" aria-hidden=\"true\"></span>Critical</span>",
        &format!("href=\"/incident/{EMERGENCY_STOP}\">Emergency stop</a>"),
        "href=\"/machine/n-1\"",
        ">Northside</td>",
        "reverse, 3.6\u{a0}km/h",
        "<b>active</b>",
        "<span class=\"handling h-open\">open</span>",
    ] {
        assert!(row.contains(told), "{told} is not in {row}");
    }
    let counts = page.text.split_once("class=\"counts\"").unwrap().1.split_once("</ul>").unwrap().0;
    assert!(counts.contains("Critical <b>4</b>") && counts.contains("(1 active)"));
    assert!(counts.contains("Low <b>7</b>") && !counts.contains("High"));
    assert!(counts.contains("href=\"/incidents?severity=critical\""));
    assert!(page.text.contains("<a href=\"/incidents\" aria-current=\"true\">Incidents</a>"));
}

#[tokio::test]
async fn a_filter_is_passed_on_and_kept() {
    let incidents = Incidents::default();
    let path = "/incidents?site=north&machine=n-1&severity=high&rule=emergency-stop&state=over&order=worst";
    let page = anna().watching(&incidents).get(path).await;
    assert_eq!(page.status, 200);
    let asked = incidents.asked().remove(0);
    let filter = asked.filter.clone().unwrap();
    assert_eq!((filter.site_id.as_str(), filter.machine_ids), ("north", vec!["n-1".to_owned()]));
    assert_eq!((filter.severities, filter.rules), (vec![4], vec!["emergency-stop".to_owned()]));
    assert_eq!((filter.state, asked.order, asked.page_size), (2, 3, 50));
    for kept in ["north", "high", "emergency-stop", "over", "worst"] {
        assert!(page.text.contains(&format!("<option value=\"{kept}\" selected>")), "{kept}");
    }
    assert!(page.text.contains("<input type=\"hidden\" name=\"machine\" value=\"n-1\">"));
    // The list asks again for the same.
    let again = "/incidents?site=north&#38;machine=n-1&#38;severity=high&#38;rule=emergency-stop\
                 &#38;state=over&#38;order=worst";
    assert!(page.text.contains(&format!("hx-get=\"{again}\" hx-trigger=\"every 5s\"")));
}

#[tokio::test]
async fn what_no_filter_can_be_is_said_precisely() {
    let check = async |query: &str, status: u16, words: &str| {
        let incidents = Incidents::default();
        let page = anna().watching(&incidents).get(&format!("/incidents?{query}")).await;
        assert_eq!(page.status, status, "{query}");
        assert!(page.text.contains(words), "{words} is not in {}", page.text);
        assert!(!page.text.contains("<script>"));
        page.text.contains("<table")
    };
    let known = "Known are: critical, high, medium, low, info.";
    assert!(!check("severity=awful", 422, known).await);
    assert!(!check("severity=%3Cscript%3E", 422, known).await);
    assert!(!check("state=gone", 422, "Known are: active, over.").await);
    assert!(!check("order=best", 422, "Known are: newest, oldest, worst.").await);
    assert!(!check("rule=no-rule", 422, "Known are: emergency-stop, drive-or-sensor-fault.").await);
    assert!(!check("colour=red", 422, "This page has no filter “colour”.").await);
    assert!(!check("state=over&state=over", 422, "“state” may be given only once.").await);
    assert!(!check("site=west", 404, "There is no such site").await);
    assert!(!check("machine=none", 404, "There is no such machine").await);
    assert!(!check("page=forged", 404, "This page of the list is no longer there.").await);
}

#[tokio::test]
async fn a_list_goes_on_where_its_page_ends() {
    let first = anna().get("/incidents?state=over&order=newest").await;
    let path = format!("/incidents?state=over&order=newest&page={}", encoded(NEXT_PAGE));
    assert!(first.text.contains(&format!("href=\"{}\"", path.replace('&', "&#38;"))));
    assert!(first.text.contains("hx-trigger") && !first.text.contains("id=\"first\""));
    let incidents = Incidents::default();
    let next = anna().watching(&incidents).get(&path).await;
    assert_eq!(incidents.asked()[0].page_token, NEXT_PAGE);
    assert!(next.text.contains("Drive or sensor fault") && next.text.contains("found later"));
    assert!(next.text.contains("direction unknown, 3.6\u{a0}km/h"));
    // The name of this machine cannot be had, so there is no page of it to go to.
    assert!(next.text.contains(">n-9</td>"));
    assert!(
        next.text.contains("id=\"first\" class=\"button\" href=\"/incidents?state=over&#38;order=newest\"")
    );
    assert!(!next.text.contains("hx-trigger") && !next.text.contains("id=\"next\""));
}

#[tokio::test]
async fn fifty_rows_and_all_that_they_need_are_below_150_kilobytes() {
    let page = anna().watching(&Incidents::and(49)).get("/incidents").await;
    assert_eq!(page.text.matches("class=\"open\"").count(), 50);
    let mut octets = page.text.len();
    let assets: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    let mut loaded = assets.clone();
    loaded.sort_unstable();
    loaded.dedup();
    assert!(loaded.len() >= 4, "{loaded:?}");
    for asset in loaded {
        octets += anna().get(asset).await.text.len();
    }
    assert!(octets < 150_000, "{octets} octets");
}

#[tokio::test]
async fn an_incident_is_told_with_what_to_do_and_its_evidence() {
    let page = anna().get(&format!("/incident/{EMERGENCY_STOP}")).await;
    assert_eq!(page.status, 200);
    let (told, evidence) = page.text.split_once("id=\"evidence\"").unwrap();
    for words in [
        "What to do</h2><p>Go to the person.</p>",
        "Northside, 2027-01-15 09:00:00.",
        "The belt ran in reverse at 3.6\u{a0}km/h.",
        "It came to rest after 1.25 s and 0.75 m.",
        "It stands for 2 edges or values.",
        "Recording of the agent at full rate.",
        "hx-trigger=\"every 5s\"",
    ] {
        assert!(told.contains(words), "{words}");
    }
    for words in [
        "<dt>Speed</dt><dd>3.6\u{a0}km/h</dd>",
        "<code>emergency-stop.reset</code> <small lang=\"en\">A shorter closing is a bounce.</small></dt><dd>50 ms</dd>",
        "<p lang=\"en\">The circuit opened.</p>",
        "<p lang=\"en\">Somebody pressed the button.</p>",
        "<dd>Emergency stop, speed</dd>",
        "<dd>2027-01-15 09:00:01</dd>",
        "<dd>R1, version 1</dd>",
    ] {
        assert!(evidence.contains(words), "{words}");
    }
    let fault = anna().get(&format!("/incident/{FAULT}")).await;
    assert!(fault.text.contains("which way is not known") && fault.text.contains("found later"));
    assert!(fault.text.contains("Explanation: <span lang=\"en\">The belt was found standing.</span>"));
    assert!(fault.text.contains("A later version of the rule does not find it any more."));
    assert!(!fault.text.contains("hx-trigger"), "it is over and whole");
}

#[tokio::test]
async fn script_in_an_incident_stays_text() {
    for path in ["/incidents".to_owned(), format!("/incident/{EMERGENCY_STOP}"), "/machine/n-1".to_owned()] {
        let page = anna().get(&path).await;
        assert!(page.text.contains("alert(") && !page.text.contains(SCRIPT), "{path}");
        assert_eq!(page.text.matches("<script").count(), page.text.matches("<script src=\"/assets/").count());
        assert!(!page.text.contains("style=\"") && !page.text.contains("://"), "{path}");
    }
}

#[tokio::test]
async fn german_is_spoken_to_whoever_prefers_it() {
    let german = || Browser::new(Some(SESSION_GERMAN));
    let list = german().get("/incidents").await;
    for words in ["<html lang=\"de\">", "Not-Halt</a>", "Kritisch", "rückwärts, 2,2\u{a0}mph", "Vorfälle"]
    {
        assert!(list.text.contains(words), "{words}");
    }
    let page = german().get(&format!("/incident/{EMERGENCY_STOP}")).await;
    for words in ["Gehen Sie zur Person. Fragen Sie", "Es stand nach 1,25 s und 0,75 m.", "2,2\u{a0}mph"] {
        assert!(page.text.contains(words), "{words}");
    }
    assert!(!page.text.contains("Go to the person."));
    let wrong = german().get("/incidents?state=gone").await;
    assert!(wrong.text.contains("state: „gone“ ist nicht bekannt. Bekannt sind: active, over."));
}

#[tokio::test]
async fn whoever_may_see_one_site_is_offered_that_one() {
    let south = || Browser::new(Some(ADMIN_SOUTH));
    let page = south().get("/incidents").await;
    assert!(
        page.text.contains("<option value=\"south\">") && !page.text.contains("<option value=\"north\">")
    );
    let incidents = Incidents::default();
    let other = south().watching(&incidents).get("/incidents?site=north").await;
    assert_eq!((other.status, incidents.asked().len()), (404, 0));
    assert_eq!(south().get("/incidents?site=south").await.status, 200);
}

#[tokio::test]
async fn without_history_there_are_no_incidents() {
    for session in [SESSION_VIEWER, TECHNICIAN] {
        let stranger = || Browser::new(Some(session));
        for path in
            ["/incidents".to_owned(), format!("/incident/{FAULT}"), format!("/incident/{FAULT}/trace")]
        {
            let page = stranger().get(&path).await;
            assert_eq!(page.status, 403, "{path}");
            assert!(!page.text.contains("fault"), "{path}");
        }
        let machine = stranger().get("/machine/n-1").await;
        assert_eq!(machine.status, 200);
        assert!(!machine.text.contains("/incident"), "neither entry nor section");
    }
}

#[tokio::test]
async fn a_machine_shows_its_last_incidents() {
    let incidents = Incidents::default();
    let page = anna().watching(&incidents).get("/machine/n-1").await;
    let asked = incidents.asked().remove(0);
    assert_eq!((asked.filter.unwrap().machine_ids, asked.page_size), (vec!["n-1".to_owned()], 10));
    assert!(page.text.contains(&format!("href=\"/incident/{EMERGENCY_STOP}\"")));
    assert!(page.text.contains("href=\"/incidents?people=all&amp;machine=n-1\""));
    assert!(page.text.contains("What this machine cannot report is not among them."));
    let part = anna().get("/machine/n-1/incidents").await;
    assert!(part.status == 200 && part.text.starts_with("<section id=\"incidents\""));
}

#[tokio::test]
async fn the_trace_is_drawn_from_what_is_known() {
    let trace = async |id: &str| {
        let answer = anna().get(&format!("/incident/{id}/trace")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        serde_json::from_str::<serde_json::Value>(&answer.text).unwrap()
    };
    let recorded = trace(EMERGENCY_STOP).await;
    let start = 1_800_000_000.0;
    assert_eq!(recorded["times"], serde_json::json!([start, start + 0.1, start + 0.2]));
    assert_eq!(recorded["signed"], serde_json::json!([-3.6, -1.8, 0.0]).clone());
    assert_eq!(recorded["shades"][0]["until"], serde_json::json!(start + 0.2));
    let labels = |trace: &serde_json::Value| -> Vec<String> {
        let marks = trace["marks"].as_array().unwrap().iter();
        marks.map(|mark| mark["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(&recorded), ["here", "standstill"]);
    let read = trace(FAULT).await;
    let nothing = serde_json::Value::Null;
    assert_eq!(read["signed"], serde_json::json!([nothing, nothing, nothing, nothing, nothing]));
    assert_eq!(read["unknown"], serde_json::json!([3.6, 3.6, nothing, 3.6, 3.6]));
    assert_eq!(labels(&read), ["here", "over"]);
}

#[tokio::test]
async fn an_incident_that_is_none_is_not_found() {
    for id in ["0", "odd", "%3Cscript%3E"] {
        for path in [format!("/incident/{id}"), format!("/incident/{id}/trace")] {
            let page = anna().get(&path).await;
            assert_eq!(page.status, 404, "{path}");
            assert!(page.text.contains("There is no such incident, or you may not see it."));
        }
    }
}
