//! The clocks and random numbers of the machine that the agent runs on. Only the agent's body asks for them.

use domain::clock::{Clock, ClockQuality};
use domain::ids::BootId;
use domain::units::MonotonicMicros;
use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::spool::{BootIds, KernelBoot, SpoolId};

/// How far a system clock that is said to be right may be off, in microseconds.
const TRUSTED_UNCERTAINTY_US: u64 = 50_000;

/// Microseconds since the kernel started, with the time it slept: the same clock for all processes of one kernel's
/// life.
pub fn monotonic() -> MonotonicMicros {
    MonotonicMicros(u64::try_from(micros(clock_gettime(ClockId::Boottime))).unwrap_or(0))
}

/// The mapping to the system's wall clock, for agents that are told to trust it.
pub fn system() -> Clock {
    let unix = micros(clock_gettime(ClockId::Realtime));
    let monotonic = micros(clock_gettime(ClockId::Boottime));
    Clock {
        quality: ClockQuality::Synchronised,
        offset_us: unix.saturating_sub(monotonic),
        uncertainty_us: TRUSTED_UNCERTAINTY_US,
    }
}

fn micros(time: Timespec) -> i64 {
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1_000)
}

/// Why there is no random number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers: {reason}")]
pub struct NoRandomness {
    /// What the system said.
    pub reason: String,
}

/// New identities for one life of the agent.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn boot_ids() -> Result<BootIds, NoRandomness> {
    Ok(BootIds { boot: BootId(random()?), kernel: kernel_boot()?, fresh_spool: SpoolId(random()?) })
}

/// A seed for jitter.
///
/// # Errors
///
/// If the system has no random numbers.
pub fn seed() -> Result<u64, NoRandomness> {
    let octets: [u8; 16] = random()?;
    let (low, _) = octets.split_at(8);
    Ok(low.iter().fold(0, |seed, octet| seed << 8 | u64::from(*octet)))
}

fn random() -> Result<[u8; 16], NoRandomness> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|error| NoRandomness { reason: error.to_string() })?;
    Ok(octets)
}

/// Where the kernel tells which of its lives this is.
const KERNEL_BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// The kernel's life; where the kernel does not tell, a new one each time, so that no two are taken for the same.
fn kernel_boot() -> Result<KernelBoot, NoRandomness> {
    let told = std::fs::read_to_string(KERNEL_BOOT).unwrap_or_default();
    let mut octets = [0; 16];
    match hex::decode_to_slice(told.trim().replace('-', ""), &mut octets) {
        Ok(()) => Ok(KernelBoot(octets)),
        Err(_) => {
            tracing::warn!(
                "{KERNEL_BOOT} cannot be read: records from before a restart that were never dated stay undated"
            );
            random().map(KernelBoot)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_of_a_kernels_life_tells_the_same_one() {
        assert_eq!(boot_ids().unwrap().kernel, boot_ids().unwrap().kernel);
        let unit = include_str!("../../../deploy/systemd/beltwatch-agent.service");
        let hides = unit.lines().any(|line| line.starts_with("ProcSubset=pid"));
        assert!(!hides, "the unit hides {KERNEL_BOOT} from the agent");
    }
}
