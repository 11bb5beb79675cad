//! Codes with which agents get their machines' credentials, and agents that wait for approval.

use domain::ids::{MachineId, SiteId};
use domain::limits::ENROLMENT_TRIES_MAX;
use domain::units::UnixMicros;
use serde::{Deserialize, Serialize};

use super::{Registry, SecretHash, json};

const HOUR_US: i64 = 3_600 * 1_000_000;
/// How long an agent waits for approval, in microseconds (7 days).
const WAIT_US: i64 = 7 * 24 * HOUR_US;
/// How long an answer of staff can be collected, in microseconds (1 day).
const ANSWER_US: i64 = 24 * HOUR_US;
/// How long an agent that has used a code gets the same answer again, in microseconds (10 minutes): its reply may have
/// been lost on the way.
const REPEAT_US: i64 = HOUR_US / 6;

/// For what a code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum EnrolmentTarget {
    /// For one machine, once.
    Machine {
        /// Which.
        #[serde(with = "json::machine")]
        machine: MachineId,
    },
    /// For machines of a site, each approved by staff.
    Site {
        /// Which.
        #[serde(with = "json::site")]
        site: SiteId,
        /// How many agents may come with it.
        machines_max: u32,
    },
}

/// That a code for one machine was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentUse {
    /// SHA-256 of the nonce of the agent that used it.
    #[serde(with = "json::hash")]
    pub nonce: SecretHash,
    /// When.
    #[serde(rename = "at_us", with = "json::micros")]
    pub at: UnixMicros,
    /// The generation of the credential that it got.
    pub generation: u32,
}

/// A code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentCode {
    /// Its identity, below 2^24.
    pub id: u32,
    /// SHA-256 of what an agent shows of it.
    #[serde(with = "json::hash")]
    pub hash: SecretHash,
    /// Number of the fact that made it; 0 in that fact itself.
    #[serde(default)]
    pub number: u64,
    /// For what it is. In its JSON beside the rest.
    #[serde(flatten)]
    pub target: EnrolmentTarget,
    /// Who made it.
    pub author: String,
    /// When it was made.
    #[serde(rename = "created_us", with = "json::micros")]
    pub created: UnixMicros,
    /// From when on it is no longer good.
    #[serde(rename = "expires_us", with = "json::micros")]
    pub expires: UnixMicros,
    /// When it was revoked.
    #[serde(rename = "revoked_us", with = "json::maybe_micros", default)]
    pub revoked: Option<UnixMicros>,
    /// How often it was tried with a wrong secret.
    #[serde(default)]
    pub wrong_tries: u32,
    /// How many agents have come with it.
    #[serde(default)]
    pub came: u32,
    /// Of a code for one machine: who used it.
    #[serde(default)]
    pub used: Option<EnrolmentUse>,
}

/// How it stands with a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnrolmentCodeState {
    /// It can be used.
    Open,
    /// As many came with it as may.
    Used,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
    /// It was tried too often with a wrong secret.
    TriedOut,
}

impl EnrolmentCode {
    /// How many agents may come with it.
    pub fn machines_max(&self) -> u32 {
        match &self.target {
            EnrolmentTarget::Machine { .. } => 1,
            EnrolmentTarget::Site { machines_max, .. } => *machines_max,
        }
    }

    /// How it stands now.
    pub fn state(&self, now: UnixMicros) -> EnrolmentCodeState {
        if self.came >= self.machines_max() {
            EnrolmentCodeState::Used
        } else if self.revoked.is_some() {
            EnrolmentCodeState::Revoked
        } else if self.wrong_tries >= ENROLMENT_TRIES_MAX {
            EnrolmentCodeState::TriedOut
        } else if now >= self.expires {
            EnrolmentCodeState::Expired
        } else {
            EnrolmentCodeState::Open
        }
    }

    /// When it ended; `None`: it is open, or the agent that used it may still ask for the same answer again. Of a code that
    /// was used up or tried too often nobody kept when: as late as can be.
    pub(super) fn ended(&self, now: UnixMicros) -> Option<UnixMicros> {
        match self.state(now) {
            EnrolmentCodeState::Open => None,
            EnrolmentCodeState::Used => match &self.used {
                Some(used) => Some(used.at).filter(|at| now.since(*at) > REPEAT_US),
                None => Some(self.expires.min(now)),
            },
            EnrolmentCodeState::Revoked => self.revoked.map(|revoked| revoked.min(self.expires)),
            EnrolmentCodeState::Expired => Some(self.expires),
            EnrolmentCodeState::TriedOut => Some(self.expires.min(now)),
        }
    }

    /// The generation that an agent got with this nonce a short while ago, and gets again.
    pub fn repeats(&self, nonce: &SecretHash, now: UnixMicros) -> Option<u32> {
        let used = self.used.as_ref().filter(|used| used.nonce == *nonce);
        used.filter(|used| now.since(used.at) <= REPEAT_US).map(|used| used.generation)
    }
}

/// What staff have said of an agent that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum EnrolmentStanding {
    /// Nothing yet.
    Waiting,
    /// It speaks for this machine.
    Approved {
        /// The machine.
        #[serde(with = "json::machine")]
        machine: MachineId,
        /// The generation of the credential that it gets.
        generation: u32,
        /// When that was said.
        #[serde(rename = "at_us", with = "json::micros")]
        at: UnixMicros,
    },
    /// It gets nothing.
    Refused {
        /// When that was said.
        #[serde(rename = "at_us", with = "json::micros")]
        at: UnixMicros,
    },
}

/// An agent that came with a site's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// SHA-256 of its nonce.
    #[serde(with = "json::hash")]
    pub nonce: SecretHash,
    /// Number of the fact that told of it; 0 in that fact itself.
    #[serde(default)]
    pub number: u64,
    /// Identity of the code.
    pub code: u32,
    /// The site of the code.
    #[serde(with = "json::site")]
    pub site: SiteId,
    /// What it calls its computer.
    pub name: String,
    /// Its version, as it says.
    pub agent_version: String,
    /// From where it came; empty: not known.
    pub peer: String,
    /// Six digits that it shows, and that staff compare.
    pub comparison: String,
    /// When it came.
    #[serde(rename = "asked_us", with = "json::micros")]
    pub asked: UnixMicros,
    /// What staff have said.
    pub standing: EnrolmentStanding,
}

impl Enrolment {
    /// Until when it can be answered, or its answer be collected.
    pub fn ends(&self) -> UnixMicros {
        match &self.standing {
            EnrolmentStanding::Waiting => self.asked.plus(WAIT_US),
            EnrolmentStanding::Approved { at, .. } | EnrolmentStanding::Refused { at } => at.plus(ANSWER_US),
        }
    }

    /// Whether staff can still answer it.
    pub fn is_waiting(&self, now: UnixMicros) -> bool {
        self.standing == EnrolmentStanding::Waiting && now < self.ends()
    }
}

impl Registry {
    /// Codes by identity, also those that are no longer good.
    pub fn enrolment_codes(&self) -> impl Iterator<Item = &EnrolmentCode> {
        self.enrolment_codes.values().map(AsRef::as_ref)
    }

    /// The code with this identity.
    pub fn enrolment_code(&self, id: u32) -> Option<&EnrolmentCode> {
        self.enrolment_codes.get(&id).map(AsRef::as_ref)
    }

    /// Agents that came with sites' codes, also those that were answered a short while ago.
    pub fn enrolments(&self) -> impl Iterator<Item = &Enrolment> {
        self.enrolments.values().map(AsRef::as_ref)
    }

    /// The agent whose nonce has this hash.
    pub fn enrolment(&self, nonce: &SecretHash) -> Option<&Enrolment> {
        self.enrolments.get(nonce).map(AsRef::as_ref)
    }

    /// The agent with this number.
    pub fn enrolment_number(&self, number: u64) -> Option<&Enrolment> {
        self.enrolments().find(|one| one.number == number)
    }
}
