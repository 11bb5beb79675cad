//! Named values in the order in which they are printed.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::ftms::octets::Reported;

/// Named values; a name comes once.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(super) fn push(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    /// A field that the frame may not have.
    pub(super) fn maybe(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.push(name, value);
        }
    }

    /// A number in `parts` of its unit: 100 for hundredths.
    pub(super) fn scaled(&mut self, name: &'static str, value: Option<impl Into<f64>>, parts: f64) {
        self.maybe(name, value.map(|value| value.into() / parts));
    }

    /// Like `maybe`, with null for "not available".
    pub(super) fn reported<T: Into<Value>>(&mut self, name: &'static str, value: Option<Reported<T>>) {
        self.maybe(
            name,
            value.map(|value| match value {
                Reported::Value(value) => value.into(),
                Reported::NotAvailable => Value::Null,
            }),
        );
    }

    /// Like `scaled`, with null for "not available".
    pub(super) fn reported_scaled(&mut self, name: &'static str, value: Option<Reported<i16>>, parts: f64) {
        let scale = |value| match value {
            Reported::Value(value) => Reported::Value(f64::from(value) / parts),
            Reported::NotAvailable => Reported::NotAvailable,
        };
        self.reported(name, value.map(scale));
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
