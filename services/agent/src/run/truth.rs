//! What was seen, written down record by record, for those who compare it with what is stored.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use domain::log::Lane;
use domain::record::{Payload, Record};
use serde_json::{Value, json};

use super::StartError;
use crate::spool::Row;

/// A file to which records are appended once they are on the disk.
#[derive(Debug)]
pub(super) struct Truth {
    file: File,
}

impl Truth {
    pub(super) fn open(path: &Path) -> Result<Truth, StartError> {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        let file = opened.map_err(|source| StartError::Truth { file: path.to_owned(), source })?;
        Ok(Truth { file })
    }

    /// Appends records in one write, so that a killed process leaves at most one line that is cut.
    pub(super) fn write(&mut self, rows: &[(Lane, Row)]) -> io::Result<()> {
        let mut lines = String::new();
        for (lane, row) in rows {
            lines.push_str(&line(*lane, row).to_string());
            lines.push('\n');
        }
        self.file.write_all(lines.as_bytes())
    }
}

fn line(lane: Lane, row: &Row) -> Value {
    let mut value = json!({
        "lane": lane.name(),
        "boot_count": row.position.boot_count,
        "n": row.position.n,
        "at_us": row.at.0,
        // A reading outlives a killed process at once, a power cut only after the next sync.
        "durable": lane == Lane::Events,
        "record": hex::encode(&row.octets),
    });
    if let Ok(Record { payload, .. }) = wire::record::decode(lane, &row.octets) {
        let (kind, more) = match payload {
            Payload::Event(event) => {
                let contact = event.contact.map(|contact| contact.name());
                (event.kind.name(), json!({ "contact": contact, "count": event.count }))
            }
            Payload::Recording(piece) => ("recording", json!({ "points": piece.points.len() })),
            Payload::Commissioning(report) => ("commissioning", json!({ "steps": report.steps.len() })),
            Payload::Reading(reading) => {
                let speed = reading.speed.map(|speed| speed.mean.0);
                ("reading", json!({ "speed_mean_mm_s": speed, "span_ms": reading.span_ms }))
            }
        };
        value["kind"] = json!(kind);
        if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
            value.extend(more);
        }
    }
    value
}
