//! The dossier as a file.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use wire::api::v1;

use crate::attachment;
use crate::call::{Failure, FailureKind, answer};
use crate::frame;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::visitor::Visitor;

pub(super) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    id: &str,
) -> Result<v1::ExportDossierResponse, Missing> {
    let mut client = dashboard.clients().handling();
    let message = v1::ExportDossierRequest { incident_id: id.to_owned() };
    let asked: Result<_, Failure> = answer(client.export_dossier(visitor.caller.request(message))).await;
    dashboard.outages().note(Part::Dossier, asked)
}

pub(crate) async fn export(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Response {
    if !visitor.may_anywhere("evidence") {
        return frame::not_allowed(&visitor);
    }
    match ask(&dashboard, &visitor, &id).await {
        Ok(dossier) => file(dossier),
        Err(missing) => match missing.failure.kind {
            FailureKind::NotFound | FailureKind::Wrong => {
                frame::not_found(&visitor, visitor.t().no_incident())
            }
            FailureKind::NotAllowed => frame::not_allowed(&visitor),
            FailureKind::SignedOut | FailureKind::TooMany | FailureKind::Outage => {
                frame::missing_page(status(&missing.failure), visitor.t(), &missing)
            }
        },
    }
}

fn file(dossier: v1::ExportDossierResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, attachment::disposition(&dossier.file_name, "dossier.json")),
    ];
    (headers, dossier.file).into_response()
}
