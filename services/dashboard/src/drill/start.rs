//! What a test is, and the button that begins one; the earlier ones of the machine.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::guide::{TEST_SPEED_MPS, blind, warnings};
use super::stop::contact_name;
use super::{measured_contacts, path};
use crate::call::answer;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::date_and_time;
use crate::machine::Found;
use crate::outage::Part;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::tile;
use crate::visitor::Visitor;
use crate::words;

/// Lengths that the form offers, in minutes.
const LENGTHS: [&str; 3] = ["10", "5", "15"];

#[derive(Debug, Template)]
#[template(path = "drill_start.html")]
struct StartPage {
    frame: Frame,
    t: Texts,
    id: String,
    action: String,
    speed: String,
    can: Vec<String>,
    cannot: Vec<String>,
    warnings: Vec<&'static str>,
    /// Whether the visitor may begin one, and there is something to measure.
    may: bool,
    lengths: Vec<(&'static str, String, bool)>,
    error: String,
    earlier: Vec<Earlier>,
    missing: Vec<MissingPart>,
}

/// An earlier test.
#[derive(Debug)]
struct Earlier {
    href: String,
    at: String,
    who: String,
    note: String,
}

/// The page that begins a test.
pub(super) async fn page(
    dashboard: &Dashboard,
    visitor: &Visitor,
    found: &Found,
    minutes: &str,
    error: &str,
    code: StatusCode,
) -> Response {
    let t = visitor.t();
    let id = &found.machine.id;
    let message = v1::ListDrillsRequest { machine_id: id.clone(), ..v1::ListDrillsRequest::default() };
    let mut client = dashboard.clients().drills();
    let asked = answer(client.list_drills(visitor.caller.request(message))).await;
    let mut missing = Vec::new();
    let drills = match dashboard.outages().note(Part::Drill, asked) {
        Ok(listed) => listed.drills,
        Err(lost) => {
            missing.push(MissingPart::new(&lost, t, &found.zone));
            Vec::new()
        }
    };
    let measured = measured_contacts(&found.state);
    let length = |code: &'static str| (code, t.age_minutes(code), code == minutes);
    let page = StartPage {
        frame: Frame::of(visitor, Here::Proofs, &t.drill_of(found.name())),
        t,
        id: id.clone(),
        action: path(id),
        speed: visitor.reader.speed(TEST_SPEED_MPS),
        can: measured.iter().map(|contact| contact_name(contact, t)).collect(),
        cannot: blind(&found.state, t),
        warnings: warnings(&found.state, t),
        may: visitor.may("handle", &found.machine.site_id) && !measured.is_empty(),
        lengths: LENGTHS.into_iter().map(length).collect(),
        error: error.to_owned(),
        earlier: drills.iter().map(|drill| earlier(drill, found)).collect(),
        missing,
    };
    frame::html(code, &page)
}

fn earlier(drill: &v1::Drill, found: &Found) -> Earlier {
    let at = words::moment(drill.effective_time).map(|at| date_and_time(at, &found.zone));
    Earlier {
        href: format!("{}/{}", path(&found.machine.id), drill.number),
        at: at.unwrap_or_default(),
        who: tile::person(&drill.author).to_owned(),
        note: drill.note.clone(),
    }
}
