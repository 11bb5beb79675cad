//! Asking and being answered: one question at a time, at most ten a second, and no answer taken for another one's.
//!
//! After a question without an answer the line has to be quiet for a while, and what comes meanwhile is late. So the next
//! question does not get the answer of the one before. Where an answer does not show what it answers (registers of a drive,
//! asked for in equal numbers), that is all that protects the next question: the pause is longer there.

use std::time::Duration;

use domain::limits::PORT_OCTETS_TAKEN_MAX;
use domain::signal::SignalValue;
use domain::units::{MILLI, MonotonicMicros};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{AskingPort, Poll};
use crate::capture::Characteristic;
use crate::clock;
use crate::source::outlet::Way;
use crate::source::{Lost, Outlet};

/// How long a line has to be quiet after a question without an answer.
const QUIET_US: u64 = 500 * MILLI;
/// Where answers look alike: a question may be answered as late as this many times what an answer may take. Nothing else
/// is asked before.
const LATE_TIMES: u64 = 3;
/// A line that is never quiet is asked all the same after so long.
const QUIET_WAIT_MAX_US: u64 = 4 * QUIET_US;

/// What octets say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Something was observed.
    Value(SignalValue),
    /// A frame came.
    Frame(Vec<u8>),
    /// Octets make no sense, and why.
    Unreadable(String, Vec<u8>),
}

/// Whether the question that is open has been answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It has.
    Answered,
    /// Not yet.
    Waiting,
}

/// Which question comes next, and what answers say: the part of a source that knows the machine.
pub(crate) trait Interviewer: Send + std::fmt::Debug {
    /// What its frames are in a recording.
    const CHARACTERISTIC: Characteristic;

    /// Whether an answer shows which of the questions it belongs to.
    fn tells_answers_apart(&self) -> bool {
        true
    }

    /// The next question. What was heard in part before belongs to no answer.
    fn ask(&mut self) -> Poll;

    /// Octets came while the last question was open.
    fn hear(&mut self, octets: &[u8], out: &mut Vec<Told>) -> Heard;

    /// Octets came although nothing was asked, or too late.
    fn hear_unasked(&mut self, octets: &[u8], out: &mut Vec<Told>);

    /// The last question was not answered in time.
    fn unanswered(&mut self, out: &mut Vec<Told>);
}

/// How fast questions follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Least time from question to question, in microseconds.
    pub(crate) period_us: u64,
    /// How long an answer may take, in microseconds.
    pub(crate) answer_us: u64,
}

impl Pace {
    /// From settings in milliseconds.
    pub(crate) fn new(poll_ms: u32, answer_ms: u32) -> Pace {
        Pace { period_us: u64::from(poll_ms) * MILLI, answer_us: u64::from(answer_ms) * MILLI }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is asked before then.
    Resting(MonotonicMicros),
    /// A question is open; its answer is too late after then.
    Open(MonotonicMicros),
    /// A question went without an answer: quiet until the first, or at the latest until the second.
    Quieting(MonotonicMicros, MonotonicMicros),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask this now.
    Ask(Poll),
    /// Listen until then.
    Listen(MonotonicMicros),
}

/// The mind that asks one machine.
#[derive(Debug)]
pub(crate) struct Dialogue<I> {
    interviewer: I,
    pace: Pace,
    phase: Phase,
    asked: MonotonicMicros,
    /// Until when an answer to a question before may come that looks like one to any other.
    late_until: MonotonicMicros,
}

impl<I: Interviewer> Dialogue<I> {
    /// A dialogue that begins now.
    pub(crate) fn new(interviewer: I, pace: Pace, now: MonotonicMicros) -> Dialogue<I> {
        Dialogue { interviewer, pace, phase: Phase::Resting(now), asked: now, late_until: now }
    }

    /// What is to be done at this time.
    pub(crate) fn step(&mut self, now: MonotonicMicros, out: &mut Vec<Told>) -> Step {
        if let Phase::Open(until) = self.phase {
            if now < until {
                return Step::Listen(until);
            }
            self.interviewer.unanswered(out);
            self.phase = Phase::Quieting(now.plus(QUIET_US), now.plus(QUIET_WAIT_MAX_US));
            if !self.interviewer.tells_answers_apart() {
                self.late_until = self.asked.plus(LATE_TIMES * self.pace.answer_us);
            }
        }
        let until = match self.phase {
            Phase::Resting(until) | Phase::Open(until) => until,
            Phase::Quieting(quiet, at_most) => quiet.min(at_most).max(self.late_until),
        };
        if now < until {
            return Step::Listen(until);
        }
        self.phase = Phase::Open(now.plus(self.pace.answer_us));
        self.asked = now;
        Step::Ask(self.interviewer.ask())
    }

    /// Octets came.
    pub(crate) fn hear(&mut self, octets: &[u8], now: MonotonicMicros, out: &mut Vec<Told>) {
        match self.phase {
            Phase::Open(until) if now < until => {
                if self.interviewer.hear(octets, out) == Heard::Answered {
                    self.phase = Phase::Resting(self.asked.plus(self.pace.period_us));
                }
            }
            Phase::Quieting(_, at_most) => {
                self.phase = Phase::Quieting(now.plus(QUIET_US), at_most);
                self.interviewer.hear_unasked(octets, out);
            }
            Phase::Open(_) | Phase::Resting(_) => self.interviewer.hear_unasked(octets, out),
        }
    }
}

/// Asks and hands on what is answered until the port is lost.
pub(crate) async fn converse<P, I>(
    port: &mut AskingPort<P>,
    dialogue: &mut Dialogue<I>,
    outlet: &Outlet,
) -> Lost
where
    P: AsyncRead + AsyncWrite + Unpin,
    I: Interviewer,
{
    let mut buffer = [0; PORT_OCTETS_TAKEN_MAX];
    let mut told = Vec::new();
    loop {
        let now = clock::monotonic();
        match dialogue.step(now, &mut told) {
            Step::Ask(poll) => {
                outlet.tape(now, I::CHARACTERISTIC, Way::Request, &poll.octets());
                if let Err(lost) = port.ask(&poll).await {
                    return lost;
                }
            }
            Step::Listen(until) => {
                let wait = Duration::from_micros(until.since(now));
                match tokio::time::timeout(wait, port.hear(&mut buffer)).await {
                    Ok(Ok(octets)) => dialogue.hear(octets, clock::monotonic(), &mut told),
                    Ok(Err(lost)) => return lost,
                    // It is time for the next step.
                    Err(_) => {}
                }
            }
        }
        hand_on(outlet, I::CHARACTERISTIC, &mut told).await;
    }
}

/// Hands on what octets said.
async fn hand_on(outlet: &Outlet, characteristic: Characteristic, told: &mut Vec<Told>) {
    let at = clock::monotonic();
    for one in told.drain(..) {
        match one {
            Told::Value(value) => outlet.tell(at, value).await,
            Told::Frame(octets) => outlet.tape(at, characteristic, Way::Response, &octets),
            Told::Unreadable(why, octets) => outlet.unreadable(at, &why, &octets),
        }
    }
}
