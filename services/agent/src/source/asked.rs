//! Sources that ask at a serial port: the part of their settings that is the same for all, and the source itself.

use std::fmt;

use domain::signal::SourceSpec;
use domain::units::MILLI;
use serde::{Deserialize, Serialize};

use super::port::dialogue::{Dialogue, Interviewer, Pace, converse};
use super::port::{AskingPort, LineSettings};
use super::{Lost, Outlet, Running, Source};
use crate::clock;
use crate::config::Comment;

/// Least time between two questions, in milliseconds: ten a second.
const POLL_MS_MIN: u32 = 100;
/// Most time between two questions, in milliseconds.
const POLL_MS_MAX: u32 = 10_000;

/// The port at which a machine is asked, and how fast; with the times that are usual for its kind, in milliseconds.
///
/// Its keys stand among those of the kind. That no other key is there is seen to where the kind's settings are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking<const POLL_MS: u32, const ANSWER_MS: u32> {
    /// The serial port, by a name that stays the same: see /dev/serial/by-id.
    pub port: String,
    /// Bits a second.
    #[serde(default = "usual::<9_600>")]
    pub baud: u32,
    /// Time from question to question, in milliseconds, 100 to 10 000.
    #[serde(default = "usual::<POLL_MS>")]
    pub poll_ms: u32,
    /// How long an answer may take, in milliseconds, 50 to 10 000.
    #[serde(default = "usual::<ANSWER_MS>")]
    pub answer_ms: u32,
}

fn usual<const VALUE: u32>() -> u32 {
    VALUE
}

/// What its keys mean where a kind has nothing more to say of them.
pub(super) const PORT: Comment =
    ("port", "The serial port, by a name that stays the same: see /dev/serial/by-id.");
pub(super) const POLL: Comment =
    ("poll_ms", "Time from question to question, in milliseconds, at least 100.");
pub(super) const ANSWER: Comment = ("answer_ms", "How long an answer may take, in milliseconds.");

impl<const POLL_MS: u32, const ANSWER_MS: u32> Asking<POLL_MS, ANSWER_MS> {
    /// As is usual, at this port.
    pub fn at(port: &str) -> Self {
        Asking { port: port.to_owned(), baud: usual::<9_600>(), poll_ms: POLL_MS, answer_ms: ANSWER_MS }
    }

    /// Whether the values are allowed; `line`: as the kind sets the port up.
    ///
    /// # Errors
    ///
    /// In words: field, value, what is allowed.
    pub(super) fn check(&self, line: &LineSettings) -> Result<(), String> {
        let Asking { port, poll_ms, answer_ms, .. } = self;
        LineSettings::check_port(port)?;
        line.check()?;
        if !(POLL_MS_MIN..=POLL_MS_MAX).contains(poll_ms) {
            return Err(format!("poll_ms is {poll_ms}: {POLL_MS_MIN} to {POLL_MS_MAX} is allowed"));
        }
        if !(50..=10_000).contains(answer_ms) {
            return Err(format!("answer_ms is {answer_ms}: 50 to 10000 is allowed"));
        }
        Ok(())
    }

    /// The port set up for 8 bits, no parity, one stop bit.
    pub(super) fn plain(&self) -> LineSettings {
        LineSettings::plain(self.baud)
    }

    /// How long it takes to ask so many questions, in microseconds.
    pub(super) fn period_us(&self, questions: u64) -> u64 {
        u64::from(self.poll_ms) * MILLI * questions
    }

    /// The source that asks there, with its port closed. `interview` begins anew each time the port is opened.
    pub(super) fn source<F>(&self, spec: SourceSpec, line: LineSettings, interview: F) -> Asked<F> {
        let pace = Pace::new(self.poll_ms, self.answer_ms);
        Asked { spec, port: self.port.clone(), line, pace, interview }
    }
}

/// A machine that is asked.
pub(super) struct Asked<F> {
    spec: SourceSpec,
    port: String,
    line: LineSettings,
    pace: Pace,
    interview: F,
}

impl<F> fmt::Debug for Asked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("spec", &self.spec).field("port", &self.port).finish_non_exhaustive()
    }
}

impl<I: Interviewer, F: Fn() -> Result<I, Lost> + Send + Sync> Source for Asked<F> {
    fn spec(&self) -> SourceSpec {
        self.spec.clone()
    }

    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a> {
        Box::pin(async { self.converse(outlet).await })
    }
}

impl<I: Interviewer, F: Fn() -> Result<I, Lost>> Asked<F> {
    async fn converse(&self, outlet: &Outlet) -> Lost {
        let mut port = match AskingPort::open(&self.port, &self.line) {
            Ok(port) => port,
            Err(lost) => return lost,
        };
        outlet.opened(&self.port);
        let interview = match (self.interview)() {
            Ok(interview) => interview,
            Err(lost) => return lost,
        };
        let mut dialogue = Dialogue::new(interview, self.pace, clock::monotonic());
        converse(&mut port, &mut dialogue, outlet).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_allowed_is_named() {
        let check = |change: fn(&mut Asking<100, 500>), words: &str| {
            let mut asking = Asking::at("/dev/ttyUSB0");
            change(&mut asking);
            let error = asking.check(&asking.plain()).expect_err(words);
            assert!(error.contains(words), "{error}");
        };
        check(|asking| asking.poll_ms = 99, "poll_ms is 99: 100 to 10000");
        check(|asking| asking.poll_ms = 10_001, "poll_ms is 10001: 100 to 10000");
        check(|asking| asking.answer_ms = 49, "answer_ms is 49: 50 to 10000");
        check(|asking| asking.baud = 300, "baud is 300: 1200 to 230400");
        check(|asking| asking.port = "ttyUSB0".to_owned(), "port is \"ttyUSB0\"");
    }

    #[test]
    fn each_kind_has_its_usual_times() {
        let asking: Asking<200, 1_000> = toml::from_str("port = \"/dev/ttyUSB0\"").unwrap();
        assert_eq!(asking, Asking::at("/dev/ttyUSB0"));
        assert_eq!((asking.baud, asking.poll_ms, asking.answer_ms), (9_600, 200, 1_000));
    }
}
