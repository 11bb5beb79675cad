//! Compaction, retention, damage: the history says the same before and after, and what is lost is named.

mod crashes;
mod damage;
mod given;
mod retention;
mod same;
mod sizes;
