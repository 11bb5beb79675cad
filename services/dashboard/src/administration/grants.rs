//! Roles and the sites for which they hold, as forms show and send them: a block for each role.

use wire::api::v1;

use super::may_everywhere;
use crate::form::Fields;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Most roles that one user or token has.
const ROWS_MAX: usize = 20;

const ROLES: [(&str, v1::Role); 7] = [
    ("viewer", v1::Role::Viewer),
    ("staff", v1::Role::Staff),
    ("therapist", v1::Role::Therapist),
    ("manager", v1::Role::Manager),
    ("technician", v1::Role::Technician),
    ("auditor", v1::Role::Auditor),
    ("administrator", v1::Role::Administrator),
];

/// A role in words.
pub(super) fn role_name(role: v1::Role, t: Texts) -> &'static str {
    match role {
        v1::Role::Viewer => t.role_viewer(),
        v1::Role::Staff => t.role_staff(),
        v1::Role::Therapist => t.role_therapist(),
        v1::Role::Manager => t.role_manager(),
        v1::Role::Technician => t.role_technician(),
        v1::Role::Auditor => t.role_auditor(),
        v1::Role::Administrator => t.role_administrator(),
        v1::Role::Unspecified => t.not_known(),
    }
}

/// What somebody may do, in words.
pub(super) fn words(grants: &[v1::Grant], t: Texts) -> String {
    let words = grants.iter().map(|grant| {
        let sites =
            if grant.site_ids.is_empty() { t.everywhere().to_owned() } else { grant.site_ids.join(", ") };
        format!("{}: {sites}", role_name(grant.role(), t))
    });
    words.collect::<Vec<_>>().join("; ")
}

/// A site that a role can hold for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SiteChoice {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) chosen: bool,
}

/// One role and its sites, as typed.
#[derive(Debug, Default)]
pub(super) struct GrantRow {
    pub(super) role: String,
    pub(super) all: bool,
    pub(super) sites: Vec<SiteChoice>,
    pub(super) error: &'static str,
}

/// The roles of one form.
#[derive(Debug)]
pub(super) struct Grants {
    pub(super) rows: Vec<GrantRow>,
    pub(super) roles: Vec<(&'static str, &'static str)>,
    /// Whether the visitor may grant for all sites.
    pub(super) everywhere: bool,
    /// What the form was loaded with, in one line.
    pub(super) was: String,
    pub(super) error: String,
}

impl Grants {
    /// A block for each role that there is, and one more.
    pub(super) fn new(visitor: &Visitor, sites: &[v1::Site], grants: &[v1::Grant]) -> Grants {
        let mut offered: Vec<SiteChoice> = Vec::new();
        for site in sites.iter().filter(|site| visitor.may("administer", &site.id)) {
            offered.push(SiteChoice { id: site.id.clone(), name: site.display_name.clone(), chosen: false });
        }
        // A site that is not listed now must not drop out of a grant.
        for id in grants.iter().flat_map(|grant| &grant.site_ids) {
            if !offered.iter().any(|site| site.id == *id) {
                offered.push(SiteChoice { id: id.clone(), name: id.clone(), chosen: false });
            }
        }
        let row = |grant: &v1::Grant| {
            let chosen =
                |site: &SiteChoice| SiteChoice { chosen: grant.site_ids.contains(&site.id), ..site.clone() };
            GrantRow {
                role: code(grant.role()).to_owned(),
                all: grant.site_ids.is_empty(),
                sites: offered.iter().map(chosen).collect(),
                error: "",
            }
        };
        let mut rows: Vec<GrantRow> = grants.iter().map(row).collect();
        if rows.len() < ROWS_MAX {
            rows.push(GrantRow { sites: offered, ..GrantRow::default() });
        }
        let roles = ROLES.iter().map(|(code, role)| (*code, role_name(*role, visitor.t()))).collect();
        let everywhere = may_everywhere(visitor, "administer");
        Grants { rows, roles, everywhere, was: line(grants), error: String::new() }
    }

    /// Takes what was typed, and says what of it is no grant.
    pub(super) fn read(&mut self, typed: &Fields, t: Texts) {
        let offered = self.rows.last().map(|row| row.sites.clone()).unwrap_or_default();
        let sent = |n: usize| typed.beginning(&format!("role.{n}")).any(|(rest, _)| rest.is_empty());
        let rows = (0..ROWS_MAX).take_while(|n| sent(*n)).map(|n| read_row(n, typed, &offered, t));
        self.rows = rows.collect();
        typed.get("was.grants").clone_into(&mut self.was);
        if !self.rows.iter().any(|row| !row.role.is_empty() || !row.error.is_empty()) {
            t.grants_needed().clone_into(&mut self.error);
        }
        if self.rows.is_empty() {
            self.rows.push(GrantRow { sites: offered, ..GrantRow::default() });
        }
    }

    /// What was chosen.
    pub(super) fn chosen(&self) -> Vec<v1::Grant> {
        let rows = self.rows.iter().filter_map(|row| {
            let (_, role) = ROLES.iter().find(|(code, _)| *code == row.role)?;
            let sites = row.sites.iter().filter(|site| site.chosen);
            Some(v1::Grant { role: (*role).into(), site_ids: sites.map(|site| site.id.clone()).collect() })
        });
        rows.collect()
    }

    pub(super) fn is_refused(&self) -> bool {
        !self.error.is_empty() || self.rows.iter().any(|row| !row.error.is_empty())
    }

    pub(super) fn is_changed(&self) -> bool {
        line(&self.chosen()) != self.was
    }
}

fn read_row(n: usize, typed: &Fields, offered: &[SiteChoice], t: Texts) -> GrantRow {
    let name = format!("site.{n}");
    let ticked: Vec<&str> =
        typed.beginning(&name).filter(|(rest, _)| rest.is_empty()).map(|(_, id)| id).collect();
    let chosen =
        |site: &SiteChoice| SiteChoice { chosen: ticked.contains(&site.id.as_str()), ..site.clone() };
    let sites: Vec<SiteChoice> = offered.iter().map(chosen).collect();
    let all = typed.get(&format!("all.{n}")) == "yes";
    let role = typed.get(&format!("role.{n}"));
    let role = if ROLES.iter().any(|(code, _)| *code == role) { role } else { "" };
    // A grant without sites is for all: forgotten ticks, or ones of sites that are gone, must not make one.
    let some = sites.iter().any(|site| site.chosen);
    let error = match (role.is_empty(), all, some) {
        (true, false, false) | (false, true, false) | (false, false, true) => "",
        (true, true, _) | (true, false, true) => t.grant_needs_role(),
        (false, true, true) => t.grant_all_or_some(),
        (false, false, false) => t.grant_needs_site(),
    };
    GrantRow { role: role.to_owned(), all, sites, error }
}

fn code(role: v1::Role) -> &'static str {
    ROLES.iter().find(|(_, one)| *one == role).map_or("", |(code, _)| code)
}

/// Grants in one line, the same for the same.
fn line(grants: &[v1::Grant]) -> String {
    let lines = grants.iter().map(|grant| {
        let mut sites = grant.site_ids.clone();
        sites.sort();
        format!("{}@{}", code(grant.role()), sites.join(","))
    });
    lines.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests;
