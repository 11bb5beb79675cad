//! Times for people, and what the disk needs for one.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Appends that are made to know what the disk can do.
const APPENDS: usize = 500;
const APPEND_BYTES: usize = 4_096;

/// Times in milliseconds, sorted.
#[derive(Debug, Clone)]
pub(super) struct Times(Vec<f64>);

impl Times {
    pub(super) fn new(mut millis: Vec<f64>) -> Times {
        millis.sort_by(f64::total_cmp);
        Times(millis)
    }

    /// The time that so many of a hundred do not exceed.
    pub(super) fn percentile(&self, percent: usize) -> f64 {
        let place = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0.get(place).copied().unwrap_or(f64::NAN)
    }

    /// The shortest and the longest.
    pub(super) fn ends(&self) -> (f64, f64) {
        let end = |time: Option<&f64>| time.copied().unwrap_or(f64::NAN);
        (end(self.0.first()), end(self.0.last()))
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (least, most) = self.ends();
        let [p50, p95, p99] = [50, 95, 99].map(|percent| self.percentile(percent));
        write!(
            f,
            "p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, {least:.1} to {most:.1} ms, {}",
            self.0.len()
        )
    }
}

/// What an append of 4 KiB with fsync takes on the disk of a folder.
pub(super) async fn ask_disk(folder: &Path) -> anyhow::Result<Times> {
    let path = folder.join("fsync");
    let asked = tokio::task::spawn_blocking(move || {
        let mut file = File::create_new(&path)?;
        let mut millis = Vec::with_capacity(APPENDS);
        for _ in 0..APPENDS {
            let began = agent::clock::monotonic();
            file.write_all(&[0x5a; APPEND_BYTES])?;
            file.sync_data()?;
            millis.push(in_millis(agent::clock::monotonic().since(began)));
        }
        std::fs::remove_file(&path)?;
        Ok::<_, std::io::Error>(Times::new(millis))
    });
    asked.await?.context("the disk cannot be asked")
}

/// Microseconds in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "times of a short run, for people")]
pub(super) fn in_millis(micros: u64) -> f64 {
    micros as f64 / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let check = |times: &[f64], percent: usize, expected: f64| {
            assert_eq!(
                Times::new(times.to_vec()).percentile(percent).to_bits(),
                expected.to_bits(),
                "{times:?}"
            );
        };
        check(&[3.0, 1.0, 2.0], 50, 2.0);
        check(&[3.0, 1.0, 2.0], 99, 3.0);
        check(&[4.0], 50, 4.0);
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        check(&hundred, 95, 95.0);
        check(&hundred, 99, 99.0);
    }
}
