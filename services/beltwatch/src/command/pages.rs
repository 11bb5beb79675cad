//! What several commands ask for: all sites, all machines, and the zones in which people are shown times.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use wire::api::v1;

use crate::client::Client;
use crate::failure::Failure;
use crate::words;

const PAGE: i32 = 1_000;

/// Zones by site.
#[derive(Debug, Clone, Default)]
pub(super) struct Zones(HashMap<String, TimeZone>);

impl Zones {
    /// Asks for all sites that the caller may see.
    pub(super) async fn fetch(client: &mut Client) -> Result<Zones, Failure> {
        let sites = sites(client).await?;
        Ok(Zones(sites.into_iter().map(|site| (site.id, words::zone(&site.time_zone))).collect()))
    }

    /// The zone of a site; UTC if it is not known.
    pub(super) fn of(&self, site: &str) -> TimeZone {
        self.0.get(site).cloned().unwrap_or(TimeZone::UTC)
    }

    /// The zone of a machine's site.
    pub(super) async fn of_machine(client: &mut Client, machine: &str) -> Result<TimeZone, Failure> {
        let request = v1::GetMachineRequest { machine_id: machine.to_owned() };
        let state = client.fleet.get_machine(request).await?.into_inner().machine;
        let site = state.and_then(|state| state.machine).map(|machine| machine.site_id).unwrap_or_default();
        Ok(Zones::fetch(client).await?.of(&site))
    }

    /// The zone of what was named: a machine's site, the site; UTC if neither.
    pub(super) async fn of_whose(
        client: &mut Client,
        site: Option<&str>,
        machine: Option<&str>,
    ) -> Result<TimeZone, Failure> {
        match machine {
            Some(machine) => Zones::of_machine(client, machine).await,
            None => Ok(Zones::fetch(client).await?.of(site.unwrap_or_default())),
        }
    }
}

/// All sites that the caller may see.
pub(super) async fn sites(client: &mut Client) -> Result<Vec<v1::Site>, Failure> {
    let mut sites = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListSitesRequest { page_size: PAGE, page_token };
        let page = client.fleet.list_sites(request).await?.into_inner();
        sites.extend(page.sites);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(sites);
        }
    }
}

/// All machines of a site, or of all sites that the caller may see.
pub(super) async fn machines(client: &mut Client, site: &str) -> Result<Vec<v1::MachineState>, Failure> {
    let mut machines = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = v1::ListMachinesRequest { site_id: site.to_owned(), page_size: PAGE, page_token };
        let page = client.fleet.list_machines(request).await?.into_inner();
        machines.extend(page.machines);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(machines);
        }
    }
}

/// The zone of each machine of a site, or of all sites that the caller may see.
pub(super) async fn zones_by_machine(
    client: &mut Client,
    site: &str,
) -> Result<HashMap<String, TimeZone>, Failure> {
    let zones = Zones::fetch(client).await?;
    let machines = machines(client, site).await?.into_iter().filter_map(|state| state.machine);
    Ok(machines.map(|machine| (machine.id, zones.of(&machine.site_id))).collect())
}
