//! What a world met: each fault is counted where it really had its effect.

use std::fmt;

/// A fault, or what came of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Messages that were refused because their credential was revoked.
    RevokedRefused,
    /// Records that were made under one credential and sent under the next.
    BacklogRenewed,
    /// Messages to the ingest that nobody genuine had sent; all are refused.
    ForgedRefused,
    /// Acks that nobody genuine had sent and that an agent ignored.
    ForgedAcksIgnored,
    /// Genuine messages that came again after a long time.
    Replayed,
    /// Messages that a broker kept over its restart.
    KeptByBroker,
    /// Last wills that a broker sent.
    Wills,
    /// Agents that died within a call of their disk.
    DiedInCall,
    /// Writings of the ledger or the telemetry that failed, or were done and reported as failed.
    StoreErrors,
    /// Appends refused, for now or for good.
    AppendsRefused,
    /// Records of events that were stored while readings had to wait because the journal's disk was nearly full.
    EventsWhileNearlyFull,
    /// Readings that a full spool dropped; they are recorded as lost.
    Overflowed,
    /// Events that were counted because a full spool had no room for them; all are told.
    Coalesced,
    /// Pieces of recordings that a full spool left out.
    PiecesLeftOut,
    /// Writings that a full disk refused.
    DiskFull,
    /// Steps of an agent's or the server's wall clock.
    ClockSteps,
    /// Records that could never be dated.
    Undated,
    /// Copies of a spool that came into service.
    Clones,
    /// Alarms that the ingest raised about two processes of one machine.
    CloneAlarms,
    /// Spools that went on in logs of their own because a copy went on in theirs.
    Renewed,
}

impl Met {
    /// Everything that can be met.
    pub const ALL: [Met; 20] = [
        Met::RevokedRefused,
        Met::BacklogRenewed,
        Met::ForgedRefused,
        Met::ForgedAcksIgnored,
        Met::Replayed,
        Met::KeptByBroker,
        Met::Wills,
        Met::DiedInCall,
        Met::StoreErrors,
        Met::AppendsRefused,
        Met::EventsWhileNearlyFull,
        Met::Overflowed,
        Met::Coalesced,
        Met::PiecesLeftOut,
        Met::DiskFull,
        Met::ClockSteps,
        Met::Undated,
        Met::Clones,
        Met::CloneAlarms,
        Met::Renewed,
    ];

    /// In a few words, after a number.
    pub fn name(self) -> &'static str {
        match self {
            Met::RevokedRefused => "refused as revoked",
            Met::BacklogRenewed => "sent under a later key",
            Met::ForgedRefused => "forged",
            Met::ForgedAcksIgnored => "forged acks",
            Met::Replayed => "replayed",
            Met::KeptByBroker => "kept by a restarted broker",
            Met::Wills => "wills",
            Met::DiedInCall => "deaths within a call",
            Met::StoreErrors => "store errors",
            Met::AppendsRefused => "appends refused",
            Met::EventsWhileNearlyFull => "events past waiting readings",
            Met::Overflowed => "overflowed",
            Met::Coalesced => "coalesced",
            Met::PiecesLeftOut => "pieces left out",
            Met::DiskFull => "refused by a full disk",
            Met::ClockSteps => "clock steps",
            Met::Undated => "undated",
            Met::Clones => "clones",
            Met::CloneAlarms => "alarms about clones",
            Met::Renewed => "logs renewed",
        }
    }
}

/// How often each was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; Met::ALL.len()]);

impl Tally {
    pub(crate) fn note(&mut self, what: Met, times: u64) {
        self.0[what as usize] += times;
    }

    pub(crate) fn get(&self, what: Met) -> u64 {
        self.0[what as usize]
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.0.iter_mut().zip(other.0).for_each(|(own, more)| *own += more);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for met in Met::ALL.into_iter().filter(|met| self.get(*met) > 0) {
            write!(f, ", {} {}", self.get(met), met.name())?;
        }
        Ok(())
    }
}
