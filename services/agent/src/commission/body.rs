//! The dialogue at a terminal: lines in, lines out, signals from any sources. There is no screen to be drawn, so it works
//! over a serial console and in a file.

use std::io::{self, Write};

use domain::commissioning::{CommissioningReport, Outcome, StepResult};
use domain::signal::Signal;
use domain::units::MonotonicMicros;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};

use super::{Answer, Commissioning, Say};
use crate::source::encoder::Odometer;

/// How often time passes for the mind.
const TICK: Duration = Duration::from_millis(100);

/// What the technician says.
#[derive(Debug)]
pub struct Lines {
    /// Line by line.
    pub lines: mpsc::Receiver<String>,
    /// A person types them. What they type while nothing is asked is no answer to the next question, so it is dropped;
    /// only that they end is heard. The lines of a file wait until they are asked for.
    pub are_typed: bool,
}

/// Leads the dialogue to its end. `signals` come from the sources; `odometer` is that of the plan's encoder; `now` is the
/// clock that the signals are dated by. `None`: the technician broke it off, or no more answers came.
///
/// # Errors
/// Nothing can be written to `out`.
pub async fn run(
    mut mind: Commissioning,
    signals: &mut mpsc::Receiver<Signal>,
    lines: &mut Lines,
    odometer: Option<&Odometer>,
    now: impl Fn() -> MonotonicMicros,
    out: &mut impl Write,
) -> io::Result<Option<CommissioningReport>> {
    loop {
        for said in mind.says() {
            writeln!(out, "{}", words(&said))?;
        }
        out.flush()?;
        if mind.is_over() {
            return Ok(mind.report().cloned());
        }
        if let Some(odometer) = odometer {
            mind.odometer(odometer.shown());
        }
        tokio::select! {
            biased;
            signal = signals.recv() => match signal {
                Some(signal) => mind.signal(&signal),
                None => {
                    writeln!(out, "The sources have ended: nothing was recorded.")?;
                    return Ok(None);
                }
            },
            line = lines.lines.recv(), if lines.are_typed || mind.waits() => match line.as_deref().map(Answer::of) {
                Some(answer) if mind.waits() || answer == Answer::Quit => mind.answer(answer, now()),
                Some(_) => {}
                None => {
                    writeln!(out, "No more answers have come.")?;
                    mind.answer(Answer::Quit, now());
                }
            },
            () = sleep(TICK) => mind.tick(now()),
        }
    }
}

fn words(said: &Say) -> String {
    match said {
        Say::Ask(words) => format!("> {words}"),
        Say::Note(words) => words.clone(),
        Say::Result(result) => result_words(result),
    }
}

/// What came of a step, on one line.
pub fn result_words(result: &StepResult) -> String {
    let outcome = match result.outcome {
        Outcome::Shown => "shown",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "left out",
    };
    let measured: Vec<String> =
        result.measured.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let more = [result.words.clone(), measured.join(", ")];
    let more: Vec<String> = more.into_iter().filter(|part| !part.is_empty()).collect();
    let colon = if more.is_empty() { "" } else { ": " };
    format!("  {} {outcome}{colon}{}", result.step.name(), more.join("; "))
}
