//! The last incidents of a machine.

use std::collections::BTreeMap;

use askama::Template;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::call::answer;
use crate::frame::MissingPart;
use crate::incidents::{Places, Row};
use crate::outage::Part;
use crate::router::Dashboard;
use crate::texts::Texts;
use crate::visitor::Visitor;

/// How many are shown.
const SHOWN: i32 = 10;

/// The incidents, or why they cannot be shown.
#[derive(Debug, Template)]
#[template(path = "machine_incidents.html")]
pub(super) struct IncidentsPart {
    t: Texts,
    id: String,
    missing: Option<MissingPart>,
    rows: Vec<Row>,
}

pub(super) async fn incidents(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    zone: &TimeZone,
) -> IncidentsPart {
    let filter =
        v1::IncidentFilter { machine_ids: vec![machine.to_owned()], ..v1::IncidentFilter::default() };
    let message = v1::ListIncidentsRequest {
        filter: Some(filter),
        page_size: SHOWN,
        ..v1::ListIncidentsRequest::default()
    };
    let mut client = dashboard.clients().incidents();
    let asked = answer(client.list_incidents(visitor.caller.request(message))).await;
    let mut part = IncidentsPart { t: visitor.t(), id: machine.to_owned(), missing: None, rows: Vec::new() };
    match dashboard.outages().note(Part::Incidents, asked) {
        Ok(page) => {
            let row = |incident: &v1::Incident| {
                let places = Places::one(&incident.site_id, zone);
                Row::new(incident, &places, &BTreeMap::new(), visitor.reader)
            };
            part.rows = page.incidents.iter().map(row).collect();
        }
        Err(missing) => part.missing = Some(MissingPart::new(&missing, part.t, zone)),
    }
    part
}
