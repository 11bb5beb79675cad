//! A short run.
