//! What the server is asked.

use anyhow::Context;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tonic::transport::Endpoint;
use wire::api::v1::usage_service_client::UsageServiceClient;
use wire::api::v1::{
    DateRange, GetHeatMapRequest, GetReverseUseRequest, GetUsageRequest, GetUtilisationRequest,
    ListUsageRequest, Resolution, Usage, UsageScope,
};

use crate::client::{Identity, Service};
use crate::serve::Server;
use crate::year::Year;

/// Days of a month.
const MONTH_DAYS: usize = 31;

/// Whom and when questions are about.
#[derive(Debug)]
pub(super) struct Asked {
    machines: Vec<String>,
    sites: Vec<String>,
    all_days: DateRange,
    month: DateRange,
}

impl Asked {
    pub(super) fn of(year: &Year, days: usize) -> anyhow::Result<Asked> {
        let end = Timestamp::from_microsecond(year.until().0)?.to_zoned(TimeZone::UTC).date();
        let range = |days: usize| -> anyhow::Result<DateRange> {
            let first = end.checked_sub(i64::try_from(days)?.days())?;
            let (start_date, end_date) = (first.to_string(), end.to_string());
            Ok(DateRange { start_date, end_date, time_zone: String::new() })
        };
        Ok(Asked {
            machines: year.machines().iter().map(|machine| machine.id.to_string()).collect(),
            sites: year.gyms().iter().map(|gym| gym.site.to_string()).collect(),
            all_days: range(days)?,
            month: range(days.min(MONTH_DAYS))?,
        })
    }

    /// Another machine each time.
    fn machine(&self, turn: usize) -> Option<UsageScope> {
        let machine_ids = vec![self.machines[turn * 7 % self.machines.len()].clone()];
        Some(UsageScope { machine_ids, ..UsageScope::default() })
    }

    /// Another site each time.
    fn site(&self, turn: usize) -> Option<UsageScope> {
        let site_ids = vec![self.sites[turn % self.sites.len()].clone()];
        Some(UsageScope { site_ids, ..UsageScope::default() })
    }
}

/// Something to ask again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// All days of one machine, added up.
    MachineYear,
    /// A month of all machines, added up.
    FleetMonth,
    /// All days of one machine, day by day.
    MachineDays,
    /// A month of one site by weekday and hour.
    SiteHeatMap,
    /// A month of one site against its opening hours.
    SiteUtilisation,
    /// Reverse motion of a month of one site.
    SiteReverse,
}

impl Question {
    /// All of them.
    pub(super) const ALL: [Question; 6] = [
        Question::MachineYear,
        Question::FleetMonth,
        Question::MachineDays,
        Question::SiteHeatMap,
        Question::SiteUtilisation,
        Question::SiteReverse,
    ];

    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Question::MachineYear => "GetUsage, one machine, all days",
            Question::FleetMonth => "GetUsage, all machines, 31 days",
            Question::MachineDays => "ListUsage by day, one machine, all days",
            Question::SiteHeatMap => "GetHeatMap, one site, 31 days",
            Question::SiteUtilisation => "GetUtilisation, one site, 31 days",
            Question::SiteReverse => "GetReverseUse, one site, 31 days",
        }
    }

    /// Asks once; gives how many kinds of motion, periods, cells or the like the answer has.
    pub(super) async fn ask(self, client: &mut Client, asked: &Asked, turn: usize) -> anyhow::Result<usize> {
        let (all_days, month) = (Some(asked.all_days.clone()), Some(asked.month.clone()));
        let rows = match self {
            Question::MachineYear => {
                let request =
                    GetUsageRequest { scope: asked.machine(turn), range: all_days, ..Default::default() };
                kinds(client.get_usage(request).await?.into_inner().total)?
            }
            Question::FleetMonth => {
                let request = GetUsageRequest { range: month, ..Default::default() };
                kinds(client.get_usage(request).await?.into_inner().total)?
            }
            Question::MachineDays => {
                let resolution = Resolution::Day.into();
                let (scope, range) = (asked.machine(turn), all_days);
                let request = ListUsageRequest { scope, range, resolution, ..Default::default() };
                let series = client.list_usage(request).await?.into_inner().series;
                series.iter().map(|series| series.periods.len()).sum()
            }
            Question::SiteHeatMap => {
                let request = GetHeatMapRequest { scope: asked.site(turn), range: month };
                client.get_heat_map(request).await?.into_inner().cells.len()
            }
            Question::SiteUtilisation => {
                let request = GetUtilisationRequest { scope: asked.site(turn), range: month };
                client.get_utilisation(request).await?.into_inner().sites.len()
            }
            Question::SiteReverse => {
                let request = GetReverseUseRequest { scope: asked.site(turn), range: month, mass_kg: 0 };
                kinds(client.get_reverse_use(request).await?.into_inner().usage)?
            }
        };
        Ok(rows)
    }
}

/// Kinds of motion, and rest: a machine that nobody used has that.
fn kinds(usage: Option<Usage>) -> anyhow::Result<usize> {
    let usage = usage.context("no usage")?;
    Ok(usage.keyed.len() + usize::from(usage.at_rest.is_some()))
}

/// A client of a server on this computer.
pub(super) type Client = UsageServiceClient<Service>;

/// Connects as the operator.
pub(super) async fn client(server: &Server) -> anyhow::Result<Client> {
    let channel = Endpoint::from_shared(server.url().to_owned())?.connect().await?;
    let identity = Identity::bearer(server.operator_secret(), Some("bench"))?;
    Ok(UsageServiceClient::with_interceptor(channel, identity))
}
