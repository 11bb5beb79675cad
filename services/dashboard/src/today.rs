//! What there is to look at today, for whoever looks after machines: the worst of each kind first, and a word where
//! nothing waits. Read once as the page is loaded; nothing on it polls.

mod agents;
mod block;
mod care;
mod clocks;

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use wire::api::v1;

use crate::call::answer;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::{Places, date_and_time};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::Reader;
use crate::{clock, fleet};

use block::Block;

/// Machines whose service is asked for.
const MAINTENANCE_MAX: i32 = 1_000;

/// Whether the visitor looks after machines anywhere.
pub(crate) fn is_for(visitor: &Visitor) -> bool {
    visitor.may_anywhere("handle")
}

/// Of which site; empty: of all.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct At {
    #[serde(default)]
    site: String,
}

#[derive(Debug, Template)]
#[template(path = "today.html")]
struct TodayPage {
    frame: Frame,
    t: Texts,
    as_of: String,
    missing: Vec<MissingPart>,
    cut: bool,
    /// Sites to choose from: id, name, whether it is chosen.
    sites: Vec<(String, String, bool)>,
    /// Versions of agents, and how many machines have each.
    versions: Vec<(String, usize)>,
    blocks: Vec<Block>,
}

/// What all blocks are made of.
#[derive(Debug)]
struct Ground {
    /// Machines of sites that the visitor looks after, by id.
    machines: BTreeMap<String, v1::MachineState>,
    places: Places,
    reader: Reader,
    now: Timestamp,
}

impl Ground {
    fn t(&self) -> Texts {
        self.reader.t
    }

    fn machine(&self, id: &str) -> Option<&v1::Machine> {
        self.machines.get(id).and_then(|state| state.machine.as_ref())
    }

    /// Whether the machine is one of these.
    fn has(&self, id: &str) -> bool {
        self.machines.contains_key(id)
    }

    /// A machine's name for people.
    fn name(&self, id: &str) -> String {
        let machine = self.machine(id);
        let name = machine.map(|one| one.display_name.as_str()).filter(|name| !name.is_empty());
        name.unwrap_or(id).to_owned()
    }

    /// How long ago something was.
    fn age(&self, time: Option<prost_types::Timestamp>) -> Option<String> {
        let at = crate::words::moment(time)?;
        Some(self.reader.age(self.now.duration_since(at).as_secs()))
    }

    fn lost(&self, missing: &Missing) -> MissingPart {
        MissingPart::new(missing, self.t(), &TimeZone::UTC)
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(At { site }): Query<At>,
    headers: HeaderMap,
) -> Response {
    if !is_for(&visitor) {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let (sites, machines) =
        tokio::join!(fleet::sites(&dashboard, &visitor), fleet::machines(&dashboard, &visitor, &site));
    let mut lost = Vec::new();
    let mut sites = sites.map_err(|one| lost.push(one)).ok();
    if let Some(sites) = &mut sites {
        sites.retain(|one| visitor.may("handle", &one.id));
        if !site.is_empty() && !sites.iter().any(|one| one.id == site) {
            return frame::not_found(&visitor, t.no_site());
        }
    }
    let sites = sites.unwrap_or_default();
    let (states, cut) = match machines {
        Ok(machines) => machines,
        Err(missing) => return frame::missing_page(status(&missing.failure), t, &missing),
    };
    let ground = ground(&visitor, states, Places::new(&sites));
    // Many answers are waited for at once: too much for the stack.
    let told = Box::pin(ask(&dashboard, &visitor, &site, &ground)).await;
    let zone = if site.is_empty() { TimeZone::UTC } else { ground.places.zone(&site) };
    let code = lost.first().map_or(StatusCode::OK, |missing| status(&missing.failure));
    let page = TodayPage {
        frame: Frame::of(&visitor, Here::Today, t.today()),
        t,
        as_of: t.today_as_of(date_and_time(ground.now, &zone)),
        missing: lost.iter().map(|one| ground.lost(one)).collect(),
        cut,
        sites: sites
            .iter()
            .map(|one| (one.id.clone(), ground.places.name(&one.id).to_owned(), one.id == site))
            .collect(),
        versions: agents::versions(&ground),
        blocks: told.blocks(&ground, &visitor),
    };
    frame::packed_html(code, &page, &headers)
}

fn ground(visitor: &Visitor, states: Vec<v1::MachineState>, places: Places) -> Ground {
    let own = states.into_iter().filter_map(|state| {
        let machine = state.machine.as_ref().filter(|one| visitor.may("handle", &one.site_id))?;
        Some((machine.id.clone(), state))
    });
    Ground { machines: own.collect(), places, reader: visitor.reader, now: clock::now() }
}

/// What the API told beside the machines.
struct Told {
    clocks: Result<clocks::Clocks, Missing>,
    proofs: Result<v1::ListProofsResponse, Missing>,
    maintenance: Result<v1::ListMaintenanceResponse, Missing>,
    sights: Result<v1::ListBlindSpotsResponse, Missing>,
    /// None: the visitor may not see whom incidents are told.
    contacts: Option<Result<v1::ListContactsResponse, Missing>>,
}

async fn ask(dashboard: &Dashboard, visitor: &Visitor, site: &str, ground: &Ground) -> Told {
    let (clients, caller, site_id) = (dashboard.clients(), &visitor.caller, site.to_owned());
    let proofs = v1::ListProofsRequest { site_id: site_id.clone(), machine_id: String::new() };
    let site_ids = if site.is_empty() { Vec::new() } else { vec![site_id.clone()] };
    let scope = v1::UsageScope { site_ids, ..v1::UsageScope::default() };
    let maintenance = v1::ListMaintenanceRequest { scope: Some(scope), page_size: MAINTENANCE_MAX };
    let sights = v1::ListBlindSpotsRequest { site_id: site_id.clone(), machine_id: String::new() };
    let (mut drills, mut usage, mut incidents) = (clients.drills(), clients.usage(), clients.incidents());
    let contacts = async {
        if !visitor.may_anywhere("configure") {
            return None;
        }
        let message = v1::ListContactsRequest { site_id };
        Some(answer(clients.notification().list_contacts(caller.request(message))).await)
    };
    let (clocks, proofs, maintenance, sights, contacts) = tokio::join!(
        clocks::ask(dashboard, visitor, ground),
        answer(drills.list_proofs(caller.request(proofs))),
        answer(usage.list_maintenance(caller.request(maintenance))),
        answer(incidents.list_blind_spots(caller.request(sights))),
        contacts,
    );
    let outages = dashboard.outages();
    Told {
        clocks: outages.note(Part::Readings, clocks),
        proofs: outages.note(Part::Proofs, proofs),
        maintenance: outages.note(Part::Maintenance, maintenance),
        sights: outages.note(Part::BlindSpots, sights),
        contacts: contacts.map(|asked| outages.note(Part::Contacts, asked)),
    }
}

impl Told {
    /// All blocks, in the order in which somebody would look at them.
    fn blocks(&self, ground: &Ground, visitor: &Visitor) -> Vec<Block> {
        let mut blocks = vec![
            agents::unheard(ground),
            care::out_of_service(ground),
            care::proofs(&self.proofs, ground),
            care::maintenance(&self.maintenance, ground),
            agents::backlog(ground),
            clocks::block(&self.clocks, ground),
            agents::lost(ground),
            agents::uncommissioned(ground),
            agents::unproven(ground),
            care::blind(&self.sights, ground),
        ];
        blocks.extend(self.contacts.as_ref().map(|asked| care::contacts(asked, ground, visitor)));
        blocks
    }
}
