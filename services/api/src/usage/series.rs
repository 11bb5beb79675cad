//! Usage period by period.

use domain::limits::USAGE_PERIODS_MAX;
use domain::usage::calendar::Resolution;
use wire::api::v1;

use super::asked::Dates;
use super::groups::Groups;
use super::periods::{PeriodsTogether, Together, check_count};
use super::spread::Spread;
use super::sums::Figure;
use super::whereabouts::{Whereabouts, quarter_begin};
use super::{Usages, periods, show, walk};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::{duration, timestamp};
use crate::status::ApiError;

const DAYS_MAX: i64 = 3_660;
/// Days whose hours are no more than the periods of one answer.
const HOURLY_DAYS_MAX: i64 = USAGE_PERIODS_MAX as i64 / 24;

impl Usages {
    pub(super) async fn series(
        &self,
        _caller: Caller,
        scope: Scope,
        request: v1::ListUsageRequest,
    ) -> Result<v1::ListUsageResponse, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let resolution = check.resolution(request.resolution);
        let dates = check.dates(request.range.as_ref(), days_max(resolution));
        let by = check.group_by(request.group_by);
        check.finish()?;
        let dates = dates.expect("dates that are not valid are a violation");
        let whereabouts = Whereabouts::new(&self.visible(scope), &wanted, &dates, self.surroundings.now())?;
        let groups = Groups::of(&whereabouts, by);
        let (spread, list) = spread(&whereabouts, &groups, &dates, resolution)?;
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        let series = groups.list.iter().enumerate().map(|(index, group)| v1::UsageSeries {
            key: group.key.clone(),
            display_name: group.display_name.clone(),
            periods: list
                .iter()
                .zip(figures.of_group(index))
                .map(|(one, figure)| period(one, figure))
                .collect(),
        });
        Ok(v1::ListUsageResponse {
            series: series.collect(),
            resolution: periods::show(resolution),
            as_of: Some(self.as_of(&whereabouts).await?),
        })
    }
}

/// Most dates of one request by resolution.
pub(super) fn days_max(resolution: Resolution) -> i64 {
    match resolution {
        Resolution::Hour => HOURLY_DAYS_MAX,
        Resolution::Day | Resolution::Week | Resolution::Month | Resolution::Total => DAYS_MAX,
    }
}

/// Usage of groups by period: a cell is a period.
///
/// # Errors
/// More periods of groups than one answer holds.
fn spread(
    whereabouts: &Whereabouts,
    groups: &Groups,
    dates: &Dates,
    resolution: Resolution,
) -> Result<(Spread, Vec<Together>), ApiError> {
    let PeriodsTogether { list, layouts } = PeriodsTogether::of(whereabouts, resolution)?;
    check_count(whereabouts, dates, resolution, list.len(), groups.list.len())?;
    Ok((Spread::new(whereabouts, groups, layouts), list))
}

fn period(period: &Together, figure: &Figure) -> v1::UsagePeriod {
    let micros = u64::try_from(period.seconds).unwrap_or(0).saturating_mul(1_000_000);
    v1::UsagePeriod {
        date: period.date.to_string(),
        hour: period.hour.map(u32::from),
        start_time: Some(timestamp(quarter_begin(period.begin))),
        length: Some(duration(micros)),
        is_partial: period.is_partial,
        usage: Some(show::usage(figure)),
    }
}
