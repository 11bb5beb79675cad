//! Where machines stood when, as far as a request asks for it and its caller may see it.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ids::SiteId;
use domain::units::UnixMicros;
use domain::usage::QUARTER_US;
use domain::usage::calendar::{
    CalendarError, DATE_EARLIEST, DATE_LATEST, QUARTER_EARLIEST, QUARTER_LATEST, QuarterSpan, Zones,
};
use jiff::civil::Date;
use store::registry::{Machine, Site};

use super::asked::{Dates, UsageScope, date_after, no_model};
use crate::registry::Visible;
use crate::status::{ApiError, Violation};

/// A site, and what the dates asked mean there.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The site.
    pub(crate) site: Arc<Site>,
    /// The zones in which the dates are meant.
    pub(crate) zones: Arc<Zones>,
    /// The site's own zones: in them its hours are set.
    pub(crate) own_zones: Arc<Zones>,
    /// First date, and the one after the last.
    pub(crate) dates: (Date, Date),
    /// The quarters of these dates, those to come too; empty if the first date has not come yet.
    pub(crate) range: QuarterSpan,
}

/// A time in which a machine stood at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Visit {
    /// Index of the place.
    pub(crate) place: usize,
    /// Its quarters, not empty: those that began while it stood there, from its registration on until now.
    pub(crate) span: QuarterSpan,
    /// Whether it was out of service; told apart by [`Whereabouts::tell_service_apart`] only.
    pub(crate) is_out: bool,
}

/// A machine that was somewhere in the time asked.
#[derive(Debug, Clone)]
pub(crate) struct Whereabout {
    /// The machine.
    pub(crate) machine: Arc<Machine>,
    /// Where it was, ascending and apart; at least one.
    pub(crate) visits: Vec<Visit>,
    /// Whether the caller can see where it stands now.
    pub(crate) stands_here: bool,
}

/// Which machines were where in the time asked.
#[derive(Debug, Clone)]
pub(crate) struct Whereabouts {
    /// The present.
    pub(crate) now: UnixMicros,
    /// Places by site: those named, otherwise those at which one of the machines was.
    pub(crate) places: Vec<Place>,
    /// Machines by id.
    pub(crate) machines: Vec<Whereabout>,
}

impl Whereabouts {
    /// Of what is asked, as far as the caller sees it.
    ///
    /// # Errors
    /// `NotFound` of a site, machine or model that the caller cannot see; dates that are reversed or too many.
    pub(crate) fn new(
        visible: &Visible,
        wanted: &UsageScope,
        dates: &Dates,
        now: UnixMicros,
    ) -> Result<Whereabouts, ApiError> {
        let seen: BTreeMap<&SiteId, &Arc<Site>> = visible.sites(None).map(|site| (&site.id, site)).collect();
        let ever_seen = ever_seen(visible, wanted, &seen)?;
        let mut found =
            Finder { dates, now, wanted, seen: &seen, places: BTreeMap::new(), machines: Vec::new() };
        for machine in &ever_seen {
            found.look_at(machine)?;
        }
        found.look_elsewhere(&ever_seen)?;
        found.finish()
    }

    /// Cuts visits where machines were tagged out of service or the tag was taken away.
    pub(crate) fn tell_service_apart(&mut self) {
        for Whereabout { machine, visits, .. } in &mut self.machines {
            let spans = machine.out_of_service_spans();
            let spans = spans.iter().map(|(from, until)| QuarterSpan {
                from: quarter_at_or_after(*from),
                until: quarter_at_or_after(*until),
            });
            let outs: Vec<QuarterSpan> = spans.filter(|span| !span.is_empty()).collect();
            *visits = visits.iter().flat_map(|visit| cut_by_service(*visit, &outs)).collect();
        }
    }
}

/// A visit in parts, in and out of service by turns.
fn cut_by_service(visit: Visit, outs: &[QuarterSpan]) -> Vec<Visit> {
    let mut parts = Vec::new();
    let mut part = |from: i64, until: i64, is_out: bool| {
        if from < until {
            parts.push(Visit { span: QuarterSpan { from, until }, is_out, ..visit });
        }
    };
    let QuarterSpan { mut from, until } = visit.span;
    for out in outs {
        let (begin, end) = (out.from.clamp(from, until), out.until.clamp(from, until));
        part(from, begin, false);
        part(begin, end, true);
        from = end;
    }
    part(from, until, false);
    parts
}

/// The machines asked for that stand or stood at a site that the caller sees, by id.
fn ever_seen<'a>(
    visible: &'a Visible,
    wanted: &UsageScope,
    seen: &BTreeMap<&SiteId, &Arc<Site>>,
) -> Result<Vec<&'a Arc<Machine>>, ApiError> {
    wanted.sites.iter().try_for_each(|site| visible.site(site).map(drop))?;
    let was_seen = |machine: &Machine| machine.stays().iter().any(|stay| seen.contains_key(&stay.site));
    let machines = visible.registry().machines();
    for id in &wanted.machines {
        if !machines.get(id).is_some_and(|machine| was_seen(machine)) {
            return Err(ApiError::NotFound { what: "machine", id: id.to_string() });
        }
    }
    for model in &wanted.models {
        if !machines.values().any(|machine| machine.model == *model && was_seen(machine)) {
            return Err(no_model(model));
        }
    }
    Ok(machines.values().filter(|machine| wanted.has(machine) && was_seen(machine)).collect())
}

/// A visit, as long as places have no index: where, and its quarters.
type FoundVisit = (SiteId, QuarterSpan);

/// Gathers places and machines.
struct Finder<'a> {
    dates: &'a Dates,
    now: UnixMicros,
    wanted: &'a UsageScope,
    seen: &'a BTreeMap<&'a SiteId, &'a Arc<Site>>,
    /// With whether it is one of those to be told.
    places: BTreeMap<SiteId, (Place, bool)>,
    /// With their visits.
    machines: Vec<(Arc<Machine>, Vec<FoundVisit>)>,
}

impl Finder<'_> {
    fn is_asked(&self, site: &SiteId) -> bool {
        self.seen.contains_key(site) && (self.wanted.sites.is_empty() || self.wanted.sites.contains(site))
    }

    /// Finds where a machine was in the time asked.
    fn look_at(&mut self, machine: &Arc<Machine>) -> Result<(), ApiError> {
        let life = QuarterSpan {
            from: machine.created.0.div_euclid(QUARTER_US),
            until: quarter_at_or_after(self.now),
        };
        let mut visits = Vec::new();
        for stay in machine.stays() {
            if !self.is_asked(&stay.site) {
                continue;
            }
            let (place, is_told) = self.place(&stay.site)?;
            let stay_from = quarter_at_or_after(stay.from).max(life.from);
            let stay_until = quarter_at_or_after(stay.until).min(life.until);
            let span = QuarterSpan {
                from: stay_from.max(place.range.from),
                until: stay_until.min(place.range.until),
            };
            if !span.is_empty() {
                *is_told = true;
                visits.push((stay.site.clone(), span));
            }
        }
        if !visits.is_empty() {
            self.machines.push((machine.clone(), visits));
        }
        Ok(())
    }

    /// Finds places whose dates are told although no machine was there: those named; if there are none at all, those of
    /// the machines; if there are no machines, all.
    fn look_elsewhere(&mut self, ever_seen: &[&Arc<Machine>]) -> Result<(), ApiError> {
        let mut sites: Vec<SiteId> = self.wanted.sites.iter().cloned().collect();
        if sites.is_empty() && self.machines.is_empty() {
            let stays = ever_seen.iter().flat_map(|machine| machine.stays().into_iter().rev());
            sites.extend(stays.map(|stay| stay.site).find(|site| self.is_asked(site)));
            if ever_seen.is_empty() {
                sites.extend(self.seen.keys().map(|site| (*site).clone()));
            }
        }
        for site in sites {
            self.place(&site)?.1 = true;
        }
        Ok(())
    }

    fn place(&mut self, site: &SiteId) -> Result<&mut (Place, bool), ApiError> {
        if !self.places.contains_key(site) {
            let place = Place::new(self.seen[site], self.dates, self.now)?;
            self.places.insert(site.clone(), (place, false));
        }
        Ok(self.places.get_mut(site).expect("it was put there if it was missing"))
    }

    fn finish(self) -> Result<Whereabouts, ApiError> {
        let told = self.places.into_values().filter(|(_, is_told)| *is_told);
        let places: Vec<Place> = told.map(|(place, _)| place).collect();
        if let Some(latest) = places.iter().map(|place| place.dates.1).max() {
            self.dates.check_until(latest, self.dates.until.is_none())?;
        }
        let index = |site: &SiteId| {
            let found = places.binary_search_by(|place| place.site.id.cmp(site));
            found.expect("every place of a visit is told")
        };
        let visit = |(site, span): FoundVisit| Visit { place: index(&site), span, is_out: false };
        let machines = self.machines.into_iter().map(|(machine, visits)| Whereabout {
            stands_here: self.seen.contains_key(&machine.site),
            visits: visits.into_iter().map(visit).collect(),
            machine,
        });
        Ok(Whereabouts { now: self.now, machines: machines.collect(), places })
    }
}

impl Place {
    fn new(site: &Arc<Site>, dates: &Dates, now: UnixMicros) -> Result<Place, ApiError> {
        let own_zones = Arc::new(zones_of(site)?);
        let zones = dates.zone.clone().unwrap_or_else(|| own_zones.clone());
        let until = match dates.until {
            Some(until) => until,
            None => date_after(today(&zones, now)?, 1).clamp(DATE_EARLIEST, DATE_LATEST),
        };
        let range = if dates.from < until {
            zones.quarters(dates.from, until).map_err(out_of_calendar)?
        } else {
            // The first date has not come here yet.
            let first = zones.quarters(dates.from, date_after(dates.from, 1)).map_err(out_of_calendar)?;
            QuarterSpan { until: first.from, ..first }
        };
        Ok(Place { site: site.clone(), zones, own_zones, dates: (dates.from, until), range })
    }
}

/// A site's own zones over time.
///
/// # Errors
/// A zone that the server's calendar does not know any more.
pub(crate) fn zones_of(site: &Site) -> Result<Zones, ApiError> {
    let mut zones = site.zones();
    let before = if zones.is_empty() { site.time_zone.clone() } else { zones.remove(0).1 };
    Zones::new(&before, zones).map_err(|error| {
        let message = format!("site \"{}\": {error}; set another time zone for it", site.id);
        ApiError::NotNow { reason: "UNKNOWN_TIME_ZONE", message }
    })
}

/// The date of a place now.
pub(crate) fn today(zones: &Zones, now: UnixMicros) -> Result<Date, ApiError> {
    let quarter = now.0.div_euclid(QUARTER_US).clamp(QUARTER_EARLIEST, QUARTER_LATEST - 1);
    let calendar = zones.calendar(quarter, quarter + 1).map_err(out_of_calendar)?;
    Ok(calendar.local(quarter).expect("the quarter is the calendar's only one").date())
}

/// The range cannot be told by a calendar.
pub(crate) fn out_of_calendar(error: CalendarError) -> ApiError {
    Violation { field: "range", description: format!("is not valid: {error}") }.into()
}

/// The first quarter that begins then or later.
pub(crate) fn quarter_at_or_after(time: UnixMicros) -> i64 {
    let begun = time.0.div_euclid(QUARTER_US);
    begun + i64::from(time.0.rem_euclid(QUARTER_US) != 0)
}

/// When a quarter begins.
pub(crate) fn quarter_begin(quarter: i64) -> UnixMicros {
    UnixMicros(quarter.saturating_mul(QUARTER_US))
}
