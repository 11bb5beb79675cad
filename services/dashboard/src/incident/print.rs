//! An incident on paper: one page, black on white, with nothing to click.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use wire::api::v1;

use super::dealt::Dealt;
use super::drawing::{self, Drawing};
use super::facts::{self, Facts};
use super::timeline::Moment;
use super::trace::{self, Trace};
use super::{Found, Rights, dossier, seen};
use crate::assets;
use crate::frame::{self, MissingPart};
use crate::incidents::date_and_time;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;
use crate::words::Reader;

#[derive(Debug, Template)]
#[template(path = "incident_print.html")]
struct PrintPage {
    t: Texts,
    reader: Reader,
    id: String,
    zone: String,
    printed: String,
    facts: Facts,
    dealt: Dealt,
    missing: Vec<MissingPart>,
    drawing: Option<Drawing>,
    /// What the machine could report, and what not.
    coverage: Vec<String>,
    moments: Option<Vec<Moment>>,
    /// None: the visitor may not have it, or it cannot be had.
    proof: Option<Proof>,
}

/// What the dossier says of itself.
#[derive(Debug)]
struct Proof {
    /// SHA-256 of the evidence as it was sealed last. Empty: it was not yet.
    evidence: String,
    fingerprint: String,
    anchored: &'static str,
}

impl PrintPage {
    fn asset(&self, name: &str) -> &'static str {
        assets::address(name)
    }

    fn unit(&self) -> &'static str {
        self.reader.unit.name()
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut found = match Found::ask(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    let t = visitor.t();
    let zone = found.zone();
    let rights = Rights::of(&visitor, &found.incident.site_id);
    let mut exported = None;
    if rights.evidence {
        let asked = dossier::ask(&dashboard, &visitor, &id).await;
        let missing = &mut found.missing;
        exported = seen(asked, &mut |error| missing.push(MissingPart::new(error, t, &zone)));
    }
    let at = trace::seconds(found.incident.time);
    let page = PrintPage {
        t,
        reader: visitor.reader,
        id: found.incident.id.clone(),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        printed: t.print_at(date_and_time(found.now, &zone)),
        facts: Facts::new(&found.shown, found.machine_name(), &found.places, visitor.reader),
        dealt: Dealt::new(&found.handling(), &zone, visitor.reader, found.now),
        drawing: Drawing::new(&Trace::new(&found.shown, visitor.reader), at, visitor.reader),
        coverage: coverage(&found.incident, t),
        moments: found.moments(t),
        proof: exported
            .map(|dossier| proof(dossier, found.steps.as_ref().map_or(&[][..], |all| &all.steps), t)),
        missing: found.missing,
    };
    let code = if page.missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    frame::packed_html(code, &page, &headers)
}

fn proof(dossier: v1::ExportDossierResponse, steps: &[v1::IncidentStep], t: Texts) -> Proof {
    let anchored = if dossier.anchored { t.print_anchored() } else { t.print_unanchored() };
    let sealed = |step: &v1::IncidentStep| match &step.what {
        Some(v1::incident_step::What::Sealed(sealed)) => Some(sealed.evidence.clone()),
        Some(_) | None => None,
    };
    let evidence = steps.iter().rev().find_map(sealed).unwrap_or_default();
    Proof { evidence, fingerprint: dossier.key_fingerprint, anchored }
}

/// What the machine could report then, and what it could not.
fn coverage(incident: &v1::Incident, t: Texts) -> Vec<String> {
    let known = |name: &&str| incident.capabilities.iter().any(|able| able == name);
    let named = |names: Vec<&str>| {
        let words: Vec<&str> = names.into_iter().map(|name| facts::signal(name, t)).collect();
        if words.is_empty() { t.not_known().to_owned() } else { words.join(", ") }
    };
    let able = named(incident.capabilities.iter().map(String::as_str).collect());
    let unable: Vec<&str> = facts::signals().filter(|name| !known(name)).collect();
    let mut all = vec![t.print_able(able)];
    if !incident.capabilities.is_empty() && !unable.is_empty() {
        all.push(t.print_unable(named(unable)));
    }
    all
}
