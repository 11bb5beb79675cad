//! Sites and machines, asked from the API page by page.

use std::collections::{BTreeMap, BTreeSet};

use wire::api::v1;

use crate::call::{Failure, answer};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::visitor::Visitor;

const PAGE: i32 = 1_000;
/// Most sites, or machines, on one page. More: the page says so.
pub(crate) const LISTED_MAX: usize = 20_000;

/// All sites that the visitor may see.
pub(crate) async fn sites(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Site>, Missing> {
    dashboard.outages().note(Part::Sites, list_sites(dashboard, visitor).await)
}

async fn list_sites(dashboard: &Dashboard, visitor: &Visitor) -> Result<Vec<v1::Site>, Failure> {
    let mut client = dashboard.clients().fleet();
    let mut sites = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = v1::ListSitesRequest { page_size: PAGE, page_token };
        let page = answer(client.list_sites(visitor.caller.request(message))).await?;
        sites.extend(page.sites);
        page_token = page.next_page_token;
        if page_token.is_empty() || sites.len() >= LISTED_MAX {
            return Ok(sites);
        }
    }
}

/// Machines of a site, or of all if it is empty, and whether there are more.
pub(crate) async fn machines(
    dashboard: &Dashboard,
    visitor: &Visitor,
    site: &str,
) -> Result<(Vec<v1::MachineState>, bool), Missing> {
    dashboard.outages().note(Part::Machines, list_machines(dashboard, visitor, site).await)
}

async fn list_machines(
    dashboard: &Dashboard,
    visitor: &Visitor,
    site: &str,
) -> Result<(Vec<v1::MachineState>, bool), Failure> {
    let mut client = dashboard.clients().fleet();
    let mut machines = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = v1::ListMachinesRequest { site_id: site.to_owned(), page_size: PAGE, page_token };
        let page = answer(client.list_machines(visitor.caller.request(message))).await?;
        machines.extend(page.machines);
        page_token = page.next_page_token;
        if page_token.is_empty() || machines.len() >= LISTED_MAX {
            return Ok((machines, !page_token.is_empty()));
        }
    }
}

/// Names of a few machines for people; those that cannot be had are left out.
pub(crate) async fn machine_names(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machines: BTreeSet<&str>,
) -> BTreeMap<String, String> {
    let ask = async |id: &str| {
        let mut client = dashboard.clients().fleet();
        let message = v1::GetMachineRequest { machine_id: id.to_owned() };
        let asked = answer(client.get_machine(visitor.caller.request(message))).await;
        let machine = asked.ok()?.machine?.machine?;
        let name = if machine.display_name.is_empty() { id.to_owned() } else { machine.display_name };
        Some((id.to_owned(), name))
    };
    let asked = futures::future::join_all(machines.into_iter().map(ask)).await;
    asked.into_iter().flatten().collect()
}
