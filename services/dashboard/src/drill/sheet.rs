//! The dated sheet of a test: on the screen, and on one page of paper with a line to sign.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use wire::api::v1;

use super::guide::title;
use super::stop::{StopLine, Verdict, contact_name};
use super::{CONTACTS, NoteField, ask, find, lacking, path};
use crate::frame::{self, Frame, Here};
use crate::incidents::date_and_time;
use crate::machine::Found;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::tile;
use crate::visitor::Visitor;
use crate::words;

#[derive(Debug, Template)]
#[template(path = "drill_sheet.html")]
struct SheetPage {
    frame: Frame,
    t: Texts,
    id: String,
    machine: String,
    model: String,
    site: String,
    number: u64,
    begin: String,
    end: String,
    is_open: bool,
    who: String,
    zone: String,
    stops: Vec<StopLine>,
    /// What all stops say together: shape and words.
    verdict: (&'static str, &'static str),
    not_tested: Vec<String>,
    found: Vec<String>,
    note: String,
    field: Option<NoteField>,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path((id, number)): Path<(String, u64)>,
) -> Response {
    let found = match find(&dashboard, &visitor, &id).await {
        Ok(found) => found,
        Err(response) => return response,
    };
    if number == 0 {
        return frame::not_found(&visitor, visitor.t().no_drill());
    }
    match ask(&dashboard, &visitor, &id, number).await {
        Ok(Some(drill)) => {
            let field = NoteField { note: drill.note.clone(), ..NoteField::default() };
            page(&visitor, &found, &drill, field, StatusCode::OK)
        }
        Ok(None) => frame::not_found(&visitor, visitor.t().no_drill()),
        Err(missing) => lacking(&visitor, &missing),
    }
}

/// The sheet of a test.
pub(super) fn page(
    visitor: &Visitor,
    found: &Found,
    drill: &v1::Drill,
    field: NoteField,
    code: StatusCode,
) -> Response {
    let t = visitor.t();
    let moment = |time| words::moment(time).map(|at| date_and_time(at, &found.zone)).unwrap_or_default();
    let stops: Vec<StopLine> =
        drill.stops.iter().map(|stop| StopLine::new(stop, &found.zone, visitor.reader)).collect();
    let is_tested = |contact: &&str| stops.iter().any(|stop| stop.contact == **contact);
    let not_tested = CONTACTS.into_iter().filter(|contact| !is_tested(contact));
    let may = visitor.may("handle", &found.machine.site_id);
    let action = format!("{}/{}/end", path(&found.machine.id), drill.number);
    let page = SheetPage {
        frame: Frame::of(visitor, Here::Proofs, &t.drill_of(found.name())),
        t,
        id: found.machine.id.clone(),
        machine: found.name().to_owned(),
        model: found.machine.model.clone(),
        site: found.site.clone(),
        number: drill.number,
        begin: moment(drill.effective_time),
        end: moment(drill.end_time),
        is_open: drill.is_open,
        who: tile::person(&drill.author).to_owned(),
        zone: found.zone.iana_name().unwrap_or("UTC").to_owned(),
        verdict: verdict(&stops, t),
        not_tested: not_tested.map(|contact| contact_name(contact, t)).collect(),
        found: drill.suppressed.iter().map(|one| title(one, t)).collect(),
        note: drill.note.clone(),
        field: may.then_some(NoteField { action, ..field }),
        stops,
    };
    frame::html(code, &page)
}

/// One stop that failed fails the test; one that cannot be judged leaves it open.
fn verdict(stops: &[StopLine], t: Texts) -> (&'static str, &'static str) {
    let any = |verdict: Verdict| stops.iter().any(|stop| stop.verdict == verdict);
    if stops.is_empty() {
        ("v-never", t.drill_nothing_measured())
    } else if any(Verdict::Failed) {
        (Verdict::Failed.class(), t.drill_failed())
    } else if any(Verdict::NoLimit) {
        (Verdict::NoLimit.class(), t.drill_no_limit())
    } else {
        (Verdict::Passed.class(), t.drill_passed())
    }
}
