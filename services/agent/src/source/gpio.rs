//! GPIO lines of the kernel: edges with the kernel's own times, and the loop that hands them to a mind.
//!
//! Lines are requested as inputs; nothing here can drive one.

mod kernel;
mod order;
pub(crate) mod taped;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::time::Duration;

use domain::signal::SignalValue;
use domain::units::MonotonicMicros;
use serde::{Deserialize, Serialize};

use super::{Lost, Outlet};

pub(super) use self::kernel::open;
pub use self::order::{Order, Ordered};

/// A line of a chip.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LineAddress {
    /// By its number on the chip.
    Number(u32),
    /// By the name that the board's makers gave it, as `GPIO17`.
    Name(String),
}

impl std::fmt::Display for LineAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LineAddress::Number(number) => write!(f, "{number}"),
            LineAddress::Name(name) => f.write_str(name),
        }
    }
}

/// What holds a line while nothing is connected to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// The chip pulls it up.
    #[default]
    PullUp,
    /// The chip pulls it down.
    PullDown,
    /// A resistor on the board.
    External,
}

/// Where lines are asked for when nothing else is said.
pub(super) fn first_chip() -> String {
    "/dev/gpiochip0".to_owned()
}

/// Which lines a source asks for, in the order in which it numbers them.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    /// Path, name or label of the chip.
    pub(super) chip: &'a str,
    pub(super) lines: Vec<&'a LineAddress>,
    pub(super) bias: Bias,
}

/// A line changed its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// When the kernel was interrupted.
    pub at: MonotonicMicros,
    /// The line's place in what was asked for.
    pub line: usize,
    /// Its new level.
    pub is_high: bool,
    /// The kernel's number of this edge among those of all lines asked for; the next one has the next number.
    pub number: u32,
}

/// Something that a mind has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// When it was so.
    pub at: MonotonicMicros,
    /// What was so.
    pub value: SignalValue,
}

/// What makes signals of edges.
pub trait LineMind {
    /// Takes an edge. What there is to say is said now.
    fn edge(&mut self, edge: &Edge, told: &mut Vec<Told>);

    /// Takes the levels of all lines, as they were read at `now`.
    fn levels(&mut self, levels: &[bool], now: MonotonicMicros, told: &mut Vec<Told>);

    /// Whether it wants the levels read before the next [`LineMind::tick`].
    fn wants_levels(&self) -> bool;

    /// Lets time pass; all edges up to now have been seen.
    fn tick(&mut self, now: MonotonicMicros, told: &mut Vec<Told>);

    /// When it wants time to pass next.
    fn due(&self) -> MonotonicMicros;

    /// How long an edge may lie with the kernel before it is taken: nothing, unless what is made of edges is told at
    /// times of its own and they come by the thousand.
    fn patience(&self) -> Duration;

    /// How many edges the kernel had no room for, so far.
    fn lost(&self) -> u64;
}

/// Lines that are open.
pub(super) trait LineStream: Send {
    /// Waits until there are edges. It may be dropped while it waits.
    fn readable(&mut self) -> impl Future<Output = Result<(), Lost>> + Send;

    /// Takes what edges there are, oldest first, without waiting.
    fn take(&mut self, edges: &mut Vec<Edge>) -> Result<(), Lost>;

    /// The level of each line now.
    fn levels(&mut self) -> Result<Vec<bool>, Lost>;

    /// The time now.
    fn now(&self) -> MonotonicMicros;
}

/// Hands edges to a mind and what it says to the outlet, until the lines are gone.
///
/// An edge goes from the kernel to the outlet without a timer in between, unless the mind has patience: else timers only
/// let time pass.
pub(super) async fn watch(
    lines: &mut impl LineStream,
    mind: &mut (impl LineMind + Send),
    outlet: &Outlet,
) -> Lost {
    let (mut edges, mut told) = (Vec::new(), Vec::new());
    loop {
        let waited = wait(lines, mind).await;
        // Up to this moment all edges are taken; the next ones come while these are handed on.
        let now = lines.now();
        let taken = waited.and_then(|()| lines.take(&mut edges));
        taped::tape_edges(outlet, now, &edges);
        let lost_before = mind.lost();
        for edge in edges.drain(..) {
            mind.edge(&edge, &mut told);
        }
        tell(&mut told, outlet).await;
        if let Err(lost) = taken {
            return lost;
        }
        if mind.due() <= now {
            if mind.wants_levels() {
                match lines.levels() {
                    Ok(levels) => {
                        taped::tape_levels(outlet, now, &levels);
                        mind.levels(&levels, now, &mut told);
                    }
                    Err(lost) => return lost,
                }
            }
            mind.tick(now, &mut told);
            tell(&mut told, outlet).await;
        }
        let lost = mind.lost().saturating_sub(lost_before);
        if lost > 0 {
            outlet.unreadable(
                now,
                &format!("{lost} edges came faster than they were taken, and are lost"),
                &[],
            );
        }
    }
}

/// Waits until there are edges to be taken, or the mind wants time to pass.
async fn wait(lines: &mut impl LineStream, mind: &impl LineMind) -> Result<(), Lost> {
    let (pause, patience) = (Duration::from_micros(mind.due().since(lines.now())), mind.patience());
    if !patience.is_zero() {
        tokio::time::sleep(pause.min(patience)).await;
        return Ok(());
    }
    tokio::select! {
        biased;
        readable = lines.readable() => readable,
        () = tokio::time::sleep(pause) => Ok(()),
    }
}

async fn tell(told: &mut Vec<Told>, outlet: &Outlet) {
    for Told { at, value } in told.drain(..) {
        outlet.tell(at, value).await;
    }
}
