//! What is asked of a machine: what its sources can tell, and what the technician said of it.

use domain::belt::Contact;
use domain::commissioning::{Outcome, Step, StepResult};
use domain::signal::{Capabilities, SourceNumber, SourceSpec};

/// A source whose sign is to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its place in the configuration.
    pub number: SourceNumber,
    /// Its name.
    pub name: String,
    /// Whether its setting `invert` is on; `None`: it has no such setting.
    pub inverted: Option<bool>,
}

/// The encoder that counted laps calibrate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calibrated {
    /// Its source's name.
    pub name: String,
    /// Nanometres of belt for each of its counts, as it is set.
    pub nm_per_count: u64,
}

/// What there is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The sources that measure a direction, in their order.
    pub signed: Vec<Signed>,
    /// What the sources can report together.
    pub able: Capabilities,
    /// The key's level is not told, but that it has stopped the belt, in a console's words.
    pub key_in_words: bool,
    /// The encoder whose counts are compared with the laps; `None`: the distance is what the speed gives.
    pub encoder: Option<Calibrated>,
    /// Whether the belt can only run forward.
    pub is_one_way: bool,
    /// Emergency-stop buttons, each of which is pressed once.
    pub buttons: u8,
    /// Length of the belt, once around, in millimetres; `None`: no laps are counted.
    pub belt_mm: Option<u32>,
    /// Laps that are counted, at least 1.
    pub laps: u32,
}

impl Plan {
    /// Of sources, for a reversible belt with one button, without laps.
    pub fn of(sources: &[SourceSpec]) -> Plan {
        let able = sources.iter().fold(Capabilities::default(), |all, one| all.and(one.capabilities));
        let signed =
            (0..=u8::MAX).zip(sources).filter(|(_, one)| one.capabilities.has(Capabilities::DIRECTION));
        let signed = signed.map(|(number, one)| Signed {
            number: SourceNumber(number),
            name: one.name.clone(),
            inverted: None,
        });
        Plan {
            signed: signed.collect(),
            able,
            key_in_words: false,
            encoder: None,
            is_one_way: false,
            buttons: 1,
            belt_mm: None,
            laps: 10,
        }
    }

    /// The same with what each source's setting `invert` is, by their places.
    #[must_use]
    pub fn with_inverted(mut self, inverted: &[Option<bool>]) -> Plan {
        for signed in &mut self.signed {
            signed.inverted = inverted.get(usize::from(signed.number.0)).copied().flatten();
        }
        self
    }

    /// The contacts that stop the belt and whose level is told.
    pub(super) fn contacts(&self) -> Vec<Contact> {
        let all = [
            (self.able.has(Capabilities::EMERGENCY_STOP), Contact::EmergencyStop),
            (self.able.has(Capabilities::SAFETY_KEY) && !self.key_in_words, Contact::SafetyKey),
        ];
        all.into_iter().filter(|(is_told, _)| *is_told).map(|(_, contact)| contact).collect()
    }

    /// The steps that this machine can show, in their order.
    pub(super) fn steps(&self) -> Vec<Step> {
        let repeated = |step: Step| if step == Step::ButtonPressed { usize::from(self.buttons) } else { 1 };
        let can = Step::ALL.into_iter().filter(|step| self.why_not(*step).is_none());
        can.flat_map(|step| std::iter::repeat_n(step, repeated(step))).collect()
    }

    /// The others, with why.
    pub(super) fn left_out(&self) -> Vec<StepResult> {
        let left_out = |step: Step| {
            let words = self.why_not(step)?.to_owned();
            Some(StepResult { step, outcome: Outcome::Skipped, words, measured: Vec::new() })
        };
        Step::ALL.into_iter().filter_map(left_out).collect()
    }

    fn why_not(&self, step: Step) -> Option<&'static str> {
        let key = self.able.has(Capabilities::SAFETY_KEY);
        let button = self.able.has(Capabilities::EMERGENCY_STOP);
        let speed = self.able.has(Capabilities::SPEED);
        let direction = self.able.has(Capabilities::DIRECTION);
        match step {
            Step::ContactsClosed => self.contacts().is_empty().then_some("no source tells a contact's level"),
            Step::KeyPulled if key && self.key_in_words => {
                Some("the key is told only when it stops the belt: see stop_by_key")
            }
            Step::KeyPulled => (!key).then_some("no source tells the key"),
            Step::ButtonPressed => (!button || self.buttons == 0).then_some("no source tells the button"),
            Step::BeltAtRest => (!speed).then_some("no source tells a speed"),
            Step::ForwardRun => (!direction).then_some("no source measures a direction"),
            Step::ReverseRun if self.is_one_way => Some("the belt runs one way"),
            Step::ReverseRun => (!direction).then_some("no source measures a direction"),
            Step::InclineZero => {
                (!self.able.has(Capabilities::INCLINE)).then_some("no source tells an incline")
            }
            Step::CountedLaps => {
                (!speed || self.belt_mm.is_none()).then_some("the length of the belt was not given")
            }
            Step::StopByButton => (!button || !speed).then_some("no source tells both button and speed"),
            Step::StopByKey => (!key || !speed).then_some("no source tells both key and speed"),
        }
    }

    /// What the technician is asked to do.
    pub(super) fn words(&self, step: Step) -> String {
        match step {
            Step::ContactsClosed => {
                "Put the safety key in and release all emergency-stop buttons. Nobody on the belt. Enter when done."
            }
            Step::KeyPulled => "Press Enter, then pull the safety key within 10 s.",
            Step::ButtonPressed => "Press Enter, then press an emergency-stop button within 10 s; another one each time.",
            Step::BeltAtRest => "Let the belt stand. Enter when it does.",
            Step::ForwardRun => {
                "Start the belt FORWARD, as for ordinary walking, at 1 to 3 km/h. LOOK that the upper side runs from \
                 front to rear. Enter when it runs."
            }
            Step::ReverseRun => {
                "Stop the belt, then start it in REVERSE at 1 to 3 km/h. LOOK that the upper side runs from rear to \
                 front. Enter when it runs. s: it cannot be done."
            }
            Step::InclineZero => "Bring the deck to level, incline 0. Enter when it is.",
            Step::CountedLaps => {
                return format!(
                    "Put a mark on the belt and run it forward at 1 to 3 km/h. Press Enter at the moment when the mark \
                     passes a fixed point; then count {} laps.",
                    self.laps
                );
            }
            Step::StopByButton => {
                "Nobody on the belt. Run it at 3 km/h. Press Enter when it runs; then press the emergency-stop button."
            }
            Step::StopByKey => {
                "Reset the button. Nobody on the belt. Run it at 3 km/h. Press Enter when it runs; then pull the key. Put \
                 it back when the belt stands."
            }
        }
        .to_owned()
    }

    /// What the technician is told once they have begun; `None`: the step tells more itself.
    pub(super) fn watching(step: Step) -> Option<&'static str> {
        match step {
            Step::ContactsClosed | Step::CountedLaps => None,
            Step::KeyPulled | Step::StopByKey => Some("Watching: pull the key now."),
            Step::ButtonPressed | Step::StopByButton => Some("Watching: press the button now."),
            Step::BeltAtRest => Some("Watching: let it stand for 3 s."),
            Step::ForwardRun | Step::ReverseRun => Some("Watching: let it run for 3 s."),
            Step::InclineZero => Some("Watching: let it be."),
        }
    }
}
