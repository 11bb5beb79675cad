//! What processes have used, as the kernel tells it.

use anyhow::Context;

/// Ticks of the kernel's accounts a second; the same on every Linux that programs see.
const TICKS_A_SECOND: f64 = 100.0;

/// Processor seconds so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spent {
    /// Of what is measured.
    pub(super) program: f64,
    /// Of InfluxDB.
    pub(super) influxd: f64,
    /// Of the broker.
    pub(super) broker: f64,
    /// Of this process, which publishes.
    pub(super) publisher: f64,
}

impl Spent {
    /// Of these processes until now.
    pub(super) fn of(program: u32, influxd: u32, broker: u32) -> anyhow::Result<Spent> {
        let publisher = processor_seconds(std::process::id())?;
        let (program, influxd) = (processor_seconds(program)?, processor_seconds(influxd)?);
        Ok(Spent { program, influxd, broker: processor_seconds(broker)?, publisher })
    }

    /// What was spent between two moments.
    pub(super) fn passed(before: &Spent, after: &Spent) -> Spent {
        Spent {
            program: after.program - before.program,
            influxd: after.influxd - before.influxd,
            broker: after.broker - before.broker,
            publisher: after.publisher - before.publisher,
        }
    }
}

fn processor_seconds(process: u32) -> anyhow::Result<f64> {
    let told = read(process, "stat")?;
    // The name, in brackets, may hold anything.
    let rest = told.rsplit_once(')').context("no name")?.1;
    let mut ticks = rest.split_whitespace().skip(11).take(2).map(str::parse::<f64>);
    let mut next = || ticks.next().context("no times")?.context("times");
    Ok((next()? + next()?) / TICKS_A_SECOND)
}

/// Greatest resident memory in the life of a process, files that it maps included, in KiB.
pub(super) fn memory_max_kib(process: u32) -> anyhow::Result<u64> {
    memory(process, "VmHWM:")
}

/// Anonymous memory that a process has now, in KiB.
pub(super) fn anonymous_kib(process: u32) -> anyhow::Result<u64> {
    memory(process, "RssAnon:")
}

fn memory(process: u32, name: &str) -> anyhow::Result<u64> {
    let told = read(process, "status")?;
    let line = told.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    line.trim_end_matches("kB").trim().parse().with_context(|| name.to_owned())
}

fn read(process: u32, file: &str) -> anyhow::Result<String> {
    let path = format!("/proc/{process}/{file}");
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
}
