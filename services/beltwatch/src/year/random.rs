//! Randomness that follows from a seed.

use fastrand::Rng;

/// What the randomness is for: each its own, so that a change of one leaves the others as they were.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// How busy a gym is on a day.
    Business = 1,
    /// Who comes to a machine on a day, and what they do.
    Plan,
    /// When a machine is out of service.
    Service,
    /// When an agent is silent.
    Dark,
    /// How an encoder's values scatter.
    Noise,
}

/// A seed of one of many.
pub(super) fn fold_seed(seed: u64, number: usize) -> u64 {
    mix(seed ^ mix(number as u64))
}

/// The randomness of one of many days or the like.
pub(super) fn of(seed: u64, purpose: Purpose, number: i64) -> Rng {
    Rng::with_seed(mix(mix(seed ^ (purpose as u64) << 56) ^ number.cast_unsigned()))
}

/// Splitmix64.
fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Whether something happens that does so in so many of 1 000 cases.
pub(super) fn happens(random: &mut Rng, of_1000: u32) -> bool {
    random.u32(..1_000) < of_1000
}
