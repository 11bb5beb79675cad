//! Points of what is derived, into the bucket that is for ever.

use super::InfluxSettings;
use super::client::Client;
use super::line::Lines;
use crate::StoreError;

/// Writes points of what is derived. Cheap to clone.
#[derive(Debug, Clone)]
pub struct InfluxPoints {
    client: Client,
    bucket: String,
}

impl InfluxPoints {
    /// Makes a way to InfluxDB; it does not connect yet.
    ///
    /// # Errors
    /// `Invalid`: the settings can never work.
    pub fn new(settings: &InfluxSettings) -> Result<InfluxPoints, StoreError> {
        Ok(InfluxPoints { client: Client::new(settings)?, bucket: settings.bucket.clone() })
    }

    /// Writes points; gives how many InfluxDB refuses for good. Writing the same again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`, `Timeout`, `Full`: some may be written, some not.
    pub async fn write(&self, lines: &Lines) -> Result<u64, StoreError> {
        if lines.is_empty() {
            return Ok(0);
        }
        let refused = self.client.write(&self.bucket, lines).await?;
        if let Some(first) = refused.first() {
            tracing::error!(
                bucket = self.bucket,
                lines = refused.len(),
                reason = first.reason,
                "InfluxDB refuses points of what is derived"
            );
        }
        Ok(refused.len() as u64)
    }

    /// The way to InfluxDB.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }
}
