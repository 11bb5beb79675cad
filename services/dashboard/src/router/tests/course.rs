//! Courses: the list, one course, its print, and who may see them.

use super::fake::admin::{ADMIN, TECHNICIAN};
use super::fake::course::{Courses, MANAGER, THERAPIST, THERAPIST_GERMAN, Ward};
use super::fake::handling::{AUDITOR, LOOKER};
use super::fake::{Answer, Browser, SCRIPT, SESSION, SESSION_VIEWER};

const PAGES: [&str; 8] = [
    "/courses",
    "/courses/add",
    "/courses/label",
    "/courses/7",
    "/courses/7/prescription",
    "/courses/7/owner",
    "/courses/7/end",
    "/courses/7/print",
];

async fn see(session: &'static str, ward: Ward, path: &str) -> Answer {
    Browser::new(Some(session)).labelling(&Courses::with(ward)).get(path).await
}

async fn page(path: &str) -> String {
    let answer = see(THERAPIST, Ward::Busy, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.text
}

#[tokio::test]
async fn who_may_have_no_courses_sees_none() {
    for path in PAGES {
        for session in [SESSION, SESSION_VIEWER, LOOKER, AUDITOR, TECHNICIAN, ADMIN] {
            let courses = Courses::default();
            let answer = Browser::new(Some(session)).labelling(&courses).get(path).await;
            assert_eq!((answer.status, courses.asked().len()), (403, 0), "{session} {path}");
            assert!(!answer.text.contains("href=\"/courses\""), "{session} {path}");
        }
        for session in [THERAPIST, MANAGER] {
            assert_eq!(see(session, Ward::Busy, path).await.status, 200, "{session} {path}");
        }
        let stranger = Browser::new(None).get(path).await;
        assert_eq!(stranger.status, 303, "{path}");
    }
    assert!(page("/courses").await.contains("href=\"/courses\" aria-current=\"true\""));
}

#[tokio::test]
async fn script_in_names_stays_text() {
    for path in PAGES.iter().chain(&["/courses?ended=yes&site=%3Cscript%3E", "/courses/6"]) {
        for session in [THERAPIST, THERAPIST_GERMAN] {
            let answer = see(session, Ward::Busy, path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert!(!answer.text.contains(SCRIPT) && !answer.text.contains("style=\""), "{path}");
            assert!(!answer.text.contains("://"), "{path} names another host");
            let own = answer.text.matches("<script src=\"/assets/").count();
            assert_eq!(answer.text.matches("<script").count(), own, "{path}");
        }
    }
    assert!(page("/courses?ended=yes").await.contains("alert("), "the name is shown");
}

#[tokio::test]
async fn the_list_shows_those_that_go_on_and_others_on_request() {
    let courses = Courses::default();
    let browser = Browser::new(Some(MANAGER)).labelling(&courses);
    let list = browser.get("/courses").await;
    assert!(list.text.contains("href=\"/courses/7\">K-17</a>") && !list.text.contains("old-1"));
    assert!(list.text.contains(
        "3 sessions a week, 10 min in reverse a session, at most 3.26\u{a0}km/h, intervals of 30 s, for 6 weeks"
    ));
    assert!(list.text.contains("<span>anna</span>") && list.text.contains("<span>Northside</span>"));
    assert!(list.text.contains("2027-01-01") && list.text.contains("goes on"));
    let all = browser.get("/courses?site=north&ended=yes").await;
    assert!(all.text.contains("old-1") && all.text.contains("ended 2027-01-15"));
    assert!(all.text.contains("<option value=\"north\" selected>"));
    assert!(all.text.contains("site=north&#38;ended=yes&#38;page=v1%2Bolder%2Fpage%3D"), "{}", all.text);
    let asked = courses.asked_of("ListCoursesRequest");
    assert!(asked[0].contains("site_id: \"\", with_ended: false, page_size: 100"), "{asked:?}");
    assert!(asked[1].contains("site_id: \"north\", with_ended: true"), "{asked:?}");
    assert_eq!(browser.get("/courses?site=nowhere").await.status, 404);
    let therapist = page("/courses").await;
    assert!(!therapist.contains("<select id=\"site\""), "they have one site");
}

#[tokio::test]
async fn a_course_is_told_week_by_week_against_what_was_prescribed() {
    let text = page("/courses/7").await;
    let (_, weeks) = text.split_once("<table class=\"rows weeks\"").unwrap();
    let rows: Vec<&str> = weeks.split("</table>").next().unwrap().split("<tr role=\"row\">").collect();
    assert_eq!(rows.len(), 4);
    assert!(rows[2].contains("week from 2027-01-11"), "the newest first");
    let week = rows[3];
    for words in [
        "Sessions: 3 of 3 <b class=\"verdict\"><span class=\"mark\" aria-hidden=\"true\"></span>kept</b>",
        "compared v-failed\">In reverse a session: 9:58 min, at least 10:00 min",
        "Greatest speed: 3.6\u{a0}km/h, at most 3.26\u{a0}km/h",
        "compared v-blind\">Median interval: nothing to tell, about 30 s <b class=\"verdict\">",
        "cannot be told",
        "not kept",
        "data-label=\"In reverse\"><span>30 min<",
        "data-label=\"Direction unknown\"><span>10 min<",
        "<span>2.9 / 3.6\u{a0}km/h<",
        "<span>12, longest 45 s<",
        "<span>20 min · 0 min · 10 min<",
        "<span>4 d<",
        "<span>93 %<",
        "data-label=\"Incidents\"><span>1<",
    ] {
        assert!(week.contains(words), "{words}: {week}");
    }
    let (_, chart) = text.split_once("<svg class=\"histogram\"").unwrap();
    assert!(chart.contains("<title>2027-01-04: reverse 30 min, direction unknown 10 min</title>"));
    assert!(chart.contains("class=\"k-reverse\" fill=\"url(#p-reverse)\" x=\"5.00%\" width=\"40.00%\" y=\"25.00%\" height=\"75.00%\""));
    assert!(chart.contains("class=\"k-unknown\" fill=\"url(#p-unknown)\" x=\"5.00%\" width=\"40.00%\" y=\"0.00%\" height=\"25.00%\""));
    for pattern in ["p-reverse", "p-unknown"] {
        assert_eq!(text.matches(&format!("id=\"{pattern}\"")).count(), 1, "{pattern}");
    }
    assert!(text.contains("some of it may have been in reverse"));
    assert!(text.contains("Complete up to 2027-01-15 09:00:00."));
}

#[tokio::test]
async fn a_course_lists_its_sessions_with_intervals_and_the_step_up() {
    let text = page("/courses/7").await;
    let (_, sessions) = text.split_once("id=\"s-bb02\"").unwrap();
    for words in [
        "2027-01-15 09:00",
        "href=\"/machine/n-1\"",
        "reverse 10 min, greatest speed in reverse 3.6\u{a0}km/h, direction unknown 2.0 min",
        "0.36\u{a0}km/h faster than the time before",
        "incidents: 1",
        "seen for 90 %",
        "30 s · 25 m · up to 3.24\u{a0}km/h · then the belt stood for 60 s",
        "Take it off this course",
        "The newest 1 of 3 sessions are shown.",
    ] {
        assert!(sessions.contains(words), "{words}: {sessions}");
    }
    assert!(text.contains("href=\"/courses/label?site=north\""));
    let ended = page("/courses/6").await;
    assert!(ended.contains("ended 2027-01-15") && ended.contains("Nothing is prescribed."));
    for gone in ["/courses/6/prescription", "/courses/6/owner", "/courses/6/end", "/courses/label?site"] {
        assert!(!ended.contains(gone), "{gone}");
    }
    assert!(
        ended.contains("No session is on this course yet.") && !ended.contains("<svg class=\"histogram\"")
    );
}

#[tokio::test]
async fn a_course_is_printed_on_one_page() {
    let text = page("/courses/7/print").await;
    for words in [
        "<h1>Course K-17</h1>",
        "Northside",
        "Prescribed: 3 sessions a week",
        "<th scope=\"col\">Minutes in reverse a session</th>",
        "<td>3: <b>kept</b></td><td>9:58 min: <b>not kept</b></td><td>3.6\u{a0}km/h: <b>not kept</b></td>",
        "<td>nothing to tell: <b>cannot be told</b></td></tr>",
        "<th scope=\"row\">2027-01-04</th><td>3</td><td>30 min</td><td>10 min</td>",
        "Intervals: 2; <b>incidents: 1</b>; seen for 90 %",
        "Europe/Vienna",
        "course_print.css",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(text.matches("<th scope=\"row\">2027-01-11</th>").count(), 1, "nothing to hold against");
    assert!(!text.contains("<form") && !text.contains("<nav"));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_is_out_is_named() {
    for path in
        ["/courses/8", "/courses/x", "/courses/8/print", "/courses/6/prescription", "/courses/6/owner"]
    {
        assert_eq!(see(THERAPIST, Ward::Busy, path).await.status, 404, "{path}");
    }
    for (path, part) in [
        ("/courses", "Courses"),
        ("/courses/7", "The course"),
        ("/courses/label", "Sessions to put on courses"),
    ] {
        let answer = see(THERAPIST, Ward::Out, path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.text.contains(&format!("{part} cannot be shown now.")), "{path}: {}", answer.text);
    }
    let none = see(THERAPIST, Ward::Empty, "/courses").await;
    assert!(none.text.contains("There is no course here yet."));
    let empty = see(THERAPIST, Ward::Empty, "/courses/7").await;
    assert_eq!(empty.status, 200);
    assert!(empty.text.contains("No week is told yet.") && empty.text.contains("No session is on this"));
}

#[tokio::test]
async fn german_and_miles_are_spoken_to_whoever_prefers_them() {
    let course = see(THERAPIST_GERMAN, Ward::Busy, "/courses/7").await;
    for words in [
        "Verlauf K-17",
        "höchstens 2,02\u{a0}mph",
        "Trainings: 3 von 3",
        "nicht zu sagen",
        "0,22\u{a0}mph schneller als beim vorigen Mal",
        "danach: das Band stand, 60 s",
    ] {
        assert!(course.text.contains(words), "{words}: {}", course.text);
    }
    let form = see(THERAPIST_GERMAN, Ward::Busy, "/courses/7/prescription").await;
    assert!(form.text.contains("Größte Geschwindigkeit, in mph") && form.text.contains("value=\"2,02\""));
    assert!(form.text.contains("0,23 bis 6,71."), "{}", form.text);
}
