//! The long history in InfluxDB 2: plain points that Flux and Grafana read, too. `docs/influxdb.md` says which.

use std::fmt;

use url::Url;

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

impl fmt::Debug for InfluxSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InfluxSettings")
            .field("url", &self.url.as_str())
            .field("organisation", &self.organisation)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}
