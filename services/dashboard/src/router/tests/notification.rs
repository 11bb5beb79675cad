//! The pages that say who is told of incidents.

use super::fake::admin::{ADMIN, ADMIN_GERMAN, ADMIN_SOUTH, TECHNICIAN};
use super::fake::notification::{Notification, OLDER, SECRET, SENT, WAITING};
use super::fake::{Answer, Browser, SCRIPT, SESSION_VIEWER};

const LISTS: [&str; 3] = ["/administration/contacts", "/administration/policies", "/administration/notices"];
const FORMS: [&str; 6] = [
    "/administration/add/contact",
    "/administration/contacts/duty",
    "/administration/contacts/duty/test",
    "/administration/contacts/duty/renew",
    "/administration/contacts/duty/delete",
    "/administration/policies/north",
];
const SAVED: [&str; 8] = [
    "/administration/add/contact",
    "/administration/contacts/duty",
    "/administration/contacts/duty/test",
    "/administration/contacts/duty/renew",
    "/administration/contacts/boss/delete",
    "/administration/policies/north/chain",
    "/administration/policies/north/deadlines",
    "/administration/policies/@all/service",
];

/// Sends a form with its session's token; what came back, and what the API was asked to change.
async fn send(session: &'static str, path: &str, fields: &[(&str, &str)]) -> (Answer, Vec<String>) {
    let notification = Notification::default();
    let token = crate::form::token(session).to_string();
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    let answer = Browser::new(Some(session)).notifying(&notification).post(path, &all).await;
    (answer, notification.asked())
}

async fn get(session: &'static str, path: &str) -> Answer {
    Browser::new(Some(session)).get(path).await
}

#[tokio::test]
async fn who_may_not_configure_sees_none_of_it() {
    for session in [SESSION_VIEWER, TECHNICIAN] {
        for page in LISTS.iter().chain(&FORMS) {
            assert_eq!(get(session, page).await.status, 403, "{page}");
        }
        for form in SAVED {
            let (answer, asked) = send(session, form, &[]).await;
            assert_eq!((answer.status, asked.len()), (403, 0), "{form}");
        }
    }
    let technician = get(TECHNICIAN, "/administration/machines").await;
    assert!(!LISTS.iter().any(|list| technician.text.contains(list)));
}

#[tokio::test]
async fn who_configures_one_site_changes_that_site_only() {
    let contacts = get(ADMIN_SOUTH, "/administration/contacts").await;
    assert!(contacts.text.contains("contacts/desk/delete"));
    assert!(!contacts.text.contains("contacts/duty/") && !contacts.text.contains("contacts/boss/"));
    for page in ["contacts/duty", "contacts/boss/renew", "policies/@all", "policies/north"] {
        assert_eq!(get(ADMIN_SOUTH, &format!("/administration/{page}")).await.status, 403, "{page}");
    }
    let add = get(ADMIN_SOUTH, "/administration/add/contact").await;
    assert!(add.text.contains("<option value=\"south\"") && !add.text.contains("<option value=\"north\""));
    assert!(!add.text.contains("<option value=\"\""), "a contact of all sites is not theirs");
    let policies = get(ADMIN_SOUTH, "/administration/policies").await;
    assert!(policies.text.contains("policies/south\"") && !policies.text.contains("policies/@all"));
    for form in ["policies/@all/chain", "contacts/boss/delete", "contacts/duty/renew"] {
        let (answer, asked) = send(ADMIN_SOUTH, &format!("/administration/{form}"), &[]).await;
        assert_eq!((answer.status, asked.len()), (403, 0), "{form}");
    }
}

#[tokio::test]
async fn every_form_is_refused_without_the_token_of_its_session() {
    let other = crate::form::token(ADMIN_GERMAN).to_string();
    for form in SAVED {
        for token in ["", other.as_str()] {
            let notification = Notification::default();
            let browser = Browser::new(Some(ADMIN)).notifying(&notification);
            let answer = browser.post(form, &[("token", token), ("name", "night")]).await;
            assert_eq!((answer.status, notification.asked().len()), (403, 0), "{form}");
        }
    }
}

#[tokio::test]
async fn script_in_names_stays_text() {
    let result = format!("/administration/contacts/duty/test?notice={SENT}");
    for page in LISTS.iter().chain(&FORMS).chain(&[result.as_str()]) {
        let answer = get(ADMIN, page).await;
        assert_eq!(answer.status, 200, "{page}");
        assert!(answer.text.contains("alert(") && !answer.text.contains(SCRIPT), "{page}");
        assert!(!answer.text.contains("style=\"") && !answer.text.contains("://"), "{page}");
        assert_eq!(answer.text.matches("<h1").count(), 1, "{page}");
    }
}

#[tokio::test]
async fn what_was_typed_stays_with_the_reason_beside_the_field() {
    let check = async |path: &str, typed: &[(&str, &str)], field: &str, reason: &str| {
        let (answer, _) = send(ADMIN, path, typed).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        let (_, after) = answer.text.split_once(&format!("id=\"{field}-error\">")).unwrap();
        assert!(after.starts_with(reason), "{path}: {after}");
        assert!(answer.text.contains("role=\"alert\""), "{path}");
        for (name, value) in typed {
            assert!(answer.text.contains(&format!("value=\"{value}\"")), "{path}: {name} stays");
        }
    };
    let add = "/administration/add/contact";
    let contact = |name: &'static str, url: &'static str, email: &'static str| {
        let told = [("is_anchor", "no"), ("weekly", "no")];
        [("name", name), ("webhook_url", url), ("email", email), told[0], told[1]]
    };
    check(add, &contact("night", "", ""), "webhook_url", "Fill in either").await;
    check(add, &contact("night", "https:x", "a@b"), "webhook_url", "Fill in either").await;
    check(add, &contact("night", "ftp:x", ""), "webhook_url", "Fill in either").await;
    check(add, &contact("duty", "https:x", ""), "name", "This is taken").await;
    check(add, &contact("Duty", "https:x", ""), "name", "Use 1 to 64").await;
    check("/administration/contacts/duty", &contact("", "ftp:x", ""), "webhook_url", "Fill in").await;
    for (anchor, weekly, field) in [("maybe", "no", "is_anchor"), ("no", "monthly", "weekly")] {
        let told = [("name", "night"), ("email", "a@b"), ("is_anchor", anchor), ("weekly", weekly)];
        let (answer, asked) = send(ADMIN, add, &told).await;
        assert_eq!((answer.status, asked.len()), (422, 0));
        assert!(answer.text.contains(&format!("id=\"{field}-error\">Choose one")), "{field}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_once_with_how_to_check_with_it() {
    let contact = [("name", "night"), ("webhook_url", "https:x"), ("is_anchor", "yes"), ("weekly", "no")];
    for (path, typed) in
        [("/administration/add/contact", &contact[..]), ("/administration/contacts/duty/renew", &[])]
    {
        let (answer, asked) = send(ADMIN, path, typed).await;
        assert_eq!((answer.status, asked.len()), (200, 1), "{path}");
        assert!(answer.text.contains(&format!(">{SECRET}</textarea>")), "{path}");
        assert_eq!(answer.text.matches(SECRET).count(), 1, "{path}: it is in no address");
        assert!(answer.text.contains("Beltwatch-Signature") && answer.text.contains("HMAC-SHA256"));
        assert_eq!((answer.header("location"), answer.header("cache-control")), ("", "no-store"));
    }
    let email = [("name", "night"), ("email", "a@b"), ("is_anchor", "no"), ("weekly", "yes")];
    let (answer, asked) = send(ADMIN, "/administration/add/contact", &email).await;
    let to = "/administration/contacts?done=contact-saved&id=night";
    assert_eq!((answer.status, answer.header("location")), (303, to));
    assert!(asked[0].contains("site_id: \"\"") && asked[0].contains("email: \"a@b\""), "{asked:?}");
    assert!(asked[0].contains("is_anchor: false") && asked[0].contains("weekly: true"), "{asked:?}");
    let (_, asked) = send(ADMIN, "/administration/contacts/duty/renew", &[]).await;
    assert!(asked[0].contains("renew_secret: true") && asked[0].contains("https:duty.example"));
    let unchanged = [
        ("webhook_url", "https:x"),
        ("was.webhook_url", "https:x"),
        ("is_anchor", "no"),
        ("was.is_anchor", "no"),
        ("weekly", "no"),
        ("was.weekly", "no"),
    ];
    let (answer, asked) = send(ADMIN, "/administration/contacts/duty", &unchanged).await;
    assert_eq!((answer.status, asked.len()), (303, 0));
}

#[tokio::test]
async fn deleting_is_asked_once_more_and_refused_while_a_chain_names_it() {
    let path = "/administration/contacts/boss/delete";
    let notification = Notification::default();
    let asked = Browser::new(Some(ADMIN)).notifying(&notification).get(path).await;
    assert_eq!((asked.status, notification.asked().len()), (200, 0));
    assert!(asked.text.contains(&format!("action=\"{path}\"")));
    let (answer, _) = send(ADMIN, path, &[]).await;
    let to = "/administration/contacts?done=contact-deleted&id=boss";
    assert_eq!((answer.status, answer.header("location")), (303, to));
    assert!(get(ADMIN, to).await.text.contains("The contact boss is deleted."));
    let (named, _) = send(ADMIN, "/administration/contacts/duty/delete", &[]).await;
    assert_eq!(named.status, 422);
    assert!(named.text.contains("a chain names the contact duty"));
    assert_eq!(get(ADMIN, "/administration/contacts/nobody/delete").await.status, 404);
}

#[tokio::test]
async fn a_test_shows_its_result_when_it_is_there() {
    let (answer, asked) = send(ADMIN, "/administration/contacts/duty/test", &[]).await;
    let to = format!("/administration/contacts/duty/test?notice={WAITING}");
    assert_eq!((answer.status, answer.header("location"), asked.len()), (303, to.as_str(), 1));
    let waiting = get(ADMIN, &to).await;
    assert!(waiting.text.contains("waiting") && waiting.text.contains("hx-trigger=\"every 2s\""));
    let again = format!("/administration/contacts/duty/test/result?notice={WAITING}");
    assert!(waiting.text.contains(&format!("hx-get=\"{again}\"")));
    assert!(get(ADMIN, &again).await.text.starts_with("<div id=\"result\""));
    let ended = get(ADMIN, &format!("/administration/contacts/duty/test?notice={SENT}")).await;
    assert!(ended.text.contains("given up") && ended.text.contains("Attempts: 3; the last at 2026-11-22"));
    assert!(!ended.text.contains("hx-trigger"));
    assert_eq!(get(ADMIN, "/administration/contacts/duty/test?notice=0").await.status, 404);
}

#[tokio::test]
async fn rows_of_a_chain_come_and_go_without_script() {
    let path = "/administration/policies/north/chain";
    let row = [("contact.0", "duty"), ("severity.0", "high"), ("after.0", "5"), ("staffing.0", "always")];
    let with = |more: (&'static str, &'static str)| [&row[..], &[more]].concat();
    let (added, asked) = send(ADMIN, path, &with(("add", "row"))).await;
    assert_eq!((added.status, asked.len()), (200, 0), "nothing is saved");
    assert!(added.text.contains("name=\"contact.1\"") && added.text.contains("value=\"5\""));
    let (removed, asked) = send(ADMIN, path, &with(("remove", "0"))).await;
    assert_eq!((removed.status, asked.len()), (200, 0));
    assert!(!removed.text.contains("name=\"contact.0\"") && removed.text.contains("Nobody is told."));
    let (saved, asked) = send(ADMIN, path, &row).await;
    let to = "/administration/policies/north?saved=chain#chain";
    assert_eq!((saved.status, saved.header("location")), (303, to));
    assert!(asked[0].contains("after_seconds: 300") && asked[0].contains("paths: [\"chain\"]"), "{asked:?}");
    assert!(asked[0].contains("site_id: \"north\""));
    assert!(get(ADMIN, "/administration/policies/north?saved=chain").await.text.contains("Saved."));
    assert!(!get(ADMIN, "/administration/policies/north?saved=bold").await.text.contains("Saved."));
}

#[tokio::test]
async fn a_wrong_row_keeps_its_text_and_says_why() {
    let path = "/administration/policies/@all/chain";
    let rows = |after: &'static str, second: &'static str| {
        [
            ("contact.0", "duty"),
            ("severity.0", "high"),
            ("after.0", after),
            ("staffing.0", "always"),
            ("contact.1", second),
            ("severity.1", "low"),
            ("after.1", "30"),
            ("staffing.1", "unstaffed"),
        ]
    };
    let (late, asked) = send(ADMIN, path, &rows("99999", "boss")).await;
    assert_eq!((late.status, asked.len()), (422, 0));
    assert!(
        late.text.contains("id=\"chain-0-error\">Use a contact") && late.text.contains("value=\"99999\"")
    );
    assert!(!late.text.contains("id=\"chain-1-error\""));
    let (refused, asked) = send(ADMIN, path, &rows("0", "desk")).await;
    assert_eq!((refused.status, asked.len()), (422, 1));
    assert!(refused.text.contains("role=\"alert\">Use a contact of this site"), "the API names no row");
    assert!(refused.text.contains("<option value=\"boss\"") && refused.text.contains("value=\"30\""));
    let (saved, asked) = send(ADMIN, path, &rows("0", "boss")).await;
    assert_eq!(saved.status, 303);
    assert!(asked[0].contains("site_id: \"\"") && asked[0].contains("after_seconds: 1800"), "{asked:?}");
    let deadline =
        [("name.0", "insurer"), ("severity.0", "high"), ("hours.0", "9999"), ("until.0", "closed")];
    let (answer, asked) = send(ADMIN, "/administration/policies/north/deadlines", &deadline).await;
    assert_eq!((answer.status, asked.len()), (422, 0));
    assert!(answer.text.contains("value=\"insurer\"") && answer.text.contains("id=\"deadlines-0-error\""));
    let rule = [("count.0", "3"), ("days.0", "14")];
    let (answer, asked) = send(ADMIN, "/administration/policies/@all/service", &rule).await;
    assert_eq!(answer.status, 303);
    assert!(asked[0].contains("paths: [\"out_of_service\"]") && asked[0].contains("out_of_service_days: 14"));
}

#[tokio::test]
async fn a_site_without_its_own_shows_what_holds_for_all() {
    let list = get(ADMIN, "/administration/policies").await;
    assert!(list.text.contains("All sites") && list.text.contains("as for all sites"));
    let north = get(ADMIN, "/administration/policies/north").await;
    assert_eq!(north.text.matches("This is what holds for all sites.").count(), 2, "the chain is its own");
    let south = get(ADMIN, "/administration/policies/south").await;
    assert_eq!(south.text.matches("This is what holds for all sites.").count(), 3);
    assert!(!get(ADMIN, "/administration/policies/@all").await.text.contains("what holds for all sites."));
    assert_eq!(get(ADMIN, "/administration/policies/west").await.status, 404);
}

#[tokio::test]
async fn the_log_is_filtered_and_goes_on_to_what_is_older() {
    let log = get(ADMIN, "/administration/notices?contact=duty").await;
    assert!(log.text.contains("<option value=\"duty\" selected>"));
    for words in ["waiting", "given up", "sent", "Critical, step 1", "4 in one message"] {
        assert!(log.text.contains(words), "{words}");
    }
    assert!(log.text.contains("href=\"/incident/0123456789abcdef0123456789abcdef\""));
    let older: String = url::form_urlencoded::byte_serialize(OLDER.as_bytes()).collect();
    let path = format!("/administration/notices?contact=duty&page={older}");
    assert!(log.text.contains(&path.replace('&', "&#38;")), "{}", log.text);
    let older = get(ADMIN, &path).await;
    assert!(
        older.text.contains("not needed")
            && older.text.contains("href=\"/administration/notices?contact=duty\"")
    );
    assert!(get(ADMIN, "/administration/notices?site=south").await.text.contains("Nobody was told"));
    assert_eq!(get(ADMIN, "/administration/notices?page=forged").await.status, 404);
}

#[tokio::test]
async fn german_is_spoken_to_whoever_prefers_it() {
    let check = async |path: &str, words: &str| {
        let page = get(ADMIN_GERMAN, path).await;
        assert!(page.text.contains("<html lang=\"de\">") && page.text.contains(words), "{path}");
    };
    check("/administration/contacts", "Letzte Nachricht").await;
    check("/administration/contacts/duty/delete", "Kontakt duty löschen?").await;
    check("/administration/policies/north", "Wer erfährt davon").await;
    check("/administration/notices", "aufgegeben").await;
    let typed = [("contact.0", "duty"), ("severity.0", "high"), ("after.0", "x"), ("staffing.0", "always")];
    let (answer, _) = send(ADMIN_GERMAN, "/administration/policies/north/chain", &typed).await;
    assert!(answer.text.contains("Erlaubt sind ein Kontakt"));
}
