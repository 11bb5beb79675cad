//! The questions in Flux. Nothing else makes Flux; what stands in it is a number, a name of ours, an id or a bucket.

use domain::ids::MachineId;
use domain::log::Lane;

use super::fields::{BOOT, LOG, NUMBER};
use super::known::{Axis, LaneKey, Span};
use super::put::{UNDATED, measurement};

/// The measurement of what the engine says about itself, and its field that counts puts.
pub(super) const STORE: &str = "store";
pub(super) const PUTS: &str = "puts";

/// The first rows of every field of the records in a stretch.
pub(super) fn rows(bucket: &str, key: &LaneKey, span: Span, rows: usize) -> String {
    let of = points(key, Axis::Dated);
    format!("{}{} |> limit(n: {rows}){FIELDS}", range(bucket, span), filter(&of))
}

/// The first rows of what says which records are in a stretch, in nanoseconds from the first to the last.
pub(super) fn places(bucket: &str, key: &LaneKey, axis: Axis, nanoseconds: Span, rows: usize) -> String {
    let of = points(key, axis);
    let fields = [LOG, BOOT, NUMBER].map(|name| format!("r._field == {}", quoted(name))).join(" or ");
    let filter = filter(&format!("{of} and ({fields})"));
    format!("{}{filter} |> limit(n: {rows}){FIELDS}", range_ns(bucket, nanoseconds))
}

/// The first or the last time of a stretch at which there is a record with a number from one to another.
pub(super) fn numbered(
    bucket: &str,
    key: &LaneKey,
    axis: Axis,
    span: Span,
    numbers: (u64, u64),
    end: End,
) -> String {
    let of = points(key, axis);
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (least, greatest) = (number(numbers.0), number(numbers.1));
    let field = quoted(NUMBER);
    let filter =
        filter(&format!("{of} and r._field == {field} and r._value >= {least} and r._value <= {greatest}"));
    format!("{}{filter} |> {}(){TIMES}", range(bucket, span), end.name())
}

/// The first or the last time of a stretch at which there is a record.
pub(super) fn end(bucket: &str, key: &LaneKey, axis: Axis, span: Span, end: End) -> String {
    let filter = filter(&format!("{} and r._field == {}", points(key, axis), quoted(NUMBER)));
    format!("{}{filter} |> {}(){TIMES}", range(bucket, span), end.name())
}

/// The first record of each machine in a bucket.
pub(super) fn oldest(bucket: &str, lane: Lane, span: Span) -> String {
    let filter = filter(&format!("{} and r._field == {}", of_lane(lane), quoted(NUMBER)));
    format!("{}{filter} |> first(){TIMES}", range(bucket, span))
}

/// How many dated records there are of a machine, or of all.
pub(super) fn count(bucket: &str, lane: Lane, machine: Option<&MachineId>, span: Span) -> String {
    counted(bucket, &of_lane(lane), machine, span)
}

/// How many undated records of a lane there are of a machine, or of all.
pub(super) fn count_undated(bucket: &str, lane: Lane, machine: Option<&MachineId>, span: Span) -> String {
    counted(bucket, &of_undated(lane), machine, span)
}

/// How many puts InfluxDB knows of.
pub(super) fn puts(bucket: &str) -> String {
    let of = format!("r._measurement == {} and r._field == {}", quoted(STORE), quoted(PUTS));
    format!("{}{} |> last(){VALUES}", range_ns(bucket, Span { first: -1, last: 1 }), filter(&of))
}

/// Which end of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            End::First => "first",
            End::Last => "last",
        }
    }
}

const FIELDS: &str = " |> keep(columns: [\"_time\", \"_value\", \"_field\"])";
const TIMES: &str = " |> keep(columns: [\"_time\", \"_value\"])";
const VALUES: &str = " |> keep(columns: [\"_value\"])";

fn counted(bucket: &str, of: &str, machine: Option<&MachineId>, span: Span) -> String {
    let machine = machine.map(|machine| format!(" and {}", of_machine(machine))).unwrap_or_default();
    let filter = filter(&format!("{of}{machine} and r._field == {}", quoted(NUMBER)));
    format!("{}{filter} |> count(){VALUES} |> group() |> sum()", range(bucket, span))
}

/// A stretch in microseconds.
fn range(bucket: &str, span: Span) -> String {
    let first = span.first.saturating_mul(1_000);
    range_ns(bucket, Span { first, last: span.last.saturating_mul(1_000).saturating_add(999) })
}

fn range_ns(bucket: &str, span: Span) -> String {
    let (start, stop) = (span.first, span.last.saturating_add(1));
    format!("from(bucket: {}) |> range(start: time(v: {start}), stop: time(v: {stop}))", quoted(bucket))
}

fn filter(of: &str) -> String {
    format!(" |> filter(fn: (r) => {of})")
}

fn points(key: &LaneKey, axis: Axis) -> String {
    let of = match axis {
        Axis::Dated => of_lane(key.lane),
        Axis::Undated => of_undated(key.lane),
    };
    format!("{of} and {}", of_machine(&key.machine))
}

fn of_lane(lane: Lane) -> String {
    format!("r._measurement == {}", quoted(measurement(lane)))
}

fn of_undated(lane: Lane) -> String {
    format!("r._measurement == {} and r.lane == {}", quoted(UNDATED), quoted(lane.name()))
}

fn of_machine(machine: &MachineId) -> String {
    format!("r.machine == {}", quoted(machine.as_str()))
}

/// A text as Flux writes it. Every name here is plain; what is not would be spelled out all the same.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // `${` would begin an expression.
            '$' => quoted.push_str("\\x24"),
            c if c.is_control() => quoted.push(' '),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
