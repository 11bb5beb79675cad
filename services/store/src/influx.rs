//! The long history in InfluxDB 2: plain points that Flux and Grafana read, too. `docs/influxdb.md` says which.

pub mod client;
pub mod csv;
pub mod derived;
mod fields;
mod flux;
pub(crate) mod known;
pub mod line;
mod list;
mod points;
mod put;
mod rows;
mod setup;
mod telemetry;

use std::fmt;

use url::Url;

pub use self::client::{Client, RefusedLine};
pub use self::line::{DatedLine, Line, Lines};
pub use self::points::InfluxPoints;
pub use self::setup::{Change, Outcome, Secret, SetUp, is_fresh, set_up};
pub use self::telemetry::InfluxTelemetry;

/// Which InfluxDB, and where in it.
#[derive(Clone)]
pub struct InfluxSettings {
    /// Where it is, such as `http://127.0.0.1:8086`.
    pub url: Url,
    /// The organisation's name.
    pub organisation: String,
    /// The token that is shown. A secret.
    pub token: String,
    /// Name of the bucket for what is derived; those of the readings and the events have `-readings` and `-events`
    /// behind it.
    pub bucket: String,
}

impl InfluxSettings {
    /// The bucket of the readings.
    pub fn readings_bucket(&self) -> String {
        format!("{}-readings", self.bucket)
    }

    /// The bucket of the events.
    pub fn events_bucket(&self) -> String {
        format!("{}-events", self.bucket)
    }
}

impl fmt::Debug for InfluxSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfluxSettings")
            .field("url", &self.url.origin().ascii_serialization())
            .field("organisation", &self.organisation)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}
