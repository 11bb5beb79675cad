//! Why a command failed: one sentence for people, one exit code of sysexits for programs.

use std::process::ExitCode;

/// What kind of failure it is; the numbers are those of sysexits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The command was used wrongly.
    Usage = 64,
    /// What was given, or a part of it, is not right or was refused.
    Data = 65,
    /// What was asked for does not exist.
    NotFound = 66,
    /// No server answers, or it cannot now.
    Unavailable = 69,
    /// Something went wrong that should not.
    Software = 70,
    /// A file or thing cannot be made; it may be there already.
    CannotCreate = 73,
    /// Reading or writing failed.
    InputOutput = 74,
    /// The caller is not known or not allowed.
    NotPermitted = 77,
}

/// A failed command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure it is.
    pub exit: Exit,
    /// What failed, and what helps, in one sentence.
    pub message: String,
}

impl Failure {
    /// Makes a failure.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into() }
    }

    /// The code with which the program ends.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

/// For commands that tell their failures through `anyhow`: the whole chain in one line.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::new(Exit::Software, format!("{error:#}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::new(Exit::InputOutput, error.to_string())
    }
}
