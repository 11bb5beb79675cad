//! The last 20 s of the belt, and the recording under way.

use std::collections::VecDeque;

use domain::belt::{Belt, Direction};
use domain::limits;
use domain::record::Payload;
use domain::recording::{RecordingPiece, RecordingPoint};
use domain::units::{MILLI, MonotonicMicros, SECOND};
use domain::watcher::Observed;

/// Least time between two points: ten a second, with room for a step that comes a little early.
const POINT_US: u64 = 90 * MILLI;
/// A piece is written after this time even if it is not full: a power cut takes no more than that.
const PIECE_US: u64 = 10 * SECOND;
/// How long a recording goes on after the belt came to stand still.
const STANDING_US: u64 = 5 * SECOND;
/// How long a recording goes on at least after what it was made for.
const AFTER_MIN_US: u64 = 20 * SECOND;

/// What the belt did of late.
#[derive(Debug, Default)]
pub(super) struct Tape {
    /// Oldest first.
    points: VecDeque<RecordingPoint>,
    recording: Option<Recording>,
}

/// A recording under way.
#[derive(Debug)]
struct Recording {
    trigger: MonotonicMicros,
    /// Number of the next piece.
    number: u32,
    /// Points of the next piece.
    points: Vec<RecordingPoint>,
    standing_since: Option<MonotonicMicros>,
    /// Whether the belt has stood long enough since the trigger; that it runs again does not matter then.
    has_stood: bool,
}

impl Tape {
    /// Time of the event that the recording under way was made for.
    pub(super) fn trigger(&self) -> Option<MonotonicMicros> {
        self.recording.as_ref().map(|recording| recording.trigger)
    }

    /// Starts a recording with what is remembered.
    pub(super) fn start(&mut self, trigger: MonotonicMicros, out: &mut Vec<Observed>) {
        let mut recording =
            Recording { trigger, number: 0, points: Vec::new(), standing_since: None, has_stood: false };
        let recent = self.points.iter();
        let recent = recent.filter(|point| trigger.since(point.at) <= limits::RECORDING_BEFORE_US);
        for point in recent {
            recording.points.push(*point);
            if recording.points.len() == limits::RECORDING_POINTS_MAX {
                recording.write(false, out);
            }
        }
        recording.write(false, out);
        self.recording = Some(recording);
    }

    /// Takes a picture, if it is time for one.
    pub(super) fn see(&mut self, belt: &Belt, at: MonotonicMicros, out: &mut Vec<Observed>) {
        if self.points.back().is_none_or(|last| at.since(last.at) >= POINT_US) {
            self.add(point(belt, at));
        }
        self.go_on(belt, at, out);
    }

    /// Lets time pass. What changed without a signal is seen, too.
    pub(super) fn settle(&mut self, belt: &Belt, now: MonotonicMicros, out: &mut Vec<Observed>) {
        let changed = |last: &RecordingPoint| point(belt, last.at) != *last;
        if self.points.back().is_some_and(changed) {
            self.see(belt, now, out);
        } else {
            self.go_on(belt, now, out);
        }
    }

    /// Writes what the recording under way still has, and leaves it incomplete.
    pub(super) fn stop(&mut self, out: &mut Vec<Observed>) {
        if let Some(mut recording) = self.recording.take() {
            recording.write(false, out);
        }
    }

    fn add(&mut self, point: RecordingPoint) {
        let is_old = |old: &RecordingPoint| point.at.since(old.at) > limits::RECORDING_BEFORE_US;
        while self.points.front().is_some_and(is_old) {
            self.points.pop_front();
        }
        self.points.push_back(point);
        if let Some(recording) = &mut self.recording {
            recording.points.push(point);
        }
    }

    /// Ends the recording or writes a piece of it, if it is time to.
    fn go_on(&mut self, belt: &Belt, now: MonotonicMicros, out: &mut Vec<Observed>) {
        let Some(recording) = &mut self.recording else { return };
        if belt.direction == Direction::Stopped {
            let since = *recording.standing_since.get_or_insert(now);
            recording.has_stood |= now.since(since) >= STANDING_US;
        } else {
            recording.standing_since = None;
        }
        if recording.is_over(now) {
            // The last piece needs a point, and the end is worth one.
            if self.points.back().is_none_or(|last| last.at < now) {
                self.add(point(belt, now));
            }
            if let Some(mut recording) = self.recording.take_if(|recording| !recording.points.is_empty()) {
                recording.write(true, out);
            }
        } else if recording.is_due(now) {
            recording.write(false, out);
        }
    }
}

impl Recording {
    fn is_over(&self, now: MonotonicMicros) -> bool {
        let after = now.since(self.trigger);
        after >= limits::RECORDING_AFTER_US_MAX || (after >= AFTER_MIN_US && self.has_stood)
    }

    fn is_due(&self, now: MonotonicMicros) -> bool {
        let is_full = self.points.len() >= limits::RECORDING_POINTS_MAX;
        is_full || self.points.first().is_some_and(|first| now.since(first.at) >= PIECE_US)
    }

    /// Writes the points, if there are any.
    fn write(&mut self, is_last: bool, out: &mut Vec<Observed>) {
        let Some(at) = self.points.last().map(|point| point.at) else { return };
        let (trigger, number, points) = (self.trigger, self.number, std::mem::take(&mut self.points));
        self.number += 1;
        let piece = RecordingPiece { trigger, number, is_last, points };
        out.push(Observed { at, payload: Payload::Recording(piece) });
    }
}

fn point(belt: &Belt, at: MonotonicMicros) -> RecordingPoint {
    RecordingPoint {
        at,
        direction: belt.direction,
        origin: belt.origin,
        speed: belt.speed,
        incline: belt.incline,
        contacts: belt.contacts,
    }
}
