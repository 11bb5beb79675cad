//! The dossier as a file.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use wire::api::v1;

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
    let disposition = format!("attachment; filename=\"{}\"", file_name(&dossier.file_name));
    let attachment = HeaderValue::from_static("attachment; filename=\"dossier.json\"");
    let disposition = HeaderValue::try_from(disposition).unwrap_or(attachment);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, dossier.file).into_response()
}

/// A name that means the same to every browser.
fn file_name(name: &str) -> &str {
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
    let is_good = (1..=128).contains(&name.len()) && !name.starts_with('.') && name.bytes().all(allowed);
    if is_good { name } else { "dossier.json" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_lead_elsewhere_is_not_used() {
        for good in ["dossier-0123abcd.json", "beltwatch_1.json"] {
            assert_eq!(file_name(good), good);
        }
        for bad in ["", "../../x", ".profile", "a\"; x=\"b", "a\r\nb", "ä.json", &"a".repeat(129)] {
            assert_eq!(file_name(bad), "dossier.json", "{bad}");
        }
    }
}
