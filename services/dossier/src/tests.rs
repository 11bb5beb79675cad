//! A dossier as a server makes it, and what can be done to it.

mod changed;
mod forged;
mod whole;
mod world;
