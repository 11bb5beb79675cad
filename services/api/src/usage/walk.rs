//! Reads the usage that a request is about, page by page, and hands it on.

use domain::limits::USAGE_ROWS_READ_MAX;
use domain::usage::{QUARTERS_A_DAY, Usage};
use store::ledger::{Ledger, UsageQuery, quarters};

use super::spread::{Reads, Spread, Target};
use super::sums::{Figures, Sums};
use crate::status::ApiError;

/// Sums of days read at once: short work between two pages, so that others have their turn.
const ADDED_READ: usize = if USAGE_ROWS_READ_MAX < 8_000 { USAGE_ROWS_READ_MAX } else { 8_000 };
/// Days of quarters read at once: each has some kilobytes.
const CUT_READ: usize = 250;

/// Machines whose time is worked out at once, before others have their turn.
const MACHINES_ASKED: usize = 50;

/// Adds up all usage that goes anywhere.
///
/// # Errors
/// As [`walk`].
pub(crate) async fn add_up(ledger: &dyn Ledger, spread: &Spread) -> Result<Figures, ApiError> {
    let reads = spread.reads()?;
    let mut sums = Sums::new(spread);
    for machine in 0..spread.machines() {
        sums.ask(machine);
        if machine % MACHINES_ASKED == MACHINES_ASKED - 1 {
            tokio::task::yield_now().await;
        }
    }
    read(ledger, spread, reads, |target, usage| sums.add(target, usage)).await?;
    Ok(sums.finish())
}

/// Hands on all usage that goes anywhere: whole days as sums, other ones by quarters; in no order, a day or quarter once
/// or in parts.
///
/// # Errors
/// Usage that cannot be read.
async fn read(
    ledger: &dyn Ledger,
    spread: &Spread,
    reads: Vec<Reads>,
    mut sink: impl FnMut(Target, &Usage) + Send,
) -> Result<(), ApiError> {
    for Reads { added, cut } in reads {
        for (days, machines) in added {
            read_added(ledger, query(spread, days, &machines, ADDED_READ), spread, &mut sink).await?;
        }
        for (days, machines) in cut {
            read_cut(ledger, query(spread, days, &machines, CUT_READ), spread, &mut sink).await?;
        }
    }
    Ok(())
}

fn query(spread: &Spread, (from, until): (i64, i64), machines: &[usize], max: usize) -> UsageQuery {
    let day = |day: i64| i32::try_from(day).expect("no clock is off by millions of years");
    let (from_day, until_day) = (day(from), day(until));
    UsageQuery { machines: spread.ids(machines), from_day, until_day, after: None, max }
}

async fn read_added(
    ledger: &dyn Ledger,
    mut query: UsageQuery,
    spread: &Spread,
    sink: &mut (impl FnMut(Target, &Usage) + Send),
) -> Result<(), ApiError> {
    let mut machine = None;
    loop {
        let rows = ledger.usage_totals(&query).await?;
        for row in &rows {
            machine = spread.machine(&row.machine, machine);
            // Days between that are cut are read by quarters.
            if let Some(target) = machine.and_then(|machine| spread.target_of_day(machine, row.day.into())) {
                sink(target, &row.usage);
            }
        }
        if rows.len() < query.max {
            return Ok(());
        }
        query.after = rows.into_iter().next_back().map(|last| (last.machine, last.day, last.part));
        tokio::task::yield_now().await;
    }
}

async fn read_cut(
    ledger: &dyn Ledger,
    mut query: UsageQuery,
    spread: &Spread,
    sink: &mut (impl FnMut(Target, &Usage) + Send),
) -> Result<(), ApiError> {
    let mut last = None;
    loop {
        let rows = ledger.usage(&query).await?;
        for row in &rows {
            last = spread.machine(&row.machine, last);
            let Some(machine) = last else { continue };
            let begin = i64::from(row.day) * QUARTERS_A_DAY;
            for quarter in quarters(row) {
                let (number, usage) = quarter?;
                if let Some(target) = spread.target(machine, begin + i64::from(number)) {
                    sink(target, &usage);
                }
            }
        }
        if rows.len() < query.max {
            return Ok(());
        }
        query.after = rows.into_iter().next_back().map(|last| (last.machine, last.day, last.part));
        tokio::task::yield_now().await;
    }
}
