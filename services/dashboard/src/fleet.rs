//! What the page needs, asked from the API. A part that cannot be had is named; the others are shown.

use tonic::transport::Channel;
use tonic::{Request, Status};
use wire::api::v1;
use wire::api::v1::fleet_service_client::FleetServiceClient;

use crate::router::Identity;

const PAGE: i32 = 1_000;
/// Most machines on one page. More: the page says so.
const MACHINES_MAX: usize = 2_000;

/// Sites and machines, each as far as they could be had.
#[derive(Debug)]
pub(crate) struct Fleet {
    pub(crate) sites: Result<Vec<v1::Site>, String>,
    pub(crate) machines: Result<Vec<v1::MachineState>, String>,
    /// Whether there are more machines than are shown.
    pub(crate) cut: bool,
}

impl Fleet {
    /// Whether nothing could be had.
    pub(crate) fn is_missing(&self) -> bool {
        self.sites.is_err() && self.machines.is_err()
    }
}

/// Asks for everything at once.
pub(crate) async fn ask(channel: Channel, identity: Identity) -> Fleet {
    let client = FleetServiceClient::new(channel);
    let (sites, machines) = tokio::join!(sites(client.clone(), identity.clone()), machines(client, identity));
    let (machines, cut) = match machines {
        Ok((machines, cut)) => (Ok(machines), cut),
        Err(status) => (Err(reason(&status)), false),
    };
    Fleet { sites: sites.map_err(|status| reason(&status)), machines, cut }
}

fn reason(status: &Status) -> String {
    tracing::warn!(rpc.code = ?status.code(), error = status.message(), "a part of the page could not be had");
    if status.code() == tonic::Code::Unavailable {
        return "the service does not answer".to_owned();
    }
    status.message().to_owned()
}

fn request<T>(message: T, identity: &Identity) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(identity) = identity {
        request.metadata_mut().insert("authorization", identity.clone());
    }
    request
        .metadata_mut()
        .insert("x-beltwatch-user", tonic::metadata::MetadataValue::from_static("dashboard"));
    request
}

async fn sites(mut client: FleetServiceClient<Channel>, identity: Identity) -> Result<Vec<v1::Site>, Status> {
    let mut sites = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = v1::ListSitesRequest { page_size: PAGE, page_token };
        let page = client.list_sites(request(message, &identity)).await?.into_inner();
        sites.extend(page.sites);
        page_token = page.next_page_token;
        if page_token.is_empty() || sites.len() >= MACHINES_MAX {
            return Ok(sites);
        }
    }
}

async fn machines(
    mut client: FleetServiceClient<Channel>,
    identity: Identity,
) -> Result<(Vec<v1::MachineState>, bool), Status> {
    let mut machines = Vec::new();
    let mut page_token = String::new();
    loop {
        let message = v1::ListMachinesRequest { site_id: String::new(), page_size: PAGE, page_token };
        let page = client.list_machines(request(message, &identity)).await?.into_inner();
        machines.extend(page.machines);
        page_token = page.next_page_token;
        if page_token.is_empty() || machines.len() >= MACHINES_MAX {
            return Ok((machines, !page_token.is_empty()));
        }
    }
}
