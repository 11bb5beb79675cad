//! Measurements and fields: those that `docs/influxdb.md` lists, and those that a question names.

use std::collections::{BTreeMap, BTreeSet};

/// Fields and tags by measurement.
pub(crate) type Listed = BTreeMap<String, BTreeSet<String>>;

/// Reads the tables under the headings that name a measurement.
pub(crate) fn listed(page: &str) -> Listed {
    let mut listed = Listed::new();
    let mut current = None;
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let name = heading.trim_start_matches('#').trim();
            let name = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'));
            current = name.filter(|name| is_word(name)).map(str::to_owned);
        } else if let (Some(measurement), Some(cell)) = (&current, first_cell(line)) {
            listed.entry(measurement.clone()).or_default().extend(quoted(cell, '`').map(str::to_owned));
        }
    }
    listed
}

/// What a question names that is not listed.
pub(crate) fn unlisted(flux: &str, listed: &Listed) -> Vec<String> {
    let measurements: BTreeSet<&str> = compared(flux, "r._measurement").collect();
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for measurement in &measurements {
        match listed.get(*measurement) {
            Some(fields) => known.extend(fields.iter().map(String::as_str)),
            None => found.push(format!("there is no measurement {measurement}")),
        }
    }
    if measurements.is_empty() {
        found.push("it names no measurement".to_owned());
    }
    let fields = compared(flux, "r._field").filter(|field| !known.contains(field));
    found.extend(fields.map(|field| format!("there is no field {field} in {measurements:?}")));
    found
}

/// The blocks of a page in a language.
pub(crate) fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let fence = format!("```{language}\n");
    page.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The texts that a column is compared with.
fn compared<'f>(flux: &'f str, column: &'static str) -> impl Iterator<Item = &'f str> {
    flux.match_indices(column).filter_map(move |(at, _)| {
        let rest = flux[at + column.len()..].trim_start().strip_prefix("==")?.trim_start();
        rest.strip_prefix('"')?.split('"').next()
    })
}

fn first_cell(line: &str) -> Option<&str> {
    line.strip_prefix('|')?.split('|').next()
}

/// What stands between two of these signs.
fn quoted(text: &str, sign: char) -> impl Iterator<Item = &str> {
    text.split(sign).skip(1).step_by(2)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}
