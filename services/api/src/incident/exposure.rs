//! Incident rates: incidents against the time in which belts were seen to move.

use std::collections::HashMap;

use domain::belt::Direction;
use domain::ids::MachineId;
use domain::incident::Rule;
use domain::incident::settings::MachineSettings;
use domain::limits::MACHINES_NAMED_MAX;
use domain::live::{Segment, Session};
use domain::registry::{BeltKind, direction_as_registered};
use domain::signal::Capabilities;
use store::ledger::{IncidentFilter, SessionQuery};
use wire::api::v1;

use super::rates::rate;
use super::{Incidents, Wanted};
use crate::access::{Caller, Scope};
use crate::check::{Check, Span};
use crate::convert::timestamp;
use crate::registry::Visible;
use crate::status::ApiError;

const DAYS_MAX: i64 = 31;
/// Sessions that began at most this long before a span may reach into it, in microseconds.
const SESSION_REACH_US: i64 = 24 * 3_600 * 1_000_000;
/// Sessions read from the ledger at once: each may hold a thousand segments.
const SESSIONS_READ: usize = 100;

/// Directions that have a rate of their own.
const DIRECTIONS: [Direction; 3] = [Direction::Reverse, Direction::Forward, Direction::Unknown];

/// A machine that can report what was asked for.
#[derive(Debug)]
struct Able {
    /// When it stood where it is asked for, within the span.
    stood: Vec<Span>,
    settings: MachineSettings,
    /// Whether it can tell forward from reverse.
    tells_direction: bool,
}

impl Able {
    /// `None`: it cannot report all of the rules; where none is named, not one of all.
    fn of(
        rules: &[Rule],
        capabilities: Option<Capabilities>,
        settings: MachineSettings,
        stood: Vec<Span>,
    ) -> Option<Able> {
        let known = capabilities?;
        let can = |rule: &Rule| rule.can_be_told(known, &settings).is_ok();
        let is_able = if rules.is_empty() { Rule::ALL.iter().any(can) } else { rules.iter().all(can) };
        let measures = known.has(Capabilities::DIRECTION) && settings.direction_proven;
        let tells_direction = measures || settings.belt == BeltKind::OneWay;
        is_able.then_some(Able { stood, settings, tells_direction })
    }

    /// Which way the belt of a segment ran, as far as rules may say so.
    fn direction(&self, segment: &Segment) -> Direction {
        let told = self.settings.direction(segment.direction, segment.origin);
        let moving = Some(segment.speed_max > domain::belt::STANDSTILL);
        direction_as_registered(self.settings.belt, told.0, told.1, moving).0
    }
}

/// Time in motion by direction, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Exposure {
    micros: [u64; DIRECTIONS.len()],
}

impl Exposure {
    /// Adds what was seen of a session while its machine stood where it is asked for.
    fn add(&mut self, session: &Session, able: &Able) {
        for segment in &session.segments {
            let direction = able.direction(segment);
            if let Some(place) = DIRECTIONS.iter().position(|one| *one == direction) {
                self.micros[place] += able.stood.iter().map(|span| observed_us(segment, *span)).sum::<u64>();
            }
        }
    }
}

/// How long a segment was seen within a span; of one that reaches over an end its part.
fn observed_us(segment: &Segment, span: Span) -> u64 {
    let all = segment.ended.since(segment.started);
    let within = segment.ended.min(span.until).since(segment.started.max(span.from)).max(0);
    if within >= all {
        return segment.observed_us;
    }
    let part = i128::from(segment.observed_us) * i128::from(within) / i128::from(all);
    u64::try_from(part).expect("a part of what fits")
}

impl Incidents {
    pub(super) async fn rates(
        &self,
        caller: Caller,
        scope: Scope,
        request: v1::GetIncidentRatesRequest,
    ) -> Result<v1::GetIncidentRatesResponse, ApiError> {
        let as_of = self.ground.surroundings.settled();
        let mut check = Check::default();
        let filter = request.filter.unwrap_or_default();
        let wanted =
            Wanted::of(&mut check, Some(&v1::IncidentFilter { state: 0, ..filter.clone() }), &caller);
        let range = filter.range.as_ref();
        if range.is_none_or(|range| range.start_time.is_none()) {
            check
                .wrong("filter.range", format!("has no start; one is required, and at most {DAYS_MAX} days"));
        }
        let now = self.ground.surroundings.now();
        let span = check.span(range, now, DAYS_MAX);
        check.finish()?;
        let span = span.expect("a span that is not valid is a violation");
        let visible = self.ground.visible(scope);
        let bare = IncidentFilter { from: span.from, until: span.until, ..wanted.filter(&visible, now)? };
        let asked = wanted.stood(&visible, span)?;
        let machines = asked.len();
        let able = self.able(&visible, &wanted.rules, asked);
        let exposure = self.exposure(&able, span).await?;
        let mut shown = Vec::with_capacity(DIRECTIONS.len());
        for (direction, micros) in DIRECTIONS.into_iter().zip(exposure.micros) {
            let counted = |able: &&Able| direction == Direction::Unknown || able.tells_direction;
            let (mut incidents, mut machines_able) = (0, 0);
            let mut throughout = Vec::new();
            for (id, able) in able.iter().filter(|(_, able)| counted(able)) {
                machines_able += 1;
                if able.stood == [span] {
                    throughout.push(id.clone());
                    continue;
                }
                for stood in &able.stood {
                    let part = IncidentFilter { from: stood.from, until: stood.until, ..bare.clone() };
                    incidents += self.incidents_of(part, vec![id.clone()], direction).await?;
                }
            }
            incidents += self.incidents_of(bare.clone(), throughout, direction).await?;
            shown.push(show(incidents, micros, machines_able, machines));
        }
        let [reverse, forward, unknown] = <[_; 3]>::try_from(shown).expect("one a direction");
        Ok(v1::GetIncidentRatesResponse {
            reverse: Some(reverse),
            forward: Some(forward),
            unknown: Some(unknown),
            as_of: as_of.map(timestamp),
        })
    }

    fn able(
        &self,
        visible: &Visible,
        rules: &[Rule],
        asked: Vec<(MachineId, Vec<Span>)>,
    ) -> HashMap<MachineId, Able> {
        let able = asked.into_iter().filter_map(|(machine, stood)| {
            let settings = visible.registry().timeline(&machine);
            let settings = settings.map(|timeline| timeline.newest().clone()).unwrap_or_default();
            let able = Able::of(rules, self.capabilities(&machine), settings, stood)?;
            Some((machine, able))
        });
        able.collect()
    }

    async fn exposure(&self, able: &HashMap<MachineId, Able>, span: Span) -> Result<Exposure, ApiError> {
        let mut exposure = Exposure::default();
        let machines: Vec<MachineId> = able.keys().cloned().collect();
        for machines in machines.chunks(MACHINES_NAMED_MAX) {
            let mut query = SessionQuery {
                machines: machines.to_vec(),
                from: span.from.plus(-SESSION_REACH_US),
                until: span.until,
                with: None,
                after: None,
                max: SESSIONS_READ,
            };
            loop {
                let rows = self.ground.ledger.sessions(&query).await?;
                rows.iter().for_each(|row| exposure.add(row, &able[&row.machine]));
                query.after = rows.last().map(|last| (last.started, last.id));
                if rows.len() < SESSIONS_READ {
                    break;
                }
            }
        }
        Ok(exposure)
    }

    /// How many incidents there are on these machines with the belt in one direction.
    async fn incidents_of(
        &self,
        mut filter: IncidentFilter,
        machines: Vec<MachineId>,
        direction: Direction,
    ) -> Result<u64, ApiError> {
        let is_asked = filter.directions.is_empty() || filter.directions.contains(&direction);
        if machines.is_empty() || !is_asked {
            return Ok(0);
        }
        (filter.machines, filter.directions) = (Some(machines), vec![direction]);
        let counts = self.ground.ledger.incident_counts(&filter).await?;
        Ok(counts.iter().map(|one| one.count).sum())
    }
}

fn show(incidents: u64, micros: u64, machines_able: usize, machines: usize) -> v1::IncidentRate {
    let minutes = micros as f64 / 60_000_000.0;
    let rate = rate(incidents, minutes);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    v1::IncidentRate {
        incidents,
        minutes,
        per_1000_minutes: rate.per_1000_minutes.map(|(per, _, _)| per),
        lower: rate.per_1000_minutes.map(|(_, lower, _)| lower),
        upper: rate.per_1000_minutes.map(|(_, _, upper)| upper),
        too_few_to_tell: rate.too_few_to_tell,
        machines_able: number(machines_able),
        machines: number(machines),
    }
}
