//! Encoders and contacts, played from edge files.
//!
//! The files are made: a simulated belt and simulated contacts wrote them. `cargo test -p beltwatch-agent --test gpio --
//! --ignored` writes them anew.

mod belt;
mod captures;
mod contact;
mod encoder;
mod play;
mod random;
