//! How well the rules of incidents find what really happens: simulated machines whose truth is known, seen through
//! sources with their noise, delays and silences, delivered with faults, and judged by the real rules.

pub mod belt;
pub mod delivery;
pub mod document;
pub mod episodes;
pub mod month;
pub mod normal;
pub mod player;
pub mod run;
pub mod score;
pub mod source;
pub mod stage;
pub mod statistics;
pub mod tally;
