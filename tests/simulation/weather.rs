//! The weather of a world: which faults it has and how often. Each world draws its own; some faults are there, some
//! are not.

use agent::spool::Bounds;

use super::network::Badness;

/// How bad a world is; chances a step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) agent_killed: f64,
    pub(crate) agent_killed_in_call: f64,
    pub(crate) power_cut: f64,
    pub(crate) spool_wiped: f64,
    pub(crate) disk_changed: f64,
    pub(crate) outage: f64,
    pub(crate) agent_clock_stepped: f64,
    pub(crate) cloned: f64,
    pub(crate) server_killed: f64,
    pub(crate) append_bad: f64,
    pub(crate) journal_full: f64,
    pub(crate) journal_nearly_full: f64,
    pub(crate) stores_bad: f64,
    pub(crate) server_clock_stepped: f64,
    pub(crate) broker_wiped: f64,
    pub(crate) broker_restarted: f64,
    pub(crate) backup_restored: f64,
    pub(crate) credential_revoked: f64,
    pub(crate) credential_rotated: f64,
    pub(crate) forged: f64,
    /// Whether agents may have spools that are soon full.
    pub(crate) has_small_spools: bool,
}

impl Faults {
    pub(crate) fn drawn(random: &mut fastrand::Rng) -> Faults {
        let mut weather = |worst: f64| if random.bool() { 0.0 } else { random.f64() * worst };
        Faults {
            agent_killed: weather(0.004),
            agent_killed_in_call: weather(0.004),
            power_cut: weather(0.003),
            spool_wiped: weather(0.000_5),
            disk_changed: weather(0.002),
            outage: weather(0.002),
            agent_clock_stepped: weather(0.002),
            cloned: weather(0.000_4),
            server_killed: weather(0.004),
            append_bad: weather(0.05),
            journal_full: weather(0.000_5),
            journal_nearly_full: weather(0.001),
            stores_bad: weather(0.004),
            server_clock_stepped: weather(0.002),
            broker_wiped: weather(0.004),
            broker_restarted: weather(0.003),
            backup_restored: weather(0.001),
            credential_revoked: weather(0.001),
            credential_rotated: weather(0.000_7),
            forged: weather(0.06),
            has_small_spools: true,
        }
    }
}

/// How bad the network is, and its delay in microseconds.
pub(crate) fn badness(random: &mut fastrand::Rng) -> (Badness, u64) {
    let mut weather = |worst: f64| if random.bool() { 0.0 } else { random.f64() * worst };
    let badness = Badness {
        lost: weather(0.3),
        repeated: weather(0.3),
        reordered: weather(0.3),
        truncated: weather(0.05),
    };
    (badness, random.u64(1_000..400_000))
}

/// Half of the worlds have spools that are soon full, and whose records are soon on the disk only.
pub(crate) fn bounds(random: &mut fastrand::Rng) -> Bounds {
    if random.bool() {
        return Bounds::default();
    }
    let events_bytes_max = random.u64(600..6_000);
    let readings_age_max_us = if random.bool() {
        Bounds::default().readings_age_max_us
    } else {
        random.u64(30_000_000..120_000_000)
    };
    Bounds {
        events_bytes_max,
        recordings_bytes_max: events_bytes_max / 2,
        readings_bytes_max: random.u64(2_000..20_000),
        readings_age_max_us,
        memory_bytes_max: random.u64(500..6_000),
        unwritten_bytes_max: random.u64(1_500..8_000),
    }
}
