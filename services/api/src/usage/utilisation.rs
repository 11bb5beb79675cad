//! Use against opening hours, and the most machines in use at once.

use domain::belt::Direction;
use domain::usage::Usage;
use store::registry::SiteTraits;
use wire::api::v1;

use super::groups::Groups;
use super::spread::{Layout, Layouts, Spread};
use super::sums::{Figure, Figures};
use super::whereabouts::{Place, Whereabouts, out_of_calendar, quarter_at_or_after};
use super::{Usages, peak, walk};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::{duration, timestamp};
use crate::status::ApiError;

const DAYS_MAX: i64 = 92;

/// Whether staff are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Staff {
    /// Nobody has said.
    Unknown,
    There,
    Away,
}

/// What holds in a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    is_open: bool,
    pub(super) staff: Staff,
    /// Whether the machine is out of service.
    is_out: bool,
}

impl Hours {
    const ALL: [Hours; 12] = {
        let mut all = [Hours { is_open: false, staff: Staff::Unknown, is_out: false }; 12];
        let mut index = 0;
        while index < all.len() {
            all[index] = Hours {
                is_open: index % 2 == 1,
                staff: match index / 2 % 3 {
                    0 => Staff::Unknown,
                    1 => Staff::There,
                    _ => Staff::Away,
                },
                is_out: index >= 6,
            };
            index += 1;
        }
        all
    };

    fn cell(self) -> usize {
        let staff = match self.staff {
            Staff::Unknown => 0,
            Staff::There => 1,
            Staff::Away => 2,
        };
        usize::from(self.is_open) + 2 * staff + 6 * usize::from(self.is_out)
    }
}

impl Usages {
    pub(super) async fn utilisation(
        &self,
        _caller: Caller,
        scope: Scope,
        request: v1::GetUtilisationRequest,
    ) -> Result<v1::GetUtilisationResponse, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let dates = check.dates(request.range.as_ref(), DAYS_MAX);
        check.finish()?;
        let dates = dates.expect("dates that are not valid are a violation");
        let mut whereabouts =
            Whereabouts::new(&self.visible(scope), &wanted, &dates, self.surroundings.now())?;
        whereabouts.tell_service_apart();
        let groups = Groups::of(&whereabouts, v1::GroupBy::Site);
        let (layouts, set) = layouts(&whereabouts)?;
        let spread = Spread::new(&whereabouts, &groups, layouts);
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        let mut sites = Vec::with_capacity(whereabouts.places.len());
        for (index, (place, set)) in whereabouts.places.iter().zip(set).enumerate() {
            let key = place.site.id.as_str();
            let group = groups.list.binary_search_by(|group| group.key.as_str().cmp(key)).ok();
            let machines = groups.shares.iter().filter(|share| Some(share.group) == group).count();
            let peak = peak::of_place(&*self.ledger, &whereabouts, index).await?;
            sites.push(v1::SiteUtilisation {
                machines: u32::try_from(machines).unwrap_or(u32::MAX),
                peak_machines: peak.map_or(0, |(machines, _)| machines),
                peak_time: peak.map(|(_, time)| timestamp(time)),
                ..of_site(place, set, &figures, group)
            });
        }
        Ok(v1::GetUtilisationResponse { sites, as_of: Some(self.as_of(&whereabouts).await?) })
    }
}

/// What a site has set at any time of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Set {
    open: bool,
    staffed: bool,
}

fn of_site(place: &Place, set: Set, figures: &Figures, group: Option<usize>) -> v1::SiteUtilisation {
    let sum = |wanted: fn(Hours) -> bool| -> Figure {
        let mut sum = Figure::default();
        if let Some(group) = group {
            let hours = Hours::ALL.into_iter().filter(|hours| wanted(*hours));
            hours.for_each(|hours| sum.add_time(figures.at(group, hours.cell())));
        }
        sum
    };
    let moved = |usage: &Usage| duration(usage.motion().observed_us);
    let available = sum(|hours| hours.is_open && !hours.is_out);
    let unstaffed = sum(|hours| hours.staff == Staff::Away);
    v1::SiteUtilisation {
        site_id: place.site.id.to_string(),
        has_opening_hours: set.open,
        available: Some(duration(available.asked_us)),
        covered: Some(duration(available.speed_us())),
        in_motion: Some(moved(&available.usage)),
        in_motion_closed: Some(moved(&sum(|hours| !hours.is_open).usage)),
        out_of_service: Some(duration(sum(|hours| hours.is_open && hours.is_out).asked_us)),
        reverse_unstaffed: set
            .staffed
            .then(|| duration(unstaffed.usage.of_direction(Direction::Reverse).observed_us)),
        peak_machines: 0,
        peak_time: None,
        machines: 0,
    }
}

/// Cells by opening hours, staff and service, and what was set of it, by place.
fn layouts(whereabouts: &Whereabouts) -> Result<(Layouts, Vec<Set>), ApiError> {
    let places = whereabouts.places.len();
    let (mut list, mut set) = (Vec::with_capacity(2 * places), Vec::with_capacity(places));
    for place in &whereabouts.places {
        let (hours, was_set) = hours_of(place)?;
        set.push(was_set);
        for is_out in [false, true] {
            let mut layout = Layout::default();
            hours.iter().for_each(|(from, hours)| layout.push(*from, Hours { is_out, ..*hours }.cell()));
            list.push(layout);
        }
    }
    let of_place = (0..places).map(|place| 2 * place).chain((0..places).map(|place| 2 * place + 1));
    Ok((Layouts { cells: Hours::ALL.len(), list, of_place: of_place.collect() }, set))
}

/// From which quarter on what holds at a place, and what was set at any time of its range.
pub(super) fn hours_of(place: &Place) -> Result<(Vec<(i64, Hours)>, Set), ApiError> {
    let range = place.range;
    let calendar = place.own_zones.calendar(range.from, range.until).map_err(out_of_calendar)?;
    let always = place.site.traits();
    let mut traits: Vec<(i64, &SiteTraits)> =
        place.site.history.iter().map(|dated| (quarter_at_or_after(dated.from), &dated.value)).collect();
    if traits.is_empty() {
        traits.push((i64::MIN, &always));
    }
    let (mut all, mut set) = (Vec::new(), Set::default());
    let mut next = 0;
    for quarter in range.from..range.until {
        while traits.get(next + 1).is_some_and(|(from, _)| *from <= quarter) {
            next += 1;
        }
        let (_, SiteTraits { staffed, open, .. }) = traits[next];
        let local = calendar.local(quarter).expect("the calendar is of this range");
        let staff = match staffed {
            None => Staff::Unknown,
            Some(days) if local.is_within(days) => Staff::There,
            Some(_) => Staff::Away,
        };
        let is_open = open.as_ref().is_none_or(|days| local.is_within(days));
        set = Set { open: set.open || open.is_some(), staffed: set.staffed || staffed.is_some() };
        let hours = Hours { is_open, staff, is_out: false };
        if all.last().is_none_or(|(_, last)| *last != hours) {
            all.push((quarter, hours));
        }
    }
    Ok((all, set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_a_cell_of_its_own() {
        for (index, hours) in Hours::ALL.into_iter().enumerate() {
            assert_eq!(hours.cell(), index, "{hours:?}");
        }
    }
}
