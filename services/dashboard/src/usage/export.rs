//! What a page shows as a file, passed on part by part.

use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use wire::api::v1;

use super::asked::Asked;
use super::filter::{self, Page};
use crate::attachment;
use crate::call::{Failure, FailureKind, answer};
use crate::form::Fields;
use crate::frame;
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::sign_in::status;
use crate::texts::Texts;
use crate::visitor::Visitor;

pub(super) const KINDS: [(&str, v1::ExportKind); 3] = [
    ("usage", v1::ExportKind::Usage),
    ("sessions", v1::ExportKind::Sessions),
    ("intervals", v1::ExportKind::Intervals),
];
pub(super) const FORMATS: [(&str, v1::ExportFormat); 2] =
    [("csv", v1::ExportFormat::Csv), ("xlsx", v1::ExportFormat::Xlsx)];

pub(crate) async fn export(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if !visitor.may_anywhere("history") {
        return frame::not_allowed(&visitor);
    }
    let t = visitor.t();
    let query = query.unwrap_or_default();
    let mut asked = match Asked::read(&dashboard, &visitor, Page::Export, &query).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let fields = Fields::read(query.as_bytes());
    let kind = filter::one_of(&fields, "kind", &KINDS, v1::ExportKind::Usage, &mut asked.errors, t);
    let format = filter::one_of(&fields, "format", &FORMATS, v1::ExportFormat::Csv, &mut asked.errors, t);
    let Some(range) = asked.range() else {
        return super::page(&dashboard, &visitor, asked, &headers).await;
    };
    let message = v1::ExportUsageRequest {
        scope: Some(asked.filter.scope()),
        range: Some(range),
        kind: kind.into(),
        format: format.into(),
        resolution: asked.resolution.unwrap_or_default().into(),
    };
    match begin(&dashboard, &visitor, message).await {
        Ok((first, rest)) => file(first, rest, format, t),
        Err(missing) => match missing.failure.kind {
            FailureKind::Wrong | FailureKind::NotFound => {
                asked.refuse(&missing.failure, t);
                super::page(&dashboard, &visitor, asked, &headers).await
            }
            FailureKind::NotAllowed => frame::not_allowed(&visitor),
            FailureKind::SignedOut | FailureKind::TooMany | FailureKind::Outage => {
                frame::missing_page(status(&missing.failure), t, &missing)
            }
        },
    }
}

type Parts = tonic::Streaming<v1::ExportUsageResponse>;

/// Asks for the file and waits for its first part, so that a refusal becomes a page and no broken file.
async fn begin(
    dashboard: &Dashboard,
    visitor: &Visitor,
    message: v1::ExportUsageRequest,
) -> Result<(v1::ExportUsageResponse, Parts), Missing> {
    let mut client = dashboard.clients().usage();
    let asked = async {
        let mut parts = answer(client.export_usage(visitor.caller.request(message))).await?;
        let first = next(&mut parts).await?.unwrap_or_default();
        Ok((first, parts))
    };
    dashboard.outages().note(Part::Export, asked.await)
}

/// The next part; none: the file is complete.
async fn next(parts: &mut Parts) -> Result<Option<v1::ExportUsageResponse>, Failure> {
    answer(async { parts.message().await.map(tonic::Response::new) }).await
}

/// The file as it comes. If a later part fails the answer breaks off: a file that is cut is not taken for a whole one.
fn file(first: v1::ExportUsageResponse, rest: Parts, format: v1::ExportFormat, t: Texts) -> Response {
    let (media_type, instead) = match format {
        v1::ExportFormat::Csv | v1::ExportFormat::Unspecified => ("text/csv; charset=utf-8", "usage.csv"),
        v1::ExportFormat::Xlsx => {
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "usage.xlsx")
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, attachment::disposition(&first.file_name, instead)),
    ];
    let later = futures::stream::try_unfold(rest, move |mut rest| async move {
        match next(&mut rest).await {
            Ok(part) => Ok(part.map(|part| (Bytes::from(part.octets), rest))),
            Err(failure) => Err(std::io::Error::other(failure.words(t))),
        }
    });
    let begin = futures::stream::iter([Ok(Bytes::from(first.octets))]);
    let body = Body::from_stream(futures::StreamExt::chain(begin, later));
    (headers, body).into_response()
}
