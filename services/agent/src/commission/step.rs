//! One step: what is looked for in the signals, and what counts as shown.

use domain::belt::{Contact, Direction};
use domain::commissioning::Step;
use domain::incident::settings::CommissionedStop;
use domain::stop::StopContact;
use domain::units::{MonotonicMicros, SECOND, Speed};

use super::plan::Plan;
use super::seen::Seen;

/// How long an edge may take to be seen.
const EDGE_US: u64 = 10 * SECOND;
/// How long the technician may take to begin what is measured.
const BEGIN_US: u64 = 60 * SECOND;
/// How long a belt may take to stand.
const STOP_US: u64 = 15 * SECOND;
/// How long a direction must be told without a change.
const STEADY_US: u64 = 3 * SECOND;
/// How long a rest is looked at.
const REST_US: u64 = 3 * SECOND;
/// The fastest run that is asked for, with what a console is off by: 3.6 km/h.
const FASTEST: Speed = Speed(1_000);
/// The least speed from which a stop is worth measuring: 2 km/h.
const STOP_FROM: Speed = Speed(555);
/// How far a level deck may be told to be from level, in tenths of a per cent.
const LEVEL_TENTHS: i32 = 5;
/// How far a distance may be off before the length of the belt or the count is more likely wrong, in thousandths.
const OFF_THOUSANDTHS: i64 = 250;

/// What a look at the signals gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not yet.
    Open,
    /// Not yet, and something more is to be done.
    Say(String),
    /// It was seen.
    Shown {
        words: String,
        measured: Vec<(&'static str, i64)>,
        stop: Option<CommissionedStop>,
        is_silent: bool,
    },
    /// Something else was seen, or nothing in time.
    Failed { words: String, measured: Vec<(&'static str, i64)> },
}

impl Verdict {
    fn shown(words: &str, measured: Vec<(&'static str, i64)>) -> Verdict {
        Verdict::Shown { words: words.to_owned(), measured, stop: None, is_silent: false }
    }

    fn failed(words: impl Into<String>) -> Verdict {
        Verdict::Failed { words: words.into(), measured: Vec::new() }
    }
}

/// A step that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watch {
    step: Step,
    since: MonotonicMicros,
    contacts: Vec<Contact>,
    laps: (u32, u32),
    /// The edge, the speed at it, and the distance until then.
    edge: Option<(MonotonicMicros, Speed, u64)>,
    /// Where counting has begun, as distance.
    mark: Option<u64>,
}

impl Watch {
    pub(super) fn new(step: Step, plan: &Plan, now: MonotonicMicros) -> Watch {
        let laps = (plan.laps, plan.belt_mm.unwrap_or(0));
        Watch { step, since: now, contacts: plan.contacts(), laps, edge: None, mark: None }
    }

    /// Whether an answer means something while it is looked.
    pub(super) fn takes_answers(&self) -> bool {
        self.step == Step::CountedLaps
    }

    /// The technician answered meanwhile: the laps are over.
    pub(super) fn answered(&mut self, seen: &Seen, _now: MonotonicMicros) -> Verdict {
        match (self.step, self.mark) {
            (Step::CountedLaps, Some(mark)) => self.counted(seen.travelled_mm().saturating_sub(mark)),
            _ => Verdict::Open,
        }
    }

    /// Looks at the signals.
    pub(super) fn look(&mut self, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let waited = now.since(self.since);
        match self.step {
            Step::ContactsClosed => self.closed(seen, waited),
            Step::KeyPulled => self.edges(Contact::SafetyKey, "the key", seen, now),
            Step::ButtonPressed => self.edges(Contact::EmergencyStop, "the button", seen, now),
            Step::BeltAtRest => rest(seen, now, waited),
            Step::ForwardRun => run(Direction::Forward, seen, now, waited),
            Step::ReverseRun => run(Direction::Reverse, seen, now, waited),
            Step::InclineZero => level(seen, waited),
            Step::CountedLaps => self.laps(seen, now),
            Step::StopByButton => self.stop(StopContact::EmergencyStop, seen, now),
            Step::StopByKey => self.stop(StopContact::SafetyKey, seen, now),
        }
    }

    fn closed(&self, seen: &Seen, waited: u64) -> Verdict {
        let state = |contact: &Contact| seen.contact(*contact).map(|(open, _)| open);
        if self.contacts.iter().all(|contact| state(contact) == Some(false)) {
            return Verdict::shown("", Vec::new());
        }
        if waited < EDGE_US {
            return Verdict::Open;
        }
        let wrong = self.contacts.iter().filter_map(|contact| match state(contact) {
            Some(false) => None,
            Some(true) => Some(format!("{} is told to be open", contact.name())),
            None => Some(format!("{} is not told at all", contact.name())),
        });
        let wrong = wrong.collect::<Vec<_>>().join("; ");
        Verdict::failed(format!(
            "{wrong}: check the wiring, and whether the contact opens when it is actuated"
        ))
    }

    /// A contact opens within its time, and closes again.
    fn edges(&mut self, contact: Contact, name: &str, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let state = seen.contact(contact);
        let Some((opened, ..)) = self.edge else {
            return match state {
                Some((true, at)) if at >= self.since => {
                    self.edge = Some((at, Speed(0), 0));
                    Verdict::Say(format!("Seen. Put {name} back within 30 s; no Enter is needed."))
                }
                Some(_) | None if now.since(self.since) > EDGE_US => {
                    Verdict::failed(format!("{name} was not seen to open within 10 s"))
                }
                Some(_) | None => Verdict::Open,
            };
        };
        match state {
            Some((false, _)) => {
                let after = i64::try_from(opened.since(self.since) / 1_000).unwrap_or(i64::MAX);
                Verdict::shown("", vec![("seen_after_ms", after)])
            }
            Some(_) | None if now.since(opened) > 3 * EDGE_US => {
                Verdict::failed(format!("{name} was not seen to close again within 30 s"))
            }
            Some(_) | None => Verdict::Open,
        }
    }

    fn laps(&mut self, seen: &Seen, now: MonotonicMicros) -> Verdict {
        if self.mark.is_some() {
            if now.since(self.since) > 10 * BEGIN_US {
                return Verdict::failed("the laps were not counted within ten minutes");
            }
            return Verdict::Open;
        }
        if seen.is_moving(now) != Some(true) {
            return Verdict::failed(
                "the belt is not told to move: start it first, then press Enter at the mark",
            );
        }
        self.mark = Some(seen.travelled_mm());
        Verdict::Say(format!("Counting. Press Enter when the mark has passed {} times more.", self.laps.0))
    }

    fn counted(&self, measured_mm: u64) -> Verdict {
        let (laps, belt_mm) = self.laps;
        let truth = i64::from(laps) * i64::from(belt_mm);
        let told = i64::try_from(measured_mm).unwrap_or(i64::MAX);
        let Some(factor) = truth.saturating_mul(1_000_000).checked_div(told) else {
            return Verdict::failed("no distance was told while the laps were counted");
        };
        let measured = vec![
            ("laps", i64::from(laps)),
            ("belt_mm", i64::from(belt_mm)),
            ("told_mm", told),
            ("factor_ppm", factor),
        ];
        if (factor - 1_000_000).abs() > OFF_THOUSANDTHS * 1_000 {
            let words = "the distance told is off by more than a quarter: check the pulses of a turn, the length of the \
                         belt and the count";
            return Verdict::Failed { words: words.to_owned(), measured };
        }
        Verdict::shown("multiply the encoder's millimetres a pulse by factor_ppm / 1000000", measured)
    }

    fn stop(&mut self, contact: StopContact, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let Some((at, from, before_mm)) = self.edge else {
            let speed = seen.speed(now).unwrap_or(Speed(0));
            return match seen.contact(contact.contact()) {
                Some((true, at)) if at >= self.since && seen.fastest() >= STOP_FROM => {
                    self.edge = Some((at, speed.max(STOP_FROM), seen.travelled_mm()));
                    Verdict::Open
                }
                Some((true, at)) if at >= self.since => {
                    Verdict::failed("the belt ran slower than 2 km/h, or its speed is not told")
                }
                Some(_) | None if now.since(self.since) > BEGIN_US => {
                    Verdict::failed("the contact was not seen to open within a minute")
                }
                Some(_) | None => Verdict::Open,
            };
        };
        let took = now.since(at);
        match seen.is_moving(now) {
            Some(false) => {
                let time_ms = u32::try_from(took / 1_000).unwrap_or(u32::MAX);
                let distance = seen.travelled_mm().saturating_sub(before_mm);
                let measured = vec![
                    ("from_mm_s", i64::from(from.0)),
                    ("time_ms", i64::from(time_ms)),
                    ("distance_mm", i64::try_from(distance).unwrap_or(i64::MAX)),
                ];
                let stop = Some(CommissionedStop { contact, speed: from, time_ms: time_ms.max(100) });
                Verdict::Shown { words: String::new(), measured, stop, is_silent: false }
            }
            None if took > 3 * SECOND => Verdict::Shown {
                words: "no speed is told after the stop: its time cannot be measured".to_owned(),
                measured: vec![("from_mm_s", i64::from(from.0))],
                stop: None,
                is_silent: true,
            },
            Some(true) if took > STOP_US => Verdict::failed(
                "the belt still moved 15 s after the contact had opened: take the machine out of service",
            ),
            Some(true) | None => Verdict::Open,
        }
    }
}

fn rest(seen: &Seen, now: MonotonicMicros, waited: u64) -> Verdict {
    if waited < REST_US {
        return Verdict::Open;
    }
    match seen.speed(now) {
        None => Verdict::Shown {
            words: "no speed is told while the belt stands".to_owned(),
            measured: Vec::new(),
            stop: None,
            is_silent: true,
        },
        Some(_) if seen.is_moving(now) == Some(false) => Verdict::shown("", Vec::new()),
        Some(speed) => Verdict::Failed {
            words: "a speed is told while the belt stands".to_owned(),
            measured: vec![("speed_mm_s", i64::from(speed.0))],
        },
    }
}

fn run(asked: Direction, seen: &Seen, now: MonotonicMicros, waited: u64) -> Verdict {
    let measured = || vec![("fastest_mm_s", i64::from(seen.fastest().0))];
    if seen.fastest() > FASTEST {
        let words = "the belt ran faster than 3.6 km/h: do it slowly, with nobody on the belt".to_owned();
        return Verdict::Failed { words, measured: measured() };
    }
    let is_moving = seen.is_moving(now) == Some(true);
    match seen.direction(now).filter(|_| is_moving) {
        Some((direction, steady)) if steady >= STEADY_US && waited >= STEADY_US => match direction {
            told if told == asked => Verdict::shown("", measured()),
            Direction::Forward | Direction::Reverse => {
                let words = "the OPPOSITE direction is measured: set `invert = true` (or back to false) for the source in \
                             the configuration, and begin anew";
                Verdict::Failed { words: words.to_owned(), measured: measured() }
            }
            Direction::Stopped | Direction::Unknown => {
                Verdict::failed("the belt moves and no direction is measured")
            }
        },
        Some(_) | None if waited > EDGE_US => {
            let why = if is_moving { "no steady direction" } else { "no motion" };
            Verdict::failed(format!("{why} was measured within 10 s"))
        }
        Some(_) | None => Verdict::Open,
    }
}

fn level(seen: &Seen, waited: u64) -> Verdict {
    let Some(incline) = seen.incline() else {
        return if waited > EDGE_US {
            Verdict::failed("no incline was told within 10 s")
        } else {
            Verdict::Open
        };
    };
    let measured = vec![("incline_tenths_pct", i64::from(incline.0))];
    if incline.0.abs() <= LEVEL_TENTHS {
        return Verdict::shown("", measured);
    }
    if waited < EDGE_US {
        return Verdict::Open;
    }
    let words = "a level deck is told to be steeper than 0.5 %: check the scale and the zero of the incline"
        .to_owned();
    Verdict::Failed { words, measured }
}
