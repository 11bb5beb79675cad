//! Courses made, changed, handed over and ended, and sessions put on them.

use super::fake::course::{BARE, Courses, LABELLED, MANAGER, THERAPIST, THERAPIST_GERMAN, Ward};
use super::fake::{Answer, Browser, SCRIPT, SESSION};

/// Sends a form with its session's token; what came back, and what the API was asked.
async fn send(session: &'static str, ward: Ward, path: &str, fields: &[(&str, &str)]) -> (Answer, Courses) {
    let (courses, token) = (Courses::with(ward), crate::form::token(session).to_string());
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    (Browser::new(Some(session)).labelling(&courses).post(path, &all).await, courses)
}

const PATHS: [&str; 5] =
    ["/courses/add", "/courses/label", "/courses/7/prescription", "/courses/7/owner", "/courses/7/end"];

#[tokio::test]
async fn forms_are_refused_to_others_and_without_a_token() {
    for path in PATHS {
        let (answer, courses) = send(SESSION, Ward::Busy, path, &[("course", "7"), ("code", "K-1")]).await;
        assert_eq!((answer.status, courses.asked().len()), (403, 0), "{path}");
        let courses = Courses::default();
        let answer = Browser::new(Some(THERAPIST)).labelling(&courses).post(path, &[("course", "7")]).await;
        assert_eq!((answer.status, courses.asked().len()), (403, 0), "{path}");
    }
}

#[tokio::test]
async fn a_course_is_made_from_what_was_typed() {
    let fields = [
        ("site_id", "north"),
        ("code", " K-18 "),
        ("request", "0123abcd"),
        ("sessions_a_week", "3"),
        ("reverse_s", "7.5"),
        ("speed_max_mps", "3,6"),
        ("interval_s", "30"),
        ("weeks", ""),
    ];
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/add", &fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/courses/7?done=made"));
    let asked = courses.asked_of("CreateCourseRequest").remove(0);
    for words in [
        "site_id: \"north\", code: \"K-18\"",
        "sessions_a_week: Some(3), reverse_s: Some(450), speed_max_mps: Some(1.0), interval_s: Some(30), weeks: None",
        "request_id: \"0123abcd\"",
    ] {
        assert!(asked.contains(words), "{words}: {asked}");
    }
    let bare = [("site_id", "north"), ("code", "K-18")];
    let (_, courses) = send(THERAPIST, Ward::Busy, "/courses/add", &bare).await;
    assert!(courses.asked_of("CreateCourseRequest")[0].contains("prescription: None"));
    let done = Browser::new(Some(THERAPIST)).get("/courses/7?done=made").await;
    assert!(done.text.contains("<p class=\"done\" role=\"status\">The course is made.</p>"));
}

#[tokio::test]
async fn what_is_wrong_stands_at_its_field_and_nothing_is_asked() {
    for (field, value, words) in [
        ("code", "", "Use 1 to 16 of"),
        ("code", "Anna Müller", "do not write names"),
        ("code", "12345678901234567", "Use 1 to 16 of"),
        ("site_id", "south", "Choose one of your sites."),
        ("sessions_a_week", "15", "from 1 to 14"),
        ("sessions_a_week", "three", "from 1 to 14"),
        ("reverse_s", "0.4", "0.5 to 120"),
        ("reverse_s", "121", "0.5 to 120"),
        ("reverse_s", "-1", "0.5 to 120"),
        ("reverse_s", "1e2", "0.5 to 120"),
        ("speed_max_mps", "0.3", "Give 0.36 to 10.8, or nothing."),
        ("speed_max_mps", "11", "Give 0.36 to 10.8"),
        ("interval_s", "4", "from 5 to 1800"),
        ("weeks", "53", "from 1 to 52"),
        ("weeks", "NaN", "from 1 to 52"),
    ] {
        let mut fields = vec![("site_id", "north"), ("code", "K-1")];
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/add", &fields).await;
        assert_eq!((answer.status, courses.asked().len()), (422, 0), "{field} {value}: {}", answer.text);
        let (_, error) = answer
            .text
            .split_once(&format!("<p class=\"error\" id=\"{field}-error\">"))
            .unwrap_or_else(|| panic!("{field} {value}: {}", answer.text));
        assert!(error.split_once("</p>").unwrap().0.contains(words), "{field} {value}: {error}");
        assert!(answer.text.contains(&format!("aria-describedby=\"{field}-error")), "{field}");
        assert!(answer.text.contains("Nothing was saved yet"), "{field}");
        if field != "site_id" {
            assert!(answer.text.contains(&format!("value=\"{value}\"")), "{field}: what was typed stays");
        }
    }
}

#[tokio::test]
async fn the_ends_of_what_is_allowed_are_allowed() {
    for (session, speed, mps) in [
        (THERAPIST, "0.36", "0.1"),
        (THERAPIST, "10.8", "3.0"),
        (THERAPIST_GERMAN, "0,23", "0.103"),
        (THERAPIST_GERMAN, "6,71", "3.0"),
    ] {
        let fields = [("site_id", "north"), ("code", "K-1"), ("speed_max_mps", speed), ("reverse_s", "0,5")];
        let (answer, courses) = send(session, Ward::Busy, "/courses/add", &fields).await;
        assert_eq!(answer.status, 303, "{speed}: {}", answer.text);
        let asked = courses.asked_of("CreateCourseRequest").remove(0);
        assert!(asked.contains(&format!("reverse_s: Some(30), speed_max_mps: Some({mps})")), "{asked}");
    }
}

#[tokio::test]
async fn what_the_api_refuses_stands_at_its_field() {
    let make = [("site_id", "north"), ("code", "K-1"), ("sessions_a_week", "3")];
    let (refused, _) = send(THERAPIST, Ward::Refused, "/courses/add", &make).await;
    assert_eq!(refused.status, 422);
    for words in ["id=\"code-error\">Use 1 to 16 of", "id=\"sessions_a_week-error\">Give a whole number"] {
        assert!(refused.text.contains(words), "{words}: {}", refused.text);
    }
    assert!(!refused.text.contains(SCRIPT));
    let (taken, _) = send(THERAPIST, Ward::Second, "/courses/add", &make).await;
    assert_eq!(taken.status, 422);
    assert!(taken.text.contains("id=\"code-error\">A course with this code goes on at this site."));
    let (german, _) = send(THERAPIST_GERMAN, Ward::Second, "/courses/add", &make).await;
    assert!(german.text.contains("In diesem Studio läuft ein Verlauf mit diesem Kürzel."));
    let (owner, _) = send(MANAGER, Ward::Refused, "/courses/7/owner", &[("owner", "nobody")]).await;
    assert_eq!(owner.status, 422);
    assert!(owner.text.contains("id=\"owner-error\">Give the name of a user who may have courses"));
    assert!(owner.text.contains("value=\"nobody\""));
    let (empty, courses) = send(MANAGER, Ward::Busy, "/courses/7/owner", &[("owner", " ")]).await;
    assert_eq!((empty.status, courses.asked_of("UpdateCourseRequest").len()), (422, 0));
    let (out, _) = send(THERAPIST, Ward::Out, "/courses/7/end", &[]).await;
    assert_eq!(out.status, 503);
}

#[tokio::test]
async fn what_nobody_touched_stays_exactly_as_it_was() {
    let kept = [
        ("sessions_a_week", "2"),
        ("reverse_s", "10"),
        ("speed_max_mps", "3.26"),
        ("interval_s", "30"),
        ("weeks", "6"),
    ];
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/7/prescription", &kept).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/courses/7?done=changed"));
    let asked = courses.asked_of("UpdateCourseRequest").remove(0);
    // 3.26 km/h would be 0.906 m/s.
    assert!(
        asked.contains("sessions_a_week: Some(2), reverse_s: Some(600), speed_max_mps: Some(0.905)"),
        "{asked}"
    );
    assert!(asked.contains("owner: \"\""), "{asked}");
    let (_, courses) = send(THERAPIST, Ward::Busy, "/courses/7/prescription", &[]).await;
    let asked = courses.asked_of("UpdateCourseRequest").remove(0);
    assert!(
        asked.contains("prescription: Some(Prescription { sessions_a_week: None, reverse_s: None"),
        "{asked}"
    );
}

#[tokio::test]
async fn a_course_is_handed_over_and_ended() {
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/7/owner", &[("owner", " berta ")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/courses?done=handed-over"));
    let asked = courses.asked_of("UpdateCourseRequest").remove(0);
    assert!(asked.contains("prescription: None, owner: \"user:berta\""), "{asked}");
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/7/end", &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/courses/7?done=ended"));
    assert_eq!(courses.asked_of("EndCourseRequest").len(), 1);
}

#[tokio::test]
async fn sessions_of_a_site_are_offered_with_the_courses_that_go_on() {
    let courses = Courses::default();
    let list = Browser::new(Some(THERAPIST)).labelling(&courses).get("/courses/label?site=north").await;
    assert_eq!(list.status, 200);
    let rows: Vec<&str> = list.text.split("<li id=\"s-").collect();
    assert_eq!(rows.len(), 4);
    let bare = rows[1];
    assert!(bare.starts_with(BARE) && bare.contains("reverse 10 min") && bare.contains("2027-01-15 09:00"));
    assert!(bare.contains(
        "<option value=\"0\">on no course</option><option value=\"7\">K-17 (anna)</option></select>"
    ));
    assert!(rows[2].contains("<option value=\"7\" selected>"));
    assert!(rows[3].contains("<option value=\"6\" selected>old-1 (ended)</option><option value=\"7\">"));
    let asked = courses.asked_of("ListLabelSessionsRequest").remove(0);
    assert!(asked.contains("site_id: \"north\", machine_id: \"\", page_size: 50"), "{asked}");
    assert!(courses.asked_of("ListCoursesRequest")[0].contains("site_id: \"north\", with_ended: false"));
    let first = Browser::new(Some(THERAPIST)).get("/courses/label").await;
    assert!(first.text.contains("name=\"site\" value=\"north\""), "their first site");
    for path in ["/courses/label?site=south", "/courses/label?site=nowhere", "/courses/label?page=stale"] {
        assert_eq!(Browser::new(Some(THERAPIST)).get(path).await.status, 404, "{path}");
    }
    let empty = Browser::new(Some(THERAPIST)).labelling(&Courses::with(Ward::Empty));
    let empty = empty.get("/courses/label").await;
    assert!(empty.text.contains("There was no such session.") && empty.text.contains("No course goes on at"));
}

#[tokio::test]
async fn a_session_is_put_on_a_course_and_taken_off() {
    let at = |course: &'static str, session: &'static str| {
        vec![("session", session), ("course", course), ("site", "north"), ("page", "")]
    };
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/label", &at("7", BARE)).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), "/courses/label?site=north&done=labelled#s-aa01");
    assert!(courses.asked()[0].contains("session_id: \"aa01\", course_id: 7"), "{:?}", courses.asked());
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/label", &at("0", LABELLED)).await;
    assert_eq!(answer.header("location"), "/courses/label?site=north&done=taken-off#s-bb02");
    assert!(courses.asked()[0].contains("course_id: 0"));
    let off = [("session", LABELLED), ("course", "0"), ("from", "7")];
    let (answer, _) = send(THERAPIST, Ward::Busy, "/courses/label", &off).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/courses/7?done=taken-off#sessions"));
    let (answer, courses) = send(THERAPIST, Ward::Busy, "/courses/label", &at("seven", BARE)).await;
    assert_eq!((answer.status, courses.asked().len()), (403, 0));
    let evil = [("session", "x#\r\nset-cookie: a"), ("course", "0"), ("site", "//evil.example")];
    let (answer, _) = send(THERAPIST, Ward::Busy, "/courses/label", &evil).await;
    assert_eq!(answer.header("location"), "/courses/label?site=%2F%2Fevil.example&done=taken-off");
}

#[tokio::test]
async fn a_label_that_is_refused_says_so_at_its_session() {
    let fields = [("session", BARE), ("course", "7"), ("site", "north")];
    for ward in [Ward::Refused, Ward::Second] {
        let (answer, _) = send(THERAPIST, ward, "/courses/label", &fields).await;
        assert_eq!(answer.status, 422);
        let (_, row) = answer.text.split_once("id=\"s-aa01\"").unwrap();
        let row = row.split("<li id=").next().unwrap();
        assert!(row.contains("id=\"course-1-error\" role=\"alert\">That could not be saved"), "{row}");
        assert!(row.contains("aria-describedby=\"course-1-error\"") && !answer.text.contains(SCRIPT));
    }
    let gone = [("session", "gone"), ("course", "7"), ("site", "north")];
    let (answer, _) = send(THERAPIST, Ward::Busy, "/courses/label", &gone).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("<p class=\"error\" role=\"alert\">There is no such session any more"));
}
