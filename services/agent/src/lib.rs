//! One machine to MQTT: sources, signals, spool, uplink. It only watches: nothing in here writes to a treadmill.

pub mod capture;
pub mod decode;
pub mod ftms;
pub mod source;
