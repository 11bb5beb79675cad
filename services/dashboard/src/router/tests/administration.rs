//! The pages that administer.

use super::fake::admin::{
    ADMIN, ADMIN_GERMAN, ADMIN_SOUTH, Admin, CREDENTIAL, LINK, NEXT_PAGE, TECHNICIAN, TOKEN,
};
use super::fake::{Answer, Browser, SCRIPT, SESSION_VIEWER};

const LISTS: [&str; 6] = [
    "/administration/sites",
    "/administration/machines",
    "/administration/enrolment",
    "/administration/users",
    "/administration/tokens",
    "/administration/audit",
];
const FORMS: [&str; 16] = [
    "/administration/add/enrolment",
    "/administration/enrolment/7/approve",
    "/administration/enrolment/7/refuse",
    "/administration/enrolment/codes/00000a/revoke",
    "/administration/machines/n-1/enrol",
    "/administration/add/site",
    "/administration/add/machine",
    "/administration/add/user",
    "/administration/add/token",
    "/administration/sites/north",
    "/administration/machines/n-1",
    "/administration/machines/n-1/renew",
    "/administration/machines/n-1/revoke",
    "/administration/users/@anna",
    "/administration/users/@anna/link",
    "/administration/tokens/7/revoke",
];

/// Sends a form with its session's token; what came back, and what the API was asked to change.
async fn send(session: &'static str, path: &str, fields: &[(&str, &str)]) -> (Answer, Vec<String>) {
    let admin = Admin::default();
    let token = crate::form::token(session).to_string();
    let mut all = vec![("token", token.as_str())];
    all.extend_from_slice(fields);
    let answer = Browser::new(Some(session)).administering(&admin).post(path, &all).await;
    (answer, admin.asked())
}

#[tokio::test]
async fn everybody_is_led_to_the_first_part_that_is_theirs() {
    let check = async |session, status: u16, to: &str| {
        let answer = Browser::new(Some(session)).get("/administration").await;
        assert_eq!((answer.status, answer.header("location")), (status, to), "{session}");
    };
    check(ADMIN, 303, "/administration/sites").await;
    check(TECHNICIAN, 303, "/administration/machines").await;
    check(SESSION_VIEWER, 403, "").await;
}

#[tokio::test]
async fn what_is_not_allowed_is_neither_shown_nor_done() {
    for page in LISTS.iter().chain(&FORMS) {
        let viewer = Browser::new(Some(SESSION_VIEWER)).get(page).await;
        assert_eq!(viewer.status, 403, "{page}");
    }
    for form in FORMS {
        let (answer, asked) = send(SESSION_VIEWER, form, &[("secret", "{}")]).await;
        assert_eq!((answer.status, asked.len()), (403, 0), "{form}");
    }
    let viewer = Browser::new(Some(SESSION_VIEWER)).get("/account").await;
    assert!(!viewer.text.contains("/administration"));
    let technician = Browser::new(Some(TECHNICIAN)).get("/administration/machines").await;
    assert!(technician.text.contains("/administration/audit") && technician.text.contains("n-1/renew"));
    assert!(!technician.text.contains("/administration/users"));
    let audit = Browser::new(Some(TECHNICIAN)).get("/administration/audit").await;
    assert!(audit.text.contains("unknown machine") && !audit.text.contains("machine added"));
}

#[tokio::test]
async fn who_administers_one_site_sees_and_offers_that_site_only() {
    let sites = Browser::new(Some(ADMIN_SOUTH)).get("/administration/sites").await;
    assert!(sites.text.contains("/administration/sites/south"));
    assert!(!sites.text.contains("/administration/sites/north") && !sites.text.contains("add/site"));
    let machines = Browser::new(Some(ADMIN_SOUTH)).get("/administration/machines").await;
    assert!(!machines.text.contains("n-1"), "it stands at the other site");
    let edit = Browser::new(Some(ADMIN_SOUTH)).get("/administration/machines/n-1").await;
    assert_eq!(edit.status, 403);
    let user = Browser::new(Some(ADMIN_SOUTH)).get("/administration/add/user").await;
    assert!(user.text.contains("name=\"site.0\" value=\"south\""));
    assert!(!user.text.contains("value=\"north\"") && !user.text.contains("All sites, also later ones"));
    let audit = Browser::new(Some(ADMIN_SOUTH)).get("/administration/audit").await;
    assert!(audit.text.contains("machine added") && !audit.text.contains("unknown machine"));
}

#[tokio::test]
async fn every_form_is_refused_without_the_token_of_its_session() {
    for form in
        FORMS.iter().chain(&["/administration/users/@anna/disable", "/administration/machines/n-1/file"])
    {
        let other = crate::form::token(ADMIN_GERMAN).to_string();
        for token in ["", other.as_str()] {
            let admin = Admin::default();
            let fields = [("token", token), ("secret", "{}"), ("role.0", "viewer"), ("all.0", "yes")];
            let answer = Browser::new(Some(ADMIN)).administering(&admin).post(form, &fields).await;
            assert_eq!((answer.status, admin.asked().len()), (403, 0), "{form}");
            assert!(answer.text.contains("The form was not accepted"), "{form}");
        }
    }
}

#[tokio::test]
async fn script_in_names_stays_text() {
    for page in LISTS.iter().chain(&FORMS) {
        let answer = Browser::new(Some(ADMIN)).get(page).await;
        assert_eq!(answer.status, 200, "{page}");
        assert!(answer.text.contains("alert(") && !answer.text.contains(SCRIPT), "{page}");
        assert!(!answer.text.contains("style=\"") && !answer.text.contains("://"), "{page}");
        assert_eq!(answer.text.matches("<h1").count(), 1, "{page}");
    }
    let typed = [("site_id", "north"), ("display_name", SCRIPT)];
    let (answer, _) = send(ADMIN, "/administration/add/site", &typed).await;
    assert!(answer.text.contains("alert(") && !answer.text.contains(SCRIPT));
}

#[tokio::test]
async fn what_was_typed_stays_with_the_reason_beside_the_field() {
    let check = async |path: &str, typed: &[(&str, &str)], field: &str, reason: &str| {
        let (answer, _) = send(ADMIN, path, typed).await;
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        let (_, after) = answer.text.split_once(&format!("id=\"{field}-error\">")).unwrap();
        assert!(after.starts_with(reason), "{path}: {after}");
        assert!(answer.text.contains(&format!("aria-describedby=\"{field}-error")), "{path}");
        assert!(answer.text.contains("role=\"alert\""), "{path}");
        for (name, value) in typed.iter().filter(|(name, _)| !name.contains('.') && *name != "belt") {
            assert!(answer.text.contains(&format!("value=\"{value}\"")), "{path}: {name} stays");
        }
    };
    let site = [("site_id", "north"), ("display_name", "Northside 2"), ("time_zone", "Europe/Paris")];
    check("/administration/add/site", &site, "site_id", "This is taken").await;
    let mars = [("site_id", "west"), ("display_name", "West"), ("time_zone", "Mars")];
    check("/administration/add/site", &mars, "time_zone", "This zone is not known").await;
    let edit = [("display_name", "West"), ("time_zone", "Mars")];
    check("/administration/sites/north", &edit, "time_zone", "This zone is not known").await;
    let machine = [("machine_id", "N 1"), ("site_id", "south"), ("belt", "one_way"), ("drive", "motor")];
    check("/administration/add/machine", &machine, "machine_id", "Use 1 to 64").await;
    check("/administration/add/machine", &machine, "display_name", "Use at most 120").await;
    let belt = [("machine_id", "n-3"), ("belt", "sideways"), ("drive", "motor")];
    check("/administration/add/machine", &belt, "belt", "Choose one of these").await;
    let end = [("name", "rosa"), ("role.0", "viewer"), ("all.0", "yes"), ("expire_time", "soon")];
    check("/administration/add/user", &end, "expire_time", "Use a day").await;
    let auditor = [("name", "rosa"), ("role.0", "auditor"), ("all.0", "yes"), ("expire_time", "")];
    check("/administration/add/user", &auditor, "expire_time", "Use a day").await;
    let none = [("name", "rosa"), ("role.0", "")];
    check("/administration/add/user", &none, "grants", "Choose at least one role").await;
    let nowhere = [("name", "rosa"), ("role.0", "staff")];
    check("/administration/add/user", &nowhere, "role-0", "Choose the sites").await;
    let beyond = [("name", "beyond"), ("role.0", "staff"), ("all.0", "yes")];
    check("/administration/add/user", &beyond, "grants", "Nobody grants more").await;
    let unnamed = [("display_name", ""), ("role.0", "staff"), ("all.0", "yes")];
    check("/administration/add/token", &unnamed, "display_name", "Say what it is for").await;
}

#[tokio::test]
async fn a_role_without_sites_never_becomes_one_for_all() {
    for typed in [&[("role.0", "staff")][..], &[("role.0", "staff"), ("site.0", "elsewhere")]] {
        let mut fields = vec![("name", "rosa")];
        fields.extend_from_slice(typed);
        for path in ["/administration/add/user", "/administration/add/token", "/administration/users/@anna"] {
            let (answer, asked) = send(ADMIN, path, &fields).await;
            assert_eq!((answer.status, asked.len()), (422, 0), "{path}");
        }
    }
}

#[tokio::test]
async fn only_what_was_changed_on_the_form_is_sent() {
    let check = async |path: &str, fields: &[(&str, &str)], paths: &str, to: &str| {
        let (answer, asked) = send(ADMIN, path, fields).await;
        assert_eq!((answer.status, answer.header("location")), (303, to), "{path}");
        assert_eq!(asked.len(), usize::from(!paths.is_empty()), "{path}");
        assert!(asked.iter().all(|asked| asked.contains(&format!("paths: [{paths}]"))), "{asked:?}");
    };
    let site = |name: &'static str| {
        [("display_name", name), ("was.display_name", "Old"), ("time_zone", "UTC"), ("was.time_zone", "UTC")]
    };
    let path = "/administration/sites/north";
    let changed = "/administration/sites?done=site-changed&id=north";
    check(path, &site("New"), "\"display_name\"", changed).await;
    check(path, &site("Old"), "", "/administration/sites?done=nothing-changed&id=north").await;
    let machine = [
        ("display_name", "A"),
        ("was.display_name", "A"),
        ("belt", "one_way"),
        ("was.belt", "unknown"),
        ("drive", "motor"),
        ("was.drive", "motor"),
    ];
    let to = "/administration/machines?done=machine-changed&id=n-1";
    check("/administration/machines/n-1", &machine, "\"belt\"", to).await;
    let user = [("role.0", "staff"), ("site.0", "north"), ("site.0", "south"), ("was.grants", "staff@north")];
    let to = "/administration/users?done=user-changed&id=anna";
    check("/administration/users/@anna", &user, "\"grants\"", to).await;
}

#[tokio::test]
async fn a_credential_is_shown_once_and_comes_back_as_a_file() {
    let escaped = "0badc0de&#38;&#60;secret&#62;";
    let typed = [("machine_id", "n-3"), ("site_id", "north"), ("belt", "one_way"), ("drive", "motor")];
    for (path, typed) in
        [("/administration/add/machine", &typed[..]), ("/administration/machines/n-3/renew", &[])]
    {
        let (answer, asked) = send(ADMIN, path, typed).await;
        assert_eq!((answer.status, asked.len()), (200, 1), "{path}");
        assert!(answer.text.contains(escaped), "{path}");
        assert!(answer.text.contains("--credential n-3.credential.json"), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let addresses = answer.text.split(['"', ' ']).filter(|part| part.starts_with('/'));
        assert!(addresses.into_iter().all(|address| !address.contains("0badc0de")), "{path}");
        assert_eq!(answer.header("location"), "");
    }
    let (file, asked) = send(ADMIN, "/administration/machines/n-3/file", &[("secret", CREDENTIAL)]).await;
    assert_eq!((file.status, file.text.as_str(), asked.len()), (200, CREDENTIAL, 0));
    assert_eq!(file.header("content-type"), "application/json");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"n-3.credential.json\"");
    assert_eq!(file.header("cache-control"), "no-store");
    for (path, secret) in [("n-3", "<script>"), ("n%22;x", "{}"), ("n%0d%0ax", "{}")] {
        let path = format!("/administration/machines/{path}/file");
        assert_eq!(send(ADMIN, &path, &[("secret", secret)]).await.0.status, 403, "{path}");
    }
}

#[tokio::test]
async fn links_and_tokens_are_shown_once_and_stand_in_no_address() {
    let user = [("name", "rosa"), ("role.0", "staff"), ("site.0", "north")];
    for (path, typed) in [("/administration/add/user", &user[..]), ("/administration/users/@anna/link", &[])]
    {
        let (answer, asked) = send(ADMIN, path, typed).await;
        assert_eq!((answer.status, asked.len()), (200, 1), "{path}");
        assert!(answer.text.contains(&format!(">http://gym.example{LINK}</textarea>")), "{path}");
        assert!(!answer.text.contains("href=\"/link"), "{path}");
        assert_eq!((answer.header("location"), answer.header("cache-control")), ("", "no-store"));
    }
    let token = [("display_name", "Export"), ("role.0", "viewer"), ("all.0", "yes")];
    let (answer, asked) = send(ADMIN, "/administration/add/token", &token).await;
    assert!(asked[0].contains("expire_time: None") && asked[0].contains("site_ids: []"), "{asked:?}");
    assert!(answer.text.contains(&format!(">{TOKEN}</textarea>")));
    assert_eq!(answer.text.matches(TOKEN).count(), 1);
    for list in LISTS {
        let shown = Browser::new(Some(ADMIN)).get(list).await;
        assert!(![TOKEN, LINK, "0badc0de"].iter().any(|secret| shown.text.contains(secret)), "{list}");
    }
}

#[tokio::test]
async fn revoking_and_stopping_are_asked_once_more() {
    let check = async |path: &str, to: &str, message: &str| {
        let admin = Admin::default();
        let asked = Browser::new(Some(ADMIN)).administering(&admin).get(path).await;
        assert_eq!((asked.status, admin.asked().len()), (200, 0), "{path}");
        assert!(asked.text.contains(&format!("action=\"{path}\"")), "{path}");
        let (answer, asked) = send(ADMIN, path, &[]).await;
        assert_eq!((answer.status, answer.header("location"), asked.len()), (303, to, 1), "{path}");
        let shown = Browser::new(Some(ADMIN)).get(to).await;
        assert!(shown.text.contains(&format!("role=\"status\">{message}</p>")), "{path}");
    };
    let to = "/administration/machines?done=credential-revoked&id=n-1";
    check("/administration/machines/n-1/revoke", to, "The credential of n-1 is revoked.").await;
    let to = "/administration/tokens?done=token-revoked&id=7";
    check("/administration/tokens/7/revoke", to, "The token 7 is revoked.").await;
    let to = "/administration/users?done=user-disabled&id=otto";
    check("/administration/users/@otto/disable", to, "The user otto is disabled.").await;
    let to = "/administration/users?done=user-enabled&id=..";
    check("/administration/users/@../enable", to, "The user .. is enabled.").await;
    let (last, _) = send(ADMIN, "/administration/users/@anna/disable", &[]).await;
    assert_eq!(last.status, 422);
    assert!(last.text.contains("Nobody would be left"));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    for path in ["machines/n-9", "machines/n-9/revoke", "users/@nobody", "tokens/99/revoke", "sites/west"] {
        let answer = Browser::new(Some(ADMIN)).get(&format!("/administration/{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(send(ADMIN, "/administration/tokens/99/revoke", &[]).await.0.status, 404);
    let forged = Browser::new(Some(ADMIN)).get("/administration/audit?page=forged").await;
    assert_eq!(forged.status, 404);
}

#[tokio::test]
async fn the_audit_goes_on_to_what_is_older() {
    let newest = Browser::new(Some(ADMIN)).get("/administration/audit").await;
    assert!(newest.text.contains("machine added") && newest.text.contains("2026-11-22 00:00:00"));
    assert!(newest.text.contains("belt_oiled"), "what is not known is shown as it is");
    assert!(newest.text.contains("unknown machine") && newest.text.contains("42"));
    assert!(newest.text.contains("All times are UTC."));
    let next: String = url::form_urlencoded::byte_serialize(NEXT_PAGE.as_bytes()).collect();
    let path = format!("/administration/audit?page={next}");
    assert!(newest.text.contains(&format!("href=\"{path}\"")));
    let older = Browser::new(Some(ADMIN)).get(&path).await;
    assert!(older.text.contains("thresholds set"));
    assert!(older.text.contains("signed in") && !older.text.contains("unknown machine"));
    assert!(!older.text.contains("?page="));
}

#[tokio::test]
async fn tables_say_what_they_are_and_what_is_where() {
    for list in LISTS {
        let page = Browser::new(Some(ADMIN)).get(list).await;
        let tables = page.text.matches("<table").count();
        assert!(tables > 0 && page.text.matches("<caption>").count() == tables, "{list}");
        assert!(page.text.contains("<th scope=\"col\"") && page.text.contains("<th scope=\"row\""), "{list}");
        assert!(page.text.contains("aria-current=\"true\""), "{list}");
    }
    let users = Browser::new(Some(ADMIN)).get("/administration/users").await;
    assert!(users.text.contains("Staff: north") && users.text.contains("@otto/enable"), "pages are joined");
    assert!(users.text.contains("@anna/disable") && !users.text.contains("@anna/enable"));
    let tokens = Browser::new(Some(ADMIN)).get("/administration/tokens").await;
    assert!(tokens.text.contains("tokens/7/revoke") && !tokens.text.contains("tokens/5/revoke"));
}

#[tokio::test]
async fn german_is_spoken_to_whoever_prefers_it() {
    let check = async |path: &str, words: &str| {
        let page = Browser::new(Some(ADMIN_GERMAN)).get(path).await;
        assert!(page.text.contains("<html lang=\"de\">") && page.text.contains(words), "{path}");
    };
    check("/administration/sites?done=site-added&id=west", "Das Studio west ist angelegt.").await;
    check("/administration/machines", "Zugang erneuern").await;
    check("/administration/machines/n-1/revoke", "Zugang von n-1 widerrufen?").await;
    check("/administration/users", "Personal: north").await;
    check("/administration/audit", "Gerät angelegt").await;
    let typed = [("site_id", "west"), ("time_zone", "Mars")];
    let (answer, _) = send(ADMIN_GERMAN, "/administration/add/site", &typed).await;
    assert!(answer.text.contains("Diese Zone ist nicht bekannt."));
    assert!(!answer.text.contains("is not allowed"), "the API's English stays out");
}

#[tokio::test]
async fn an_address_says_only_known_words() {
    for query in ["done=site-added&id=%3Cb%3Ecall+me", "done=paid&id=north", "id=north"] {
        let page = Browser::new(Some(ADMIN)).get(&format!("/administration/sites?{query}")).await;
        assert!(page.status == 200 && !page.text.contains("class=\"done\""), "{query}");
    }
}
