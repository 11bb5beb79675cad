//! What each source delivers now: names, rates and newest values with their units.

mod listen;
mod tally;

pub use self::listen::{listen, record};
pub use self::tally::{Delivered, Found, Tally};
