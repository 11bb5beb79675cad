//! The readings of the last minutes as a chart draws them.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use wire::api::v1;

use crate::call::{Failure, answer};
use crate::outage::{Missing, Part};
use crate::router::Dashboard;
use crate::visitor::Visitor;
use crate::words::{self, Unit};

/// How much the chart shows.
const SHOWN: SignedDuration = SignedDuration::from_mins(5);
/// More readings than ten a second for five minutes; a chart with more would show nothing more.
const READINGS: i32 = 4_000;

/// Points by time; `null` where nothing is known.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Chart {
    /// The server's time in milliseconds since 1970.
    now: i64,
    /// Seconds since 1970.
    times: Vec<f64>,
    /// Speed with its sign, where the direction is known.
    signed: Vec<Option<f64>>,
    /// Speed without sign, where it is not.
    unknown: Vec<Option<f64>>,
    /// Incline in per cent.
    inclines: Vec<Option<f64>>,
    /// For how much of the time shown there is a reading, in per cent.
    covered: Option<f64>,
}

pub(super) async fn ask(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    now: Timestamp,
) -> Result<Chart, Missing> {
    dashboard.outages().note(Part::Readings, list(dashboard, visitor, machine, now).await)
}

async fn list(
    dashboard: &Dashboard,
    visitor: &Visitor,
    machine: &str,
    now: Timestamp,
) -> Result<Chart, Failure> {
    let mut client = dashboard.clients().telemetry();
    let start = now - SHOWN;
    let time =
        |at: Timestamp| prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() };
    let range = v1::TimeRange { start_time: Some(time(start)), end_time: Some(time(now)) };
    let message = v1::ListReadingsRequest {
        machine_id: machine.to_owned(),
        range: Some(range),
        page_size: READINGS,
        page_token: String::new(),
    };
    let page = answer(client.list_readings(visitor.caller.request(message))).await?;
    let mut chart = draw(&page.readings, visitor.reader.unit);
    chart.now = now.as_millisecond();
    chart.covered = page.coverage.and_then(|coverage| super::history::share(&coverage));
    Ok(chart)
}

/// Points of readings, oldest first, with a hole wherever no reading stands.
fn draw(readings: &[v1::Reading], unit: Unit) -> Chart {
    let mut chart = Chart::default();
    let mut stands_until: Option<f64> = None;
    for reading in readings {
        let Some(at) = words::millis(reading.time) else { continue };
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below 2^52")]
        let at = at as f64 / 1_000.0;
        let begin = at - reading.span.as_ref().map_or(0.0, words::seconds);
        if let Some(until) = stands_until.filter(|until| *until < begin) {
            chart.push(until, None, None, None);
        }
        let speed = reading.speed_mean_mps.map(|speed| speed * unit.per_metre_per_second());
        let (signed, unknown) = match reading.direction() {
            v1::Direction::Forward => (speed, None),
            v1::Direction::Reverse => (speed.map(|speed| -speed), None),
            v1::Direction::Stopped => (Some(0.0), None),
            v1::Direction::Unknown | v1::Direction::Unspecified => (None, speed),
        };
        chart.push(at, signed, unknown, reading.incline_percent);
        stands_until = Some(at + reading.holds_for.as_ref().map_or(0.0, words::seconds));
    }
    chart
}

impl Chart {
    fn push(&mut self, at: f64, signed: Option<f64>, unknown: Option<f64>, incline: Option<f64>) {
        self.times.push(at);
        self.signed.push(signed);
        self.unknown.push(unknown);
        self.inclines.push(incline);
    }
}

#[cfg(test)]
mod tests;
