//! What the mirror does in a turn: finds where it stands, writes machines, incidents and usage that have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ids::{IncidentId, MachineId};
use domain::limits::{INCIDENT_CHANGES_READ, MIRROR_BATCH_BYTES, MIRROR_USAGE_CHANGES_READ};
use domain::units::UnixMicros;
use domain::usage::Usage;
use store::StoreError;
use store::influx::derived::{
    COVERAGE, INCIDENT, IncidentPlace, MACHINE, MACHINE_TAG, QuarterPlace, RULE_TAG, SITE_TAG, USAGE,
    incident_line, incident_place, machine_lines, usage_lines,
};
use store::influx::line::Lines;
use store::ledger::{IncidentFilter, IncidentOrder, IncidentQuery, StoredIncident, UsageQuery, quarters};
use store::registry::Machine;
use store::sqlite::MirrorStand;

use super::quarters::{Day, Digests};
use super::{Mirror, metrics};

/// Rows of one day of a machine read at once.
const ROWS_READ: usize = 32;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Before and after all times.
const EVER: (UnixMicros, UnixMicros) = (UnixMicros(i64::MIN), UnixMicros(i64::MAX));

impl Mirror {
    /// Finds out where it stands. If that is not known, or is ahead of the ledger since that was restored from a backup,
    /// what InfluxDB may have of these machines is removed, and all is written again.
    pub(super) async fn find_stand(&mut self) -> Result<(), StoreError> {
        let known = match self.stand.take() {
            Some(stand) => Some(stand),
            None => self.file.stand().await?,
        };
        let newest = (*self.ledger.incident_change().borrow(), *self.ledger.usage_change().borrow());
        let is_good = |stand: &MirrorStand| {
            stand.target == self.target && stand.incident <= newest.0 && stand.usage <= newest.1
        };
        if let Some(stand) = known.filter(is_good) {
            self.stand = Some(stand);
            return Ok(());
        }
        tracing::info!(target = self.target, "all that is derived is written to InfluxDB");
        self.remove_all().await?;
        let stand = MirrorStand { target: self.target.clone(), incident: 0, usage: 0 };
        self.file.begin(stand.clone()).await?;
        self.fact = None;
        self.machines.clear();
        self.quarters.clear();
        self.stand = Some(stand);
        Ok(())
    }

    /// Removes what a server that knew more may have written about these machines, from where the ledger begins to know of
    /// them. Points of other machines stay: nobody could write them again.
    async fn remove_all(&self) -> Result<(), StoreError> {
        let machines: Vec<MachineId> = self.ledger.registry().machines().keys().cloned().collect();
        for machine in machines {
            let tags = [(MACHINE_TAG, machine.as_str())];
            // All of it is known and written again: a site that it never came to must not be the latest.
            self.points.remove(MACHINE, &tags, EVER.0, EVER.1).await?;
            if let Some(from) = self.first_usage(&machine).await? {
                for measurement in [USAGE, COVERAGE] {
                    self.points.remove(measurement, &tags, from, EVER.1).await?;
                }
            }
            if let Some(from) = self.first_incident(&machine).await? {
                self.points.remove(INCIDENT, &tags, from, EVER.1).await?;
            }
        }
        Ok(())
    }

    async fn first_usage(&self, machine: &MachineId) -> Result<Option<UnixMicros>, StoreError> {
        let machines = vec![machine.clone()];
        let (from_day, until_day) = (i32::MIN, i32::MAX);
        let query = UsageQuery { machines, from_day, until_day, after: None, max: 1 };
        let totals = self.ledger.usage_totals(&query).await?;
        Ok(totals.first().map(|total| UnixMicros(i64::from(total.day).saturating_mul(DAY_US))))
    }

    async fn first_incident(&self, machine: &MachineId) -> Result<Option<UnixMicros>, StoreError> {
        let filter = IncidentFilter { machines: Some(vec![machine.clone()]), ..IncidentFilter::default() };
        let query = IncidentQuery { filter, order: IncidentOrder::OldestFirst, after: None, max: 1 };
        let incidents = self.ledger.incidents(&query).await?;
        Ok(incidents.first().map(|stored| stored.incident.time))
    }

    async fn write(&self, lines: &Lines) -> Result<(), StoreError> {
        if !lines.is_empty() {
            let refused = self.points.write(lines).await?;
            metrics::written(lines.len(), refused);
        }
        Ok(())
    }

    /// Writes machines that are not written as they are now.
    pub(super) async fn write_machines(&mut self) -> Result<(), StoreError> {
        let registry = self.ledger.registry();
        if self.fact == Some(registry.last_fact) {
            return Ok(());
        }
        let (mut lines, mut pending): (Lines, Vec<&Arc<Machine>>) = (Lines::new(), Vec::new());
        for (id, machine) in registry.machines() {
            // What has not changed is shared with the registry of before.
            if self.machines.get(id).is_some_and(|known| Arc::ptr_eq(known, machine)) {
                continue;
            }
            machine_lines(machine, &mut lines);
            pending.push(machine);
            if lines.bytes() >= MIRROR_BATCH_BYTES {
                self.write(&std::mem::take(&mut lines)).await?;
                self.note_machines(&mut pending);
            }
        }
        self.write(&lines).await?;
        self.note_machines(&mut pending);
        self.fact = Some(registry.last_fact);
        Ok(())
    }

    fn note_machines(&mut self, written: &mut Vec<&Arc<Machine>>) {
        let machines = written.drain(..).map(|machine| (machine.id.clone(), machine.clone()));
        self.machines.extend(machines);
    }

    /// Writes some incidents that have changed; whether there may be more.
    pub(super) async fn write_incidents(&mut self) -> Result<bool, StoreError> {
        let Some(mut stand) = self.stand.clone() else { return Ok(false) };
        if *self.ledger.incident_change().borrow() <= stand.incident {
            return Ok(false);
        }
        let changes = self.ledger.incident_changes(stand.incident, INCIDENT_CHANGES_READ).await?;
        let Some(last) = changes.last() else { return Ok(false) };
        stand.incident = last.change;
        let moves = self.moves(&changes).await?;
        let planned: Vec<_> =
            moves.iter().filter_map(|one| one.planned().map(|place| (one.id, place))).collect();
        // Before anything is written there: after a crash it is known where points may lie.
        if !planned.is_empty() {
            self.file.plan(planned).await?;
        }
        let mut lines = Lines::new();
        for (stored, one) in changes.iter().zip(&moves) {
            for place in one.left() {
                self.remove_incident(stored, place).await?;
            }
            match one.place.as_ref().and_then(|place| incident_line(stored, place)) {
                Some(line) => lines.push(line),
                None if stored.incident.drill.is_none() => metrics::untimely(1),
                None => {}
            }
        }
        self.write(&lines).await?;
        let places = moves.into_iter().map(|one| (one.id, one.place)).collect();
        self.file.written(stand.clone(), places).await?;
        self.stand = Some(stand);
        Ok(changes.len() >= INCIDENT_CHANGES_READ)
    }

    async fn moves(&self, changes: &[StoredIncident]) -> Result<Vec<Move>, StoreError> {
        let registry = self.ledger.registry();
        let mut moves = Vec::with_capacity(changes.len());
        for stored in changes {
            let found = &stored.incident;
            let place = incident_place(stored, registry.site_at(&found.machine, found.time));
            moves.push(Move { id: found.id, before: self.file.places(&found.id).await?, place });
        }
        Ok(moves)
    }

    async fn remove_incident(
        &self,
        stored: &StoredIncident,
        place: &IncidentPlace,
    ) -> Result<(), StoreError> {
        let found = &stored.incident;
        let mut tags = vec![(MACHINE_TAG, found.machine.as_str()), (RULE_TAG, found.rule.name())];
        if !place.site.is_empty() {
            tags.push((SITE_TAG, &place.site));
        }
        // A rule finds no two incidents of a machine at one microsecond.
        self.points.remove(INCIDENT, &tags, place.time, place.time.plus(1)).await
    }

    /// Writes quarters of some days that have changed; whether there may be more.
    pub(super) async fn write_usage(&mut self) -> Result<bool, StoreError> {
        let Some(mut stand) = self.stand.clone() else { return Ok(false) };
        if *self.ledger.usage_change().borrow() <= stand.usage {
            return Ok(false);
        }
        let changes = self.ledger.usage_changes(stand.usage, MIRROR_USAGE_CHANGES_READ).await?;
        let Some(last) = changes.last() else { return Ok(false) };
        stand.usage = last.change;
        let more = changes.len() >= MIRROR_USAGE_CHANGES_READ;
        let days: BTreeSet<Day> = changes.into_iter().map(|change| (change.day, change.machine)).collect();
        let (mut lines, mut pending): (Lines, Vec<(Day, Box<Digests>)>) = (Lines::new(), Vec::new());
        for day in days {
            let Some(quarters) = self.quarters_of(&day).await? else { continue };
            let (changed, digests) = self.quarters.changed(&day, &quarters);
            for (number, usage) in changed {
                let place = QuarterPlace { machine: &day.1, day: day.0, number };
                metrics::untimely(usage_lines(place, usage, &mut lines));
            }
            pending.push((day, digests));
            if lines.bytes() >= MIRROR_BATCH_BYTES {
                self.write(&std::mem::take(&mut lines)).await?;
                pending.drain(..).for_each(|(day, digests)| self.quarters.note(day, digests));
            }
        }
        self.write(&lines).await?;
        pending.drain(..).for_each(|(day, digests)| self.quarters.note(day, digests));
        self.file.written(stand.clone(), Vec::new()).await?;
        self.stand = Some(stand);
        Ok(more)
    }

    /// The quarters of a machine's day, all parts together; `None`: they cannot be read, and what was written stays.
    async fn quarters_of(&self, (day, machine): &Day) -> Result<Option<BTreeMap<u8, Usage>>, StoreError> {
        let mut sums: BTreeMap<u8, Usage> = BTreeMap::new();
        let mut query = UsageQuery {
            machines: vec![machine.clone()],
            from_day: *day,
            until_day: day.saturating_add(1),
            after: None,
            max: ROWS_READ,
        };
        loop {
            let rows = self.ledger.usage(&query).await?;
            for quarter in rows.iter().flat_map(quarters) {
                match quarter {
                    Ok((number, usage)) => sums.entry(number).or_default().merge(&usage),
                    Err(error) => {
                        metrics::damaged(&error);
                        return Ok(None);
                    }
                }
            }
            match rows.last() {
                Some(last) if rows.len() >= ROWS_READ => {
                    query.after = Some((machine.clone(), last.day, last.part));
                }
                Some(_) | None => return Ok(Some(sums)),
            }
        }
    }
}

/// Where an incident's point may lie, and where it is to lie.
#[derive(Debug)]
struct Move {
    id: IncidentId,
    before: Vec<IncidentPlace>,
    place: Option<IncidentPlace>,
}

impl Move {
    /// The place, if it is not known yet that a point with these fields may lie there.
    fn planned(&self) -> Option<IncidentPlace> {
        let place = self.place.as_ref()?;
        let is_known = self.before.iter().any(|before| place.is_replaced_by(before));
        (!is_known).then(|| place.clone())
    }

    /// Places where something would be left behind.
    fn left(&self) -> impl Iterator<Item = &IncidentPlace> {
        let is_replaced =
            |before: &IncidentPlace| self.place.as_ref().is_some_and(|place| before.is_replaced_by(place));
        self.before.iter().filter(move |before| !is_replaced(before))
    }
}
