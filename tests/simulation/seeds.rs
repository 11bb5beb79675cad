//! Many worlds at once: they know nothing of each other. What is told is told in the order of the seeds.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::{Outcome, run};

/// Threads at most.
const THREADS_MAX: usize = 16;

/// Which worlds to run, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Seeds {
    /// The first seed.
    pub from: u64,
    /// How many.
    pub count: u64,
    /// Whether to go on when one is broken.
    pub keep_going: bool,
}

/// Runs worlds on all processors and tells what each came to, in the order of the seeds; after a broken one no more,
/// unless it is to go on. Gives how many are broken.
pub fn run_all(seeds: Seeds, mut tell: impl FnMut(u64, Result<Outcome, String>)) -> u64 {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let (next, is_over) = (AtomicU64::new(seeds.from), AtomicBool::new(false));
    let until = seeds.from.saturating_add(seeds.count);
    let (sender, results) = mpsc::channel();
    let mut broken = 0;
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, is_over) = (sender.clone(), &next, &is_over);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= until || sender.send((seed, run_one(seed))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let (mut waiting, mut turn) = (BTreeMap::new(), seeds.from);
        while let Ok((seed, outcome)) = results.recv() {
            waiting.insert(seed, outcome);
            while let Some(outcome) = waiting.remove(&turn).filter(|_| !is_over.load(Ordering::Relaxed)) {
                turn += 1;
                broken += u64::from(outcome.is_err());
                if outcome.is_err() && !seeds.keep_going {
                    is_over.store(true, Ordering::Relaxed);
                }
                tell(turn - 1, outcome);
            }
        }
    });
    broken
}

/// A world whose minds panic is broken, too, and has a seed.
fn run_one(seed: u64) -> Result<Outcome, String> {
    match catch_unwind(AssertUnwindSafe(|| run(seed))) {
        Ok(outcome) => outcome.map_err(|error| format!("{error:#}")),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
            Err(format!("panicked: {}", words.unwrap_or_default()))
        }
    }
}
