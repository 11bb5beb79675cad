//! What a machine answers: a status octet, then command, count and octets for each command that it knows.

use super::unit::Unit;
use crate::ftms::octets::Cut;

/// The status octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status(pub u8);

/// What became of the frame before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Previous {
    /// It was good.
    Ok,
    /// It was refused.
    Reject,
    /// It could not be read.
    Bad,
    /// The machine was not ready.
    NotReady,
}

/// State of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A fault; the error code says which.
    Error,
    /// Ready.
    Ready,
    /// Idle.
    Idle,
    /// Somebody has given an identity.
    HaveId,
    /// In use: the belt may move.
    InUse,
    /// Paused.
    Paused,
    /// Finished.
    Finished,
    /// In use without a master's control.
    Manual,
    /// Off line.
    Offline,
    /// Not in the specification; the value as sent.
    Reserved(u8),
}

impl Status {
    /// The bit that changes with every frame that the machine takes: twice the same is the same answer again.
    pub fn toggle(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// What became of the frame before.
    pub fn previous(self) -> Previous {
        match self.0 >> 4 & 3 {
            0 => Previous::Ok,
            1 => Previous::Reject,
            2 => Previous::Bad,
            _ => Previous::NotReady,
        }
    }

    /// The state.
    pub fn state(self) -> State {
        match self.0 & 0x0F {
            0 => State::Error,
            1 => State::Ready,
            2 => State::Idle,
            3 => State::HaveId,
            5 => State::InUse,
            6 => State::Paused,
            7 => State::Finished,
            8 => State::Manual,
            9 => State::Offline,
            other => State::Reserved(other),
        }
    }
}

impl Previous {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Previous::Ok => "ok",
            Previous::Reject => "reject",
            Previous::Bad => "bad",
            Previous::NotReady => "not_ready",
        }
    }
}

impl State {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            State::Error => "error",
            State::Ready => "ready",
            State::Idle => "idle",
            State::HaveId => "have_id",
            State::InUse => "in_use",
            State::Paused => "paused",
            State::Finished => "finished",
            State::Manual => "manual",
            State::Offline => "offline",
            State::Reserved(_) => "reserved",
        }
    }
}

/// What was answered to one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The command.
    pub command: u8,
    /// What belongs to it.
    pub octets: Vec<u8>,
}

impl Item {
    /// A value of two octets, low one first, and its unit; `None`: the item has another length.
    pub fn measure(&self) -> Option<(u16, Unit)> {
        match self.octets.as_slice() {
            [low, high, unit] => Some((u16::from_le_bytes([*low, *high]), Unit(*unit))),
            _ => None,
        }
    }
}

/// The contents of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status octet.
    pub status: Status,
    /// What was answered. Commands that the machine does not know are missing.
    pub items: Vec<Item>,
    /// Where the contents ended too early.
    pub cut: Option<Cut>,
}

impl Answer {
    /// Reads contents.
    ///
    /// # Errors
    ///
    /// Only if there is no octet at all.
    pub fn decode(contents: &[u8]) -> Result<Answer, Cut> {
        let (status, rest) = contents.split_first().ok_or(Cut { field: "status", needs: 1, has: 0 })?;
        let mut answer = Answer { status: Status(*status), items: Vec::new(), cut: None };
        let mut rest = rest;
        while let Some((command, after)) = rest.split_first() {
            match long_item(*command, after) {
                Ok((item, after)) => {
                    answer.items.push(item);
                    rest = after;
                }
                Err(cut) => {
                    answer.cut = Some(cut);
                    break;
                }
            }
        }
        Ok(answer)
    }
}

/// A command with its count and octets, and what comes after.
pub(super) fn long_item(command: u8, after: &[u8]) -> Result<(Item, &[u8]), Cut> {
    let (count, after) = after.split_first().ok_or(Cut { field: "count", needs: 1, has: 0 })?;
    let count = usize::from(*count);
    match after.split_at_checked(count) {
        Some((octets, after)) => Ok((Item { command, octets: octets.to_vec() }, after)),
        None => Err(Cut { field: "octets of a command", needs: count, has: after.len() }),
    }
}
