//! Fitness Machine Feature, 2ACC: what a machine says it can tell and be told.

use domain::signal::Capabilities;

use super::octets::{Cut, Octets};

/// Machine features in the order of their bits.
const MACHINE: [&str; 17] = [
    "average_speed",
    "cadence",
    "total_distance",
    "inclination",
    "elevation_gain",
    "pace",
    "step_count",
    "resistance_level",
    "stride_count",
    "expended_energy",
    "heart_rate_measurement",
    "metabolic_equivalent",
    "elapsed_time",
    "remaining_time",
    "power_measurement",
    "force_on_belt_and_power_output",
    "user_data_retention",
];

/// Target settings in the order of their bits.
const TARGET: [&str; 17] = [
    "speed",
    "inclination",
    "resistance",
    "power",
    "heart_rate",
    "targeted_expended_energy",
    "targeted_step_number",
    "targeted_stride_number",
    "targeted_distance",
    "targeted_training_time",
    "targeted_time_in_two_heart_rate_zones",
    "targeted_time_in_three_heart_rate_zones",
    "targeted_time_in_five_heart_rate_zones",
    "indoor_bike_simulation_parameters",
    "wheel_circumference",
    "spin_down_control",
    "targeted_cadence",
];

/// What was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Bits of machine features.
    pub machine: u32,
    /// Bits of target settings.
    pub target: Option<u32>,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

impl Feature {
    /// Machine feature: heart-rate measurement.
    pub const HEART_RATE: u32 = 1 << 10;

    /// Machine features that say whether a machine can report something. Speed needs none: every treadmill has it.
    pub const BY_CAPABILITY: [(Capabilities, u32); 5] = [
        (Capabilities::INCLINE, 1 << 3),
        (Capabilities::HEART_RATE_CONTACT, Feature::HEART_RATE),
        (Capabilities::ELAPSED, 1 << 12),
        (Capabilities::DISTANCE, 1 << 2),
        (Capabilities::BELT_FORCE, 1 << 15),
    ];

    /// Reads the octets.
    ///
    /// # Errors
    ///
    /// Only if the machine features are not whole.
    pub fn decode(octets: &[u8]) -> Result<Feature, Cut> {
        let mut octets = Octets::new(octets);
        let machine = octets.u32("machine");
        let machine = octets.head(machine)?;
        let target = octets.u32("target");
        Ok(Feature { machine, target, cut: octets.cut() })
    }

    /// Names of the machine features; reserved bits are ignored.
    pub fn machine_names(&self) -> Vec<&'static str> {
        names(self.machine, MACHINE)
    }

    /// Names of the target settings; reserved bits are ignored.
    pub fn target_names(&self) -> Option<Vec<&'static str>> {
        self.target.map(|bits| names(bits, TARGET))
    }
}

fn names<const N: usize>(bits: u32, of: [&'static str; N]) -> Vec<&'static str> {
    (0_u32..).zip(of).filter(|(bit, _)| bits & (1 << bit) != 0).map(|(_, name)| name).collect()
}
