//! Usage and sessions of the stored history counted anew: which way belts ran, never how much.
//!
//! A day or a session is replaced only if what is counted from the readings now comes to the same time, distance and
//! starts as what stands there. So what the readings cannot tell any more, because they have been removed or have not
//! come yet, stays as it is, and nothing counts twice. A part of a day that the ingest still counts into is left alone,
//! too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::ids::MachineId;
use domain::limits::USAGE_ROWS_READ_MAX;
use domain::live::{Segment, Session};
use domain::machine::Folded;
use domain::units::UnixMicros;
use domain::usage::{Motion, PartId, Usage, UsageRow, code};
use store::ledger::{Derived, Ledger, UsageQuery, quarters};
use store::{StoreError, StoreErrorKind};
use wire::api::v1;

use crate::check::Span;
use crate::status::ApiError;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// Quarters of a day by number, all parts together.
type Quarters = BTreeMap<u8, Usage>;

/// What was counted of one machine, and is not settled yet.
#[derive(Debug)]
pub(super) struct Recount {
    ledger: Arc<dyn Ledger>,
    machine: MachineId,
    /// Whole days, from the first on and before the second, since 1970-01-01 UTC.
    days: (i32, i32),
    /// Until when the history is read: a day that goes on behind it is under way.
    read_until: UnixMicros,
    /// Quarters by day, as octets.
    counted: BTreeMap<i32, Vec<u8>>,
    sessions: Vec<Session>,
    /// The one that goes on where the history that was read ends.
    open: Option<Session>,
    /// What became of it.
    pub(super) result: v1::Rebuilt,
}

/// The whole days that a span touches, from the first on and before the second.
pub(super) fn days_of(span: Span) -> (i32, i32) {
    let day = |time: UnixMicros| i32::try_from(time.0.div_euclid(DAY_US)).unwrap_or(i32::MAX);
    (day(span.from), day(span.until.plus(-1)).saturating_add(1))
}

/// When a day begins.
pub(super) fn beginning(day: i32) -> UnixMicros {
    UnixMicros(i64::from(day).saturating_mul(DAY_US))
}

impl Recount {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        machine: MachineId,
        days: (i32, i32),
        read_until: UnixMicros,
    ) -> Recount {
        Recount {
            ledger,
            machine,
            days,
            read_until,
            counted: BTreeMap::new(),
            sessions: Vec::new(),
            open: None,
            result: v1::Rebuilt::default(),
        }
    }

    /// Takes what a record ended.
    pub(super) fn take(&mut self, folded: Folded) {
        for session in folded.sessions {
            if session.ended {
                self.open.take_if(|open| open.id == session.id);
                self.sessions.push(session);
            } else {
                self.open = Some(session);
            }
        }
        for row in folded.usage {
            self.counted.entry(row.day).or_default().extend(row.quarters);
        }
    }

    /// Brings the ledger up to date with what is over; readings come by event time, so nothing of it will follow.
    pub(super) async fn settle(&mut self) -> Result<(), ApiError> {
        for session in std::mem::take(&mut self.sessions) {
            self.settle_session(session).await?;
        }
        // A reading that ends a day may tell of the one before.
        while self.counted.len() > 2 {
            self.settle_next_day().await?;
        }
        Ok(())
    }

    /// The same with all that is left.
    pub(super) async fn finish(&mut self) -> Result<(), ApiError> {
        // The record that ended it may lie behind what was read: it has ended if the ledger says so.
        self.sessions.extend(self.open.take().map(Session::over));
        self.settle().await?;
        while !self.counted.is_empty() {
            self.settle_next_day().await?;
        }
        self.note_days_without_readings().await
    }

    async fn settle_next_day(&mut self) -> Result<(), ApiError> {
        let Some((day, octets)) = self.counted.pop_first() else { return Ok(()) };
        if !(self.days.0..self.days.1).contains(&day) {
            return Ok(());
        }
        let rows = self.rows(day).await?;
        if rows.is_empty() {
            return Ok(());
        }
        if self.is_under_way(day, &rows).await? {
            self.result.usage_days_under_way += 1;
            return Ok(());
        }
        let stored = added_up(rows.iter().flat_map(quarters))?;
        let counted = code::quarters(&octets).map(|quarter| quarter.map_err(|error| damaged(&error)));
        let counted = added_up(counted)?;
        if is_as_it_was(&stored, &counted) {
            self.result.usage_days_same += 1;
        } else if amounts(&stored) == amounts(&counted) {
            self.ledger
                .put(Derived { usage: replaced(rows, &stored, counted), ..Derived::default() })
                .await?;
            self.result.usage_days_changed += 1;
        } else {
            self.result.usage_days_kept += 1;
        }
        Ok(())
    }

    /// Days of which there is usage and no reading any more.
    async fn note_days_without_readings(&mut self) -> Result<(), ApiError> {
        let result = &self.result;
        let seen = result.usage_days_same
            + result.usage_days_changed
            + result.usage_days_kept
            + result.usage_days_under_way;
        let mut query = self.query(self.days.0, self.days.1);
        let mut days = BTreeSet::new();
        loop {
            let totals = self.ledger.usage_totals(&query).await?;
            days.extend(totals.iter().map(|total| total.day));
            if totals.len() < query.max {
                break;
            }
            query.after = totals.last().map(|last| (last.machine.clone(), last.day, last.part));
        }
        self.result.usage_days_kept += (days.len() as u64).saturating_sub(seen);
        Ok(())
    }

    fn query(&self, from_day: i32, until_day: i32) -> UsageQuery {
        let machines = vec![self.machine.clone()];
        UsageQuery { machines, from_day, until_day, after: None, max: USAGE_ROWS_READ_MAX }
    }

    /// Whether the ingest may still count into one of these parts. To be asked after they were read: a part that was in the
    /// ledger before the checkpoint and is not open in it will never be open again.
    async fn is_under_way(&self, day: i32, rows: &[UsageRow]) -> Result<bool, ApiError> {
        if beginning(day.saturating_add(1)) > self.read_until {
            return Ok(true);
        }
        let Some(checkpoint) = self.ledger.checkpoint(&self.machine).await? else { return Ok(false) };
        let state = wire::checkpoint::Checkpoint::decode(checkpoint.state).map_err(|error| {
            let machine = &self.machine;
            StoreError::new(StoreErrorKind::Corrupt, format!("the checkpoint of \"{machine}\": {error}"))
        })?;
        let open = state.fold.usage.open.map(|open| (open.day, open.part));
        Ok(rows.iter().any(|row| Some((row.day, row.part)) == open))
    }

    /// All parts of a day.
    async fn rows(&self, day: i32) -> Result<Vec<UsageRow>, ApiError> {
        let mut query = self.query(day, day.saturating_add(1));
        let mut rows: Vec<UsageRow> = Vec::new();
        loop {
            let page = self.ledger.usage(&query).await?;
            let is_last = page.len() < query.max;
            query.after = page.last().map(|last| (last.machine.clone(), last.day, last.part));
            rows.extend(page);
            if is_last {
                return Ok(rows);
            }
        }
    }

    async fn settle_session(&mut self, session: Session) -> Result<(), ApiError> {
        let Some(stored) = self.ledger.session(&session.id).await? else { return Ok(()) };
        let is_same_motion = stored.ended
            && (stored.started, stored.last_motion) == (session.started, session.last_motion)
            && sums(&stored.segments) == sums(&session.segments);
        if is_same_motion && stored.segments != session.segments {
            let session = Session { revision: stored.revision + 1, ..session };
            self.ledger.put(Derived { sessions: vec![session], ..Derived::default() }).await?;
            self.result.sessions_changed += 1;
        }
        Ok(())
    }
}

/// Quarters by number.
fn added_up(quarters: impl Iterator<Item = Result<(u8, Usage), StoreError>>) -> Result<Quarters, StoreError> {
    let mut sums = Quarters::new();
    for quarter in quarters {
        let (number, usage) = quarter?;
        sums.entry(number).or_default().merge(&usage);
    }
    Ok(sums)
}

fn damaged(error: &code::CodeError) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, error.to_string())
}

/// How much it is, whichever way it went: time covered, at rest and in motion, distance, starts.
fn amounts(quarters: &Quarters) -> Vec<(u8, u64, u64, u64, u128, u32)> {
    let amounts = quarters.iter().map(|(number, usage)| {
        let Motion { observed_us, distance_nm, starts, .. } = usage.motion();
        (*number, usage.coverage.observed_us(), usage.rest_us, observed_us, distance_nm, starts)
    });
    // A quarter in which nothing was covered is one that is not there.
    amounts.filter(|amounts| amounts.1 > 0).collect()
}

fn is_as_it_was(stored: &Quarters, counted: &Quarters) -> bool {
    let is_there = |(_, usage): &(&u8, &Usage)| usage.coverage.observed_us() > 0;
    let is_same = |one: &Usage, other: &Usage| {
        (one.rest_us, &one.coverage) == (other.rest_us, &other.coverage) && one.motions().eq(other.motions())
    };
    let stored: Vec<_> = stored.iter().filter(is_there).collect();
    let counted: Vec<_> = counted.iter().filter(is_there).collect();
    let pairs = stored.iter().zip(&counted);
    stored.len() == counted.len()
        && pairs.into_iter().all(|(one, other)| one.0 == other.0 && is_same(one.1, other.1))
}

/// The parts of a day with what was counted in the first of them, and nothing in the others. What there was of a kind of
/// which there is nothing any more stays as nothing: whoever mirrors the rows writes it over what stood there.
fn replaced(rows: Vec<UsageRow>, stored: &Quarters, mut counted: Quarters) -> Vec<UsageRow> {
    for (number, usage) in stored {
        let now = counted.entry(*number).or_default();
        usage.kinds().for_each(|(key, _)| now.add(*key, &Motion::default()));
    }
    let mut octets = Vec::new();
    counted.iter().for_each(|(number, usage)| code::put(&mut octets, *number, usage));
    let first: Option<PartId> = rows.first().map(|row| row.part);
    let replace = |row: UsageRow| {
        let quarters = if Some(row.part) == first { octets.clone() } else { Vec::new() };
        UsageRow { revision: row.revision + 1, quarters, ..row }
    };
    rows.into_iter().map(replace).collect()
}

/// Observed time, and distance in mm/s times microseconds, of the parts of a session.
fn sums(segments: &[Segment]) -> (u64, u128) {
    let distance =
        |one: &Segment| u128::from(one.distance_mm) * 1_000_000 + u128::from(one.distance_remainder);
    (segments.iter().map(|one| one.observed_us).sum(), segments.iter().map(distance).sum())
}
