//! What listens to a machine. Of each source, one part makes signals of octets or edges and can be tested without a
//! port; the other opens the port and waits. No source has a way to move a belt.

pub mod asked;
pub mod biodex;
pub mod bluetooth;
pub mod contact;
pub mod csafe;
pub mod drive;
pub mod encoder;
pub mod exec;
pub mod gpio;
pub mod line;
pub mod outlet;
pub mod port;
mod reading;
pub mod replay;
pub mod settings;
pub mod simulate;
pub mod supervise;
pub mod tap;

use std::future::Future;
use std::pin::Pin;

use domain::signal::SourceSpec;

pub use outlet::Outlet;

/// Why a source cannot go on, in words for an operator: what was tried, and what the system said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// What [`Source::run`] gives.
pub type Running<'a> = Pin<Box<dyn Future<Output = Lost> + Send + 'a>>;

/// A source that listens to a real machine.
pub trait Source: Send + std::fmt::Debug {
    /// What is known of it before its port is open.
    fn spec(&self) -> SourceSpec;

    /// Opens the port, says so with [`Outlet::opened`], and hands on what it sees, until it cannot go on. It is called
    /// again after a pause. What it is dropped in the middle of leaves the port closed.
    fn run<'a>(&'a mut self, outlet: &'a Outlet) -> Running<'a>;
}
