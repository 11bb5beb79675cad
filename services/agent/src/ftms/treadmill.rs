//! Treadmill Data, 2ACD: flags, then the fields in the order of their bits.

use super::octets::{Cut, Octets, Reported};

/// Flag bits that no version of the specification uses.
pub const FLAGS_RESERVED: u16 = 0xE000;
/// Flag bit that some vendors set when they append a u24 step count.
pub const FLAG_VENDOR_STEPS: u16 = 1 << 13;

const FLAG_MORE: u16 = 1;
const FLAG_INSTANTANEOUS_PACE: u16 = 1 << 5;
const FLAG_AVERAGE_PACE: u16 = 1 << 6;

/// How many octets a pace field takes: 1 in the first texts (0.1 km/min), 2 in the newer ones (s per 500 m).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PaceWidth {
    /// As the definition of 2017 has it, and as most machines in the field send it.
    #[default]
    OneOctet,
    /// As the newer definition has it.
    TwoOctets,
}

/// One notification, or several that were put together to a whole. `None`: the frame has no such field, or it
/// ended before. Numbers are as sent, in the unit of their name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Treadmill {
    /// Flags as sent; of a whole: of all its parts, with bit 0 clear.
    pub flags: u16,
    /// Speed, without sign, in 0.01 km/h. Absent when bit 0 is set.
    pub speed: Option<u16>,
    /// Average speed in 0.01 km/h.
    pub average_speed: Option<u16>,
    /// Total distance in metres.
    pub distance_m: Option<u32>,
    /// Inclination in 0.1 %.
    pub inclination: Option<Reported<i16>>,
    /// Ramp angle in 0.1 degrees.
    pub ramp_angle: Option<Reported<i16>>,
    /// Positive elevation gain in 0.1 m. Vendors send 7FFF or FFFF for "none"; the specification defines none.
    pub elevation_gain_positive: Option<u16>,
    /// Negative elevation gain in 0.1 m, likewise.
    pub elevation_gain_negative: Option<u16>,
    /// Instantaneous pace; its unit depends on its width.
    pub instantaneous_pace: Option<u16>,
    /// Average pace, likewise.
    pub average_pace: Option<u16>,
    /// Total energy in kcal.
    pub energy_kcal: Option<Reported<u16>>,
    /// Energy per hour in kcal.
    pub energy_per_hour_kcal: Option<Reported<u16>>,
    /// Energy per minute in kcal.
    pub energy_per_minute_kcal: Option<Reported<u8>>,
    /// Heart rate in beats a minute; 0 is used for "no reading".
    pub heart_rate_bpm: Option<u8>,
    /// Metabolic equivalent in 0.1.
    pub metabolic_equivalent: Option<u8>,
    /// Elapsed time in seconds.
    pub elapsed_s: Option<u16>,
    /// Remaining time in seconds.
    pub remaining_s: Option<u16>,
    /// Force on the belt in newtons; positive: the user drives the belt. It says nothing of the belt's direction.
    pub force_on_belt_n: Option<Reported<i16>>,
    /// Power output in watts.
    pub power_output_w: Option<Reported<i16>>,
    /// The u24 that some vendors append and announce with reserved bit 13; mostly a step count.
    pub vendor_steps: Option<u32>,
    /// Octets after the known fields, those of the vendor among them.
    pub trailing: Vec<u8>,
    /// Where the frame ended too early.
    pub cut: Option<Cut>,
}

impl Treadmill {
    /// Reads a frame. `otherwise` is the pace width where the length of the frame does not tell it.
    ///
    /// # Errors
    ///
    /// Only if the flags themselves are not whole.
    pub fn decode(octets: &[u8], otherwise: PaceWidth) -> Result<Treadmill, Cut> {
        let width = match octets.first_chunk() {
            Some(flags) => pace_width(u16::from_le_bytes(*flags), octets.len(), otherwise),
            None => otherwise,
        };
        Treadmill::decode_with(octets, width)
    }

    /// Reads a frame whose pace width is known.
    ///
    /// # Errors
    ///
    /// Only if the flags themselves are not whole.
    pub fn decode_with(octets: &[u8], width: PaceWidth) -> Result<Treadmill, Cut> {
        let mut octets = Octets::new(octets);
        let flags = octets.u16("flags");
        let flags = octets.head(flags)?;
        let mut frame = Treadmill { flags, ..Treadmill::default() };
        frame.read_motion(&mut octets, width);
        frame.read_person(&mut octets);
        frame.trailing = octets.rest().to_vec();
        if frame.has(FLAG_VENDOR_STEPS) {
            let appended = octets.rest().first_chunk::<3>();
            frame.vendor_steps = appended.map(|[a, b, c]| u32::from_le_bytes([*a, *b, *c, 0]));
        }
        frame.cut = octets.cut();
        Ok(frame)
    }

    /// Bits 0 to 6.
    fn read_motion(&mut self, octets: &mut Octets<'_>, width: PaceWidth) {
        if !self.more() {
            self.speed = octets.u16("instantaneous_speed");
        }
        if self.has(1 << 1) {
            self.average_speed = octets.u16("average_speed");
        }
        if self.has(1 << 2) {
            self.distance_m = octets.u24("total_distance");
        }
        if self.has(1 << 3) {
            self.inclination = octets.i16("inclination").map(|raw| Reported::unless(raw, i16::MAX));
            self.ramp_angle = octets.i16("ramp_angle").map(|raw| Reported::unless(raw, i16::MAX));
        }
        if self.has(1 << 4) {
            self.elevation_gain_positive = octets.u16("positive_elevation_gain");
            self.elevation_gain_negative = octets.u16("negative_elevation_gain");
        }
        let mut pace = |field| match width {
            PaceWidth::OneOctet => octets.u8(field).map(u16::from),
            PaceWidth::TwoOctets => octets.u16(field),
        };
        if self.has(FLAG_INSTANTANEOUS_PACE) {
            self.instantaneous_pace = pace("instantaneous_pace");
        }
        if self.has(FLAG_AVERAGE_PACE) {
            self.average_pace = pace("average_pace");
        }
    }

    /// Bits 7 to 12.
    fn read_person(&mut self, octets: &mut Octets<'_>) {
        if self.has(1 << 7) {
            self.energy_kcal = octets.u16("total_energy").map(|raw| Reported::unless(raw, u16::MAX));
            self.energy_per_hour_kcal =
                octets.u16("energy_per_hour").map(|raw| Reported::unless(raw, u16::MAX));
            self.energy_per_minute_kcal =
                octets.u8("energy_per_minute").map(|raw| Reported::unless(raw, u8::MAX));
        }
        if self.has(1 << 8) {
            self.heart_rate_bpm = octets.u8("heart_rate");
        }
        if self.has(1 << 9) {
            self.metabolic_equivalent = octets.u8("metabolic_equivalent");
        }
        if self.has(1 << 10) {
            self.elapsed_s = octets.u16("elapsed_time");
        }
        if self.has(1 << 11) {
            self.remaining_s = octets.u16("remaining_time");
        }
        if self.has(1 << 12) {
            self.force_on_belt_n = octets.i16("force_on_belt").map(|raw| Reported::unless(raw, i16::MAX));
            self.power_output_w = octets.i16("power_output").map(|raw| Reported::unless(raw, i16::MAX));
        }
    }

    fn has(&self, bit: u16) -> bool {
        self.flags & bit != 0
    }

    /// Whether more parts of the same whole follow: this one has no instantaneous speed.
    pub fn more(&self) -> bool {
        self.has(FLAG_MORE)
    }

    /// This part and a later one as one: what both have is taken from the later one.
    #[must_use]
    pub fn merged(self, later: Treadmill) -> Treadmill {
        Treadmill {
            flags: (self.flags & !FLAG_MORE) | later.flags,
            speed: later.speed.or(self.speed),
            average_speed: later.average_speed.or(self.average_speed),
            distance_m: later.distance_m.or(self.distance_m),
            inclination: later.inclination.or(self.inclination),
            ramp_angle: later.ramp_angle.or(self.ramp_angle),
            elevation_gain_positive: later.elevation_gain_positive.or(self.elevation_gain_positive),
            elevation_gain_negative: later.elevation_gain_negative.or(self.elevation_gain_negative),
            instantaneous_pace: later.instantaneous_pace.or(self.instantaneous_pace),
            average_pace: later.average_pace.or(self.average_pace),
            energy_kcal: later.energy_kcal.or(self.energy_kcal),
            energy_per_hour_kcal: later.energy_per_hour_kcal.or(self.energy_per_hour_kcal),
            energy_per_minute_kcal: later.energy_per_minute_kcal.or(self.energy_per_minute_kcal),
            heart_rate_bpm: later.heart_rate_bpm.or(self.heart_rate_bpm),
            metabolic_equivalent: later.metabolic_equivalent.or(self.metabolic_equivalent),
            elapsed_s: later.elapsed_s.or(self.elapsed_s),
            remaining_s: later.remaining_s.or(self.remaining_s),
            force_on_belt_n: later.force_on_belt_n.or(self.force_on_belt_n),
            power_output_w: later.power_output_w.or(self.power_output_w),
            vendor_steps: later.vendor_steps.or(self.vendor_steps),
            trailing: if later.trailing.is_empty() { self.trailing } else { later.trailing },
            cut: later.cut.or(self.cut),
        }
    }
}

/// The pace width that the length of a frame tells; `otherwise` where it tells none.
///
/// A frame as long as one width makes it settles the question, with or without the three octets that bit 13
/// announces. So does a frame that is whole with one width and cut with the other. Longer frames fit both.
fn pace_width(flags: u16, length: usize, otherwise: PaceWidth) -> PaceWidth {
    let narrow = length_of(flags, PaceWidth::OneOctet);
    let wide = length_of(flags, PaceWidth::TwoOctets);
    if narrow == wide {
        return otherwise;
    }
    let appended = if flags & FLAG_VENDOR_STEPS != 0 { 3 } else { 0 };
    if length == wide || length == wide + appended {
        PaceWidth::TwoOctets
    } else if length == narrow || length == narrow + appended || (length > narrow && length < wide) {
        PaceWidth::OneOctet
    } else {
        otherwise
    }
}

/// Octets of a frame with these flags and nothing appended.
fn length_of(flags: u16, width: PaceWidth) -> usize {
    let pace = match width {
        PaceWidth::OneOctet => 1,
        PaceWidth::TwoOctets => 2,
    };
    let sizes = [0, 2, 3, 4, 4, pace, pace, 5, 1, 1, 2, 2, 4];
    let speed = if flags & FLAG_MORE == 0 { 2 } else { 0 };
    let present = |(bit, size)| if flags & (1_u16 << bit) == 0 { 0 } else { size };
    2 + speed + (0_u16..).zip(sizes).map(present).sum::<usize>()
}

#[cfg(test)]
mod tests;
