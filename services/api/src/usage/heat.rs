//! Usage by weekday and hour of the day.

use domain::belt::Direction;
use domain::usage::calendar::Zones;
use wire::api::v1;

use super::groups::Groups;
use super::spread::{Layout, Layouts, Spread};
use super::sums::Figure;
use super::whereabouts::{Place, Whereabouts, out_of_calendar};
use super::{Usages, show, walk};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::duration;
use crate::status::ApiError;

const DAYS_MAX: i64 = 400;
const HOURS: usize = 24;
const CELLS: usize = 7 * HOURS;

impl Usages {
    pub(super) async fn heat_map(
        &self,
        _caller: Caller,
        scope: Scope,
        request: v1::GetHeatMapRequest,
    ) -> Result<v1::GetHeatMapResponse, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let dates = check.dates(request.range.as_ref(), DAYS_MAX);
        check.finish()?;
        let dates = dates.expect("dates that are not valid are a violation");
        let whereabouts = Whereabouts::new(&self.visible(scope), &wanted, &dates, self.surroundings.now())?;
        let groups = Groups::of(&whereabouts, v1::GroupBy::Unspecified);
        let spread = Spread::new(&whereabouts, &groups, hours_of_the_week(&whereabouts)?);
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        Ok(v1::GetHeatMapResponse {
            cells: figures.of_group(0).iter().enumerate().map(cell).collect(),
            total: Some(show::usage(&figures.together)),
            as_of: Some(self.as_of(&whereabouts).await?),
        })
    }
}

fn cell((index, figure): (usize, &Figure)) -> v1::HeatCell {
    let of = |direction: Direction| figure.usage.of_direction(direction).observed_us;
    let number = |number: usize| u32::try_from(number).expect("there are 168 cells");
    v1::HeatCell {
        weekday: number(index / HOURS),
        hour: number(index % HOURS),
        forward: Some(duration(of(Direction::Forward))),
        reverse: Some(duration(of(Direction::Reverse))),
        unknown: Some(duration(show::unknown(&figure.usage).observed_us)),
        covered: Some(duration(figure.speed_us())),
        asked: Some(duration(figure.asked_us)),
    }
}

/// Cells by weekday and hour as each site's own clocks show them.
fn hours_of_the_week(whereabouts: &Whereabouts) -> Result<Layouts, ApiError> {
    let mut alike: Vec<(&Place, Layout)> = Vec::new();
    let mut of_place = Vec::with_capacity(whereabouts.places.len());
    for place in &whereabouts.places {
        let is_alike = |one: &Place| one.range == place.range && one.own_zones == place.own_zones;
        let index = match alike.iter().position(|(one, _)| is_alike(one)) {
            Some(index) => index,
            None => {
                alike.push((place, layout(place, &place.own_zones)?));
                alike.len() - 1
            }
        };
        of_place.push(index);
    }
    let list = alike.into_iter().map(|(_, layout)| layout).collect();
    Ok(Layouts { cells: CELLS, list, of_place })
}

fn layout(place: &Place, zones: &Zones) -> Result<Layout, ApiError> {
    let calendar = zones.calendar(place.range.from, place.range.until).map_err(out_of_calendar)?;
    let mut layout = Layout::default();
    for quarter in place.range.from..place.range.until {
        let local = calendar.local(quarter).expect("the calendar is of this range");
        layout.push(quarter, usize::from(local.weekday()) * HOURS + usize::from(local.hour()));
    }
    Ok(layout)
}
