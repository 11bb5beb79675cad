//! Usage added up, in all and by group.

use std::cmp::Reverse;

use domain::belt::Direction;
use wire::api::v1;

use super::groups::{Group, Groups};
use super::spread::{Layouts, Spread};
use super::sums::Figure;
use super::whereabouts::Whereabouts;
use super::{Usages, show, walk};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::status::ApiError;

const DAYS_MAX: i64 = 3_660;
const GROUPS_DEFAULT: usize = 100;
const GROUPS_MAX: usize = 1_000;

impl Usages {
    pub(super) async fn totals(
        &self,
        _caller: Caller,
        scope: Scope,
        request: v1::GetUsageRequest,
    ) -> Result<v1::GetUsageResponse, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let dates = check.dates(request.range.as_ref(), DAYS_MAX);
        let by = check.group_by(request.group_by);
        let order = check.usage_order(request.order);
        let size = check.page_size(request.page_size, GROUPS_DEFAULT, GROUPS_MAX);
        check.finish()?;
        let dates = dates.expect("dates that are not valid are a violation");
        let whereabouts = Whereabouts::new(&self.visible(scope), &wanted, &dates, self.surroundings.now())?;
        let groups = Groups::of(&whereabouts, by);
        let spread = Spread::new(&whereabouts, &groups, Layouts::one(&whereabouts));
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        let mut listed: Vec<(&Group, &Figure)> = Vec::new();
        if by != v1::GroupBy::Unspecified {
            listed.extend(groups.list.iter().enumerate().map(|(index, group)| (group, figures.at(index, 0))));
            sort(&mut listed, order);
        }
        let shown = listed.iter().take(size).map(|(group, figure)| v1::UsageGroup {
            key: group.key.clone(),
            display_name: group.display_name.clone(),
            site_id: group.site_id.clone(),
            usage: Some(show::usage(figure)),
        });
        Ok(v1::GetUsageResponse {
            total: Some(show::usage(&figures.together)),
            groups: shown.collect(),
            groups_total: u32::try_from(listed.len()).unwrap_or(u32::MAX),
            as_of: Some(self.as_of(&whereabouts).await?),
        })
    }
}

/// Sorts groups, which come by key; of equal ones the one with the smaller key stays first.
fn sort(groups: &mut [(&Group, &Figure)], order: v1::UsageOrder) {
    match order {
        v1::UsageOrder::Unspecified => {}
        v1::UsageOrder::Motion => groups.sort_by_key(|(_, one)| Reverse(one.usage.motion().observed_us)),
        v1::UsageOrder::Reverse => {
            groups.sort_by_key(|(_, one)| Reverse(one.usage.of_direction(Direction::Reverse).observed_us));
        }
        v1::UsageOrder::Distance => groups.sort_by_key(|(_, one)| Reverse(one.usage.motion().distance_nm)),
        v1::UsageOrder::LeastMotion => groups.sort_by_key(|(_, one)| one.usage.motion().observed_us),
    }
}
