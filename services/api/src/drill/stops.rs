//! Stops as incidents tell of them: those of a proof test, those of a machine with their trend.

use domain::belt::STANDSTILL;
use domain::ids::MachineId;
use domain::incident::rules::slow_emergency_stop::commissioned_limit_us;
use domain::incident::settings::Timeline;
use domain::incident::{Incident, Rule};
use domain::limits::STOPS_READ_MAX;
use domain::stop::StopContact;
use domain::stop::performance::{Braking, Trend, trend};
use domain::units::Speed;
use store::ledger::{IncidentFilter, IncidentOrder, IncidentPlace, IncidentQuery, Ledger, StoredIncident};
use store::registry::{Drill, Machine};
use wire::api::v1;

use super::{Drills, show};
use crate::access::Scope;
use crate::check::Check;
use crate::convert::{direction, duration, timestamp};
use crate::incident::show as incidents;
use crate::registry::Visible;
use crate::status::ApiError;

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 1_000;
/// Incidents read from the ledger at once: each has its trace with it.
const INCIDENTS_READ: usize = 100;
/// Longest span of a list, in days, and the one where none is given.
const DAYS_MAX: i64 = 3_660;
const DAYS_DEFAULT: i64 = 366;
const DAY_SECONDS: i64 = 24 * 3_600;
/// What is found in a proof test may have happened so long before it began or be told so long after it, in microseconds.
const DRILL_REACH_US: i64 = 3_600 * 1_000_000;
/// Stops, and other findings, of one proof test that are shown.
const DRILL_SHOWN_MAX: usize = 100;

/// The rules that tell of stops, each with its contact.
pub(super) const STOPS: [(Rule, StopContact); 2] =
    [(Rule::EmergencyStop, StopContact::EmergencyStop), (Rule::SafetyKeyPulled, StopContact::SafetyKey)];

/// A stop of a belt that moved, or of which that is not known, as an incident tells of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) contact: StopContact,
    found: &'a Incident,
}

impl<'a> Told<'a> {
    /// `None`: it is of another kind, the belt stood, or its rule does not find it any more.
    pub(super) fn of(stored: &'a StoredIncident) -> Option<Told<'a>> {
        let found = &stored.incident;
        let (_, contact) = STOPS.iter().find(|(rule, _)| *rule == found.rule)?;
        let stood = found.speed.is_some_and(|speed| speed <= STANDSTILL);
        (!stood && stored.unconfirmed.is_none()).then_some(Told { contact: *contact, found })
    }

    /// How it braked; `None`: that was not seen.
    pub(super) fn braking(&self) -> Option<Braking> {
        let (speed, stop) = (self.found.speed?, self.found.stop?);
        Some(Braking { time: self.found.time, speed, time_ms: stop.time_ms })
    }

    /// `settings` are those of its machine.
    fn show(&self, settings: &Timeline) -> v1::Stop {
        let Told { contact, found } = *self;
        let of = |speed| commissioned_limit_us(settings.at(found.time), contact, speed);
        let limit_us = found.speed.and_then(of).and_then(|limit| u64::try_from(limit).ok());
        let time_us = found.stop.map(|stop| u64::from(stop.time_ms) * 1_000);
        let passed = time_us.zip(limit_us).is_some_and(|(time, limit)| time <= limit);
        v1::Stop {
            incident_id: found.id.to_string(),
            time: Some(timestamp(found.time)),
            contact: contact.contact().name().to_owned(),
            speed_mps: found.speed.map(Speed::mps),
            direction: direction(found.direction),
            stop_time: time_us.map(duration),
            distance_m: found.stop.map(|stop| f64::from(stop.distance_mm) / 1_000.0),
            limit: limit_us.map(duration),
            passed,
            drill: found.drill.unwrap_or(0),
        }
    }
}

/// Reads incidents one after the other until `take` says that it is enough, at most `max`. Whether there may be more.
pub(super) async fn read(
    ledger: &dyn Ledger,
    filter: IncidentFilter,
    order: IncidentOrder,
    max: usize,
    mut take: impl FnMut(&StoredIncident) -> bool + Send,
) -> Result<bool, ApiError> {
    // The first are the likeliest to be enough.
    let mut query = IncidentQuery { filter, order, after: None, max: 4 };
    let mut looked_at = 0;
    loop {
        let rows = ledger.incidents(&query).await?;
        for row in &rows {
            if looked_at == max || !take(row) {
                return Ok(true);
            }
            looked_at += 1;
        }
        if rows.len() < query.max {
            return Ok(false);
        }
        query.after = rows.last().map(|row| IncidentPlace::of(&row.incident));
        query.max = INCIDENTS_READ;
    }
}

impl Drills {
    /// A proof test with what was measured and found in it.
    pub(super) async fn measured(
        &self,
        visible: &Visible,
        machine: &Machine,
        drill: &Drill,
    ) -> Result<v1::Drill, ApiError> {
        let filter = IncidentFilter {
            machines: Some(vec![machine.id.clone()]),
            drill: Some(true),
            from: drill.from.plus(-DRILL_REACH_US),
            until: drill.until.plus(DRILL_REACH_US),
            ..IncidentFilter::default()
        };
        let settings = visible.registry().timeline(&machine.id).unwrap_or_default();
        let mut shown = show(machine, drill, self.ground.surroundings.now());
        let take = |stored: &StoredIncident| {
            if stored.incident.drill != Some(drill.number) {
                return true;
            }
            match Told::of(stored) {
                Some(told) if shown.stops.len() < DRILL_SHOWN_MAX => shown.stops.push(told.show(&settings)),
                None if shown.suppressed.len() < DRILL_SHOWN_MAX => {
                    // Nobody deals with what is no incident.
                    shown.suppressed.push(v1::Incident {
                        detect_time: Some(timestamp(stored.detected)),
                        unconfirmed_by_rule_version: stored.unconfirmed.unwrap_or(0),
                        ..incidents::told(&stored.incident, machine)
                    });
                }
                Some(_) | None => {}
            }
            true
        };
        read(&*self.ground.ledger, filter, IncidentOrder::OldestFirst, STOPS_READ_MAX, take).await?;
        Ok(shown)
    }

    pub(super) async fn stops(
        &self,
        scope: Scope,
        request: v1::ListStopsRequest,
    ) -> Result<v1::ListStopsResponse, ApiError> {
        let now = self.ground.surroundings.now();
        let mut check = Check::default();
        let id = check.id::<MachineId>("machine_id", &request.machine_id);
        let range = from_a_year_before(request.range, timestamp(now));
        let span = check.span(Some(&range), now, DAYS_MAX);
        let size = check.page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX);
        check.finish()?;
        let (id, span) = id.zip(span).expect("what is not valid is a violation");
        let visible = self.ground.visible(scope);
        visible.machine(&id)?;
        let settings = visible.registry().timeline(&id).unwrap_or_default();
        let filter = IncidentFilter {
            machines: Some(vec![id]),
            rules: STOPS.map(|(rule, _)| rule).to_vec(),
            from: span.from,
            until: span.until,
            ..IncidentFilter::default()
        };
        let mut stops: Vec<v1::Stop> = Vec::new();
        let mut brakings: Vec<(StopContact, Braking)> = Vec::new();
        let take = |stored: &StoredIncident| {
            if let Some((told, braking)) = Told::of(stored).and_then(|told| Some((told, told.braking()?))) {
                brakings.push((told.contact, braking));
                stops.push(told.show(&settings));
            }
            true
        };
        let ledger = &*self.ground.ledger;
        let unread = read(ledger, filter, IncidentOrder::NewestFirst, STOPS_READ_MAX, take).await?;
        let has_more = unread || stops.len() > size;
        stops.truncate(size);
        Ok(v1::ListStopsResponse { stops, has_more, trends: trends(&brakings) })
    }
}

/// The span asked for; without a beginning, a year before its end.
fn from_a_year_before(range: Option<v1::TimeRange>, now: prost_types::Timestamp) -> v1::TimeRange {
    let v1::TimeRange { start_time, end_time } = range.unwrap_or_default();
    let end = end_time.unwrap_or(now);
    let seconds = end.seconds.saturating_sub(DAYS_DEFAULT * DAY_SECONDS);
    let start_time = start_time.or(Some(prost_types::Timestamp { seconds, ..end }));
    v1::TimeRange { start_time, end_time }
}

/// How braking changes, by contact.
fn trends(brakings: &[(StopContact, Braking)]) -> Vec<v1::StopTrend> {
    let of = |(_, contact): (Rule, StopContact)| {
        let own = brakings.iter().filter(|(by, _)| *by == contact);
        let own: Vec<Braking> = own.map(|(_, braking)| *braking).collect();
        let Trend { stops, deceleration, percent_per_30_days } = trend(&own)?;
        Some(v1::StopTrend {
            contact: contact.contact().name().to_owned(),
            stops: u32::try_from(stops).unwrap_or(u32::MAX),
            deceleration_percent_per_30_days: percent_per_30_days,
            deceleration_mps2: deceleration,
        })
    };
    STOPS.into_iter().filter_map(of).collect()
}
