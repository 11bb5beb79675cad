//! Drives whose registers are known. "Forward" here is the motor's electrical rotation.
//!
//! Not in the table, because their manuals' excerpts give no address or no frequency: Megmeet MV300 (status word 1: bit 2
//! direction, bit 5 fault, p. 243), Mitsubishi 700 (p. 136), Simphoenix E500, Toshiba G3 (own protocol, direction bit the
//! other way round). With the addresses from the machine's own manual they are `custom`.

use serde::{Deserialize, Serialize};

use super::plan::{Block, Fault, Frequency, Match, Motion, Scale, Turn};
use crate::modbus::Registers;

/// A drive of the table, or one whose registers are in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Delta MS300 and VFD-ED.
    #[serde(rename = "delta-ms300")]
    DeltaMs300,
    /// AutomationDirect DURApulse GS4.
    #[serde(rename = "gs4")]
    Gs4,
    /// INVT Goodrive 20, 100, 200 and 300.
    InvtGoodrive,
    /// Eaton M-Max.
    EatonMMax,
    /// A drive that is not in the table.
    Custom,
}

/// What is known of one drive.
#[derive(Debug)]
pub(super) struct Entry {
    model: Model,
    pub(super) registers: Registers,
    /// What is read in one question each.
    pub(super) blocks: &'static [Block],
    pub(super) status: u16,
    /// The first that matches the status counts; a status that none matches is not known.
    pub(super) motions: &'static [(Match, Motion)],
    pub(super) turns: &'static [(Match, Turn)],
    pub(super) faults: &'static [Fault],
    pub(super) frequency: Frequency,
    /// Where this was read.
    pub(super) origin: &'static str,
}

const fn bits(mask: u16, value: u16) -> Match {
    Match { mask, value }
}

/// Bits 1 and 0 of Delta's status and of those made after it.
const DELTA_MOTIONS: &[(Match, Motion)] = &[
    (bits(0x0003, 0x0000), Motion::Standing),
    (bits(0x0003, 0x0001), Motion::Driving),
    (bits(0x0003, 0x0002), Motion::Standing),
    (bits(0x0003, 0x0003), Motion::Driving),
];
/// Bits 4 and 3. The two codes between are told while a drive changes from one direction to the other.
const DELTA_TURNS: &[(Match, Turn)] = &[
    (bits(0x0018, 0x0000), Turn::Forward),
    (bits(0x0018, 0x0008), Turn::Changing),
    (bits(0x0018, 0x0010), Turn::Changing),
    (bits(0x0018, 0x0018), Turn::Reverse),
];

/// The table.
pub(super) const TABLE: [Entry; 4] = [
    Entry {
        model: Model::DeltaMs300,
        registers: Registers::Holding,
        blocks: &[Block::new(0x2119, 1), Block::new(0x2100, 4)],
        status: 0x2119,
        motions: DELTA_MOTIONS,
        turns: DELTA_TURNS,
        // The low octet is a fault, the high one a warning.
        faults: &[Fault::Code(0x2100)],
        frequency: Frequency { register: 0x2103, scale: Scale::Unsigned { millihertz: 10 } },
        origin: "Delta MS300 manual, appendix A Modbus protocol, p. 799; Delta VFD-ED manual, p. 440-441",
    },
    Entry {
        model: Model::Gs4,
        registers: Registers::Holding,
        blocks: &[Block::new(0x2100, 4)],
        status: 0x2101,
        motions: DELTA_MOTIONS,
        turns: DELTA_TURNS,
        faults: &[Fault::Code(0x2100)],
        frequency: Frequency { register: 0x2103, scale: Scale::Unsigned { millihertz: 100 } },
        origin: "AutomationDirect DURApulse GS4 manual, 1st ed. rev. A, p. 5-7",
    },
    Entry {
        model: Model::InvtGoodrive,
        registers: Registers::Holding,
        blocks: &[Block::new(0x2100, 3), Block::new(0x3000, 1)],
        status: 0x2100,
        // 3 and 6 are from the manuals; 1, 2 and 4 by analogy with the command register: to be proven at commissioning.
        motions: &[
            (bits(0xFFFF, 1), Motion::Driving),
            (bits(0xFFFF, 2), Motion::Driving),
            (bits(0xFFFF, 3), Motion::Standing),
            (bits(0xFFFF, 4), Motion::Standing),
            (bits(0xFFFF, 6), Motion::Standing),
        ],
        turns: &[(bits(0xFFFF, 1), Turn::Forward), (bits(0xFFFF, 2), Turn::Reverse)],
        faults: &[Fault::Status(bits(0xFFFF, 4)), Fault::Code(0x2102)],
        frequency: Frequency { register: 0x3000, scale: Scale::Unsigned { millihertz: 10 } },
        origin: "INVT Goodrive 100 manual p. 167, Goodrive 20-EU p. 143, Goodrive 200L p. 158, Goodrive 300 p. 224",
    },
    Entry {
        model: Model::EatonMMax,
        registers: Registers::Holding,
        // A register's address on the line is its ID less one: the manual's example asks 0838H for ID 2105.
        blocks: &[Block::new(2_100, 4)],
        status: 2_100,
        motions: &[(bits(0x0002, 0x0000), Motion::Standing), (bits(0x0002, 0x0002), Motion::Driving)],
        turns: &[(bits(0x0004, 0x0000), Turn::Forward), (bits(0x0004, 0x0004), Turn::Reverse)],
        faults: &[Fault::Status(bits(0x0008, 0x0008))],
        frequency: Frequency { register: 2_103, scale: Scale::Signed { millihertz: 10 } },
        origin: "Eaton M-Max manual MN04020003E, October 2013, p. 138-140",
    },
];

impl Model {
    /// Its row; `None`: its registers are in the settings.
    pub(super) fn entry(self) -> Option<&'static Entry> {
        TABLE.iter().find(|entry| entry.model == self)
    }
}
