//! What InfluxDB holds of a load.

use anyhow::Context;
use domain::log::Lane;

use super::lines::measurement;
use super::stage::Target;
use crate::influxd::Influxd;

/// Points of readings and events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Stored {
    /// All of them.
    pub(super) records: u64,
    /// Different records among them.
    pub(super) different: u64,
}

impl Stored {
    /// Counts the points of machines whose names begin so.
    pub(super) async fn count(influxd: &Influxd, target: Target, prefix: &str) -> anyhow::Result<Stored> {
        let mut stored = Stored::default();
        for lane in Lane::ALL {
            let (bucket, measurement) = (target.bucket(lane), measurement(lane));
            // Each machine has one boot, so a record's number tells it from all others.
            let numbers = format!(
                "from(bucket: \"{bucket}\") |> range(start: 2000-01-01T00:00:00Z, stop: 2100-01-01T00:00:00Z) \
                 |> filter(fn: (r) => r._measurement == \"{measurement}\" and r._field == \"n\" and \
                 r.machine =~ /^{prefix}-/)"
            );
            // All of them last: what comes between the two questions must not make the different ones more than all.
            let different = format!("{numbers} |> unique() |> count() |> group() |> sum()");
            stored.different += number(influxd, &different).await?;
            stored.records += number(influxd, &format!("{numbers} |> count() |> group() |> sum()")).await?;
        }
        Ok(stored)
    }
}

async fn number(influxd: &Influxd, flux: &str) -> anyhow::Result<u64> {
    let rows = influxd.rows(flux).await?;
    let Some(row) = rows.first() else { return Ok(0) };
    row.get("_value").context("no value")?.parse().context("a count")
}
