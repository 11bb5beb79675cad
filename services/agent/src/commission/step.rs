//! One step: what is looked for in the signals, and what counts as shown.

mod direction;
mod laps;

use domain::belt::{Contact, Direction, STANDSTILL};
use domain::commissioning::Step;
use domain::incident::settings::CommissionedStop;
use domain::stop::StopContact;
use domain::units::{MonotonicMicros, SECOND, Speed};

use self::laps::Mark;
use super::plan::{Calibrated, Plan, Signed};
use super::seen::{ContactState, Edge, Seen};

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
/// No belt stands sooner after an edge, in milliseconds.
const STOP_MS_MIN: u32 = 100;

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
    /// Something else was seen, or nothing in time; with what to do about it, where that is known.
    Failed { words: String, measured: Vec<(&'static str, i64)>, advice: Vec<String> },
}

impl Verdict {
    fn shown(words: &str, measured: Vec<(&'static str, i64)>) -> Verdict {
        Verdict::Shown { words: words.to_owned(), measured, stop: None, is_silent: false }
    }

    fn failed(words: impl Into<String>) -> Verdict {
        Verdict::Failed { words: words.into(), measured: Vec::new(), advice: Vec::new() }
    }
}

/// A step that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Watch {
    step: Step,
    since: MonotonicMicros,
    contacts: Vec<Contact>,
    key_in_words: bool,
    signed: Vec<Signed>,
    /// Whether the forward run was shown before.
    was_forward: bool,
    encoder: Option<Calibrated>,
    laps: (u32, u32),
    /// The edge that was waited for.
    edge: Option<Edge>,
    /// Where counting has begun.
    mark: Option<Mark>,
}

impl Watch {
    /// `was_forward`: the forward run was shown.
    pub(super) fn new(step: Step, plan: &Plan, was_forward: bool, now: MonotonicMicros) -> Watch {
        Watch {
            step,
            since: now,
            contacts: plan.contacts(),
            key_in_words: plan.key_in_words,
            signed: plan.signed.clone(),
            was_forward,
            encoder: plan.encoder.clone(),
            laps: (plan.laps, plan.belt_mm.unwrap_or(0)),
            edge: None,
            mark: None,
        }
    }

    /// Whether an answer means something while it is looked.
    pub(super) fn takes_answers(&self) -> bool {
        self.step == Step::CountedLaps
    }

    /// The technician answered meanwhile: the laps are over.
    pub(super) fn answered(&mut self, seen: &Seen, _now: MonotonicMicros) -> Verdict {
        match (self.step, self.mark) {
            (Step::CountedLaps, Some(mark)) => self.counted(mark, seen),
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
            Step::BeltAtRest => self.rest(seen, now),
            Step::ForwardRun => self.run(Direction::Forward, seen, now),
            Step::ReverseRun => self.run(Direction::Reverse, seen, now),
            Step::InclineZero => level(seen, waited),
            Step::CountedLaps => self.laps(seen, now),
            Step::StopByButton => self.stop(StopContact::EmergencyStop, seen, now),
            Step::StopByKey => self.stop(StopContact::SafetyKey, seen, now),
        }
    }

    fn closed(&self, seen: &Seen, waited: u64) -> Verdict {
        let state = |contact: &Contact| seen.contact(*contact).map(|state| state.open);
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
        let Some(opened) = self.edge else {
            return match (state, self.opened(state)) {
                (_, Some(edge)) => {
                    self.edge = Some(edge);
                    Verdict::Say(format!("Seen. Put {name} back within 30 s; no Enter is needed."))
                }
                (Some(ContactState { open: true, .. }), None) => {
                    Verdict::failed(format!("{name} was told to be open before: put it back first"))
                }
                _ if now.since(self.since) > EDGE_US => {
                    Verdict::failed(format!("{name} was not seen to open within 10 s"))
                }
                _ => Verdict::Open,
            };
        };
        match state {
            Some(ContactState { open: false, .. }) => {
                let after = i64::try_from(opened.at.since(self.since) / 1_000).unwrap_or(i64::MAX);
                Verdict::shown("", vec![("seen_after_ms", after)])
            }
            Some(_) | None if now.since(opened.at) > 3 * EDGE_US => {
                Verdict::failed(format!("{name} was not seen to close again within 30 s"))
            }
            Some(_) | None => Verdict::Open,
        }
    }

    /// The edge by which a contact has opened since the step began.
    fn opened(&self, state: Option<ContactState>) -> Option<Edge> {
        state.filter(|state| state.open)?.edge.filter(|edge| edge.at >= self.since)
    }

    fn stop(&mut self, contact: StopContact, seen: &Seen, now: MonotonicMicros) -> Verdict {
        match self.edge {
            Some(edge) => self.stopping(contact, edge, seen, now),
            None => self.running(contact, seen, now),
        }
    }

    /// The belt runs until the contact opens.
    fn running(&mut self, contact: StopContact, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let is_in_words = contact == StopContact::SafetyKey && self.key_in_words;
        let state = seen.contact(contact.contact()).filter(|_| !is_in_words);
        let told = seen.key_stop().filter(|edge| is_in_words && edge.at >= self.since);
        match self.opened(state).or(told) {
            Some(Edge { speed: Some(speed), .. }) if speed < STOP_FROM => Verdict::Failed {
                words: "the belt stood, or ran slower than 2 km/h, when the contact opened".to_owned(),
                measured: vec![("from_mm_s", i64::from(speed.0))],
                advice: Vec::new(),
            },
            Some(Edge { speed: None, .. }) => {
                Verdict::failed("no speed was told when the contact opened: the stop cannot be measured")
            }
            Some(edge) => {
                self.edge = Some(edge);
                self.look(seen, now)
            }
            None if state.is_some_and(|state| state.open) => {
                Verdict::failed("the contact was told to be open before: put it back first")
            }
            None if now.since(self.since) > BEGIN_US => {
                Verdict::failed("the contact was not seen to open within a minute")
            }
            None => Verdict::Open,
        }
    }

    /// The contact is open; the belt comes to a standstill.
    fn stopping(&self, contact: StopContact, edge: Edge, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let took = now.since(edge.at);
        let from = edge.speed.unwrap_or(STOP_FROM);
        match seen.is_moving(now) {
            Some(false) => {
                let time_ms = u32::try_from(took / 1_000).unwrap_or(u32::MAX);
                let distance = seen.travelled_mm().saturating_sub(edge.travelled_mm);
                let measured = vec![
                    ("from_mm_s", i64::from(from.0)),
                    ("time_ms", i64::from(time_ms)),
                    ("distance_mm", i64::try_from(distance).unwrap_or(i64::MAX)),
                ];
                if time_ms < STOP_MS_MIN {
                    let words = "a standstill is told sooner than any belt can stop: the source does not tell what the \
                                 belt does";
                    return Verdict::Failed { words: words.to_owned(), measured, advice: Vec::new() };
                }
                let stop = Some(CommissionedStop { contact, speed: from, time_ms });
                Verdict::Shown { words: String::new(), measured, stop, is_silent: false }
            }
            // A stop may take the console's supply: that is no trait of the model.
            None if took > 3 * SECOND => {
                Verdict::failed("no speed is told after the stop: its time cannot be measured")
            }
            Some(true) if took > STOP_US => Verdict::failed(
                "the belt still moved 15 s after the contact had opened: take the machine out of service",
            ),
            Some(true) | None => Verdict::Open,
        }
    }

    /// The belt stands for some seconds, and that is told; or a source that has told a moving belt falls silent.
    fn rest(&self, seen: &Seen, now: MonotonicMicros) -> Verdict {
        let waited = now.since(self.since);
        let for_long = |from: Option<MonotonicMicros>| {
            now.since(from.map_or(self.since, |from| from.max(self.since))) >= REST_US
        };
        let is_late = waited > EDGE_US;
        match seen.speed(now) {
            Some(speed) if speed > STANDSTILL && is_late => Verdict::Failed {
                words: "a speed is told while the belt stands".to_owned(),
                measured: vec![("speed_mm_s", i64::from(speed.0))],
                advice: Vec::new(),
            },
            Some(speed) if speed <= STANDSTILL && for_long(seen.moved()) => Verdict::shown("", Vec::new()),
            Some(_) if is_late => Verdict::failed("the belt was not told to stand for 3 s without a break"),
            None if seen.moved().is_some() && for_long(seen.speed_told()) => Verdict::Shown {
                words: "no speed is told while the belt stands".to_owned(),
                measured: Vec::new(),
                stop: None,
                is_silent: true,
            },
            None if is_late => Verdict::failed(
                "no speed is told at all. Let the belt run slowly, stop it, and try again; if that does not help, check \
                 the source",
            ),
            Some(_) | None => Verdict::Open,
        }
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
    Verdict::Failed { words, measured, advice: Vec::new() }
}
