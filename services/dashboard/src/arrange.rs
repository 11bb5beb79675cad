//! The plan of a room: where each machine stands.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use wire::api::v1;

use crate::call::answer;
use crate::fleet::machines;
use crate::floor::floor_path;
use crate::form::{Fields, Posted};
use crate::frame::{self, Frame, Here};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// Rows, and columns, of a plan.
const SIDE: u32 = 64;

#[derive(Debug, Template)]
#[template(path = "arrange.html")]
struct ArrangePage {
    frame: Frame,
    t: Texts,
    floor: String,
    pieces: Vec<Piece>,
    done: bool,
    error: String,
}

/// A machine in the plan, as typed: rows and columns from 1.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    id: String,
    name: String,
    row: String,
    column: String,
    error: &'static str,
}

impl Piece {
    fn new(state: &v1::MachineState) -> Piece {
        let machine = state.machine.clone().unwrap_or_default();
        let one_based = |number: u32| (number + 1).to_string();
        Piece {
            name: if machine.display_name.is_empty() { machine.id.clone() } else { machine.display_name },
            id: machine.id,
            row: machine.place.map(|place| one_based(place.row)).unwrap_or_default(),
            column: machine.place.map(|place| one_based(place.column)).unwrap_or_default(),
            error: "",
        }
    }

    /// Where it stands. None: it is not in the plan.
    ///
    /// # Errors
    ///
    /// What was typed is no place.
    fn place(&self) -> Result<Option<v1::Place>, ()> {
        if self.row.is_empty() && self.column.is_empty() {
            return Ok(None);
        }
        let number = |text: &str| match text.parse::<u32>() {
            Ok(number @ 1..=SIDE) => Ok(number - 1),
            Ok(_) | Err(_) => Err(()),
        };
        Ok(Some(v1::Place { row: number(&self.row)?, column: number(&self.column)? }))
    }
}

/// Takes what was typed; says which places are none or taken.
fn take(pieces: &mut [Piece], fields: &Fields, t: Texts) -> Result<Vec<v1::MachinePlace>, ()> {
    let rows: BTreeMap<&str, &str> = fields.beginning("row.").collect();
    let columns: BTreeMap<&str, &str> = fields.beginning("column.").collect();
    let mut taken: BTreeMap<(u32, u32), usize> = BTreeMap::new();
    let mut places = Vec::new();
    let mut wrong = false;
    for (at, piece) in pieces.iter_mut().enumerate() {
        if let (Some(row), Some(column)) = (rows.get(piece.id.as_str()), columns.get(piece.id.as_str())) {
            row.trim().clone_into(&mut piece.row);
            column.trim().clone_into(&mut piece.column);
        }
        let Ok(place) = piece.place() else {
            piece.error = t.place_wrong();
            wrong = true;
            continue;
        };
        if let Some(place) = place
            && taken.insert((place.row, place.column), at).is_some()
        {
            piece.error = t.place_taken();
            wrong = true;
        }
        places.push(v1::MachinePlace { machine_id: piece.id.clone(), place });
    }
    if wrong { Err(()) } else { Ok(places) }
}

/// What was just done.
#[derive(Debug, Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(site): Path<String>,
    Query(Done { done }): Query<Done>,
) -> Response {
    match page(&dashboard, &visitor, &site).await {
        Ok(mut page) => {
            page.done = done == "plan";
            frame::html(StatusCode::OK, &page)
        }
        Err(response) => response,
    }
}

async fn page(dashboard: &Dashboard, visitor: &Visitor, site: &str) -> Result<ArrangePage, Response> {
    if !visitor.may("arrange", site) {
        return Err(frame::not_allowed(visitor));
    }
    let t = visitor.t();
    let (states, _) = machines(dashboard, visitor, site)
        .await
        .map_err(|missing| frame::missing_page(status(&missing.failure), t, &missing))?;
    let mut pieces: Vec<Piece> = states.iter().map(Piece::new).collect();
    pieces.sort_by(|a, b| a.id.cmp(&b.id));
    let frame = Frame::of(visitor, Here::Floor, t.arrange());
    Ok(ArrangePage { frame, t, floor: floor_path(site), pieces, done: false, error: String::new() })
}

pub(crate) async fn save(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(site): Path<String>,
    Posted(fields): Posted,
) -> Response {
    let mut page = match page(&dashboard, &visitor, &site).await {
        Ok(page) => page,
        Err(response) => return response,
    };
    let Ok(places) = take(&mut page.pieces, &fields, visitor.t()) else {
        return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let message = v1::ArrangeMachinesRequest { site_id: site, places };
    let mut client = dashboard.clients().admin();
    match answer(client.arrange_machines(visitor.caller.request(message))).await {
        Ok(_) => Redirect::to(&format!("{}/arrange?done=plan", page.floor)).into_response(),
        Err(failure) => {
            page.error = failure.words(visitor.t());
            frame::html(status(&failure), &page)
        }
    }
}

#[cfg(test)]
mod tests;
