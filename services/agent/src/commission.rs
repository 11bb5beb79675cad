//! Commissioning: leads a technician who has never seen it through showing what a machine's sources tell.
//!
//! It only watches. The technician moves the belt, pulls the key and presses the button; the mind says what to do next,
//! looks at the signals, and says what it saw. What comes of it is a report.

pub mod body;
mod plan;
mod seen;
mod step;
#[cfg(test)]
mod tests;

use domain::commissioning::{CommissioningReport, Outcome, Step, StepResult};
use domain::ids::ConfigurationHash;
use domain::incident::settings::CommissionedStop;
use domain::limits;
use domain::signal::Signal;
use domain::stop::StopContact;
use domain::units::MonotonicMicros;

pub use self::plan::{Calibrated, Plan, Signed};
use self::seen::Seen;
use self::step::{Verdict, Watch};
use crate::source::encoder::Shown;

/// What a technician answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done, or yes: an empty line, `y` or `yes`.
    Done,
    /// No: `n` or `no`.
    No,
    /// Try the step again: `a` or `again`.
    Again,
    /// Leave the step out: `s` or `skip`.
    Skip,
    /// End without a report: `q` or `quit`.
    Quit,
    /// Anything else.
    Text(String),
}

impl Answer {
    /// What a line says.
    pub fn of(line: &str) -> Answer {
        let line = line.trim();
        match line.to_ascii_lowercase().as_str() {
            "" | "y" | "yes" | "done" => Answer::Done,
            "n" | "no" => Answer::No,
            "a" | "again" => Answer::Again,
            "s" | "skip" => Answer::Skip,
            "q" | "quit" => Answer::Quit,
            _ => Answer::Text(line.to_owned()),
        }
    }
}

/// What is to be said to the technician.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// What to do, and that an answer is waited for.
    Ask(String),
    /// Something worth knowing; no answer is waited for.
    Note(String),
    /// What came of a step.
    Result(StepResult),
}

/// Where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// The technician has been told what to do.
    Asked,
    /// The signals are looked at.
    Watching(Watch),
    /// A step failed.
    Failed(StepResult),
    /// The incline is told: whether it is a target is asked.
    InclineAsked(StepResult),
    /// All steps are over.
    Named,
    /// The technician is to confirm, by this name.
    Confirmed(String),
    /// It has ended, with or without a report.
    Over(Option<Box<CommissioningReport>>),
}

/// The mind of a commissioning.
#[derive(Debug)]
pub struct Commissioning {
    plan: Plan,
    configuration: ConfigurationHash,
    version: String,
    steps: Vec<Step>,
    place: usize,
    phase: Phase,
    seen: Seen,
    results: Vec<StepResult>,
    stops: Vec<CommissionedStop>,
    silent_on_stop: bool,
    incline_is_target: bool,
    said: Vec<Say>,
}

impl Commissioning {
    /// Begins, and says what is to be done first. `configuration` is that of the sources, `version` the agent's.
    pub fn new(plan: Plan, configuration: ConfigurationHash, version: &str) -> Commissioning {
        let mut one = Commissioning {
            steps: plan.steps(),
            plan,
            configuration,
            version: version.to_owned(),
            place: 0,
            phase: Phase::Asked,
            seen: Seen::default(),
            results: Vec::new(),
            stops: Vec::new(),
            silent_on_stop: false,
            incline_is_target: false,
            said: Vec::new(),
        };
        one.note("You move the belt at the console; this program only watches. Enter: go on. s: leave a step out. q: end.");
        for result in one.plan.left_out() {
            one.said.push(Say::Result(result.clone()));
            one.results.push(result);
        }
        one.ask();
        one
    }

    /// What is to be said since this was asked last.
    pub fn says(&mut self) -> Vec<Say> {
        std::mem::take(&mut self.said)
    }

    /// Whether it waits for an answer.
    pub fn waits(&self) -> bool {
        !matches!(self.phase, Phase::Watching(ref watch) if !watch.takes_answers()) && !self.is_over()
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// What came of it once it has ended; `None`: the technician broke it off.
    pub fn report(&self) -> Option<&CommissioningReport> {
        if let Phase::Over(report) = &self.phase { report.as_deref() } else { None }
    }

    /// Takes what a source told.
    pub fn signal(&mut self, signal: &Signal) {
        self.seen.take(signal);
        self.look(signal.at);
    }

    /// Takes what the odometer of the plan's encoder shows.
    pub fn odometer(&mut self, shown: Shown) {
        self.seen.count(shown);
    }

    /// Lets time pass; to be called ten times a second.
    pub fn tick(&mut self, now: MonotonicMicros) {
        self.seen.pass(now);
        self.look(now);
    }

    /// Takes an answer. One that makes no sense here is asked for again.
    pub fn answer(&mut self, answer: Answer, now: MonotonicMicros) {
        if answer == Answer::Quit {
            self.phase = Phase::Over(None);
            self.note("Nothing was recorded.");
            return;
        }
        match (std::mem::replace(&mut self.phase, Phase::Named), answer) {
            (Phase::Asked, Answer::Skip) => {
                self.end(self.result(Outcome::Skipped, "by the technician", Vec::new()))
            }
            (Phase::Asked, _) => self.watch(now),
            (Phase::Watching(mut watch), _) => {
                let verdict = watch.answered(&self.seen, now);
                self.phase = Phase::Watching(watch);
                self.judge(verdict);
            }
            (Phase::Failed(result), Answer::Skip) => self.end(result),
            (Phase::Failed(_), _) => self.ask(),
            (Phase::InclineAsked(result), answer) => {
                self.incline_is_target = answer == Answer::No;
                self.end(result);
            }
            (Phase::Named, Answer::Text(name)) if name.len() <= limits::COMMISSIONING_NAME_MAX => {
                self.confirm(name);
            }
            (Phase::Named, _) => self.ask_name(),
            (Phase::Confirmed(name), Answer::Done) => self.finish(name),
            (Phase::Confirmed(_), _) => self.ask_name(),
            (over @ Phase::Over(_), _) => self.phase = over,
        }
    }

    fn step(&self) -> Option<Step> {
        self.steps.get(self.place).copied()
    }

    fn ask(&mut self) {
        match self.step() {
            Some(step) => {
                self.phase = Phase::Asked;
                let (number, all) = (self.place + 1, self.steps.len());
                self.said.push(Say::Ask(format!("{number} of {all}: {}", self.plan.words(step))));
            }
            None => self.summarise(),
        }
    }

    fn watch(&mut self, now: MonotonicMicros) {
        let Some(step) = self.step() else { return self.summarise() };
        self.seen.begin(now);
        if let Some(words) = Plan::watching(step) {
            self.note(words);
        }
        self.phase = Phase::Watching(Watch::new(step, &self.plan, self.was_shown(Step::ForwardRun), now));
        self.look(now);
    }

    fn look(&mut self, now: MonotonicMicros) {
        if let Phase::Watching(watch) = &mut self.phase {
            let verdict = watch.look(&self.seen, now);
            self.judge(verdict);
        }
    }

    fn judge(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Open => {}
            Verdict::Say(words) => self.said.push(Say::Ask(words)),
            Verdict::Shown { words, measured, stop, is_silent } => {
                self.stops.extend(stop);
                self.silent_on_stop |= is_silent;
                let result = self.result(Outcome::Shown, &words, measured);
                if self.step() == Some(Step::InclineZero) {
                    self.phase = Phase::InclineAsked(result);
                    let words = "Change the incline at the console and look at the deck. Does the number that the \
                                 console tells follow the deck as it moves? yes: it follows; no: it jumps to the new value at once.";
                    self.said.push(Say::Ask(words.to_owned()));
                } else {
                    self.end(result);
                }
            }
            Verdict::Failed { words, measured, advice } => {
                let result = self.result(Outcome::Failed, &words, measured);
                self.said.push(Say::Result(result.clone()));
                advice.iter().for_each(|words| self.note(words));
                self.phase = Phase::Failed(result);
                self.said.push(Say::Ask("Enter: try again. s: go on without it. q: end.".to_owned()));
            }
        }
    }

    fn result(&self, outcome: Outcome, words: &str, measured: Vec<(&'static str, i64)>) -> StepResult {
        let step = self.step().unwrap_or(Step::ContactsClosed);
        let mut words = words.to_owned();
        let end = (0..=limits::COMMISSIONING_WORDS_MAX).rev().find(|end| words.is_char_boundary(*end));
        words.truncate(end.unwrap_or(0));
        let measured = measured.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        StepResult { step, outcome, words, measured }
    }

    /// The step is over with this; on with the next.
    fn end(&mut self, result: StepResult) {
        if result.outcome != Outcome::Failed {
            self.said.push(Say::Result(result.clone()));
        }
        self.results.push(result);
        self.place += 1;
        self.ask();
    }

    fn was_shown(&self, step: Step) -> bool {
        self.results.iter().any(|result| result.step == step && result.outcome == Outcome::Shown)
    }

    /// A reversible belt must have been seen both ways; one that cannot run in reverse, forward.
    fn direction_proven(&self) -> bool {
        self.was_shown(Step::ForwardRun) && (self.plan.is_one_way || self.was_shown(Step::ReverseRun))
    }

    fn summarise(&mut self) {
        self.note("Summary:");
        for result in self.results.clone() {
            self.said.push(Say::Result(result));
        }
        let proven = if self.direction_proven() {
            "The direction is proven: from now on it counts."
        } else {
            "The direction is NOT proven by this: once it is recorded, it counts as unknown."
        };
        self.note(proven);
        if let Some(words) = self.not_measured() {
            self.note(&words);
        }
        self.note(
            "What is recorded takes the place of ALL that an earlier commissioning has shown, also of what was left out \
             now. q: nothing is recorded, and the earlier one goes on to hold.",
        );
        self.ask_name();
    }

    /// By which controls no stop was measured of those that could have been, in words.
    fn not_measured(&self) -> Option<String> {
        let steps =
            [(Step::StopByButton, StopContact::EmergencyStop), (Step::StopByKey, StopContact::SafetyKey)];
        let could =
            steps.into_iter().filter(|(step, _)| self.steps.contains(step)).map(|(_, contact)| contact);
        let missing = could.filter(|contact| self.stops.iter().all(|stop| stop.contact != *contact));
        let missing: Vec<&str> = missing.map(|contact| contact.contact().name()).collect();
        (!missing.is_empty()).then(|| {
            let missing = missing.join(", ");
            format!("NO stop was measured by {missing}: later stops by it are compared with none.")
        })
    }

    fn ask_name(&mut self) {
        self.phase = Phase::Named;
        let most = limits::COMMISSIONING_NAME_MAX;
        self.said.push(Say::Ask(format!(
            "Who did this? Your name, at most {most} octets. q: end, nothing is recorded."
        )));
    }

    fn confirm(&mut self, name: String) {
        self.said.push(Say::Ask(format!("Record this for the machine, by {name}? yes or no.")));
        self.phase = Phase::Confirmed(name);
    }

    fn finish(&mut self, technician: String) {
        let mut steps = self.results.clone();
        steps.truncate(limits::COMMISSIONING_STEPS_MAX);
        let mut stops = self.stops.clone();
        stops.truncate(limits::COMMISSIONED_STOPS_MAX);
        let report = CommissioningReport {
            technician,
            agent_version: self.version.clone(),
            configuration: self.configuration,
            direction_proven: self.direction_proven(),
            silent_on_stop: self.silent_on_stop,
            incline_is_target: self.incline_is_target,
            stops,
            steps,
        };
        self.phase = Phase::Over(Some(Box::new(report)));
    }

    fn note(&mut self, words: &str) {
        self.said.push(Say::Note(words.to_owned()));
    }
}
