use super::*;
use crate::texts::Language;

const T: Texts = Texts { language: Language::English };

fn offered() -> Vec<SiteChoice> {
    let site = |id: &str| SiteChoice { id: id.to_owned(), name: id.to_uppercase(), chosen: false };
    vec![site("north"), site("south")]
}

fn form() -> Grants {
    let rows = vec![GrantRow { sites: offered(), ..GrantRow::default() }];
    Grants { rows, roles: Vec::new(), everywhere: true, was: String::new(), error: String::new() }
}

#[test]
fn what_is_typed_becomes_grants_or_says_why_not() {
    let check = |typed: &str, expected: Result<&str, &str>| {
        let mut grants = form();
        grants.read(&Fields::read(typed.as_bytes()), T);
        let error = grants.rows.iter().map(|row| row.error).find(|error| !error.is_empty());
        let error = error.unwrap_or(&grants.error);
        match expected {
            Ok(expected) => assert_eq!((line(&grants.chosen()).as_str(), error), (expected, ""), "{typed}"),
            Err(expected) => assert_eq!((error, grants.is_refused()), (expected, true), "{typed}"),
        }
    };
    check("role.0=viewer&all.0=yes", Ok("viewer@"));
    check("role.0=staff&site.0=south&site.0=north&role.1=", Ok("staff@north,south"));
    check("role.0=&role.1=manager&site.1=north", Ok("manager@north"));
    check("role.0=staff&site.0=north&role.1=auditor&all.1=yes", Ok("staff@north;auditor@"));
    check("role.0=staff", Err(T.grant_needs_site()));
    check("role.0=staff&site.0=elsewhere", Err(T.grant_needs_site()));
    check("role.0=staff&site.0=north&all.0=yes", Err(T.grant_all_or_some()));
    check("role.0=&site.0=north", Err(T.grant_needs_role()));
    check("role.0=king&all.0=yes", Err(T.grant_needs_role()));
    check("role.0=", Err(T.grants_needed()));
    check("", Err(T.grants_needed()));
    // Of the eleventh block, not of the second.
    check("role.0=viewer&all.0=yes&role.1=&site.10=north", Ok("viewer@"));
}

#[test]
fn a_change_is_told_from_what_the_form_was_loaded_with() {
    let check = |was: &str, expected: bool| {
        let mut grants = form();
        let typed = format!("role.0=staff&site.0=south&site.0=north&role.1=&was.grants={was}");
        grants.read(&Fields::read(typed.as_bytes()), T);
        assert_eq!(grants.is_changed(), expected, "{was}");
    };
    check("staff%40north%2Csouth", false);
    check("staff%40north", true);
    check("", true);
}

#[test]
fn grants_are_told_in_words() {
    let grant = |role: v1::Role, sites: &[&str]| v1::Grant {
        role: role.into(),
        site_ids: sites.iter().map(|site| (*site).to_owned()).collect(),
    };
    let grants = [grant(v1::Role::Staff, &["north", "south"]), grant(v1::Role::Viewer, &[])];
    assert_eq!(words(&grants, T), "Staff: north, south; Viewer: all sites");
    let german = Texts { language: Language::German };
    assert_eq!(words(&grants, german), "Personal: north, south; Betrachter: alle Studios");
}
