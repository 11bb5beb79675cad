//! The composition: the service and the operator's commands, as parts that tests can use too.

pub mod bench;
pub mod broker;
pub mod client;
pub mod command;
pub mod config;
pub mod demo;
pub mod failure;
pub mod keeping;
pub mod keys;
pub mod log;
pub mod mosquitto;
pub mod operator;
pub mod quantity;
pub mod serve;
pub mod table;
pub mod tls;
pub mod words;
pub mod year;
