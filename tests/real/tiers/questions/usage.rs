//! Usage: added up, period by period, by weekday, in files.

use tonic::Response;
use wire::api::v1;
use wire::api::v1::usage_service_client::UsageServiceClient;

use super::super::feed::MACHINES;
use super::super::server::Reach;
use super::{About, Answers};

pub(super) async fn ask(reach: &Reach, about: About, answers: &mut Answers) -> anyhow::Result<()> {
    let mut usage = reach.client(UsageServiceClient::with_interceptor);
    let dates = about.dates()?;
    for group_by in [v1::GroupBy::Site, v1::GroupBy::Model, v1::GroupBy::Machine] {
        let request =
            v1::GetUsageRequest { range: dates.clone(), group_by: group_by.into(), ..Default::default() };
        answers.note(format!("GetUsage by {group_by:?}"), usage.get_usage(request).await);
    }
    for resolution in [v1::Resolution::Hour, v1::Resolution::Day, v1::Resolution::Week] {
        let request = v1::ListUsageRequest {
            range: dates.clone(),
            resolution: resolution.into(),
            group_by: v1::GroupBy::Machine.into(),
            ..Default::default()
        };
        answers.note(format!("ListUsage by {resolution:?}"), usage.list_usage(request).await);
    }
    let scopes = MACHINES.iter().map(|(machine, _)| vec![(*machine).to_owned()]);
    for machine_ids in scopes.chain([Vec::new()]) {
        let whose = machine_ids.join(",");
        let scope = Some(v1::UsageScope { machine_ids, ..Default::default() });
        let request = v1::GetHeatMapRequest { scope: scope.clone(), range: dates.clone() };
        answers.note(format!("GetHeatMap {whose}"), usage.get_heat_map(request).await);
        let request = v1::GetUtilisationRequest { scope: scope.clone(), range: dates.clone() };
        answers.note(format!("GetUtilisation {whose}"), usage.get_utilisation(request).await);
        let request = v1::GetReverseUseRequest { scope, range: dates.clone(), ..Default::default() };
        answers.note(format!("GetReverseUse {whose}"), usage.get_reverse_use(request).await);
    }
    for kind in [v1::ExportKind::Usage, v1::ExportKind::Sessions, v1::ExportKind::Intervals] {
        let request =
            v1::ExportUsageRequest { range: dates.clone(), kind: kind.into(), ..Default::default() };
        let file = match usage.export_usage(request).await {
            Ok(stream) => file(stream.into_inner()).await,
            Err(status) => Err(status),
        };
        answers.note(format!("ExportUsage {kind:?}"), file);
    }
    Ok(())
}

/// The lines of a file of CSV.
async fn file(
    mut stream: tonic::Streaming<v1::ExportUsageResponse>,
) -> Result<Response<Vec<String>>, tonic::Status> {
    let mut octets = Vec::new();
    while let Some(part) = stream.message().await? {
        octets.extend(part.octets);
    }
    let text = String::from_utf8_lossy(&octets).into_owned();
    Ok(Response::new(text.lines().map(str::to_owned).collect()))
}

impl About {
    /// The dates of the span, but for the last, of which not everything has come yet.
    fn dates(self) -> anyhow::Result<Option<v1::DateRange>> {
        let date = |us: i64| -> anyhow::Result<String> {
            let moment = jiff::Timestamp::from_microsecond(us)?;
            Ok(moment.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
        };
        let (start_date, end_date) = (date(self.from_us)?, date(self.until_us)?);
        Ok(Some(v1::DateRange { start_date, end_date, time_zone: String::new() }))
    }
}
