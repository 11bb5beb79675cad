//! What a master asks, as overheard: the agent itself asks only what [`super::question`] has.

use super::answer::{Item, long_item};
use crate::ftms::octets::Cut;

/// Commands from this one on have no octets of their own.
const SHORT: u8 = 0x80;

/// One command of a master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// One octet.
    Short(u8),
    /// A command with octets of its own.
    Long(Item),
}

/// The contents of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Its commands.
    pub commands: Vec<Command>,
    /// Where the contents ended too early.
    pub cut: Option<Cut>,
}

impl Request {
    /// Reads contents.
    pub fn decode(contents: &[u8]) -> Request {
        let mut request = Request::default();
        let mut rest = contents;
        while let Some((command, after)) = rest.split_first() {
            if *command >= SHORT {
                request.commands.push(Command::Short(*command));
                rest = after;
                continue;
            }
            match long_item(*command, after) {
                Ok((item, after)) => {
                    request.commands.push(Command::Long(item));
                    rest = after;
                }
                Err(cut) => {
                    request.cut = Some(cut);
                    break;
                }
            }
        }
        request
    }

    /// Whether contents can only be, or are more likely to be, a request than an answer: nobody said which they are.
    pub fn is_likely(contents: &[u8]) -> bool {
        let asks = |octet: &u8| matches!(octet, 0x80 | 0x91..=0x9D | 0xA0..=0xB6);
        if !contents.is_empty() && contents.iter().all(asks) {
            return true;
        }
        let is_answer = super::answer::Answer::decode(contents).is_ok_and(|answer| answer.cut.is_none());
        !is_answer && Request::decode(contents).cut.is_none()
    }
}
