//! What a load costs this process and its disk, as the operating system tells it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use domain::units::MonotonicMicros;
use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

use super::case::count;
use super::fleet;

/// Appends that are made to know what the disk can do.
const APPENDS: usize = 300;
const APPEND_BYTES: usize = 4_096;
/// Longest append that is told apart, in microseconds; longer ones count as this.
const APPEND_US_MAX: u64 = 60 * 1_000_000;
/// File descriptors that a load needs beside two for each machine.
const FILES_BESIDE: u64 = 200;

/// Processor time used up to a moment, in seconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) at: MonotonicMicros,
    all: f64,
    load: f64,
    broker: f64,
    stores: f64,
    disk_bytes: u64,
    computer: Computer,
}

/// All processors of the computer, in ticks since it started.
#[derive(Debug, Clone, Copy, Default)]
struct Computer {
    processors: u64,
    all: u64,
    busy: u64,
}

/// Processor time by parts, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Processor {
    /// The whole process.
    pub total: f64,
    /// The generator of the load.
    pub load: f64,
    /// The broker's threads.
    pub broker: f64,
    /// The threads that write the stores' files.
    pub stores: f64,
    /// All else: ingest, or the floor's subscriber, and API.
    pub server: f64,
}

/// Processors in use, on average.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Used {
    /// By this process.
    pub own: f64,
    /// By other programs. More than a little: the figures are worse than they could be.
    pub others: f64,
}

impl Spent {
    /// What was used up to now.
    pub(super) fn now() -> Spent {
        let mut spent = Spent { at: fleet::now(), all: process_seconds(), ..Spent::default() };
        for (name, seconds) in threads() {
            match name.as_str() {
                fleet::THREAD => spent.load += seconds,
                "broker" => spent.broker += seconds,
                name if name.ends_with("-writer") => spent.stores += seconds,
                _ => {}
            }
        }
        spent.disk_bytes = disk_bytes();
        spent.computer = computer();
        spent
    }

    /// Time since then.
    pub(super) fn passed(&self, before: &Spent) -> Duration {
        Duration::from_micros(self.at.since(before.at))
    }

    /// How many processors were used since then, on average: by this process, and by other programs.
    pub(super) fn used(&self, before: &Spent) -> Used {
        let ticks = |now: u64, before: u64| count(now.saturating_sub(before));
        let all = ticks(self.computer.all, before.computer.all).max(1.0);
        let busy = ticks(self.computer.busy, before.computer.busy) / all * count(self.computer.processors);
        let own = (self.all - before.all) / self.passed(before).as_secs_f64().max(1e-3);
        Used { own, others: (busy - own).max(0.0) }
    }

    /// Octets written to disks since then.
    pub(super) fn disk_bytes(&self, before: &Spent) -> u64 {
        self.disk_bytes.saturating_sub(before.disk_bytes)
    }

    /// What was used since then, for each million of something.
    pub(super) fn per_million(&self, before: &Spent, count: f64) -> Processor {
        let share = |after: f64, before: f64| (after - before).max(0.0) * 1e6 / count.max(1.0);
        let (total, load) = (share(self.all, before.all), share(self.load, before.load));
        let (broker, stores) = (share(self.broker, before.broker), share(self.stores, before.stores));
        Processor { total, load, broker, stores, server: (total - load - broker - stores).max(0.0) }
    }
}

/// Nothing where the system does not tell.
fn computer() -> Computer {
    let told = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let processors = told.lines().filter(|line| line.starts_with("cpu")).count().saturating_sub(1) as u64;
    let first = told.lines().next().unwrap_or_default();
    let ticks: Vec<u64> =
        first.split_whitespace().skip(1).take(8).filter_map(|part| part.parse().ok()).collect();
    let all = ticks.iter().sum::<u64>();
    // The fourth and fifth are idle and waiting for a disk.
    let idle: u64 = ticks.iter().skip(3).take(2).sum();
    Computer { processors, all, busy: all - idle }
}

fn process_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
        .as_secs_f64()
}

/// Name and processor seconds of each thread that lives.
fn threads() -> Vec<(String, f64)> {
    let Ok(folder) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let thread = |folder: std::path::PathBuf| {
        let name = std::fs::read_to_string(folder.join("comm")).ok()?;
        let times = std::fs::read_to_string(folder.join("schedstat")).ok()?;
        let nanos: u64 = times.split_whitespace().next()?.parse().ok()?;
        Some((name.trim().to_owned(), Duration::from_nanos(nanos).as_secs_f64()))
    };
    folder.filter_map(|entry| thread(entry.ok()?.path())).collect()
}

/// Octets that this process caused to be written to disks; 0 where the system does not tell.
fn disk_bytes() -> u64 {
    let told = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("write_bytes:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0)
}

/// Begins to look for the greatest memory anew. Where the system does not allow it, earlier loads count, too.
pub(super) fn forget_memory() {
    if let Err(error) = std::fs::write("/proc/self/clear_refs", "5") {
        tracing::warn!(%error, "the greatest memory counts from the start of the process");
    }
}

/// Greatest memory since it was last forgotten, in MiB.
pub(super) fn memory_mib() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib / 1_024)
}

/// Checks that this process may open both ends of so many connections.
///
/// # Errors
/// It may not; the message says what to do.
pub(super) fn check_files(connections: usize) -> anyhow::Result<()> {
    let told = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("Max open files"));
    let limit = line.and_then(|limits| limits.split_whitespace().next()?.parse().ok()).unwrap_or(u64::MAX);
    let needed = 2 * connections as u64 + FILES_BESIDE;
    ensure!(
        needed <= limit,
        "{connections} connections need {needed} open files and {limit} are allowed: run `ulimit -n {needed}` before, \
         or choose fewer"
    );
    Ok(())
}

/// What an append of 4 KiB with fsync takes, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Disk {
    /// Half of them take no longer.
    pub fsync_p50_us: u64,
    /// 99 of 100 take no longer.
    pub fsync_p99_us: u64,
}

/// Asks the disk of a folder, while nothing else is under way.
///
/// # Errors
/// The file cannot be written.
pub(super) async fn ask_disk(folder: &Path) -> anyhow::Result<Disk> {
    let path = folder.join("fsync");
    let asked = tokio::task::spawn_blocking(move || {
        let mut file = File::create_new(&path)?;
        let bounds = Histogram::<u64>::new_with_bounds(1, APPEND_US_MAX, 3);
        let mut times = bounds.expect("the bounds are in order");
        for _ in 0..APPENDS {
            let began = fleet::now();
            file.write_all(&[0x5a; APPEND_BYTES])?;
            file.sync_data()?;
            times.saturating_record(fleet::now().since(began));
        }
        std::fs::remove_file(&path)?;
        Ok::<_, std::io::Error>(times)
    });
    let times = asked.await?.context("the disk cannot be asked")?;
    Ok(Disk { fsync_p50_us: times.value_at_quantile(0.5), fsync_p99_us: times.value_at_quantile(0.99) })
}

/// Octets of the files whose names begin so.
pub(super) fn file_bytes(folder: &Path, name: &str) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(name) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
