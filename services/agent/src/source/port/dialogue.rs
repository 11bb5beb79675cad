//! Asking and being answered: one question at a time, at most ten a second, and no answer taken for another one's.
//!
//! After a question without an answer the line has to be quiet for a while, and what comes meanwhile is late. So the next
//! question does not get the answer of the one before.

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

/// Least time between two questions, in milliseconds: ten a second.
pub(crate) const POLL_MS_MIN: u32 = 100;
/// Most time between two questions, in milliseconds.
const POLL_MS_MAX: u32 = 10_000;
/// How long a line has to be quiet after a question without an answer.
const QUIET_US: u64 = 500 * MILLI;
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
    /// What its frames are in a recording; `None`: the format of captures has no word for them.
    const CHARACTERISTIC: Option<Characteristic>;

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

/// Whether `poll_ms` and `answer_ms` are allowed.
pub(crate) fn check_pace(poll_ms: u32, answer_ms: u32) -> Result<(), String> {
    if !(POLL_MS_MIN..=POLL_MS_MAX).contains(&poll_ms) {
        return Err(format!("poll_ms is {poll_ms}: {POLL_MS_MIN} to {POLL_MS_MAX} is allowed"));
    }
    if !(50..=10_000).contains(&answer_ms) {
        return Err(format!("answer_ms is {answer_ms}: 50 to 10000 is allowed"));
    }
    Ok(())
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
}

impl<I: Interviewer> Dialogue<I> {
    /// A dialogue that begins now.
    pub(crate) fn new(interviewer: I, pace: Pace, now: MonotonicMicros) -> Dialogue<I> {
        Dialogue { interviewer, pace, phase: Phase::Resting(now), asked: now }
    }

    /// What is to be done at this time.
    pub(crate) fn step(&mut self, now: MonotonicMicros, out: &mut Vec<Told>) -> Step {
        if let Phase::Open(until) = self.phase {
            if now < until {
                return Step::Listen(until);
            }
            self.interviewer.unanswered(out);
            self.phase = Phase::Quieting(now.plus(QUIET_US), now.plus(QUIET_WAIT_MAX_US));
        }
        let until = match self.phase {
            Phase::Resting(until) | Phase::Open(until) => until,
            Phase::Quieting(quiet, at_most) => quiet.min(at_most),
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
                if let Some(characteristic) = I::CHARACTERISTIC {
                    outlet.tape(now, characteristic, Way::Request, &poll.octets());
                }
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
        let characteristic = I::CHARACTERISTIC.map(|characteristic| (characteristic, Way::Response));
        hand_on(outlet, characteristic, &mut told).await;
    }
}

/// Hands on what octets said.
pub(crate) async fn hand_on(outlet: &Outlet, taped: Option<(Characteristic, Way)>, told: &mut Vec<Told>) {
    let at = clock::monotonic();
    for one in told.drain(..) {
        match one {
            Told::Value(value) => outlet.tell(at, value).await,
            Told::Frame(octets) => {
                if let Some((characteristic, way)) = taped {
                    outlet.tape(at, characteristic, way, &octets);
                }
            }
            Told::Unreadable(why, octets) => outlet.unreadable(at, &why, &octets),
        }
    }
}
