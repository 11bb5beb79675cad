//! What is said of a whole listing: for how much of the span it can speak, and as of when.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use wire::api::v1;

use crate::table::{Note, Value};
use crate::words;

/// The sum of the pages that were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Summary {
    covered_s: f64,
    asked_s: f64,
    records_lost: u64,
    /// Whether a page could not tell its coverage.
    unknown: bool,
    as_of: Option<Timestamp>,
}

impl Summary {
    /// Adds a page.
    pub(super) fn add(&mut self, coverage: Option<v1::Coverage>, as_of: Option<prost_types::Timestamp>) {
        match coverage {
            Some(coverage) => {
                self.covered_s += words::seconds(coverage.covered).unwrap_or(0.0);
                self.asked_s += words::seconds(coverage.asked).unwrap_or(0.0);
                self.records_lost += coverage.records_lost;
            }
            None => self.unknown = true,
        }
        // The last page is the newest.
        self.as_of = words::time(as_of);
    }

    /// What is to be said. `more`: the listing was cut at the limit.
    pub(super) fn notes(self, more: bool, zone: &TimeZone) -> Vec<Note> {
        let known = |value: f64| (!self.unknown).then_some(value);
        let lost = (!self.unknown).then_some(self.records_lost);
        vec![
            Note { name: "covered_s", value: Value::Number(known(self.covered_s), 0) },
            Note { name: "asked_s", value: Value::Number(known(self.asked_s), 0) },
            Note { name: "records_lost", value: Value::OptionalCount(lost) },
            Note { name: "as_of", value: Value::Time(self.as_of, zone.clone()) },
            Note { name: "more", value: Value::Flag(more) },
        ]
    }
}
