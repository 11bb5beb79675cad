//! The floor of a site: every machine with one status, those that need somebody first.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use wire::api::v1;

use crate::call::answer;
use crate::fleet::{LISTED_MAX, machines, sites};
use crate::form::Posted;
use crate::frame::{self, Frame, Here, MissingPart};
use crate::incidents::OpenPart;
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::tile::{self, STATUSES, Tile};
use crate::visitor::Visitor;
use crate::words::{self, Reader, clock, zone};

#[derive(Debug, Template)]
#[template(path = "floor.html")]
struct FloorPage {
    frame: Frame,
    t: Texts,
    reader: Reader,
    site: String,
    /// The site's local time.
    time: String,
    zone: String,
    missing: Vec<MissingPart>,
    /// Machines that need somebody, the one that needs them most first.
    needs: Vec<Tile>,
    /// Machines that have a place in the plan, in the room's order.
    placed: Vec<Tile>,
    /// The others, by id.
    others: Vec<Tile>,
    cut: bool,
    models: BTreeSet<String>,
    statuses: Vec<(&'static str, &'static str)>,
    may_act: bool,
    /// The incidents of the site that need somebody.
    open: OpenPart,
    may_arrange: bool,
    now_ms: i64,
}

impl FloorPage {
    fn aged(&self, tile: &Tile) -> String {
        self.reader.aged(&tile.why, tile.since, self.now_ms)
    }

    fn unit(&self) -> &'static str {
        self.reader.unit.name()
    }

    /// Classes of a tile's place in the plan.
    fn place(&self, tile: &Tile) -> String {
        place(tile)
            .map_or_else(|| "unplaced".to_owned(), |(row, column)| format!("row-{row} column-{column}"))
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(site): Path<String>,
    headers: HeaderMap,
) -> Response {
    if !visitor.may_anywhere("live") {
        return frame::not_allowed(&visitor);
    }
    let (sites, machines, open) = tokio::join!(
        sites(&dashboard, &visitor),
        machines(&dashboard, &visitor, &site),
        OpenPart::ask(&dashboard, &visitor, &site)
    );
    let t = visitor.t();
    if let Ok(sites) = &sites
        && !sites.iter().any(|one| one.id == site)
    {
        return frame::not_found(&visitor, t.no_place_on_floor());
    }
    let mut missing = Vec::new();
    let found = sites.map_err(|error| missing.push(error)).ok();
    let found = found.and_then(|sites| sites.into_iter().find(|one| one.id == site));
    let zone = zone(found.as_ref().map_or("", |site| &site.time_zone));
    let (states, cut) = machines.map_err(|error| missing.push(error)).unwrap_or_default();
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let now = crate::clock::now();
    let tiles = in_order(states.iter().map(|state| Tile::new(state, visitor.reader)).collect());
    let mut needs: Vec<Tile> = tiles.iter().filter(|tile| tile.needs_somebody()).cloned().collect();
    needs.sort_by_key(|tile| (tile.rank, tile.since));
    let models =
        tiles.iter().filter_map(|tile| tile.fixed.as_ref()).map(|fixed| fixed.model.clone()).collect();
    let (placed, others) = tiles.into_iter().partition(|tile| place(tile).is_some());
    let name = found.map_or_else(|| site.clone(), |site| site.display_name);
    let page = FloorPage {
        frame: Frame::of(&visitor, Here::Floor, &name),
        t,
        reader: visitor.reader,
        time: t.local_time(clock(now, &zone)),
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        missing: missing.iter().map(|one| MissingPart::new(one, t, &zone)).collect(),
        needs,
        models,
        placed,
        others,
        cut,
        statuses: STATUSES.iter().map(|status| tile::status_name(*status, visitor.reader)).collect(),
        may_act: visitor.may("act", &site),
        open,
        may_arrange: visitor.may("arrange", &site),
        site,
        now_ms: now.as_millisecond(),
    };
    frame::packed_html(status, &page, &headers)
}

fn place(tile: &Tile) -> Option<(u32, u32)> {
    tile.fixed.as_ref().and_then(|fixed| fixed.row.zip(fixed.column))
}

/// By row and column, then by id: reading order is that of the room.
fn in_order(mut tiles: Vec<Tile>) -> Vec<Tile> {
    tiles.sort_by_cached_key(|tile| (place(tile), tile.id.clone()));
    tiles
}

/// Somebody has seen to a stop.
pub(crate) async fn acknowledge(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(site): Path<String>,
    headers: HeaderMap,
    Posted(fields): Posted,
) -> Response {
    let t = visitor.t();
    let Some(stop_time) = words::from_exact(fields.get("stop_time")) else {
        return frame::form_refused(t);
    };
    let machine_id = fields.get("machine").to_owned();
    let message = v1::AcknowledgeStopRequest { machine_id, stop_time: Some(stop_time) };
    let mut client = dashboard.clients().fleet();
    let scripted = headers.get("accept").is_some_and(|value| value == "application/json");
    match answer(client.acknowledge_stop(visitor.caller.request(message))).await {
        Ok(_) if scripted => StatusCode::NO_CONTENT.into_response(),
        Ok(_) => Redirect::to(&floor_path(&site)).into_response(),
        Err(failure) if scripted => (status(&failure), plain(), failure.words(t)).into_response(),
        Err(failure) => {
            let frame = Frame::of(&visitor, Here::Floor, t.failed_title());
            frame::message(status(&failure), frame, &failure.words(t))
        }
    }
}

fn plain() -> [(HeaderName, HeaderValue); 1] {
    [(axum::http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))]
}

/// Where a site's floor is.
pub(crate) fn floor_path(site: &str) -> String {
    let segment: String = url::form_urlencoded::byte_serialize(site.as_bytes()).collect();
    format!("/floor/{segment}")
}
