//! How belts ran in reverse: how much, how steep, in which intervals, and whether anybody was there.

mod figures;

use std::collections::{BTreeMap, HashSet};

use domain::belt::Direction;
use domain::ids::{MachineId, SessionId};
use domain::incident::Rule;
use domain::limits::{INCIDENT_MACHINES_MAX, MACHINES_NAMED_MAX, REVERSE_SESSIONS_MAX};
use domain::live::Session;
use domain::registry::BeltKind;
use domain::usage::calendar::QuarterSpan;
use domain::usage::{Grade, Guidance, QUARTER_US, Usage, energy};
use store::ledger::{IncidentFilter, SessionQuery};
use wire::api::v1;

use self::figures::IntervalSums;
use super::asked::date_after;
use super::groups::Groups;
use super::spread::{Layout, Layouts, Spread};
use super::sums::Figures;
use super::utilisation::{Staff, hours_of};
use super::whereabouts::{Whereabout, Whereabouts, quarter_begin, today};
use super::{Usages, show, walk};
use crate::access::{Caller, Scope};
use crate::check::Check;
use crate::convert::{duration, sessions};
use crate::status::{ApiError, Violation};

const DAYS_MAX: i64 = 92;
const MASS_KG_DEFAULT: u32 = 70;
const MASS_KG: std::ops::RangeInclusive<u32> = 30..=250;
/// Sessions read from the ledger at once: each may hold a thousand segments.
const SESSIONS_READ: usize = 100;
/// The rules that speak of belts in reverse.
const RULES: [Rule; 5] = [
    Rule::UnintendedReverse,
    Rule::ReverseOverspeed,
    Rule::ReverseOnIncline,
    Rule::ReverseHandsOff,
    Rule::ReverseWithoutKey,
];
/// Cells by whether staff are there.
const STAFF_CELLS: usize = 3;

impl Usages {
    pub(super) async fn reverse_use(
        &self,
        _caller: Caller,
        scope: Scope,
        request: v1::GetReverseUseRequest,
    ) -> Result<v1::GetReverseUseResponse, ApiError> {
        let mut check = Check::default();
        let wanted = check.usage_scope(request.scope.as_ref());
        let dates = check.dates(request.range.as_ref(), DAYS_MAX);
        let mass_kg = if request.mass_kg == 0 { MASS_KG_DEFAULT } else { request.mass_kg };
        if !MASS_KG.contains(&mass_kg) {
            let (least, most) = (MASS_KG.start(), MASS_KG.end());
            check.wrong("mass_kg", format!("is {mass_kg}; {least} to {most} are allowed, 0 means 70"));
        }
        check.finish()?;
        let dates = dates.expect("dates that are not valid are a violation");
        let whereabouts = Whereabouts::new(&self.visible(scope), &wanted, &dates, self.surroundings.now())?;
        let groups = Groups::of(&whereabouts, v1::GroupBy::Machine);
        let spread = Spread::new(&whereabouts, &groups, by_staff(&whereabouts)?);
        let figures = walk::add_up(&*self.ledger, &spread).await?;
        let sessions = self.in_reverse(&whereabouts).await?;
        let usage = &figures.together.usage;
        let staffed = |staff: Staff| -> u64 {
            let of_group = |group: usize| reverse_us(&figures.at(group, cell(staff)).usage);
            (0..groups.list.len()).map(of_group).sum()
        };
        let (away_us, there_us) = (staffed(Staff::Away), staffed(Staff::There));
        let (machines_reversible, machines_telling_direction) = reversible(&whereabouts, &groups, &figures);
        Ok(v1::GetReverseUseResponse {
            usage: Some(show::usage(&figures.together)),
            guidance: Some(guidance(usage)),
            sessions: sessions.count,
            intervals: Some(sessions.intervals.show()),
            unstaffed: Some(duration(away_us)),
            staffing_known: Some(duration(away_us + there_us)),
            unlabelled: Some(duration(sessions.unlabelled_us)),
            energy: energy_band(usage, mass_kg),
            incidents: self.incidents_in_reverse(&whereabouts).await?,
            as_of: Some(self.as_of(&whereabouts).await?),
            machines_reversible,
            machines_telling_direction,
        })
    }

    /// The sessions with reverse motion that began in the time asked, where the machine stood then.
    async fn in_reverse(&self, whereabouts: &Whereabouts) -> Result<InReverse, ApiError> {
        let mut found = InReverse::default();
        let mut chunks = whereabouts.machines.chunks(MACHINES_NAMED_MAX).peekable();
        while let Some(machines) = chunks.next() {
            let visits = || machines.iter().flat_map(|whereabout| &whereabout.visits);
            let from = visits().map(|visit| visit.span.from).min().unwrap_or(0);
            let until = visits().map(|visit| visit.span.until).max().unwrap_or(0);
            let mut query = SessionQuery {
                machines: machines.iter().map(|whereabout| whereabout.machine.id.clone()).collect(),
                from: quarter_begin(from),
                until: quarter_begin(until),
                with: Some(Direction::Reverse),
                after: None,
                max: SESSIONS_READ,
            };
            loop {
                let rows = self.ledger.sessions(&query).await?;
                found.looked_at += rows.len();
                if let Some(last) = rows.last().filter(|_| found.looked_at > REVERSE_SESSIONS_MAX) {
                    return Err(too_many(whereabouts, machines, last, chunks.peek().is_none()));
                }
                let ids: Vec<SessionId> = rows.iter().map(|row| row.id).collect();
                let labelled =
                    if ids.is_empty() { Vec::new() } else { self.ledger.session_courses(&ids).await? };
                let labelled: HashSet<SessionId> = labelled.into_iter().map(|(id, _)| id).collect();
                for row in &rows {
                    found.add(machines, row, labelled.contains(&row.id));
                }
                query.after = rows.last().map(|last| (last.started, last.id));
                if rows.len() < query.max {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(found)
    }

    /// How many incidents of belts in reverse there were while the machines were where they are asked for, proof tests
    /// apart.
    async fn incidents_in_reverse(&self, whereabouts: &Whereabouts) -> Result<u32, ApiError> {
        let mut together: BTreeMap<QuarterSpan, Vec<MachineId>> = BTreeMap::new();
        for Whereabout { machine, visits, .. } in &whereabouts.machines {
            for visit in visits {
                together.entry(visit.span).or_default().push(machine.id.clone());
            }
        }
        let mut count: u64 = 0;
        for (span, machines) in together {
            for machines in machines.chunks(INCIDENT_MACHINES_MAX) {
                let filter = IncidentFilter {
                    machines: Some(machines.to_vec()),
                    rules: RULES.to_vec(),
                    from: quarter_begin(span.from),
                    until: quarter_begin(span.until),
                    drill: Some(false),
                    ..IncidentFilter::default()
                };
                let counts = self.ledger.incident_counts(&filter).await?;
                count += counts.iter().map(|one| one.count).sum::<u64>();
            }
        }
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

/// Sessions with reverse motion.
#[derive(Debug, Default)]
struct InReverse {
    looked_at: usize,
    count: u32,
    /// Reverse belt time in sessions without a label, in microseconds.
    unlabelled_us: u64,
    intervals: IntervalSums,
}

impl InReverse {
    fn add(&mut self, machines: &[Whereabout], session: &Session, is_labelled: bool) {
        let Some(whereabout) = find(machines, &session.machine) else { return };
        let quarter = session.started.0.div_euclid(QUARTER_US);
        if !whereabout.visits.iter().any(|visit| visit.span.contains(quarter)) {
            return;
        }
        let segments = sessions::registered(&session.segments, whereabout.machine.belt);
        let in_reverse = segments
            .iter()
            .filter(|segment| segment.direction == Direction::Reverse && sessions::is_motion(segment));
        let micros: u64 = in_reverse.map(|segment| segment.observed_us).sum();
        if micros == 0 {
            return;
        }
        self.count += 1;
        self.unlabelled_us += if is_labelled { 0 } else { micros };
        self.intervals.add(&segments);
    }
}

fn find<'a>(machines: &'a [Whereabout], id: &MachineId) -> Option<&'a Whereabout> {
    let found = machines.binary_search_by(|whereabout| whereabout.machine.id.cmp(id));
    found.ok().map(|index| &machines[index])
}

/// Sessions come newest first: from the day after the last one that was read on, all can be looked at.
fn too_many(
    whereabouts: &Whereabouts,
    machines: &[Whereabout],
    last: &Session,
    is_last_chunk: bool,
) -> ApiError {
    let fewer = "name fewer sites or machines";
    let place = find(machines, &last.machine).and_then(|whereabout| whereabout.visits.last());
    let place = place.map(|visit| &whereabouts.places[visit.place]).filter(|_| is_last_chunk);
    let next = place.and_then(|place| Some((date_after(today(&place.zones, last.started).ok()?, 1), place)));
    let allowed = match next.filter(|(date, place)| *date < place.dates.1) {
        Some((date, _)) => format!("ask from {date}, or {fewer}"),
        None => fewer.to_owned(),
    };
    let max = REVERSE_SESSIONS_MAX;
    let description =
        format!("holds more than {max} sessions with reverse motion; {max} are allowed: {allowed}");
    Violation { field: "range", description }.into()
}

fn cell(staff: Staff) -> usize {
    match staff {
        Staff::Unknown => 0,
        Staff::There => 1,
        Staff::Away => 2,
    }
}

/// Cells by whether staff were there, by place.
fn by_staff(whereabouts: &Whereabouts) -> Result<Layouts, ApiError> {
    let layout = |place| -> Result<Layout, ApiError> {
        let mut layout = Layout::default();
        let (hours, _) = hours_of(place)?;
        hours.iter().for_each(|(from, hours)| layout.push(*from, cell(hours.staff)));
        Ok(layout)
    };
    let list: Vec<Layout> = whereabouts.places.iter().map(layout).collect::<Result<_, _>>()?;
    Ok(Layouts { cells: STAFF_CELLS, of_place: (0..list.len()).collect(), list })
}

fn reverse_us(usage: &Usage) -> u64 {
    usage.of_direction(Direction::Reverse).observed_us
}

/// Machines that are not known to run forward only, and how many of them told a direction of motion.
fn reversible(whereabouts: &Whereabouts, groups: &Groups, figures: &Figures) -> (u32, u32) {
    let can_reverse = |index: usize| whereabouts.machines[index].machine.belt != BeltKind::OneWay;
    let tells = |group: usize| figures.of_group(group).iter().any(|one| one.machines_with_direction > 0);
    let all = groups.shares.iter().filter(|share| can_reverse(share.machine));
    let telling = all.clone().filter(|share| tells(share.group)).count();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    (number(all.count()), number(telling))
}

fn guidance(usage: &Usage) -> v1::Guidance {
    let reverse = || usage.motions().filter(|(key, _)| key.direction == Direction::Reverse);
    let seen = reverse().filter_map(|(_, motion)| motion.guidance);
    let seen = seen.fold(Guidance::default(), |sum, one| sum.merged(&one));
    let of = |wanted: fn(Grade) -> bool| {
        let motion = usage.sum(|key| key.direction == Direction::Reverse && wanted(key.grade));
        Some(duration(motion.observed_us))
    };
    v1::Guidance {
        reverse: Some(duration(reverse_us(usage))),
        slow: Some(duration(seen.slow_us)),
        level: of(|grade| grade == Grade::Level),
        level_known: of(|grade| grade != Grade::Unknown),
        rail_held: Some(duration(seen.rail_held_us)),
        rail_known: Some(duration(seen.rail_known_us)),
        key_in: Some(duration(seen.key_in_us)),
        key_known: Some(duration(seen.key_known_us)),
    }
}

fn energy_band(usage: &Usage, mass_kg: u32) -> Option<v1::EnergyBand> {
    let level = usage.sum(|key| key.direction == Direction::Reverse && key.grade == Grade::Level);
    let band = energy::level(Direction::Reverse, &level, u64::from(mass_kg) * 1_000)?;
    let kcal = |cal: u64| cal as f64 / 1_000.0;
    Some(v1::EnergyBand {
        mass_kg,
        low_kcal: kcal(band.low_cal),
        middle_kcal: kcal(band.middle_cal),
        high_kcal: kcal(band.high_cal),
        is_extrapolated: band.is_extrapolated,
        observed: Some(duration(level.observed_us)),
    })
}
