use super::fake::admin::ADMIN;
use super::fake::handling::{AUDITOR, FILE, FINGERPRINT, Handling, LOOKER, STAFF_GERMAN};
use super::fake::incidents::{EMERGENCY_STOP, FAULT, Incidents};
use super::fake::{Answer, Browser, SCRIPT, SESSION};

/// Sends one of the page's forms.
async fn act(session: &'static str, handling: &Handling, id: &str, fields: &[(&str, &str)]) -> Answer {
    let token = crate::form::token(session).to_string();
    let mut all = vec![("token", token.as_str()), ("seen", "1")];
    all.extend(fields);
    Browser::new(Some(session)).handling(handling).post(&format!("/incident/{id}/step"), &all).await
}

async fn page(session: &'static str, id: &str) -> Answer {
    Browser::new(Some(session)).get(&format!("/incident/{id}")).await
}

#[tokio::test]
async fn each_button_takes_one_step_and_says_what_was_done() {
    let check = async |fields: &[(&str, &str)], asked: &[&str], done: &str, words: &str| {
        let handling = Handling::default();
        let answer = act(ADMIN, &handling, EMERGENCY_STOP, fields).await;
        let to = format!("/incident/{EMERGENCY_STOP}?done={done}");
        assert_eq!((answer.status, answer.header("location")), (303, to.as_str()), "{fields:?}");
        let sent = handling.asked_once();
        for part in asked.iter().chain(&[EMERGENCY_STOP]) {
            assert!(sent.contains(part), "{part} is not in {sent}");
        }
        let shown = Browser::new(Some(ADMIN)).get(&to).await;
        assert!(shown.text.contains(&format!("<p class=\"done\" role=\"status\">{words}</p>")), "{words}");
    };
    check(
        &[("step", "acknowledge")],
        &["AcknowledgeIncidentsRequest"],
        "acknowledge",
        "You have acknowledged it.",
    )
    .await;
    check(&[("step", "take")], &["AssignIncidentsRequest", "user: \"me\""], "take", "You are on it.").await;
    let assign = [("step", "assign"), ("to", "user"), ("user", " otto "), ("note", "please")];
    check(&assign, &["user: \"otto\"", "note: \"please\""], "assign", "It is passed on.").await;
    let nobody = [("step", "assign"), ("to", "nobody"), ("user", "otto")];
    check(&nobody, &["user: \"\""], "assign", "It is passed on.").await;
    let note = [("step", "note"), ("note", "one\r\ntwo  ")];
    check(&note, &["NoteIncidentsRequest", "note: \"one\\ntwo\""], "note", "The note is saved.").await;
    let close = [("step", "close"), ("cause", "misuse"), ("hurt", "yes"), ("note", "spoke")];
    check(
        &close,
        &["CloseIncidentsRequest", "cause: Misuse", "hurt: Yes", "\"spoke\""],
        "close",
        "It is closed.",
    )
    .await;
    let normal =
        ["cause: DeliberateStop", "hurt: No", "note: \"Spoke to the person, not hurt, deliberate.\""];
    check(&[("step", "close-normal")], &normal, "close", "It is closed.").await;
    check(&[("step", "take-up")], &["until_time: None"], "take-up", "It is taken up again.").await;
    check(
        &[("step", "hold"), ("note", "insurer")],
        &["on: true", "insurer"],
        "hold",
        "Its records are kept.",
    )
    .await;
    let release = "Its records are not kept any longer than others.";
    check(&[("step", "release")], &["on: false"], "release", release).await;
    check(
        &[("step", "erase"), ("number", "12")],
        &["EraseNoteRequest", "number: 12"],
        "erase",
        "The text is erased.",
    )
    .await;
}

#[tokio::test]
async fn the_same_form_sent_twice_is_one_request() {
    let request = async |note: &str| {
        let handling = Handling::default();
        act(SESSION, &handling, EMERGENCY_STOP, &[("step", "note"), ("note", note)]).await;
        let asked = handling.asked_once();
        asked.split_once("request_id: ").unwrap().1.to_owned()
    };
    assert_eq!(request("a").await, request("a").await);
    assert_ne!(request("a").await, request("b").await);
}

#[tokio::test]
async fn what_is_refused_is_said_at_its_field_and_what_was_typed_stays() {
    let check = async |id: &str, fields: &[(&str, &str)], words: &[&str]| {
        let answer = act(ADMIN, &Handling::default(), id, fields).await;
        assert_eq!(answer.status, 422, "{fields:?}");
        for told in words.iter().chain(&["role=\"alert\">Nothing was changed."]) {
            assert!(answer.text.contains(told), "{told} is not in {}", answer.text);
        }
        assert!(!answer.text.contains("<script>"));
    };
    let typed = "was <b>careless</b>\nand fell";
    let kept = "was &#60;b&#62;careless&#60;/b&#62;\nand fell</textarea>";
    let close = [("step", "close"), ("cause", ""), ("hurt", "yes"), ("note", typed)];
    let cause = "id=\"cause-error\">Say why it happened: an incident as bad as this needs it.</p>";
    check(EMERGENCY_STOP, &close, &[cause, kept, "name=\"hurt\" value=\"yes\" checked"]).await;
    let close = [("step", "close"), ("cause", "misuse"), ("note", typed)];
    let hurt = "id=\"hurt-error\">Say whether anybody was hurt: an incident as bad as this needs it.</p>";
    check(EMERGENCY_STOP, &close, &[hurt, kept, "name=\"cause\" value=\"misuse\" checked"]).await;
    let empty = "aria-invalid=\"true\"></textarea><p class=\"error\" id=\"note-text-error\">A note has 1 to 2000 characters.</p>";
    check(EMERGENCY_STOP, &[("step", "note"), ("note", " ")], &[empty]).await;
    let long = "ä".repeat(2_001);
    let error = "id=\"note-text-error\">At most 2000 characters are allowed.</p>";
    check(EMERGENCY_STOP, &[("step", "note"), ("note", &long)], &[error, &long]).await;
    let assign = [("step", "assign"), ("to", "user"), ("user", "ot to"), ("note", typed)];
    let user = "id=\"assign-user-error\">There is no such user, or they may not see this incident.</p>";
    check(EMERGENCY_STOP, &assign, &[user, "value=\"ot to\"", kept]).await;
    let nobody = [("step", "assign"), ("to", "user"), ("user", " ")];
    check(EMERGENCY_STOP, &nobody, &["id=\"assign-user-error\">Give the name of a user.</p>"]).await;
    let shelve = [("step", "shelve"), ("until", "tomorrow")];
    check(EMERGENCY_STOP, &shelve, &["A critical incident cannot be shelved."]).await;
    // Somebody else was faster: the page says who, and how it is now.
    let closed = ["otto has closed it meanwhile.", "Closed by otto, 2027-01-15 11:00:00."];
    check(FAULT, &[("step", "take")], &closed).await;
}

#[tokio::test]
async fn closing_what_somebody_closed_before_says_so() {
    let closed = act(SESSION, &Handling::default(), FAULT, &[("step", "close"), ("cause", "misuse")]).await;
    assert_eq!(closed.status, 303);
    let shown = Browser::new(Some(SESSION)).get(closed.header("location")).await;
    assert!(shown.text.contains("otto had closed it before you. What you did is kept with it."));
    let forged = Browser::new(Some(SESSION)).get(&format!("/incident/{FAULT}?done=won")).await;
    assert!(!forged.text.contains("class=\"done\""));
}

#[tokio::test]
async fn a_form_of_nobody_is_refused() {
    let handling = Handling::default();
    let path = format!("/incident/{EMERGENCY_STOP}/step");
    let (good, id) = (crate::form::token(SESSION).to_string(), EMERGENCY_STOP);
    let post = async |browser: Browser, path: &str, fields: &[(&str, &str)]| {
        browser.handling(&handling).post(path, fields).await.status
    };
    let anna = || Browser::new(Some(SESSION));
    let step = ("step", "acknowledge");
    assert_eq!(post(anna(), &path, &[step]).await, 403, "without its token");
    assert_eq!(post(anna(), &path, &[("token", &good[1..]), step]).await, 403);
    let far = || anna().with("sec-fetch-site", "cross-site");
    assert_eq!(post(far(), &path, &[("token", &good), step]).await, 403);
    assert_eq!(post(far(), "/incidents/step", &[("token", &good), step, ("incident", id)]).await, 403);
    for nonsense in ["", "explode", "shelve", "erase"] {
        assert_eq!(post(anna(), &path, &[("token", &good), ("step", nonsense)]).await, 403, "{nonsense}");
    }
    assert_eq!(handling.asked(), Vec::<String>::new());
    let again = anna().get(&path).await;
    assert_eq!((again.status, again.header("location")), (303, format!("/incident/{id}").as_str()));
}

#[tokio::test]
async fn whoever_may_only_look_sees_no_buttons_no_notes_and_no_hurt() {
    for session in [LOOKER, AUDITOR] {
        for id in [EMERGENCY_STOP, FAULT] {
            let page = page(session, id).await;
            assert_eq!(page.status, 200);
            assert!(!page.text.contains("/step\"") && !page.text.contains("<textarea"), "{session}");
        }
        let handling = Handling::default();
        let refused = act(session, &handling, EMERGENCY_STOP, &[("step", "take")]).await;
        assert_eq!((refused.status, handling.asked().len()), (403, 0));
        let list = Browser::new(Some(session)).get("/incidents").await;
        assert!(!list.text.contains("checkbox") && !list.text.contains("id=\"bulk\""));
    }
    let [looked, audited] = [page(LOOKER, EMERGENCY_STOP).await, page(AUDITOR, EMERGENCY_STOP).await];
    assert!(!looked.text.contains("first line") && !looked.text.contains("was hurt"));
    assert!(looked.text.contains("There is a note that your account may not read."));
    assert!(!looked.text.contains("/dossier"));
    assert!(
        audited.text.contains("first line") && audited.text.contains("closed it: Misuse. Somebody was hurt.")
    );
    assert!(!page(LOOKER, FAULT).await.text.contains("hurt"));
    assert!(page(AUDITOR, FAULT).await.text.contains("Nobody was hurt."));
    let path = format!("/incident/{EMERGENCY_STOP}/dossier");
    assert!(audited.text.contains(&format!("href=\"{path}\"")));
    let file = Browser::new(Some(AUDITOR)).get(&path).await;
    assert_eq!((file.status, file.text.as_bytes()), (200, FILE));
    let name = format!("attachment; filename=\"incident-{EMERGENCY_STOP}.json\"");
    assert_eq!(
        (file.header("content-disposition"), file.header("content-type")),
        (name.as_str(), "application/json")
    );
    assert_eq!(Browser::new(Some(LOOKER)).get(&path).await.status, 403);
    let none = Browser::new(Some(AUDITOR)).get("/incident/0/dossier").await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn staff_are_shown_first_what_to_do_and_then_what_they_can_tap() {
    let told = page(SESSION, EMERGENCY_STOP).await.text;
    let order = [
        "id=\"card-title\"",
        "value=\"take\">I am on it</button>",
        "value=\"close-normal\">Spoke to the person, not hurt, deliberate – close</button>",
        "value=\"acknowledge\">Acknowledge</button>",
        "What happened</h2>",
        "Nobody has acknowledged it yet.",
        "insurer</b>: <time>2027-01-16 09:00:00</time>",
        "id=\"forms\"",
        "id=\"timeline\"",
    ];
    let places: Vec<usize> = order.iter().map(|part| told.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{places:?}");
    // It is critical: nobody lays it aside; and who may not administer names nobody.
    assert!(!told.contains("value=\"shelve\"") && !told.contains("id=\"assign-user\""));
    assert!(!told.contains("value=\"hold\"") && !told.contains("value=\"erase\""));
    let of_administrator = page(ADMIN, EMERGENCY_STOP).await.text;
    for part in ["id=\"assign-user\"", "value=\"hold\"", "value=\"erase\"", "name=\"number\" value=\"12\""] {
        assert!(of_administrator.contains(part), "{part}");
    }
    let closed = page(SESSION, FAULT).await.text;
    assert!(!closed.contains("value=\"take\"") && closed.contains("Correct the closing"));
    assert!(closed.contains("href=\"/incident/77777777777777777777777777777777\""));
    assert!(closed.contains("Legal hold: its records are kept against retention."));
}

#[tokio::test]
async fn deadlines_count_down_and_missed_ones_are_marked() {
    let told = page(SESSION, EMERGENCY_STOP).await.text;
    let line = |name: &str| {
        let line = told.split("<li class=\"").find(|line| line.contains(&format!("<b>{name}</b>"))).unwrap();
        line.split_once("</li>").unwrap().0.to_owned()
    };
    let insurer = line("insurer");
    assert!(
        insurer.starts_with("waits\"")
            && insurer.contains("data-due=\"1800086400000\"")
            && insurer.contains(" left")
    );
    let call = line("call");
    assert!(call.starts_with("missed\"") && call.contains("missed ") && call.contains(" d "), "{call}");
    assert!(line("look").starts_with("met\"") && !line("look").contains("data-due"));
}

#[tokio::test]
async fn the_timeline_says_who_did_what_and_escapes_what_was_written() {
    let told = page(SESSION, EMERGENCY_STOP).await.text;
    let timeline = told.split_once("id=\"timeline\"").unwrap().1.split_once("</section>").unwrap().0;
    let order = [
        "<time>2027-01-15 09:00:00</time> <span>happened",
        "<time>2027-01-15 09:00:01</time> <span>found by the server",
        "<b>otto</b> took it on",
        "<b>anna</b> wrote",
        "<p class=\"note\">first line\nsecond &#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;</p>",
        "The text was erased.",
        "shelved it until 2027-01-15 10:00:00",
        "<b>token 7</b> closed it: Misuse. Somebody was hurt.",
        "<b>anna</b> corrected the closing: Misuse. Somebody was hurt.",
        "<b>Beltwatch</b> sealed the evidence, version 3, SHA-256 abababababababab…",
    ];
    let places: Vec<usize> = order.iter().map(|part| timeline.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(!told.contains(SCRIPT) && !told.contains("style=\""));
    // Members of the outage.
    assert!(told.contains("href=\"/incident/55555555555555555555555555555555\""));
}

#[tokio::test]
async fn who_was_told_is_listed_and_a_failure_stands_out() {
    let told = page(SESSION, EMERGENCY_STOP).await.text;
    let notices = told.split_once("id=\"notices\"").unwrap().1.split_once("</section>").unwrap().0;
    assert!(notices.contains("class=\"alarm\" data-label=\"Outcome\"><span><b>failed</b>"), "{notices}");
    assert!(notices.contains("<b>waits</b>") && notices.contains("<b>sent</b>, step 1"));
    assert!(notices.contains("one message for 4"));
}

#[tokio::test]
async fn a_part_that_cannot_be_had_leaves_the_others() {
    let out = Handling::out();
    let browser = || Browser::new(Some(SESSION)).handling(&out);
    let page = browser().get(&format!("/incident/{EMERGENCY_STOP}")).await;
    assert_eq!(page.status, 503);
    assert!(
        page.text.contains("The timeline cannot be shown now.") && page.text.contains("Go to the person.")
    );
    let note = act(SESSION, &out, EMERGENCY_STOP, &[("step", "note"), ("note", "kept")]).await;
    assert_eq!(note.status, 503);
    assert!(note.text.contains(">kept</textarea>") && note.text.contains("the ledger is away"));
}

#[tokio::test]
async fn an_incident_is_printed_without_anything_around_it() {
    let print = async |session: &'static str, id: &str| {
        let page = Browser::new(Some(session)).get(&format!("/incident/{id}/print")).await;
        assert_eq!(page.status, 200);
        assert!(
            !page.text.contains("<nav") && !page.text.contains("<form") && !page.text.contains("style=\"")
        );
        assert!(!page.text.contains(SCRIPT) && !page.text.contains("://"));
        page.text
    };
    let stop = print(AUDITOR, EMERGENCY_STOP).await;
    for part in [
        "The belt ran in reverse at 3.6\u{a0}km/h.",
        "<path class=\"signed\" d=\"M",
        "<rect class=\"open\"",
        ">standstill</text>",
        "reverse ↓",
        "<dt>emergency-stop.reset</dt><dd>50 ms</dd>",
        "The machine could report: Emergency stop, speed.",
        "It could not report: direction, incline,",
        "first line\nsecond &#60;script&#62;",
        "insurer: 2027-01-16 09:00:00",
        "abababababababababababab",
        FINGERPRINT,
        "Unanchored: nobody outside",
        "Printed ",
    ] {
        assert!(stop.contains(part), "{part} is not in {stop}");
    }
    let fault = print(AUDITOR, FAULT).await;
    assert!(fault.contains("Anchored: somebody outside") && fault.contains("dashed: direction not known"));
    assert!(fault.contains("Closed by otto") && fault.contains("Nobody was hurt."));
    let looked = print(LOOKER, FAULT).await;
    assert!(!looked.contains("hurt") && !looked.contains(FINGERPRINT));
    assert!(looked.contains("Your account may not export the dossier."));
    assert_eq!(Browser::new(Some(AUDITOR)).get("/incident/0/print").await.status, 404);
}

#[tokio::test]
async fn german_is_spoken_about_what_people_do() {
    let german = || Browser::new(Some(STAFF_GERMAN));
    let told = page(STAFF_GERMAN, EMERGENCY_STOP).await.text;
    let step = "<b>Token 7</b> hat abgeschlossen: Falsche Benutzung. Jemand wurde verletzt.";
    for words in ["Ich kümmere mich", "absichtlich – abschließen", step, "Verlauf"] {
        assert!(told.contains(words), "{words}");
    }
    let handling = Handling::default();
    act(STAFF_GERMAN, &handling, EMERGENCY_STOP, &[("step", "close-normal")]).await;
    assert!(handling.asked_once().contains("Mit der Person gesprochen, nicht verletzt, absichtlich."));
    let wrong = act(STAFF_GERMAN, &Handling::default(), FAULT, &[("step", "take")]).await;
    assert!(wrong.text.contains("otto hat ihn inzwischen abgeschlossen."));
    let list = german().get("/incidents").await.text;
    assert!(
        list.contains("Braucht jemanden</a>")
            && list.contains("quittiert")
            && list.contains("Mit den ausgewählten")
    );
    let print = german().get(&format!("/incident/{FAULT}/print")).await.text;
    assert!(print.contains("Verankert: Jemand") && print.contains("gestrichelt: Richtung nicht bekannt"));
}

/// Sends the form of the list.
async fn bulk(handling: &Handling, fields: &[(&str, &str)]) -> Answer {
    let token = crate::form::token(SESSION).to_string();
    let mut all = vec![("token", token.as_str()), ("seen", "1")];
    all.extend(fields);
    Browser::new(Some(SESSION)).handling(handling).post("/incidents/step", &all).await
}

#[tokio::test]
async fn several_are_stepped_at_once_and_the_list_says_how_many() {
    let check = async |fields: &[(&str, &str)], asked: &str, done: &str| {
        let handling = Handling::default();
        let mut all = vec![("back", "/incidents?people=mine&site=north"), ("incident", EMERGENCY_STOP)];
        all.extend(fields);
        all.push(("incident", EMERGENCY_STOP));
        let answer = bulk(&handling, &all).await;
        let to = format!("/incidents?people=mine&site=north&done={done}");
        assert_eq!((answer.status, answer.header("location")), (303, to.as_str()), "{}", answer.text);
        let sent = handling.asked_once();
        assert!(sent.contains(asked) && sent.matches(EMERGENCY_STOP).count() == 1, "{sent}");
        let shown = Browser::new(Some(SESSION)).get(&to).await.text;
        assert!(shown.contains("<div class=\"done\" role=\"status\"><p>Done: 1.</p></div>"));
        assert!(!shown.contains("done=acknowledge"), "it is said once");
    };
    check(&[("step", "acknowledge")], "AcknowledgeIncidentsRequest", "acknowledge-1").await;
    check(&[("step", "take")], "user: \"me\"", "take-1").await;
    let close = [("step", "close"), ("cause", "drill"), ("hurt", "no"), ("note", "test day")];
    check(&close, "cause: Drill, hurt: No, note: \"test day\"", "close-1").await;
}

#[tokio::test]
async fn what_was_not_done_of_several_is_named_with_its_reason() {
    let both = [("back", "/incidents"), ("incident", EMERGENCY_STOP), ("incident", FAULT)];
    let mut fields = both.to_vec();
    fields.push(("step", "take"));
    let answer = bulk(&Handling::default(), &fields).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text.contains("Done: 1. Not done: 1."));
    let named = format!(
        "<a href=\"/incident/{FAULT}\">Drive or sensor fault on n-9</a>: otto has closed it meanwhile."
    );
    assert!(answer.text.contains(&named), "{}", answer.text);
    let unknown = "<script>alert(1)</script>";
    let fields = [("back", "/incidents"), ("incident", unknown), ("step", "acknowledge")];
    let answer = bulk(&Handling::default(), &fields).await;
    assert!(answer.text.contains("There is no such incident") && !answer.text.contains(unknown));
    let mut fields = both.to_vec();
    fields.extend([("step", "close"), ("hurt", "no"), ("note", "a < b")]);
    let answer = bulk(&Handling::default(), &fields).await;
    assert!(answer.text.contains("Say why it happened") && answer.text.contains(">a &#60; b</textarea>"));
    let row = answer.text.split_once(&format!("value=\"{EMERGENCY_STOP}\" form=\"bulk\"")).unwrap().1;
    assert!(row.split_once('>').unwrap().0.ends_with(" checked"), "it stays selected");
}

#[tokio::test]
async fn a_form_of_the_list_that_cannot_be_is_refused_before_anything_is_done() {
    let handling = Handling::default();
    let none = bulk(&handling, &[("back", "/incidents"), ("step", "take")]).await;
    assert_eq!(none.status, 422);
    assert!(none.text.contains("Nothing is selected. Tick at least one incident."));
    let ids: Vec<String> = (0..101).map(|n| format!("{n:032x}")).collect();
    let mut many: Vec<(&str, &str)> = ids.iter().map(|id| ("incident", id.as_str())).collect();
    many.extend([("back", "/incidents"), ("step", "take")]);
    let many = bulk(&handling, &many).await;
    assert!(many.status == 422 && many.text.contains("At most 100 incidents are allowed at once."));
    for back in ["", "https://evil.example", "//evil.example", "/incidents?colour=red"] {
        let fields = [("back", back), ("incident", EMERGENCY_STOP), ("step", "take")];
        assert_eq!(bulk(&handling, &fields).await.status, 403, "{back}");
    }
    assert_eq!(handling.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn a_list_shows_first_what_needs_a_person() {
    let check = async |query: &str, states: &[i32], shelved: Option<bool>, assignee: &str, tab: &str| {
        let incidents = Incidents::default();
        let page = Browser::new(Some(SESSION)).watching(&incidents).get(&format!("/incidents{query}")).await;
        let filter = incidents.asked().remove(0).filter.unwrap();
        assert_eq!((filter.handling_states.as_slice(), filter.shelved), (states, shelved), "{query}");
        assert_eq!(filter.assignee, assignee);
        assert!(
            page.text.contains(&format!("id=\"tab-{tab}\" href=\"/incidents{query}\" aria-current=\"page\""))
        );
    };
    check("", &[1, 2, 3], Some(false), "", "needs").await;
    check("?people=all", &[], None, "", "all").await;
    check("?people=closed", &[4], None, "", "closed").await;
    check("?people=shelved", &[], Some(true), "", "shelved").await;
    check("?people=mine", &[1, 2, 3], None, "me", "mine").await;
    let list =
        Browser::new(Some(SESSION)).get("/incidents?people=closed&page=v1%2Bolder%2Fpage%3D").await.text;
    assert!(list.contains("<span class=\"handling h-closed\">closed · otto</span>"));
    assert!(
        list.contains("href=\"/incidents?people=all\"") && list.contains("name=\"people\" value=\"closed\"")
    );
}

#[tokio::test]
async fn the_chain_and_the_floor_tell_what_is_open() {
    let chain = Browser::new(Some(SESSION)).get("/").await.text;
    let (north, south) = chain.split_once("id=\"site-south\"").unwrap();
    assert!(!north.contains("No machine needs anybody.") && south.contains("No machine needs anybody."));
    for part in [
        "Critical <b>2</b></span> <small>(1 not acknowledged)</small>",
        "Low <b>3</b>",
        &format!("href=\"/incident/{EMERGENCY_STOP}\">Emergency stop</a>, "),
        "Proof tests overdue</dt><dd class=\"away\"><a id=\"proofs-north\" href=\"/proofs?site=north\">4<",
        "id=\"incidents-north\" href=\"/incidents?site=north\"",
    ] {
        assert!(north.contains(part), "{part} is not in {north}");
    }
    assert!(south.contains("Open incidents</a>: none"));
    let floor = Browser::new(Some(SESSION)).get("/floor/north").await.text;
    let link = "href=\"/incidents?site=north\">Incidents that need somebody: 5</a>";
    assert!(floor.contains(link) && floor.contains("<p id=\"open-incidents\" class=\"needed\""));
    let part = Browser::new(Some(SESSION)).get("/incidents/open/north").await;
    assert!(
        part.status == 200 && part.text.starts_with("<p id=\"open-incidents\"") && part.text.contains(link)
    );
    assert!(
        !Browser::new(Some(SESSION)).get("/floor/south").await.text.contains("Incidents that need somebody")
    );
}
