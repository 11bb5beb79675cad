//! The dialogue at a terminal: lines in, lines out, signals from any sources. There is no screen to be drawn, so it works
//! over a serial console and in a file.

use std::io::{self, Write};

use domain::commissioning::{CommissioningReport, Outcome, StepResult};
use domain::signal::{Signal, SourceNumber};
use domain::units::MonotonicMicros;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};

use crate::source::Source;
use crate::source::outlet::{self, Outlet, Signals};
use crate::source::supervise::supervise;

use super::{Answer, Commissioning, Say};

/// How often time passes for the mind.
const TICK: Duration = Duration::from_millis(100);

/// Starts sources, each in its place; dropped, the second closes their ports.
pub fn start(sources: Vec<Box<dyn Source>>) -> (Signals, JoinSet<()>) {
    let (sender, signals) = outlet::queue();
    let mut running = JoinSet::new();
    for (source, number) in sources.into_iter().zip(0..=u8::MAX) {
        let name = source.spec().name;
        let outlet = Outlet::new(&name, SourceNumber(number), sender.clone(), None);
        running.spawn(supervise(source, outlet));
    }
    (signals, running)
}

/// Leads the dialogue to its end. `signals` come from the sources, `lines` from the technician; `now` is the clock that the
/// signals are dated by. `None`: the technician broke it off, or no more answers came.
///
/// # Errors
/// Nothing can be written to `out`.
pub async fn run(
    mut mind: Commissioning,
    signals: &mut mpsc::Receiver<Signal>,
    lines: &mut mpsc::Receiver<String>,
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
        // An answer is taken only where one is waited for, so that a file of answers is read in step.
        tokio::select! {
            biased;
            signal = signals.recv() => match signal {
                Some(signal) => mind.signal(&signal),
                None => {
                    writeln!(out, "The sources have ended: nothing was recorded.")?;
                    return Ok(None);
                }
            },
            line = lines.recv(), if mind.waits() => match line {
                Some(line) => mind.answer(Answer::of(&line), now()),
                None => mind.answer(Answer::Quit, now()),
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
