//! Filling a history with the readings of a fleet.

use domain::clock::{Clock, ClockQuality};
use domain::log::Lane;
use domain::record::{Payload, Record};
use domain::units::{MILLI, MonotonicMicros, UnixMicros};
use fastrand::Rng;
use store::telemetry::{Block, Telemetry};
use tokio::sync::mpsc;

use crate::year::{Watched, Year};

/// Readings of so much time come together: a few messages of an agent, before the history is written again.
pub(super) const BLOCK_US: i64 = 300 * 1_000_000;
/// How sure agents are of the time, in microseconds.
const UNCERTAINTY_US: u64 = 5_000;
/// Blocks that wait to be put.
const WAITING_MAX: usize = 64;

/// Puts the readings that ended within the times, each up to `late_us` late; gives how many they are.
pub(super) async fn fill(
    telemetry: &dyn Telemetry,
    year: &Year,
    machines: &[usize],
    (from, until): (UnixMicros, UnixMicros),
    late_us: u64,
) -> anyhow::Result<u64> {
    let mut readings = 0;
    for number in machines {
        let (give, mut take) = mpsc::channel(WAITING_MAX);
        let (year, number) = (year.clone(), *number);
        let making = tokio::task::spawn_blocking(move || {
            make(&year, number, (from, until), late_us, |block| give.blocking_send(block).is_ok());
        });
        while let Some(block) = take.recv().await {
            let block: Block = block;
            readings += block.records.len() as u64;
            // Each by itself: chunks are as long as what comes together.
            telemetry.put(vec![block]).await?;
        }
        making.await?;
    }
    Ok(readings)
}

/// Gives the blocks of one machine, as long as somebody takes them.
fn make(
    year: &Year,
    number: usize,
    (from, until): (UnixMicros, UnixMicros),
    late_us: u64,
    mut give: impl FnMut(Block) -> bool,
) {
    let mut open: Option<(i64, Block)> = None;
    let mut is_wanted = true;
    let mut random = Rng::with_seed(number as u64);
    let mut before: Option<(u32, u64, u64)> = None;
    year.watched(number, year.from(), |watched| {
        if !is_wanted || !(from..until).contains(&watched.time) {
            return;
        }
        let span = watched.time.0.div_euclid(BLOCK_US);
        let is_over = |(at, block): &mut (i64, Block)| *at != span || block.boot_count != watched.boot;
        if let Some((_, full)) = open.take_if(is_over) {
            is_wanted = give(full);
        }
        let block = open.get_or_insert_with(|| (span, begun(year, number, &watched)));
        let at = u64::try_from(watched.time.since(watched.booted)).unwrap_or(0) + random.u64(0..=late_us);
        let mut reading = watched.reading;
        // It began where the one before it ended.
        if let Some((boot, n, end)) = before
            && (boot, n + 1) == (watched.boot, watched.n)
        {
            reading.span_ms = u32::try_from((at - end) / MILLI).unwrap_or(reading.span_ms);
        }
        before = Some((watched.boot, watched.n, at));
        let record = Record { at: MonotonicMicros(at), other_n: 1, payload: Payload::Reading(reading) };
        block.1.records.push((watched.n, record));
    });
    if let Some((_, last)) = open {
        give(last);
    }
}

fn begun(year: &Year, number: usize, first: &Watched) -> Block {
    let (quality, offset_us) = (ClockQuality::Synchronised, first.booted.0);
    Block {
        sequence: 1,
        machine: year.machines()[number].id.clone(),
        log: year.log(number),
        lane: Lane::Readings,
        boot_count: first.boot,
        clock: Clock { quality, offset_us, uncertainty_us: UNCERTAINTY_US },
        records: Vec::new(),
    }
}
