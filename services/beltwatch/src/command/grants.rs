//! Roles and sites as the command line names them.

use clap::{Args, ValueEnum};
use wire::api::v1;

/// What somebody may do, and where.
#[derive(Debug, Clone, Args)]
pub(super) struct GrantArgs {
    /// A role, any number of times; each is for the sites given with --site
    #[arg(long = "role", value_name = "ROLE", value_enum, required = true)]
    roles: Vec<RoleName>,
    /// A site, any number of times; all sites, also later ones, if none is given
    #[arg(long = "site", value_name = "SITE")]
    sites: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleName {
    /// Sees the floor and the history
    Viewer,
    /// Works on the floor: sees, sees to stops, arranges the plan
    Staff,
    /// Sees the floor, and what carries their own labels
    Therapist,
    /// Runs a site: what staff may, and the site's settings
    Manager,
    /// Puts agents on machines
    Technician,
    /// Reads everything, the audit too, until --expires
    Auditor,
    /// Everything
    Administrator,
}

impl RoleName {
    fn role(self) -> v1::Role {
        match self {
            RoleName::Viewer => v1::Role::Viewer,
            RoleName::Staff => v1::Role::Staff,
            RoleName::Therapist => v1::Role::Therapist,
            RoleName::Manager => v1::Role::Manager,
            RoleName::Technician => v1::Role::Technician,
            RoleName::Auditor => v1::Role::Auditor,
            RoleName::Administrator => v1::Role::Administrator,
        }
    }
}

impl GrantArgs {
    /// As the API takes them.
    pub(super) fn grants(&self) -> Vec<v1::Grant> {
        let grant = |role: &RoleName| v1::Grant { role: role.role().into(), site_ids: self.sites.clone() };
        self.roles.iter().map(grant).collect()
    }
}

/// Grants in words, such as `staff at north, south; viewer`.
pub(super) fn words(grants: &[v1::Grant]) -> String {
    let grant = |grant: &v1::Grant| {
        let role = match v1::Role::try_from(grant.role) {
            Ok(v1::Role::Viewer) => "viewer",
            Ok(v1::Role::Staff) => "staff",
            Ok(v1::Role::Therapist) => "therapist",
            Ok(v1::Role::Manager) => "manager",
            Ok(v1::Role::Technician) => "technician",
            Ok(v1::Role::Auditor) => "auditor",
            Ok(v1::Role::Administrator) => "administrator",
            Ok(v1::Role::Unspecified) | Err(_) => "unknown",
        };
        match grant.site_ids.is_empty() {
            true => role.to_owned(),
            false => format!("{role} at {}", grant.site_ids.join(", ")),
        }
    };
    grants.iter().map(grant).collect::<Vec<_>>().join("; ")
}
