//! What InfluxDB has confirmed is there after two crashes, if the first one left an end of its log half written.
//!
//! InfluxDB 2.7 alone loses it: it cuts the torn end off, but goes on writing behind the place where it ended.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::influxd::{Influxd, NAME};
use crate::report;

/// The beginning of an entry that says that it has 256 octets, and has ten.
const TORN: &[u8] = b"\x01\x00\x00\x01\x00torn write";
/// Another end: the entry's length is cut, too.
const TORN_EARLIER: &[u8] = b"\x01\x00";

/// Writes, crashes, writes, crashes, and looks.
pub(super) async fn run(program: &Path) -> anyhow::Result<()> {
    let mut influxd = Influxd::start(program).await?;
    let mut written = Vec::new();
    for (round, torn) in [TORN, TORN_EARLIER].into_iter().enumerate() {
        write(&influxd, &mut written).await?;
        influxd.kill().await?;
        for file in logs(&influxd.folder().join("engine/wal"))? {
            OpenOptions::new().append(true).open(&file)?.write_all(torn)?;
        }
        influxd.start_again().await?;
        ensure!(influxd.torn_ends()? > round, "its start has not seen the torn end of its log");
        write(&influxd, &mut written).await?;
        influxd.kill().await?;
        influxd.start_again().await?;
        let question = format!("from(bucket: \"{NAME}\") |> range(start: 0) |> keep(columns: [\"_time\"])");
        let found = influxd.rows(&question).await?.len();
        let confirmed = written.len();
        ensure!(found == confirmed, "after two crashes {found} of {confirmed} confirmed points are there");
    }
    influxd.terminate().await?;
    report(&format!(
        "influx: {} confirmed points are there after crashes with torn ends of the log",
        written.len()
    ));
    Ok(())
}

/// A few points, each in a request of its own.
async fn write(influxd: &Influxd, written: &mut Vec<usize>) -> anyhow::Result<()> {
    for _ in 0..3 {
        let number = written.len() + 1;
        influxd.write(NAME, &format!("torn n={number}i {number}000000000")).await?;
        written.push(number);
    }
    Ok(())
}

/// All files of the log below a folder.
fn logs(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut logs = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wal") {
                logs.push(path);
            }
        }
    }
    ensure!(!logs.is_empty(), "there is no log in {}", folder.display());
    Ok(logs)
}
