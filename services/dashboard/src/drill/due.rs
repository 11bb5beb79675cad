//! Which contacts have to be proven, of all machines that the visitor may see; what is overdue first.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use wire::api::v1;

use super::path;
use super::stop::{contact_name, proof_state};
use crate::call::answer;
use crate::fleet;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::Places;
use crate::outage::Part;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::{self, Reader};

/// Most lines on the page. More: the page says so, and asks for a site.
const SHOWN_MAX: usize = 1_000;
const STATES: [v1::ProofState; 5] = [
    v1::ProofState::Overdue,
    v1::ProofState::Never,
    v1::ProofState::Due,
    v1::ProofState::Proven,
    v1::ProofState::Blind,
];

/// Of which site; empty: of all.
#[derive(Debug, Deserialize)]
pub(crate) struct At {
    #[serde(default)]
    site: String,
}

#[derive(Debug, Template)]
#[template(path = "drill_proofs.html")]
struct ProofsPage {
    frame: Frame,
    t: Texts,
    missing: Vec<MissingPart>,
    /// Sites to choose from: id, name, whether it is chosen.
    sites: Vec<(String, String, bool)>,
    /// How many there are of each state: shape, words, number.
    counts: Vec<(&'static str, &'static str, usize)>,
    lines: Vec<Line>,
    cut: bool,
}

/// One contact of one machine.
#[derive(Debug)]
struct Line {
    machine: String,
    href: String,
    site: String,
    contact: String,
    state: (&'static str, &'static str),
    last: String,
    due: String,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Query(At { site }): Query<At>,
) -> Response {
    if !visitor.may_anywhere("history") && !visitor.may_anywhere("handle") {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let message = v1::ListProofsRequest { site_id: site.clone(), ..v1::ListProofsRequest::default() };
    let mut client = dashboard.clients().drills();
    let asked = answer(client.list_proofs(visitor.caller.request(message)));
    let sites = fleet::sites(&dashboard, &visitor);
    let (asked, sites, machines) = tokio::join!(asked, sites, fleet::machines(&dashboard, &visitor, &site));
    let mut lost = Vec::new();
    let proofs = dashboard.outages().note(Part::Proofs, asked).map_err(|one| lost.push(one));
    let proofs = proofs.map(|answer| answer.proofs).unwrap_or_default();
    let sites = sites.map_err(|one| lost.push(one)).unwrap_or_default();
    let (machines, _) = machines.map_err(|one| lost.push(one)).unwrap_or_default();
    let code = lost.first().map_or(StatusCode::OK, |missing| status(&missing.failure));
    let places = Places::new(&sites);
    let machines: BTreeMap<String, v1::Machine> =
        machines.into_iter().filter_map(|state| state.machine).map(|one| (one.id.clone(), one)).collect();
    let lines = proofs.iter().take(SHOWN_MAX).map(|proof| line(proof, &machines, &places, visitor.reader));
    let page = ProofsPage {
        frame: Frame::of(&visitor, Here::Proofs, t.proofs()),
        t,
        missing: lost.iter().map(|one| MissingPart::new(one, t, &jiff::tz::TimeZone::UTC)).collect(),
        counts: counts(&proofs, t),
        lines: lines.collect(),
        cut: proofs.len() > SHOWN_MAX,
        sites: sites
            .iter()
            .map(|one| (one.id.clone(), places.name(&one.id).to_owned(), one.id == site))
            .collect(),
    };
    frame::html(code, &page)
}

fn counts(proofs: &[v1::Proof], t: Texts) -> Vec<(&'static str, &'static str, usize)> {
    let of = |state: v1::ProofState| proofs.iter().filter(|proof| proof.state() == state).count();
    let named = |state: v1::ProofState| {
        let (shape, words) = proof_state(state, t);
        (shape, words, of(state))
    };
    STATES.into_iter().map(named).filter(|(_, _, count)| *count > 0).collect()
}

fn line(
    proof: &v1::Proof,
    machines: &BTreeMap<String, v1::Machine>,
    places: &Places,
    reader: Reader,
) -> Line {
    let machine = machines.get(&proof.machine_id);
    let site = machine.map_or("", |machine| &machine.site_id);
    let name = machine.map(|machine| machine.display_name.as_str()).filter(|name| !name.is_empty());
    let day = |time| {
        let at = words::moment(time)?.to_zoned(places.zone(site));
        Some(at.date().to_string())
    };
    Line {
        machine: name.unwrap_or(&proof.machine_id).to_owned(),
        href: path(&proof.machine_id),
        site: places.name(site).to_owned(),
        contact: contact_name(&proof.contact, reader.t),
        state: proof_state(proof.state(), reader.t),
        last: day(proof.last_time).unwrap_or_else(|| reader.t.never().to_owned()),
        due: day(proof.due_time).unwrap_or_default(),
    }
}
