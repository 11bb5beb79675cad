//! What a commissioning has shown: what a technician did at a machine while its agent looked on.

use serde::{Deserialize, Serialize};

use crate::ids::ConfigurationHash;
use crate::incident::settings::CommissionedStop;
use crate::limits;

/// One thing that is shown, in the order in which it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// The contacts that stop the belt are closed.
    ContactsClosed,
    /// The safety key was pulled, and was seen to be; then put back.
    KeyPulled,
    /// An emergency-stop button was pressed, and was seen to be; then released. Once for each button.
    ButtonPressed,
    /// The belt stands, and that is told.
    BeltAtRest,
    /// The belt ran forward, and that is what was measured.
    ForwardRun,
    /// The belt ran in reverse, and that is what was measured.
    ReverseRun,
    /// The deck is level, and that is what is told.
    InclineZero,
    /// Laps of the belt were counted, and the distance measured fits.
    CountedLaps,
    /// A stop of the moving belt by the button was measured.
    StopByButton,
    /// A stop of the moving belt by the key was measured.
    StopByKey,
}

impl Step {
    /// All, in their order.
    pub const ALL: [Step; 10] = [
        Step::ContactsClosed,
        Step::KeyPulled,
        Step::ButtonPressed,
        Step::BeltAtRest,
        Step::ForwardRun,
        Step::ReverseRun,
        Step::InclineZero,
        Step::CountedLaps,
        Step::StopByButton,
        Step::StopByKey,
    ];

    /// The step's name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            Step::ContactsClosed => "contacts_closed",
            Step::KeyPulled => "key_pulled",
            Step::ButtonPressed => "button_pressed",
            Step::BeltAtRest => "belt_at_rest",
            Step::ForwardRun => "forward_run",
            Step::ReverseRun => "reverse_run",
            Step::InclineZero => "incline_zero",
            Step::CountedLaps => "counted_laps",
            Step::StopByButton => "stop_by_button",
            Step::StopByKey => "stop_by_key",
        }
    }
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was seen.
    Shown,
    /// It was not seen, or something else was.
    Failed,
    /// It was not asked for, or the technician left it out.
    Skipped,
}

/// A step and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// Which step.
    pub step: Step,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it failed or was left out, or what else was seen; at most [`limits::COMMISSIONING_WORDS_MAX`] octets.
    #[serde(default)]
    pub words: String,
    /// What was measured, by name with unit, at most [`limits::COMMISSIONING_FIGURES_MAX`].
    #[serde(default)]
    pub measured: Vec<(String, i64)>,
}

/// What a commissioning has shown, as the agent saw it. All of an earlier one is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissioningReport {
    /// Who did it, 1 to [`limits::COMMISSIONING_NAME_MAX`] octets.
    pub technician: String,
    /// The agent's version, at most 64 octets.
    pub agent_version: String,
    /// How its sources are set. It is true of no other configuration.
    pub configuration: ConfigurationHash,
    /// Whether it has proven which sign of the direction signal is forward.
    pub direction_proven: bool,
    /// Whether the model falls silent instead of telling a standstill.
    pub silent_on_stop: bool,
    /// Whether the incline that it tells is where the deck shall go, not where it is.
    pub incline_is_target: bool,
    /// Stops of the moving belt that were measured, at most [`limits::COMMISSIONED_STOPS_MAX`].
    pub stops: Vec<CommissionedStop>,
    /// Step by step, at most [`limits::COMMISSIONING_STEPS_MAX`].
    pub steps: Vec<StepResult>,
}

/// The version that is written.
const VERSION: u8 = 1;

impl CommissioningReport {
    /// As octets: a version, and the fields with postcard.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).expect("a vector takes whatever is written")
    }

    /// From octets.
    ///
    /// # Errors
    /// They are none, of a newer version, or beyond a bound: field, value and what is allowed.
    pub fn decode(octets: &[u8]) -> Result<CommissioningReport, String> {
        let Some((version, rest)) = octets.split_first() else { return Err("it is empty".to_owned()) };
        if *version != VERSION {
            return Err(format!("it has version {version}; this program reads version {VERSION}"));
        }
        let report: CommissioningReport = postcard::from_bytes(rest).map_err(|error| error.to_string())?;
        report.check()?;
        Ok(report)
    }

    /// The same, small enough for a record: words are left out, the longest first.
    #[must_use]
    pub fn fitted(mut self) -> CommissioningReport {
        while self.encode().len() > limits::COMMISSIONING_BYTES_MAX {
            let has_words = |result: &&mut StepResult| !result.words.is_empty();
            let longest = self.steps.iter_mut().filter(has_words).max_by_key(|result| result.words.len());
            if let Some(result) = longest {
                result.words.clear();
            } else if self.steps.pop().is_none() {
                break;
            }
        }
        self
    }

    /// Whether it keeps to its bounds.
    ///
    /// # Errors
    /// Field, value and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let within = |field: &str, count: usize, least: usize, most: usize| {
            if (least..=most).contains(&count) {
                return Ok(());
            }
            Err(format!("{field} has {count}; {least} to {most} are allowed"))
        };
        within("technician, in octets,", self.technician.len(), 1, limits::COMMISSIONING_NAME_MAX)?;
        within("agent_version, in octets,", self.agent_version.len(), 0, 64)?;
        within("stops", self.stops.len(), 0, limits::COMMISSIONED_STOPS_MAX)?;
        within("steps", self.steps.len(), 0, limits::COMMISSIONING_STEPS_MAX)?;
        for result in &self.steps {
            within("words of a step, in octets,", result.words.len(), 0, limits::COMMISSIONING_WORDS_MAX)?;
            within("measured of a step", result.measured.len(), 0, limits::COMMISSIONING_FIGURES_MAX)?;
            let names = result.measured.iter().map(|(name, _)| name.len());
            within("the name of what was measured, in octets,", names.max().unwrap_or(1), 1, 64)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::StopContact;
    use crate::units::Speed;

    fn report(words: usize) -> CommissioningReport {
        let result = |step| StepResult {
            step,
            outcome: Outcome::Shown,
            words: "x".repeat(words),
            measured: vec![("fastest_mm_s".to_owned(), 800), ("time_ms".to_owned(), -1)],
        };
        CommissioningReport {
            technician: "Jo".to_owned(),
            agent_version: "1.2.3".to_owned(),
            configuration: ConfigurationHash([7; 16]),
            direction_proven: true,
            silent_on_stop: false,
            incline_is_target: true,
            stops: vec![CommissionedStop {
                contact: StopContact::SafetyKey,
                speed: Speed(833),
                time_ms: 1_500,
            }],
            steps: Step::ALL.into_iter().map(result).collect(),
        }
    }

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let whole = report(20);
        assert_eq!(CommissioningReport::decode(&whole.encode()), Ok(whole.clone()));
        let octets = whole.encode();
        for end in 0..octets.len() {
            assert!(CommissioningReport::decode(&octets[..end]).is_err(), "cut at {end}");
        }
        let newer = [&[9], &octets[1..]].concat();
        assert!(CommissioningReport::decode(&newer).is_err_and(|error| error.contains("version 9")));
    }

    #[test]
    fn what_is_too_long_loses_words_before_steps() {
        let long = report(limits::COMMISSIONING_WORDS_MAX);
        assert!(long.encode().len() > limits::COMMISSIONING_BYTES_MAX);
        let fitted = long.clone().fitted();
        assert!(fitted.encode().len() <= limits::COMMISSIONING_BYTES_MAX);
        assert_eq!(fitted.steps.len(), long.steps.len());
        assert_eq!(fitted.check(), Ok(()));
        assert_eq!(report(3).fitted(), report(3));
    }

    #[test]
    fn bounds_are_said_with_field_and_value() {
        let check = |change: fn(&mut CommissioningReport), words: &str| {
            let mut bad = report(0);
            change(&mut bad);
            assert!(bad.check().is_err_and(|error| error.contains(words)), "{words}: {:?}", bad.check());
            assert!(CommissioningReport::decode(&bad.encode()).is_err());
        };
        check(|one| one.technician.clear(), "technician");
        check(|one| one.agent_version = "1".repeat(65), "agent_version");
        check(|one| one.stops = vec![one.stops[0]; 9], "stops has 9");
        check(|one| one.steps = vec![one.steps[0].clone(); 25], "steps has 25");
        check(|one| one.steps[0].words = "x".repeat(201), "words");
        check(|one| one.steps[0].measured = vec![(String::new(), 1)], "name");
    }
}
