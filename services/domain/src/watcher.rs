//! The signal watcher: turns what sources observe into readings and events, at full signal rate.
//!
//! It says what happened, never what it means. What it does not know it leaves out: silence is not standstill, an
//! unsigned speed has no direction, and the first level of a contact is no edge.

mod contacts;
mod contradiction;
mod directions;
mod interval;
mod motion;
mod sources;

use crate::belt::{Belt, Direction, Origin};
use crate::limits;
use crate::record::{Event, EventKind, Extra, Payload};
use crate::signal::{Signal, SignalValue, SourceNumber, SourceSpec};
use crate::units::{Incline, MILLI, MonotonicMicros, SECOND, Speed};

use self::contacts::{ContactDisagreement, ContactEdge, ContactWatches};
use self::directions::{Disagreement, MeasuredDirections};
use self::interval::Interval;
use self::motion::{Jump, JumpWatch, Motion, MotionEdge, MotionWatch};
use self::sources::{Held, Sources};

/// Something that was observed, ready to become a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// When: the end of a reading's interval, an event's first edge.
    pub at: MonotonicMicros,
    /// What.
    pub payload: Payload,
}

/// How the watcher works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatcherSettings {
    /// Length of a reading's interval while the belt moves, in microseconds.
    pub moving_interval_us: u64,
    /// Length of a reading's interval at rest, or while nothing is known, in microseconds.
    pub rest_interval_us: u64,
    /// How long a contact must keep a level for it to count, in microseconds.
    pub debounce_us: u64,
}

impl Default for WatcherSettings {
    fn default() -> WatcherSettings {
        WatcherSettings { moving_interval_us: SECOND, rest_interval_us: 30 * SECOND, debounce_us: 15 * MILLI }
    }
}

/// Least length of an interval that a change may cut, so that noise at a threshold makes no flood.
const CUT_INTERVAL_US: u64 = 200 * MILLI;
/// Least time between two events on implausible values, or on faults, of one source.
const COMPLAINT_PAUSE_US: u64 = 10 * SECOND;
/// How long readings stay short after a moving belt stopped or its speed fell silent: the server sees the silence grow,
/// and need not wait half a minute to know what a stop was.
const SHORT_US: u64 = 10 * SECOND;

/// A distance up to this, in metres, is one that was begun anew.
const BEGINNING_M: u32 = 20;

/// Watches the signals of one machine.
#[derive(Debug)]
pub struct SignalWatcher {
    settings: WatcherSettings,
    sources: Sources,
    motion: MotionWatch,
    jumps: JumpWatch,
    contacts: ContactWatches,
    speed: Option<Held<Speed>>,
    second_speed: Option<Held<Speed>>,
    measured: MeasuredDirections,
    declared: Option<Held<Direction>>,
    incline: Option<Held<Incline>>,
    /// Direction of the motion since the last standstill.
    moving_direction: Option<Direction>,
    /// Until when readings stay short although the belt does not move.
    short_until: Option<MonotonicMicros>,
    /// The distance that was told last, in metres.
    distance: Option<u32>,
    extra: Extra,
    interval: Interval,
    now: MonotonicMicros,
}

impl SignalWatcher {
    /// A watcher that has seen nothing yet. Source numbers are places in `sources`; the first are preferred.
    pub fn new(sources: Vec<SourceSpec>, settings: WatcherSettings, now: MonotonicMicros) -> SignalWatcher {
        SignalWatcher {
            settings,
            sources: Sources::new(sources, now),
            motion: MotionWatch::default(),
            jumps: JumpWatch::default(),
            contacts: ContactWatches::new(settings.debounce_us),
            speed: None,
            second_speed: None,
            measured: MeasuredDirections::default(),
            declared: None,
            incline: None,
            moving_direction: None,
            short_until: None,
            distance: None,
            extra: Extra::default(),
            interval: Interval::new(now),
            now,
        }
    }

    /// Takes one signal. A time before the last one counts as the last one.
    pub fn apply(&mut self, signal: &Signal, out: &mut Vec<Observed>) {
        let at = signal.at.max(self.now);
        self.tick(at, out);
        if let SignalValue::Lost(why) = &signal.value {
            if self.sources.lost(signal.source) {
                self.forget(signal.source, why, at, out);
            }
            return;
        }
        if self.sources.heard(signal.source, at) {
            let source = self.sources.name(signal.source);
            self.tell(EventKind::SourceFresh, at, out, |event| event.source = source);
        }
        self.take(signal, at, out);
        self.interval.see_contacts(self.contacts.levels());
    }

    /// Lets time pass: call it at least ten times a second. Calling it more often changes nothing.
    pub fn tick(&mut self, now: MonotonicMicros, out: &mut Vec<Observed>) {
        let now = now.max(self.now);
        self.now = now;
        for edge in self.contacts.settle(now) {
            self.tell_contact(&edge, out);
        }
        if let Some(edge) = self.motion.settle(now) {
            self.tell_motion(edge, now, out);
        }
        if let Some(disagreement) = self.measured.settle(now) {
            self.tell_disagreement(&disagreement, out);
        }
        for disagreement in self.contacts.disagreements(now) {
            self.tell_contact_disagreement(&disagreement, out);
        }
        // After the edges: what was seen before a source fell silent is told all the same.
        for source in self.sources.gone_stale(now) {
            self.forget(source, "", now, out);
        }
        let short_ends = self.short_until.take_if(|until| now >= *until).is_some();
        if short_ends || now.since(self.interval.started()) >= self.interval_us() {
            self.close_interval(now, out);
        }
    }

    /// When a contact's level will have stood for long enough to count; `None`: no contact waits for that. A call of
    /// [`SignalWatcher::tick`] then tells its edge without delay.
    pub fn due(&self) -> Option<MonotonicMicros> {
        self.contacts.due()
    }

    /// The source whose speed is used; `None`: no speed is known.
    pub fn speed_source(&self) -> Option<SourceNumber> {
        self.speed.as_ref().map(|held| held.source)
    }

    /// The newest picture, its time, and how long it stands in milliseconds.
    pub fn belt(&self, now: MonotonicMicros) -> (Belt, MonotonicMicros, u32) {
        (self.picture(), now.max(self.now), self.holds_for_ms())
    }

    fn take(&mut self, signal: &Signal, at: MonotonicMicros, out: &mut Vec<Observed>) {
        let source = signal.source;
        match &signal.value {
            SignalValue::Speed(speed) => self.take_speed(Held::new(source, *speed, at), out),
            SignalValue::MeasuredDirection(direction) => {
                if self.measured.see(Held::new(source, *direction, at), &self.sources) {
                    self.direction_seen(at, out);
                }
                self.compare_directions(at);
            }
            SignalValue::DeclaredDirection(direction) => {
                self.declared = Some(Held::new(source, *direction, at));
                self.direction_seen(at, out);
            }
            SignalValue::Incline(incline) => {
                let held = Held::new(source, *incline, at);
                if self.sources.prefers(&self.incline, &held) {
                    self.incline = Some(held);
                }
            }
            SignalValue::ContactLevel { contact, open } => self.contacts.see(*contact, *open, source, at),
            SignalValue::Commanded(speed) => self.extra.commanded = Some(*speed),
            SignalValue::Elapsed(seconds) => self.extra.elapsed_s = Some(*seconds),
            SignalValue::Distance(metres) => self.take_distance(*metres, signal, at, out),
            SignalValue::Steps(steps) => self.extra.steps = Some(*steps),
            SignalValue::BeltForce(newtons) => self.extra.belt_force_n = Some(*newtons),
            SignalValue::HeartRateContact(contact) => self.extra.heart_rate_contact = Some(*contact),
            SignalValue::HeartRate(rate) => self.extra.heart_rate_bpm = Some(*rate),
            SignalValue::UserStarted => self.tell_by(EventKind::UserStarted, signal, at, out),
            SignalValue::UserStopped => self.tell_by(EventKind::UserStopped, signal, at, out),
            SignalValue::UserPaused => self.tell_by(EventKind::UserPaused, signal, at, out),
            SignalValue::SafetyKeyStop => self.tell_by(EventKind::SafetyKeyStop, signal, at, out),
            // That a source is lost was seen to before.
            SignalValue::Alive | SignalValue::Lost(_) => {}
            SignalValue::Implausible(what) => {
                let count = self.sources.implausible(source, at, COMPLAINT_PAUSE_US);
                self.tell_complaint(EventKind::ValueImplausible, signal, count, what, out);
            }
            SignalValue::Fault(what) => {
                let count = self.sources.fault(source, at, COMPLAINT_PAUSE_US);
                self.tell_complaint(EventKind::FaultReported, signal, count, what, out);
            }
        }
    }

    fn take_speed(&mut self, held: Held<Speed>, out: &mut Vec<Observed>) {
        if !self.sources.prefers(&self.speed, &held) {
            self.extra.second_speed = Some(held.value);
            self.second_speed = Some(held);
            return;
        }
        let (speed, at) = (held.value, held.at);
        self.speed = Some(held);
        if self.motion.motion() != Motion::Standing {
            self.short_until = None;
        }
        if self.motion.crosses(speed) && at.since(self.interval.started()) >= CUT_INTERVAL_US {
            self.close_interval(at, out);
        }
        let change = self.motion.change_to(speed, at);
        let edge = self.motion.see(speed, at);
        self.interval.see_speed(speed, change, at);
        if let Some(edge) = edge {
            self.tell_motion(edge, at, out);
        }
        self.direction_seen(at, out);
        self.compare_directions(at);
        if let Some(jump) = self.jumps.see(change, at) {
            let detail = match jump {
                Jump::Rise => "rise",
                Jump::Fall => "fall",
            };
            self.tell(EventKind::SpeedJumped, at, out, |event| event.detail = detail.to_owned());
        }
        self.motion.remember(at, speed, self.picture().direction);
    }

    fn compare_directions(&mut self, at: MonotonicMicros) {
        self.measured.compare(self.speed.as_ref().map(|held| held.value), at);
    }

    /// Tells what a source complains of, if it is time to: `count` says how often it came.
    fn tell_complaint(
        &self,
        kind: EventKind,
        signal: &Signal,
        count: Option<u32>,
        what: &str,
        out: &mut Vec<Observed>,
    ) {
        let Some(count) = count else { return };
        let source = self.sources.name(signal.source);
        self.tell(kind, signal.at.max(self.now), out, |event| {
            event.source = source;
            event.count = count;
            event.detail = cut(what, limits::DETAIL_BYTES_MAX);
        });
    }

    fn tell_disagreement(&self, disagreement: &Disagreement, out: &mut Vec<Observed>) {
        let says = |(source, direction): (SourceNumber, Direction)| {
            let way = match direction {
                Direction::Forward => "forward",
                Direction::Reverse => "reverse",
                Direction::Stopped => "stopped",
                Direction::Unknown => "unknown",
            };
            format!("{} measures {way}", self.sources.name(source))
        };
        let detail = format!("{}, {}", says(disagreement.first), says(disagreement.second));
        let source = self.sources.name(disagreement.first.0);
        self.tell(EventKind::DirectionDisagreed, disagreement.at, out, |event| {
            event.source = source;
            event.detail = cut(&detail, limits::DETAIL_BYTES_MAX);
        });
    }

    fn tell_contact_disagreement(&self, disagreement: &ContactDisagreement, out: &mut Vec<Observed>) {
        let (first, is_open) = disagreement.first;
        let says = |source, is_open| {
            format!("{} says {}", self.sources.name(source), if is_open { "open" } else { "closed" })
        };
        let detail = format!("{}, {}", says(first, is_open), says(disagreement.second, !is_open));
        self.tell(EventKind::ContactDisagreed, disagreement.at, out, |event| {
            event.contact = Some(disagreement.contact);
            event.source = self.sources.name(first);
            event.detail = cut(&detail, limits::DETAIL_BYTES_MAX);
        });
    }

    /// A console begins to count anew at 0; anything else that goes back is no distance.
    fn take_distance(&mut self, metres: u32, signal: &Signal, at: MonotonicMicros, out: &mut Vec<Observed>) {
        match self.distance.replace(metres) {
            Some(before) if metres < before && metres > BEGINNING_M => {
                let what = format!("distance is {metres} m after {before} m");
                let count = self.sources.implausible(signal.source, at, COMPLAINT_PAUSE_US);
                self.tell_complaint(EventKind::ValueImplausible, signal, count, &what, out);
            }
            Some(_) | None => self.extra.distance_m = Some(metres),
        }
    }

    /// The belt's direction may have become another one: intervals never mix two.
    fn direction_seen(&mut self, at: MonotonicMicros, out: &mut Vec<Observed>) {
        let belt = self.picture();
        if self.interval.is_other(belt.direction, belt.origin) && at > self.interval.started() {
            self.close_interval(at, out);
        }
        self.interval.see_direction(belt.direction, belt.origin);
        let signed = match belt.direction {
            Direction::Forward | Direction::Reverse => belt.direction,
            Direction::Stopped | Direction::Unknown => return,
        };
        if belt.is_moving() != Some(true) {
            return;
        }
        if let Some(before) = self.moving_direction.replace(signed).filter(|before| *before != signed) {
            self.tell(EventKind::DirectionChanged, at, out, |event| event.direction_before = Some(before));
        }
    }

    fn tell_motion(&mut self, edge: MotionEdge, now: MonotonicMicros, out: &mut Vec<Observed>) {
        match edge {
            MotionEdge::Started(at) => {
                self.interval.restart_direction();
                self.tell(EventKind::BeltStarted, at, out, |_| {});
            }
            MotionEdge::Stopped(at) => {
                self.short_until = Some(now.plus(SHORT_US));
                self.moving_direction = None;
                self.interval.restart_direction();
                self.tell(EventKind::BeltStopped, at, out, |_| {});
            }
            MotionEdge::FirstStanding => self.interval.restart_direction(),
        }
        let belt = self.picture();
        self.interval.see_direction(belt.direction, belt.origin);
        self.close_interval(now, out);
    }

    fn tell_contact(&mut self, edge: &ContactEdge, out: &mut Vec<Observed>) {
        let kind = match edge {
            ContactEdge { chatter: Some(_), .. } => EventKind::ContactChattering,
            ContactEdge { open: true, .. } => EventKind::ContactOpened,
            ContactEdge { open: false, .. } => EventKind::ContactClosed,
        };
        let source = self.sources.name(edge.source);
        let without_power = edge.with_power_loss && self.motion.motion() == Motion::Standing;
        self.interval.see_contacts(self.contacts.levels());
        self.tell(kind, edge.at, out, |event| {
            event.contact = Some(edge.contact);
            event.source = source;
            if let Some((count, last)) = edge.chatter {
                (event.count, event.last) = (count, last);
            }
            if without_power {
                event.detail = "with loss of machine power at standstill".to_owned();
            }
        });
    }

    fn tell_by(&mut self, kind: EventKind, signal: &Signal, at: MonotonicMicros, out: &mut Vec<Observed>) {
        let source = self.sources.name(signal.source);
        self.tell(kind, at, out, |event| event.source = source);
    }

    fn tell(
        &self,
        kind: EventKind,
        at: MonotonicMicros,
        out: &mut Vec<Observed>,
        complete: impl FnOnce(&mut Event),
    ) {
        let belt = self.picture();
        let mut before = belt;
        if let Some((speed, direction)) = self.motion.greatest_before(at) {
            before.speed = Some(speed);
            before.direction = direction;
        }
        let mut event = Event::new(kind, at, belt, before);
        complete(&mut event);
        out.push(Observed { at, payload: Payload::Event(event) });
    }

    /// A source has gone silent, perhaps for a reason: what it told is not known any more.
    fn forget(&mut self, source: SourceNumber, why: &str, now: MonotonicMicros, out: &mut Vec<Observed>) {
        let (name, last) = (self.sources.name(source), self.sources.last_heard(source));
        self.tell(EventKind::SourceStale, now, out, |event| {
            event.source = name;
            event.last = last.unwrap_or(now);
            event.detail = cut(why, limits::DETAIL_BYTES_MAX);
        });
        self.close_interval(now, out);
        let gone = |number| number == source;
        if self.speed.as_ref().is_some_and(|held| gone(held.source)) {
            self.speed = self.second_speed.take().filter(|held| !gone(held.source));
            if self.motion.motion() == Motion::Moving {
                self.short_until = Some(now.plus(SHORT_US));
            }
            self.motion.forget();
            self.moving_direction = None;
        }
        self.second_speed = self.second_speed.take().filter(|held| !gone(held.source));
        self.measured.forget(source);
        self.declared = self.declared.take().filter(|held| !gone(held.source));
        self.incline = self.incline.take().filter(|held| !gone(held.source));
        for edge in self.contacts.forget(source) {
            self.tell_contact(&edge, out);
        }
        self.interval = Interval::new(now);
    }

    fn close_interval(&mut self, now: MonotonicMicros, out: &mut Vec<Observed>) {
        let (incline, holds) = (self.incline.as_ref().map(|held| held.value), self.holds_for_ms());
        if let Some(reading) = self.interval.close(now, incline, holds, &mut self.extra) {
            out.push(Observed { at: now, payload: Payload::Reading(reading) });
        }
        let belt = self.picture();
        self.interval.see_direction(belt.direction, belt.origin);
        self.interval.see_contacts(self.contacts.levels());
        if let Some(held) = &self.speed {
            self.interval.see_speed(held.value, (0, 0), now);
        }
    }

    fn picture(&self) -> Belt {
        let (direction, origin) = self.direction();
        Belt {
            direction,
            origin,
            speed: self.speed.as_ref().map(|held| held.value),
            incline: self.incline.as_ref().map(|held| held.value),
            contacts: self.contacts.levels(),
        }
    }

    /// Measured goes before declared; a standstill is measured; what nobody told is unknown.
    fn direction(&self) -> (Direction, Origin) {
        if self.motion.motion() == Motion::Standing {
            return (Direction::Stopped, Origin::Measured);
        }
        let declared = self.declared.as_ref().map(|held| held.value).filter(is_signed);
        match (self.measured.preferred().filter(is_signed), declared) {
            (Some(direction), _) => (direction, Origin::Measured),
            (None, Some(direction)) => (direction, Origin::Declared),
            (None, None) => (Direction::Unknown, Origin::Unknown),
        }
    }

    /// How long the interval under way becomes if nothing changes.
    fn interval_us(&self) -> u64 {
        match self.motion.motion() {
            Motion::Moving => self.settings.moving_interval_us,
            Motion::Standing | Motion::Unknown if self.short_until.is_some() => {
                self.settings.moving_interval_us
            }
            Motion::Standing | Motion::Unknown => self.settings.rest_interval_us,
        }
    }

    fn holds_for_ms(&self) -> u32 {
        let holds_ms = (2 * self.interval_us() + SECOND) / MILLI;
        u32::try_from(holds_ms).unwrap_or(u32::MAX).min(limits::READING_HOLDS_MS_MAX)
    }
}

fn is_signed(direction: &Direction) -> bool {
    match direction {
        Direction::Forward | Direction::Reverse => true,
        Direction::Stopped | Direction::Unknown => false,
    }
}

/// The longest beginning of a text that fits and ends at a character.
fn cut(text: &str, octets_max: usize) -> String {
    let mut end = text.len().min(octets_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
