//! Where signals come from. A source is opened for reading; nothing here writes to a machine.

pub mod replay;
pub mod simulate;
