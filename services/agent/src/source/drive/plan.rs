//! What is read from a drive and what it means: of the table, or of settings.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::table::Entry;
use crate::modbus::Registers;

/// Bits of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// Bits that are looked at.
    pub mask: u16,
    /// What they have to be.
    pub value: u16,
}

impl Match {
    fn holds(self, register: u16) -> bool {
        register & self.mask == self.value
    }
}

/// Whether a drive turns its motor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motion {
    /// It does not.
    Standing,
    /// It does, or is slowing it down.
    Driving,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Electrically forward.
    Forward,
    /// Electrically in reverse.
    Reverse,
    /// From one to the other; which of them the motor has at this moment is not said.
    Changing,
}

/// How a drive tells a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Bits of the status.
    Status(Match),
    /// A register that is not 0.
    Code(u16),
}

/// What a count of the frequency is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// Without a sign.
    Unsigned {
        /// One count.
        millihertz: u32,
    },
    /// With a sign that says nothing more than the direction bit.
    Signed {
        /// One count.
        millihertz: u32,
    },
}

/// Where the frequency is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frequency {
    pub(super) register: u16,
    pub(super) scale: Scale,
}

impl Frequency {
    /// In millihertz.
    pub(super) fn millihertz(self, raw: u16) -> u64 {
        match self.scale {
            Scale::Unsigned { millihertz } => u64::from(raw) * u64::from(millihertz),
            Scale::Signed { millihertz } => {
                let signed = i16::from_ne_bytes(raw.to_ne_bytes());
                u64::from(signed.unsigned_abs()) * u64::from(millihertz)
            }
        }
    }
}

/// Registers that are read in one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) register: u16,
    pub(super) count: u8,
}

impl Block {
    pub(super) const fn new(register: u16, count: u8) -> Block {
        Block { register, count }
    }
}

/// Registers of a drive that is not in the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// "holding" (function 3) or "input" (function 4).
    #[serde(default)]
    pub registers: Registers,
    /// The status register, as the address on the line.
    pub status: u16,
    /// When the status says that the motor is driven.
    pub running: Match,
    /// When it says that it is not.
    pub stopped: Match,
    /// When it says forward.
    pub forward: Match,
    /// When it says reverse.
    pub reverse: Match,
    /// When it says fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Match>,
    /// A register that is not 0 if there is a fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_code: Option<u16>,
    /// The register of the output frequency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency: Option<u16>,
    /// What one count of it is worth, in millihertz.
    #[serde(default = "millihertz")]
    pub millihertz: u32,
}

fn millihertz() -> u32 {
    10
}

/// What the table of registers means.
pub(super) const COMMENT_CUSTOM: &str = "Registers as addresses on the line: `registers` is \"holding\" or \"input\"; \
    `running`, `stopped`, `forward`, `reverse` and perhaps `fault` are bits of `status`; `fault_code` is a register that \
    is not 0 if there is a fault; a count of `frequency` is so many `millihertz`.";

/// Registers as they might be.
pub(super) fn example_custom() -> Custom {
    Custom {
        registers: Registers::Holding,
        status: 0x2101,
        running: Match { mask: 2, value: 2 },
        stopped: Match { mask: 2, value: 0 },
        forward: Match { mask: 4, value: 0 },
        reverse: Match { mask: 4, value: 4 },
        fault: Some(Match { mask: 8, value: 8 }),
        fault_code: Some(0x2100),
        frequency: Some(0x2103),
        millihertz: millihertz(),
    }
}

/// What is read from a drive and what it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) registers: Registers,
    pub(super) blocks: Vec<Block>,
    pub(super) status: u16,
    motions: Vec<(Match, Motion)>,
    turns: Vec<(Match, Turn)>,
    pub(super) faults: Vec<Fault>,
    pub(super) frequency: Option<Frequency>,
}

impl Plan {
    /// Of a drive of the table.
    pub(super) fn of_table(entry: &Entry) -> Plan {
        Plan {
            registers: entry.registers,
            blocks: entry.blocks.to_vec(),
            status: entry.status,
            motions: entry.motions.to_vec(),
            turns: entry.turns.to_vec(),
            faults: entry.faults.to_vec(),
            frequency: Some(entry.frequency),
        }
    }

    /// Of settings.
    ///
    /// # Errors
    ///
    /// If they contradict themselves: field, value, what is allowed.
    pub(super) fn of_custom(custom: &Custom) -> Result<Plan, String> {
        for (field, bits) in [
            ("running", Some(custom.running)),
            ("stopped", Some(custom.stopped)),
            ("forward", Some(custom.forward)),
            ("reverse", Some(custom.reverse)),
            ("fault", custom.fault),
        ] {
            check_match(field, bits)?;
        }
        for (one, other, names) in [
            (custom.running, custom.stopped, "running and stopped"),
            (custom.forward, custom.reverse, "forward and reverse"),
        ] {
            // Some status would match both, unless a bit that both look at differs.
            if (one.value ^ other.value) & one.mask & other.mask == 0 {
                return Err(format!("custom.{names} can hold at once: they need a bit in which they differ"));
            }
        }
        if !(1..=10_000).contains(&custom.millihertz) {
            return Err(format!("custom.millihertz is {}: 1 to 10000 is allowed", custom.millihertz));
        }
        let registers = [Some(custom.status), custom.fault_code, custom.frequency];
        let scale = Scale::Unsigned { millihertz: custom.millihertz };
        let mut faults: Vec<Fault> = custom.fault.map(Fault::Status).into_iter().collect();
        faults.extend(custom.fault_code.map(Fault::Code));
        Ok(Plan {
            registers: custom.registers,
            blocks: blocks(registers.into_iter().flatten().collect()),
            status: custom.status,
            motions: vec![(custom.stopped, Motion::Standing), (custom.running, Motion::Driving)],
            turns: vec![(custom.forward, Turn::Forward), (custom.reverse, Turn::Reverse)],
            faults,
            frequency: custom.frequency.map(|register| Frequency { register, scale }),
        })
    }

    /// Whether the length of an answer shows which registers it tells. Nothing else in it does.
    pub(super) fn tells_answers_apart(&self) -> bool {
        let counts: BTreeSet<u8> = self.blocks.iter().map(|block| block.count).collect();
        counts.len() == self.blocks.len()
    }

    /// What a status says of motion; `None`: it is not known.
    pub(super) fn motion(&self, status: u16) -> Option<Motion> {
        self.motions.iter().find(|(bits, _)| bits.holds(status)).map(|(_, motion)| *motion)
    }

    /// What a status says of direction; `None`: nothing that is known.
    pub(super) fn turn(&self, status: u16) -> Option<Turn> {
        self.turns.iter().find(|(bits, _)| bits.holds(status)).map(|(_, turn)| *turn)
    }
}

impl Fault {
    /// Whether a status says so.
    pub(super) fn is_in(self, status: u16) -> bool {
        match self {
            Fault::Status(bits) => bits.holds(status),
            Fault::Code(_) => false,
        }
    }
}

fn check_match(field: &str, bits: Option<Match>) -> Result<(), String> {
    let Some(Match { mask, value }) = bits else { return Ok(()) };
    if mask == 0 {
        return Err(format!("custom.{field}.mask is 0: at least one bit is needed"));
    }
    if value & !mask != 0 {
        return Err(format!("custom.{field}.value is {value}: only bits of its mask {mask} are allowed"));
    }
    Ok(())
}

/// Registers that follow each other are one question; those between that nobody named are never read.
fn blocks(mut registers: Vec<u16>) -> Vec<Block> {
    registers.sort_unstable();
    registers.dedup();
    let mut blocks: Vec<Block> = Vec::new();
    for register in registers {
        match blocks.last_mut() {
            Some(block) if block.register.checked_add(u16::from(block.count)) == Some(register) => {
                block.count += 1;
            }
            Some(_) | None => blocks.push(Block::new(register, 1)),
        }
    }
    blocks
}
