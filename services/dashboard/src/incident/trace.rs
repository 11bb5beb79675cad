//! The belt around an incident as a chart draws it: the agent's recording if there is one, else the readings.

use serde::Serialize;
use wire::api::v1;

use crate::texts::Texts;
use crate::words::{self, Reader, Unit};

/// After so many seconds without a word nothing is known: readings come each second while a belt moves, and those kept
/// with an incident do not say how long they stand.
const STANDS_S: f64 = 2.0;
/// Seconds around the incident that are shown at least.
const AROUND_S: f64 = 5.0;

/// Points by time; `null` where nothing is known.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Trace {
    /// Seconds since 1970, growing.
    pub(super) times: Vec<f64>,
    /// Speed with its sign, where the direction is known.
    pub(super) signed: Vec<Option<f64>>,
    /// Speed without sign, where it is not.
    pub(super) unknown: Vec<Option<f64>>,
    /// What happened, by time.
    pub(super) marks: Vec<Mark>,
    /// When a stop was open.
    pub(super) shades: Vec<Shade>,
    /// What is shown, in seconds since 1970.
    pub(super) from: f64,
    pub(super) until: f64,
}

/// Something that happened at a moment.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) label: &'static str,
    /// Whether it is the incident itself.
    pub(super) main: bool,
}

/// A span in which a contact was open.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Shade {
    pub(super) from: f64,
    pub(super) until: f64,
    pub(super) label: &'static str,
}

/// What was known of the belt in an interval.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: f64,
    until: f64,
    direction: v1::Direction,
    speed: Option<f64>,
    contacts: v1::Contacts,
}

type Contact = (fn(&v1::Contacts) -> v1::ContactState, fn(Texts) -> &'static str);

/// Contacts whose opening stops a belt.
const STOPS: [Contact; 2] =
    [(v1::Contacts::emergency_stop, Texts::emergency_stop), (v1::Contacts::safety_key, Texts::safety_key)];

impl Trace {
    pub(super) fn new(found: &v1::GetIncidentResponse, reader: Reader) -> Trace {
        let incident = found.incident.clone().unwrap_or_default();
        let pieces = if found.recording.is_empty() {
            found.readings.iter().filter_map(of_reading).collect()
        } else {
            recorded(&found.recording)
        };
        let mut trace = Trace::default();
        trace.draw(&pieces, reader.unit);
        for (contact, words) in STOPS {
            trace.shade(&pieces, contact, words(reader.t));
        }
        let at = seconds(incident.time);
        let first = trace.times.first().copied().into_iter().chain(at.map(|at| at - AROUND_S));
        let last = trace.times.last().copied().into_iter().chain(at.map(|at| at + AROUND_S));
        trace.from = first.reduce(f64::min).unwrap_or_default();
        trace.until = last.reduce(f64::max).unwrap_or_default();
        trace.mark(&incident, reader.t);
        trace
    }

    /// Points at both ends of each interval after a hole, else at its end.
    fn draw(&mut self, pieces: &[Piece], unit: Unit) {
        let mut known_until: Option<f64> = None;
        for piece in pieces {
            let speed = piece.speed.map(|speed| speed * unit.per_metre_per_second());
            let (signed, unknown) = match piece.direction {
                v1::Direction::Forward => (speed, None),
                v1::Direction::Reverse => (speed.map(|speed| -speed), None),
                v1::Direction::Stopped => (Some(0.0), None),
                v1::Direction::Unknown | v1::Direction::Unspecified => (None, speed),
            };
            let after_hole = known_until.is_none_or(|until| piece.from > until + STANDS_S);
            if after_hole {
                if let Some(until) = known_until {
                    self.push(until + 0.001, None, None);
                }
                self.push(piece.from, signed, unknown);
            }
            self.push(piece.until, signed, unknown);
            known_until = Some(piece.until);
        }
    }

    fn push(&mut self, at: f64, signed: Option<f64>, unknown: Option<f64>) {
        if self.times.last().is_some_and(|last| *last >= at) {
            return;
        }
        self.times.push(at);
        self.signed.push(signed);
        self.unknown.push(unknown);
    }

    fn shade(
        &mut self,
        pieces: &[Piece],
        contact: fn(&v1::Contacts) -> v1::ContactState,
        label: &'static str,
    ) {
        let mut open: Option<Shade> = None;
        let is_open = |piece: &Piece| {
            matches!(contact(&piece.contacts), v1::ContactState::Open | v1::ContactState::Both)
        };
        for piece in pieces {
            let is_near = |shade: &Shade| piece.from <= shade.until + STANDS_S;
            // As it was until something else is known.
            if let Some(shade) = open.as_mut().filter(|shade| is_near(shade)) {
                shade.until = if is_open(piece) { piece.until } else { piece.from };
                if is_open(piece) {
                    continue;
                }
            }
            self.shades.extend(open.take());
            open = is_open(piece).then_some(Shade { from: piece.from, until: piece.until, label });
        }
        self.shades.extend(open);
    }

    /// What happened within the span shown.
    fn mark(&mut self, incident: &v1::Incident, t: Texts) {
        let at = seconds(incident.time);
        let stop = incident.stop.as_ref().and_then(|stop| stop.time.as_ref()).map(words::seconds);
        let standstill = at.zip(stop).map(|(at, stop)| at + stop);
        let (from, until) = (self.from, self.until);
        let mut mark = |at: Option<f64>, label, main| {
            let shown = at.filter(|at| (from..=until).contains(at));
            self.marks.extend(shown.map(|at| Mark { at, label, main }));
        };
        mark(at, t.mark_incident(), true);
        mark(standstill, t.mark_standstill(), false);
        mark(seconds(incident.clear_time), t.mark_clear(), false);
    }
}

/// Seconds since 1970, to the microsecond.
pub(super) fn seconds(time: Option<prost_types::Timestamp>) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^52")]
    let exact = |at: jiff::Timestamp| at.as_microsecond() as f64 / 1e6;
    words::moment(time).map(exact)
}

fn of_reading(reading: &v1::Reading) -> Option<Piece> {
    let until = seconds(reading.time)?;
    Some(Piece {
        from: until - reading.span.as_ref().map_or(0.0, words::seconds),
        until,
        direction: reading.direction(),
        speed: reading.speed_mean_mps,
        contacts: reading.contacts.unwrap_or_default(),
    })
}

/// Each point is a moment. A contact is as it was until the next one says otherwise.
fn recorded(points: &[v1::RecordingPoint]) -> Vec<Piece> {
    let piece = |point: &v1::RecordingPoint| {
        let at = seconds(point.time)?;
        Some(Piece {
            from: at,
            until: at,
            direction: point.direction(),
            speed: point.speed_mps,
            contacts: point.contacts.unwrap_or_default(),
        })
    };
    points.iter().filter_map(piece).collect()
}

#[cfg(test)]
mod tests;
