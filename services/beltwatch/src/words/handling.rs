//! Words of what people do about incidents, and of what follows from it.

use wire::api::v1;

/// How far people are, in a word.
pub fn handling(value: i32) -> &'static str {
    match v1::HandlingState::try_from(value) {
        Ok(v1::HandlingState::Open) => "open",
        Ok(v1::HandlingState::Acknowledged) => "acknowledged",
        Ok(v1::HandlingState::InProgress) => "in_progress",
        Ok(v1::HandlingState::Closed) => "closed",
        Ok(v1::HandlingState::Unspecified) | Err(_) => "unknown",
    }
}

/// Why it happened, in a word; empty if nobody has said.
pub fn cause(value: i32) -> &'static str {
    match v1::Cause::try_from(value) {
        Ok(v1::Cause::DeliberateStop) => "deliberate_stop",
        Ok(v1::Cause::Discomfort) => "discomfort",
        Ok(v1::Cause::Misuse) => "misuse",
        Ok(v1::Cause::MachineFault) => "machine_fault",
        Ok(v1::Cause::SensorFault) => "sensor_fault",
        Ok(v1::Cause::Drill) => "drill",
        Ok(v1::Cause::Unknown) => "unknown",
        Ok(v1::Cause::Unspecified) | Err(_) => "",
    }
}

/// Whether anybody was hurt, in a word; empty if nobody has said, or the caller may not see it.
pub fn hurt(value: i32) -> &'static str {
    match v1::Hurt::try_from(value) {
        Ok(v1::Hurt::No) => "no",
        Ok(v1::Hurt::Unknown) => "unknown",
        Ok(v1::Hurt::Yes) => "yes",
        Ok(v1::Hurt::Unspecified) | Err(_) => "",
    }
}

/// When a step of a chain is taken, in a word.
pub fn staffing(value: i32) -> &'static str {
    match v1::Staffing::try_from(value) {
        Ok(v1::Staffing::Always | v1::Staffing::Unspecified) => "always",
        Ok(v1::Staffing::Staffed) => "staffed",
        Ok(v1::Staffing::Unstaffed) => "unstaffed",
        Err(_) => "unknown",
    }
}

/// What became of a notice, in a word.
pub fn notice_state(value: i32) -> &'static str {
    match v1::NoticeState::try_from(value) {
        Ok(v1::NoticeState::Waiting) => "waiting",
        Ok(v1::NoticeState::Sent) => "sent",
        Ok(v1::NoticeState::NotNeeded) => "not_needed",
        Ok(v1::NoticeState::Failed) => "failed",
        Ok(v1::NoticeState::Unspecified) | Err(_) => "unknown",
    }
}

/// Whether a contact that stops a machine is proven, in a word.
pub fn proof_state(value: i32) -> &'static str {
    match v1::ProofState::try_from(value) {
        Ok(v1::ProofState::Proven) => "proven",
        Ok(v1::ProofState::Due) => "due",
        Ok(v1::ProofState::Overdue) => "overdue",
        Ok(v1::ProofState::Never) => "never",
        Ok(v1::ProofState::Blind) => "blind",
        Ok(v1::ProofState::Unspecified) | Err(_) => "unknown",
    }
}
