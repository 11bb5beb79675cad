//! What a look at a server or a backup found: one line each.

use crate::client::Options;
use crate::command::print;
use crate::failure::{Exit, Failure};
use crate::table::{Column, Listing, Note, Value};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Somebody should look at it.
    Warn,
    /// It is wrong.
    Bad,
}

impl Level {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub subject: &'static str,
    /// How it is, and what to do.
    pub words: String,
}

impl Finding {
    /// As it should be.
    pub fn ok(subject: &'static str, words: impl Into<String>) -> Finding {
        Finding { level: Level::Ok, subject, words: words.into() }
    }

    /// Somebody should look at it.
    pub fn warn(subject: &'static str, words: impl Into<String>) -> Finding {
        Finding { level: Level::Warn, subject, words: words.into() }
    }

    /// It is wrong.
    pub fn bad(subject: &'static str, words: impl Into<String>) -> Finding {
        Finding { level: Level::Bad, subject, words: words.into() }
    }
}

const COLUMNS: &[Column<Finding>] = &[
    Column { name: "level", title: "level", value: |finding| Value::Text(finding.level.word().to_owned()) },
    Column { name: "subject", title: "subject", value: |finding| Value::Text(finding.subject.to_owned()) },
    Column { name: "finding", title: "finding", value: |finding| Value::Text(finding.words.clone()) },
];

/// Prints findings.
///
/// # Errors
/// `Exit::Data` if one is bad, or printing failed.
pub(super) fn conclude(findings: &[Finding], notes: Vec<Note>, options: &Options) -> Result<(), Failure> {
    print(&Listing { name: "findings", columns: COLUMNS, rows: findings, notes }, options)?;
    match findings.iter().filter(|finding| finding.level == Level::Bad).count() {
        0 => Ok(()),
        1 => Err(Failure::new(Exit::Data, "one finding is bad")),
        count => Err(Failure::new(Exit::Data, format!("{count} findings are bad"))),
    }
}
