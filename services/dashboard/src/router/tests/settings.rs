//! Hours of a site, machines that move, and machines that were serviced.

use super::fake::admin::{ADMIN, ADMIN_GERMAN, Admin, TECHNICIAN};
use super::fake::{Answer, Browser, SCRIPT, SESSION_VIEWER};

async fn send(session: &'static str, path: &str, fields: &[(&str, &str)]) -> (Answer, Vec<String>) {
    let (admin, token) = (Admin::default(), crate::form::token(session).to_string());
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    let answer = Browser::new(Some(session)).administering(&admin).post(path, &all).await;
    (answer, admin.asked())
}

const SITE: &str = "/administration/sites/north";

#[tokio::test]
async fn a_site_s_form_has_a_line_a_day() {
    let page = Browser::new(Some(ADMIN)).get(SITE).await;
    assert_eq!(page.status, 200);
    for part in [
        "Open on Monday",
        "Open on Sunday",
        "With staff on Monday",
        "With staff on Sunday",
        "First day of the",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    let german = Browser::new(Some(ADMIN_GERMAN)).get(SITE).await;
    assert!(german.text.contains("Montag geöffnet") && german.text.contains("Sonntag mit Personal"));
}

#[tokio::test]
async fn only_hours_that_were_changed_are_sent() {
    let check = async |fields: &[(&str, &str)], expected: &[&[&str]]| {
        let (answer, asked) = send(ADMIN, SITE, fields).await;
        assert_eq!(answer.status, 303, "{fields:?}");
        assert_eq!(asked.len(), expected.len(), "{asked:?}");
        for (asked, parts) in asked.iter().zip(expected) {
            assert!(parts.iter().all(|part| asked.contains(part)), "{asked} has {parts:?}");
        }
    };
    let span = "StaffedSpan { day: 2, start_minute: 360, end_minute: 1320 }";
    let kept = ["SetOpeningHoursRequest", span, "first_weekday: None"];
    check(&[("open.2", "06:00-22:00")], &[&kept]).await;
    let sunday = ["hours: None", "first_weekday: Some(7)"];
    check(&[("first_weekday", "7"), ("was.first_weekday", "1")], &[&sunday]).await;
    let two = [("open.2", "06:00-22:00"), ("staffed.2", "06:00-22:00")];
    check(&two, &[&["SetOpeningHours", span], &["SetStaffedHours", span]]).await;
    // Nobody says any more.
    check(&[("staffed.1", ""), ("was.staffed.1", "06:00-22:00")], &[&["SetStaffed", "spans: []"]]).await;
    let all = [("display_name", "North"), ("staffed.7", "8:00-12:00, 14:00-24:00")];
    check(&all, &[&["paths: [\"display_name\"]"], &["day: 7, start_minute: 840, end_minute: 1440"]]).await;
}

#[tokio::test]
async fn hours_that_cannot_be_are_refused_beside_their_day() {
    for (field, value, words) in [
        ("open.3", "06:10-22:00", "whole quarters of an hour"),
        ("open.1", "22:00-06:00", "whole quarters of an hour"),
        ("staffed.5", "all day", "in order and apart"),
        ("first_weekday", "8", "Choose one of these"),
    ] {
        let (answer, asked) = send(ADMIN, SITE, &[(field, value)]).await;
        assert_eq!((answer.status, asked.len()), (422, 0), "{field}");
        let (_, error) = answer.text.split_once(&format!("id=\"{field}-error\">")).expect(field);
        assert!(error.split('<').next().unwrap().contains(words), "{field}: {error}");
    }
}

#[tokio::test]
async fn a_machine_moves_by_its_form() {
    let path = "/administration/machines/n-1";
    let page = Browser::new(Some(ADMIN)).get(path).await;
    assert!(page.text.contains("<option value=\"north\" selected>Northside"), "where it stands");
    assert!(page.text.contains("stays with the old site"));
    let to = |site: &'static str| {
        let kinds =
            [("belt", "one_way"), ("was.belt", "one_way"), ("drive", "motor"), ("was.drive", "motor")];
        [("site_id", site), ("was.site_id", "north"), kinds[0], kinds[1], kinds[2], kinds[3]]
    };
    let (answer, asked) = send(ADMIN, path, &to("south")).await;
    assert_eq!((answer.status, asked.len()), (303, 1));
    assert!(
        asked[0].contains("site_id: \"south\"") && asked[0].contains("paths: [\"site_id\"]"),
        "{asked:?}"
    );
    let (answer, asked) = send(ADMIN, path, &to("north")).await;
    assert_eq!((answer.status, asked.len()), (303, 0));
    let (answer, asked) = send(ADMIN, path, &to("mars")).await;
    assert_eq!((answer.status, asked.len()), (422, 0));
    assert!(answer.text.contains("id=\"site_id-error\">Choose a site"));
}

#[tokio::test]
async fn a_machine_is_said_to_be_serviced() {
    let path = "/machine/n-1/maintained";
    let machine = Browser::new(Some(ADMIN)).get("/machine/n-1").await;
    assert!(machine.text.contains(&format!("href=\"{path}\"")));
    assert!(machine.text.contains("Serviced last on 2026-11-21: belt waxed"));
    let viewer = Browser::new(Some(SESSION_VIEWER)).get("/machine/n-1").await;
    assert!(viewer.status == 200 && !viewer.text.contains(path), "they may not");
    let german = Browser::new(Some(ADMIN_GERMAN)).get(path).await;
    assert!(
        german.text.contains("Was getan wurde") && german.text.contains("Zuletzt gewartet am 2026-11-21")
    );
    let (answer, asked) = send(ADMIN, path, &[("note", " belt waxed ")]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/machine/n-1"));
    assert!(asked[0].contains("note: \"belt waxed\"") && asked[0].contains("time: None"), "{asked:?}");
    let (answer, _) = send(ADMIN, path, &[("note", "")]).await;
    assert_eq!(answer.status, 303, "a note is not needed");
    let (answer, asked) = send(ADMIN, path, &[("note", &"x".repeat(201))]).await;
    assert_eq!((answer.status, asked.len()), (422, 0));
    assert!(answer.text.contains("id=\"note-error\" role=\"alert\">Use at most 200"));
    let (answer, _) = send(ADMIN, path, &[("note", SCRIPT)]).await;
    assert_eq!(answer.status, 422, "the API refuses it");
    assert!(!answer.text.contains(SCRIPT));
    for session in [SESSION_VIEWER, TECHNICIAN] {
        let (answer, asked) = send(session, path, &[("note", "belt waxed")]).await;
        assert_eq!((answer.status, asked.len()), (403, 0), "without the permission to handle");
    }
}
