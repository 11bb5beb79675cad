//! What people did about an incident: a fold of their steps in the order in which the server took them.
//!
//! It is total: a step that came too late changes nothing but is kept, so two people who act at once lose nothing. What
//! the machine does is told apart, by the incident itself.

use serde::{Deserialize, Serialize};

use crate::ids::{IncidentId, UserName};
use crate::incident::Severity;
use crate::units::UnixMicros;

#[cfg(test)]
mod tests;

/// Longest note, in characters.
pub const NOTE_CHARACTERS_MAX: usize = 2_000;
/// Longest time that an incident can be laid aside, in microseconds (30 days).
pub const SHELVED_US_MAX: i64 = 30 * 24 * 3_600 * 1_000_000;

/// How far people are with an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandlingState {
    /// Nobody has said that they know of it.
    #[default]
    Open,
    /// Somebody knows of it.
    Acknowledged,
    /// Somebody works on it.
    InProgress,
    /// It is dealt with. It never opens again; what happens anew is a new incident.
    Closed,
}

impl HandlingState {
    /// All, in their order.
    pub const ALL: [HandlingState; 4] =
        [HandlingState::Open, HandlingState::Acknowledged, HandlingState::InProgress, HandlingState::Closed];

    /// Its name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            HandlingState::Open => "open",
            HandlingState::Acknowledged => "acknowledged",
            HandlingState::InProgress => "in_progress",
            HandlingState::Closed => "closed",
        }
    }
}

/// Why it happened, as whoever closes it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Somebody stopped the belt on purpose.
    DeliberateStop,
    /// Somebody did not feel well.
    Discomfort,
    /// The machine was used in a way that it is not for.
    Misuse,
    /// The machine is at fault.
    MachineFault,
    /// What observes the machine is at fault.
    SensorFault,
    /// It was a test.
    Drill,
    /// Nobody knows.
    Unknown,
}

impl Cause {
    /// All, in the order in which they are offered.
    pub const ALL: [Cause; 7] = [
        Cause::DeliberateStop,
        Cause::Discomfort,
        Cause::Misuse,
        Cause::MachineFault,
        Cause::SensorFault,
        Cause::Drill,
        Cause::Unknown,
    ];

    /// Its name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            Cause::DeliberateStop => "deliberate_stop",
            Cause::Discomfort => "discomfort",
            Cause::Misuse => "misuse",
            Cause::MachineFault => "machine_fault",
            Cause::SensorFault => "sensor_fault",
            Cause::Drill => "drill",
            Cause::Unknown => "unknown",
        }
    }
}

/// Whether anybody was hurt, the answer that weighs most last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hurt {
    /// Nobody was.
    No,
    /// Nobody knows.
    Unknown,
    /// Somebody was.
    Yes,
}

impl Hurt {
    /// All.
    pub const ALL: [Hurt; 3] = [Hurt::No, Hurt::Unknown, Hurt::Yes];

    /// Its name in the product's words.
    pub fn name(self) -> &'static str {
        match self {
            Hurt::No => "no",
            Hurt::Unknown => "unknown",
            Hurt::Yes => "yes",
        }
    }
}

/// One thing done about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Somebody knows of it.
    Acknowledge,
    /// Somebody shall work on it, or nobody any more.
    Assign {
        /// Who; `None`: nobody.
        to: Option<UserName>,
    },
    /// Something was written down. Its text comes beside it.
    Note,
    /// It is laid aside until then, or taken up again.
    Shelve {
        /// Until when; `None`: it is taken up again.
        #[serde(rename = "until_us")]
        until: Option<UnixMicros>,
    },
    /// It is dealt with. What was done comes beside it as a note. Of one that was closed before, a correction.
    Close {
        /// Why it happened; `None`: not asked, which is allowed below high.
        cause: Option<Cause>,
        /// Whether anybody was hurt; `None`: not asked, which is allowed below high.
        hurt: Option<Hurt>,
    },
    /// Its data is kept against retention, or no longer.
    Hold {
        /// Whether it is.
        on: bool,
    },
    /// The text of an earlier note was erased; that there was one stays.
    EraseNote {
        /// Number of the fact that brought it.
        number: u64,
    },
    /// The server found that it belongs to an outage of its site, which another incident stands for.
    Join {
        /// The incident that stands for all.
        lead: IncidentId,
    },
    /// The server noted what the evidence was.
    Seal {
        /// Version of the incident.
        revision: u64,
        /// SHA-256 of the evidence, in hexadecimal digits.
        evidence: String,
    },
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// Number of the fact.
    pub number: u64,
    /// When, by the server's clock.
    #[serde(rename = "time_us")]
    pub time: UnixMicros,
    /// Who, as facts name people.
    pub by: String,
}

/// How an incident was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Who closed it first, and when.
    pub first: Deed,
    /// Who has corrected that last; the same as `first` if nobody has.
    pub last: Deed,
    /// Why it happened, by the last that said.
    pub cause: Option<Cause>,
    /// Whether anybody was hurt: of all answers the one that weighs most.
    pub hurt: Option<Hurt>,
}

/// What people did about one incident. Field by field as it is stored; a field that came later has a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Handling {
    /// How far they are.
    pub state: HandlingState,
    /// It is laid aside until then. It counts while the time has not come and it is not closed.
    pub shelved_until: Option<UnixMicros>,
    /// Who works on it.
    pub assignee: Option<UserName>,
    /// Who knew of it first: by acknowledging, taking it on or closing it.
    pub acknowledged: Option<Deed>,
    /// How it was closed.
    pub closing: Option<Closing>,
    /// Its data is kept against retention.
    pub is_held: bool,
    /// It is part of an outage that this incident stands for.
    pub lead: Option<IncidentId>,
    /// The version of the incident and the evidence that were noted last.
    pub sealed: Option<(u64, String)>,
    /// Steps taken, those of the server with them.
    pub steps: u32,
    /// Notes that have a text.
    pub notes: u32,
}

/// What of an incident the steps depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// How bad it is.
    pub severity: Severity,
    /// Whether it was a proof test.
    pub is_drill: bool,
}

/// Why a step is not taken: field, value, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalStep {
    /// It is closed.
    #[error(
        "the incident was closed by {by}; a note, a correction of the closing and a legal hold are allowed"
    )]
    Closed {
        /// By whom.
        by: String,
    },
    /// It may hurt somebody and must not be laid aside.
    #[error("a critical incident cannot be shelved; acknowledge it, work on it and close it")]
    Critical,
    /// Until when it is laid aside.
    #[error("until lies in the past or more than 30 days ahead; a time in between is allowed")]
    Until,
    /// What closing asks for was left out.
    #[error("{field} is missing; {allowed} is allowed, and an incident of severity {severity} needs it")]
    Unanswered {
        /// Which question.
        field: &'static str,
        /// What can be answered.
        allowed: &'static str,
        /// How bad the incident is.
        severity: &'static str,
    },
    /// A note without a text.
    #[error("note is empty; 1 to 2000 characters are allowed")]
    NoNote,
}

impl Handling {
    /// Whether it is laid aside at that time.
    pub fn is_shelved(&self, now: UnixMicros) -> bool {
        self.state != HandlingState::Closed && self.shelved_until.is_some_and(|until| now < until)
    }

    /// Whether somebody may take this step.
    ///
    /// # Errors
    /// It cannot be taken, and why.
    pub fn check(
        &self,
        step: &Step,
        has_note: bool,
        subject: Subject,
        now: UnixMicros,
    ) -> Result<(), IllegalStep> {
        match step {
            Step::Note if !has_note => Err(IllegalStep::NoNote),
            Step::Assign { .. } => self.is_not_closed(),
            Step::Shelve { until } => {
                self.is_not_closed()?;
                if until.is_some() && subject.severity == Severity::Critical {
                    return Err(IllegalStep::Critical);
                }
                let fits = |until: UnixMicros| (1..=SHELVED_US_MAX).contains(&until.since(now));
                if until.is_none_or(fits) { Ok(()) } else { Err(IllegalStep::Until) }
            }
            Step::Close { cause, hurt } => self.check_closing(*cause, *hurt, subject),
            Step::Acknowledge
            | Step::Note
            | Step::Hold { .. }
            | Step::EraseNote { .. }
            | Step::Join { .. }
            | Step::Seal { .. } => Ok(()),
        }
    }

    fn is_not_closed(&self) -> Result<(), IllegalStep> {
        match &self.closing {
            Some(closing) => Err(IllegalStep::Closed { by: closing.first.by.clone() }),
            None => Ok(()),
        }
    }

    /// A correction may leave out what was answered before.
    fn check_closing(
        &self,
        cause: Option<Cause>,
        hurt: Option<Hurt>,
        subject: Subject,
    ) -> Result<(), IllegalStep> {
        if subject.severity < Severity::High || subject.is_drill || self.closing.is_some() {
            return Ok(());
        }
        let severity = subject.severity.name();
        if cause.is_none() {
            let allowed =
                "deliberate_stop, discomfort, misuse, machine_fault, sensor_fault, drill or unknown";
            return Err(IllegalStep::Unanswered { field: "cause", allowed, severity });
        }
        if hurt.is_none() {
            return Err(IllegalStep::Unanswered { field: "hurt", allowed: "no, unknown or yes", severity });
        }
        Ok(())
    }

    /// Takes one more step, with or without a note's text beside it.
    pub fn take(&mut self, step: &Step, has_note: bool, deed: Deed) {
        self.steps = self.steps.saturating_add(1);
        self.notes = self.notes.saturating_add(u32::from(has_note));
        let is_closed = self.closing.is_some();
        match step {
            Step::Acknowledge if !is_closed => {
                self.state = self.state.max(HandlingState::Acknowledged);
                self.acknowledged.get_or_insert(deed);
            }
            Step::Assign { to } if !is_closed => {
                self.state = match to {
                    Some(_) => HandlingState::InProgress,
                    None => HandlingState::Acknowledged,
                };
                self.assignee.clone_from(to);
                self.acknowledged.get_or_insert(deed);
            }
            Step::Shelve { until } if !is_closed => self.shelved_until = *until,
            Step::Close { cause, hurt } => self.close(*cause, *hurt, deed),
            Step::Hold { on } => self.is_held = *on,
            Step::EraseNote { .. } => self.notes = self.notes.saturating_sub(1),
            Step::Join { lead } => self.lead = Some(*lead),
            Step::Seal { revision, evidence } => self.sealed = Some((*revision, evidence.clone())),
            // Too late to change anything, or only to be read.
            Step::Acknowledge | Step::Assign { .. } | Step::Shelve { .. } | Step::Note => {}
        }
    }

    fn close(&mut self, cause: Option<Cause>, hurt: Option<Hurt>, deed: Deed) {
        self.state = HandlingState::Closed;
        self.shelved_until = None;
        self.acknowledged.get_or_insert_with(|| deed.clone());
        self.closing = Some(match self.closing.take() {
            None => Closing { first: deed.clone(), last: deed, cause, hurt },
            Some(before) => Closing {
                first: before.first,
                last: deed,
                cause: cause.or(before.cause),
                // Somebody who saw that a person was hurt is not overruled by somebody who did not.
                hurt: hurt.max(before.hurt),
            },
        });
    }
}
