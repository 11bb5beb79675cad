//! What is read of a machine and what is listened to. There is no way to name anything that is written.

use crate::capture;
use crate::ftms;

/// The fitness machine service.
pub(super) const FITNESS_MACHINE: u16 = 0x1826;
/// The running speed and cadence service.
pub(super) const RUNNING_SPEED: u16 = 0x1814;
/// The heart rate service.
pub(super) const HEART_RATE: u16 = 0x180D;

/// A characteristic that frames are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// One of the fitness machine service.
    Ftms(ftms::Characteristic),
    /// 2A53
    RunningSpeed,
    /// 2A37
    HeartRate,
}

impl Heard {
    /// Its assigned number.
    pub(super) fn number(self) -> u16 {
        match self {
            Heard::Ftms(ftms::Characteristic::Treadmill) => 0x2ACD,
            Heard::Ftms(ftms::Characteristic::Status) => 0x2ADA,
            Heard::Ftms(ftms::Characteristic::Training) => 0x2AD3,
            Heard::Ftms(ftms::Characteristic::Feature) => 0x2ACC,
            Heard::Ftms(ftms::Characteristic::SpeedRange) => 0x2AD4,
            Heard::Ftms(ftms::Characteristic::InclinationRange) => 0x2AD5,
            Heard::Ftms(ftms::Characteristic::ControlPoint) => 0x2AD9,
            Heard::RunningSpeed => 0x2A53,
            Heard::HeartRate => 0x2A37,
        }
    }

    /// Its assigned number, as documents write it.
    pub(super) fn words(self) -> String {
        format!("{:04X}", self.number())
    }

    /// The service that it is in.
    pub(super) fn service(self) -> u16 {
        match self {
            Heard::Ftms(_) => FITNESS_MACHINE,
            Heard::RunningSpeed => RUNNING_SPEED,
            Heard::HeartRate => HEART_RATE,
        }
    }

    /// As what its frames are recorded. Heart rates are personal and are not.
    pub(super) fn recorded(self) -> Option<capture::Characteristic> {
        match self {
            Heard::Ftms(characteristic) => Some(capture::Characteristic::Ftms(characteristic)),
            Heard::RunningSpeed => Some(capture::Characteristic::RunningSpeedCadence),
            Heard::HeartRate => None,
        }
    }
}

/// What is to be had of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The service without which it is the wrong machine.
    pub(super) service: u16,
    /// What is read once, and whether nothing can be said without it.
    pub(super) read: Vec<(Heard, Need)>,
    /// What is listened to, in the order in which that is begun.
    pub(super) listen: Vec<(Heard, Need)>,
}

/// Whether something has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Without it nothing can be said.
    Must,
    /// It is used if it is there.
    May,
}

/// A UUID of the Bluetooth base in full, as bluetoothd writes it.
pub(super) fn uuid(short: u16) -> String {
    format!("0000{short:04x}-0000-1000-8000-00805f9b34fb")
}
