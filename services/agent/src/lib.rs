//! One machine to MQTT: sources, signals, spool, uplink. It only watches: nothing in here writes to a treadmill.

pub mod capture;
pub mod clock;
pub mod decode;
pub mod ftms;
pub mod inspect;
pub mod outbox;
pub mod recorder;
pub mod run;
pub mod source;
pub mod spool;
pub mod uplink;
