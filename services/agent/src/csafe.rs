//! CSAFE, the serial protocol of gym machines: frames, requests that ask, and answers.
//!
//! A master polls and the machine answers. A frame is `F1`, contents, a checksum and `F2`; the extended one begins with
//! `F0` and two addresses. Sources: the public description "Communications Specification for Fitness Equipment", Precor's
//! list of commands, and the log of a real machine in qdomyos-zwift's issue 1045. No command of the protocol tells a
//! direction, an emergency stop or a safety key.
//!
//! What the agent can ask is [`question::Question`]; commands that set or start something are not in there.

pub mod answer;
pub mod frame;
pub mod question;
pub mod request;
pub mod unit;

#[cfg(test)]
mod tests;
