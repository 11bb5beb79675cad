//! Where points go.

use std::fmt::Debug;

use async_trait::async_trait;
use domain::units::UnixMicros;
use store::StoreError;
use store::influx::InfluxPoints;
use store::influx::line::Lines;

/// The bucket of points.
#[async_trait]
pub(super) trait Points: Send + Sync + Debug {
    /// Writes points; a point at a place where one lies adds its fields and replaces those that both have. How many were
    /// refused for good and left out.
    ///
    /// # Errors
    /// As [`InfluxPoints::write`].
    async fn write(&self, lines: &Lines) -> Result<u64, StoreError>;

    /// Removes all points of a measurement with these tags at or after `from` and before `until`.
    ///
    /// # Errors
    /// As for writing.
    async fn remove(
        &self,
        measurement: &str,
        tags: &[(&str, &str)],
        from: UnixMicros,
        until: UnixMicros,
    ) -> Result<(), StoreError>;
}

#[async_trait]
impl Points for InfluxPoints {
    async fn write(&self, lines: &Lines) -> Result<u64, StoreError> {
        InfluxPoints::write(self, lines).await
    }

    async fn remove(
        &self,
        measurement: &str,
        tags: &[(&str, &str)],
        from: UnixMicros,
        until: UnixMicros,
    ) -> Result<(), StoreError> {
        let predicate = predicate(measurement, tags);
        self.client().delete(self.bucket(), from, until, Some(&predicate)).await
    }
}

/// What InfluxDB is asked to remove. Ids and names hold neither quotes nor backslashes.
fn predicate(measurement: &str, tags: &[(&str, &str)]) -> String {
    let all = [("_measurement", measurement)].into_iter().chain(tags.iter().copied());
    let terms: Vec<String> = all.map(|(key, value)| format!("{key}=\"{value}\"")).collect();
    terms.join(" AND ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_predicate_names_measurement_and_tags() {
        assert_eq!(predicate("usage", &[]), "_measurement=\"usage\"");
        let tags = [("machine", "tm-01"), ("rule", "emergency-stop")];
        let expected = "_measurement=\"incident\" AND machine=\"tm-01\" AND rule=\"emergency-stop\"";
        assert_eq!(predicate("incident", &tags), expected);
    }
}
