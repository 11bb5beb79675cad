//! The composition: the service and the operator's commands, as parts that tests can use too.

pub mod broker;
pub mod client;
pub mod command;
pub mod failure;
pub mod table;
pub mod words;
