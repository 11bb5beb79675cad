//! One machine to MQTT: sources, signals, spool, uplink. It only watches: nothing in here writes to a treadmill.

pub mod capture;
pub mod clock;
pub mod commission;
pub mod config;
pub mod csafe;
pub mod decode;
pub mod enrol;
pub mod ftms;
pub mod inspect;
pub mod modbus;
pub mod outbox;
pub mod probe;
pub mod recorder;
pub mod run;
pub mod running_speed;
pub mod source;
pub mod spool;
pub mod uplink;
